//! Step plan: functions, distortions and pairs of a shard of a training step, drawn on the host.

use std::{cell::RefCell, ops::Range};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{
    batch::FunctionBatch,
    networks::{
        losses::DistancePairs,
        mosaic::{Layout, Layouts, POSE_SIZE},
    },
    scene::{SCENE_SIZE, SceneBatch},
    token_batch::TokenBatch,
};
use crate::{
    glyphs::config::{GLYPH_SIZE, GlyphsConfig},
    nn::distortions::{
        Distortion, DistortionBatch, DistortionKinds, Homography, PackedDistortions,
    },
    nn::init::normal,
    training::{HostInputs, Span, draw_log},
};

/// Pairs of pictures compared with their latents a step.
const PAIRS: usize = 32;
/// Pairs compared by the functions' terms.
const TERM_PAIRS: usize = 256;
/// Largest difficulty of the distortions in which the pose head looks for the corners of pictures that the recognizer sees
/// undistorted, or the curriculum's if that is larger. Far above the curriculum's first ones: hardly tilted pictures teach
/// nothing about tilt.
const HARDEST_POSE: f64 = 8.0;
/// Deviation of a guess that the pose head corrects, in half sides, at most.
const GUESS: f64 = 0.1;

/// Offsets of one shard's inputs in the host buffers. Equal plans have equal shapes; used as the capture key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlyphPlan {
    /// The functions.
    pub functions: FunctionSpans,
    /// The functions that are compared with one another, on either side, in pictures and in latents.
    pub pairs: Option<[[Span; 2]; 2]>,
    /// The functions that are compared by their terms, on either side.
    pub terms: Option<TermSpans>,
    /// Distortions of small copies of the pictures, for the pose head.
    pub small_distortions: PackedDistortions<Span, Span>,
    /// Corners of the distorted pictures, [B, 8].
    pub corners: Span,
    /// Guesses of the corners, which the pose head corrects in half of the pictures; `None` if it sees all as they are.
    pub guesses: Option<GuessSpans>,
    /// Errors [B, 8] of the corners by which pictures are rectified; `None` for those of the pose head.
    pub corner_errors: Option<Span>,
    /// Photos the pictures lie in, for the locator.
    pub scenes: Option<SceneSpans>,
    /// Pictures that are distorted before they are read.
    pub distorted: Option<DistortedSpans>,
    /// Factor on the aesthetic losses, 0 to 1.
    pub aesthetic_weight: Span,
}

/// Functions to be painted and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSpans {
    /// Their number.
    pub count: usize,
    /// The layout they are worked on in.
    pub frame: Layout,
    /// Tokens [B, S]; padded.
    pub tokens: Span,
    /// Number of tokens without padding, `[B]`.
    pub lengths: Span,
    /// 1 for the slots of the function as a whole [B, S].
    pub content: Span,
    /// Packed layouts, see [`SlotCells`](super::networks::mosaic::SlotCells).
    pub cells: Span,
    /// Indices b S + s of the slots in the loss, `[N]`: the tokens and the padding that marks their end; `None`
    /// for all slots.
    pub read: Option<Span>,
    /// True tokens at these slots.
    pub truth: Span,
    /// Loss weight of each of these slots.
    pub weights: Span,
}

/// Small pictures rectified by guesses of their corners, for a pose head that looks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuessSpans {
    /// The guesses [B, 8].
    pub corners: Span,
    /// 1 for each picture that is rectified by its guess, `[B]`.
    pub is_guessed: Span,
    /// True corners in what is seen then, [B, 8].
    pub truth: Span,
}

/// A [`SceneBatch`] among the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneSpans {
    /// Homographies, and what the camera adds.
    pub distortions: PackedDistortions<Span, Span>,
    /// Corners [B, 8].
    pub corners: Span,
    /// Light on the glyphs [B, 1, 64, 64].
    pub light: Span,
    /// Background [B, 3, 64, 64].
    pub background: Span,
}

/// Pairs of functions and their distances by terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermSpans {
    /// Rows on either side, `[N]` each.
    pub pairs: [Span; 2],
    /// Distances, `[N]`.
    pub distances: Span,
}

/// Pictures that are seen through the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistortedSpans {
    /// Range of these pictures in the batch.
    pub pictures: Range<usize>,
    /// 1 for each of them that is rectified before it is read, else 0.
    pub tilted: Span,
    /// Their distortions.
    pub distortions: PackedDistortions<Span, Span>,
}

/// Planner of a step: all that decides the plan of a batch but the batch itself.
pub struct StepPlanner<'a> {
    /// Configuration of the run.
    pub config: &'a GlyphsConfig,
    /// The layouts there are.
    pub layouts: &'a Layouts,
    /// The token that fills up.
    pub pad: u32,
    /// The channel's difficulty.
    pub difficulty: f64,
    /// Factor on the aesthetic losses, 0 to 1.
    pub aesthetic_weight: f64,
    /// Bucketing: batches are padded to every so many-th layout, so that few distinct shapes occur; 1 for no bucketing.
    pub bucket_stride: usize,
}

