//! The window, driven as people drive it: by label, through egui_kittest, drawn in software where a test looks at it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use egui_kittest::{Harness, kittest::Queryable};
use glyphspace::{
    data::language::Code,
    device::Choice,
    executor::views::{ExecutorModelView, PointAnswer, Triple},
    training::Pace,
    ui::{app::App, executor::layers::Layer},
};

pub type Window = Harness<'static, Option<App>>;

pub fn window(theme: egui::Theme) -> Window {
    window_of(theme, [1280.0, 800.0])
}

pub fn window_of(theme: egui::Theme, size: [f32; 2]) -> Window {
    let show = |ui: &mut egui::Ui, app: &mut Option<App>| {
        let app = app.get_or_insert_with(|| App::new(ui.ctx(), Choice::Cpu, true, None).unwrap());
        app.poll_events();
        app.show(ui);
    };
    Harness::builder()
        .with_size(egui::Vec2::from(size))
        .with_theme(theme)
        .build_ui_state(show, None)
}

pub fn app(window: &mut Window) -> &mut App {
    window.state_mut().as_mut().unwrap()
}

/// The open model of the Latent Executor.
pub fn open_model(window: &mut Window) -> Arc<ExecutorModelView> {
    let views = &app(window).executor.workspace.views;
    views.run.model.get().unwrap()
}

/// Runs frames until something is so.
pub fn wait(window: &mut Window, what: &str, mut is_so: impl FnMut(&mut App) -> bool) {
    let begun = Instant::now();
    while !is_so(app(window)) {
        if begun.elapsed() > Duration::from_secs(300) {
            let workspace = &app(window).executor.workspace;
            let (order, run) = (
                workspace.pending.order(),
                workspace.views.run.training.get(),
            );
            let message = app(window)
                .client
                .message()
                .map(|message| message.text.clone());
            panic!("waited in vain for {what}: {message:?}, {order:?}, {run:?}");
        }
        window.step();
        std::thread::sleep(Duration::from_millis(10));
    }
    window.step();
}

pub fn slice_through(window: &mut Window, programs: Triple) {
    let app = app(window);
    let workspace = &mut app.executor.workspace;
    workspace.slice_through(programs, &mut app.client);
}

pub fn show_layer(window: &mut Window, layer: Layer) {
    let app = app(window);
    let workspace = &mut app.executor.workspace;
    workspace.show_layer(layer, &mut app.client);
}

pub fn type_sum(window: &mut Window, text: &str) {
    app(window).executor.workspace.sum_text.clear();
    window.get_by_label("Sum").focus();
    window.step();
    window.get_by_label("Sum").type_text(text);
    window.step();
    window.step();
}

/// The window's position of a latent point of the code plane, in the large map's unzoomed view.
pub fn on_map(window: &Window, [x, y]: [f32; 2]) -> egui::Pos2 {
    let rect = window.get_by_label("Loss map").rect();
    glyphspace::ui::canvas::View::default().screen_from_latent(rect, [x, y])
}

#[test]
fn pointing_decodes_and_a_click_pins() {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the map", |app| {
        app.executor
            .workspace
            .views
            .landscape
            .get()
            .is_some_and(|map| map.loss.size == 256)
    });
    let map = app(&mut window)
        .executor
        .workspace
        .views
        .landscape
        .get()
        .unwrap();
    let (cell, _) = map.loss.lowest().unwrap();
    let lowest = map.loss.center(cell);
    let at = on_map(&window, lowest);
    window.hover_at(at);
    wait(&mut window, "an answer", |app| {
        app.executor.workspace.views.answer.get().is_some()
    });
    let answer = app(&mut window)
        .executor
        .workspace
        .views
        .answer
        .get()
        .unwrap();
    assert!(
        (answer.point[0] - lowest[0]).abs() < 0.02 && (answer.point[1] - lowest[1]).abs() < 0.02
    );
    assert_eq!(answer.state, 71);
    assert_eq!(answer.truth, answer.code.map(|code| code.run(71)));
    assert!(
        answer.loss.unwrap() < 0.5,
        "the map's lowest place has the loss {:?}",
        answer.loss
    );
    let shown = format!(
        "71 + {} = ",
        answer.code.unwrap().to_string().replace('-', "\u{2212}")
    );
    assert!(
        window.query_by_label_contains(&shown).is_some(),
        "{shown:?} is not shown"
    );

    assert!(app(&mut window).executor.workspace.pointing.pins.is_empty());
    window.drag_at(at);
    window.step();
    window.drop_at(at);
    wait(&mut window, "the pin", |app| {
        app.executor.workspace.pointing.pins.len() == 1
    });
    window.get_by_label("Clear pins").click();
    window.step();
    window.step();
    assert!(app(&mut window).executor.workspace.pointing.pins.is_empty());
}

