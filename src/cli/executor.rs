//! `glyphspace executor ..`.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{
    DecodeArgs, EvalArgs, Executor, ExecutorModel, MapArgs, Model, PlanesArgs, SolveArgs,
    TrainArgs, WrongUse, benchmark,
    output::{claim, claim_picture, note, say},
    progress::Progress,
    projection,
    session::{ExecutorSession, OnInterrupt, listen_for_interrupts, refuse_if_interrupted},
};
use crate::{
    config::executor::ExecutorConfig,
    data::{
        language::{Code, Language},
        sums::{SumError, Task},
    },
    device::Choice,
    executor::{
        checkpoint,
        command::{can_propose, default_strategy},
        evaluation::ExecutorReport,
        export,
        job::{ExecutorCommand, ExecutorEvent, PointQuery, SolveRequest},
        programs::StatePassing,
        views::{Landscape, LatentPlanes, Triple},
    },
    files::is_same_file,
    latent::{holes::largest_void, search::Strategy},
    training::checkpoint::Source,
};

pub fn run(command: Executor, choice: Choice) -> Result<()> {
    listen_for_interrupts(match &command {
        Executor::Train(_) => OnInterrupt::Save,
        _ => OnInterrupt::Leave,
    })?;
    match command {
        Executor::Train(args) => train(args, choice),
        Executor::Eval(args) => eval(&args, choice),
        Executor::Solve(args) => solve(&args, choice),
        Executor::Map(args) => map(&args, choice),
        Executor::Project(args) => projection::project(&args, choice),
        Executor::Decode(args) => decode(args, choice),
        Executor::Planes(args) => planes(&args, choice),
        Executor::Benchmark(args) => benchmark::run(args, choice),
    }
}

impl Model {
    pub fn source(&self) -> Source {
        self.run.clone().map_or(Source::Bundled, Source::Run)
    }
}

impl ExecutorModel {
    /// The run, or the bundled model for programs of so many lines.
    pub fn source(&self, lines: usize) -> Result<Source> {
        self.source_of(self.language.unwrap_or_default(), lines)
    }

    /// The run, or the bundled model that knows all of a task.
    pub fn source_for(&self, task: &Task) -> Result<Source> {
        let wrong = |error: SumError| WrongUse(error.to_string());
        let language = match self.language {
            Some(language) => language,
            None if self.model.run.is_some() => Language::default(),
            None => Language::of(task).map_err(wrong)?,
        };
        self.source_of(language, task.lines())
    }

    fn source_of(&self, language: Language, lines: usize) -> Result<Source> {
        match &self.model.run {
            Some(run) => Ok(Source::Run(run.clone())),
            None => checkpoint::bundled(language, self.dims, lines)
                .map_err(|error| WrongUse(format!("{error:#}")).into()),
        }
    }
}

fn train(args: TrainArgs, choice: Choice) -> Result<()> {
    let start = args.run.start(|| {
        let mut config = ExecutorConfig::preset(&args.preset)?;
        if let Some(dims) = args.dims {
            config = config.with_dims(dims);
        }
        config.seed = args.run.seed.unwrap_or(config.seed);
        Ok(config)
    })?;
    let session = ExecutorSession::open(choice, Source::Bundled)?;
    session.train(start, &args.run.out, args.run.limit())?;
    let report = judge(&session)?;
    print_report(&report)?;
    session.finish();
    Ok(())
}

fn eval(args: &EvalArgs, choice: Choice) -> Result<()> {
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    let report = judge(&session)?;
    if args.json {
        say(format_args!("{}", serde_json::to_string_pretty(&report)?))?;
    } else {
        print_report(&report)?;
    }
    session.finish();
    Ok(())
}

pub fn judge(session: &ExecutorSession) -> Result<ExecutorReport> {
    let judged = |event| {
        if let ExecutorEvent::Evaluated(report) = event {
            Some(*report)
        } else {
            None
        }
    };
    session.ask(ExecutorCommand::Evaluate, judged, |_| {
        refuse_if_interrupted()
    })
}

