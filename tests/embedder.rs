//! Idioms of functions, and the embedder that weighs them.

use std::{fs, sync::Arc};

use burn::tensor::Device;
use glyphspace::{
    data::{
        bpe::Bpe,
        corpus::{Corpus, CorpusSource, sample},
        python::{functions, idioms::idioms, rewrites::rewritten, variants},
    },
    embedder::{
        Embedder,
        config::EmbedderConfig,
        evaluation::{map_at_r, tasks},
        system::EmbedderTrainer,
    },
    training::{checkpoint::Source, config::Config},
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::command_line::{check_done, check_refused};

fn of(source: &str) -> Vec<String> {
    idioms(source).into_keys().collect()
}

#[test]
fn idioms_are_what_a_function_computes_with() {
    let source = "@cache\ndef f(a: int, b=7):\n    \"Docs.\"\n    for x in a[::2]:\n        b += x % 2 == 0\n    return sum(b, key='k-w')";
    let found = of(source);
    for idiom in [
        "a7", "acache", "aint", "p2", "r% 2", "r== 0", "s::2", "t%", "t+", "t2", "tsum",
        "t\"k-w\"", "wk", "ww",
    ] {
        assert!(
            found.iter().any(|other| other == idiom),
            "{idiom} of {found:?}"
        );
    }
    assert!(
        !found.iter().any(|idiom| idiom.contains("docs")),
        "{found:?}"
    );
}

#[test]
fn names_and_layout_tell_nothing() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut seen = [0; 2];
    for function in functions(sample()).unwrap() {
        let source = function.source;
        let copies = [
            variants::renamed(&source, &mut rng),
            variants::reformatted(&source, &mut rng),
        ];
        for (copy, seen) in copies.into_iter().zip(&mut seen) {
            if let Some(copy) = copy {
                *seen += usize::from(idioms(&copy) == idioms(&source));
            }
        }
    }
    assert!(seen.iter().all(|seen| *seen > 20), "{seen:?}");
}

#[test]
fn text_that_is_no_python_has_idioms_too() {
    assert!(of("def f(x:\n    return len(x) +").contains(&"tlen".to_owned()));
    assert!(of("").is_empty());
}

/// Embeddings have length 1, and don't change with what a function is called.
#[test]
fn embeddings_are_near_for_functions_that_do_the_same() {
    let embedder = Embedder::bundled().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (mut copies, mut near) = (0, 0);
    let all: Vec<_> = functions(sample())
        .unwrap()
        .into_iter()
        .map(|f| f.source)
        .collect();
    let embeddings: Vec<_> = all.iter().map(|source| embedder.embed(source)).collect();
    for (own, source) in all.iter().enumerate() {
        assert!(
            (embeddings[own].cosine(&embeddings[own]) - 1.0).abs() < 1e-4,
            "{source}"
        );
        let Some(copy) = rewritten(source, &mut rng) else {
            continue;
        };
        let copy = embedder.embed(&variants::renamed(&copy, &mut rng).unwrap_or(copy));
        let cosine = |i: &usize| copy.cosine(&embeddings[*i]);
        let nearest = (0..all.len()).max_by(|a, b| cosine(a).total_cmp(&cosine(b)));
        copies += 1;
        near += usize::from(nearest == Some(own));
    }
    assert!(copies > 10 && near * 10 >= copies * 9, "{near} of {copies}");
    assert_eq!(embedder.embed("").cosine(&embeddings[0]), 0.0);
}

/// The bundled weights find other ways to write a task better than those of before training, and both better than chance.
#[test]
fn training_pays() {
    let (tasks, texts): (Vec<usize>, Vec<String>) = tasks().unwrap().into_iter().unzip();
    let found = |embedder: &Embedder| {
        let embeddings: Vec<_> = texts.iter().map(|text| embedder.embed(text)).collect();
        map_at_r(&tasks, |a, b| embeddings[a].cosine(&embeddings[b]))
    };
    let (trained, untrained) = (
        found(&Embedder::bundled().unwrap()),
        found(&Embedder::load(&Source::Untrained).unwrap()),
    );
    assert!(
        trained > 0.2 && untrained < trained,
        "{trained} for {untrained}"
    );
}

