//! Python functions as the parser finds them, beside what Python's own `ast` and `tokenize` find
//! (tests/data/python, tests/peers/count_functions.py), and their variants.

use std::{collections::HashMap, fs, path::Path};

use glyphspace::data::{
    corpus::sample,
    python::{
        PythonError, TokenClass,
        between::between,
        functions, highlight, key,
        kind::Kind,
        terms::Terms,
        variants::{in_another_script, near_miss, reformatted, renamed},
    },
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/data/python")
            .join(name),
    )
    .unwrap()
}

fn only(source: &str) -> String {
    let found = functions(source).unwrap_or_else(|error| panic!("{error}: {source}"));
    found[0].source.clone()
}

/// As the peer squeezes: without lines that go on by `\` and without white space.
fn squeezed(source: &str) -> String {
    source.replace("\\\n", "").split_whitespace().collect()
}

#[test]
fn functions_are_those_pythons_own_parser_finds() {
    let reference: Value = serde_json::from_slice(&fixture("functions.json")).unwrap();
    let mut count = 0;
    for (file, expected) in reference.as_object().unwrap() {
        let Ok(source) = String::from_utf8(fixture(file)) else {
            assert_eq!(file, "latin.py", "only this one is not in UTF-8");
            continue;
        };
        let found = functions(&source).unwrap();
        let expected = expected.as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{file}");
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found.name, expected["name"].as_str().unwrap(), "{file}");
            assert_eq!(
                found.line as u64,
                expected["line"].as_u64().unwrap(),
                "{file}: {}",
                found.name
            );
            assert_eq!(
                squeezed(&found.source),
                expected["text"].as_str().unwrap(),
                "{file}: {}",
                found.name
            );
            count += 1;
        }
    }
    assert_eq!(count, 50);
}

#[test]
fn a_function_cut_out_stands_by_itself() {
    for file in [
        "nested.py",
        "docstrings.py",
        "layout.py",
        "tabs.py",
        "line_ends.py",
        "form_feed.py",
    ] {
        for function in functions(&String::from_utf8(fixture(file)).unwrap()).unwrap() {
            assert_eq!(only(&function.source), function.source, "{file}");
            let first = function.source.chars().next().unwrap();
            assert!(!first.is_whitespace() && !function.source.ends_with(char::is_whitespace));
            assert!(!function.source.contains('\r'), "{file}");
        }
    }
    let method = "class A:\n    def f(self):\n        '''Doc.'''\n\n        x = '''a\n    b'''\n        return x";
    assert_eq!(
        only(method),
        "def f(self):\n    x = '''a\n    b'''\n    return x"
    );
    assert_eq!(functions(method).unwrap()[0].name, "A.f");
    assert_eq!(
        only("class A:\n\tdef f(self):\n\t\treturn 1"),
        "def f(self):\n\treturn 1"
    );
    assert_eq!(
        only("class A:\n\x0c    def f(self):\n        return 1"),
        "def f(self):\n    return 1",
        "a form feed begins the count anew"
    );
}

#[test]
fn what_is_no_python_is_refused_by_line() {
    let check = |source: &str, line: usize| {
        let error = functions(source).expect_err(source);
        let PythonError::Syntax { line: found, .. } = &error else {
            panic!("{source:?}: {error}");
        };
        assert_eq!(*found, line, "{source:?}: {error}");
        let said = error.to_string();
        assert!(said.contains(&format!("line {line}")), "{said}");
        assert_eq!(said.lines().count(), 1);
    };
    check("hello world, this is no code", 1);
    check("def f(:\n    return 1", 1);
    check("def f(a):\n    return a +\n", 2);
    check("def f(a):\n    return 1\n\ndef g(a)\n    return 2\n", 4);
    check("x = 1\ndef f(a):\n    print 'two'\n", 3);
    check("def f():\n    exec 'code'\n", 2);
    check("def f():\n    raise ValueError, 'two'\n", 2);
    check("def f(a):\n    return a <> 2\n", 2);
    check("def f():\n    return 0777\n", 2);
    check("def f():\n    return 10L\n", 2);
    check("def f():\n    return `f`\n", 2);
    check("def f():\n", 1);
    check("class A:\n    def f(self):\n        # nothing\n", 2);
    check("def f():\n    if x:\n    return 1\n", 3);
    check(
        "def f():\n    try:\n        g()\n    except Exception, e:\n        print(e)\n",
        4,
    );
    check("def f((a, b)):\n    return a\n", 1);
    check("def f():\n    f(x) = 1\n", 2);
    check("def f():\n        x = 1\n    y = 2\n", 3);
    check("def f():\n    if x:\n\t    y = 1\n        z = 2\n", 4);
    check("def f():\n    if x:\n            y = 1\n\tz = 2\n", 4);
    check("def f():\n    yield , 1\n", 2);
    check("def f():\n    return 1  # \0\n", 2);
    check("def f():\n    return 'é\n", 2);
    check("def f():\n    return f'{x!}'\n", 2);
    for none in [
        "",
        "\n\n",
        "x = 1",
        "# def f(): pass",
        "class A:\n    pass",
        "'''def f(): pass'''",
    ] {
        assert_eq!(functions(none), Err(PythonError::NoFunction), "{none:?}");
    }
}

