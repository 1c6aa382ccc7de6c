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
    assert!(
        said.contains("verified") && said.contains(" 0 cells mended"),
        "{said}"
    );

    let (code, _, said) = run("encode greet.py --out greet.png");
    assert_eq!(code, Some(0), "{said}");
    let (code, out, said) = run("decode greet.png");
    assert_eq!((code, out.as_str()), (Some(0), greet), "{said}");

    // A part that is covered is refilled; of half a glyph the best reading is given, and called unverified.
    let glyph = image::open(folder.join("clamp.png")).unwrap().to_rgb8();
    let cover = |name: &str, is_covered: fn(u32, u32) -> bool| {
        let mut covered = glyph.clone();
        for (x, y, pixel) in covered.enumerate_pixels_mut() {
            if is_covered(x, y) {
                *pixel = image::Rgb([200; 3]);
            }
        }
        covered.save(folder.join(name)).unwrap();
    };
    cover("torn.png", |x, _| x < 28);
    let (code, out, said) = run("decode torn.png");
    assert_eq!((code, out.as_str()), (Some(0), clamp), "{said}");
    assert!(
        said.contains("verified") && !said.contains(" 0 cells"),
        "{said}"
    );
    cover("half.png", |x, y| {
        (x >= 64 && y >= 20) || (64..87).contains(&y)
    });
    let (code, out, said) = run("decode half.png");
    assert_eq!(code, Some(3), "{out}{said}");
    assert!(
        said.contains("unverified") && said.contains("in doubt of"),
        "{said}"
    );
    assert_ne!(out, clamp);
    for (name, verified) in [("clamp", true), ("torn", true), ("half", false)] {
        let (_, out, _) = run(&format!("decode {name}.png --json"));
        let read: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(read["verified"], verified, "{read}");
        assert_eq!(read["sureness"].as_f64() >= Some(0.9), verified, "{read}");
        let tokens = read["tokens"].as_array().unwrap().iter();
        let doubted = tokens.filter(|token| token["doubted"] == true).count();
        assert_eq!(doubted == 0, verified, "{read}");
    }

    // What is too long for one glyph has several on a sheet; with one of them covered it is told how many are left.
    let lines = (0..40).map(|i| format!("    total_{i} = first[{i}] * second[{}] + {i}\n", i + 1));
    let long = format!(
        "def combine(first, second):\n{}    return total_7\n",
        lines.collect::<String>()
    );
    write("long.py", &long);
    let (code, _, said) = run("encode long.py --out long.png");
    assert_eq!(code, Some(0), "{said}");
    let (code, out, said) = run("decode long.png");
    assert_eq!((code, out.as_str()), (Some(0), long.as_str()), "{said}");
    assert!(
        said.contains("verified") && said.contains("pages"),
        "{said}"
    );
    let sheet = image::open(folder.join("long.png")).unwrap().to_rgb8();
    let [width, height] = [sheet.width(), sheet.height()].map(|side| side * 5 / 4);
    let larger =
        image::imageops::resize(&sheet, width, height, image::imageops::FilterType::Triangle);
    larger.save(folder.join("larger.jpg")).unwrap();
    let (code, out, said) = run("decode larger.jpg");
    assert_eq!((code, out.as_str()), (Some(0), long.as_str()), "{said}");
    let mut covered = sheet;
    let paper = image::RgbImage::from_pixel(144, 144, image::Rgb([224; 3]));
    image::imageops::replace(&mut covered, &paper, 8, 8);
    covered.save(folder.join("covered.png")).unwrap();
    let (code, _, said) = run("decode covered.png");
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("pages were found"), "{said}");
    // Nor is it called verified beside a glyph that is.
    let greeting = image::open(folder.join("greet.png")).unwrap().to_rgb8();
    image::imageops::replace(&mut covered, &greeting, 16, 16);
    covered.save(folder.join("mixed.png")).unwrap();
    let (code, out, said) = run("decode mixed.png");
    assert_eq!(code, Some(3), "{said}");
    assert!(
        out.contains(greet) && said.contains("pages were found"),
        "{said}"
    );

    // Two in one photo, one of them upside down, on a table.
    let other = image::open(folder.join("greet.png")).unwrap().to_rgb8();
    let mut table = image::RgbImage::from_pixel(480, 260, image::Rgb([150, 110, 80]));
    image::imageops::replace(&mut table, &glyph, 40, 60);
    let turned = image::imageops::rotate180(&other);
    let turned = image::imageops::resize(&turned, 170, 170, image::imageops::FilterType::Triangle);
    image::imageops::replace(&mut table, &turned, 270, 50);
    table.save(folder.join("table.png")).unwrap();
    let (code, out, said) = run("decode table.png");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        out.contains(clamp.trim_end()) && out.contains(greet.trim_end()),
        "{out}"
    );
    let (_, out, _) = run("decode table.png --json");
    let read: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(read["glyphs"].as_array().unwrap().len(), 2, "{read}");

    // One of several, and a picture too small to be read.
    let (code, out, said) = run("encode both.py --out both.png");
    assert_eq!((code, out.lines().count()), (Some(0), 2), "{said}");
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
