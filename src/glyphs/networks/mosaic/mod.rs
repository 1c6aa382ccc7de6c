//! Mosaic: one generator shared by all token slots paints each into a cell of the picture, cells are blended, and one
//! recognizer looks at each cell.
//!
//! Sharing both over all slots is what makes the mosaic learnable in minutes: the dense generators have to learn each
//! position of the picture anew. A cell is painted as control points of B-splines and read at points of the same grid, so
//! that a cell looks alike in every layout: a recognizer of fixed patches has to learn each place of a cell in them, and a
//! canvas of a quarter of the size has too few values for the cells of long functions.
//!
//! Shapes: B pictures, S slots (of the batch's frame), D = token width, P = canvas pixels.

mod face;
mod layout;
mod pose;
mod resampling;

use burn::{
    module::Module,
    nn::{Embedding, Linear},
    tensor::{Device, Int, Tensor},
};

use face::Face;
pub use face::{PLACES, without_low_band};
pub use layout::{CANVAS, Layout};
use layout::{CONTROLS, SAMPLES};
pub use pose::{POSE_SIZE, PoseHead};
pub use resampling::block_means;
use resampling::resampled;

use crate::{
    kernels::{gather, permute_rows, relu, sigmoid, silu},
    nn::{
        device_constants::{constant, table},
        init::Initializer,
        linear::linear,
    },
};

/// Control points of a cell, in each channel of the detail.
const CELL_CONTROLS: usize = CONTROLS * CONTROLS;
/// Points of a cell that it is read from, in each channel.
const CELL_SAMPLES: usize = SAMPLES * SAMPLES;

/// Sizes of generator and recognizer.
#[derive(Clone, Copy, Debug)]
pub struct MosaicSizes {
    /// Width of a token slot.
    pub slot: usize,
    /// Inner width of the generator.
    pub generator: usize,
    /// Channels of the recognizer.
    pub recognizer: usize,
    /// True for pictures with a low band that shows the whole function.
    pub has_face: bool,
    /// True for pictures with a dark border, by which they are located.
    pub has_border: bool,
}

impl MosaicSizes {
    /// Channels of the detail, in which symbols are painted and read: brightness alone beside a face, whose colours are seen
    /// through it then, else red, green and blue.
    fn channels(&self) -> usize {
        if self.has_face { 1 } else { 3 }
    }
}

/// Layouts of a batch of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchLayout {
    /// Index of each picture's layout.
    pub layouts: Vec<usize>,
    /// Layout of each picture.
    pub of: Vec<Layout>,
    /// Padded layout of the batch: the largest, or larger.
    pub frame: Layout,
    /// True if neighbouring slots lie far apart, see [`Layout::scattered`].
    pub is_scattered: bool,
}

/// All layouts, smallest first.
#[derive(Clone, Debug)]
pub struct Layouts {
    /// Layouts, from few cells to many.
    pub all: Vec<Layout>,
    /// True if neighbouring slots lie far apart, see [`Layout::scattered`]; else slots are cells in row-major order.
    pub is_scattered: bool,
}

impl Layouts {
    /// Layouts of up to `most` cells.
    pub fn new(most: usize) -> Self {
        Self {
            all: Layout::all(most),
            is_scattered: false,
        }
    }

    /// Layouts of up to `most` cells, with neighbouring slots far apart.
    pub fn scattered(most: usize) -> Self {
        Self {
            is_scattered: true,
            ..Self::new(most)
        }
    }

    /// Layout of designs without cells: one line of `slots` for every function.
    pub fn line(slots: usize) -> Self {
        Self {
            all: vec![Layout {
                rows: slots,
                columns: 1,
            }],
            is_scattered: false,
        }
    }

    /// True for [`Self::line`], where functions end at their first padding token.
    pub fn is_line(&self) -> bool {
        self.all.iter().all(|layout| layout.columns == 1)
    }

    /// Slots of the largest layout.
    pub fn most_slots(&self) -> usize {
        self.all.iter().map(Layout::slots).max().unwrap_or(0)
    }

