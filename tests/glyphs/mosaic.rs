//! Mosaic: layouts, generator, recognizer and pose head.

use burn::tensor::{Device, Tensor, TensorData};
use glyphspace::{
    glyphs::networks::mosaic::{
        BatchLayout, CANVAS, Layout, Layouts, MosaicGenerator, MosaicRecognizer, MosaicSizes,
        POSE_SIZE, PoseHead, without_low_band,
    },
    nn::{
        distortions::Homography,
        init::{Initializer, normal},
    },
};

use crate::nn::{check_close, draws, gradients::check_gradient, values};

const SIZES: MosaicSizes = MosaicSizes {
    slot: 6,
    generator: 5,
    recognizer: 4,
    has_face: true,
    has_border: true,
};

#[test]
fn layouts_are_squares_and_the_smallest_that_fits_is_taken() {
    for max_tokens in [4, 16, 128, 512] {
        let layouts = Layouts::new(max_tokens);
        assert!(
            layouts
                .all
                .iter()
                .all(|layout| layout.rows == layout.columns)
        );
        assert!(layouts.all.is_sorted_by(|a, b| a.slots() < b.slots()));
        assert!(layouts.most_slots() >= max_tokens);
        for tokens in 1..=max_tokens {
            let index = layouts.index_for(tokens);
            assert!(layouts.all[index].slots() >= tokens);
            assert!(
                index == 0 || layouts.all[index - 1].slots() < tokens,
                "{tokens} tokens"
            );
        }
        assert_eq!(layouts.index_for(max_tokens + 1000), layouts.all.len() - 1);
    }
}

/// Cells of a larger glyph that are those of a smaller one lie where that one's lie.
#[test]
fn a_glyph_of_another_layout_has_its_cells_where_they_are() {
    let square = |side| Layout {
        rows: side,
        columns: side,
    };
    let (seen, other) = (square(7), square(10));
    let corners = seen.corners_of(&other, [1, 2]);
    let map = Homography::rectify_corners(corners).unwrap();
    for (row, column) in [(0, 0), (3, 5), (6, 6)] {
        let own = seen.centre(row * 7 + column);
        let moved = map.map(other.centre((row + 1) * 10 + column + 2));
        assert!(std::iter::zip(own, moved).all(|(a, b)| (a - b).abs() < 1e-6));
    }
    let whole = seen.corners_of(&seen, [0, 0]);
    let upright = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
    for (a, b) in whole.iter().flatten().zip(upright.iter().flatten()) {
        assert!((a - b).abs() < 1e-6);
    }
}

fn check_rows_sum_to_1(weights: &[f32], columns: usize) {
    for row in weights.chunks(columns) {
        assert!(
            row.iter().all(|weight| (0.0..=1.0).contains(weight)),
            "{row:?}"
        );
        assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{row:?}");
    }
}

#[test]
fn every_slot_has_its_cell_and_its_looks() {
    let most = Layouts::new(512)
        .all
        .iter()
        .map(|layout| layout.rows)
        .max()
        .unwrap();
    for cells in 2..=most {
        let painted = Layout::painting_weights(cells, cells);
        let controls = painted.len() / (CANVAS * cells);
        // What each cell paints at a pixel, if all its control points are 1.
        let by_cell = |row: &[f32]| -> Vec<f32> {
            let of_cells = row.chunks(controls);
            of_cells.map(|weights| weights.iter().sum()).collect()
        };
        let shares: Vec<Vec<f32>> = painted.chunks(cells * controls).map(by_cell).collect();
        assert_eq!(shares.len(), CANVAS);
        let owner = |row: &Vec<f32>| (0..cells).max_by(|&a, &b| row[a].total_cmp(&row[b]));
        let mut owners: Vec<usize> = shares.iter().filter_map(owner).collect();
        assert!(owners.is_sorted(), "{cells} cells: {owners:?}");
        owners.dedup();
        assert_eq!(owners, (0..cells).collect::<Vec<_>>());

        let looks = Layout::sampling_weights(cells, cells);
        assert_eq!(looks.len() % (cells * CANVAS), 0);
        check_rows_sum_to_1(&looks, CANVAS);
        // The looks of a cell see what the cell has painted.
        for (cell, looks) in looks.chunks(looks.len() / cells).enumerate() {
            let seen = looks.chunks(CANVAS).map(|look| -> f32 {
                look.iter()
                    .zip(&shares)
                    .map(|(look, share)| look * share[cell])
                    .sum()
            });
            let best = seen.fold(0.0, f32::max);
            assert!(best > 0.5, "cell {cell} of {cells} is seen by {best}");
        }
    }
}

