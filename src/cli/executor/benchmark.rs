//! `glyphspace executor benchmark`: search methods side by side.

use std::{path::PathBuf, str::FromStr};

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    cli::{
        args::{ExecutorModel, parse},
        output::say,
        progress::ProgressLine,
        session::{ExecutorSession, stop_on_interrupt},
    },
    data::sums::{MAX_LINES, Sum},
    device::Choice,
    executor::{
        benchmark::{Comparison, Plan, sample},
        job::{BenchmarkOrder, ExecutorCommand, ExecutorEvent},
    },
    latent::search::{Method, Strategy},
};

/// Arguments of `executor benchmark`.
#[derive(Debug, Args)]
pub struct BenchmarkArgs {
    #[command(flatten)]
    model: ExecutorModel,
    /// Methods to compare, such as bo,random,warm-bo; without it all cold ones, and where the model has an
    /// inverse encoder that and warm-bo
    #[arg(long, value_delimiter = ',', value_parser = parse::<Strategy>)]
    methods: Vec<Strategy>,
    /// A seeded sample of so many sums, or all
    #[arg(long, default_value = "100", value_parser = parse::<SumCount>)]
    sums: SumCount,
    /// Lines of the programs: 71+?+?=18 has two
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=MAX_LINES as i64))]
    lines: u8,
    /// Evaluations a search may use
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    budget: u32,
    /// Searches of each sum by each method, with the seeds 0, 1, ..
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// A folder for table, summary and picture; with that of an earlier call it goes on there
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Default methods: all cold ones the model can run, and warm-bo where it has an inverse encoder.
fn every_method(has_inverse: bool) -> Vec<Strategy> {
    let cold = Method::ALL.into_iter().map(Strategy::cold);
    let warm = has_inverse.then_some(Strategy::warm(Method::Bo));
    cold.filter(|strategy| has_inverse || !strategy.needs_proposals())
        .chain(warm)
        .collect()
}

/// Number of sums.
#[derive(Clone, Copy, Debug)]
struct SumCount(usize);

impl FromStr for SumCount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = Sum::all().count();
        let count = match text {
            "all" => Some(all),
            number => number.parse().ok().filter(|n| (1..=all).contains(n)),
        };
        count
            .map(Self)
            .ok_or_else(|| format!("expected a number from 1 to {all}, or all"))
    }
}

pub fn run(args: BenchmarkArgs, choice: Choice) -> Result<()> {
    let session = ExecutorSession::open(choice, args.model.source(args.lines.into())?)?;
    let mut strategies = Vec::new();
    let methods = match &args.methods[..] {
        [] => {
            let model = session.views.run.model.get();
            every_method(model.is_some_and(|model| model.config.inverse_weight > 0.0))
        }
        named => named.to_vec(),
    };
    for strategy in methods {
        if !strategies.contains(&strategy) {
            strategies.push(strategy);
        }
    }
    let plan = Plan {
        strategies,
        problems: sample(session.language(), args.sums.0, args.lines.into()),
        budget: args.budget as usize,
        seeds: args.seeds,
        out: args.out.clone(),
    };
    let compared = |event| match event {
        ExecutorEvent::Compared(comparison) => Some(*comparison),
        _ => None,
    };
    let mut bar = ProgressLine::new("benchmark");
    let comparison = session.request(
        ExecutorCommand::Benchmark(BenchmarkOrder::Begin(plan)),
        compared,
        stop_on_interrupt(
            || ExecutorCommand::Benchmark(BenchmarkOrder::Stop),
            |session: &ExecutorSession| {
                if let Some(view) = session.views.benchmark.get() {
                    let eta = view
                        .eta_secs
                        .map_or_else(String::new, |secs| format!(", {secs:.0} s left"));
                    let text = format!(
                        "{} of {} searches{eta}; {}: {:.3} solved",
                        view.done, view.total, view.strategy, view.success
                    );
                    bar.update(view.done as f64 / view.total as f64, &text);
                }
            },
        ),
    )?;
    session.finish();
    let searches: usize = comparison.methods.values().map(|m| m.searches).sum();
    bar.finish(&format!("{searches} searches"));
    if args.json {
        say(format_args!(
            "{}",
            serde_json::to_string_pretty(&comparison)?
        ))?;
    } else {
        print(&comparison)?;
    }
    match &args.out {
        _ if comparison.is_complete => {}
        Some(out) => bail!(
            "interrupted: the same command goes on with what is in {}",
            out.display()
        ),
        None => bail!("interrupted"),
    }
    if let Some(out) = args.out.filter(|_| !args.json) {
        say(format_args!("wrote {}", out.display()))?;
    }
    Ok(())
}

fn print(comparison: &Comparison) -> Result<()> {
    let settings = &comparison.settings;
    say(format_args!(
        "{} sums of {} lines x {} seeds, budget {}, {} dimensions, {} on {}",
        settings.sums,
        settings.lines,
        settings.seeds,
        settings.budget,
        settings.dims,
        settings.model,
        settings.device
    ))?;
    say(format_args!(
        "executor's ceiling {:.4}: the share of tasks for which a right program, encoded and run, gives the right results",
        comparison.executor_ceiling
    ))?;
    let marks = comparison.methods.values().next();
    let marks: Vec<_> = marks
        .into_iter()
        .flat_map(|m| m.success_at.keys())
        .collect();
    let head: String = marks
        .iter()
        .map(|mark| format!(" {:>6}", format!("@{}", mark.0)))
        .collect();
    say(format_args!(
        "{:<16}{head} {:>7} {:>8}  {:<15} {:>6} {:>9}",
        "method", "median", "expected", "95 % interval", "claims", "wall"
    ))?;
    for (name, figures) in &comparison.methods {
        let shares: String = figures
            .success_at
            .values()
            .map(|s| format!(" {s:>6.3}"))
            .collect();
        let expected = figures
            .expected_evaluations
            .map_or_else(|| "none".into(), |n| format!("{n:.1}"));
        let [low, high] = figures.interval;
        say(format_args!(
            "{name:<16}{shares} {:>7.1} {expected:>8}  {low:.4} - {high:.4} {:>6} {:>7.1} s",
            figures.median_evaluations, figures.false_claims, figures.wall_secs
        ))?;
    }
    Ok(())
}
