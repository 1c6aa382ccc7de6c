//! The designs of Code Glyphs side by side, at toy sizes: what they paint, that they learn, what a
//! run keeps of them, and whose eye compares their pictures.

use std::{path::Path, sync::Arc};

use burn::tensor::Device;
use glyphspace::{
    data::{
        bpe::Bpe,
        corpus::{Corpus, CorpusSource as Origin},
    },
    glyphs::{
        checkpoint,
        config::{Design, GLYPH_PRESETS, GLYPH_SIZE, GlyphsConfig},
        inference::GlyphReader,
        networks::{
            generators::CnnConfig,
            mosaic::Layouts,
            resnet_v2::{ResNetV2, ResNetV2Config},
            slot_projection::SlotProjection,
        },
        system::{GlyphsRun, GlyphsSystem, GlyphsTrainer},
    },
    nn::init::Initializer,
    training::{Limit, MetricsTable, Run, Start, checkpoint::Source, config::Config as _},
};
use image::RgbImage;

const DESIGNS: [Design; 3] = [Design::Mosaic, Design::Dense, Design::Cppn];

fn corpus() -> Arc<Corpus> {
    let functions = [
        "a + b",
        "a - b",
        "b * a",
        "a, b",
        "a if b else a",
        "not b",
        "[a]",
        "b",
    ]
    .map(|result| format!("def f(a, b):\n    return {result}\n"));
    let bpe = Bpe::train(functions.clone().into_iter(), 300).unwrap();
    let origin = Origin {
        name: "tests".into(),
        licence: None,
        files: 1,
        functions: 0,
    };
    let mut corpus = Corpus::new(bpe.clone(), 24, vec![origin]).unwrap();
    for function in functions {
        corpus.push(0, "f", &bpe.encode(&function)).unwrap();
    }
    Arc::new(corpus)
}

/// The design's recipe at a size at which it learns by heart, without a noisy channel.
fn tiny(design: Design) -> GlyphsConfig {
    GlyphsConfig {
        design,
        max_tokens: 24,
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 32,
        painter: if design == Design::Dense { 64 } else { 16 },
        blocks: 2,
        enlargement: 4,
        reader: 32,
        pose: 2,
        latent: 100,
        batch: 8,
        validation: 0.0,
        learning_rate: 0.01,
        warmup_steps: 1,
        clean: 1.0,
        scripts: 0.0,
        locator: 2,
        ..GlyphsConfig::preset(match design {
            Design::Mosaic => "pocket",
            Design::Dense | Design::Cppn => "dense",
        })
        .unwrap()
    }
}

fn trainer(config: GlyphsConfig) -> GlyphsTrainer {
    GlyphsTrainer::new(config, corpus(), &Device::flex()).unwrap()
}

fn rows() -> Vec<Vec<u32>> {
    let corpus = corpus();
    let row = |i| corpus.tokens(i).iter().map(|&token| token.into()).collect();
    (0..3).map(row).collect()
}

fn glyphs(reader: &GlyphReader) -> Vec<RgbImage> {
    reader.glyphs(&rows()).unwrap()
}

#[test]
fn a_funnel_narrows_tokens_and_widens_them_again() {
    use burn::module::Module as _;
    let device = Device::flex();
    let init = &mut Initializer::new(1, &device);
    let (down, up) = (
        SlotProjection::down(40, 6, init),
        SlotProjection::up(6, 40, init),
    );
    let slots = burn::tensor::Tensor::<3>::ones([2, 5, 40], &device);
    let narrow = down.forward(slots.clone());
    assert_eq!(narrow.dims(), [2, 5, 6]);
    assert_eq!(up.forward(narrow).dims(), [2, 5, 40]);
    // Nothing to narrow, nothing done.
    let same = SlotProjection::down(40, 40, init).forward(slots.clone());
    assert!(same.equal(slots).all().into_scalar::<u8>() != 0);
    // Widths are halved.
    for widths in [&[768, 384, 192, 96, 48, 24, 16][..], &[64, 32, 16, 8]] {
        let layers = SlotProjection::down(widths[0], widths[widths.len() - 1], init);
        let counts = widths.windows(2).map(|sizes| (sizes[0] + 1) * sizes[1]);
        assert_eq!(layers.num_params(), counts.sum::<usize>());
    }
}

#[test]
fn papers_sizes_are_the_references() {
    let paper = GlyphsConfig::preset("paper").unwrap();
    paper.check().unwrap();
    assert_eq!((paper.latent_size(), paper.slot_latent()), (2048, 16));
    assert_eq!(paper.cnn_sizes(), CnnConfig::paper());
    assert_eq!(paper.resnet_sizes(), ResNetV2Config::bit_r50x1());
}

