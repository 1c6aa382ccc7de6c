//! Pictures seen through a homography.
//!
//! Not burn's `grid_sample_2d`: under autodiff that is some forty tensor operations, 0.43 s forward
//! and backward for 64 pictures of 128x128 on two cores. With places and weights made on the host, one
//! gather a channel and a weighted sum, it is a quarter of that.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

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
    let [batch, _, height, width] = images.dims();
    assert_eq!(maps.len(), batch, "one map for each picture");
    let mut taps = Taps::with_capacity(batch * size[0] * size[1]);
    for map in maps {
        taps.extend(places(map, size), [height, width]);
    }
    taps.take(images, size)
}

/// What is left of pictures [B, C, H, W] that were warped by `there` and then by `back`, in one
/// resampling: what `there` moved across the border stays lost.
///
/// # Panics
/// Unless there are B maps of each.
pub fn warp_there_and_back(
    images: Tensor<4>,
    there: &[Homography],
    back: &[Homography],
) -> Tensor<4> {
    let [batch, _, height, width] = images.dims();
    let maps = (there.len(), back.len());
    assert_eq!(maps, (batch, batch), "two maps for each picture");
    let mut taps = Taps::with_capacity(batch * height * width);
    for (there, back) in there.iter().zip(back) {
        let seen = places(back, [height, width]).map(|place| place.map(|x| x.clamp(-1.0, 1.0)));
        taps.extend(seen.map(|place| there.map(place)), [height, width]);
    }
    taps.take(images, [height, width])
}

/// Where the pixels of a picture of `size` lie in the input, row by row.
fn places(map: &Homography, size: [usize; 2]) -> impl Iterator<Item = [f64; 2]> {
    let centre = |i: usize, n: usize| (2 * i + 1) as f64 / n as f64 - 1.0;
    let rows = *map.rows();
    (0..size[0]).flat_map(move |i| {
        let v = centre(i, size[0]);
        let starts = rows.map(|[_, b, c]| b * v + c);
        (0..size[1]).map(move |j| {
            let u = centre(j, size[1]);
            let [x, y, depth] = [0, 1, 2].map(|k| starts[k] + rows[k][0] * u);
            // What lies behind the eye is taken as very far away.
            let nearness = 1.0 / depth.max(1e-6);
            [x * nearness, y * nearness]
        })
    })
}
/// For every output pixel the upper left of the four pixels around its place in the input, and how
/// far it lies beyond that one's centre, from 0 to 1.
struct Taps {
    places: Vec<i64>,
    right: Vec<f32>,
    below: Vec<f32>,
}

/// Places are rounded to this part of a pixel, so that a map by the last bit off the identity is the
/// identity.
const STEPS: usize = 65536;

impl Taps {
    fn with_capacity(pixels: usize) -> Self {
        Self {
            places: Vec::with_capacity(pixels),
            right: Vec::with_capacity(pixels),
            below: Vec::with_capacity(pixels),
        }
    }

    /// The taps at these `places` in a picture of size `from`, [height, width].
    fn extend(&mut self, places: impl Iterator<Item = [f64; 2]>, from: [usize; 2]) {
        let [height, width] = from;
        // No call of floor, which is slow where the processor's own is not assumed; `max` turns a
        // place that is not a number into the border.
        let split = |place: f64, side: usize| {
            let pixel = ((place + 1.0) * side as f64 - 1.0) / 2.0;
            let pixel = pixel.max(0.0).min((side - 1) as f64);
            let steps = (pixel * STEPS as f64 + 0.5) as u32 as usize;
            let first = (steps / STEPS).min(side.saturating_sub(2));
            (first, (steps - first * STEPS) as f32 / STEPS as f32)
        };
        for [x, y] in places {
            let ((x, right), (y, below)) = (split(x, width), split(y, height));
            self.places.push((y * width + x) as i64);
            self.right.push(right);
            self.below.push(below);
        }
    }

    /// The pictures of `size` that the taps make of `images`.
    fn take(self, images: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
        let [batch, channels, height, width] = images.dims();
        let pixels = size[0] * size[1];
        let device = images.device().inner();
        let (places, weights) = self.neighbours([batch, pixels], [height, width], &device);
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

    /// Places [B, 4 P] of the four neighbours in input pictures of size `from`, and their weights
    /// [B, 4, P].
    fn neighbours(
        self,
        [batch, pixels]: [usize; 2],
        [height, width]: [usize; 2],
        device: &Device,
    ) -> (Tensor<2, Int>, Tensor<3>) {
        // Flex turns narrower indices into 64 bits at every use, on one thread.
        let index = if device.supports_dtype(DType::I64) {
            DType::I64
        } else {
            DType::I32
        };
        let (step, row) = (
            i64::from(width > 1),
            if height > 1 { width as i64 } else { 0 },
        );
        let offsets = TensorData::new(vec![0, step, row, row + step], [1, 4, 1]);
        let offsets = Tensor::<3, Int>::from_data(offsets, (device, index));
        let places = TensorData::new(self.places, [batch, 1, pixels]);
        let places = Tensor::<3, Int>::from_data(places, (device, index)) + offsets;

        let share =
            |values| Tensor::<3>::from_data(TensorData::new(values, [batch, 1, pixels]), device);
        let (right, below) = (share(self.right), share(self.below));
        let across = Tensor::cat(vec![right.clone().neg() + 1.0, right], 1);
        let weights = Tensor::cat(
            vec![across.clone() * (below.clone().neg() + 1.0), across * below],
            1,
        );
        (places.reshape([batch, 4 * pixels]), weights)
    }
}
