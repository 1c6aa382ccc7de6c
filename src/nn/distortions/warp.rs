//! Warps of pictures by homographies.

use burn::tensor::{Tensor, TensorData};

use super::Homography;
use crate::kernels::image_ops::{self, HOMOGRAPHY_LEN};

/// Pictures [B, C, H, W], each warped by its own of the B `maps`. Bilinear, with the border replicated; differentiable in
/// the pictures.
///
/// # Panics
/// Unless there are B maps.
pub fn warp(images: Tensor<4>, maps: &[Homography]) -> Tensor<4> {
    let (device, [batch, _, height, width]) = (images.device().inner(), images.dims());
    assert_eq!(maps.len(), batch, "a map for each picture");
    let photo = Homography::IDENTITY;
    let maps = maps.iter().flat_map(|map| [map.numbers(), photo.numbers()]);
    let maps = TensorData::new(maps.flatten().collect(), [batch, 2 * HOMOGRAPHY_LEN]);
    image_ops::warp(images, Tensor::from_data(maps, &device), [height, width])
}
