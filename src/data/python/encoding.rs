//! Decodes the bytes of a source by its declared encoding (PEP 263), as CPython does.

use encoding_rs::{self as rs, Encoding};

/// Reasons why bytes are no Python source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Invalid UTF-8 without a declared encoding.
    #[error("line {line} is not in UTF-8, and no other encoding is declared")]
    Undeclared {
        /// Line number, from 1.
        line: usize,
    },
    /// Bytes that are invalid in the declared encoding.
    #[error("line {line} is not in {name}, the encoding that is declared")]
    Malformed {
        /// Line number, from 1.
        line: usize,
        /// Encoding as declared.
        name: String,
    },
    /// Unsupported encoding.
    #[error(
        "declares the encoding {0:?}: expected one of those that Python and the web have, such as utf-8, latin-1, cp1252 or shift_jis"
    )]
    Unknown(String),
    /// UTF-8 byte order mark together with another declared encoding.
    #[error("begins with UTF-8's byte order mark, but declares the encoding {0:?}")]
    Marked(String),
}

/// Text of a source, without its byte order mark.
///
/// # Errors
/// If the declared encoding is unknown, or the bytes are invalid in it.
pub fn decode(bytes: Vec<u8>) -> Result<String, EncodingError> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let unmarked = bytes.strip_prefix(MARK);
    let name = declared(unmarked.unwrap_or(&bytes));
    let codec = match name.as_deref().map(|name| (name, codec(name))) {
        None | Some((_, Some(Codec::Utf8))) => Codec::Utf8,
        Some((name, None)) => return Err(EncodingError::Unknown(name.into())),
        Some((name, _)) if unmarked.is_some() => return Err(EncodingError::Marked(name.into())),
        Some((_, Some(codec))) => codec,
    };
    let bytes = unmarked.map(<[u8]>::to_vec).unwrap_or(bytes);
    text(bytes, codec).map_err(|good| {
        let line = good.bytes().filter(|byte| *byte == b'\n').count() + 1;
        match name {
            Some(name) => EncodingError::Malformed { line, name },
            None => EncodingError::Undeclared { line },
        }
    })
}

