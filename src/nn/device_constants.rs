//! Values that are the same at every step, on the device that computes: taken there once.

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Int, Tensor};

/// Rows by their values, tables by their names and sizes.
static ROWS: Store<Vec<i32>, Tensor<1, Int>> = Mutex::new(Vec::new());
static TABLES: Store<(&str, Vec<usize>), Tensor<1>> = Mutex::new(Vec::new());

type Store<K, T> = Mutex<Vec<Kept<K, T>>>;

struct Kept<K, T> {
    device: Device,
    key: K,
    tensor: T,
}

/// What is kept on `device`, whose autodiff it takes no part in, by this `key`; `make` gives it when it is first asked for.
fn kept<K: PartialEq, T: Clone>(
    store: &Store<K, T>,
    key: K,
    device: &Device,
    make: impl FnOnce(&K, &Device) -> T,
) -> T {
    let device = device.clone().without_autodiff();
    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
    let found = store
        .iter()
        .find(|known| known.key == key && known.device == device);
    if let Some(known) = found {
        return known.tensor.clone();
    }
    let tensor = make(&key, &device);
    store.push(Kept {
        device,
        key,
        tensor: tensor.clone(),
    });
    tensor
}

/// The `values` `[N]` on `device`, whose autodiff they take no part in.
pub fn constant(values: &[i32], device: &Device) -> Tensor<1, Int> {
    kept(&ROWS, values.to_vec(), device, |values, device| {
        Tensor::from_data(values.as_slice(), device)
    })
}

/// The table of this `name` and these `sizes` on `device`, `[N]`, whose autodiff it takes no part in; `make` gives its
/// values when it is first asked for.
pub fn table(
    name: &'static str,
    sizes: &[usize],
    device: &Device,
    make: impl FnOnce() -> Vec<f32>,
) -> Tensor<1> {
    kept(&TABLES, (name, sizes.to_vec()), device, |_, device| {
        Tensor::from_data(make().as_slice(), device)
    })
}

/// 1 where row and column are one, else 0: [N, N]. burn's own brings its rows from the host each time.
pub fn identity(size: usize, device: &Device) -> Tensor<2> {
    let rows: Vec<i32> = (0..size as i32).collect();
    let rows = constant(&rows, device);
    let columns = rows.clone().unsqueeze_dim::<2>(1);
    rows.unsqueeze::<2>().equal(columns).float()
}
