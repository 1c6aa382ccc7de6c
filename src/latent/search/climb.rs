//! Hill climbing on the program's text: from a random program to the first improving neighbour, one that
//! differs in a single character; at a local optimum, restart from another program. The sceptic's baseline
//! (Carvalho et al., ICLR 2024): it knows the language and evaluates programs at their embeddings.

use std::{collections::HashSet, sync::Arc};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    ask_tell::{Candidate, Observation, Search},
    space::Space,
};
use crate::latent::points::distance;

/// Draws of an unvisited start before the search gives up.
const MAX_DRAWS: usize = 1000;

/// Hill climbing in progress.
#[derive(Clone)]
pub(super) struct Climb {
    space: Space,
    random: ChaCha8Rng,
    /// Best program since the last restart, as an index per line, and its loss.
    best: Option<(Vec<usize>, f32)>,
    /// Untried neighbours of the best program, the next one last.
    untried: Vec<Vec<usize>>,
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
            untried: Vec::new(),
            visited: HashSet::new(),
            asked: None,
            starts: 0,
        }
    }

    /// Next start: the programs nearest to the initial points, then random ones.
    fn next_start(&mut self) -> Option<Vec<usize>> {
        while let Some(point) = self.space.initial_points.get(self.starts).cloned() {
            self.starts += 1;
            let tuple = self.nearest(&point);
            if !self.visited.contains(&tuple) {
                return Some(tuple);
            }
        }
        (0..MAX_DRAWS)
            .map_while(|_| self.space.random_program(&mut self.random))
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

    /// Programs that differ from this one in one character of one line, in random order.
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

/// True if two texts differ by one character inserted, deleted or replaced.
fn differ_in_one(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() > short.len() + 1 || a == b {
        return false;
    }
    let (short, long) = (short.as_bytes(), long.as_bytes());
    let same = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    let skipped = usize::from(short.len() == long.len());
    short[same + skipped..] == long[same + 1..]
}

impl Search for Climb {
    fn ask(&mut self) -> Option<Candidate> {
        let next = loop {
            match self.untried.pop() {
                Some(tuple) if self.visited.contains(&tuple) => {}
                Some(tuple) => break tuple,
                None => {
                    self.best = None;
                    break self.next_start()?;
                }
            }
        };
        self.visited.insert(next.clone());
        let candidate = Candidate::at(self.space.point_of(&next));
        self.asked = Some(next);
        Some(candidate)
    }

    fn tell(&mut self, _point: &[f32], observation: &Observation) {
        let Some(tuple) = self.asked.take() else {
            return; // Not a proposed point, so not the point of a program.
        };
        let loss = match observation.loss {
            loss if loss.is_nan() => f32::INFINITY,
            loss => loss,
        };
        if self.best.as_ref().is_none_or(|(_, best)| loss < *best) {
            self.untried = self.neighbours(&tuple);
            self.best = Some((tuple, loss));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_differ_in_one_character() {
        for (a, b) in [("5", "15"), ("5", "-5"), ("-53", "-52"), ("13", "1")] {
            assert!(differ_in_one(a, b) && differ_in_one(b, a), "{a} {b}");
        }
        for (a, b) in [("5", "5"), ("5", "-15"), ("12", "21")] {
            assert!(!differ_in_one(a, b), "{a} {b}");
        }
    }
}
