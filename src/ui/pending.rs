//! Orders to a training run, and the one the engine has not followed yet. A step can't be broken off, and on some
//! devices it takes many seconds: meanwhile the window says what was ordered and what that waits for.

use std::time::{Duration, Instant};

use super::engine_client::EngineClient;
use crate::training::{Pace, RunEvent};

/// Waits that are not worth a number.
const SHORT: Duration = Duration::from_secs(1);

/// An order to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunRequest {
    /// Begin one.
    Train,
    /// Change its pace.
    Pace(Pace),
    /// End it.
    Stop,
}

/// The order given last, until it is followed or refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending(Option<Given>);

#[derive(Clone, Copy, Debug)]
struct Given {
    order: RunRequest,
    since: Instant,
    /// True if there was a run to follow it.
    has_run: bool,
    /// [`EngineClient::failures`] when it was given.
    failures: u64,
}

impl Pending {
    /// Notes an order to a run of this pace, if there is one yet.
    pub fn give(&mut self, order: RunRequest, pace: Option<Pace>, client: &EngineClient) {
        self.0 = Some(Given {
            order,
            since: Instant::now(),
            has_run: pace.is_some(),
            failures: client.failures(),
        });
    }

    /// Forgets the order if the run's pace shows that it was followed, or the engine refused it.
    pub fn follow(&mut self, pace: Option<Pace>, client: &EngineClient) {
        self.0 = self.0.filter(|given| {
            let is_followed = match given.order {
                RunRequest::Train => pace.is_some(),
                RunRequest::Pace(Pace::Paused) => matches!(pace, None | Some(Pace::Paused)),
                RunRequest::Pace(Pace::Running | Pace::OneStep) => true,
                RunRequest::Stop => given.has_run && pace.is_none(),
            };
            !is_followed && given.failures == client.failures()
        });
    }

    /// Handles an event of the run: any order after the one to train is for the run that has begun.
    pub fn on_event<R>(&mut self, event: &RunEvent<R>) {
        match event {
            RunEvent::Started(_) => {
                self.0 = self.0.filter(|given| given.order != RunRequest::Train);
                if let Some(given) = &mut self.0 {
                    given.has_run = true;
                }
            }
            RunEvent::Trained(_) => self.0 = None,
            _ => {}
        }
    }

    /// The order that is waiting.
    pub fn order(&self) -> Option<RunRequest> {
        self.0.map(|given| given.order)
    }

    /// The state of the run in a few words, while an order is waiting.
    pub fn text(&self) -> Option<String> {
        let given = self.0?;
        let text = match given.order {
            RunRequest::Train => "being prepared",
            RunRequest::Pace(_) => "pauses after this step",
            RunRequest::Stop => "stopping after this step",
        };
        let waited = given.since.elapsed();
        Some(match waited < SHORT {
            true => text.to_owned(),
            false => format!("{text}, {} s", waited.as_secs()),
        })
    }
}
