//! Rules of rewrites: pairs of programs with holes in them.

use std::sync::LazyLock;

use ruff_python_ast::{
    AnyNodeRef, OperatorPrecedence as Level,
    visitor::source_order::{SourceOrderVisitor, TraversalSignal},
};
use ruff_text_size::{Ranged, TextRange};

use super::{parse::parse, syntax::Tree};

/// Pairs of programs: the second may stand for the first and, with `<=>`, the first for the second. Capitals are
/// holes: `X` is any name, `T` what a loop assigns to, another letter any expression, `BODY` and `OTHER` are any
/// statements, and `NEW` is a new name. `not C` is the opposite of `C`, which may be shorter.
const PAIRS: &str = r"
return E => NEW = E\nreturn NEW
X = E\nreturn X => return E
if C:\n\treturn A\nreturn B <=> return A if C else B
if C:\n\treturn A\nelse:\n\treturn B => return A if C else B
if C:\n\tBODY\nelse:\n\tOTHER => if not C:\n\tOTHER\nelse:\n\tBODY
if A and B:\n\tBODY <=> if A:\n\tif B:\n\t\tBODY
if A and B and C:\n\tBODY => if A:\n\tif B and C:\n\t\tBODY
for T in I:\n\tif C:\n\t\treturn True\nreturn False <=> return any(C for T in I)
for T in I:\n\tif C:\n\t\treturn False\nreturn True => return all(not C for T in I)
return all(C for T in I) => for T in I:\n\tif not C:\n\t\treturn False\nreturn True
return any(C for T in I if D) => for T in I:\n\tif D and C:\n\t\treturn True\nreturn False
return all(C for T in I if D) => for T in I:\n\tif D and not C:\n\t\treturn False\nreturn True
for X in range(N):\n\tBODY => X = 0\nwhile X < N:\n\tBODY\n\tX += 1
A < B <=> B > A
A <= B <=> B >= A
A == B => B == A
A != B => B != A
if C:\n\tBODY => if not C:\n\treturn\nBODY
";
/// Signs of operations that assign to their first operand, too.
const SIGNS: &str = "+ - * / // % ** @ << >> & | ^";
/// Collections that loops and comprehensions make: the empty start, a step, and the whole with `...` for its rounds.
const COLLECTIONS: [[&str; 3]; 4] = [
    ["[]", "X.append(E)", "[E ...]"],
    ["set()", "X.add(E)", "{E ...}"],
    ["{}", "X[K] = E", "{K: E ...}"],
    ["0", "X += E", "sum(E ...)"],
];

/// All rules.
pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let mut pairs = PAIRS.to_owned();
    for sign in SIGNS.split(' ') {
        pairs += &format!("X {sign}= E <=> X = X {sign} E\n");
    }
    for [empty, step, whole] in COLLECTIONS {
        let steps = [step.to_owned(), format!(r"if C:\n\t\t{step}")];
        for (step, round) in steps.iter().zip(["for T in I", "for T in I if C"]) {
            let each = format!(r"X = {empty}\nfor T in I:\n\t{step}");
            let new = each.replace('X', "NEW") + r"\nreturn NEW";
            let whole = whole.replace("...", round);
            pairs += &format!("{each} <=> X = {whole}\nreturn {whole} => {new}\n");
        }
    }
    let mut rules = Vec::new();
    for pair in pairs.lines() {
        let pair = pair.replace(r"\n", "\n").replace(r"\t", "\t");
        match (pair.split_once(" <=> "), pair.split_once(" => ")) {
            (Some((one, other)), _) => rules.extend([[one, other], [other, one]].map(Rule::new)),
            (None, Some((from, to))) => rules.push(Rule::new([from, to])),
            _ => (),
        }
    }
    rules
});

/// Program with holes to look for, and one to put in its place.
pub(super) struct Rule {
    pub from: Tree<'static>,
    pub to: Tree<'static>,
    pub holes: Vec<Hole>,
}

/// Place for an expression.
pub(super) struct Hole {
    pub at: TextRange,
    pub name: &'static str,
    /// Level of operators up to which there must be parentheses.
    pub above: Level,
    pub is_opposite: bool,
}

impl Rule {
    fn new(programs: [&str; 2]) -> Self {
        let [from, to] = programs.map(|source| {
            // Kept for as long as the program runs, as the rules are.
            let source: &'static str = source.to_owned().leak();
            let parsed = parse(source, |tree| tree.parsed.clone()).expect("rules are Python");
            Tree { source, parsed }
        });
        let mut finder = HoleFinder {
            tree: &to,
            around: Vec::new(),
            holes: Vec::new(),
        };
        finder.visit_body(to.body());
        let holes = finder.holes;
        Self { from, to, holes }
    }
}

struct HoleFinder<'f> {
    tree: &'f Tree<'static>,
    around: Vec<AnyNodeRef<'f>>,
    holes: Vec<Hole>,
}

impl<'f> SourceOrderVisitor<'f> for HoleFinder<'f> {
    fn enter_node(&mut self, node: AnyNodeRef<'f>) -> TraversalSignal {
        let name = self.tree.text(node);
        if node.is_expr_name() && is_hole(name) {
            let is_not = |outer: &&AnyNodeRef| outer.is_expr_unary_op();
            let not = self.around.last().filter(is_not);
            let above = match self.around.iter().rev().find(|outer| !is_not(outer)) {
                Some(AnyNodeRef::ExprBoolOp(_)) => Level::Or,
                Some(AnyNodeRef::Comprehension(_)) if name != "T" => Level::IfElse,
                parent => {
                    let parent = parent.and_then(|outer| outer.as_expr_ref());
                    parent.map_or(Level::None, Level::from_expr_ref)
                }
            };
            self.holes.push(Hole {
                at: not.map_or(node.range(), Ranged::range),
                name,
                above,
                is_opposite: not.is_some(),
            });
        }
        self.around.push(node);
        TraversalSignal::Traverse
    }

    fn leave_node(&mut self, _: AnyNodeRef<'f>) {
        self.around.pop();
    }
}

/// True for the name of a hole.
pub(super) fn is_hole(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase())
}
