//! Losses of Code Glyphs: the forward pass in training.
//!
//! The reader is trained on what it will meet: the photo is first set upright by corners with errors, those that the pose
//! head finds at this step or true ones with noise.

use burn::tensor::{Int, Tensor, s};

use super::{
    model::{GlyphModel, mean_of_slots},
    networks::{
        losses::{
            contrast, gram_repulsion, pair_distances, smoothness_and_contrast, vector_distance,
        },
        mosaic::{
            Layouts, PLACES, PoseHead, SlotCells, block_means, prefix_mask, without_low_band,
        },
        perceptor::Perceptor,
    },
    scene::SCENE_SIZE,
    step_plan::{FunctionSpans, GlyphPlan, SceneSpans, scenes_of},
};
use crate::{
    glyphs::config::{GLYPH_SIZE, GlyphsConfig},
    kernels::{cross_entropy, gather},
    nn::{
        device_constants::constant,
        distortions::{PackedDistortions, rounded},
        losses::distance_mismatch,
    },
    training::{DeviceInputs, Losses, Span},
};

/// Side of a thumbnail in pixels.
const THUMBNAIL: usize = 16;
/// Deviation from place to place of a picture, in shares of that from picture to picture: few colours each tell pictures
/// apart better than all in each.
const WITHIN: f64 = 0.7;

/// Forward pass of a shard.
pub(super) struct GlyphsForward<'a> {
    pub model: &'a GlyphModel,
    /// With one the pictures' distances may be those it sees, see [`GlyphsConfig::perceptual`].
    pub perceptor: Option<&'a Perceptor>,
    pub config: &'a GlyphsConfig,
    pub layouts: &'a Layouts,
    pub plan: &'a GlyphPlan,
    pub inputs: &'a DeviceInputs,
}

impl GlyphsForward<'_> {
    /// Losses of the shard; cross entropies are means a token, in nats.
    pub fn losses(&self) -> Losses {
        let Self {
            model,
            config,
            layouts,
            plan,
            inputs,
            ..
        } = self;
        let FunctionSpans { count, frame, .. } = plan.functions;
        let rows = |part| inputs.rows(part);
        let device = inputs.values.device();
        let zero = || Tensor::zeros([1], &device);

        let tokens = rows(plan.functions.tokens).reshape([count, frame.slots()]);
        let real = prefix_mask(rows(plan.functions.lengths), frame.slots());
        let cells = SlotCells::new(count, frame, rows(plan.functions.cells));
        let slots = model.encode(tokens, real.clone());
        let latents = mean_of_slots(slots.clone(), real.clone());
        let content = inputs.values(plan.functions.content);
        let content = content.reshape([count, frame.slots()]);
        let pictures = model.latent(slots, content, &cells);
        let pictures = model.picture(pictures, GLYPH_SIZE);
        let pictures = rounded(pictures);
        let small = PoseHead::shrink(pictures.clone());
        let (contrast, smoothness) = aesthetics(pictures.clone(), small.clone(), config);
        let (pose, seen) = self.observed(pictures, small.clone());
        let locator = match &plan.scenes {
            Some(scenes) => self.located(scenes, small.clone()),
            None => zero(),
        };
        let features = model.features(seen);
        let layout = match layouts.is_line() {
            true => zero(),
            false => cross_entropy(model.layout(features.clone()), cells.layouts(), 0.0).mean(),
        };
        // Logits are dear: of what has to be read alone.
        let hidden = model.hidden(features, &cells).flatten::<2>(0, 1);
        let hidden = match plan.functions.read {
            Some(read) => gather(hidden, rows(read)),
            None => hidden,
        };
        let logits = model.logits(hidden.unsqueeze()).squeeze_dim(0);
        let truth = rows(plan.functions.truth);
        let nll = cross_entropy(logits, truth, config.label_smoothing as f32);
        let token = (nll * inputs.values(plan.functions.weights)).sum();
        let (low_band, detail) = match config.band_weight > 0.0 {
            true => bands(small.clone(), config),
            false => (zero(), zero()),
        };
        let thumbnail = match &plan.terms {
            Some(terms) => {
                let thumbnails = block_means(small.clone(), THUMBNAIL).flatten::<2>(1, 3);
                let thumbnails = pair_distances(thumbnails, terms.pairs.map(rows));
                distance_mismatch(thumbnails, inputs.values(terms.distances))
            }
            None => zero(),
        };
        let textures = self
            .perceptor
            .map(|perceptor| perceptor.features(small.clone()));
        let repulsion = match &textures {
            Some(textures) if config.repulsion_weight > 0.0 && count > 1 => {
                gram_repulsion(textures.clone())
            }
            _ => zero(),
        };
        let seen = textures.filter(|_| config.perceptual).unwrap_or(small);
        let distance = match plan.pairs {
            Some(pairs) => vector_distance(seen, latents, pairs.map(|pair| pair.map(rows))),
            None => zero(),
        };
        let mut losses = Losses::default();
        losses.add("token", 1.0, token);
        losses.add("layout", config.layout_weight, layout);
        losses.add("pose", config.pose_weight, pose);
        losses.add("locator", config.pose_weight, locator);
        losses.add_scaled(
            inputs.values(plan.aesthetic_weight),
            [
                ("contrast", config.contrast_weight, contrast),
                ("smoothness", config.smoothness_weight, smoothness),
                ("detail", config.band_weight, detail),
            ],
        );
        losses.add("low_band", config.band_weight, low_band);
        losses.add("thumbnail", config.thumbnail_weight, thumbnail);
        losses.add("distance", config.distance_weight, distance);
        losses.add("repulsion", config.repulsion_weight, repulsion);
        losses
    }

    /// Distortions on the device.
    fn channel(
        &self,
        channel: &PackedDistortions<Span, Span>,
    ) -> PackedDistortions<Tensor<1>, Tensor<1, Int>> {
        channel.clone().map(
            |part| self.inputs.values(part).inner(),
            |part| self.inputs.rows(part).inner(),
        )
    }

    /// Error of the corners found in `small` copies, in half sides, and `pictures` as the recognizer sees them.
    /// Pictures of difficulty 0 are seen as they are.
    fn observed(&self, pictures: Tensor<4>, small_pictures: Tensor<4>) -> (Tensor<1>, Tensor<4>) {
        let (inputs, count) = (self.inputs, self.plan.functions.count);
        let small = self.channel(&self.plan.small_distortions);
        let corners = |part| inputs.values(part).reshape([count, 8]);
        let truth = corners(self.plan.corners);
        let (small, looked_for) = match &self.plan.guesses {
            Some(guesses) => {
                let is_guessed = inputs.values(guesses.is_guessed).inner();
                let guessed = corners(guesses.corners);
                let small = small.apply_and_rectify(small_pictures.detach(), guessed, is_guessed);
                (small, corners(guesses.truth))
            }
            None => (small.apply(small_pictures.detach()), truth.clone()),
        };
        let found = self.model.corners(small);
        let pose = (found.clone() - looked_for).abs().mean();

        let Some(distorted) = &self.plan.distorted else {
            return (pose, pictures);
        };
        let of = |x: Tensor<2>| x.slice(s![distorted.pictures.clone(), ..]);
        let found = match self.plan.corner_errors {
            Some(errors) => truth + inputs.values(errors).inner().reshape([count, 8]),
            None => found,
        };
        let (found, tilted) = (of(found), inputs.values(distorted.tilted).inner());
        let seen = pictures
            .clone()
            .slice(s![distorted.pictures.clone(), .., .., ..]);
        let channel = self.channel(&distorted.distortions);
        let seen = channel.apply_and_rectify(seen, found, tilted);
        match distorted.pictures.len() == count {
            true => (pose, seen),
            false => (
                pose,
                pictures.slice_assign(s![distorted.pictures.clone(), .., .., ..], seen),
            ),
        }
    }

    /// Error of the corners located in photos of `small` copies, in half sides. A glyph's corners look alike, so any of them may
    /// come first: near an eighth of a turn there is no right one.
    fn located(&self, scenes: &SceneSpans, small: Tensor<4>) -> Tensor<1> {
        let inputs = self.inputs;
        let count = scenes_of(self.plan.functions.count);
        let map = |channels: usize, span| {
            let values = inputs.values(span).inner();
            values.reshape([count, channels, SCENE_SIZE, SCENE_SIZE])
        };
        let (light, background) = (map(1, scenes.light), map(3, scenes.background));
        let photos = self.channel(&scenes.distortions);
        let photos = photos.apply_on(small.detach().narrow(0, 0, count), light, background);
        let found = self
            .model
            .located(photos)
            .expect("scenes are for a locator");
        let truth = inputs.values(scenes.corners).reshape([count, 8]);
        let orders = (0..4).map(|first| {
            let parts = [
                truth.clone().narrow(1, 2 * first, 8 - 2 * first),
                truth.clone().narrow(1, 0, (2 * first).max(1)),
            ];
            let turned = Tensor::cat(parts.into(), 1).narrow(1, 0, 8);
            (found.clone() - turned).abs().mean_dim(1)
        });
        Tensor::cat(orders.collect(), 1).min_dim(1).mean()
    }
}

