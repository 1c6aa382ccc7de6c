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
    tensor::{Device, Tensor, TensorData, activation::relu},
};

pub use layout::{CANVAS, Layout};
use layout::{PLACE, SAMPLES};
pub use pose::{POSE_SIZE, PoseHead};

use super::{
    fused::{sigmoid, silu},
    init::Initializer,
    linear::by_row,
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
pub struct Arrangement {
    /// Index of each picture's layout.
    pub layouts: Vec<usize>,
    /// Slots of each picture.
    pub slots: Vec<usize>,
    /// Slots of the largest.
    pub most_slots: usize,
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

    /// Pictures with these layouts.
    pub fn arrange(&self, layouts: Vec<usize>) -> Arrangement {
        let slots: Vec<usize> = layouts.iter().map(|&l| self.all[l].slots()).collect();
        Arrangement {
            most_slots: slots.iter().copied().max().unwrap_or(0),
            layouts,
            slots,
        }
    }
}

impl Arrangement {
    /// [B, S]: 1 where a slot belongs to its picture's layout.
    pub fn mask(&self, device: &Device) -> Tensor<2> {
        prefix_mask(&self.slots, self.most_slots, device)
    }

    /// Runs of neighbours with the same layout: layout, first picture, pictures. The fewer, the
    /// faster; sort batches by layout.
    fn runs(&self) -> Vec<(usize, usize, usize)> {
        let mut runs: Vec<(usize, usize, usize)> = Vec::new();
        for (picture, &layout) in self.layouts.iter().enumerate() {
            match runs.last_mut().filter(|run| run.0 == layout) {
                Some(run) => run.2 += 1,
                None => runs.push((layout, picture, 1)),
            }
        }
        runs
    }
}

/// [B, L]: 1 for the first `lengths[b]` columns of row b.
pub fn prefix_mask(lengths: &[usize], columns: usize, device: &Device) -> Tensor<2> {
    let ones = lengths
        .iter()
        .flat_map(|&length| (0..columns).map(move |i| f32::from(i < length)));
    matrix(ones.collect(), lengths.len(), columns, device)
}

fn matrix(values: Vec<f32>, rows: usize, columns: usize, device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, [rows, columns]), device)
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
    pub fn canvas(
        &self,
        slots: Tensor<3>,
        arrangement: &Arrangement,
        layouts: &Layouts,
    ) -> Tensor<3> {
        let device = slots.device();
        let mask = arrangement.mask(&device);
        let mean = slots.clone() * (mask.clone() / mask.sum_dim(1)).unsqueeze_dim(2);
        // What the function is as a whole tinges and shapes the picture as a whole.
        let whole = by_row(&self.whole, mean.sum_dim(1));
        let painted = by_row(&self.slot, slots);
        let inner = painted.dims()[2];
        let runs = arrangement.runs().into_iter().map(|(index, first, count)| {
            let Layout { rows, columns } = layouts.all[index];
            let own = self.layout.weight.val().narrow(0, index, 1);
            let grid = painted
                .clone()
                .narrow(0, first, count)
                .narrow(1, 0, rows * columns)
                + own.unsqueeze_dim(1);
            // Down as one product a picture, across as one a line.
            let down = matrix(Layout::spread(rows), CANVAS, rows, &device);
            let across = matrix(Layout::spread(columns), CANVAS, columns, &device);
            let high = down
                .unsqueeze::<3>()
                .matmul(grid.reshape([count, rows, columns * inner]));
            let spread =
                across
                    .unsqueeze::<3>()
                    .matmul(high.reshape([count * CANVAS, columns, inner]));
            let places = matrix(layouts.all[index].places(), PIXELS, PLACE, &device);
            let scale = self.place_scale.forward(places.clone()).unsqueeze::<3>();
            // shift + whole * at_large, as one product a picture of the places and these weights.
            let whole = whole.clone().narrow(0, first, count);
            let weight = self.place_shift.weight.val().unsqueeze::<3>()
                + self.place_whole.weight.val().unsqueeze() * whole;
            let places = places.unsqueeze::<3>();
            silu(spread.reshape([count, PIXELS, inner]) * scale + places.matmul(weight))
        });
        Tensor::cat(runs.collect(), 0)
    }

    /// Canvases [B, P, H] to pictures [B, 3, `size`, `size`], values 0..1.
    pub fn picture(&self, canvas: Tensor<3>, size: usize) -> Tensor<4> {
        let (device, [batch, ..]) = (canvas.device(), canvas.dims());
        let x = by_row(&self.paint, canvas).swap_dims(1, 2);
        let x = x + self.frame.val().unsqueeze();
        let enlarge = enlarging(size, &device);
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
fn enlarging(size: usize, device: &Device) -> Tensor<2> {
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
    matrix(weights, size, CANVAS, device)
}

/// Picture to slots.
#[derive(Module, Debug)]
pub struct MosaicReader {
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

impl MosaicReader {
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
        relu(by_row(&self.stem, patches))
    }

    /// Features to logits of the layouts [B, layouts].
    pub fn layout(&self, features: Tensor<4>) -> Tensor<2> {
        let [batch, .., channels] = features.dims();
        let blocks = CANVAS / BLOCK;
        let squeezed = relu(by_row(&self.squeeze, features.clone()))
            .reshape([batch, blocks, BLOCK, blocks, BLOCK, SQUEEZED])
            .mean_dim(4)
            .mean_dim(2)
            .reshape([batch, SQUEEZED * blocks * blocks]);
        let mean = features.reshape([batch, PIXELS, channels]).mean_dim(1);
        let whole = Tensor::cat(vec![squeezed, mean.reshape([batch, channels])], 1);
        self.layout_out.forward(relu(self.layout_in.forward(whole)))
    }

    /// Features [B, 32, 32, channels] to slots [B, S, D].
    pub fn slots(
        &self,
        features: Tensor<4>,
        arrangement: &Arrangement,
        layouts: &Layouts,
    ) -> Tensor<3> {
        let (device, [_, _, _, channels]) = (features.device(), features.dims());
        let runs = arrangement.runs().into_iter().map(|(index, first, count)| {
            let Layout { rows, columns } = layouts.all[index];
            let [high, wide] = [rows * SAMPLES, columns * SAMPLES];
            let across = matrix(Layout::looks(columns), wide, CANVAS, &device);
            let down = matrix(Layout::looks(rows), high, CANVAS, &device);
            let x = features.clone().narrow(0, first, count);
            let x = x.reshape([count, CANVAS, CANVAS * channels]);
            let x = down.unsqueeze::<3>().matmul(x);
            let x = x.reshape([count * high, CANVAS, channels]);
            let x = across.unsqueeze::<3>().matmul(x);
            let x = x
                .reshape([count, rows, SAMPLES, columns, SAMPLES, channels])
                .permute([0, 1, 3, 2, 4, 5])
                .reshape([count, rows * columns, LOOKS * channels]);
            let slots = by_row(&self.slot, relu(by_row(&self.look, x)));
            let missing = arrangement.most_slots - rows * columns;
            if missing == 0 {
                return slots;
            }
            let nothing = Tensor::zeros([count, missing, slots.dims()[2]], &device);
            Tensor::cat(vec![slots, nothing], 1)
        });
        Tensor::cat(runs.collect(), 0)
    }
}
