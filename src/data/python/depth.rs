//! Nesting depth of a source, computed from its tokens alone. Trees are parsed, visited and dropped
//! recursively, so the depth bounds the stack they need. The limits are CPython's: a source beyond them is
//! no Python there either.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer::lex};

use super::{
    error::PythonError,
    syntax::{ends_operand, is_comparison},
};

/// Largest bracket depth, as in CPython's tokenizer (`MAXLEVEL`).
const MAX_BRACKETS: usize = 200;
/// Largest block depth (`MAXINDENT`).
const MAX_BLOCKS: usize = 99;
/// Largest depth of operators applied to one another's results: CPython 3.11 builds trees of up to 2,988
/// levels.
const MAX_OPERATORS: usize = 3000;

/// Upper bound of the levels of a source's syntax tree, up to a few per bracket.
///
/// # Errors
/// If they exceed CPython's limits.
pub fn depth(source: &str) -> Result<usize, PythonError> {
    let mut lexer = lex(source, Mode::Module);
    // Operators in the open brackets, the innermost last.
    let mut open = vec![Chain::default()];
    let (mut blocks, mut deepest) = (0_usize, 0);
    // Sum over all open brackets but the innermost.
    let mut outer = 0;
    let mut is_behind_operand = false;
    loop {
        let innermost = open.len() - 1;
        let chain = &mut open[innermost];
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return Ok(deepest),
            TokenKind::Indent => {
                blocks += 1;
                too_deep(blocks, MAX_BLOCKS, "blocks")?;
            }
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            TokenKind::Newline | TokenKind::Semi => {
                open.clear();
                open.push(Chain::default());
                outer = 0;
            }
            bracket @ (TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace) => {
                // Calls and subscripts apply to the preceding operand.
                if is_behind_operand && bracket != TokenKind::Lbrace {
                    chain.push(PRIMARY);
                }
                outer += chain.levels();
                open.push(Chain::default());
                too_deep(open.len() - 1, MAX_BRACKETS, "brackets")?;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                if innermost > 0 {
                    open.truncate(innermost);
                    outer -= open[innermost - 1].levels();
                }
            }
            kind => chain.add(kind, is_behind_operand),
        }
        if !kind.is_trivia() {
            is_behind_operand = ends_operand(kind);
        }
        let operators = outer + open.last().map_or(0, Chain::levels);
        too_deep(operators, MAX_OPERATORS, "operators")?;
        deepest = deepest.max(blocks + open.len() + operators);
    }
}

fn too_deep(found: usize, most: usize, what: &'static str) -> Result<(), PythonError> {
    match found > most {
        true => Err(PythonError::TooDeep { what, most }),
        false => Ok(()),
    }
}

/// Binding powers of operators, from `not` to calls, attributes and subscripts.
const NOT: usize = 0;
const UNARY: usize = 7;
const PRIMARY: usize = 9;

/// Operators at one level of brackets.
#[derive(Default)]
struct Chain {
    /// Number of operators of each binding power since the last weaker one.
    operators: [usize; PRIMARY + 1],
    /// Open `lambda` and `if`, whose operand extends over the rest.
    tails: usize,
    /// Lambdas with an unfinished parameter list.
    lambdas: usize,
}

impl Chain {
    fn levels(&self) -> usize {
        self.operators.iter().sum::<usize>() + self.tails
    }

    fn push(&mut self, binding: usize) {
        self.operators[binding] += 1;
        self.operators[binding + 1..].fill(0);
    }

    fn add(&mut self, kind: TokenKind, is_behind_operand: bool) {
        let is_binary = is_behind_operand && kind.as_binary_operator().is_some();
        match kind {
            TokenKind::Comma => {
                self.operators.fill(0);
                if self.lambdas == 0 {
                    self.tails = 0;
                }
            }
            TokenKind::Lambda => {
                self.tails += 1;
                self.lambdas += 1;
                self.operators.fill(0);
            }
            TokenKind::If => {
                self.tails += 1;
                self.operators.fill(0);
            }
            TokenKind::Colon => {
                self.lambdas = self.lambdas.saturating_sub(1);
                self.operators.fill(0);
            }
            // Side by side in one level.
            TokenKind::And
            | TokenKind::Or
            | TokenKind::In
            | TokenKind::Is
            | TokenKind::Else
            | TokenKind::For
            | TokenKind::Equal => self.operators.fill(0),
            kind if is_comparison(kind) => self.operators.fill(0),
            TokenKind::Not => self.push(NOT),
            TokenKind::Vbar if is_binary => self.push(1),
            TokenKind::CircumFlex if is_binary => self.push(2),
            TokenKind::Amper if is_binary => self.push(3),
            TokenKind::LeftShift | TokenKind::RightShift if is_binary => self.push(4),
            TokenKind::Plus | TokenKind::Minus if is_binary => self.push(5),
            TokenKind::DoubleStar if is_binary => self.push(8),
            _ if is_binary => self.push(6),
            TokenKind::Plus | TokenKind::Minus | TokenKind::Tilde => self.push(UNARY),
            TokenKind::Await | TokenKind::Dot => self.push(PRIMARY),
            _ => (),
        }
    }
}
