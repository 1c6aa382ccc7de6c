//! Where functions come from: folders and files of Python, wheels and zips, source packages (tar.gz),
//! and data sets in CodeSearchNet's jsonl form. One text is in memory at a time; what can't be read is
//! passed on as such, and reading goes on.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;

use super::{
    licence::{is_licence_file, of_metadata},
    zip::{BEGINNINGS, Zip},
};

/// No function worth reading is in a larger file.
const LARGEST_BYTES: u64 = 8 << 20;
/// Installed packages below a library's folder are no part of it.
const PASSED_OVER: [&str; 3] = ["site-packages", "dist-packages", "__pycache__"];

/// What there is to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A folder (with archives in it, or Python files at any depth), a file or an archive.
    Path(PathBuf),
    /// Python's own library.
    Library {
        /// Where it is.
        folder: PathBuf,
        /// Which Python's: `3.11.7`.
        version: String,
    },
    /// The functions bundled with the program.
    Sample,
}

/// One thing read.
pub enum Item {
    /// What follows is from here.
    Source {
        /// The package, folder or repository.
        name: String,
        /// Its licence, if it says.
        licence: Option<String>,
    },
    /// A file, or a line of a data set.
    Text {
        /// Where it is, for people.
        place: String,
        /// Its text, or why there is none.
        text: Result<String>,
        /// The name of the one function the text is there for.
        function: Option<String>,
        /// Share of the input behind us, 0 to 1.
        done: f64,
    },
}

/// Takes what is read, one after the other; an error ends the reading.
pub type Take<'a> = dyn FnMut(Item) -> Result<()> + 'a;

/// What an input is, by its looks.
enum Form {
    Folder,
    Python,
    Zip,
    Tar,
    Jsonl { gz: bool },
}

impl Input {
    /// For people.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Library { folder, .. } => folder.display().to_string(),
            Self::Sample => "the bundled sample".into(),
        }
    }

    /// Looks whether there is something of a known form.
    ///
    /// # Errors
    /// If it is missing or of no known form; it is named.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Path(path) | Self::Library { folder: path, .. } => form(path).map(drop),
            Self::Sample => Ok(()),
        }
    }

    /// Reads all of it, in an order that is always the same.
    ///
    /// # Errors
    /// As [`Self::check`], and those of `take`.
    pub fn read(&self, take: &mut Take) -> Result<()> {
        match self {
            Self::Path(path) => read_path(path, take),
            Self::Library { folder, version } => {
                take(Item::Source {
                    name: format!("Python {version} library"),
                    licence: Some("PSF-2.0".into()),
                })?;
                read_python_files(folder, take)
            }
            Self::Sample => {
                take(Item::Source {
                    name: "glyphspace sample".into(),
                    licence: Some(env!("CARGO_PKG_LICENSE").into()),
                })?;
                take(text_item(
                    "sample-functions.py",
                    Ok(super::sample().into()),
                    1.0,
                ))
            }
        }
    }
}

fn form(path: &Path) -> Result<Form> {
    let look = || -> Result<Option<Form>> {
        if fs::metadata(path)?.is_dir() {
            return Ok(Some(Form::Folder));
        }
        let mut start = Vec::new();
        File::open(path)?.take(4).read_to_end(&mut start)?;
        let name = path.to_string_lossy().to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        Ok(if BEGINNINGS.contains(&start.as_slice()) {
            Some(Form::Zip)
        } else if ends(&[".tar.gz", ".tgz"]) {
            Some(Form::Tar)
        } else if ends(&[".jsonl.gz", ".jsonl"]) {
            let gz = name.ends_with(".gz");
            Some(Form::Jsonl { gz })
        } else {
            ends(&[".py", ".pyi"]).then_some(Form::Python)
        })
    };
    let found = look().with_context(|| format!("can't read {}", path.display()))?;
    found.with_context(|| {
        format!(
            "{}: expected a folder, .py, .whl, .zip, .tar.gz, .jsonl or .jsonl.gz",
            path.display()
        )
    })
}

