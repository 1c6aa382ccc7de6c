//! Scenes: photos in which a glyph lies anywhere, for the network that locates it. Drawn on the host; the glyph is put in on
//! the device.
//!
//! Pixels of a scene are `glyph * light_on_glyph + background`, where the light on the glyph is 0 beside it.

use std::f64::consts::{FRAC_PI_4, TAU};

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::nn::distortions::{CORNERS, Distortion, DistortionBatch, DistortionKinds, Homography};

/// Pixels a side of a scene.
pub const SCENE_SIZE: usize = 64;
/// A glyph's side, in sides of the photo: a quarter of its area, to more than the photo shows.
const SIDES: [f64; 2] = [0.4, 1.1];
/// Shift of each corner by the perspective, in sides of the glyph, at most.
const CORNER: f64 = 0.07;
/// Largest difficulty of blur, gains, noise and patches.
const HARDEST_LIGHT: f64 = 8.0;

/// Scenes of a batch of B glyphs.
#[derive(Clone, Debug)]
pub struct SceneBatch {
    /// Where the glyphs lie, and what the camera adds.
    pub distortions: DistortionBatch,
    /// The glyphs' corners, clockwise from any of them, [B, 8], in half sides of the scene from its centre.
    pub corners: Vec<f32>,
    /// Light on the glyphs [B, 1, 64, 64].
    pub light: Vec<f32>,
    /// What lies beside them, lit, [B, 3, 64, 64].
    pub background: Vec<f32>,
}

impl SceneBatch {
    /// Random scenes of `count` glyphs.
    pub fn sample(count: usize, rng: &mut ChaCha8Rng) -> Self {
        let kinds = DistortionKinds {
            affine: false,
            perspective: false,
            ..DistortionKinds::ALL
        };
        let difficulties: Vec<f64> = (0..count)
            .map(|_| HARDEST_LIGHT * rng.random::<f64>())
            .collect();
        let mut batch = Self {
            distortions: DistortionBatch::sample(&difficulties, kinds, rng),
            corners: Vec::new(),
            light: Vec::new(),
            background: Vec::new(),
        };
        for distortion in &mut batch.distortions.distortions {
            let corners = corners(rng);
            let map = Homography::from_corners(corners);
            let map = map.expect("corners that move by a fifteenth of a side stay convex");
            batch
                .corners
                .extend(corners.into_iter().flatten().map(|x| x as f32));
            let background = background(rng);
            let light = lighting(rng);
            let mut colours = [Vec::new(), Vec::new(), Vec::new()];
            for pixel in 0..SCENE_SIZE * SCENE_SIZE {
                let place = [pixel % SCENE_SIZE, pixel / SCENE_SIZE];
                let place = place.map(|x| (x as f64 + 0.5) * 2.0 / SCENE_SIZE as f64 - 1.0);
                let covered = coverage(&map, place);
                let lit = light(place);
                batch.light.push((covered * lit) as f32);
                for (colour, value) in colours.iter_mut().zip(background(place)) {
                    colour.push((value * lit * (1.0 - covered)) as f32);
                }
            }
            batch.background.extend(colours.concat());
            *distortion = Distortion {
                homography: map,
                ..*distortion
            };
        }
        batch
    }
}

/// Corners of a glyph somewhere in a scene, clockwise. Quarter turns aren't told apart.
fn corners(rng: &mut impl Rng) -> [[f64; 2]; 4] {
    let mut between = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
    let side = (between(SIDES[0].ln(), SIDES[1].ln())).exp();
    let turn = between(-FRAC_PI_4, FRAC_PI_4);
    let (sine, cosine) = turn.sin_cos();
    // The whole glyph is in view, if it can be, and a little less at times.
    let room = (1.0 - side * (sine.abs() + cosine.abs())).max(0.0) + 0.05;
    let centre = [between(-room, room), between(-room, room)];
    CORNERS.map(|corner| {
        let [x, y] = corner.map(|x| side * (x + 2.0 * between(-CORNER, CORNER)));
        [
            centre[0] + cosine * x - sine * y,
            centre[1] + sine * x + cosine * y,
        ]
    })
}

/// Share of a pixel that the glyph covers.
fn coverage(map: &Homography, place: [f64; 2]) -> f64 {
    let [x, y] = map.map(place);
    let step = 2.0 / SCENE_SIZE as f64;
    let [right, _] = map.map([place[0] + step, place[1]]);
    let [_, down] = map.map([place[0], place[1] + step]);
    // Turned pixels have longer shadows; this is near enough.
    let pixel = (right - x).hypot(down - y).max(1e-6);
    let inside = (1.0 - x.abs().max(y.abs())) / pixel + 0.5;
    inside.clamp(0.0, 1.0)
}

