//! The tokenizer, and the file of a corpus.

use std::{fs, path::Path};

use glyphspace::data::{
    bpe::{Bpe, MIN_VOCABULARY, SPECIALS},
    corpus::{Corpus, CorpusSource, sample, tokenizer},
};
use serde_json::{Value, json};
use tempfile::tempdir;

const TEXTS: [&str; 8] = [
    "",
    "def f(x):\n\treturn x  # tab\r\n",
    "    indented\n        twice   \n\n\n",
    "größe = 'naïve' + \"日本語 🎉👩‍👩‍👧\"",
    "e\u{301} \u{fb01} \u{a0}\u{3000}\u{feff}\0\u{7f}",
    "<s> <pad> </s><unk><mask> [PAD] \u{120}\u{10a}",
    "\r\r\n\t \t\u{c}",
    " leading and trailing ",
];

fn small() -> Bpe {
    let texts = sample().split("\n\n\n").map(str::to_owned);
    Bpe::train(texts, 600).unwrap()
}

fn check_round_trips(bpe: &Bpe) {
    for text in TEXTS.into_iter().chain([sample()]) {
        assert_eq!(bpe.decode(&bpe.encode(text)), text);
    }
}

#[test]
fn every_text_comes_back_from_its_tokens() {
    let bpe = small();
    check_round_trips(&bpe);
    check_round_trips(&Bpe::train(std::iter::empty(), MIN_VOCABULARY).unwrap());
    let texts: Vec<String> = TEXTS.map(str::to_owned).to_vec();
    let all: Vec<Vec<u32>> = TEXTS.iter().map(|text| bpe.encode(text)).collect();
    assert_eq!(bpe.encode_all(&texts), all);
    assert!(
        all.iter()
            .flatten()
            .all(|token| *token >= SPECIALS.len() as u32),
        "a special was read from a text"
    );
    assert!(
        bpe.encode("    return self").len() <= 4,
        "nothing was learnt"
    );
}

#[test]
fn a_trained_vocabulary_is_laid_out_as_robertas() {
    let bpe = small();
    assert_eq!(bpe.size(), 600);
    assert_eq!(bpe.pad(), 1);
    for (id, name) in SPECIALS.into_iter().enumerate() {
        assert_eq!(bpe.piece(id as u32), name);
        assert_eq!(bpe.decode(&[id as u32]), "");
    }
    assert_eq!(bpe.decode(&[70_000]), "");
    assert_eq!(
        bpe.encode(" return")
            .iter()
            .map(|id| bpe.piece(*id))
            .collect::<String>(),
        " return"
    );
    let error = Bpe::train(std::iter::empty(), MIN_VOCABULARY - 1)
        .unwrap_err()
        .to_string();
    assert!(error.contains("260") && error.contains("261"), "{error}");
}

#[test]
fn a_tokenizer_is_kept_and_known_again() {
    let bpe = small();
    let again = Bpe::from_json(&bpe.to_json()).unwrap();
    assert_eq!(again.fingerprint(), bpe.fingerprint());
    assert_eq!(again.encode(sample()), bpe.encode(sample()));
    assert_eq!(
        small().fingerprint(),
        bpe.fingerprint(),
        "training is deterministic"
    );
    let other = Bpe::train(std::iter::empty(), MIN_VOCABULARY).unwrap();
    assert_ne!(other.fingerprint(), bpe.fingerprint());
}

#[test]
fn vocabulary_and_merges_are_read_as_one() {
    let folder = tempdir().unwrap();
    let bpe = small();
    let model = &serde_json::from_str::<Value>(&bpe.to_json()).unwrap()["model"];
    let merges = model["merges"].as_array().unwrap().iter().map(|pair| {
        format!(
            "{} {}\n",
            pair[0].as_str().unwrap(),
            pair[1].as_str().unwrap()
        )
    });
    let merges = format!("#version: 0.2\n{}", merges.collect::<String>());
    fs::write(folder.path().join("vocab.json"), model["vocab"].to_string()).unwrap();
    let error = format!("{:#}", Bpe::read(folder.path()).unwrap_err());
    assert!(error.contains("merges.txt is missing"), "{error}");
    fs::write(folder.path().join("merges.txt"), merges).unwrap();
    for path in [
        folder.path().to_owned(),
        folder.path().join("vocab.json"),
        folder.path().join("merges.txt"),
    ] {
        let read = Bpe::read(&path).unwrap();
        assert_eq!((read.size(), read.pad()), (600, 1));
        assert_eq!(read.encode(sample()), bpe.encode(sample()));
        check_round_trips(&read);
    }
    fs::write(folder.path().join("tokenizer.json"), bpe.to_json()).unwrap();
    assert_eq!(
        Bpe::read(folder.path()).unwrap().fingerprint(),
        bpe.fingerprint()
    );
}

