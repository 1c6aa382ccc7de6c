//! Compressed streams: read to their end before use, since their checksums come last, and abandoned if they
//! unpack to far more than text does.

use std::io::{self, BufReader, Read};

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;

use super::item::{Item, ItemSink};

/// Size that any stream may unpack to.
const ALWAYS_ALLOWED_BYTES: u64 = 256 << 20;
/// Largest compression ratio beyond that size: text compresses to a tenth, rarely to a hundredth.
const MAX_RATIO: u64 = 300;

/// True for a decompression bomb: a stream that unpacks to more than allowed for its size.
pub fn is_bomb(packed: u64, unpacked: u64) -> bool {
    unpacked > ALWAYS_ALLOWED_BYTES.max(packed.saturating_mul(MAX_RATIO))
}

/// Message for a decompression bomb.
pub const BOMB: &str = "unpacks to more than 300 times its size, as no text does";

/// Content of a stream that may be compressed by gzip.
pub fn content<'a>(stream: impl Read + 'a, gz: bool) -> Box<dyn Read + 'a> {
    match gz {
        true => Box::new(MultiGzDecoder::new(BufReader::new(stream))),
        false => Box::new(stream),
    }
}

/// Reads a stream of `packed` bytes to its end, where its checksum is verified.
pub fn drain(stream: &mut dyn Read, packed: u64, sink: &mut ItemSink) -> Result<()> {
    let mut stream = Metered::new(stream, packed);
    let mut chunk = vec![0; 1 << 20];
    while stream.read(&mut chunk).context("is cut or damaged")? > 0 {
        sink(Item::Busy)?;
    }
    Ok(())
}

/// Reader that counts its output and fails on a decompression bomb.
pub struct Metered<R> {
    stream: R,
    packed: u64,
    read: u64,
    /// Number of trailing zero bytes so far.
    pub zeros: u64,
}

impl<R> Metered<R> {
    /// Meters a stream of `packed` compressed bytes.
    pub fn new(stream: R, packed: u64) -> Self {
        Self {
            stream,
            packed,
            read: 0,
            zeros: 0,
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.read += count as u64;
        let zeros = buffer[..count].iter().rev().take_while(|byte| **byte == 0);
        match zeros.count() {
            all if all == count => self.zeros += count as u64,
            some => self.zeros = some as u64,
        }
        if is_bomb(self.packed, self.read) {
            return Err(io::Error::other(BOMB));
        }
        Ok(count)
    }
}