/// Missing contrast of the pictures, and their roughness above the one allowed; `small` are copies
/// of half their size. What all pictures have in common counts for no contrast: a wallpaper would be
/// the easiest. Every fourth picture speaks for all where they are looked at in full size.
fn aesthetics(
    pictures: Tensor<4>,
    small: Tensor<4>,
    config: &GlyphsConfig,
) -> (Tensor<1>, Tensor<1>) {
    let own = match small.dims()[0] {
        1 => small,
        _ => small.clone() - small.mean_dim(0),
    };
    let missing = (contrast(own) * -1.0 + config.contrast_target).clamp_min(0.0);
    let some = (0..pictures.dims()[0]).step_by(4).map(|row| row as i32);
    let some = constant(&some.collect::<Vec<_>>(), &pictures.device());
    let (roughness, contrast) = smoothness_and_contrast(gather(pictures, some));
    let rough = roughness / (contrast + 1e-3) - config.smoothness_target;
    (missing.mean(), rough.clamp_min(0.0).mean())
}

/// Deviation that the low band lacks, from place to place and from picture to picture, and the detail's excess. Detail alone
/// would carry every token, and pictures would be one carpet.
fn bands(small: Tensor<4>, config: &GlyphsConfig) -> (Tensor<1>, Tensor<1>) {
    let low = block_means(small.clone(), PLACES);
    let [count, _, height, width] = low.dims();
    let missing = |deviation: Tensor<1>, share: f64| {
        (deviation.mean() * -1.0 + share * config.low_band_target).clamp_min(0.0)
    };
    let deviation = |rows: Tensor<2>| {
        let own = rows.clone() - rows.mean_dim(1);
        (own.square().mean_dim(1) + 1e-6).sqrt().squeeze_dim::<1>(1)
    };
    let places = low.clone().reshape([3 * count, height * width]);
    let mut lacks = missing(deviation(places), WITHIN);
    if count > 1 {
        lacks = lacks + missing(deviation(low.flatten::<2>(1, 3).transpose()), 1.0);
    }
    // What all pictures have in common, as a border, is no detail.
    let own = match count {
        1 => small,
        _ => small.clone() - small.mean_dim(0),
    };
    let excess = contrast(without_low_band(own)) - config.detail_target;
    (lacks, excess.clamp_min(0.0).mean())
}
