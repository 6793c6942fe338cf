//! `env { dead_letter { .. } }`, and SeaTunnel's `error_handler` where it means the same.

use seatun_api::Registry;
use seatun_api::config::{Origin, Value, ValueKind, options};
use seatun_api::error::codes as api;
use serde::Deserialize;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::draft::{find_plugin, unknown_plugin};
use crate::job::{DeadLetterSpec, NodeKind};

/// The dead-letter sink's node id; no output may have it.
pub(crate) const ID: &str = "dead_letter";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    plugin_name: String,
    #[serde(default)]
    max_records: Option<u64>,
    #[serde(default)]
    max_ratio: Option<f64>,
}

/// SeaTunnel's block. What it says of queues and texts means nothing here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorHandler {
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    max_error_records: u64,
    #[serde(default)]
    max_error_ratio: f64,
    #[serde(default)]
    sink: Option<Value>,
    #[serde(default, rename = "max_error_ratio_min_records")]
    _min_records: Option<Value>,
    #[serde(default, rename = "queue_capacity")]
    _queue_capacity: Option<Value>,
    #[serde(default, rename = "queue_overflow_policy")]
    _queue_overflow_policy: Option<Value>,
    #[serde(default, rename = "include_original_data")]
    _include_original_data: Option<Value>,
    #[serde(default, rename = "include_stacktrace")]
    _include_stacktrace: Option<Value>,
    #[serde(default, rename = "original_data_max_length")]
    _original_data_max_length: Option<Value>,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    #[default]
    Disable,
    Log,
    Route,
}

/// The dead-letter sink of a job, if it has one. Errors go to `diagnostics`.
pub(crate) fn read(
    root: &Value,
    registry: &Registry,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<DeadLetterSpec> {
    let block = root.get("env").and_then(|env| env.get("dead_letter"));
    let handler = root.get("env").and_then(|env| env.get("error_handler"));
    match (block, handler) {
        (Some(_), Some(handler)) => {
            let origin = handler.key_origin.as_ref().unwrap_or(&handler.origin);
            let message =
                "`error_handler` is another name of `dead_letter`: only one can be given".to_owned();
            diagnostics.push(Diagnostic::error(codes::CONTRADICTION, message, origin));
            None
        }
        (Some(block), None) => spec(block.clone(), registry, diagnostics),
        (None, Some(handler)) => spec(of_handler(handler, diagnostics)?, registry, diagnostics),
        (None, None) => None,
    }
}

fn of_handler(handler: &Value, diagnostics: &mut Vec<Diagnostic>) -> Option<Value> {
    let read = match options::<ErrorHandler>(handler) {
        Ok(read) => read,
        Err(problems) => {
            diagnostics.extend(problems.into_iter().map(Diagnostic::of_problem));
            return None;
        }
    };
    let place =
        |option: &str| handler.get(option).map_or_else(|| handler.origin.clone(), |v| v.origin.clone());
    match (&read.mode, handler.get("sink")) {
        (Mode::Disable, _) => return None,
        (Mode::Log, _) => {
            let message = "`mode = LOG` would lose rows: a row is kept or the job stops".to_owned();
            diagnostics.push(
                Diagnostic::error(api::INVALID_OPTION, message, &place("mode"))
                    .with_hint("use `mode = ROUTE` with a `sink`"),
            );
            return None;
        }
        (Mode::Route, Some(_)) => {}
        (Mode::Route, None) => {
            let message = "option `sink` is required with `mode = ROUTE`".to_owned();
            diagnostics.push(Diagnostic::error(api::MISSING_OPTION, message, &place("mode")));
            return None;
        }
    }
    let mut block = handler.get("sink").filter(|_| read.sink.is_some())?.clone();
    let number =
        |text: String, origin: Origin| Value { kind: ValueKind::Number(text), origin, key_origin: None };
    let map = block.as_map_mut()?;
    if read.max_error_records > 0 {
        let value = number(read.max_error_records.to_string(), place("max_error_records"));
        map.insert("max_records".to_owned(), value);
    }
    if read.max_error_ratio > 0.0 {
        let value = number(read.max_error_ratio.to_string(), place("max_error_ratio"));
        map.insert("max_ratio".to_owned(), value);
    }
    Some(block)
}

fn spec(mut block: Value, registry: &Registry, diagnostics: &mut Vec<Diagnostic>) -> Option<DeadLetterSpec> {
    let origin = block.key_origin.clone().unwrap_or_else(|| block.origin.clone());
    let Some(map) = block.as_map_mut() else {
        let message = format!("`dead_letter` is a block of options, not {}", block.kind_name());
        diagnostics.push(Diagnostic::error(codes::SHAPE, message, &block.origin));
        return None;
    };
    let own = ["plugin_name", "max_records", "max_ratio"];
    let taken = own.iter().filter_map(|key| Some(((*key).to_owned(), map.shift_remove(*key)?))).collect();
    let limits =
        Value { kind: ValueKind::Map(taken), origin: origin.clone(), key_origin: Some(origin.clone()) };
    let read = match options::<Limits>(&limits) {
        Ok(read) => read,
        Err(problems) => {
            diagnostics.extend(problems.into_iter().map(Diagnostic::of_problem));
            return None;
        }
    };
    let place =
        |option: &str| limits.get(option).map_or_else(|| origin.clone(), |value| value.origin.clone());
    if read.max_ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
        let message = "option `max_ratio` must be from 0 to 1".to_owned();
        diagnostics.push(Diagnostic::error(api::INVALID_OPTION, message, &place("max_ratio")));
        return None;
    }
    let Some(plugin) = find_plugin(registry, NodeKind::Sink, &read.plugin_name) else {
        diagnostics.push(unknown_plugin(registry, NodeKind::Sink, &read.plugin_name, &place("plugin_name")));
        return None;
    };
    Some(DeadLetterSpec {
        id: ID.to_owned(),
        plugin,
        options: block,
        max_records: read.max_records,
        max_ratio: read.max_ratio,
        origin,
    })
}