#[test]
fn every_presets_reader_has_the_values_its_sizes_tell() {
    use burn::module::Module as _;
    for name in GLYPH_PRESETS.into_iter().filter(|&name| name != "paper") {
        let config = GlyphsConfig::preset(name).unwrap();
        config.check().unwrap();
        let sizes = config.resnet_sizes();
        let network = ResNetV2::new(&sizes, &mut Initializer::new(0, &Device::flex()));
        assert_eq!(network.num_params(), sizes.parameters(), "{name}");
        let latent = config.latent_size();
        assert!(
            latent <= config.latent && latent.is_multiple_of(config.max_tokens),
            "{name}"
        );
    }
}

#[test]
fn designs_without_cells_pad_all_functions_alike() {
    let line = tiny(Design::Dense).layouts();
    assert!(line.is_line() && !tiny(Design::Mosaic).layouts().is_line());
    assert!(!Layouts::new(4).is_line());
    let arrangement = line.arrange(vec![line.index_for(1), line.index_for(24)]);
    let slots = arrangement.of.iter().map(|layout| layout.slots());
    assert_eq!(slots.collect::<Vec<_>>(), [24, 24]);
}

#[test]
fn every_design_learns_and_its_runs_go_on_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    for design in DESIGNS {
        let out = folder.path().join(format!("{design:?}"));
        let start = Start::Fresh(Box::new(tiny(design)));
        let run = GlyphsRun::start(start, corpus(), &out, Limit::Steps(12), &Device::flex());
        let mut run: Run<GlyphsSystem> = run.unwrap();
        let untrained = glyphs(&run.trainer.snapshot());
        while !run.is_done() {
            run.step().unwrap();
        }
        run.save().unwrap();
        check_learnt(design, &run.curve);
        let trained = glyphs(&run.trainer.snapshot());
        assert_ne!(trained, untrained, "{design:?}");
        check_kept(&out, &mut run.trainer, &trained);
    }
}

fn check_learnt(design: Design, curve: &MetricsTable) {
    let tokens: Vec<f64> = curve.column("token").collect();
    let mean = |rows: &[f64]| rows.iter().sum::<f64>() / rows.len() as f64;
    let (first, last) = (mean(&tokens[..2]), mean(&tokens[tokens.len() - 2..]));
    let is_finite = curve.column("loss").all(f64::is_finite);
    let is_moved = curve.column("gradient_norm").all(|norm| norm > 0.0);
    assert!(is_finite && is_moved, "{design:?}");
    assert!(last < 0.85 * first, "{design:?}: from {first} to {last}");
}

fn check_kept(out: &Path, trainer: &mut GlyphsTrainer, trained: &[RgbImage]) {
    let reader = checkpoint::load(&Source::Run(out.into()), &Device::flex()).unwrap();
    assert_eq!(glyphs(&reader), trained);
    assert_eq!(reader.params(), trainer.snapshot().params());
    let read = reader.read(trained).unwrap();
    assert!(
        read.iter()
            .all(|read| read.tokens.len() <= 24 && read.certainty <= 0.0)
    );
    let mut resumed = GlyphsTrainer::resume(out, corpus(), &Device::flex()).unwrap();
    let next = |trainer: &mut GlyphsTrainer| {
        let metrics = trainer.step().unwrap();
        let rows = metrics.columns().zip(metrics.values());
        rows.filter(|(name, _)| *name != "train_secs")
            .collect::<Vec<_>>()
    };
    assert_eq!(next(&mut resumed), next(trainer));
}

#[test]
fn morphs_go_from_one_functions_glyph_to_anothers() {
    for design in DESIGNS {
        let reader = trainer(tiny(design)).snapshot();
        let (ends, frames) = (glyphs(&reader), reader.morph(&rows()[..2], 5).unwrap());
        assert_eq!(frames.len(), 5);
        let ahead = |frame: &RgbImage| apart(frame, &ends[0]) - apart(frame, &ends[1]);
        let ahead: Vec<f64> = frames.iter().map(ahead).collect();
        // Programs on the way may be nearer to an end than their neighbours are.
        let is_between = |x: &f64| ahead[0] < *x && *x < ahead[4];
        assert!(
            ahead[0] < 0.0 && ahead[4] > 0.0 && ahead[1..4].iter().all(is_between),
            "{design:?}: {ahead:?}"
        );
    }
}

/// The sum of two pictures' differences.
fn apart(a: &RgbImage, b: &RgbImage) -> f64 {
    let pairs = a.as_raw().iter().zip(b.as_raw());
    pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum()
}

