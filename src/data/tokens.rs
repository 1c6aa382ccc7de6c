//! Numbers and programs as the models see them: one token a character, closed and filled up by `</s>`.
//!
//! The vocabularies are `tokenizers` files, assets/sums-tokenizer.json and assets/operators-tokenizer.json.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use tokenizers::Tokenizer;

use super::language::{Code, Language};

/// Begins every decoded sequence, as in T5.
pub const PAD: i32 = 0;
const END: i32 = 1;

/// A number or a program in tokens, as many as the language's words have.
pub type TokenIds = Vec<i32>;

/// Turns a language's programs and states into tokens and back.
pub struct SumTokenizer {
    /// The language.
    pub language: Language,
    vocabulary_size: usize,
    words: Vec<TokenIds>,
    codes: HashMap<TokenIds, Code>,
}

impl SumTokenizer {
    /// Reads the bundled vocabulary and spells every program with it.
    ///
    /// # Errors
    /// Only if the bundled file is broken.
    pub fn new(language: Language) -> Result<Self> {
        let (name, file) = match language {
            Language::Operators => (
                "assets/operators-tokenizer.json",
                include_str!("../../assets/operators-tokenizer.json"),
            ),
            _ => (
                "assets/sums-tokenizer.json",
                include_str!("../../assets/sums-tokenizer.json"),
            ),
        };
        let tokenizer = file
            .parse::<Tokenizer>()
            .map_err(|e| anyhow!("{e}"))
            .context(name)?;
        let spell = |code: Code| -> Result<TokenIds> {
            let encoding = tokenizer
                .encode(language.spell(code), false)
                .map_err(|e| anyhow!("{e}"))?;
            let mut word = empty_result(language);
            for (token, id) in word.iter_mut().zip(encoding.get_ids()) {
                *token = *id as i32;
            }
            Ok(word)
        };
        let words: Vec<TokenIds> = language.codes().map(spell).collect::<Result<_>>()?;
        let codes = words.iter().cloned().zip(language.codes()).collect();
        Ok(Self {
            language,
            vocabulary_size: tokenizer.get_vocab_size(true),
            words,
            codes,
        })
    }

    /// The number of different tokens.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    /// The tokens of a program; `None` if it is none of the language's.
    pub fn encode(&self, code: Code) -> Option<&[i32]> {
        self.words
            .get(self.language.index_of(code)?)
            .map(Vec::as_slice)
    }

    /// The tokens of a number; `None` if it is none of the language's.
    pub fn encode_number(&self, number: i32) -> Option<&[i32]> {
        self.encode(Code::Add(number))
    }

    /// The program the tokens spell; `None` unless they are just what [`Self::encode`] writes.
    pub fn decode(&self, tokens: &[i32]) -> Option<Code> {
        self.codes.get(tokens).copied()
    }

    /// The number the tokens spell; `None` unless they are just what [`Self::encode_number`] writes.
    pub fn decode_number(&self, tokens: &[i32]) -> Option<i32> {
        match self.decode(tokens)? {
            Code::Add(number) => Some(number),
            Code::Times(_) => None,
        }
    }
}

/// The word without a number: what a program leads to where the result is no state.
pub fn empty_result(language: Language) -> TokenIds {
    vec![END; language.word_length()]
}
