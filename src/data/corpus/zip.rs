//! Zip archives in the form of wheels: members stored or deflated, listed in the directory at the end
//! (PKWARE's APPNOTE 4.3, with its zip64). The directory is compared with the members' local headers: it
//! has no checksum, and a damaged one may silently omit members.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use flate2::{Crc, read::DeflateDecoder};

use super::{
    item::{Form, Item, ItemSink, guarded, pass_over, small_enough, source, text_item},
    jsonl,
    licence::{MAX_METADATA_BYTES, is_licence_file, of_metadata},
    unpack::{BOMB, content, drain, is_bomb},
};
use crate::data::python::decode;

/// Magic bytes of a zip: of its first member, or of the end record of an empty one.
pub const MAGICS: [&[u8]; 2] = [MEMBER, END];
const MEMBER: &[u8] = b"PK\x03\x04";
const MEMBER_BYTES: usize = 30;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const END64: &[u8] = b"PK\x06\x06";
const END64_BYTES: usize = 56;
const LOCATOR64: &[u8] = b"PK\x06\x07";
const LOCATOR64_BYTES: usize = 20;
/// Extra field with the 64-bit sizes.
const EXTRA64: u64 = 1;
/// Largest directory, which is kept in memory.
const MAX_DIRECTORY_BYTES: u64 = 256 << 20;

const CUT: &str = "the zip is cut: it has no directory at its end";
const DAMAGED: &str = "the zip's directory is damaged";

/// Reads the Python files and data sets of an archive.
pub fn read(path: &Path, sink: &mut ItemSink) -> Result<()> {
    let mut zip = Zip::open(path, sink)?;
    let members = std::mem::take(&mut zip.members);
    let is_metadata =
        |name: &str| name.ends_with(".dist-info/METADATA") && name.matches('/').count() == 1;
    let metadata = members.iter().find(|member| is_metadata(&member.name));
    let metadata = metadata.map(|member| (member, zip.read(member, MAX_METADATA_BYTES)));
    let (name, mut licence) = match &metadata {
        Some((_, Ok(metadata))) => of_metadata(&String::from_utf8_lossy(metadata)),
        _ => (None, None),
    };
    if licence.is_none() {
        let mut names = members
            .iter()
            .filter_map(|member| member.name.rsplit('/').next());
        let file = names.find(|name| is_licence_file(name));
        licence = file.map(|name| format!("see {name}"));
    }
    sink(source(path, name, licence))?;
    let place = |member: &Member| format!("{}: {}", path.display(), member.name);
    if let Some((member, Err(error))) = metadata {
        sink(text_item(&place(member), Err(error), 0.0))?;
    }

    let is_source = |member: &&Member| Form::of_name(&member.name) == Some(Form::Python);
    let sources = members.iter().filter(is_source);
    let unpacked = sources.map(|member| member.size).sum();
    ensure!(!is_bomb(zip.bytes, unpacked), BOMB);
    let all: u64 = members.iter().map(|member| member.packed).sum();
    let mut behind = 0;
    for member in &members {
        sink(Item::Busy)?;
        behind += member.packed;
        let done = behind as f64 / all.max(1) as f64;
        let place = place(member);
        if let Some(damage) = member.damage {
            sink(text_item(&place, Err(anyhow!(damage)), done))?;
            continue;
        }
        match Form::of_name(&member.name) {
            Some(Form::Python) => {
                let text = small_enough(member.size)
                    .and_then(|()| Ok(decode(zip.read(member, member.size)?)?));
                sink(text_item(&place, text, done))?;
            }
            Some(Form::Jsonl { gz }) => guarded(path, &place, sink, |sink| {
                drain(&mut content(zip.unpack(member)?, gz), member.packed, sink)?;
                let lines = content(zip.unpack(member)?, gz);
                jsonl::read_lines(lines, path, &place, &|| Ok(done), sink)
            })?,
            _ => pass_over(place, &member.name, sink)?,
        }
    }
    Ok(())
}

/// Archive with its directory loaded.
struct Zip {
    file: File,
    bytes: u64,
    /// Members by name, folders included.
    members: Vec<Member>,
}

