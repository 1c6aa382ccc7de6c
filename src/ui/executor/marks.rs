//! Marks on the planes: programs, states and pins.

use std::sync::Arc;

use crate::{
    data::sums::Task,
    executor::{
        export::code_text,
        projection::Group,
        views::{self, PointAnswer},
    },
    palette,
    ui::canvas::{Emphasis, Mark, Pin},
};

const DISC_RADIUS: f32 = 4.0;

/// Marks of one version of the planes, for one task.
pub struct PlaneMarks {
    /// The planes.
    pub planes: Arc<views::LatentPlanes>,
    /// The task, whose numbers stand out.
    pub task: Option<Task>,
    /// Numbers of the programs, without discs.
    pub numbers: Vec<Mark>,
    /// Numbers of the programs that solve the task.
    pub solutions: Vec<Mark>,
    /// The programs.
    pub codes: Vec<Mark>,
    /// The states.
    pub states: Vec<Mark>,
}

impl PlaneMarks {
    /// Marks of the language's shown programs and states.
    pub fn new(planes: Arc<views::LatentPlanes>, task: Option<Task>) -> Self {
        let language = planes.language;
        let mark = |group: Group, radius: f32, is_named: &dyn Fn(usize) -> bool| -> Vec<Mark> {
            let scale = group.scale(language);
            let shown = group
                .shown(language)
                .into_iter()
                .zip(group.of(&planes).iter());
            let one = |(index, ((value, text), place)): (usize, ((i32, String), &[f32]))| Mark {
                at: [place[0], place[1]],
                label: text.into(),
                color: scale.color(value as f32),
                radius,
                // Round numbers first, so that what is left when room is short is evenly spread.
                priority: if value % 10 == 0 { 1.0 } else { 0.0 },
                emphasis: match is_named(index) {
                    true => Emphasis::Highlighted,
                    false => Emphasis::Normal,
                },
            };
            shown.enumerate().map(one).collect()
        };
        let (codes, states) = (language.shown_codes(), language.shown_states());
        let task_ref = task.as_ref();
        let solves = |index: usize| task_ref.is_some_and(|task| task.is_solved_by(&[codes[index]]));
        let occurs = |index: usize| {
            let examples = task_ref.iter().flat_map(|task| &task.examples);
            let mut numbers = examples.flat_map(|sum| [sum.start, sum.result]);
            numbers.any(|number| number == states[index])
        };
        let numbers = mark(Group::Codes, 0.0, &solves);
        let is_strong = |mark: &&Mark| mark.emphasis == Emphasis::Highlighted;
        let solutions = numbers.iter().filter(is_strong).cloned().collect();
        let codes = mark(Group::Codes, DISC_RADIUS, &solves);
        let states = mark(Group::States, DISC_RADIUS, &occurs);
        Self {
            planes,
            task,
            numbers,
            solutions,
            codes,
            states,
        }
    }
}

/// Pin at an answer's point of the plane.
pub fn pin(answer: &PointAnswer) -> Option<Pin> {
    Some(pin_at(answer.point.first_chunk().copied()?, answer))
}

/// Diamond of an answer at a point of the map that shows it.
pub fn pin_at(at: [f32; 2], answer: &PointAnswer) -> Pin {
    let label = answer.code.map_or_else(|| "no number".into(), code_text);
    let is_right = answer.truth.is_some() && answer.truth == answer.result;
    let color = if is_right {
        palette::RIGHT
    } else {
        palette::WRONG
    };
    Pin { at, label, color }
}
