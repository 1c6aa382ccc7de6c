//! The window's frame: a bar above, messages below, between them the system that was chosen.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use anyhow::Result;
use egui::{CentralPanel, Panel, ThemePreference, Ui};

use super::{
    bar::{self, Chose},
    engine_client::Cause,
    fonts::{self, Missing},
    glyphs::{self, Glyphs},
    panels::{self, Action},
    planes::Planes,
    session::UiSession,
    space::Space,
    theme::Theme,
};
use crate::{device::Choice, engine::pair::Either, executor::export};

/// Between two frames while the engine is in one call and nothing else happens.
const CALL_SHOWN_EVERY: Duration = Duration::from_millis(500);

const STORED_SUM: &str = "glyphspace-sum";
const STORED_SYSTEM: &str = "glyphspace-system";
const STORED_FUNCTION: &str = "glyphspace-function";

/// Width of the controls, in points, and at most which share of the window's.
const CONTROLS_WIDTH: std::ops::RangeInclusive<f32> = 230.0..=480.0;
const CONTROLS_DEFAULT: f32 = 300.0;
const CONTROLS_SHARE: f32 = 0.3;

/// What the window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Sums and the planes of their programs.
    Executor,
    /// Functions and their pictures.
    Glyphs,
}

impl System {
    /// In the order of the switch.
    pub const ALL: [Self; 2] = [System::Executor, System::Glyphs];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            System::Executor => "Latent Executor",
            System::Glyphs => "Code Glyphs",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            System::Executor => {
                "Point at the plane to decode a program; click to pin it; wheel to zoom, right drag to move; arrow keys once clicked"
            }
            System::Glyphs => {
                "Type a function, or drop a picture of a glyph on the window; click a glyph to open its function"
            }
        }
    }
}

/// The program's window.
pub struct App {
    /// What is open of the Latent Executor, and the engine of both.
    pub session: UiSession,
    /// What is open of Code Glyphs.
    pub glyphs: Glyphs,
    /// Which of them is shown.
    pub system: System,
    /// The views of the Latent Executor.
    pub planes: Planes,
    missing: Missing,
    /// Answers of file dialogs and exports, which run on threads of their own.
    tasks: (Sender<FileTask>, Receiver<FileTask>),
}

/// What comes back from a thread of the window's own.
enum FileTask {
    Open(String),
    Wrote(Result<String, String>),
    Glyphs(glyphs::Done),
}

impl App {
    /// Starts the engine and shows the bundled model.
    ///
    /// # Errors
    /// If the engine can't be started.
    pub fn new(
        context: &egui::Context,
        choice: Choice,
        is_drawn_by_cpu: bool,
        storage: Option<&dyn eframe::Storage>,
    ) -> Result<Self> {
        Theme::install(context);
        let mut session = UiSession::new(context, choice, is_drawn_by_cpu)?;
        let stored = |key| storage.and_then(|storage| storage.get_string(key));
        if let Some(text) = stored(STORED_SUM) {
            session.sum_text = text;
            session.read_sum();
        }
        let mut glyphs = Glyphs::default();
        if let Some(text) = stored(STORED_FUNCTION) {
            glyphs.session.write(text);
        }
        let system = stored(STORED_SYSTEM)
            .and_then(|name| System::ALL.into_iter().find(|system| system.name() == name));
        Ok(Self {
            session,
            glyphs,
            system: system.unwrap_or(System::Executor),
            planes: Planes::default(),
            missing: Missing::of(context),
            tasks: channel(),
        })
    }

    /// Takes in what happened since the last frame.
    pub fn listen(&mut self) {
        while let Some(event) = self.session.client.event() {
            match event {
                Either::First(Ok(event)) => self.session.hear(event),
                Either::First(Err(error)) => self.session.fail(&error),
                Either::Second(Ok(event)) => {
                    self.glyphs.session.hear(event, &mut self.session.client);
                }
                Either::Second(Err(error)) => {
                    let (cause, why) = (Cause::of(&error), format!("{error:#}"));
                    self.session.client.fail(System::Glyphs, cause, why);
                }
            }
        }
        while let Ok(task) = self.tasks.1.try_recv() {
            match task {
                FileTask::Open(path) => {
                    self.session.open_path.clone_from(&path);
                    self.session.open(&path);
                }
                FileTask::Wrote(Ok(text)) => self.session.say(text, false),
                FileTask::Wrote(Err(why)) => self.session.say(why, true),
                FileTask::Glyphs(done) => self.glyphs.session.take(done, &mut self.session.client),
            }
        }
    }

