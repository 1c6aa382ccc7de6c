//! How a mosaic lays its slots out: rows of equal cells inside a frame, as square as the number of
//! tokens allows, so that a short function fills its picture with large cells.

/// Canvas pixels a side: the picture is painted at this size and enlarged.
pub const CANVAS: usize = 32;
/// Width of the frame, in cells: what a camera cuts off at the border costs no token.
const FRAME: f32 = 0.35;
/// Part of a cell over which neighbours run into one another.
const BLEND: f32 = 0.5;
/// Sample points a cell and axis at which the reader looks.
pub const SAMPLES: usize = 3;
/// Numbers that tell where in its cell and in the picture a canvas pixel lies.
pub const PLACE: usize = 25;

/// A grid of cells, read row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Cells a column.
    pub rows: usize,
    /// Cells a row.
    pub columns: usize,
}

impl Layout {
    /// All layouts for functions of up to `max_tokens`, smallest first: k x k and (k + 1) x k.
    pub fn all(max_tokens: usize) -> Vec<Self> {
        let mut layouts = vec![Self {
            rows: 2,
            columns: 2,
        }];
        while let Some(last) = layouts.last().filter(|last| last.slots() < max_tokens) {
            layouts.push(if last.rows == last.columns {
                Self {
                    rows: last.rows + 1,
                    ..*last
                }
            } else {
                Self {
                    columns: last.rows,
                    ..*last
                }
            });
        }
        layouts
    }

    /// The index among `layouts` of the smallest that holds `tokens`; the last if none does.
    pub fn index_for(layouts: &[Self], tokens: usize) -> usize {
        let fits = layouts.iter().position(|layout| layout.slots() >= tokens);
        fits.unwrap_or(layouts.len() - 1)
    }

    /// Cells.
    pub fn slots(&self) -> usize {
        self.rows * self.columns
    }

    /// How much each cell of a line of `cells` has of each canvas pixel: [`CANVAS`] x `most`, rows
    /// that sum to 1; cells beyond the line have nothing. Neighbours run into one another over a part of a cell.
    pub fn spread(cells: usize, most: usize) -> Vec<f32> {
        let mut weights = vec![0.0; CANVAS * most];
        for pixel in 0..CANVAS {
            let place = place_in_cells(pixel as f32 + 0.5, cells);
            // Between the middles of two cells, a smooth step around their border.
            let first = (place - 0.5).floor();
            let step = ((place - 0.5 - first - 0.5) / BLEND + 0.5).clamp(0.0, 1.0);
            let step = step * step * (3.0 - 2.0 * step);
            let clamp = |cell: f32| (cell.max(0.0) as usize).min(cells - 1);
            weights[pixel * most + clamp(first)] += 1.0 - step;
            weights[pixel * most + clamp(first + 1.0)] += step;
        }
        weights
    }

    /// How much each canvas pixel counts at each of the reader's looks along a line of `cells`:
    /// `SAMPLES` (three) looks a cell, x [`CANVAS`], rows that sum to 1; those of cells beyond the line, up to `most`,
    /// see nothing.
    pub fn looks(cells: usize, most: usize) -> Vec<f32> {
        let looks = cells * SAMPLES;
        let cell = CANVAS as f32 / (cells as f32 + 2.0 * FRAME);
        let reach = (cell / SAMPLES as f32).max(1.0);
        let mut weights = vec![0.0; most * SAMPLES * CANVAS];
        for (look, row) in weights.chunks_mut(CANVAS).take(looks).enumerate() {
            let middle = (FRAME + (look as f32 + 0.5) / SAMPLES as f32) * cell;
            for (pixel, weight) in row.iter_mut().enumerate() {
                *weight = (1.0 - (pixel as f32 + 0.5 - middle).abs() / reach).max(0.0);
            }
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|weight| *weight /= sum);
        }
        weights
    }

    /// [`CANVAS`]^2 rows of `PLACE` features: where each canvas pixel lies in its cell and in the
    /// picture, as low sines and cosines.
    pub fn places(&self) -> Vec<f32> {
        use std::f32::consts::{FRAC_PI_2, PI};
        let in_cell = |position: f32, cells: usize| {
            let place = place_in_cells(position, cells);
            let cell = place.floor().clamp(0.0, (cells - 1) as f32);
            (2.0 * (place - cell) - 1.0).clamp(-1.5, 1.5)
        };
        let features = |(x, y): (f32, f32)| -> [f32; PLACE] {
            let (u, v) = (in_cell(x, self.columns), in_cell(y, self.rows));
            let centred = |position: f32| 2.0 * position / CANVAS as f32 - 1.0;
            let (gx, gy) = (centred(x), centred(y));
            let (u1, v1) = (u * FRAC_PI_2, v * FRAC_PI_2);
            [
                1.0,
                u1.sin(),
                u1.cos(),
                v1.sin(),
                v1.cos(),
                u1.sin() * v1.sin(),
                u1.sin() * v1.cos(),
                u1.cos() * v1.sin(),
                u1.cos() * v1.cos(),
                (u * PI).sin(),
                (u * PI).cos(),
                (v * PI).sin(),
                (v * PI).cos(),
                (gx * FRAC_PI_2).sin(),
                (gy * FRAC_PI_2).sin(),
                (gx * FRAC_PI_2).cos(),
                (gy * FRAC_PI_2).cos(),
                (gx * PI).sin(),
                (gx * PI).cos(),
                (gy * PI).sin(),
                (gy * PI).cos(),
                (gx * FRAC_PI_2).sin() * (gy * FRAC_PI_2).sin(),
                (gx * PI).sin() * (gy * PI).sin(),
                (gx * PI).cos() * (gy * PI).cos(),
                (2.0 * PI * (gx * gx + gy * gy).sqrt()).cos(),
            ]
        };
        let pixels = (0..CANVAS * CANVAS).map(|i| {
            let centre = |i: usize| i as f32 + 0.5;
            (centre(i % CANVAS), centre(i / CANVAS))
        });
        pixels.flat_map(features).collect()
    }
}

/// A position in canvas pixels in units of a line of `cells`, from 0 at the first one's border.
fn place_in_cells(position: f32, cells: usize) -> f32 {
    position / CANVAS as f32 * (cells as f32 + 2.0 * FRAME) - FRAME
}
