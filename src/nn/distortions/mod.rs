//! The noisy channel: what befalls a glyph between the file and the eye that reads it.
//!
//! In a camera's order: the file's 8 bits, the plane turned and tilted before the lens, blur, colour
//! gains, something in front, static, JPEG, the range of values. Everything is drawn on the host, one
//! by one for each picture, and applied to a batch of tensors; the picture's gradient flows through
//! all of it, straight through the two roundings (Bengio et al. 2013, arXiv 1308.3432).
//!
//! After Code Glyphs (noahtren/code-glyphs: static, blur, channel scale, affine) and StegaStamp
//! (Tancik et al. 2020, arXiv 1904.05343: perspective, JPEG).

mod blur;
mod homography;
mod image_ops;
mod jpeg;
mod noise;
mod warp;

use std::ops::Range;

use burn::tensor::{Int, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

pub use self::{
    blur::blur,
    homography::Homography,
    jpeg::{dct, jpeg},
    noise::Patch,
    warp::{warp, warp_there_and_back, warp_to},
};
use super::{device_constants::table, init::normal};

/// The greatest difficulty.
pub const HARDEST: f64 = 15.0;

/// What each part does at most, at difficulty [`HARDEST`]; less in proportion below.
pub mod limits {
    /// Turn either way, in degrees.
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
    /// Standard deviation of the static.
    pub const STATIC: f64 = 0.5;
    /// What is lost of JPEG's quality of 100.
    pub const QUALITY_LOSS: f64 = 90.0;
}

/// Which parts of the channel are on. The 8-bit rounding always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DistortionKinds {
    /// Rotation, shear, zoom, shift.
    pub affine: bool,
    /// The four corners move on their own.
    pub perspective: bool,
    /// Gaussian blur.
    pub blur: bool,
    /// A gain for each colour channel.
    pub scale: bool,
    /// A patch in front.
    pub occlusion: bool,
    /// Gaussian noise at every value.
    pub noise: bool,
    /// JPEG quantisation.
    pub jpeg: bool,
}

impl DistortionKinds {
    /// The whole channel.
    pub const ALL: Self = Self {
        affine: true,
        perspective: true,
        blur: true,
        scale: true,
        occlusion: true,
        noise: true,
        jpeg: true,
    };
    /// The rounding alone.
    pub const NONE: Self = Self {
        affine: false,
        perspective: false,
        blur: false,
        scale: false,
        occlusion: false,
        noise: false,
        jpeg: false,
    };
}

/// What befalls one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distortion {
    /// Where each point of the damaged picture lay.
    pub homography: Homography,
    /// Standard deviation of the blur in pixels; 0 for none.
    pub blur_px: f32,
    /// Gains of red, green and blue.
    pub scale: [f32; 3],
    /// What hides a part of it.
    pub patch: Option<Patch>,
    /// Standard deviation of the static; 0 for none.
    pub deviation: f32,
    /// Which static.
    pub noise_seed: u64,
    /// JPEG quality, 100 to 1.
    pub quality: Option<f32>,
}

impl Distortion {
    /// Nothing but the rounding.
    pub const NONE: Self = Self {
        homography: Homography::IDENTITY,
        blur_px: 0.0,
        scale: [1.0; 3],
        patch: None,
        deviation: 0.0,
        noise_seed: 0,
        quality: None,
    };

