//! The figures by which a model is judged.

use std::{collections::BTreeSet, sync::Arc};

use burn::tensor::{Device, Tensor, TensorData};
use glyphspace::{
    glyphs::{
        checkpoint,
        corpus_functions::{CorpusFunction, of_corpus},
        evaluation::{GlyphsEvaluator, GlyphsReport, aesthetics},
        inference::GlyphReader,
        networks::losses::smoothness_and_contrast,
    },
    training::{Evaluator, checkpoint::Source},
};
use image::{Rgb, RgbImage};
use serde_json::Value;

use super::{MAX_TOKENS, corpus, reader, tiny, trainer};
use crate::nn::values;

fn functions(reader: &GlyphReader, validation: f64) -> Vec<CorpusFunction> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.corpus");
    corpus().write(&path).unwrap();
    of_corpus(Some(&path), &reader.bpe, MAX_TOKENS, validation).unwrap()
}

fn judged(
    reader: GlyphReader,
    functions: Vec<CorpusFunction>,
    difficulties: &[f64],
) -> GlyphsReport {
    let mut judgement = GlyphsEvaluator::new(Arc::new(reader), functions, difficulties.to_vec());
    let mut before = judgement.progress().done;
    loop {
        let report = judgement.advance("cpu").unwrap();
        let done = judgement.progress().done;
        assert!(before <= done && done <= 1.0, "from {before} to {done}");
        before = done;
        if let Some(report) = report {
            assert_eq!(done, 1.0);
            return report;
        }
    }
}

#[test]
fn a_report_has_every_figure_in_its_range() {
    let reader = reader();
    let functions = functions(&reader, 0.3);
    let (count, params) = (functions.len(), reader.params());
    let report = judged(reader, functions, &[0.0, 4.0, 12.5]);
    assert_eq!((report.functions, report.params), (count, params));
    assert_eq!((report.max_tokens, report.steps), (MAX_TOKENS, 0));
    for shares in [&report.token_accuracy, &report.exact] {
        assert_eq!(
            shares.keys().copied().collect::<Vec<_>>(),
            ["train", "validation"]
        );
        for shares in shares.values() {
            let difficulties: BTreeSet<&str> = shares.keys().map(String::as_str).collect();
            assert_eq!(difficulties, ["0", "12.5", "4"].into());
            assert!(shares.values().all(|share| (0.0..=1.0).contains(share)));
        }
    }
    assert_eq!(report.exact_by_length.keys().collect::<Vec<_>>(), [&32]);
    assert_eq!(report.functions_by_length[&32], count);
    assert!((0.0..=1.0).contains(&report.self_retrieval) && report.retrieval_among > 10);
    assert!((0.0..=1.0).contains(&report.near_miss_distinct) && report.near_misses > 10);
    assert!(report.distance_spearman.abs() <= 1.0);
    assert!(report.smoothness > 0.0 && report.contrast > 0.0 && report.contrast <= 0.5);

    let json = serde_json::to_value(&report).unwrap();
    for place in [
        "/exact/train/0",
        "/exact/validation/4",
        "/token_accuracy/train/12.5",
        "/contrast",
        "/exact_by_length/32/4",
    ] {
        assert!(
            json.pointer(place).is_some_and(Value::is_f64),
            "{place}: {json}"
        );
    }
}

#[test]
fn the_same_model_gets_the_same_report() {
    let report = || {
        let reader = trainer(tiny(&[])).snapshot();
        let functions = functions(&reader, 0.3).into_iter().take(12).collect();
        serde_json::to_string(&judged(reader, functions, &[6.0])).unwrap()
    };
    assert_eq!(report(), report());
}

#[test]
fn a_split_without_functions_is_left_out() {
    let reader = reader();
    let functions: Vec<_> = functions(&reader, 0.0).into_iter().take(5).collect();
    assert!(functions.iter().all(|function| !function.is_validation));
    let report = judged(reader, functions, &[0.0]);
    assert_eq!(report.exact.keys().copied().collect::<Vec<_>>(), ["train"]);
}

#[test]
fn long_functions_have_bands_of_their_own() {
    let reader = trainer(tiny(&["max_tokens=200"])).snapshot();
    let text = ["x"; 75].join(" + ");
    let function = CorpusFunction {
        name: "long".into(),
        tokens: reader.bpe.encode(&text),
        text,
        origin: "tests".into(),
        is_validation: true,
    };
    assert!(
        (129..=200).contains(&function.tokens.len()),
        "{}",
        function.tokens.len()
    );
    let report = judged(reader, vec![function.clone(), function], &[0.0]);
    assert_eq!(report.functions_by_length, [(256, 2)].into());
    assert!(report.exact_by_length[&256].contains_key("0"));
}

