//! Perceptual distance of pictures, by the features of a frozen network.

use std::path::{Path, PathBuf};

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::resnet_v2::{ResNetV2, ResNetV2Config};
use crate::nn::{
    init::Initializer,
    weights::{WeightsError, read_weights},
};

/// Prefixes that wrappers add to timm's keys.
const WRAPPER_PREFIXES: (&str, &str) = (r"^(module|model|backbone|timm_model)\.", "");

/// Stages of features: the last of them is the reference's.
const STAGES: usize = 3;

/// Frozen ResNet-v2: gradients reach the pictures, not its weights. Keep it out of the trained module: an optimizer may
/// change weights without a gradient (weight decay).
#[derive(Clone, Debug)]
pub struct Perceptor {
    network: ResNetV2,
    file: Option<PathBuf>,
}

impl Perceptor {
    /// Perceptor with random kernels by `seed`, which still distinguish textures (cf. Ustyuzhaninov et al. 2016,
    /// arXiv 1606.00021).
    pub fn random(config: &ResNetV2Config, seed: u64, device: &Device) -> Self {
        let network = ResNetV2::new(config, &mut Initializer::new(seed, device));
        Self {
            network: network.no_grad(),
            file: None,
        }
    }

    /// Perceptor with pretrained weights from a safetensors file with timm's names of `resnetv2_50x1_bit` (for
    /// [`ResNetV2Config::bit_r50x1`]); its head is ignored.
    ///
    /// # Errors
    /// [`WeightsError`] with the file and the key that is missing or doesn't fit.
    pub fn read(
        file: &Path,
        config: &ResNetV2Config,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let network = ResNetV2::new(config, &mut Initializer::new(0, device));
        Ok(Self {
            network: read_weights(network, file, &[WRAPPER_PREFIXES])?.no_grad(),
            file: Some(file.to_path_buf()),
        })
    }

    /// Description for people: origin of the weights.
    pub fn description(&self) -> String {
        match &self.file {
            Some(file) => format!("perceptor pretrained, from {}", file.display()),
            None => "perceptor random, not pretrained".into(),
        }
    }

    /// Frozen network.
    pub fn network(&self) -> &ResNetV2 {
        &self.network
    }

    /// Features [B, C, h, w] of the third stage, or the last one of fewer, of pictures [B, 3, H, W] in 0..=1.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<4> {
        let mut outputs = self.outputs(pictures);
        outputs.pop().expect("a network has a stage")
    }

    /// Perceptual distance `[B]` of pictures `a` and `b` [B, 3, H, W], 0 for equal ones: squared distance of the features
    /// as unit vectors, averaged over positions and stages (Zhang et al. 2018, arXiv 1801.03924, without learnt weights).
    pub fn distance(&self, a: Tensor<4>, b: Tensor<4>) -> Tensor<1> {
        let batch = a.dims()[0];
        let (a, b) = (self.outputs(a), self.outputs(b));
        let stages = a.len() as f32;
        a.into_iter()
            .zip(b)
            .map(|(a, b)| {
                let square = (unit(a) - unit(b)).square().sum_dim(1);
                square
                    .reshape([batch as i32, -1])
                    .mean_dim(1)
                    .squeeze_dim(1)
            })
            .reduce(|sum: Tensor<1>, stage| sum + stage)
            .expect("a network has a stage")
            / stages
    }

    fn outputs(&self, pictures: Tensor<4>) -> Vec<Tensor<4>> {
        let count = self.network.stage_count().min(STAGES);
        self.network.stages(pictures, count)
    }
}

/// Features [B, C, H, W] scaled to length 1 along C.
fn unit(x: Tensor<4>) -> Tensor<4> {
    let length = (x.clone().square().sum_dim(1) + 1e-10).sqrt();
    x / length
}
