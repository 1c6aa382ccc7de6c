//! Runs that go on to the last bit.

use std::path::Path;

use burn::tensor::Device;
use glyphspace::{
    data::sums::Sum,
    executor::config::ExecutorConfig,
    executor::{checkpoint, system::ExecutorRun},
    latent::points::Points,
    training::{Limit, Start, checkpoint::Source, config::Config as _},
};

use super::{curve, fresh, small, train};

fn check_resumes_exactly(config: &ExecutorConfig, steps: u64) {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    train(fresh(config), &place("straight"), 2 * steps);
    train(fresh(config), &place("first"), steps);
    // In a folder of its own, and in place.
    train(Start::Resume(place("first")), &place("second"), steps);
    train(Start::Resume(place("first")), &place("first"), steps);
    let straight = curve(&place("straight"));
    assert_eq!(straight.len(), 2 * steps as usize);
    assert_eq!(curve(&place("second")), straight);
    assert_eq!(curve(&place("first")), straight);
    let [first, second, straight] =
        ["first", "second", "straight"].map(|name| answers(&place(name)));
    assert_eq!(first, straight);
    assert_eq!(second, straight);
}

/// What a run's model says: places through both encoders, losses through everything else.
fn answers(run: &Path) -> (Points, Points, Vec<f32>) {
    let executor = checkpoint::load(&Source::Run(run.to_owned()), &Device::flex()).unwrap();
    let places = executor.planes().unwrap();
    let outcome = executor
        .evaluate(
            &places.codes,
            Sum {
                start: 71,
                result: 18,
            },
        )
        .unwrap();
    (places.codes, places.states, outcome.loss)
}

#[test]
fn a_run_that_is_fine_tuned_begins_with_the_weights_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let config = small(&["coarse_to_fine=0"]);
    train(fresh(&config), &place("first"), 10);
    let weights = || checkpoint::of(&Source::Run(place("first"))).unwrap();
    let other = small(&["seed=5", "learning_rate=1e-4"]).for_fine_tuning();
    let tuned = || Start::FineTune(Box::new(other.clone()), weights());
    train(tuned(), &place("begun"), 0);
    assert_eq!(answers(&place("begun")), answers(&place("first")));
    train(tuned(), &place("tuned"), 5);
    let rows = curve(&place("tuned"));
    assert_eq!((rows.len(), rows[0]["position"].as_str()), (5, "0"));
    assert_ne!(answers(&place("tuned")), answers(&place("first")));

    let larger = Start::FineTune(Box::new(small(&["d_ff=64"])), weights());
    let begun = ExecutorRun::start(
        larger,
        (),
        &place("larger"),
        Limit::Steps(1),
        &Device::flex(),
    );
    let error = format!("{:#}", begun.err().unwrap());
    assert!(
        error.contains("model.bpk") && error.contains("doesn't fit"),
        "{error}"
    );
    assert!(!place("larger").exists());
}

#[test]
fn two_hundred_steps_are_a_hundred_and_a_hundred_more_to_the_last_bit() {
    check_resumes_exactly(&small(&["schedule_steps=150", "cell_noise=0.5"]), 100);
}

#[test]
fn the_autoregressive_decoder_resumes_to_the_last_bit_too() {
    check_resumes_exactly(
        &small(&["decoder=autoregressive", "dims=10", "regulariser=seed"]),
        12,
    );
}

#[test]
fn a_run_under_way_resumes_from_its_checkpoint_and_takes_later_rows_again() {
    let folder = tempfile::tempdir().unwrap();
    let (out, straight) = (folder.path().join("run"), folder.path().join("straight"));
    let config = small(&[]);
    train(fresh(&config), &straight, 20);
    // The metrics are ahead of the checkpoint when a process is killed.
    let mut run =
        ExecutorRun::start(fresh(&config), (), &out, Limit::Steps(100), &Device::flex()).unwrap();
    for step in 0..15 {
        run.step().unwrap();
        if step == 9 {
            run.save().unwrap();
        }
    }
    drop(run);
    assert_eq!(curve(&out).len(), 15);
    train(Start::Resume(out.clone()), &out, 10);
    assert_eq!(curve(&out), curve(&straight));
}
