//! File dialogs and files, which run on threads of their own: the window waits for neither.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use image::RgbImage;
use rfd::FileDialog;

use super::{
    corpus::Building,
    written::{LONGEST, outermost},
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

/// What is to be done. A path typed beside a button takes the place of the dialog.
#[derive(Clone, Debug)]
pub enum BackgroundTask {
    /// Ask for a picture or a Python file and read it.
    OpenFile,
    /// Read what was dropped: a picture, a Python file, a run's folder.
    Read(PathBuf),
    /// Fit a picture from the clipboard to the size of a glyph.
    Fit(RgbImage),
    /// Write a glyph as a PNG.
    SaveGlyph {
        /// The glyph.
        glyph: RgbImage,
        /// Name proposed for the file, without its ending.
        name: &'static str,
        /// The path typed.
        path: String,
    },
    /// Write a morph as an animation.
    SaveGif(Arc<Vec<RgbImage>>, String),
    /// Write a morph's frames into a new folder.
    SaveFrames(Arc<Vec<RgbImage>>, String),
    /// Ask for a run's folder.
    BrowseRun,
    /// Ask for a corpus.
    BrowseCorpus,
    /// Make the corpus that is trained on where none is named, in this folder, unless it is there.
    BuildCorpus(PathBuf, Building),
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Done {
    /// A picture of 128x128 from a file of this name.
    Picture(String, RgbImage),
    /// A Python source.
    Source(String),
    /// The functions of a Python file of this name, which is too long for the editor.
    Functions(String, Vec<Function>),
    /// A run's folder to open.
    Run(PathBuf),
    /// A corpus to train on.
    Corpus(PathBuf),
    /// The corpus that was made to train on, or why it couldn't be made.
    Built(Building, Result<PathBuf, String>),
    /// Something was written.
    Wrote(String),
    /// It failed.
    Failed(String),
}

impl BackgroundTask {
    /// Does it; `None` if people thought better of it.
    pub fn run(self) -> Option<Done> {
        self.try_run()
            .unwrap_or_else(|error| Some(Done::Failed(format!("{error:#}"))))
    }

    fn try_run(self) -> Result<Option<Done>> {
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
                let picture = image_io::fit(picture).context("the picture pasted")?;
                Some(Done::Picture("the picture pasted".into(), picture))
            }
            BackgroundTask::SaveGlyph { glyph, name, path } => {
                let place = dialogs::place_for_file(&path, "Save the glyph", name, "png")?;
                saved(place, |path| image_io::write(path, &glyph))?
            }
            BackgroundTask::SaveGif(frames, path) => {
                let place = dialogs::place_for_file(&path, "Save the morph", "morph", "gif")?;
                saved(place, |path| image_io::write_gif(path, &frames))?
            }
            BackgroundTask::SaveFrames(frames, path) => {
                let title = "Save the frames in a new folder in";
                let place = dialogs::place_for_folder(&path, title, "morph")?;
                saved(place, |path| image_io::write_frames(path, &frames))?
            }
            BackgroundTask::BrowseRun => {
                let dialog = titled("Open a run's folder");
                chosen(dialog, FileDialog::pick_folder, "Model")?.map(Done::Run)
            }
            BackgroundTask::BrowseCorpus => {
                let dialog = titled("Choose a corpus");
                chosen(dialog, FileDialog::pick_file, "Corpus")?.map(Done::Corpus)
            }
            BackgroundTask::BuildCorpus(folder, building) => {
                let built = building.build(&folder);
                let built = built.map_err(|error| format!("can't make a corpus: {error:#}"));
                Some(Done::Built(building, built))
            }
        })
    }
}

fn titled(title: &str) -> FileDialog {
    FileDialog::new().set_title(title)
}

/// The path chosen in a dialog; where there is none, people are told of the `field` they can type it into.
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
) -> Result<Option<Done>> {
    let Some(PathField { path, is_fallback }) = place else {
        return Ok(None);
    };
    write(&path)?;
    let why = match is_fallback {
        true => " (no file dialog here: \u{201c}Save as\u{201d} takes a path)",
        false => "",
    };
    Ok(Some(Done::Wrote(format!("saved {}{why}", path.display()))))
}

fn read(path: &Path) -> Result<Done> {
    if path.is_dir() {
        return Ok(Done::Run(path.to_owned()));
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
            return Ok(Done::Source(source));
        }
        let functions = python::functions(&source).with_context(|| path.display().to_string())?;
        return Ok(Done::Functions(name, outermost(functions)));
    }
    Ok(Done::Picture(name, image_io::read(path)?))
}
