//! Archives that are cut, damaged or made to do harm: refused by name, or read as they were.

use std::{collections::HashSet, fs, io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};
use glyphspace::data::corpus::{Input, Item};

use super::{
    ONE, TWO,
    archives::{gz, lines, tar, zip},
    built, options, tree, try_build,
};

/// The texts in an archive, and the places that are bad; or why it is refused.
fn read(path: &Path) -> Result<(HashSet<String>, Vec<String>), String> {
    let (mut texts, mut bad) = (HashSet::new(), Vec::new());
    let taken = Input::Path(path.to_owned()).read(&mut |item| {
        match item {
            Item::Text { text: Ok(text), .. } => drop(texts.insert(text)),
            Item::Text { place, .. } => bad.push(place),
            _ => (),
        }
        Ok(())
    });
    taken
        .map(|()| (texts, bad))
        .map_err(|error| format!("{error:#}"))
}

/// Changes an archive in every byte and at every length; `may_miss` where the whole is still right.
fn check_damaged(name: &str, whole: &[u8]) {
    let folder = tree(&[(name, whole)]);
    let path = folder.path().join(name);
    let (texts, bad) = read(&path).unwrap();
    assert!(texts.len() > 1 && bad.is_empty(), "{name}: {bad:?}");
    let check = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        match read(&path) {
            Err(error) => assert!(error.contains(name), "{what}: {error}"),
            Ok((found, bad)) => {
                assert!(found.is_subset(&texts), "{what}: other functions");
                assert!(
                    bad.iter().all(|place| place.contains(name)),
                    "{what}: {bad:?}"
                );
                assert!(
                    found == texts || !bad.is_empty(),
                    "{what}: functions are lost without a word"
                );
            }
        }
    };
    for at in 0..whole.len() {
        let mut bytes = whole.to_vec();
        bytes[at] ^= 1 << (at * 5 % 8);
        check(&bytes, &format!("{name}, a bit of byte {at}"));
        check(&whole[..at], &format!("{name}, cut to {at} bytes"));
    }
}

#[test]
fn a_damaged_zip_is_refused_by_name_or_read_as_it_was() {
    let members: [(&str, &[u8]); 4] = [
        ("one.py", ONE),
        ("two.py", TWO),
        ("LICENSE", b"MIT"),
        ("pack/three.py", b"def three(): pass"),
    ];
    check_damaged("thing.zip", &zip(&members));
    let inner = gz(lines(8).as_bytes());
    check_damaged(
        "set.zip",
        &zip(&[("one.py", ONE), ("set.jsonl.gz", &inner)]),
    );
}

#[test]
fn a_damaged_gz_is_refused_by_name_or_read_as_it_was() {
    check_damaged("set.jsonl.gz", &gz(lines(20).as_bytes()));
    let members = [("thing/one.py", ONE), ("thing/two.py", TWO)];
    check_damaged("thing.tar.gz", &gz(&tar(&members)));
}

/// An archive of which nothing counts.
fn check_refused(name: &str, bytes: &[u8], expected: &str) {
    let folder = tree(&[(name, bytes), ("good.py", b"def good(): pass")]);
    let (report, functions) = built(folder.path());
    assert_eq!(functions.len(), 1, "{name}: something of it counts");
    assert_eq!(report.bad, 1, "{:?}", report.bad_files);
    let bad = &report.bad_files[0];
    assert!(
        bad.place.contains(name) && bad.reason.contains(expected),
        "{bad:?}: {expected}"
    );
    let out = folder.path().join("out.corpus");
    let error = try_build(&[&folder.path().join(name)], &out, &options()).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains(name) && error.contains(expected), "{error}");
}

#[test]
fn nothing_of_an_archive_counts_before_its_end() {
    let packed = gz(lines(400).as_bytes());
    check_refused(
        "cut.jsonl.gz",
        &packed[..packed.len() / 2],
        "cut or damaged",
    );
    let mut flipped = packed.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    check_refused("crc.jsonl.gz", &flipped, "cut or damaged");
    check_refused(
        "more.jsonl.gz",
        &[&packed, &b"more"[..]].concat(),
        "cut or damaged",
    );
    let two = [packed.clone(), flipped].concat();
    check_refused("second.jsonl.gz", &two, "cut or damaged");

    let package = tar(&[("thing/one.py", ONE), ("thing/two.py", TWO)]);
    let packed = gz(&package);
    check_refused("cut.tar.gz", &packed[..packed.len() - 9], "cut or damaged");
    check_refused(
        "open.tar.gz",
        &gz(&package[..package.len() - 1024]),
        "its end is missing",
    );
    check_refused("half.tar.gz", &gz(&package[..700]), "cut or damaged");
    check_refused("plain.tar.gz", &package, "cut or damaged");
    check_refused("noise.zip", b"PK\x03\x04 and nothing more", "cut");
    check_refused("broken.whl", b"no zip at all", "cut");
}

#[test]
fn archives_that_unpack_to_far_too_much_are_given_up() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let line = [&[b' '; (1 << 20) - 1][..], b"\n"].concat();
    bomb.write_all(lines(2).as_bytes()).unwrap();
    for _ in 0..300 {
        bomb.write_all(&line).unwrap();
    }
    check_refused("bomb.jsonl.gz", &bomb.finish().unwrap(), "300 times");

    // A name of 2 MiB before a member.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(2 << 20);
    header.set_cksum();
    let name = [
        header.as_bytes(),
        &vec![b'a'; 2 << 20][..],
        &tar(&[("one.py", ONE)]),
    ]
    .concat();
    check_refused("name.tar.gz", &gz(&name), "a name of 2097152 bytes");

    // Two members in the same bytes.
    let mut twice = zip(&[("one.py", ONE)]);
    let start = twice.len() - 22 - 46 - "one.py".len();
    let entry = twice[start..twice.len() - 22].to_vec();
    let end = twice.split_off(twice.len() - 22);
    let size = (2 * entry.len() as u32).to_le_bytes();
    let twice = [
        &twice,
        &entry,
        &end[..8],
        b"\x02\0\x02\0",
        &size,
        &end[16..],
    ]
    .concat();
    check_refused("twice.zip", &twice, "in one another");
}

#[test]
fn a_package_with_endless_metadata_is_read_without_it() {
    let metadata = [b"Name: thing\nVersion: 1\n", &vec![b'a'; 5 << 20][..]].concat();
    let wheel = zip(&[("one.py", ONE), ("thing-1.dist-info/METADATA", &metadata)]);
    let folder = tree(&[("thing.whl", &wheel)]);
    let (report, functions) = built(folder.path());
    assert_eq!((functions.len(), report.bad), (1, 1));
    assert!(
        report.bad_files[0]
            .place
            .ends_with("thing.whl: thing-1.dist-info/METADATA")
    );
    assert!(
        report.bad_files[0].reason.contains("too large"),
        "{:?}",
        report.bad_files
    );
    assert_eq!(report.sources[0].name, "thing.whl");
}
