//! `glyphspace executor ..`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::{
    DecodeArgs, EvalArgs, Executor, MapArgs, Model, SolveArgs, TrainArgs, benchmark,
    output::say,
    progress::Progress,
    session::{ExecutorSession, listen_for_interrupts, refuse_if_interrupted},
};
use crate::{
    config::executor::ExecutorConfig,
    device::Choice,
    executor::{
        board::Landscape,
        export,
        job::{Command, Event, Question, SolveRequest},
        report::Report,
    },
    latent::search::Strategy,
    training::checkpoint::Source,
};

pub fn run(command: Executor, choice: Choice) -> Result<()> {
    listen_for_interrupts()?;
    match command {
        Executor::Train(args) => train(args, choice),
        Executor::Eval(args) => eval(&args, choice),
        Executor::Solve(args) => solve(&args, choice),
        Executor::Map(args) => map(&args, choice),
        Executor::Decode(args) => decode(args, choice),
        Executor::Benchmark(args) => benchmark::run(args, choice),
    }
}

impl Model {
    pub fn source(&self) -> Source {
        self.run.clone().map_or(Source::Bundled, Source::Run)
    }
}

fn train(args: TrainArgs, choice: Choice) -> Result<()> {
    let start = args.run.start(|| {
        let mut config = ExecutorConfig::preset(&args.preset)?;
        config.dims = args.dims.unwrap_or(config.dims);
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
    let session = ExecutorSession::open(choice, args.model.source())?;
    let report = judge(&session)?;
    if args.json {
        say(format_args!("{}", serde_json::to_string_pretty(&report)?))?;
    } else {
        print_report(&report)?;
    }
    session.finish();
    Ok(())
}

pub fn judge(session: &ExecutorSession) -> Result<Report> {
    let judged = |event| {
        if let Event::Judged(report) = event {
            Some(*report)
        } else {
            None
        }
    };
    session.ask(Command::Judge, judged, |_| refuse_if_interrupted())
}

fn print_report(report: &Report) -> Result<()> {
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
    if let (Some(code), Some(state)) = (
        report.code_largest_empty_square,
        report.state_largest_empty_square,
    ) {
        say(format_args!(
            "largest empty square {code:.3} of the code plane's side, {state:.3} of the state plane's"
        ))?;
    }
    Ok(())
}

fn solve(args: &SolveArgs, choice: Choice) -> Result<()> {
    let session = ExecutorSession::open(choice, args.model.source())?;
    let budget = args.budget as usize;
    let strategy = Strategy {
        method: args.method,
        is_warm: args.warm,
    };
    let view = session.solve(SolveRequest::new(args.sum, strategy, budget, args.seed))?;
    let found = view.solved.map(|index| &view.path[index]).or(view.best());
    if args.json {
        let result = json!({
            "sum": args.sum.to_string(),
            "method": args.method,
            "warm": args.warm,
            "code": found.and_then(|e| e.code),
            "solved": view.solved.is_some(),
            "evaluations": view.spent,
            "best_loss": view.best().map(|e| e.loss),
            "point": found.map(|e| &e.point),
            "path": view.path,
        });
        say(format_args!("{result}"))?;
    } else {
        let code = found
            .and_then(|e| e.code)
            .map_or_else(|| "no number".into(), |code| code.to_string());
        let verdict = if view.solved.is_some() {
            "solved"
        } else {
            "not solved; closest"
        };
        say(format_args!(
            "{}: {verdict}: {code} after {} evaluations",
            args.sum, view.spent
        ))?;
    }
    session.finish();
    Ok(())
}

fn map(args: &MapArgs, choice: Choice) -> Result<()> {
    let no_file_named = args.out.is_none() && args.csv.is_none();
    let out = args
        .out
        .as_deref()
        .or(no_file_named.then_some(Path::new("map.png")));
    // A named file is replaced; one nobody named is not.
    if let Some(path) = out.filter(|path| no_file_named && path.exists()) {
        bail!(
            "{} is there already: name another file with --out",
            path.display()
        );
    }
    let session = ExecutorSession::open(choice, args.model.source())?;
    let map = draw_map(&session, args.sum, args.size as usize)?;
    if let Some(path) = &args.csv {
        export::map_csv(path, &map)?;
    }
    if let Some(path) = out {
        export::map_png(path, &map, None)?;
    }
    let (cell, loss) = map.loss.lowest().context("the map is empty")?;
    let [x, y] = map.loss.center(cell);
    let code = map.code[cell].map_or_else(|| "no number".into(), |code| code.to_string());
    say(format_args!(
        "{}: lowest loss {loss:.4} at ({x:.3}, {y:.3}), where {code} is decoded",
        args.sum
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

pub fn draw_map(
    session: &ExecutorSession,
    sum: crate::data::sums::Sum,
    size: usize,
) -> Result<std::sync::Arc<Landscape>> {
    let mut bar = Progress::new(&format!("mapping {sum}"));
    let mapped = |event| {
        if let Event::Mapped(map) = event {
            Some(map)
        } else {
            None
        }
    };
    let map = session.ask(Command::Map { sum, size }, mapped, |session| {
        if let Some(map) = session.board.landscape.get() {
            bar.update(
                (map.loss.size as f64 / size as f64).powi(2),
                &format!("{0} x {0} cells", map.loss.size),
            );
        }
        refuse_if_interrupted()
    })?;
    bar.finish(&format!("{:.2} s", map.secs));
    Ok(map)
}

fn decode(args: DecodeArgs, choice: Choice) -> Result<()> {
    let session = ExecutorSession::open(choice, args.model.source())?;
    let (state, result) = args
        .sum
        .map_or((args.state, None), |sum| (sum.start, Some(sum.result)));
    let decoded = |event| {
        if let Event::Decoded(answer) = event {
            Some(answer)
        } else {
            None
        }
    };
    let question = Question {
        point: args.point,
        state,
        result,
    };
    let answer = session.ask(Command::Decode(question), decoded, |_| {
        refuse_if_interrupted()
    })?;
    if args.json {
        say(format_args!("{}", serde_json::to_string(&answer)?))?;
    } else {
        let text = |n: Option<i32>| n.map_or_else(|| "no number".into(), |n| n.to_string());
        let truth = answer
            .truth
            .map_or_else(String::new, |truth| format!(" (really {truth})"));
        let loss = answer
            .loss
            .map_or_else(String::new, |loss| format!(", loss {loss:.4}"));
        say(format_args!(
            "{state} + {} = {}{truth}{loss}",
            text(answer.code),
            text(answer.result)
        ))?;
    }
    session.finish();
    Ok(())
}
