//! Archives and data sets: what is read of them.

use std::{fs, io::Write, path::Path};

use flate2::{Compression, Crc, write::DeflateEncoder, write::GzEncoder};
use serde_json::json;

use super::{BAD, ONE, TWO, built, tree};

/// A zip of stored (even) and deflated (odd) members.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
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
    let count = (members.len() as u16).to_le_bytes();
    zip.extend(
        [
            &directory[..],
            b"PK\x05\x06\0\0\0\0",
            &count,
            &count,
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

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar archive.
pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn a_source_package_is_read() {
    let deep = "thing-1.2/".to_owned() + &"long/".repeat(60) + "two.py";
    let package = tar(&[
        ("thing-1.2/src/one.py", ONE),
        ("thing-1.2/PKG-INFO", METADATA),
        (&deep, TWO),
    ]);
    let folder = tree(&[("thing.tar.gz", &gz(&package))]);
    let (report, _) = built(&folder.path().join("thing.tar.gz"));
    assert_eq!((report.files, report.bad, report.kept), (2, 0, 2));
    assert_eq!(
        (
            report.sources[0].name.as_str(),
            report.sources[0].licence.as_deref()
        ),
        ("thing 1.2", Some("MIT"))
    );
}

/// Lines of a data set, each of its own function, with column names of every kind.
pub fn lines(count: usize) -> String {
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

/// Names of the functions built from a source in which nothing is bad.
fn names(source: &Path) -> Vec<String> {
    let (report, functions) = built(source);
    assert_eq!(report.bad, 0, "{:?}", report.bad_files);
    functions.into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn a_zip_is_known_by_its_own_end() {
    let plain = zip(&[("one.py", ONE), ("two.py", TWO)]);
    let end = plain.len() - 22;
    let with_comment = |comment: &[u8]| {
        let length = (comment.len() as u16).to_le_bytes();
        [&plain[..plain.len() - 2], &length, comment].concat()
    };
    let other = zip(&[("three.py", b"def three(): pass")]);
    let cases = [
        ("comment.zip", with_comment(b"a comment")),
        (
            "signature.zip",
            with_comment(b"see PK\x05\x06 and what follows it here"),
        ),
        (
            "zeros.zip",
            with_comment(&[b"PK\x05\x06", &[0; 18][..]].concat()),
        ),
        ("its-own.zip", with_comment(&plain[end..])),
        ("another.zip", with_comment(&other[other.len() - 22..])),
        (
            "program.zip",
            [b"PK\x03\x04 is what I unpack\n", &plain[..]].concat(),
        ),
    ];
    for (name, bytes) in cases {
        let folder = tree(&[(name, &bytes)]);
        assert_eq!(names(&folder.path().join(name)), ["A.two", "one"], "{name}");
    }
}

/// A zip with its numbers in the fields of 64 bits.
fn zip64(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(bytes);
    let full = u32::MAX.to_le_bytes();
    let (size, length) = ((bytes.len() as u64).to_le_bytes(), name.len() as u16);
    let common = [
        &b"\x2d\0\0\0\0\0\0\0\0\0"[..],
        &crc.sum().to_le_bytes(),
        &full,
        &full,
        &length.to_le_bytes(),
    ]
    .concat();
    let member = [
        b"PK\x03\x04",
        &common[..],
        &20_u16.to_le_bytes(),
        name.as_bytes(),
        b"\x01\0\x10\0",
        &size,
        &size,
        bytes,
    ]
    .concat();
    let entry = [
        b"PK\x01\x02\x2d\0",
        &common[..],
        &28_u16.to_le_bytes(),
        &[0; 10],
        &full,
        name.as_bytes(),
        b"\x01\0\x18\0",
        &size,
        &size,
        &[0; 8],
    ]
    .concat();
    let numbers = |values: &[u64]| {
        values
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect::<Vec<_>>()
    };
    let (start, entry_bytes) = (member.len() as u64, entry.len() as u64);
    [
        &member[..],
        &entry,
        b"PK\x06\x06",
        &numbers(&[44]),
        &[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &numbers(&[1, 1, entry_bytes, start]),
        b"PK\x06\x07\0\0\0\0",
        &numbers(&[start + entry_bytes]),
        &1_u32.to_le_bytes(),
        b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff",
        &full,
        &full,
        &[0; 2],
    ]
    .concat()
}

#[test]
fn a_zip_of_64_bits_is_read() {
    let folder = tree(&[("wide.zip", &zip64("one.py", ONE))]);
    assert_eq!(names(&folder.path().join("wide.zip")), ["one"]);
}

#[test]
fn a_gz_of_several_members_is_read_to_its_end() {
    let (first, second) = (lines(5), lines(12)[lines(5).len()..].to_owned());
    let both = [gz(first.as_bytes()), gz(b""), gz(second.as_bytes())].concat();
    let folder = tree(&[("set.jsonl.gz", &both)]);
    assert_eq!(names(&folder.path().join("set.jsonl.gz")).len(), 12);
}

#[test]
fn code_search_net_is_read_as_it_is_distributed() {
    let parts: Vec<String> = (0..3)
        .map(|part| {
            lines(12)
                .lines()
                .skip(4 * part)
                .take(4)
                .map(|l| format!("{l}\n"))
                .collect()
        })
        .collect();
    let files = [
        (
            "python/final/jsonl/train/python_train_0.jsonl.gz",
            gz(parts[0].as_bytes()),
        ),
        (
            "python/final/jsonl/valid/python_valid_0.jsonl.gz",
            gz(parts[1].as_bytes()),
        ),
        (
            "python/final/jsonl/test/python_test_0.jsonl.gz",
            gz(parts[2].as_bytes()),
        ),
        ("python_dedupe_definitions_v2.pkl", b"\x80\x04".to_vec()),
        ("python_licenses.pkl", b"\x80\x04".to_vec()),
    ];
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, bytes)| (*name, &bytes[..]))
        .collect();
    let mut folder_first = vec![("python/", &b""[..])];
    folder_first.extend(&files);
    let folder = tree(&files);
    let packed = tree(&[
        ("python.zip", &zip(&folder_first)),
        ("python.tar.gz", &gz(&tar(&files))),
    ]);
    for source in [
        folder.path().to_owned(),
        folder.path().join("python"),
        packed.path().join("python.zip"),
        packed.path().join("python.tar.gz"),
    ] {
        let (report, functions) = built(&source);
        assert_eq!(
            (report.files, report.bad, report.kept),
            (12, 0, 12),
            "{source:?}"
        );
        let origins = report.sources.iter().filter(|source| source.functions > 0);
        let origins: Vec<&str> = origins.map(|source| &*source.name).collect();
        assert_eq!(origins, ["a/b", "c/d"]);
        assert!(functions.iter().any(|(name, ..)| name == "C.f0"));
        if source != folder.path().join("python") {
            let unread = &report.passed_over[0];
            assert_eq!(unread.count, 2, "{unread:?}");
            assert!(unread.places[0].contains("python_dedupe_definitions_v2.pkl"));
        }
    }
}

#[test]
fn lines_are_read_as_python_writes_json() {
    let row = |more: &str| {
        format!(
            "{{\"code\": \"def f{}(x):\\n    return x\"{more}}}",
            more.len()
        )
    };
    let good = [
        row(""),
        format!("\u{feff}{}", row(", \"score\": NaN")),
        row(", \"a\": [Infinity, -Infinity, NaN, {\"b\": NaN}]"),
        row(", \"docstring\": \"half \\ud83d of it\""),
        row(", \"docstring\": \"\\udc00\\ud800\\ud83d\\ude00 NaN \\\\ud800\""),
        row(", \"score\": NaN, \"path\": \"\\udfff \\\" Infinity\""),
        row(", \"func_name\": \"half\\ud800\""),
        row(", \"repo\": null, \"func_name\": 7, \"x\": 1e999"),
        row(", \"code\": \"def last(): pass\""),
    ];
    let bad = [
        "{\"code\": \"def half(): return '\\ud800'\"}".to_owned(),
        "{\"code\": NaN}".to_owned(),
        "[1, 2]".to_owned(),
        format!(
            "{{\"code\": \"def long(): pass\", \"x\": \"{}\"}}",
            "x".repeat(17 << 20)
        ),
        row(", \"score\": Nan"),
    ];
    let mixed: Vec<&String> = good[..5].iter().chain(&bad).chain(&good[5..]).collect();
    let mixed: String = mixed.into_iter().flat_map(|line| [line, "\n"]).collect();
    let folder = tree(&[("set.jsonl", format!("\u{feff}{mixed}").as_bytes())]);
    let (report, functions) = built(&folder.path().join("set.jsonl"));
    assert_eq!(
        (report.files, report.kept),
        (14, 9),
        "{:?}",
        report.bad_files
    );
    let reasons: Vec<_> = report
        .bad_files
        .iter()
        .map(|bad| (&*bad.place, &*bad.reason))
        .collect();
    let expected = ["surrogate", "code", "object", "longer", "JSON"];
    assert_eq!(reasons.len(), expected.len());
    for (nth, ((place, reason), expected)) in reasons.iter().zip(expected).enumerate() {
        assert!(
            place.ends_with(&format!("set.jsonl: line {}", nth + 6)),
            "{place}"
        );
        assert!(reason.contains(expected), "{reason:?}: {expected:?}");
    }
    for name in ["half\u{fffd}", "last"] {
        assert!(
            functions.iter().any(|function| function.0 == name),
            "{name}"
        );
    }
}
