//! What SeaTunnel's job files may say beside and against HOCON, rule by rule.

use serde_json::json;

use crate::plugins::{Folder, job_with_source, source_options};

#[track_caller]
fn options_of(options: &str) -> serde_json::Value {
    source_options(&Folder::with(&job_with_source(options)).job())
}

#[test]
fn a_dotted_key_is_one_key_and_an_arrow_nests() {
    let options = options_of(
        "start_mode = timestamp\n start_mode.timestamp = 123\n schema->table = t\n schema -> x -> y = 1",
    );
    let expected = json!({"start_mode": "timestamp", "start_mode.timestamp": 123, "schema": {"table": "t", "x": {"y": 1}}});
    assert_eq!(options, expected);
}

#[test]
fn options_are_found_flat_and_nested() {
    for text in ["row.num = 5", "row { num = 5 }", "row : { num : \"5\" },"] {
        Folder::with(&job_with_source(text)).job();
    }
    for env in ["job.mode = STREAMING", "job { mode = streaming }", "job : {mode:\"Streaming\"}"] {
        let job = Folder::with(&format!("env {{ {env} }}\n{}", job_with_source(""))).job();
        assert_eq!(job.mode, seatun_api::JobMode::Streaming, "{env}");
    }
}

#[test]
fn the_order_of_keys_is_kept() {
    let options = options_of("schema { z = 1, a = 2, m = 3, a = 4 }");
    let keys: Vec<&String> = options["schema"].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 3);
    let job = Folder::with(&job_with_source("schema { z = 1, a = 2, m = 3, a = 4 }")).job();
    let schema = job.nodes[0].options.get("schema").unwrap();
    let keys: Vec<&String> = schema.as_map().unwrap().keys().collect();
    assert_eq!(keys, ["z", "a", "m"]);
}

#[test]
fn repeated_blocks_are_separate_plugins_in_order() {
    let job = Folder::with(
        "source { FakeSource { plugin_output = a, path = 1 }\n FakeSource { plugin_output = b, path = 2 } }
         sink { Console { plugin_input = a } }
         sink { Console { plugin_input = b }, Console { plugin_input = a } }",
    )
    .job();
    let ids: Vec<&str> = job.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "Console-1", "Console-2", "Console-3"]);
    assert_eq!(job.nodes[0].options.to_json(), json!({"path": 1}));
    assert_eq!(job.nodes[1].options.to_json(), json!({"path": 2}));
}

#[test]
fn objects_elsewhere_merge() {
    let options =
        options_of("schema { a = 1, b = 2 }\n schema { b = 3, c { d = 4 } }\n schema { c { e = 5 } }");
    assert_eq!(options["schema"], json!({"a": 1, "b": 3, "c": {"d": 4, "e": 5}}));
}