fn slots(count: usize, slots: usize, seed: u64) -> Tensor<3> {
    let drawn = draws(count * slots * SIZES.slot, seed, normal);
    Tensor::from_data(
        TensorData::new(drawn, [count, slots, SIZES.slot]),
        &Device::flex(),
    )
}

/// Pictures of all layouts, out of order and repeated.
fn mixed() -> (Layouts, BatchLayout) {
    let layouts = Layouts::new(20);
    let arrangement = layouts.arrange(vec![2, 2, 0, 3, 3, 1, 0, 2]);
    assert_eq!(layouts.all.len(), 4);
    let slots: Vec<usize> = arrangement.of.iter().map(Layout::slots).collect();
    assert_eq!(slots, [16, 16, 4, 25, 25, 9, 4, 16]);
    (layouts, arrangement)
}

#[test]
fn a_mixed_batch_paints_and_reads_as_each_picture_alone() {
    let (device, (layouts, together)) = (Device::flex(), mixed());
    let init = &mut Initializer::new(1, &device);
    let generator = MosaicGenerator::new(&SIZES, layouts.all.len(), init);
    let reader = MosaicRecognizer::new(&SIZES, layouts.all.len(), init);
    let (slots, cells) = (slots(8, 25, 2), together.upload(&device));
    let pictures = generator.picture(generator.canvas(slots.clone(), cells.mask(), &cells), 128);
    assert_eq!(pictures.dims(), [8, 3, 128, 128]);
    assert!(
        values(pictures.clone())
            .iter()
            .all(|value| (0.0..=1.0).contains(value))
    );
    let features = reader.features(pictures.clone());
    let read = reader.slots(features.clone(), &cells);
    let kinds = reader.layout(features);
    assert_eq!((read.dims(), kinds.dims()), ([8, 25, SIZES.slot], [8, 4]));
    for (i, layout) in together.of.iter().enumerate() {
        let (count, alone) = (layout.slots(), layouts.arrange(vec![together.layouts[i]]));
        let alone = alone.upload(&device);
        let own = slots.clone().slice([i..i + 1, 0..count]);
        let picture = generator.picture(generator.canvas(own, alone.mask(), &alone), 128);
        let from_batch = pictures.clone().slice(i..i + 1);
        check_close(
            &values(from_batch),
            &values(picture.clone()),
            1e-5,
            "picture",
        );
        let features = reader.features(picture);
        let kind = reader.layout(features.clone());
        check_close(
            &values(kinds.clone().slice(i..i + 1)),
            &values(kind),
            1e-4,
            "layout",
        );
        let own = reader.slots(features, &alone);
        let row = values(read.clone().slice(i..i + 1));
        let (real, padding) = row.split_at(count * SIZES.slot);
        check_close(real, &values(own), 1e-4, "slots");
        assert!(padding.iter().all(|value| *value == 0.0));
    }
}

/// What a patch hides are no neighbours in the text.
#[test]
fn scattered_slots_are_a_permutation_in_which_neighbours_lie_far_apart() {
    for layout in Layouts::scattered(512).all {
        let cells = layout.scattered();
        let mut sorted = cells.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..layout.slots()));
        if layout.slots() < 30 {
            continue;
        }
        let place = |cell: usize| [cell % layout.columns, cell / layout.columns];
        for pair in cells.windows(2) {
            let [a, b] = [place(pair[0]), place(pair[1])];
            let apart = a[0].abs_diff(b[0]).max(a[1].abs_diff(b[1]));
            assert!(
                2 * apart > layout.columns / 3,
                "{layout:?}: {a:?} and {b:?}"
            );
        }
    }
    let (plain, scattered) = (Layouts::new(9), Layouts::scattered(9));
    assert_ne!(
        plain.arrange(vec![1]).packed(),
        scattered.arrange(vec![1]).packed()
    );
}

#[test]
fn cells_and_places_agree() {
    for layout in Layouts::new(210).all {
        for cell in 0..layout.slots() {
            assert_eq!(layout.cell_at(layout.centre(cell)), cell);
            let corners = layout.corners(cell);
            let middle =
                [0, 1].map(|axis| corners.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0);
            let centre = layout.centre(cell);
            assert!((middle[0] - centre[0]).hypot(middle[1] - centre[1]) < 1e-9);
            assert!(corners.iter().flatten().all(|x| x.abs() < 1.0));
        }
    }
}

