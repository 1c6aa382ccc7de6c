//! The window: a bar above, messages below, between them the page of the system that was chosen.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use anyhow::Result;
use egui::{Panel, ThemePreference, Ui};

use super::{
    bar::{self, BarChoice},
    engine_client::{Cause, EngineClient},
    executor::{Action, ExecutorPage},
    fonts::{self, MissingCharacters},
    glyphs::{BackgroundTask, GlyphsPage, TaskResult},
    system::SystemPage,
    theme::Theme,
};
use crate::device::Choice;

/// Interval between two frames while the engine is in one call and nothing else happens.
const CALL_SHOWN_EVERY: Duration = Duration::from_millis(500);

const STORED_SUM: &str = "glyphspace-sum";
const STORED_SYSTEM: &str = "glyphspace-system";
const STORED_FUNCTION: &str = "glyphspace-function";

/// The program's window.
pub struct App {
    /// Client of the engine.
    pub client: EngineClient,
    /// Page of the Latent Executor.
    pub executor: ExecutorPage,
    /// Page of Code Glyphs.
    pub glyphs: GlyphsPage,
    /// The system that is shown.
    pub system: SystemPage,
    missing: MissingCharacters,
    /// Results of background tasks: file dialogs and exports.
    results: (Sender<Finished>, Receiver<Finished>),
}

