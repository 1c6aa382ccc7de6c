//! Texts, titles and colour scales of numbers, programs and maps.

use crate::{
    data::{
        language::{Code, Language},
        sums::{Sum, Task},
    },
    latent::field::Field,
    palette::Scale,
};

/// Quantity of a loss map, with its unit.
pub const LOSS_TITLE: &str = "negative log likelihood (nats)";
const MINUS: &str = "\u{2212}";

/// Logarithmic scale of a loss map, from the lowest loss worth distinguishing to the usual worst.
pub fn loss_scale(field: &Field) -> Scale {
    let ends = field
        .percentiles(&[0.0, 0.99])
        .unwrap_or_else(|| vec![0.01, 10.0]);
    let low = ends[0].max(1e-3);
    Scale::loss(low, ends[1].max(low * 10.0))
}

/// Colour scale of the programs.
pub fn code_scale(language: Language) -> Scale {
    let addends = language.addends();
    Scale::value(*addends.start() as f32, *addends.end() as f32)
}

/// Colour scale of the states.
pub fn state_scale(language: Language) -> Scale {
    let states = language.states();
    Scale::value(*states.start() as f32, *states.end() as f32)
}

/// Title of a map: the quantity and the task. A map belongs to a single line and the first example.
pub fn map_title(quantity: &str, task: &Task) -> String {
    let example = task.text_of(&task.examples[0]);
    let lines = match task.lines() {
        1 => "",
        _ => "one line for ",
    };
    match task.examples.len() {
        1 => format!("{quantity} of {lines}{example}"),
        count => format!("{quantity} of {lines}{example}, the first of {count} examples"),
    }
}

/// Title of a truth map: the question it answers.
pub fn truth_title(sum: Sum) -> String {
    let (start, result) = (sum.start, sum.result);
    format!("Truth: does the decoded program lead from {start} to {result}?")
}

/// Number with a typographic minus sign, for people.
pub fn number_text(number: i32) -> String {
    number.to_string().replace('-', MINUS)
}

/// Program with a typographic minus sign, for people.
pub fn code_text(code: Code) -> String {
    code.to_string().replace('-', MINUS)
}