#[test]
fn all_of_python_3_is_read() {
    for source in [
        "def f(print):\n    print >> 1, 'of no use, but Python 3'\n    return 0o17, 00, 0_0",
        "def f(rows, i):\n    if rows:\n        return rows[i +\n1]\n    return None",
        "def f(a):\n    return '''one\ntwo''' + \\\n'three'",
        "def f():\n    try:\n        raise;\n    except* (A, B) as e: raise; g()",
        "def f(x, /, y=1, *, z: int = 2, **k) -> list[int]:\n    return (y := x)",
        "def f(x):\n    match x:\n        case [1, *rest] | {'a': rest} if rest: return rest\n        case A(b=1): pass",
        "def f[T: int = str](*args: *T):\n    type X[K] = dict[K, T]",
        "def f(x):\n    return f\"{x!r:>{x['a']}} {x[\"b\"]} {{}}\" rf'{x:\\d}'",
        "async def f(x):\n    async with x as (a, b), b: return [await y async for y in x]",
        "def f():\n    nonlocal_ = lambda *a, b=1, **k: (yield)\n    print(*a, **k)",
        "@(yes := 1)\ndef f(): return",
        "def f():\n\t# a comment\n\n    # and another\n\treturn 1",
        "def f():\n  # with a backslash \\\n  if x:\n    y\n  else:\n    z",
        "def ñ(ﬁ):\n    return t'{ﬁ}'",
        "if x:\n  def f(): pass\n\x0c\ndef g(): pass",
    ] {
        functions(source).unwrap_or_else(|error| panic!("{error}:\n{source}"));
    }
}

#[test]
fn comments_behind_the_last_statement_belong_to_the_function() {
    let source = "class A:\n    def f(self):\n        return 1; # one\n\n        # two\n          # three\n\n      # of the class\n        # too\n\n    def g(self): return 2\n        # after\n";
    let found = functions(source).unwrap();
    assert_eq!(
        found[0].source,
        "def f(self):\n    return 1; # one\n\n    # two\n      # three"
    );
    assert_eq!(found[1].source, "def g(self): return 2");
}

/// A source with a construct so many times in itself, or side by side.
type Repeated = fn(usize) -> String;

const IN_BRACKETS: [(&str, Repeated); 8] = [
    ("(", |n| format!("x = {}1{}", "(".repeat(n), ")".repeat(n))),
    ("target", |n| {
        format!("{}x{} = 1", "(".repeat(n), ")".repeat(n))
    }),
    ("tuple", |n| {
        format!("{}x{} = 1", "(".repeat(n), ",)".repeat(n))
    }),
    ("list", |n| {
        format!("for {}x{} in y: pass", "[".repeat(n), "]".repeat(n))
    }),
    ("dict", |n| {
        format!("x = {}1{}", "{1:".repeat(n), "}".repeat(n))
    }),
    ("call", |n| format!("{}1{}", "x(".repeat(n), ")".repeat(n))),
    ("subscript", |n| {
        format!("del {}1{}", "x[".repeat(n), "]".repeat(n))
    }),
    ("f-string", |n| {
        format!("x = {}1{}", "f'{".repeat(n), "}'".repeat(n))
    }),
];

