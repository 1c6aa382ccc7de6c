//! Build of the default corpus, for a run without a named one: once, beside the runs, on a thread of its own.

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

/// Handle of a corpus build: its progress, and its cancellation.
#[derive(Clone, Debug, Default)]
pub struct CorpusBuild {
    progress: Arc<Latest<(String, BuildProgress)>>,
    is_cancelled: Arc<AtomicBool>,
}

impl CorpusBuild {
    /// Builds the corpus in `folder`, unless it is there. Not for the window's thread.
    ///
    /// # Errors
    /// If the folder can't be written, or the build was cancelled.
    pub fn run(&self, folder: &Path) -> Result<PathBuf> {
        let mut go_on = || !self.is_cancelled.load(Ordering::Relaxed);
        // A Python that gives no answer is passed over; the name of what is read is shown.
        let library = corpus::default_input(&mut go_on, &mut |_| ())?;
        let name = corpus_functions::default_corpus_name(&library);
        corpus_functions::default_corpus(folder, &library, &mut |progress| {
            self.progress.put((name.clone(), progress));
            go_on()
        })
    }

    /// Cancels the build; nothing is written.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// True for two handles of one build.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.is_cancelled, &other.is_cancelled)
    }

    /// Draws the progress; true if the user cancels the build.
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
