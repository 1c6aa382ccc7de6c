//! The mosaic: each token slot paints a cell of the picture through one shared painter, convolutions
//! blend the cells, and a convolutional reader finds them again.
//!
//! Sharing one painter and one reader over all slots is what makes it learnable in minutes: the
//! dense generators have to learn each place of the picture anew. The picture is painted at a
//! quarter of its size and enlarged smoothly, so that it has no noise to begin with.
//!
//! Shapes: B pictures, S slots (of the largest layout in the batch), D = token width, P = canvas
//! pixels, C = canvas channels.

mod layout;
mod pose;

use burn::{
    module::{Module, Param},
    nn::{Embedding, Linear},
    tensor::{Device, Int, Tensor},
};

pub use layout::{CANVAS, Layout};
use layout::{PLACE, SAMPLES};
pub use pose::{POSE_SIZE, PoseHead};

use super::{
    device_constants::{constant, table},
    fused::{gather, permute_rows, relu, sigmoid, silu},
    init::Initializer,
    linear::linear,
};

const PIXELS: usize = CANVAS * CANVAS;
const LOOKS: usize = SAMPLES * SAMPLES;

/// Sizes of painter and reader.
#[derive(Clone, Copy, Debug)]
pub struct MosaicSizes {
    /// Width of a token slot.
    pub slot: usize,
    /// Inner width of the painter.
    pub painter: usize,
    /// Channels of the reader.
    pub reader: usize,
}

/// The layouts of a batch of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchLayout {
    /// Index of each picture's layout.
    pub layouts: Vec<usize>,
    /// Layout of each picture.
    pub of: Vec<Layout>,
    /// The one they are worked on in: the largest, or larger.
    pub frame: Layout,
}

/// The layouts there are, smallest first.
#[derive(Clone, Debug)]
pub struct Layouts {
    /// One for every few tokens more.
    pub all: Vec<Layout>,
}

impl Layouts {
    /// For functions of up to `max_tokens`.
    pub fn new(max_tokens: usize) -> Self {
        Self {
            all: Layout::all(max_tokens),
        }
    }

    /// For designs without cells: one line of `slots` for every function.
    pub fn line(slots: usize) -> Self {
        Self {
            all: vec![Layout {
                rows: slots,
                columns: 1,
            }],
        }
    }

    /// Whether it is a [`Self::line`], where functions end at their first padding.
    pub fn is_line(&self) -> bool {
        self.all.iter().all(|layout| layout.columns == 1)
    }

    /// Slots of the largest layout.
    pub fn most_slots(&self) -> usize {
        self.all.iter().map(Layout::slots).max().unwrap_or(0)
    }

    /// The layout index for a function of `tokens` tokens.
    pub fn index_for(&self, tokens: usize) -> usize {
        Layout::index_for(&self.all, tokens)
    }

    /// The next layout as large as `index`, of every `among`-th, counted from the last.
    pub fn frame(&self, index: usize, among: usize) -> usize {
        let last = self.all.len() - 1;
        last - (last - index) / among * among
    }

    /// Pictures with these layouts, worked on in the largest of them.
    pub fn arrange(&self, layouts: Vec<usize>) -> BatchLayout {
        let largest = layouts.iter().copied().max().unwrap_or(0);
        self.arrange_in(layouts, largest)
    }

    /// Pictures with these layouts, worked on in one that is as large as any.
    pub fn arrange_in(&self, layouts: Vec<usize>, frame: usize) -> BatchLayout {
        BatchLayout {
            of: layouts.iter().map(|&layout| self.all[layout]).collect(),
            frame: self.all[frame],
            layouts,
        }
    }
}

