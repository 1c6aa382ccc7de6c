//! Times of corpora: build and read.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use super::measured::{BenchArgs, Measured, quantiles, temporary};
use crate::{
    cli::{glyphs::corpus::installed, progress::ProgressLine, session::refuse_if_interrupted},
    data::corpus::{BuildOptions, Corpus, Input, build},
};

/// Number of builds, and of reads.
const RUNS: usize = 3;

/// Times the build of a corpus from its sources' files, and the read of it.
pub fn run(args: &BenchArgs) -> Result<Measured> {
    let mut inputs: Vec<Input> = args.source.iter().cloned().map(Input::Path).collect();
    if inputs.is_empty() {
        inputs.push(installed()?);
    }
    let names: Vec<String> = inputs.iter().map(Input::name).collect();
    let folder = temporary()?;
    let path = folder.path().join("functions.corpus");
    let mut bar = ProgressLine::new("building");
    let (mut building, mut reading, mut report) = (Vec::new(), Vec::new(), None);
    for nth in 0..RUNS {
        let begun = Instant::now();
        let built = build(&inputs, &path, &BuildOptions::default(), &mut |now| {
            let done = (nth as f64 + now.done) / RUNS as f64;
            bar.update(done, &format!("{} functions", now.functions));
            refuse_if_interrupted().is_ok()
        })?;
        building.push(begun.elapsed().as_secs_f64() * 1e3);
        report = Some(built);
        let begun = Instant::now();
        Corpus::open(&path)?;
        reading.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let report = report.context("a corpus was built")?;
    bar.finish(&format!("{} functions", report.kept));
    let rate = |functions: usize, millis: &[f64]| functions as f64 / quantiles(millis).0 * 1e3;
    let (found, kept) = (rate(report.found, &building), rate(report.kept, &reading));
    let read_ms = quantiles(&reading).0;
    let mut measured = Measured::new(building).with(json!({
        "functions_per_sec": found,
        "read": { "median_ms": read_ms, "functions_per_sec": kept },
        "source": names.join(", "),
        "sizes": {
            "files": report.files,
            "found": report.found,
            "functions": report.kept,
            "vocabulary": report.vocabulary,
        },
    }));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    measured.device = format!("CPU ({threads} threads)");
    measured.lines = vec![
        format!(
            "built: {found:.0} functions a second, {} of {} found kept",
            report.kept, report.found
        ),
        format!("read: {read_ms:.1} ms, {kept:.0} functions a second"),
    ];
    Ok(measured)
}
