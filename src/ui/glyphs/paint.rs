//! The glyph, its distorted version, and the controls of the noisy channel.

use std::sync::Arc;

use egui::{
    Color32, ColorImage, Rect, Response, RichText, Role, Sense, Slider, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo, pos2,
};

use super::{background_tasks::BackgroundTask, sheet::Sheet, workspace::GlyphsWorkspace};
use crate::{
    glyphs::config::GLYPH_SIZE,
    glyphs::views::{Blot, BlotKind, CellFate, DistortionKinds, GlyphView, HARDEST, Subject},
    ui::{engine_client::EngineClient, theme::Theme, widgets::field},
};

/// Points a pixel of the glyph is drawn with at most; whole numbers only.
const LARGEST: f32 = 3.0;

/// Blots at most.
const MOST_BLOTS: usize = 200;
const SLIDER_WIDTH: f32 = 240.0;
/// Width of the number and the name beside the slider.
const BESIDE_SLIDER: f32 = 120.0;
const SAVE_AS_WIDTH: f32 = 260.0;

/// Panel of the two pictures, with both in a texture.
#[derive(Default)]
pub struct PaintPanel {
    shown: Option<(Arc<GlyphView>, Sheet)>,
}

impl PaintPanel {
    /// Draws pictures and controls.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        workspace: &mut GlyphsWorkspace,
        client: &EngineClient,
        tasks: &mut Vec<BackgroundTask>,
    ) {
        self.follow(ui, workspace);
        let gap = ui.spacing().item_spacing.x;
        let fits = (ui.available_width() - gap) / 2.0 / GLYPH_SIZE as f32;
        let side = fits.floor().clamp(1.0, LARGEST) * GLYPH_SIZE as f32;
        let is_picture = workspace.picture.is_some();
        ui.horizontal_top(|ui| {
            let name = if is_picture { "Picture" } else { "Glyph" };
            self.picture(ui, 0, name, side);
            let name = format!(
                "Through the channel, difficulty {:.1}",
                workspace.difficulty
            );
            let (rect, response) = self.picture(ui, 1, &name, side);
            if let Some((view, _)) = &self.shown {
                if is_picture {
                    corners(ui, rect, view);
                }
                cells(ui, rect, view);
            }
            if damage(&response, rect, workspace) {
                workspace.ask_again(client);
            }
        });
        ui.add_space(4.0);
        if blots(ui, workspace) | channel(ui, workspace) {
            workspace.ask_again(client);
        }
        if let Some((view, _)) = &self.shown {
            mending(ui, view);
        }
        let Some((view, _)) = &self.shown else { return };
        save(ui, view, &mut workspace.save_path, tasks);
    }

    /// Follows the engine. Until a new answer is there the last one stays in sight: a flash at every key would be worse.
    fn follow(&mut self, ui: &Ui, workspace: &GlyphsWorkspace) {
        let has_subject = workspace.picture.is_some() || workspace.function.is_ok();
        let view = workspace.views.glyph.get();
        match view.filter(|_| has_subject && workspace.refusal().is_none()) {
            None => self.shown = None,
            Some(view) => {
                if self
                    .shown
                    .as_ref()
                    .is_none_or(|(shown, _)| !Arc::ptr_eq(shown, &view))
                {
                    let sheet = Sheet::new(ui.ctx(), [&view.glyph, &view.distorted].into_iter());
                    self.shown = Some((view, sheet));
                }
            }
        }
    }

    fn picture(&self, ui: &mut Ui, which: usize, name: &str, side: f32) -> (Rect, Response) {
        let theme = Theme::of(ui.visuals());
        ui.vertical(|ui| {
            ui.set_width(side);
            ui.add(egui::Label::new(RichText::new(name).strong()).truncate());
            let sense = [Sense::hover(), Sense::click_and_drag()][which];
            let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), sense);
            let role = Role::Image;
            response.widget_info(|| {
                WidgetInfo::labeled(role, true, ["Glyph picture", "Damaged picture"][which])
            });
            match &self.shown {
                Some((_, sheet)) => sheet.paint(ui, which, rect),
                None => {
                    ui.painter().rect_filled(rect, 0.0, theme.canvas);
                    let stroke = Stroke::new(1.0, theme.grid);
                    ui.painter()
                        .rect_stroke(rect, 0.0, stroke, StrokeKind::Inside);
                }
            }
            (rect, response)
        })
        .inner
    }
}

