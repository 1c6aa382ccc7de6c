//! Value parsers of the options with named values, with the help of each value.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::{data::language::Language, latent::search::Method};

/// Parser of a language's name.
pub fn language() -> impl TypedValueParser<Value = Language> {
    parser(Language::ALL, Language::name, Language::summary)
}

/// Parser of a search method's name.
pub fn method() -> impl TypedValueParser<Value = Method> {
    parser(Method::ALL, Method::name, Method::summary)
}

fn parser<T: Copy + Send + Sync + 'static, const N: usize>(
    values: [T; N],
    name: fn(T) -> &'static str,
    summary: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let listed = values.map(|value| PossibleValue::new(name(value)).help(summary(value)));
    PossibleValuesParser::new(listed).map(move |given| {
        let chosen = values.into_iter().find(|value| name(*value) == given);
        chosen.expect("clap accepts no other names")
    })
}
