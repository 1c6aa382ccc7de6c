//! Corpora: the tokenizer, the file, what they are built from, and the command.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Compression, Crc, write::DeflateEncoder, write::GzEncoder};
use glyphspace::data::{
    bpe::{Bpe, PAD, SMALLEST, SPECIALS},
    corpus::{
        BuildOptions, BuildReport, Cancelled, Corpus, Input, Phase, Source, build, sample,
        tokenizer,
    },
};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

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
    check_round_trips(&Bpe::train(std::iter::empty(), SMALLEST).unwrap());
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
    assert_eq!(bpe.pad(), PAD);
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
    let error = Bpe::train(std::iter::empty(), SMALLEST - 1)
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
    let other = Bpe::train(std::iter::empty(), SMALLEST).unwrap();
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
        assert_eq!((read.size(), read.pad()), (600, PAD));
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

fn source(name: &str) -> Source {
    Source {
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

fn options() -> BuildOptions {
    BuildOptions {
        vocabulary: 400,
        ..BuildOptions::default()
    }
}

fn try_build(sources: &[&Path], out: &Path, options: &BuildOptions) -> anyhow::Result<BuildReport> {
    let inputs: Vec<Input> = sources
        .iter()
        .map(|path| Input::Path(path.to_path_buf()))
        .collect();
    build(&inputs, out, options, &mut |_| true)
}

/// Names, texts and origins of what was built, sorted.
fn contents(path: &Path) -> Vec<(String, String, String)> {
    let corpus = Corpus::open(path).unwrap();
    let mut functions: Vec<_> = (0..corpus.len())
        .map(|i| {
            (
                corpus.name(i).to_owned(),
                corpus.text(i),
                corpus.origin(i).name.clone(),
            )
        })
        .collect();
    functions.sort();
    functions
}

/// Builds from one source; the report, and the names and texts in the corpus.
fn built(source: &Path) -> (BuildReport, Vec<(String, String, String)>) {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.corpus");
    let report = try_build(&[source], &out, &options()).unwrap();
    (report, contents(&out))
}

fn tree(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

const ONE: &[u8] = b"def one(x):\n    '''Doc.'''\n    return x + 1\n";
const TWO: &[u8] = b"class A:\n    def two(self):  # comment\n        return 2\n";
const BAD: &[u8] = b"def broken(:\n";

#[test]
fn a_folder_is_read_with_its_bad_files_named() {
    let latin =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/python/latin.py")).unwrap();
    let folder = tree(&[
        ("one.py", ONE),
        ("deep/er/two.py", TWO),
        (
            "copy.py",
            b"def one( x ): return x+1  # in one line\ndef one(x):\n  return x+1\n",
        ),
        ("bad.py", BAD),
        ("noise.py", b"\xff\xfe\x00def f"),
        ("latin.py", &latin),
        ("empty.py", b""),
        ("notes.txt", b"def no(): pass"),
        ("site-packages/other.py", b"def other(): pass"),
        (".hidden/other.py", b"def other(): pass"),
        ("LICENSE.txt", b"MIT License"),
    ]);
    let (report, functions) = built(folder.path());
    assert_eq!((report.files, report.bad, report.kept), (7, 2, 3));
    assert_eq!(
        (report.found, report.duplicates, report.too_long),
        (5, 2, 0)
    );
    let bad: Vec<_> = report
        .bad_files
        .iter()
        .map(|bad| (bad.place.rsplit(['/', '\\']).next().unwrap(), &bad.reason))
        .collect();
    assert!(
        bad[0].0 == "bad.py" && bad[0].1.contains("line 1"),
        "{bad:?}"
    );
    assert!(
        bad[1].0 == "noise.py" && bad[1].1.contains("UTF-8"),
        "{bad:?}"
    );
    assert_eq!(
        report.sources[0].licence.as_deref(),
        Some("see LICENSE.txt")
    );
    let texts: Vec<_> = functions
        .iter()
        .map(|(name, text, _)| (name.as_str(), text.as_str()))
        .collect();
    assert!(
        texts.contains(&("A.two", "def two(self):  # comment\n    return 2")),
        "{texts:?}"
    );
    assert!(
        texts.contains(&("one", "def one( x ): return x+1  # in one line")),
        "{texts:?}"
    );
    assert!(
        texts.contains(&("latin", "def latin():\n    return \"é\"")),
        "{texts:?}"
    );
    let (report, _) = built(&folder.path().join("one.py"));
    assert_eq!((report.files, report.kept), (1, 1));
}

/// A zip of stored (even) and deflated (odd) members.
fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (i, (name, bytes)) in members.iter().enumerate() {
        let mut crc = Crc::new();
        crc.update(bytes);
        let packed = if i % 2 == 0 {
            bytes.to_vec()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let mut common = vec![20, 0, 0, 0, if i % 2 == 0 { 0 } else { 8 }, 0, 0, 0, 0, 0];
        for number in [
            crc.sum(),
            packed.len() as u32,
            bytes.len() as u32,
            name.len() as u32,
        ] {
            common.extend(number.to_le_bytes());
        }
        directory.extend([b"PK\x01\x02\x14\x00", &common[..], &[0; 10]].concat());
        directory.extend((zip.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        zip.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat());
    }
    let (size, offset) = (directory.len() as u32, zip.len() as u32);
    zip.extend(
        [
            &directory[..],
            b"PK\x05\x06\0\0\0\0\0\0\0\0",
            &size.to_le_bytes(),
            &offset.to_le_bytes(),
            &[0; 2],
        ]
        .concat(),
    );
    zip
}

const METADATA: &[u8] = b"Metadata-Version: 2.4\nName: thing\nVersion: 1.2\nClassifier: License :: OSI Approved :: BSD License\nLicense-Expression: MIT\n\nLicense: of the description\n";

#[test]
fn a_wheel_is_read_without_unpacking_it() {
    let members: [(&str, &[u8]); 5] = [
        ("thing/one.py", ONE),
        ("thing/two.py", TWO),
        ("thing/bad.py", BAD),
        ("thing/data.bin", b"def no(): pass"),
        ("thing-1.2.dist-info/METADATA", METADATA),
    ];
    let wheel = zip(&members);
    let folder = tree(&[
        ("thing.whl", &wheel),
        ("cut.whl", &wheel[..wheel.len() / 2]),
        ("three.py", b"def three(): pass"),
    ]);
    let (report, functions) = built(&folder.path().join("thing.whl"));
    assert_eq!((report.files, report.bad, report.kept), (3, 1, 2));
    assert!(
        report.bad_files[0]
            .place
            .ends_with("thing.whl: thing/bad.py")
    );
    assert_eq!(
        (
            report.sources[0].name.as_str(),
            report.sources[0].licence.as_deref()
        ),
        ("thing 1.2", Some("MIT"))
    );
    assert_eq!(
        functions.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(),
        ["A.two", "one"]
    );

    // A folder of wheels, one of them cut, and a file beside them.
    let (report, functions) = built(folder.path());
    assert_eq!((report.bad, report.kept), (2, 3));
    assert!(
        report.bad_files[0].place.ends_with("cut.whl"),
        "{:?}",
        report.bad_files
    );
    assert!(
        functions
            .iter()
            .any(|f| f.0 == "three" && f.2 != "thing 1.2")
    );

    // A member that is damaged.
    let mut damaged = wheel.clone();
    let place = damaged
        .windows(4)
        .position(|bytes| bytes == b"Doc.")
        .unwrap();
    damaged[place] ^= 1;
    fs::write(folder.path().join("thing.whl"), damaged).unwrap();
    let (report, functions) = built(&folder.path().join("thing.whl"));
    assert!(
        report
            .bad_files
            .iter()
            .any(|bad| bad.place.ends_with("one.py") && bad.reason.contains("damaged"))
    );
    assert_eq!(functions.len(), 1);
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_source_package_is_read() {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in [
        ("thing-1.2/src/one.py", ONE),
        ("thing-1.2/PKG-INFO", METADATA),
        ("thing-1.2/two.py", TWO),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    let packed = gz(&archive.into_inner().unwrap());
    let folder = tree(&[
        ("thing.tar.gz", &packed),
        ("cut.tar.gz", &packed[..packed.len() - 20]),
    ]);
    let (report, _) = built(&folder.path().join("thing.tar.gz"));
    assert_eq!((report.files, report.bad, report.kept), (2, 0, 2));
    assert_eq!(
        (
            report.sources[0].name.as_str(),
            report.sources[0].licence.as_deref()
        ),
        ("thing 1.2", Some("MIT"))
    );
    let (report, _) = built(&folder.path().join("cut.tar.gz"));
    assert!(report.bad > 0 && report.kept > 0, "{report:?}");
}

/// Lines of a data set, each of its own function, with column names of every kind.
fn lines(count: usize) -> String {
    (0..count)
        .map(|i| {
            // Numbers without a pattern, so that the file isn't packed to nothing.
            let number = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let code = format!("def f{i}(self):\n        '''Doc.'''\n        return {number}");
            let row = match i % 4 {
                0 => json!({"repo": "a/b", "func_name": format!("C.f{i}"), "original_string": code, "code": "cut"}),
                1 => json!({"repo": "a/b", "code": code, "language": "python"}),
                2 => json!({"repository_name": "c/d", "func_name": format!("f{i}"), "whole_func_string": code}),
                _ => json!({"repository_name": "c/d", "func_code_string": code, "url": null}),
            };
            format!("{row}\n")
        })
        .collect()
}

#[test]
fn data_sets_are_read_line_by_line() {
    let good = lines(40);
    let mixed = format!(
        "{good}\nno json\n{{\"code\": 1}}\n{{\"code\": \"print 'two'\"}}\n{{\"code\": \"x = 1\"}}\n"
    );
    let folder = tree(&[
        ("set.jsonl", mixed.as_bytes()),
        ("set.jsonl.gz", &gz(mixed.as_bytes())),
    ]);
    for name in ["set.jsonl", "set.jsonl.gz"] {
        let (report, functions) = built(&folder.path().join(name));
        assert_eq!(
            (report.files, report.bad, report.kept),
            (44, 4, 40),
            "{:?}",
            report.bad_files
        );
        assert!(
            report.bad_files[0].place.ends_with("line 42"),
            "{:?}",
            report.bad_files
        );
        assert_eq!(
            report
                .sources
                .iter()
                .map(|source| source.functions)
                .take(2)
                .collect::<Vec<_>>(),
            [20, 20]
        );
        assert!(
            functions
                .iter()
                .any(|(name, _, from)| name == "C.f0" && from == "a/b")
        );
        assert!(
            functions
                .iter()
                .any(|(name, text, from)| name == "f3" && from == "c/d" && !text.contains("Doc"))
        );
    }
}

#[test]
fn of_a_cut_gz_the_whole_lines_are_kept() {
    let packed = gz(lines(4000).as_bytes());
    let folder = tree(&[("set.jsonl.gz", &packed[..packed.len() / 2])]);
    let (report, _) = built(&folder.path().join("set.jsonl.gz"));
    assert!((1000..3000).contains(&report.kept), "{}", report.kept);
    assert_eq!(report.bad, 1);
    let bad = &report.bad_files[0];
    assert!(
        bad.place.ends_with("set.jsonl.gz") && bad.reason.contains("cut"),
        "{bad:?}"
    );
}

#[test]
fn a_source_that_cannot_be_read_ends_the_build() {
    let folder = tree(&[
        ("one.py", ONE),
        ("picture.png", b"\x89PNG"),
        ("bad.py", BAD),
        ("empty.zip", &zip(&[])),
    ]);
    let out = folder.path().join("out.corpus");
    fs::write(&out, "what was there").unwrap();
    let check = |source: &str, expected: &[&str]| {
        let sources = [folder.path().join("one.py"), folder.path().join(source)];
        let sources: Vec<&Path> = sources
            .iter()
            .skip(usize::from(source == "bad.py" || source == "empty.zip"))
            .map(PathBuf::as_path)
            .collect();
        let error = format!("{:#}", try_build(&sources, &out, &options()).unwrap_err());
        for expected in [source].iter().chain(expected) {
            assert!(
                error.contains(expected),
                "{error:?} doesn't say {expected:?}"
            );
        }
        assert_eq!(fs::read_to_string(&out).unwrap(), "what was there");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    };
    check("missing.py", &["can't read"]);
    check("picture.png", &["expected", ".whl"]);
    check("bad.py", &["no Python function", "line 1"]);
    check("empty.zip", &["no Python function"]);
    let error = try_build(
        &[&folder.path().join("one.py")],
        &folder.path().join("no/where"),
        &options(),
    );
    assert!(format!("{:#}", error.unwrap_err()).contains("where"));
    let few = BuildOptions {
        max_tokens: 2,
        ..options()
    };
    let error = format!(
        "{:#}",
        try_build(&[&folder.path().join("one.py")], &out, &few).unwrap_err()
    );
    assert!(error.contains("2 tokens"), "{error}");
}

#[test]
fn the_same_build_gives_the_same_file() {
    let folder = tempdir().unwrap();
    let make = |name: &str, options: &BuildOptions| {
        let out = folder.path().join(name);
        let report = build(&[Input::Sample], &out, options, &mut |_| true).unwrap();
        (report, fs::read(&out).unwrap(), contents(&out))
    };
    let (report, bytes, functions) = make("a", &options());
    assert!(
        report.kept >= 300,
        "{} functions in the sample",
        report.kept
    );
    assert_eq!(bytes, make("b", &options()).1);
    assert_eq!(
        report.kept + report.duplicates + report.too_long,
        report.found
    );
    assert_eq!(report.vocabulary, 400);

    let (_, other, same) = make(
        "c",
        &BuildOptions {
            seed: 1,
            ..options()
        },
    );
    assert_ne!(bytes, other, "the seed decides on the order");
    assert_eq!(functions, same, "and on nothing else");

    let (cut, _, some) = make(
        "d",
        &BuildOptions {
            limit: Some(50),
            ..options()
        },
    );
    assert_eq!((cut.kept, cut.beyond_limit), (50, report.kept - 50));
    assert!(some.iter().all(|function| functions.contains(function)));

    let theirs = tokenizer(&folder.path().join("a")).unwrap();
    let (short, ..) = make(
        "e",
        &BuildOptions {
            max_tokens: 32,
            tokenizer: Some(theirs),
            ..options()
        },
    );
    assert_eq!(short.tokenizer, report.tokenizer);
    assert!(short.too_long > report.too_long && short.kept < report.kept);
    let corpus = Corpus::open(&folder.path().join("e")).unwrap();
    assert!((0..corpus.len()).all(|i| corpus.tokens(i).len() <= 32));
}

#[test]
fn a_build_tells_how_far_it_is_and_can_be_called_off() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.corpus");
    let mut seen = Vec::new();
    build(
        &[Input::Sample, Input::Sample],
        &out,
        &options(),
        &mut |now| {
            seen.push((now.phase, now.done));
            true
        },
    )
    .unwrap();
    assert!(
        seen.is_sorted_by(|a, b| a.1 <= b.1) && seen.last().unwrap().1 == 1.0,
        "{seen:?}"
    );
    fs::write(&out, "what was there").unwrap();
    for phase in [Phase::Reading, Phase::Training, Phase::Tokenising] {
        assert!(seen.iter().any(|(at, _)| *at == phase));
        let error = build(&[Input::Sample], &out, &options(), &mut |now| {
            now.phase != phase
        })
        .unwrap_err();
        assert!(error.is::<Cancelled>(), "{error:#}");
        assert_eq!(fs::read_to_string(&out).unwrap(), "what was there");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn the_command_builds_and_says_what_it_did() {
    let folder = tree(&[("src/one.py", ONE), ("src/bad.py", BAD)]);
    let run = |line: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_glyphspace"))
            .args(line.split_whitespace())
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, written, notes) = run("glyphs corpus build src --out a.corpus --vocabulary 300");
    assert_eq!(code, Some(0), "{notes}");
    assert!(
        written.contains("1 functions") && notes.contains("bad.py"),
        "{written}{notes}"
    );
    let (code, written, _) =
        run("glyphs corpus build src --out b.corpus --tokenizer a.corpus --json");
    assert_eq!(code, Some(0));
    let report: Value = serde_json::from_str(&written).unwrap();
    assert_eq!((&report["kept"], &report["bad"]), (&json!(1), &json!(1)));
    assert_eq!(
        fs::read(folder.path().join("a.corpus")).unwrap(),
        fs::read(folder.path().join("b.corpus")).unwrap()
    );
    for (line, expected, exit) in [
        ("glyphs corpus build nowhere --out c.corpus", "nowhere", 1),
        (
            "glyphs corpus build src --out c.corpus --tokenizer src/one.py",
            "one.py",
            1,
        ),
        ("glyphs corpus build src --out src", "is a folder", 2),
        ("glyphs corpus build src", "--out", 2),
    ] {
        let (code, written, notes) = run(line);
        assert_eq!(
            (code, written.as_str()),
            (Some(exit), ""),
            "{line}: {notes}"
        );
        assert!(notes.contains(expected), "{line}: {notes}");
    }
    assert!(!folder.path().join("c.corpus").exists());
}
