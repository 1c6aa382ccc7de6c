//! The code of a glyph's cells: what it mends, and that it doesn't lie.

use glyphspace::glyphs::{
    code::{HEADER, cells_for, decode, decode_briefly, encode, lengths_of},
    networks::mosaic::Layouts,
    reed_solomon::{SYMBOLS, correct, parity},
};
use glyphspace::training::config::Config as _;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{rows, tiny, trainer};

fn symbols(count: usize, rng: &mut ChaCha8Rng) -> Vec<u16> {
    (0..count)
        .map(|_| rng.random_range(0..SYMBOLS as u16))
        .collect()
}

/// Changes symbols at places that are all different; returns the places.
fn damage(codeword: &mut [u16], count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut places: Vec<usize> = (0..codeword.len()).collect();
    places.shuffle(rng);
    places.truncate(count);
    for place in &places {
        codeword[*place] ^= rng.random_range(1..SYMBOLS as u16);
    }
    places
}

/// A codeword is a multiple of (x - a) .. (x - a^count), by a multiplication that knows no tables.
#[test]
fn codewords_have_the_roots_they_should() {
    let product = |mut a: u32, mut b: u32| {
        let mut product = 0;
        while b > 0 {
            product ^= if b & 1 == 1 { a } else { 0 };
            a = if a & 1024 == 0 {
                a << 1
            } else {
                a << 1 ^ 0x805
            };
            b >>= 1;
        }
        product
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let message = symbols(40, &mut rng);
    let parity = parity(&message, 12);
    let codeword = message
        .iter()
        .chain(&parity)
        .map(|symbol| u32::from(*symbol));
    let mut root = 1;
    for exponent in 1..=13 {
        root = product(root, 2);
        let value = codeword
            .clone()
            .fold(0, |sum, symbol| product(sum, root) ^ symbol);
        assert_eq!(value == 0, exponent <= 12, "a^{exponent}");
    }
}

#[test]
fn errors_and_erasures_are_mended_up_to_what_the_parity_allows() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..500 {
        let (length, count) = (rng.random_range(1..150), rng.random_range(0..60));
        let message = symbols(length, &mut rng);
        let whole = [message.clone(), parity(&message, count)].concat();
        let erased = rng.random_range(0..=count);
        let errors = (count - erased) / 2;
        let mut read = whole.clone();
        let damaged = (erased + errors).min(read.len());
        let places = damage(&mut read, damaged, &mut rng);
        let erasures = &places[..erased.min(damaged)];
        assert_eq!(correct(&mut read, count, erasures), Some(damaged));
        assert_eq!(read, whole);
    }
}

#[test]
fn more_than_the_parity_allows_is_not_mended_and_left_as_it_was() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let message = symbols(60, &mut rng);
    let whole = [message.clone(), parity(&message, 20)].concat();
    for _ in 0..200 {
        let mut read = whole.clone();
        let errors = rng.random_range(15..60);
        damage(&mut read, errors, &mut rng);
        let before = read.clone();
        assert_eq!(correct(&mut read, 20, &[]), None);
        assert_eq!(read, before);
    }
    let erasures: Vec<usize> = (0..21).collect();
    assert_eq!(
        correct(&mut whole.clone(), 20, &erasures),
        None,
        "more erasures than parity"
    );
}

#[test]
fn functions_of_any_length_are_verified_in_their_layout() {
    let (share, layouts) = (0.5, Layouts::new(cells_for(128, 0.5)));
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for length in 1..=128 {
        let tokens: Vec<u32> = symbols(length, &mut rng)
            .into_iter()
            .map(u32::from)
            .collect();
        let layout = layouts.index_for(cells_for(length, share));
        let lengths = lengths_of(&layouts, layout, share);
        assert!(lengths.contains(&length), "{length} of {lengths:?}");
        let cells = layouts.all[layout].slots();
        let whole = encode(&tokens, cells);
        assert_eq!(whole.len(), cells);
        let mut read: Vec<u16> = whole.iter().map(|symbol| *symbol as u16).collect();
        let parity = cells - HEADER - length;
        let places = damage(&mut read, parity / 2, &mut rng);
        let read: Vec<u32> = read.into_iter().map(u32::from).collect();
        let found = decode(&read, &vec![1.0; cells], lengths).unwrap();
        assert_eq!(found.tokens, tokens);
        let mended = found
            .is_mended
            .iter()
            .filter(|is_mended| **is_mended)
            .count();
        assert_eq!(mended, places.len());
    }
}

