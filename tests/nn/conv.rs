//! Convolutions against burn's.

use burn::tensor::{Device, Tensor, TensorData, module::conv2d, ops::ConvOptions};
use glyphspace::nn::conv::halving_conv;

use super::{check_close, values};

#[test]
fn convolutions_of_stride_2_are_burns() {
    let given = |shape: [usize; 4]| {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|i| (i * 37 % 61) as f32 / 30.0 - 1.0)
            .collect();
        Tensor::<4>::from_data(TensorData::new(values, shape), &Device::flex())
    };
    // By blocks where kernels have 1, 5 or 9 rows.
    for (size, height, width) in [(1, 4, 6), (3, 6, 8), (5, 8, 8), (5, 2, 12), (9, 12, 10)] {
        let (x, kernel) = (given([2, 3, height, width]), given([4, 3, size, size]));
        let options = ConvOptions::new([2; 2], [size / 2; 2], [1, 1], 1);
        let expected = conv2d(x.clone(), kernel.clone(), None, options);
        let what = format!("kernels of {size}");
        check_close(
            &values(halving_conv(x, kernel)),
            &values(expected),
            1e-5,
            &what,
        );
    }
}
