//! Panel of a figure: a latent plane with its map, labelled programs, search path, axes and colour bar.

use anyhow::Result;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::picture::{
    self, BELOW, BESIDE, CENTRED, Canvas, INK, NUMBER_FONT, PALE_INK, WHITE, style,
};
use super::placement::{Area, LabelCandidate, place};
use crate::latent::field::{CellState, Field};
use crate::palette::{Palette, Scale, hatch_color, luminance};

/// Program or state on a plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot<'a> {
    /// Latent position.
    pub at: [f32; 2],
    /// Number.
    pub label: &'a str,
    /// Colour of its disc, sRGB.
    pub color: [u8; 3],
}

/// Panel of a figure.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// Title above the plane.
    pub title: &'a str,
    /// Map, if any.
    pub field: Option<&'a Field>,
    /// Colour scale of the map or of the discs.
    pub scale: Scale,
    /// Quantity on the colour bar, with its unit.
    pub bar_title: &'a str,
    /// Labelled points; earlier ones have priority if there isn't room for all labels.
    pub spots: &'a [Spot<'a>],
    /// True to draw each spot as a disc with its number beside it, false for the number alone.
    pub with_discs: bool,
    /// Points of a search path in order.
    pub path: &'a [[f32; 2]],
    /// Caption of the hatching.
    pub missing: &'a str,
    /// Axis titles.
    pub axes: [&'a str; 2],
}

impl<'a> Panel<'a> {
    /// Heat map.
    pub fn heat_map(title: &'a str, field: &'a Field, scale: Scale, bar_title: &'a str) -> Self {
        Self {
            field: Some(field),
            with_discs: false,
            ..Self::points(title, &[], scale, bar_title)
        }
    }

    /// Truth map: 0 is wrong, 1 is right.
    pub fn truth_map(title: &'a str, field: &'a Field) -> Self {
        Self::heat_map(title, field, Scale::truth(), "")
    }

    /// Discs coloured by a value, without a map.
    pub fn points(title: &'a str, spots: &'a [Spot<'a>], scale: Scale, bar_title: &'a str) -> Self {
        Self {
            title,
            field: None,
            scale,
            bar_title,
            spots,
            with_discs: true,
            path: &[],
            missing: "no number",
            axes: ["latent dimension 1", "latent dimension 2"],
        }
    }

    /// The panel with labelled points.
    #[must_use]
    pub fn with_spots(self, spots: &'a [Spot<'a>]) -> Self {
        Self { spots, ..self }
    }

    /// The panel with a search path.
    #[must_use]
    pub fn with_path(self, path: &'a [[f32; 2]]) -> Self {
        Self { path, ..self }
    }
}

/// Appearance of a point of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shade {
    /// Not computed.
    Pending,
    /// Hatched.
    Missing,
    /// Colour, sRGB.
    Color([u8; 3]),
}

/// Appearance of a field at a latent point; `None` outside the plane. CPU reference of
/// `shaders/heatmap.wgsl`. A `sharpness` of 1 interpolates between the cells' centres; n confines the
/// transition to 1/n of a cell.
pub fn shade(field: &Field, scale: &Scale, [x, y]: [f32; 2], sharpness: f32) -> Option<Shade> {
    match field.state(field.cell_at(x, y)?) {
        CellState::Pending => return Some(Shade::Pending),
        CellState::Missing => return Some(Shade::Missing),
        CellState::Number => {}
    }
    let from_center = [x, y].map(|coordinate| (coordinate + 1.0) * 0.5 * field.size as f32 - 0.5);
    let part = from_center.map(|at| ((at - at.floor() - 0.5) * sharpness + 0.5).clamp(0.0, 1.0));
    let last = field.size as i64 - 1;
    let (mut sum, mut weight_sum) = (0.0, 0.0);
    for (right, up) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let column = (from_center[0].floor() as i64 + right).clamp(0, last) as usize;
        let row = (from_center[1].floor() as i64 + up).clamp(0, last) as usize;
        let along = |side: i64, part: f32| if side == 1 { part } else { 1.0 - part };
        let weight = along(right, part[0]) * along(up, part[1]);
        let index = row * field.size + column;
        if weight > 0.0 && field.state(index) == CellState::Number {
            sum += weight * scale.position(field.values[index]);
            weight_sum += weight;
        }
    }
    Some(Shade::Color(scale.color_at(sum / weight_sum.max(1e-6))))
}

// Margins of a plane in pixels: y axis, title, colour bar, x axis.
const LEFT: i32 = 72;
const TOP: i32 = 50;
const RIGHT: i32 = 140;
const BOTTOM: i32 = 64;

const PENDING: [u8; 3] = [232, 233, 237];

