//! Distortions: differentiable image augmentations that simulate a camera between a glyph's file and its reader.
//!
//! In a camera's order: rounding to 8 bits, homography, blur, channel gains, occlusion by a patch, noise, JPEG, clamping
//! to 0..=1. All are sampled on the host, for each picture by itself, and applied to a batch of tensors. Gradients flow
//! through all of them, straight through the two roundings (Bengio et al. 2013, arXiv 1308.3432).
//!
//! After Code Glyphs (noahtren/code-glyphs: noise, blur, channel scale, affine) and StegaStamp
//! (Tancik et al. 2020, arXiv 1904.05343: perspective, JPEG).

mod blur;
mod jpeg;
mod noise;
mod warp;

use std::ops::Range;

use burn::tensor::{Int, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub use self::{
    blur::{blur, blur_kernel},
    jpeg::{dct, jpeg, jpeg_steps},
    noise::Patch,
    warp::warp,
};
use super::{device_constants::table, init::normal};
use crate::kernels::image_ops::{self, HOMOGRAPHY_LEN};
pub use crate::kernels::image_ops::{CORNERS, Homography};

/// Greatest difficulty.
pub const HARDEST: f64 = 15.0;

/// Strengths at difficulty [`HARDEST`]; in proportion below.
mod limits {
    /// Rotation either way, in degrees.
    pub const ROTATION_DEGREES: f64 = 30.0;
    /// Shear either way, in degrees.
    pub const SHEAR_DEGREES: f64 = 15.0;
    /// Magnification, or its inverse.
    pub const ZOOM: f64 = 1.5;
    /// Shift along each axis, in sides of the picture.
    pub const SHIFT: f64 = 0.2;
    /// Shift of each corner along each axis by the perspective, in sides of the picture.
    pub const CORNER: f64 = 0.1;
    /// Standard deviation of the blur, in pixels.
    pub const BLUR_PX: f64 = 3.8;
    /// Gain of each channel.
    pub const SCALE: [f64; 2] = [0.35, 1.6];
    /// Sides of the patch, in sides of the picture.
    pub const PATCH: f64 = 0.35;
    /// Standard deviation of the noise.
    pub const NOISE: f64 = 0.5;
    /// JPEG quality below 100.
    pub const QUALITY_LOSS: f64 = 90.0;
}

/// Enabled kinds of distortion. Rounding to 8 bits always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistortionKinds {
    /// Rotation, shear, zoom, shift.
    pub affine: bool,
    /// Displacement of each of the four corners by itself.
    pub perspective: bool,
    /// Gaussian blur.
    pub blur: bool,
    /// Gain of each colour channel.
    pub scale: bool,
    /// Occlusion by a patch.
    pub occlusion: bool,
    /// Gaussian noise at every value.
    pub noise: bool,
    /// JPEG quantisation.
    pub jpeg: bool,
}

impl DistortionKinds {
    /// All kinds.
    pub const ALL: Self = Self::each(true);
    /// No kind but the rounding.
    pub const NONE: Self = Self::each(false);

    const fn each(is_on: bool) -> Self {
        Self {
            affine: is_on,
            perspective: is_on,
            blur: is_on,
            scale: is_on,
            occlusion: is_on,
            noise: is_on,
            jpeg: is_on,
        }
    }
}

/// Distortion of one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distortion {
    /// Map from the distorted picture to the original.
    pub homography: Homography,
    /// Standard deviation of the blur in pixels; 0 for none.
    pub blur_px: f32,
    /// Gains of red, green and blue.
    pub scale: [f32; 3],
    /// Occluding patch.
    pub patch: Option<Patch>,
    /// Standard deviation of the noise; 0 for none.
    pub deviation: f32,
    /// Seed of the noise.
    pub noise_seed: u64,
    /// JPEG quality, 100 to 1.
    pub quality: Option<f32>,
}

impl Distortion {
    /// No distortion but the rounding.
    pub const NONE: Self = Self {
        homography: Homography::IDENTITY,
        blur_px: 0.0,
        scale: [1.0; 3],
        patch: None,
        deviation: 0.0,
        noise_seed: 0,
        quality: None,
    };

