//! What belongs together is there together: a connector with its row, example, docs page and conformance
//! test; an error code with its page.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder, hidden ones and build output left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.expect("a folder's entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn with_extension(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = files(&root().join(folder));
    found.retain(|path| path.extension().is_some_and(|other| other == extension));
    found
}

/// The connectors' folders with the text of all their sources.
fn connectors() -> BTreeMap<String, String> {
    let mut connectors = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("connectors")).expect("the connectors' folder") {
        let path = entry.expect("a folder's entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !path.is_dir() || ["common", "registry"].contains(&name.as_str()) {
            continue;
        }
        let sources = files(&path)
            .iter()
            .filter(|file| file.extension().is_some_and(|e| e == "rs"))
            .map(|file| read(file))
            .collect();
        connectors.insert(name, sources);
    }
    assert!(!connectors.is_empty(), "there are connectors");
    connectors
}

/// The names of a connector's plugins in job files.
fn plugins(sources: &str) -> BTreeSet<&str> {
    sources.split("const NAME: &'static str = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_connector_is_whole() {
    let registry = read(&root().join("connectors/registry/src/lib.rs"));
    let examples: String = with_extension("configs", "conf").iter().map(|path| read(path)).collect();
    let pages: String = with_extension("docs", "md")
        .iter()
        .filter(|path| !path.ends_with("cli.md"))
        .map(|path| read(path))
        .collect();
    let mut missing = Vec::new();
    for (folder, sources) in connectors() {
        let crate_name = format!("seatun_connector_{folder}::");
        if !registry.contains(&crate_name) {
            missing.push(format!("connectors/{folder} has no row in connectors/registry"));
        }
        let suite = ["source_conformance(", "sink_conformance("].iter().any(|call| sources.contains(call));
        let tested = suite || sources.contains("#[test]") || sources.contains("#[tokio::test");
        if !tested {
            missing.push(format!("connectors/{folder} has no test"));
        }
        let plugins = plugins(&sources);
        if plugins.is_empty() {
            missing.push(format!("connectors/{folder} has no plugin"));
        }
        for plugin in plugins {
            if !examples.contains(&format!("{plugin} {{")) {
                missing.push(format!("{plugin} is in no example of configs/"));
            }
            if !pages.contains(&format!("# {plugin}")) {
                missing.push(format!("{plugin} has no page in docs/"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The four digits after each `ST-` of a text.
fn codes(text: &str) -> BTreeSet<String> {
    text.split("ST-")
        .skip(1)
        .filter_map(|rest| rest.get(..4))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_error_code_has_a_page_and_every_page_a_code() {
    let mut declared: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in ["engine", "connectors", "transforms"] {
        let mut sources = with_extension(folder, "rs");
        sources.retain(|path| {
            path.components().any(|part| part.as_os_str() == "src" || part.as_os_str() == "cli")
        });
        for path in sources {
            for line in read(&path).lines().filter(|line| line.contains("Code = Code(\"ST-")) {
                for code in codes(line) {
                    if let Some(other) = declared.insert(code.clone(), path.clone()) {
                        panic!("ST-{code} is declared in {} and in {}", other.display(), path.display());
                    }
                }
            }
        }
    }
    let mut pages = with_extension("docs/errors", "md");
    pages.retain(|path| !path.ends_with("README.md"));
    let explained: BTreeSet<String> = pages
        .iter()
        .flat_map(|path| codes(&path.file_name().unwrap_or_default().to_string_lossy()))
        .collect();
    let declared: BTreeSet<String> = declared.into_keys().collect();
    let without_page: Vec<_> = declared.difference(&explained).collect();
    let without_code: Vec<_> = explained.difference(&declared).collect();
    assert!(without_page.is_empty(), "codes without a page in docs/errors: {without_page:?}");
    assert!(without_code.is_empty(), "pages of codes that are no more: {without_code:?}");
    for path in pages {
        let text = read(&path);
        for part in ["What it means", "Likely causes", "What to do"] {
            assert!(text.contains(part), "{} does not say {part}", path.display());
        }
    }
}

#[test]
fn every_example_passes_check() {
    for path in with_extension("configs", "conf") {
        let below = path.strip_prefix(root()).expect("below the root");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_seatun"))
            .arg("check")
            .arg(below)
            .current_dir(root())
            .output()
            .expect("the binary runs");
        assert!(
            output.status.success(),
            "seatun check {}:\n{}{}",
            below.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// 400 lines are the aim; what is longer than this must be cut.
#[test]
fn source_files_can_be_read_in_one_sitting() {
    const LONGEST: usize = 600;
    let mut long = Vec::new();
    for folder in ["engine", "connectors", "transforms", "tests"] {
        for path in with_extension(folder, "rs") {
            let lines = read(&path).lines().count();
            if lines > LONGEST {
                long.push(format!("{} has {lines} lines", path.display()));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}