const IN_CHAINS: [(&str, Repeated); 14] = [
    ("+", |n| format!("x = {}1", "1 + ".repeat(n))),
    ("**", |n| format!("x = {}1", "1 ** ".repeat(n))),
    ("**-", |n| format!("x = {}1", "1 ** -".repeat(n))),
    ("-", |n| format!("x = {}1", "-".repeat(n))),
    ("not", |n| format!("x = {}1", "not ".repeat(n))),
    ("attribute", |n| format!("x{} = 1", ".y".repeat(n))),
    ("call", |n| format!("x{}", "()".repeat(n))),
    ("subscript", |n| format!("x{} = 1", "[0]".repeat(n))),
    ("lambda", |n| format!("x = {}1", "lambda: ".repeat(n))),
    ("lambda, parameters", |n| {
        format!("x = {}1", "lambda a, b: ".repeat(n))
    }),
    ("if", |n| format!("x = {}1", "1 if 1 else ".repeat(n))),
    ("annotation", |n| format!("x: {}1 = 1", "1 | ".repeat(n))),
    ("decorator", |n| {
        format!("@x{}\ndef g(): pass", ".y".repeat(n))
    }),
    ("pattern", |n| {
        format!("match x:\n case x{}: pass", ".y".repeat(n))
    }),
];

const IN_BLOCKS: [(&str, Repeated); 3] = [
    ("def", |n| blocks("def g():", n)),
    ("if", |n| blocks("if x:", n)),
    ("class", |n| blocks("class A:", n)),
];

fn blocks(head: &str, count: usize) -> String {
    let lines = (0..count).map(|level| format!("{}{head}\n", " ".repeat(level)));
    lines.collect::<String>() + &" ".repeat(count) + "pass"
}

/// Reads a construct nested as often as Python reads it, and refuses more.
fn check_nested(name: &str, nested: Repeated, most: usize, too_many: [usize; 2]) {
    let wrap = |n| format!("def f(x):\n    return x\n{}\n", nested(n));
    let read = wrap(most);
    let found = functions(&read).unwrap_or_else(|error| panic!("{name} x {most}: {error}"));
    assert_eq!(found[0].name, "f");
    assert_ne!(key(&read), key(&wrap(most - 2)), "{name}");
    highlight(&read);
    let inside = |n| format!("def f(x):\n    {}", nested(n).replace('\n', "\n    "));
    reformatted(&inside(most - 2), &mut rng());
    for too_many in too_many {
        let error = functions(&wrap(too_many)).expect_err(name);
        let is_right = matches!(error, PythonError::TooDeep { .. });
        assert!(is_right, "{name} x {too_many}: {error}");
        let function = inside(too_many);
        key(&function);
        highlight(&function);
        assert_eq!(renamed(&function, &mut rng()), None, "{name}");
        assert_eq!(reformatted(&function, &mut rng()), None, "{name}");
        assert_eq!(near_miss(&function, &mut rng()), None, "{name}");
    }
}

#[test]
fn nesting_is_read_as_far_as_python_reads_it_and_no_stack_overflows() {
    let all = || {
        for (name, nested) in IN_BRACKETS {
            check_nested(name, nested, 190, [210, 150_000]);
        }
        for (name, nested) in IN_CHAINS {
            check_nested(name, nested, 2950, [6100, 150_000]);
        }
        for (name, nested) in IN_BLOCKS {
            check_nested(name, nested, 97, [101, 2000]);
        }
    };
    // On a stack smaller than any thread's.
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(all);
    thread.unwrap().join().unwrap();
}

