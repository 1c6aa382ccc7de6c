//! Layouts of a mosaic: rows of equal cells inside a border, as few as hold the tokens, so that a short
//! function fills its picture with large cells.

use super::resampling::b_spline;

/// Canvas pixels a side.
pub const CANVAS: usize = 128;
/// Width of the border in cells: a camera that crops it loses no token.
const BORDER: f32 = 0.35;
/// Points of a cell's grid per axis.
const POINTS: f32 = 6.0;
/// Control points of the generator per cell and axis: those of the cell and one beyond it on each side, so that neighbours
/// blend.
pub const CONTROLS: usize = 8;
/// Sampling points of the recognizer per cell and axis: those of one and a half cells, so that a cell that is a little
/// beside its place is still seen whole.
pub const SAMPLES: usize = 9;

/// Grid of cells, in row-major order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
}

impl Layout {
    /// All layouts for functions of up to `max_tokens`, smallest first: squares. More would be told apart worse, in a picture
    /// that is a little beside its place.
    pub fn all(max_tokens: usize) -> Vec<Self> {
        let squares = (2..).map(|side| Self {
            rows: side,
            columns: side,
        });
        let mut holds_all = false;
        let wanted = squares.take_while(|layout| {
            let is_wanted = !holds_all;
            holds_all = layout.slots() >= max_tokens;
            is_wanted
        });
        wanted.collect()
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

    /// Corners of a glyph of layout `other` where -1 and 1 are the edges of one of this layout, if its cells are this one's, so
    /// many rows further down and columns further right.
    pub fn corners_of(&self, other: &Self, [down, right]: [isize; 2]) -> [[f64; 2]; 4] {
        let border = 2.0 * f64::from(BORDER);
        let line = |cells: usize, others: usize, moved: isize| {
            let pitch = 2.0 / (cells as f64 + border);
            let first = -1.0 - moved as f64 * pitch;
            [first, first + (others as f64 + border) * pitch]
        };
        let [left, end] = line(self.columns, other.columns, right);
        let [top, bottom] = line(self.rows, other.rows, down);
        [[left, top], [end, top], [end, bottom], [left, bottom]]
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

    /// Weights [[`CANVAS`], `max_cells` x 8] of the control points of a line of `cells` at each canvas pixel, by
    /// cubic B-splines; points of cells beyond the line have weight 0.
    pub fn painting_weights(cells: usize, max_cells: usize) -> Vec<f32> {
        let (points, spacing) = points::<CONTROLS>(cells);
        let columns = max_cells * CONTROLS;
        let mut weights = vec![0.0; CANVAS * columns];
        for (pixel, row) in weights.chunks_mut(columns).enumerate() {
            for (weight, point) in row.iter_mut().zip(&points) {
                *weight = b_spline((pixel as f32 + 0.5 - point) / spacing.max(1.0));
            }
        }
        weights
    }

    /// Weights [`max_cells` x 9, [`CANVAS`]] of the canvas pixels at each sampling point of a line of `cells`; rows
    /// sum to 1, and are 0 for cells beyond the line.
    pub fn sampling_weights(cells: usize, max_cells: usize) -> Vec<f32> {
        let (points, spacing) = points::<SAMPLES>(cells);
        let mut weights = vec![0.0; max_cells * SAMPLES * CANVAS];
        for (row, point) in weights.chunks_mut(CANVAS).zip(points) {
            // Points outside see the edge.
            let point = point.clamp(0.5, CANVAS as f32 - 0.5);
            for (pixel, weight) in row.iter_mut().enumerate() {
                let distance = (pixel as f32 + 0.5 - point).abs();
                *weight = (1.0 - distance / spacing.max(1.0)).max(0.0);
            }
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|weight| *weight /= sum);
        }
        weights
    }
}

/// Points of a line of `cells`, `N` around the centre of each, and the distance of neighbours, in canvas pixels.
fn points<const N: usize>(cells: usize) -> (Vec<f32>, f32) {
    let cell = CANVAS as f32 / (cells as f32 + 2.0 * BORDER);
    let spacing = cell / POINTS;
    let points = (0..cells * N).map(|i| {
        let (centre, nth) = ((i / N) as f32 + 0.5, (i % N) as f32);
        (BORDER + centre) * cell + (nth - (N as f32 - 1.0) / 2.0) * spacing
    });
    (points.collect(), spacing)
}

/// Greatest common divisor.
fn gcd(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        _ => gcd(b, a % b),
    }
}
