//! The rooms of the house and what each may not touch, read from the source files themselves.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A source file without its comments, text literals and tests.
pub struct Source {
    /// Below src, with `/`.
    pub name: String,
    pub code: String,
}

pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let parts: Vec<_> = path
                    .strip_prefix(&root)
                    .unwrap()
                    .iter()
                    .map(|p| p.to_string_lossy())
                    .collect();
                let text = fs::read_to_string(&path).unwrap();
                let shipped = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                found.push(Source {
                    name: parts.join("/"),
                    code: without_comments_and_texts(shipped),
                });
            }
        }
    }
    assert!(found.len() > 30, "only {} source files found", found.len());
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Line comments go, and what stands between quotes; enough for rules about names.
fn without_comments_and_texts(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let (mut in_text, mut escaped) = (false, false);
        let mut rest = line.chars().peekable();
        let mut before = ' ';
        while let Some(c) = rest.next() {
            if in_text {
                in_text = escaped || c != '"';
                escaped = !escaped && c == '\\';
            } else if c == '/' && rest.peek() == Some(&'/') {
                break;
            } else if c == '"' && before != '\'' {
                in_text = true;
            } else {
                code.push(c);
            }
            before = c;
        }
        code.push('\n');
    }
    code
}

/// The files of a room: `room.rs` and all below `room/`.
fn room<'a>(sources: &'a [Source], room: &str) -> Vec<&'a Source> {
    let (file, folder) = (format!("{room}.rs"), format!("{room}/"));
    let files: Vec<_> = sources
        .iter()
        .filter(|s| s.name == file || s.name.starts_with(&folder))
        .collect();
    assert!(!files.is_empty(), "there is no room {room}");
    files
}

/// Whether the code has `name` as a path's first part or in a `use`, not as part of a longer word.
fn names_path(code: &str, name: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let after = &code[at + name.len()..];
        let begins = !code[..at].ends_with(in_word);
        let is_use = code[..at].ends_with("use ") || code[..at].ends_with("extern crate ");
        begins && !after.starts_with(in_word) && (after.starts_with("::") || is_use)
    })
}

/// The modules of the crate that the code names: `crate::a::b`, `crate::{a, b::c}`.
fn crate_modules(code: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = code[at + "crate::".len()..].trim_start();
        let word = |text: &str| -> String {
            text.trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        };
        let Some(group) = rest.strip_prefix('{') else {
            modules.push(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut entry = String::new();
        for c in group.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if (c == ',' && depth == 1) || depth == 0 {
                modules.push(word(&entry));
                entry.clear();
            } else {
                entry.push(c);
            }
            if depth == 0 {
                break;
            }
        }
    }
    modules.retain(|module| !module.is_empty());
    modules
}

fn check_never_names(rooms: &[&str], names: &[&str]) {
    let sources = sources();
    for source in rooms.iter().flat_map(|name| room(&sources, name)) {
        for name in names {
            assert!(
                !names_path(&source.code, name),
                "src/{} names {name}",
                source.name
            );
        }
    }
}

/// The rooms, each with the rooms it may name besides itself: only ones above it.
const ROOMS: [(&str, &[&str]); 19] = [
    ("at_exit", &[]),
    ("device", &[]),
    ("engine", &[]),
    ("files", &[]),
    ("kernels", &[]),
    ("latent", &[]),
    ("palette", &[]),
    ("signals", &[]),
    ("nn", &["kernels"]),
    ("data", &["files"]),
    ("plot", &["files", "latent", "palette"]),
    ("training", &["device", "engine", "files", "kernels", "nn"]),
    ("embedder", &["data", "device", "engine", "nn", "training"]),
    (
        "executor",
        &[
            "data", "device", "engine", "files", "kernels", "latent", "nn", "palette", "plot",
            "training",
        ],
    ),
    (
        "glyphs",
        &[
            "data", "device", "embedder", "engine", "files", "kernels", "latent", "nn", "plot",
            "training",
        ],
    ),
    // The window and the command line see plain data alone: no network, no kernel.
    (
        "ui",
        &[
            "at_exit", "data", "device", "engine", "executor", "glyphs", "latent", "palette",
            "plot", "signals", "training",
        ],
    ),
    (
        "cli",
        &[
            "data", "device", "embedder", "engine", "executor", "files", "glyphs", "latent",
            "plot", "signals", "training", "ui",
        ],
    ),
    ("build", &[]),
    ("main", &[]),
];

