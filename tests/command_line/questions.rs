//! Queries to a model: figures, points, sums and maps.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use super::{PNG, check_done, check_found, check_json, check_refused, glyphspace, names, text};

#[test]
fn eval_has_every_figure() {
    let folder = tempfile::tempdir().unwrap();
    let report = check_json(folder.path(), "executor eval --json --device cpu");
    for key in ["steps", "params", "pairs_held_out", "dims"] {
        assert!(
            report[key].as_u64().is_some_and(|n| n > 0),
            "{key}: {}",
            report[key]
        );
    }
    for key in [
        "held_out_exact",
        "train_exact",
        "state_exact",
        "code_exact",
        "grid_valid",
        "adjacent_median",
        "adjacent_p95",
    ] {
        assert!(
            report[key]
                .as_f64()
                .is_some_and(|share| share > 0.0 && share <= 1.0),
            "{key}: {}",
            report[key]
        );
    }
    assert!(
        report["order_spearman"]
            .as_f64()
            .is_some_and(|r| (-1.0..=1.0).contains(&r)),
        "{report}"
    );
    assert!(
        report["train_secs"].as_f64().is_some_and(|secs| secs > 0.0),
        "{report}"
    );
    assert!(
        report["device"]
            .as_str()
            .is_some_and(|name| name.contains("CPU")),
        "{report}"
    );
    assert!(
        report["adjacent_median"].as_f64() <= report["adjacent_p95"].as_f64(),
        "{report}"
    );
    // A share of 810 sums is a whole number of them.
    let exact =
        report["held_out_exact"].as_f64().unwrap() * report["pairs_held_out"].as_f64().unwrap();
    assert!((exact - exact.round()).abs() < 1e-6, "{report}");
}

#[test]
fn decode_says_what_lies_at_a_point() {
    let folder = tempfile::tempdir().unwrap();
    let decode = |rest: &str| {
        check_json(
            folder.path(),
            &format!("executor decode {rest} --json --device cpu"),
        )
    };
    for point in ["0.1 0.2", "-0.9 -0.95", "1 -1"] {
        let answer = decode(&format!("{point} --state 40"));
        assert_eq!(
            (&answer["state"], &answer["loss"]),
            (&40.into(), &Value::Null),
            "{answer}"
        );
        let keys: BTreeSet<&str> = answer
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            keys.is_superset(&["code", "result", "truth", "loss"].into()),
            "{answer}"
        );
        match answer["code"].as_i64() {
            Some(code) => assert_eq!(answer["truth"].as_i64(), Some(40 + code), "{answer}"),
            None => assert_eq!(
                (&answer["code"], &answer["truth"]),
                (&Value::Null, &Value::Null),
                "{answer}"
            ),
        }
    }
    let answer = decode("0.1 0.2 --sum 45+?=90");
    assert_eq!(answer["state"], 45);
    assert!(
        answer["loss"].as_f64().is_some_and(|loss| loss >= 0.0),
        "{answer}"
    );
    let line = check_done(folder.path(), "executor decode -0.5 0.5 --device cpu");
    assert!(
        line.starts_with("71 + ") && line.contains(" = ") && line.lines().count() == 1,
        "{line:?}"
    );
}

#[test]
fn solve_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let solve = |rest: &str| {
        check_json(
            folder.path(),
            &format!("executor solve {rest} --json --device cpu"),
        )
    };
    let found = solve("71+?=18 --method enumerate --budget 199");
    check_found(&found, 71, 18);
    assert_eq!(
        (&found["solved"], &found["code"]),
        (&true.into(), &Value::from(-53)),
        "{}",
        found["code"]
    );
    // A walk through -99, -98, .. that ends at the solution.
    assert_eq!(found["evaluations"], 47);
    let found = solve("71+x=18 --method enumerate --budget 46");
    check_found(&found, 71, 18);
    assert_eq!(
        (&found["solved"], &found["evaluations"]),
        (&false.into(), &46.into())
    );
    for (sum, start, result) in [("71+?=18", 71, 18), ("?+12=87", 12, 87)] {
        for method in ["bo", "random"] {
            let line = format!("{sum} --method {method} --budget 12 --seed 4");
            let found = solve(&line);
            check_found(&found, start, result);
            assert!(found["evaluations"].as_u64().unwrap() <= 12);
            let again = solve(&line);
            assert_eq!(
                again["path"], found["path"],
                "{method} is not fixed by its seed"
            );
        }
    }
    let line = check_done(
        folder.path(),
        "executor solve 71+?=18 --method enumerate --device cpu",
    );
    assert!(line.contains("71+?=18") && line.contains("-53"), "{line}");
}

