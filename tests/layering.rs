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

/// The room's files name no other module of the crate than these.
fn check_only_names(room_name: &str, allowed: &[&str]) {
    let sources = sources();
    for source in room(&sources, room_name) {
        for module in crate_modules(&source.code) {
            assert!(
                allowed.contains(&module.as_str()),
                "src/{} names crate::{module}",
                source.name
            );
        }
        // A file of the room's top level leaves it with one `super` more than it is deep.
        let depth =
            source.name.matches('/').count() + usize::from(!source.name.ends_with("mod.rs")) - 1;
        let climb = "super::".repeat(depth + 1);
        assert!(
            !source.code.contains(&climb),
            "src/{} leaves its room by {climb}",
            source.name
        );
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

/// The window sees plain data alone; what it shows of the networks is re-exported by the systems' views.
#[test]
fn the_window_names_no_network_module() {
    let sources = sources();
    for source in room(&sources, "ui") {
        let modules = crate_modules(&source.code);
        assert!(
            !modules.iter().any(|module| module == "nn"),
            "src/{} names crate::nn",
            source.name
        );
    }
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
fn the_engine_knows_no_model() {
    check_only_names("engine", &["engine"]);
    check_never_names(&["engine"], &["executor", "glyphs", "burn"]);
}

#[test]
fn networks_data_and_latent_spaces_stand_alone() {
    check_only_names("kernels", &["kernels"]);
    check_only_names("nn", &["nn", "kernels"]);
    check_only_names("data", &["data", "files"]);
    check_only_names("files", &["files"]);
    check_only_names("latent", &["latent"]);
    check_never_names(&["latent", "data"], &["burn"]);
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

#[test]
fn training_knows_no_system() {
    check_only_names(
        "training",
        &[
            "training", "config", "device", "engine", "files", "kernels", "nn",
        ],
    );
}

#[test]
fn models_know_neither_the_window_nor_the_command_line() {
    let sources = sources();
    for source in room(&sources, "executor") {
        for module in crate_modules(&source.code) {
            assert!(
                !["ui", "cli", "glyphs"].contains(&module.as_str()),
                "src/{} names crate::{module}",
                source.name
            );
        }
    }
}

#[test]
fn threads_begin_in_few_places() {
    let sources = sources();
    for source in ["kernels", "nn", "data", "latent", "training", "executor"]
        .into_iter()
        .flat_map(|name| room(&sources, name))
        .filter(|source| {
            !["training/data_parallel.rs", "executor/benchmark/mod.rs"]
                .contains(&source.name.as_str())
        })
        // Work on many points, sequences or pictures is shared among the threads of rayon's pool, as burn's own on the
        // CPU.
        .filter(|source| {
            let is_on_cpu =
                source.name.starts_with("kernels/") && source.name.ends_with("/flex.rs");
            !source.name.starts_with("latent/projection/") && !is_on_cpu
        })
    {
        for way in [
            "thread::spawn",
            "thread::Builder",
            "thread::scope",
            "rayon::",
        ] {
            assert!(!source.code.contains(way), "src/{} has {way}", source.name);
        }
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
