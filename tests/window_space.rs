//! The window with a model of more than two dimensions, on the software renderer.

use egui_kittest::kittest::Queryable;
use glyphspace::{
    data::language::Code,
    latent::{points::distance, projection::Fit},
    ui::canvas::View,
};

use crate::{
    command_line::trained,
    window::{Window, app, slice_through, wait, window},
};

/// A window with a model of three dimensions, laid out.
fn opened(run: &std::path::Path) -> Window {
    let mut window = window(egui::Theme::Dark);
    wait(&mut window, "the bundled model", |app| {
        app.executor.workspace.views.planes.get().is_some()
    });
    assert!(app(&mut window).executor.planes.space.is_none());
    app(&mut window).executor.workspace.open_path = run.display().to_string();
    window.get_by_label("Open").click();
    wait(&mut window, "the layouts", |app| {
        let space = app.executor.planes.space.as_ref();
        space.is_some_and(|space| space.finished().len() == 6)
    });
    window.step();
    window
}

/// Position on the screen of the number at an index of a layout.
fn on_layout(window: &mut Window, number: usize, index: usize) -> egui::Pos2 {
    let layouts = app(window)
        .executor
        .planes
        .space
        .as_ref()
        .unwrap()
        .finished();
    let layout = &layouts[number];
    let place = layout.places.iter().nth(index).unwrap();
    let at = Fit::of(&layout.places).in_box([place[0], place[1]]);
    let name = format!("Layout by {}", layout.kind);
    let rect = window.get_by_label(&name).rect();
    View::default().screen_from_latent(rect, at)
}

#[test]
fn layouts_share_pointer_and_selection() {
    let folder = trained();
    let mut window = opened(&folder.path().join("run"));
    for name in ["PCA", "t-SNE, perplexity 2", "t-SNE, perplexity 100"] {
        assert!(window.query_by_label(name).is_some(), "{name} is not shown");
    }

    // The pointer at a number of one layout decodes it where it lies in the space.
    let at = on_layout(&mut window, 3, 46);
    window.hover_at(at);
    wait(&mut window, "the number under the pointer", |app| {
        app.executor
            .planes
            .space
            .as_ref()
            .is_some_and(|space| space.hovered().is_some())
    });
    let value = app(&mut window)
        .executor
        .planes
        .space
        .as_ref()
        .unwrap()
        .hovered()
        .unwrap()
        .replace('\u{2212}', "-")
        .parse::<i32>()
        .unwrap();
    let planes = app(&mut window)
        .executor
        .workspace
        .views
        .planes
        .get()
        .unwrap();
    let place = planes
        .codes
        .iter()
        .nth((value + 99) as usize)
        .unwrap()
        .to_vec();
    wait(&mut window, "its answer", |app| {
        let answer = app.executor.workspace.views.answer.get();
        answer.is_some_and(|answer| answer.point == place)
    });

    // A rectangle over all of a layout selects all, a click at nothing none.
    let rect = window.get_by_label("Layout by PCA").rect();
    window.drag_at(rect.min + egui::vec2(3.0, 3.0));
    window.step();
    window.hover_at(rect.center());
    window.step();
    window.hover_at(rect.max - egui::vec2(3.0, 3.0));
    window.step();
    window.drop_at(rect.max - egui::vec2(3.0, 3.0));
    window.step();
    let selected = app(&mut window)
        .executor
        .planes
        .space
        .as_ref()
        .unwrap()
        .selected();
    assert_eq!(
        (selected.len(), selected[0], selected[198]),
        (199, "\u{2212}99", "99")
    );
    window.hover_at(egui::pos2(5.0, 795.0));
    window.step();
    assert!(window.query_by_label_contains("199 selected: ").is_some());
    window.get_by_label("Clear selection").click();
    window.step();
    window.step();
    assert!(
        app(&mut window)
            .executor
            .planes
            .space
            .as_ref()
            .unwrap()
            .selected()
            .is_empty()
    );

    // The states, too.
    window.get_by_label("States").click();
    wait(&mut window, "the layouts of the states", |app| {
        let layouts = app.executor.planes.space.as_ref().unwrap().finished();
        layouts.len() == 6 && layouts.iter().all(|layout| layout.places.len() == 90)
    });

    // A plane again.
    app(&mut window).executor.workspace.open_path.clear();
    window.get_by_label("Open").click();
    wait(&mut window, "the plane", |app| {
        app.executor.planes.space.is_none()
    });
    wait(&mut window, "its map", |app| {
        let map = app.executor.workspace.views.landscape.get();
        map.is_some_and(|map| map.cut.is_none())
    });
}

#[test]
fn a_slice_is_mapped_and_decodes() {
    let folder = trained();
    let mut window = opened(&folder.path().join("run"));
    let is_of = |programs: [i32; 3]| {
        let programs = programs.map(Code::Add);
        move |app: &mut glyphspace::ui::app::App| {
            let map = app.executor.workspace.views.landscape.get();
            map.and_then(|map| Some(map.cut.as_ref()?.programs)) == Some(programs)
        }
    };
    // The solution of 71+?=18 and two others spread over the range.
    wait(&mut window, "the slice's map", is_of([-53, 13, 79]));
    slice_through(&mut window, [-53, 0, 40].map(Code::Add));
    wait(
        &mut window,
        "the map of the chosen slice",
        is_of([-53, 0, 40]),
    );
    window.step();

    let map = app(&mut window)
        .executor
        .workspace
        .views
        .landscape
        .get()
        .unwrap();
    let cut = map.cut.clone().unwrap();
    let rect = window.get_by_label("Slice loss map").rect();
    for (corner, program) in cut.slice.corners.iter().zip(cut.programs) {
        let at = View::default().screen_from_latent(rect, *corner);
        window.hover_at(at);
        let place = map
            .planes
            .codes
            .iter()
            .nth((program.operand() + 99) as usize)
            .unwrap()
            .to_vec();
        wait(&mut window, "the answer at a corner", |app| {
            let answer = app.executor.workspace.views.answer.get();
            answer.is_some_and(|answer| distance(&answer.point, &place) < 0.05)
        });
    }
    let at = View::default().screen_from_latent(rect, cut.slice.corners[0]);
    window.drag_at(at);
    window.step();
    window.drop_at(at);
    // The pin has the answer of the clicked place.
    wait(&mut window, "the pin", |app| {
        app.executor.workspace.pointing.pins.len() == 1
    });

    // Programs on a line make no slice; that is said, and nothing breaks.
    slice_through(&mut window, [5, 5, 40].map(Code::Add));
    window.step();
    window.step();
    let said = window.query_all_by_label_contains("three places on one line");
    assert!(said.count() > 0);
}