/// Draws a panel into a rectangle of the figure.
pub(super) fn draw(
    canvas: &Canvas<'_>,
    panel: &Panel<'_>,
    min: [i32; 2],
    max: [i32; 2],
) -> Result<()> {
    let (across, down) = (
        max[0] - min[0] - LEFT - RIGHT,
        max[1] - min[1] - TOP - BOTTOM,
    );
    let side = across.min(down).max(32);
    let left = min[0] + LEFT + (across - side) / 2;
    let top = min[1] + TOP + (down - side) / 2;
    let square = Square { left, top, side };

    picture::label(
        canvas,
        panel.title,
        24.0,
        CENTRED,
        [left + side / 2, top - 24],
    )?;
    match panel.field {
        Some(field) => draw_field(canvas, panel, field, square)?,
        None => draw_grid(canvas, square)?,
    }
    draw_axes(canvas, panel.axes, square)?;
    draw_path(canvas, panel.path, square)?;
    draw_spots(canvas, panel, square)?;
    picture::frame(canvas, [left, top], [left + side, top + side], INK)?;
    draw_bar(canvas, panel, square)
}

/// Square of the plane in the figure, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Square {
    pub left: i32,
    pub top: i32,
    pub side: i32,
}

impl Square {
    pub fn px_from_latent(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let side = self.side as f32;
        [
            self.left as f32 + (x + 1.0) * 0.5 * side,
            self.top as f32 + (1.0 - y) * 0.5 * side,
        ]
    }

    fn latent_from_pixel(self, column: i32, row: i32) -> [f32; 2] {
        let side = self.side as f32;
        [
            (column as f32 + 0.5) / side * 2.0 - 1.0,
            1.0 - (row as f32 + 0.5) / side * 2.0,
        ]
    }
}

fn draw_field(canvas: &Canvas<'_>, panel: &Panel<'_>, field: &Field, square: Square) -> Result<()> {
    let cell_px = square.side as f32 / field.size.max(1) as f32;
    // No interpolation between classes, and a coarse map should look coarse.
    let is_sharp = panel.scale.palette == Palette::Truth || cell_px > 12.0;
    let sharpness = if is_sharp { cell_px.max(1.0) } else { 1.0 };
    for row in 0..square.side {
        for column in 0..square.side {
            let (x, y) = (square.left + column, square.top + row);
            let at = square.latent_from_pixel(column, row);
            let color = match shade(field, &panel.scale, at, sharpness) {
                Some(Shade::Color(color)) => color,
                Some(Shade::Missing) => hatch_color(x as u32, y as u32),
                Some(Shade::Pending) | None => PENDING,
            };
            picture::pixel(canvas, x, y, color)?;
        }
    }
    Ok(())
}

const TICKS: [f32; 9] = [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0];

fn draw_grid(canvas: &Canvas<'_>, square: Square) -> Result<()> {
    for tick in TICKS {
        for ends in [[[tick, -1.0], [tick, 1.0]], [[-1.0, tick], [1.0, tick]]] {
            let ends = ends.map(|at| square.px_from_latent(at));
            picture::line(canvas, &ends, PALE_INK.mix(0.6), 1)?;
        }
    }
    Ok(())
}

fn draw_axes(canvas: &Canvas<'_>, [across, upward]: [&str; 2], square: Square) -> Result<()> {
    // A small plane has room for every other label only.
    let every = if square.side < 420 { 2 } else { 1 };
    for tick in TICKS.into_iter().step_by(every) {
        let label = format!("{tick:.2}").replace('-', "\u{2212}");
        let [x, y] = square.px_from_latent([tick, tick]);
        let (left, bottom) = (square.left as f32, (square.top + square.side) as f32);
        picture::line(canvas, &[[x, bottom], [x, bottom + 5.0]], INK.to_rgba(), 1)?;
        picture::label(canvas, &label, 17.0, BELOW, [x as i32, bottom as i32 + 9])?;
        picture::line(canvas, &[[left - 5.0, y], [left, y]], INK.to_rgba(), 1)?;
        picture::label(canvas, &label, 17.0, BESIDE, [square.left - 8, y as i32])?;
    }
    let Square { left, top, side } = square;
    picture::label(
        canvas,
        across,
        18.0,
        CENTRED,
        [left + side / 2, top + side + 44],
    )?;
    picture::upright_text(canvas, upward, [left - 60, top + side / 2])
}

fn draw_path(canvas: &Canvas<'_>, path: &[[f32; 2]], square: Square) -> Result<()> {
    let points: Vec<[f32; 2]> = path.iter().map(|at| square.px_from_latent(*at)).collect();
    if points.len() > 1 {
        picture::line(canvas, &points, WHITE.mix(0.9), 4)?;
        picture::line(canvas, &points, INK.to_rgba(), 2)?;
    }
    for (step, at) in points.iter().enumerate() {
        // The path's start is hollow, its end filled.
        let is_end = step + 1 == points.len();
        let radius_px = if step == 0 || is_end { 6 } else { 4 };
        let color = if is_end { [220, 30, 40] } else { [255; 3] };
        picture::disc(canvas, *at, radius_px, color)?;
    }
    Ok(())
}

const DISC_PX: i32 = 6;
const NUMBER_PX: f64 = 15.0;

