//! Code Glyphs: networks, recipe, training, questions, pictures, judgement and the command line. The
//! models here are tiny and know next to nothing.

mod captured;
mod code;
mod command_line;
mod config;
mod curriculum;
mod distortions;
mod evaluation;
mod inference;
mod job;
mod mosaic;
mod pages;
mod photos;
mod pictures;
mod prior;
mod readings;
mod roberta;
mod similarity;
mod training;

use std::sync::{Arc, LazyLock};

use burn::tensor::Device;
use glyphspace::{
    data::{
        bpe::Bpe,
        corpus::{Corpus, CorpusSource, sample},
    },
    glyphs::config::GlyphsConfig,
    glyphs::{inference::GlyphReader, system::GlyphsTrainer},
    training::config::Config as _,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Longest function of the tiny models, in tokens.
const MAX_TOKENS: usize = 24;

/// Small functions, no two alike, and at last one that is too long for the tiny models.
fn functions() -> Vec<(String, String)> {
    let names = ["add", "join", "best", "swap", "turn", "gather"];
    let results = [
        "a + b", "a - b", "a * b", "a < b", "a or b", "[a, b]", "a[b]", "b, a",
    ];
    let each = names
        .iter()
        .flat_map(|name| results.iter().map(move |result| (name, result)));
    let function = |name: &str, result: &str| {
        (
            name.to_owned(),
            format!("def {name}(a, b):\n    return {result}"),
        )
    };
    let each = each.map(|(name, result)| function(name, result));
    each.chain([function("long", &["a + b"; 12].join(" * "))])
        .collect()
}

fn corpus_with(bpe: Bpe) -> Corpus {
    let source = CorpusSource {
        name: "tests".into(),
        licence: None,
        files: 1,
        functions: 0,
    };
    let mut corpus = Corpus::new(bpe.clone(), 128, vec![source]).unwrap();
    for (name, text) in functions() {
        corpus.push(0, &name, &bpe.encode(&text)).unwrap();
    }
    corpus
}

static CORPUS: LazyLock<Arc<Corpus>> = LazyLock::new(|| {
    let texts = sample().split("\n\n\n").map(str::to_owned);
    Arc::new(corpus_with(Bpe::train(texts, 600).unwrap()))
});

fn corpus() -> Arc<Corpus> {
    CORPUS.clone()
}

fn tokens_of(corpus: &Corpus, i: usize) -> Vec<u32> {
    corpus.tokens(i).iter().map(|&token| token.into()).collect()
}

const SIZES: [&str; 11] = [
    "num_attention_heads=2",
    "hidden_size=16",
    "num_hidden_layers=1",
    "intermediate_size=32",
    "painter=8",
    "blocks=1",
    "reader=8",
    "pose=2",
    "locator=2",
    "latent=8",
    "batch=4",
];

/// A tiny model with some keys set.
fn tiny(assignments: &[&str]) -> GlyphsConfig {
    shrunk("pocket", assignments)
}

/// A preset of which little but the recipe is left.
fn shrunk(preset: &str, assignments: &[&str]) -> GlyphsConfig {
    let mut config = GlyphsConfig::preset(preset).unwrap();
    config.max_tokens = MAX_TOKENS;
    for assignment in SIZES.iter().chain(assignments) {
        config.set(assignment).unwrap();
    }
    config
}

fn trainer(config: GlyphsConfig) -> GlyphsTrainer {
    GlyphsTrainer::new(config, corpus(), &Device::flex()).unwrap()
}

/// An untrained model.
fn reader() -> GlyphReader {
    trainer(tiny(&[])).snapshot()
}

/// Functions of several layouts, as tokens.
fn rows() -> Vec<Vec<u32>> {
    let texts = [
        "x",
        "def f(): pass",
        "def add(a, b):\n    return a + b",
        "y = 1",
    ];
    texts.map(|text| corpus().bpe().encode(text)).to_vec()
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}