/// File in an archive.
struct Member {
    /// Path in the archive, with `/`.
    name: String,
    /// Uncompressed size in bytes.
    size: u64,
    /// Compressed size in bytes.
    packed: u64,
    method: u16,
    is_encrypted: bool,
    crc: u32,
    /// Offset of the local header.
    offset: u64,
    /// Offset of the compressed data.
    data: u64,
    /// Damage, if any.
    damage: Option<&'static str>,
}

impl Zip {
    /// Opens an archive and reads its directory.
    ///
    /// # Errors
    /// If the directory is missing or belongs to another file.
    fn open(path: &Path, sink: &mut ItemSink) -> Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        // The end record may be followed by a comment of up to 64 KiB with any content.
        let tail_start = bytes.saturating_sub(END_BYTES as u64 + 0xffff);
        let tail = read_at(&file, tail_start, (bytes - tail_start) as usize)?;
        let last = tail.len().checked_sub(END_BYTES).context(CUT)?;
        let ends = (0..=last).rev().filter(|at| tail[*at..].starts_with(END));
        let mut why = anyhow!(CUT);
        let mut members = None;
        for at in ends.take(100) {
            sink(Item::Busy)?;
            match directory(&file, tail_start + at as u64, &tail[at..]) {
                Ok(found) => members = Some(found),
                Err(error) => why = error,
            }
            // A comment can easily imitate the end of an empty archive.
            if members.as_ref().is_some_and(|found| !found.is_empty()) {
                break;
            }
        }
        let mut members = members.ok_or(why)?;
        compare(&file, &mut members, sink)?;
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            file,
            bytes,
            members,
        })
    }

    /// Unpacks a member of at most `most` bytes.
    fn read(&mut self, member: &Member, most: u64) -> Result<Vec<u8>> {
        let size = member.size;
        ensure!(
            size <= most,
            "is too large: {size} bytes, at most {most} are read"
        );
        let mut bytes = Vec::new();
        let read = self.unpack(member)?.read_to_end(&mut bytes);
        read.context("the member is cut or damaged")?;
        Ok(bytes)
    }

    /// Reader of a member's content; it fails at the end of a damaged member.
    fn unpack(&mut self, member: &Member) -> Result<CheckedZip> {
        ensure!(!member.is_encrypted, "the member is encrypted");
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(member.data))?;
        let packed = BufReader::new(file).take(member.packed);
        let unpacked: Box<dyn Read> = match member.method {
            0 => Box::new(packed),
            8 => Box::new(DeflateDecoder::new(packed)),
            other => bail!("the member is packed by method {other}, not stored or deflated"),
        };
        Ok(CheckedZip {
            unpacked: unpacked.take(member.size),
            crc: Crc::new(),
            expected: member.crc,
        })
    }
}

/// Uncompressed content of a member, verified against its checksum.
struct CheckedZip {
    unpacked: io::Take<Box<dyn Read>>,
    crc: Crc,
    expected: u32,
}

impl Read for CheckedZip {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.unpacked.read(buffer)?;
        self.crc.update(&buffer[..count]);
        let is_end = count == 0 && !buffer.is_empty();
        if is_end && (self.unpacked.limit() > 0 || self.crc.sum() != self.expected) {
            let kind = io::ErrorKind::InvalidData;
            return Err(io::Error::new(kind, "its checksum is another"));
        }
        Ok(count)
    }
}