/// Doubtful symbols count as lost, so that nearly twice as many can be mended.
#[test]
fn low_confidence_mends_more() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let tokens: Vec<u32> = symbols(60, &mut rng).into_iter().map(u32::from).collect();
    let whole = encode(&tokens, 100);
    let mut read: Vec<u16> = whole.iter().map(|symbol| *symbol as u16).collect();
    let places = damage(&mut read, 30, &mut rng);
    let mut confidence = vec![0.9; 100];
    places.iter().for_each(|place| confidence[*place] = 0.2);
    let read: Vec<u32> = read.into_iter().map(u32::from).collect();
    assert_eq!(decode(&read, &vec![0.9; 100], 50..=70), None);
    assert_eq!(decode(&read, &confidence, 50..=70).unwrap().tokens, tokens);
}

/// Of a glyph that is cut not even the number of its tokens may be left.
#[test]
fn lost_symbols_are_mended_whatever_they_were() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let tokens: Vec<u32> = symbols(60, &mut rng).into_iter().map(u32::from).collect();
    let whole = encode(&tokens, 100);
    let mut read = whole.clone();
    let mut confidence = vec![0.95; 100];
    // 33 in all, of 37 of parity.
    for lost in (0..100).step_by(3).take(33) {
        (read[lost], confidence[lost]) = (0, 0.0);
    }
    for decode in [decode, decode_briefly] {
        let found = decode(&read, &confidence, 50..=60).unwrap();
        assert_eq!(found.tokens, tokens);
        assert_eq!(decode(&read, &confidence, 61..=70), None);
    }
    // A length that was read for certain and can't be.
    (read[0], confidence[0]) = (200, 0.99);
    assert_eq!(decode_briefly(&read, &confidence, 50..=60), None);
    assert_eq!(decode(&read, &confidence, 50..=60).unwrap().tokens, tokens);
}

#[test]
fn noise_is_never_verified() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let share = 0.5;
    let layouts = Layouts::new(cells_for(128, share));
    for turn in 0..300 {
        let layout = turn % layouts.all.len();
        let cells = layouts.all[layout].slots();
        let noise: Vec<u32> = symbols(cells, &mut rng)
            .into_iter()
            .map(u32::from)
            .collect();
        let confidence: Vec<f32> = noise.iter().map(|_| rng.random()).collect();
        let lengths = lengths_of(&layouts, layout, share);
        assert_eq!(decode_briefly(&noise, &confidence, lengths.clone()), None);
        assert_eq!(decode(&noise, &confidence, lengths), None);
    }
}

/// A model whose glyphs have a code is trained, and reads what it has painted as verified once it has learnt it.
#[test]
fn a_model_with_a_code_learns_glyphs_that_are_verified() {
    let config = tiny(&[
        "parity=0.5",
        "hidden_size=32",
        "painter=24",
        "reader=32",
        "batch=16",
        "clean=1",
        "learning_rate=0.01",
        "warmup_steps=10",
        "contrast_weight=0",
        "smoothness_weight=0",
    ]);
    let mut trainer = trainer(config);
    let untrained = trainer.snapshot();
    let glyphs = untrained.glyphs(&rows()).unwrap();
    let read = untrained.read(&glyphs).unwrap();
    assert!(read.iter().all(|read| read.verified == Some(false)));
    let losses: Vec<f64> = (0..40).map(|_| trainer.step().unwrap().loss()).collect();
    assert!(
        losses[39] < losses[0] - 1.0,
        "{} to {}",
        losses[0],
        losses[39]
    );
    for read in trainer.snapshot().read(&glyphs).unwrap() {
        assert_eq!(read.tokens.len(), read.confidence.len());
        assert!(!read.is_verified() && !read.is_glyph());
    }
}

#[test]
fn codes_are_for_mosaics_and_small_vocabularies() {
    let mut config = tiny(&[]);
    assert!(config.set("parity=-0.5").is_err() && config.set("parity=3").is_err());
    config.set("parity=0.25").unwrap();
    assert_eq!(
        config.layouts().most_slots(),
        49,
        "24 tokens, 3 of the header, 15 and 6 of parity"
    );
    let mut dense = super::shrunk("dense", &[]);
    let error = format!("{:#}", dense.set("parity=0.5").unwrap_err());
    assert!(error.contains("mosaic"), "{error}");
}
