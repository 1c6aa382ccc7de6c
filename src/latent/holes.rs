//! Holes of the latent plane: regions without embeddings, and regions that decode to nothing.

use super::{
    field::Field,
    points::{Points, distance},
};

/// Number of cells along a side of the grid that holes are measured on.
const SIZE: usize = 256;

/// Distance from each cell to the nearest of `places`, in spacings of an even lattice of as many places.
/// Cells farther than one spacing are void and marked missing; 199 places on an even lattice leave none.
pub fn emptiness(places: &Points) -> Field {
    let values = spacings_apart(&Points::grid(SIZE), places);
    Field {
        size: SIZE,
        missing: values.iter().map(|apart| *apart > 1.0).collect(),
        values,
    }
}

/// Distance from each point to the nearest of `places`, in units of the lattice spacing `2 N^(-1/Z)`: the
/// distance of neighbours if the N places lay on an even lattice in the box (-1, 1)^Z.
pub fn spacings_apart(points: &Points, places: &Points) -> Vec<f32> {
    let count = places.len().max(1) as f32;
    let spacing = 2.0 * count.powf(-1.0 / places.dims.max(1) as f32);
    let nearest = |point: &[f32]| {
        let apart = places.iter().map(|place| distance(place, point));
        apart.fold(f32::INFINITY, f32::min) / spacing
    };
    points.iter().map(nearest).collect()
}

/// Area of the largest connected void of [`emptiness`], as a share of the plane's.
pub fn largest_void(places: &Points) -> f64 {
    largest_region(&emptiness(places).missing)
}

/// Size of the largest 4-connected region of marked cells, as a share of a square grid's cells; 0 if none
/// is marked.
pub fn largest_region(marked: &[bool]) -> f64 {
    let size = marked.len().isqrt();
    let mut left = marked.to_vec();
    let (mut largest, mut open) = (0, Vec::new());
    for start in 0..left.len() {
        let mut count = 0;
        open.push(start);
        while let Some(cell) = open.pop() {
            if !std::mem::take(&mut left[cell]) {
                continue;
            }
            count += 1;
            let (x, y) = (cell % size, cell / size);
            open.extend((x > 0).then(|| cell - 1));
            open.extend((x + 1 < size).then(|| cell + 1));
            open.extend((y > 0).then(|| cell - size));
            open.extend((y + 1 < size).then(|| cell + size));
        }
        largest = largest.max(count);
    }
    f64::from(largest) / marked.len().max(1) as f64
}