    /// One draw at a difficulty from 0, which is [`Distortion::NONE`], to [`HARDEST`]. Geometry is normal,
    /// clamped at two deviations, which are the most it does; the rest is uniform. As many numbers are
    /// drawn whatever the difficulty and the parts, so switching one changes no other.
    pub fn sample(difficulty: f64, parts: DistortionKinds, rng: &mut ChaCha8Rng) -> Self {
        let level = (difficulty / HARDEST).clamp(0.0, 1.0);
        let mut bell = || level * f64::from(normal(rng).clamp(-2.0, 2.0)) / 2.0;
        let rotation = bell() * limits::ROTATION_DEGREES.to_radians();
        let shear = bell() * limits::SHEAR_DEGREES.to_radians();
        let zoom = limits::ZOOM.powf(bell());
        let shift = [0, 1].map(|_| bell() * 2.0 * limits::SHIFT);
        let moves = [0; 4].map(|_| [0; 2].map(|_| bell() * 2.0 * limits::CORNER));
        let mut uniform = || rng.random::<f64>();
        let blur_px = uniform() * level * limits::BLUR_PX;
        let [low, high] = limits::SCALE.map(|most| 1.0 + level * (most - 1.0));
        let scale = [0; 3].map(|_| (low + (high - low) * uniform()) as f32);
        let sides = [0; 2].map(|_| (uniform() * level * limits::PATCH) as f32);
        let centre = [0; 2].map(|_| (2.0 * uniform() - 1.0) as f32);
        let (is_soft, softness) = (uniform() < 0.5, uniform() as f32);
        let colour = [0; 3].map(|_| uniform() as f32);
        let deviation = (uniform() * level * limits::STATIC) as f32;
        let quality = (100.0 - uniform() * level * limits::QUALITY_LOSS) as f32;
        let noise_seed = rng.random();
        if level == 0.0 {
            return Self::NONE;
        }

        let affine = Homography::affine(rotation, shear, zoom, shift);
        let mut homography = Homography::IDENTITY;
        if parts.affine {
            homography = affine;
        }
        if parts.perspective {
            let mut corners = Homography::IDENTITY.corners();
            for (corner, step) in corners.iter_mut().zip(moves) {
                *corner = [corner[0] + step[0], corner[1] + step[1]];
            }
            let tilt = Homography::from_corners(corners)
                .expect("corners that move by a tenth of a side stay convex");
            homography = tilt.then(&homography);
        }
        let fade = if is_soft {
            softness * sides[0].min(sides[1])
        } else {
            0.0
        };
        let patch = Patch {
            centre,
            sides,
            fade,
            colour,
        };
        Self {
            homography,
            blur_px: if parts.blur { blur_px as f32 } else { 0.0 },
            scale: if parts.scale { scale } else { [1.0; 3] },
            patch: parts.occlusion.then_some(patch),
            deviation: if parts.noise { deviation } else { 0.0 },
            noise_seed,
            quality: parts.jpeg.then_some(quality),
        }
    }
}

/// What befalls a batch of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct DistortionBatch {
    /// One for each picture.
    pub distortions: Vec<Distortion>,
}

impl DistortionBatch {
    /// One draw for each of the pictures' difficulties, see [`Distortion::sample`]. A seed means the same
    /// on every device.
    pub fn sample(difficulties: &[f64], parts: DistortionKinds, rng: &mut ChaCha8Rng) -> Self {
        let distortions = difficulties
            .iter()
            .map(|difficulty| Distortion::sample(*difficulty, parts, rng));
        Self {
            distortions: distortions.collect(),
        }
    }

    /// What befalls some of the pictures.
    pub fn of(&self, rows: Range<usize>) -> Self {
        Self {
            distortions: self.distortions[rows].to_vec(),
        }
    }

    /// Where each point of the damaged pictures lay; `warp` by their inverses sets them upright.
    pub fn homographies(&self) -> Vec<Homography> {
        self.distortions
            .iter()
            .map(|distortion| distortion.homography)
            .collect()
    }

    /// About the same damage to pictures made smaller by `factor` before: pixels that are means of
    /// others have less blur and static, and no blocks.
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

    /// What tells a device of it, for pictures of a size [rows, columns].
    pub fn channel(&self, [height, width]: [usize; 2]) -> PackedDistortions<Vec<f32>, Vec<i32>> {
        let distortions = &self.distortions;
        let is_hit = |what: fn(&Distortion) -> bool| distortions.iter().any(what);
        let each =
            |numbers: fn(&Distortion) -> Vec<f32>| distortions.iter().flat_map(numbers).collect();
        let is_veiled = |distortion: &Distortion| {
            distortion.scale != [1.0; 3] || distortion.patch.is_some() || distortion.deviation > 0.0
        };
        PackedDistortions {
            is_moved: is_hit(|distortion| distortion.homography != Homography::IDENTITY),
            maps: each(|distortion| distortion.homography.numbers().into()),
            kernels: is_hit(|distortion| distortion.blur_px > 0.0)
                .then(|| each(|distortion| blur::kernel(distortion.blur_px).into())),
            overlay: is_hit(is_veiled).then(|| {
                let fronts = each(|distortion| {
                    let patch = distortion.patch.map_or([0.0; 9], |patch| patch.numbers());
                    [&distortion.scale[..], &patch].concat()
                });
                let pieces = distortions.iter().flat_map(|distortion| {
                    noise::noise_blocks(
                        3 * height * width,
                        distortion.deviation,
                        distortion.noise_seed,
                    )
                });
                let (starts, deviations) = pieces.unzip();
                (fronts, starts, deviations)
            }),
            files: is_hit(|distortion| distortion.quality.is_some()).then(|| {
                let on = each(|distortion| vec![f32::from(distortion.quality.is_some())]);
                (
                    each(|distortion| jpeg::steps(distortion.quality).into()),
                    on,
                )
            }),
        }
    }

    /// The damaged pictures, from pictures [B, 3, H, W] with values from 0 to 1; so are theirs. Parts
    /// that no picture of the batch meets cost nothing.
    ///
    /// # Panics
    /// Unless there are as many pictures as blows, of three channels.
    pub fn apply(&self, images: Tensor<4>) -> Tensor<4> {
        self.before(&images).apply(images)
    }

