//! The embedder on the engine's thread.

use std::sync::Arc;

use anyhow::Result;

use super::{config::EmbedderConfig, system::EmbedderSystem};
use crate::{
    device::Chosen,
    engine::{Job, Work},
    training::{CommandOf, EventOf, RunViews, SystemJob, Worker, checkpoint::Source},
};

/// The job: a model and its run, and nothing else to do.
pub struct EmbedderJob(Worker<EmbedderSystem>);

impl SystemJob for EmbedderJob {
    type System = EmbedderSystem;
    type Views = RunViews<EmbedderConfig>;

    fn on(chosen: Chosen, source: &Source, views: Arc<Self::Views>) -> Result<Self> {
        Worker::new(chosen, source, views).map(Self)
    }

    fn run_views(views: &Self::Views) -> &RunViews<EmbedderConfig> {
        views
    }
}

impl Job for EmbedderJob {
    type Command = CommandOf<EmbedderSystem>;
    type Probe = ();
    type Event = EventOf<EmbedderSystem>;

    fn command(&mut self, command: Self::Command, events: &mut Vec<Self::Event>) -> Result<()> {
        self.0.command(command, events).map(|_| ())
    }

    fn probe(&mut self, (): ()) -> Result<()> {
        Ok(())
    }

    fn work(&mut self, events: &mut Vec<Self::Event>) -> Result<Work> {
        let has_stepped = self.0.step(events)?.is_some();
        let has_evaluated = self.0.evaluate(events)?;
        Ok(Work::busy_if(
            has_stepped || has_evaluated || self.0.run.is_running(),
        ))
    }
}
