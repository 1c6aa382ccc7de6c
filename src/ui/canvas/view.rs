//! The visible part of a plane: pan and zoom, and the conversion between latent and screen coordinates.

use egui::{Pos2, Rect, Vec2, pos2, vec2};
use serde::{Deserialize, Serialize};

/// Half the side of the square shown at zoom 1: a little more than the plane, so that its border is visible.
const HALF_SIDE: f32 = 1.03;

/// The visible part of the plane. Latent y points up, screen y down; both axes have one scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The latent point in the middle of the canvas.
    pub center: [f32; 2],
    /// Zoom: 1 shows the whole plane, 2 half its width.
    pub zoom: f32,
}

impl Default for View {
    fn default() -> Self {
        Self {
            center: [0.0, 0.0],
            zoom: 1.0,
        }
    }
}

impl View {
    /// Smallest zoom.
    const MIN_ZOOM: f32 = 0.8;
    /// Largest zoom.
    const MAX_ZOOM: f32 = 400.0;

    /// Screen points (egui's unit) to a latent unit, in a canvas of this rectangle.
    pub fn points_per_unit(&self, rect: Rect) -> f32 {
        rect.width().min(rect.height()).max(1.0) / (2.0 * HALF_SIDE) * self.zoom
    }

    /// Position of a latent point on the screen.
    pub fn screen_from_latent(&self, rect: Rect, [x, y]: [f32; 2]) -> Pos2 {
        let scale = self.points_per_unit(rect);
        rect.center() + vec2((x - self.center[0]) * scale, (self.center[1] - y) * scale)
    }

    /// Latent point at a position on the screen; may lie outside the plane.
    pub fn latent_from_screen(&self, rect: Rect, at: Pos2) -> [f32; 2] {
        let from_center = (at - rect.center()) / self.points_per_unit(rect);
        [
            self.center[0] + from_center.x,
            self.center[1] - from_center.y,
        ]
    }

    /// Point of the plane nearest to a position on the screen.
    pub fn latent_on_plane(&self, rect: Rect, at: Pos2) -> [f32; 2] {
        let latent = self.latent_from_screen(rect, at);
        latent.map(|coordinate| coordinate.clamp(-1.0, 1.0))
    }

    /// The plane's square on the screen.
    pub fn plane_rect(&self, rect: Rect) -> Rect {
        let [left_bottom, right_top] =
            [[-1.0, -1.0], [1.0, 1.0]].map(|corner| self.screen_from_latent(rect, corner));
        Rect::from_min_max(
            pos2(left_bottom.x, right_top.y),
            pos2(right_top.x, left_bottom.y),
        )
    }

    /// Zooms by a factor while what is under `at` stays there, as far as the limits allow.
    pub fn zoom_at(&mut self, rect: Rect, at: Pos2, factor: f32) {
        if !factor.is_finite() || factor <= 0.0 {
            return;
        }
        let before = self.latent_from_screen(rect, at);
        self.zoom = (self.zoom * factor).clamp(Self::MIN_ZOOM, Self::MAX_ZOOM);
        let after = self.latent_from_screen(rect, at);
        for axis in 0..2 {
            self.center[axis] += before[axis] - after[axis];
        }
        self.clamp();
    }

    /// Moves the plane by a screen distance.
    pub fn pan_by(&mut self, rect: Rect, delta: Vec2) {
        let scale = self.points_per_unit(rect);
        self.center[0] -= delta.x / scale;
        self.center[1] += delta.y / scale;
        self.clamp();
    }

    /// Shows the whole plane again.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Keeps the plane in sight: at least half of what is shown along each axis is plane.
    pub fn clamp(&mut self) {
        if !self.zoom.is_finite() {
            self.zoom = 1.0;
        }
        self.zoom = self.zoom.clamp(Self::MIN_ZOOM, Self::MAX_ZOOM);
        // A plane smaller than the canvas can still be moved a little.
        let reach = (1.0 - 0.5 / self.zoom).max(0.25);
        for coordinate in &mut self.center {
            *coordinate = if coordinate.is_finite() {
                coordinate.clamp(-reach, reach)
            } else {
                0.0
            };
        }
    }

    /// Round coordinates for axis labels, about one every `spacing` screen points, and how many decimals
    /// they need.
    pub fn axis_ticks(&self, rect: Rect, spacing: f32) -> (Vec<f32>, usize) {
        let rough = spacing / self.points_per_unit(rect);
        let steps = [
            1.0, 0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.0025, 0.001, 0.0005,
        ];
        let step: f32 = steps
            .into_iter()
            .rev()
            .find(|step| *step >= rough)
            .unwrap_or(1.0);
        let decimals =
            (0..5).find(|&d| (step * 10f32.powi(d) - (step * 10f32.powi(d)).round()).abs() < 1e-3);
        let count = (1.0 / step).round() as i32;
        (
            (-count..=count).map(|i| i as f32 * step).collect(),
            decimals.unwrap_or(4) as usize,
        )
    }
}