#[test]
fn what_is_side_by_side_may_be_long() {
    let lines: [(&str, Repeated); 12] = [
        ("elif", |n| {
            format!("if x: pass\n{}", "elif x: pass\n".repeat(n))
        }),
        ("text", |n| format!("x = ({})", "'text'\n".repeat(n))),
        ("f-string", |n| format!("x = f'{}'", "{x.y + 1} ".repeat(n))),
        ("and", |n| {
            format!("x = {}1", "1 + 1 and not x.y or ".repeat(n))
        }),
        ("<", |n| {
            format!("x = {}1", "x * y ** 2 + z.w(1) < ".repeat(n))
        }),
        ("=", |n| format!("{}1", "x.y = ".repeat(n))),
        ("list", |n| format!("x = [{}]", "-1 + x(2), ".repeat(n))),
        ("lambdas", |n| {
            format!("x = [{}]", "lambda a, b=1: a if b else -a, ".repeat(n))
        }),
        ("dict", |n| {
            format!("x = {{{}}}", "'a': {1: x[2] * 3 ** 4}, ".repeat(n))
        }),
        ("calls", |n| "x(1)(2).y\n".repeat(n)),
        ("comments", |n| "# a comment\n".repeat(n)),
        ("statements", |n| "x = -x.y[0]; ".repeat(n)),
    ];
    for (name, line) in lines {
        let source = format!("def f(x):\n    return x\n{}\n", line(100_000));
        let begun = std::time::Instant::now();
        functions(&source).unwrap_or_else(|error| panic!("{name}: {error}"));
        highlight(&source);
        key(&source);
        let took = begun.elapsed();
        assert!(took.as_secs() < 8, "{name} takes {took:?}");
    }
    let polynomial = "x * y ** 2 * z.w(1) - -x + ".repeat(1400);
    assert!(functions(&format!("def f(x):\n    return {polynomial}1")).is_ok());
}

#[test]
fn half_typed_code_keeps_its_colours() {
    let kinds = |source: &str| -> Vec<(String, TokenClass)> {
        let parts = highlight(source).into_iter();
        parts
            .map(|(at, kind)| (source[at].to_owned(), kind))
            .collect()
    };
    let source = "def f(x):\n    if x:\n        return g(x, 'text')  # ok\n\nclass A:\n    def h(self): return 1\n";
    let whole = kinds(source);
    // Whatever is there while it is typed, what is well before its end looks the same.
    for at in source.char_indices().map(|(at, _)| at) {
        let typed = kinds(&source[..at]);
        let settled = typed.len().saturating_sub(2);
        assert_eq!(typed[..settled], whole[..settled], "{:?}", &source[..at]);
    }
    // A mistake in one line leaves the colours of the others.
    for wrong in [
        "def ", "(", "x = ", "return )", "if :", "'", "f'{", "print 1", "\\", "\t  x", "é = €",
    ] {
        let broken = format!("def f(x):\n    {wrong}\n\ndef g(x):\n    return 1\n");
        let parts = kinds(&broken);
        for (word, kind) in [
            ("f", TokenClass::Definition),
            ("def", TokenClass::Keyword),
            ("return", TokenClass::Keyword),
            ("1", TokenClass::Number),
        ] {
            assert!(
                parts.contains(&(word.to_owned(), kind)),
                "{wrong:?}: {parts:?}"
            );
        }
    }
}

#[test]
fn the_key_sees_tokens_only() {
    let same = [
        "def f(a, b='x'):\n    if a:\n        return b\n",
        "def f( a,b = \"x\" ): # comment\n\n  if a :\n\n     return b;",
        "# before\ndef f(a, \\\n  b='x'):\r\n\tif a:\r\n\t\treturn b",
    ];
    for source in same {
        assert_eq!(key(source), key(same[0]), "{source:?}");
    }
    let others = [
        "def f(a, b='y'):\n    if a:\n        return b\n",
        "def f(a, b=x):\n    if a:\n        return b\n",
        "def f(a, b=b'x'):\n    if a:\n        return b\n",
        "def f(a, b='x'):\n    if a:\n        return a\n",
        "def f(a, b='x'):\n    if a: pass\n    return b\n",
        "def f(ab, ='x'):\n    if a:\n        return b\n",
        "def f(a, b='x'):\n    if a:\n        return\n        b\n",
    ];
    for source in others {
        assert_ne!(key(source), key(same[0]), "{source:?}");
    }
    let nested = |indent: &str| format!("def f(a):\n    if a:\n        a = 1\n{indent}return a");
    assert_ne!(
        key(&nested("    ")),
        key(&nested("        ")),
        "blocks count"
    );
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

fn of_the_sample() -> Vec<String> {
    let found = functions(sample()).unwrap();
    found.into_iter().map(|function| function.source).collect()
}

/// Words and what is between them, one after the other.
fn words(text: &str) -> Vec<&str> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c| in_word(c) != in_word(first))
            .unwrap_or(rest.len());
        words.push(&rest[..end]);
        rest = &rest[end..];
    }
    words
}

