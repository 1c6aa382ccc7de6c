//! `glyphspace executor solve` and `decode`.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use crate::{
    cli::{
        args::{ExecutorModel, parse},
        choices,
        errors::WrongUse,
        output::{note, say},
        session::{ExecutorSession, refuse_if_interrupted},
    },
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    device::Choice,
    executor::{
        command::{can_propose, default_strategy},
        job::{ExecutorCommand, ExecutorEvent, PointQuery, SolveRequest},
        programs::StatePassing,
    },
    latent::search::{Method, Strategy},
};

#[derive(Debug, Args)]
pub struct SolveArgs {
    /// A sum such as 71+?=18; 71+?+?=18 has two lines; several are examples of one program
    #[arg(required = true, value_name = "SUM", value_parser = parse::<Task>)]
    examples: Vec<Task>,
    #[command(flatten)]
    model: ExecutorModel,
    /// Search method; without it bo, warm where the model knows too many programs to visit
    #[arg(long, value_parser = choices::method())]
    method: Option<Method>,
    /// Begin with the inverse encoder's proposals and go on around them
    #[arg(long)]
    warm: bool,
    /// Decode and encode the state again between two lines
    #[arg(long)]
    requantise: bool,
    /// Evaluations at most
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    budget: u32,
    /// Seed of the search
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct PointArgs {
    /// The point, each value from -1 to 1
    #[arg(required = true, num_args = 1.., allow_negative_numbers = true, value_parser = coordinate)]
    point: Vec<f32>,
    #[command(flatten)]
    model: ExecutorModel,
    /// The state to run the program on
    #[arg(
        long,
        default_value_t = 71,
        allow_negative_numbers = true,
        conflicts_with = "sum"
    )]
    state: i32,
    /// A sum to judge the result by
    #[arg(long, value_parser = parse::<Sum>)]
    sum: Option<Sum>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn solve(args: &SolveArgs, choice: Choice) -> Result<()> {
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
    let model = session.views.run.model.get().context("no model is open")?;
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

pub fn decode(args: PointArgs, choice: Choice) -> Result<()> {
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
    check(session.language())?;
    let decoded = |event| match event {
        ExecutorEvent::Decoded(answer) => Some(answer),
        _ => None,
    };
    let question = PointQuery {
        point: args.point,
        state,
        result,
    };
    let answer = session.request(ExecutorCommand::Decode(question), decoded, |_| {
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

fn coordinate(text: &str) -> Result<f32, String> {
    let value = text
        .parse()
        .ok()
        .filter(|value: &f32| (-1.0..=1.0).contains(value));
    value.ok_or_else(|| "expected a number from -1 to 1".into())
}
