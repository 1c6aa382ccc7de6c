//! Pointing, answers and pins: an answer that is shown belongs to the current sum, model and place.

use std::sync::Arc;

use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_kittest::kittest::Queryable;
use glyphspace::{
    data::language::Code, executor::views::PointAnswer, latent::search::Method, ui::canvas::View,
};

use super::window::{Window, app, on_map, open_model, type_sum, wait, window};

fn ready() -> Window {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the map", |app| {
        app.executor.workspace.views.landscape.get().is_some()
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
    wait(window, "an answer", |app| {
        app.executor.workspace.answer().is_some()
    });
    window.step();
    app(window).executor.workspace.answer().unwrap()
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
        window.input_mut().events.extend(click_at(at));
        window.step();
    }
    window.step();
    window.step();
}

fn wait_for_pins(window: &mut Window, count: usize) {
    wait(window, "the pin", |app| {
        app.executor.workspace.pointing.pins.len() == count
    });
}

/// A press and a release of the primary button.
fn click_at(at: Pos2) -> [Event; 2] {
    [true, false].map(|pressed| Event::PointerButton {
        pos: at,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    })
}

fn is_near(answer: &PointAnswer, place: [f32; 2]) -> bool {
    let apart = |axis: usize| (answer.point[axis] - place[axis]).abs();
    apart(0) < 0.02 && apart(1) < 0.02
}

/// Within one frame the pointer jumps, clicks and moves on: neither the newest answer nor the one under the pointer is
/// of the place clicked.
#[test]
fn a_click_pins_the_answer_of_its_own_place() {
    for name in ["Loss map", "Truth map", "Code plane"] {
        let mut window = ready();
        let rect = window.get_by_label(name).rect();
        let on_plane = |point| View::default().screen_from_latent(rect, point);
        window.hover_at(on_plane([0.3, -0.4]));
        let newest = answered(&mut window);
        let clicked = [[-0.6, 0.5], [0.1, 0.1]];
        for (point, next) in [(clicked[0], [0.7, 0.7]), (clicked[1], [-0.7, -0.7])] {
            let [at, next] = [point, next].map(on_plane);
            let [press, release] = click_at(at);
            let moved = Event::PointerMoved;
            let events = [moved(at), press, release, moved(next)];
            window.input_mut().events.extend(events);
            // Far enough apart in time to be two clicks.
            window.run_steps(2);
        }
        wait_for_pins(&mut window, 2);
        let pins = &app(&mut window).executor.workspace.pointing.pins;
        for (pin, place) in pins.iter().zip(clicked) {
            let answer = &pin.answer;
            assert_ne!(answer.point, newest.point);
            assert!(is_near(answer, place), "{name}: {answer:?} for {place:?}");
            assert_eq!((answer.state, answer.target), (71, Some(18)));
        }
    }
}

/// The arrow keys took the cross away; the pointer clicks where it rests.
#[test]
fn a_click_at_rest_pins_the_place_of_the_pointer() {
    let mut window = ready();
    let place = [0.0, 0.0];
    let at = on_map(&window, place);
    clicks(&mut window, at, 1);
    wait_for_pins(&mut window, 1);
    key(&mut window, Key::ArrowRight, Modifiers::SHIFT);
    key(&mut window, Key::Enter, Modifiers::NONE);
    wait_for_pins(&mut window, 2);
    for _ in 0..4 {
        window.step();
    }
    window.input_mut().events.extend(click_at(at));
    window.step();
    wait_for_pins(&mut window, 3);
    let workspace = &app(&mut window).executor.workspace;
    let pins: Vec<_> = workspace
        .pointing
        .pins
        .iter()
        .map(|pin| &pin.answer)
        .collect();
    assert!(is_near(pins[0], place), "{:?}", pins[0]);
    assert!(is_near(pins[1], [0.2, 0.0]), "{:?}", pins[1]);
    assert_eq!(pins[2].point, pins[0].point);
    assert_eq!(workspace.pointing.cursor.unwrap().to_vec(), pins[2].point);
}

