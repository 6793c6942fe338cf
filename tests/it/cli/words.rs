//! Commands that only say something.

use super::binary::{Place, root};

#[test]
fn help_names_the_exit_codes() {
    let help = Place::new().expect(0, &["--help"]).stdout;
    for line in
        ["1    user error", "2    usage error", "3    external failure", "4    fenced", "70   internal"]
    {
        assert!(help.contains(line), "{line} is not in\n{help}");
    }
}

#[test]
fn connectors_and_transforms_are_listed() {
    let list = Place::new().expect(0, &["connectors"]).stdout;
    for (kind, name) in [
        ("source", "FakeSource"),
        ("source", "LocalFile"),
        ("transform", "Sql"),
        ("transform", "FieldMapper"),
        ("sink", "LocalFile"),
        ("sink", "Assert"),
    ] {
        let has = list.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(kind) && words.next() == Some(name)
        });
        assert!(has, "{kind} {name} is not in\n{list}");
    }
}

#[test]
fn a_plugin_shows_the_json_schema_of_its_options() {
    let place = Place::new();
    let fake = place.expect(0, &["schema", "fakesource"]).stdout;
    let fake: serde_json::Value = serde_json::from_str(&fake).unwrap();
    let rows = &fake["properties"]["row.num"];
    assert!(rows["description"].as_str().is_some_and(|text| !text.is_empty()), "{rows}");

    let files: serde_json::Value =
        serde_json::from_str(&place.expect(0, &["schema", "LocalFile"]).stdout).unwrap();
    assert!(files["source"]["properties"]["path"].is_object() && files["sink"]["properties"].is_object());
    let sink: serde_json::Value =
        serde_json::from_str(&place.expect(0, &["schema", "LocalFile", "--kind", "sink"]).stdout).unwrap();
    assert_eq!(sink, files["sink"]);

    let unknown = place.expect(1, &["schema", "LocalFil"]).stderr;
    assert!(unknown.contains("ST-0902") && unknown.contains("did you mean `LocalFile`?"), "{unknown}");
}

#[test]
fn every_error_page_can_be_shown() {
    let place = Place::new();
    let mut pages = 0;
    for entry in std::fs::read_dir(root().join("docs/errors")).unwrap() {
        let path = entry.unwrap().path();
        let code = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if !code.starts_with("ST-") {
            continue;
        }
        pages += 1;
        let shown = place.expect(0, &["explain", &code]).stdout;
        assert_eq!(shown, std::fs::read_to_string(&path).unwrap(), "{code}");
    }
    assert!(pages > 20, "only {pages} pages");
    let list = place.expect(0, &["explain"]).stdout;
    assert_eq!(list.lines().count(), pages);
    assert_eq!(place.expect(0, &["explain", "102"]).stdout, place.expect(0, &["explain", "ST-0102"]).stdout);
    assert!(place.expect(1, &["explain", "ST-9999"]).stderr.contains("ST-0901"));
}

#[test]
fn every_code_in_the_source_has_a_page() {
    let mut missing = Vec::new();
    for folder in ["engine", "connectors", "transforms"] {
        let pattern = root().join(folder);
        for file in rust_files(&pattern) {
            let text = std::fs::read_to_string(&file).unwrap();
            for (at, _) in text.match_indices("Code(\"ST-") {
                let code = &text[at + 6..at + 13];
                if !root().join(format!("docs/errors/{code}.md")).exists() {
                    missing.push(format!("{code} of {}", file.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "codes without a page: {missing:#?}");
}

fn rust_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn completions_know_the_subcommands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.expect(0, &["completions", shell]).stdout;
        assert!(script.contains("preview") && script.contains("savepoint"), "{shell}");
    }
}

#[test]
fn output_into_a_closed_pipe_is_no_failure() {
    let place = Place::new();
    let mut child = place.command(&["explain"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