/// Decoders.
enum Codec {
    Utf8,
    Ascii,
    /// ISO-8859-1, in which all 256 bytes are characters.
    Latin1,
    Other(&'static Encoding),
    /// ISO-8859 variant without characters in 0x80 to 0x9f.
    Iso(&'static Encoding),
    /// Shift-JIS variant with six signs mapped as in Python, not as in Windows and on the web.
    Jis(&'static Encoding),
}

/// Decoded text, or the valid prefix of it.
fn text(bytes: Vec<u8>, codec: Codec) -> Result<String, String> {
    let good = |bytes: &[u8], end: usize| String::from_utf8_lossy(&bytes[..end]).into_owned();
    let encoding = match codec {
        Codec::Utf8 => {
            return String::from_utf8(bytes)
                .map_err(|error| good(error.as_bytes(), error.utf8_error().valid_up_to()));
        }
        Codec::Ascii => {
            let foreign = bytes.iter().position(|byte| !byte.is_ascii());
            return foreign.map_or(Ok(good(&bytes, bytes.len())), |end| Err(good(&bytes, end)));
        }
        Codec::Latin1 => return Ok(bytes.into_iter().map(char::from).collect()),
        Codec::Iso(encoding) => {
            if let Some(end) = bytes.iter().position(|byte| matches!(byte, 0x80..=0x9f)) {
                return Err(good(&bytes, end));
            }
            encoding
        }
        Codec::Other(encoding) | Codec::Jis(encoding) => encoding,
    };
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let most = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    let mut text = String::with_capacity(most.unwrap_or(0));
    let (result, _) = decoder.decode_to_string_without_replacement(&bytes, &mut text, true);
    // The web standard maps bytes that Windows leaves undefined to control characters.
    let undefined = match encoding.name().starts_with("windows") {
        true => text.find(|c| matches!(c, '\u{80}'..='\u{9f}')),
        false => None,
    };
    if let Some(end) = undefined {
        text.truncate(end);
        return Err(text);
    }
    match result {
        rs::DecoderResult::InputEmpty if matches!(codec, Codec::Jis(_)) => {
            Ok(text.chars().map(of_jis).collect())
        }
        rs::DecoderResult::InputEmpty => Ok(text),
        _ => Err(text),
    }
}

fn of_jis(sign: char) -> char {
    match sign {
        '\u{ff5e}' => '\u{301c}',
        '\u{2225}' => '\u{2016}',
        '\u{ff0d}' => '\u{2212}',
        '\u{ffe0}' => '\u{a2}',
        '\u{ffe1}' => '\u{a3}',
        '\u{ffe2}' => '\u{ac}',
        other => other,
    }
}

/// Name of the encoding declared in a comment in the first two lines.
fn declared(bytes: &[u8]) -> Option<String> {
    let mut rest = bytes;
    for _ in 0..2 {
        let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
        let is_code = |byte: &&u8| !matches!(byte, b' ' | b'\t' | b'\x0c');
        match line.iter().find(is_code) {
            // A declaration can't follow code.
            Some(first) if *first != b'#' => return None,
            _ => (),
        }
        if let Some(name) = in_comment(line) {
            return Some(name);
        }
        rest = after.strip_prefix(b"\r\n").or(after.get(1..))?;
    }
    None
}

/// Name matched by the pattern `coding[:=][ \t]*([-\w.]+)`.
fn in_comment(comment: &[u8]) -> Option<String> {
    (0..comment.len()).find_map(|at| {
        let rest = comment[at..].strip_prefix(b"coding")?;
        let rest = rest.strip_prefix(b":").or(rest.strip_prefix(b"="))?;
        let name = rest.iter().skip_while(|byte| matches!(byte, b' ' | b'\t'));
        let name = name.take_while(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
        let name: String = name.map(|byte| char::from(*byte)).collect();
        (!name.is_empty()).then_some(name)
    })
}

/// Codec by name, with Python's aliases (`encodings.aliases`).
fn codec(name: &str) -> Option<Codec> {
    // Editors append the line end to the name: `utf-8-unix`.
    let hyphenated = name.to_ascii_lowercase().replace('_', "-");
    for (start, codec) in [
        ("utf-8", Codec::Utf8),
        ("latin-1", Codec::Latin1),
        ("iso-8859-1", Codec::Latin1),
        ("iso-latin-1", Codec::Latin1),
    ] {
        let rest = hyphenated.strip_prefix(start);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
            return Some(codec);
        }
    }
    let mut plain = name.to_ascii_lowercase();
    plain.retain(|c| c.is_ascii_alphanumeric());
    let mut rows = CODECS.lines().filter_map(|row| row.split_once(": "));
    let (label, _) = rows.find(|(_, names)| names.split(' ').any(|alias| alias == plain))?;
    let encoding = |label: &str| Encoding::for_label(label.as_bytes());
    match (label, label.split_once(' ')) {
        ("utf-8", _) => Some(Codec::Utf8),
        ("ascii", _) => Some(Codec::Ascii),
        ("latin-1", _) => Some(Codec::Latin1),
        (_, Some(("iso", label))) => encoding(label).map(Codec::Iso),
        (_, Some((_, label))) => encoding(label).map(Codec::Jis),
        _ => encoding(label).map(Codec::Other),
    }
}

/// Codecs and Python's names for them, in lower case without signs. The codecs of the web have its labels; `iso` and
/// `jis` mark the variants of [`Codec`].
const CODECS: &str = "
utf-8: utf8 u8 utf cp65001 utf8sig
ascii: ascii 646 ansix341968 ansix341986 cp367 csascii ibm367 iso646irv1991 iso646us isoir6 us usascii
latin-1: 8859 cp819 csisolatin1 ibm819 iso8859 iso88591 iso885911987 isoir100 l1 latin latin1
windows-1250: 1250 cp1250 windows1250
windows-1251: 1251 cp1251 windows1251
windows-1252: 1252 cp1252 windows1252
windows-1253: 1253 cp1253 windows1253
windows-1254: 1254 cp1254 windows1254
windows-1255: 1255 cp1255 windows1255
windows-1256: 1256 cp1256 windows1256
windows-1257: 1257 cp1257 windows1257
windows-1258: 1258 cp1258 windows1258
ibm866: 866 cp866 csibm866 ibm866
windows-874: cp874
iso windows-874: tis620 tis6200 tis62025290 tis62025291 isoir166 iso885911 iso8859112001 thai
iso-8859-2: csisolatin2 iso88592 iso885921987 isoir101 l2 latin2
iso-8859-3: csisolatin3 iso88593 iso885931988 isoir109 l3 latin3
iso-8859-4: csisolatin4 iso88594 iso885941988 isoir110 l4 latin4
iso-8859-5: csisolatincyrillic cyrillic iso88595 iso885951988 isoir144
iso-8859-6: arabic asmo708 csisolatinarabic ecma114 iso88596 iso885961987 isoir127
iso-8859-7: csisolatingreek ecma118 elot928 greek greek8 iso88597 iso885971987 isoir126
iso-8859-8: csisolatinhebrew hebrew iso88598 iso885981988 isoir138
iso windows-1254: csisolatin5 iso88599 iso885991989 isoir148 l5 latin5
iso-8859-10: csisolatin6 iso885910 iso8859101992 isoir157 l6 latin6
iso-8859-13: iso885913 l7 latin7
iso-8859-14: iso885914 iso8859141998 isoceltic isoir199 l8 latin8
iso-8859-15: iso885915 l9 latin9
iso-8859-16: iso885916 iso8859162001 isoir226 l10 latin10
koi8-r: cskoi8r koi8r
koi8-u: koi8u
macintosh: macintosh macroman
x-mac-cyrillic: maccyrillic
gbk: gb2312 chinese csiso58gb231280 euccn eucgb2312cn gb23121980 gb231280 isoir58 936 cp936 gbk ms936
gb18030: gb18030 gb180302000
big5: big5 big5tw csbig5 big5hkscs hkscs 950 cp950 ms950
jis euc-jp: eucjp ujis
jis shift_jis: csshiftjis shiftjis sjis
shift_jis: 932 cp932 ms932 mskanji windows31j
jis iso-2022-jp: csiso2022jp iso2022jp
euc-kr: euckr korean ksc5601 ksc56011987 ksx1001 949 cp949 ms949 uhc
";