#[test]
fn renaming_changes_names_only_and_everywhere() {
    let mut rng = rng();
    let (mut done, mut all) = (0, 0);
    for source in of_the_sample() {
        all += 1;
        let Some(other) = renamed(&source, &mut rng) else {
            continue;
        };
        done += 1;
        assert_ne!(other, source);
        let (old, new) = (words(&source), words(&other));
        assert_eq!(old.len(), new.len(), "{source}\n{other}");
        let mut back = HashMap::new();
        for (old, new) in old.iter().zip(&new).filter(|(old, new)| old != new) {
            assert!(
                old.starts_with(|c: char| c.is_alphabetic() || c == '_'),
                "{old:?} is no name: {source}"
            );
            let before = back.insert(*new, *old);
            assert!(
                before.is_none_or(|before| before == *old),
                "{new} is for {before:?} and {old}: {source}"
            );
        }
        assert!(functions(&other).is_ok(), "{other}");
    }
    assert!(done * 10 > all * 9, "{done} of {all} are renamed");
}

/// `source` with all names changed that are one capital letter, and no others.
fn check_renamed(source: &str) {
    let result = renamed(source, &mut rng()).expect(source);
    for (old, new) in words(source).into_iter().zip(words(&result)) {
        let is_own = old.len() == 1 && old.starts_with(|c: char| c.is_ascii_uppercase());
        assert_eq!(old != new, is_own, "{old} -> {new} in\n{source}\n{result}");
    }
}

#[test]
fn names_that_mean_something_outside_stay() {
    check_renamed("def F(A, *B, C=0, **D):\n    return len(A) + g(B, key=C, **D).attribute");
    check_renamed(
        "def F(self, A):\n    self.A = A\n    return self.method(A=A)"
            .replace("self.A", "self.a")
            .replace("(A=A)", "(a=A)")
            .as_str(),
    );
    check_renamed("def __init__(self, A):\n    super().__init__(A)");
    // In a method its bare name is another function.
    check_renamed("def F(self):\n    return open(self.path)");
    check_renamed("def F(N):\n    return N * F(N - 1)");
    check_renamed(
        "def F(A):\n    global counter\n    counter = A\n    import os\n    return os.name",
    );
    check_renamed(
        "def F(A):\n    with g(A) as B, h() as (C, D):\n        for E, G in B:\n            C[E].x = G\n    return D",
    );
    check_renamed(
        "def F(A):\n    try:\n        return [B for B in A if (C := B)]\n    except ValueError as E:\n        raise E",
    );
    check_renamed(
        "def F(A):\n    def G(B):\n        nonlocal A\n        A = B\n    return G(1), lambda C, D=A: C + D",
    );
    // The default is the global of this name, so the name stays.
    check_renamed("def F(value=value):\n    return value");
    // A local function's keyword is its parameter's name.
    check_renamed("def F(A):\n    def G(b):\n        return b\n    return G(b=A)");
    check_renamed(
        "def F(A):\n    return f'{A} {A!r:>{A}} {other} A'"
            .replace(" A'", " a'")
            .as_str(),
    );
    check_renamed("def F(a):\n    return f'{a=}'");
    check_renamed("def F(A):\n    class Local:\n        b = A\n        def c(self):\n            return self.b\n    return Local".replace("Local", "local").as_str());
    check_renamed("def F(A):\n    match A:\n        case [b, *c]:\n            return b, c");
    check_renamed("def F(a, b):\n    return locals()");
    assert_eq!(
        renamed("def __len__(self):\n    return 0", &mut rng()),
        None
    );
    assert_eq!(renamed("no python", &mut rng()), None);
}

#[test]
fn another_layout_means_the_same() {
    let mut rng = rng();
    let (mut done, mut all) = (0, 0);
    for source in of_the_sample() {
        all += 1;
        let Some(other) = reformatted(&source, &mut rng) else {
            continue;
        };
        done += 1;
        assert_ne!(other, source);
        assert_eq!(key(&other), key(&source), "{source}\n{other}");
        assert!(functions(&other).is_ok(), "{other}");
    }
    assert!(done * 10 > all * 9, "{done} of {all} are laid out anew");
    let source = "def f(a,  b = 'x'):\n\n    # comment\n    text = '''\n  # no comment\n'''  # comment\n    if (a and\n        b):\n        return [a+1,\n                # inside\n                b]\n\n    return text";
    for _ in 0..20 {
        let other = reformatted(source, &mut rng).unwrap();
        assert!(
            !other.contains("# comment") && !other.contains("inside"),
            "{other}"
        );
        assert!(other.contains("'''\n  # no comment\n'''"), "{other}");
        assert_eq!(key(&other), key(source), "{other}");
    }
    assert_eq!(reformatted("no python", &mut rng), None);
}

