//! Layout of a source (white space, quotes and comments), and edits that preserve its meaning.

use rand::{Rng, RngExt};
use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

use super::{
    key, normalised,
    parse::parse,
    syntax::{Edit, Leaf, Tree, edited, ends_operand, is_comparison},
};

/// Variant of a function with the same `ast`: no comments, different blank lines, quotes, indentation and
/// spaces round operators. `None` if that changes nothing, or `source` is no Python.
pub fn reformatted(source: &str, rng: &mut impl Rng) -> Option<String> {
    let source = normalised(source);
    let style = Style {
        indent: ["  ", "   ", "    ", "      ", "        ", "\t"][rng.random_range(0..6)],
        quote: ["\"", "'"][rng.random_range(0..2)],
        operator: ["", " "][rng.random_range(0..2)],
        keyword: ["", " "][rng.random_range(0..2)],
        comma: ["", " "][rng.random_range(0..2)],
    };
    let edits = parse(&source, |tree| style.lay_out(tree)).ok()?;
    let mut result = edited(&source, 0..source.len(), edits);
    if rng.random_bool(0.3) {
        let first = result.find(":\n").map(|at| at + 2);
        let airy = first.map(|at| format!("{}\n{}", &result[..at], &result[at..]));
        result = airy
            .filter(|airy| key(airy) == key(&source))
            .unwrap_or(result);
    }
    let is_sound =
        result != source && parse(&result, |_| ()).is_ok() && key(&result) == key(&source);
    is_sound.then_some(result)
}

/// Randomly drawn layout style.
struct Style {
    indent: &'static str,
    quote: &'static str,
    operator: &'static str,
    keyword: &'static str,
    comma: &'static str,
}

impl Style {
    fn lay_out(&self, tree: &Tree) -> Vec<Edit> {
        let source = tree.source;
        let mut edits = Vec::new();
        let mut tokens = tree.tokens().iter().peekable();
        let mut brackets = Brackets::default();
        let (mut depth, mut is_new_line, mut last) = (0_usize, true, None);
        for leaf in tree.leaves() {
            // Comments and line ends before the token.
            while let Some(token) =
                tokens.next_if(|token| token.start().to_usize() <= leaf.range.start)
            {
                match token.kind() {
                    TokenKind::Indent => depth += 1,
                    TokenKind::Dedent => depth = depth.saturating_sub(1),
                    TokenKind::Newline => is_new_line = true,
                    _ => (),
                }
            }
            let role = brackets.take(leaf.kind, last);
            let before = end_before(source, leaf.range.start);
            if source[..before].ends_with('\n') {
                edits.extend(blank_lines(source, before));
                let indentation = self.indent.repeat(depth + usize::from(!is_new_line));
                edits.push(Edit::new(before..leaf.range.start, &indentation));
            } else if let Some((left, right)) = self.spaces(role) {
                set_spaces(&leaf, before, left, right, source, &mut edits);
            }
            if leaf.kind == TokenKind::String {
                self.quote(&leaf, source, &mut edits);
            }
            last = Some(leaf.kind);
            is_new_line = false;
        }
        let comments = tree.tokens().iter();
        for comment in comments.filter(|token| token.kind().is_comment()) {
            let (start, end) = (comment.start().to_usize(), comment.end().to_usize());
            let before = end_before(source, start);
            // Only the end of the line follows; it goes, too, if the comment is alone on the line.
            let is_line = source[..before].ends_with('\n');
            let end = end + usize::from(is_line && source[end..].starts_with('\n'));
            edits.extend(blank_lines(source, before));
            edits.push(Edit::new(before..end, ""));
        }
        edits
    }

    /// White space before and after a token of a role.
    fn spaces(&self, role: Role) -> Option<(&'static str, &'static str)> {
        match role {
            Role::Operator => Some((self.operator, self.operator)),
            Role::Keyword => Some((self.keyword, self.keyword)),
            Role::Separator => Some(("", self.comma)),
            Role::Other => None,
        }
    }