    /// Centres (x, y) of the cells of each slot, where -1 and 1 are the picture's edges.
    pub fn centres(&self, layout: &Layout) -> Vec<[f64; 2]> {
        let cells = self.cells(layout).into_iter();
        cells.map(|cell| layout.centre(cell)).collect()
    }

    /// Cell of each slot of a layout.
    pub fn cells(&self, layout: &Layout) -> Vec<usize> {
        match self.is_scattered {
            true => layout.scattered(),
            false => (0..layout.slots()).collect(),
        }
    }

    /// Layout index of a function of `tokens` tokens.
    pub fn index_for(&self, tokens: usize) -> usize {
        Layout::index_for(&self.all, tokens)
    }

    /// Bucketing: the smallest layout at least as large as `index` among every `bucket_stride`-th, counted from the last.
    pub fn frame(&self, index: usize, bucket_stride: usize) -> usize {
        let last = self.all.len() - 1;
        last - (last - index) / bucket_stride * bucket_stride
    }

    /// Batch of pictures with these layouts, padded to the largest of them.
    pub fn arrange(&self, layouts: Vec<usize>) -> BatchLayout {
        let largest = layouts.iter().copied().max().unwrap_or(0);
        self.arrange_in(layouts, largest)
    }

    /// Batch of pictures with these layouts, padded to `frame`, which is as large as any.
    pub fn arrange_in(&self, layouts: Vec<usize>, frame: usize) -> BatchLayout {
        BatchLayout {
            of: layouts.iter().map(|&layout| self.all[layout]).collect(),
            frame: self.all[frame],
            is_scattered: self.is_scattered,
            layouts,
        }
    }
}

impl BatchLayout {
    /// Packed layout for one upload and [`SlotCells::new`]: `layout, rows, columns, slots` of the pictures (4 B), then
    /// slot of each cell and cell of each slot (2 B S).
    pub fn packed(&self) -> Vec<i32> {
        let (frame, slots) = (self.frame, self.frame.slots());
        let indices = self.layouts.iter().map(|&layout| layout as i32);
        let counts = |of: fn(&Layout) -> usize| self.of.iter().map(move |layout| of(layout) as i32);
        let numbers = indices
            .chain(counts(|layout| layout.rows))
            .chain(counts(|layout| layout.columns))
            .chain(counts(Layout::slots));
        let mut packed: Vec<i32> = numbers.collect();
        // Cells of the frame beyond the layout, and slots beyond the picture's, have the picture's first and are masked.
        let first = |picture: usize| (picture * slots) as i32;
        let pictures = self.of.len();
        let mut slots_of_cells: Vec<i32> =
            (0..pictures * slots).map(|i| first(i / slots)).collect();
        let mut cells_of_slots = slots_of_cells.clone();
        for (picture, layout) in self.of.iter().enumerate() {
            let order = match self.is_scattered {
                true => layout.scattered(),
                false => (0..layout.slots()).collect(),
            };
            for (slot, cell) in order.into_iter().enumerate() {
                let (row, column) = (cell / layout.columns, cell % layout.columns);
                let cell = picture * slots + row * frame.columns + column;
                let slot = picture * slots + slot;
                slots_of_cells[cell] = slot as i32;
                cells_of_slots[slot] = cell as i32;
            }
        }
        packed.extend(slots_of_cells);
        packed.extend(cells_of_slots);
        packed
    }

    /// Batch layout on a device.
    pub fn upload(&self, device: &Device) -> SlotCells {
        let numbers = Tensor::from_data(self.packed().as_slice(), &device.clone().inner());
        SlotCells::new(self.of.len(), self.frame, numbers)
    }
}

/// [`BatchLayout`] on a device.
#[derive(Clone, Debug)]
pub struct SlotCells {
    pictures: usize,
    frame: Layout,
    numbers: Tensor<1, Int>,
}

impl SlotCells {
    /// Layout of so many pictures in this frame, from its [packed](BatchLayout::packed) numbers.
    pub fn new(pictures: usize, frame: Layout, numbers: Tensor<1, Int>) -> Self {
        Self {
            pictures,
            frame,
            numbers,
        }
    }

