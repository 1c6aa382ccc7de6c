//! Corpus file: tokenised functions with their names and origins, and the tokenizer.
//!
//! | part | bytes |
//! |---|---|
//! | [`MAGIC`] | |
//! | length of the header | 4 |
//! | header: JSON, see [`Header`] | |
//! | tokens of each function | 2 each |
//! | source of each function | 2 each |
//! | bytes in each function's name | 2 each |
//! | tokens, function after function | 2 each |
//! | names, function after function | UTF-8 |
//! | CRC-32 of all before | 4 |
//!
//! Numbers are little-endian.

use std::{fs, io::Write, ops::Range, path::Path};

use anyhow::{Context, Result, bail, ensure};
use flate2::Crc;
use serde::{Deserialize, Serialize};

use crate::{
    data::{bpe::Bpe, hash::hash},
    files::write_whole,
};

/// Magic bytes at the start of a corpus file.
pub const MAGIC: &[u8] = b"glyphspace corpus 1\n";

/// Origin of functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusSource {
    /// Name of the package, folder or repository.
    pub name: String,
    /// Licence, if stated.
    pub licence: Option<String>,
    /// Files (or lines of a jsonl) read from it.
    pub files: usize,
    /// Functions from it in the corpus.
    pub functions: usize,
}

#[derive(Serialize, Deserialize)]
struct Header {
    max_tokens: usize,
    functions: usize,
    tokens: usize,
    name_bytes: usize,
    sources: Vec<CorpusSource>,
    tokenizer: String,
}

/// Corpus of tokenised Python functions, in memory: two bytes per token.
#[derive(Clone, Debug)]
pub struct Corpus {
    bpe: Bpe,
    max_tokens: usize,
    sources: Vec<CorpusSource>,
    origins: Vec<u16>,
    tokens: Vec<u16>,
    token_ends: Vec<usize>,
    names: String,
    name_ends: Vec<usize>,
}

impl Corpus {
    /// Empty corpus.
    ///
    /// # Errors
    /// If the vocabulary, or the length of a function, exceeds 16 bits.
    pub fn new(bpe: Bpe, max_tokens: usize, sources: Vec<CorpusSource>) -> Result<Self> {
        Self::check(bpe.size(), max_tokens)?;
        let (count, most) = (sources.len(), usize::from(u16::MAX));
        ensure!(
            count <= most,
            "{count} sources are too many, at most {most}"
        );
        let unused = |source| CorpusSource {
            functions: 0,
            ..source
        };
        Ok(Self {
            bpe,
            max_tokens,
            sources: sources.into_iter().map(unused).collect(),
            origins: Vec::new(),
            tokens: Vec::new(),
            token_ends: Vec::new(),
            names: String::new(),
            name_ends: Vec::new(),
        })
    }