    /// Switches the quotes of a plain string literal.
    fn quote(&self, leaf: &Leaf, source: &str, edits: &mut Vec<Edit>) {
        let literal = &source[leaf.range.clone()];
        let inner = literal.get(1..literal.len() - 1).unwrap_or_default();
        if literal.starts_with(['"', '\'']) && !inner.contains(['"', '\'', '\\']) {
            let (start, end) = (leaf.range.start, leaf.range.end);
            edits.push(Edit::new(start..start + 1, self.quote));
            edits.push(Edit::new(end - 1..end, self.quote));
        }
    }
}

/// Roles of tokens that determine the spaces round them.
#[derive(Clone, Copy)]
enum Role {
    /// Binary operator or assignment.
    Operator,
    /// `=` of a keyword argument or a default.
    Keyword,
    /// Comma, or `:` of a dictionary.
    Separator,
    Other,
}

/// Open brackets, the innermost last.
#[derive(Default)]
struct Brackets {
    outside: Bracket,
    open: Vec<Bracket>,
}

#[derive(Default)]
struct Bracket {
    is_brace: bool,
    /// Lambdas with an unfinished parameter list.
    lambdas: usize,
    /// True after a type annotation since the last comma.
    is_typed: bool,
}

impl Brackets {
    /// Advances over the next token, after `last`, and returns its role.
    fn take(&mut self, kind: TokenKind, last: Option<TokenKind>) -> Role {
        let is_outside = self.open.is_empty();
        let bracket = self.open.last_mut().unwrap_or(&mut self.outside);
        match kind {
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                let is_brace = kind == TokenKind::Lbrace;
                self.open.push(Bracket {
                    is_brace,
                    ..Bracket::default()
                });
                Role::Other
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                self.open.pop();
                Role::Other
            }
            TokenKind::Lambda => {
                bracket.lambdas += 1;
                Role::Other
            }
            TokenKind::Comma => {
                bracket.is_typed = false;
                Role::Separator
            }
            TokenKind::Colon if bracket.lambdas > 0 => {
                bracket.lambdas -= 1;
                Role::Other
            }
            TokenKind::Colon => {
                bracket.is_typed = true;
                if bracket.is_brace {
                    Role::Separator
                } else {
                    Role::Other
                }
            }
            TokenKind::Equal if bracket.lambdas > 0 => Role::Keyword,
            TokenKind::Equal if is_outside => Role::Operator,
            TokenKind::Equal if bracket.is_typed => Role::Other,
            TokenKind::Equal => Role::Keyword,
            kind if is_comparison(kind) => Role::Operator,
            kind if kind.as_augmented_assign_operator().is_some() => Role::Operator,
            kind if kind.as_binary_operator().is_some() && last.is_some_and(ends_operand) => {
                Role::Operator
            }
            _ => Role::Other,
        }
    }
}

/// End of the text before `at`, without trailing spaces.
fn end_before(source: &str, at: usize) -> usize {
    source[..at].trim_end_matches([' ', '\t', '\u{c}']).len()
}

/// Edit that drops the blank lines above a line.
fn blank_lines(source: &str, line: usize) -> Option<Edit> {
    let above = source[..line].trim_end().len();
    let first = source[above..line].find('\n')? + above + 1;
    (first < line).then(|| Edit::new(first..line, ""))
}

/// Sets the white space on both sides of a token, except next to the end of a line or a bracket.
fn set_spaces(
    leaf: &Leaf,
    before: usize,
    left: &str,
    right: &str,
    source: &str,
    edits: &mut Vec<Edit>,
) {
    let (start, end) = (leaf.range.start, leaf.range.end);
    let rest = &source[end..];
    let after = end + rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let rest = &source[after..];
    if !source[..before].ends_with(['\\', ',']) {
        edits.push(Edit::new(before..start, left));
    }
    if !rest.starts_with(['\n', '\\', '#']) {
        let is_last = rest.starts_with([')', ']', '}']);
        edits.push(Edit::new(end..after, if is_last { "" } else { right }));
    }
}
