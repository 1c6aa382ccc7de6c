//! Pictures seen through a homography.

use burn::tensor::{Tensor, TensorData};

use super::{
    Homography,
    image_ops::{self, OF_MAP},
};

/// Each picture [B, C, H, W] through its own of the B maps, in the same size. Bilinear; beyond the
/// border the nearest pixel of the border goes on. Differentiable in the pictures.
///
/// # Panics
/// Unless there are B maps.
pub fn warp(images: Tensor<4>, maps: &[Homography]) -> Tensor<4> {
    let [_, _, height, width] = images.dims();
    warp_to(images, maps, [height, width])
}

/// [`warp`] to pictures of another size [height, width]. Bilinear without a filter: shrink by less
/// than two, or blur before.
///
/// # Panics
/// Unless there are as many maps as pictures.
pub fn warp_to(images: Tensor<4>, maps: &[Homography], size: [usize; 2]) -> Tensor<4> {
    through(images, &vec![Homography::IDENTITY; maps.len()], maps, size)
}

/// What is left of pictures [B, C, H, W] that were warped by `there` and then by `back`, in one
/// resampling: what `there` moved across the border stays lost.
///
/// # Panics
/// Unless there are B maps of each.
pub fn warp_there_and_back(
    images: Tensor<4>,
    there: &[Homography],
    back: &[Homography],
) -> Tensor<4> {
    let [_, _, height, width] = images.dims();
    through(images, there, back, [height, width])
}

fn through(
    images: Tensor<4>,
    there: &[Homography],
    back: &[Homography],
    size: [usize; 2],
) -> Tensor<4> {
    let (device, [batch, ..]) = (images.device().inner(), images.dims());
    let maps = (there.len(), back.len());
    assert_eq!(maps, (batch, batch), "maps for each picture");
    let maps = back.iter().zip(there);
    let maps: Vec<f32> = maps
        .flat_map(|(back, there)| [back.numbers(), there.numbers()].concat())
        .collect();
    let maps = TensorData::new(maps, [batch, 2 * OF_MAP]);
    image_ops::warp(images, Tensor::from_data(maps, &device), size)
}
