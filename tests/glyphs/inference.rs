//! What a model answers: glyphs, readings, embeddings, morphs.

use burn::tensor::Device;
use glyphspace::{
    embedder::Embedder,
    glyphs::{checkpoint, inference::GlyphReader},
    nn::distortions::{DistortionBatch, DistortionKinds},
    training::checkpoint::Source,
};
use image::RgbImage;

use super::{MAX_TOKENS, corpus, reader, rng, rows, tiny, tokens_of, trainer};

/// Equal but for the last bit of a value, which may fall otherwise where sums have another order.
fn check_alike(a: &RgbImage, b: &RgbImage) {
    assert_eq!(a.dimensions(), b.dimensions());
    assert!(
        a.as_raw()
            .iter()
            .zip(b.as_raw())
            .all(|(a, b)| a.abs_diff(*b) <= 1)
    );
}

#[test]
fn glyphs_are_pictures_that_follow_from_model_and_function_alone() {
    let (reader, rows) = (reader(), rows());
    let glyphs = reader.glyphs(&rows).unwrap();
    assert_eq!(glyphs.len(), rows.len());
    assert!(glyphs.iter().all(|glyph| glyph.dimensions() == (128, 128)));
    assert_eq!(reader.glyphs(&rows).unwrap(), glyphs);
    let again = trainer(tiny(&[])).snapshot();
    assert_eq!(again.glyphs(&rows).unwrap(), glyphs);
    let other = trainer(tiny(&["seed=1"])).snapshot();
    for (i, glyph) in other.glyphs(&rows).unwrap().iter().enumerate() {
        assert_ne!(*glyph, glyphs[i]);
    }
    for (i, glyph) in glyphs.iter().enumerate() {
        assert!(
            glyphs[..i].iter().all(|other| other != glyph),
            "functions {i} and another"
        );
    }
    assert!(reader.glyphs(&[]).unwrap().is_empty());
}

#[test]
fn a_batch_is_painted_and_read_as_each_alone() {
    let reader = reader();
    // More than one pass, of functions of all lengths.
    let corpus = corpus();
    let fitting = (0..corpus.len()).map(|i| tokens_of(&corpus, i));
    let mut rows: Vec<_> = fitting
        .filter(|row| row.len() <= MAX_TOKENS)
        .take(33)
        .collect();
    rows.splice(5..5, self::rows());
    let glyphs = reader.glyphs(&rows).unwrap();
    let read = reader.read(&glyphs).unwrap();
    let latents = reader.latents(&rows).unwrap();
    assert_eq!([glyphs.len(), read.len(), latents.len()], [37; 3]);
    for i in [0, 5, 6, 7, 20, 36] {
        let alone = reader.glyphs(&rows[i..=i]).unwrap();
        check_alike(&alone[0], &glyphs[i]);
        let one = reader.read(&glyphs[i..=i]).unwrap().remove(0);
        assert_eq!(one.tokens, read[i].tokens);
        assert!((one.certainty - read[i].certainty).abs() < 1e-4);
        let latent = reader.latents(&rows[i..=i]).unwrap().remove(0);
        assert_eq!(latent.len(), reader.config.hidden_size);
        assert!(
            latent
                .iter()
                .zip(&latents[i])
                .all(|(a, b)| (a - b).abs() < 1e-4)
        );
    }
}

#[test]
fn readings_are_in_range_and_spelt() {
    let reader = reader();
    let pad = reader.bpe.pad();
    for read in reader.read(&reader.glyphs(&rows()).unwrap()).unwrap() {
        assert_eq!(read.tokens.len(), read.confidence.len());
        assert!(read.confidence.iter().all(|p| (0.0..=1.0).contains(p)));
        assert!(read.certainty <= 0.0 && read.certainty.is_finite());
        assert!(read.tokens.iter().all(|token| *token != pad));
        assert!(
            !read.is_glyph(),
            "an untrained model is sure: {}",
            read.certainty
        );
        let reading = reader.spell(read.clone());
        assert_eq!(reading.text, reader.bpe.decode(&read.tokens));
        assert_eq!(
            (reading.pieces.len(), &reading.decoded),
            (read.tokens.len(), &read)
        );
    }
}

#[test]
fn embeddings_are_of_what_is_read_from_the_picture() {
    let reader = checkpoint::load(&Source::Bundled, &Device::flex()).unwrap();
    let texts = [
        "def f(a):\n    return sum(a) / len(a)",
        "def g(path):\n    return open(path).read()",
    ];
    let rows = texts.map(|text| reader.tokens(text).unwrap());
    let glyphs = reader.glyphs(&rows).unwrap();
    let embedder = Embedder::bundled().unwrap();
    let expected = texts.map(|text| embedder.embed(text));
    assert_eq!(reader.embeddings(&glyphs).unwrap(), expected);
}

