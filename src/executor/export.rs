//! Export of maps, planes and curves as figures and tables.

use std::path::Path;

use anyhow::Result;

pub use super::format::{LOSS_TITLE, code_text, loss_scale, map_title, number_text, truth_title};
use super::{
    format::code_scale,
    projection::{Group, Projected},
    views::{Landscape, LatentPlanes, SearchView},
};
use crate::{
    data::sums::Task,
    files,
    latent::{
        holes::{emptiness, largest_void},
        points::Points,
        projection::Fit,
    },
    palette::Scale,
    plot::{self, Multiple, Panel, PlotCurve, Spot},
    training::{MetricsTable, metrics::STEP},
};

/// Size of a figure of two planes side by side, in pixels.
const PAIR_PX: [u32; 2] = [2040, 940];

/// Draws the loss map of a task's first example beside its truth map, with the programs' numbers and a
/// search's path.
///
/// # Errors
/// If the file can't be written; it is named.
pub fn map_png(
    path: &Path,
    map: &Landscape,
    task: &Task,
    search: Option<&SearchView>,
) -> Result<()> {
    let language = map.planes.language;
    let shown = Group::Codes.shown(language);
    let mut spots = spots(&map.planes.codes, &shown, &code_scale(language));
    // The solution's label has priority.
    let codes = language.shown_codes();
    if let Some(solution) = codes.iter().position(|code| task.is_solved_by(&[*code])) {
        spots.swap(0, solution);
    }
    let corners = map.cut.iter().flat_map(|cut| cut.programs.map(code_text));
    let corners: Vec<String> = corners.collect();
    if let Some(cut) = &map.cut {
        // Only the slice's own three programs lie on it.
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

/// Writes one row per cell: x, y, loss, code (empty if no number is decoded), right.
///
/// # Errors
/// If the file can't be written; it is named.
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

/// Draws the code plane and the state plane, coloured by value.
///
/// # Errors
/// If the file can't be written; it is named.
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

/// Draws the distance of every point to the nearest program and the nearest state, with voids hatched: two
/// planes per model, with the model's name.
///
/// # Errors
/// If the file can't be written; it is named.
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

/// Writes the embeddings of programs and states: kind, value, then the point's coordinates.
///
/// # Errors
/// If the file can't be written; it is named.
pub fn planes_csv(path: &Path, planes: &LatentPlanes) -> Result<()> {
    files::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        let axes = (1..=planes.codes.dims).map(|axis| format!("z{axis}"));
        table.write_record(
            ["kind".to_owned(), "value".to_owned()]
                .into_iter()
                .chain(axes),
        )?;
        let language = planes.language;
        let codes = language
            .shown_codes()
            .into_iter()
            .map(|code| code.to_string());
        let states = language
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

/// Draws the layouts as small multiples coloured by value, a row for the programs and one for the states.
///
/// # Errors
/// If the file can't be written; it is named.
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

/// Writes the layouts: kind, value, projection, x, y.
///
/// # Errors
/// If the file can't be written; it is named.
pub fn projections_csv(path: &Path, layouts: &[Projected]) -> Result<()> {
    files::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["kind", "value", "projection", "x", "y"])?;
        for layout in layouts {
            let (kind, projection) = (layout.group.id(), layout.kind.id());
            let shown = layout.group.shown(layout.language);
            for ((_, text), place) in shown.iter().zip(layout.places.iter()) {
                let value = text.replace('\u{2212}', "-");
                table.serialize((kind, value, &projection, place[0], place[1]))?;
            }
        }
        table.flush()?;
        Ok(())
    })
}

/// Draws the loss terms over the steps.
///
/// # Errors
/// If the file can't be written; it is named.
pub fn curves_png(path: &Path, metrics: &MetricsTable) -> Result<()> {
    let series = |column: &str| -> Vec<(f64, f64)> {
        metrics.column(STEP).zip(metrics.column(column)).collect()
    };
    let [state, code, result, mmd] =
        ["state_nll", "code_nll", "result_nll", "mmd_states"].map(series);
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
