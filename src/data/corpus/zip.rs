//! Zip archives as wheels are: members stored or deflated, found by the directory at the end (PKWARE's
//! APPNOTE 4.3; no archive beyond 4 GiB).

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use flate2::{Crc, read::DeflateDecoder};

/// What a zip begins with: its first member, or the end of an empty one.
pub const BEGINNINGS: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const DIRECTORY_ENTRY_BYTES: usize = 46;
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const MEMBER_BYTES: usize = 30;

/// An archive whose directory was read.
pub struct Zip {
    file: BufReader<File>,
    /// The members, folders too, by name.
    pub members: Vec<Member>,
}

/// A file in an archive.
#[derive(Clone)]
pub struct Member {
    /// Its path in the archive, with `/`.
    pub name: String,
    /// Bytes when unpacked.
    pub size: u64,
    method: u16,
    crc: u32,
    packed: u64,
    offset: u64,
}

impl Zip {
    /// Reads the directory.
    ///
    /// # Errors
    /// If there is none: the archive is cut, or no zip.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = BufReader::new(File::open(path)?);
        let length = file.seek(SeekFrom::End(0))?;
        // The end may have a comment behind it, of 64 KiB at most.
        let tail_start = length.saturating_sub(END_BYTES as u64 + 0xffff);
        let tail = read_at(&mut file, tail_start, (length - tail_start) as usize)?;
        let last = tail.len().checked_sub(END_BYTES).context(CUT)?;
        let end = (0..=last).rev().find(|at| tail[*at..].starts_with(END));
        let end = &tail[end.context(CUT)?..];
        let (size, offset) = (number(end, 12, 4), number(end, 16, 4));
        ensure!(offset + size <= length, CUT);
        let directory = read_at(&mut file, offset, size as usize)?;

        let mut members = Vec::new();
        let mut rest = directory.as_slice();
        while rest.starts_with(DIRECTORY_ENTRY) && rest.len() >= DIRECTORY_ENTRY_BYTES {
            let [name, extra, comment] = [28, 30, 32].map(|at| number(rest, at, 2) as usize);
            let entry_bytes = DIRECTORY_ENTRY_BYTES + name + extra + comment;
            let after = rest
                .get(entry_bytes..)
                .context("the zip's directory is damaged")?;
            let name = &rest[DIRECTORY_ENTRY_BYTES..][..name];
            members.push(Member {
                name: String::from_utf8_lossy(name).into_owned(),
                method: number(rest, 10, 2) as u16,
                crc: number(rest, 16, 4) as u32,
                packed: number(rest, 20, 4),
                size: number(rest, 24, 4),
                offset: number(rest, 42, 4),
            });
            rest = after;
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { file, members })
    }

    /// Unpacks a member.
    ///
    /// # Errors
    /// If it is cut, damaged or packed in another way.
    pub fn read(&mut self, member: &Member) -> Result<Vec<u8>> {
        let head = read_at(&mut self.file, member.offset, MEMBER_BYTES)?;
        ensure!(head.starts_with(BEGINNINGS[0]), "the member is damaged");
        let skipped = number(&head, 26, 2) + number(&head, 28, 2);
        self.file.seek_relative(skipped as i64)?;
        let packed = (&mut self.file).take(member.packed);
        let mut bytes = Vec::new();
        match member.method {
            0 => packed.take(member.size).read_to_end(&mut bytes),
            8 => DeflateDecoder::new(packed)
                .take(member.size)
                .read_to_end(&mut bytes),
            other => bail!("the member is packed by method {other}, not stored or deflated"),
        }
        .context("the member is damaged")?;
        let mut crc = Crc::new();
        crc.update(&bytes);
        ensure!(
            bytes.len() as u64 == member.size && crc.sum() == member.crc,
            "the member is cut or damaged"
        );
        Ok(bytes)
    }
}

const CUT: &str = "the zip is cut: it has no directory at its end";

fn read_at(file: &mut BufReader<File>, at: u64, count: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes).context("the zip is cut")?;
    Ok(bytes)
}

/// The little-endian number of `count` bytes at `at`.
fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
    let bytes = bytes[at..at + count].iter().rev();
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}
