//! No file of a room depends on one that depends on it: read from the paths in the source files.
//!
//! A re-export (`pub use`) is a name of what it re-exports and no dependency of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::layering::{Source, sources};

type Path = Vec<String>;

/// Modules with their files, names they re-export, and files that files name.
#[derive(Default)]
struct Graph {
    files: BTreeMap<Path, String>,
    exports: BTreeMap<Path, Path>,
    edges: BTreeMap<String, BTreeSet<String>>,
}

fn module_of(file: &str) -> Path {
    let path = file.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    let parts = path.split('/').filter(|part| *part != "lib");
    parts.map(str::to_owned).collect()
}

/// The paths of a `use` tree: `a::{b, c::d}` to `a::b`, `a::c::d`.
fn paths_of(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return vec![path.trim().to_owned()];
    };
    let group = &group[..group.rfind('}').expect("a group ends")];
    let (mut entries, mut depth) = (vec![String::new()], 0);
    for c in group.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        match c {
            ',' if depth == 0 => entries.push(String::new()),
            c => entries.last_mut().expect("never empty").push(c),
        }
    }
    let entries = entries.iter().filter(|entry| !entry.trim().is_empty());
    entries
        .flat_map(|entry| paths_of(entry))
        .map(|path| format!("{}{path}", head.trim()))
        .collect()
}

impl Graph {
    fn of(sources: &[Source]) -> Self {
        let mut graph = Self::default();
        for source in sources.iter().filter(|source| source.name != "main.rs") {
            let file = source.name.clone();
            graph.files.insert(module_of(&file), file);
        }
        let mut named = Vec::new();
        for (module, file) in &graph.files {
            let source = sources.iter().find(|source| source.name == *file);
            let mut rest = source.expect("a module has a source").code.as_str();
            let mut inline = String::new();
            while let Some(at) = rest.find("use ") {
                let is_word = rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                let line = rest[..at].rsplit('\n').next().unwrap_or_default().trim();
                let end = rest[at..].find(';').map(|end| at + end);
                let is_use = line.is_empty() || line.starts_with("pub");
                let (Some(end), false, true) = (end, is_word, is_use) else {
                    inline.push_str(&rest[..at + 4]);
                    rest = &rest[at + 4..];
                    continue;
                };
                inline.push_str(&rest[..at]);
                for path in paths_of(&rest[at + 4..end]) {
                    let Some(target) = graph.absolute(&path, module) else {
                        continue;
                    };
                    if line.starts_with("pub") {
                        let name = target.last().cloned();
                        let export = module.iter().cloned().chain(name).collect();
                        graph.exports.insert(export, target);
                    } else {
                        named.push((file.clone(), target));
                    }
                }
                rest = &rest[end..];
            }
            inline.push_str(rest);
            let words = inline.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
            for path in words.filter(|word| word.contains("::")) {
                if ["crate::", "super::", "self::"]
                    .iter()
                    .any(|head| path.starts_with(head))
                {
                    named.extend(
                        graph
                            .absolute(path, module)
                            .map(|target| (file.clone(), target)),
                    );
                }
            }
        }
        for (file, target) in named {
            if let Some(other) = graph.file_of(target)
                && other != file
                && other != "lib.rs"
            {
                graph.edges.entry(file).or_default().insert(other);
            }
        }
        graph
    }

    /// A path from the crate's root; none where it leads into another crate.
    fn absolute(&self, path: &str, here: &Path) -> Option<Path> {
        let mut parts = path
            .split("::")
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let first = parts.next()?;
        let mut base: Path = match first {
            "crate" => Vec::new(),
            "self" => here.clone(),
            "super" => here[..here.len().checked_sub(1)?].to_vec(),
            name => {
                let child: Path = here.iter().cloned().chain([name.to_owned()]).collect();
                self.files.contains_key(&child).then_some(child)?
            }
        };
        for part in parts {
            match part {
                "super" => drop(base.pop()),
                "self" => {}
                part => base.push(part.to_owned()),
            }
        }
        Some(base)
    }

    /// The file that defines what a path names.
    fn file_of(&self, mut path: Path) -> Option<String> {
        for _ in 0..8 {
            let module = (0..=path.len())
                .rev()
                .find(|end| self.files.contains_key(&path[..*end]))?;
            let export = path.get(..=module).and_then(|name| self.exports.get(name));
            match export {
                Some(target) => path = target.iter().chain(&path[module + 1..]).cloned().collect(),
                None => return self.files.get(&path[..module]).cloned(),
            }
        }
        None
    }

    /// All that a file depends on, near and far.
    fn reached(&self, file: &str) -> BTreeSet<String> {
        let (mut reached, mut open) = (BTreeSet::new(), vec![file]);
        while let Some(next) = open.pop() {
            for other in self.edges.get(next).into_iter().flatten() {
                if reached.insert(other.clone()) {
                    open.push(other);
                }
            }
        }
        reached
    }

    /// Files that depend on themselves by way of others.
    fn in_circles(&self) -> Vec<&str> {
        let files = self.files.values().map(String::as_str);
        files
            .filter(|file| self.reached(file).contains(*file))
            .collect()
    }
}

fn source(name: &str, code: &str) -> Source {
    Source {
        name: name.to_owned(),
        code: code.to_owned(),
    }
}

#[test]
fn circles_are_found_and_exports_are_no_dependencies() {
    let graph = Graph::of(&[
        source("lib.rs", "pub mod a;\npub mod b;\n"),
        source("a/mod.rs", "mod x;\nmod y;\npub use x::{X, Z};\n"),
        source("a/x.rs", "use super::y::Y;\n"),
        source("a/y.rs", "fn y() -> crate::a::X { super::Z }\n"),
        source("b.rs", "use crate::{a::X, std::fs};\n"),
    ]);
    assert_eq!(graph.in_circles(), ["a/x.rs", "a/y.rs"]);
    assert!(graph.edges["b.rs"].contains("a/x.rs"));
}

#[test]
fn no_file_depends_on_itself_by_way_of_others() {
    let graph = Graph::of(&sources());
    assert!(
        graph.edges.len() > 100,
        "{} files name others",
        graph.edges.len()
    );
    let circles: Vec<String> = graph
        .in_circles()
        .into_iter()
        .map(|file| {
            let back = graph.edges[file].iter();
            let back = back.filter(|other| graph.reached(other).contains(file));
            format!("{file} -> {}", back.cloned().collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n"));
}
