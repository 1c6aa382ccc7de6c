//! Tokenizer of numbers and programs: one token per character, terminated and padded by `</s>`.
//!
//! The vocabularies are files of the `tokenizers` library: assets/sums-tokenizer.json and
//! assets/operators-tokenizer.json.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow};
use tokenizers::Tokenizer;

use super::language::{Code, Language};

/// Start token of the decoder, as in T5.
pub const PAD: i32 = 0;
const END: i32 = 1;

/// Token ids of a number or a program, of the language's word length.
pub type TokenIds = Vec<i32>;

/// Tokenizer of a language's programs and states.
pub struct SumTokenizer {
    /// Language of the vocabulary.
    pub language: Language,
    vocabulary_size: usize,
    words: Vec<TokenIds>,
    codes: HashMap<TokenIds, Code>,
}

impl SumTokenizer {
    /// Tokenizer of the bundled vocabulary, with every program encoded.
    ///
    /// # Errors
    /// Only if the bundled file is invalid.
    pub fn new(language: Language) -> Result<Self> {
        let sums = include_str!("../../assets/sums-tokenizer.json");
        let operators = include_str!("../../assets/operators-tokenizer.json");
        let (name, file) = match language {
            Language::Operators => ("assets/operators-tokenizer.json", operators),
            _ => ("assets/sums-tokenizer.json", sums),
        };
        let tokenizer = file.parse::<Tokenizer>();
        let tokenizer = tokenizer.map_err(|e| anyhow!("{e}")).context(name)?;
        let spell = |code: Code| -> Result<TokenIds> {
            let encoding = tokenizer.encode(language.spell(code), false);
            let encoding = encoding.map_err(|e| anyhow!("{e}"))?;
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

    /// Number of distinct tokens.
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    /// Token ids of a program; `None` if the language lacks it. A number is encoded as the program that
    /// adds it.
    pub fn encode(&self, code: Code) -> Option<&[i32]> {
        Some(&self.words[self.language.index_of(code)?])
    }

    /// Program of the token ids; `None` unless they are exactly an output of [`Self::encode`].
    pub fn decode(&self, tokens: &[i32]) -> Option<Code> {
        self.codes.get(tokens).copied()
    }

    /// Number of the token ids; `None` unless they are exactly the encoding of one.
    pub fn decode_number(&self, tokens: &[i32]) -> Option<i32> {
        match self.decode(tokens)? {
            Code::Add(number) => Some(number),
            Code::Times(_) => None,
        }
    }
}

/// Empty word: the target for an execution whose result is no state.
pub fn empty_result(language: Language) -> TokenIds {
    vec![END; language.word_length()]
}
