//! Syntax that CPython rejects and ruff's parser accepts: NUL characters, dedents to an unknown level, and
//! operators after `yield`.

use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

use super::syntax::{Tree, is_comparison};

/// First such offset, with the error message.
pub fn first_laxity(tree: &Tree) -> Option<(usize, &'static str)> {
    let nul = tree.source.find('\0').map(|at| (at, "a NUL character"));
    let found = [nul, bad_indentation(tree), bad_yield(tree)];
    found.into_iter().flatten().min_by_key(|(at, _)| *at)
}

fn bad_yield(tree: &Tree) -> Option<(usize, &'static str)> {
    let tokens = tree.tokens().iter();
    let tokens = tokens.filter(|token| !token.kind().is_trivia());
    let pairs = tokens.clone().zip(tokens.skip(1));
    let is_wrong = |kind: TokenKind| match kind {
        TokenKind::Plus | TokenKind::Minus | TokenKind::Star => false,
        TokenKind::Comma
        | TokenKind::Dot
        | TokenKind::If
        | TokenKind::Else
        | TokenKind::And
        | TokenKind::Or
        | TokenKind::In
        | TokenKind::Is => true,
        kind => is_comparison(kind) || kind.as_binary_operator().is_some(),
    };
    let mut wrong = pairs.filter(|(a, b)| a.kind() == TokenKind::Yield && is_wrong(b.kind()));
    let (_, behind) = wrong.next()?;
    Some((behind.start().to_usize(), "expected an expression"))
}

/// Checks that indentation is consistent whether a tab is eight columns or one.
fn bad_indentation(tree: &Tree) -> Option<(usize, &'static str)> {
    let mut blocks = vec![(0, 0)];
    let mut is_new_line = true;
    for token in tree.tokens() {
        match token.kind() {
            TokenKind::Newline => is_new_line = true,
            TokenKind::Indent | TokenKind::Dedent | TokenKind::EndOfFile => (),
            kind if kind.is_trivia() || !is_new_line => (),
            _ => {
                is_new_line = false;
                let at = token.start().to_usize();
                let Some((columns, narrow)) = columns(tree.source, at) else {
                    continue;
                };
                let before = blocks.len();
                while blocks.last().is_some_and(|(block, _)| *block > columns) {
                    blocks.pop();
                }
                let (block, block_narrow) = blocks.last().copied().unwrap_or_default();
                if columns == block && narrow == block_narrow {
                    continue;
                } else if columns > block && blocks.len() < before {
                    return Some((at, "unindent does not match any outer indentation level"));
                } else if columns == block || narrow <= block_narrow {
                    return Some((at, "inconsistent use of tabs and spaces in indentation"));
                }
                blocks.push((columns, narrow));
            }
        }
    }
    None
}

/// Columns before the first token of a line, with tab stops every eight columns and every column.
fn columns(source: &str, at: usize) -> Option<(usize, usize)> {
    let line = source[..at].rfind('\n').map_or(0, |end| end + 1);
    // A continuation line has the indentation of the line it continues.
    let above = source[..line].lines().next_back().unwrap_or_default();
    if above.trim() == "\\" {
        return None;
    }
    let (mut wide, mut narrow) = (0, 0);
    for blank in source[line..at].chars() {
        (wide, narrow) = match blank {
            ' ' => (wide + 1, narrow + 1),
            '\t' => ((wide / 8 + 1) * 8, narrow + 1),
            '\u{c}' => (0, 0),
            _ => return None,
        };
    }
    Some((wide, narrow))
}