#[test]
fn a_near_miss_differs_by_one_token() {
    let mut rng = rng();
    let (mut done, mut all) = (0, 0);
    for source in of_the_sample() {
        all += 1;
        let Some(other) = near_miss(&source, &mut rng) else {
            continue;
        };
        done += 1;
        assert_ne!(key(&other), key(&source), "{source}");
        assert!(functions(&other).is_ok(), "{other}");
        let same = |(a, b): &(char, char)| a == b;
        let front = source.chars().zip(other.chars()).take_while(same).count();
        let back = source
            .chars()
            .rev()
            .zip(other.chars().rev())
            .take_while(same)
            .count();
        let middle = |text: &str| -> String {
            let count = text.chars().count();
            text.chars()
                .skip(front)
                .take(count.saturating_sub(front + back))
                .collect()
        };
        for changed in [middle(&source), middle(&other)] {
            assert!(
                !changed.contains([' ', '\n', '(', ')', ',', '.']),
                "{changed:?}:\n{source}\n{other}"
            );
        }
    }
    assert!(done * 10 > all * 9, "{done} of {all} are missed");
}

#[test]
fn near_misses_are_those_people_make() {
    let check = |source: &str, expected: &[&str]| {
        let mut rng = rng();
        for _ in 0..30 {
            let miss = near_miss(source, &mut rng).unwrap();
            assert!(expected.contains(&miss.as_str()), "{source} -> {miss}");
        }
    };
    check("def f(a, b): return a < b", &["def f(a, b): return a <= b"]);
    check(
        "def f(a, b): return a and b",
        &["def f(a, b): return a or b"],
    );
    check("def f(*a, b=9): return a", &["def f(*a, b=10): return a"]);
    check(
        "def f(a): return a + True",
        &["def f(a): return a - True", "def f(a): return a + False"],
    );
    check("def f(a): return min(a)", &["def f(a): return max(a)"]);
    check("def f(a, b): return a", &["def f(a, b): return b"]);
    check(
        "def f(): return g.a(g.b)",
        &["def f(): return g.b(g.b)", "def f(): return g.a(g.a)"],
    );
    check("def f(): return 'day'", &["def f(): return 'days'"]);
    check("def f(): return g", &["def f(): yield g"]);
    assert_eq!(near_miss("def f(): pass", &mut rng()), None);
}

#[test]
fn another_script_is_python_with_few_latin_letters_left() {
    let source = "def greet(name, times=2):\n    # says it\n    text = f'hello {name}'\n    return [text + \"!\"] * times";
    for seed in 0..100 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let other = in_another_script(source, &mut rng).unwrap();
        assert!(!other.is_ascii(), "{other}");
        assert_eq!(functions(&other).unwrap()[0].name, "greet", "{other}");
        assert!(
            !other.contains("hello") && !other.contains("says it"),
            "{other}"
        );
        assert_eq!(other.lines().count(), source.lines().count(), "{other}");
    }
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    assert_eq!(in_another_script("def f():\n    pass", &mut rng), None);
    assert_eq!(in_another_script("def f(:", &mut rng), None);
}

#[test]
fn programs_between_two_functions_go_from_one_to_the_other() {
    let a = "def area(w, h):\n    if w < 0:\n        w = -w\n    size = w * h\n    return size";
    let b = "@cached\ndef load(path):\n    with open(path) as file:\n        text = file.read()\n\n        log(text)\n    return text";
    let programs = between(a, b);
    let expected = [
        "@cached\ndef load(path):\n    if w < 0:\n        w = -w\n    size = w * h\n    return size",
        "@cached\ndef load(path):\n    with open(path) as file:\n        text = file.read()\n\n        log(text)\n    size = w * h\n    return size",
        "@cached\ndef load(path):\n    with open(path) as file:\n        text = file.read()\n\n        log(text)\n    return text\n    return size",
    ];
    assert_eq!(programs, expected);
    // Nothing lies between what has one part, and between what is no function.
    assert!(between(a, a).is_empty());
    assert!(between(a, "x = 1").is_empty() && between("def f(:", a).is_empty());
    for pair in sample_functions().windows(2).take(300) {
        for program in between(&pair[0], &pair[1]) {
            assert_eq!(
                functions(&program)
                    .unwrap_or_default()
                    .first()
                    .map(|f| f.line > 0),
                Some(true),
                "{program}"
            );
            assert!(!pair.contains(&program));
        }
    }
}

