//! Name and licence of a package, from its metadata.

/// Largest part read of a METADATA or PKG-INFO file: the fields come first.
pub const MAX_METADATA_BYTES: u64 = 4 << 20;

/// Name with version, and licence, from a METADATA or PKG-INFO file (PyPA's core metadata).
pub fn of_metadata(metadata: &str) -> (Option<String>, Option<String>) {
    // The description follows after an empty line.
    let head = || metadata.lines().take_while(|line| !line.is_empty());
    let field = |name: &str| {
        let mut values = head().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        values.find(|value| !value.trim().is_empty() && *value != "UNKNOWN")
    };
    let name = field("Name").map(|name| format!("{name} {}", field("Version").unwrap_or_default()));
    let mut classifiers = head().filter_map(|line| line.strip_prefix("Classifier: License :: "));
    let classifier = classifiers.find_map(|path| path.rsplit(" :: ").next());
    // Some packages state the whole text as the licence; its first line is the name.
    let stated = field("License-Expression").or(field("License"));
    let licence = stated.or(classifier);
    let short = |text: &str| text.trim().chars().take(80).collect::<String>();
    (name.as_deref().map(short), licence.map(short))
}

/// True for names of files with a licence text.
pub fn is_licence_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let starts = ["license", "licence", "copying"];
    starts.iter().any(|start| name.starts_with(start))
}
