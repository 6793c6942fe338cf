//! `env`, `--set`, `-i`, `--name`, JSON files.

use std::time::Duration;

use seatun_api::JobMode;
use serde_json::json;

use crate::plugins::{Folder, job_with_source, source_options};

fn with_env(env: &str) -> Folder {
    Folder::with(&format!("env {{ {env} }}\n{}", job_with_source("")))
}

#[test]
fn env_has_defaults_for_everything() {
    let job = with_env("").job();
    assert_eq!((job.name.as_str(), job.mode), ("job", JobMode::Batch));
    assert_eq!(job.checkpoint.interval, Some(Duration::from_secs(30)));
    assert_eq!(job.checkpoint.slow_after, Duration::from_secs(60));
    assert_eq!((job.checkpoint.retain, job.checkpoint.uri), (3, None));
    assert_eq!((job.restart.attempts, job.restart.backoff), (3, Duration::from_secs(3)));
    assert_eq!((job.flow.batch_rows, job.flow.linger), (8192, Duration::from_millis(50)));
    assert_eq!((job.flow.channel_bytes, job.flow.operator_memory), (8 << 20, 256 << 20));
    assert!(job.dead_letter.is_none());
    let streaming = with_env("job.mode = streaming").job();
    assert_eq!(streaming.checkpoint.interval, Some(Duration::from_secs(10)));
}

#[test]
fn env_is_read_in_old_and_new_spellings() {
    let job = with_env(
        "execution.parallelism = 2, job.name = orders, checkpoint.uri = \"s3://b/p\", checkpoint { interval = 5000, timeout = 2m, retain = 1 }
         job.retry.times = 9, job.retry.interval.seconds = 1, batch.rows = 10, batch.linger = 1s, channel.bytes = 64KiB, memory.operator = 1g",
    )
    .job();
    assert_eq!((job.name.as_str(), job.nodes[0].parallelism), ("orders", 2));
    assert_eq!(job.checkpoint.interval, Some(Duration::from_secs(5)));
    assert_eq!((job.checkpoint.slow_after, job.checkpoint.retain), (Duration::from_secs(120), 1));
    assert_eq!(job.checkpoint.uri.as_deref(), Some("s3://b/p"));
    assert_eq!((job.restart.attempts, job.restart.backoff), (9, Duration::from_secs(1)));
    assert_eq!((job.flow.batch_rows, job.flow.linger), (10, Duration::from_secs(1)));
    assert_eq!((job.flow.channel_bytes, job.flow.operator_memory), (64 << 10, 1 << 30));
    let job = with_env("execution.checkpoint.interval = \"10s\"").job();
    assert_eq!(job.checkpoint.interval, Some(Duration::from_secs(10)));
    assert_eq!(with_env("checkpoint.interval = 0").job().checkpoint.interval, None);
    let job = Folder::with(&format!("env.parallelism = 5\n{}", job_with_source(""))).job();
    assert_eq!(job.nodes[0].parallelism, 5);
}

#[test]
fn the_name_comes_from_env_then_the_command_line_then_the_file() {
    let mut folder = with_env("");
    assert_eq!(folder.job().name, "job");
    folder.name = Some("given".to_owned());
    assert_eq!(folder.job().name, "given");
    let mut folder = with_env("job.name = own");
    folder.name = Some("given".to_owned());
    assert_eq!(folder.job().name, "own");
}

#[test]
fn dead_letters_are_read_in_both_spellings() {
    for env in [
        "dead_letter { plugin_name = localfile, path = /dead, max_records = 10, max_ratio = 0.5 }",
        "dead_letter.plugin_name = LocalFile\n dead_letter.path = /dead, dead_letter { max_records = 10, max_ratio = 0.5 }",
        "error_handler { mode = ROUTE, max_error_records = 10, max_error_ratio = 0.5, queue_capacity = 7
           sink { plugin_name = LocalFile, path = /dead } }",
    ] {
        let dead_letter = with_env(env).job().dead_letter.unwrap();
        assert_eq!((dead_letter.plugin, dead_letter.max_records), ("LocalFile", Some(10)), "{env}");
        assert_eq!(dead_letter.max_ratio, Some(0.5));
        assert_eq!(dead_letter.options.to_json(), json!({"path": "/dead"}));
    }
    assert!(with_env("error_handler { mode = disable }").job().dead_letter.is_none());
}

