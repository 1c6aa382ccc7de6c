//! Navigation on a canvas: the wheel, buttons and keys move the view, the arrow keys the cross.

use egui::{
    CursorIcon, EventFilter, Id, Key, Modifiers, PointerButton, Pos2, Rect, Response, Ui, vec2,
};

use super::{items::Click, view::View};

/// A step of the cross at zoom 1, in latent units; it shrinks as the zoom grows.
const STEP: f32 = 0.02;
/// Steps that Shift makes at once.
const LARGE_STEP: f32 = 10.0;
/// Share of the canvas that an arrow key pans by.
const PAN_SHARE: f32 = 0.1;
/// Margin kept between the cross and the canvas's border, in points.
const MARGIN: f32 = 20.0;
/// Change of the zoom by a key.
const ZOOM_STEP: f32 = 1.25;

/// Movement of the view in a frame.
pub(super) struct Moved {
    /// True while a drag pans it.
    pub is_panning: bool,
    /// True where the plane moved under the pointer.
    pub by_pointer: bool,
}

/// Pans and zooms the view.
pub(super) fn navigate(ui: &Ui, response: &Response, view: &mut View, rect: Rect) -> Moved {
    view.clamp();
    let space = ui.input(|input| input.key_down(Key::Space));
    let is_panning = response.dragged_by(PointerButton::Secondary)
        || response.dragged_by(PointerButton::Middle)
        || space && response.dragged_by(PointerButton::Primary);
    if is_panning {
        view.pan_by(rect, response.drag_delta());
        ui.set_cursor_icon(CursorIcon::Grabbing);
    } else if response.hovered() {
        ui.set_cursor_icon(if space {
            CursorIcon::Grab
        } else {
            CursorIcon::Crosshair
        });
    }
    let mut by_pointer = is_panning;
    if let Some(at) = response.hover_pos() {
        let factor = ui.input_mut(|input| {
            let scroll = std::mem::take(&mut input.smooth_scroll_delta);
            input.zoom_delta() * (scroll.y * 0.005).exp()
        });
        if factor != 1.0 {
            view.zoom_at(rect, at, factor);
            by_pointer = true;
        }
    }
    if response.clicked() || response.drag_started() {
        response.request_focus();
    }
    if response.double_clicked() {
        view.reset();
    }
    if response.has_focus() {
        // The arrows are for walking the plane, not for leaving it.
        let arrows = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let [home, larger, smaller] = ui.input(|input| {
            let larger = input.key_pressed(Key::Plus) || input.key_pressed(Key::Equals);
            let smaller = input.key_pressed(Key::Minus);
            [input.key_pressed(Key::Home), larger, smaller]
        });
        if home {
            view.reset();
        }
        if larger != smaller {
            let factor = if larger { ZOOM_STEP } else { 1.0 / ZOOM_STEP };
            view.zoom_at(rect, rect.center(), factor);
        }
    }
    Moved {
        is_panning,
        by_pointer,
    }
}

/// Handles the arrow keys: returns the new point of the cross, or pans where Ctrl is held or there is no cross to move.
pub(super) fn step(
    ui: &Ui,
    response: &Response,
    view: &mut View,
    rect: Rect,
    is_probed: bool,
    cursor: Option<[f32; 2]>,
) -> Option<[f32; 2]> {
    if !response.has_focus() {
        return None;
    }
    let mut at = cursor.unwrap_or(view.center);
    let mut is_stepped = false;
    for (key, modifiers) in
        ui.input(|input| input.events.iter().filter_map(pressed).collect::<Vec<_>>())
    {
        let [x, y] = match key {
            Key::ArrowLeft => [-1.0, 0.0],
            Key::ArrowRight => [1.0, 0.0],
            Key::ArrowDown => [0.0, -1.0],
            Key::ArrowUp => [0.0, 1.0],
            _ => continue,
        };
        if modifiers.command || modifiers.ctrl || !is_probed {
            view.pan_by(rect, vec2(-x, y) * PAN_SHARE * rect.size().min_elem());
            continue;
        }
        let by = STEP / view.zoom * if modifiers.shift { LARGE_STEP } else { 1.0 };
        at = [at[0] + by * x, at[1] + by * y].map(|coordinate| coordinate.clamp(-1.0, 1.0));
        is_stepped = true;
    }
    if !is_stepped {
        return None;
    }
    // The cross stays in sight.
    let inside = rect.shrink(MARGIN.min(rect.size().min_elem() / 4.0));
    let on_screen = view.screen_from_latent(rect, at);
    view.pan_by(rect, inside.clamp(on_screen) - on_screen);
    Some(at)
}

fn pressed(event: &egui::Event) -> Option<(Key, Modifiers)> {
    match event {
        egui::Event::Key {
            key,
            pressed: true,
            modifiers,
            ..
        } => Some((*key, *modifiers)),
        _ => None,
    }
}

/// True if the pointer is at another place of this canvas than a frame before.
pub(super) fn has_moved(ui: &Ui, id: Id, pointer: Option<Pos2>) -> bool {
    let id = id.with("pointer");
    ui.data_mut(|data| {
        let before = data.get_temp_mut_or_default::<Option<Pos2>>(id);
        std::mem::replace(before, pointer) != pointer
    })
}

/// Click of this frame: of the pointer where its button was released, wherever the pointer went afterwards; of Enter at
/// the cross.
pub(super) fn click(
    ui: &Ui,
    response: &Response,
    view: &View,
    rect: Rect,
    cross: Option<[f32; 2]>,
) -> Option<Click> {
    if response.double_clicked() {
        return Some(Click::Double);
    }
    if response.clicked_by(PointerButton::Primary) && !response.triple_clicked() {
        let released = ui.input(|input| {
            let mut released = input.events.iter().rev().filter_map(released_at);
            released.find(|at| rect.contains(*at))
        });
        let at = released.or_else(|| response.interact_pointer_pos())?;
        return Some(Click::Single(view.latent_on_plane(rect, at)));
    }
    let is_entered = response.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    cross.filter(|_| is_entered).map(Click::Single)
}

fn released_at(event: &egui::Event) -> Option<Pos2> {
    match event {
        egui::Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed: false,
            ..
        } => Some(*pos),
        _ => None,
    }
}