impl StepPlanner<'_> {
    /// Plan of `batch`, and its inputs.
    pub fn plan(&self, batch: &FunctionBatch, rng: &mut ChaCha8Rng) -> (GlyphPlan, HostInputs) {
        let count = batch.rows.len();
        // Neighbours have about the same length: the short ones are hit, or the long ones. About as many in each
        // share: those hit are dear, and the shares wait for each other.
        let distorted = (count as f64 * (1.0 - self.config.clean) + rng.random::<f64>()) as usize;
        let first = if rng.random() { 0 } else { count - distorted };
        let mut difficulties = vec![0.0; count];
        for difficulty in &mut difficulties[first..first + distorted] {
            *difficulty = self.difficulty * rng.random::<f64>().sqrt();
        }
        draw_log::log(
            "batch",
            || json!({ "rows": batch.rows, "difficulties": difficulties }),
        );
        let tilts = difficulties.iter().map(|&difficulty| match difficulty {
            0.0 => HARDEST_POSE.max(self.config.max_difficulty) * rng.random::<f64>(),
            _ => difficulty,
        });
        let tilts: Vec<f64> = tilts.collect();
        let distortions = DistortionBatch::sample(&tilts, DistortionKinds::ALL, rng);
        draw_log::log("damage", || {
            distortions
                .distortions
                .iter()
                .map(distortion_json)
                .collect()
        });
        let pairs = self.config.distance_weight > 0.0;
        let pairs =
            pairs.then(|| DistancePairs::sample(count, PAIRS, self.config.shared_pairs, rng));
        if let Some(pairs) = &pairs {
            draw_log::log("pairs", || json!([pairs.pictures, pairs.latents]));
        }

        let mut inputs = HostInputs::default();
        let corners = distortions.homographies().into_iter();
        let corners: Vec<[[f64; 2]; 4]> = corners.map(|map| map.corners()).collect();
        let small = distortions.shrunk((GLYPH_SIZE / POSE_SIZE) as f32);
        let pairs = pairs.filter(|pairs| !pairs.pictures.is_empty());
        let plan = GlyphPlan {
            functions: self.functions(batch, &mut inputs),
            pairs: pairs.map(|pairs| {
                let sides = pairs.sides();
                sides.map(|pair| pair.map(|rows| inputs.rows(rows)))
            }),
            terms: self.terms(batch, &mut inputs, rng),
            small_distortions: packed(&small, POSE_SIZE, &mut inputs),
            corners: inputs.values(&flat(&corners)),
            guesses: (self.config.corner_noise > 0.0)
                .then(|| GuessSpans::sample(&corners, &mut inputs, rng)),
            corner_errors: (self.config.corner_noise > 0.0).then(|| {
                let errors: Vec<f32> = (0..count)
                    .flat_map(|_| {
                        // Some pictures are rectified well, others badly.
                        let deviation = (self.config.corner_noise * rng.random::<f64>()) as f32;
                        [0; 8].map(|_| deviation * normal(rng))
                    })
                    .collect();
                inputs.values(&errors)
            }),
            scenes: (self.config.locator > 0).then(|| {
                let scenes = SceneBatch::sample(scenes_of(count), rng);
                SceneSpans {
                    distortions: packed(&scenes.distortions, SCENE_SIZE, &mut inputs),
                    corners: inputs.values(&scenes.corners),
                    light: inputs.values(&scenes.light),
                    background: inputs.values(&scenes.background),
                }
            }),
            distorted: self.distorted(&difficulties, distortions, &mut inputs),
            aesthetic_weight: inputs.values(&[self.aesthetic_weight as f32]),
        };
        (plan, inputs)
    }

    fn terms(
        &self,
        batch: &FunctionBatch,
        inputs: &mut HostInputs,
        rng: &mut ChaCha8Rng,
    ) -> Option<TermSpans> {
        if batch.terms.len() < 2 {
            return None;
        }
        let pairs = DistancePairs::sample(batch.terms.len(), TERM_PAIRS, true, rng);
        let distances = pairs.pictures.iter();
        let distances = distances.map(|&[a, b]| batch.terms[a].distance(&batch.terms[b]));
        let distances: Vec<f32> = distances.collect();
        let [sides, _] = pairs.sides();
        Some(TermSpans {
            pairs: sides.map(|rows| inputs.rows(rows)),
            distances: inputs.values(&distances),
        })
    }

    fn functions(&self, batch: &FunctionBatch, inputs: &mut HostInputs) -> FunctionSpans {
        let (count, layouts) = (batch.rows.len(), self.layouts);
        let encoded = TokenBatch::framed(
            &batch.rows,
            self.pad,
            layouts,
            self.config.parity,
            |largest| match self.bucket_stride > 1 {
                true => layouts.frame(largest, self.bucket_stride).max(batch.frame),
                false => largest,
            },
        );
        let frame = encoded.layout.frame;
        let each = 1.0 / encoded.read.len() as f32;
        let tokens = inputs.rows(encoded.tokens.iter().copied());
        // With buckets all slots are read, so that shapes are few: padding has weight 0.
        let (read, truth, weights) = match self.bucket_stride > 1 {
            false => {
                let truth = encoded.read.iter().map(|&place| encoded.tokens[place]);
                let read = encoded.read.iter().map(|&place| place as i32);
                let weights = vec![each; encoded.read.len()];
                (Some(inputs.rows(read)), inputs.rows(truth), weights)
            }
            true => {
                let mut weights = vec![0.0; count * frame.slots()];
                encoded.read.iter().for_each(|&place| weights[place] = each);
                (None, tokens, weights)
            }
        };
        FunctionSpans {
            count,
            frame,
            tokens,
            read,
            truth,
            weights: inputs.values(&weights),
            content: inputs.values(&encoded.content()),
            cells: inputs.rows(encoded.layout.packed()),
            lengths: inputs.rows(encoded.lengths),
        }
    }

    /// Distortions of the pictures of these difficulties; those above 0 are neighbours.
    fn distorted(
        &self,
        difficulties: &[f64],
        distortions: DistortionBatch,
        inputs: &mut HostInputs,
    ) -> Option<DistortedSpans> {
        let is_distorted = |difficulty: &f64| *difficulty > 0.0;
        let first = difficulties.iter().position(is_distorted)?;
        let distorted = difficulties[first..]
            .iter()
            .take_while(|d| is_distorted(d))
            .count();
        // With buckets all pictures go through, some undistorted, so that shapes are few.
        let pictures = match self.bucket_stride > 1 {
            true => 0..difficulties.len(),
            false => first..first + distorted,
        };
        let met = difficulties[pictures.clone()]
            .iter()
            .zip(distortions.of(pictures.clone()).distortions);
        let met = met.map(|(difficulty, distortion)| match is_distorted(difficulty) {
            true => distortion,
            false => Distortion::NONE,
        });
        let distortions = DistortionBatch {
            distortions: met.collect(),
        };
        let tilted = difficulties[pictures.clone()].iter();
        let tilted: Vec<f32> = tilted.map(|d| f32::from(is_distorted(d))).collect();
        Some(DistortedSpans {
            tilted: inputs.values(&tilted),
            distortions: packed(&distortions, GLYPH_SIZE, inputs),
            pictures,
        })
    }
}

