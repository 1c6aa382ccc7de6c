//! Thread that computes the layouts of a model's numbers, one method after the other, and publishes each as it forms. A
//! newer order cancels the one before; so does dropping the projector.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    engine::latest::Latest,
    executor::{
        projection::{Group, Projected},
        views,
    },
    latent::{
        points::Points,
        projection::{Fit, PERPLEXITIES, Projection, TsneStage},
    },
};

/// Interval between two pictures of a layout that forms.
const SHOW_EVERY: Duration = Duration::from_millis(40);
/// The layouts don't depend on chance but where points lie in one place.
const SEED: u64 = 0;

/// One layout, finished or not.
#[derive(Clone, Debug)]
pub struct ProjectedLayout {
    /// Progress, 0 to 1.
    pub done: f32,
    /// Places of the numbers in the box (-1, 1)^2, ascending by number.
    pub places: Points,
    /// The finished layout.
    pub finished: Option<Projected>,
}

/// Order to the thread, under way or done.
struct ProjectionOrder {
    planes: Arc<views::LatentPlanes>,
    group: Group,
    panels: Arc<Vec<(Projection, Latest<ProjectedLayout>)>>,
    is_cancelled: Arc<AtomicBool>,
}

impl Drop for ProjectionOrder {
    fn drop(&mut self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }
}

/// Handle of the thread.
#[derive(Default)]
pub struct Projector {
    order: Option<ProjectionOrder>,
}

impl Projector {
    /// Begins the layouts of these places, unless they are under way. While a run trains (`is_patient`) an order is
    /// finished first, or none ever would be.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn follow(
        &mut self,
        planes: &Arc<views::LatentPlanes>,
        group: Group,
        is_patient: bool,
        context: &egui::Context,
    ) -> std::io::Result<()> {
        if let Some(order) = &self.order {
            let is_same = Arc::ptr_eq(&order.planes, planes) && order.group == group;
            let is_related = order.group == group && order.planes.codes.dims == planes.codes.dims;
            if is_same || is_patient && is_related && !self.is_finished() {
                return Ok(());
            }
        }
        // The layouts before stay in sight until the new ones form.
        let before = self.order.take();
        let panels: Vec<(Projection, Latest<ProjectedLayout>)> = Projection::all(&PERPLEXITIES)
            .into_iter()
            .map(|kind| (kind, Latest::default()))
            .collect();
        if let Some(before) = before.filter(|before| before.group == group) {
            for ((_, slot), (_, old)) in panels.iter().zip(before.panels.iter()) {
                if let Some(old) = old.get() {
                    slot.put(ProjectedLayout {
                        done: 0.0,
                        finished: None,
                        ..old.as_ref().clone()
                    });
                }
            }
        }
        let order = ProjectionOrder {
            planes: planes.clone(),
            group,
            panels: Arc::new(panels),
            is_cancelled: Arc::default(),
        };
        let (planes, panels) = (planes.clone(), order.panels.clone());
        let (is_cancelled, context) = (order.is_cancelled.clone(), context.clone());
        std::thread::Builder::new()
            .name("projections".into())
            .spawn(move || {
                for (kind, slot) in panels.iter() {
                    if form(&planes, group, *kind, slot, &is_cancelled, &context).is_none() {
                        return;
                    }
                }
            })?;
        self.order = Some(order);
        Ok(())
    }

    /// Methods, with the newest layout of each.
    pub fn layouts(&self) -> Vec<(Projection, Option<Arc<ProjectedLayout>>)> {
        let panels = self.order.iter().flat_map(|order| order.panels.iter());
        panels.map(|(kind, slot)| (*kind, slot.get())).collect()
    }

    /// Finished layouts.
    pub fn finished(&self) -> Vec<Projected> {
        let layouts = self.layouts().into_iter();
        layouts
            .filter_map(|(_, layout)| layout?.finished.clone())
            .collect()
    }

    /// True if all layouts are finished.
    fn is_finished(&self) -> bool {
        let is_done = |layout: &Option<Arc<ProjectedLayout>>| {
            layout
                .as_ref()
                .is_some_and(|layout| layout.finished.is_some())
        };
        self.layouts().iter().all(|(_, layout)| is_done(layout))
    }
}

/// Computes one layout; `None` if it was cancelled.
fn form(
    planes: &views::LatentPlanes,
    group: Group,
    kind: Projection,
    slot: &Latest<ProjectedLayout>,
    is_cancelled: &AtomicBool,
    context: &egui::Context,
) -> Option<()> {
    let mut shown = Instant::now();
    let mut watch = |stage: TsneStage<'_>| {
        if is_cancelled.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        if !stage.places.is_empty() && shown.elapsed() >= SHOW_EVERY {
            shown = Instant::now();
            slot.put(ProjectedLayout {
                done: stage.step as f32 / stage.steps as f32,
                places: in_box(&stage.points()),
                finished: None,
            });
            context.request_repaint();
        }
        ControlFlow::Continue(())
    };
    let finished = Projected::new(planes, group, kind, SEED, &mut watch)?;
    if is_cancelled.load(Ordering::Relaxed) {
        return None;
    }
    slot.put(ProjectedLayout {
        done: 1.0,
        places: in_box(&finished.places),
        finished: Some(finished),
    });
    context.request_repaint();
    Some(())
}

fn in_box(places: &Points) -> Points {
    Fit::of(places).all_in_box(places)
}
