//! What a user sees of a broken job file. The texts are an interface: a change shows in the snapshots.

use crate::plugins::{Folder, job_with_source};

const SINK: &str = "sink {\n  Console { }\n}\n";

/// A job whose source block has these lines.
fn source(lines: &str) -> Folder {
    Folder::with(&format!("source {{\n  FakeSource {{\n{lines}\n  }}\n}}\n{SINK}"))
}

fn cases() -> Vec<(&'static str, Folder)> {
    let sound = job_with_source("");
    vec![
        ("unknown_option", source("    row.num = 5\n    rowz.num = 3")),
        ("unknown_nested_option", source("    row { nmu = 3 }")),
        ("wrong_type", source("    row.num = many\n    columns = [a]")),
        ("wrong_choice", source("    mode = overwrit")),
        ("missing_option", Folder::with("source {\n  FakeSource {\n  }\n}\ntransform {\n  Sql {\n  }\n}\nsink { Console {} }\n")),
        (
            "two_plugins_at_once",
            Folder::with(
                "env {\n  paralelism = 2\n  checkpoint.interval = 5 parsecs\n}\nsource {\n  FakeSource { row.num = -1 }\n}\nsink {\n  LocalFile { pth = x }\n}\n",
            ),
        ),
        ("validation", Folder::with("source {\n  LocalFile { path = \"\" }\n}\nsink { Console {} }\n")),
        ("unknown_plugin", Folder::with("source {\n  FakeSuorce { }\n}\nsink {\n  Sql { }\n}\n")),
        ("no_plugin_name", Folder::with("source = [ { row.num = 5 } ]\nsink { Console {} }\n")),
        ("no_source_and_no_sink", Folder::with("env { }\nsorce { FakeSource { } }\nsink { }\n")),
        ("empty_file", Folder::with("")),
        ("section_is_text", Folder::with("source = FakeSource\nsink { Console }\n")),
        ("section_of_wrong_things", Folder::with("source = [ FakeSource, 5 ]\nsink = 5\n")),
        (
            "duplicate_output",
            Folder::with(
                "source {\n  FakeSource { plugin_output = a }\n  FakeSource { plugin_output = a }\n}\nsink {\n  Console { plugin_input = a }\n}\n",
            ),
        ),
        (
            "unknown_input",
            Folder::with(
                "source {\n  FakeSource { plugin_output = orders }\n}\nsink {\n  Console { plugin_input = [orders, ordres] }\n}\n",
            ),
        ),
        (
            "cycle",
            Folder::with(
                "source { FakeSource { plugin_output = s } }\ntransform {\n  Sql { plugin_input = [s, b], plugin_output = a, query = select }\n  Sql { plugin_input = a, plugin_output = b, query = select }\n}\nsink { Console { plugin_input = b } }\n",
            ),
        ),
        (
            "ambiguous_input",
            Folder::with(
                "source {\n  FakeSource { plugin_output = a }\n  FakeSource { plugin_output = b }\n}\nsink {\n  Console { }\n}\n",
            ),
        ),
        (
            "contradicting_names",
            Folder::with(
                "source { FakeSource { plugin_output = a, result_table_name = b } }\nsink { Console { plugin_input = a } }\n",
            ),
        ),
        ("useless_wiring", Folder::with("source { FakeSource { plugin_input = x } }\nsink { Console { } }\n")),
        ("parallelism_of_zero", source("    parallelism = 0")),
        ("unclosed_brace", Folder::with(&format!("source {{\n  FakeSource {{\n    row.num = 5\n  }}\n{SINK}"))),
        ("unclosed_bracket", source("    columns = [a, b\n    row.num = 5")),
        ("unclosed_quote", source("    path = \"/data\n    row.num = 5")),
        ("unclosed_triple_quote", source("    path = \"\"\"/data\n    row.num = 5")),
        ("url_without_quotes", source("    path = jdbc:pg://host/db\n    start_mode = 10:30")),
        ("several_syntax_errors", source("    path = a*b\n    = 5\n    row.num 5\n    mode =\n    token = ${}\n    columns = [,]")),
        ("too_many_closed", Folder::with(&format!("{sound}}}\n"))),
        ("two_on_one_line", source("    row.num = 5 path = x")),
        ("text_before_a_block", source("    schema = x { a = 1 }")),
        ("circular_substitution", Folder::with(&format!("a = ${{b}}\nb = ${{a}}\n{}", job_with_source("path = ${a}")))),
        ("list_joined_with_text", Folder::with(&format!("a = [1]\n{}", job_with_source("path = x${a}")))),
        ("unresolved_substitution", source("    path = /data/${folder}/x\n    start_mode = \"${?HOME}\"")),
        ("too_deep", source(&format!("    schema = {}", "[".repeat(10_000)))),
        ("include_missing", Folder::with(&format!("include \"missing.conf\"\n{sound}"))),
        ("include_required", Folder::with(&format!("include required(\"missing.conf\")\n{sound}"))),
        (
            "include_outside",
            Folder::with(&format!("include \"../secret.conf\"\ninclude \"/etc/passwd\"\n{sound}"))
                .file("secret.conf", "a = 1"),
        ),
        ("include_url", Folder::with(&format!("include url(\"http://host/x.conf\")\n{sound}"))),
        ("include_bad", Folder::with(&format!("include foo\n{sound}"))),
        ("include_in_a_block", source("    row.num = 5").file("jobs/job.conf", format!("source {{\n  include \"x.conf\"\n}}\n{SINK}"))),
        (
            "include_with_an_error",
            Folder::with(&format!("include \"parts/part.conf\"\n{sound}")).file("jobs/parts/part.conf", "a = 1\nb = \"\n"),
        ),
        ("include_circle", Folder::with(&format!("include \"part.conf\"\n{sound}")).file("jobs/part.conf", "include \"job.conf\"")),
        ("include_not_utf8", Folder::with(&format!("include \"part.conf\"\n{sound}")).file("jobs/part.conf", b"\xff\xfe")),
        ("reserved_variable", Folder::with(&sound).variable("a=1,table_name=t").variable("nonsense")),
        (
            "bad_sets",
            Folder::with("source {\n  FakeSource { }\n  FakeSource { }\n}\nsink {\n  Console { plugin_input = x }\n}\n")
                .set("nonsense")
                .set("source[2].path=x")
                .set("source[x].path=x")
                .set("source.FakeSource.path=x")
                .set("sink.Consle.path=x")
                .set("sink[0]=x")
                .set("sink[0].columns=[a")
                .set("sink[0].path=@/nowhere/at/all"),
        ),
        ("set_of_an_unknown_name", Folder::with(&format!("base = x\n{sound}")).set("bsae=y").set("sorce[0].path=x").set("base.x=y")),
        ("set_of_a_wrong_type", Folder::with(&sound).set("source[0].row.num=many")),
        ("env_warnings", Folder::with(&format!(
            "env {{\n  spark.app.name = x\n  spark.executor.cores = 1\n  jars = \"x.jar\"\n  savemode.execute.location = CLUSTER\n  strict = false\n  paralelism = 2\n}}\n{sound}"
        ))),
        ("env_wrong_values", Folder::with(&format!(
            "env {{\n  parallelism = 0\n  checkpoint.interval = 5ms\n  channel.bytes = 0\n  job.mode = FAST\n}}\n{sound}"
        ))),
        ("env_ranges", Folder::with(&format!(
            "env {{\n  parallelism = 0\n  checkpoint.interval = 5ms\n  channel.bytes = 0\n  checkpoint.retain = 0\n}}\n{sound}"
        ))),
        ("env_is_text", Folder::with(&format!("env = x\n{sound}"))),
        ("error_handlers", Folder::with(&format!(
            "env {{\n  sink_error_handler {{ mode = LOG }}\n  error_handler {{ mode = LOG }}\n}}\n{sound}"
        ))),
        ("dead_letter", Folder::with(&format!(
            "env {{\n  dead_letter {{\n    plugin_name = LocalFile\n    max_ratio = 7\n  }}\n}}\n{sound}"
        ))),
        ("dead_letter_options", Folder::with(&format!(
            "env {{\n  dead_letter {{\n    plugin_name = LocalFile\n    pth = x\n  }}\n}}\n{sound}"
        ))),
        ("dead_letter_without_plugin", Folder::with(&format!("env {{\n  dead_letter {{ path = x }}\n}}\n{sound}"))),
        ("secrets_are_masked", source("    password = [canary]\n    token = canary, rowz = 1")),
        ("shade", Folder::with(&format!(
            "env {{ shade.identifier = base64 }}\n{}", job_with_source("password = \"not base64!\"")
        ))),
        ("shade_unknown", Folder::with(&format!("env {{ shade.identifier = aes }}\n{sound}"))),
        ("list_replaces_blocks", Folder::with(&format!("{sound}sink = [ {{ plugin_name = Console }} ]\n"))),
        ("not_utf8", Folder::with("").file("jobs/job.conf", b"a = \xff")),
    ]
}

