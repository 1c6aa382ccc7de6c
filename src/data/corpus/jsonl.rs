//! Data sets with one function per line, in CodeSearchNet's form: JSON objects with a function's text, its
//! name and its repository; other fields are ignored.

use std::{
    fmt,
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::Value;

use super::{
    item::{Item, ItemSink, MAX_SOURCE_BYTES, source},
    unpack::{content, drain},
};

/// Fields of the function's text, by preference.
const CODE: [&str; 4] = [
    "original_string",
    "code",
    "whole_func_string",
    "func_code_string",
];
/// Fields of the repository.
const REPOSITORY: [&str; 2] = ["repo", "repository_name"];
/// Field of the function's name.
const NAME: &str = "func_name";
/// Replacement of a lone UTF-16 surrogate: a noncharacter that occurs nowhere else.
const LONE_SURROGATE: char = '\u{fdd0}';

/// Reads a file; a compressed one only if it is intact.
pub fn read(path: &Path, gz: bool, sink: &mut ItemSink) -> Result<()> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    if gz {
        drain(&mut content(&file, gz), bytes, sink)?;
        (&file).rewind()?;
    }
    let done = || Ok((&file).stream_position()? as f64 / bytes.max(1) as f64);
    let place = path.display().to_string();
    read_lines(content(&file, gz), path, &place, &done, sink)
}

/// Reads the lines of a data set: the file at `path`, or a part of it at `place`.
pub fn read_lines(
    lines: impl Read,
    path: &Path,
    place: &str,
    done: &dyn Fn() -> Result<f64>,
    sink: &mut ItemSink,
) -> Result<()> {
    let mut lines = BufReader::new(lines);
    let mut from = None;
    let mut line = Vec::new();
    for number in 1.. {
        let is_whole = next_line(&mut lines, &mut line, sink)
            .with_context(|| format!("is cut or damaged after line {}", number - 1))?;
        let Some(is_whole) = is_whole else { break };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row = match is_whole {
            true => JsonFields::read(&line),
            false => Err(anyhow::anyhow!("is longer than {MAX_SOURCE_BYTES} bytes")),
        };
        let repository = row.as_ref().ok().and_then(JsonFields::repository);
        if from.as_ref() != Some(&repository) {
            let licence = repository.as_ref();
            let licence = licence.map(|name| format!("that of the repository {name}"));
            sink(source(path, repository.clone(), licence))?;
            from = Some(repository);
        }
        let name = row.as_ref().ok().and_then(|row| row.text(NAME));
        sink(Item::Text {
            place: format!("{place}: line {number}"),
            function: Some(name.unwrap_or_default().replace(LONE_SURROGATE, "\u{fffd}")),
            text: row.and_then(|row| row.code()),
            done: done()?,
        })?;
    }
    Ok(())
}

/// Reads a line; the flag is true if it is complete, since only the beginning of an overlong one is kept.
/// `None` at the end.
fn next_line(
    lines: &mut impl BufRead,
    line: &mut Vec<u8>,
    sink: &mut ItemSink,
) -> Result<Option<bool>> {
    let mut next = |part: &mut Vec<u8>| {
        part.clear();
        lines.take(MAX_SOURCE_BYTES).read_until(b'\n', part)
    };
    let is_cut = |part: &[u8]| part.len() as u64 == MAX_SOURCE_BYTES && !part.ends_with(b"\n");
    if next(line)? == 0 {
        return Ok(None);
    }
    let (mut is_whole, mut goes_on, mut rest) = (true, is_cut(line), Vec::new());
    while goes_on && next(&mut rest)? > 0 {
        sink(Item::Busy)?;
        (is_whole, goes_on) = (false, is_cut(&rest));
    }
    Ok(Some(is_whole))
}

/// Fields of a line by name.
struct JsonFields(Vec<(String, Value)>);

impl JsonFields {
    /// Parses a line as Python's `json` does: with a byte order mark, with `NaN` and infinities, with lone
    /// surrogates.
    fn read(line: &[u8]) -> Result<Self> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        serde_json::from_slice(line)
            .or_else(|error| serde_json::from_slice(&as_json(line)).map_err(|_| error))
            .context("is no JSON object")
    }

    fn text(&self, field: &str) -> Option<&str> {
        let field = self.0.iter().rfind(|(name, _)| name == field);
        field?.1.as_str()
    }

    fn repository(&self) -> Option<String> {
        let name = REPOSITORY.iter().find_map(|name| self.text(name))?;
        Some(name.replace(LONE_SURROGATE, "\u{fffd}"))
    }

    fn code(&self) -> Result<String> {
        let code = CODE.iter().find_map(|name| self.text(name)).context(
            "expected a text `code`, `original_string`, `whole_func_string` or `func_code_string`",
        )?;
        ensure!(
            !code.contains(LONE_SURROGATE),
            "its function has half a character in it (a lone surrogate)"
        );
        Ok(code.to_owned())
    }
}

impl<'de> Deserialize<'de> for JsonFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = JsonFields;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<JsonFields, M::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == NAME || CODE.contains(&&*name) || REPOSITORY.contains(&&*name) {
                fields.push((name, map.next_value()?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(JsonFields(fields))
    }
}

/// Converts Python's JSON to standard JSON: `null` for NaN and infinities, [`LONE_SURROGATE`] for lone surrogates.
fn as_json(line: &[u8]) -> Vec<u8> {
    const NO_NUMBERS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let surrogate = |at: usize| -> Option<u16> {
        let digits = line.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        let number = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        (0xd800..0xe000).contains(&number).then_some(number)
    };
    let mut json = Vec::with_capacity(line.len());
    let (mut at, mut in_text) = (0, false);
    while let Some(byte) = line.get(at) {
        let no_number = NO_NUMBERS.iter().find(|word| line[at..].starts_with(word));
        match (byte, no_number) {
            (b'\\', _) if in_text => {
                let (bytes, put): (usize, &[u8]) = match (surrogate(at), surrogate(at + 6)) {
                    (Some(0xd800..0xdc00), Some(0xdc00..)) => (12, &line[at..at + 12]),
                    (Some(_), _) => (6, b"\\ufdd0"),
                    (None, _) => (2, &line[at..line.len().min(at + 2)]),
                };
                json.extend(put);
                at += bytes;
            }
            (_, Some(word)) if !in_text => {
                json.extend(b"null");
                at += word.len();
            }
            (byte, _) => {
                in_text ^= *byte == b'"';
                json.push(*byte);
                at += 1;
            }
        }
    }
    json
}