fn sample_functions() -> Vec<String> {
    let found = functions(sample()).unwrap().into_iter();
    found.map(|function| function.source).collect()
}

#[test]
fn kinds_of_functions_are_told_by_name_and_syntax() {
    for (source, kind) in [
        (
            "def __init__(self):\n    self.x = [i for i in y]",
            Some(Kind::Initialiser),
        ),
        (
            "def test_it():\n    for x in y:\n        assert x",
            Some(Kind::Test),
        ),
        (
            "def get_size(self):\n    return self.size",
            Some(Kind::Getter),
        ),
        (
            "@property\ndef size(self):\n    return self._size",
            Some(Kind::Getter),
        ),
        ("def f(x):\n    while x:\n        x -= 1", Some(Kind::Loop)),
        (
            "def f(x):\n    return sum(y for y in x)",
            Some(Kind::Comprehension),
        ),
        (
            "def f(x):\n    for y in x:\n        g([z for z in y])",
            None,
        ),
        ("def f(x):\n    return x", None),
        ("x = 1", None),
        ("def f(:", None),
    ] {
        assert_eq!(Kind::of(source), kind, "{source}");
    }
}

#[test]
fn terms_are_blind_to_names_a_function_chose_itself() {
    let source = "def total(items, start=0):\n    for item in items:\n        start += len(item)\n    return start";
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let copy = renamed(source, &mut rng).unwrap();
    let (terms, copy) = (Terms::new(source), Terms::new(&copy));
    assert_eq!((&terms.nodes, &terms.tokens), (&copy.nodes, &copy.tokens));
    assert_ne!(terms.name, copy.name);
    assert_eq!(terms.tokens["len"], 1);
    assert_eq!(terms.nodes["StmtFor"], 1);
    assert!(!terms.tokens.contains_key("items"));
    assert_eq!(
        Terms::new("x = "),
        Terms::new("x ="),
        "what is no Python has terms, too"
    );
}

#[test]
fn variants_follow_from_the_seed() {
    let source = &of_the_sample()[3];
    let three = || {
        let mut rng = rng();
        (
            renamed(source, &mut rng),
            reformatted(source, &mut rng),
            near_miss(source, &mut rng),
        )
    };
    assert_eq!(three(), three());
}

#[test]
fn sources_have_colours_even_broken_ones() {
    let check = |source: &str, expected: &[(&str, TokenClass)]| {
        let parts = highlight(source);
        let named: Vec<_> = parts
            .iter()
            .map(|(at, kind)| (&source[at.clone()], *kind))
            .collect();
        assert_eq!(named, expected, "in {source}");
    };
    check(
        "def f(x): return g.h(x, 1) # ok",
        &[
            ("def", TokenClass::Keyword),
            ("f", TokenClass::Definition),
            ("return", TokenClass::Keyword),
            ("h", TokenClass::Call),
            ("1", TokenClass::Number),
            ("# ok", TokenClass::Comment),
        ],
    );
    check(
        "f'ü{x}' is not None",
        &[
            ("f'", TokenClass::Text),
            ("ü", TokenClass::Text),
            ("'", TokenClass::Text),
            ("is not", TokenClass::Keyword),
            ("None", TokenClass::Keyword),
        ],
    );
    check("", &[]);
    check(
        "def f(",
        &[("def", TokenClass::Keyword), ("f", TokenClass::Definition)],
    );
    check(
        "match x:\n    case match: type = 1",
        &[
            ("match", TokenClass::Keyword),
            ("case", TokenClass::Keyword),
            ("1", TokenClass::Number),
        ],
    );
    let parts = highlight(sample());
    let is_apart = |pair: &[(std::ops::Range<usize>, TokenClass)]| pair[0].0.end <= pair[1].0.start;
    assert!(parts.len() > 1000 && parts.windows(2).all(is_apart));
}
