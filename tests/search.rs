//! Behaviour of the search methods, through their public interface.

use glyphspace::latent::{
    points::Points,
    search::{Candidate, Method, NoProposals, Observation, Search, Space, Strategy},
};

/// A search of a box of which nothing is known.
fn start(method: Method, dims: usize, seed: u64) -> Box<dyn Search> {
    let space = Space::open(dims);
    glyphspace::latent::search::start(Strategy::cold(method), &space, seed).unwrap()
}

/// Branin's function over the box [-1,1]^2. Its minimum, reached at three places, is `BRANIN_LEAST`.
fn branin(point: &[f32]) -> f32 {
    let x = 7.5 * f64::from(point[0]) + 2.5;
    let y = 7.5 * f64::from(point[1]) + 7.5;
    let pi = std::f64::consts::PI;
    let valley = y - 5.1 / (4.0 * pi * pi) * x * x + 5.0 / pi * x - 6.0;
    (valley * valley + 10.0 * (1.0 - 1.0 / (8.0 * pi)) * x.cos() + 10.0) as f32
}

const BRANIN_LEAST: f32 = 0.397_887;

/// Points proposed in `count` evaluations, with their losses.
fn follow(
    mut search: Box<dyn Search>,
    count: usize,
    loss: impl Fn(&[f32]) -> f32,
) -> Vec<(Vec<f32>, f32)> {
    let mut path = Vec::new();
    for _ in 0..count {
        let Some(candidate) = search.ask() else { break };
        let found = loss(&candidate.point);
        search.tell(&candidate.point, &Observation::loss(found));
        path.push((candidate.point, found));
    }
    path
}

fn points(path: Vec<(Vec<f32>, f32)>) -> Vec<Vec<f32>> {
    path.into_iter().map(|(point, _)| point).collect()
}

fn in_box(point: &[f32]) -> bool {
    point.iter().all(|x| (-1.0..=1.0).contains(x))
}

#[test]
fn sobol_points_fill_the_box_in_any_dimension() {
    for dims in [1, 2, 10, 300] {
        let path = points(follow(start(Method::Sobol, dims, 5), 64, |_| 1.0));
        assert!(path.iter().all(|point| in_box(point)));
        let low = path.iter().filter(|point| point[dims - 1] < 0.0).count();
        assert!((24..=40).contains(&low), "{low}");
    }
}

#[test]
fn a_seed_fixes_the_path_and_another_seed_changes_it() {
    for method in [Method::Bo, Method::Random] {
        let path = |seed| points(follow(start(method, 2, seed), 25, branin));
        assert_eq!(path(3), path(3), "{method}");
        assert_ne!(path(3), path(4), "{method}");
    }
}

#[test]
fn bayesian_optimisation_beats_random_points_on_branin() {
    let regret = |method, seed| {
        let path = follow(start(method, 2, seed), 100, branin);
        path.iter()
            .map(|(_, loss)| loss - BRANIN_LEAST)
            .fold(f32::INFINITY, f32::min)
    };
    const SEEDS: u64 = 6;
    let mut wins = 0u64;
    for seed in 0..SEEDS {
        let (found, by_chance) = (regret(Method::Bo, seed), regret(Method::Random, seed));
        assert!(
            found < 0.1,
            "seed {seed}: {found} above the minimum after 100 evaluations"
        );
        wins += u64::from(found < by_chance);
    }
    assert!(
        wins + 1 >= SEEDS,
        "better than random points for {wins} seeds only"
    );
}

#[test]
fn bayesian_optimisation_hits_a_small_goal_past_a_good_plateau() {
    // A broad plateau of loss 2 holds a goal of radius 0.08, half a percent of the box, with a gentle slope around it.
    let loss = |p: &[f32]| {
        let distance = ((p[0] - 0.55).powi(2) + (p[1] + 0.35).powi(2)).sqrt();
        let rim = (2.0 + 8.0 * (distance - 0.5).max(0.0)).min(9.0);
        if distance < 0.08 {
            0.001
        } else {
            rim - (0.5 - distance).max(0.0)
        }
    };
    for seed in 0..4 {
        let path = follow(start(Method::Bo, 2, seed), 100, loss);
        assert!(path.iter().any(|(_, loss)| *loss < 0.01), "seed {seed}");
    }
}

#[test]
fn proposals_stay_in_the_box_and_do_not_repeat_in_any_dimension() {
    for (dims, count) in [(1, 30), (2, 60), (10, 40), (100, 30)] {
        // The minimum lies in a corner, so that the search presses against the walls.
        let corner = |p: &[f32]| p.iter().map(|x| (1.0 - x).powi(2)).sum::<f32>();
        for method in [Method::Bo, Method::Random] {
            let path = points(follow(start(method, dims, 1), count, corner));
            assert_eq!(path.len(), count);
            assert!(
                path.iter().all(|p| p.len() == dims && in_box(p)),
                "{method} in {dims} dimensions"
            );
            let unique = path.iter().enumerate().all(|(i, p)| !path[..i].contains(p));
            assert!(unique, "{method} in {dims} dimensions");
        }
    }
}

