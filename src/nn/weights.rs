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
    /// No such file, or no safetensors.
    #[error("{}: not readable as safetensors: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Message of its reader.
        reason: String,
    },
    /// A value has another shape than the network's.
    #[error("{}: {key} has the shape {found:?}, expected {expected:?}", file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// The network's name of the value, which is the file's after the remapping.
        key: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape in the network.
        expected: Vec<usize>,
    },
    /// A value is no number or can't be read.
    #[error("{}: {key}: {reason}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The value's name.
        key: String,
        /// Message of its reader.
        reason: String,
    },
    /// The file can't be written.
    #[error("can't write {}: {reason}", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// Message of its writer.
        reason: String,
    },
    /// Values of the network are not in the file.
    #[error("{}: {key} and {others} others are missing", file.display())]
    Missing {
        /// The file.
        file: PathBuf,
        /// The first one's name.
        key: String,
        /// Number of further ones.
        others: usize,
    },
}

/// Module with all its weights read from `file` as 32-bit floats; other values of the file are ignored. Keys are renamed
/// first: each of `renames` is a regular expression and its replacement.
///
/// # Errors
/// Names the file and the key that is missing or doesn't fit.
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

/// Writes a module's weights as PyTorch names and lays them out: matrices of linear layers transposed.
///
/// # Errors
/// Names the file.
pub fn write_weights<M: Module>(module: &M, file: &Path) -> Result<(), WeightsError> {
    let mut store = SafetensorsStore::from_file(file).with_to_adapter(BurnToPyTorchAdapter);
    let written = module.save_into(&mut store);
    written.map_err(|error| WeightsError::Unwritable {
        file: file.to_path_buf(),
        reason: error.to_string(),
    })
}
