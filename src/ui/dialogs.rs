//! File dialogs of the desktop, and their substitutes where there are none: under Linux they belong to the desktop
//! portal (or zenity), which a bare window manager, a container or a remote display may lack.

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context, Result, bail};
use log::{Level, LevelFilter, Log, Metadata, Record};
use rfd::FileDialog;

use crate::training::run_folder::RunFolder;

/// The refusal of a desktop without file dialogs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this desktop has no file dialog")]
pub struct NoDialog;

/// The path chosen in a dialog; `None` if the user closed it. Waits for the user: not for the window's thread.
///
/// # Errors
/// If no dialog can be opened.
pub fn ask(
    dialog: FileDialog,
    choose: fn(FileDialog) -> Option<PathBuf>,
) -> Result<Option<PathBuf>, NoDialog> {
    static IS_HEARD: OnceLock<bool> = OnceLock::new();
    IS_HEARD.get_or_init(|| {
        log::set_max_level(LevelFilter::Error);
        log::set_logger(&Refusals).is_ok()
    });
    REFUSED.set(false);
    match choose(dialog) {
        Some(path) => Ok(Some(path)),
        None if REFUSED.get() => Err(NoDialog),
        None => Ok(None),
    }
}

thread_local! {
    /// A dialog of this thread could not be opened.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// rfd answers `None` to a dialog that was closed and to one that could not be opened; it logs the latter as an error,
/// on the thread that asked.
struct Refusals;

impl Log for Refusals {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() == Level::Error && metadata.target().starts_with("rfd")
    }

    fn log(&self, record: &Record) {
        // The portal's own refusals come before the last resort, zenity, was tried.
        if self.enabled(record.metadata()) && record.args().to_string().contains("zenity") {
            REFUSED.set(true);
        }
    }

    fn flush(&self) {}
}

/// Path to save at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathField {
    /// A path that nothing of ours is at, or one that the user agreed to replace.
    pub path: PathBuf,
    /// Chosen by the program, since the desktop has no dialog.
    pub is_fallback: bool,
}

/// Path to save a file `stem.ending` at: the typed path, else the one chosen in a dialog, else, where there is no
/// dialog, the first free of `stem-1.ending`, .. in the working folder. `None` if the user closed the dialog.
///
/// # Errors
/// If something is at the typed path already, or it ends otherwise.
pub fn place_for_file(
    typed: &str,
    title: &str,
    stem: &str,
    ending: &str,
) -> Result<Option<PathField>> {
    let typed = typed.trim();
    if !typed.is_empty() {
        let path = typed_file(typed, ending)?;
        return Ok(Some(absolute(path, false)));
    }
    let dialog = FileDialog::new()
        .set_title(title)
        .set_file_name(format!("{stem}.{ending}"))
        .add_filter(ending.to_uppercase(), &[ending]);
    // The dialog asks before it gives the name of a file that is there.
    Ok(match ask(dialog, FileDialog::save_file) {
        Ok(chosen) => chosen.map(|path| absolute(path, false)),
        Err(NoDialog) => Some(absolute(unused(stem, ending), true)),
    })
}

/// Path of the new folder `name`: the typed path, else `name-N` in a folder chosen in a dialog, else, where there is no
/// dialog, in the working folder. `None` if the user closed the dialog.
///
/// # Errors
/// If something is at the typed path already.
pub fn place_for_folder(typed: &str, title: &str, name: &str) -> Result<Option<PathField>> {
    let typed = typed.trim();
    if !typed.is_empty() {
        let path = PathBuf::from(typed);
        refuse_existing(&path, "folder")?;
        return Ok(Some(absolute(path, false)));
    }
    let new_in = |folder: &Path| RunFolder::unused(&folder.join(name));
    Ok(
        match ask(FileDialog::new().set_title(title), FileDialog::pick_folder) {
            Ok(chosen) => chosen.map(|folder| absolute(new_in(&folder), false)),
            Err(NoDialog) => Some(absolute(new_in(Path::new("")), true)),
        },
    )
}

/// The typed name of a new file, with the ending it was left without.
fn typed_file(typed: &str, ending: &str) -> Result<PathBuf> {
    let mut path = PathBuf::from(typed);
    match path.extension() {
        Some(given) if given.eq_ignore_ascii_case(ending) => {}
        None if path.file_name().is_some() => {
            path.set_extension(ending);
        }
        _ => bail!("{typed}: expected the name of a new file that ends in .{ending}"),
    }
    refuse_existing(&path, "file")?;
    Ok(path)
}

fn refuse_existing(path: &Path, what: &str) -> Result<()> {
    // A link that leads nowhere is something, too.
    let is_there = path.symlink_metadata().is_ok();
    (!is_there)
        .then_some(())
        .with_context(|| format!("{} is there already: expected a new {what}", path.display()))
}

/// The first of `stem-1.ending`, `stem-2.ending`, .. that isn't there yet.
fn unused(stem: &str, ending: &str) -> PathBuf {
    let named = |n: u32| PathBuf::from(format!("{stem}-{n}.{ending}"));
    (1..)
        .map(named)
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or_else(|| named(0))
}

/// Absolute path: the user may not know the working folder.
fn absolute(path: PathBuf, is_fallback: bool) -> PathField {
    let path = std::path::absolute(&path).unwrap_or(path);
    PathField { path, is_fallback }
}
