//! The block `env`: what holds for the whole job.

use std::time::Duration;

use schemars::JsonSchema;
use seatun_api::JobMode;
use seatun_api::config::{Origin, Value, ValueKind, options};
use seatun_api::error::codes as api;
use serde::Deserialize;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::units::{ByteSize, TimeSpan};

/// The options of `env`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvOptions {
    /// The job's name, which is also the name of its state. Default: `--name`, else the file's name without
    /// its extension.
    #[serde(rename = "job.name", default)]
    pub job_name: Option<String>,
    /// `BATCH` ends when the sources are read to their end; `STREAMING` runs until it is stopped.
    #[serde(rename = "job.mode", default = "batch")]
    #[schemars(with = "String", extend("enum" = ["BATCH", "STREAMING"]))]
    pub job_mode: JobMode,
    /// How many subtasks each node has unless it says otherwise. A transform or sink takes over that of
    /// its input.
    #[serde(alias = "execution.parallelism", default = "one")]
    pub parallelism: u32,
    /// How often a job that failed is started again from its last checkpoint. A checkpoint resets the count.
    #[serde(rename = "job.retry.times", default = "three")]
    pub retry_times: u32,
    /// Seconds before the first of these starts; doubled each time.
    #[serde(rename = "job.retry.interval.seconds", default = "three_seconds")]
    pub retry_interval_seconds: u64,
    /// Time between two checkpoints, in milliseconds or as a text such as `10s`; 0 takes the final one only.
    /// Default: 10s in a streaming job, 30s in a batch job.
    #[serde(rename = "checkpoint.interval", alias = "execution.checkpoint.interval", default)]
    pub checkpoint_interval: Option<TimeSpan>,
    /// After how long a checkpoint that is under way is reported as slow, in milliseconds or as a text. It
    /// never fails the job.
    #[serde(rename = "checkpoint.timeout", default = "minute")]
    pub checkpoint_timeout: TimeSpan,
    /// Where the state is kept: a folder, `file:///folder` or `s3://bucket/prefix`. Default: `.seatun/state`
    /// in the working directory.
    #[serde(rename = "checkpoint.uri", default)]
    pub checkpoint_uri: Option<String>,
    /// How many checkpoints are kept.
    #[serde(rename = "checkpoint.retain", default = "three_kept")]
    pub checkpoint_retain: usize,
    /// Rows that each subtask of a source reads in a second, at most. Default: no limit.
    #[serde(rename = "read_limit.rows_per_second", default)]
    pub rows_per_second: Option<u64>,
    /// Bytes of memory that each subtask of a source reads in a second, at most. Default: no limit.
    #[serde(rename = "read_limit.bytes_per_second", default)]
    pub bytes_per_second: Option<u64>,
    /// Whether an unknown option of `env` is an error; with `false` it is a warning.
    #[serde(default = "yes")]
    pub strict: bool,
    /// Rows of a batch, at most.
    #[serde(rename = "batch.rows", default = "batch_rows")]
    pub batch_rows: usize,
    /// How long a source waits for rows to fill a batch, in milliseconds or as a text.
    #[serde(rename = "batch.linger", default = "linger")]
    pub batch_linger: TimeSpan,
    /// Bytes that may wait between two subtasks, as a number or a text such as `8MiB`.
    #[serde(rename = "channel.bytes", default = "channel_bytes")]
    pub channel_bytes: ByteSize,
    /// Bytes of memory that one blocking operator uses before it spills to disk.
    #[serde(rename = "memory.operator", default = "operator_memory")]
    pub operator_memory: ByteSize,
    /// Where rows go that cannot be decoded, transformed or written: `{ plugin_name = .., options of that
    /// sink.., max_records, max_ratio }`. Without it the first such row stops the job.
    #[serde(default)]
    pub dead_letter: Option<Value>,
    /// SeaTunnel's newer spelling of `dead_letter`; `mode` may be `ROUTE` or `DISABLE`.
    #[serde(default)]
    pub error_handler: Option<Value>,
}

fn batch() -> JobMode {
    JobMode::Batch
}

fn one() -> u32 {
    1
}

fn three() -> u32 {
    3
}

fn three_seconds() -> u64 {
    3
}

fn three_kept() -> usize {
    3
}

fn minute() -> TimeSpan {
    TimeSpan(Duration::from_secs(60))
}

fn yes() -> bool {
    true
}

fn batch_rows() -> usize {
    8192
}

fn linger() -> TimeSpan {
    TimeSpan(Duration::from_millis(50))
}

fn channel_bytes() -> ByteSize {
    ByteSize(8 << 20)
}

fn operator_memory() -> ByteSize {
    ByteSize(256 << 20)
}

/// Options of `env` that mean nothing here: their first word or whole name, whose they are, and what is done
/// instead.
const IGNORED: &[(&str, &str, &str)] = &[
    ("spark", "Spark", "the job runs in this process"),
    ("flink", "Flink", "the job runs in this process"),
    ("hazelcast", "Hazelcast", "there is no cluster to configure"),
    ("jars", "SeaTunnel", "all plugins are built in"),
    ("custom_parameters", "SeaTunnel", "it is not needed"),
    ("tag_filter", "SeaTunnel", "there are no workers to choose from"),
    ("savemode", "SeaTunnel", "save modes are applied when the job starts"),
    ("min-pause", "SeaTunnel", "`checkpoint.interval` counts from the end of the checkpoint before"),
    (
        "checkpoint.min-pause",
        "SeaTunnel",
        "`checkpoint.interval` counts from the end of the checkpoint before",
    ),
    (
        "sink.flush.interval",
        "SeaTunnel",
        "rows become visible with each checkpoint: see `checkpoint.interval`",
    ),
    ("execution.planner", "Flink", "the job runs in this process"),
];

