//! Traces of a model for another framework, see [`crate::training::trace`].

use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;

use super::{checkpoint, system::trace_setup};
use crate::training::{checkpoint::Source, trace};

/// Writes the setup and the weights of a model into the new folder `to`.
///
/// # Errors
/// If there is no such model or the folder can't be made.
pub fn model(source: &Source, to: &Path, device: &Device) -> Result<()> {
    let executor = checkpoint::load(source, device)?;
    let setup = trace_setup(&executor.config, executor.progress.position);
    trace::begin(to, &executor.config, setup, &executor.model)
}