fn print_report(report: &ExecutorReport) -> Result<()> {
    say(format_args!(
        "{} dimensions, {} values, {} steps in {:.0} s",
        report.dims, report.params, report.steps, report.train_secs
    ))?;
    say(format_args!(
        "results exact      {:.4} of {} sums held out",
        report.held_out_exact, report.pairs_held_out
    ))?;
    say(format_args!(
        "                   {:.4} of the sums trained on",
        report.train_exact
    ))?;
    say(format_args!(
        "states, codes exact {:.4}, {:.4}",
        report.state_exact, report.code_exact
    ))?;
    if let (Some(valid), Some(codes)) = (report.grid_valid, report.grid_codes) {
        say(format_args!(
            "plane              {valid:.4} decodes to a number, {codes} different ones"
        ))?;
    }
    say(format_args!(
        "order              Spearman {:.3}, neighbours {:.3} of the diagonal apart (95th percentile {:.3})",
        report.order_spearman, report.adjacent_median, report.adjacent_p95
    ))?;
    if let (Some(trust), Some(continuity)) = (report.order_trustworthiness, report.order_continuity)
    {
        say(format_args!(
            "neighbours         by value against by distance: trustworthiness {trust:.4}, continuity {continuity:.4}"
        ))?;
    }
    if let (Some(trust), Some(continuity)) = (report.pca_trustworthiness, report.pca_continuity) {
        say(format_args!(
            "PCA plane          trustworthiness {trust:.4}, continuity {continuity:.4}"
        ))?;
    }
    if let (Some(code), Some(state)) = (
        report.code_largest_empty_square,
        report.state_largest_empty_square,
    ) {
        say(format_args!(
            "largest empty square {code:.3} of the code plane's side, {state:.3} of the state plane's"
        ))?;
    }
    if let (Some(code), Some(state)) = (report.code_largest_void, report.state_largest_void) {
        say(format_args!(
            "largest void       {code:.4} of the code plane, {state:.4} of the state plane"
        ))?;
    }
    if let (Some(latent), Some(requantised)) =
        (&report.lines_exact, &report.lines_exact_requantised)
    {
        let text = |shares: &[f64]| {
            let shares: Vec<String> = shares.iter().map(|share| format!("{share:.3}")).collect();
            shares.join(" ")
        };
        say(format_args!(
            "1, 2, .. lines     {}; requantised {}",
            text(latent),
            text(requantised)
        ))?;
    }
    if let Some(proposals) = report.proposals_exact {
        say(format_args!(
            "inverse encoder    {proposals:.4} of the sums held out"
        ))?;
    }
    Ok(())
}

fn solve(args: &SolveArgs, choice: Choice) -> Result<()> {
    let task = Task::all_of(args.examples.clone()).map_err(|error| WrongUse(error.to_string()))?;
    if let Some([first, second]) = task.contradiction() {
        let [a, b] = [first, second].map(|example| task.text_of(&example));
        note(format_args!(
            "glyphspace: no program solves both {a} and {b}: what is added would be {} and {}",
            first.solution(),
            second.solution()
        ));
    }
    let session = ExecutorSession::open(choice, args.model.source_for(&task)?)?;
    let budget = args.budget as usize;
    let model = session.views.model.get().context("no model is open")?;
    let default = default_strategy(&model.config);
    let has_proposals = can_propose(&model.config, Some(&task));
    let strategy = Strategy {
        method: args.method.unwrap_or(default.method),
        is_warm: args.warm || args.method.is_none() && default.is_warm && has_proposals,
    };
    let request = SolveRequest {
        between: match args.requantise {
            true => StatePassing::Requantized,
            false => StatePassing::Latent,
        },
        ..SolveRequest::new(task.clone(), strategy, budget, args.seed)
    };
    let view = session.solve(request)?;
    let found = view.solved.map(|index| &view.path[index]).or(view.best());
    if args.json {
        let result = json!({
            "sum": task.to_string(),
            "lines": task.lines(),
            "method": strategy.method,
            "warm": strategy.is_warm,
            "code": found.and_then(|e| e.code),
            "program": found.map(|e| &e.program),
            "answer": found.and_then(|e| e.answer(&task)),
            "solved": view.solved.is_some(),
            "evaluations": view.spent,
            "best_loss": view.best().map(|e| e.loss),
            "point": found.map(|e| &e.point),
            "path": view.path,
        });
        say(format_args!("{result}"))?;
    } else {
        let text = found.map_or_else(|| "no number".into(), |e| e.text(&task));
        let text = text.replace('\u{2212}', "-");
        let verdict = if view.solved.is_some() {
            "solved"
        } else {
            "not solved; closest"
        };
        say(format_args!(
            "{task}: {verdict}: {text} after {} evaluations",
            view.spent
        ))?;
    }
    session.finish();
    Ok(())
}

