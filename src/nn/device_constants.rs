//! Constant tensors, uploaded to a device once: a captured step may upload nothing.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Int, Tensor};

/// Integer vectors by their values, tables by their names and sizes.
static VECTORS: Cache<Vec<i32>, Tensor<1, Int>> = Mutex::new(Vec::new());
static TABLES: Cache<(&str, Vec<usize>), Tensor<1>> = Mutex::new(Vec::new());
/// The device of each [`ConstantsLease`].
static LEASES: Mutex<Vec<Device>> = Mutex::new(Vec::new());

type Cache<K, T> = Mutex<Vec<KeptConstant<K, T>>>;

struct KeptConstant<K, T> {
    device: Device,
    key: K,
    tensor: T,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lease of the constants of a device, which are freed with its last one. Whatever replays captured steps holds one for as
/// long, since a captured step reads the constants' buffers without owning them.
#[derive(Debug)]
pub struct ConstantsLease(Device);

impl ConstantsLease {
    /// Lease of the constants of `device`.
    pub fn new(device: &Device) -> Self {
        let device = device.clone().without_autodiff();
        lock(&LEASES).push(device.clone());
        Self(device)
    }
}

impl Drop for ConstantsLease {
    fn drop(&mut self) {
        let mut leases = lock(&LEASES);
        if let Some(own) = leases.iter().position(|device| *device == self.0) {
            leases.swap_remove(own);
        }
        if !leases.contains(&self.0) {
            lock(&VECTORS).retain(|entry| entry.device != self.0);
            lock(&TABLES).retain(|entry| entry.device != self.0);
        }
    }
}

/// The tensor of `key` on `device` without autodiff, which `make` makes at first.
fn cached<K: PartialEq, T: Clone>(
    cache: &Cache<K, T>,
    key: K,
    device: &Device,
    make: impl FnOnce(&K, &Device) -> T,
) -> T {
    let device = device.clone().without_autodiff();
    let mut cache = lock(cache);
    let known = cache
        .iter()
        .find(|entry| entry.key == key && entry.device == device);
    if let Some(known) = known {
        return known.tensor.clone();
    }
    let tensor = make(&key, &device);
    cache.push(KeptConstant {
        device,
        key,
        tensor: tensor.clone(),
    });
    tensor
}

/// Constant vector `[N]` of `values` on `device`, without autodiff.
pub fn constant(values: &[i32], device: &Device) -> Tensor<1, Int> {
    cached(&VECTORS, values.to_vec(), device, |values, device| {
        Tensor::from_data(values.as_slice(), device)
    })
}

/// Constant vector `[N]` on `device`, without autodiff, by `name` and `sizes`; `make` computes its values at first.
pub fn table(
    name: &'static str,
    sizes: &[usize],
    device: &Device,
    make: impl FnOnce() -> Vec<f32>,
) -> Tensor<1> {
    cached(&TABLES, (name, sizes.to_vec()), device, |_, device| {
        Tensor::from_data(make().as_slice(), device)
    })
}

/// Identity matrix [N, N]. burn's own is uploaded at every call.
pub fn identity(size: usize, device: &Device) -> Tensor<2> {
    let rows: Vec<i32> = (0..size as i32).collect();
    let rows = constant(&rows, device);
    let columns = rows.clone().unsqueeze_dim::<2>(1);
    rows.unsqueeze::<2>().equal(columns).float()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_freed_with_the_last_lease_of_their_device() {
        let device = Device::flex();
        // No other test has these.
        let values = [31, 41, 59, 26];
        let is_cached = || {
            let vectors = lock(&VECTORS).iter().any(|entry| entry.key == values);
            let tables = lock(&TABLES).iter().any(|entry| entry.key.0 == "of a test");
            assert_eq!(vectors, tables);
            vectors
        };
        let leases = [0, 1].map(|_| ConstantsLease::new(&device.clone().autodiff()));
        constant(&values, &device);
        table("of a test", &[], &device, || vec![1.0]);
        assert!(is_cached());
        for (lease, expected) in leases.into_iter().zip([true, false]) {
            drop(lease);
            assert_eq!(is_cached(), expected);
        }
        // Made again when they are asked for again.
        assert_eq!(constant(&values, &device).dims(), [4]);
        assert!(lock(&VECTORS).iter().any(|entry| entry.key == values));
    }
}
