//! Folders with Python files, archives and data sets at any depth, and single files of these forms.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    item::{
        Form, Item, ItemSink, PassedOver, file_name, guarded, read_limited, source, text_item,
        within,
    },
    jsonl,
    licence::is_licence_file,
    tar, zip,
};

/// Folders of installed packages, which are excluded.
const PACKAGE_FOLDERS: [&str; 2] = ["site-packages", "dist-packages"];
/// Folders without sources.
const SOURCELESS_FOLDERS: [&str; 4] = ["__pycache__", ".git", ".hg", ".svn"];

/// File to read.
struct FoundFile {
    path: PathBuf,
    form: Form,
    bytes: u64,
}

/// Reads the archives of a folder one by one, then its Python files.
pub fn read(folder: &Path, sink: &mut ItemSink) -> Result<()> {
    let found = find(folder, true, sink)?;
    let all: u64 = found.iter().map(|file| file.bytes).sum();
    let is_source = |file: &FoundFile| file.form == Form::Python;
    let (sources, archives): (Vec<_>, Vec<_>) = found.into_iter().partition(is_source);
    let mut start = 0.0;
    for archive in &archives {
        let part = archive.bytes as f64 / all.max(1) as f64;
        read_file(&archive.path, archive.form, &mut |item| {
            sink(within(item, start, part))
        })?;
        start += part;
    }
    let mut names = entries(folder)?.into_iter().map(|path| file_name(&path));
    let licence = names.rfind(|name| is_licence_file(name));
    let licence = licence.map(|name| format!("see {name}"));
    sink(source(folder, None, licence))?;
    sink_sources(&sources, &mut |item| sink(within(item, start, 1.0 - start)))
}

/// Reads a file, an archive or a folder.
pub fn read_file(path: &Path, form: Form, sink: &mut ItemSink) -> Result<()> {
    let place = path.display().to_string();
    match form {
        Form::Folder => read(path, sink),
        Form::Python => {
            sink(source(path, None, None))?;
            sink(text_item(&place, read_limited(path), 1.0))
        }
        Form::Zip => guarded(path, &place, sink, |sink| zip::read(path, sink)),
        Form::TarGz => guarded(path, &place, sink, |sink| tar::read(path, sink)),
        Form::Jsonl { gz } => guarded(path, &place, sink, |sink| jsonl::read(path, gz, sink)),
    }
}

/// Reads only the Python files of a folder.
pub fn read_sources(folder: &Path, sink: &mut ItemSink) -> Result<()> {
    let found = find(folder, false, sink)?;
    sink_sources(&found, sink)
}

fn sink_sources(files: &[FoundFile], sink: &mut ItemSink) -> Result<()> {
    let all: u64 = files.iter().map(|file| file.bytes).sum();
    let mut behind = 0;
    for file in files {
        behind += file.bytes;
        let done = behind as f64 / all.max(1) as f64;
        let place = file.path.display().to_string();
        sink(text_item(&place, read_limited(&file.path), done))?;
    }
    Ok(())
}

/// Files to read in a folder, sorted by path.
fn find(folder: &Path, with_archives: bool, sink: &mut ItemSink) -> Result<Vec<FoundFile>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        sink(Item::Busy)?;
        let paths = match entries(&inner) {
            Ok(paths) => paths,
            Err(error) if inner == folder => return Err(error),
            Err(error) => {
                sink(text_item(&inner.display().to_string(), Err(error), 0.0))?;
                continue;
            }
        };
        for path in paths {
            let name = file_name(&path);
            let form = Form::of_name(&name);
            let is_archive = with_archives && (form.is_some() || Form::is_unread(&name));
            let is_source = form == Some(Form::Python);
            // A dangling link is reported when it is read.
            let kind = fs::metadata(&path).ok();
            let passed_over = if kind.as_ref().is_some_and(fs::Metadata::is_dir) {
                if SOURCELESS_FOLDERS.contains(&name.as_str()) {
                    continue;
                } else if path.is_symlink() {
                    PassedOver::LinkedFolder
                } else if PACKAGE_FOLDERS.contains(&name.as_str()) {
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
            sink(Item::PassedOver {
                place: path.display().to_string(),
                kind: passed_over,
            })?;
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.with_context(|| format!("can't read {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}
