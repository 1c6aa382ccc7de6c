//! Folders: Python files, archives and data sets at any depth.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    licence::is_licence_file,
    read::{
        Form, Item, PassedOver, Take, file_name, of_path, read_file, read_limited, text_item,
        within,
    },
};

/// Installed packages below a folder are no part of it.
const INSTALLED: [&str; 2] = ["site-packages", "dist-packages"];
/// Folders without a source.
const EMPTY: [&str; 4] = ["__pycache__", ".git", ".hg", ".svn"];

/// A file to read.
struct FoundFile {
    path: PathBuf,
    form: Form,
    bytes: u64,
}

/// Reads the archives in a folder, each by itself, and then its Python files.
pub fn read(folder: &Path, take: &mut Take) -> Result<()> {
    let found = find(folder, true, take)?;
    let (sources, archives): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|found| found.form == Form::Python);
    let all: u64 = archives
        .iter()
        .chain(&sources)
        .map(|found| found.bytes)
        .sum();
    let share = |bytes: u64| bytes as f64 / all.max(1) as f64;
    let mut start = 0.0;
    for archive in &archives {
        let part = share(archive.bytes);
        read_file(&archive.path, archive.form, &mut |item| {
            take(within(item, start, part))
        })?;
        start += part;
    }
    let mut names = entries(folder)?.into_iter().map(|path| file_name(&path));
    let licence = names.rfind(|name| is_licence_file(name));
    take(of_path(folder, licence.map(|name| format!("see {name}"))))?;
    take_sources(&sources, &mut |item| take(within(item, start, 1.0 - start)))
}

/// Reads the Python files in a folder, and nothing else.
pub fn read_sources(folder: &Path, take: &mut Take) -> Result<()> {
    let found = find(folder, false, take)?;
    take_sources(&found, take)
}

fn take_sources(files: &[FoundFile], take: &mut Take) -> Result<()> {
    let all: u64 = files.iter().map(|file| file.bytes).sum();
    let mut behind = 0;
    for file in files {
        behind += file.bytes;
        let done = behind as f64 / all.max(1) as f64;
        let place = file.path.display().to_string();
        take(text_item(&place, read_limited(&file.path), done))?;
    }
    Ok(())
}

/// The files to read in a folder, by path.
fn find(folder: &Path, with_archives: bool, take: &mut Take) -> Result<Vec<FoundFile>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        take(Item::Busy)?;
        let paths = match entries(&inner) {
            Ok(paths) => paths,
            Err(error) if inner == folder => return Err(error),
            Err(error) => {
                take(text_item(&inner.display().to_string(), Err(error), 0.0))?;
                continue;
            }
        };
        for path in paths {
            let name = file_name(&path);
            let form = Form::of_name(&name);
            let is_archive = with_archives && (form.is_some() || Form::is_unread(&name));
            let is_source = form == Some(Form::Python);
            // A link that leads nowhere is said when it is read.
            let kind = fs::metadata(&path).ok();
            let passed_over = if kind.as_ref().is_some_and(fs::Metadata::is_dir) {
                if EMPTY.contains(&name.as_str()) {
                    continue;
                } else if path.is_symlink() {
                    PassedOver::LinkedFolder
                } else if INSTALLED.contains(&name.as_str()) {
                    PassedOver::InstalledPackages
                } else if name.starts_with('.') {
                    PassedOver::HiddenFolder
                } else {
                    folders.push(path);
                    continue;
                }
            } else if !is_archive && !is_source {
                continue;
            } else if kind.as_ref().is_some_and(|kind| !kind.is_file()) {
                PassedOver::NoFile
            } else if let Some(form) = form {
                let bytes = kind.map_or(0, |kind| kind.len());
                files.push(FoundFile { path, form, bytes });
                continue;
            } else {
                PassedOver::OtherArchive
            };
            take(Item::PassedOver {
                place: path.display().to_string(),
                kind: passed_over,
            })?;
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let mut paths = read().with_context(|| format!("can't read {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}