#[test]
fn a_tokenizer_that_loses_text_is_refused() {
    let check = |change: &dyn Fn(&mut Value), expected: &str| {
        let mut json: Value = serde_json::from_str(&small().to_json()).unwrap();
        change(&mut json);
        let error = format!("{:#}", Bpe::from_json(&json.to_string()).unwrap_err());
        assert!(
            error.contains(expected),
            "{error:?} doesn't say {expected:?}"
        );
    };
    check(
        &|json| json["normalizer"] = json!({"type": "NFC"}),
        "exactly",
    );
    check(
        &|json| json["normalizer"] = json!({"type": "Lowercase"}),
        "exactly",
    );
    check(
        &|json| json["pre_tokenizer"]["add_prefix_space"] = json!(true),
        "exactly",
    );
    check(
        &|json| drop(json["model"]["vocab"].as_object_mut().unwrap().remove("~")),
        "byte",
    );
    check(&|json| *json = json!({"a": 1}), "tokenizer.json");
    let unpadded = small().to_json().replace("<pad>", "<empty>");
    let error = format!("{:#}", Bpe::from_json(&unpadded).unwrap_err());
    assert!(error.contains("padding"), "{error}");
    let error = format!("{:#}", Bpe::read(Path::new("not/there.json")).unwrap_err());
    assert!(error.contains("not/there.json"), "{error}");
}

fn source(name: &str) -> CorpusSource {
    CorpusSource {
        name: name.into(),
        licence: Some("MIT".into()),
        files: 3,
        functions: 99,
    }
}

fn three() -> Corpus {
    let bpe = small();
    let mut corpus = Corpus::new(bpe.clone(), 20, vec![source("one"), source("two")]).unwrap();
    for (origin, name, text) in [
        (0, "f", "def f(): pass"),
        (1, "Größe.g", "def g(): é"),
        (1, "h", "h"),
    ] {
        corpus.push(origin, name, &bpe.encode(text)).unwrap();
    }
    corpus
}

#[test]
fn a_corpus_comes_back_from_its_file() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a.corpus");
    let written = three();
    written.write(&path).unwrap();
    let read = Corpus::open(&path).unwrap();
    assert_eq!((read.len(), read.max_tokens()), (3, 20));
    for (i, (name, text, origin)) in [
        ("f", "def f(): pass", "one"),
        ("Größe.g", "def g(): é", "two"),
        ("h", "h", "two"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!((read.name(i), read.text(i).as_str()), (name, text));
        assert_eq!(read.origin(i).name, origin);
        assert_eq!(read.tokens(i), written.tokens(i));
    }
    assert_eq!(
        read.sources()
            .iter()
            .map(|source| source.functions)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(read.bpe().fingerprint(), written.bpe().fingerprint());
    assert_eq!(
        tokenizer(&path).unwrap().fingerprint(),
        written.bpe().fingerprint()
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "something is left beside it"
    );
}

#[test]
fn a_corpus_takes_no_tokens_it_could_not_give_back() {
    let mut corpus = three();
    let refused = [
        corpus.push(0, "empty", &[]),
        corpus.push(0, "long", &[10; 21]),
        corpus.push(0, "foreign", &[600]),
        corpus.push(2, "of nothing", &[10]),
    ];
    for refused in refused {
        assert!(refused.is_err());
    }
    assert_eq!(corpus.len(), 3);
    assert!(Corpus::new(small(), 0, Vec::new()).is_err());
    assert!(Corpus::new(small(), 70_000, Vec::new()).is_err());
}

#[test]
fn a_broken_corpus_is_refused_by_name() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("b.corpus");
    three().write(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let check = |bytes: &[u8], expected: &str| {
        fs::write(&path, bytes).unwrap();
        let error = format!("{:#}", Corpus::open(&path).unwrap_err());
        assert!(
            error.contains("b.corpus") && error.contains(expected),
            "{error:?}: {expected:?}"
        );
    };
    for length in [21, 30, whole.len() / 2, whole.len() - 40, whole.len() - 1] {
        check(&whole[..length], "cut");
    }
    for place in [
        whole.len() / 2,
        whole.len() - 30,
        whole.len() - 5,
        whole.len() - 1,
    ] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        check(&bytes, "damaged");
    }
    check(&[&whole[..], b"more"].concat(), "damaged");
    for foreign in [
        &b""[..],
        b"\x89PNG\r\n",
        b"glyphspace corpus 2\n{}",
        b"glyphspace",
    ] {
        check(foreign, "no corpus");
    }
    let error = format!("{:#}", Corpus::open(Path::new("not/there")).unwrap_err());
    assert!(error.contains("not/there"), "{error}");
}

#[test]
fn the_split_is_decided_by_the_function_alone() {
    let bpe = small();
    let fill = |order: &mut dyn Iterator<Item = u32>| {
        let mut corpus = Corpus::new(bpe.clone(), 4, vec![source("one")]).unwrap();
        for i in order {
            corpus.push(0, "f", &[5 + i / 500, 5 + i % 500]).unwrap();
        }
        corpus
    };
    let (forth, back) = (fill(&mut (0..5000)), fill(&mut (0..5000).rev()));
    let kept = |share| (0..5000).filter(|i| forth.is_validation(*i, share)).count();
    assert_eq!((kept(0.0), kept(1.0)), (0, 5000));
    assert!((430..570).contains(&kept(0.1)), "{} of 5000", kept(0.1));
    for i in 0..5000 {
        assert_eq!(
            forth.is_validation(i, 0.1),
            back.is_validation(4999 - i, 0.1)
        );
        assert!(!forth.is_validation(i, 0.1) || forth.is_validation(i, 0.2));
    }
}
