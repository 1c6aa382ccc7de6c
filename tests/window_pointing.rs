//! What is pointed at, shown and pinned: it belongs to the sum, the model and the place of now.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_kittest::kittest::Queryable;
use glyphspace::{data::language::Code, executor::views::PointAnswer, latent::search::Method};

use super::window::{Window, app, on_map, type_sum, wait, window};

fn ready() -> Window {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the map", |app| {
        app.session.views.landscape.get().is_some()
    });
    window
}

/// Rests the pointer at a point of the plane until that is answered.
fn point_at(window: &mut Window, point: [f32; 2]) -> Arc<PointAnswer> {
    let at = on_map(window, point);
    window.hover_at(at);
    answered(window)
}

fn answered(window: &mut Window) -> Arc<PointAnswer> {
    window.step();
    wait(window, "an answer", |app| app.session.answer().is_some());
    window.step();
    app(window).session.answer().unwrap()
}

fn equation(answer: &PointAnswer) -> String {
    let sign = |text: String| text.replace('-', "\u{2212}");
    let code = match answer.code {
        Some(Code::Add(addend)) => format!("+ {}", sign(addend.to_string())),
        Some(Code::Times(factor)) => format!("\u{d7} {factor}"),
        None => "+ no number".into(),
    };
    let result = answer
        .result
        .map_or_else(|| "no number".into(), |result| sign(result.to_string()));
    format!("{} {code} = {result}", sign(answer.state.to_string()))
}

fn is_shown(window: &Window, text: &str) -> bool {
    window.query_all_by_label_contains(text).count() > 0
}

fn key(window: &mut Window, key: Key, modifiers: Modifiers) {
    for pressed in [true, false] {
        window.event(Event::Key {
            key,
            physical_key: None,
            pressed,
            repeat: false,
            modifiers,
        });
    }
    window.step();
    window.step();
}

fn clicks(window: &mut Window, at: Pos2, count: usize) {
    window.hover_at(at);
    window.step();
    for _ in 0..count {
        // In one frame: two frames take longer than the clicks of a double-click are apart.
        let click = [true, false].map(|pressed| Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        window.input_mut().events.extend(click);
        window.step();
    }
    window.step();
    window.step();
}

#[test]
fn the_readout_follows_the_model_in_training_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = ready();
    point_at(&mut window, [0.3, -0.4]);
    app(&mut window).session.train.out = folder.path().join("run").display().to_string();
    window.get_by_label("Train").click();
    wait(&mut window, "some steps", |app| {
        let run = app.session.views.training.get();
        run.and_then(|run| run.last)
            .is_some_and(|last| last.step >= 5)
    });
    let place = [-0.2, 0.6];
    let first = point_at(&mut window, place);
    // The pointer rests; the model goes on.
    wait(&mut window, "the answer of a later step", |app| {
        let answer = app.session.answer();
        answer.is_some_and(|answer| answer.step > first.step + 10)
    });
    window.get_by_label("Stop").click();
    wait(&mut window, "the end", |app| {
        let run = app.session.views.training.get();
        run.is_some_and(|run| run.pace.is_none())
    });
    let steps = app(&mut window).session.views.model.get().unwrap().steps;
    wait(&mut window, "the answer of the last step", |app| {
        let answer = app.session.answer();
        answer.is_some_and(|answer| answer.step == steps)
    });
    window.step();
    let answer = app(&mut window).session.answer().unwrap();
    assert!(is_shown(&window, &equation(&answer)));
}

#[test]
fn nothing_is_shown_of_the_model_before() {
    let mut window = ready();
    let before = point_at(&mut window, [0.3, -0.4]);
    assert!(is_shown(&window, &equation(&before)));
    // The pointer rests on the map while another model is opened.
    window.get_by_label("Several lines").click_accesskit();
    wait(&mut window, "the other model", |app| {
        let model = app.session.views.model.get();
        model.is_some_and(|model| model.config.lines == 2)
    });
    wait(&mut window, "its planes", |app| {
        app.session.views.planes.get().is_some()
    });
    let after = answered(&mut window);
    let model = app(&mut window).session.views.model.get().unwrap();
    assert_eq!(after.step, model.steps);
    assert!(is_shown(&window, &equation(&after)));

    // Away from the map nothing is pointed at in a model that was just opened.
    let button = window.get_by_label("2-D").rect().center();
    window.hover_at(button);
    window.step();
    window.get_by_label("2-D").click();
    wait(&mut window, "the first model", |app| {
        let model = app.session.views.model.get();
        model.is_some_and(|model| model.config.lines == 1)
            && app.session.views.planes.get().is_some()
    });
    window.step();
    assert!(is_shown(&window, "Point at the plane"));
}