    /// Random distortion at a difficulty from 0, which is [`Distortion::NONE`], to [`HARDEST`]. Geometry is normal, clamped
    /// at two standard deviations, the limits; the rest is uniform. The number of draws does not depend on
    /// difficulty or kinds, so switching one kind changes no other.
    pub fn sample(difficulty: f64, kinds: DistortionKinds, rng: &mut ChaCha8Rng) -> Self {
        let level = (difficulty / HARDEST).clamp(0.0, 1.0);
        let mut clamped_normal = || level * f64::from(normal(rng).clamp(-2.0, 2.0)) / 2.0;
        let rotation = clamped_normal() * limits::ROTATION_DEGREES.to_radians();
        let shear = clamped_normal() * limits::SHEAR_DEGREES.to_radians();
        let zoom = limits::ZOOM.powf(clamped_normal());
        let shift = [0, 1].map(|_| clamped_normal() * 2.0 * limits::SHIFT);
        let displacements = [0; 4].map(|_| [0; 2].map(|_| clamped_normal() * 2.0 * limits::CORNER));
        let mut uniform = || rng.random::<f64>();
        let blur_px = uniform() * level * limits::BLUR_PX;
        let [low, high] = limits::SCALE.map(|limit| 1.0 + level * (limit - 1.0));
        let scale = [0; 3].map(|_| (low + (high - low) * uniform()) as f32);
        let sides = [0; 2].map(|_| (uniform() * level * limits::PATCH) as f32);
        let centre = [0; 2].map(|_| (2.0 * uniform() - 1.0) as f32);
        let (is_soft, softness) = (uniform() < 0.5, uniform() as f32);
        let colour = [0; 3].map(|_| uniform() as f32);
        let deviation = (uniform() * level * limits::NOISE) as f32;
        let quality = (100.0 - uniform() * level * limits::QUALITY_LOSS) as f32;
        let noise_seed = rng.random();
        if level == 0.0 {
            return Self::NONE;
        }

        let mut homography = match kinds.affine {
            true => Homography::affine(rotation, shear, zoom, shift),
            false => Homography::IDENTITY,
        };
        if kinds.perspective {
            let mut corners = Homography::IDENTITY.corners();
            for ([x, y], [dx, dy]) in corners.iter_mut().zip(displacements) {
                (*x, *y) = (*x + dx, *y + dy);
            }
            let perspective = Homography::from_corners(corners)
                .expect("corners that move by a tenth of a side stay convex");
            homography = perspective.then(&homography);
        }
        let softest = softness * sides[0].min(sides[1]);
        let patch = Patch {
            centre,
            sides,
            fade: if is_soft { softest } else { 0.0 },
            colour,
        };
        Self {
            homography,
            blur_px: if kinds.blur { blur_px as f32 } else { 0.0 },
            scale: if kinds.scale { scale } else { [1.0; 3] },
            patch: kinds.occlusion.then_some(patch),
            deviation: if kinds.noise { deviation } else { 0.0 },
            noise_seed,
            quality: kinds.jpeg.then_some(quality),
        }
    }
}

/// Distortions of a batch of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct DistortionBatch {
    /// Distortion of each picture.
    pub distortions: Vec<Distortion>,
}

impl DistortionBatch {
    /// Random distortions, one for each of the difficulties, see [`Distortion::sample`]; the same on every device.
    pub fn sample(difficulties: &[f64], kinds: DistortionKinds, rng: &mut ChaCha8Rng) -> Self {
        let each = |difficulty: &f64| Distortion::sample(*difficulty, kinds, rng);
        Self {
            distortions: difficulties.iter().map(each).collect(),
        }
    }

    /// Distortions of some of the pictures.
    pub fn of(&self, rows: Range<usize>) -> Self {
        Self {
            distortions: self.distortions[rows].to_vec(),
        }
    }

    /// Maps from the distorted pictures to the originals; [`warp`] by their inverses rectifies.
    pub fn homographies(&self) -> Vec<Homography> {
        let each = self.distortions.iter();
        each.map(|distortion| distortion.homography).collect()
    }

    /// Approximation for pictures that were downscaled by `factor` before: averaged pixels have less blur and noise, and
    /// no JPEG blocks.
    pub fn shrunk(&self, factor: f32) -> Self {
        let distortions = self.distortions.iter().map(|distortion| Distortion {
            blur_px: distortion.blur_px / factor,
            deviation: distortion.deviation / factor,
            quality: None,
            ..*distortion
        });
        Self {
            distortions: distortions.collect(),
        }
    }