#[test]
fn a_list_of_plugins_is_taken_as_it_is() {
    let job = Folder::with(
        "source = [ { plugin_name = FakeSource, path = x } ]
         transform = [ { plugin_name = sql, query = \"select\" } ]
         sink : [ { plugin_name : console } ]",
    )
    .job();
    let plugins: Vec<&str> = job.nodes.iter().map(|node| node.plugin).collect();
    assert_eq!(plugins, ["FakeSource", "Sql", "Console"]);
    assert_eq!(source_options(&job), json!({"path": "x"}));
}

#[test]
fn a_block_can_be_built_from_a_substitution() {
    let job = Folder::with(
        "base { path = /data, row.num = 1 }
         source { FakeSource = ${base} { row.num = 2 } }
         sink { Console ${base} }",
    );
    // A key and a substitution without a separator are no HOCON.
    assert!(job.load().is_err());
    let job = Folder::with(
        "base { path = /data, row.num = 1 }
         source { FakeSource = ${base} { row.num = 2 } }
         sink { Console = ${base} }",
    )
    .job();
    assert_eq!(job.nodes[0].options.to_json(), json!({"path": "/data", "row.num": 2}));
    assert_eq!(job.nodes[1].plugin, "Console");
    assert_eq!(job.nodes[1].options.to_json(), json!({"path": "/data", "row.num": 1}));
}

#[test]
fn an_empty_transform_block_is_no_transform() {
    for text in ["transform {}", "transform = []", "transform { # none\n }", ""] {
        let job = Folder::with(&format!("{}\n{text}", job_with_source(""))).job();
        assert_eq!(job.nodes.len(), 2, "{text}");
    }
}

#[test]
fn the_syntax_of_hocon_holds() {
    let options = options_of(
        "# comment\n // another\n path = \"\"\"c:\\d \"q\" \"\"\", schema : { a = un quoted text # c\n b = [1, 2\n 3,], c += 1, c += x }\n",
    );
    let expected = json!({
        "path": "c:\\d \"q\" ",
        "schema": {"a": "un quoted text", "b": [1, 2, 3], "c": [1, "x"]}
    });
    assert_eq!(options, expected);
}

#[test]
fn a_dotted_substitution_means_the_flat_key_first_and_then_the_nested_one() {
    let text = format!(
        "a.b = flat\n a {{ b = nested, c = deep }}\n{}",
        job_with_source("path = ${a.b}-${a.c}-${a->b}")
    );
    assert_eq!(source_options(&Folder::with(&text).job()), json!({"path": "flat-deep-nested"}));
}

#[test]
fn a_substitution_finds_an_option_as_it_is_spelled() {
    let text = format!("env {{ job.name = orders }}\n{}", job_with_source("path = ${env.job.name}"));
    assert_eq!(source_options(&Folder::with(&text).job()), json!({"path": "orders"}));
}

#[test]
fn names_are_looked_up_in_the_file_then_in_variables_then_in_the_environment() {
    let text =
        format!("x = file\n{}", job_with_source("schema = [${x}, ${y}, ${z}, \"${y}\", \"${z}\", \"${x}\"]"));
    let job = Folder::with(&text)
        .variable("x=variable,y=variable")
        .env("x", "environment")
        .env("y", "environment")
        .env("z", "environment")
        .job();
    let expected = json!(["file", "variable", "environment", "variable", "environment", "variable"]);
    assert_eq!(source_options(&job)["schema"], expected);
}

#[test]
fn defaults_hold_where_nothing_is_known_or_the_value_is_empty() {
    let text = job_with_source(
        "schema = [\"${no: 7 }\", \"${empty:8}\", ${no:9}, ${yes:9}, \"\"\"a ${no:b} ${yes}\"\"\", {k = \"${no:x}\"}]",
    );
    let job = Folder::with(&text).variable("yes=y").variable("empty=").job();
    assert_eq!(source_options(&job)["schema"], json!(["7", "8", "9", "y", "a b y", {"k": "x"}]));
}

#[test]
fn a_substituted_value_is_text_and_cannot_change_the_shape_of_the_job() {
    let text = job_with_source("path = \"${evil}\", row.num = \"${n}\"");
    let job = Folder::with(&text).variable("evil=\"x\"} } sink { Console {} } #").variable("n=16").job();
    assert_eq!(job.nodes.len(), 2);
    let expected = json!({"path": "\"x\"} } sink { Console {} } #", "row.num": "16"});
    assert_eq!(source_options(&job), expected);
}

#[test]
fn names_that_sinks_fill_in_stay_in_sinks() {
    let job = Folder::with(
        "source { FakeSource { path = \"${table_name:t}\" } }
         sink { Console { path = \"/d/${database_name}/${table_name:t}\", columns = [${primary_key}, \"${field_names}\"] } }",
    )
    .env("table_name", "wrong")
    .env("primary_key", "wrong");
    let loaded = job.load().unwrap();
    assert_eq!(loaded.warnings.len(), 0, "{:?}", loaded.warnings);
    assert_eq!(loaded.job.nodes[0].options.to_json(), json!({"path": "t"}));
    let expected = json!({"path": "/d/${database_name}/${table_name:t}", "columns": ["${primary_key}", "${field_names}"]});
    assert_eq!(loaded.job.nodes[1].options.to_json(), expected);
}

#[test]
fn what_is_not_known_stays_and_a_bare_one_is_told() {
    let folder = Folder::with(&job_with_source("path = ${nobody}\n schema = [\"${now}\", ${?nobody}]"));
    let loaded = folder.load().unwrap();
    assert_eq!(source_options(&loaded.job), json!({"path": "${nobody}", "schema": ["${now}"]}));
    let codes: Vec<&str> = loaded.warnings.iter().map(|warning| warning.code.0).collect();
    assert_eq!(codes, ["ST-0113"]);
    assert_eq!((loaded.warnings[0].origin.place.line, loaded.warnings[0].origin.place.column), (1, 30));
}

#[test]
fn included_files_are_part_of_the_job() {
    let folder = Folder::with("include \"parts/blocks.conf\"\n base { include required(file(\"parts/base\")) }\n sink { Console = ${base} }")
        .file("jobs/parts/blocks.conf", "where = here\n source { FakeSource { path = ${where} } }\n include \"more.conf\"")
        .file("jobs/parts/more.conf", "sink { LocalFile { path = ${where} } }")
        .file("jobs/parts/base.conf", "row.num = 3\n path = /data/${row.num}");
    let job = folder.job();
    let ids: Vec<&str> = job.nodes.iter().map(|node| node.id.as_str()).collect();
    assert_eq!(ids, ["FakeSource-1", "LocalFile-1", "Console-1"]);
    assert_eq!(job.nodes[1].options.to_json(), json!({"path": "here"}));
    assert_eq!(job.nodes[2].options.get("path").unwrap().as_text(), Some("/data/3"));
    let place = &job.nodes[1].options.get("path").unwrap().origin;
    assert!(place.to_string().ends_with("jobs/parts/more.conf:1:27"), "{place}");
}