impl BatchLayout {
    /// What tells a device of it, as many numbers for every batch of so many pictures in this frame: for
    /// [`SlotCells::new`].
    pub fn packed(&self) -> Vec<i32> {
        let (frame, slots) = (self.frame, self.frame.slots());
        let each = || self.of.iter().enumerate();
        let kinds = self.layouts.iter().map(|&layout| layout as i32);
        let counts = |of: fn(&Layout) -> usize| self.of.iter().map(move |layout| of(layout) as i32);
        // A frame's cells and a layout's slots that the other doesn't have are given any, and count for nothing.
        let slot_of_cell = each().flat_map(move |(picture, layout)| {
            let cell = move |cell: usize| {
                let (row, column) = (cell / frame.columns, cell % frame.columns);
                let is_cell = row < layout.rows && column < layout.columns;
                let slot = if is_cell {
                    row * layout.columns + column
                } else {
                    0
                };
                (picture * slots + slot) as i32
            };
            (0..slots).map(cell)
        });
        let cell_of_slot = each().flat_map(move |(picture, layout)| {
            let slot = move |slot: usize| {
                let (row, column) = (slot / layout.columns, slot % layout.columns);
                let cell = if row < layout.rows {
                    row * frame.columns + column
                } else {
                    0
                };
                (picture * slots + cell) as i32
            };
            (0..slots).map(slot)
        });
        let numbers = kinds
            .chain(counts(|layout| layout.rows))
            .chain(counts(|layout| layout.columns))
            .chain(counts(Layout::slots));
        numbers.chain(slot_of_cell).chain(cell_of_slot).collect()
    }

    /// It on a device.
    pub fn upload(&self, device: &Device) -> SlotCells {
        let numbers = Tensor::from_data(self.packed().as_slice(), &device.clone().inner());
        SlotCells::new(self.of.len(), self.frame, numbers)
    }
}

/// An [`BatchLayout`] on the device.
#[derive(Clone, Debug)]
pub struct SlotCells {
    pictures: usize,
    frame: Layout,
    numbers: Tensor<1, Int>,
}

impl SlotCells {
    /// Of so many pictures in this frame, from the [numbers](BatchLayout::numbers).
    pub fn new(pictures: usize, frame: Layout, numbers: Tensor<1, Int>) -> Self {
        Self {
            pictures,
            frame,
            numbers,
        }
    }

    /// One for each picture.
    fn each(&self, which: usize) -> Tensor<1, Int> {
        self.numbers
            .clone()
            .narrow(0, which * self.pictures, self.pictures)
    }

    fn each_slot(&self, which: usize) -> Tensor<1, Int> {
        let count = self.pictures * self.frame.slots();
        self.numbers
            .clone()
            .narrow(0, 4 * self.pictures + which * count, count)
    }

    /// Index of each picture's layout, `[B]`.
    pub fn layouts(&self) -> Tensor<1, Int> {
        self.each(0)
    }

    /// [B, S]: 1 where a slot belongs to its picture's layout.
    pub fn mask(&self) -> Tensor<2> {
        prefix_mask(self.each(3), self.frame.slots())
    }

    /// For each of the frame's cells the slot that is there, `[B S]`.
    fn slots_of_cells(&self) -> Tensor<1, Int> {
        self.each_slot(0)
    }

    /// For each slot its cell, `[B S]`.
    fn cells_of_slots(&self) -> Tensor<1, Int> {
        self.each_slot(1)
    }

    /// Of a table that has for each number of cells, from 1 to that of the frame, what `weights` makes of it for a line
    /// of so many, [`CANVAS`] values for each of the `per_cell` times as many: those of the rows and of the columns.
    fn lines(
        &self,
        name: &'static str,
        per_cell: usize,
        weights: fn(usize, usize) -> Vec<f32>,
    ) -> [Tensor<3>; 2] {
        let of = |which: usize, most: usize| {
            let table = table(name, &[most], &self.numbers.device(), || {
                (1..=most).flat_map(|cells| weights(cells, most)).collect()
            });
            let table = table.reshape([most, CANVAS * per_cell * most]);
            let lines = gather(table, self.each(which) - 1);
            lines.reshape([self.pictures, CANVAS, per_cell * most])
        };
        [of(1, self.frame.rows), of(2, self.frame.columns)]
    }
}

/// [B, L]: 1 for the first `lengths[b]` columns of row b.
pub fn prefix_mask(lengths: Tensor<1, Int>, columns: usize) -> Tensor<2> {
    let places: Vec<i32> = (0..columns as i32).collect();
    let places = constant(&places, &lengths.device());
    places
        .unsqueeze::<2>()
        .lower(lengths.unsqueeze_dim(1))
        .float()
}

/// Slots to picture.
#[derive(Module, Debug)]
pub struct MosaicGenerator {
    slot: Linear,
    layout: Embedding,
    place_scale: Linear,
    place_shift: Linear,
    whole: Linear,
    place_whole: Linear,
    paint: Linear,
    frame: Param<Tensor<2>>,
}

