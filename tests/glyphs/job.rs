//! Questions and runs as the engine takes them. The model is the bundled one, of which nothing is
//! expected.

use std::sync::Arc;

use burn::tensor::Device;
use glyphspace::{
    device::Chosen,
    engine::Job as _,
    glyphs::{
        job::{GlyphsCommand, GlyphsEvent, GlyphsJob},
        views::{GlyphQuery, GlyphsViews, Subject},
    },
    nn::distortions::DistortionKinds,
    training::{Limit, RunCommand, RunEvent, Start, SystemJob, checkpoint::Source},
};
use image::{Rgb, RgbImage};

use super::{corpus, tiny};

fn job() -> (GlyphsJob, Arc<GlyphsViews>) {
    let chosen = Chosen {
        device: Device::flex(),
        name: "cpu".into(),
        reason: "asked for".into(),
        is_gpu: false,
    };
    let views = Arc::new(GlyphsViews::default());
    (
        GlyphsJob::on(chosen, &Source::Bundled, views.clone()).unwrap(),
        views,
    )
}

fn question(subject: Subject, difficulty: f64) -> GlyphQuery {
    GlyphQuery {
        blots: Vec::new(),
        subject,
        difficulty,
        parts: DistortionKinds::ALL,
        seed: 3,
    }
}

#[test]
fn a_question_is_answered_with_glyph_damage_and_reading() {
    let (mut job, views) = job();
    let function = || Subject::Function("def f(x):\n    return x + 1".into());
    job.probe(question(function(), 0.0)).unwrap();
    let answer = views.glyph.get().unwrap();
    assert_eq!(answer.glyph.dimensions(), (128, 128));
    assert_eq!(answer.distorted, answer.glyph);
    assert!(
        answer
            .tokens
            .as_ref()
            .is_some_and(|tokens| !tokens.is_empty())
    );
    assert_eq!(
        answer.reading.pieces.len(),
        answer.reading.decoded.tokens.len()
    );
    let distorted = |job: &mut GlyphsJob| {
        job.probe(question(function(), 9.0)).unwrap();
        views.glyph.get().unwrap().distorted.clone()
    };
    let first = distorted(&mut job);
    assert_ne!(first, answer.glyph);
    assert_eq!(
        distorted(&mut job),
        first,
        "the damage follows from the seed"
    );
    let picture = RgbImage::from_pixel(128, 128, Rgb([1, 2, 3]));
    job.probe(question(Subject::Picture(picture.clone().into()), 0.0))
        .unwrap();
    let answer = views.glyph.get().unwrap();
    assert_eq!(
        (&answer.glyph, &answer.distorted, &answer.tokens),
        (&picture, &picture, &None)
    );

    // What can't be answered leaves the last answer, and says why.
    let version = views.glyph.version();
    let long = Subject::Function("x + ".repeat(200));
    job.probe(question(long, 0.0)).unwrap();
    let error = views.invalid_input.get().unwrap().why.clone();
    assert!(error.contains("tokens") && error.contains("128"), "{error}");
    assert_eq!(views.glyph.version(), version);
}

#[test]
fn the_functions_watched_are_painted_once_and_again_with_another_model() {
    let (mut job, views) = job();
    let (folder, mut events) = (tempfile::tempdir().unwrap(), Vec::new());
    let file = folder.path().join("tiny.corpus");
    corpus().write(&file).unwrap();
    let watch = |corpus, seed| GlyphsCommand::Watch {
        corpus,
        count: 5,
        seed,
    };
    job.command(watch(Some(file), 1), &mut events).unwrap();
    job.work(&mut events).unwrap();
    let grid = views.grid.get().unwrap();
    assert_eq!(grid.tiles.len(), 5);
    assert!(
        grid.tiles
            .iter()
            .all(|tile| tile.text.starts_with("def ") && tile.origin == "tests")
    );
    let version = views.grid.version();
    job.work(&mut events).unwrap();
    assert_eq!(views.grid.version(), version, "painted again for nothing");
    job.command(watch(None, 1), &mut events).unwrap();
    job.work(&mut events).unwrap();
    assert_ne!(views.grid.get().unwrap().tiles[0].text, grid.tiles[0].text);
}

#[test]
fn one_run_at_a_time_and_models_change_between_runs() {
    let (mut job, _) = job();
    let (folder, mut events) = (tempfile::tempdir().unwrap(), Vec::new());
    let (file, out) = (folder.path().join("tiny.corpus"), folder.path().join("run"));
    corpus().write(&file).unwrap();
    let train = |out| -> GlyphsCommand {
        let train = RunCommand::Train {
            start: Start::Fresh(Box::new(tiny(&[]))),
            data: file.clone(),
            out,
            limit: Limit::Steps(2),
        };
        train.into()
    };
    job.command(train(out.clone()), &mut events).unwrap();
    let error = job
        .command(train(folder.path().join("more")), &mut events)
        .unwrap_err();
    assert!(error.to_string().contains("stop it first"), "{error}");
    assert!(!folder.path().join("more").exists());
    let open = || RunCommand::Open(Source::Run(out.clone())).into();
    let error = job.command(open(), &mut events).unwrap_err();
    assert!(error.to_string().contains("in training"), "{error}");
    while !events
        .iter()
        .any(|event| matches!(event, GlyphsEvent::Run(RunEvent::Trained(2))))
    {
        job.work(&mut events).unwrap();
    }
    job.command(open(), &mut events).unwrap();
    assert!(matches!(
        events.last(),
        Some(GlyphsEvent::Run(RunEvent::Opened(_)))
    ));
    let counted = events.len();
    job.command(RunCommand::Stop.into(), &mut events).unwrap();
    assert_eq!(events.len(), counted, "there is no run to stop");
    let alone = GlyphsCommand::Morph {
        functions: vec!["def f(): pass".into()],
        frames: 5,
    };
    let error = job.command(alone, &mut events).unwrap_err().to_string();
    assert!(error.contains("two functions"), "{error}");
}