#[test]
fn mosaics_and_cppns_are_painted_at_any_size() {
    for design in DESIGNS {
        let reader = trainer(tiny(design)).snapshot();
        let glyphs = glyphs(&reader);
        assert!(glyphs.iter().all(|glyph| glyph.dimensions() == (128, 128)));
        assert_ne!(glyphs[0], glyphs[1], "{design:?}");
        let large = reader.paint(&rows(), 2 * GLYPH_SIZE);
        if design == Design::Dense {
            let error = large.unwrap_err().to_string();
            assert!(
                error.contains("128x128") && error.contains("256x256"),
                "{error}"
            );
            continue;
        }
        let large = large.unwrap();
        assert_eq!(large[2].dimensions(), (256, 256));
        let mean = |picture: &RgbImage| {
            let values = picture.as_raw().iter().map(|&value| f64::from(value));
            values.sum::<f64>() / picture.as_raw().len() as f64
        };
        let (small, large) = (mean(&glyphs[2]), mean(&large[2]));
        assert!(
            (small - large).abs() < 3.0,
            "{design:?}: {small} and {large}"
        );
    }
}

#[test]
fn the_perceptor_looks_only_where_it_is_asked_and_says_what_it_is() {
    let with = |assignments: &[&str]| {
        let mut config = tiny(Design::Mosaic);
        assignments
            .iter()
            .for_each(|assignment| config.set(assignment).unwrap());
        trainer(config)
    };
    let mut pixels = with(&[]);
    assert_eq!(pixels.system.perceptor(), None);
    let params = pixels.snapshot().params();
    let by_pixels = pixels.step().unwrap();
    assert_eq!(by_pixels.get("repulsion").unwrap(), 0.0);

    let mut seen = with(&["perceptual=true"]);
    assert!(seen.system.perceptor().unwrap().contains("random"));
    assert_eq!(
        seen.snapshot().params(),
        params,
        "it is no part of the model"
    );
    let by_eye = seen.step().unwrap();
    assert!(
        by_eye.get("distance").unwrap() != by_pixels.get("distance").unwrap()
            && by_eye.get("repulsion").unwrap() == 0.0
    );
    assert_eq!(
        by_eye.get("token").unwrap(),
        by_pixels.get("token").unwrap()
    );

    let mut repelled = with(&["repulsion=0.5"]);
    let row = repelled.step().unwrap();
    assert_eq!(
        row.get("distance").unwrap(),
        by_pixels.get("distance").unwrap()
    );
    assert!(
        row.get("repulsion").unwrap() > 0.0 && row.get("repulsion").unwrap() <= 1.0,
        "{}",
        row.get("repulsion").unwrap()
    );
    assert!((row.loss() - by_pixels.loss() - 0.5 * row.get("repulsion").unwrap()).abs() < 1e-3);

    let mut config = tiny(Design::Mosaic);
    config.set("perceptual=true").unwrap();
    config.set("perceptor=nowhere.safetensors").unwrap();
    let error = GlyphsTrainer::new(config, corpus(), &Device::flex())
        .err()
        .unwrap();
    assert!(
        format!("{error:#}").contains("nowhere.safetensors"),
        "{error:#}"
    );
}

/// The bundled model and runs of earlier versions were written when the mosaic was all there was.
#[test]
fn the_mosaics_values_keep_their_paths() {
    let reader = checkpoint::load(&Source::Bundled, &Device::flex()).unwrap();
    assert_eq!(reader.config.design, Design::Mosaic);
    let files = trainer(tiny(Design::Mosaic)).files().unwrap();
    let (_, record) = files.iter().find(|(name, _)| *name == "model.bpk").unwrap();
    let record = String::from_utf8_lossy(record);
    let paths = [
        "text_encoder.embeddings.word_embeddings.weight",
        "generator.paint.weight",
        "reader.look.weight",
        "reader.layout_in.weight",
        "pose.output.bias",
        "text_decoder.lm_head.bias",
    ];
    for path in paths {
        assert!(record.contains(path), "{path}");
    }
    assert!(!record.contains("Mosaic"));
}

/// Keys that came later have values with which such a run goes on as it began.
#[test]
fn configurations_of_earlier_versions_are_read() {
    let pocket = GlyphsConfig::preset("pocket").unwrap();
    let mut json = serde_json::to_value(&pocket).unwrap();
    for key in [
        "blocks",
        "enlargement",
        "perceptual",
        "perceptor",
        "repulsion_weight",
    ] {
        assert!(json.as_object_mut().unwrap().remove(key).is_some(), "{key}");
    }
    assert_eq!(
        serde_json::from_value::<GlyphsConfig>(json).unwrap(),
        pocket
    );
}
