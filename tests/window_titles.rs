//! Titles of the window's views, models offered for a sum, and the life of error messages.

use egui_kittest::kittest::{NodeT, Queryable};
use glyphspace::{latent::search::Method, ui::executor::layers::Layer};

use super::{
    command_line::check_done,
    window::{Window, app, open_model, show_layer, slice_through, type_sum, wait, window},
};

fn ready() -> Window {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    window
}

fn is_shown(window: &Window, text: &str) -> bool {
    window.query_all_by_label_contains(text).count() > 0
}

fn open(window: &mut Window, name: &str) {
    let before = open_model(window);
    window.get_by_label(name).click();
    wait(window, name, |app| {
        let model = app.executor.workspace.views.run.model.get();
        model.is_some_and(|model| !std::sync::Arc::ptr_eq(&model, &before))
            && app.executor.workspace.views.planes.get().is_some()
    });
    // Once it is said to be open.
    window.step();
}

fn is_disabled(window: &Window, label: &str) -> bool {
    window.get_by_label(label).accesskit_node().is_disabled()
}

#[test]
fn a_layer_of_the_surrogate_has_its_own_title() {
    let mut window = ready();
    app(&mut window).executor.workspace.search.pause_secs = 0.0;
    show_layer(&mut window, Layer::Mean);
    window.step();
    window.step();
    assert!(window.query_by_label("Loss of 71+?=18").is_some());
    window.get_by_label("Solve").click();
    wait(&mut window, "beliefs", |app| {
        app.executor.workspace.views.posterior.get().is_some()
    });
    for (layer, title) in [
        (Layer::Mean, "Expected loss of 71+?=18"),
        (
            Layer::Uncertainty,
            "Deviation of the expected loss of 71+?=18",
        ),
        (Layer::Acquisition, "Acquisition of 71+?=18"),
        (Layer::Loss, "Loss of 71+?=18"),
    ] {
        show_layer(&mut window, layer);
        wait(&mut window, title, |app| {
            layer == Layer::Loss || app.executor.workspace.views.posterior.get().is_some()
        });
        window.step();
        assert!(
            window.query_by_label(title).is_some(),
            "{title:?} is not shown"
        );
        let is_loss = window.query_by_label("Loss of 71+?=18").is_some();
        assert_eq!(is_loss, layer == Layer::Loss, "{layer:?}");
    }
}

#[test]
fn a_map_says_what_it_is_of() {
    let mut window = ready();
    type_sum(&mut window, "71+?=18, 80+?=27");
    let title = "Loss of 71+?=18, the first of 2 examples";
    assert!(window.query_by_label(title).is_some());
    type_sum(&mut window, "71+?+?=18");
    assert!(
        window
            .query_by_label("Loss of one line for 71+?+?=18")
            .is_some()
    );
    for rubbish in ["71+=18", "??", "71+?=1234"] {
        type_sum(&mut window, rubbish);
        assert!(is_shown(&window, "no sum to map"), "{rubbish:?}");
        assert!(!is_shown(&window, "being computed"), "{rubbish:?}");
    }
    type_sum(&mut window, "12x?=84");
    open(&mut window, "Open Operators");
    wait(&mut window, "the sum", |app| {
        app.executor.workspace.sum.is_ok()
    });
    window.step();
    assert!(window.query_by_label("Loss of 12x?=84").is_some());
    assert!(!is_shown(&window, "12+?=84"));
    // A slice of a model that shows only some of its programs is computed by the engine, or not at all.
    open(&mut window, "Four digits");
    type_sum(&mut window, "rubbish");
    assert!(!is_shown(&window, "being computed"));
}

#[test]
fn a_sum_that_the_model_does_not_hold_offers_the_one_that_does() {
    let mut window = ready();
    for (sum, name) in [
        ("1234+?=4321", "Four digits"),
        ("-5+?=7", "Four digits"),
        ("5+?=9", "Operators"),
        ("12x?=84", "Operators"),
        ("71+?+?=18", "Several lines"),
    ] {
        type_sum(&mut window, sum);
        let button = format!("Open {name}");
        assert!(
            window.query_by_label(&button).is_some(),
            "{button:?} for {sum}"
        );
    }
    type_sum(&mut window, "71+?=20000");
    assert!(!is_shown(&window, "Open Four digits"));
    type_sum(&mut window, "1234+?=4321");
    open(&mut window, "Open Four digits");
    wait(&mut window, "the sum", |app| {
        app.executor.workspace.sum.is_ok()
    });
    window.step();
    assert!(!is_shown(&window, "Open Four digits"));
    type_sum(&mut window, "71+?+?=18");
    assert!(window.query_by_label("Open Several lines").is_some());
}

