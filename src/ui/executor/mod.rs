//! The Latent Executor in the window: controls at the left, the views of the latent space beside them.

pub mod bundled;
mod exports;
pub mod layers;
mod lines;
mod marks;
mod panels;
mod planes;
pub mod pointing;
mod projector;
mod slice;
mod space;
pub mod workspace;

use egui::{CentralPanel, Panel, ScrollArea, Ui};

pub use self::{exports::Exports, panels::Action};
use self::{planes::PlaneViews, space::SpaceView, workspace::ExecutorWorkspace};
use super::engine_client::EngineClient;

/// Range of the controls' width, in points.
const CONTROLS_WIDTH: std::ops::RangeInclusive<f32> = 230.0..=480.0;
const CONTROLS_DEFAULT: f32 = 300.0;
/// Maximum share of the controls in the window's width.
const CONTROLS_SHARE: f32 = 0.3;

/// Page of the Latent Executor.
pub struct ExecutorPage {
    /// Open state.
    pub workspace: ExecutorWorkspace,
    /// Views of the latent space.
    pub planes: PlaneViews,
}

impl ExecutorPage {
    /// Page of the engine's bundled model.
    pub fn new(client: &mut EngineClient) -> Self {
        Self {
            workspace: ExecutorWorkspace::new(client),
            planes: PlaneViews::default(),
        }
    }

    /// Draws the page between the bars; returns the actions that need a thread of their own.
    pub fn show(&mut self, ui: &mut Ui, client: &mut EngineClient) -> Vec<Action> {
        let (workspace, mut actions) = (&mut self.workspace, Vec::new());
        workspace.follow(client);
        let width = ui.available_width();
        let widest = (CONTROLS_SHARE * width).clamp(*CONTROLS_WIDTH.start(), *CONTROLS_WIDTH.end());
        Panel::left("controls")
            .resizable(true)
            .default_size(CONTROLS_DEFAULT.min(widest))
            .size_range(*CONTROLS_WIDTH.start()..=widest)
            .show(ui, |ui| {
                ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                    panels::controls(ui, workspace, client, &mut actions);
                });
            });
        CentralPanel::default().show(ui, |ui| self.planes.show(ui, workspace, client));
        actions
    }

    /// The maps, planes, layouts and curves in sight.
    pub fn exports(&self) -> Exports {
        let layouts = self.planes.space.as_ref().map(SpaceView::finished);
        Exports {
            views: self.workspace.views.clone(),
            task: self.workspace.task_to_solve(),
            layouts: layouts.unwrap_or_default(),
        }
    }
}