impl MosaicGenerator {
    /// Random weights for `layouts` layouts.
    pub fn new(sizes: &MosaicSizes, layouts: usize, init: &mut Initializer) -> Self {
        let inner = sizes.painter;
        let deviation = |inputs: usize| (inputs as f32).powf(-0.5);
        Self {
            slot: init.linear_biased(sizes.slot, inner, deviation(sizes.slot)),
            layout: init.embedding(layouts, inner, 0.3),
            place_scale: init.linear(PLACE, inner, deviation(PLACE) * 1.5),
            place_shift: init.linear(PLACE, inner, deviation(PLACE)),
            whole: init.linear_biased(sizes.slot, inner, deviation(sizes.slot)),
            place_whole: init.linear(PLACE, inner, deviation(PLACE)),
            paint: init.linear_biased(inner, 3, deviation(inner) * 1.5),
            frame: init.normal(3, PIXELS, 0.1),
        }
    }

    /// Slots [B, S, D] to canvases [B, P, H] of the painter's H units: the latent that morphs are
    /// made in.
    pub fn canvas(&self, slots: Tensor<3>, cells: &SlotCells, layouts: &Layouts) -> Tensor<3> {
        let (device, [batch, ..]) = (slots.device(), slots.dims());
        let mask = cells.mask();
        let mean = slots.clone() * (mask.clone() / mask.clone().sum_dim(1)).unsqueeze_dim(2);
        // What the function is as a whole tinges and shapes the picture as a whole.
        let whole = linear(&self.whole, mean.sum_dim(1));
        let own = gather(self.layout.weight.val(), cells.layouts());
        let painted = linear(&self.slot, slots) + own.unsqueeze_dim(1);
        let painted = painted * mask.unsqueeze_dim(2);
        let inner = painted.dims()[2];

        // Down as one product a picture, across as one a line.
        let Layout { rows, columns } = cells.frame;
        let (to, back) = (cells.slots_of_cells(), cells.cells_of_slots());
        let grid = permute_rows(painted.flatten::<2>(0, 1), to, back);
        let [down, across] = cells.lines("spread", 1, Layout::spread);
        let high = down.matmul(grid.reshape([batch, rows, columns * inner]));
        let high = high.reshape([batch, CANVAS, columns, inner]);
        let spread = across.unsqueeze_dim::<4>(1).matmul(high);

        let kinds = layouts.all.len();
        let places = table("places", &[kinds], &device, || {
            layouts.all.iter().flat_map(Layout::places).collect()
        });
        let places = gather(places.reshape([kinds, PIXELS * PLACE]), cells.layouts());
        let places = places.reshape([batch, PIXELS, PLACE]);
        let scale = linear(&self.place_scale, places.clone());
        // shift + whole * at_large, as one product a picture of the places and these weights.
        let weight = self.place_shift.weight.val().unsqueeze::<3>()
            + self.place_whole.weight.val().unsqueeze() * whole;
        silu(spread.reshape([batch, PIXELS, inner]) * scale + places.matmul(weight))
    }

    /// Canvases [B, P, H] to pictures [B, 3, `size`, `size`], values 0..1.
    pub fn picture(&self, canvas: Tensor<3>, size: usize) -> Tensor<4> {
        let (device, [batch, ..]) = (canvas.device(), canvas.dims());
        let x = linear(&self.paint, canvas).swap_dims(1, 2);
        let x = x + self.frame.val().unsqueeze();
        let enlarge = table("enlarging", &[size], &device, || enlarging(size));
        let enlarge = enlarge.reshape([size, CANVAS]);
        let x = x
            .reshape([batch * 3 * CANVAS, CANVAS])
            .matmul(enlarge.clone().transpose())
            .reshape([batch * 3, CANVAS, size]);
        let x = enlarge.unsqueeze::<3>().matmul(x);
        sigmoid(x.reshape([batch, 3, size, size]))
    }
}

/// [`size`, 32]: enlarges a canvas's columns by cubic B-splines, which are smooth and smooth what
/// they enlarge; edges repeated.
fn enlarging(size: usize) -> Vec<f32> {
    let kernel = |x: f32| match x.abs() {
        x if x < 1.0 => 2.0 / 3.0 - x * x + x * x * x / 2.0,
        x if x < 2.0 => (2.0 - x).powi(3) / 6.0,
        _ => 0.0,
    };
    let mut weights = vec![0.0; size * CANVAS];
    for i in 0..size {
        let centre = (i as f32 + 0.5) * CANVAS as f32 / size as f32 - 0.5;
        for tap in -1..=2 {
            let at = centre.floor() as i32 + tap;
            let column = at.clamp(0, CANVAS as i32 - 1) as usize;
            weights[i * CANVAS + column] += kernel(centre - at as f32);
        }
    }
    weights
}

