//! The bar above, for system, device and theme, and the line of messages below.

use egui::{Align, Label, Layout, RichText, Ui};

use super::{engine_client::EngineClient, system::SystemPage, theme::Theme, widgets::combo};
use crate::device::Choice;

/// The user's choice in the bar.
#[derive(Clone, Copy, Debug)]
pub enum BarChoice {
    /// Another system.
    SystemPage(SystemPage),
    /// The dark theme, or the light one.
    Theme(bool),
    /// Another device.
    Device(Choice),
}

/// Draws the bar: the systems, the model of the one that is shown, the device, the theme.
pub fn bar(ui: &mut Ui, system: SystemPage, client: &EngineClient) -> Option<BarChoice> {
    let mut choice_made = None;
    ui.horizontal(|ui| {
        ui.heading("Glyphspace");
        ui.separator();
        for other in SystemPage::ALL {
            if ui.selectable_label(system == other, other.name()).clicked() {
                choice_made = Some(BarChoice::SystemPage(other));
            }
        }
        ui.separator();
        // From the right, so that what is left of the width is the model's.
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_dark = ui.visuals().dark_mode;
            let theme = ui.button(if is_dark { "Light" } else { "Dark" });
            if theme.on_hover_text("Change the colours").clicked() {
                choice_made = Some(BarChoice::Theme(!is_dark));
            }
            combo(ui, "Device", &client.choice.to_string(), |ui| {
                let fixed = [Choice::Auto, Choice::Cpu].map(|choice| (choice, choice.to_string()));
                let gpus = client.adapters.iter().map(|a| {
                    let name = format!("gpu:{} {}", a.number, a.name);
                    (Choice::Adapter(a.number), name)
                });
                for (choice, name) in fixed.into_iter().chain(gpus) {
                    let is_chosen = client.choice == choice;
                    if ui.selectable_label(is_chosen, name).clicked() && !is_chosen {
                        choice_made = Some(BarChoice::Device(choice));
                    }
                }
            });
            ui.label("Device");
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if let Some((model, device, reason)) = model(system, client) {
                    let hover = format!("{model}\nComputed here: {device}, {reason}");
                    ui.add(Label::new(model).truncate()).on_hover_text(&hover);
                    if ui.available_width() > DEVICE_WIDTH {
                        ui.add(Label::new(RichText::new(device).weak()).truncate())
                            .on_hover_text(hover);
                    }
                }
            });
        });
    });
    choice_made
}

/// Width below which the device's name is left out, in points.
const DEVICE_WIDTH: f32 = 60.0;

/// Model of a system, its device, and the reason for that device.
fn model(system: SystemPage, client: &EngineClient) -> Option<(String, String, String)> {
    let text = |origin: &str, params: usize, steps: u64| {
        format!("{origin}: {params} values, {steps} steps")
    };
    match system {
        SystemPage::Executor => {
            let model = client.executor.run.model.get()?;
            let planes = client.executor.planes.get();
            let steps = planes.map_or(model.steps, |planes| planes.step);
            let text = text(&model.origin, model.params, steps);
            Some((text, model.device.clone(), model.device_reason.clone()))
        }
        SystemPage::Glyphs => {
            let model = client.glyphs.run.model.get()?;
            let views = &client.glyphs.run;
            let last = views.pace().and_then(|_| views.steps());
            let text = text(&model.origin, model.params, last.unwrap_or(model.steps));
            Some((text, model.device.clone(), model.device_reason.clone()))
        }
    }
}

/// Draws the line of messages: the newest one, else `hint`.
pub fn message(ui: &mut Ui, client: &mut EngineClient, system: SystemPage, hint: &str) {
    ui.horizontal(|ui| {
        let Some(message) = client.message_of(system).cloned() else {
            ui.add(Label::new(RichText::new(hint).weak()).truncate());
            return;
        };
        let color = if message.is_error {
            Theme::of(ui.visuals()).error
        } else {
            ui.visuals().text_color()
        };
        if message.is_error && ui.small_button("Dismiss").clicked() {
            client.dismiss_of(system);
        }
        let label = Label::new(RichText::new(&message.text).color(color));
        ui.add(label.truncate()).on_hover_text(&message.text);
    });
}