/// What the model asked reads and runs.
pub fn language(session: &ExecutorSession) -> Language {
    let model = session.views.model.get();
    model.map_or(Language::default(), |model| model.config.language)
}

fn map(args: &MapArgs, choice: Choice) -> Result<()> {
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

/// A named file is replaced; one nobody named is not.
fn refuse_to_replace(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        bail!(
            "{} is there already: name another file with --out",
            path.display()
        );
    }
    Ok(())
}

pub fn draw_map(
    session: &ExecutorSession,
    sum: crate::data::sums::Sum,
    size: usize,
    slice: Option<Triple>,
) -> Result<std::sync::Arc<Landscape>> {
    let mut bar = Progress::new(&format!("mapping {sum}"));
    let mapped = |event| {
        if let ExecutorEvent::Mapped(map) = event {
            Some(map)
        } else {
            None
        }
    };
    let map = session.ask(
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

fn decode(args: DecodeArgs, choice: Choice) -> Result<()> {
    let (state, result) = args
        .sum
        .map_or((args.state, None), |sum| (sum.start, Some(sum.result)));
    let check = |language: Language| {
        let states = language.states();
        let (low, high) = (states.start(), states.end());
        let wrong = || WrongUse(format!("the state is {state}: expected {low} to {high}"));
        states.contains(&state).then_some(()).ok_or_else(wrong)
    };
    let source = match args.sum {
        Some(sum) => args.model.source_for(&sum.into())?,
        None => args.model.source(1)?,
    };
    if args.sum.is_none() && args.model.model.run.is_none() {
        // Before a device is opened for nothing.
        check(args.model.language.unwrap_or_default())?;
    }
    let session = ExecutorSession::open(choice, source)?;
    check(language(&session))?;
    let decoded = |event| {
        if let ExecutorEvent::Decoded(answer) = event {
            Some(answer)
        } else {
            None
        }
    };
    let question = PointQuery {
        point: args.point,
        state,
        result,
    };
    let answer = session.ask(ExecutorCommand::Decode(question), decoded, |_| {
        refuse_if_interrupted()
    })?;
    if args.json {
        say(format_args!("{}", serde_json::to_string(&answer)?))?;
    } else {
        let text = |n: Option<i32>| n.map_or_else(|| "no number".into(), |n| n.to_string());
        let operation = match answer.code {
            Some(Code::Times(factor)) => format!("x {factor}"),
            Some(Code::Add(addend)) => format!("+ {addend}"),
            None => "+ no number".into(),
        };
        let truth = answer
            .truth
            .map_or_else(String::new, |truth| format!(" (really {truth})"));
        let loss = answer
            .loss
            .map_or_else(String::new, |loss| format!(", loss {loss:.4}"));
        say(format_args!(
            "{state} {operation} = {}{truth}{loss}",
            text(answer.result)
        ))?;
    }
    session.finish();
    Ok(())
}

fn planes(args: &PlanesArgs, choice: Choice) -> Result<()> {
    let out = args.out.as_deref().unwrap_or(Path::new("planes.png"));
    if args.out.is_none() {
        refuse_to_replace(out)?;
    }
    claim_picture(out, &[])?;
    let session = ExecutorSession::open(choice, args.model.source(1)?)?;
    let mut models = vec![(args.model.source(1)?.to_string(), show_planes(&session)?)];
    if let Some(run) = &args.beside {
        let opened = |event| matches!(event, ExecutorEvent::Opened(_)).then_some(());
        let source = Source::Run(run.clone());
        session.ask(ExecutorCommand::Open(source), opened, |_| {
            refuse_if_interrupted()
        })?;
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

/// The places of a model of two dimensions.
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
