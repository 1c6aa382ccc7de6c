//! Values that are the same at every step, on the device that computes: taken there once.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Int, Tensor};

static KEPT: Mutex<Vec<Constant>> = Mutex::new(Vec::new());
static TABLES: Mutex<Vec<Table>> = Mutex::new(Vec::new());

struct Constant {
    device: Device,
    values: Vec<i32>,
    tensor: Tensor<1, Int>,
}

/// The `values` `[N]` on `device`, whose autodiff they take no part in.
pub fn constant(values: &[i32], device: &Device) -> Tensor<1, Int> {
    let device = device.clone().without_autodiff();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let found = kept
        .iter()
        .find(|known| known.device == device && known.values == values);
    if let Some(known) = found {
        return known.tensor.clone();
    }
    let tensor = Tensor::<1, Int>::from_data(values, &device);
    kept.push(Constant {
        device,
        values: values.to_vec(),
        tensor: tensor.clone(),
    });
    tensor
}

struct Table {
    device: Device,
    name: &'static str,
    sizes: Vec<usize>,
    tensor: Tensor<1>,
}

/// The table of this `name` and these `sizes` on `device`, `[N]`, whose autodiff it takes no part in; `make` gives its
/// values when it is first asked for.
pub fn table(
    name: &'static str,
    sizes: &[usize],
    device: &Device,
    make: impl FnOnce() -> Vec<f32>,
) -> Tensor<1> {
    let device = device.clone().without_autodiff();
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    let found = tables
        .iter()
        .find(|known| known.name == name && known.sizes == sizes && known.device == device);
    if let Some(known) = found {
        return known.tensor.clone();
    }
    let tensor = Tensor::<1>::from_data(make().as_slice(), &device);
    tables.push(Table {
        device,
        name,
        sizes: sizes.to_vec(),
        tensor: tensor.clone(),
    });
    tensor
}

/// 1 where row and column are one, else 0: [N, N]. burn's own brings its rows from the host each time.
pub fn identity(size: usize, device: &Device) -> Tensor<2> {
    let rows: Vec<i32> = (0..size as i32).collect();
    let rows = constant(&rows, device);
    let columns = rows.clone().unsqueeze_dim::<2>(1);
    rows.unsqueeze::<2>().equal(columns).float()
}