    /// Draws the window.
    pub fn show(&mut self, ui: &mut Ui) {
        let chose = Panel::top("bar").show(ui, |ui| {
            let client = &self.session.client;
            bar::bar(ui, self.system, client, &client.adapters)
        });
        match chose.inner {
            Some(Chose::System(system)) => self.choose_system(system),
            Some(Chose::Device(choice)) => self.session.choose_device(choice),
            Some(Chose::Theme(true)) => ui.ctx().set_theme(ThemePreference::Dark),
            Some(Chose::Theme(false)) => ui.ctx().set_theme(ThemePreference::Light),
            None => {}
        }
        self.show_slow_device(ui);
        Panel::bottom("message").show(ui, |ui| {
            let client = &mut self.session.client;
            let hint = client.long_call_text();
            let hint = hint.unwrap_or_else(|| self.system.hint().into());
            bar::message(ui, client, self.system, &hint)
        });
        self.take_dropped(ui);
        match self.system {
            System::Executor => self.show_executor(ui),
            System::Glyphs => {
                let pasted = ui.input(|input| input.events.iter().find_map(pasted_picture));
                let mut tasks: Vec<_> = pasted
                    .map(glyphs::BackgroundTask::Fit)
                    .into_iter()
                    .collect();
                tasks.extend(self.glyphs.show(ui, &mut self.session.client));
                for job in tasks {
                    self.task(ui.ctx(), move || job.run().map(FileTask::Glyphs));
                }
            }
        }
        if self.session.client.is_busy() {
            // Nothing else may happen for as long as the call takes.
            ui.ctx().request_repaint_after(CALL_SHOWN_EVERY);
        }
        self.load_fonts(ui.ctx());
    }