pub(super) fn draw_spots(canvas: &Canvas<'_>, panel: &Panel<'_>, square: Square) -> Result<()> {
    let measured = style(NUMBER_FONT, NUMBER_PX, INK, CENTRED);
    let radius_px = if panel.with_discs {
        DISC_PX as f32 + 2.0
    } else {
        0.0
    };
    let mut candidates = Vec::with_capacity(panel.spots.len());
    for spot in panel.spots {
        let size = canvas.estimate_text_size(spot.label, &measured);
        let (width, height) = size.map_err(picture::plain)?;
        let at = square.px_from_latent(spot.at);
        if panel.with_discs {
            picture::disc(canvas, at, DISC_PX, spot.color)?;
        }
        candidates.push(LabelCandidate {
            at,
            size: [width as f32 + 3.0, height as f32 + 2.0],
            radius_px,
            priority: 0.0,
            may_cover_discs: !panel.with_discs,
        });
    }
    let min = [square.left, square.top];
    let bounds = Area {
        min: min.map(|start| start as f32),
        max: min.map(|start| (start + square.side) as f32),
    };
    let areas = place(&candidates, bounds);
    for ((spot, candidate), area) in panel.spots.iter().zip(&candidates).zip(areas) {
        let [x, y] = spot.at;
        let under = panel.field.and_then(|field| field.value_at(x, y));
        let is_on_dark = under.is_some_and(|value| luminance(panel.scale.color(value)) < 0.55);
        let (ink, halo) = if is_on_dark {
            (WHITE, INK)
        } else {
            (INK, WHITE)
        };
        if let Some(Area { min, max }) = area {
            let middle = [0, 1].map(|axis| ((min[axis] + max[axis]) / 2.0).round() as i32);
            draw_number(canvas, spot.label, middle, ink, halo)?;
        } else if !panel.with_discs {
            picture::disc(canvas, candidate.at, 1, [ink.0, ink.1, ink.2])?;
        }
    }
    Ok(())
}

/// Draws a number with a halo for legibility on any background.
fn draw_number(
    canvas: &Canvas<'_>,
    number: &str,
    at: [i32; 2],
    ink: RGBColor,
    halo: RGBColor,
) -> Result<()> {
    let style = style(NUMBER_FONT, NUMBER_PX, ink, CENTRED);
    let halo = halo.mix(0.45);
    let soft = style.color(&halo);
    let (right, down) = ([-1, 1, 0, 0, -1, 1, -1, 1], [0, 0, -1, 1, -1, -1, 1, 1]);
    for (x, y) in right.into_iter().zip(down) {
        picture::text(canvas, number, &soft, [at[0] + x, at[1] + y])?;
    }
    picture::text(canvas, number, &style, at)
}

const BAR_PX: i32 = 22;

pub(super) fn draw_bar(canvas: &Canvas<'_>, panel: &Panel<'_>, square: Square) -> Result<()> {
    let (top, left) = (square.top, square.left + square.side + 22);
    let right = left + BAR_PX;
    let label = |text: &str, y: i32| {
        picture::label(
            canvas,
            text,
            17.0,
            (HPos::Left, VPos::Center),
            [right + 8, y],
        )
    };
    let bar = |top: i32, bottom: i32, color: &dyn Fn(i32, i32) -> [u8; 3]| -> Result<()> {
        for y in top..bottom {
            for x in left..right {
                picture::pixel(canvas, x, y, color(x, y))?;
            }
        }
        picture::frame(canvas, [left, top], [right, bottom], INK)
    };
    let is_hatched = panel.field.is_some_and(Field::has_missing);
    let hatch_top = if panel.scale.palette == Palette::Truth {
        let mut top = top;
        for (position, text) in panel.scale.ticks().into_iter().rev() {
            bar(top, top + BAR_PX, &|_, _| panel.scale.color_at(position))?;
            label(&text, top + BAR_PX / 2)?;
            top += BAR_PX + 10;
        }
        top
    } else {
        let height = square.side - if is_hatched { BAR_PX + 18 } else { 0 };
        let share = |y: i32| (y - top) as f32 / (height - 1).max(1) as f32;
        bar(top, top + height, &|_, y| {
            panel.scale.color_at(1.0 - share(y))
        })?;
        for (position, text) in panel.scale.ticks() {
            let (x, y) = (right as f32, top as f32 + (1.0 - position) * height as f32);
            picture::line(canvas, &[[x, y], [x + 5.0, y]], INK.to_rgba(), 1)?;
            label(&text, y.round() as i32)?;
        }
        picture::upright_text(canvas, panel.bar_title, [right + 70, top + height / 2])?;
        top + square.side - BAR_PX
    };
    if is_hatched {
        bar(hatch_top, hatch_top + BAR_PX, &|x, y| {
            hatch_color(x as u32, y as u32)
        })?;
        label(panel.missing, hatch_top + BAR_PX / 2)?;
    }
    Ok(())
}
