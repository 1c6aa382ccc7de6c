//! The corpus a run trains on where people name none: made once, beside the runs, on a thread of its own.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;
use egui::{ProgressBar, Ui};

use crate::{
    data::corpus::{self, BuildProgress, Phase},
    engine::latest::Latest,
    glyphs::corpus_functions,
};

/// A corpus being made: its progress, and the way to call it off.
#[derive(Clone, Debug, Default)]
pub struct Building {
    progress: Arc<Latest<(String, BuildProgress)>>,
    is_cancelled: Arc<AtomicBool>,
}

impl Building {
    /// Makes the corpus in `folder`, unless it is there; on a thread of its own.
    pub fn build(&self, folder: &Path) -> Result<PathBuf> {
        let mut go_on = || !self.is_cancelled.load(Ordering::Relaxed);
        // A Python that gives no answer is passed over; the name of what is read is shown.
        let library = corpus::default_input(&mut go_on, &mut |_| ())?;
        let name = corpus_functions::default_corpus_name(&library);
        corpus_functions::default_corpus(folder, &library, &mut |progress| {
            self.progress.put((name.clone(), progress));
            go_on()
        })
    }

    /// Calls it off; nothing is written.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// True for two handles of one build.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.is_cancelled, &other.is_cancelled)
    }

    /// Draws how far it is; true if people call it off.
    pub fn show(&self, ui: &mut Ui) -> bool {
        ui.label("A corpus to train on is made, once");
        let progress = self.progress.get();
        let done = progress.as_ref().map_or(0.0, |progress| progress.1.done);
        let text = match progress.as_deref() {
            None => "looking for Python's library".into(),
            Some((name, progress)) => {
                let functions = progress.functions;
                match progress.phase {
                    Phase::Reading => format!("{name}: {functions} functions found"),
                    Phase::Training => format!("learning the tokens of {functions} functions"),
                    Phase::Tokenising => format!("{functions} functions in tokens"),
                }
            }
        };
        ui.add(ProgressBar::new(done as f32).text(text));
        ui.ctx().request_repaint_after_secs(0.1);
        ui.button("Cancel").clicked()
    }
}
