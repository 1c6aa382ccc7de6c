//! What a share of a training step sees: which functions, through which channel, compared with what; drawn on the host.

use std::{cell::RefCell, ops::Range};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::{batch::Batch, encoded::Encoded};
use crate::{
    config::glyphs::{GLYPH_SIZE, GlyphsConfig},
    nn::{
        channel::{Blow, Channel, Damage, Parts},
        glyph_losses::Pairs,
        mosaic::{Layout, Layouts, POSE_SIZE},
    },
    training::{Draws, Part, tape},
};

/// Pairs of pictures compared a step.
const PAIRS: usize = 32;
/// How hard the channel is in which the corners of pictures are looked for that the reader sees as
/// they are. Far harder than what it meets while the curriculum is young: hardly tilted pictures
/// teach nothing about tilt.
const HARDEST_POSE: f64 = 8.0;

/// Where it is among the draws. Two sights that are equal are alike in all but what was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// The functions.
    pub functions: Functions,
    /// Which functions mean the same, if any.
    pub meaning: Option<Meaning>,
    /// The functions that are compared with one another, on either side, in pictures and in latents.
    pub pairs: Option<[[Part; 2]; 2]>,
    /// What befalls small copies of the pictures.
    pub small: Channel<Part, Part>,
    /// Where that takes their corners, [B, 8].
    pub corners: Part,
    /// What the reader meets.
    pub hit: Option<Hit>,
    /// How much the looks count.
    pub looks: Part,
}

/// Functions to be painted and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Functions {
    /// How many.
    pub count: usize,
    /// The layout they are worked on in.
    pub frame: Layout,
    /// Tokens [B, S]; padded.
    pub tokens: Part,
    /// How many are real, `[B]`.
    pub lengths: Part,
    /// How they are laid out, see [`crate::nn::mosaic::Cells`].
    pub cells: Part,
    /// Places b S + s of what has to be read, `[N]`: the tokens, and the padding that tells where they end. If there are
    /// none, all are read.
    pub read: Option<Part>,
    /// The tokens there.
    pub truth: Part,
    /// What each counts.
    pub weights: Part,
}

/// Functions that mean the same, to be found from one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// The one that each should be nearest to.
    pub own: Part,
    /// What each function counts, on the way from the originals and from their copies.
    pub weights: [Part; 2],
    /// 1 for the originals, and for the copies: no candidates on that way.
    pub hidden: [Part; 2],
}

/// Pictures that are seen through the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which: neighbours.
    pub pictures: Range<usize>,
    /// 1 for those of them that are set upright.
    pub tilted: Part,
    /// What befalls them.
    pub damage: Channel<Part, Part>,
}

/// What decides what is seen of a batch.
pub(super) struct Viewer<'a> {
    /// How it is trained.
    pub config: &'a GlyphsConfig,
    /// The layouts there are.
    pub layouts: &'a Layouts,
    /// The token that fills up.
    pub pad: u32,
    /// The channel's difficulty.
    pub difficulty: f64,
    /// How much the looks count.
    pub looks: f64,
    /// Functions are worked on in every so many-th layout, and if not in each, then steps are to be of few kinds in all.
    pub among: usize,
}