#[test]
fn precision_is_of_the_nearest_as_many_as_there_are() {
    // Nearness by place on a line; each task has two functions.
    let places: [f32; 4] = [0.0, 1.0, 5.0, 6.5];
    let near = |a: usize, b: usize| -(places[a] - places[b]).abs();
    assert_eq!(map_at_r(&[0, 0, 1, 1], near), 1.0);
    assert_eq!(map_at_r(&[0, 1, 0, 1], near), 0.0);
    assert_eq!(map_at_r(&[0, 0, 0, 1], near), (1.0 + 1.0 + 0.25) / 4.0);
}

/// A corpus in which three names are each borne by several functions.
fn corpus() -> Arc<Corpus> {
    let bpe = Bpe::train([sample().to_owned()].into_iter(), 300).unwrap();
    let source = CorpusSource {
        name: "tests".into(),
        licence: None,
        files: 1,
        functions: 0,
    };
    let mut corpus = Corpus::new(bpe, 200, vec![source]).unwrap();
    let bodies = [
        ("A.total", "def total(a):\n    return sum(a)"),
        (
            "total",
            "def total(values):\n    result = 0\n    for x in values:\n        result += x\n    return result",
        ),
        ("read", "def read(path):\n    return open(path).read()"),
        (
            "B.read",
            "def read(name):\n    with open(name) as file:\n        return file.read()",
        ),
        ("C.join", "def join(a, b):\n    return a + '/' + b"),
        ("join", "def join(parts):\n    return '/'.join(parts)"),
        ("__init__", "def __init__(self):\n    pass"),
    ];
    for (name, text) in bodies {
        let tokens = corpus.bpe().encode(text);
        corpus.push(0, name, &tokens).unwrap();
    }
    Arc::new(corpus)
}

#[test]
fn functions_of_one_name_come_nearer() {
    let mut config = EmbedderConfig::default();
    for assignment in [
        "buckets=256",
        "width=8",
        "rewrites=0",
        "validation=0",
        "schedule_steps=30",
        "warmup_steps=1",
    ] {
        config.set(assignment).unwrap();
    }
    let mut trainer = EmbedderTrainer::new(config, corpus(), &Device::flex()).unwrap();
    let losses: Vec<f64> = (0..30).map(|_| trainer.step().unwrap().loss()).collect();
    assert!(
        losses[29] < losses[0] * 0.7,
        "{} to {}",
        losses[0],
        losses[29]
    );
    let embedder = trainer.snapshot();
    let [a, b, other] = [
        "def f(a):\n    return sum(a)",
        "def f(b):\n    r = 0\n    for x in b:\n        r += x\n    return r",
        "def f(p):\n    return open(p).read()",
    ]
    .map(|text| embedder.embed(text));
    assert!(a.cosine(&b) > a.cosine(&other));
}

#[test]
fn an_embedder_is_trained_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("some.py"), sample()).unwrap();
    let classes: String = (0..6).map(|i| format!("class C{i}:\n    def area(self, x):\n        return x * {i}\n    def name(self):\n        return 'n{i}'\n")).collect();
    fs::write(folder.path().join("more.py"), classes).unwrap();
    check_done(
        folder.path(),
        "glyphs corpus build some.py more.py --out some.corpus --vocabulary 300 --max-tokens 128",
    );
    let train = "glyphs train-embedder --corpus some.corpus --device cpu --set batch=2 --set schedule_steps=3";
    let said = check_done(folder.path(), &format!("{train} --out run"));
    assert!(said.contains("mean average precision"), "{said}");
    let run = Source::Run(folder.path().join("run"));
    assert_eq!(Embedder::load(&run).unwrap().progress.step, 3);
    check_refused(folder.path(), &format!("{train} --out run"), 1, &["run"]);
}