#[test]
fn rooms_name_only_what_their_row_allows() {
    let sources = sources();
    for source in &sources {
        let name = source.name.split(['/', '.']).next().unwrap();
        if name == "lib" {
            continue;
        }
        let row = ROOMS.iter().position(|(room, _)| *room == name);
        let row = row.unwrap_or_else(|| panic!("src/{} is in no room", source.name));
        for module in crate_modules(&source.code) {
            assert!(
                module == name || ROOMS[row].1.contains(&module.as_str()),
                "src/{} names crate::{module}",
                source.name
            );
        }
        // A file leaves its room with one `super` more than it is deep.
        let depth =
            source.name.matches('/').count() + usize::from(!source.name.ends_with("mod.rs"));
        let climb = "super::".repeat(depth);
        assert!(
            !source.code.contains(&climb),
            "src/{} leaves its room by {climb}",
            source.name
        );
    }
    for (row, (room, allowed)) in ROOMS.iter().enumerate() {
        for name in *allowed {
            let at = ROOMS.iter().position(|(room, _)| room == name);
            assert!(at.is_some_and(|at| at < row), "{room} may name {name}");
        }
    }
}

#[test]
fn the_rules_are_read_as_meant() {
    let code = without_comments_and_texts(
        "use crate::{a, b::{c, d}, e};\nlet x = crate::f::g(\"crate::h\"); // crate::i\n",
    );
    assert_eq!(crate_modules(&code), ["a", "b", "e", "f"]);
    assert!(names_path("let t: burn::tensor::Device", "burn") && names_path("use burn;", "burn"));
    assert!(
        !names_path("let sideburn::x", "burn")
            && !names_path("let burn = 1;", "burn")
            && !names_path("burns::x", "burn")
    );
    assert_eq!(
        without_comments_and_texts(r#"f("a \" // b"); g('"') // c"#).trim_end(),
        "f(); g('\"')"
    );
}

#[test]
fn window_and_command_line_never_name_burn() {
    check_never_names(
        &["ui", "cli"],
        &["burn", "burn_wgpu", "burn_core", "burn_tensor", "cubecl"],
    );
}

#[test]
fn only_the_window_names_egui() {
    let sources = sources();
    let rooms = sources
        .iter()
        .filter(|source| !source.name.starts_with("ui/"));
    for source in rooms {
        for name in ["egui", "eframe", "egui_plot", "egui_wgpu", "epaint"] {
            assert!(
                !names_path(&source.code, name),
                "src/{} names {name}",
                source.name
            );
        }
    }
}

#[test]
fn engine_data_and_latent_spaces_never_name_burn() {
    check_never_names(&["engine", "data", "latent"], &["burn"]);
}

/// Graph capture, which goes beneath burn to cubecl's client, is the one exception.
#[test]
fn only_kernels_name_the_crates_beneath_burn() {
    let sources = sources();
    let others = sources.iter().filter(|source| {
        !source.name.starts_with("kernels/") && source.name != "training/captured_step.rs"
    });
    for source in others {
        for name in ["burn_cubecl", "cubecl", "macerator", "gemm"] {
            assert!(
                !names_path(&source.code, name),
                "src/{} names {name}",
                source.name
            );
        }
    }
}

/// Work on many points, sequences or pictures is shared among the threads of rayon's pool, as burn's own on the CPU.
const THREADS_BEGIN_IN: [&str; 11] = [
    "cli/mod.rs",
    "cli/session.rs",
    "engine/mod.rs",
    "executor/benchmark/mod.rs",
    "kernels/fused/flex.rs",
    "kernels/image_ops/flex.rs",
    "latent/projection/",
    "signals.rs",
    "training/data_parallel.rs",
    "ui/app.rs",
    "ui/executor/projector.rs",
];

#[test]
fn threads_begin_in_few_places() {
    for source in sources() {
        let begins = [
            "thread::spawn",
            "thread::Builder",
            "thread::scope",
            "rayon::",
        ];
        let way = begins.iter().find(|way| source.code.contains(**way));
        let may = THREADS_BEGIN_IN
            .iter()
            .any(|place| source.name.starts_with(place));
        assert!(may || way.is_none(), "src/{} has {way:?}", source.name);
    }
}

#[test]
fn nothing_that_ships_unwraps() {
    for source in sources() {
        assert!(
            !source.code.contains(".unwrap()"),
            "src/{} unwraps",
            source.name
        );
        assert!(
            !source.code.contains(".unwrap_err()"),
            "src/{} unwraps",
            source.name
        );
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for source in sources() {
        let text = fs::read_to_string(root.join(&source.name)).unwrap();
        assert!(text.starts_with("//! "), "src/{} has no head", source.name);
    }
}