    /// Parameters of these distortions for one upload, for pictures of a size [rows, columns].
    pub fn packed(&self, [height, width]: [usize; 2]) -> PackedDistortions<Vec<f32>, Vec<i32>> {
        let distortions = &self.distortions;
        let any = |test: fn(&Distortion) -> bool| distortions.iter().any(test);
        let each =
            |numbers: fn(&Distortion) -> Vec<f32>| distortions.iter().flat_map(numbers).collect();
        PackedDistortions {
            is_warped: any(|of| of.homography != Homography::IDENTITY),
            maps: each(|of| of.homography.numbers().into()),
            kernels: any(|of| of.blur_px > 0.0).then(|| each(|of| blur_kernel(of.blur_px).into())),
            overlay: any(|of| of.scale != [1.0; 3] || of.patch.is_some() || of.deviation > 0.0)
                .then(|| {
                    let blocks = distortions.iter().flat_map(|of| {
                        noise::noise_blocks(3 * height * width, of.deviation, of.noise_seed)
                    });
                    let (noise_offsets, noise_scales) = blocks.unzip();
                    PackedOverlay {
                        params: each(|of| {
                            let patch = of.patch.map_or([0.0; 9], |patch| patch.numbers());
                            [&of.scale[..], &patch].concat()
                        }),
                        noise_offsets,
                        noise_scales,
                    }
                }),
            jpeg: any(|of| of.quality.is_some()).then(|| PackedJpeg {
                steps: each(|of| jpeg_steps(of.quality).into()),
                is_on: each(|of| vec![f32::from(of.quality.is_some())]),
            }),
        }
    }

    /// Distorted pictures [B, 3, H, W] of `images` of that shape, values 0..=1. Kinds that no picture of the batch has
    /// cost nothing.
    ///
    /// # Panics
    /// Unless there are as many pictures as distortions, of three channels.
    pub fn apply(&self, images: Tensor<4>) -> Tensor<4> {
        self.upload(&images).apply(images)
    }

    /// Parameters on the device of these pictures.
    ///
    /// # Panics
    /// Unless there are as many pictures as distortions, of three channels.
    pub fn upload(&self, images: &Tensor<4>) -> PackedDistortions<Tensor<1>, Tensor<1, Int>> {
        let [batch, channels, height, width] = images.dims();
        let expected = (self.distortions.len(), 3);
        assert_eq!((batch, channels), expected, "a distortion for each picture");
        let device = images.device().inner();
        self.packed([height, width]).map(
            |values| Tensor::from_data(values.as_slice(), &device),
            |rows| Tensor::from_data(rows.as_slice(), &device),
        )
    }
}

/// Parameters of the [`DistortionBatch`] of B pictures: values `V` and noise offsets `R`, as vectors, spans of one upload
/// or tensors. Kinds that no picture has are absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedDistortions<V, R> {
    is_warped: bool,
    /// Homographies [B, 9].
    maps: V,
    /// Blur kernels [B, 7].
    kernels: Option<V>,
    overlay: Option<PackedOverlay<V, R>>,
    jpeg: Option<PackedJpeg<V>>,
}

/// Parameters of [`image_ops::overlay`].
#[derive(Clone, Debug, PartialEq, Eq)]
struct PackedOverlay<V, R> {
    /// Gains and patch [B, 12].
    params: V,
    /// Offsets in the noise table [B, N].
    noise_offsets: R,
    /// Scales of the noise [B, N].
    noise_scales: V,
}

/// Parameters of JPEG quantisation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PackedJpeg<V> {
    /// Quantisation steps [B, 192].
    steps: V,
    /// 1 where a picture is quantised [B, 1].
    is_on: V,
}

impl<V, R> PackedDistortions<V, R> {
    /// Parameters in another representation; `values` and `rows` are called in the order of the fields.
    pub fn map<W, S>(
        self,
        mut values: impl FnMut(V) -> W,
        mut rows: impl FnMut(R) -> S,
    ) -> PackedDistortions<W, S> {
        PackedDistortions {
            is_warped: self.is_warped,
            maps: values(self.maps),
            kernels: self.kernels.map(&mut values),
            overlay: self.overlay.map(|overlay| PackedOverlay {
                params: values(overlay.params),
                noise_offsets: rows(overlay.noise_offsets),
                noise_scales: values(overlay.noise_scales),
            }),
            jpeg: self.jpeg.map(|jpeg| PackedJpeg {
                steps: values(jpeg.steps),
                is_on: values(jpeg.is_on),
            }),
        }
    }
}

