//! The window's frame: a bar above, controls at the left, the planes in the middle, messages below.

use std::sync::{
    Arc,
    mpsc::{Receiver, Sender, channel},
};

use anyhow::Result;
use egui::{CentralPanel, Panel, ThemePreference};

use super::{
    panels::{self, Action},
    planes::Planes,
    session::Session,
};
use crate::{
    device::{self, Adapter, Choice},
    executor::export,
};

const STORED: &str = "glyphspace-sum";

/// The program's window.
pub struct App {
    /// What is open.
    pub session: Session,
    planes: Planes,
    adapters: Vec<Adapter>,
    /// Answers of file dialogs and exports, which run on threads of their own.
    errands: (Sender<Errand>, Receiver<Errand>),
}

/// What comes back from a thread of the window's own.
enum Errand {
    Open(String),
    Wrote(Result<String, String>),
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
        let mut session = Session::new(context, choice, is_drawn_by_cpu)?;
        if let Some(text) = storage.and_then(|storage| storage.get_string(STORED)) {
            session.sum_text = text;
            session.read_sum();
        }
        Ok(Self {
            session,
            planes: Planes::default(),
            adapters: device::adapters(),
            errands: channel(),
        })
    }

    /// Takes in what happened since the last frame.
    pub fn listen(&mut self) {
        self.session.listen();
        while let Ok(errand) = self.errands.1.try_recv() {
            match errand {
                Errand::Open(path) => {
                    self.session.open_path.clone_from(&path);
                    self.session.open(&path);
                }
                Errand::Wrote(Ok(text)) => self.session.say(text, false),
                Errand::Wrote(Err(why)) => self.session.say(why, true),
            }
        }
    }

    /// Draws the window.
    pub fn show(&mut self, ui: &mut egui::Ui) {
        let mut actions = Vec::new();
        Panel::top("bar").show(ui, |ui| {
            panels::bar(ui, &mut self.session, &self.adapters, &mut actions)
        });
        Panel::bottom("message").show(ui, |ui| panels::message(ui, &mut self.session));
        Panel::left("controls")
            .resizable(true)
            .default_size(310.0)
            .size_range(270.0..=480.0)
            .show(ui, |ui| {
                egui::ScrollArea::vertical().show(ui, |ui| {
                    panels::controls(ui, &mut self.session, &mut actions)
                });
            });
        CentralPanel::default().show(ui, |ui| self.planes.show(ui, &mut self.session));
        for action in actions {
            self.act(ui.ctx(), action);
        }
    }

    fn act(&mut self, context: &egui::Context, action: Action) {
        match action {
            Action::Theme(is_dark) => {
                context.set_theme(if is_dark {
                    ThemePreference::Dark
                } else {
                    ThemePreference::Light
                });
            }
            Action::Device(choice) => self.session.choose_device(choice),
            Action::BrowseRun => self.errand(context, || {
                let folder = rfd::FileDialog::new()
                    .set_title("Open a run's folder")
                    .pick_folder()?;
                Some(Errand::Open(folder.display().to_string()))
            }),
            Action::Export(folder) => self.export(context, folder.into()),
        }
    }

    /// Writes every map, plane and curve that can be seen into a new folder.
    fn export(&mut self, context: &egui::Context, folder: std::path::PathBuf) {
        let board = self.session.board.clone();
        self.errand(context, move || {
            let write = || -> Result<String> {
                let folder = crate::engine::run_folder::RunFolder::create(&folder)?
                    .path()
                    .to_owned();
                if let Some(map) = board.landscape.get() {
                    let search = board.search.get().filter(|search| search.sum == map.sum);
                    export::map_png(&folder.join("map.png"), &map, search.as_deref())?;
                    export::map_csv(&folder.join("map.csv"), &map)?;
                }
                if let Some(planes) = board.planes.get() {
                    export::planes_png(&folder.join("planes.png"), &planes)?;
                    export::planes_csv(&folder.join("planes.csv"), &planes)?;
                }
                if let Some(curves) = board.curves.get().filter(|curves| curves.len() > 1) {
                    export::curves_png(&folder.join("curves.png"), &curves)?;
                }
                Ok(format!(
                    "wrote maps, planes and tables into {}",
                    folder.display()
                ))
            };
            Some(Errand::Wrote(write().map_err(|error| format!("{error:#}"))))
        });
    }

    fn errand(
        &mut self,
        context: &egui::Context,
        run: impl FnOnce() -> Option<Errand> + Send + 'static,
    ) {
        let (sender, context) = (self.errands.0.clone(), context.clone());
        let errand = move || {
            if let Some(errand) = run() {
                // The window may be gone by now; then nobody wants to know.
                drop(sender.send(errand));
                context.request_repaint();
            }
        };
        if let Err(error) = std::thread::Builder::new()
            .name("errand".into())
            .spawn(errand)
        {
            self.session
                .say(format!("can't start a thread: {error}"), true);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, context: &egui::Context, _: &mut eframe::Frame) {
        self.listen();
        let dropped = context.input(|input| input.raw.dropped_files.first().map(Arc::clone));
        if let Some(file) = dropped {
            let path = file.path();
            let folder = if path.is_dir() {
                Some(path)
            } else {
                path.parent()
            };
            if let Some(folder) = folder.map(|folder| folder.display().to_string()) {
                self.session.open(&folder);
            }
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
        self.show(ui);
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(STORED, self.session.sum_text.clone());
    }

    fn on_exit(&mut self) {
        self.session.finish();
    }
}
