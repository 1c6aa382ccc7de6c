//! Pictures in files.

use std::path::Path;

use egui::{Rect, pos2, vec2};
use glyphspace::latent::field::Field;
use glyphspace::palette::Scale;
use glyphspace::plot::placement::{Area, LabelCandidate, place};
use glyphspace::plot::{self, Panel, PlotCurve, Spot};
use glyphspace::ui::canvas::View;

use super::{mixed_field, programs};

#[test]
fn labels_never_overlap() {
    let rect = Rect::from_min_size(pos2(30.0, 10.0), vec2(640.0, 600.0));
    let bounds = Area {
        min: rect.min.into(),
        max: rect.max.into(),
    };
    for zoom in [0.8, 1.0, 1.7, 3.0, 9.0, 60.0] {
        let view = View {
            center: [0.2, -0.1],
            zoom,
        };
        let candidates: Vec<LabelCandidate> = programs()
            .iter()
            .map(|mark| LabelCandidate {
                at: view.screen_from_latent(rect, mark.at).into(),
                size: [7.0 * mark.label.chars().count() as f32 + 4.0, 14.0],
                radius_px: mark.radius,
                priority: mark.priority,
                may_cover_discs: false,
            })
            .collect();
        let places = place(&candidates, bounds);
        let placed: Vec<(usize, Area)> = places
            .iter()
            .enumerate()
            .filter_map(|(i, area)| Some((i, (*area)?)))
            .collect();
        for (position, (i, a)) in placed.iter().enumerate() {
            for (j, b) in &placed[position + 1..] {
                assert!(
                    !a.overlaps(b),
                    "zoom {zoom}: labels {i} and {j} overlap: {a:?}, {b:?}"
                );
            }
            assert!((0..2).all(|axis| a.min[axis] >= bounds.min[axis] - 0.02
                && a.max[axis] <= bounds.max[axis] + 0.02));
        }
        // Nothing of higher priority was given up for something lower: the first is always placed.
        let visible = candidates
            .iter()
            .filter(|candidate| bounds.contains(candidate.at))
            .count();
        assert!(
            placed.len() * 2 >= visible.min(200),
            "zoom {zoom}: {} of {visible} placed",
            placed.len()
        );
    }
    let crowd = [1.0, 3.0, 2.0].map(|priority| LabelCandidate {
        at: [100.0, 100.0],
        size: [20.0, 12.0],
        radius_px: 0.0,
        priority,
        may_cover_discs: true,
    });
    let is_placed: Vec<bool> = place(&crowd, bounds).iter().map(Option::is_some).collect();
    assert_eq!(is_placed, [false, true, false]);
}

fn assert_dimensions(path: &Path, wanted: [u32; 2]) {
    let image = image::open(path).expect("a readable picture").to_rgb8();
    assert_eq!([image.width(), image.height()], wanted);
    let mut colors: Vec<_> = image.pixels().map(|pixel| pixel.0).collect();
    colors.sort_unstable();
    colors.dedup();
    assert!(
        colors.len() > 50,
        "only {} colours in {}",
        colors.len(),
        path.display()
    );
}

#[test]
fn pictures_are_written_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let field = mixed_field(32);
    let truth = Field::from_fn(16, |x, y| f32::from(x > y));
    let marks = programs();
    let spots: Vec<Spot<'_>> = marks
        .iter()
        .map(|mark| Spot {
            at: mark.at,
            label: &mark.label,
            color: mark.color,
        })
        .collect();
    let path = [[0.5, 0.5], [0.1, 0.2], [-0.2, 0.1]];
    let heat = Panel::heat_map("Loss", &field, Scale::loss(0.5, 30.0), "nats")
        .with_spots(&spots)
        .with_path(&path);
    let file = |name: &str| folder.path().join(name);

    plot::panels_png(&file("heat.png"), &[heat], [1000, 900]).expect("written");
    assert_dimensions(&file("heat.png"), [1000, 900]);
    let panels = [heat, Panel::truth_map("Truth", &truth).with_spots(&spots)];
    plot::panels_png(&file("both.png"), &panels, [1300, 600]).expect("written");
    assert_dimensions(&file("both.png"), [1300, 600]);
    let points = Panel::points("Programs", &spots, Scale::value(-99.0, 99.0), "Number");
    plot::panels_png(&file("points.png"), &[points], [500, 450]).expect("written");
    assert_dimensions(&file("points.png"), [500, 450]);

    let curve = [
        (0.0, 3.0),
        (1.0, 0.5),
        (2.0, f64::NAN),
        (3.0, 0.0),
        (4.0, 0.01),
    ];
    let curves = [
        PlotCurve {
            name: "executor",
            points: &curve,
        },
        PlotCurve {
            name: "code",
            points: &curve[..2],
        },
    ];
    plot::curves_png(
        &file("curves.png"),
        ["Losses", "step", "nats"],
        &curves,
        [800, 500],
    )
    .expect("written");
    assert_dimensions(&file("curves.png"), [800, 500]);

    let left = std::fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(left, 4, "temporary files were left behind");
}

#[test]
fn failed_exports_name_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let field = mixed_field(8);
    let panel = Panel::heat_map("Loss", &field, Scale::loss(0.5, 30.0), "nats");
    // A file where a folder should be: nobody can write there, not even root.
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, "").expect("written");
    let inside = blocked.join("map.png");
    let failures = [
        plot::panels_png(&inside, &[panel], [400, 400]),
        plot::curves_png(&inside, ["", "", ""], &[], [400, 400]),
        plot::panels_png(&inside, &[], [400, 400]),
        plot::panels_png(&inside, &[panel], [40, 40]),
    ];
    for failure in failures {
        let error = format!("{:#}", failure.expect_err("can't be written"));
        assert!(error.contains(&inside.display().to_string()), "{error}");
    }
    // An export that fails half-way leaves the older file alone.
    let older = folder.path().join("older.csv");
    std::fs::write(&older, "older").expect("written");
    let failure = glyphspace::files::write_whole(&older, |_| anyhow::bail!("half-way"));
    assert!(failure.is_err());
    assert_eq!(std::fs::read_to_string(&older).expect("readable"), "older");
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("readable").count(),
        2
    );
}