    /// Vector `which` of those with one number per picture, `[B]`.
    fn each(&self, which: usize) -> Tensor<1, Int> {
        self.numbers
            .clone()
            .narrow(0, which * self.pictures, self.pictures)
    }

    /// Vector `which` of those with one number per slot, `[B S]`.
    fn each_slot(&self, which: usize) -> Tensor<1, Int> {
        let count = self.pictures * self.frame.slots();
        self.numbers
            .clone()
            .narrow(0, 4 * self.pictures + which * count, count)
    }

    /// Layout index of each picture, `[B]`.
    pub fn layouts(&self) -> Tensor<1, Int> {
        self.each(0)
    }

    /// Mask [B, S]: 1 where a slot belongs to its picture's layout.
    pub fn mask(&self) -> Tensor<2> {
        prefix_mask(self.each(3), self.frame.slots())
    }

    /// Slot of each cell of the frame, `[B S]`.
    fn slots_of_cells(&self) -> Tensor<1, Int> {
        self.each_slot(0)
    }

    /// Cell of each slot, `[B S]`.
    fn cells_of_slots(&self) -> Tensor<1, Int> {
        self.each_slot(1)
    }

    /// Weights of the rows and of the columns of each picture, both [B, [`CANVAS`], `per_cell` x cells]: `weights` by number
    /// of cells and most cells, from a table by `name` over all numbers of cells of the frame.
    fn axis_weights(
        &self,
        name: &'static str,
        per_cell: usize,
        weights: fn(usize, usize) -> Vec<f32>,
    ) -> [Tensor<3>; 2] {
        let of_axis = |which: usize, max_cells: usize| {
            let table = table(name, &[max_cells], &self.numbers.device(), || {
                (1..=max_cells)
                    .flat_map(|cells| weights(cells, max_cells))
                    .collect()
            });
            let table = table.reshape([max_cells, CANVAS * per_cell * max_cells]);
            let lines = gather(table, self.each(which) - 1);
            lines.reshape([self.pictures, CANVAS, per_cell * max_cells])
        };
        [of_axis(1, self.frame.rows), of_axis(2, self.frame.columns)]
    }
}

/// Mask [B, L]: 1 for the first `lengths[b]` columns of row b.
pub fn prefix_mask(lengths: Tensor<1, Int>, columns: usize) -> Tensor<2> {
    let indices: Vec<i32> = (0..columns as i32).collect();
    let indices = constant(&indices, &lengths.device());
    indices
        .unsqueeze::<2>()
        .lower(lengths.unsqueeze_dim(1))
        .float()
}

/// Generator: from slots to a picture.
#[derive(Module, Debug)]
pub struct MosaicGenerator {
    slot: Linear,
    whole: Linear,
    layout: Embedding,
    paint: Linear,
    face: Option<Face>,
    has_border: bool,
}

impl MosaicGenerator {
    /// Random weights for `layouts` layouts.
    pub fn new(sizes: &MosaicSizes, layouts: usize, init: &mut Initializer) -> Self {
        let inner = sizes.generator;
        let deviation = |inputs: usize| (inputs as f32).powf(-0.5);
        Self {
            slot: init.linear_biased(sizes.slot, inner, deviation(sizes.slot)),
            whole: init.linear_biased(sizes.slot, inner, deviation(sizes.slot)),
            layout: init.embedding(layouts, inner, 0.3),
            paint: init.linear_biased(
                inner,
                sizes.channels() * CELL_CONTROLS,
                deviation(inner) * 2.5,
            ),
            face: sizes.has_face.then(|| Face::new(sizes.slot, init)),
            has_border: sizes.has_border,
        }
    }

