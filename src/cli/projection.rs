//! `glyphspace executor project` and `glyphspace bench projection`.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::{
    ExecutorModel, WrongUse,
    output::{claim, say},
    progress::Progress,
    session::{ExecutorSession, refuse_if_interrupted},
};
use crate::{
    device::Choice,
    engine::run_folder::RunFolder,
    executor::{
        export,
        job::ExecutorCommand,
        projection::{Group, Projected},
    },
    files,
    latent::{
        points::Points,
        projection::{Kind, NEIGHBOURS, Tsne, TsneStage, trust, tsne},
    },
};

/// What `executor project` takes.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    #[command(flatten)]
    model: ExecutorModel,
    /// Perplexities of t-SNE, one picture each; lowered where there are too few points for one
    #[arg(long, value_delimiter = ',', default_value = "2,5,30,50,100", value_parser = perplexity)]
    perplexity: Vec<f32>,
    /// Seed of t-SNE
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The folder to make
    #[arg(long)]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `bench projection` takes beside the rest.
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

fn perplexity(text: &str) -> Result<f32, String> {
    let value = text
        .trim()
        .parse()
        .ok()
        .filter(|value: &f32| (1.0..=10_000.0).contains(value));
    value.ok_or_else(|| "expected a perplexity from 1 to 10000".into())
}

/// Goes on until Ctrl-C.
fn until_interrupted() -> ControlFlow<()> {
    match refuse_if_interrupted() {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

pub fn project(args: &ProjectArgs, choice: Choice) -> Result<()> {
    let mut perplexities = args.perplexity.clone();
    perplexities.sort_by(f32::total_cmp);
    perplexities.dedup();
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    session.send(ExecutorCommand::Watch(None, None))?;
    let planes = loop {
        if let Some(planes) = session.views.planes.get() {
            break planes;
        }
        session.next()?;
        refuse_if_interrupted()?;
    };
    session.finish();
    let folder = RunFolder::create(&args.out)?;

    let kinds = Kind::all(&perplexities);
    let mut bar = Progress::new("projecting");
    let all = (Group::ALL.len() * kinds.len()) as f64;
    let mut done = Vec::new();
    for group in Group::ALL {
        for &kind in &kinds {
            let before = done.len() as f64;
            let mut watch = |stage: TsneStage<'_>| {
                let share = stage.step as f64 / stage.steps.max(1) as f64;
                bar.update((before + share) / all, &format!("{} {kind}", group.id()));
                until_interrupted()
            };
            match Projected::new(&planes, group, kind, args.seed, &mut watch) {
                Some(projected) => done.push(projected),
                None => bail!("interrupted"),
            }
        }
    }
    bar.finish(&format!("{} layouts", done.len()));
    let (picture, table) = (
        folder.path().join("projections.png"),
        folder.path().join("projections.csv"),
    );
    export::projections_png(&picture, &done)?;
    export::projections_csv(&table, &done)?;

    if args.json {
        let layout = |p: &Projected| {
            json!({
                "kind": p.group.id(),
                "projection": p.kind.id(),
                "trustworthiness": p.trust.map(|trust| trust.trustworthiness),
                "continuity": p.trust.map(|trust| trust.continuity),
            })
        };
        let layouts: Vec<_> = done.iter().map(layout).collect();
        return say(json!({
            "dims": planes.codes.dims,
            "seed": args.seed,
            "neighbours": NEIGHBOURS,
            "projections": layouts,
            "png": picture,
            "csv": table,
        }));
    }
    say("kind   projection              trustworthiness  continuity")?;
    for p in &done {
        let text = |value: Option<f64>| value.map_or_else(|| "-".into(), |v| format!("{v:.4}"));
        say(format_args!(
            "{:6} {:23} {:15}  {}",
            p.group.id(),
            p.kind.name_of(p.places.len()),
            text(p.trust.map(|trust| trust.trustworthiness)),
            text(p.trust.map(|trust| trust.continuity))
        ))?;
    }
    for path in [&picture, &table] {
        say(format_args!("wrote {}", path.display()))?;
    }
    Ok(())
}

/// Times one t-SNE of points of `dims` values, from the points in memory to their places.
pub fn bench(args: &PointsArgs, dims: usize, as_json: bool) -> Result<()> {
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
    let mut bar = Progress::new("projecting");
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

/// A mixture of 50 bells, the same every time.
fn draw_points(n: usize, dims: usize) -> Points {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    // Twelve uniform numbers make a bell that is near enough to the normal one.
    let mut bell = || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
    let centres: Vec<f32> = (0..50 * dims).map(|_| 3.0 * bell()).collect();
    let values = (0..n * dims)
        .map(|at| centres[(at / dims % 50) * dims + at % dims] + bell())
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
