//! The rule that moves the channel's difficulty.

use glyphspace::glyphs::curriculum::{Curriculum, Score};

/// A curriculum that has read so many tokens right for long.
fn settled(difficulty: f64, accuracy: f64) -> Curriculum {
    Curriculum {
        difficulty,
        accuracy,
        exact: accuracy / 2.0,
        verified: 0.0,
    }
}

fn after(mut curriculum: Curriculum, accuracy: f64, looks: usize) -> f64 {
    let score = Score {
        accuracy,
        ..Score::default()
    };
    for _ in 0..looks {
        curriculum.observe(&score, 0.9, 8.0);
    }
    curriculum.difficulty
}

#[test]
fn difficulty_rises_above_the_bar_falls_below_another_and_stays_between() {
    assert!(after(settled(2.0, 1.0), 1.0, 1) > 2.0);
    assert!(after(settled(2.0, 0.0), 0.0, 1) < 2.0);
    for accuracy in [0.31, 0.6, 0.9] {
        assert_eq!(after(settled(2.0, accuracy), accuracy, 50), 2.0);
    }
    // The bar rises with the difficulty, from .9 to 1 - .1 / 16.
    assert!(after(settled(0.0, 0.91), 0.91, 1) > 0.0);
    assert_eq!(after(settled(7.0, 0.91), 0.91, 1), 7.0);
    assert!(after(settled(7.0, 0.95), 0.95, 1) > 7.0);
}

/// With a code the share that is verified counts: one bar for every difficulty, and half of it.
#[test]
fn difficulty_follows_what_is_verified() {
    let after = |verified: f64| {
        let mut curriculum = Curriculum {
            verified,
            ..Curriculum::new(4.0)
        };
        let score = Score {
            verified: Some(verified),
            ..Score::default()
        };
        curriculum.observe(&score, 0.4, 8.0);
        curriculum.difficulty
    };
    assert!(after(0.41) > 4.0);
    assert_eq!(after(0.39), 4.0);
    assert_eq!(after(0.21), 4.0);
    assert!(after(0.19) < 4.0);
}

#[test]
fn difficulty_stays_within_its_bounds() {
    assert_eq!(after(settled(7.9, 1.0), 1.0, 100), 8.0);
    assert_eq!(after(settled(0.5, 0.0), 0.0, 100), 0.0);
}

#[test]
fn one_look_moves_the_means_a_part_of_the_way() {
    let mut curriculum = settled(2.0, 1.0);
    curriculum.observe(&Score::default(), 0.9, 8.0);
    assert!((0.5..1.0).contains(&curriculum.accuracy), "{curriculum:?}");
    assert!((0.25..0.5).contains(&curriculum.exact), "{curriculum:?}");
    assert_eq!(curriculum.difficulty, 2.0, "one bad look among good ones");
}

#[test]
fn a_curriculum_is_kept_exactly() {
    let mut curriculum = Curriculum::new(0.5);
    for look in 0..7 {
        let share = f64::from(look) / 7.0;
        curriculum.observe(
            &Score {
                accuracy: share.sqrt(),
                exact: share,
                verified: Some(share / 2.0),
            },
            0.9,
            8.0,
        );
    }
    let kept = serde_json::to_string(&curriculum).unwrap();
    assert_eq!(
        serde_json::from_str::<Curriculum>(&kept).unwrap(),
        curriculum
    );
    let foreign = kept.replace("exact", "inexact");
    assert!(serde_json::from_str::<Curriculum>(&foreign).is_err());
}
