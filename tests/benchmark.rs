//! The comparison of search methods: its figures, its folder, the models' passes behind it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use glyphspace::{
    data::{language::Language, sums::Task},
    device::{self, Choice},
    engine::Job,
    executor::{
        benchmark::{Comparison, EvaluationCount, Figures, Plan, Problem, sample, wilson},
        checkpoint,
        inference::ExecutorInference,
        job::{BenchmarkOrder, ExecutorCommand, ExecutorEvent, ExecutorJob},
        programs::StatePassing,
        views::ExecutorViews,
    },
    latent::{
        points::Points,
        search::{Method, Strategy},
    },
    training::{SystemJob, checkpoint::Source},
};

fn bundled() -> ExecutorInference {
    let chosen = device::open(Choice::Cpu).unwrap();
    checkpoint::load(&Source::Bundled, &chosen.device).unwrap()
}

fn plan(methods: &[Method], sums: usize, out: Option<&Path>) -> Plan {
    Plan {
        strategies: methods
            .iter()
            .map(|method| Strategy::cold(*method))
            .collect(),
        problems: sample(Language::TwoDigits, sums, 1),
        budget: 30,
        seeds: 1,
        out: out.map(Path::to_owned),
    }
}

/// A job on this thread that compares; `rounds` slices of work at most, then it is stopped.
fn compare(plan: Plan, rounds: usize) -> anyhow::Result<Comparison> {
    let views = Arc::new(ExecutorViews::default());
    let mut job = ExecutorJob::new(Choice::Cpu, &Source::Bundled, views)?;
    let mut events = Vec::new();
    job.command(
        ExecutorCommand::Benchmark(BenchmarkOrder::Begin(plan)),
        &mut events,
    )?;
    let compared = |events: &mut Vec<ExecutorEvent>| {
        events.drain(..).find_map(|event| match event {
            ExecutorEvent::Compared(comparison) => Some(*comparison),
            _ => None,
        })
    };
    for _ in 0..rounds {
        job.work(&mut events)?;
        if let Some(comparison) = compared(&mut events) {
            return Ok(comparison);
        }
    }
    job.command(
        ExecutorCommand::Benchmark(BenchmarkOrder::Stop),
        &mut events,
    )?;
    Ok(compared(&mut events).unwrap())
}

const TO_THE_END: usize = usize::MAX;

#[test]
fn figures_are_those_worked_out_by_hand() {
    // Solved after 1, 10, 40 evaluations, two not within 50: 1 + 10 + 40 + 50 + 50 evaluations, 3 successes.
    let solved = [Some(10), None, Some(1), Some(40), None];
    let figures = Figures::new(&solved, 151, 50);
    let shares: Vec<(usize, f64)> = figures.success_at.iter().map(|(n, s)| (n.0, *s)).collect();
    assert_eq!(shares, [(1, 0.2), (10, 0.4), (25, 0.4), (50, 0.6)]);
    assert_eq!(figures.median_evaluations, 40.0);
    assert!((figures.expected_evaluations.unwrap() - 151.0 / 3.0).abs() < 1e-12);
    // Wilson for 3 of 5: centre (3 + z^2/2) / (5 + z^2), half width z sqrt(3 * 2 / 5 + z^2/4) / (5 + z^2), z = 1.96.
    let [low, high] = figures.interval;
    assert!(
        (low - 0.2307).abs() < 1e-4 && (high - 0.8824).abs() < 1e-4,
        "{low} {high}"
    );
    let none = Figures::new(&[None, None], 100, 50);
    assert_eq!(
        (none.median_evaluations, none.expected_evaluations),
        (51.0, None)
    );
    assert_eq!(none.success_at[&EvaluationCount(50)], 0.0);
    // 0 of 10 leaves up to z^2 / (10 + z^2).
    let [low, high] = wilson(0, 10);
    assert!(low == 0.0 && (high - 0.2775).abs() < 1e-4);
    let [low, high] = wilson(8100, 8100);
    assert!(low > 0.9995 && high > 0.999_999);
}

#[test]
fn samples_are_seeded_and_without_repeats() {
    let some = sample(Language::TwoDigits, 50, 1);
    assert_eq!(some, sample(Language::TwoDigits, 50, 1));
    let distinct: std::collections::HashSet<_> = some.iter().collect();
    assert_eq!((some.len(), distinct.len()), (50, 50));
    assert_eq!(sample(Language::TwoDigits, 8100, 1).len(), 8100);
}

#[test]
fn problems_of_several_operators_have_two_examples_and_a_solution() {
    for lines in [1, 3] {
        let problems = sample(Language::Operators, 60, lines);
        assert_eq!(problems, sample(Language::Operators, 60, lines));
        for problem in &problems {
            assert!(problem.task.is_solved_by(&problem.solution), "{problem:?}");
            assert_eq!(
                (problem.task.lines(), problem.task.examples.len()),
                (lines, 2)
            );
            problem.task.check(Language::Operators).unwrap();
        }
        let multiplies = |problem: &&Problem| !problem.task.may_add();
        assert!(problems.iter().filter(multiplies).count() > 15);
    }
}