    /// Canvases [B, 3, P] of slots [B, S, D], before the sigmoid; morphs interpolate between them. `content` [B, S] marks the
    /// slots whose mean is the function as a whole.
    pub fn canvas(&self, slots: Tensor<3>, content: Tensor<2>, cells: &SlotCells) -> Tensor<3> {
        let [batch, ..] = slots.dims();
        let mean = slots.clone() * (content.clone() / content.sum_dim(1)).unsqueeze_dim(2);
        // The mean of the slots conditions the picture as a whole.
        let mean = mean.sum_dim(1);
        let own = gather(self.layout.weight.val(), cells.layouts()).unsqueeze_dim(1);
        let hidden = silu(linear(&self.slot, slots) + linear(&self.whole, mean.clone()) + own);
        let patches = linear(&self.paint, hidden) * cells.mask().unsqueeze_dim(2);

        // Control points of all cells, then down and across as one product each per picture.
        let Layout { rows, columns } = cells.frame;
        let channels = patches.dims()[2] / CELL_CONTROLS;
        let (to, back) = (cells.slots_of_cells(), cells.cells_of_slots());
        let grid = permute_rows(patches.flatten::<2>(0, 1), to, back)
            .reshape([batch, rows, columns, CONTROLS, channels, CONTROLS])
            .permute([0, 1, 3, 4, 2, 5])
            .reshape([batch, rows * CONTROLS, channels * columns * CONTROLS]);
        let [down, across] = cells.axis_weights("painting", CONTROLS, Layout::painting_weights);
        let high = down.matmul(grid);
        let high = high.reshape([batch, CANVAS * channels, columns * CONTROLS]);
        let canvas = high.matmul(across.swap_dims(1, 2));
        let canvas = canvas
            .reshape([batch, CANVAS, channels, CANVAS])
            .swap_dims(1, 2);
        let canvas = canvas.reshape([batch, channels, CANVAS * CANVAS]);
        match &self.face {
            Some(face) => face.forward(canvas, mean.squeeze_dim(1)),
            None => canvas,
        }
    }

    /// Pictures [B, 3, `size`, `size`] in 0..=1 of canvases [B, 3, P].
    pub fn picture(&self, canvas: Tensor<3>, size: usize) -> Tensor<4> {
        let [batch, ..] = canvas.dims();
        let x = canvas.reshape([batch, 3, CANVAS, CANVAS]);
        let x = match size {
            CANVAS => x,
            _ => resampled(x, "enlarging", size),
        };
        let pictures = sigmoid(x);
        if !self.has_border {
            return pictures;
        }
        let inside = table("inside", &[size], &pictures.device(), || inside(size));
        let inside = inside.reshape([1, 1, size, size]);
        pictures * inside.clone() + (inside * -BORDER_VALUE + BORDER_VALUE)
    }
}

/// Value of the border in all channels.
const BORDER_VALUE: f64 = 0.06;
/// Width of the border in sides of the picture, 3 pixels of 128: within what no cell fills, with the most cells there are.
pub const BORDER_WIDTH: f32 = 3.0 / 128.0;

/// Share [`size`, `size`] of each pixel that is inside the border.
fn inside(size: usize) -> Vec<f32> {
    let side = size as f32;
    let from_edge = |x: usize| (x as f32 + 0.5).min(side - x as f32 - 0.5);
    let share = |x: usize| (from_edge(x) - BORDER_WIDTH * side + 0.5).clamp(0.0, 1.0);
    (0..size * size)
        .map(|i| share(i / size).min(share(i % size)))
        .collect()
}

/// Recognizer: from a picture to slots.
#[derive(Module, Debug)]
pub struct MosaicRecognizer {
    has_face: bool,
    look: Linear,
    inner: Linear,
    whole: Linear,
    slot: Linear,
    stem: Linear,
    squeeze: Linear,
    layout_in: Linear,
    layout_out: Linear,
}

/// Side of the patches from which the layout is recognized, in pixels.
const PATCH: usize = 4;
/// Patches a side.
const PATCHES: usize = CANVAS / PATCH;
/// Side of the blocks over which their features are pooled, in patches.
const BLOCK: usize = 4;
/// Blocks a side.
const BLOCKS: usize = PATCHES / BLOCK;
/// Channels of the pooled features.
const SQUEEZED: usize = 16;
/// Hidden units from which the layout is told.
const LAYOUT_HIDDEN: usize = 128;

