//! Weights in safetensors files, with PyTorch's names and layouts.

use std::path::{Path, PathBuf};

use burn::{
    module::Module,
    store::{
        ApplyError, BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot,
        PyTorchToBurnAdapter, SafetensorsStore,
    },
    tensor::DType,
};
use thiserror::Error;

/// Failure to read or write the weights of a network.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// Missing file, or no safetensors.
    #[error("{}: not readable as safetensors: {reason}", file.display())]
    Unreadable {
        /// File.
        file: PathBuf,
        /// Message of its reader.
        reason: String,
    },
    /// Value of another shape than the network's.
    #[error("{}: {key} has the shape {found:?}, expected {expected:?}", file.display())]
    Shape {
        /// File.
        file: PathBuf,
        /// Name of the value in the network, which is the file's after the remapping.
        key: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape in the network.
        expected: Vec<usize>,
    },
    /// Value that is no number or can't be read.
    #[error("{}: {key}: {reason}", file.display())]
    Value {
        /// File.
        file: PathBuf,
        /// Name of the value.
        key: String,
        /// Message of its reader.
        reason: String,
    },
    /// File that can't be written.
    #[error("can't write {}: {reason}", file.display())]
    Unwritable {
        /// File.
        file: PathBuf,
        /// Message of its writer.
        reason: String,
    },
    /// Values of the network that are not in the file.
    #[error("{}: {key} and {others} others are missing", file.display())]
    Missing {
        /// File.
        file: PathBuf,
        /// Name of the first one.
        key: String,
        /// Number of further ones.
        others: usize,
    },
}

/// Module with all its weights read from `file` as 32-bit floats; other values of the file are ignored. Keys are renamed
/// first: each of `renames` is a regular expression and its replacement.
///
/// # Errors
/// [`WeightsError`] with the file and the key that is missing or doesn't fit.
///
/// # Panics
/// When a regular expression is none.
pub fn read_weights<M: Module>(
    mut module: M,
    file: &Path,
    renames: &[(&str, &str)],
) -> Result<M, WeightsError> {
    let adapter = PyTorchToBurnAdapter.chain(FloatCastAdapter::to(DType::F32));
    let mut store = SafetensorsStore::from_file(file)
        .with_from_adapter(adapter)
        .allow_partial(true)
        .validate(false);
    for (pattern, replacement) in renames {
        store = store.with_key_remapping(pattern, *replacement);
    }
    let file = file.to_path_buf();
    let result = match module.load_from(&mut store) {
        Ok(result) => result,
        Err(error) => {
            let reason = error.to_string();
            return Err(WeightsError::Unreadable { file, reason });
        }
    };
    if let Some(error) = result.errors.into_iter().next() {
        return Err(match error {
            ApplyError::ShapeMismatch {
                path,
                expected,
                found,
            } => WeightsError::Shape {
                file,
                key: path,
                found: found.to_vec(),
                expected: expected.to_vec(),
            },
            ApplyError::DTypeMismatch { path, found, .. } => WeightsError::Value {
                file,
                key: path,
                reason: format!("{found:?} values, expected floats"),
            },
            ApplyError::AdapterError { path, message }
            | ApplyError::LoadError { path, message } => WeightsError::Value {
                file,
                key: path,
                reason: message,
            },
        });
    }
    if let Some((key, _)) = result.missing.first() {
        return Err(WeightsError::Missing {
            file,
            key: key.clone(),
            others: result.missing.len() - 1,
        });
    }
    Ok(module)
}

/// Output of a module's weights to `file`, as PyTorch names and lays them out: matrices of linear layers transposed.
///
/// # Errors
/// [`WeightsError::Unwritable`].
pub fn write_weights<M: Module>(module: &M, file: &Path) -> Result<(), WeightsError> {
    let mut store = SafetensorsStore::from_file(file).with_to_adapter(BurnToPyTorchAdapter);
    let written = module.save_into(&mut store);
    written.map_err(|error| WeightsError::Unwritable {
        file: file.to_path_buf(),
        reason: error.to_string(),
    })
}
