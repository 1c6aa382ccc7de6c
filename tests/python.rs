//! Python functions as the parser finds them, beside what Python's own `ast` and `tokenize` find
//! (tests/data/python, tests/peers/count_functions.py), and their variants.

use std::{collections::HashMap, fs, path::Path};

use glyphspace::data::{
    corpus::sample,
    python::{
        Kind, PythonError, functions, highlight, key,
        variants::{near_miss, reformatted, renamed},
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
        let error = functions(source).unwrap_err();
        match &error {
            PythonError::Syntax { line: found, .. } | PythonError::Missing { line: found, .. } => {
                assert_eq!(*found, line, "{source:?}: {error}");
            }
            PythonError::NoFunction => panic!("{source:?}: {error}"),
        }
        assert!(
            error.to_string().contains(&format!("line {line}")),
            "{error}"
        );
        assert_eq!(error.to_string().lines().count(), 1);
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
    assert!(
        functions(
            "def f(print):\n    print >> 1, 'of no use, but Python 3'\n    return 0o17, 00, 0_0"
        )
        .is_ok()
    );
}

#[test]
fn deep_nesting_does_not_overflow() {
    let deep = format!(
        "def f():\n    return {}1{}",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    assert_eq!(functions(&deep).unwrap().len(), 1);
    key(&deep);
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
    let check = |source: &str, expected: &[(&str, Kind)]| {
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
            ("def", Kind::Keyword),
            ("f", Kind::Definition),
            ("return", Kind::Keyword),
            ("h", Kind::Call),
            ("1", Kind::Number),
            ("# ok", Kind::Comment),
        ],
    );
    check(
        "f'ü{x}' is not None",
        &[
            ("f'", Kind::Text),
            ("ü", Kind::Text),
            ("'", Kind::Text),
            ("is not", Kind::Keyword),
            ("None", Kind::Keyword),
        ],
    );
    check("", &[]);
    check("def f(", &[("def", Kind::Keyword)]);
    let parts = highlight(sample());
    let is_apart = |pair: &[(std::ops::Range<usize>, Kind)]| pair[0].0.end <= pair[1].0.start;
    assert!(parts.len() > 1000 && parts.windows(2).all(is_apart));
}