    /// What follows the file and the geometry.
    ///
    /// # Panics
    /// As [`Self::apply`].
    pub fn apply_behind_lens(&self, images: Tensor<4>) -> Tensor<4> {
        self.before(&images).apply_behind_lens(images)
    }

    /// On the device of these pictures.
    fn before(&self, images: &Tensor<4>) -> PackedDistortions<Tensor<1>, Tensor<1, Int>> {
        let [batch, channels, height, width] = images.dims();
        let expected = (self.distortions.len(), 3);
        assert_eq!((batch, channels), expected, "a distortion for each picture");
        let device = images.device().inner();
        self.channel([height, width]).map(
            |values| Tensor::from_data(values.as_slice(), &device),
            |rows| Tensor::from_data(rows.as_slice(), &device),
        )
    }
}

/// What a device is told of [`DistortionBatch`] to B pictures, as values `V` and rows of the table of static `R`; parts that no
/// picture meets aren't there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedDistortions<V, R> {
    is_moved: bool,
    /// Homographies [B, 9].
    maps: V,
    /// Of the blur [B, 7].
    kernels: Option<V>,
    /// Fronts [B, 12], and the static's starts and deviations [B, P].
    overlay: Option<(V, R, V)>,
    /// Quantisation steps [B, 192], and 1 where they count [B, 1].
    files: Option<(V, V)>,
}

impl<V, R> PackedDistortions<V, R> {
    /// The same, told in another way.
    pub fn map<W, S>(
        self,
        mut values: impl FnMut(V) -> W,
        mut rows: impl FnMut(R) -> S,
    ) -> PackedDistortions<W, S> {
        PackedDistortions {
            is_moved: self.is_moved,
            maps: values(self.maps),
            kernels: self.kernels.map(&mut values),
            overlay: self.overlay.map(|(fronts, starts, deviations)| {
                (values(fronts), rows(starts), values(deviations))
            }),
            files: self.files.map(|(steps, on)| (values(steps), values(on))),
        }
    }
}

impl PackedDistortions<Tensor<1>, Tensor<1, Int>> {
    /// As [`DistortionBatch::apply`].
    pub fn apply(&self, images: Tensor<4>) -> Tensor<4> {
        let mut images = rounded(images);
        let [batch, _, height, width] = images.dims();
        if self.is_moved {
            let maps = self.maps.clone().reshape([batch, image_ops::OF_MAP]);
            let alone = table("alone", &[batch], &maps.device(), || {
                Homography::IDENTITY.numbers().repeat(batch)
            });
            let maps = Tensor::cat(vec![maps, alone.reshape([batch, image_ops::OF_MAP])], 1);
            images = image_ops::warp(images, maps, [height, width]);
        }
        self.apply_behind_lens(images)
    }

    /// As [`DistortionBatch::apply_behind_lens`].
    pub fn apply_behind_lens(&self, mut images: Tensor<4>) -> Tensor<4> {
        let [batch, _, height, width] = images.dims();
        let each = |values: &Tensor<1>, count| values.clone().reshape([batch, count]);
        if let Some(kernels) = &self.kernels {
            images = blur::blurred(images, each(kernels, blur::TAPS));
        }
        if let Some((fronts, starts, deviations)) = &self.overlay {
            let pieces = image_ops::noise_blocks_of(3 * height * width);
            images = image_ops::overlay(
                images,
                each(fronts, image_ops::OF_FRONT),
                starts.clone().reshape([batch, pieces]),
                each(deviations, pieces),
                noise::normals(&fronts.device()),
            );
        }
        if let Some((steps, on)) = &self.files {
            images = jpeg::compressed(images, each(steps, jpeg::STEPS), each(on, 1));
        }
        images.clamp(0.0, 1.0)
    }

    /// What is left of pictures [B, 3, H, W] of 8 bits that were damaged and then set upright by the `corners` [B, 8]
    /// found in them, in one resampling; those that `tilted` `[B]` doesn't mark with 1 stayed upright.
    pub fn apply_and_rectify(
        &self,
        images: Tensor<4>,
        corners: Tensor<2>,
        tilted: Tensor<1>,
    ) -> Tensor<4> {
        let [batch, _, height, width] = images.dims();
        let there = self.maps.clone().reshape([batch, image_ops::OF_MAP]);
        let back = image_ops::rectify(corners.inner(), tilted);
        let maps = Tensor::cat(vec![back, there], 1);
        self.apply_behind_lens(image_ops::warp(images, maps, [height, width]))
    }
}

/// Values 0 to 1 as an 8-bit file keeps them; the gradient passes straight through.
pub fn rounded(images: Tensor<4>) -> Tensor<4> {
    let plain = images.clone().inner();
    let file = (plain.clone() * 255.0).round() / 255.0;
    images + (file - plain)
}
