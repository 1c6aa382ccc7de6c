//! Numbers as the models see them: one token a character, closed and filled up by `</s>`.
//!
//! The vocabulary is a `tokenizers` file, assets/sums-tokenizer.json.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use tokenizers::Tokenizer;

use super::sums::CODES;

/// Tokens a number is written in: a sign, two digits, and the end.
pub const LENGTH: usize = 4;
/// Begins every decoded sequence, as in T5.
pub const PAD: i32 = 0;
const END: i32 = 1;

/// A number in tokens.
pub type Word = [i32; LENGTH];

/// The word without a number: what a program leads to where the result is no state.
pub const NOTHING: Word = [END; LENGTH];

/// Turns the numbers -99..=99 into tokens and back.
pub struct Lexicon {
    vocabulary_size: usize,
    words: Vec<Word>,
    numbers: HashMap<Word, i32>,
}

impl Lexicon {
    /// Reads the bundled vocabulary and spells every number with it.
    ///
    /// # Errors
    /// Only if the bundled file is broken.
    pub fn new() -> Result<Self> {
        let tokenizer = Tokenizer::from_bytes(include_bytes!("../../assets/sums-tokenizer.json"))
            .map_err(|e| anyhow!("{e}"))
            .context("assets/sums-tokenizer.json")?;
        let spell = |number: i32| -> Result<Word> {
            let encoding = tokenizer
                .encode(number.to_string(), false)
                .map_err(|e| anyhow!("{e}"))?;
            let mut word = [END; LENGTH];
            for (token, id) in word.iter_mut().zip(encoding.get_ids()) {
                *token = *id as i32;
            }
            Ok(word)
        };
        let words: Vec<Word> = CODES.map(spell).collect::<Result<_>>()?;
        let numbers = words.iter().copied().zip(CODES).collect();
        Ok(Self {
            vocabulary_size: tokenizer.get_vocab_size(true),
            words,
            numbers,
        })
    }

    /// The number of different tokens.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    /// The tokens of a number in -99..=99; `None` outside.
    pub fn encode(&self, number: i32) -> Option<Word> {
        self.words
            .get(usize::try_from(number.checked_sub(*CODES.start())?).ok()?)
            .copied()
    }

    /// The number the tokens spell; `None` unless they are just what [`Self::encode`] writes.
    pub fn decode(&self, tokens: &[i32]) -> Option<i32> {
        self.numbers.get(tokens).copied()
    }
}
