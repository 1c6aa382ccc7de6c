//! PCA, t-SNE, how far they can be believed, and slices; against figures of scikit-learn
//! (tests/data/make_projection.py) and by hand.

use std::ops::ControlFlow;

use glyphspace::latent::{
    points::{Points, distance},
    projection::{
        Fit, Projection, STEPS, Slice, SliceError, Tsne, TsneStage, pca, trust, trust_of_values,
        tsne,
    },
};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("data/projection.json")).unwrap()
}

fn points(rows: &Value) -> Points {
    let rows: Vec<Vec<f32>> = serde_json::from_value(rows.clone()).unwrap();
    Points {
        dims: rows[0].len(),
        values: rows.concat(),
    }
}

fn go_on(_: TsneStage<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Groups of points in a space of ten dimensions, the same every time.
fn groups(count: usize) -> Points {
    let value = |at: usize| {
        let (point, axis) = (at / 10, at % 10);
        let group = (point % 5 * 7 + axis * 3) % 11;
        group as f32 + ((point * 37 + axis * 101) as f32).sin()
    };
    Points {
        dims: 10,
        values: (0..count * 10).map(value).collect(),
    }
}

#[test]
fn pca_agrees_with_scikit_learn() {
    let data = reference();
    let (plane, expected) = (pca(&points(&data["points"])), points(&data["plane"]));
    for (place, expected) in plane.iter().zip(expected.iter()) {
        assert!(
            distance(place, expected) < 1e-4,
            "{place:?} is not {expected:?}"
        );
    }
}

#[test]
fn trust_agrees_with_scikit_learn() {
    let data = reference();
    let space = points(&data["points"]);
    for name in ["plane", "noise"] {
        let places = points(&data[name]);
        for k in [5, 12] {
            let expected = &data["trust"][name][k.to_string()];
            let found = trust(&space, &places, k).unwrap();
            let close = |found: f64, expected: &Value| {
                assert!(
                    (found - expected.as_f64().unwrap()).abs() < 1e-6,
                    "{name}, {k}: {found}"
                );
            };
            close(found.trustworthiness, &expected[0]);
            close(found.continuity, &expected[1]);
        }
    }
}

#[test]
fn trust_by_hand() {
    // A line of six: kept, and with its ends exchanged.
    let line = |values: [f32; 6]| Points {
        dims: 1,
        values: values.to_vec(),
    };
    let space = line([0.0, 1.0, 2.1, 3.3, 4.6, 6.0]);
    let kept = trust(&space, &space, 1).unwrap();
    assert_eq!((kept.trustworthiness, kept.continuity), (1.0, 1.0));
    // In the picture 0 and 5 have changed places. The nearest there, and its rank in the space: of 0 it is
    // 4, the 4th; of 1 it is 5, the 5th; of 5 it is 1, the 4th; the others keep theirs.
    let swapped = trust(&space, &line([6.0, 1.0, 2.1, 3.3, 4.6, 0.0]), 1).unwrap();
    let excess = (4 - 1) + (5 - 1) + (4 - 1);
    let expected = 1.0 - 2.0 / (6.0 * (12.0 - 3.0 - 1.0)) * f64::from(excess);
    assert!(
        (swapped.trustworthiness - expected).abs() < 1e-12,
        "{swapped:?}, not {expected}"
    );
    // Too few points, or places, for so many neighbours.
    assert_eq!(trust(&space, &space, 3), None);
    assert_eq!(trust(&space, &space, 0), None);
    assert_eq!(
        trust(&space, &line([0.0; 6]).chunks(2).next().unwrap(), 1),
        None
    );
    let ordered = trust_of_values(&space, 2).unwrap();
    assert!(ordered.trustworthiness > 0.9 && ordered.continuity > 0.9);
}

#[test]
fn tsne_keeps_neighbours_and_is_the_same_every_time() {
    for count in [199, 1500] {
        let points = groups(count);
        let settings = Tsne::default();
        let places = tsne(&points, &settings, &mut go_on).unwrap();
        assert_eq!((places.dims, places.len()), (2, count));
        assert!(places.values.iter().all(|value| value.is_finite()));
        let kept = trust(&points, &places, 12).unwrap();
        let plane = trust(&points, &pca(&points), 12).unwrap();
        assert!(
            kept.trustworthiness > 0.9 && kept.trustworthiness > plane.trustworthiness,
            "{count}: {kept:?}, PCA {plane:?}"
        );
        let again = tsne(&points, &settings, &mut go_on).unwrap();
        assert_eq!(places, again, "{count} points");
    }
}

#[test]
fn tsne_doesnt_depend_on_the_number_of_threads() {
    let points = groups(1500);
    let settings = Tsne {
        steps: 100,
        ..Tsne::default()
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| tsne(&points, &settings, &mut go_on))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn any_perplexity_is_lowered_to_what_the_points_allow() {
    for count in [0, 1, 2, 3, 4, 5, 12, 40] {
        for perplexity in [1.0, 2.0, 30.0, 1e4] {
            let settings = Tsne {
                perplexity,
                steps: 60,
                ..Tsne::default()
            };
            let places = tsne(&groups(count), &settings, &mut go_on).unwrap();
            assert_eq!(places.len(), count);
            assert!(
                places.values.iter().all(|value| value.is_finite()),
                "{count} points, perplexity {perplexity}: {places:?}"
            );
        }
    }
    // A model that has come to nothing has no layout, and nothing waits for one.
    let mut broken = groups(30);
    broken.values[7] = f32::NAN;
    let places = tsne(&broken, &Tsne::default(), &mut go_on).unwrap();
    assert!(places.values.iter().all(|value| value.is_nan()));
    assert_eq!(Fit::of(&places).in_box([1.0, 2.0]), [0.0; 2]);
    // Points in one place, too.
    for count in [20, 600] {
        let same = Points {
            dims: 3,
            values: vec![0.5; 3 * count],
        };
        let places = tsne(&same, &Tsne::default(), &mut go_on).unwrap();
        assert!(places.values.iter().all(|value| value.is_finite()));
    }
}

#[test]
fn tsne_shows_every_step_and_can_be_broken_off() {
    let points = groups(60);
    let mut steps = Vec::new();
    let mut watch = |stage: TsneStage<'_>| {
        assert_eq!(stage.steps, STEPS);
        assert_eq!(stage.places.len(), if stage.step == 0 { 0 } else { 60 });
        steps.push(stage.step);
        if stage.step == 17 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let kind = Projection::Tsne { perplexity: 5.0 };
    assert_eq!(kind.project(&points, 0, &mut watch), None);
    assert_eq!(steps.last(), Some(&17));
    steps.dedup();
    assert_eq!(steps, (0..=17).collect::<Vec<_>>());
    let refuse = &mut |_: TsneStage<'_>| ControlFlow::Break(());
    assert_eq!(kind.project(&points, 0, refuse), None);
}

#[test]
fn a_fit_fills_the_box() {
    let places = Points {
        dims: 2,
        values: vec![10.0, 5.0, 30.0, 5.0, 20.0, 9.0],
    };
    let fitted = Fit::of(&places).all_in_box(&places);
    let expected = [-0.94, -0.188, 0.94, -0.188, 0.0, 0.188];
    for (value, expected) in fitted.values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-5, "{fitted:?}");
    }
    let same = Points {
        dims: 2,
        values: vec![3.0; 4],
    };
    assert_eq!(Fit::of(&same).all_in_box(&same).values, [0.0; 4]);
    assert_eq!(Fit::of(&Points::default()).in_box([1.0, 2.0]), [0.0; 2]);
}