#[test]
fn functions_no_glyph_can_have_are_refused() {
    let reader = reader();
    let refused = |text: &str| reader.tokens(text).unwrap_err().to_string();
    let long = "x + ".repeat(40);
    let count = reader.bpe.encode(&long).len().to_string();
    let error = refused(&long);
    assert!(
        error.contains(&count) && error.contains("up to 24"),
        "{error}"
    );
    assert!(refused("").contains("expected a Python function"));
    assert_eq!(reader.tokens("x = 1").unwrap(), reader.bpe.encode("x = 1"));
}

#[test]
fn the_channel_at_difficulty_0_changes_nothing() {
    let reader = reader();
    let glyphs = reader.glyphs(&rows()).unwrap();
    let distorted = |difficulty| {
        let damage = DistortionBatch::sample(&[difficulty; 4], DistortionKinds::ALL, &mut rng(1));
        reader.distorted(&glyphs, &damage).unwrap()
    };
    assert_eq!(distorted(0.0), glyphs);
    let hit = distorted(8.0);
    assert!(hit.iter().zip(&glyphs).all(|(hit, glyph)| hit != glyph));
    assert_eq!(distorted(8.0), hit);
}

#[test]
fn scores_are_shares() {
    let reader = reader();
    for difficulty in [0.0, 15.0] {
        let score = reader.score(&rows(), difficulty, &mut rng(2)).unwrap();
        assert!((0.0..=1.0).contains(&score.accuracy) && (0.0..=1.0).contains(&score.exact));
        assert!(score.exact <= score.accuracy);
    }
    let nothing = reader.score(&[], 0.0, &mut rng(2)).unwrap();
    assert_eq!((nothing.accuracy, nothing.exact), (0.0, 0.0));
    assert_eq!(nothing.verified, Some(0.0));
}

fn morph(reader: &GlyphReader, stops: &[usize], frames: usize) -> Vec<RgbImage> {
    let rows = rows();
    let stops: Vec<_> = stops.iter().map(|&i| rows[i].clone()).collect();
    let images = reader.morph(&stops, frames).unwrap();
    assert_eq!(images.len(), frames);
    images
}

#[test]
fn a_morph_begins_and_ends_at_its_functions_and_passes_the_others() {
    let reader = reader();
    let glyphs = reader.glyphs(&rows()).unwrap();
    for stops in [&[0, 2][..], &[1, 2, 3], &[3, 0, 1, 2]] {
        let segments = stops.len() - 1;
        // More than one pass.
        let images = morph(&reader, stops, 12 * segments + 1);
        for (nth, &stop) in stops.iter().enumerate() {
            check_alike(&images[12 * nth], &glyphs[stop]);
        }
        let is_still = images.windows(2).any(|pair| pair[0] == pair[1]);
        assert!(!is_still, "{stops:?} stands still");
    }
    for frames in [0, 1, 2, 33] {
        morph(&reader, &[0, 1, 2], frames);
    }
}

#[test]
fn a_morph_between_equal_functions_stands_still() {
    // What is true if and only if the shares of the stops sum to 1 at every place.
    let reader = reader();
    for stops in [&[2, 2][..], &[2, 2, 2, 2]] {
        let glyph = reader.glyphs(&rows()[2..3]).unwrap().remove(0);
        for image in morph(&reader, stops, 20) {
            check_alike(&image, &glyph);
        }
    }
}

#[test]
fn what_is_read_at_once_and_what_is_set_upright_are_read_together_as_alone() {
    let reader = checkpoint::load(&Source::Bundled, &Device::flex()).unwrap();
    let functions = [
        "def add(a, b):\n    return a + b",
        "def half(x):\n    return x / 2",
    ];
    let rows = functions.map(|text| reader.tokens(text).unwrap());
    let mut pictures = reader.glyphs(&rows).unwrap();
    let tilt = DistortionKinds {
        affine: true,
        perspective: true,
        blur: false,
        scale: false,
        occlusion: false,
        noise: false,
        jpeg: false,
    };
    let damage = DistortionBatch::sample(&[9.0, 9.0], tilt, &mut rng(3));
    let tilted = reader.distorted(&pictures, &damage).unwrap();
    pictures.splice(1..1, tilted);
    let read = reader.read(&pictures).unwrap();
    for (nth, [row, picture]) in [[0, 0], [0, 1], [1, 2], [1, 3]].into_iter().enumerate() {
        assert_eq!(read[picture].tokens, rows[row], "picture {picture}");
        let alone = reader.read(&pictures[nth..=nth]).unwrap().remove(0);
        assert_eq!(alone.tokens, read[nth].tokens);
        for (a, b) in alone.corners.iter().zip(read[nth].corners) {
            assert!((a[0] - b[0]).abs() < 1e-3 && (a[1] - b[1]).abs() < 1e-3);
        }
    }
    let straight = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
    assert_eq!([read[0].corners, read[3].corners], [straight; 2]);
    assert!(read[1].corners != straight && read[2].corners != straight);
}
