//! What is pointed at: asked about, answered, pinned. An answer is shown only where it belongs to the sum, the model and
//! the place of now.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Pinned, UiSession};
use crate::{
    engine::pair::Either,
    executor::{
        job::PointQuery,
        views::{PointAnswer, Triple},
    },
};

/// How long the pointer's moves wait for the answer to a click.
const CLICK_PATIENCE: Duration = Duration::from_secs(2);

/// A click whose answer will be pinned.
#[derive(Debug)]
pub(super) struct ClickedPoint {
    place: Vec<f32>,
    on_slice: Option<(Triple, [f32; 2])>,
    since: Instant,
}

impl ClickedPoint {
    /// A newer question would take the place of this one.
    fn is_awaited(&self) -> bool {
        self.since.elapsed() < CLICK_PATIENCE
    }
}

impl UiSession {
    /// Asks what lies at a point of the code plane.
    pub fn ask(&mut self, point: [f32; 2]) {
        self.ask_place(Some(point), point.to_vec());
    }

    /// Asks what lies at a place of the space, which the map shows at `pointer`, if it does.
    pub fn ask_place(&mut self, pointer: Option<[f32; 2]>, place: Vec<f32>) {
        if self.clicked.as_ref().is_some_and(ClickedPoint::is_awaited) {
            return;
        }
        self.pointer = pointer;
        if self.place.as_ref() != Some(&place) {
            self.place = Some(place);
            self.ask_again();
        }
    }

    /// True once something was pointed at in the open model's space.
    pub fn is_pointing(&self) -> bool {
        self.place.is_some()
    }

    /// Forgets what was pointed at: another model's space has other places.
    pub(super) fn leave(&mut self) {
        (self.pointer, self.place, self.clicked) = (None, None, None);
    }

    /// Keeps up with the engine: asks again once the model has moved, and pins what was clicked once it is answered.
    pub fn follow(&mut self) {
        let now = (self.views.model.get(), self.views.planes.get());
        if !is_same(&self.asked_of.0, &now.0) || !is_same(&self.asked_of.1, &now.1) {
            self.asked_of = now;
            self.ask_again();
        }
        if let Some(answer) = self.answer()
            && let Some(click) = self.clicked.take()
        {
            self.has_click_pinned = click.place == answer.point;
            self.pins.extend(self.has_click_pinned.then(|| Pinned {
                answer: answer.as_ref().clone(),
                on_slice: click.on_slice,
            }));
        }
    }

    /// The answer to what is pointed at, if it is there yet.
    pub fn answer(&self) -> Option<Arc<PointAnswer>> {
        self.last_answer()
            .filter(|answer| self.place.as_ref() == Some(&answer.point))
    }

    /// The newest answer that belongs to the sum and the model; while the pointer moves it may be of a place before.
    pub fn last_answer(&self) -> Option<Arc<PointAnswer>> {
        let (sum, _) = (self.sum.as_ref().ok()?, self.place.as_ref()?);
        let answer = self.views.answer.get()?;
        (answer.state == sum.start && answer.target == Some(sum.result)).then_some(answer)
    }

    /// Asks again what was asked last.
    pub fn ask_again(&self) {
        if let (Some(point), Ok(sum)) = (&self.place, &self.sum) {
            self.client.probe(Either::First(PointQuery {
                point: point.clone(),
                state: sum.start,
                result: Some(sum.result),
            }));
        }
    }

    /// Keeps the answer to what is pointed at in sight, on the slice through these programs if it was asked for there.
    pub fn pin(&mut self, slice: Option<Triple>) {
        self.has_click_pinned = false;
        self.clicked = self.place.clone().map(|place| ClickedPoint {
            place,
            on_slice: slice.zip(self.pointer),
            since: Instant::now(),
        });
        self.follow();
    }

    /// Takes the last click's pin back: it was the first half of a double-click.
    pub fn unpin_click(&mut self) {
        self.clicked = None;
        if std::mem::take(&mut self.has_click_pinned) {
            self.pins.pop();
        }
    }

    /// Takes a pin away.
    pub fn unpin(&mut self, index: usize) {
        self.has_click_pinned = false;
        self.pins.remove(index);
    }
}

fn is_same<T>(a: &Option<Arc<T>>, b: &Option<Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
    }
}
