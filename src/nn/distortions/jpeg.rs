//! What JPEG loses (ITU-T T.81, tables K.1 and K.2; quality as the Independent JPEG Group's library
//! counts it), without chroma subsampling. The rounding passes gradients straight through, so the
//! whole of it has the identity as its derivative and costs nothing backward.

use burn::tensor::{Tensor, TensorData, ops::PadMode};

use crate::nn::{device_constants::table, fused::matmul};

/// Pictures [B, 3, H, W] as they come back from JPEG files of these qualities (1 to 100; None keeps
/// the picture). As in StegaStamp (Tancik et al. 2020, arXiv 1904.05343), but with real rounding.
///
/// # Panics
/// Unless there are B qualities.
pub fn jpeg(images: Tensor<4>, qualities: &[Option<f32>]) -> Tensor<4> {
    let batch = images.dims()[0];
    assert_eq!(qualities.len(), batch, "one quality for each picture");
    let device = images.device().inner();
    let steps = qualities.iter().flat_map(|quality| steps(*quality));
    let steps = TensorData::new(steps.collect(), [batch, STEPS]);
    let on: Vec<f32> = qualities.iter().map(|q| f32::from(q.is_some())).collect();
    let on = TensorData::new(on, [batch, 1]);
    compressed(
        images,
        Tensor::from_data(steps, &device),
        Tensor::from_data(on, &device),
    )
}

/// Pictures [B, 3, H, W] as files of these quantisation `steps` [B, 192] have them where `on` [B, 1] is 1.
pub(super) fn compressed(images: Tensor<4>, steps: Tensor<2>, on: Tensor<2>) -> Tensor<4> {
    let plain = images.clone().inner();
    let on = on.unsqueeze_dims(&[2, 3]);
    let loss = (quantised(plain.clone(), steps) - plain) * on;
    images + loss
}

fn quantised(images: Tensor<4>, steps: Tensor<2>) -> Tensor<4> {
    let [batch, _, height, width] = images.dims();
    let device = images.device();
    // Whole blocks, the last pixels going on as in the files.
    let (below, right) = (height.next_multiple_of(8), width.next_multiple_of(8));
    let padding = [(0, below - height), (0, right - width)];
    let images = match padding {
        [(0, 0), (0, 0)] => images,
        _ => images.pad(padding, PadMode::Edge),
    };

    let square =
        |name, side, make: fn() -> Vec<f32>| table(name, &[], &device, make).reshape([side, side]);
    let colours = square("colours", 3, || COLOURS.concat()).unsqueeze::<3>();
    let back = square("colours back", 3, || COLOURS_BACK.concat()).unsqueeze::<3>();
    let dct = square("dct", 8, || dct().concat());
    let along_rows = |t: Tensor<3>, m: Tensor<2>| {
        let dims = t.dims();
        t.reshape([-1, 8]).matmul(m).reshape(dims)
    };
    let along_columns = |t: Tensor<3>, m: Tensor<2>| m.unsqueeze::<3>().matmul(t);

    let pixels = (images - LEVEL).reshape([batch, 3, below * right]);
    let pixels = colours.matmul(pixels);
    let blocks = pixels.reshape([batch * 3 * below / 8, 8, right]);
    let waves = along_columns(along_rows(blocks, dct.clone().transpose()), dct.clone());
    // The same for all blocks of a row.
    let blocks_on = table("blocks on", &[right], &device, || {
        (0..8 * right)
            .map(|i| f32::from(i / right == i % right % 8))
            .collect()
    });
    let steps = matmul(
        steps.reshape([batch * 24, 8]),
        blocks_on.reshape([8, right]),
    );
    let steps = steps.reshape([batch * 3, 1, 8 * right]);
    let waves = waves.reshape([batch * 3, below / 8, 8 * right]);
    let waves = (waves / steps.clone()).round() * steps;
    let waves = waves.reshape([batch * 3 * below / 8, 8, right]);
    let blocks = along_rows(along_columns(waves, dct.clone().transpose()), dct);
    let pixels = back.matmul(blocks.reshape([batch, 3, below * right]));
    let images = pixels.reshape([batch, 3, below, right]) + LEVEL;
    images.narrow(2, 0, height).narrow(3, 0, width)
}

/// The orthonormal discrete cosine transform of eight values: row k has wave k.
pub fn dct() -> [[f32; 8]; 8] {
    std::array::from_fn(|wave| {
        std::array::from_fn(|place| {
            let scale = if wave == 0 { 0.125f64 } else { 0.25 }.sqrt();
            let turn = (2 * place + 1) as f64 * wave as f64 * std::f64::consts::PI / 16.0;
            (scale * turn.cos()) as f32
        })
    })
}

/// Quantisation steps of a picture.
pub(super) const STEPS: usize = 3 * 8 * 8;

/// Those of a quality in values, [3, 8, 8].
pub(super) fn steps(quality: Option<f32>) -> [f32; STEPS] {
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

/// What JPEG takes away before the transform.
const LEVEL: f32 = 128.0 / 255.0;

/// Luminance, blueness and redness of red, green and blue (JFIF, ITU-T T.871).
const COLOURS: [[f32; 3]; 3] = [
    [0.299, 0.587, 0.114],
    [-0.168_735_9, -0.331_264_1, 0.5],
    [0.5, -0.418_687_6, -0.081_312_4],
];

const COLOURS_BACK: [[f32; 3]; 3] = [
    [1.0, 0.0, 1.402],
    [1.0, -0.344_136_3, -0.714_136_3],
    [1.0, 1.772, 0.0],
];

/// T.81, table K.1.
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

/// T.81, table K.2.
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