#[test]
fn nothing_is_shown_of_a_sum_that_cannot_be_read() {
    let mut window = ready();
    let before = point_at(&mut window, [0.3, -0.4]);
    for rubbish in ["20 + x = 5", "rubbish", "", "71+?=18, 20"] {
        type_sum(&mut window, rubbish);
        assert!(!is_shown(&window, &equation(&before)), "{rubbish:?}");
        assert!(is_shown(&window, "No sum to run"), "{rubbish:?}");
        assert!(!is_shown(&window, "being computed"), "{rubbish:?}");
    }
    // Another sum's answer to the same place, without a move of the pointer.
    type_sum(&mut window, "71+?=90");
    let answer = answered(&mut window);
    assert_eq!((answer.target, &answer.point), (Some(90), &before.point));
    assert!(is_shown(&window, &equation(&answer)));
}

#[test]
fn arrow_keys_walk_the_plane_and_enter_pins() {
    let mut window = ready();
    let at = on_map(&window, [0.0, 0.0]);
    clicks(&mut window, at, 1);
    answered(&mut window);
    assert_eq!(app(&mut window).session.pins.len(), 1);
    let before = app(&mut window).session.pointer.unwrap();
    key(&mut window, Key::ArrowRight, Modifiers::NONE);
    let right = app(&mut window).session.pointer.unwrap();
    assert!(
        right[0] > before[0] + 0.005 && right[1] == before[1],
        "{right:?}"
    );
    key(&mut window, Key::ArrowUp, Modifiers::SHIFT);
    let up = app(&mut window).session.pointer.unwrap();
    assert!(up[0] == right[0] && up[1] > right[1] + 0.1, "{up:?}");
    // The pointer still rests where it clicked; the cross stays where the keys took it.
    for _ in 0..3 {
        window.step();
    }
    assert_eq!(app(&mut window).session.pointer, Some(up));
    let answer = answered(&mut window);
    assert_eq!(answer.point, up.to_vec());
    assert!(is_shown(&window, &equation(&answer)));
    key(&mut window, Key::Enter, Modifiers::NONE);
    let pins = &app(&mut window).session.pins;
    assert_eq!((pins.len(), &pins[1].answer.point), (2, &answer.point));
    // Keys never lead off the plane.
    for _ in 0..20 {
        key(&mut window, Key::ArrowLeft, Modifiers::SHIFT);
    }
    assert_eq!(app(&mut window).session.pointer.unwrap()[0], -1.0);
    // A move of the pointer takes the cross back; the view, which followed the cross, is brought back first.
    key(&mut window, Key::Home, Modifiers::NONE);
    let answer = point_at(&mut window, [0.5, 0.5]);
    assert!((answer.point[0] - 0.5).abs() < 0.02, "{answer:?}");
}

#[test]
fn a_double_click_leaves_no_pin_and_pins_go_one_by_one() {
    let mut window = ready();
    let at = on_map(&window, [0.2, 0.2]);
    clicks(&mut window, at, 2);
    answered(&mut window);
    window.step();
    assert!(app(&mut window).session.pins.is_empty());

    let mut texts = Vec::new();
    for place in [[0.3, -0.4], [-0.6, 0.5], [0.7, 0.7]] {
        // Clicks far apart in time, so that they are three.
        for _ in 0..4 {
            window.step();
        }
        let answer = point_at(&mut window, place);
        let at = on_map(&window, place);
        clicks(&mut window, at, 1);
        texts.push(equation(&answer));
    }
    assert_eq!(app(&mut window).session.pins.len(), 3);
    window
        .get_by_label_contains(&format!("Remove pin {}", texts[1]))
        .click();
    window.step();
    window.step();
    let left: Vec<String> = app(&mut window)
        .session
        .pins
        .iter()
        .map(|pinned| equation(&pinned.answer))
        .collect();
    assert_eq!(left, [texts[0].clone(), texts[2].clone()]);
}

#[test]
fn enter_stands_for_a_fields_button() {
    let mut window = ready();
    app(&mut window).session.search.method = Method::Enumerate;
    app(&mut window).session.search.pause_secs = 0.0;
    type_sum(&mut window, "71+?=19");
    window.key_press(Key::Enter);
    window.step();
    wait(&mut window, "the search", |app| {
        app.session.views.search.get().is_some()
    });
    window.get_by_label("Model").focus();
    window.step();
    window.get_by_label("Model").type_text("no/such/run");
    window.step();
    window.key_press(Key::Enter);
    window.step();
    wait(&mut window, "the message", |app| {
        let message = app.session.message();
        message.is_some_and(|message| message.is_error && message.text.contains("no/such/run"))
    });
    window.get_by_label("Code Glyphs").click();
    wait(&mut window, "the first glyph", |app| {
        app.glyphs.session.answer().is_some()
    });
    window.get_by_label("File").focus();
    window.step();
    window.get_by_label("File").type_text("no/such/picture.png");
    window.step();
    window.key_press(Key::Enter);
    window.step();
    wait(&mut window, "the message", |app| {
        let message = app.session.message();
        message.is_some_and(|message| message.text.contains("no/such/picture.png"))
    });
}
