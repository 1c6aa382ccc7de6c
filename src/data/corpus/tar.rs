//! Source packages: gzip-compressed tar archives.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufReader, Read, Seek},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::{
    item::{
        Form, ItemSink, fault_of, file_name, guarded, pass_over, small_enough, source, text_item,
    },
    jsonl,
    licence::{MAX_METADATA_BYTES, of_metadata},
    unpack::{Metered, content, drain},
};
use crate::data::python::decode;

const DAMAGED: &str = "the archive is cut or damaged";
/// Largest extension header of a member (a long name or other fields).
const MAX_HEADER_BYTES: u64 = 1 << 20;
/// Block size; a block of zeros ends an archive.
const BLOCK_BYTES: u64 = 512;

/// Reads the Python files and data sets of an intact archive.
pub fn read(path: &Path, sink: &mut ItemSink) -> Result<()> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let stream = || MultiGzDecoder::new(BufReader::new(&file));
    let checked = check(stream(), bytes, sink)?;
    let (name, licence) = of_metadata(&checked.metadata);
    sink(source(path, name, licence))?;

    (&file).rewind()?;
    let done = || Ok((&file).stream_position()? as f64 / bytes.max(1) as f64);
    let mut archive = Archive::new(stream());
    let mut number = 0;
    for entry in archive.entries()? {
        let mut entry = entry.context(DAMAGED)?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        number += 1;
        let place = format!("{}: {name}", path.display());
        match Form::of_name(&name) {
            Some(Form::Python) => {
                let text = small_enough(entry.size()).and_then(|()| {
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes).context(DAMAGED)?;
                    Ok(decode(bytes)?)
                });
                sink(text_item(&place, text, done()?))?;
            }
            Some(Form::Jsonl { gz }) => guarded(path, &place, sink, |sink| {
                ensure!(!checked.damaged.contains(&number), "is cut or damaged");
                jsonl::read_lines(content(&mut entry, gz), path, &place, &done, sink)
            })?,
            _ => pass_over(place, &name, sink)?,
        }
    }
    Ok(())
}

/// Results of the check that precedes reading.
#[derive(Default)]
struct CheckedTar {
    /// Text of its PKG-INFO.
    metadata: String,
    /// Damaged compressed members, by index among the files.
    damaged: HashSet<usize>,
}

/// Reads an archive to its end.
fn check(stream: impl Read, bytes: u64, sink: &mut ItemSink) -> Result<CheckedTar> {
    let mut checked = CheckedTar::default();
    let mut archive = Archive::new(Metered::new(stream, bytes));
    let mut number = 0;
    // Raw: long names are members of their own here; the library would read them whole, however long.
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry.context(DAMAGED)?;
        let kind = entry.header().entry_type();
        if !kind.is_file() {
            use EntryType::{GNULongLink, GNULongName, XGlobalHeader, XHeader};
            let headers = [GNULongName, GNULongLink, XHeader, XGlobalHeader];
            let size = entry.size();
            ensure!(
                !headers.contains(&kind) || size <= MAX_HEADER_BYTES,
                "has a member with a name of {size} bytes"
            );
            continue;
        }
        number += 1;
        let inner = entry.path()?.into_owned();
        let mut start = Vec::new();
        if file_name(&inner) == "PKG-INFO" && inner.components().count() == 2 {
            let mut head = (&mut entry).take(MAX_METADATA_BYTES);
            head.read_to_end(&mut start).context(DAMAGED)?;
            checked.metadata = String::from_utf8_lossy(&start).into_owned();
        } else {
            let mut head = (&mut entry).take(2);
            head.read_to_end(&mut start).context(DAMAGED)?;
        }
        if start.starts_with(b"\x1f\x8b") {
            let mut unpacked = MultiGzDecoder::new(start.as_slice().chain(&mut entry));
            if fault_of(sink, |sink| drain(&mut unpacked, bytes, sink))?.is_err() {
                checked.damaged.insert(number);
            }
        } else {
            drain(&mut entry, bytes, sink)?;
        }
    }
    let mut rest = archive.into_inner();
    drain(&mut rest, bytes, sink)?;
    ensure!(rest.zeros >= BLOCK_BYTES, "is cut: its end is missing");
    Ok(checked)
}