#[test]
fn the_readout_follows_the_model_in_training_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = ready();
    point_at(&mut window, [0.3, -0.4]);
    app(&mut window).executor.workspace.train.out = folder.path().join("run").display().to_string();
    window.get_by_label("Train").click();
    wait(&mut window, "some steps", |app| {
        let run = app.executor.workspace.views.run.training.get();
        run.and_then(|run| run.last.clone())
            .is_some_and(|last| last.step() >= 5)
    });
    let place = [-0.2, 0.6];
    let first = point_at(&mut window, place);
    // The pointer rests; the model goes on.
    wait(&mut window, "the answer of a later step", |app| {
        let answer = app.executor.workspace.answer();
        answer.is_some_and(|answer| answer.step > first.step + 10)
    });
    window.get_by_label("Stop").click();
    wait(&mut window, "the end", |app| {
        let run = app.executor.workspace.views.run.training.get();
        run.is_some_and(|run| run.pace.is_none())
    });
    let steps = open_model(&mut window).steps;
    wait(&mut window, "the answer of the last step", |app| {
        let answer = app.executor.workspace.answer();
        answer.is_some_and(|answer| answer.step == steps)
    });
    window.step();
    let answer = app(&mut window).executor.workspace.answer().unwrap();
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
        let model = app.executor.workspace.views.run.model.get();
        model.is_some_and(|model| model.config.lines == 2)
    });
    wait(&mut window, "its planes", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    let after = answered(&mut window);
    let model = open_model(&mut window);
    assert_eq!(after.step, model.steps);
    assert!(is_shown(&window, &equation(&after)));

    // Away from the map nothing is pointed at in a model that was just opened.
    let button = window.get_by_label("2-D").rect().center();
    window.hover_at(button);
    window.step();
    window.get_by_label("2-D").click();
    wait(&mut window, "the first model", |app| {
        let model = app.executor.workspace.views.run.model.get();
        model.is_some_and(|model| model.config.lines == 1)
            && app.executor.workspace.views.planes.get().is_some()
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
    wait_for_pins(&mut window, 1);
    let before = app(&mut window).executor.workspace.pointing.cursor.unwrap();
    key(&mut window, Key::ArrowRight, Modifiers::NONE);
    let right = app(&mut window).executor.workspace.pointing.cursor.unwrap();
    assert!(
        right[0] > before[0] + 0.005 && right[1] == before[1],
        "{right:?}"
    );
    key(&mut window, Key::ArrowUp, Modifiers::SHIFT);
    let up = app(&mut window).executor.workspace.pointing.cursor.unwrap();
    assert!(up[0] == right[0] && up[1] > right[1] + 0.1, "{up:?}");
    // The pointer still rests where it clicked; the cross stays where the keys took it.
    for _ in 0..3 {
        window.step();
    }
    assert_eq!(
        app(&mut window).executor.workspace.pointing.cursor,
        Some(up)
    );
    let answer = answered(&mut window);
    assert_eq!(answer.point, up.to_vec());
    assert!(is_shown(&window, &equation(&answer)));
    key(&mut window, Key::Enter, Modifiers::NONE);
    wait_for_pins(&mut window, 2);
    let pins = &app(&mut window).executor.workspace.pointing.pins;
    assert_eq!(pins[1].answer.point, answer.point);
    // Keys never lead off the plane.
    for _ in 0..20 {
        key(&mut window, Key::ArrowLeft, Modifiers::SHIFT);
    }
    assert_eq!(
        app(&mut window).executor.workspace.pointing.cursor.unwrap()[0],
        -1.0
    );
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
    assert!(app(&mut window).executor.workspace.pointing.pins.is_empty());

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
        wait_for_pins(&mut window, texts.len());
    }
    window
        .get_by_label_contains(&format!("Remove pin {}", texts[1]))
        .click();
    window.step();
    window.step();
    let left: Vec<String> = app(&mut window)
        .executor
        .workspace
        .pointing
        .pins
        .iter()
        .map(|pinned| equation(&pinned.answer))
        .collect();
    assert_eq!(left, [texts[0].clone(), texts[2].clone()]);
}

#[test]
fn enter_stands_for_a_fields_button() {
    let mut window = ready();
    app(&mut window).executor.workspace.search.method = Method::Enumerate;
    app(&mut window).executor.workspace.search.pause_secs = 0.0;
    type_sum(&mut window, "71+?=19");
    window.key_press(Key::Enter);
    window.step();
    wait(&mut window, "the search", |app| {
        app.executor.workspace.views.search.get().is_some()
    });
    window.get_by_label("Model").focus();
    window.step();
    window.get_by_label("Model").type_text("no/such/run");
    window.step();
    window.key_press(Key::Enter);
    window.step();
    wait(&mut window, "the message", |app| {
        let message = app.client.message();
        message.is_some_and(|message| message.is_error && message.text.contains("no/such/run"))
    });
    window.get_by_label("Code Glyphs").click();
    wait(&mut window, "the first glyph", |app| {
        app.glyphs.workspace.answer().is_some()
    });
    window.get_by_label("File").focus();
    window.step();
    window.get_by_label("File").type_text("no/such/picture.png");
    window.step();
    window.key_press(Key::Enter);
    window.step();
    wait(&mut window, "the message", |app| {
        let message = app.client.message();
        message.is_some_and(|message| message.text.contains("no/such/picture.png"))
    });
}
