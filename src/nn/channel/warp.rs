//! Pictures seen through a homography.
//!
//! Not burn's `grid_sample_2d`: under autodiff that is some forty tensor operations, 0.43 s forward
//! and backward for 64 pictures of 128x128 on two cores. With places and weights made on the host, one
//! gather a channel and a weighted sum, it is a quarter of that.

use burn::tensor::{DType, Int, Tensor, TensorData};

use super::homography::Homography;

/// Each picture [B, C, H, W] through its own of the B maps, in the same size. Bilinear; beyond the
/// border the nearest pixel of the border goes on. Differentiable in the pictures.
///
/// # Panics
/// Unless there are B maps.
pub fn warp(images: Tensor<4>, maps: &[Homography]) -> Tensor<4> {
    let [_, _, height, width] = images.dims();
    warp_to(images, maps, [height, width])
}

/// [`warp`] to pictures of another size [height, width]. Bilinear without a filter: shrink by less
/// than two, or blur before.
///
/// # Panics
/// Unless there are as many maps as pictures.
pub fn warp_to(images: Tensor<4>, maps: &[Homography], size: [usize; 2]) -> Tensor<4> {
    let [batch, channels, height, width] = images.dims();
    assert_eq!(maps.len(), batch, "one map for each picture");
    let pixels = size[0] * size[1];
    let mut taps = Taps {
        places: vec![0; batch * 4 * pixels],
        weights: vec![0.0; batch * 4 * pixels],
    };
    for (number, map) in maps.iter().enumerate() {
        taps.fill(number, map, [height, width], size);
    }

    let device = images.device().inner();
    // Flex turns narrower indices into 64 bits at every use, on one thread.
    let index = if device.supports_dtype(DType::I64) {
        DType::I64
    } else {
        DType::I32
    };
    let places = TensorData::new(taps.places, [batch, 4 * pixels]);
    let places = Tensor::<2, Int>::from_data(places, (&device, index));
    let weights = TensorData::new(taps.weights, [batch, 4, pixels]);
    let weights = Tensor::<3>::from_data(weights, &device);
    let channels = (0..channels).map(|channel| {
        let plane = images.clone().narrow(1, channel, 1);
        let taken = plane
            .reshape([batch, height * width])
            .gather(1, places.clone());
        let sums = (taken.reshape([batch, 4, pixels]) * weights.clone()).sum_dim(1);
        sums.reshape([batch, 1, size[0], size[1]])
    });
    Tensor::cat(channels.collect(), 1)
}

/// The four neighbours of every output pixel: places within the input picture, and their weights;
/// picture by picture, neighbour by neighbour, pixel by pixel.
struct Taps {
    places: Vec<i64>,
    weights: Vec<f32>,
}

/// Places are rounded to this part of a pixel, so that a map by the last bit off the identity is the
/// identity.
const STEPS: f64 = 65536.0;

impl Taps {
    fn fill(&mut self, number: usize, map: &Homography, from: [usize; 2], to: [usize; 2]) {
        let pixels = to[0] * to[1];
        let range = number * 4 * pixels..(number + 1) * 4 * pixels;
        let (places, weights) = (
            &mut self.places[range.clone()],
            &mut self.weights[range.clone()],
        );
        let [height, width] = from;
        let centre = |i: usize, n: usize| (2 * i + 1) as f64 / n as f64 - 1.0;
        // No call of floor, which is slow where the processor's own is not assumed; `max` turns a
        // place that is not a number into the border.
        let split = |place: f64, side: usize| {
            let pixel = (((place + 1.0) * side as f64 - 1.0) / 2.0)
                .max(0.0)
                .min((side - 1) as f64);
            let steps = (pixel * STEPS + 0.5) as usize;
            let first = (steps / STEPS as usize).min(side.saturating_sub(2));
            let share = (steps - first * STEPS as usize) as f32 / STEPS as f32;
            (first, share, usize::from(side > 1))
        };
        let mut pixel = 0;
        for i in 0..to[0] {
            let v = centre(i, to[0]);
            let starts = map.rows().map(|[_, b, c]| b * v + c);
            let slopes = map.rows().map(|[a, _, _]| a);
            for j in 0..to[1] {
                let u = centre(j, to[1]);
                // What lies behind the eye is taken as very far away.
                let depth = (starts[2] + slopes[2] * u).max(1e-6);
                let (x, right, step) = split((starts[0] + slopes[0] * u) / depth, width);
                let (y, below, row) = split((starts[1] + slopes[1] * u) / depth, height);
                let place = y * width + x;
                let (left, above, row) = (1.0 - right, 1.0 - below, row * width);
                for (tap, (offset, weight)) in [
                    (0, left * above),
                    (step, right * above),
                    (row, left * below),
                    (row + step, right * below),
                ]
                .into_iter()
                .enumerate()
                {
                    places[tap * pixels + pixel] = (place + offset) as i64;
                    weights[tap * pixels + pixel] = weight;
                }
                pixel += 1;
            }
        }
    }
}
