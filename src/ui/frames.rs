//! How long the window's frames take, measured without a display: everything from what the engine said
//! to the triangles a GPU would be given. For `glyphspace bench ui`.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

use super::app::{App, System};
use crate::device::Choice;

/// Width and height of the window, in points.
pub const SIZE: [f32; 2] = [1280.0, 800.0];
/// Frames a second, as on most screens.
pub const PER_SEC: u32 = 60;
/// Frames measured.
const FRAMES: usize = 300;
/// Steps trained before: the curves have begun, the planes move.
const FIRST_STEPS: u64 = 5;
/// How long the model and the run may take to begin.
const PATIENCE: Duration = Duration::from_secs(300);

/// What trains meanwhile.
pub struct Order<'a> {
    /// The system shown and trained.
    pub system: System,
    /// The number of its preset.
    pub preset: usize,
    /// The functions Code Glyphs train on.
    pub corpus: &'a Path,
    /// The run's folder.
    pub out: &'a Path,
}

/// What was found.
pub struct Found {
    /// Milliseconds of each frame.
    pub millis: Vec<f64>,
    /// Training steps taken while they were drawn.
    pub steps: u64,
    /// Where the model was trained.
    pub device: String,
}

/// Draws the window while a run trains; the pointer moves over it.
///
/// # Errors
/// If the run can't begin, or `go_on` says to stop.
pub fn while_training(
    choice: Choice,
    order: &Order,
    go_on: &mut dyn FnMut() -> Result<()>,
) -> Result<Found> {
    let context = egui::Context::default();
    let mut window = Window {
        app: App::new(&context, choice, false, None)?,
        context,
        begun: Instant::now(),
    };
    let found = window.measure(order, go_on);
    window.app.session.desk.finish();
    found
}

struct Window {
    app: App,
    context: egui::Context,
    begun: Instant,
}

impl Window {
    fn measure(&mut self, order: &Order, go_on: &mut dyn FnMut() -> Result<()>) -> Result<Found> {
        self.app.system = order.system;
        self.wait("the model", go_on, |app| match app.system {
            System::Executor => app.session.board.planes.get().is_some(),
            System::Glyphs => app.glyphs.session.answer().is_some(),
        })?;
        self.begin(order);
        self.wait("the run", go_on, |app| steps(app) >= FIRST_STEPS)?;
        let before = steps(&self.app);
        let mut millis = Vec::with_capacity(FRAMES);
        for _ in 0..FRAMES {
            go_on()?;
            millis.push(self.frame().as_secs_f64() * 1e3);
        }
        let device = match order.system {
            System::Executor => self.app.session.board.model.get().map(|m| m.device.clone()),
            System::Glyphs => self
                .app
                .glyphs
                .session
                .board
                .model
                .get()
                .map(|m| m.device.clone()),
        };
        Ok(Found {
            millis,
            steps: steps(&self.app) - before,
            device: device.unwrap_or_default(),
        })
    }

    fn begin(&mut self, order: &Order) {
        let (out, corpus) = (order.out.display(), order.corpus.display());
        match order.system {
            System::Executor => {
                let session = &mut self.app.session;
                session.train.preset = order.preset;
                session.train.out = out.to_string();
                session.begin_run();
            }
            System::Glyphs => {
                let session = &mut self.app.glyphs.session;
                session.train.preset = order.preset;
                session.train.out = out.to_string();
                session.train.corpus = corpus.to_string();
                session.begin_run(&mut self.app.session.desk);
            }
        }
    }

    /// Draws until something is so.
    fn wait(
        &mut self,
        what: &str,
        go_on: &mut dyn FnMut() -> Result<()>,
        is_so: impl Fn(&App) -> bool,
    ) -> Result<()> {
        let begun = Instant::now();
        while !is_so(&self.app) {
            go_on()?;
            self.frame();
            let said = self.app.session.desk.message();
            if let Some(message) = said.filter(|message| message.is_error) {
                bail!("{}", message.text);
            }
            if begun.elapsed() > PATIENCE {
                bail!("waited in vain for {what}");
            }
        }
        Ok(())
    }

    /// One frame: what it took, the rest of its time slept away.
    fn frame(&mut self) -> Duration {
        let secs = self.begun.elapsed().as_secs_f32();
        let [width, height] = SIZE;
        // Round the middle, over the large map.
        let pointer = egui::pos2(
            width * (0.5 + 0.15 * secs.cos()),
            height * (0.5 + 0.2 * (0.7 * secs).sin()),
        );
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(
                egui::Pos2::ZERO,
                egui::vec2(width, height),
            )),
            time: Some(f64::from(secs)),
            events: vec![egui::Event::PointerMoved(pointer)],
            ..Default::default()
        };
        let begun = Instant::now();
        self.app.listen();
        let output = self.context.run_ui(input, |ui| self.app.show(ui));
        let scale = output.pixels_per_point;
        std::hint::black_box(self.context.tessellate(output.shapes, scale));
        let took = begun.elapsed();
        std::thread::sleep((Duration::from_secs(1) / PER_SEC).saturating_sub(took));
        took
    }
}

fn steps(app: &App) -> u64 {
    let executor = || Some(app.session.board.training.get()?.last?.step);
    let glyphs = || Some(app.glyphs.session.board.training.get()?.last?.step);
    match app.system {
        System::Executor => executor(),
        System::Glyphs => glyphs(),
    }
    .unwrap_or(0)
}
