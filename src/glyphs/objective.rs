//! What a step of Code Glyphs is judged by.
//!
//! The reader is trained on what it will meet: the photo is first set upright by the corners that
//! the pose head finds in it at this step, errors included.

use burn::tensor::{Tensor, s};

use super::{
    model::GlyphModel,
    step_plan::{ContrastiveSpans, FunctionSpans, GlyphPlan},
};
use crate::{
    config::glyphs::{GLYPH_SIZE, GlyphsConfig},
    nn::{
        device_constants::constant,
        distortions::{PackedDistortions, rounded},
        fused::{cross_entropy, gather},
        glyph_losses::{
            contrast, gram_repulsion, info_nce, smoothness_and_contrast, vector_distance,
        },
        mosaic::{Layouts, PoseHead, SlotCells, prefix_mask},
        perceptor::Perceptor,
    },
    training::{DeviceInputs, Span},
};

/// Temperature of the contrastive term.
const TEMPERATURE: f32 = 0.1;

/// The terms of a step's loss, each `[1]`, and what is counted beside them.
pub struct Terms {
    /// Cross entropy a token, padding left out.
    pub token: Tensor<1>,
    /// Cross entropy of the layout.
    pub layout: Tensor<1>,
    /// Mean distance of the corners found from the true ones, in half sides.
    pub pose: Tensor<1>,
    /// Missing contrast.
    pub contrast: Tensor<1>,
    /// Roughness above the one allowed.
    pub smoothness: Tensor<1>,
    /// Contrastive loss of copies against the rest.
    pub meaning: Tensor<1>,
    /// Mismatch of the pictures' and the latents' distances.
    pub distance: Tensor<1>,
    /// How alike the pictures' textures are.
    pub repulsion: Tensor<1>,
}

impl Terms {
    /// The weighted sum; the looks count by `aesthetic_weight` `[1]`, 0 to 1.
    pub fn loss(&self, config: &GlyphsConfig, aesthetic_weight: Tensor<1>) -> Tensor<1> {
        self.token.clone()
            + self.layout.clone() * config.layout_weight
            + self.pose.clone() * config.pose_weight
            + (self.contrast.clone() * config.contrast_weight
                + self.smoothness.clone() * config.smoothness_weight)
                * aesthetic_weight
            + self.meaning.clone() * config.contrastive_weight
            + self.distance.clone() * config.distance_weight
            + self.repulsion.clone() * config.repulsion_weight
    }

    /// All terms, in the order of the fields.
    pub fn into_values(self) -> [Tensor<1>; 8] {
        [
            self.token,
            self.layout,
            self.pose,
            self.contrast,
            self.smoothness,
            self.meaning,
            self.distance,
            self.repulsion,
        ]
    }
}

/// What a share of a step is judged on.
pub(super) struct Objective<'a> {
    pub model: &'a GlyphModel,
    /// With one the pictures' distances may be those it sees, see [`GlyphsConfig::perceptual`].
    pub perceptor: Option<&'a Perceptor>,
    pub config: &'a GlyphsConfig,
    pub layouts: &'a Layouts,
    pub plan: &'a GlyphPlan,
    pub inputs: &'a DeviceInputs,
}

impl Objective<'_> {
    /// The terms.
    pub fn terms(&self) -> Terms {
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
        let latents = mean_of_slots(slots.clone(), real);
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
        let reading = model.read(features, &cells);
        // Logits are dear: of what has to be read alone.
        let hidden = reading.hidden.flatten::<2>(0, 1);
        let hidden = match plan.functions.read {
            Some(read) => gather(hidden, rows(read)),
            None => hidden,
        };
        let logits = model.logits(hidden.unsqueeze()).squeeze_dim(0);
        let truth = rows(plan.functions.truth);
        let nll = cross_entropy(logits, truth, config.label_smoothing as f32);
        let token = (nll * inputs.values(plan.functions.weights)).sum();
        let meaning = match &plan.meaning {
            Some(meaning) => self.meaning(meaning, reading.embedding),
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
        Terms {
            token,
            layout,
            pose,
            contrast,
            smoothness,
            meaning,
            distance,
            repulsion,
        }
    }

    /// How far off the corners were found in `small` copies, in half sides, and what the reader sees of `pictures`.
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

/// How much contrast the pictures lack, and how much rougher they are than allowed; `small` are copies
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

/// Slots [B, S, D] to their means [B, D] over real tokens.
pub fn mean_of_slots(slots: Tensor<3>, real: Tensor<2>) -> Tensor<2> {
    let weights = real.clone() / real.sum_dim(1);
    (slots * weights.unsqueeze_dim(2)).sum_dim(1).squeeze_dim(1)
}