#[test]
fn enumeration_returns_every_place_once_and_then_nothing() {
    let embeddings: Vec<Vec<f32>> = (0..199)
        .map(|i| vec![i as f32 / 100.0 - 1.0, 0.5])
        .collect();
    let space = Space {
        embeddings: Points {
            dims: 2,
            values: embeddings.concat(),
        }
        .into(),
        allowed: vec![std::sync::Arc::new((0..199).collect())],
        ..Space::open(2)
    };
    let strategy = Strategy::cold(Method::Enumerate);
    let mut search = glyphspace::latent::search::start(strategy, &space, 0).unwrap();
    let mut walked = Vec::new();
    while let Some(candidate) = search.ask() {
        search.tell(&candidate.point, &Observation::loss(1.0));
        walked.push(candidate.point);
        assert!(walked.len() <= embeddings.len());
    }
    assert_eq!(walked, embeddings);
    assert_eq!(search.ask(), None);
}

#[test]
fn losses_that_are_not_finite_are_survived() {
    let broken = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
    ];
    for bad in broken {
        // Always, and in half of the box only.
        assert_eq!(follow(start(Method::Bo, 2, 2), 20, |_| bad).len(), 20);
        let path = follow(start(Method::Bo, 2, 2), 40, |p| {
            if p[0] > 0.0 { bad } else { 1.0 + p[1] }
        });
        assert!(path.iter().all(|(p, _)| in_box(p)));
    }
    let path = follow(start(Method::Bo, 2, 2), 60, |p| {
        if p[0] > 0.0 { f32::NAN } else { branin(p) }
    });
    let wasted = path
        .iter()
        .skip(20)
        .filter(|(_, loss)| loss.is_nan())
        .count();
    assert!(
        wasted < 20,
        "{wasted} of 40 proposals where nothing was ever found"
    );
}

#[test]
fn observations_that_repeat_or_agree_are_survived() {
    let mut search = start(Method::Bo, 2, 5);
    for i in 0..40 {
        search.tell(&[0.25, -0.25], &Observation::loss(3.0 + (i % 3) as f32));
    }
    for _ in 0..15 {
        let point = search.ask().expect("never exhausted").point;
        assert!(in_box(&point) && point != [0.25, -0.25]);
        search.tell(&point, &Observation::loss(3.0)); // A flat loss.
        search.tell(&point, &Observation::loss(3.0));
    }
    // Points of another dimension or without a place are ignored.
    search.tell(&[0.0], &Observation::loss(1.0));
    search.tell(&[f32::NAN, 0.0], &Observation::loss(1.0));
    assert!(
        search
            .ask()
            .is_some_and(|candidate| in_box(&candidate.point))
    );
}

#[test]
fn proposals_differ_even_while_no_loss_is_told() {
    let mut search = start(Method::Bo, 2, 8);
    let path: Vec<_> = (0..40)
        .filter_map(|_| search.ask().map(|candidate| candidate.point))
        .collect();
    assert_eq!(path.len(), 40);
    assert!(path.iter().enumerate().all(|(i, p)| !path[..i].contains(p)));
}

/// Numbers -99..=99 on a spiral of `dims` dimensions, as programs of `lines` lines.
fn spiral(dims: usize, lines: usize, initial_points: Vec<Vec<f32>>) -> Space {
    let place = |n: i32| -> Vec<f32> {
        let turn = n as f32 / 99.0;
        (0..dims)
            .map(|d| (3.0 * turn + d as f32).sin() * (0.4 + 0.5 * turn.abs()))
            .collect()
    };
    Space {
        dims,
        lines,
        embeddings: Points {
            dims,
            values: (-99..=99).flat_map(place).collect(),
        }
        .into(),
        allowed: (0..lines)
            .map(|_| std::sync::Arc::new((0..199).collect()))
            .collect(),
        texts: std::sync::Arc::new((-99..=99).map(|n| n.to_string()).collect()),
        initial_points,
    }
}

/// A bowl with its bottom at 0.3 in every direction.
fn bowl(candidate: &Candidate) -> Observation {
    let off = candidate.point.iter().map(|x| x - 0.3);
    let gradient = off.clone().map(|x| 20.0 * x).collect();
    Observation {
        loss: off.map(|x| 10.0 * x * x).sum(),
        gradient: candidate.wants_gradient.then_some(gradient),
    }
}

/// The lowest loss of the bowl in so many proposals.
fn depth(search: &mut dyn Search, count: usize) -> f32 {
    let mut lowest = f32::INFINITY;
    for _ in 0..count {
        let Some(candidate) = search.ask() else { break };
        let observation = bowl(&candidate);
        lowest = lowest.min(observation.loss);
        search.tell(&candidate.point, &observation);
    }
    lowest
}

#[test]
fn methods_that_learn_reach_the_bottom_of_a_bowl() {
    for method in [Method::Bo, Method::Turbo, Method::CmaEs, Method::Gradient] {
        for dims in [2, 10] {
            let reached = depth(&mut *start(method, dims, 1), 150);
            let by_chance = depth(&mut *start(Method::Random, dims, 1), 150);
            assert!(
                reached < 0.05 || reached < 0.4 * by_chance,
                "{method}: {reached}"
            );
        }
    }
}

