//! Lossless tokenizer: a byte-level BPE (Sennrich et al. 2016; Radford et al. 2019), trained here or
//! provided by the user. Every byte has a token, so no text is unknown.

use std::{fmt, fs, path::Path};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokenizers::{
    AddedToken, Tokenizer,
    decoders::byte_level::ByteLevel,
    models::{
        TrainerWrapper,
        bpe::{BPE, BpeTrainer},
    },
};

use super::hash::hash;

/// Special tokens of a vocabulary trained here, at RoBERTa's ids 0 to 4.
pub const SPECIALS: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];
/// Smallest vocabulary size: the special tokens and every byte.
pub const MIN_VOCABULARY: usize = SPECIALS.len() + 256;

const PADS: [&str; 4] = ["<pad>", "[PAD]", "<|pad|>", "<PAD>"];
/// Probe of a text that a tokenizer without bytes, or with normalisation, does not reproduce.
const PROBE: &str = " def f(x):\r\n\tif x  <= 'e\u{301} \u{e9}\u{fb01} \u{1f600}\u{3000}\0':\n        return\u{a0}X # <s> </s>[PAD]<mask> \n\n ";

/// Invariant that [`Bpe::new`] establishes.
const ALL_BYTES: &str = "every byte has a token: `new` looked";

/// Byte-level BPE: a vocabulary and the merges that split text into its tokens.
#[derive(Clone)]
pub struct Bpe {
    tokenizer: Tokenizer,
    json: String,
    pad: u32,
}

impl Bpe {
    /// Tokenizer trained on texts, of at most `vocabulary` tokens; fewer if the texts have no more pairs to
    /// merge. Independent of the order of the texts.
    ///
    /// # Errors
    /// If `vocabulary` is below [`MIN_VOCABULARY`].
    pub fn train(texts: impl Iterator<Item = String> + Send, vocabulary: usize) -> Result<Self> {
        ensure!(
            vocabulary >= MIN_VOCABULARY,
            "a vocabulary of {vocabulary} is too small: every byte has a token, so at least {MIN_VOCABULARY}"
        );
        let mut tokenizer = byte_level(BPE::default());
        let mut trainer = TrainerWrapper::BpeTrainer(
            BpeTrainer::builder()
                .vocab_size(vocabulary)
                .min_frequency(2)
                .show_progress(false)
                .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
                .special_tokens(SPECIALS.map(|name| AddedToken::from(name, true)).to_vec())
                .build(),
        );
        tokenizer
            .train(&mut trainer, texts)
            .map_err(|error| anyhow!("can't train a tokenizer: {error}"))?;
        Self::new(tokenizer)
    }

    /// Tokenizer of the output of [`Self::to_json`], or of any byte-level tokenizer.json.
    ///
    /// # Errors
    /// If the text is no tokenizer, the tokenizer is not lossless, or it has no padding token.
    pub fn from_json(json: &str) -> Result<Self> {
        let tokenizer = json.parse::<Tokenizer>().map_err(|error| {
            anyhow!("expected a tokenizer.json of the tokenizers library: {error}")
        })?;
        Self::new(tokenizer)
    }

    /// Tokenizer of a file: a tokenizer.json, a vocab.json with the merges.txt beside it, or a folder of either.
    ///
    /// # Errors
    /// As [`Self::from_json`], and if a file can't be read; the file is named.
    pub fn read(path: &Path) -> Result<Self> {
        let path = match path.join("tokenizer.json") {
            inside if path.is_dir() && inside.is_file() => inside,
            _ => path.to_owned(),
        };
        let is_part = path.ends_with("vocab.json") || path.ends_with("merges.txt");
        let read = || match path.parent() {
            _ if path.is_dir() => from_vocabulary(&path),
            Some(folder) if is_part => from_vocabulary(folder),
            _ => Self::from_json(&fs::read_to_string(&path)?),
        };
        read().with_context(|| path.display().to_string())
    }

