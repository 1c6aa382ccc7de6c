//! Code of a glyph's cells: a function's tokens, a check, and parity that mends what is lost.
//!
//! ```text
//! | number of tokens | check: 2 symbols of a hash | tokens | parity, as many as the layout has cells left |
//! ```
//!
//! Each cell holds a symbol of one Reed-Solomon codeword, so that any cells that are lost can be mended by as many others. A
//! reading is verified if the number of its tokens and their check are right: one in 8.6 billion wrong ones is, too.

use std::ops::{Range, RangeInclusive};

use sha2::{Digest, Sha256};

use super::{
    networks::mosaic::Layouts,
    reed_solomon::{SYMBOLS, corrections, parity, syndromes},
};

/// Symbols before the tokens.
pub const HEADER: usize = 3;
/// Parity symbols of every function, besides those for its tokens: a short one has room, and loses as large a part of its
/// picture.
pub const SPARE: usize = 15;
/// Shares of the parity that are spent on the symbols the reader is least certain of, in the order they are tried
/// (generalised minimum distance decoding, Forney 1966).
const ERASED: [f64; 8] = [0.0, 0.5, 0.25, 0.75, 0.95, 0.85, 0.65, 0.35];
/// How many of them are tried with another number of tokens than the one that was read.
const ERASED_OTHERWISE: usize = 4;
/// How many of them are tried by [`decode_briefly`].
const ERASED_BRIEFLY: usize = 3;

/// Confidence in the first symbol from which there is no doubt about it.
const CERTAIN: f32 = 0.9;

/// A codeword that was read, corrected.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrected {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// True for each symbol of the codeword that was mended.
    pub is_mended: Vec<bool>,
}

/// Cells needed for `tokens` tokens with [`SPARE`] parity symbols and `share` more a token; without a code, where the share is
/// 0, one a token.
pub fn cells_for(tokens: usize, share: f64) -> usize {
    match share > 0.0 {
        true => HEADER + tokens + SPARE + (tokens as f64 * share).ceil() as usize,
        false => tokens,
    }
}

/// Numbers of tokens that functions of a layout have, by its index.
pub fn lengths_of(layouts: &Layouts, layout: usize, share: f64) -> RangeInclusive<usize> {
    let most = layouts.all[layout].slots();
    let fits = |tokens: &usize| {
        let cells = cells_for(*tokens, share);
        cells <= most && layouts.index_for(cells) == layout
    };
    let first = (1..=most).find(fits).unwrap_or(1);
    let last = (first..=most).take_while(fits).last().unwrap_or(first);
    first..=last
}

/// Symbols of `cells` cells, which are at least those of [`cells_for`].
pub fn encode(tokens: &[u32], cells: usize) -> Vec<u32> {
    let mut symbols = header(tokens).to_vec();
    symbols.extend(tokens.iter().map(|token| *token as u16));
    let parity = parity(&symbols, cells.saturating_sub(symbols.len()));
    symbols.extend(parity);
    symbols.into_iter().map(u32::from).collect()
}

/// Tokens of the codeword nearest to `symbols`, if they are verified. `confidence` is the reader's in each symbol, 0 where it is
/// lost; `lengths` are the numbers of tokens to try.
pub fn decode(
    symbols: &[u32],
    confidence: &[f32],
    lengths: RangeInclusive<usize>,
) -> Option<Corrected> {
    let word = Received::new(symbols, confidence, lengths);
    // The length that was read is most likely right.
    let said = word.said_length();
    let others = word.lengths.clone();
    let others = others.filter(|length| Some(*length) != said && word.parity_of(*length) > 0);
    let shares = ERASED[..ERASED_OTHERWISE].iter();
    let otherwise = shares.flat_map(|share| others.clone().map(|length| (length, *share)));
    let likely = said.into_iter();
    let likely = likely.flat_map(|length| ERASED.map(|share| (length, share)));
    let mut tries = likely.chain(otherwise);
    tries.find_map(|(length, share)| word.corrected(length, share))
}

