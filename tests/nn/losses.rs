//! Losses against double precision and hand-made figures, and inputs that are no numbers.

use burn::tensor::{Device, Int, Tensor, TensorData};
use glyphspace::nn::{
    bottleneck::{Bottleneck, FourierBands},
    init::{Initializer, normal},
    losses::{
        box_discrepancy, distance_mismatch, emptiness, nearest_distances, neighbour_distance,
        row_distances, saturation, seed_discrepancy, token_nll,
    },
};

use super::{START, check_close, cloud, draws, uniform, values};

#[test]
fn token_likelihoods_agree_with_double_precision() {
    let device = Device::flex();
    let logits = [
        [[1.0, -2.0, 0.5], [0.0, 0.0, 0.0]],
        [[1e4, -1e4, 0.0], [-3.0, 8.0, 8.5]],
    ];
    let tokens = [[0, 2], [1, 1]];
    let nll = token_nll(
        Tensor::from_data(logits, &device),
        Tensor::<2, Int>::from_data(tokens, &device),
    );
    let expected: Vec<f32> = logits
        .iter()
        .flatten()
        .zip(tokens.iter().flatten())
        .map(|(row, token): (&[f32; 3], &i32)| {
            let most = row.iter().map(|l| f64::from(*l)).fold(f64::MIN, f64::max);
            let sum: f64 = row.iter().map(|l| (f64::from(*l) - most).exp()).sum();
            (most + sum.ln() - f64::from(row[*token as usize])) as f32
        })
        .collect();
    check_close(&values(nll), &expected, 1e-5, "token_nll");
    assert_eq!(expected[2], 2e4);
}

fn from_box(points: TensorData) -> f32 {
    let points = Tensor::from_data(points, &Device::flex());
    values(box_discrepancy(points))[0]
}

fn from_draws(points: TensorData, draws: TensorData) -> f32 {
    let [points, draws] = [points, draws].map(|t| Tensor::from_data(t, &Device::flex()));
    values(seed_discrepancy(points, draws))[0]
}

/// The discrepancy from the box in double precision, its integrals as sums along each dimension.
fn box_by_sums(points: &TensorData, dims: usize) -> f64 {
    const STEPS: usize = 2000;
    let grid: Vec<f64> = (0..STEPS)
        .map(|i| (i as f64 + 0.5) * 2.0 / STEPS as f64 - 1.0)
        .collect();
    let points: Vec<f64> = points.iter::<f32>().map(f64::from).collect();
    let rows: Vec<&[f64]> = points.chunks(dims).collect();
    let count = rows.len() as f64;
    let widths = [0.02, 0.1, 0.5].map(|width| width * dims as f64);
    let term = |width: f64| {
        let kernel = |x: f64, y: f64| (-(x - y).powi(2) / (2.0 * width)).exp();
        let along = |x: f64| grid.iter().map(|v| kernel(x, *v)).sum::<f64>() / STEPS as f64;
        let pair = |x: &[f64], y: &[f64]| -> f64 {
            x.iter().zip(y).map(|(x, y)| kernel(*x, *y)).product()
        };
        let within: f64 = rows
            .iter()
            .map(|x| rows.iter().map(|y| pair(x, y)).sum::<f64>())
            .sum();
        let across: f64 = rows
            .iter()
            .map(|x| x.iter().map(|x| along(*x)).product::<f64>())
            .sum();
        let own = grid.iter().map(|x| along(*x)).sum::<f64>() / STEPS as f64;
        within / (count * count) + own.powi(dims as i32) - 2.0 * across / count
    };
    widths.into_iter().map(term).sum()
}

#[test]
fn discrepancy_from_the_box_agrees_with_its_integrals() {
    for (dims, spread) in [(1, 1.0), (2, 1.0), (2, 0.1), (10, 0.9), (100, 0.5)] {
        let points = cloud(30, dims, 6, |rng| spread * uniform(rng));
        let expected = box_by_sums(&points, dims) as f32;
        let what = format!("{spread} of the box in {dims} dimensions");
        check_close(&[from_box(points)], &[expected], 1e-5, &what);
    }
}

#[test]
fn discrepancies_are_nothing_where_nothing_differs_and_grow_with_the_distance() {
    for dims in [1, 2, 10] {
        let own = cloud(120, dims, 1, uniform);
        assert!(
            from_draws(own.clone(), own.clone()).abs() < 1e-5,
            "{dims} dimensions"
        );
        let moved = |shift: f32| cloud(120, dims, 2, |rng| uniform(rng) + shift);
        let measures: [(&str, &dyn Fn(f32) -> f32); 2] = [
            ("box", &|shift| from_box(moved(shift))),
            ("draws", &|shift| from_draws(moved(shift), own.clone())),
        ];
        for (name, at) in measures {
            let (near, far, farther) = (at(0.0), at(0.3), at(1.0));
            assert!(
                near >= -1e-5 && near < far && far < farther,
                "{name} in {dims}: {near} {far} {farther}"
            );
        }
    }
}

#[test]
fn discrepancy_has_a_signal_in_a_hundred_dimensions_where_the_seeds_has_none() {
    let dims = 100;
    let collapsed = || cloud(120, dims, 3, |rng| 0.05 * normal(rng));
    let spread = from_box(cloud(120, dims, 4, uniform));
    let boxed = from_box(collapsed());
    let seeds = from_draws(collapsed(), cloud(120, dims, 5, normal));
    assert!(boxed > 20.0 * spread, "{boxed} {spread}");
    assert!(boxed > 0.5, "{boxed}");
    assert!(seeds.abs() < 0.002, "{seeds}");
}