    fn new(mut tokenizer: Tokenizer) -> Result<Self> {
        // A function may contain the text `<pad>`, which must stay text.
        tokenizer.set_encode_special_tokens(true);
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(plain)?;
        let pad = PADS.iter().find_map(|name| tokenizer.token_to_id(name));
        let pad = pad.with_context(|| format!("has no padding token: none of {PADS:?}"))?;
        let mut bytes = ByteLevel::alphabet().into_iter();
        let has_token = |byte: &char| tokenizer.token_to_id(&byte.to_string()).is_some();
        if let Some(byte) = bytes.find(|byte| !has_token(byte)) {
            bail!("is no byte-level BPE: {byte:?} has no token");
        }
        let json = serde_json::to_string(&tokenizer)?;
        let bpe = Self {
            tokenizer,
            json,
            pad,
        };
        ensure!(
            [PROBE, PROBE.trim_start()]
                .iter()
                .all(|text| bpe.decode(&bpe.encode(text)) == *text),
            "doesn't give text back exactly: expected a byte-level BPE that changes no character and adds no space"
        );
        Ok(bpe)
    }

    /// Content of a tokenizer.json.
    pub fn to_json(&self) -> String {
        self.json.clone()
    }

    /// Token ids of a text; no special token is added or parsed.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let encoding = self.tokenizer.encode_fast(text, false);
        encoding.expect(ALL_BYTES).get_ids().to_vec()
    }

    /// [`Self::encode`] of many texts, in parallel.
    pub fn encode_all(&self, texts: &[String]) -> Vec<Vec<u32>> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let encodings = self.tokenizer.encode_batch_fast(texts, false);
        let encodings = encodings.expect(ALL_BYTES).into_iter();
        encodings
            .map(|encoding| encoding.get_ids().to_vec())
            .collect()
    }

    /// Text of token ids, without special tokens: the inverse of [`Self::encode`]. Bytes that are no valid
    /// UTF-8 become U+FFFD, and ids beyond the vocabulary nothing.
    pub fn decode(&self, tokens: &[u32]) -> String {
        self.tokenizer.decode(tokens, true).unwrap_or_default()
    }

    /// Display text of one token, or its name if it is special; an incomplete character is U+FFFD.
    pub fn piece(&self, token: u32) -> String {
        let text = self.decode(&[token]);
        if text.is_empty() {
            self.tokenizer.id_to_token(token).unwrap_or_default()
        } else {
            text
        }
    }

    /// Number of tokens, special ones included; all ids are below it.
    pub fn size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    /// Length of the longest token, in bytes.
    pub fn max_token_bytes(&self) -> usize {
        let pieces = (0..self.size()).map(|token| self.piece(token as u32).len());
        pieces.max().unwrap_or(0)
    }

    /// Padding token; 1 for a vocabulary trained here.
    pub fn pad(&self) -> u32 {
        self.pad
    }

    /// Hash of the whole tokenizer: 16 hexadecimal digits, equal only for equal tokenizers.
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", hash(self.json.bytes()))
    }
}

impl fmt::Debug for Bpe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bpe({} tokens, {})", self.size(), self.fingerprint())
    }
}

fn byte_level(model: BPE) -> Tokenizer {
    let mut tokenizer = Tokenizer::new(model);
    tokenizer
        .with_pre_tokenizer(Some(ByteLevel::new(false, true, true)))
        .with_decoder(Some(ByteLevel::new(false, true, true)));
    tokenizer
}

fn from_vocabulary(folder: &Path) -> Result<Bpe> {
    let [vocabulary, merges] = ["vocab.json", "merges.txt"].map(|name| folder.join(name));
    for file in [&vocabulary, &merges] {
        ensure!(
            file.is_file(),
            "expected a tokenizer.json, or vocab.json and merges.txt side by side: {} is missing",
            file.display()
        );
    }
    let (vocabulary, merges) = (vocabulary.to_string_lossy(), merges.to_string_lossy());
    let model = BPE::from_file(&vocabulary, &merges)
        .build()
        .map_err(plain)?;
    let mut tokenizer = byte_level(model);
    let mut known: Vec<&str> = SPECIALS.into_iter().chain(PADS).collect();
    known.retain(|name| tokenizer.token_to_id(name).is_some());
    let known = known.into_iter().map(|name| AddedToken::from(name, true));
    tokenizer
        .add_special_tokens(known.collect::<Vec<_>>())
        .map_err(plain)?;
    Bpe::new(tokenizer)
}

/// Error of the tokenizers library by its message.
fn plain(error: tokenizers::Error) -> anyhow::Error {
    anyhow!("{error}")
}
