//! Layouts of a mosaic: rows of equal cells inside a border, as square as the number of tokens allows, so that a short
//! function fills its picture with large cells.

/// Canvas pixels a side: pictures are generated at this size and upsampled.
pub const CANVAS: usize = 32;
/// Width of the border in cells: a camera that crops it loses no token.
const BORDER: f32 = 0.35;
/// Fraction of a cell over which neighbours blend.
const BLEND: f32 = 0.5;
/// Sampling points of the recognizer per cell and axis.
pub const SAMPLES: usize = 3;
/// Positional features of a canvas pixel, within its cell and within the picture.
pub const POSITION_FEATURES: usize = 25;

/// Grid of cells, in row-major order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
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
            let (rows, columns) = match last.rows == last.columns {
                true => (last.rows + 1, last.columns),
                false => (last.rows, last.rows),
            };
            layouts.push(Self { rows, columns });
        }
        layouts
    }

    /// Index of the smallest of `layouts` that holds `tokens`; the last if none does.
    pub fn index_for(layouts: &[Self], tokens: usize) -> usize {
        let fits = layouts.iter().position(|layout| layout.slots() >= tokens);
        fits.unwrap_or(layouts.len() - 1)
    }

    /// Number of cells.
    pub fn slots(&self) -> usize {
        self.rows * self.columns
    }

    /// Cell of each slot when neighbours are scattered, so that a patch of cells that is lost leaves gaps of one symbol: the
    /// next slot's is the golden share of the cells further on, the step that keeps near slots farthest apart.
    pub fn scattered(&self) -> Vec<usize> {
        let cells = self.slots();
        let golden = cells as f64 * (5_f64.sqrt() - 1.0) / 2.0;
        let is_step = |step: &usize| gcd(*step, cells) == 1;
        let step = (golden.round() as usize..).find(is_step).unwrap_or(1);
        (0..cells).map(|slot| slot * step % cells).collect()
    }

    /// Centre (x, y) of a cell, where -1 and 1 are the picture's edges.
    pub fn centre(&self, cell: usize) -> [f64; 2] {
        let centre = |cell: usize, cells: usize| {
            let border = f64::from(BORDER);
            2.0 * (border + cell as f64 + 0.5) / (cells as f64 + 2.0 * border) - 1.0
        };
        [
            centre(cell % self.columns, self.columns),
            centre(cell / self.columns, self.rows),
        ]
    }

    /// Corners of a cell, clockwise from its top left, where -1 and 1 are the picture's edges.
    pub fn corners(&self, cell: usize) -> [[f64; 2]; 4] {
        let [x, y] = self.centre(cell);
        let half = |cells: usize| 1.0 / (cells as f64 + 2.0 * f64::from(BORDER));
        let (wide, high) = (half(self.columns), half(self.rows));
        [
            [x - wide, y - high],
            [x + wide, y - high],
            [x + wide, y + high],
            [x - wide, y + high],
        ]
    }

    /// The cell nearest to a place (x, y), where -1 and 1 are the picture's edges.
    pub fn cell_at(&self, [x, y]: [f64; 2]) -> usize {
        let cell = |place: f64, cells: usize| {
            let border = f64::from(BORDER);
            let at = (place + 1.0) / 2.0 * (cells as f64 + 2.0 * border) - border;
            (at.max(0.0) as usize).min(cells - 1)
        };
        cell(y, self.rows) * self.columns + cell(x, self.columns)
    }

    /// Blending weights [[`CANVAS`], `max_cells`] of the cells of a line of `cells` at each canvas pixel; rows sum to 1, and
    /// cells beyond the line have weight 0.
    pub fn blend_weights(cells: usize, max_cells: usize) -> Vec<f32> {
        let mut weights = vec![0.0; CANVAS * max_cells];
        for pixel in 0..CANVAS {
            let position = position_in_cells(pixel as f32 + 0.5, cells);
            // Between the centres of two cells, a smooth step around their border.
            let first = (position - 0.5).floor();
            let step = ((position - 0.5 - first - 0.5) / BLEND + 0.5).clamp(0.0, 1.0);
            let step = step * step * (3.0 - 2.0 * step);
            let clamp = |cell: f32| (cell.max(0.0) as usize).min(cells - 1);
            weights[pixel * max_cells + clamp(first)] += 1.0 - step;
            weights[pixel * max_cells + clamp(first + 1.0)] += step;
        }
        weights
    }

    /// Sampling weights [`max_cells` x 3, [`CANVAS`]] of the recognizer, at three points per cell of a line of `cells`; rows
    /// sum to 1, and are 0 for cells beyond the line.
    pub fn sampling_weights(cells: usize, max_cells: usize) -> Vec<f32> {
        let samples = cells * SAMPLES;
        let cell = CANVAS as f32 / (cells as f32 + 2.0 * BORDER);
        let radius = (cell / SAMPLES as f32).max(1.0);
        let mut weights = vec![0.0; max_cells * SAMPLES * CANVAS];
        for (sample, row) in weights.chunks_mut(CANVAS).take(samples).enumerate() {
            let centre = (BORDER + (sample as f32 + 0.5) / SAMPLES as f32) * cell;
            for (pixel, weight) in row.iter_mut().enumerate() {
                *weight = (1.0 - (pixel as f32 + 0.5 - centre).abs() / radius).max(0.0);
            }
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|weight| *weight /= sum);
        }
        weights
    }

    /// Positional features of the [`CANVAS`]^2 canvas pixels, row-major: sines and cosines of low frequency within the cell
    /// and within the picture.
    pub fn position_features(&self) -> Vec<f32> {
        use std::f32::consts::{FRAC_PI_2, PI};
        let in_cell = |position: f32, cells: usize| {
            let position = position_in_cells(position, cells);
            let cell = position.floor().clamp(0.0, (cells - 1) as f32);
            (2.0 * (position - cell) - 1.0).clamp(-1.5, 1.5)
        };
        let features = |(x, y): (f32, f32)| {
            let (u, v) = (in_cell(x, self.columns), in_cell(y, self.rows));
            let centred = |position: f32| 2.0 * position / CANVAS as f32 - 1.0;
            let (gx, gy) = (centred(x), centred(y));
            let wave = |x: f32| [x.sin(), x.cos()];
            let [[su, cu], [sv, cv], [sx, cx], [sy, cy]] =
                [u, v, gx, gy].map(|x| wave(x * FRAC_PI_2));
            let [[su2, cu2], [sv2, cv2], [sx2, cx2], [sy2, cy2]] =
                [u, v, gx, gy].map(|x| wave(x * PI));
            let ring = (2.0 * PI * (gx * gx + gy * gy).sqrt()).cos();
            [
                &[1.0][..],
                &[su, cu, sv, cv],
                &[su * sv, su * cv, cu * sv, cu * cv],
                &[su2, cu2, sv2, cv2],
                &[sx, sy, cx, cy],
                &[sx2, cx2, sy2, cy2],
                &[sx * sy, sx2 * sy2, cx2 * cy2, ring],
            ]
            .concat()
        };
        let pixels = (0..CANVAS * CANVAS).map(|i| {
            let centre = |i: usize| i as f32 + 0.5;
            (centre(i % CANVAS), centre(i / CANVAS))
        });
        pixels.flat_map(features).collect()
    }
}

/// Greatest common divisor.
fn gcd(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        _ => gcd(b, a % b),
    }
}

/// Position in cells, from 0 at the first one's edge, of a position in canvas pixels.
fn position_in_cells(position: f32, cells: usize) -> f32 {
    position / CANVAS as f32 * (cells as f32 + 2.0 * BORDER) - BORDER
}