/// Members of the directory whose end record `end` is at `at`.
fn directory(file: &File, at: u64, end: &[u8]) -> Result<Vec<Member>> {
    let [mut count, mut size, mut offset] =
        [(10, 2), (12, 4), (16, 4)].map(|(at, bytes)| number(end, at, bytes));
    // An older archive of more than 65,535 members counts modulo 65,536.
    let (mut directory_end, mut counted) = (at, 0xffff);
    let before = at.checked_sub(LOCATOR64_BYTES as u64);
    let locator = before
        .map(|at| read_at(file, at, LOCATOR64_BYTES))
        .transpose()?;
    if let (Some(before), Some(locator)) = (before, locator)
        && locator.starts_with(LOCATOR64)
    {
        // The record is directly before the locator; with data before the archive, not at the stated
        // offset.
        let place_before = before.saturating_sub(END64_BYTES as u64);
        let records = [number(&locator, 8, 8), place_before].into_iter();
        let records = records.map(|at| (at, read_at(file, at, END64_BYTES).unwrap_or_default()));
        let mut found = records.filter(|(_, record)| record.starts_with(END64));
        let (place, end64) = found.next().context(DAMAGED)?;
        [count, size, offset] = [32, 40, 48].map(|at| number(&end64, at, 8));
        (directory_end, counted) = (place, u64::MAX);
    }
    ensure!(size <= MAX_DIRECTORY_BYTES, DAMAGED);
    let start = directory_end.checked_sub(size).context(CUT)?;
    // Data may precede the archive, such as a self-extracting program.
    let shift = start.checked_sub(offset).context(DAMAGED)?;
    let directory = read_at(file, start, size as usize)?;
    let mut members = Vec::new();
    let mut rest = directory.as_slice();
    while !rest.is_empty() {
        let is_entry = rest.starts_with(ENTRY) && rest.len() >= ENTRY_BYTES;
        ensure!(is_entry, DAMAGED);
        let lengths = [28, 30, 32].map(|at| number(rest, at, 2) as usize);
        let bytes = ENTRY_BYTES + lengths.iter().sum::<usize>();
        let (entry, after) = rest.split_at_checked(bytes).context(DAMAGED)?;
        members.push(member(entry, lengths, shift)?);
        rest = after;
    }
    ensure!(members.len() as u64 & counted == count, DAMAGED);
    Ok(members)
}

/// Member of a directory entry, given the lengths of its name, extra fields and comment.
fn member(entry: &[u8], [name, extra, _]: [usize; 3], shift: u64) -> Result<Member> {
    let (name, rest) = entry[ENTRY_BYTES..].split_at(name);
    let mut extra = &rest[..extra];
    let mut wide: &[u8] = &[];
    while extra.len() >= 4 {
        let (id, bytes) = (number(extra, 0, 2), number(extra, 2, 2) as usize);
        let (field, after) = extra[4..].split_at_checked(bytes).context(DAMAGED)?;
        if id == EXTRA64 {
            wide = field;
        }
        extra = after;
    }
    let mut number32 = |at| -> Result<u64> {
        let narrow = number(entry, at, 4);
        if narrow < u64::from(u32::MAX) {
            return Ok(narrow);
        }
        let (number64, after) = wide.split_at_checked(8).context(DAMAGED)?;
        wide = after;
        Ok(number(number64, 0, 8))
    };
    let (size, packed, offset) = (number32(24)?, number32(20)?, number32(42)?);
    Ok(Member {
        name: String::from_utf8_lossy(name).into_owned(),
        size,
        packed,
        method: number(entry, 10, 2) as u16,
        is_encrypted: number(entry, 8, 2) & 1 == 1,
        crc: number(entry, 16, 4) as u32,
        offset: offset.checked_add(shift).context(DAMAGED)?,
        data: 0,
        damage: None,
    })
}

/// Compares the directory with the members' local headers.
fn compare(file: &File, members: &mut [Member], sink: &mut ItemSink) -> Result<()> {
    let mut places: Vec<Range<u64>> = Vec::new();
    for (i, member) in members.iter_mut().enumerate() {
        if i % 1000 == 0 {
            sink(Item::Busy)?;
        }
        let head = read_at(file, member.offset, MEMBER_BYTES).unwrap_or_default();
        if !head.starts_with(MEMBER) {
            member.damage =
                Some("the member is cut or damaged: it is not where the directory says");
            continue;
        }
        let [name, extra] = [26, 28].map(|at| number(&head, at, 2));
        let start = member.offset + MEMBER_BYTES as u64;
        let said = read_at(file, start, name as usize).unwrap_or_default();
        if String::from_utf8_lossy(&said) != member.name {
            member.damage = Some("the member is damaged: it has another name in the directory");
        }
        member.data = start + name + extra;
        let end = member.data.checked_add(member.packed).context(DAMAGED)?;
        places.push(member.offset..end);
    }
    places.sort_by_key(|place| place.start);
    let is_apart = |pair: &[Range<u64>]| pair[0].end <= pair[1].start;
    ensure!(
        places.windows(2).all(is_apart),
        "its members lie in one another: the zip is damaged, or made to fill the memory"
    );
    Ok(())
}

fn read_at(mut file: &File, at: u64, count: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes).context("the zip is cut")?;
    Ok(bytes)
}

/// Little-endian number of `count` bytes at `at`.
fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
    let bytes = bytes[at..at + count].iter().rev();
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}
