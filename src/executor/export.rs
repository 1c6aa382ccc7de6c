//! Maps, planes and curves as pictures and tables.

use std::path::Path;

use anyhow::Result;

use super::{
    projection::{Group, Projected},
    trainer::ExecutorMetrics,
    views::{Landscape, LatentPlanes, SearchView},
};
use crate::{
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    files,
    latent::{
        field::Field,
        holes::{emptiness, largest_void},
        points::Points,
        projection::Fit,
    },
    palette::Scale,
    plot::{self, Multiple, Panel, PlotCurve, Spot},
};

/// What a map of losses measures.
pub const LOSS_TITLE: &str = "negative log likelihood (nats)";
/// Pixels of a picture of two planes side by side.
const PAIR_PX: [u32; 2] = [2040, 940];

/// A scale for a map of losses: logarithmic, from the lowest loss worth telling apart to the common
/// worst.
pub fn loss_scale(field: &Field) -> Scale {
    let ends = field
        .percentiles(&[0.0, 0.99])
        .unwrap_or_else(|| vec![0.01, 10.0]);
    let low = ends[0].max(1e-3);
    Scale::loss(low, ends[1].max(low * 10.0))
}

/// Colours of the programs.
pub fn code_scale(language: Language) -> Scale {
    let addends = language.addends();
    Scale::value(*addends.start() as f32, *addends.end() as f32)
}

/// Colours of the states.
pub fn state_scale(language: Language) -> Scale {
    let states = language.states();
    Scale::value(*states.start() as f32, *states.end() as f32)
}

/// A map's title: the quantity and what it is of. The map of a task is that of one line and its first example.
pub fn map_title(quantity: &str, task: &Task) -> String {
    let example = task.text_of(&task.examples[0]);
    let lines = match task.lines() {
        1 => "",
        _ => "one line for ",
    };
    match task.examples.len() {
        1 => format!("{quantity} of {lines}{example}"),
        count => format!("{quantity} of {lines}{example}, the first of {count} examples"),
    }
}

/// The question that a truth map answers.
pub fn truth_title(sum: Sum) -> String {
    let (start, result) = (sum.start, sum.result);
    format!("Truth: does the decoded program lead from {start} to {result}?")
}

/// The loss map of a task's first example and its truth map side by side, with every program's number, and a search's
/// path.
///
/// # Errors
/// Names the file.
pub fn map_png(
    path: &Path,
    map: &Landscape,
    task: &Task,
    search: Option<&SearchView>,
) -> Result<()> {
    let language = map.planes.language;
    let shown = Group::Codes.shown(language);
    let mut spots = spots(&map.planes.codes, &shown, &code_scale(language));
    // The solution's number is placed first.
    let codes = language.shown_codes();
    if let Some(solution) = codes.iter().position(|code| task.is_solved_by(&[*code])) {
        spots.swap(0, solution);
    }
    let corners: Vec<String> = map
        .cut
        .iter()
        .flat_map(|cut| cut.programs.map(code_text))
        .collect();
    if let Some(cut) = &map.cut {
        // Of all programs only its three lie on a slice.
        spots = cut
            .slice
            .corners
            .into_iter()
            .zip(&corners)
            .map(|(at, label)| Spot {
                at,
                label,
                color: [255; 3],
            })
            .collect();
    }
    let steps: Vec<[f32; 2]> = search
        .filter(|_| map.cut.is_none())
        .map(|s| {
            s.path
                .iter()
                .filter_map(|e| e.point.first_chunk().copied())
                .collect()
        })
        .unwrap_or_default();
    let ground = match &corners[..] {
        [a, b, c] => format!("on the slice through {a}, {b} and {c}"),
        _ => "over the plane of programs".into(),
    };
    let loss_title = format!("{} {ground}", map_title("Loss", task));
    let truth_title = truth_title(map.sum);
    let panels = [
        Panel::heat_map(&loss_title, &map.loss, loss_scale(&map.loss), LOSS_TITLE),
        Panel::truth_map(&truth_title, &map.truth),
    ];
    let panels = panels.map(|panel| {
        let panel = panel.with_spots(&spots).with_path(&steps);
        match map.cut {
            Some(_) => Panel {
                axes: ["along the slice", "across it"],
                ..panel
            },
            None => panel,
        }
    });
    plot::panels_png(path, &panels, PAIR_PX)
}