/// Picture to slots.
#[derive(Module, Debug)]
pub struct MosaicRecognizer {
    stem: Linear,
    look: Linear,
    slot: Linear,
    squeeze: Linear,
    layout_in: Linear,
    layout_out: Linear,
}

/// Pixels a canvas pixel has a side.
const PATCH: usize = 4;
/// Side of the blocks in which a picture is looked at as a whole, in canvas pixels.
const BLOCK: usize = 4;
/// Channels left of them.
const SQUEEZED: usize = 8;

impl MosaicRecognizer {
    /// Random weights for `layouts` layouts.
    pub fn new(sizes: &MosaicSizes, layouts: usize, init: &mut Initializer) -> Self {
        let blocks = CANVAS / BLOCK;
        let whole = SQUEEZED * blocks * blocks + sizes.reader;
        Self {
            stem: init.linear_relu(3 * PATCH * PATCH, sizes.reader),
            look: init.linear_relu(LOOKS * sizes.reader, 2 * sizes.slot),
            slot: init.linear_relu(2 * sizes.slot, sizes.slot),
            squeeze: init.linear_relu(sizes.reader, SQUEEZED),
            layout_in: init.linear_relu(whole, 64),
            layout_out: init.linear_relu(64, layouts),
        }
    }

    /// Pictures [B, 3, 128, 128], values 0..1, to features [B, 32, 32, channels]: a convolution of 4x4
    /// at stride 4, as a product over patches.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<4> {
        let [batch, ..] = pictures.dims();
        let patches = (pictures * 2.0 - 1.0)
            .reshape([batch, 3, CANVAS, PATCH, CANVAS, PATCH])
            .permute([0, 2, 4, 1, 3, 5])
            .reshape([batch, CANVAS, CANVAS, 3 * PATCH * PATCH]);
        relu(linear(&self.stem, patches))
    }

    /// Features to logits of the layouts [B, layouts].
    pub fn layout(&self, features: Tensor<4>) -> Tensor<2> {
        let [batch, .., channels] = features.dims();
        let blocks = CANVAS / BLOCK;
        let squeezed = relu(linear(&self.squeeze, features.clone()))
            .reshape([batch, blocks, BLOCK, blocks, BLOCK, SQUEEZED])
            .mean_dim(4)
            .mean_dim(2)
            .reshape([batch, SQUEEZED * blocks * blocks]);
        let mean = features.reshape([batch, PIXELS, channels]).mean_dim(1);
        let whole = Tensor::cat(vec![squeezed, mean.reshape([batch, channels])], 1);
        linear(&self.layout_out, relu(linear(&self.layout_in, whole)))
    }

    /// Features [B, 32, 32, channels] to slots [B, S, D].
    pub fn slots(&self, features: Tensor<4>, cells: &SlotCells) -> Tensor<3> {
        let [batch, _, _, channels] = features.dims();
        let Layout { rows, columns } = cells.frame;
        let [high, wide] = [rows * SAMPLES, columns * SAMPLES];
        let [down, across] = cells.lines("looks", SAMPLES, Layout::looks);
        let across = across.reshape([batch, 1, wide, CANVAS]);
        let x = features.reshape([batch, CANVAS, CANVAS * channels]);
        let x = down.reshape([batch, high, CANVAS]).matmul(x);
        let x = across.matmul(x.reshape([batch, high, CANVAS, channels]));
        let x = x
            .reshape([batch, rows, SAMPLES, columns, SAMPLES, channels])
            .permute([0, 1, 3, 2, 4, 5])
            .reshape([batch * rows * columns, LOOKS * channels]);
        let x = permute_rows(x, cells.cells_of_slots(), cells.slots_of_cells());
        let slots = linear(&self.slot, relu(linear(&self.look, x)));
        let width = slots.dims()[1];
        slots.reshape([batch, rows * columns, width]) * cells.mask().unsqueeze_dim(2)
    }
}
