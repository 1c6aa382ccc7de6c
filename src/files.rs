//! Output files: where a path that was named for output leads, and files that appear whole or not at all.
//!
//! A regular file is written beside its place and renamed. Links are followed and stay. A device or a FIFO is
//! written into as it is: a rename would put a regular file in its place.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, BufWriter, ErrorKind, Seek, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};

/// Links followed from one path, as many as Linux follows.
const MAX_LINKS: usize = 40;

/// Temporary files and folders that are to go when the program ends before its time.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Where output goes.
#[derive(Debug)]
enum OutputTarget {
    /// A regular file, links followed: what is there now, or nothing yet.
    File(PathBuf, Option<Metadata>),
    /// A device or FIFO, opened when it is written to.
    Stream,
    /// The program's standard output or error.
    Standard(File),
}

impl OutputTarget {
    fn of(path: &Path) -> Result<Self> {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self::File(end_of_links(path)?, None));
            }
            Err(error) => return Err(error.into()),
        };
        ensure!(!found.is_dir(), "it is a folder, expected a file");
        if let Some(stream) = standard_stream(&found) {
            return Ok(Self::Standard(stream));
        }
        if found.is_file() {
            // A file without a name, such as a deleted one in /proc, is written into.
            return Ok(
                fs::canonicalize(path).map_or(Self::Stream, |path| Self::File(path, Some(found)))
            );
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            let kind = found.file_type();
            ensure!(
                kind.is_char_device() || kind.is_fifo(),
                "it is a {}, expected a file",
                if kind.is_block_device() {
                    "block device"
                } else {
                    "socket"
                }
            );
        }
        Ok(Self::Stream)
    }
}

/// The file at the end of a chain of links, which need not be there.
fn end_of_links(path: &Path) -> Result<PathBuf> {
    ensure!(
        !path.as_os_str().as_encoded_bytes().ends_with(b"/"),
        "it is a folder's name, expected a file's"
    );
    let mut place = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&place) {
            Ok(target) => place = folder_of(&place).join(target),
            Err(_) => return Ok(place),
        }
    }
    bail!("it leads to more than {MAX_LINKS} links")
}

/// Standard output or error, if that is where the file with this metadata leads.
#[cfg(unix)]
fn standard_stream(found: &Metadata) -> Option<File> {
    use std::os::fd::AsFd;
    let (out, error) = (io::stdout(), io::stderr());
    let streams = [out.as_fd(), error.as_fd()];
    streams.into_iter().find_map(|stream| {
        let file = File::from(stream.try_clone_to_owned().ok()?);
        is_same(&file.metadata().ok()?, found).then_some(file)
    })
}

#[cfg(not(unix))]
fn standard_stream(_: &Metadata) -> Option<File> {
    None
}

#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// The folder in which `path` lies.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Refuses, before any work, an output path that can't be written to or is one of the `sources` that are read, by
/// whatever name.
///
/// # Errors
/// Names the path and what is wrong with it; nothing has been touched.
pub fn check_output(path: &Path, sources: &[&Path]) -> Result<()> {
    let check = || -> Result<()> {
        if let OutputTarget::File(place, replaced) = OutputTarget::of(path)? {
            temporary_for(&place, replaced.as_ref())?;
        }
        Ok(())
    };
    check().with_context(|| format!("can't write {}", path.display()))?;
    for source in sources {
        ensure!(
            !is_same_file(path, source),
            "can't write {}: it is the same file as {}, which is read",
            path.display(),
            source.display()
        );
    }
    Ok(())
}

/// Whether two paths lead to one regular file, which need not be there yet.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    let (Ok(found), Ok(other)) = (fs::metadata(a), fs::metadata(b)) else {
        let place = |path: &Path| {
            let end = end_of_links(path).ok()?;
            Some(
                fs::canonicalize(folder_of(&end))
                    .ok()?
                    .join(end.file_name()?),
            )
        };
        return place(a).is_some_and(|a| place(b) == Some(a));
    };
    #[cfg(unix)]
    let is_same = is_same(&found, &other);
    #[cfg(not(unix))]
    let is_same = fs::canonicalize(a).ok() == fs::canonicalize(b).ok();
    is_same && found.is_file() && other.is_file()
}

