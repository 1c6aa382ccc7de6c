//! `bench`: measurements, and traces for other frameworks.

use std::fs;

use serde_json::Value;

use super::{check_done, check_json, check_refused, names};

/// Checks the keys of every measurement: quantity, device, times.
fn check_measured(said: &Value, what: &str, model: &str, preset: &str) {
    assert_eq!(
        (&said["what"], &said["model"], &said["preset"]),
        (&what.into(), &model.into(), &preset.into()),
        "{said}"
    );
    let millis = |key: &str| {
        said[key]
            .as_f64()
            .unwrap_or_else(|| panic!("{key}: {said}"))
    };
    assert!(
        0.0 < millis("median_ms") && millis("median_ms") <= millis("p95_ms"),
        "{said}"
    );
    assert!(said["runs"].as_u64().is_some_and(|runs| runs > 0), "{said}");
    assert!(
        said["device"].as_str().is_some_and(|d| d.contains("CPU")),
        "{said}"
    );
}

#[test]
fn training_steps_of_both_systems_are_timed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let small = "--set d_model=16 --set d_kv=8 --set num_heads=2 --set batch=8";
    let said = check_json(
        at,
        &format!("bench train --steps 3 --preset lines {small} --json --device cpu"),
    );
    check_measured(&said, "train", "executor", "lines");
    assert_eq!(
        (&said["runs"], &said["sizes"]["batch"]),
        (&3.into(), &8.into()),
        "{said}"
    );
    let small = "--set hidden_size=16 --set num_hidden_layers=1 --set batch=4";
    let said = check_json(
        at,
        &format!("bench train --model glyphs --steps 2 {small} --json --device cpu"),
    );
    check_measured(&said, "train", "glyphs", "pocket");
    assert!(said["sizes"]["vocabulary"].as_u64() > Some(1000), "{said}");
    assert_eq!(names(at), [].into(), "a benchmark left something behind");
}

#[test]
fn functions_are_painted_and_read_and_corpora_made_against_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let said = check_json(at, "bench glyph --json --device cpu");
    check_measured(&said, "glyph", "glyphs", "bundled model");
    assert!(said["exact"].as_f64() > Some(0.9), "{said}");
    for part in ["encode", "decode"] {
        assert!(said[part]["p95_ms"].as_f64() > Some(0.0), "{said}");
    }
    let function = |n: usize| format!("def f{n}(x):\n    return x * {n} + {n}\n\n");
    let functions: String = (0..40).map(function).collect();
    fs::write(at.join("functions.py"), functions).unwrap();
    let said = check_json(at, "bench corpus --source functions.py --json");
    check_measured(&said, "corpus", "glyphs", "");
    assert_eq!(said["sizes"]["found"], 40, "{said}");
    assert!(
        said["functions_per_sec"].as_f64() > Some(0.0)
            && said["read"]["functions_per_sec"].as_f64() > Some(0.0),
        "{said}"
    );
    let lines = check_done(at, "bench corpus --source functions.py");
    assert!(lines.contains("functions a second"), "{lines}");
    check_refused(at, "bench corpus --source none.py", 1, &["none.py"]);
}

#[test]
fn frames_are_drawn_while_each_system_trains() {
    if !crate::device::has_adapter() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for model in ["executor", "glyphs"] {
        let line = format!("bench ui --model {model} --json --device cpu");
        let said = check_json(folder.path(), &line);
        check_measured(&said, "ui", model, "pocket");
        assert!(said["sizes"]["steps"].as_u64() > Some(0), "{said}");
        // Until the adapter has drawn it, which takes longer than to lay it out.
        assert!(
            said["adapter"]
                .as_str()
                .is_some_and(|name| !name.is_empty()),
            "{said}"
        );
        let cpu = said["cpu_median_ms"].as_f64();
        assert!(
            cpu > Some(0.0) && said["median_ms"].as_f64() > cpu,
            "{said}"
        );
        if cfg!(target_os = "linux") {
            // Frames that kept a shader each took a gigabyte and a half.
            assert!(
                said["memory"]["growth_percent"].as_f64() < Some(60.0),
                "{said}"
            );
        }
    }
}

#[test]
fn a_trace_has_weights_and_what_every_step_drew() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let train = "bench train --steps 2 --set batch=8 --device cpu";
    check_done(at, &format!("{train} --trace sums"));
    let setup: Value =
        serde_json::from_slice(&fs::read(at.join("sums/setup.json")).unwrap()).unwrap();
    assert_eq!(setup["config"]["batch"], 8);
    assert_eq!(setup["held_out"].as_array().map(Vec::len), Some(810));
    let steps = fs::read_to_string(at.join("sums/steps.jsonl")).unwrap();
    let steps: Vec<Value> = steps
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(steps.len(), 2);
    for step in &steps {
        // Of two shares; a name and its values each.
        let draws = step["draws"].as_array().unwrap();
        assert_eq!(draws.len() % 2, 0);
        assert!(
            draws
                .iter()
                .all(|draw| draw[0].is_string() && draw[1].is_array())
        );
        assert!(step["metrics"]["loss"].is_f64());
    }
    assert_ne!(steps[0]["draws"], steps[1]["draws"]);

    // What is traced is what is trained.
    let run = "executor train --steps 2 --set batch=8 --out run --device cpu";
    check_done(at, run);
    let mut table = csv::Reader::from_path(at.join("run/metrics.csv")).unwrap();
    for (row, step) in table.deserialize().zip(&steps) {
        let row: std::collections::HashMap<String, f64> = row.unwrap();
        let traced = step["metrics"]["loss"].as_f64().unwrap();
        assert!((row["loss"] - traced).abs() < 1e-3 * traced, "{step}");
    }

    check_done(at, &format!("{train} --model glyphs --trace functions"));
    let step = fs::read_to_string(at.join("functions/steps.jsonl")).unwrap();
    let step: Value = serde_json::from_str(step.lines().next().unwrap()).unwrap();
    let drawn: Vec<&str> = step["draws"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|draw| draw[0].as_str())
        .collect();
    assert_eq!(drawn, ["batch", "damage", "pairs"].repeat(2));

    check_done(at, "bench map --trace map --device cpu");
    for trace in ["sums", "functions", "map"] {
        let weights = fs::read(at.join(trace).join("weights.safetensors")).unwrap();
        assert_eq!(weights.get(8), Some(&b'{'), "{trace}");
    }
    check_refused(
        at,
        &format!("{train} --trace sums"),
        1,
        &["sums", "not empty"],
    );
}

#[test]
fn wrong_benchmarks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(&str, &[&str])] = &[
        ("bench fly", &["fly"]),
        ("bench map --model glyphs", &["glyphs", "map"]),
        ("bench train --preset huge", &["huge", "pocket"]),
        (
            "bench train --model glyphs --preset lines",
            &["lines", "paper"],
        ),
        ("bench train --set widht=3", &["widht", "d_model"]),
        ("bench ui --preset huge", &["huge", "pocket"]),
        ("bench train --steps 0", &["0", "steps"]),
        ("bench decode --trace out", &["--trace", "decode"]),
    ];
    for (line, named) in cases {
        check_refused(folder.path(), &format!("{line} --device cpu"), 2, named);
    }
    assert_eq!(names(folder.path()), [].into());
}
