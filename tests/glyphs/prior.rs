//! The trigram model of tokens, and what it adds to a reader.

use glyphspace::{
    data::ngram::{NGram, START},
    glyphs::language_prior::marginals,
};

const VOCABULARY: usize = 20;

fn model() -> NGram {
    let sequences: [&[u16]; 5] = [
        &[1, 2, 3, 4],
        &[1, 2, 3, 4],
        &[5, 2, 6],
        &[5, 2, 6],
        // Seen once.
        &[1, 2, 10],
    ];
    NGram::new(VOCABULARY, sequences.into_iter())
}

#[test]
fn probabilities_of_a_context_sum_to_1_and_favour_what_was_seen() {
    let model = model();
    for context in [[START, START], [START, 1], [1, 2], [5, 2], [9, 9]] {
        let all = (0..VOCABULARY as u32).map(|token| model.probability(context, token));
        let sum: f64 = all.sum();
        assert!((sum - 1.0).abs() < 1e-9, "{context:?}: {sum}");
    }
    assert!(model.probability([1, 2], 3) > 0.5);
    assert!(model.probability([5, 2], 6) > 0.6);
    // After two strangers the nearer token counts.
    assert!((model.probability([9, 2], 3) - model.probability([9, 2], 6)).abs() < 1e-9);
    assert!(model.probability([9, 2], 3) > model.probability([9, 2], 7));
    assert_eq!(model.likeliest(&[1], 5), [2]);
    assert!(model.likeliest(&[9], 5).is_empty());
}

#[test]
fn a_model_is_packed_to_the_bit_and_a_cut_one_refused() {
    let model = model();
    let packed = model.pack().unwrap();
    assert_eq!(NGram::unpack(&packed).unwrap(), model);
    assert!(NGram::unpack(&packed[..packed.len() / 2]).is_err());
    assert!(NGram::unpack(b"nothing").is_err());
}

/// Posteriors of cells: sure of a token, or of none.
fn posteriors(cells: &[Option<u32>]) -> Vec<f32> {
    let row = |cell: &Option<u32>| -> Vec<f32> {
        let share = |token: usize| match cell {
            Some(sure) if *sure as usize == token => 0.9,
            Some(_) => 0.1 / (VOCABULARY - 1) as f32,
            None => 1.0 / VOCABULARY as f32,
        };
        (0..VOCABULARY).map(share).collect()
    };
    cells.iter().flat_map(row).collect()
}

#[test]
fn a_lost_cell_is_told_by_its_neighbours_and_a_sure_one_stays() {
    let model = model();
    let told = |cells: &[Option<u32>]| marginals(&posteriors(cells), VOCABULARY, &model);
    let tokens = |found: &[(u32, f32)]| found.iter().map(|(token, _)| *token).collect::<Vec<_>>();
    let found = told(&[Some(1), Some(2), None, Some(4)]);
    assert_eq!(tokens(&found), [1, 2, 3, 4]);
    assert!(found[2].1 > 0.6, "{found:?}");
    assert!(found.iter().all(|(_, share)| (0.0..=1.0).contains(share)));
    // From what follows, too.
    assert_eq!(tokens(&told(&[None, Some(2), Some(6)]))[0], 5);
    // What was never seen is read as it is.
    assert_eq!(tokens(&told(&[Some(8), Some(9), Some(7)])), [8, 9, 7]);
    assert!(told(&[]).is_empty());
}
