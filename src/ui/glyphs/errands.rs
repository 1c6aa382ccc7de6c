//! File dialogs and files, which run on threads of their own: the window waits for neither.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use image::RgbImage;

use crate::{engine::run_folder::RunFolder, glyphs::picture};

/// Longest source that is read into the editor, in bytes.
const LONGEST_SOURCE: u64 = 1 << 20;

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Errand {
    /// Ask for a picture and read it.
    OpenPicture,
    /// Read what was dropped: a picture, a Python file, a run's folder.
    Read(PathBuf),
    /// Ask for a place and write a glyph there.
    SaveGlyph(RgbImage),
    /// Ask for a place and write a morph there as an animation.
    SaveGif(Arc<Vec<RgbImage>>),
    /// Ask for a folder and write a morph's frames into a new one in it.
    SaveFrames(Arc<Vec<RgbImage>>),
    /// Ask for a run's folder.
    BrowseRun,
    /// Ask for a corpus.
    BrowseCorpus,
}

/// What became of it.
#[derive(Clone, Debug)]
pub enum Done {
    /// A picture of 128x128 from a file of this name.
    Picture(String, RgbImage),
    /// A Python source.
    Source(String),
    /// A run's folder to open.
    Run(PathBuf),
    /// A corpus to train on.
    Corpus(PathBuf),
    /// Something was written.
    Wrote(String),
    /// It failed.
    Failed(String),
}

impl Errand {
    /// Does it; `None` if people thought better of it.
    pub fn run(self) -> Option<Done> {
        let dialog = |title: &str| rfd::FileDialog::new().set_title(title);
        let wrote = |written: Result<()>, path: &Path| match written {
            Ok(()) => Done::Wrote(format!("wrote {}", path.display())),
            Err(error) => Done::Failed(format!("{error:#}")),
        };
        // The dialogs for saving ask before they give the name of a file that is there.
        match self {
            Errand::OpenPicture => {
                let pictures = ["png", "jpg", "jpeg", "gif"];
                let dialog = dialog("Open a picture of a glyph").add_filter("Pictures", &pictures);
                Errand::Read(dialog.pick_file()?).run()
            }
            Errand::Read(path) => {
                let read = read(&path);
                Some(read.unwrap_or_else(|error| Done::Failed(format!("{error:#}"))))
            }
            Errand::SaveGlyph(glyph) => {
                let dialog = dialog("Save the glyph").set_file_name("glyph.png");
                let path = dialog.add_filter("PNG", &["png"]).save_file()?;
                Some(wrote(picture::write_png(&path, &glyph), &path))
            }
            Errand::SaveGif(frames) => {
                let dialog = dialog("Save the morph").set_file_name("morph.gif");
                let path = dialog.add_filter("GIF", &["gif"]).save_file()?;
                Some(wrote(picture::write_gif(&path, &frames), &path))
            }
            Errand::SaveFrames(frames) => {
                let folder = dialog("Save the frames in a new folder in").pick_folder()?;
                let folder = RunFolder::unused(&folder.join("morph"));
                Some(wrote(picture::write_frames(&folder, &frames), &folder))
            }
            Errand::BrowseRun => Some(Done::Run(dialog("Open a run's folder").pick_folder()?)),
            Errand::BrowseCorpus => Some(Done::Corpus(dialog("Choose a corpus").pick_file()?)),
        }
    }
}

fn read(path: &Path) -> Result<Done> {
    if path.is_dir() {
        return Ok(Done::Run(path.to_owned()));
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    if path.extension().is_some_and(|ending| ending == "py") {
        let size = fs::metadata(path)
            .with_context(|| format!("can't read {}", path.display()))?
            .len();
        if size > LONGEST_SOURCE {
            bail!(
                "{} has {size} bytes: expected a function or two",
                path.display()
            );
        }
        let source = fs::read_to_string(path);
        let source = source.with_context(|| format!("can't read {}", path.display()))?;
        return Ok(Done::Source(source));
    }
    let picture = picture::read(path)?;
    Ok(Done::Picture(name.display().to_string(), picture))
}
