//! Pages: a function of more tokens than a glyph holds is painted as several, side by side on one sheet.
//!
//! ```text
//! tokens of a page: | padding | number of the page | number of pages | hash of the whole | tokens of the function |
//! ```
//!
//! No function begins with padding, so a page is a glyph like any other, with a check and parity of its own.

use anyhow::{Result, bail};
use image::{Rgb, RgbImage};

use super::{code::digest, image_io::sheet_on, reading::Decoded, reed_solomon::SYMBOLS};
use crate::{glyphs::config::GLYPH_SIZE, nn::distortions::CORNERS};

/// Tokens before a page's own.
const HEADER: usize = 4;
/// Space around the glyphs of a sheet, in pixels.
const SPACE: u32 = 16;
/// Colour of a sheet, so light that the glyphs' borders stand out.
const PAPER: Rgb<u8> = Rgb([224, 224, 224]);

/// A page that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its number, from 0.
    pub number: usize,
    /// Number of pages.
    pub count: usize,
    /// Hash of the whole function.
    hash: u32,
}

impl Page {
    /// The page that tokens are; `None` if they are a whole function.
    pub fn of(tokens: &[u32], pad: u32) -> Option<Self> {
        let [mark, number, count, hash, ..] = *tokens else {
            return None;
        };
        let (number, count) = (number as usize, count as usize);
        (mark == pad && number < count).then_some(Self {
            number,
            count,
            hash,
        })
    }

    /// True for pages of one function.
    pub fn is_with(&self, other: &Self) -> bool {
        (self.count, self.hash) == (other.count, other.hash)
    }
}

/// Tokens of the glyphs of a function: its own, or pages of at most `limit` tokens, all about as long.
///
/// # Errors
/// If there would be too many pages for their number to be written.
pub fn split(tokens: Vec<u32>, limit: usize, pad: u32) -> Result<Vec<Vec<u32>>> {
    if tokens.len() <= limit {
        return Ok(vec![tokens]);
    }
    let own = limit.saturating_sub(HEADER).max(1);
    let count = tokens.len().div_ceil(own);
    if count >= SYMBOLS {
        bail!(
            "the function has {} tokens: expected at most {}, on {} pages of {own}",
            tokens.len(),
            own * (SYMBOLS - 1),
            SYMBOLS - 1
        );
    }
    let hash = hash(&tokens);
    let own = tokens.len().div_ceil(count);
    let count = tokens.len().div_ceil(own);
    let pages = tokens.chunks(own).enumerate();
    let pages = pages.map(|(number, own)| {
        let header = [pad, number as u32, count as u32, hash];
        [&header, own].concat()
    });
    Ok(pages.collect())
}

/// Readings with the pages among them joined: a function whose pages are all there is verified, of others what is there is
/// read.
pub fn joined(readings: Vec<Decoded>, pad: u32) -> Vec<Decoded> {
    let mut whole: Vec<Decoded> = Vec::new();
    let mut pages: Vec<(Page, Decoded)> = Vec::new();
    for read in readings {
        match Page::of(&read.tokens, pad).filter(|_| read.verified == Some(true)) {
            Some(page) => pages.push((page, read)),
            None => whole.push(read),
        }
    }
    pages.sort_by_key(|(page, _)| page.number);
    while let Some(&(first, _)) = pages.first() {
        let is_own = |page: &mut (Page, Decoded)| page.0.is_with(&first);
        let mut own: Vec<(Page, Decoded)> = pages.extract_if(.., is_own).collect();
        own.dedup_by_key(|(page, _)| page.number);
        let part = |read: &Decoded| {
            (
                read.tokens[HEADER..].to_vec(),
                read.confidence[HEADER..].to_vec(),
            )
        };
        let parts = own.iter().map(|(_, read)| part(read));
        let (tokens, confidence): (Vec<_>, Vec<_>) = parts.unzip();
        let (tokens, confidence) = (tokens.concat(), confidence.concat());
        let is_whole = own.len() == first.count && hash(&tokens) == first.hash;
        whole.push(Decoded {
            tokens,
            confidence,
            verified: Some(is_whole),
            pages: Some([own.len(), first.count]),
            ..own.swap_remove(0).1
        });
    }
    whole
}

/// Glyphs side by side, as near to a square as can be.
pub fn sheet(glyphs: &[RgbImage]) -> RgbImage {
    let size = glyphs.first().map_or(GLYPH_SIZE as u32, RgbImage::width);
    let space = SPACE * size / GLYPH_SIZE as u32;
    sheet_on(glyphs, columns(glyphs.len()), space, PAPER)
}

/// Place of a page on its sheet as corners, where -1 and 1 are the edges of page `from`.
pub fn place_of(number: usize, from: Page) -> [[f64; 2]; 4] {
    let columns = columns(from.count);
    let step = 2.0 * (1.0 + f64::from(SPACE) / GLYPH_SIZE as f64);
    let offset = |of: fn(usize, usize) -> usize| {
        (of(number, columns) as f64 - of(from.number, columns) as f64) * step
    };
    let [x, y] = [
        offset(|n, columns| n % columns),
        offset(|n, columns| n / columns),
    ];
    CORNERS.map(|[left, top]| [left + x, top + y])
}

/// Numbers of the pages beside, above and below a page on its sheet.
pub fn neighbours_of(page: Page) -> Vec<usize> {
    let columns = columns(page.count);
    let place = |number: usize| [number % columns, number / columns];
    let is_beside = |number: &usize| {
        let apart = std::iter::zip(place(*number), place(page.number));
        apart.map(|(a, b)| a.abs_diff(b)).sum::<usize>() == 1
    };
    (0..page.count).filter(is_beside).collect()
}

/// Places of the glyphs of a picture of this size as corners in pixels, if it has that of a [`sheet`]; a page may be missing.
pub fn places_on_sheet([width, height]: [usize; 2]) -> Vec<[[f64; 2]; 4]> {
    let (step, space) = (GLYPH_SIZE + SPACE as usize, SPACE as usize);
    let along = |side: usize| {
        let glyphs = side.checked_sub(space).filter(|glyphs| glyphs % step == 0);
        glyphs.map_or(0, |glyphs| glyphs / step)
    };
    let (columns, rows) = (along(width), along(height));
    if columns * rows < 2 {
        return Vec::new();
    }
    let places = (0..columns * rows).map(|nth| {
        let place = |nth: usize| (space + nth * step) as f64;
        let (x, y, side) = (
            place(nth % columns),
            place(nth / columns),
            GLYPH_SIZE as f64,
        );
        [[x, y], [x + side, y], [x + side, y + side], [x, y + side]]
    });
    places.collect()
}

fn columns(count: usize) -> usize {
    (1..).find(|side| side * side >= count).unwrap_or(1)
}

/// Eleven bits of the tokens' SHA-256.
fn hash(tokens: &[u32]) -> u32 {
    let hash = digest(tokens);
    (u32::from(hash[0]) << 8 | u32::from(hash[1])) % SYMBOLS as u32
}
