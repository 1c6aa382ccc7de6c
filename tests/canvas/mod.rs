//! The canvas, its shaders and the exported pictures.

mod exports;
mod memory;
mod shaders;
mod view;
mod widget;

use std::sync::Arc;

use glyphspace::latent::field::Field;
use glyphspace::ui::canvas::{Emphasis, Mark};

/// A map with cells of every state.
fn mixed_field(size: usize) -> Arc<Field> {
    let mut field = Field::from_fn(size, |x, y| {
        0.2 + 20.0 * (x + 0.3).hypot(y - 0.1) + (9.0 * x).sin().abs()
    });
    for index in 0..size * size {
        if index % 7 == 3 {
            field.values[index] = f32::NAN;
        }
        field.missing[index] = index % 5 == 1;
    }
    Arc::new(field)
}

fn assert_near(got: [u8; 4], wanted: [u8; 3], tolerance: u8, what: &str) {
    let is_near = got[..3]
        .iter()
        .zip(wanted)
        .all(|(a, b)| a.abs_diff(b) <= tolerance);
    assert!(
        is_near && got[3] == 255,
        "{what}: {got:?}, expected {wanted:?}"
    );
}

fn programs() -> Vec<Mark> {
    (-99i16..=99)
        .map(|number| {
            let angle = f32::from(number) * 2.4;
            let radius = (f32::from(number).abs() / 99.0).sqrt() * 0.95;
            Mark {
                at: [radius * angle.cos(), radius * angle.sin()],
                label: number.to_string().replace('-', "\u{2212}").into(),
                color: [200, 90, 40],
                radius: if number % 2 == 0 { 5.0 } else { 0.0 },
                priority: f32::from(number.abs()),
                emphasis: Emphasis::Normal,
            }
        })
        .collect()
}