/// One row a cell: x, y, loss, code (empty where no number is decoded), right.
///
/// # Errors
/// Names the file.
pub fn map_csv(path: &Path, map: &Landscape) -> Result<()> {
    files::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["x", "y", "loss", "code", "right"])?;
        for (cell, code) in map.code.iter().enumerate() {
            let [x, y] = map.loss.center(cell);
            let right = code.is_some_and(|code| map.sum.is_solved_by(code));
            table.serialize((x, y, map.loss.values[cell], code, right))?;
        }
        table.flush()?;
        Ok(())
    })
}

/// The code plane and the state plane, coloured by value.
///
/// # Errors
/// Names the file.
pub fn planes_png(path: &Path, planes: &LatentPlanes) -> Result<()> {
    let language = planes.language;
    let [codes, states] = Group::ALL.map(|group| group.shown(language));
    let scales = Group::ALL.map(|group| group.scale(language));
    let codes = spots(&planes.codes, &codes, &scales[0]);
    let states = spots(&planes.states, &states, &scales[1]);
    let panels = [
        Panel::points("Places of the programs", &codes, scales[0], "value"),
        Panel::points("Places of the states", &states, scales[1], "value"),
    ];
    plot::panels_png(path, &panels, PAIR_PX)
}

/// How far it is from every point to the nearest program and the nearest state, void hatched: two planes
/// a model, with the model's name.
///
/// # Errors
/// Names the file.
pub fn holes_png(path: &Path, models: &[(String, &LatentPlanes)]) -> Result<()> {
    let drawn: Vec<_> = models
        .iter()
        .flat_map(|(name, planes)| Group::ALL.map(|group| (name, planes, group)))
        .map(|(name, planes, group)| {
            let places = group.of(planes);
            let void = 100.0 * largest_void(places);
            let title = format!("{}, {name}: void {void:.1} %", group.name());
            let shown = group.shown(planes.language);
            (
                title,
                emptiness(places),
                places,
                shown,
                group.scale(planes.language),
            )
        })
        .collect();
    let all_spots: Vec<Vec<Spot<'_>>> = drawn
        .iter()
        .map(|(.., places, shown, scale)| spots(places, shown, scale))
        .collect();
    let panels: Vec<Panel<'_>> = drawn
        .iter()
        .zip(&all_spots)
        .map(|((title, field, ..), spots)| {
            let bar = "distance to the nearest (spacings of a lattice)";
            let panel = Panel::heat_map(title, field, Scale::value(0.0, 1.0), bar);
            Panel {
                missing: "void",
                ..panel.with_spots(spots)
            }
        })
        .collect();
    plot::panels_png(
        path,
        &panels,
        [PAIR_PX[0] / 2 * panels.len() as u32, PAIR_PX[1]],
    )
}

/// The places of programs and states as a table: kind, value, then the point's coordinates.
///
/// # Errors
/// Names the file.
pub fn planes_csv(path: &Path, planes: &LatentPlanes) -> Result<()> {
    files::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        let axes = (1..=planes.codes.dims).map(|axis| format!("z{axis}"));
        table.write_record(
            ["kind".to_owned(), "value".to_owned()]
                .into_iter()
                .chain(axes),
        )?;
        let codes = planes
            .language
            .shown_codes()
            .into_iter()
            .map(|code| code.to_string());
        let states = planes
            .language
            .shown_states()
            .into_iter()
            .map(|state| state.to_string());
        let codes = codes.zip(planes.codes.iter()).map(|row| ("code", row));
        let states = states.zip(planes.states.iter()).map(|row| ("state", row));
        for (kind, (value, point)) in codes.chain(states) {
            let coordinates = point.iter().map(f32::to_string);
            table.write_record([kind.to_owned(), value].into_iter().chain(coordinates))?;
        }
        table.flush()?;
        Ok(())
    })
}

