//! Output files: resolution of output paths, and atomic writes.
//!
//! A regular file is written to a temporary file beside it, which is then renamed. Links are followed and
//! kept. A device or FIFO is written directly: a rename would replace it with a regular file.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, BufWriter, ErrorKind, Seek, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail, ensure};

/// Largest number of links followed from one path, as on Linux.
const MAX_LINKS: usize = 40;

/// Temporary files and folders to remove on a premature exit.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Resolved output path.
#[derive(Debug)]
enum OutputTarget {
    /// Regular file after all links, with the metadata of an existing one.
    File(PathBuf, Option<Metadata>),
    /// Device or FIFO, opened on demand, or the program's standard output or error.
    Stream(Option<File>),
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
            return Ok(Self::Stream(Some(stream)));
        }
        if found.is_file() {
            // A file without a name, such as a deleted one in /proc, is written in place.
            let place = fs::canonicalize(path).ok();
            return Ok(place.map_or(Self::Stream(None), |place| Self::File(place, Some(found))));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            let kind = found.file_type();
            ensure!(
                !kind.is_block_device(),
                "it is a block device, expected a file"
            );
            ensure!(
                kind.is_char_device() || kind.is_fifo(),
                "it is a socket, expected a file"
            );
        }
        Ok(Self::Stream(None))
    }
}

/// Target of a chain of links; it need not exist.
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

/// Standard output or error, if the file with this metadata is one of them.
#[cfg(unix)]
fn standard_stream(found: &Metadata) -> Option<File> {
    use std::os::fd::AsFd;
    same_stream(io::stdout().as_fd(), found).or_else(|| same_stream(io::stderr().as_fd(), found))
}

/// A stream of the program, if it is the file with this metadata.
#[cfg(unix)]
fn same_stream(stream: std::os::fd::BorrowedFd<'_>, found: &Metadata) -> Option<File> {
    let file = File::from(stream.try_clone_to_owned().ok()?);
    is_same(&file.metadata().ok()?, found).then_some(file)
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

/// Parent folder of `path`.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Check, before any work, that an output path can be written and is none of the input `sources` under any
/// name.
///
/// # Errors
/// If it can't; the path and the reason are named, and nothing has been touched.
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

/// True if two paths lead to one regular file, which need not exist yet.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    let (Ok(found), Ok(other)) = (fs::metadata(a), fs::metadata(b)) else {
        let place = |path: &Path| {
            let end = end_of_links(path).ok()?;
            let folder = fs::canonicalize(folder_of(&end)).ok()?;
            Some(folder.join(end.file_name()?))
        };
        return place(a).is_some_and(|a| place(b) == Some(a));
    };
    #[cfg(unix)]
    let is_same = is_same(&found, &other);
    #[cfg(not(unix))]
    let is_same = fs::canonicalize(a).ok() == fs::canonicalize(b).ok();
    is_same && found.is_file() && other.is_file()
}

/// True if output to this path goes to a device or FIFO, or to standard output or error.
pub fn is_stream(path: &Path) -> bool {
    matches!(OutputTarget::of(path), Ok(OutputTarget::Stream(_)))
}

/// True if output to this path goes to standard output.
pub fn is_standard_output(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        fs::metadata(path).is_ok_and(|found| same_stream(io::stdout().as_fd(), &found).is_some())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Folder for temporary files of the output at `path`: that of the file itself, or the system's for a
/// device or FIFO.
///
/// # Errors
/// If there can't be a file at `path`; the reason is given.
pub fn scratch_folder(path: &Path) -> Result<PathBuf> {
    Ok(match OutputTarget::of(path)? {
        OutputTarget::File(place, _) => folder_of(&place).to_owned(),
        OutputTarget::Stream(_) => std::env::temp_dir(),
    })
}

/// Atomic write of a file through a temporary one in the same folder, which takes over its name, permissions
/// and owner once it is complete. Devices and FIFOs receive the complete content at once.
///
/// # Errors
/// If it can't be written; the file is named, and an older one is unchanged.
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
                    copy_attributes(temporary.as_file(), &replaced)?;
                }
                temporary.as_file().sync_all()?;
                temporary.persist(&place)?;
            }
            OutputTarget::Stream(standard) => {
                // Encoders may seek, and a failed one must leave nothing behind.
                let mut spool = tempfile::tempfile()?;
                fill(&spool, write)?;
                spool.rewind()?;
                let open = || OpenOptions::new().write(true).open(path);
                let mut stream = standard.map_or_else(open, Ok)?;
                io::copy(&mut spool, &mut stream)?;
                stream.flush()?;
            }
        }
        Ok(())
    };
    attempt().with_context(|| format!("can't write {}", path.display()))
}

/// Temporary file beside `place` with the default permissions of new files; temporary files are private
/// otherwise.
fn temporary_for(place: &Path, replaced: Option<&Metadata>) -> io::Result<tempfile::NamedTempFile> {
    if replaced.is_some() {
        // A file without write permission must not be replaced either.
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

/// Copies permissions of the replaced file, and its owner and group as far as the system allows.
fn copy_attributes(file: &File, replaced: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let own = file.metadata()?;
        if own.uid() != replaced.uid() {
            // Only root may change a file's owner.
            drop(fchown(file, Some(replaced.uid()), None));
        }
        if own.gid() != replaced.gid() {
            drop(fchown(file, None, Some(replaced.gid())));
        }
    }
    file.set_permissions(replaced.permissions())
}

/// Registration of a temporary file or folder for [`remove_unfinished`].
#[derive(Debug)]
pub struct Unfinished(PathBuf);

impl Unfinished {
    /// Registration of a path, until this is dropped.
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

/// Removal of all registered temporary files and folders, just before the program ends without unwinding.
pub fn remove_unfinished() {
    // Never blocks: the caller may hold the lock.
    let Ok(mut paths) = UNFINISHED.try_lock() else {
        return;
    };
    for path in paths.drain(..) {
        // Failures are ignored: nobody is left to tell.
        drop(fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)));
    }
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
