//! JPEG quantisation (ITU-T T.81, tables K.1 and K.2; quality as in the Independent JPEG Group's library), without chroma
//! subsampling. Its gradient is straight-through: the identity.

use burn::tensor::{Tensor, ops::PadMode};

use crate::{kernels::matmul, nn::device_constants::table};

/// Pictures [B, 3, H, W] after JPEG compression with the quantisation `steps` [B, 192], see [`jpeg_steps`], where `is_on` [B, 1]
/// is 1; as in StegaStamp (Tancik et al. 2020, arXiv 1904.05343) but with real rounding.
pub fn jpeg(images: Tensor<4>, steps: Tensor<2>, is_on: Tensor<2>) -> Tensor<4> {
    let plain = images.clone().inner();
    let is_on = is_on.unsqueeze_dims(&[2, 3]);
    let loss = (quantised(plain.clone(), steps) - plain) * is_on;
    images + loss
}

/// Pictures [B, 3, H, W] quantised by `steps` [B, 192].
fn quantised(images: Tensor<4>, steps: Tensor<2>) -> Tensor<4> {
    let [batch, _, height, width] = images.dims();
    let device = images.device();
    // Whole blocks, with the border replicated as in the files.
    let (below, right) = (height.next_multiple_of(8), width.next_multiple_of(8));
    let padding = [(0, below - height), (0, right - width)];
    let images = match padding {
        [(0, 0), (0, 0)] => images,
        _ => images.pad(padding, PadMode::Edge),
    };

    let square =
        |name, side, make: fn() -> Vec<f32>| table(name, &[], &device, make).reshape([side, side]);
    let to_ycbcr = square("colours", 3, || YCBCR_FROM_RGB.concat()).unsqueeze::<3>();
    let to_rgb = square("colours back", 3, || RGB_FROM_YCBCR.concat()).unsqueeze::<3>();
    let dct = square("dct", 8, || dct().concat());
    let along_rows = |t: Tensor<3>, m: Tensor<2>| {
        let dims = t.dims();
        t.reshape([-1, 8]).matmul(m).reshape(dims)
    };
    let along_columns = |t: Tensor<3>, m: Tensor<2>| m.unsqueeze::<3>().matmul(t);

    let pixels = (images - LEVEL).reshape([batch, 3, below * right]);
    let pixels = to_ycbcr.matmul(pixels);
    let blocks = pixels.reshape([batch * 3 * below / 8, 8, right]);
    let coefficients = along_columns(along_rows(blocks, dct.clone().transpose()), dct.clone());
    // Repeats the steps of a row of a block along a row of blocks.
    let repeat = table("blocks on", &[right], &device, || {
        (0..8 * right)
            .map(|i| f32::from(i / right == i % right % 8))
            .collect()
    });
    let steps = matmul(steps.reshape([batch * 24, 8]), repeat.reshape([8, right]));
    let steps = steps.reshape([batch * 3, 1, 8 * right]);
    let coefficients = coefficients.reshape([batch * 3, below / 8, 8 * right]);
    let coefficients = (coefficients / steps.clone()).round() * steps;
    let coefficients = coefficients.reshape([batch * 3 * below / 8, 8, right]);
    let blocks = along_rows(along_columns(coefficients, dct.clone().transpose()), dct);
    let pixels = to_rgb.matmul(blocks.reshape([batch, 3, below * right]));
    let images = pixels.reshape([batch, 3, below, right]) + LEVEL;
    images.narrow(2, 0, height).narrow(3, 0, width)
}

/// Orthonormal discrete cosine transform of eight values; row k is frequency k.
pub fn dct() -> [[f32; 8]; 8] {
    std::array::from_fn(|frequency| {
        std::array::from_fn(|sample| {
            let scale = if frequency == 0 { 0.125f64 } else { 0.25 }.sqrt();
            let angle = (2 * sample + 1) as f64 * frequency as f64 * std::f64::consts::PI / 16.0;
            (scale * angle.cos()) as f32
        })
    })
}

/// Number of quantisation steps of a picture.
pub(super) const STEPS: usize = 3 * 8 * 8;

/// Quantisation steps [3, 8, 8] of a quality from 1 to 100, where values run from 0 to 1; without a quality those of 100.
pub fn jpeg_steps(quality: Option<f32>) -> [f32; STEPS] {
    let quality = quality.unwrap_or(100.0).clamp(1.0, 100.0);
    let percent = if quality < 50.0 {
        5000.0 / quality
    } else {
        200.0 - 2.0 * quality
    };
    let tables = [&LUMINANCE, &CHROMINANCE, &CHROMINANCE];
    std::array::from_fn(|i| {
        let base = tables[i / 64][i / 8 % 8][i % 8];
        let step = ((f32::from(base) * percent + 50.0) / 100.0).floor();
        step.clamp(1.0, 255.0) / 255.0
    })
}

/// Level shift before the transform.
const LEVEL: f32 = 128.0 / 255.0;

/// Y, Cb and Cr of red, green and blue (JFIF, ITU-T T.871).
const YCBCR_FROM_RGB: [[f32; 3]; 3] = [
    [0.299, 0.587, 0.114],
    [-0.168_735_9, -0.331_264_1, 0.5],
    [0.5, -0.418_687_6, -0.081_312_4],
];

/// Inverse of [`YCBCR_FROM_RGB`].
const RGB_FROM_YCBCR: [[f32; 3]; 3] = [
    [1.0, 0.0, 1.402],
    [1.0, -0.344_136_3, -0.714_136_3],
    [1.0, 1.772, 0.0],
];

/// Quantisation steps of luminance (T.81, table K.1).
const LUMINANCE: [[u8; 8]; 8] = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
];

/// Quantisation steps of chrominance (T.81, table K.2).
const CHROMINANCE: [[u8; 8]; 8] = [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
    [99, 99, 99, 99, 99, 99, 99, 99],
];