#[test]
fn distances_agree_with_hand_made_ones() {
    let device = Device::flex();
    let points = [[0.0, 0.0], [0.6, 0.8], [0.6, 0.7], [-3.0, 0.0]];
    let other = [[0.0, 0.0], [0.0, 0.0], [0.3, 0.3], [-3.0, 4.0]];
    let tensor = |rows: [[f32; 2]; 4]| Tensor::<2>::from_data(rows, &device);
    check_close(
        &values(row_distances(tensor(points), tensor(other))),
        &[0.0, 1.0, 0.5, 4.0],
        2e-4,
        "row_distances",
    );
    let nearest = [0.85_f32.sqrt(), 0.1, 0.1, 3.0];
    check_close(
        &values(nearest_distances(tensor(points))),
        &nearest,
        1e-3,
        "nearest_distances",
    );
}

#[test]
fn distances_match_whatever_their_scale() {
    let check = |x: [f32; 4], y: [f32; 4], expected: f32| {
        let row = |values| Tensor::<1>::from_data(values, &Device::flex());
        check_close(
            &values(distance_mismatch(row(x), row(y))),
            &[expected],
            1e-4,
            &format!("{x:?} and {y:?}"),
        );
    };
    check([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], 0.0);
    check([1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.3, 0.4], 0.0);
    check([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], 2.0);
    check([1.0, 2.0, 2.0, 1.0], [1.0, 1.0, 2.0, 2.0], 1.0);
    // Pearson's correlation of these is 0.8.
    check([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0], 0.2);
}

#[test]
fn poisoned_inputs_stay_visible() {
    let device = Device::flex();
    let mut poisoned = draws(16, 1, uniform);
    poisoned[5] = f32::NAN;
    let points = || TensorData::new(poisoned.clone(), [8, 2]);
    assert!(from_box(points()).is_nan());
    assert!(from_draws(points(), cloud(8, 2, 2, uniform)).is_nan());
    let row = |values: [f32; 3]| Tensor::<1>::from_data(values, &device);
    assert!(
        values(distance_mismatch(
            row([1.0, f32::NAN, 2.0]),
            row([1.0, 2.0, 3.0])
        ))[0]
            .is_nan()
    );
    let logits = Tensor::<3>::from_data([[[0.0, f32::NAN, 1.0], [0.0, 0.0, 1.0]]], &device);
    let nll = values(token_nll(
        logits,
        Tensor::<2, Int>::from_data([[0, 0]], &device),
    ));
    assert!(nll[0].is_nan() && nll[1].is_finite(), "{nll:?}");

    let bottleneck = Bottleneck::new(2, 4, 2, 8, 2, START, &mut Initializer::new(1, &device));
    let mut hidden = draws(8, 3, normal);
    hidden[2] = f32::NAN;
    let point = values(bottleneck.encode(Tensor::from_data(
        TensorData::new(hidden, [1, 2, 4]),
        &device,
    )));
    assert!(
        point.iter().any(|z| z.is_nan()),
        "hidden states that are no numbers have the place {point:?}"
    );
    let point = Tensor::<2>::from_data([[0.0, f32::NAN]], &device);
    let hidden = values(bottleneck.decode(point, &FourierBands::full(2, &device)));
    assert!(
        hidden.iter().any(|h| h.is_nan()),
        "a place that is no number has the hidden states {hidden:?}"
    );
}

#[test]
fn places_are_drawn_to_their_neighbours_into_holes_and_off_the_border() {
    let device = Device::flex();
    let of = |rows: &[[f32; 2]]| {
        let values = rows.iter().flatten().copied().collect();
        Tensor::<2>::from_data(TensorData::new(values, [rows.len(), 2]), &device)
    };
    // A reach is 0.05 of the diagonal: 0.1414.
    let steps = of(&[[0.0, 0.0], [0.1, 0.0], [0.1, 0.3828]]);
    let expected = ((0.3828_f32 / 0.141_421_36 - 1.0).powi(2)) / 2.0;
    check_close(
        &values(neighbour_distance(steps)),
        &[expected],
        1e-3,
        "tear",
    );

    // Four places on an even lattice leave no point farther than half a diagonal of its spacing, 0.707.
    let lattice = of(&[[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]);
    let corners = of(&[[0.0, 0.0], [1.0, 1.0], [-1.0, 0.2]]);
    assert!(values(emptiness(corners.clone(), lattice))[0] < 1e-6);
    let huddled = of(&[[-0.5, -0.5], [-0.5, -0.4], [-0.4, -0.5], [-0.4, -0.4]]);
    assert!(values(emptiness(corners, huddled))[0] > 0.5);

    let inside = of(&[[0.9, -0.9], [0.0, 0.3]]);
    assert_eq!(values(saturation(inside)), [0.0]);
    let expected = (0.99_f32.atanh() - 1.5).powi(2) / 4.0;
    check_close(
        &values(saturation(of(&[[0.99, 0.5], [0.0, 0.0]]))),
        &[expected],
        1e-3,
        "saturation",
    );
    let stuck = values(saturation(of(&[[1.0, -1.0]])))[0];
    assert!(stuck.is_finite() && stuck > 10.0, "{stuck}");
}