/// Result of a background task.
enum Finished {
    OpenRun(String),
    Export(Result<String, String>),
    Glyphs(TaskResult),
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
        let mut client = EngineClient::new(context, choice, is_drawn_by_cpu)?;
        let mut executor = ExecutorPage::new(&mut client);
        let stored = |key| storage.and_then(|storage| storage.get_string(key));
        if let Some(text) = stored(STORED_SUM) {
            executor.workspace.sum_text = text;
            executor.workspace.read_sum(&mut client);
        }
        let mut glyphs = GlyphsPage::default();
        if let Some(text) = stored(STORED_FUNCTION) {
            glyphs.workspace.write(text);
        }
        let system = stored(STORED_SYSTEM).and_then(|name| {
            SystemPage::ALL
                .into_iter()
                .find(|system| system.name() == name)
        });
        Ok(Self {
            client,
            executor,
            glyphs,
            system: system.unwrap_or(SystemPage::Executor),
            missing: MissingCharacters::of(context),
            results: channel(),
        })
    }

    /// Handles the events of the engine and the results of background tasks since the last frame.
    pub fn poll_events(&mut self) {
        let client = &mut self.client;
        let (executor, glyphs) = (&mut self.executor.workspace, &mut self.glyphs.workspace);
        while let Some((system, event)) = client.poll_event() {
            match (system, event) {
                (SystemPage::Executor, Ok(event)) => {
                    if let Ok(event) = event.downcast() {
                        executor.on_event(*event, client);
                    }
                }
                (SystemPage::Glyphs, Ok(event)) => {
                    if let Ok(event) = event.downcast() {
                        glyphs.on_event(*event, client);
                    }
                }
                (_, Err(error)) => {
                    client.report_error(system, Cause::of(&error), format!("{error:#}"));
                }
            }
        }
        while let Ok(result) = self.results.1.try_recv() {
            match result {
                Finished::OpenRun(path) => {
                    executor.open_path.clone_from(&path);
                    executor.open(&path, client);
                }
                Finished::Export(Ok(text)) => client.set_status(SystemPage::Executor, text),
                Finished::Export(Err(why)) => {
                    client.report_error(SystemPage::Executor, Cause::Order, why);
                }
                Finished::Glyphs(result) => glyphs.on_task_done(result, client),
            }
        }
    }

    /// Draws the window.
    pub fn show(&mut self, ui: &mut Ui) {
        let choice = Panel::top("bar").show(ui, |ui| bar::bar(ui, self.system, &self.client));
        match choice.inner {
            Some(BarChoice::SystemPage(system)) => self.choose_system(system),
            Some(BarChoice::Device(choice)) => self.choose_device(choice),
            Some(BarChoice::Theme(true)) => ui.ctx().set_theme(ThemePreference::Dark),
            Some(BarChoice::Theme(false)) => ui.ctx().set_theme(ThemePreference::Light),
            None => {}
        }
        self.show_slow_device(ui);
        Panel::bottom("message").show(ui, |ui| {
            let hint = self.client.long_call_text();
            let hint = hint.unwrap_or_else(|| self.system.hint().into());
            bar::message(ui, &mut self.client, self.system, &hint)
        });
        self.open_dropped(ui);
        match self.system {
            SystemPage::Executor => {
                for action in self.executor.show(ui, &mut self.client) {
                    self.act(ui.ctx(), action);
                }
            }
            SystemPage::Glyphs => {
                let pasted = ui.input(|input| input.events.iter().find_map(pasted_picture));
                let pasted = pasted.map(BackgroundTask::Fit).into_iter();
                let tasks = self.glyphs.show(ui, &mut self.client);
                for task in pasted.chain(tasks) {
                    self.spawn(ui.ctx(), move || task.run().map(Finished::Glyphs));
                }
            }
        }
        if self.client.is_busy() {
            // Nothing else may happen for as long as the call takes.
            ui.ctx().request_repaint_after(CALL_SHOWN_EVERY);
        }
        self.load_fonts(ui.ctx());
    }

    /// Offers the CPU where the device is a graphics driver that runs on the CPU, which is slow.
    fn show_slow_device(&mut self, ui: &mut Ui) {
        let adapter = self.client.software_adapter();
        let Some(name) = adapter.map(|adapter| adapter.name.clone()) else {
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
            self.choose_device(Choice::Cpu);
        }
    }

    /// Loads fonts with the characters that could not be drawn.
    fn load_fonts(&mut self, context: &egui::Context) {
        let characters = self.missing.take();
        if !characters.is_empty() {
            let for_fonts = context.clone();
            self.spawn(context, move || {
                let fonts = fonts::covering(&characters);
                fonts.into_iter().for_each(|font| for_fonts.add_font(font));
                None
            });
        }
    }

    fn choose_device(&mut self, choice: Choice) {
        self.client.choose_device(choice);
        self.executor.workspace.on_engine_started(&mut self.client);
    }

    fn choose_system(&mut self, system: SystemPage) {
        self.system = system;
        // A probe may have been superseded by one of the other system.
        match system {
            SystemPage::Executor => self.executor.workspace.ask_again(&self.client),
            SystemPage::Glyphs => self.glyphs.workspace.ask_again(&self.client),
        }
    }

    /// Opens a file dropped on the window in the system that is shown.
    fn open_dropped(&mut self, ui: &Ui) {
        let (dropped, count) = ui.input(|input| {
            let files = &input.raw.dropped_files;
            (files.first().map(Arc::clone), files.len())
        });
        let Some(file) = dropped else { return };
        let path = file.path().to_owned();
        if count > 1 {
            let name = path.file_name().unwrap_or_default().display();
            let text = format!("{count} files were dropped: {name} alone is opened");
            self.client.set_status(self.system, text);
        }
        match self.system {
            SystemPage::Executor => {
                let folder = if path.is_dir() {
                    Some(path.as_path())
                } else {
                    path.parent()
                };
                if let Some(folder) = folder {
                    let folder = folder.display().to_string();
                    self.executor.workspace.open(&folder, &mut self.client);
                }
            }
            SystemPage::Glyphs => {
                let task = BackgroundTask::Read(path);
                self.spawn(ui.ctx(), move || task.run().map(Finished::Glyphs));
            }
        }
    }

    fn act(&mut self, context: &egui::Context, action: Action) {
        match action {
            Action::BrowseRun => {
                self.spawn(context, move || match BackgroundTask::BrowseRun.run()? {
                    TaskResult::Run(folder) => {
                        Some(Finished::OpenRun(folder.display().to_string()))
                    }
                    result => Some(Finished::Glyphs(result)),
                });
            }
            Action::Export(folder) => {
                let exports = self.executor.exports();
                self.spawn(context, move || {
                    let written = exports.write(&folder);
                    let written = written.map_err(|error| format!("{error:#}"));
                    Some(Finished::Export(written))
                });
            }
        }
    }

    /// Runs a background task on a thread of its own.
    fn spawn(
        &mut self,
        context: &egui::Context,
        run: impl FnOnce() -> Option<Finished> + Send + 'static,
    ) {
        let (sender, context) = (self.results.0.clone(), context.clone());
        let task = move || {
            if let Some(result) = run() {
                // Without a receiver the window is gone.
                drop(sender.send(result));
                context.request_repaint();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("task".into()).spawn(task) {
            let text = format!("can't start a thread: {error}");
            let client = &mut self.client;
            client.report_error(SystemPage::Executor, Cause::Order, text);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, _: &egui::Context, _: &mut eframe::Frame) {
        self.poll_events();
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.show(ui);
    }

    /// Background of panels, which paint none themselves: see [`Theme::clear_panels`].
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        Theme::of(visuals).panel.to_normalized_gamma_f32()
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(STORED_SUM, self.executor.workspace.sum_text.clone());
        storage.set_string(STORED_SYSTEM, self.system.name().into());
        storage.set_string(STORED_FUNCTION, self.glyphs.workspace.text.clone());
    }

    fn on_exit(&mut self) {
        // macOS doesn't come back from the last window: this is the last chance to save a run.
        if cfg!(target_os = "macos") {
            self.client.finish();
        }
    }
}

/// A pasted picture, without its transparency.
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