impl Viewer<'_> {
    /// What is seen of `batch`.
    pub fn look(&self, batch: &Batch, rng: &mut ChaCha8Rng) -> (Sight, Draws) {
        let count = batch.rows.len();
        // Neighbours have about the same length: the short ones are hit, or the long ones. About as many in each
        // share: those hit are dear, and the shares wait for each other.
        let hit = (count as f64 * (1.0 - self.config.clean) + rng.random::<f64>()) as usize;
        let first = if rng.random() { 0 } else { count - hit };
        let mut difficulties = vec![0.0; count];
        for difficulty in &mut difficulties[first..first + hit] {
            *difficulty = self.difficulty * rng.random::<f64>().sqrt();
        }
        tape::note(
            "batch",
            || json!({ "rows": batch.rows, "copies": batch.copies, "difficulties": difficulties }),
        );
        let tilts = difficulties.iter().map(|&difficulty| match difficulty {
            0.0 => HARDEST_POSE * rng.random::<f64>(),
            _ => difficulty,
        });
        let tilts: Vec<f64> = tilts.collect();
        let damage = Damage::sample(&tilts, Parts::ALL, rng);
        tape::note("damage", || {
            damage.blows.iter().map(blow_in_words).collect()
        });
        let pairs = self.config.vector_distance > 0.0;
        let pairs = pairs.then(|| Pairs::sample(count, PAIRS, self.config.shared_pairs, rng));
        if let Some(pairs) = &pairs {
            tape::note("pairs", || json!([pairs.pictures, pairs.latents]));
        }

        let mut draws = Draws::default();
        let corners = damage.homographies().into_iter();
        let corners = corners.flat_map(|map| map.corners()).flatten();
        let corners: Vec<f32> = corners.map(|place| place as f32).collect();
        let small = damage.shrunk((GLYPH_SIZE / POSE_SIZE) as f32);
        let pairs = pairs.filter(|pairs| !pairs.pictures.is_empty());
        let sight = Sight {
            functions: self.functions(batch, &mut draws),
            meaning: (self.config.meaning > 0.0 && !batch.copies.is_empty())
                .then(|| Meaning::of(batch, &mut draws)),
            pairs: pairs.map(|pairs| {
                let sides = pairs.sides();
                sides.map(|pair| pair.map(|rows| draws.rows(rows)))
            }),
            small: told(&small, POSE_SIZE, &mut draws),
            corners: draws.values(&corners),
            hit: self.hit(&difficulties, damage, &mut draws),
            looks: draws.values(&[self.looks as f32]),
        };
        (sight, draws)
    }

    fn functions(&self, batch: &Batch, draws: &mut Draws) -> Functions {
        let (count, layouts) = (batch.rows.len(), self.layouts);
        let encoded = Encoded::framed(&batch.rows, self.pad, layouts, |largest| {
            match self.among > 1 {
                true => layouts.frame(largest, self.among).max(batch.frame),
                false => largest,
            }
        });
        let frame = encoded.arrangement.frame;
        let each = 1.0 / encoded.read.len() as f32;
        let tokens = draws.rows(encoded.tokens.iter().copied());
        // Where steps are of few kinds, all places are read: those that don't have to be count for nothing.
        let (read, truth, weights) = match self.among > 1 {
            false => {
                let truth = encoded.read.iter().map(|&place| encoded.tokens[place]);
                let read = encoded.read.iter().map(|&place| place as i32);
                let weights = vec![each; encoded.read.len()];
                (Some(draws.rows(read)), draws.rows(truth), weights)
            }
            true => {
                let mut weights = vec![0.0; count * frame.slots()];
                encoded.read.iter().for_each(|&place| weights[place] = each);
                (None, tokens, weights)
            }
        };
        Functions {
            count,
            frame,
            tokens,
            read,
            truth,
            weights: draws.values(&weights),
            cells: draws.rows(encoded.arrangement.numbers()),
            lengths: draws.rows(encoded.lengths),
        }
    }

    /// What pictures of these difficulties meet; those above 0 are neighbours.
    fn hit(&self, difficulties: &[f64], damage: Damage, draws: &mut Draws) -> Option<Hit> {
        let is_hit = |difficulty: &f64| *difficulty > 0.0;
        let first = difficulties.iter().position(is_hit)?;
        let hit = difficulties[first..]
            .iter()
            .take_while(|d| is_hit(d))
            .count();
        // All of them, of which some meet nothing, are of one kind.
        let pictures = match self.among > 1 {
            true => 0..difficulties.len(),
            false => first..first + hit,
        };
        let met = difficulties[pictures.clone()]
            .iter()
            .zip(damage.of(pictures.clone()).blows);
        let met = met.map(|(difficulty, blow)| match is_hit(difficulty) {
            true => blow,
            false => Blow::NONE,
        });
        let damage = Damage {
            blows: met.collect(),
        };
        let tilted = difficulties[pictures.clone()].iter();
        let tilted: Vec<f32> = tilted.map(|d| f32::from(is_hit(d))).collect();
        Some(Hit {
            tilted: draws.values(&tilted),
            damage: told(&damage, GLYPH_SIZE, draws),
            pictures,
        })
    }
}

impl Meaning {
    fn of(batch: &Batch, draws: &mut Draws) -> Self {
        let count = batch.rows.len();
        let share = 1.0 / batch.copies.len() as f32;
        let mut own = vec![0; count];
        let [mut originals, mut copies] = [(); 2].map(|()| vec![0.0; count]);
        for &(of, copy) in &batch.copies {
            (own[of], own[copy]) = (copy as i32, of as i32);
            (originals[of], copies[copy]) = (1.0, 1.0);
        }
        let ways = [originals, copies];
        let shares = |way: &Vec<f32>| way.iter().map(|is_one| is_one * share).collect::<Vec<_>>();
        Self {
            own: draws.rows(own),
            weights: ways.each_ref().map(|way| draws.values(&shares(way))),
            hidden: ways.each_ref().map(|way| draws.values(way)),
        }
    }
}

/// Damage to pictures of `side` x `side`.
fn told(damage: &Damage, side: usize, draws: &mut Draws) -> Channel<Part, Part> {
    let channel = damage.channel([side, side]);
    let draws = RefCell::new(draws);
    channel.map(
        |values| draws.borrow_mut().values(&values),
        |rows| draws.borrow_mut().rows(rows),
    )
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