impl GuessSpans {
    /// Guesses of half of these corners.
    fn sample(corners: &[[[f64; 2]; 4]], inputs: &mut HostInputs, rng: &mut ChaCha8Rng) -> Self {
        let (mut guesses, mut truths, mut guessed) = (Vec::new(), Vec::new(), Vec::new());
        for corners in corners {
            let deviation = GUESS * rng.random::<f64>();
            let mut error = || deviation * f64::from(normal(rng));
            let shift = [error(), error()];
            let guess = corners.map(|[x, y]| [x + shift[0] + error(), y + shift[1] + error()]);
            let map = Homography::rectify_corners(guess).filter(|_| rng.random());
            guessed.push(f32::from(map.is_some()));
            let back = map.map(|map| map.inverse());
            truths.push(corners.map(|corner| back.map_or(corner, |back| back.map(corner))));
            guesses.push(guess);
        }
        Self {
            corners: inputs.values(&flat(&guesses)),
            is_guessed: inputs.values(&guessed),
            truth: inputs.values(&flat(&truths)),
        }
    }
}

/// Corners as values.
fn flat(corners: &[[[f64; 2]; 4]]) -> Vec<f32> {
    let places = corners.iter().flatten().flatten();
    places.map(|place| *place as f32).collect()
}

/// Number of scenes of a batch of `pictures`: half as many, because locating costs as much as reading.
pub(super) fn scenes_of(pictures: usize) -> usize {
    pictures.div_ceil(2)
}

/// Parameters of distortions of pictures of `side` x `side`, among the inputs.
fn packed(
    distortions: &DistortionBatch,
    side: usize,
    inputs: &mut HostInputs,
) -> PackedDistortions<Span, Span> {
    let packed = distortions.packed([side, side]);
    let inputs = RefCell::new(inputs);
    packed.map(
        |values| inputs.borrow_mut().values(&values),
        |rows| inputs.borrow_mut().rows(rows),
    )
}

/// A distortion for the draw log; its homography by the picture's corners.
fn distortion_json(distortion: &Distortion) -> Value {
    let patch = distortion.patch.map(|patch| {
        json!({
            "centre": patch.centre,
            "sides": patch.sides,
            "fade": patch.fade,
            "colour": patch.colour,
        })
    });
    json!({
        "corners": distortion.homography.corners(),
        "blur_px": distortion.blur_px,
        "scale": distortion.scale,
        "patch": patch,
        "deviation": distortion.deviation,
        "noise_seed": distortion.noise_seed,
        "quality": distortion.quality,
    })
}
