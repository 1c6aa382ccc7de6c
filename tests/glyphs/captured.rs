//! Steps recorded on a GPU, or on Vulkan in software, against steps on the CPU.

use burn::tensor::Device;
use glyphspace::{glyphs::config::GLYPH_PRESETS, glyphs::system::GlyphsTrainer};

use super::{corpus, shrunk};
use crate::training::check_alike;

/// Designs and steps. The mosaic's steps are of two kinds, in turns: with pictures that are hit and without. Few: what lies on the edge of a rounding hangs on the last digit, and so, soon, everything.
const STEPS: [(&str, usize); 2] = [("pocket", 6), ("cppn", 5)];

#[test]
fn a_recorded_step_is_the_step() {
    let Some(gpu) = crate::device::gpu() else {
        return;
    };
    for (preset, steps) in STEPS {
        let recipe = ["shards=1", "schedule_steps=12", "difficulty=3"];
        let config = shrunk(
            preset,
            &[&recipe[..], &["looks_from=0", "clean=0.85"]].concat(),
        );
        let mut trainer = GlyphsTrainer::new(config.clone(), corpus(), &gpu.device).unwrap();
        let mut reference = GlyphsTrainer::new(config, corpus(), &Device::flex()).unwrap();
        for _ in 0..steps {
            let (metrics, expected) = (trainer.step().unwrap(), reference.step().unwrap());
            check_alike(&metrics, &expected);
        }
        let recorded = trainer.is_captured();
        let is_so = recorded.as_ref().is_some_and(Result::is_ok);
        assert!(is_so, "{preset}: {recorded:?}");
    }
}

/// Steps of every preset are captured.
#[test]
fn every_preset_is_captured() {
    let Some(gpu) = crate::device::gpu() else {
        return;
    };
    for preset in GLYPH_PRESETS {
        let config = shrunk(preset, &["shards=1", "clean=0"]);
        let mut trainer = GlyphsTrainer::new(config, corpus(), &gpu.device).unwrap();
        let is_captured = (0..20).any(|_| {
            trainer.step().unwrap();
            trainer.is_captured().is_some()
        });
        let captured = trainer.is_captured();
        let is_so = captured.as_ref().is_some_and(Result::is_ok);
        assert!(is_captured && is_so, "{preset}: {captured:?}");
    }
}