#[test]
fn points_that_share_a_pass_are_answered_as_alone() {
    let model = bundled();
    let tasks = sample(Language::TwoDigits, 40, 1);
    let tasks: Vec<&Task> = tasks.iter().map(|problem| problem.task.as_ref()).collect();
    let points = Points {
        dims: 2,
        values: (0..80).map(|i| (i as f32 * 0.37).sin()).collect(),
    };
    let together = model
        .evaluate_each(&points, &tasks, StatePassing::Latent)
        .unwrap();
    for ((point, task), found) in points.iter().zip(&tasks).zip(&together) {
        let alone = model
            .evaluate(&Points::one(point), task.examples[0])
            .unwrap();
        assert_eq!(
            (&found.program, &found.results),
            (&alone.code, &alone.result)
        );
        assert!((found.loss - alone.loss[0]).abs() < 1e-4 * (1.0 + found.loss));
        assert!(found.reached.len() == 2 && found.gradient.is_none());
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    let model = bundled();
    let tasks = sample(Language::TwoDigits, 30, 1);
    let tasks: Vec<&Task> = tasks.iter().map(|problem| problem.task.as_ref()).collect();
    let points = Points {
        dims: 2,
        values: (0..60).map(|i| 0.9 * (i as f32 * 0.61).sin()).collect(),
    };
    let found = model.gradients(&points, &tasks).unwrap();
    let plain = model
        .evaluate_each(&points, &tasks, StatePassing::Latent)
        .unwrap();
    const STEP: f32 = 3e-4;
    let moved = |axis: usize, by: f32| {
        let mut moved = points.clone();
        moved
            .values
            .iter_mut()
            .skip(axis)
            .step_by(2)
            .for_each(|x| *x += by);
        model
            .evaluate_each(&moved, &tasks, StatePassing::Latent)
            .unwrap()
    };
    let mut close = 0;
    for axis in [0, 1] {
        let (ahead, behind) = (moved(axis, STEP), moved(axis, -STEP));
        for i in 0..tasks.len() {
            assert!((found[i].loss - plain[i].loss).abs() < 1e-3 * (1.0 + plain[i].loss));
            let slope = (ahead[i].loss - behind[i].loss) / (2.0 * STEP);
            let gradient = found[i].gradient.as_ref().unwrap()[axis];
            let scale = 1.0 + slope.abs().max(gradient.abs());
            close += usize::from((slope - gradient).abs() < 0.1 * scale);
        }
    }
    // The network has kinks; a difference across one is not the slope on either side.
    assert!(close >= 50, "{close} of 60");
}

#[test]
fn a_benchmark_that_was_stopped_goes_on_to_the_same_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let methods = [Method::Random, Method::Enumerate, Method::Bo];
    let table = |name: &str| fs::read_to_string(path(name).join("results.csv")).unwrap();

    let straight = compare(plan(&methods, 12, Some(&path("straight"))), TO_THE_END).unwrap();
    assert!(straight.is_complete);
    assert_eq!(straight.methods.len(), 3);
    assert!(straight.executor_ceiling > 0.9);
    assert_eq!(table("straight").lines().count(), 1 + 3 * 12);
    assert!(path("straight").join("success.png").is_file());
    let summary = fs::read_to_string(path("straight").join("summary.json")).unwrap();
    let summary: Comparison = serde_json::from_str(&summary).unwrap();
    for (name, figures) in &straight.methods {
        assert_eq!(summary.methods[name].success_at, figures.success_at);
    }

    let stopped = compare(plan(&methods, 12, Some(&path("stopped"))), 40).unwrap();
    assert!(!stopped.is_complete);
    let rows = table("stopped").lines().count();
    assert!((2..=36).contains(&rows), "{rows}");
    // A program that was killed leaves half a row.
    let mut half = table("stopped");
    half.push_str("bo,0,71+");
    fs::write(path("stopped").join("results.csv"), half).unwrap();
    let resumed = compare(plan(&methods, 12, Some(&path("stopped"))), TO_THE_END).unwrap();
    assert!(resumed.is_complete);
    assert_eq!(table("stopped"), table("straight"));

    // Another method joins the table; another budget is refused by name.
    let sobol = compare(
        plan(&[Method::Sobol], 12, Some(&path("stopped"))),
        TO_THE_END,
    )
    .unwrap();
    assert_eq!(sobol.methods.len(), 4);
    let other = Plan {
        budget: 31,
        ..plan(&methods, 12, Some(&path("stopped")))
    };
    let refused = format!("{:#}", compare(other, 1).unwrap_err());
    assert!(refused.contains("budget 30 there, 31 now"), "{refused}");
    fs::write(path("a file"), "").unwrap();
    assert!(compare(plan(&methods, 12, Some(folder.path())), 1).is_err());
}

#[test]
fn methods_are_named_and_wrong_names_refused_with_the_choices() {
    let strategy: Strategy = "warm-bo".parse().unwrap();
    assert_eq!(strategy, Strategy::warm(Method::Bo));
    assert_eq!(strategy.to_string(), "warm-bo");
    let refused = "guess".parse::<Strategy>().unwrap_err().to_string();
    assert!(
        refused.contains("guess") && refused.contains("bo, random"),
        "{refused}"
    );
    // The bundled model's inverse encoder knows the answer at once.
    let warm = Plan {
        strategies: vec![strategy],
        ..plan(&[], 20, None)
    };
    let warm = compare(warm, TO_THE_END).unwrap();
    assert!(warm.methods["warm-bo"].success_at[&EvaluationCount(1)] > 0.8);
}
