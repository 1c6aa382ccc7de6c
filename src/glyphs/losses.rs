//! Losses of Code Glyphs: the forward pass in training.
//!
//! The reader is trained on what it will meet: the photo is first set upright by the corners that
//! the pose head finds in it at this step, errors included.

use burn::tensor::{Tensor, s};

use super::{
    model::{GlyphModel, mean_of_slots},
    networks::{
        losses::{contrast, gram_repulsion, info_nce, smoothness_and_contrast, vector_distance},
        mosaic::{Layouts, PoseHead, SlotCells, prefix_mask},
        perceptor::Perceptor,
    },
    step_plan::{ContrastiveSpans, FunctionSpans, GlyphPlan},
};
use crate::{
    glyphs::config::{GLYPH_SIZE, GlyphsConfig},
    kernels::{cross_entropy, gather},
    nn::{
        device_constants::constant,
        distortions::{PackedDistortions, rounded},
    },
    training::{DeviceInputs, Losses, Span},
};

/// Temperature of the contrastive term.
const TEMPERATURE: f32 = 0.1;

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
        let pictures = model.picture(model.latent(slots, &cells, layouts), GLYPH_SIZE);
        let pictures = rounded(pictures);
        let small = PoseHead::shrink(pictures.clone());
        let (contrast, smoothness) = aesthetics(pictures.clone(), small.clone(), config);
        let (pose, seen) = self.observed(pictures, small.clone());
        let features = model.features(seen);
        let layout = match layouts.is_line() {
            true => zero(),
            false => cross_entropy(model.layout(features.clone()), cells.layouts(), 0.0).mean(),
        };
        let hidden = model.hidden(features, &cells);
        let counted = if config.parity > 0.0 {
            real
        } else {
            cells.mask()
        };
        let embedding = model.embedding(hidden.clone(), counted);
        // Logits are dear: of what has to be read alone.
        let hidden = hidden.flatten::<2>(0, 1);
        let hidden = match plan.functions.read {
            Some(read) => gather(hidden, rows(read)),
            None => hidden,
        };
        let logits = model.logits(hidden.unsqueeze()).squeeze_dim(0);
        let truth = rows(plan.functions.truth);
        let nll = cross_entropy(logits, truth, config.label_smoothing as f32);
        let token = (nll * inputs.values(plan.functions.weights)).sum();
        let meaning = match &plan.meaning {
            Some(meaning) => self.meaning(meaning, embedding),
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
        losses.add_scaled(
            inputs.values(plan.aesthetic_weight),
            [
                ("contrast", config.contrast_weight, contrast),
                ("smoothness", config.smoothness_weight, smoothness),
            ],
        );
        losses.add("meaning", config.contrastive_weight, meaning);
        losses.add("distance", config.distance_weight, distance);
        losses.add("repulsion", config.repulsion_weight, repulsion);
        losses
    }

    /// Error of the corners found in `small` copies, in half sides, and `pictures` as the recognizer sees them.
    /// Pictures of difficulty 0 are seen as they are.
    fn observed(&self, pictures: Tensor<4>, small: Tensor<4>) -> (Tensor<1>, Tensor<4>) {
        let (inputs, count) = (self.inputs, self.plan.functions.count);
        let channel = |channel: &PackedDistortions<Span, Span>| {
            let channel = channel.clone();
            channel.map(
                |part| inputs.values(part).inner(),
                |part| inputs.rows(part).inner(),
            )
        };
        let small = channel(&self.plan.small_distortions).apply(small.detach());
        let found = self.model.corners(small);
        let truth = inputs.values(self.plan.corners).reshape([count, 8]);
        let pose = (found.clone() - truth).abs().mean();

        let Some(distorted) = &self.plan.distorted else {
            return (pose, pictures);
        };
        let of = |x: Tensor<2>| x.slice(s![distorted.pictures.clone(), ..]);
        let (found, tilted) = (of(found), inputs.values(distorted.tilted).inner());
        let seen = pictures
            .clone()
            .slice(s![distorted.pictures.clone(), .., .., ..]);
        let seen = channel(&distorted.distortions).apply_and_rectify(seen, found, tilted);
        match distorted.pictures.len() == count {
            true => (pose, seen),
            false => (
                pose,
                pictures.slice_assign(s![distorted.pictures.clone(), .., .., ..], seen),
            ),
        }
    }

    /// Copies against all others of the batch.
    fn meaning(&self, meaning: &ContrastiveSpans, embedding: Tensor<2>) -> Tensor<1> {
        let values = |part| self.inputs.values(part);
        let own = self.inputs.rows(meaning.own);
        let [forth, back] = [0, 1].map(|way| {
            let (weights, hidden) = (values(meaning.weights[way]), values(meaning.hidden[way]));
            info_nce(embedding.clone(), own.clone(), weights, hidden, TEMPERATURE)
        });
        (forth + back) / 2.0
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