impl PackedDistortions<Tensor<1>, Tensor<1, Int>> {
    /// Distorted pictures, see [`DistortionBatch::apply`].
    pub fn apply(&self, images: Tensor<4>) -> Tensor<4> {
        let mut images = rounded(images);
        let [batch, _, height, width] = images.dims();
        if self.is_warped {
            let maps = rows(&self.maps, [batch, HOMOGRAPHY_LEN]);
            let maps = Tensor::cat(vec![maps, self.identities(batch)], 1);
            images = image_ops::warp(images, maps, [height, width]);
        }
        self.apply_photometric(images)
    }

    /// Scenes [B, 3, H, W] of `images` of 8 bits: warped, times the `light` [B, 1, H, W] on them, on the `background`
    /// [B, 3, H, W], and what a camera adds.
    pub fn apply_on(
        &self,
        images: Tensor<4>,
        light: Tensor<4>,
        background: Tensor<4>,
    ) -> Tensor<4> {
        let [batch, _, height, width] = images.dims();
        let identity = self.identities(batch);
        let maps = rows(&self.maps, [batch, HOMOGRAPHY_LEN]);
        let maps = Tensor::cat(vec![maps, identity], 1);
        let images = image_ops::warp(images, maps, [height, width]);
        self.apply_photometric(images * light + background)
    }

    fn identities(&self, batch: usize) -> Tensor<2> {
        let identity = table("alone", &[batch], &self.maps.device(), || {
            Homography::IDENTITY.numbers().repeat(batch)
        });
        rows(&identity, [batch, HOMOGRAPHY_LEN])
    }

    /// Distortions after rounding and homography: blur to clamping.
    pub fn apply_photometric(&self, mut images: Tensor<4>) -> Tensor<4> {
        let [batch, _, height, width] = images.dims();
        if let Some(kernels) = &self.kernels {
            images = blur(images, rows(kernels, [batch, blur::TAPS]));
        }
        if let Some(overlay) = &self.overlay {
            let blocks = image_ops::noise_block_count(3 * height * width);
            images = image_ops::overlay(
                images,
                rows(&overlay.params, [batch, image_ops::OVERLAY_LEN]),
                overlay.noise_offsets.clone().reshape([batch, blocks]),
                rows(&overlay.noise_scales, [batch, blocks]),
                noise::noise_table(&overlay.params.device()),
            );
        }
        if let Some(jpeg) = &self.jpeg {
            images = self::jpeg(
                images,
                rows(&jpeg.steps, [batch, jpeg::STEPS]),
                rows(&jpeg.is_on, [batch, 1]),
            );
        }
        images.clamp(0.0, 1.0)
    }

    /// Distorted pictures [B, 3, H, W] of `images` of 8 bits, rectified by the `corners` [B, 8] detected in them, in one
    /// resampling; pictures where `tilted` `[B]` isn't 1 are not rectified.
    pub fn apply_and_rectify(
        &self,
        images: Tensor<4>,
        corners: Tensor<2>,
        tilted: Tensor<1>,
    ) -> Tensor<4> {
        let [batch, _, height, width] = images.dims();
        let rectified = image_ops::rectify(corners.inner(), tilted);
        let maps = Tensor::cat(
            vec![rectified, rows(&self.maps, [batch, HOMOGRAPHY_LEN])],
            1,
        );
        self.apply_photometric(image_ops::warp(images, maps, [height, width]))
    }
}

/// Values [B N] as rows [B, N].
fn rows(values: &Tensor<1>, shape: [usize; 2]) -> Tensor<2> {
    values.clone().reshape(shape)
}

/// Values 0..=1 rounded to 8 bits, with a straight-through gradient.
pub fn rounded(images: Tensor<4>) -> Tensor<4> {
    let plain = images.clone().inner();
    let rounded = (plain.clone() * 255.0).round() / 255.0;
    images + (rounded - plain)
}
