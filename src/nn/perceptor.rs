//! A frozen eye: how different two pictures look to a network that doesn't learn.

use std::path::{Path, PathBuf};

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    init::Initializer,
    resnet_v2::{ResNetV2, ResNetV2Config},
    weights::{WeightsError, read_weights},
};

/// What wrappers put before timm's keys.
const WRAPPERS: (&str, &str) = (r"^(module|model|backbone|timm_model)\.", "");

/// The reference looks with the third stage, and so do we where there is one.
const STAGES: usize = 3;

/// A ResNet-v2 whose weights get no gradient, while the pictures do. Keep it out of the module that
/// is trained: an optimiser may move what has no gradient (weight decay).
#[derive(Clone, Debug)]
pub struct Perceptor {
    network: ResNetV2,
    file: Option<PathBuf>,
}

impl Perceptor {
    /// Random kernels by `seed`, which still tell textures apart (cf. Ustyuzhaninov et al. 2016,
    /// arXiv 1606.00021).
    pub fn random(config: &ResNetV2Config, seed: u64, device: &Device) -> Self {
        let network = ResNetV2::new(config, &mut Initializer::new(seed, device));
        Self {
            network: network.no_grad(),
            file: None,
        }
    }

    /// Weights from a safetensors file with timm's names of `resnetv2_50x1_bit` (for
    /// [`ResNetV2Config::bit_r50x1`]); a head in it is passed over.
    ///
    /// # Errors
    /// Names the file and the key that is missing or doesn't fit.
    pub fn read(
        file: &Path,
        config: &ResNetV2Config,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let network = ResNetV2::new(config, &mut Initializer::new(0, device));
        Ok(Self {
            network: read_weights(network, file, &[WRAPPERS])?.no_grad(),
            file: Some(file.to_path_buf()),
        })
    }

    /// Whether it has seen pictures before.
    pub fn is_pretrained(&self) -> bool {
        self.file.is_some()
    }

    /// For people: whose eye it is.
    pub fn description(&self) -> String {
        match &self.file {
            Some(file) => format!("perceptor pretrained, from {}", file.display()),
            None => "perceptor random, not pretrained".into(),
        }
    }

    /// Its frozen network.
    pub fn network(&self) -> &ResNetV2 {
        &self.network
    }

    /// Pictures [B, 3, H, W] in 0..=1 to the third stage's features [B, C, h, w], or the last
    /// one's of fewer.
    pub fn features(&self, pictures: Tensor<4>) -> Tensor<4> {
        let mut outputs = self.outputs(pictures);
        outputs.pop().expect("a network has a stage")
    }

    /// How different pictures `a` and `b` [B, 3, H, W] look, `[B]` and 0 for equal ones: at each
    /// place the squared distance of the features as unit vectors, averaged over the places and the
    /// stages (Zhang et al. 2018, arXiv 1801.03924, with no learnt weights).
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

/// [B, C, H, W] with a length of 1 along C.
fn unit(x: Tensor<4>) -> Tensor<4> {
    let length = (x.clone().square().sum_dim(1) + 1e-10).sqrt();
    x / length
}