#[test]
fn each_model_is_searched_with_what_it_is_good_at() {
    let mut window = ready();
    let strategy = |window: &mut Window| {
        let search = &app(window).executor.workspace.search;
        (search.method, search.is_warm)
    };
    assert_eq!(strategy(&mut window), (Method::Bo, false));
    open(&mut window, "Four digits");
    assert_eq!(strategy(&mut window), (Method::Bo, true));
    open(&mut window, "Operators");
    assert_eq!(strategy(&mut window), (Method::Bo, false));
    // Nothing is proposed for a product: warm can't be chosen, and what was chosen doesn't fail.
    app(&mut window).executor.workspace.search.is_warm = true;
    type_sum(&mut window, "12x?=84");
    assert!(is_disabled(&window, "Warm"));
    app(&mut window).executor.workspace.search.pause_secs = 0.0;
    window.get_by_label("Solve").click();
    wait(&mut window, "the search", |app| {
        let search = app.executor.workspace.views.search.get();
        search.is_some_and(|search| search.ended && search.solved.is_some())
    });
    app(&mut window).executor.workspace.search.method = Method::Inverse;
    window.step();
    assert!(is_disabled(&window, "Solve"));
    type_sum(&mut window, "12+?=84");
    assert!(!is_disabled(&window, "Warm") && !is_disabled(&window, "Solve"));
}

#[test]
fn a_model_without_an_inverse_encoder_is_not_asked_for_proposals() {
    let folder = tempfile::tempdir().unwrap();
    let sizes = "--set d_model=16 --set d_kv=8 --set num_heads=2 --set bottleneck=24";
    let train =
        "executor train --out run --preset four-digits --steps 2 --set inverse_encoder=false";
    let line = format!("{train} --set inverse_consistency=0 --device cpu {sizes}");
    check_done(folder.path(), &line);
    let mut window = ready();
    open(&mut window, "Four digits");
    assert!(app(&mut window).executor.workspace.search.is_warm);
    app(&mut window).executor.workspace.open_path = folder.path().join("run").display().to_string();
    open(&mut window, "Open");
    let workspace = &mut app(&mut window).executor.workspace;
    assert_eq!(
        (workspace.search.method, workspace.search.is_warm),
        (Method::HillClimb, false)
    );
    (workspace.search.budget, workspace.search.pause_secs) = (3, 0.0);
    assert!(is_disabled(&window, "Warm"));
    window.get_by_label("Solve").click();
    wait(&mut window, "the search", |app| {
        let search = app.executor.workspace.views.search.get();
        search.is_some_and(|search| search.ended)
    });
    let message = app(&mut window).client.message().unwrap();
    assert!(!message.is_error, "{}", message.text);
}

#[test]
fn an_error_belongs_to_its_system_and_goes_with_its_cause() {
    let mut window = ready();
    let fail = |window: &mut Window| {
        app(window).executor.workspace.open_path = "no/such/run".into();
        window.get_by_label("Open").click();
        wait(window, "the message", |app| {
            let message = app.client.message();
            message.is_some_and(|message| message.is_error)
        });
        window.step();
        assert!(is_shown(window, "no/such/run"));
    };
    fail(&mut window);
    // The open model and the pins stay.
    assert!(
        app(&mut window)
            .executor
            .workspace
            .views
            .planes
            .get()
            .is_some()
    );
    app(&mut window).executor.workspace.open_path.clear();
    window.get_by_label("Code Glyphs").click();
    window.step();
    window.step();
    assert!(!is_shown(&window, "no/such/run"));
    window.get_by_label("Latent Executor").click();
    window.step();
    window.step();
    assert!(is_shown(&window, "no/such/run"));
    // Another sum mends nothing, another path does.
    type_sum(&mut window, "71+?=20");
    assert!(is_shown(&window, "no/such/run"));
    window.get_by_label("Model").focus();
    window.step();
    window.get_by_label("Model").type_text("x");
    window.step();
    window.step();
    assert!(!is_shown(&window, "no/such/run"));

    fail(&mut window);
    app(&mut window).executor.workspace.open_path.clear();
    open(&mut window, "10-D");
    wait(&mut window, "the word of it", |app| {
        let message = app.client.message();
        message.is_some_and(|message| message.text.contains("opened"))
    });
    assert!(!is_shown(&window, "no/such/run"));
    // Choosing other programs for the slice ends what was wrong with the ones before.
    let shown = app(&mut window).executor.workspace.programs();
    slice_through(&mut window, [shown[0], shown[0], shown[2]]);
    wait(&mut window, "the refusal", |app| {
        let message = app.client.message();
        message.is_some_and(|message| message.is_error)
    });
    slice_through(&mut window, shown);
    window.step();
    window.step();
    assert!(!is_shown(&window, "on one line"));
}