/// Damages the picture where the pointer presses or drags; true if it did.
fn damage(response: &Response, rect: Rect, workspace: &mut GlyphsWorkspace) -> bool {
    let pressed = response.dragged() || response.clicked();
    let Some(pointer) = response.interact_pointer_pos().filter(|_| pressed) else {
        return false;
    };
    let place = (pointer - rect.center()) / (rect.width() / 2.0);
    // A drag leaves a blot every half radius.
    let is_near = |blot: &Blot| (Vec2::from(blot.centre) - place).length() < blot.radius / 2.0;
    if workspace.blots.last().is_some_and(is_near) || workspace.blots.len() >= MOST_BLOTS {
        return false;
    }
    let kind = workspace.blot_kind;
    workspace.blots.push(Blot {
        kind,
        centre: place.into(),
        radius: match kind {
            BlotKind::Scrape => 0.12,
            BlotKind::Stain => 0.3,
        },
    });
    true
}

/// Draws the choice of damage by hand; true if the picture was cleaned.
fn blots(ui: &mut Ui, workspace: &mut GlyphsWorkspace) -> bool {
    ui.horizontal_wrapped(|ui| {
        ui.label("Drag over the right picture to");
        let kind = &mut workspace.blot_kind;
        ui.radio_value(kind, BlotKind::Scrape, "scrape it off");
        ui.radio_value(kind, BlotKind::Stain, "spill coffee on it");
        let clean = egui::Button::new("Clean");
        let is_damaged = !workspace.blots.is_empty();
        let is_cleaned = ui.add_enabled(is_damaged, clean).clicked();
        if is_cleaned {
            workspace.blots.clear();
        }
        is_cleaned
    })
    .inner
}

/// Colour of a cell's fate.
fn color(fate: CellFate, theme: &Theme) -> Color32 {
    match fate {
        CellFate::Mended => theme.good,
        CellFate::Told => theme.warning,
        CellFate::Lost => theme.error,
    }
}

/// Draws outlines of the cells that weren't read as they are.
fn cells(ui: &Ui, rect: Rect, view: &GlyphView) {
    let theme = Theme::of(ui.visuals());
    let painter = ui.painter().with_clip_rect(rect);
    for cell in &view.cells {
        let corners = cell.corners.map(|[x, y]| {
            rect.center() + Vec2::new(x * rect.width() / 2.0, y * rect.height() / 2.0)
        });
        let middle = corners[0].lerp(corners[2], 0.5);
        let corners = corners.map(|corner| corner.lerp(middle, 0.15)).to_vec();
        let stroke = Stroke::new(1.5, color(cell.fate, &theme));
        painter.add(egui::Shape::closed_line(corners, stroke));
    }
}

/// Draws what became of the cells, and the meter of bits.
fn mending(ui: &mut Ui, view: &GlyphView) {
    let theme = Theme::of(ui.visuals());
    let Some(bits) = view.bits else { return };
    ui.horizontal_wrapped(|ui| {
        let fates = [
            (CellFate::Mended, "refilled from parity"),
            (CellFate::Told, "told by the language model"),
            (CellFate::Lost, "lost"),
        ];
        for (fate, name) in fates {
            let count = view.cells.iter().filter(|cell| cell.fate == fate).count();
            ui.colored_label(color(fate, &theme), format!("{count} {name}"));
        }
    });
    let share = (bits.carried / bits.used).clamp(0.0, 1.0) as f32;
    let text = format!(
        "{:.0} bits needed, {:.0} came through, {:.0} painted",
        bits.needed, bits.carried, bits.used
    );
    let bar = egui::ProgressBar::new(share).text(text);
    let response = ui.add(bar.desired_width(2.0 * SLIDER_WIDTH));
    let needed = (bits.needed / bits.used).clamp(0.0, 1.0) as f32;
    let at = egui::lerp(response.rect.left()..=response.rect.right(), needed);
    ui.painter()
        .vline(at, response.rect.y_range(), Stroke::new(2.0, theme.warning));
    response.on_hover_text(
        "Bits of the tokens and their check (the mark), bits that came through the channel this time, and bits of all cells",
    );
}

