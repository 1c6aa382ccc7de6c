//! Readings of points on morphs: how many are valid Python.

use anyhow::Result;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{data::python, glyphs::inference::GlyphReader};

/// Morphs evaluated.
const MORPHS: usize = 200;
/// Points of each, anywhere on the way.
const POINTS: usize = 5;

/// Morphs between random pairs of functions.
pub struct MorphPoints {
    pairs: Vec<[Vec<u32>; 2]>,
    rng: ChaCha8Rng,
    done: usize,
    /// Points read.
    points: usize,
    /// Points read as valid Python.
    parsed: usize,
    /// Points read as neither end.
    between: usize,
    /// Of these, valid Python.
    between_parsed: usize,
}

impl MorphPoints {
    /// Pairs of these functions.
    pub fn new(rows: &[&Vec<u32>]) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(13);
        let mut order: Vec<&&Vec<u32>> = rows.iter().collect();
        order.shuffle(&mut rng);
        let pairs = order.chunks_exact(2).take(MORPHS);
        let pairs = pairs.map(|pair| [pair[0].to_vec(), pair[1].to_vec()]);
        Self {
            pairs: pairs.collect(),
            rng,
            done: 0,
            points: 0,
            parsed: 0,
            between: 0,
            between_parsed: 0,
        }
    }

    /// Reads the points of the next morph.
    pub fn advance(&mut self, reader: &GlyphReader) -> Result<()> {
        let pair = &self.pairs[self.done];
        let path = reader.morph_path(pair, POINTS);
        let shares: [f64; POINTS] = std::array::from_fn(|_| self.rng.random());
        let frames = reader.morph_points(&path, &shares)?;
        for read in reader.read(&frames)? {
            let text = reader.bpe.decode(&read.tokens);
            let is_python = python::functions(&text).is_ok();
            let is_between = !pair.contains(&read.tokens);
            self.points += 1;
            self.parsed += usize::from(is_python);
            self.between += usize::from(is_between);
            self.between_parsed += usize::from(is_between && is_python);
        }
        self.done += 1;
        Ok(())
    }

    /// Morphs read, and all.
    pub fn progress(&self) -> [usize; 2] {
        [self.done, self.pairs.len()]
    }

    /// Share of the points that are valid Python.
    pub fn parses(&self) -> f64 {
        self.parsed as f64 / self.points.max(1) as f64
    }

    /// Share of the points that are read as neither end that are valid Python.
    pub fn parses_between(&self) -> f64 {
        self.between_parsed as f64 / self.between.max(1) as f64
    }
}