#[test]
fn a_typed_sum_gets_its_map_and_a_wrong_one_a_word() {
    let mut window = window(egui::Theme::Light);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    type_sum(&mut window, "20 + x = 5");
    assert!(
        window
            .query_by_label_contains("expected whole numbers from 10 to 99")
            .is_some()
    );
    type_sum(&mut window, "20 + x = 55");
    wait(&mut window, "the map of 20+?=55", |app| {
        app.executor
            .workspace
            .views
            .landscape
            .get()
            .is_some_and(|map| map.sum.start == 20 && map.sum.result == 55)
    });
    assert!(window.query_by_label("Loss of 20+?=55").is_some());
}

#[test]
fn solving_marks_where_it_looked() {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    app(&mut window).executor.workspace.search.pause_secs = 0.0;
    app(&mut window).executor.workspace.search.method =
        glyphspace::latent::search::Method::Enumerate;
    window.get_by_label("Solve").click();
    wait(&mut window, "the search", |app| {
        app.executor
            .workspace
            .views
            .search
            .get()
            .is_some_and(|search| search.ended)
    });
    let search = app(&mut window)
        .executor
        .workspace
        .views
        .search
        .get()
        .unwrap();
    let found = search.solved.map(|index| search.path[index].code);
    assert_eq!(found, Some(Some(Code::Add(-53))));
    let text = format!("found \u{2212}53 in {} evaluations", search.path.len());
    assert!(window.query_by_label_contains(&text).is_some());
}

/// Evaluation by evaluation, one back, and what the surrogate believes in place of the loss.
#[test]
fn a_search_goes_back_and_shows_what_it_believes() {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    app(&mut window).executor.workspace.search.pause_secs = 60.0;
    window.get_by_label("Solve").click();
    let tried = |app: &mut App| {
        let search = app.executor.workspace.views.search.get();
        search.map_or(0, |search| search.path.len())
    };
    wait(&mut window, "an evaluation", |app| tried(app) == 1);
    window.get_by_label("Hold").click();
    window.step();
    let App {
        client, executor, ..
    } = app(&mut window);
    executor.workspace.search_pace(Some(Pace::Paused), client);
    let first = app(&mut window)
        .executor
        .workspace
        .views
        .search
        .get()
        .unwrap()
        .path[0]
        .clone();
    window.get_by_label("Undo").click();
    wait(&mut window, "none", |app| tried(app) == 0);
    show_layer(&mut window, Layer::Mean);
    app(&mut window).executor.workspace.search.pause_secs = 0.0;
    window.get_by_label("End").click();
    wait(&mut window, "the end", |app| {
        let search = app.executor.workspace.views.search.get();
        search.is_some_and(|search| search.ended)
    });
    window.get_by_label("Solve").click();
    wait(&mut window, "beliefs", |app| {
        let beliefs = app.executor.workspace.views.posterior.get();
        beliefs.is_some_and(|beliefs| beliefs.evaluations >= 2)
    });
    let again = app(&mut window)
        .executor
        .workspace
        .views
        .search
        .get()
        .unwrap()
        .path[0]
        .clone();
    assert_eq!(again, first);
    assert!(
        window
            .query_by_label_contains("Colour scale of expected loss")
            .is_some()
    );
    assert!(window.query_by_label("Warm").is_some());
}

