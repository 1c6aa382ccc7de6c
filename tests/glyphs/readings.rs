//! What is said of readings, on the command line: how sure they are, and what will not come back.

use std::fs;

use serde_json::Value;

use crate::command_line::{glyphspace, text};

/// Writes, with the bundled model, what can be read back, and says what can not.
#[test]
fn readings_are_wrong_only_with_a_word() {
    let made = tempfile::tempdir().unwrap();
    let folder = made.path();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let clamp = "def clamp(value, low, high):\n    if value < low:\n        return low\n    return min(value, high)\n";
    let greet = "def greet(name):\n    return \"Gr\u{fc}\u{df} dich, \" + name\n";
    write("clamp.py", clamp);
    write("greet.py", greet);
    write("both.py", &format!("{clamp}\n\n{greet}"));
    let run = |line: &str| {
        let output = glyphspace(folder, &format!("glyphs {line} --device cpu"));
        let [out, said] = [output.stdout, output.stderr].map(|bytes| text(&bytes).to_owned());
        assert!(!said.contains("panicked"), "{said}");
        (output.status.code(), out, said)
    };

    let (code, _, said) = run("encode clamp.py --out clamp.png");
    assert_eq!((code, said.lines().count()), (Some(0), 1), "{said}");
    let (code, out, said) = run("decode clamp.png");
    assert_eq!((code, out.as_str()), (Some(0), clamp), "{said}");
    assert!(said.contains("% sure"), "{said}");

    let (code, out, said) = run("encode greet.py --out greet.png");
    assert_eq!(code, Some(3), "{said}");
    assert!(out.contains("wrote greet.png"), "{out}");
    let last = said.lines().last().unwrap();
    for named in ["greet.png", "greet", "line 2", "Gr\u{fc}\u{df} dich"] {
        assert!(last.contains(named), "{last:?} doesn't name {named:?}");
    }
    let (code, out, said) = run("decode greet.png");
    assert_eq!(code, Some(3), "{said}");
    assert!(out.starts_with("def greet(name):"), "{out}");
    assert!(said.contains("% sure") && said.contains("90 %"), "{said}");
    for (name, verified) in [("clamp", true), ("greet", false)] {
        let (_, out, _) = run(&format!("decode {name}.png --json"));
        let read: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(read["verified"], verified, "{read}");
        assert_eq!(read["sureness"].as_f64() >= Some(0.9), verified, "{read}");
    }

    // One of several, and a picture too small to be read.
    let (code, out, said) = run("encode both.py --out both.png");
    assert_eq!((code, out.lines().count()), (Some(3), 2), "{said}");
    assert!(
        said.contains("both-2.png") && !said.contains("both-1.png"),
        "{said}"
    );
    let (code, _, said) = run("encode clamp.py --out small.png --size 32");
    assert!(
        code == Some(3) && said.contains("small.png") && said.contains("32x32"),
        "{said}"
    );

    for character in "\u{e4}\u{e9}\u{f1}\u{153}\u{142}\u{3b1}\u{3c0}\u{416}\u{5d0}\u{639}\u{4e2d}\u{3042}\u{d55c}\u{2192}\u{20ac}\u{1f600}".chars() {
        write("odd.py", &format!("def odd(text):\n    return text + \"{character}\"\n"));
        let (painted, _, _) = run("encode odd.py --out odd.png");
        let (read, out, said) = run("decode odd.png");
        let is_right = out.contains(character);
        assert_eq!(painted, Some(if is_right { 0 } else { 3 }), "{character}");
        assert_eq!(read == Some(0), is_right, "{character}: {out}{said}");
    }
}