    /// A graphics driver that runs on the processor is only slow: people are told, and offered the processor itself.
    fn show_slow_device(&mut self, ui: &mut Ui) {
        let client = &self.session.client;
        let Some(name) = client
            .software_adapter()
            .map(|adapter| adapter.name.clone())
        else {
            return;
        };
        let shown = Panel::top("slow device").show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                let color = Theme::of(ui.visuals()).warning;
                let text =
                    "is a graphics driver that runs on the processor: alone, that is far faster.";
                ui.colored_label(color, format!("{name} {text}"));
                ui.button("Use the processor").clicked()
            })
        });
        if shown.inner.inner {
            self.session.choose_device(Choice::Cpu);
        }
    }

    /// Looks for fonts with the characters that could not be drawn.
    fn load_fonts(&mut self, context: &egui::Context) {
        let characters = self.missing.take();
        if !characters.is_empty() {
            let for_fonts = context.clone();
            self.task(context, move || {
                let fonts = fonts::covering(&characters);
                fonts.into_iter().for_each(|font| for_fonts.add_font(font));
                None
            });
        }
    }

    fn choose_system(&mut self, system: System) {
        self.system = system;
        // A question may have been superseded by one of the other system.
        match system {
            System::Executor => self.session.ask_again(),
            System::Glyphs => self.glyphs.session.ask_again(&self.session.client),
        }
    }

    fn show_executor(&mut self, ui: &mut Ui) {
        self.session.follow();
        let mut actions = Vec::new();
        let width = ui.available_width();
        let widest = (CONTROLS_SHARE * width).clamp(*CONTROLS_WIDTH.start(), *CONTROLS_WIDTH.end());
        Panel::left("controls")
            .resizable(true)
            .default_size(CONTROLS_DEFAULT.min(widest))
            .size_range(*CONTROLS_WIDTH.start()..=widest)
            .show(ui, |ui| {
                egui::ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| {
                        panels::controls(ui, &mut self.session, &mut actions);
                    });
            });
        CentralPanel::default().show(ui, |ui| self.planes.show(ui, &mut self.session));
        for action in actions {
            self.act(ui.ctx(), action);
        }
    }

    /// A file dropped on the window is for the system that is shown.
    fn take_dropped(&mut self, ui: &Ui) {
        let (dropped, count) = ui.input(|input| {
            let files = &input.raw.dropped_files;
            (files.first().map(Arc::clone), files.len())
        });
        let Some(file) = dropped else { return };
        let path = file.path().to_owned();
        if count > 1 {
            let name = path.file_name().unwrap_or_default().display();
            let text = format!("{count} files were dropped: {name} alone is opened");
            self.session.client.say(self.system, text, false);
        }
        match self.system {
            System::Executor => {
                let folder = if path.is_dir() {
                    Some(path.as_path())
                } else {
                    path.parent()
                };
                if let Some(folder) = folder {
                    self.session.open(&folder.display().to_string());
                }
            }
            System::Glyphs => {
                let job = glyphs::BackgroundTask::Read(path);
                self.task(ui.ctx(), move || job.run().map(FileTask::Glyphs));
            }
        }
    }

    fn act(&mut self, context: &egui::Context, action: Action) {
        match action {
            Action::BrowseRun => {
                let job = glyphs::BackgroundTask::BrowseRun;
                self.task(context, move || match job.run()? {
                    glyphs::Done::Run(folder) => Some(FileTask::Open(folder.display().to_string())),
                    done => Some(FileTask::Glyphs(done)),
                });
            }
            Action::Export(folder) => self.export(context, folder.into()),
        }
    }

    /// Writes every map, plane and curve that can be seen into a new folder.
    fn export(&mut self, context: &egui::Context, folder: std::path::PathBuf) {
        let (views, task) = (self.session.views.clone(), self.session.looked_for());
        let layouts = self
            .planes
            .space
            .as_ref()
            .map_or_else(Vec::new, Space::finished);
        self.task(context, move || {
            let write = || -> Result<String> {
                let folder = crate::engine::run_folder::RunFolder::create(&folder)?
                    .path()
                    .to_owned();
                if let Some(map) = views.landscape.get() {
                    let task = task.filter(|task| task.examples[0] == map.sum);
                    let task = task.unwrap_or(map.sum.into());
                    let search = views.search.get();
                    let search = search.filter(|s| *s.task == task && task.lines() == 1);
                    export::map_png(&folder.join("map.png"), &map, &task, search.as_deref())?;
                    export::map_csv(&folder.join("map.csv"), &map)?;
                }
                if let Some(planes) = views.planes.get() {
                    export::planes_png(&folder.join("planes.png"), &planes)?;
                    export::planes_csv(&folder.join("planes.csv"), &planes)?;
                }
                if !layouts.is_empty() {
                    export::projections_png(&folder.join("projections.png"), &layouts)?;
                    export::projections_csv(&folder.join("projections.csv"), &layouts)?;
                }
                if let Some(curves) = views.curves.get().filter(|curves| curves.len() > 1) {
                    export::curves_png(&folder.join("curves.png"), &curves)?;
                }
                Ok(format!(
                    "wrote maps, planes and tables into {}",
                    folder.display()
                ))
            };
            Some(FileTask::Wrote(
                write().map_err(|error| format!("{error:#}")),
            ))
        });
    }

    fn task(
        &mut self,
        context: &egui::Context,
        run: impl FnOnce() -> Option<FileTask> + Send + 'static,
    ) {
        let (sender, context) = (self.tasks.0.clone(), context.clone());
        let task = move || {
            if let Some(task) = run() {
                // The window may be gone by now; then nobody wants to know.
                drop(sender.send(task));
                context.request_repaint();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("task".into()).spawn(task) {
            self.session
                .say(format!("can't start a thread: {error}"), true);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, _: &egui::Context, _: &mut eframe::Frame) {
        self.listen();
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.show(ui);
    }

    /// The background of panels, which paint none themselves: see [`Theme::clear_panels`].
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        Theme::of(visuals).panel.to_normalized_gamma_f32()
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(STORED_SUM, self.session.sum_text.clone());
        storage.set_string(STORED_SYSTEM, self.system.name().into());
        storage.set_string(STORED_FUNCTION, self.glyphs.session.text.clone());
    }

    fn on_exit(&mut self) {
        // Where the program doesn't come back from its last window, this is the last chance to save a run.
        if cfg!(target_os = "macos") {
            self.session.client.finish();
        }
    }
}

/// A picture pasted, without its transparency.
fn pasted_picture(event: &egui::Event) -> Option<image::RgbImage> {
    let egui::Event::PasteImage(picture) = event else {
        return None;
    };
    let [width, height] = picture.size.map(|side| side as u32);
    let pixels = picture.pixels.iter().flat_map(|pixel| {
        let [r, g, b, _] = pixel.to_srgba_unmultiplied();
        [r, g, b]
    });
    image::RgbImage::from_raw(width, height, pixels.collect())
}
