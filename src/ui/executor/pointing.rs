//! The place pointed at, the query for it, and the pinned answers. An answer is shown only where it belongs to the
//! current sum, model and place.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    data::sums::Sum,
    executor::{
        job::PointQuery,
        views::{ExecutorModelView, ExecutorViews, LatentPlanes, PointAnswer, Triple},
    },
};

/// A point of a slice, with the slice's programs.
pub type SlicePoint = (Triple, [f32; 2]);

/// A pinned answer, which stays in sight.
#[derive(Clone, Debug)]
pub struct Pinned {
    /// The answer.
    pub answer: PointAnswer,
    /// Point of the slice it was clicked on, if on one.
    pub on_slice: Option<SlicePoint>,
}

/// A click whose answer was asked for and will be pinned.
#[derive(Debug)]
struct PendingPin {
    place: Vec<f32>,
    on_slice: Option<SlicePoint>,
}

/// The place pointed at, and the pins.
#[derive(Default)]
pub struct Pointing {
    /// Pinned answers, oldest first.
    pub pins: Vec<Pinned>,
    /// The cross: the point of the plane, or of a slice, that was asked about last.
    pub cursor: Option<[f32; 2]>,
    /// The place [dims] of the latent space that was asked about last.
    place: Option<Vec<f32>>,
    /// Model and planes the last query was sent for.
    queried: (Option<Arc<ExecutorModelView>>, Option<Arc<LatentPlanes>>),
    /// Clicks without an answer, oldest first.
    pending: VecDeque<PendingPin>,
    /// True if the last click's pin is the newest.
    has_click_pinned: bool,
}

impl Pointing {
    /// Moves to a place of the latent space, with the cross at `cursor` if the place is on a map; true if it is another
    /// place than before.
    pub fn move_to(&mut self, cursor: Option<[f32; 2]>, place: Vec<f32>) -> bool {
        self.cursor = cursor;
        let is_new = self.place.as_ref() != Some(&place);
        self.place = Some(place);
        is_new
    }

    /// True once a place was pointed at in the open model's space.
    pub fn has_place(&self) -> bool {
        self.place.is_some()
    }

    /// Forgets place and pins: another model's space has other places.
    pub fn clear(&mut self) {
        self.pins.clear();
        (self.cursor, self.place) = (None, None);
        self.forget_clicks();
    }

    /// Forgets the clicks that have no answer yet: the engine that was asked is gone.
    pub fn forget_clicks(&mut self) {
        self.pending.clear();
    }

    /// True if model or planes are others than at the last call: the place has another answer.
    pub fn is_outdated(&mut self, views: &ExecutorViews) -> bool {
        let now = (views.run.model.get(), views.planes.get());
        let is_outdated = !is_same(&self.queried.0, &now.0) || !is_same(&self.queried.1, &now.1);
        self.queried = now;
        is_outdated
    }

    /// The query for the place pointed at, if any.
    pub fn query(&self, sum: Sum) -> Option<PointQuery> {
        self.place.clone().map(|place| query(place, sum))
    }

    /// The answer for the place pointed at, once it is there.
    pub fn answer(&self, views: &ExecutorViews, sum: Sum) -> Option<Arc<PointAnswer>> {
        self.last_answer(views, sum)
            .filter(|answer| self.place.as_ref() == Some(&answer.point))
    }

    /// The newest answer for the sum and the model; while the pointer moves it may be of a place before.
    pub fn last_answer(&self, views: &ExecutorViews, sum: Sum) -> Option<Arc<PointAnswer>> {
        let answer = views.answer.get().filter(|_| self.has_place())?;
        (answer.state == sum.start && answer.target == Some(sum.result)).then_some(answer)
    }

    /// Notes a click on a place; returns the query whose answer will be pinned.
    pub fn click(&mut self, place: Vec<f32>, on_slice: Option<SlicePoint>, sum: Sum) -> PointQuery {
        self.has_click_pinned = false;
        let query = query(place.clone(), sum);
        self.pending.push_back(PendingPin { place, on_slice });
        query
    }

    /// Pins the answer to a click.
    pub fn on_decoded(&mut self, answer: PointAnswer) {
        let is_of = |pending: &PendingPin| pending.place == answer.point;
        let index = self.pending.iter().position(is_of);
        if let Some(PendingPin { on_slice, .. }) = index.and_then(|i| self.pending.remove(i)) {
            self.has_click_pinned = true;
            self.pins.push(Pinned { answer, on_slice });
        }
    }

    /// Revokes the last click: it was the first half of a double-click.
    pub fn unpin_click(&mut self) {
        if self.pending.pop_back().is_none() && std::mem::take(&mut self.has_click_pinned) {
            self.pins.pop();
        }
    }

    /// Removes a pin.
    pub fn unpin(&mut self, index: usize) {
        self.has_click_pinned = false;
        self.pins.remove(index);
    }
}

fn query(place: Vec<f32>, sum: Sum) -> PointQuery {
    PointQuery {
        point: place,
        state: sum.start,
        result: Some(sum.result),
    }
}

fn is_same<T>(a: &Option<Arc<T>>, b: &Option<Arc<T>>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => Arc::ptr_eq(a, b),
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
    }
}
