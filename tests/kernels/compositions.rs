//! Compositions of burn's operations that the kernels stand for.

use burn::tensor::{
    Device, Int, Tensor, TensorData,
    activation::{self, log_softmax, softmax},
    ops::{GridSampleOptions, GridSamplePaddingMode, InterpolateMode},
};
use glyphspace::kernels::{
    Activation, Heads,
    image_ops::{Homography, NOISE_BLOCK},
};

pub fn activation<const D: usize>(kind: Activation, x: Tensor<D>) -> Tensor<D> {
    match kind {
        Activation::Relu => activation::relu(x),
        Activation::Exp => x.exp(),
        Activation::Sigmoid => activation::sigmoid(x),
        Activation::Silu => x.clone() * activation::sigmoid(x),
        Activation::Gelu => activation::gelu(x),
        Activation::LeakyRelu => activation::leaky_relu(x, 0.2),
    }
}

pub fn cross_entropy(logits: Tensor<2>, classes: Tensor<1, Int>, smoothing: f32) -> Tensor<1> {
    let log = log_softmax(logits, 1);
    let named = log.clone().gather(1, classes.unsqueeze_dim(1));
    let truth = named * (1.0 - smoothing) + log.mean_dim(1) * smoothing;
    truth.squeeze_dim::<1>(1).neg()
}

pub fn entropy(logits: Tensor<2>) -> Tensor<1> {
    let log = log_softmax(logits, 1);
    (log.clone().exp() * log).sum_dim(1).neg().squeeze_dim(1)
}

pub fn attention(inputs: [Tensor<3>; 3], bias: Tensor<4>, heads: Heads) -> Tensor<3> {
    let [batch, queries, width] = inputs[0].dims();
    let [query, key, value] = inputs.map(|x| {
        let [_, length, _] = x.dims();
        x.reshape([batch, length, heads.count, width / heads.count])
            .swap_dims(1, 2)
    });
    let scores = query.matmul(key.swap_dims(2, 3)) * heads.scale + bias;
    let mixed = softmax(scores, 3).matmul(value).swap_dims(1, 2);
    mixed.reshape([batch, queries, width])
}

/// Warp by two homographies, the photo's border between them.
pub fn warp(images: Tensor<4>, maps: Tensor<2>, [height, width]: [usize; 2]) -> Tensor<4> {
    let (device, batch) = (maps.device(), maps.dims()[0]);
    let grid = |shape: [usize; 2], count| {
        let line = centres(count, &device).reshape(shape);
        line.expand([height, width]).reshape([1, height * width])
    };
    let pixels = [grid([1, width], width), grid([height, 1], height)];
    let photo = project(&maps, 0, pixels).map(|x| x.clamp(-1.0, 1.0));
    let source = project(&maps, 9, photo).map(|x| x.reshape([batch, height, width]));
    let options = GridSampleOptions::new(InterpolateMode::Bilinear)
        .with_padding_mode(GridSamplePaddingMode::Border);
    images.grid_sample_2d(Tensor::stack(source.into(), 3), options)
}

/// Centres of `count` pixels from -1 to 1.
fn centres(count: usize, device: &Device) -> Tensor<1> {
    let index = Tensor::<1, Int>::arange(0..count as i64, device).float();
    index * (2.0 / count as f64) + (1.0 / count as f64 - 1.0)
}

/// Points [B, N] mapped by the homographies in nine columns of `maps` from `first` on.
fn project(maps: &Tensor<2>, first: usize, [x, y]: [Tensor<2>; 2]) -> [Tensor<2>; 2] {
    let element = |i| maps.clone().narrow(1, first + i, 1);
    let line = |k: usize| {
        let rest = y.clone() * element(3 * k + 1) + element(3 * k + 2);
        x.clone() * element(3 * k) + rest
    };
    [line(0), line(1)].map(|x| x / line(2).clamp_min(1e-6))
}

/// Gains, a patch and noise on pictures [B, 3, H, W].
pub fn overlay(
    images: Tensor<4>,
    params: Tensor<2>,
    offsets: Tensor<2, Int>,
    scales: Tensor<2>,
    noise: Tensor<1>,
) -> Tensor<4> {
    let device = params.device();
    let [batch, channels, height, width] = images.dims();
    let column = |i| params.clone().narrow(1, i, 1);
    let coverage = |axis: usize, pixels: usize| {
        let distance = (centres(pixels, &device).unsqueeze() - column(3 + axis)).abs();
        let edge = column(7).clamp_min(1.0 / pixels as f64);
        ((column(5 + axis) - distance) * 0.5 / edge + 0.5).clamp(0.0, 1.0)
    };
    let down = (coverage(1, height) * column(11)).reshape([batch, 1, height, 1]);
    let hidden = down * coverage(0, width).reshape([batch, 1, 1, width]);
    let colours = |first| params.clone().narrow(1, first, 3).reshape([batch, 3, 1, 1]);
    let shown = images * ((hidden.clone().neg() + 1.0) * colours(0)) + hidden * colours(8);

    let blocks = scales.dims()[1];
    let place = Tensor::<1, Int>::arange(0..NOISE_BLOCK as i64, &device);
    let places = offsets.unsqueeze_dim::<3>(2) + place.unsqueeze::<3>();
    // The last block may be longer than the picture, and the table shorter.
    let places = places.clamp_max(noise.dims()[0] as i64 - 1);
    let noise = noise.select(0, places.flatten(0, 2));
    let noise = noise.reshape([batch, blocks, NOISE_BLOCK]) * scales.unsqueeze_dim::<3>(2);
    let noise = noise.reshape([batch, blocks * NOISE_BLOCK]);
    let noise = noise.narrow(1, 0, channels * height * width);
    shown + noise.reshape([batch, channels, height, width])
}

/// Rectification on the host.
pub fn rectify(corners: Tensor<2>, tilted: Tensor<1>) -> Tensor<2> {
    let (device, batch) = (corners.device(), tilted.dims()[0]);
    let (corners, tilted) = (crate::nn::values(corners), crate::nn::values(tilted));
    let each = corners.chunks_exact(8).zip(tilted);
    let maps = each.flat_map(|(corners, tilted)| match tilted == 1.0 {
        true => Homography::rectify(corners).numbers(),
        false => Homography::IDENTITY.numbers(),
    });
    Tensor::from_data(TensorData::new(maps.collect(), [batch, 9]), &device)
}
