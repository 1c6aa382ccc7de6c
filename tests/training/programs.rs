//! Programs of several lines, with the bundled model.

use burn::tensor::Device;
use glyphspace::{
    data::{
        language::{Code, Execution, Language},
        sums::{Sum, Task},
    },
    executor::{
        checkpoint,
        inference::ExecutorInference,
        programs::{Evaluation, StatePassing},
    },
    latent::points::Points,
};

fn executor(lines: usize) -> ExecutorInference {
    let source = checkpoint::bundled(Language::TwoDigits, None, lines).unwrap();
    checkpoint::load(&source, &Device::flex()).unwrap()
}

/// The places of programs, as one joint point.
fn joint(executor: &ExecutorInference, program: &[i32]) -> Vec<f32> {
    let codes = program.iter().copied().map(Code::Add);
    executor.code_embeddings(codes).unwrap().values
}

#[test]
fn lines_run_on_what_the_ones_before_left() {
    let executor = executor(2);
    let program = [-30, 12, -9];
    let starts: Vec<i32> = (40..=87).collect();
    let point = joint(&executor, &program);
    for between in [StatePassing::Latent, StatePassing::Requantized] {
        let traces = executor.trace(&point, &starts, between).unwrap();
        let (mut right, mut all) = (0, 0);
        for (trace, start) in traces.iter().zip(&starts) {
            assert_eq!(trace.truth, [start - 30, start - 18, start - 27]);
            assert!(trace.loss.iter().flatten().all(|loss| *loss >= 0.0));
            all += 3;
            right += (0..3)
                .filter(|line| trace.states[*line] == Some(trace.truth[*line]))
                .count();
        }
        assert!(right * 100 >= all * 95, "{between:?}: {right} of {all}");
    }
    // What the first line leaves is what running that program alone gives.
    let code = Code::Add(-30);
    let executions = starts.iter().map(|start| Execution {
        start: *start,
        code,
    });
    let alone = executor.run(&executions.collect::<Vec<_>>()).unwrap();
    let traces = executor
        .trace(&point, &starts, StatePassing::Latent)
        .unwrap();
    assert!(
        traces
            .iter()
            .zip(alone)
            .all(|(trace, alone)| trace.states[0] == alone)
    );
}

#[test]
fn a_task_is_judged_by_all_its_examples() {
    let executor = executor(2);
    let one: Task = "71+?+?=18".parse().unwrap();
    let two = Task::all_of(vec![one.clone(), "90+?+?=37".parse().unwrap()]).unwrap();
    let (right, wrong) = (joint(&executor, &[-40, -13]), joint(&executor, &[-40, 9]));
    let points = Points {
        dims: right.len(),
        values: [right.clone(), wrong, right].concat(),
    };
    let found = executor
        .evaluate_each(&points, &[&two, &two, &two], StatePassing::Latent)
        .unwrap();
    assert_eq!(found[0].program, [-40, -13].map(|n| Some(Code::Add(n))));
    assert_eq!(found[1].program, [-40, 9].map(|n| Some(Code::Add(n))));
    assert_eq!(found[0].results, [Some(18), Some(37)]);
    assert!(found[0].solves(&two) && found[0].claims(&two));
    assert!(!found[1].solves(&two) && !found[1].claims(&two));
    assert!(found[0].loss < 1.0 && found[1].loss > 1.0, "{found:?}");
    assert_eq!(found[0], found[2]);
    let slopes = executor.gradients(&points, &[&two, &two, &two]).unwrap();
    let is_whole = |f: &Evaluation| f.gradient.as_ref().is_some_and(|g| g.len() == 4);
    assert!(slopes.iter().all(is_whole));
    assert!((slopes[1].loss - found[1].loss).abs() < 1e-3);
    let misfit = executor
        .evaluate_each(&points, &[&one], StatePassing::Latent)
        .unwrap_err();
    assert!(misfit.to_string().contains("expected 4 values"), "{misfit}");
}

#[test]
fn the_inverse_encoder_proposes_programs() {
    let executor = executor(2);
    let sums: Vec<Sum> = Sum::all().step_by(7).collect();
    let places = executor.propose(&sums).unwrap().unwrap();
    let decoded = executor.decode(&places).unwrap();
    let right = decoded
        .iter()
        .zip(&sums)
        .filter(|(code, sum)| code.is_some_and(|c| sum.is_solved_by(c)));
    let (right, all) = (right.count(), sums.len());
    assert!(right * 2 > all, "{right} of {all}");
}
