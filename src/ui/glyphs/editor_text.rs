//! Functions of the editor's text, the painted one among them, and the parts of the text that its glyph leaves out.

use crate::data::python::{self, Function};

/// Longest text that is parsed, in bytes: longer ones would be felt while typing.
pub const LONGEST: usize = 1 << 16;

/// The painted function of the editor's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedFunction {
    /// Name.
    pub name: String,
    /// Text as the model gets it.
    pub source: String,
    /// Parts of the editor's text that are not in the glyph, for display; empty if there are none.
    pub left_out: String,
    /// Functions to choose from, in the order of the text: those within another one are in its text.
    pub choices: Vec<FunctionChoice>,
    /// Index of the painted function among the choices.
    pub chosen: usize,
}

/// A function that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionChoice {
    /// Name.
    pub name: String,
    /// The line of its `def`, from 1.
    pub line: usize,
}

impl FunctionChoice {
    /// The choice of a function.
    pub fn of(function: &Function) -> Self {
        Self {
            name: function.name.clone(),
            line: function.line,
        }
    }

    /// Name and line, for display.
    pub fn text(&self) -> String {
        format!("{}, line {}", self.name, self.line)
    }
}

/// The functions of a file too long for the editor, which has the one chosen.
#[derive(Clone, Debug)]
pub struct FileFunctions {
    /// The file's name.
    pub file: String,
    /// Functions of the file, without those within others.
    pub functions: Vec<Function>,
    /// Index of the chosen one.
    pub chosen: usize,
}

impl FileFunctions {
    /// Parts of the file that are not in the glyph, for display.
    pub fn left_out(&self) -> String {
        let function = self.functions.get(self.chosen);
        let docstrings = match function.map_or(0, |function| function.docstrings) {
            0 => "",
            1 => "the docstring and ",
            _ => "docstrings and ",
        };
        format!("Not in the glyph: {docstrings}the rest of {}", self.file)
    }
}

/// Parses an editor's text. `before` is the function of the text before: it stays chosen as long as it is there.
///
/// # Errors
/// If there is no function, with a text for display.
pub fn read(text: &str, before: Option<&EditedFunction>) -> Result<EditedFunction, String> {
    if text.trim().is_empty() {
        return Err("Type or paste a Python function".into());
    }
    if text.len() > LONGEST {
        return Err(format!(
            "{} bytes are too many to type in: drop them on the window as a .py file",
            text.len()
        ));
    }
    let functions = python::functions(text).map_err(|error| error.to_string())?;
    let functions = outermost(functions);
    let choices: Vec<FunctionChoice> = functions.iter().map(FunctionChoice::of).collect();
    let chosen = before.map_or(0, |before| before.chosen_among(&choices));
    let function = functions
        .into_iter()
        .nth(chosen)
        .ok_or_else(|| python::PythonError::NoFunction.to_string())?;
    Ok(EditedFunction {
        left_out: left_out(text, &function),
        name: function.name,
        source: function.source,
        choices,
        chosen,
    })
}

impl EditedFunction {
    /// Index among the `choices` of a changed text of the function that is chosen here.
    fn chosen_among(&self, choices: &[FunctionChoice]) -> usize {
        let is_same = |choice: &FunctionChoice| choice.name == self.name;
        // Names may come more than once.
        if choices.get(self.chosen).is_some_and(is_same) {
            return self.chosen;
        }
        if let Some(number) = choices.iter().position(is_same) {
            return number;
        }
        // The function was renamed, or there is another text altogether.
        let is_old =
            |choice: &FunctionChoice| self.choices.iter().any(|old| old.name == choice.name);
        match choices.iter().any(is_old) {
            true => self.chosen.min(choices.len().saturating_sub(1)),
            false => 0,
        }
    }
}

/// Functions that are not in the text of another one.
pub fn outermost(functions: Vec<Function>) -> Vec<Function> {
    let mut last = 0;
    let is_outermost = |function: &Function| {
        let is_within = *function.lines.end() <= last;
        last = last.max(*function.lines.end());
        !is_within
    };
    functions.into_iter().filter(is_outermost).collect()
}

/// Docstrings and lines of a text that are not in the glyph of its function.
fn left_out(text: &str, function: &Function) -> String {
    let mut parts = Vec::new();
    match function.docstrings {
        0 => (),
        1 => parts.push("the docstring".to_owned()),
        count => parts.push(format!("{count} docstrings")),
    }
    let (mut above, mut below) = (0, 0);
    // Lines as the parser counts them.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    for (line, number) in text.lines().zip(1..) {
        let is_blank = line.trim().is_empty();
        above += usize::from(!is_blank && number < *function.lines.start());
        below += usize::from(!is_blank && number > *function.lines.end());
    }
    let lines = |count: usize| format!("{count} line{}", if count == 1 { "" } else { "s" });
    match (above, below) {
        (0, 0) => (),
        (_, 0) => parts.push(format!("{} above", lines(above))),
        (0, _) => parts.push(format!("{} below", lines(below))),
        _ => parts.push(format!("{} above and {below} below", lines(above))),
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!("Not in the glyph: {}", parts.join(", ")),
    }
}