#[test]
fn three_places_lie_on_their_slice() {
    for dims in [2, 3, 10, 100] {
        for turn in 0..20 {
            let place = |which: usize| -> Vec<f32> {
                let value = |axis: usize| ((turn * 31 + which * 17 + axis * 7) as f32).sin() * 0.9;
                (0..dims).map(value).collect()
            };
            let places = [0, 1, 2].map(place);
            let slice = Slice::through([&places[0], &places[1], &places[2]]).unwrap();
            assert_eq!(slice.dims(), dims);
            for (corner, place) in slice.corners.iter().zip(&places) {
                assert!(
                    corner.iter().all(|c| c.abs() <= 0.95),
                    "{:?}",
                    slice.corners
                );
                let found = slice.embed(*corner);
                assert!(distance(&found, place) < 1e-4, "{found:?} is not {place:?}");
                let (at, far) = slice.nearest(place);
                assert!(distance(&at, corner) < 1e-4 && far < 1e-4);
            }
            // As long in both directions, and upright.
            let [o, x, y] = [[0.0, 0.0], [0.01, 0.0], [0.0, 0.01]].map(|at| slice.embed(at));
            if o.iter().all(|value| value.abs() < 1.0) {
                let (right, up, across) = (distance(&o, &x), distance(&o, &y), distance(&x, &y));
                assert!((right / up - 1.0).abs() < 0.02, "{right} is not {up}");
                assert!((across / right - 2_f32.sqrt()).abs() < 0.02);
            }
        }
    }
}

#[test]
fn beyond_the_box_a_slice_shows_its_nearest_point() {
    let (a, b, c) = ([-0.9, 0.0, 0.0], [0.9, 0.0, 0.0], [0.0, 0.9, 0.0]);
    let slice = Slice::through([&a, &b, &c]).unwrap();
    let found = slice.embed([1.0, -0.5]);
    assert!(distance(&found, &[1.0, 0.0, 0.0]) < 1e-5, "{found:?}");
    // 1.8 of the space is 1 of the slice, so the box's border lies at 1 / 1.8.
    let outline = slice.outline();
    let [left, right] =
        [f32::min, f32::max].map(|gather| outline.iter().map(|at| at[0]).fold(0.0, gather));
    assert!(
        (left + 1.0 / 1.8).abs() < 1e-4 && (right - 1.0 / 1.8).abs() < 1e-4,
        "{outline:?}"
    );
}

#[test]
fn no_slice_goes_through_a_line() {
    let place = |x: f32| [x, 2.0 * x, -x];
    let [a, b, c] = [0.1, 0.2, 0.4].map(place);
    for places in [[&a, &b, &c], [&a, &a, &c], [&a, &b, &a], [&a, &b, &b]] {
        assert_eq!(
            Slice::through(places.map(<[f32; 3]>::as_slice)),
            Err(SliceError::Line)
        );
    }
    let nan = [f32::NAN; 3];
    assert_eq!(Slice::through([&a, &b, &nan]), Err(SliceError::Line));
    let error = Slice::through([&[0.0], &[1.0], &[0.5]])
        .unwrap_err()
        .to_string();
    assert!(error.contains("at least 2"), "{error}");
}
