//! Colour scales: positions, colours and ticks.

use glyphspace::palette::{RIGHT, Scale, WRONG, luminance};

#[test]
fn positions_span_the_scale() {
    let scale = Scale::loss(0.1, 10.0);
    assert!((scale.position(1.0) - 0.5).abs() < 1e-6);
    assert_eq!(
        (
            scale.position(0.0),
            scale.position(99.0),
            scale.position(f32::NAN)
        ),
        (0.0, 1.0, 0.0)
    );
    assert_eq!(
        (scale.color(0.1), scale.color(10.0)),
        ([253, 231, 37], [68, 1, 84])
    );
    assert_eq!(
        (Scale::truth().color(0.0), Scale::truth().color(1.0)),
        (WRONG, RIGHT)
    );
    for broken in [
        Scale::loss(0.0, 0.0),
        Scale::value(3.0, 3.0),
        Scale::value(f32::NAN, f32::INFINITY),
    ] {
        let [low, high] = broken.ends();
        assert!(low.is_finite() && high > low, "{broken:?}: {low} to {high}");
    }
}

#[test]
fn table_holds_the_colours() {
    for scale in [
        Scale::loss(0.1, 10.0),
        Scale::value(-99.0, 99.0),
        Scale::value(10.0, 99.0),
        Scale::truth(),
    ] {
        let lut = scale.lut();
        for (i, [r, g, b, alpha]) in lut.into_iter().enumerate() {
            assert_eq!(([r, g, b], alpha), (scale.color_at(i as f32 / 255.0), 255));
        }
    }
}

#[test]
fn losses_darken_evenly() {
    // Relative luminance falls monotonically, so that grey prints keep the order.
    let scale = Scale::loss(1.0, 2.0);
    let all: Vec<f32> = (0..=64)
        .map(|i| luminance(scale.color_at(i as f32 / 64.0)))
        .collect();
    assert!(
        all.windows(2).all(|pair| pair[1] < pair[0] + 0.002),
        "{all:?}"
    );
}

fn labels(scale: Scale) -> Vec<String> {
    scale.ticks().into_iter().map(|(_, label)| label).collect()
}

#[test]
fn ticks_are_round_and_in_order() {
    assert_eq!(
        labels(Scale::loss(1.58, 63.1)),
        ["2", "5", "10", "20", "50"]
    );
    assert_eq!(
        labels(Scale::value(-99.0, 99.0)),
        [
            "\u{2212}75",
            "\u{2212}50",
            "\u{2212}25",
            "0",
            "25",
            "50",
            "75"
        ]
    );
    assert_eq!(labels(Scale::value(10.0, 99.0)), ["20", "40", "60", "80"]);
    assert_eq!(
        labels(Scale::value(0.0, 1.0)),
        ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    );
    assert_eq!(
        labels(Scale::loss(1e-4, 10.0)),
        ["0.0001", "0.001", "0.01", "0.1", "1", "10"]
    );
}
