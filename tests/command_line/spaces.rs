//! Spaces of more than two dimensions: layouts, slices, and what is said of them.

use std::fs;

use super::{PNG, check_done, check_json, check_refused, names, trained};

#[test]
fn layouts_are_written_and_judged() {
    let folder = trained();
    let at = folder.path();
    let line =
        "executor project --run run --perplexity 5,30 --seed 3 --out laid --json --device cpu";
    let said = check_json(at, line);
    assert_eq!(said["dims"], 3);
    assert_eq!(said["neighbours"], 12);
    let layouts = said["projections"].as_array().unwrap();
    let ids: Vec<_> = layouts
        .iter()
        .map(|layout| {
            for figure in ["trustworthiness", "continuity"] {
                let share = layout[figure].as_f64().unwrap();
                assert!((0.0..=1.0).contains(&share), "{layout}");
            }
            format!("{} {}", layout["kind"], layout["projection"]).replace('"', "")
        })
        .collect();
    assert_eq!(
        ids,
        [
            "code pca",
            "code tsne-5",
            "code tsne-30",
            "state pca",
            "state tsne-5",
            "state tsne-30"
        ]
    );
    assert_eq!(
        names(&at.join("laid")),
        ["projections.csv", "projections.png"]
            .map(String::from)
            .into()
    );
    let picture = fs::read(at.join("laid/projections.png")).unwrap();
    assert!(picture.starts_with(PNG));
    let table = fs::read_to_string(at.join("laid/projections.csv")).unwrap();
    assert_eq!(table.lines().next(), Some("kind,value,projection,x,y"));
    assert_eq!(table.lines().count(), 1 + 3 * (199 + 90));
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("code,-53,tsne-30,"))
    );

    // The same again, to the last digit; but never over what is there.
    check_refused(at, line, 1, &["laid", "new folder"]);
    check_done(at, &line.replace("laid", "again"));
    assert_eq!(
        table,
        fs::read_to_string(at.join("again/projections.csv")).unwrap()
    );
}

#[test]
fn a_slice_has_a_map() {
    let folder = trained();
    let at = folder.path();
    let said = check_done(
        at,
        "executor map 71+?=18 --run run --slice -53,0,40 --size 16 --out slice.png --csv slice.csv --device cpu",
    );
    assert!(
        said.contains("lowest loss") && said.contains("wrote slice.png"),
        "{said}"
    );
    assert!(fs::read(at.join("slice.png")).unwrap().starts_with(PNG));
    let table = fs::read_to_string(at.join("slice.csv")).unwrap();
    assert_eq!(table.lines().count(), 1 + 16 * 16);
    check_refused(
        at,
        "executor map 71+?=18 --run run --size 16 --device cpu",
        1,
        &["3 latent dimensions", "three programs"],
    );
    check_refused(
        at,
        "executor map 71+?=18 --run run --slice 5,5,40 --device cpu",
        1,
        &["5, 5 and 40", "one line"],
    );
    check_refused(
        at,
        "executor map 71+?=18 --run run --slice 5,40,100 --device cpu",
        1,
        &["100 is unknown", "-99 to 99"],
    );
    for wrong in ["5,40", "5,40,x", "a,b,c", "1,2,3,4"] {
        let line = format!("executor map 71+?=18 --run run --slice {wrong} --device cpu");
        check_refused(at, &line, 2, &["--slice", "three programs"]);
    }
}

#[test]
fn neighbours_are_judged_in_any_space() {
    let folder = trained();
    let report = check_json(folder.path(), "executor eval --run run --json");
    for figure in [
        "order_trustworthiness",
        "order_continuity",
        "pca_trustworthiness",
        "pca_continuity",
    ] {
        let share = report[figure].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{figure}: {share}");
    }
    let plane = check_json(folder.path(), "executor eval --json");
    assert!(
        plane["order_trustworthiness"].as_f64().unwrap() > 0.8,
        "{plane}"
    );
    assert!(plane["pca_trustworthiness"].is_null());
}

#[test]
fn tsne_of_many_points_is_timed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let said = check_json(
        at,
        "bench projection --points 600 --dims 4 --json --places-csv places.csv",
    );
    assert_eq!(
        (said["points"].as_u64(), said["dims"].as_u64()),
        (Some(600), Some(4))
    );
    assert!(
        said["secs"].as_f64().unwrap() > 0.0 && said["trustworthiness"].as_f64().unwrap() > 0.8,
        "{said}"
    );
    assert_eq!(
        fs::read_to_string(at.join("places.csv"))
            .unwrap()
            .lines()
            .count(),
        600
    );
    // What it wrote can be read as points again.
    let said = check_json(at, "bench projection --points-csv places.csv --json");
    assert_eq!(
        (said["points"].as_u64(), said["dims"].as_u64()),
        (Some(600), Some(2))
    );
    // A layout is of the same quality at every scale that can be told apart, and what can't is refused by its line.
    let table = |scale: f64| -> String {
        let row = |n: i32| {
            let [x, y, z] = [n % 10, n / 10 % 10, n % 7].map(|part| f64::from(part) * scale);
            format!("{x:e},{y:e},{z:e}\n")
        };
        (0..200).map(row).collect()
    };
    let trust = |scale: f64| {
        fs::write(at.join("scaled.csv"), table(scale)).unwrap();
        let line = "bench projection --points-csv scaled.csv --json --places-csv laid.csv";
        let trust = check_json(at, line)["trustworthiness"].as_f64().unwrap();
        let laid = fs::read_to_string(at.join("laid.csv")).unwrap();
        let mut values = laid.split([',', '\n']).filter(|text| !text.is_empty());
        assert!(values.all(|text| text.parse::<f64>().is_ok_and(f64::is_finite)));
        trust
    };
    let usual = trust(1.0);
    assert!(usual > 0.9);
    for scale in [1e-36, 1e-20, 1e-9, 1e9, 1e14] {
        let other = trust(scale);
        assert!(
            (other - usual).abs() < 0.03,
            "{other} at {scale:e}, {usual} at 1"
        );
    }
    for huge in ["1e16", "-3e38", "1e39", "inf", "NaN"] {
        fs::write(at.join("huge.csv"), table(1.0) + &format!("1,{huge},2\n")).unwrap();
        let line = "bench projection --points-csv huge.csv --places-csv new.csv";
        check_refused(
            at,
            line,
            1,
            &["huge.csv", "line 201", huge, "expected a number"],
        );
    }
    assert!(!at.join("new.csv").exists());
    fs::write(at.join("bad.csv"), "1,2\n3,x\n").unwrap();
    check_refused(
        at,
        "bench projection --points-csv bad.csv",
        1,
        &["bad.csv", "line 2", "x"],
    );
    check_refused(
        at,
        "bench projection --points-csv none.csv",
        1,
        &["none.csv"],
    );
    check_refused(at, "bench projection --points 3", 2, &["--points", "30"]);
}