#[test]
fn sets_change_options_wherever_they_stand() {
    let folder = Folder::with(
        "base = /a\n env { job { mode = BATCH } }
         source { FakeSource { plugin_output = one, path = ${base}, row { num = 1 } }\n FakeSource { plugin_output = two.x } }
         sink { Console { schema { fields { a = int } }, columns = [x, y], plugin_input = [one, two.x] } }",
    )
    .set("base=/b")
    .set("env.job.mode=STREAMING")
    .set("env.parallelism=2")
    .set("source[0].row.num=5")
    .set("source.two.x.path=${home}/p")
    .set("source.one.columns=[a, \"b c\"]")
    .set("sink.console.schema.fields.b=\"decimal(1,2)\"")
    .set("sink.Console-1.columns[1]=z")
    .set("sink[0].path=a=b, c: d")
    .variable("home=/home");
    let job = folder.job();
    assert_eq!((job.mode, job.nodes[0].parallelism), (JobMode::Streaming, 2));
    assert_eq!(
        job.nodes[0].options.to_json(),
        json!({"path": "/b", "row": {"num": 5}, "columns": ["a", "b c"]})
    );
    assert_eq!(job.nodes[1].options.to_json(), json!({"path": "/home/p"}));
    let expected = json!({
        "schema": {"fields": {"a": "int", "b": "decimal(1,2)"}}, "columns": ["x", "z"], "path": "a=b, c: d"
    });
    assert_eq!(job.nodes[2].options.to_json(), expected);
}

#[test]
fn a_set_reads_a_file_and_warns_of_a_secret_in_sight() {
    let folder = Folder::with(&job_with_source("")).file("secret.txt", "canary\n");
    let at = format!("source[0].password=@{}", folder.path("secret.txt").display());
    let loaded = folder.set(&at).load().unwrap();
    assert_eq!(source_options(&loaded.job), json!({"password": "canary"}));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let folder =
        Folder::with(&job_with_source("")).set("source[0].password=canary").variable("db_password=canary");
    let said = folder.said();
    assert_eq!(said.matches("ST-0119").count(), 2, "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn json_files_are_read_strictly() {
    let folder = Folder::with("").file(
        "jobs/job.json",
        r#"{"env": {"job.mode": "STREAMING", "parallelism": "2"},
            "source": [{"plugin_name": "FakeSource", "row.num": 12345678901234567890, "path": "${p:x}\u00e9"}],
            "transform": [], "sink": [{"plugin_name": "Console"}]}"#,
    );
    let failure = folder.load_file("jobs/job.json").unwrap_err();
    assert_eq!(failure.diagnostics.len(), 1, "{:?}", failure.diagnostics);
    assert_eq!(failure.diagnostics[0].option.as_deref(), Some("row.num"));
    let folder = folder.file(
        "jobs/job.json",
        r#"{"source": [{"plugin_name": "FakeSource", "path": "${p:x}\u00e9"}], "sink": [{"plugin_name": "Console"}]}"#,
    );
    let job = folder.load_file("jobs/job.json").unwrap().job;
    assert_eq!(source_options(&job), json!({"path": "xé"}));
}

#[test]
fn base64_secrets_are_decoded_if_env_says_so() {
    let text = |env: &str| {
        format!("env {{ {env} }}\n{}", job_with_source("password = \"c2VhdHVu\", path = \"YQ==\""))
    };
    let job = Folder::with(&text("shade.identifier = base64")).job();
    assert_eq!(source_options(&job), json!({"password": "seatun", "path": "YQ=="}));
    let job = Folder::with(&text("shade { identifier = Base64, options = [path] }")).job();
    assert_eq!(source_options(&job), json!({"password": "seatun", "path": "a"}));
    let job = Folder::with(&text("")).job();
    assert_eq!(source_options(&job)["password"], "c2VhdHVu");
}

#[test]
fn a_substitution_takes_a_secret_from_the_environment() {
    let folder = Folder::with(&job_with_source("password = ${?DB_PASSWORD}, path = ${?NOTHING}"));
    assert_eq!(source_options(&folder.job()), json!({}));
    let folder = folder.env("DB_PASSWORD", "canary");
    assert_eq!(source_options(&folder.job()), json!({"password": "canary"}));
}
