//! The marks on the planes: programs and states, and which of them a task is about.

use std::sync::Arc;

use crate::{
    data::sums::Task,
    executor::{projection::Group, views},
    ui::canvas::{Emphasis, Mark},
};

const DISC_RADIUS: f32 = 4.0;

/// The marks of one version of the planes, for one task.
pub struct MarksOf {
    /// Their places.
    pub planes: Arc<views::LatentPlanes>,
    /// What is looked for.
    pub task: Option<Task>,
    /// The programs' numbers alone.
    pub numbers: Vec<Mark>,
    /// Those of the numbers that solve the task.
    pub solutions: Vec<Mark>,
    /// The programs.
    pub codes: Vec<Mark>,
    /// The states.
    pub states: Vec<Mark>,
}

impl MarksOf {
    /// Marks all that are shown of the language.
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