/// A light that falls off in one direction, and towards the corners.
fn lighting(rng: &mut impl Rng) -> Box<dyn Fn([f64; 2]) -> f64> {
    let slope = 0.5 * rng.random::<f64>().powi(2);
    let (sine, cosine) = (TAU * rng.random::<f64>()).sin_cos();
    let vignette = 0.4 * rng.random::<f64>().powi(2);
    Box::new(move |[x, y]| {
        1.0 - slope * (0.5 + (x * cosine + y * sine) / 2.8) - vignette * (x * x + y * y)
    })
}

/// Surface a glyph lies on or is shown on: plain, with a gradient, with grain in one direction, with blotches, with lines
/// of text, or with coloured tiles.
fn background(rng: &mut impl Rng) -> Box<dyn Fn([f64; 2]) -> [f64; 3]> {
    let mut colour = || -> [f64; 3] {
        let grey = match rng.random_range(0..4) {
            0 => 1.0,
            1 => 0.1 * rng.random::<f64>(),
            _ => rng.random::<f64>(),
        };
        let tint = 0.5 * rng.random::<f64>().powi(2);
        [0; 3].map(|_| grey + tint * (rng.random::<f64>() - grey))
    };
    let [first, second] = [colour(), colour()];
    let blend = move |share: f64| {
        std::array::from_fn(|c| first[c] + (second[c] - first[c]) * share.clamp(0.0, 1.0))
    };
    let (sine, cosine) = (TAU * rng.random::<f64>()).sin_cos();
    let along = move |[x, y]: [f64; 2]| x * cosine + y * sine;
    let across = move |[x, y]: [f64; 2]| y * cosine - x * sine;
    let seed: u64 = rng.random();
    let scale = (0.7 + 3.0 * rng.random::<f64>()).exp();
    match rng.random_range(0..6) {
        0 => Box::new(move |_| first),
        1 => Box::new(move |place| blend(0.5 + along(place) / 2.8)),
        // Wood: noise drawn out along the grain.
        2 => Box::new(move |place| {
            let (x, y) = (along(place), across(place));
            let wave = 0.15 * value_noise(seed, [x * 2.0, y * 2.0]);
            blend(
                0.6 * value_noise(seed, [x * 1.5, (y + wave) * scale])
                    + 0.4 * value_noise(!seed, [x * 3.0, (y + wave) * scale * 3.0]),
            )
        }),
        3 => Box::new(move |[x, y]| {
            let octaves = [1.0, 2.0, 4.0].map(|octave| {
                value_noise(seed ^ octave as u64, [x, y].map(|x| x * scale * octave)) / octave
            });
            blend(octaves.iter().sum::<f64>() / 1.75)
        }),
        // Text: lines of marks.
        4 => Box::new(move |place| {
            let (x, y) = (along(place) * scale, across(place) * scale);
            let is_line = (y * 1.5).rem_euclid(1.0) < 0.5;
            let is_mark = value_noise(seed, [x * 3.0, (y * 1.5).floor() * 7.0]) > 0.45;
            blend(f64::from(is_line && is_mark))
        }),
        _ => Box::new(move |[x, y]| {
            let tile = [x, y].map(|x| (x * scale).floor());
            [0, 1, 2].map(|c| lattice(seed.wrapping_add(c), tile))
        }),
    }
}

/// Noise 0 to 1, of random values at whole numbers and smooth between them.
fn value_noise(seed: u64, place: [f64; 2]) -> f64 {
    let [x, y] = place.map(f64::floor);
    let [u, v] = [place[0] - x, place[1] - y].map(|t| t * t * (3.0 - 2.0 * t));
    let at = |dx: f64, dy: f64| lattice(seed, [x + dx, y + dy]);
    let top = at(0.0, 0.0) + u * (at(1.0, 0.0) - at(0.0, 0.0));
    let bottom = at(0.0, 1.0) + u * (at(1.0, 1.0) - at(0.0, 1.0));
    top + v * (bottom - top)
}

/// Random value, 0 to 1, of a place of whole numbers.
fn lattice(seed: u64, [x, y]: [f64; 2]) -> f64 {
    let mut bits = seed
        ^ (x as i64 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (y as i64 as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (bits ^ (bits >> 32)) as u32 as f64 / f64::from(u32::MAX)
}
