//! t-SNE of many points.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::{
    cli::{
        args::perplexity,
        errors::WrongUse,
        output::{claim, say},
        progress::ProgressLine,
        session::until_interrupted,
    },
    files,
    latent::{
        points::Points,
        projection::{NEIGHBOURS, Tsne, TsneStage, trust, tsne},
    },
};

/// Arguments of `bench projection` alone.
#[derive(Debug, Args)]
pub struct PointsArgs {
    /// projection: how many points, each of --dims values (10 where nothing is said)
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(30..=100_000))]
    points: u32,
    /// projection: perplexity of the t-SNE
    #[arg(long, default_value_t = 30.0, value_parser = perplexity)]
    perplexity: f32,
    /// projection: read the points from here, one a line, instead of drawing them
    #[arg(long)]
    points_csv: Option<PathBuf>,
    /// projection: write their places here
    #[arg(long)]
    places_csv: Option<PathBuf>,
}

/// Largest value of a point that is read: beyond it, the differences of usual ones vanish beside it.
const LARGEST: f32 = 1e15;

/// Time of one t-SNE of points of `dims` values, from the points in memory to their places.
///
/// # Errors
/// If the points can't be read, or it is interrupted.
pub fn run(args: &PointsArgs, dims: usize, as_json: bool) -> Result<()> {
    if !(2..=1000).contains(&dims) {
        bail!(WrongUse(format!("--dims {dims}: expected 2 to 1000")));
    }
    if let Some(path) = &args.places_csv {
        let source: Vec<&Path> = args.points_csv.iter().map(PathBuf::as_path).collect();
        claim(path, &source)?;
    }
    let points = match &args.points_csv {
        Some(path) => read_points(path)?,
        None => draw_points(args.points as usize, dims),
    };
    let settings = Tsne {
        perplexity: args.perplexity,
        ..Tsne::default()
    };
    let mut bar = ProgressLine::new("projecting");
    let begun = Instant::now();
    let mut watch = |stage: TsneStage<'_>| {
        let share = stage.step as f64 / stage.steps.max(1) as f64;
        bar.update(share, &format!("step {}", stage.step));
        until_interrupted()
    };
    let places = tsne(&points, &settings, &mut watch).context("interrupted")?;
    let secs = begun.elapsed().as_secs_f64();
    bar.finish(&format!("{secs:.2} s"));
    let trust = trust(&points, &places, NEIGHBOURS)
        .with_context(|| format!("{} points are too few to judge", points.len()))?;
    if let Some(path) = &args.places_csv {
        files::write_whole(path, |file| {
            let mut table = csv::Writer::from_writer(file);
            for place in places.iter() {
                table.serialize((place[0], place[1]))?;
            }
            table.flush()?;
            Ok(())
        })?;
    }
    let (n, dims) = (points.len(), points.dims);
    if as_json {
        return say(json!({
            "what": "projection",
            "points": n,
            "dims": dims,
            "perplexity": settings.perplexity_of(n),
            "secs": secs,
            "trustworthiness": trust.trustworthiness,
            "continuity": trust.continuity,
            "neighbours": NEIGHBOURS,
        }));
    }
    say(format_args!(
        "t-SNE of {n} points x {dims}: {secs:.2} s, trustworthiness {:.4}, continuity {:.4}",
        trust.trustworthiness, trust.continuity
    ))
}

/// Mixture of 50 normal distributions, with a fixed seed.
fn draw_points(n: usize, dims: usize) -> Points {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    // The sum of twelve uniform numbers is near enough to a normal one.
    let mut normal = || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
    let centres: Vec<f32> = (0..50 * dims).map(|_| 3.0 * normal()).collect();
    let values = (0..n * dims)
        .map(|at| centres[(at / dims % 50) * dims + at % dims] + normal())
        .collect();
    Points { dims, values }
}

/// Scales values by a power of two, which rounds none that counts, until the largest is about 1: squares of distances
/// neither overflow nor vanish, and a layout is the same at every scale.
fn to_medium_size(values: &mut [f32]) {
    let largest = values
        .iter()
        .fold(0.0_f32, |most, value| most.max(value.abs()));
    if largest > 0.0 && !(1e-6..1e6).contains(&largest) {
        let scale = -f64::from(largest).log2().round();
        for value in values {
            *value = (f64::from(*value) * scale.exp2()) as f32;
        }
    }
}

/// Reads numbers, one point a line, without a head.
fn read_points(path: &Path) -> Result<Points> {
    let open = || -> Result<Points> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(path)?;
        let mut points = Points::default();
        for (line, record) in (1..).zip(reader.records()) {
            let record = record?;
            points.dims = record.len();
            for value in &record {
                let number: f32 = value
                    .trim()
                    .parse()
                    .ok()
                    .filter(|number: &f32| number.is_finite())
                    .with_context(|| format!("line {line}: {value:?}: expected a number"))?;
                ensure!(
                    number.abs() <= LARGEST,
                    "line {line}: {value:?}: expected a number from -{LARGEST:e} to {LARGEST:e}"
                );
                points.values.push(number);
            }
        }
        ensure!(
            (30..=100_000).contains(&points.len()),
            "{} points: expected 30 to 100000, one a line",
            points.len()
        );
        to_medium_size(&mut points.values);
        Ok(points)
    };
    open().with_context(|| format!("can't read {}", path.display()))
}
