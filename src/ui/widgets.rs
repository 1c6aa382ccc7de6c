//! Widgets of both systems.

use egui::{ComboBox, Key, Response, Role, TextEdit, TextStyle, Ui, WidgetInfo, WidgetText};

/// Combo box with an accessible name.
pub fn combo(ui: &mut Ui, name: &str, selected: &str, show: impl FnOnce(&mut Ui)) {
    let shown = ComboBox::from_id_salt(name)
        .selected_text(selected)
        .show_ui(ui, show);
    shown
        .response
        .widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
}

/// Labelled text field of one line; `hint` stands in it while it is empty.
pub fn field(
    ui: &mut Ui,
    label: impl Into<WidgetText>,
    text: &mut String,
    hint: &str,
    width: f32,
) -> Response {
    let shown = ui.horizontal(|ui| {
        let label = ui.label(label);
        let edit = TextEdit::singleline(text).hint_text(hint);
        ui.add(edit.desired_width(width)).labelled_by(label.id)
    });
    shown.inner
}

/// True if Enter was pressed in a text field: that stands for the button beside it.
pub fn is_entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

/// Height of a line above a canvas, with the gap below it.
pub fn title_height(ui: &Ui) -> f32 {
    let line = ui.text_style_height(&TextStyle::Body);
    line.max(ui.spacing().interact_size.y) + ui.spacing().item_spacing.y
}

/// Request to open a model.
pub enum OpenRequest {
    /// The typed folder.
    Typed,
    /// One to be chosen in a dialog.
    Browse,
}

/// Draws the buttons that open a model, whose folder is typed into the field `path`.
pub fn open_buttons(ui: &mut Ui, path: &Response) -> Option<OpenRequest> {
    let typed = ui.button("Open").clicked() || is_entered(ui, path);
    let browse = ui.button("Browse").clicked();
    match (typed, browse) {
        (true, _) => Some(OpenRequest::Typed),
        (false, true) => Some(OpenRequest::Browse),
        (false, false) => None,
    }
}