/// The low band is the function's as a whole: slots beyond its content change the detail alone.
#[test]
fn a_face_shows_the_function_and_not_its_parity() {
    let (device, (layouts, arrangement)) = (Device::flex(), mixed());
    let generator =
        MosaicGenerator::new(&SIZES, layouts.all.len(), &mut Initializer::new(1, &device));
    let cells = arrangement.upload(&device);
    let drawn = slots(8, 25, 2);
    let content: Vec<f32> = (0..8 * 25).map(|i| f32::from(i % 25 < 3)).collect();
    let content = Tensor::<2>::from_data(TensorData::new(content, [8, 25]), &device);
    let beyond = content.clone().neg().add_scalar(1.0).unsqueeze_dim::<3>(2);
    let paint = |slots| {
        let canvas = generator.canvas(slots, content.clone(), &cells);
        generator.picture(canvas, 128)
    };
    let (picture, other) = (paint(drawn.clone()), paint(drawn.clone() + beyond * 0.5));
    let mean = |picture: Tensor<4>| {
        let low = picture.clone() - without_low_band(picture);
        values(low)
    };
    let apart = |a: &[f32], b: &[f32]| {
        let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        apart.sum::<f32>() / a.len() as f32
    };
    let (low, whole) = (
        apart(&mean(picture.clone()), &mean(other.clone())),
        apart(&values(picture.clone()), &values(other)),
    );
    assert!(
        whole > 0.01 && low < 0.35 * whole,
        "low band {low}, all {whole}"
    );
    // Its border is dark.
    let edge = values(picture.slice([0..8, 0..3, 0..1, 0..128]));
    assert!(edge.iter().all(|value| (value - 0.06).abs() < 1e-4));
}

#[test]
fn slots_beyond_the_layout_leave_no_trace() {
    let (device, (layouts, arrangement)) = (Device::flex(), mixed());
    let generator =
        MosaicGenerator::new(&SIZES, layouts.all.len(), &mut Initializer::new(1, &device));
    let cells = arrangement.upload(&device);
    let paint = |slots| values(generator.canvas(slots, cells.mask(), &cells));
    let mask = cells.mask().unsqueeze_dim::<3>(2);
    let all = slots(8, 25, 2);
    check_close(&paint(all.clone() * mask), &paint(all), 1e-6, "canvas");
}

#[test]
fn a_fresh_pose_head_takes_every_picture_for_upright() {
    let device = Device::flex();
    let head = PoseHead::new(4, &mut Initializer::new(3, &device));
    let drawn = draws(3 * 3 * 128 * 128, 4, |rng| normal(rng).abs().min(1.0));
    let pictures = Tensor::<4>::from_data(TensorData::new(drawn, [3, 3, 128, 128]), &device);
    let small = PoseHead::shrink(pictures.clone());
    assert_eq!(small.dims(), [3, 3, POSE_SIZE, POSE_SIZE]);
    let block = values(pictures.slice([1..2, 2..3, 6..8, 10..12]));
    let pixel = values(small.clone().slice([1..2, 2..3, 3..4, 5..6]))[0];
    assert!((pixel - block.iter().sum::<f32>() / 4.0).abs() < 1e-6);
    let upright = [-1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0];
    for corners in values(head.forward(small)).chunks(8) {
        let off = corners
            .iter()
            .zip(upright)
            .map(|(a, b): (&f32, f32)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 0.1, "{corners:?}");
    }
}

#[test]
fn gradients_through_painter_and_reader_agree_with_finite_differences() {
    let device = Device::flex().autodiff();
    let layouts = Layouts::new(9);
    let cells = layouts.arrange(vec![0, 1]).upload(&device);
    let init = &mut Initializer::new(5, &device);
    let generator = MosaicGenerator::new(&SIZES, layouts.all.len(), init);
    let reader = MosaicRecognizer::new(&SIZES, layouts.all.len(), init);
    let given = |seed, shape: [usize; 3]| {
        let drawn = draws(shape.iter().product(), seed, normal);
        Tensor::<3>::from_data(TensorData::new(drawn, shape), &device)
    };
    let start = |seed, shape: [usize; 3]| {
        TensorData::new(draws(shape.iter().product(), seed, normal), shape)
    };
    // A smaller picture is the same generator's.
    check_gradient::<3>("generator", start(6, [2, 9, 6]), 0.02, |slots| {
        let pictures = generator.picture(generator.canvas(slots, cells.mask(), &cells), 16);
        (pictures.flatten::<3>(2, 3) * given(7, [2, 3, 256])).sum()
    });
    // The reader's input has too many values to try them all: pictures in a plane of three patterns.
    let patterns = given(8, [1, 3, 2 * 3 * 128 * 128]).tanh();
    check_gradient::<3>("reader", start(9, [1, 1, 3]), 0.02, |shares| {
        let pictures = shares.matmul(patterns.clone()) * 0.1 + 0.5;
        let features = reader.features(pictures.reshape([2, 3, 128, 128]));
        let slots = reader.slots(features.clone(), &cells);
        (slots * given(10, [2, 9, 6])).sum() + reader.layout(features).sum()
    });
}