fn read_path(path: &Path, take: &mut Take) -> Result<()> {
    let form = form(path)?;
    match form {
        Form::Folder => return read_folder(path, take),
        Form::Python => {
            take(Item::Source {
                name: file_name(path),
                licence: None,
            })?;
            let text = read_limited(path);
            return take(text_item(&path.display().to_string(), text, 1.0));
        }
        Form::Zip | Form::Tar | Form::Jsonl { .. } => (),
    }
    // From here on `take`'s errors must not pass for the archive's.
    let mut refused = None;
    let mut guarded = |item| {
        take(item).map_err(|error| {
            refused = Some(error);
            anyhow::anyhow!("refused")
        })
    };
    let read = match form {
        Form::Zip => read_zip(path, &mut guarded),
        Form::Tar => read_tar(path, &mut guarded),
        Form::Jsonl { gz } => read_jsonl(path, gz, &mut guarded),
        Form::Folder | Form::Python => Ok(()),
    };
    match (refused, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => {
            // It may not have come as far as saying whose it is.
            take(Item::Source {
                name: file_name(path),
                licence: None,
            })?;
            take(text_item(&path.display().to_string(), Err(error), 1.0))
        }
    }
}

/// Archives right in the folder, each by itself, and all Python files at any depth.
fn read_folder(folder: &Path, take: &mut Take) -> Result<()> {
    let mut archives = Vec::new();
    let mut licence = None;
    for path in entries(folder)? {
        if path.is_file() {
            if is_licence_file(&file_name(&path)) {
                licence = Some(format!("see {}", file_name(&path)));
            } else if matches!(form(&path), Ok(Form::Zip | Form::Tar | Form::Jsonl { .. })) {
                archives.push(path);
            }
        }
    }
    let (mut part, parts) = (0.0, archives.len() as f64 + 1.0);
    for archive in &archives {
        read_path(archive, &mut |item| take(within(item, part, parts)))?;
        part += 1.0;
    }
    let name = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    take(Item::Source {
        name: file_name(&name),
        licence,
    })?;
    read_python_files(folder, &mut |item| take(within(item, part, parts)))
}

/// An item of part `part` of `parts`, as one of the whole.
fn within(mut item: Item, part: f64, parts: f64) -> Item {
    if let Item::Text { done, .. } = &mut item {
        *done = (part + *done) / parts;
    }
    item
}

fn read_python_files(folder: &Path, take: &mut Take) -> Result<()> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        let found = match entries(&inner) {
            Ok(found) => found,
            Err(error) if inner == folder => return Err(error),
            Err(error) => {
                take(text_item(&inner.display().to_string(), Err(error), 0.0))?;
                continue;
            }
        };
        for path in found {
            let name = file_name(&path);
            // A link to a folder may lead round in a circle.
            if path.is_dir() && !path.is_symlink() {
                if !PASSED_OVER.contains(&name.as_str()) && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if name.ends_with(".py") {
                files.push(path);
            }
        }
    }
    files.sort();
    let count = files.len() as f64;
    for (i, path) in files.iter().enumerate() {
        let place = path.display().to_string();
        take(text_item(
            &place,
            read_limited(path),
            (i + 1) as f64 / count,
        ))?;
    }
    Ok(())
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

fn read_zip(path: &Path, take: &mut Take) -> Result<()> {
    let mut zip = Zip::open(path)?;
    let members = std::mem::take(&mut zip.members);
    let is_metadata =
        |name: &str| name.ends_with(".dist-info/METADATA") && name.matches('/').count() == 1;
    let metadata = members.iter().find(|member| is_metadata(&member.name));
    let metadata = metadata.and_then(|member| zip.read(member).ok());
    let (name, mut licence) = of_metadata(&String::from_utf8_lossy(&metadata.unwrap_or_default()));
    if licence.is_none() {
        let mut names = members
            .iter()
            .filter_map(|member| member.name.rsplit('/').next());
        licence = names
            .find(|name| is_licence_file(name))
            .map(|name| format!("see {name}"));
    }
    take(Item::Source {
        name: name.unwrap_or_else(|| file_name(path)),
        licence,
    })?;
    let count = members.len() as f64;
    for (i, member) in members.iter().enumerate() {
        if member.name.ends_with(".py") {
            let text = small_enough(member.size).and_then(|()| decoded(zip.read(member)?));
            let place = format!("{}: {}", path.display(), member.name);
            take(text_item(&place, text, (i + 1) as f64 / count))?;
        }
    }
    Ok(())
}