/// [`decode`] with few tries, for symbols that may not even be those of one glyph: none if a length was read for certain that
/// can't be; if the length is lost, tries as if it were the longest, for the parity of that is part of what shorter ones have.
pub fn decode_briefly(
    symbols: &[u32],
    confidence: &[f32],
    lengths: RangeInclusive<usize>,
) -> Option<Corrected> {
    let word = Received::new(symbols, confidence, lengths);
    let length = match word.said_length() {
        Some(length) => length,
        None if confidence[0] >= CERTAIN => return None,
        None => *word.lengths.end(),
    };
    let mut shares = ERASED[..ERASED_BRIEFLY].iter();
    shares.find_map(|share| word.corrected(length, *share))
}

/// Symbols as they were read.
struct Received {
    symbols: Vec<u16>,
    lengths: RangeInclusive<usize>,
    /// Places of the symbols, the least certain first.
    doubtful: Vec<usize>,
    /// Symbols that are lost.
    lost: usize,
    /// Those of the most parity that there can be.
    syndromes: Vec<u16>,
}

impl Received {
    fn new(symbols: &[u32], confidence: &[f32], lengths: RangeInclusive<usize>) -> Self {
        let symbols = symbols.iter();
        let symbols: Vec<u16> = symbols
            .map(|symbol| (*symbol % SYMBOLS as u32) as u16)
            .collect();
        let mut doubtful: Vec<usize> = (0..symbols.len()).collect();
        doubtful.sort_by(|a, b| confidence[*a].total_cmp(&confidence[*b]));
        let most = symbols.len().saturating_sub(HEADER + lengths.start());
        Self {
            syndromes: syndromes(&symbols, most),
            lost: confidence.iter().filter(|share| **share == 0.0).count(),
            symbols,
            lengths,
            doubtful,
        }
    }

    fn parity_of(&self, length: usize) -> usize {
        self.symbols.len().saturating_sub(HEADER + length)
    }

    /// The number of tokens that was read, if there can be so many.
    fn said_length(&self) -> Option<usize> {
        let said = usize::from(*self.symbols.first()?);
        self.lengths.contains(&said).then_some(said)
    }

    /// The codeword with parity for `length` tokens, if it is verified. Erased are the lost symbols, and of the parity that is
    /// left then a share for the least certain others.
    fn corrected(&self, length: usize, share: f64) -> Option<Corrected> {
        let count = self.parity_of(length);
        let left = count.checked_sub(self.lost)?;
        let erased = self.lost + (left as f64 * share) as usize;
        let (syndromes, erased) = (&self.syndromes[..count], &self.doubtful[..erased]);
        let mut mended = self.symbols.clone();
        for (place, difference) in corrections(syndromes, mended.len(), erased)? {
            mended[place] ^= difference;
        }
        let length = usize::from(mended[0]);
        if !self.lengths.contains(&length) {
            return None;
        }
        let tokens = mended[HEADER..HEADER + length].iter();
        let tokens: Vec<u32> = tokens.map(|symbol| u32::from(*symbol)).collect();
        let is_mended = std::iter::zip(&mended, &self.symbols).map(|(a, b)| a != b);
        let is_mended = is_mended.collect();
        let is_verified = mended[..HEADER] == header(&tokens);
        is_verified.then_some(Corrected { tokens, is_mended })
    }
}

/// Places of the tokens among symbols that can't be verified: as many as the header says, or the most there can be.
pub fn places_unverified(symbols: &[u32], lengths: RangeInclusive<usize>) -> Range<usize> {
    let said = symbols.first().map_or(0, |symbol| *symbol as usize);
    let length = if lengths.contains(&said) {
        said
    } else {
        *lengths.end()
    };
    HEADER..(HEADER + length).min(symbols.len())
}

/// SHA-256 of tokens.
pub(super) fn digest(tokens: &[u32]) -> [u8; 32] {
    let bytes = tokens.iter().flat_map(|token| token.to_le_bytes());
    Sha256::digest(bytes.collect::<Vec<u8>>()).into()
}

/// Number of the tokens, and the first 22 bits of their SHA-256.
fn header(tokens: &[u32]) -> [u16; HEADER] {
    let hash = digest(tokens);
    let bits = hash[..3]
        .iter()
        .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    let symbol = |shift: u32| (bits >> shift) as u16 % SYMBOLS as u16;
    [tokens.len() as u16 % SYMBOLS as u16, symbol(13), symbol(2)]
}