#[test]
fn a_broken_file_is_explained() {
    for (name, folder) in cases() {
        let said = folder.said();
        assert!(!said.contains("canary"), "{name}: {said}");
        insta::assert_snapshot!(name, said);
    }
}

#[test]
fn a_file_that_is_no_job_file_is_explained() {
    let folder = Folder::with("")
        .file("jobs/job.sql", "SELECT 1")
        .file("jobs/job.yaml", "a: 1")
        .file("jobs/folder.conf/x", "")
        .file("jobs/list.conf", "[1]");
    let files = ["jobs/none.conf", "jobs/job.sql", "jobs/job.yaml", "jobs/folder.conf", "jobs/list.conf"];
    let said: Vec<String> = files.iter().map(|file| folder.said_of(file)).collect();
    insta::assert_snapshot!("no_job_files", said.join("\n"));
}

#[test]
fn a_broken_json_file_is_explained() {
    let texts = [
        "{ \"source\": [}",
        "{ \"a\": 1, \"a\": 2, \"b\": {\"c\": 1, \"c\": 2} }",
        "{ // comment\n }",
        "{ \"a\": 01 }",
        "{ \"a\": \"x\n\" }",
        "{ \"a\": \"\\x\" }",
        "{ a: 1 }",
        "{ \"a\": 1, }",
        "{} {}",
        "[]",
        "",
        "{ \"source\": {\"FakeSource\": {}}, \"sink\": [{}] }",
        "{ \"source\": [{\"plugin_name\": \"FakeSource\"}], \"sink\": [{\"path\": 5}] }",
    ];
    let mut folder = Folder::with("");
    let mut said = Vec::new();
    for text in texts.iter().copied().chain([("[".repeat(10_000)).as_str()]) {
        folder = folder.file("jobs/job.json", text);
        said.push(folder.said_of("jobs/job.json"));
    }
    insta::assert_snapshot!("broken_json", said.join("\n"));
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_folder() {
    let folder =
        Folder::with(&format!("include \"link.conf\"\ninclude \"dir/secret.conf\"\n{}", job_with_source("")))
            .file("secret.conf", "a = 1");
    std::os::unix::fs::symlink(folder.path("secret.conf"), folder.path("jobs/link.conf")).unwrap();
    std::os::unix::fs::symlink(folder.path("."), folder.path("jobs/dir")).unwrap();
    insta::assert_snapshot!("include_by_a_link", folder.said());
}
