//! A step recorded on a GPU, or on Vulkan in software, against steps on the CPU.

use burn::tensor::Device;
use glyphspace::{executor::config::PRESETS, executor::system::ExecutorTrainer};

use super::{
    check_alike,
    parity::{ParityConfig, ParityTrainer},
    small, smaller,
};

/// Few: what is nearest to what hangs on the last digit, and so, soon, everything.
const STEPS: usize = 4;

#[test]
fn a_recorded_step_is_the_step() {
    let Some(gpu) = crate::device::gpu() else {
        return;
    };
    let config = small(&["shards=1", "schedule_steps=8", "inner_step=0.5", "lines=2"]);
    let mut trainer = ExecutorTrainer::new(config.clone(), (), &gpu.device).unwrap();
    let mut reference = ExecutorTrainer::new(config, (), &Device::flex()).unwrap();
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

/// Steps of every preset are captured, and replayed as they are run: two of one plan, and a third.
#[test]
fn every_preset_is_captured() {
    let Some(gpu) = crate::device::gpu() else {
        return;
    };
    for preset in PRESETS {
        let config = smaller(
            preset,
            &[
                "shards=1",
                "batch=8",
                "encoder_layers=1",
                "decoder_layers=1",
                "executor_layers=1",
            ],
        );
        let mut trainer = ExecutorTrainer::new(config, (), &gpu.device).unwrap();
        for _ in 0..3 {
            trainer.step().unwrap();
        }
        let captured = trainer.is_captured();
        let is_so = captured.as_ref().is_some_and(Result::is_ok);
        assert!(is_so, "{preset}: {captured:?}");
    }
}

#[test]
fn a_third_system_is_captured_by_the_same_trainer() {
    let Some(gpu) = crate::device::gpu() else {
        return;
    };
    let config = ParityConfig {
        shards: 1,
        ..ParityConfig::default()
    };
    let mut trainer = ParityTrainer::new(config.clone(), None, &gpu.device).unwrap();
    let mut reference = ParityTrainer::new(config, None, &Device::flex()).unwrap();
    for _ in 0..4 {
        let (metrics, expected) = (trainer.step().unwrap(), reference.step().unwrap());
        check_alike(&metrics, &expected);
    }
    assert!(
        trainer
            .is_captured()
            .is_some_and(|captured| captured.is_ok())
    );
}
