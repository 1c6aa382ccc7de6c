//! Trigram model of tokens, by Witten-Bell interpolation (Witten and Bell 1991, IEEE Transactions on Information Theory 37;
//! method C): what was seen after two tokens, after one, at all.

use std::{
    collections::HashMap,
    io::{Read, Write},
};

use anyhow::{Context as _, Result, ensure};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

/// Token before the first of a function.
pub const START: u32 = 0xfff;
/// Occurrences from which a continuation is kept.
const LEAST: u32 = 2;

/// Continuations of one or two tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Continuations {
    /// Occurrences of the context before tokens that are kept.
    count: u32,
    /// Different tokens that followed.
    distinct: u32,
    /// Tokens that followed more than once, in order, and how often.
    tokens: Vec<(u32, u32)>,
}

/// The model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NGram {
    vocabulary: usize,
    /// By the context's tokens, 12 bits each: none, one or two, marked by its number of tokens.
    contexts: HashMap<u32, Continuations>,
}

/// Key of a context of at most two tokens.
fn key(context: &[u32]) -> u32 {
    let tokens = context.iter().fold(0, |key, token| key << 12 | token);
    (context.len() as u32) << 24 | tokens
}

impl NGram {
    /// Counts sequences of tokens below `vocabulary`, which is at most 4,095.
    pub fn new<'a>(vocabulary: usize, sequences: impl Iterator<Item = &'a [u16]>) -> Self {
        let mut counts: HashMap<u64, u32> = HashMap::new();
        for sequence in sequences {
            let [mut first, mut second] = [START; 2];
            for token in sequence {
                let token = u32::from(*token);
                for context in [&[][..], &[second], &[first, second]] {
                    let place = u64::from(key(context)) << 12 | u64::from(token);
                    *counts.entry(place).or_default() += 1;
                }
                (first, second) = (second, token);
            }
        }
        let mut contexts: HashMap<u32, Continuations> = HashMap::new();
        for (place, count) in counts {
            let context = contexts.entry((place >> 12) as u32).or_default();
            context.distinct += 1;
            if count >= LEAST {
                context.count += count;
                context.tokens.push(((place & 0xfff) as u32, count));
            }
        }
        // Continuations seen once say nothing that the shorter context doesn't.
        contexts.retain(|_, context| context.count > 0);
        contexts
            .values_mut()
            .for_each(|context| context.tokens.sort_unstable());
        Self {
            vocabulary,
            contexts,
        }
    }

    /// Probability of a token after two others, or [`START`].
    pub fn probability(&self, [first, second]: [u32; 2], token: u32) -> f64 {
        let mut probability = 1.0 / self.vocabulary as f64;
        for context in [&[][..], &[second], &[first, second]] {
            if let Some(seen) = self.contexts.get(&key(context)) {
                let found = seen
                    .tokens
                    .binary_search_by_key(&token, |(token, _)| *token);
                let count = found.map_or(0.0, |at| f64::from(seen.tokens[at].1));
                let new = f64::from(seen.distinct);
                probability = (count + new * probability) / (f64::from(seen.count) + new);
            }
        }
        probability
    }

    /// The tokens seen most often after one or two others, the most frequent first.
    pub fn likeliest(&self, context: &[u32], count: usize) -> Vec<u32> {
        let Some(seen) = self.contexts.get(&key(context)) else {
            return Vec::new();
        };
        let mut tokens = seen.tokens.clone();
        tokens.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        tokens.truncate(count);
        tokens.into_iter().map(|(token, _)| token).collect()
    }

    /// The model packed: contexts in order, each key as the difference from the one before, all numbers as LEB128, then zlib.
    ///
    /// # Errors
    /// Of the compressor.
    pub fn pack(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut put = |mut number: u32| {
            while number >= 0x80 {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
        };
        put(self.vocabulary as u32);
        put(self.contexts.len() as u32);
        let mut keys: Vec<u32> = self.contexts.keys().copied().collect();
        keys.sort_unstable();
        let mut before = 0;
        for key in keys {
            let context = &self.contexts[&key];
            put(key - before);
            before = key;
            put(context.count);
            put(context.distinct);
            put(context.tokens.len() as u32);
            let mut before = 0;
            for (token, count) in &context.tokens {
                put(token - before);
                before = *token;
                put(*count);
            }
        }
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        Ok(encoder.finish()?)
    }

    /// The model that [`Self::pack`] packed.
    ///
    /// # Errors
    /// If it is cut or none.
    pub fn unpack(packed: &[u8]) -> Result<Self> {
        let mut bytes = Vec::new();
        ZlibDecoder::new(packed)
            .read_to_end(&mut bytes)
            .context("is no trigram model")?;
        let mut rest = bytes.into_iter();
        let mut take = || -> Result<u32> {
            let (mut number, mut shift) = (0, 0);
            loop {
                let byte = rest.next().context("is a trigram model that was cut")?;
                ensure!(shift < 32, "is no trigram model");
                number |= u32::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    return Ok(number);
                }
            }
        };
        let (vocabulary, count) = (take()? as usize, take()?);
        let mut contexts = HashMap::new();
        let mut key = 0_u32;
        for _ in 0..count {
            key = key.wrapping_add(take()?);
            let (count, distinct, length) = (take()?, take()?, take()?);
            let mut token = 0_u32;
            let tokens = (0..length).map(|_| {
                token = token.wrapping_add(take()?);
                Ok((token, take()?))
            });
            let tokens = tokens.collect::<Result<_>>()?;
            let context = Continuations {
                count,
                distinct,
                tokens,
            };
            contexts.insert(key, context);
        }
        Ok(Self {
            vocabulary,
            contexts,
        })
    }
}