/// Draws the buttons to save and copy the pictures.
fn save(ui: &mut Ui, view: &GlyphView, path: &mut String, tasks: &mut Vec<BackgroundTask>) {
    ui.horizontal_wrapped(|ui| {
        for (text, name, picture) in [
            ("Save glyph\u{2026}", "glyph", &view.glyph),
            ("Save damaged\u{2026}", "damaged", &view.distorted),
        ] {
            if ui.button(text).clicked() {
                tasks.push(BackgroundTask::SaveGlyph {
                    glyph: picture.clone(),
                    name,
                    path: path.clone(),
                });
            }
        }
        if ui.button("Copy glyph").clicked() {
            let size = [view.glyph.width() as usize, view.glyph.height() as usize];
            ui.ctx()
                .copy_image(ColorImage::from_rgb(size, view.glyph.as_raw()));
        }
    });
    field(
        ui,
        "Save as",
        path,
        "a new PNG file; empty: asks",
        SAVE_AS_WIDTH,
    );
}

/// Draws the detected corners.
fn corners(ui: &Ui, rect: Rect, view: &GlyphView) {
    if !matches!(view.question.subject, Subject::Picture(_)) {
        return;
    }
    let place = |[x, y]: [f32; 2]| {
        pos2(
            rect.center().x + x * rect.width() / 2.0,
            rect.center().y + y * rect.height() / 2.0,
        )
    };
    let corners = view.reading.decoded.corners.map(place);
    let painter = ui.painter().with_clip_rect(rect.expand(4.0));
    for (width, color) in [(4.0, Color32::BLACK), (2.0, Color32::WHITE)] {
        let outline = egui::Shape::closed_line(corners.to_vec(), Stroke::new(width, color));
        painter.add(outline);
        for corner in corners {
            painter.circle_stroke(corner, 5.0, Stroke::new(width, color));
        }
    }
}

/// Draws the channel's controls; true if one was changed.
fn channel(ui: &mut Ui, workspace: &mut GlyphsWorkspace) -> bool {
    let mut is_changed = false;
    ui.horizontal_wrapped(|ui| {
        let width = ui.available_width() - BESIDE_SLIDER;
        ui.spacing_mut().slider_width = width.clamp(40.0, SLIDER_WIDTH);
        let slider = Slider::new(&mut workspace.difficulty, 0.0..=HARDEST)
            .step_by(0.1)
            .text("Difficulty");
        is_changed |= ui.add(slider).changed();
        if ui
            .button("Draw again")
            .on_hover_text("Another draw of the same channel")
            .clicked()
        {
            workspace.seed += 1;
            is_changed = true;
        }
    });
    let DistortionKinds {
        affine,
        perspective,
        blur,
        scale,
        occlusion,
        noise,
        jpeg,
    } = &mut workspace.parts;
    ui.horizontal_wrapped(|ui| {
        for (part, name) in [
            (affine, "Turn and shift"),
            (perspective, "Perspective"),
            (blur, "Blur"),
            (scale, "Colour gains"),
            (occlusion, "Patch"),
            (noise, "Static"),
            (jpeg, "JPEG"),
        ] {
            is_changed |= ui.checkbox(part, name).changed();
        }
    });
    is_changed
}
