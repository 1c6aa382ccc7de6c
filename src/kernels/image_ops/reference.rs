//! Reference compositions of burn's operations, for any backend.

use burn::{
    backend::{
        Backend, TensorMetadata,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{FloatDType, IndexingUpdateOp, IntDType, Shape, Slice},
};

use super::{HOMOGRAPHY_LEN, NOISE_BLOCK, SUBPIXELS};

/// Pictures [B, C, h, w] of `images` [B, C, H, W] through `maps` [B, 18].
pub fn warp<B: Backend>(
    images: FloatTensor<B>,
    maps: FloatTensor<B>,
    size: [usize; 2],
) -> FloatTensor<B> {
    let [batch, channels, height, width] = images.shape().dims();
    let planes = B::float_reshape(images, Shape::from([batch, channels, height * width]));
    let samples = taps::<B>(maps, size, [height, width], channels)
        .into_iter()
        .map(|(pixels, weights)| B::float_mul(B::float_gather(2, planes.clone(), pixels), weights));
    let sum = samples.reduce(B::float_add).expect("four taps");
    B::float_reshape(sum, Shape::from([batch, channels, size[0], size[1]]))
}

/// Gradient of pictures of `size`, from `grad` [B, C, h, w] of the warped ones.
pub fn warp_backward<B: Backend>(
    grad: FloatTensor<B>,
    maps: FloatTensor<B>,
    size: [usize; 2],
) -> FloatTensor<B> {
    let [batch, channels, height, width] = grad.shape().dims();
    let shape = Shape::from([batch, channels, size[0] * size[1]]);
    let zeros = B::float_zeros(shape, &grad.device(), FloatDType::F32);
    let grad = B::float_reshape(grad, Shape::from([batch, channels, height * width]));
    let taps = taps::<B>(maps, [height, width], size, channels);
    let sum = taps.into_iter().fold(zeros, |sum, (pixels, weights)| {
        let share = B::float_mul(grad.clone(), weights);
        B::float_scatter(2, sum, pixels, share, IndexingUpdateOp::Add)
    });
    B::float_reshape(sum, Shape::from([batch, channels, size[0], size[1]]))
}

/// Flat indices into planes of size `from` and weights, both [B, C, h w], of the four pixels around each sampling point.
fn taps<B: Backend>(
    maps: FloatTensor<B>,
    size: [usize; 2],
    from: [usize; 2],
    channels: usize,
) -> Vec<(IntTensor<B>, FloatTensor<B>)> {
    let batch = maps.shape()[0];
    let device = maps.device();
    let [rows, columns] = size.map(|n| centres::<B>(n, &device));
    let grid = Shape::from([1, size[0], size[1]]);
    let flat = |x: FloatTensor<B>| {
        let x = B::float_expand(x, grid.clone());
        B::float_reshape(x, Shape::from([1, size[0] * size[1]]))
    };
    let x = flat(B::float_reshape(columns, Shape::from([1, 1, size[1]])));
    let y = flat(B::float_reshape(rows, Shape::from([1, size[0], 1])));
    let photo = project::<B>(&maps, 0, [x, y]);
    let photo = photo.map(|x| B::float_clamp(x, (-1.0).into(), 1.0.into()));
    let [x, y] = project::<B>(&maps, HOMOGRAPHY_LEN, photo);
    let ((column, right), (row, below)) = (split::<B>(x, from[1]), split::<B>(y, from[0]));

    let shape = Shape::from([batch, channels, size[0] * size[1]]);
    let spread = |x: FloatTensor<B>| {
        let x = B::float_reshape(x, Shape::from([batch, 1, size[0] * size[1]]));
        B::float_expand(x, shape.clone())
    };
    let one_minus = |x: FloatTensor<B>| B::float_add_scalar(B::float_neg(x), 1.0.into());
    let sides = |first: FloatTensor<B>, share: FloatTensor<B>, length: usize| {
        let next = B::float_add_scalar(first.clone(), f32::from(length > 1).into());
        [(first, one_minus(share.clone())), (next, share)]
    };
    let mut taps = Vec::new();
    for (row, row_weight) in sides(row, below, from[0]) {
        for (column, weight) in sides(column.clone(), right.clone(), from[1]) {
            let row_start = B::float_mul_scalar(row.clone(), (from[1] as f32).into());
            let pixel = spread(B::float_add(row_start, column));
            let weight = spread(B::float_mul(row_weight.clone(), weight));
            taps.push((B::float_into_int(pixel, IntDType::I64), weight));
        }
    }
    taps
}

/// Centres of `n` pixels from -1 to 1, `[n]`.
fn centres<B: Backend>(n: usize, device: &B::Device) -> FloatTensor<B> {
    let index = B::int_arange(0..n as i64, device, IntDType::I64);
    let index = B::int_into_float(index, FloatDType::F32);
    let centre = B::float_mul_scalar(index, (2.0 / n as f32).into());
    B::float_add_scalar(centre, (1.0 / n as f32 - 1.0).into())
}

/// Points [B, N] mapped by the homographies in columns `first` to `first + 9` of `maps`.
fn project<B: Backend>(
    maps: &FloatTensor<B>,
    first: usize,
    [x, y]: [FloatTensor<B>; 2],
) -> [FloatTensor<B>; 2] {
    let element = |i: usize| column::<B>(maps, first + i);
    let line = |k: usize| {
        let rest = B::float_add(
            B::float_mul(y.clone(), element(3 * k + 1)),
            element(3 * k + 2),
        );
        B::float_add(B::float_mul(x.clone(), element(3 * k)), rest)
    };
    let depth = B::float_clamp_min(line(2), 1e-6.into());
    [0, 1].map(|k| B::float_div(line(k), depth.clone()))
}

/// First of the two pixels around each point along an axis of `n` pixels, and the weight of the second.
fn split<B: Backend>(point: FloatTensor<B>, n: usize) -> (FloatTensor<B>, FloatTensor<B>) {
    let half = n as f32 / 2.0;
    let pixel = B::float_add_scalar(B::float_mul_scalar(point, half.into()), (half - 0.5).into());
    let pixel = B::float_clamp(pixel, 0.0.into(), (n as f32 - 1.0).into());
    let steps = B::float_mul_scalar(pixel, (SUBPIXELS as f32).into());
    let steps = B::float_floor(B::float_add_scalar(steps, 0.5.into()));
    let pixel = B::float_div_scalar(steps, (SUBPIXELS as f32).into());
    let last_first = n.saturating_sub(2) as f32;
    let first = B::float_clamp_max(B::float_floor(pixel.clone()), last_first.into());
    (first.clone(), B::float_sub(pixel, first))
}

/// Column `i` of [B, N], [B, 1].
fn column<B: Backend>(x: &FloatTensor<B>, i: usize) -> FloatTensor<B> {
    B::float_slice(x.clone(), &[Slice::full(), Slice::from(i..i + 1)])
}

/// Pictures [B, 3, H, W] with gains, a patch and noise.
pub fn overlay<B: Backend>(
    images: FloatTensor<B>,
    params: FloatTensor<B>,
    noise_offsets: IntTensor<B>,
    noise_scales: FloatTensor<B>,
    noise_table: FloatTensor<B>,
) -> FloatTensor<B> {
    let (shape, device) = (images.shape(), images.device());
    let [batch, blocks] = noise_scales.shape().dims();
    let values = shape.num_elements() / batch;
    let (kept, patch) = blend::<B>(&params, &shape);

    let blocks_shape = Shape::from([batch, blocks, NOISE_BLOCK]);
    let offsets = B::int_reshape(noise_offsets, Shape::from([batch, blocks, 1]));
    let place = B::int_arange(0..NOISE_BLOCK as i64, &device, offsets.dtype().into());
    let place = B::int_reshape(place, Shape::from([1, 1, NOISE_BLOCK]));
    let places = B::int_reshape(
        B::int_add(offsets, place),
        Shape::from([batch * blocks * NOISE_BLOCK]),
    );
    // The last block may be longer than the picture, and the table shorter.
    let last = noise_table.shape()[0] as i64 - 1;
    let noise = B::float_select(noise_table, 0, B::int_clamp_max(places, last.into()));
    let noise = B::float_mul(
        B::float_reshape(noise, blocks_shape),
        B::float_reshape(noise_scales, Shape::from([batch, blocks, 1])),
    );
    let noise = B::float_reshape(noise, Shape::from([batch, blocks * NOISE_BLOCK]));
    let noise = B::float_slice(noise, &[Slice::full(), Slice::from(0..values)]);
    let picture = B::float_add(B::float_mul(images, kept), patch);
    B::float_add(picture, B::float_reshape(noise, shape))
}

/// Gradient of pictures, from `grad` [B, 3, H, W] of the overlaid ones.
pub fn overlay_backward<B: Backend>(
    grad: FloatTensor<B>,
    params: FloatTensor<B>,
) -> FloatTensor<B> {
    let (kept, _) = blend::<B>(&params, &grad.shape());
    B::float_mul(grad, kept)
}

/// Factor of each value of a picture, and the patch's colour to add, both [B, 3, H, W].
fn blend<B: Backend>(params: &FloatTensor<B>, shape: &Shape) -> (FloatTensor<B>, FloatTensor<B>) {
    let [batch, _, height, width] = shape.dims();
    let coverage = |axis: usize, pixels: usize| {
        let centres = centres::<B>(pixels, &params.device());
        let centres = B::float_reshape(centres, Shape::from([1, pixels]));
        let distance = B::float_abs(B::float_sub(centres, column::<B>(params, 3 + axis)));
        let inside = B::float_sub(column::<B>(params, 5 + axis), distance);
        let edge = B::float_clamp_min(column::<B>(params, 7), (1.0 / pixels as f32).into());
        let share = B::float_div(B::float_mul_scalar(inside, 0.5.into()), edge);
        B::float_clamp(
            B::float_add_scalar(share, 0.5.into()),
            0.0.into(),
            1.0.into(),
        )
    };
    let down = B::float_mul(coverage(1, height), column::<B>(params, 11));
    let down = B::float_reshape(down, Shape::from([batch, 1, height, 1]));
    let across = B::float_reshape(coverage(0, width), Shape::from([batch, 1, 1, width]));
    let hidden = B::float_mul(down, across);
    let channels = |first: usize| {
        let three = [Slice::full(), Slice::from(first..first + 3)];
        let three = B::float_slice(params.clone(), &three);
        B::float_reshape(three, Shape::from([batch, 3, 1, 1]))
    };
    let visible = B::float_add_scalar(B::float_neg(hidden.clone()), 1.0.into());
    (
        B::float_mul(visible, channels(0)),
        B::float_mul(hidden, channels(8)),
    )
}
