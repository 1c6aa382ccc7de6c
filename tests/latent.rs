//! Fields over the latent plane, and their holes.

use glyphspace::latent::{
    field::{CellState, Field},
    holes::{largest_region, largest_void},
    points::Points,
};

#[test]
fn cells_and_centres_agree() {
    let field = Field::from_fn(5, |x, y| x + 10.0 * y);
    for index in 0..25 {
        let [x, y] = field.center(index);
        assert_eq!(field.cell_at(x, y), Some(index));
    }
    assert_eq!(field.cell_at(-1.0, -1.0), Some(0));
    assert_eq!(field.cell_at(1.0, 1.0), Some(24));
    assert_eq!(field.cell_at(1.01, 0.0), None);
    assert_eq!(field.cell_at(f32::NAN, 0.0), None);
    assert_eq!(field.center(0), [-0.8, -0.8]);
    assert_eq!(Field::default().cell_at(0.0, 0.0), None);
}

#[test]
fn statistics_skip_what_is_not_computed() {
    let mut field = Field::pending(2);
    assert_eq!(
        (field.range(), field.lowest(), field.percentiles(&[0.5])),
        (None, None, None)
    );
    field.values[1] = 3.0;
    field.values[2] = -1.0;
    field.values[3] = f32::INFINITY;
    field.missing[2] = true;
    assert_eq!(field.range(), Some((-1.0, 3.0)));
    assert_eq!(field.lowest(), Some((2, -1.0)));
    assert_eq!(field.percentiles(&[1.0, 0.0]), Some(vec![3.0, -1.0]));
    assert_eq!(field.state(0), CellState::Pending);
    assert_eq!(field.state(1), CellState::Number);
    assert_eq!(field.state(2), CellState::Missing);
    assert_eq!(field.state(9), CellState::Pending);
    assert!(field.has_missing());
}

#[test]
fn regions_are_connected_by_their_sides() {
    let marked = [
        true, false, true, //
        false, true, true, //
        true, false, false,
    ];
    assert_eq!(largest_region(&marked), 3.0 / 9.0);
    assert_eq!(largest_region(&[false; 4]), 0.0);
    assert_eq!(largest_region(&[]), 0.0);
}

#[test]
fn an_even_lattice_has_no_void_and_half_a_plane_left_empty_is_one() {
    let lattice = Points::grid(14);
    assert_eq!(largest_void(&lattice), 0.0);
    let half = Points {
        dims: 2,
        values: lattice
            .iter()
            .flat_map(|place| [place[0] * 0.5 - 0.5, place[1]])
            .collect(),
    };
    // Everything but a strip of one spacing beside the places.
    let spacing = 2.0 / 14.0;
    let expected = (1.0 + 0.5 / 14.0 - spacing) / 2.0;
    assert!((largest_void(&half) - expected).abs() < 0.01);
}
