//! Text to token ids: sums and their held-out split; Python functions, their tokens and corpora.
//!
//! A sum is parsed, checked against a language and encoded; a Python source is split into its functions:
//!
//! ```
//! use glyphspace::data::{language::Language, python, sums::Sum, tokens::SumTokenizer};
//!
//! let sum: Sum = "71+?=18".parse()?;
//! assert_eq!(sum.solution().to_string(), "-53");
//!
//! let tokenizer = SumTokenizer::new(Language::TwoDigits)?;
//! let token_ids = tokenizer.encode(sum.solution()).expect("-53 is a program of the language");
//! assert_eq!(token_ids.len(), Language::TwoDigits.word_length());
//! assert_eq!(tokenizer.decode(token_ids), Some(sum.solution()));
//!
//! let functions = python::functions("class Box:\n    def area(self):\n        return self.w * self.h\n")?;
//! assert_eq!(functions[0].name, "Box.area");
//! assert_eq!(functions[0].source, "def area(self):\n    return self.w * self.h");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bpe;
pub mod corpus;
pub mod hash;
pub mod language;
pub mod ngram;
pub mod python;
pub mod split;
pub mod sums;
pub mod tokens;
