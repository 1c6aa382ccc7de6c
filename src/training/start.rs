//! Start of a run: new weights, a model's, or a run that goes on.

use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;

/// Start of a run.
#[derive(Clone, Debug)]
pub enum Start<C> {
    /// New weights.
    Fresh(Box<C>),
    /// The weights of a model, with a new optimizer, schedule and curriculum.
    FineTune(Box<C>, Checkpoint),
    /// The newest checkpoint of the run in this folder.
    Resume(PathBuf),
}

impl<C> Start<C> {
    /// The folder of the run that goes on.
    pub fn resumed(&self) -> Option<&Path> {
        match self {
            Start::Fresh(_) | Start::FineTune(..) => None,
            Start::Resume(run) => Some(run),
        }
    }
}