/// The layouts as small multiples coloured by value, a row for the programs and one for the states.
///
/// # Errors
/// Names the file.
pub fn projections_png(path: &Path, layouts: &[Projected]) -> Result<()> {
    let texts: Vec<(String, String)> = layouts
        .iter()
        .map(|layout| {
            let note = layout.trust.map_or_else(String::new, |trust| {
                format!(
                    "trustworthiness {:.3}, continuity {:.3}",
                    trust.trustworthiness, trust.continuity
                )
            });
            let kind = layout.kind.name_of(layout.places.len());
            (format!("{}: {kind}", layout.group.name()), note)
        })
        .collect();
    let shown: Vec<Vec<(i32, String)>> = layouts
        .iter()
        .map(|layout| layout.group.shown(layout.language))
        .collect();
    let fitted: Vec<(Fit, Vec<Spot<'_>>)> = layouts
        .iter()
        .zip(&shown)
        .map(|(layout, shown)| {
            let fit = Fit::of(&layout.places);
            let places = fit.all_in_box(&layout.places);
            let scale = layout.group.scale(layout.language);
            (fit, spots(&places, shown, &scale))
        })
        .collect();
    let row = |group: Group| -> Vec<Multiple<'_>> {
        let layouts = layouts.iter().zip(&texts).zip(&fitted);
        layouts
            .filter(|((layout, _), _)| layout.group == group)
            .map(|((layout, (title, note)), (fit, spots))| Multiple {
                panel: Panel::points(title, spots, group.scale(layout.language), "value"),
                note,
                fit: *fit,
            })
            .collect()
    };
    let rows: Vec<_> = Group::ALL
        .into_iter()
        .map(row)
        .filter(|row| !row.is_empty())
        .collect();
    plot::multiples_png(path, &rows)
}

/// The layouts as a table: kind, value, projection, x, y.
///
/// # Errors
/// Names the file.
pub fn projections_csv(path: &Path, layouts: &[Projected]) -> Result<()> {
    files::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["kind", "value", "projection", "x", "y"])?;
        for layout in layouts {
            let (kind, projection) = (layout.group.id(), layout.kind.id());
            let shown = layout.group.shown(layout.language);
            for ((_, text), place) in shown.iter().zip(layout.places.iter()) {
                let value = text.replace(MINUS, "-");
                table.serialize((kind, value, &projection, place[0], place[1]))?;
            }
        }
        table.flush()?;
        Ok(())
    })
}

/// The terms of the loss over the steps.
///
/// # Errors
/// Names the file.
pub fn curves_png(path: &Path, metrics: &[ExecutorMetrics]) -> Result<()> {
    let series = |value: fn(&ExecutorMetrics) -> f32| -> Vec<(f64, f64)> {
        metrics
            .iter()
            .map(|m| (m.step as f64, f64::from(value(m))))
            .collect()
    };
    let (state, code) = (series(|m| m.state_nll), series(|m| m.code_nll));
    let (result, mmd) = (series(|m| m.result_nll), series(|m| m.mmd_states));
    let curves = [
        PlotCurve {
            name: "result",
            points: &result,
        },
        PlotCurve {
            name: "state",
            points: &state,
        },
        PlotCurve {
            name: "code",
            points: &code,
        },
        PlotCurve {
            name: "MMD of states",
            points: &mmd,
        },
    ];
    plot::curves_png(
        path,
        ["Loss by term", "step", "nats a token"],
        &curves,
        [1200, 700],
    )
}

const MINUS: &str = "\u{2212}";

/// A number as people write it, with a true minus sign.
pub fn number_text(number: i32) -> String {
    number.to_string().replace('-', MINUS)
}

/// A program as people write it.
pub fn code_text(code: Code) -> String {
    code.to_string().replace('-', MINUS)
}

fn spots<'a>(places: &Points, shown: &'a [(i32, String)], scale: &Scale) -> Vec<Spot<'a>> {
    let spot = |(place, (value, label)): (&[f32], &'a (i32, String))| {
        Some(Spot {
            at: place.first_chunk().copied()?,
            label,
            color: scale.color(*value as f32),
        })
    };
    places.iter().zip(shown).filter_map(spot).collect()
}
