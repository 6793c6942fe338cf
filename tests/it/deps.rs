//! Who may depend on whom, and that there is one Arrow in the tree. Connectors that cannot see each other,
//! and no crate but one that names DataFusion, are what keeps the inner loop of a connector short.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

fn workspace() -> Metadata {
    MetadataCommand::new().no_deps().exec().expect("cargo tells its workspace")
}

/// The folder of a package below the workspace, such as `connectors/fake`; empty for the root package.
fn folder(metadata: &Metadata, package: &Package) -> String {
    let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
    let below = folder.strip_prefix(&metadata.workspace_root).expect("a member lies in the workspace");
    below.as_str().replace('\\', "/")
}

/// Which packages of the workspace one in this folder may depend on.
fn allowed(folder: &str, dependency: &str) -> bool {
    let connector = dependency.starts_with("seatun-connector-");
    match folder {
        "" => !connector && dependency != "seatun-testkit" && dependency != "seatun-xtask",
        "engine/api" => false,
        "engine/config" | "engine/state" | "engine/testkit" | "connectors/common" => {
            dependency == "seatun-api"
        }
        "engine/runtime" => ["seatun-api", "seatun-state"].contains(&dependency),
        "engine/xtask" => dependency != "seatun-testkit" && dependency != "seatun-runtime",
        "connectors/registry" => dependency == "seatun-api" || connector,
        _ if folder.starts_with("connectors/") => {
            ["seatun-api", "seatun-connector-common"].contains(&dependency)
        }
        _ if folder.starts_with("transforms/") => {
            ["seatun-api", "seatun-connector-common"].contains(&dependency)
        }
        _ => panic!("a package in {folder}: say in tests/it/deps.rs what it may depend on"),
    }
}

#[test]
fn crates_depend_only_on_whom_they_may() {
    let metadata = workspace();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let folder = folder(&metadata, package);
        for dependency in &package.dependencies {
            let own = dependency.name.starts_with("seatun-");
            let for_tests = dependency.kind == DependencyKind::Development;
            let fine = !own
                || allowed(&folder, &dependency.name)
                || (for_tests && dependency.name == "seatun-testkit");
            if !fine {
                wrong.push(format!("{} must not depend on {}", package.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_sql_transform_names_datafusion() {
    let metadata = workspace();
    for package in metadata.workspace_packages() {
        let names = package.dependencies.iter().any(|dependency| dependency.name.starts_with("datafusion"));
        assert!(!names || package.name == "seatun-transform-sql", "{} names DataFusion", package.name);
    }
}

#[test]
fn members_take_versions_and_features_from_the_workspace() {
    let metadata = workspace();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let text = std::fs::read_to_string(&package.manifest_path).expect("a manifest can be read");
        let mut in_dependencies = false;
        for line in text.lines() {
            if line.starts_with('[') {
                in_dependencies = line.ends_with("dependencies]") && !line.starts_with("[workspace");
            } else if in_dependencies && line.contains('=') && !line.contains("workspace = true") {
                wrong.push(format!("{}: {line}", package.name));
            }
        }
    }
    assert!(wrong.is_empty(), "a second set of features builds a crate twice: {wrong:#?}");
}

#[test]
fn there_is_one_arrow_in_the_tree() {
    let lock = std::fs::read_to_string(workspace().workspace_root.join("Cargo.lock")).expect("the lock file");
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut name = String::new();
    for line in lock.lines() {
        if let Some(text) = line.strip_prefix("name = ") {
            name = text.trim_matches('"').to_owned();
        } else if let Some(text) = line.strip_prefix("version = ") {
            versions.entry(name.clone()).or_default().push(text.trim_matches('"').to_owned());
        }
    }
    let arrows = |name: &str| {
        name == "arrow"
            || name.starts_with("arrow-")
            || name == "parquet"
            || name.starts_with("datafusion")
            || name == "object_store"
    };
    let mut majors = Vec::new();
    for (name, versions) in versions.iter().filter(|(name, _)| arrows(name)) {
        assert_eq!(versions.len(), 1, "{name} is in the tree as {versions:?}");
        if name.starts_with("arrow") || name == "parquet" {
            majors.extend(versions[0].split('.').next().map(str::to_owned));
        }
    }
    majors.sort();
    majors.dedup();
    assert_eq!(majors.len(), 1, "Arrow is in the tree as {majors:?}");
}
