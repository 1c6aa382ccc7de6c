//! `glyphspace executor map` and `planes`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        args::{ExecutorModel, parse},
        errors::WrongUse,
        output::{claim, claim_picture, say},
        progress::ProgressLine,
        session::{ExecutorSession, refuse_if_interrupted},
    },
    data::{
        language::Code,
        sums::{Sum, Task},
    },
    device::Choice,
    executor::{
        export,
        job::{ExecutorCommand, ExecutorEvent},
        views::{Landscape, LatentPlanes, Triple},
    },
    files::is_same_file,
    latent::holes::largest_void,
    training::{RunCommand, RunEvent, checkpoint::Source},
};

#[derive(Debug, Args)]
pub struct MapArgs {
    /// The sum, such as 71+?=18
    #[arg(value_parser = one_sum)]
    sum: Task,
    #[command(flatten)]
    model: ExecutorModel,
    /// Three programs, such as -53,0,40: the map is of the slice of the space through their places
    #[arg(long, value_name = "A,B,C", allow_hyphen_values = true, value_parser = three_programs)]
    slice: Option<[Code; 3]>,
    /// Cells a side
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..=2048))]
    size: u32,
    /// Write the picture here: PNG, or JPEG where the ending is .jpg
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write the table here: x, y, loss, code, right
    #[arg(long)]
    csv: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PlanesArgs {
    #[command(flatten)]
    model: ExecutorModel,
    /// A second run to draw beside it
    #[arg(long)]
    beside: Option<PathBuf>,
    /// Write the picture here; without it planes.png
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn map(args: &MapArgs, choice: Choice) -> Result<()> {
    let no_file_named = args.out.is_none() && args.csv.is_none();
    let out = args
        .out
        .as_deref()
        .or(no_file_named.then_some(Path::new("map.png")));
    if no_file_named {
        refuse_to_replace(Path::new("map.png"))?;
    }
    if let Some(path) = out {
        claim_picture(path, &[])?;
    }
    if let Some(path) = &args.csv {
        claim(path, &[])?;
        if out.is_some_and(|out| is_same_file(out, path)) {
            let text = format!("--out and --csv are both {}", path.display());
            return Err(WrongUse(text).into());
        }
    }
    let (task, sum) = (&args.sum, args.sum.examples[0]);
    let session = ExecutorSession::open(choice, args.model.source_for(task)?)?;
    let map = draw_map(&session, sum, args.size as usize, args.slice)?;
    if let Some(path) = &args.csv {
        export::map_csv(path, &map)?;
    }
    if let Some(path) = out {
        export::map_png(path, &map, task, None)?;
    }
    let (cell, loss) = map.lowest().context("the map is empty")?;
    let [x, y] = map.loss.center(cell);
    let code = map.code[cell].map_or_else(|| "no number".into(), |code| code.to_string());
    let answer = map.code[cell].and_then(|code| task.answer(&[code]));
    let answer = answer.filter(|_| task.subtracts());
    let answer = answer.map_or_else(String::new, |numbers| format!(" (? is {})", numbers[0]));
    say(format_args!(
        "{task}: lowest loss {loss:.4} at ({x:.3}, {y:.3}), where {code} is decoded{answer}"
    ))?;
    say(format_args!(
        "{0} x {0} cells in {1:.2} s",
        map.loss.size, map.secs
    ))?;
    for path in out.into_iter().chain(args.csv.as_deref()) {
        say(format_args!("wrote {}", path.display()))?;
    }
    session.finish();
    Ok(())
}

/// Refuses to replace a file that nobody named.
fn refuse_to_replace(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        bail!(
            "{} is there already: name another file with --out",
            path.display()
        );
    }
    Ok(())
}

/// Loss map of a sum over the plane, or over the slice through three programs.
///
/// # Errors
/// If the map fails or is interrupted.
pub fn draw_map(
    session: &ExecutorSession,
    sum: Sum,
    size: usize,
    slice: Option<Triple>,
) -> Result<Arc<Landscape>> {
    let mut bar = ProgressLine::new(&format!("mapping {sum}"));
    let mapped = |event| match event {
        ExecutorEvent::Mapped(map) => Some(map),
        _ => None,
    };
    let map = session.request(
        ExecutorCommand::Map { sum, size, slice },
        mapped,
        |session| {
            if let Some(map) = session.views.landscape.get() {
                bar.update(
                    (map.loss.size as f64 / size as f64).powi(2),
                    &format!("{0} x {0} cells", map.loss.size),
                );
            }
            refuse_if_interrupted()
        },
    )?;
    bar.finish(&format!("{:.2} s", map.secs));
    Ok(map)
}

pub fn planes(args: &PlanesArgs, choice: Choice) -> Result<()> {
    let out = args.out.as_deref().unwrap_or(Path::new("planes.png"));
    if args.out.is_none() {
        refuse_to_replace(out)?;
    }
    claim_picture(out, &[])?;
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    let mut models = vec![(args.model.source(1)?.to_string(), show_planes(&session)?)];
    if let Some(run) = &args.beside {
        let opened = |event| matches!(event, ExecutorEvent::Run(RunEvent::Opened(_))).then_some(());
        let open = RunCommand::Open(Source::Run(run.clone()));
        session.request(open.into(), opened, |_| refuse_if_interrupted())?;
        models.push((run.display().to_string(), show_planes(&session)?));
    }
    session.finish();
    let named: Vec<(String, &LatentPlanes)> = models
        .iter()
        .map(|(name, planes)| (name.clone(), planes.as_ref()))
        .collect();
    export::holes_png(out, &named)?;
    let voids = |planes: &LatentPlanes| [&planes.codes, &planes.states].map(largest_void);
    if args.json {
        let models = named.iter().map(|(name, planes)| {
            let [code, state] = voids(planes);
            json!({ "model": name, "code_largest_void": code, "state_largest_void": state })
        });
        return say(json!({ "models": models.collect::<Vec<_>>(), "out": out }));
    }
    for (name, planes) in &named {
        let [code, state] = voids(planes);
        say(format_args!(
            "{name}: largest void {code:.4} of the code plane, {state:.4} of the state plane"
        ))?;
    }
    say(format_args!("wrote {}", out.display()))
}

/// Latent planes of a model of two dimensions.
fn show_planes(session: &ExecutorSession) -> Result<Arc<LatentPlanes>> {
    session.send(ExecutorCommand::Watch(None, None))?;
    let planes = loop {
        refuse_if_interrupted()?;
        session.next()?;
        if let Some(planes) = session.views.planes.get() {
            break planes;
        }
    };
    if planes.codes.dims != 2 {
        bail!(
            "the model has {} latent dimensions: planes need 2",
            planes.codes.dims
        );
    }
    Ok(planes)
}

/// A task whose program is one number that is added or subtracted, as it was typed.
fn one_sum(text: &str) -> Result<Task, String> {
    parse::<Sum>(text)?;
    parse(text)
}

fn three_programs(text: &str) -> Result<[Code; 3], String> {
    let programs: Option<Vec<Code>> = text.split(',').map(|part| part.parse().ok()).collect();
    let programs = programs.and_then(|programs| programs.try_into().ok());
    programs.ok_or_else(|| "expected three programs such as -53,0,40".into())
}