fn read_tar(path: &Path, take: &mut Take) -> Result<()> {
    // What it says of itself may stand anywhere in it, so it is looked for first.
    let (mut name, mut licence) = (None, None);
    let mut archive = tar::Archive::new(MultiGzDecoder::new(BufReader::new(File::open(path)?)));
    for entry in archive.entries()? {
        let Ok(mut entry) = entry else { break };
        let inner = entry.path()?.into_owned();
        if file_name(&inner) == "PKG-INFO" && inner.components().count() == 2 {
            let mut metadata = Vec::new();
            entry.read_to_end(&mut metadata)?;
            (name, licence) = of_metadata(&String::from_utf8_lossy(&metadata));
            break;
        }
    }
    take(Item::Source {
        name: name.unwrap_or_else(|| file_name(path)),
        licence,
    })?;
    let file = File::open(path)?;
    let (mut position, length) = (file.try_clone()?, file.metadata()?.len().max(1) as f64);
    let mut archive = tar::Archive::new(MultiGzDecoder::new(BufReader::new(file)));
    for entry in archive.entries()? {
        let mut entry = entry.context("the archive is cut or damaged")?;
        let inner = entry.path()?.to_string_lossy().into_owned();
        if inner.ends_with(".py") && entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            let text = small_enough(entry.size()).and_then(|()| {
                entry
                    .read_to_end(&mut bytes)
                    .context("the archive is cut or damaged")?;
                decoded(bytes)
            });
            let done = position.stream_position()? as f64 / length;
            let place = format!("{}: {inner}", path.display());
            take(text_item(&place, text, done))?;
        }
    }
    Ok(())
}

fn read_jsonl(path: &Path, gz: bool, take: &mut Take) -> Result<()> {
    let file = File::open(path)?;
    let (mut position, length) = (file.try_clone()?, file.metadata()?.len().max(1) as f64);
    let file = BufReader::new(file);
    let mut lines: Box<dyn BufRead> = if gz {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    let mut repository = None;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = (&mut lines)
            .take(LARGEST_BYTES)
            .read_until(b'\n', &mut line);
        if read.with_context(|| format!("is cut or damaged after line {}", number - 1))? == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row = serde_json::from_slice::<serde_json::Value>(&line);
        let field = |names: &[&str]| {
            let row = row.as_ref().ok()?;
            names
                .iter()
                .find_map(|name| Some(row.get(name)?.as_str()?.to_owned()))
        };
        let from = field(&["repo", "repository_name"]).unwrap_or_else(|| file_name(path));
        if repository.as_ref() != Some(&from) {
            let licence = Some(format!("that of the repository {from}"));
            take(Item::Source {
                name: from.clone(),
                licence,
            })?;
            repository = Some(from);
        }
        let code = field(&[
            "original_string",
            "code",
            "whole_func_string",
            "func_code_string",
        ]);
        let text = match (&row, code) {
            (Err(error), _) => Err(anyhow::anyhow!("is no JSON: {error}")),
            (Ok(_), None) => Err(anyhow::anyhow!(
                "expected a text `code`, `original_string`, `whole_func_string` or `func_code_string`"
            )),
            (Ok(_), Some(code)) => Ok(code),
        };
        take(Item::Text {
            place: format!("{}: line {number}", path.display()),
            text,
            function: Some(field(&["func_name"]).unwrap_or_default()),
            done: position.stream_position()? as f64 / length,
        })?;
    }
    Ok(())
}

fn text_item(place: &str, text: Result<String>, done: f64) -> Item {
    Item::Text {
        place: place.to_owned(),
        text,
        function: None,
        done,
    }
}

fn read_limited(path: &Path) -> Result<String> {
    small_enough(fs::metadata(path)?.len())?;
    decoded(fs::read(path)?)
}

fn small_enough(bytes: u64) -> Result<()> {
    if bytes > LARGEST_BYTES {
        bail!("is too large: {bytes} bytes, at most {LARGEST_BYTES} are read");
    }
    Ok(())
}

/// Text in UTF-8, or in Latin-1 where the source says so in its first two lines (PEP 263).
fn decoded(bytes: Vec<u8>) -> Result<String> {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return Ok(text),
        Err(error) => error,
    };
    let bytes = error.as_bytes();
    let mut head = bytes.split(|byte| *byte == b'\n').take(2);
    let is_latin = head.any(|line| {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        let cookie = line
            .split_once("coding")
            .and_then(|(_, rest)| rest.strip_prefix([':', '=']));
        line.trim_start().starts_with('#')
            && cookie.is_some_and(|name| {
                let name = name.trim_start();
                ["latin-1", "latin1", "iso-8859-1"].iter().any(|latin| {
                    let rest = name.strip_prefix(latin);
                    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
                })
            })
    });
    if is_latin {
        return Ok(bytes.iter().copied().map(char::from).collect());
    }
    Err(error.utf8_error()).context("is not in UTF-8")
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