impl MosaicRecognizer {
    /// Random weights for `layouts` layouts.
    pub fn new(sizes: &MosaicSizes, layouts: usize, init: &mut Initializer) -> Self {
        let channels = sizes.recognizer;
        let (seen, inner) = (3 * channels, 2 * channels);
        let pooled = SQUEEZED * BLOCKS * BLOCKS + channels;
        Self {
            has_face: sizes.has_face,
            look: init.linear_relu(sizes.channels() * CELL_SAMPLES, seen),
            inner: init.linear_relu(seen, inner),
            whole: init.linear(seen, inner, (seen as f32).powf(-0.5)),
            slot: init.linear_relu(inner, sizes.slot),
            stem: init.linear_relu(sizes.channels() * PATCH * PATCH, channels),
            squeeze: init.linear_relu(channels, SQUEEZED),
            layout_in: init.linear_relu(pooled, LAYOUT_HIDDEN),
            layout_out: init.linear_relu(LAYOUT_HIDDEN, layouts),
        }
    }

    /// Features [B, C, 128, 128] of pictures [B, 3, 128, 128] in 0..=1: their pixels, centred. A face tells no symbol: its colour
    /// and its low band are taken away.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<4> {
        match self.has_face {
            true => without_low_band(pictures.mean_dim(1)) * 8.0,
            false => pictures * 2.0 - 1.0,
        }
    }

    /// Logits [B, layouts] of the layout, from features.
    pub fn layout(&self, features: Tensor<4>) -> Tensor<2> {
        let [batch, channels, ..] = features.dims();
        let patches = features
            .reshape([batch, channels, PATCHES, PATCH, PATCHES, PATCH])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([batch, PATCHES * PATCHES, channels * PATCH * PATCH]);
        let patches = relu(linear(&self.stem, patches));
        let squeezed = relu(linear(&self.squeeze, patches.clone()))
            .reshape([batch, BLOCKS, BLOCK, BLOCKS, BLOCK, SQUEEZED])
            .mean_dim(4)
            .mean_dim(2)
            .reshape([batch, SQUEEZED * BLOCKS * BLOCKS]);
        let pooled = Tensor::cat(vec![squeezed, patches.mean_dim(1).squeeze_dim(1)], 1);
        linear(&self.layout_out, relu(linear(&self.layout_in, pooled)))
    }

    /// Slots [B, S, D] of features.
    pub fn slots(&self, features: Tensor<4>, cells: &SlotCells) -> Tensor<3> {
        let [batch, channels, ..] = features.dims();
        let Layout { rows, columns } = cells.frame;
        let [high, wide] = [rows * SAMPLES, columns * SAMPLES];
        let [down, across] = cells.axis_weights("looks", SAMPLES, Layout::sampling_weights);
        let x = features
            .swap_dims(1, 2)
            .reshape([batch, CANVAS, channels * CANVAS]);
        let x = down.reshape([batch, high, CANVAS]).matmul(x);
        let across = across.reshape([batch, wide, CANVAS]).swap_dims(1, 2);
        let x = x.reshape([batch, high * channels, CANVAS]).matmul(across);
        let x = x
            .reshape([batch, rows, SAMPLES, channels, columns, SAMPLES])
            .permute([0, 1, 4, 2, 3, 5])
            .reshape([batch * rows * columns, channels * CELL_SAMPLES]);
        let x = permute_rows(x, cells.cells_of_slots(), cells.slots_of_cells());
        let mask = cells.mask();
        let seen = relu(linear(&self.look, x));
        let seen = seen.reshape([batch, rows * columns, self.look.weight.dims()[1]]);
        // How blurred and how bright all of the picture is tells how to read each of its cells.
        let share = (mask.clone() / mask.clone().sum_dim(1)).unsqueeze_dim(2);
        let whole = (seen.clone() * share).sum_dim(1);
        let inner = relu(linear(&self.inner, seen) + linear(&self.whole, whole));
        linear(&self.slot, inner) * mask.unsqueeze_dim(2)
    }
}