    /// Check of the sizes of a corpus.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn check(tokenizer_size: usize, max_tokens: usize) -> Result<()> {
        let most = usize::from(u16::MAX);
        ensure!(
            tokenizer_size <= most,
            "a corpus can't take a tokenizer of {tokenizer_size} tokens, only up to {most}"
        );
        ensure!(
            (1..=most).contains(&max_tokens),
            "max_tokens {max_tokens} is not in 1 to {most}"
        );
        Ok(())
    }

    /// New entry for a function of the source at index `origin`; its name is cut after 200 characters.
    ///
    /// # Errors
    /// If it has no tokens, more than `max_tokens`, or one outside the vocabulary, or if there is no such
    /// source.
    pub fn push(&mut self, origin: usize, name: &str, tokens: &[u32]) -> Result<()> {
        ensure!(
            (1..=self.max_tokens).contains(&tokens.len()),
            "{name} has {} tokens, not 1 to {}",
            tokens.len(),
            self.max_tokens
        );
        let size = self.bpe.size();
        if let Some(token) = tokens.iter().find(|token| **token as usize >= size) {
            bail!("{name} has the token {token}, but the tokenizer only {size}");
        }
        let source = self.sources.get_mut(origin);
        let source = source.with_context(|| format!("{name} is of no source"))?;
        source.functions += 1;
        self.origins.push(origin as u16);
        self.tokens.extend(tokens.iter().map(|token| *token as u16));
        self.token_ends.push(self.tokens.len());
        self.names.extend(name.chars().take(200));
        self.name_ends.push(self.names.len());
        Ok(())
    }

    /// Corpus of a file.
    ///
    /// # Errors
    /// If the file can't be read, is no corpus, is truncated or damaged; the file is named.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("can't read {}", path.display()))?;
        Self::from_bytes(&bytes).with_context(|| path.display().to_string())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let after = bytes
            .strip_prefix(MAGIC)
            .context("is no corpus: expected a file made by `glyphs corpus build`")?;
        let mut rest = ByteReader(after);
        let length = u32::from_le_bytes(*rest.take(4)?.as_array().context(CUT)?) as usize;
        let header: Header =
            serde_json::from_slice(rest.take(length)?).context("the corpus's header is damaged")?;
        let counts = rest.take(2 * header.functions)?;
        let origins = rest.take(2 * header.functions)?;
        let name_lengths = rest.take(2 * header.functions)?;
        let tokens = rest.take(2 * header.tokens)?;
        let names = rest.take(header.name_bytes)?;
        let crc = rest.take(4)?;
        let (body, damaged) = (&bytes[..bytes.len() - 4], "the corpus is damaged");
        ensure!(
            rest.0.is_empty() && crc == checksum(body).to_le_bytes(),
            damaged
        );

        let corpus = Self {
            bpe: Bpe::from_json(&header.tokenizer).context("the corpus's tokenizer")?,
            max_tokens: header.max_tokens,
            sources: header.sources,
            origins: numbers(origins).collect(),
            tokens: numbers(tokens).collect(),
            token_ends: ends(counts),
            names: String::from_utf8(names.to_vec()).context(damaged)?,
            name_ends: ends(name_lengths),
        };
        let below = |numbers: &[u16], end: usize| numbers.iter().all(|n| usize::from(*n) < end);
        let last = |ends: &[usize]| ends.last().copied().unwrap_or(0);
        let mut name_ends = corpus.name_ends.iter();
        let sound = last(&corpus.token_ends) == corpus.tokens.len()
            && last(&corpus.name_ends) == corpus.names.len()
            && name_ends.all(|end| corpus.names.is_char_boundary(*end))
            && numbers(counts).all(|n| (1..=corpus.max_tokens).contains(&usize::from(n)))
            && below(&corpus.origins, corpus.sources.len())
            && below(&corpus.tokens, corpus.bpe.size());
        ensure!(sound, damaged);
        Ok(corpus)
    }

    /// Corpus file of the functions; an existing file is replaced only once everything is written.
    ///
    /// # Errors
    /// If it can't be written; the file is named, and an existing one remains.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut bytes = self.to_bytes()?;
        bytes.extend(checksum(&bytes).to_le_bytes());
        write_whole(path, |file| Ok(file.write_all(&bytes)?))
    }

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let header = serde_json::to_vec(&Header {
            max_tokens: self.max_tokens,
            functions: self.len(),
            tokens: self.tokens.len(),
            name_bytes: self.names.len(),
            sources: self.sources.clone(),
            tokenizer: self.bpe.to_json(),
        })?;
        let lengths = |ends: &[usize]| -> Vec<u16> {
            let length = |i| range(ends, i).len() as u16;
            (0..ends.len()).map(length).collect()
        };
        let (counts, name_lengths) = (lengths(&self.token_ends), lengths(&self.name_ends));
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u32::try_from(header.len())?.to_le_bytes());
        bytes.extend(header);
        for part in [&counts, &self.origins, &name_lengths, &self.tokens] {
            bytes.extend(part.iter().flat_map(|number| number.to_le_bytes()));
        }
        bytes.extend(self.names.as_bytes());
        Ok(bytes)
    }

    /// Number of functions.
    pub fn len(&self) -> usize {
        self.origins.len()
    }

    /// True if there are no functions.
    pub fn is_empty(&self) -> bool {
        self.origins.is_empty()
    }

    /// Tokens of function `i`, 1 to `max_tokens` of them, without special tokens.
    ///
    /// # Panics
    /// Here and below: if `i` is not below [`Self::len`].
    pub fn tokens(&self, i: usize) -> &[u16] {
        &self.tokens[range(&self.token_ends, i)]
    }

    /// Source text of function `i`.
    pub fn text(&self, i: usize) -> String {
        let tokens: Vec<u32> = self.tokens(i).iter().copied().map(u32::from).collect();
        self.bpe.decode(&tokens)
    }

    /// Name of function `i`, `Class.method` for a method.
    pub fn name(&self, i: usize) -> &str {
        &self.names[range(&self.name_ends, i)]
    }

    /// Origin of function `i`.
    pub fn origin(&self, i: usize) -> &CorpusSource {
        &self.sources[usize::from(self.origins[i])]
    }

    /// The tokenizer.
    pub fn bpe(&self) -> &Bpe {
        &self.bpe
    }

    /// Upper bound of the tokens of a function.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Origins of the functions.
    pub fn sources(&self) -> &[CorpusSource] {
        &self.sources
    }

    /// Membership of function `i` in a validation split of a `share` (0 to 1). Determined by its tokens
    /// alone: a function is on the same side in every corpus of the tokenizer, and the split of a small
    /// share is contained in that of a larger one.
    pub fn is_validation(&self, i: usize, share: f64) -> bool {
        let hash = hash(self.tokens(i).iter().flat_map(|token| token.to_le_bytes()));
        // 53 bits, which a double represents exactly.
        ((hash >> 11) as f64) < share * (1u64 << 53) as f64
    }
}

const CUT: &str = "the corpus is cut: its end is missing";

struct ByteReader<'a>(&'a [u8]);

impl<'a> ByteReader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).context(CUT)?;
        self.0 = rest;
        Ok(taken)
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let (pairs, _) = bytes.as_chunks();
    pairs.iter().map(|pair| u16::from_le_bytes(*pair))
}

fn ends(lengths: &[u8]) -> Vec<usize> {
    let sum = |end: &mut usize, length: u16| {
        *end += usize::from(length);
        Some(*end)
    };
    numbers(lengths).scan(0, sum).collect()
}

fn range(ends: &[usize], i: usize) -> Range<usize> {
    let start = if i == 0 { 0 } else { ends[i - 1] };
    start..ends[i]
}
