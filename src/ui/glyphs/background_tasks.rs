//! Background tasks: file dialogs, files and the default corpus, on threads of their own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use image::RgbImage;
use rfd::FileDialog;

use super::{
    corpus::CorpusBuild,
    editor_text::{LONGEST, outermost},
};
use crate::{
    data::{
        corpus::read_source,
        python::{self, Function},
    },
    glyphs::image_io,
    ui::dialogs::{self, PathField},
};

/// Longest source that is read into the editor, in bytes.
const LONGEST_SOURCE: u64 = 1 << 20;

/// Task for a thread of its own. A path typed beside a button takes the place of the dialog.
#[derive(Clone, Debug)]
pub enum BackgroundTask {
    /// Choose a picture or a Python file in a dialog and read it.
    OpenFile,
    /// Read a picture, a Python file or a run's folder.
    Read(PathBuf),
    /// Fit a picture from the clipboard to the size of a glyph.
    Fit(RgbImage),
    /// Write a glyph as a PNG.
    SaveGlyph {
        /// The glyph.
        glyph: RgbImage,
        /// Proposed name of the file, without its ending.
        name: &'static str,
        /// The path typed.
        path: String,
    },
    /// Write a morph as an animation.
    SaveGif(Arc<Vec<RgbImage>>, String),
    /// Write a morph's frames into a new folder.
    SaveFrames(Arc<Vec<RgbImage>>, String),
    /// Choose a run's folder in a dialog.
    BrowseRun,
    /// Choose a corpus in a dialog.
    BrowseCorpus,
    /// Build the default corpus in this folder, unless it is there.
    BuildCorpus(PathBuf, CorpusBuild),
}

/// Result of a task.
#[derive(Clone, Debug)]
pub enum TaskResult {
    /// A picture from a file of this name.
    Picture(String, Arc<RgbImage>),
    /// A Python source.
    Source(String),
    /// The functions of a Python file of this name, which is too long for the editor.
    Functions(String, Vec<Function>),
    /// A run's folder to open.
    Run(PathBuf),
    /// A corpus to train on.
    Corpus(PathBuf),
    /// The default corpus, or why it couldn't be built.
    Built(CorpusBuild, Result<PathBuf, String>),
    /// A file was written: with the text for the status line.
    Wrote(String),
    /// The task failed: the reason.
    Failed(String),
}

impl BackgroundTask {
    /// Runs the task; `None` if the user cancelled it.
    pub fn run(self) -> Option<TaskResult> {
        self.try_run()
            .unwrap_or_else(|error| Some(TaskResult::Failed(format!("{error:#}"))))
    }

    fn try_run(self) -> Result<Option<TaskResult>> {
        Ok(match self {
            BackgroundTask::OpenFile => {
                let endings = ["png", "jpg", "jpeg", "gif", "py"];
                let title = "Open a picture of a glyph or a Python file";
                let dialog = titled(title).add_filter("Pictures and Python", &endings);
                let path = chosen(dialog, FileDialog::pick_file, "File")?;
                path.map(|path| read(&path)).transpose()?
            }
            BackgroundTask::Read(path) => Some(read(&path)?),
            BackgroundTask::Fit(picture) => {
                let picture = image_io::checked(picture).context("the picture pasted")?;
                Some(TaskResult::Picture(
                    "the picture pasted".into(),
                    picture.into(),
                ))
            }
            BackgroundTask::SaveGlyph { glyph, name, path } => {
                let place = dialogs::place_for_file(&path, "Save the glyph", name, "png")?;
                saved(place, |path| image_io::write(path, &glyph))?
            }
            BackgroundTask::SaveGif(frames, path) => {
                let place = dialogs::place_for_file(&path, "Save the morph", "morph", "gif")?;
                saved(place, |path| {
                    image_io::write_gif(path, &frames, &mut |_| Ok(()))
                })?
            }
            BackgroundTask::SaveFrames(frames, path) => {
                let title = "Save the frames in a new folder in";
                let place = dialogs::place_for_folder(&path, title, "morph")?;
                saved(place, |path| {
                    image_io::write_frames(path, &frames, &mut |_| Ok(()))
                })?
            }
            BackgroundTask::BrowseRun => {
                let dialog = titled("Open a run's folder");
                chosen(dialog, FileDialog::pick_folder, "Model")?.map(TaskResult::Run)
            }
            BackgroundTask::BrowseCorpus => {
                let dialog = titled("Choose a corpus");
                chosen(dialog, FileDialog::pick_file, "Corpus")?.map(TaskResult::Corpus)
            }
            BackgroundTask::BuildCorpus(folder, build) => {
                let built = build.run(&folder);
                let built = built.map_err(|error| format!("can't make a corpus: {error:#}"));
                Some(TaskResult::Built(build, built))
            }
        })
    }
}

fn titled(title: &str) -> FileDialog {
    FileDialog::new().set_title(title)
}

/// Path chosen in a dialog; where there is none, the error names the `field` to type it into.
fn chosen(
    dialog: FileDialog,
    choose: fn(FileDialog) -> Option<PathBuf>,
    field: &str,
) -> Result<Option<PathBuf>> {
    dialogs::ask(dialog, choose)
        .map_err(|no_dialog| anyhow!("{no_dialog}: type the path into the field {field}"))
}

fn saved(
    place: Option<PathField>,
    write: impl FnOnce(&Path) -> Result<()>,
) -> Result<Option<TaskResult>> {
    let Some(PathField { path, is_fallback }) = place else {
        return Ok(None);
    };
    write(&path)?;
    let why = match is_fallback {
        true => " (no file dialog here: \u{201c}Save as\u{201d} takes a path)",
        false => "",
    };
    Ok(Some(TaskResult::Wrote(format!(
        "saved {}{why}",
        path.display()
    ))))
}

fn read(path: &Path) -> Result<TaskResult> {
    if path.is_dir() {
        return Ok(TaskResult::Run(path.to_owned()));
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    let name = name.display().to_string();
    if path.extension().is_some_and(|ending| ending == "py") {
        let found = fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?;
        if !found.is_file() {
            bail!("{} is no file: expected Python", path.display());
        }
        if found.len() > LONGEST_SOURCE {
            bail!(
                "{} has {} bytes: expected {LONGEST_SOURCE} at most",
                path.display(),
                found.len()
            );
        }
        let source = fs::File::open(path).map_err(anyhow::Error::from);
        let source = source.and_then(read_source);
        let source = source.with_context(|| format!("can't read {}", path.display()))?;
        if source.len() <= LONGEST {
            return Ok(TaskResult::Source(source));
        }
        let functions = python::functions(&source).with_context(|| path.display().to_string())?;
        return Ok(TaskResult::Functions(name, outermost(functions)));
    }
    Ok(TaskResult::Picture(name, image_io::read(path)?.into()))
}
