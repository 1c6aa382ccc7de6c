//! A step recorded on a GPU, or on Vulkan in software, against steps on the CPU.

use burn::tensor::Device;
use glyphspace::{
    device::{self, Choice},
    executor::trainer::ExecutorTrainer,
    training::Trainer as _,
};

use super::{check_alike, small};

/// Few: what is nearest to what hangs on the last digit, and so, soon, everything.
const STEPS: usize = 4;

#[test]
fn a_recorded_step_is_the_step() {
    let gpu = device::open(Choice::Adapter(0)).expect("a GPU, or Vulkan in software");
    let config = small(&["shards=1", "schedule_steps=8", "inner_step=0.5", "lines=2"]);
    let mut trainer = ExecutorTrainer::new(config.clone(), &gpu.device).unwrap();
    let mut reference = ExecutorTrainer::new(config, &Device::flex()).unwrap();
    let mut before = None;
    for step in 0..STEPS {
        let (metrics, expected) = (trainer.step().unwrap(), reference.step().unwrap());
        // The first is taken as it comes, the second is recorded.
        let recorded = trainer.is_captured();
        let is_right = recorded.as_ref().map(Result::is_ok) == (step > 0).then_some(true);
        assert!(is_right, "step {step}: {recorded:?}");
        check_alike(&metrics, &expected);
        if step == 2 {
            let executor = trainer.snapshot();
            let places = executor.state_embeddings(0..20).unwrap();
            before = Some((executor, places));
        }
    }
    // What was taken of it stays as it was.
    let (executor, places) = before.unwrap();
    assert_eq!(executor.state_embeddings(0..20).unwrap(), places);
    assert_ne!(trainer.snapshot().state_embeddings(0..20).unwrap(), places);
}
