//! Similarity of functions by their terms, and calibration of certainty.

use glyphspace::{
    data::{corpus::sample, python::functions},
    glyphs::{evaluation::calibration::Calibration, similarity::TfIdf},
};

const LOOP: &str = "def total(items):\n    result = 0\n    for item in items:\n        result += item.size\n    return result";
const RENAMED: &str =
    "def total(xs):\n    n = 0\n    for x in xs:\n        n += x.size\n    return n";
const OTHER: &str = "def count(rows):\n    number = 0\n    for row in rows:\n        number += row.length\n    return number";
const GETTER: &str = "@property\ndef name(self):\n    return self._name";

#[test]
fn functions_are_as_far_apart_as_what_they_are_made_of() {
    let sources: Vec<String> = functions(sample())
        .unwrap()
        .into_iter()
        .map(|f| f.source)
        .collect();
    let tf_idf = TfIdf::new(sources.iter().map(String::as_str));
    let [own, renamed, other, getter] =
        [LOOP, RENAMED, OTHER, GETTER].map(|source| tf_idf.vector(source));
    assert!(own.distance(&own).abs() < 1e-5);
    assert!(
        own.distance(&renamed).abs() < 1e-5,
        "names of its own don't count"
    );
    assert!((own.distance(&getter) - getter.distance(&own)).abs() < 1e-6);
    assert!(own.distance(&other) < own.distance(&getter) - 0.2);
    assert!((0.0..=1.0).contains(&own.distance(&getter)));
    // Nothing has nothing in common.
    assert!((own.distance(&tf_idf.vector("")) - 1.0).abs() < 0.2);
}

#[test]
fn the_calibration_error_is_how_far_certainty_is_from_the_truth() {
    let mut honest = Calibration::default();
    let mut boastful = Calibration::default();
    for nth in 0..100 {
        honest.add(0.75, nth % 4 != 0);
        boastful.add(0.99, nth % 4 != 0);
    }
    assert!(honest.error() < 1e-9);
    assert!((boastful.error() - 0.24).abs() < 1e-9);
    // Two wrongs of one bin cancel, of two bins they don't.
    let mut both = Calibration::default();
    (0..50).for_each(|_| both.add(1.0, false));
    (0..50).for_each(|_| both.add(0.0, true));
    assert_eq!(both.error(), 1.0);
    assert_eq!(Calibration::default().error(), 0.0);
}