#[test]
fn a_subtraction_is_answered_as_it_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let rest = "--method enumerate --device cpu";
    for typed in ["71-?=18", "71\u{2212}\u{ff1f}=18"] {
        let line = check_done(at, &format!("executor solve {typed} {rest}"));
        assert!(
            line.starts_with("71-?=18: solved: 53 (program -53)") && !line.contains('+'),
            "{line}"
        );
        let found = check_json(at, &format!("executor solve {typed} --json {rest}"));
        check_found(&found, 71, 18);
        assert_eq!(found["sum"], "71-?=18");
        assert_eq!(found["answer"], serde_json::json!([53]), "{found}");
        assert_eq!(found["program"], serde_json::json!([-53]), "{found}");
    }
    let found = check_json(at, &format!("executor solve 71+?=18 --json {rest}"));
    assert_eq!(found["answer"], serde_json::json!([-53]), "{found}");
    let line = check_done(at, &format!("executor solve ?-71=18 {rest} --budget 40000"));
    assert!(line.contains("solved: 89"), "{line}");

    let map = "executor map 71-?=18 --size 32 --out map.png --device cpu";
    let said = check_done(at, map);
    assert!(said.starts_with("71-?=18: lowest loss"), "{said}");
    assert!(said.contains("-53 is decoded (? is 53)"), "{said}");
    let answer = check_json(
        at,
        "executor decode 0.1 0.2 --sum 71-?=18 --json --device cpu",
    );
    assert_eq!(answer["state"], 71, "{answer}");
    // Examples that no program solves together are named as they were typed.
    let output = glyphspace(
        at,
        &format!("executor solve 71-?=18 20-?=3 --budget 3 {rest}")
            .replace("--method enumerate", ""),
    );
    let said = text(&output.stderr);
    assert!(said.contains("71-?=18 and 20-?=3"), "{said}");
}

#[test]
fn a_map_is_written_cell_by_cell() {
    let folder = tempfile::tempdir().unwrap();
    let map = |files: &str| {
        let line = format!("executor map 71+?=18 --size 20 --device cpu {files}");
        check_done(folder.path(), &line);
    };
    map("--csv map.csv");
    assert_eq!(
        names(folder.path()),
        ["map.csv".to_owned()].into(),
        "a picture nobody asked for"
    );
    let mut table = csv::Reader::from_path(folder.path().join("map.csv")).unwrap();
    assert_eq!(
        table.headers().unwrap(),
        vec!["x", "y", "loss", "code", "right"]
    );
    let mut cells = BTreeMap::new();
    for row in table.deserialize() {
        let (x, y, loss, code, right): (f32, f32, f32, Option<i32>, bool) = row.unwrap();
        assert!(loss.is_finite() && loss >= 0.0);
        assert_eq!(
            right,
            code.is_some_and(|code| 71 + code == 18),
            "{code:?} at {x}, {y}"
        );
        let cell = |z: f32| ((z + 1.0) * 10.0).floor() as i32;
        let centre = |z: f32| (cell(z) as f32 + 0.5) / 10.0 - 1.0;
        assert!(
            (x - centre(x)).abs() < 1e-5 && (y - centre(y)).abs() < 1e-5,
            "{x}, {y} is no cell's centre"
        );
        cells.insert((cell(x), cell(y)), code);
    }
    assert_eq!(cells.len(), 400, "one row a cell");
    assert!(
        cells
            .keys()
            .all(|(x, y)| (0..20).contains(x) && (0..20).contains(y))
    );

    map("--out picture.png --csv both.csv");
    assert!(
        fs::read(folder.path().join("picture.png"))
            .unwrap()
            .starts_with(PNG)
    );
    assert_eq!(
        fs::read(folder.path().join("both.csv")).unwrap(),
        fs::read(folder.path().join("map.csv")).unwrap()
    );
}

#[test]
fn a_picture_that_was_not_named_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let line = "executor map 71+?=18 --size 16 --device cpu";
    check_done(folder.path(), line);
    let picture = folder.path().join("map.png");
    let first = fs::read(&picture).unwrap();
    assert!(first.starts_with(PNG));
    fs::write(&picture, "precious").unwrap();
    let output = glyphspace(folder.path(), line);
    let complaints = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaints}");
    assert!(
        complaints
            .lines()
            .last()
            .is_some_and(|line| line.contains("map.png")),
        "{complaints}"
    );
    assert_eq!(fs::read_to_string(picture).unwrap(), "precious");
}

#[test]
fn large_numbers_and_multiplications_have_models_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (sum, code) in [
        ("4821+?=-3310", -8131),
        ("-9999+?=9999", 19998),
        ("171+?=-18", -189),
        ("0+?=-1", -1),
    ] {
        let line = format!("executor solve {sum} --json --device cpu");
        let found = check_json(at, &line);
        assert_eq!(found["solved"], true, "{found}");
        assert_eq!(found["code"].as_i64(), Some(code), "{found}");
        assert!(found["evaluations"].as_u64().unwrap() <= 200);
    }
    let line = "executor solve 12x?=84 5x?=35 --json --device cpu";
    let found = check_json(at, line);
    assert_eq!(found["code"], "x7", "{found}");
    let line =
        "executor solve 12x?+?=90 5x?+?=41 --method hill-climb --budget 2000 --json --device cpu";
    let found = check_json(at, line);
    assert_eq!(found["program"], serde_json::json!(["x7", 6]), "{found}");
    check_refused(at, "executor solve 171x?=84", 2, &["171", "0 to 99"]);
    check_refused(
        at,
        "executor map 4821+?=-3310 --device cpu",
        1,
        &["16", "expected 2"],
    );
}