/// Options of `env` that would change the job's meaning if they were ignored.
const REFUSED: &[&str] = &["transform_error_handler", "sink_error_handler"];

/// Reads `env`. `None` if it has errors.
pub(crate) fn read(env: Option<&Value>, diagnostics: &mut Vec<Diagnostic>) -> Option<EnvOptions> {
    let mut env = env.cloned().unwrap_or_else(Value::empty_map);
    if env.as_map().is_none() {
        let message = format!("`env` is a block of options, not {}", env.kind_name());
        diagnostics.push(Diagnostic::error(codes::SHAPE, message, &env.origin));
        return None;
    }
    take_out_ignored(&mut env, diagnostics);
    let refused = refuse(&mut env, diagnostics);
    let strict = env.get("strict").and_then(Value::as_text) != Some("false");
    let mut read: Result<EnvOptions, _> = options(&env);
    if let (Err(problems), false) = (&read, strict) {
        for problem in problems.iter().filter(|problem| problem.code == api::UNKNOWN_OPTION) {
            remove(&mut env, &problem.option);
            let mut warning = Diagnostic::of_problem(problem.clone());
            warning.severity = crate::Severity::Warning;
            diagnostics.push(warning);
        }
        read = options(&env);
    }
    match read {
        Ok(options) => {
            let sound = check_ranges(&options, &env, diagnostics);
            (sound && !refused).then_some(options)
        }
        Err(problems) => {
            diagnostics.extend(problems.into_iter().map(Diagnostic::of_problem));
            None
        }
    }
}

fn take_out_ignored(env: &mut Value, diagnostics: &mut Vec<Diagnostic>) {
    let Some(map) = env.as_map_mut() else { return };
    map.retain(|key, _| key != "shade" && !key.starts_with("shade."));
    for (name, owner, instead) in IGNORED {
        let mut found: Vec<(String, Origin)> = Vec::new();
        map.retain(|key, value| {
            let meant = key == name || key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
            if meant {
                let origin = value.key_origin.clone().unwrap_or_else(|| value.origin.clone());
                found.push((key.clone(), origin));
            }
            !meant
        });
        let Some((key, origin)) = found.first() else { continue };
        let message = match found.len() {
            1 => format!("`{key}` is an option of {owner} and is ignored: {instead}"),
            2 => format!("`{key}` and one more option of {owner} are ignored: {instead}"),
            count => format!("`{key}` and {} more options of {owner} are ignored: {instead}", count - 1),
        };
        diagnostics.push(Diagnostic::warning(codes::ENV_IGNORED, message, origin));
    }
}

fn refuse(env: &mut Value, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let before = diagnostics.len();
    for name in REFUSED {
        let Some(value) = env.as_map_mut().and_then(|map| map.shift_remove(*name)) else { continue };
        let origin = value.key_origin.unwrap_or(value.origin);
        let message = format!("`{name}` is not supported: dead letters are handled for the whole job");
        diagnostics.push(
            Diagnostic::error(api::INVALID_OPTION, message, &origin)
                .with_hint("write `dead_letter { plugin_name = .., .. }` instead"),
        );
    }
    diagnostics.len() > before
}

fn check_ranges(options: &EnvOptions, env: &Value, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let interval = options.checkpoint_interval.map_or(Duration::MAX, |interval| interval.0);
    let rules = [
        (options.parallelism == 0, "parallelism", "must be 1 or more"),
        (
            !interval.is_zero() && interval < Duration::from_millis(10),
            "checkpoint.interval",
            "must be 10 ms or more, or 0 for the final checkpoint only",
        ),
        (options.checkpoint_retain == 0, "checkpoint.retain", "must be 1 or more"),
        (options.batch_rows == 0, "batch.rows", "must be 1 or more"),
        (options.channel_bytes.0 == 0, "channel.bytes", "must be 1 or more"),
        (options.operator_memory.0 == 0, "memory.operator", "must be 1 or more"),
        (options.rows_per_second == Some(0), "read_limit.rows_per_second", "must be 1 or more"),
        (options.bytes_per_second == Some(0), "read_limit.bytes_per_second", "must be 1 or more"),
        (
            options.job_name.as_ref().is_some_and(|name| name.trim().is_empty()),
            "job.name",
            "must not be empty",
        ),
    ];
    let before = diagnostics.len();
    for (wrong, option, message) in rules {
        if wrong {
            let origin = env.get(option).map(|value| value.origin.clone()).unwrap_or_default();
            let mut diagnostic =
                Diagnostic::error(api::INVALID_OPTION, format!("option `{option}` {message}"), &origin);
            diagnostic.option = Some(option.to_owned());
            diagnostics.push(diagnostic);
        }
    }
    diagnostics.len() == before
}

/// Takes an option out, flat or nested.
fn remove(value: &mut Value, path: &str) {
    let ValueKind::Map(map) = &mut value.kind else { return };
    if map.shift_remove(path).is_some() {
        return;
    }
    for (dot, _) in path.match_indices('.') {
        if let Some(inner) = map.get_mut(&path[..dot]) {
            remove(inner, &path[dot + 1..]);
        }
    }
}