#[test]
fn a_fork_goes_on_as_the_search_it_was_taken_from() {
    for method in Method::ALL {
        let strategy = Strategy {
            method,
            is_warm: method == Method::Inverse,
        };
        let space = spiral(3, 1, vec![vec![0.2, 0.1, -0.4]]);
        let mut search = glyphspace::latent::search::start(strategy, &space, 5).unwrap();
        let go = |search: &mut dyn Search, count: usize| -> Vec<Vec<f32>> {
            let mut path = Vec::new();
            for _ in 0..count {
                let candidate = search.ask().unwrap();
                search.tell(&candidate.point, &bowl(&candidate));
                path.push(candidate.point);
            }
            path
        };
        go(&mut *search, 17);
        let mut fork = search.fork();
        let ahead = go(&mut *search, 12);
        assert_eq!(go(&mut *fork, 12), ahead, "{method}");
        // As replayed from the start, too.
        let mut again = glyphspace::latent::search::start(strategy, &space, 5).unwrap();
        assert_eq!(go(&mut *again, 29)[17..], ahead, "{method}");
    }
}

#[test]
fn warm_searches_begin_at_the_proposals_and_stay_near() {
    let proposals = vec![vec![0.31, 0.28], vec![-0.5, 0.5]];
    for method in Method::ALL {
        let strategy = Strategy::warm(method);
        let refused = glyphspace::latent::search::start(strategy, &Space::open(2), 0).err();
        assert_eq!(refused, Some(NoProposals(strategy)));
        let space = spiral(2, 1, proposals.clone());
        let mut search = glyphspace::latent::search::start(strategy, &space, 0).unwrap();
        let first = search.ask().unwrap();
        // Walks over programs begin at the nearest one.
        if ![Method::Enumerate, Method::HillClimb].contains(&method) {
            assert_eq!(first.point, proposals[0], "{method}");
        }
        search.tell(&first.point, &bowl(&first));
        // Where programs are known, only those are visited from then on.
        if [
            Method::Bo,
            Method::Turbo,
            Method::Enumerate,
            Method::HillClimb,
        ]
        .contains(&method)
        {
            continue;
        }
        let initial_points = depth(&mut *search, 30);
        let mut cold = start(Method::Random, 2, 0);
        assert!(
            initial_points <= depth(&mut *cold, 31) + 0.1,
            "{method}: {initial_points}"
        );
    }
}

#[test]
fn programs_of_several_lines_are_joint_points_in_the_box() {
    for method in Method::ALL {
        let initial_points = vec![vec![0.1; 6]];
        let strategy = Strategy {
            method,
            is_warm: method == Method::Inverse,
        };
        let space = spiral(2, 3, initial_points);
        let mut search = glyphspace::latent::search::start(strategy, &space, 2).unwrap();
        let mut been = Vec::new();
        for _ in 0..40 {
            let candidate = search.ask().unwrap();
            assert!(
                candidate.point.len() == 6 && in_box(&candidate.point),
                "{method}"
            );
            search.tell(&candidate.point, &bowl(&candidate));
            been.push(candidate.point);
        }
        let unique = been.iter().enumerate().all(|(i, p)| !been[..i].contains(p));
        assert!(unique || method == Method::Gradient, "{method}");
    }
}

#[test]
fn known_programs_are_visited_once_each_and_the_good_ones_soon() {
    let space = spiral(10, 1, Vec::new());
    for method in [Method::Bo, Method::Turbo, Method::HillClimb] {
        let mut search =
            glyphspace::latent::search::start(Strategy::cold(method), &space, 3).unwrap();
        let target = &space.embeddings.values[170 * 10..171 * 10];
        let mut found = None;
        for count in 1..=199 {
            let candidate = search.ask().unwrap();
            assert!(
                space
                    .embeddings
                    .iter()
                    .any(|place| place == candidate.point)
            );
            let off = candidate
                .point
                .iter()
                .zip(target)
                .map(|(x, y)| (x - y).powi(2));
            search.tell(
                &candidate.point,
                &Observation::loss(off.sum::<f32>().sqrt() * 10.0),
            );
            if candidate.point == target {
                found = found.or(Some(count));
            }
        }
        let found = found.unwrap();
        assert!(
            found <= 60 || method == Method::HillClimb,
            "{method}: {found}"
        );
    }
}

#[test]
fn beliefs_are_of_what_was_seen() {
    let mut search = start(Method::Bo, 2, 1);
    let embeddings = Points {
        dims: 2,
        values: vec![0.3, 0.3, -0.9, -0.9],
    };
    assert!(search.posterior(&embeddings).is_none());
    depth(&mut *search, 30);
    let beliefs = search.posterior(&embeddings).unwrap();
    assert!(beliefs[0].mean < beliefs[1].mean);
    assert!(
        beliefs
            .iter()
            .all(|b| b.deviation > 0.0 && b.acquisition.is_finite())
    );
    assert!(start(Method::Random, 2, 1).posterior(&embeddings).is_none());
}
