//! What a step of Code Glyphs is judged by.
//!
//! The reader is trained on what it will meet: the photo is first set upright by the corners that
//! the pose head finds in it at this step, errors included.

use burn::tensor::{Device, Int, Tensor, TensorData, s};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{batch::Batch, model::GlyphModel};
use crate::{
    config::glyphs::{GLYPH_SIZE, GlyphsConfig},
    nn::{
        channel::{Blow, Damage, Parts, rounded},
        fused::{cross_entropy, pick},
        glyph_losses::{
            Pairs, contrast, gram_repulsion, info_nce, smoothness_and_contrast, vector_distance,
        },
        mosaic::{Arrangement, Layouts, PoseHead, prefix_mask},
        perceptor::Perceptor,
    },
    training::tape,
};

/// Temperature of the contrastive term.
const TEMPERATURE: f32 = 0.1;
/// Pairs of pictures compared a step.
const PAIRS: usize = 32;

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
    /// The weighted sum; the looks count by `looks`, 0 to 1.
    pub fn loss(&self, config: &GlyphsConfig, looks: f64) -> Tensor<1> {
        self.token.clone()
            + self.layout.clone() * config.layout_weight
            + self.pose.clone() * config.pose_weight
            + self.contrast.clone() * (config.contrast * looks)
            + self.smoothness.clone() * (config.smoothness * looks)
            + self.meaning.clone() * config.meaning
            + self.distance.clone() * config.vector_distance
            + self.repulsion.clone() * config.repulsion
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

/// A batch as tensors.
pub struct Encoded {
    /// [B, S]; padded.
    pub tokens: Tensor<2, Int>,
    /// [B, S]: 1 for real tokens.
    pub real: Tensor<2>,
    /// Places b S + s of what has to be read: the tokens, and the padding that tells where they end.
    pub read: Vec<i32>,
    /// The tokens there.
    pub truth: Vec<i32>,
    /// Their layouts.
    pub arrangement: Arrangement,
}

/// Pads rows of tokens to their layouts.
pub fn encode_rows(rows: &[Vec<u32>], pad: u32, layouts: &Layouts, device: &Device) -> Encoded {
    let arrangement = layouts.arrange(rows.iter().map(|r| layouts.index_for(r.len())).collect());
    let columns = arrangement.most_slots;
    let padded = rows.iter().flat_map(|row| {
        let missing = columns - row.len();
        let tokens = row.iter().copied().chain(std::iter::repeat_n(pad, missing));
        tokens.map(|token| token as i32)
    });
    let padded: Vec<i32> = padded.collect();
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let ends = lengths.iter().zip(&arrangement.slots);
    let ends = ends.map(|(length, slots)| match layouts.is_line() {
        true => (length + 1).min(columns),
        false => *slots,
    });
    let read = ends
        .enumerate()
        .flat_map(|(row, end)| (0..end).map(move |slot| row * columns + slot));
    let read: Vec<usize> = read.collect();
    Encoded {
        truth: read.iter().map(|&place| padded[place]).collect(),
        read: read.iter().map(|&place| place as i32).collect(),
        tokens: Tensor::from_data(TensorData::new(padded, [rows.len(), columns]), device),
        real: prefix_mask(&lengths, columns, device),
        arrangement,
    }
}

/// The terms of one batch; picture b meets a channel of `difficulties[b]`, and those above 0 are
/// neighbours. With a perceptor the pictures' distances may be those it sees, see
/// [`GlyphsConfig::perceptual`].
#[allow(clippy::too_many_arguments)]
pub fn terms(
    model: &GlyphModel,
    perceptor: Option<&Perceptor>,
    config: &GlyphsConfig,
    layouts: &Layouts,
    batch: &Batch,
    pad: u32,
    difficulties: &[f64],
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Terms {
    tape::note(
        "batch",
        || json!({ "rows": batch.rows, "copies": batch.copies, "difficulties": difficulties }),
    );
    let encoded = encode_rows(&batch.rows, pad, layouts, device);
    let arrangement = &encoded.arrangement;
    let slots = model.encode(encoded.tokens.clone(), encoded.real.clone());
    let latents = mean_of_slots(slots.clone(), encoded.real);
    let pictures = model.picture(model.latent(slots, arrangement, layouts), GLYPH_SIZE);
    let pictures = rounded(pictures);
    let small = PoseHead::shrink(pictures.clone());
    let (contrast, smoothness) = looks(pictures.clone(), small.clone(), config);
    let (pose, seen) = look(model, pictures, small.clone(), difficulties, rng);
    let features = model.features(seen);
    let layout = match layouts.is_line() {
        true => Tensor::zeros([1], device),
        false => cross_entropy_of_classes(model.layout(features.clone()), &arrangement.layouts),
    };
    let reading = model.read(features, arrangement, layouts);
    // Logits are dear: of what has to be read alone.
    let hidden = reading.hidden.flatten::<2>(0, 1);
    let hidden = pick(hidden, rows_of(encoded.read, device));
    let token = cross_entropy(
        model.logits(hidden.unsqueeze()).squeeze_dim(0),
        rows_of(encoded.truth, device),
        config.label_smoothing as f32,
    )
    .mean();
    let meaning = match config.meaning {
        0.0 => Tensor::zeros([1], device),
        _ => meaning(reading.embedding, batch),
    };
    let textures = perceptor.map(|perceptor| perceptor.features(small.clone()));
    let repulsion = match &textures {
        Some(textures) if config.repulsion > 0.0 && batch.rows.len() > 1 => {
            gram_repulsion(textures.clone())
        }
        _ => Tensor::zeros([1], device),
    };
    let seen = textures.filter(|_| config.perceptual).unwrap_or(small);
    let distance = match config.vector_distance {
        0.0 => Tensor::zeros([1], device),
        _ => {
            let pairs = Pairs::sample(batch.rows.len(), PAIRS, config.shared_pairs, rng);
            tape::note("pairs", || json!([pairs.pictures, pairs.latents]));
            match pairs.pictures.is_empty() {
                true => Tensor::zeros([1], device),
                false => vector_distance(seen, latents, &pairs),
            }
        }
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

/// How much contrast the pictures lack, and how much rougher they are than allowed; `small` are copies
/// of half their size. What all pictures have in common counts for no contrast: a wallpaper would be
/// the easiest. Every fourth picture speaks for all where they are looked at in full size.
fn looks(pictures: Tensor<4>, small: Tensor<4>, config: &GlyphsConfig) -> (Tensor<1>, Tensor<1>) {
    let own = match small.dims()[0] {
        1 => small,
        _ => small.clone() - small.mean_dim(0),
    };
    let missing = (contrast(own) * -1.0 + config.contrast_target).clamp_min(0.0);
    let some = (0..pictures.dims()[0]).step_by(4).map(|row| row as i32);
    let some = rows_of(some.collect(), &pictures.device());
    let (roughness, contrast) = smoothness_and_contrast(pick(pictures, some));
    let rough = roughness / (contrast + 1e-3) - config.smoothness_target;
    (missing.mean(), rough.clamp_min(0.0).mean())
}

fn rows_of(rows: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), device)
}

/// How hard the channel is in which the corners of pictures are looked for that the reader sees as
/// they are. Far harder than what it meets while the curriculum is young: hardly tilted pictures
/// teach nothing about tilt.
const HARDEST_POSE: f64 = 8.0;

/// What the reader sees of `pictures`, and how far off the corners were found in `small` copies, in
/// half sides. Pictures of difficulty 0 are seen as they are.
fn look(
    model: &GlyphModel,
    pictures: Tensor<4>,
    small: Tensor<4>,
    difficulties: &[f64],
    rng: &mut ChaCha8Rng,
) -> (Tensor<1>, Tensor<4>) {
    let (device, [batch, ..]) = (pictures.device(), pictures.dims());
    let tilts = difficulties.iter().map(|&difficulty| match difficulty {
        0.0 => HARDEST_POSE * rng.random::<f64>(),
        _ => difficulty,
    });
    let damage = Damage::sample(&tilts.collect::<Vec<_>>(), Parts::ALL, rng);
    tape::note("damage", || {
        damage.blows.iter().map(blow_in_words).collect()
    });
    let found = model.corners(damage.shrunk(2.0).apply(small.detach()));
    let corners = damage
        .homographies()
        .into_iter()
        .flat_map(|map| map.corners());
    let truth: Vec<f32> = corners.flatten().map(|place| place as f32).collect();
    let truth = Tensor::<2>::from_data(TensorData::new(truth, [batch, 8]), &device);
    let pose = (found.clone() - truth).abs().mean();

    let Some(first) = difficulties.iter().position(|&difficulty| difficulty > 0.0) else {
        return (pose, pictures);
    };
    let hit = difficulties[first..]
        .iter()
        .take_while(|&&difficulty| difficulty > 0.0);
    let end = first + hit.count();
    let damage = damage.of(first..end);
    let found = found.detach().narrow(0, first, end - first);
    let hit = pictures.clone().narrow(0, first, end - first);
    let seen = damage.apply_and_right(hit, found);
    (pose, pictures.slice_assign(s![first..end], seen))
}

/// A blow for a tape; the homography by where the picture's corners come to lie.
fn blow_in_words(blow: &Blow) -> Value {
    let patch = blow.patch.map(|patch| {
        json!({
            "centre": patch.centre,
            "sides": patch.sides,
            "fade": patch.fade,
            "colour": patch.colour,
        })
    });
    json!({
        "corners": blow.homography.corners(),
        "blur_px": blow.blur_px,
        "scale": blow.scale,
        "patch": patch,
        "deviation": blow.deviation,
        "noise_seed": blow.noise_seed,
        "quality": blow.quality,
    })
}

/// Slots [B, S, D] to their means [B, D] over real tokens.
pub fn mean_of_slots(slots: Tensor<3>, real: Tensor<2>) -> Tensor<2> {
    let weights = real.clone() / real.sum_dim(1);
    (slots * weights.unsqueeze_dim(2)).sum_dim(1).squeeze_dim(1)
}

/// Copies against all others of the batch.
fn meaning(embedding: Tensor<2>, batch: &Batch) -> Tensor<1> {
    let device = embedding.device();
    if batch.copies.is_empty() {
        return Tensor::zeros([1], &device);
    }
    let pick = |rows: Vec<i32>| pick(embedding.clone(), rows_of(rows, &device));
    let pairs = batch.copies.iter();
    let (of, copy): (Vec<i32>, Vec<i32>) = pairs.map(|&(a, b)| (a as i32, b as i32)).unzip();
    let others = 0..batch.rows.len() as i32;
    let others: Vec<i32> = others
        .filter(|row| !of.contains(row) && !copy.contains(row))
        .collect();
    let others = (!others.is_empty()).then(|| pick(others));
    let (of, copy) = (pick(of), pick(copy));
    let forth = info_nce(of.clone(), copy.clone(), others.clone(), TEMPERATURE);
    (forth + info_nce(copy, of, others, TEMPERATURE)) / 2.0
}

/// Mean cross entropy of logits [B, classes].
pub fn cross_entropy_of_classes(logits: Tensor<2>, classes: &[usize]) -> Tensor<1> {
    let device = logits.device();
    let classes: Vec<i32> = classes.iter().map(|&class| class as i32).collect();
    cross_entropy(logits, rows_of(classes, &device), 0.0).mean()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cells_are_read_of_a_mosaic_and_one_padding_of_a_line() {
        let rows = [vec![7, 8, 9, 10, 11], vec![5, 6]];
        let read = |layouts: &Layouts| {
            let encoded = encode_rows(&rows, 0, layouts, &Device::flex());
            (encoded.read, encoded.truth)
        };
        // 3 x 2 cells and 2 x 2.
        let places = vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        let truth = vec![7, 8, 9, 10, 11, 0, 5, 6, 0, 0];
        assert_eq!(read(&Layouts::new(8)), (places, truth));
        let places = vec![0, 1, 2, 3, 4, 5, 8, 9, 10];
        let truth = vec![7, 8, 9, 10, 11, 0, 5, 6, 0];
        assert_eq!(read(&Layouts::line(8)), (places, truth));
    }
}
