//! Maps, planes and curves as pictures and tables.

use std::{ops::RangeInclusive, path::Path};

use anyhow::Result;

use super::{
    board::{Landscape, Planes, SearchView},
    projection::{Group, Projected},
    trainer::Metrics,
};
use crate::{
    data::sums::{CODES, STATES},
    latent::{
        field::Field,
        holes::{emptiness, largest_void},
        points::Points,
        projection::Fit,
    },
    palette::Scale,
    plot::{self, Curve, Multiple, Panel, Spot},
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
pub fn code_scale() -> Scale {
    Scale::value(*CODES.start() as f32, *CODES.end() as f32)
}

/// Colours of the states.
pub fn state_scale() -> Scale {
    Scale::value(*STATES.start() as f32, *STATES.end() as f32)
}

/// The loss map and the truth map side by side, with every program's number, and a search's path.
///
/// # Errors
/// Names the file.
pub fn map_png(path: &Path, map: &Landscape, search: Option<&SearchView>) -> Result<()> {
    let labels: Vec<String> = CODES.map(number_text).collect();
    let mut spots = spots(&map.planes.codes, CODES, &labels, &code_scale());
    // The solution's number is placed first.
    let solution = (map.sum.solution() - CODES.start()) as usize;
    spots.swap(0, solution);
    let corners: Vec<String> = map
        .cut
        .iter()
        .flat_map(|cut| cut.programs.map(number_text))
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
    let loss_title = format!("Loss of {} {ground}", map.sum);
    let truth_title = format!(
        "Truth: is {} + the decoded program {}?",
        map.sum.start, map.sum.result
    );
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
    plot::write_whole(path, |file| {
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
pub fn planes_png(path: &Path, planes: &Planes) -> Result<()> {
    let (code_labels, state_labels): (Vec<_>, Vec<_>) = (
        CODES.map(number_text).collect(),
        STATES.map(number_text).collect(),
    );
    let codes = spots(&planes.codes, CODES, &code_labels, &code_scale());
    let states = spots(&planes.states, STATES, &state_labels, &state_scale());
    let panels = [
        Panel::points("Places of the programs", &codes, code_scale(), "value"),
        Panel::points("Places of the states", &states, state_scale(), "value"),
    ];
    plot::panels_png(path, &panels, PAIR_PX)
}

/// How far it is from every point to the nearest program and the nearest state, void hatched: two planes
/// a model, with the model's name.
///
/// # Errors
/// Names the file.
pub fn holes_png(path: &Path, models: &[(String, &Planes)]) -> Result<()> {
    let clouds: Vec<(String, &Points, RangeInclusive<i32>, Scale)> = models
        .iter()
        .flat_map(|(name, planes)| {
            [
                (
                    format!("Programs, {name}"),
                    &planes.codes,
                    CODES,
                    code_scale(),
                ),
                (
                    format!("States, {name}"),
                    &planes.states,
                    STATES,
                    state_scale(),
                ),
            ]
        })
        .collect();
    let drawn: Vec<_> = clouds
        .iter()
        .map(|(name, places, values, scale)| {
            let labels: Vec<String> = values.clone().map(number_text).collect();
            let title = format!("{name}: void {:.1} %", 100.0 * largest_void(places));
            (title, emptiness(places), labels, *scale)
        })
        .collect();
    let all_spots: Vec<Vec<Spot<'_>>> = clouds
        .iter()
        .zip(&drawn)
        .map(|((_, places, values, _), (.., labels, scale))| {
            spots(places, values.clone(), labels, scale)
        })
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
pub fn planes_csv(path: &Path, planes: &Planes) -> Result<()> {
    plot::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        let axes = (1..=planes.codes.dims).map(|axis| format!("z{axis}"));
        table.write_record(
            ["kind".to_owned(), "value".to_owned()]
                .into_iter()
                .chain(axes),
        )?;
        let codes = CODES.zip(planes.codes.iter()).map(|row| ("code", row));
        for (kind, (value, point)) in
            codes.chain(STATES.zip(planes.states.iter()).map(|row| ("state", row)))
        {
            let coordinates = point.iter().map(f32::to_string);
            table.write_record(
                [kind.to_owned(), value.to_string()]
                    .into_iter()
                    .chain(coordinates),
            )?;
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
    let labels = |group: Group| -> Vec<String> { group.values().map(number_text).collect() };
    let labels = Group::ALL.map(|group| (group, labels(group)));
    let fitted: Vec<(Fit, Vec<Spot<'_>>)> = layouts
        .iter()
        .map(|layout| {
            let fit = Fit::of(&layout.places);
            let labels = labels.iter().find(|(group, _)| *group == layout.group);
            let labels = labels.map_or(&[][..], |(_, labels)| labels);
            let places = fit.all_in_box(&layout.places);
            let (values, scale) = (layout.group.values(), layout.group.scale());
            (fit, spots(&places, values, labels, &scale))
        })
        .collect();
    let row = |group: Group| -> Vec<Multiple<'_>> {
        let layouts = layouts.iter().zip(&texts).zip(&fitted);
        layouts
            .filter(|((layout, _), _)| layout.group == group)
            .map(|((_, (title, note)), (fit, spots))| Multiple {
                panel: Panel::points(title, spots, group.scale(), "value"),
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
    plot::write_whole(path, |file| {
        let mut table = csv::Writer::from_writer(file);
        table.write_record(["kind", "value", "projection", "x", "y"])?;
        for layout in layouts {
            let (kind, projection) = (layout.group.id(), layout.kind.id());
            for (value, place) in layout.group.values().zip(layout.places.iter()) {
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
pub fn curves_png(path: &Path, metrics: &[Metrics]) -> Result<()> {
    let series = |value: fn(&Metrics) -> f32| -> Vec<(f64, f64)> {
        metrics
            .iter()
            .map(|m| (m.step as f64, f64::from(value(m))))
            .collect()
    };
    let (state, code) = (series(|m| m.state_nll), series(|m| m.code_nll));
    let (result, mmd) = (series(|m| m.result_nll), series(|m| m.mmd_states));
    let curves = [
        Curve {
            name: "result",
            points: &result,
        },
        Curve {
            name: "state",
            points: &state,
        },
        Curve {
            name: "code",
            points: &code,
        },
        Curve {
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

/// A number as people write it, with a true minus sign.
pub fn number_text(number: i32) -> String {
    number.to_string().replace('-', "\u{2212}")
}

fn spots<'a>(
    places: &Points,
    values: RangeInclusive<i32>,
    labels: &'a [String],
    scale: &Scale,
) -> Vec<Spot<'a>> {
    let spot = |((place, label), value): ((&[f32], &'a String), i32)| {
        Some(Spot {
            at: place.first_chunk().copied()?,
            label,
            color: scale.color(value as f32),
        })
    };
    places
        .iter()
        .zip(labels)
        .zip(values)
        .filter_map(spot)
        .collect()
}