/// Whether output to this path goes into a device or FIFO, or to standard output or error.
pub fn is_stream(path: &Path) -> bool {
    matches!(
        OutputTarget::of(path),
        Ok(OutputTarget::Stream | OutputTarget::Standard(_))
    )
}

/// Whether output to this path goes to standard output.
pub fn is_standard_output(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let out = io::stdout().as_fd().try_clone_to_owned().map(File::from);
        let out = out.and_then(|out| out.metadata());
        matches!((fs::metadata(path), out), (Ok(found), Ok(out)) if is_same(&found, &out))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// A folder for what is written before the output at `path` is complete: that of the file itself, or the system's
/// for a device or FIFO.
///
/// # Errors
/// Says why there can't be a file at `path`.
pub fn scratch_folder(path: &Path) -> Result<PathBuf> {
    Ok(match OutputTarget::of(path)? {
        OutputTarget::File(place, _) => folder_of(&place).to_owned(),
        OutputTarget::Stream | OutputTarget::Standard(_) => std::env::temp_dir(),
    })
}

/// Writes a file through a temporary one in the same folder, which takes its name, and its permissions and owner,
/// when it is complete. Devices and FIFOs get the complete content, too.
///
/// # Errors
/// Names the file; an older file of that name stays as it was.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>,
) -> Result<()> {
    let attempt = || -> Result<()> {
        match OutputTarget::of(path)? {
            OutputTarget::File(place, replaced) => {
                let temporary = temporary_for(&place, replaced.as_ref())?;
                let _unfinished = Unfinished::new(temporary.path());
                fill(temporary.as_file(), write)?;
                if let Some(replaced) = replaced {
                    take_over(temporary.as_file(), &replaced)?;
                }
                temporary.as_file().sync_all()?;
                temporary.persist(&place)?;
            }
            OutputTarget::Stream => {
                let spool = filled_spool(write)?;
                pour(spool, OpenOptions::new().write(true).open(path)?)?;
            }
            OutputTarget::Standard(stream) => pour(filled_spool(write)?, stream)?,
        }
        Ok(())
    };
    attempt().with_context(|| format!("can't write {}", path.display()))
}

/// A temporary file beside `place`, with the permissions any new file gets: temporary files are private otherwise.
fn temporary_for(place: &Path, replaced: Option<&Metadata>) -> io::Result<tempfile::NamedTempFile> {
    if replaced.is_some() {
        // A file people may not write to is none they may replace.
        OpenOptions::new().write(true).open(place)?;
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".glyphspace-");
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(folder_of(place))
}

fn fill(file: &File, write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<()> {
    let mut writer = BufWriter::new(file);
    write(&mut writer)?;
    Ok(writer.flush()?)
}

/// The complete content of a stream, at its beginning: encoders may seek, and one that fails leaves no half.
fn filled_spool(write: impl FnOnce(&mut BufWriter<&File>) -> Result<()>) -> Result<File> {
    let mut spool = tempfile::tempfile()?;
    fill(&spool, write)?;
    spool.rewind()?;
    Ok(spool)
}

fn pour(mut spool: File, mut stream: File) -> io::Result<()> {
    io::copy(&mut spool, &mut stream)?;
    stream.flush()
}

/// Gives a new file the permissions of the one it replaces, and its owner and group as far as the system allows it.
fn take_over(file: &File, replaced: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata()?;
        if own.uid() != replaced.uid() {
            // Only root may give files away.
            drop(fchown(file, Some(replaced.uid()), None));
        }
        if own.gid() != replaced.gid() {
            drop(fchown(file, None, Some(replaced.gid())));
        }
    }
    file.set_permissions(replaced.permissions())
}

/// Entry of a temporary file or folder among those that [`remove_unfinished`] removes.
#[derive(Debug)]
pub struct Unfinished(PathBuf);

impl Unfinished {
    /// Enters a path until this is dropped.
    pub fn new(path: &Path) -> Self {
        unfinished().push(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().retain(|path| *path != self.0);
    }
}

/// Removes all temporary files and folders in use, just before the program ends without unwinding.
pub fn remove_unfinished() {
    // Never waits: it may be called in the middle of anything.
    let Ok(mut paths) = UNFINISHED.try_lock() else {
        return;
    };
    for path in paths.drain(..) {
        // What can't be removed stays: there is nobody left to tell.
        drop(fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)));
    }
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