#[test]
fn training_runs_steps_pauses_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    app(&mut window).executor.workspace.train.out = out.display().to_string();
    window.get_by_label("Train").click();
    let pace = |app: &mut App| app.executor.workspace.views.run.pace();
    let step = |app: &mut App| app.executor.workspace.views.run.steps().unwrap_or(0);
    wait(&mut window, "a few steps", |app| step(app) >= 5);
    // The planes move with the model, and the pointer goes on decoding.
    wait(&mut window, "planes in training", |app| {
        app.executor
            .workspace
            .views
            .planes
            .get()
            .is_some_and(|planes| (1..3000).contains(&planes.step))
    });
    let at = on_map(&window, [0.3, -0.4]);
    window.hover_at(at);
    wait(&mut window, "an answer", |app| {
        app.executor.workspace.views.answer.get().is_some()
    });

    window.get_by_label("Pause").click();
    wait(&mut window, "the pause", |app| {
        pace(app) == Some(Pace::Paused)
    });
    let paused_at = step(app(&mut window));
    window.get_by_label("Step").click();
    wait(&mut window, "one step", |app| {
        step(app) > paused_at && pace(app) == Some(Pace::Paused)
    });
    assert_eq!(step(app(&mut window)), paused_at + 1);
    window.get_by_label("Resume").click();
    wait(&mut window, "more steps", |app| step(app) > paused_at + 3);
    window.get_by_label("Stop").click();
    wait(&mut window, "the end", |app| {
        app.executor
            .workspace
            .views
            .run
            .training
            .get()
            .is_some_and(|run| run.pace.is_none())
    });
    assert!(out.join("metrics.csv").is_file());
    assert!(window.query_by_label_contains("ended").is_some());
}

/// A button that moved away between press and release would not be clicked.
#[test]
fn answers_of_any_length_move_no_button() {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the planes", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    let at = on_map(&window, [0.3, -0.4]);
    window.hover_at(at);
    wait(&mut window, "an answer", |app| {
        app.executor.workspace.answer().is_some()
    });
    let before = window.get_by_label("Train").rect();
    let views = app(&mut window).executor.workspace.views.clone();
    let answer = views.answer.get().unwrap();
    views.answer.put(PointAnswer {
        code: None,
        result: None,
        truth: None,
        ..(*answer).clone()
    });
    window.step();
    assert!(window.query_all_by_label_contains("no number").count() > 0);
    assert_eq!(window.get_by_label("Train").rect(), before);
}

#[test]
fn a_missing_run_is_named_and_the_model_stays() {
    let mut window = window(egui::Theme::Light);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    app(&mut window).executor.workspace.open_path = "no/such/run".into();
    window.get_by_label("Open").click();
    wait(&mut window, "the message", |app| {
        app.client
            .message()
            .is_some_and(|message| message.is_error && message.text.contains("no/such/run"))
    });
    assert!(
        app(&mut window)
            .executor
            .workspace
            .views
            .planes
            .get()
            .is_some()
    );
}

/// Both themes are drawn, legibly different, with the map's colours in them.
#[test]
fn light_and_dark_are_drawn() {
    if !crate::device::has_adapter() {
        return;
    }
    let mean = |theme| {
        let mut window = window(theme);
        wait(&mut window, "the map", |app| {
            app.executor.workspace.views.landscape.get().is_some()
        });
        window.run_steps(3);
        let map = window.get_by_label("Loss map").rect();
        let image = window.render().unwrap();
        let mut colors = std::collections::HashSet::new();
        for y in (map.top() as u32..map.bottom() as u32).step_by(3) {
            for x in (map.left() as u32..map.right() as u32).step_by(3) {
                colors.insert(image.get_pixel(x, y).0);
            }
        }
        assert!(
            colors.len() > 200,
            "the map shows only {} colours",
            colors.len()
        );
        let panel = image.get_pixel(20, 780).0;
        panel[..3].iter().map(|part| u32::from(*part)).sum::<u32>()
    };
    let (dark, light) = (mean(egui::Theme::Dark), mean(egui::Theme::Light));
    assert!(dark < 200 && light > 550, "dark {dark}, light {light}");
}
