//! An order to a training run that the engine has not followed yet. A step can't be broken off, and on some devices it
//! takes many seconds: meanwhile the window says what was ordered and what that waits for.

use std::time::{Duration, Instant};

use super::{engine_client::EngineClient, widgets::PaceOrder};
use crate::training::Pace;

/// Waits that are not worth a number.
const SHORT: Duration = Duration::from_secs(1);

/// The order given last, until it is followed or refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pending(Option<Given>);

#[derive(Clone, Copy, Debug)]
struct Given {
    order: PaceOrder,
    since: Instant,
    /// There was a run to follow it.
    has_run: bool,
    /// [`EngineClient::refusals`] when it was given.
    refusals: u64,
}

impl Pending {
    /// Notes an order to a run of this pace, if there is one yet.
    pub fn give(&mut self, order: PaceOrder, pace: Option<Pace>, client: &EngineClient) {
        self.0 = Some(Given {
            order,
            since: Instant::now(),
            has_run: pace.is_some(),
            refusals: client.refusals(),
        });
    }

    /// Forgets the order if the run's pace shows that it was followed, or the engine refused it.
    pub fn follow(&mut self, pace: Option<Pace>, client: &EngineClient) {
        self.0 = self.0.filter(|given| {
            let is_followed = match given.order {
                PaceOrder::Train => pace.is_some(),
                PaceOrder::Pace(Pace::Paused) => matches!(pace, None | Some(Pace::Paused)),
                PaceOrder::Pace(Pace::Running | Pace::OneStep) => true,
                PaceOrder::Stop => given.has_run && pace.is_none(),
            };
            !is_followed && given.refusals == client.refusals()
        });
    }

    /// A run has begun: what else was ordered is for it.
    pub fn started(&mut self) {
        self.0 = self.0.filter(|given| given.order != PaceOrder::Train);
        if let Some(given) = &mut self.0 {
            given.has_run = true;
        }
    }

    /// The run has ended.
    pub fn ended(&mut self) {
        self.0 = None;
    }

    /// The order that is waiting.
    pub fn order(&self) -> Option<PaceOrder> {
        self.0.map(|given| given.order)
    }

    /// The state of the run in a few words, while an order is waiting.
    pub fn text(&self) -> Option<String> {
        let given = self.0?;
        let text = match given.order {
            PaceOrder::Train => "being prepared",
            PaceOrder::Pace(_) => "pauses after this step",
            PaceOrder::Stop => "stopping after this step",
        };
        let waited = given.since.elapsed();
        Some(match waited < SHORT {
            true => text.to_owned(),
            false => format!("{text}, {} s", waited.as_secs()),
        })
    }
}