/// Longer than a glyph, and so on several pages; beside it a QR code of a short text.
#[test]
fn functions_on_several_pages_are_read_from_their_sheet() {
    let reader = checkpoint::load(&Source::Bundled, &Device::flex()).unwrap();
    let lines = |count: usize| -> String {
        let lines = (0..count).map(|i| format!("    total = total + values[{i}]\n"));
        format!("def add(values, total):\n{}", lines.collect::<String>())
    };
    let function = |count| {
        let text = lines(count);
        CorpusFunction {
            name: "add".into(),
            tokens: reader.bpe.encode(&text),
            text,
            origin: "tests".into(),
            is_validation: true,
        }
    };
    let functions = vec![function(1), function(2), function(14)];
    let report = judged(reader, functions, &[0.0, 4.0]);
    assert_eq!(
        report.functions_by_length,
        [(32, 1), (64, 1), (256, 1)].into()
    );
    for scores in [&report.exact_by_length, &report.verified_by_length] {
        assert_eq!(scores[&256], [("0".to_owned(), 1.0)].into());
    }
    let qr = &report.qr_exact_by_length;
    assert!(!qr.contains_key(&256) && qr[&32]["0"] == 1.0, "{qr:?}");
}

#[test]
fn functions_are_taken_in_the_models_tokens() {
    let reader = reader();
    let own = functions(&reader, 0.3);
    assert_eq!(own.len(), corpus().len() - 1, "one is too long");
    for function in &own {
        assert_eq!(function.tokens, reader.bpe.encode(&function.text));
        assert_eq!(function.origin, "tests");
    }
    let sample = of_corpus(None, &reader.bpe, 128, 0.0).unwrap();
    assert!(sample.len() > 100 && sample.iter().all(|function| function.tokens.len() <= 128));
    let error = format!("{:#}", of_corpus(None, &reader.bpe, 1, 0.0).unwrap_err());
    assert!(
        error.contains("bundled sample") && error.contains("up to 1 tokens"),
        "{error}"
    );
}

/// Smoothness and contrast as the report and as the loss count them.
fn check_looks(picture: &RgbImage, difference: f64, contrast: f64) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let numbers: Vec<f32> = picture
        .as_raw()
        .iter()
        .map(|&v| f32::from(v) / 255.0)
        .collect();
    let tensor = TensorData::new(numbers, [1, height, width, 3]);
    let tensor = Tensor::<4>::from_data(tensor, &Device::flex()).permute([0, 3, 1, 2]);
    let loss = smoothness_and_contrast(tensor);
    let loss = (f64::from(values(loss.0)[0]), f64::from(values(loss.1)[0]));
    for (got, tolerance) in [(aesthetics(picture), 1e-9), (loss, 1e-4)] {
        let off = (got.0 - difference).abs().max((got.1 - contrast).abs());
        assert!(
            off < tolerance,
            "{got:?}, expected {difference} and {contrast}"
        );
    }
}

#[test]
fn looks_agree_with_sums_by_hand() {
    check_looks(&RgbImage::from_pixel(8, 8, Rgb([90, 90, 90])), 0.0, 0.0);
    // Half black, half white, side by side: one step in each row of seven, none in the columns.
    let halves = RgbImage::from_fn(8, 8, |x, _| Rgb([if x < 4 { 0 } else { 255 }; 3]));
    check_looks(&halves, 1.0 / 7.0 / 2.0, 0.5);
    // A chequered one changes at every step.
    let chequered = RgbImage::from_fn(
        8,
        8,
        |x, y| Rgb([if (x + y) % 2 == 0 { 0 } else { 255 }; 3]),
    );
    check_looks(&chequered, 1.0, 0.5);
    // Even but coloured: contrast is of all values together.
    check_looks(
        &RgbImage::from_pixel(8, 8, Rgb([255, 0, 0])),
        0.0,
        2f64.sqrt() / 3.0,
    );
    // A ramp down, as wide as it is high or not.
    let ramp = RgbImage::from_fn(5, 4, |_, y| Rgb([51 * y as u8; 3]));
    check_looks(&ramp, 0.2 / 2.0, (0.2f64 * 0.2 * 1.25).sqrt());
}
