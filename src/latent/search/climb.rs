//! Hill climbing on the program's text: from a random program to the first neighbour that is better, a neighbour differing
//! in one character; with none better, from another program anew. The sceptic's baseline (Carvalho et al., ICLR 2024): it
//! knows the language and evaluates programs at their encoded places.

use std::{collections::HashSet, sync::Arc};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::sampling::joint;
use super::{Candidate, Observation, Search, Space};
use crate::latent::points::distance;

/// Draws of a start that hasn't been visited before the search gives up.
const DRAWS: usize = 1000;

/// State of the climb.
#[derive(Clone)]
pub(super) struct Climb {
    space: Space,
    random: ChaCha8Rng,
    /// Indices of the programs, a line each, of the best since the last start, and its loss.
    best: Option<(Vec<usize>, f32)>,
    /// Neighbours of the best still to try, the next one last.
    open: Vec<Vec<usize>>,
    visited: HashSet<Vec<usize>>,
    asked: Option<Vec<usize>>,
    starts: usize,
}

impl Climb {
    pub fn new(space: Space, random: ChaCha8Rng) -> Self {
        Self {
            space,
            random,
            best: None,
            open: Vec::new(),
            visited: HashSet::new(),
            asked: None,
            starts: 0,
        }
    }

    /// Where to begin next: at the programs nearest to the proposals, then anywhere.
    fn begin(&mut self) -> Option<Vec<usize>> {
        while let Some(point) = self.space.initial_points.get(self.starts).cloned() {
            self.starts += 1;
            let tuple = self.nearest(&point);
            if !self.visited.contains(&tuple) {
                return Some(tuple);
            }
        }
        (0..DRAWS)
            .map_while(|_| self.space.tuple(&mut self.random))
            .find(|tuple| !self.visited.contains(tuple))
    }

    fn nearest(&self, point: &[f32]) -> Vec<usize> {
        let embeddings: Vec<&[f32]> = self.space.embeddings.iter().collect();
        let line = |(line, allowed): (&[f32], &Arc<Vec<usize>>)| {
            let away = |index: &usize| distance(embeddings[*index], line);
            let nearest = allowed.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
            nearest.copied().unwrap_or_default()
        };
        let parts = point.chunks(self.space.dims.max(1));
        parts.zip(&self.space.allowed).map(line).collect()
    }

    /// The programs that differ from this one in one character of one line, in random order.
    fn neighbours(&mut self, of: &[usize]) -> Vec<Vec<usize>> {
        let texts = self.space.texts.clone();
        let mut found = Vec::new();
        for (line, &index) in of.iter().enumerate() {
            for &other in self.space.allowed[line].iter() {
                if differ_in_one(&texts[index], &texts[other]) {
                    let mut tuple = of.to_vec();
                    tuple[line] = other;
                    found.push(tuple);
                }
            }
        }
        for i in (1..found.len()).rev() {
            found.swap(i, self.random.random_range(0..=i));
        }
        found
    }
}

/// Whether two texts differ by one character put in, left out or replaced.
fn differ_in_one(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() > short.len() + 1 || a == b {
        return false;
    }
    let (short, long) = (short.as_bytes(), long.as_bytes());
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let skipped = long.len() - short.len();
    match skipped {
        0 => short[same + 1..] == long[same + 1..],
        _ => short[same..] == long[same + 1..],
    }
}

impl Search for Climb {
    fn ask(&mut self) -> Option<Candidate> {
        let next = loop {
            match self.open.pop() {
                Some(tuple) if self.visited.contains(&tuple) => {}
                Some(tuple) => break tuple,
                None => {
                    self.best = None;
                    break self.begin()?;
                }
            }
        };
        self.visited.insert(next.clone());
        let candidate = Candidate::at(joint(&self.space.embeddings, &next));
        self.asked = Some(next);
        Some(candidate)
    }

    fn tell(&mut self, _point: &[f32], observation: &Observation) {
        let Some(tuple) = self.asked.take() else {
            return; // A point nobody asked for is no program's.
        };
        let loss = if observation.loss.is_nan() {
            f32::INFINITY
        } else {
            observation.loss
        };
        if self.best.as_ref().is_none_or(|(_, best)| loss < *best) {
            self.open = self.neighbours(&tuple);
            self.best = Some((tuple, loss));
        }
    }

    fn fork(&self) -> Box<dyn Search> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_differ_in_one_character() {
        for (a, b) in [
            ("5", "15"),
            ("5", "-5"),
            ("-53", "-52"),
            ("13", "1"),
            ("9", "8"),
        ] {
            assert!(differ_in_one(a, b) && differ_in_one(b, a), "{a} {b}");
        }
        for (a, b) in [("5", "5"), ("5", "-15"), ("12", "21"), ("-5", "15")] {
            assert_eq!(differ_in_one(a, b), (a, b) == ("-5", "15"), "{a} {b}");
        }
    }
}
