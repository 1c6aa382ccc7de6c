//! Packed streams: read to their end before anything in them counts, since their checksums come last,
//! and given up where they unpack to far more than any text does.

use std::io::{self, Read};

use anyhow::{Context, Result};

use super::read::{Item, Take};

/// Bytes that every stream may unpack to.
const LEAST_BYTES: u64 = 256 << 20;
/// Beyond those, as many times what is packed: text is packed to a tenth, seldom to a hundredth.
const MOST_TIMES: u64 = 300;

/// Decompression bombs: streams that unpack to more than so many bytes may.
pub fn is_bomb(packed: u64, unpacked: u64) -> bool {
    unpacked > LEAST_BYTES.max(packed.saturating_mul(MOST_TIMES))
}

/// Reason to give up a decompression bomb.
pub const BOMB: &str = "unpacks to more than 300 times its size, as no text does";

/// Reads a stream of `packed` bytes to its end, where it says whether it is whole.
pub fn drain(stream: &mut dyn Read, packed: u64, take: &mut Take) -> Result<()> {
    let mut stream = Metered::new(stream, packed);
    let mut chunk = vec![0; 1 << 20];
    while stream.read(&mut chunk).context("is cut or damaged")? > 0 {
        take(Item::Busy)?;
    }
    Ok(())
}

/// A stream that counts what is read, and fails where that is too much.
pub struct Metered<R> {
    stream: R,
    packed: u64,
    read: u64,
    /// The zeros it ended in so far.
    pub zeros: u64,
}

impl<R> Metered<R> {
    /// A stream out of `packed` bytes.
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
