//! The plugin blocks of a job file, each by itself: its wiring options are read and taken out, what is left
//! are the plugin's own.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use seatun_api::Registry;
use seatun_api::config::{Origin, Value, ValueKind, options};
use seatun_api::error::{codes as api, nearest_hint};
use serde::Deserialize;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::env::EnvOptions;
use crate::job::{NodeKind, RateSpec};

/// A node before it is known what it is connected to.
#[derive(Debug)]
pub(crate) struct Draft {
    pub kind: NodeKind,
    pub id: String,
    /// The registry's name of the plugin; `None` if there is no such plugin.
    pub plugin: Option<&'static str>,
    pub parallelism: Option<u32>,
    /// The named inputs; `None` if the block does not say.
    pub inputs: Option<Vec<(String, Origin)>>,
    pub output: Option<(String, Origin)>,
    pub rate: RateSpec,
    pub options: Value,
    pub origin: Origin,
}

const KINDS: [NodeKind; 3] = [NodeKind::Source, NodeKind::Transform, NodeKind::Sink];

/// The options that are the job's business and not the plugin's.
const WIRING: [&str; 6] =
    ["plugin_name", "plugin_input", "source_table_name", "plugin_output", "result_table_name", "parallelism"];
/// Of sources only.
const READ_LIMIT: &str = "read_limit";
/// SeaTunnel's number of writers for each table of a sink.
const REPLICA: &str = "multi_table_sink_replica";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wiring {
    #[serde(default)]
    plugin_name: Option<String>,
    #[serde(default)]
    plugin_input: Option<Vec<String>>,
    #[serde(default)]
    source_table_name: Option<Vec<String>>,
    #[serde(default)]
    plugin_output: Option<String>,
    #[serde(default)]
    result_table_name: Option<String>,
    #[serde(default)]
    parallelism: Option<u32>,
    #[serde(rename = "read_limit.rows_per_second", default)]
    rows_per_second: Option<u64>,
    #[serde(rename = "read_limit.bytes_per_second", default)]
    bytes_per_second: Option<u64>,
}

/// The registry's name of a plugin and all names of its kind.
pub(crate) fn find_plugin(registry: &Registry, kind: NodeKind, name: &str) -> Option<&'static str> {
    match kind {
        NodeKind::Source => registry.source(name).map(|entry| entry.name),
        NodeKind::Transform => registry.transform(name).map(|entry| entry.name),
        NodeKind::Sink => registry.sink(name).map(|entry| entry.name),
    }
}

pub(crate) fn unknown_plugin(registry: &Registry, kind: NodeKind, name: &str, origin: &Origin) -> Diagnostic {
    let known: Vec<&str> = match kind {
        NodeKind::Source => registry.sources.iter().map(|entry| entry.name).collect(),
        NodeKind::Transform => registry.transforms.iter().map(|entry| entry.name).collect(),
        NodeKind::Sink => registry.sinks.iter().map(|entry| entry.name).collect(),
    };
    let elsewhere = KINDS.into_iter().find(|other| find_plugin(registry, *other, name).is_some());
    let hint = match elsewhere {
        Some(other) => format!("there is a {} of that name", other.section()),
        None => nearest_hint(name, &known),
    };
    let message = format!("there is no {} plugin `{name}`", kind.section());
    Diagnostic::error(codes::UNKNOWN_PLUGIN, message, origin).with_hint(hint)
}

/// The id of every block, in the order of the sections: the name of its output, else the plugin's name and
/// the number of the block among those of the plugin, counted through the whole job.
pub(crate) fn ids(root: &Value, registry: &Registry) -> Vec<(NodeKind, Vec<String>)> {
    let blocks = |kind: NodeKind| root.get(kind.section()).and_then(Value::as_list).unwrap_or_default();
    let mut taken: BTreeSet<String> =
        KINDS.into_iter().flat_map(blocks).filter_map(output_of).map(str::to_owned).collect();
    let mut counts: IndexMap<String, usize> = IndexMap::new();
    let mut all = Vec::new();
    for kind in KINDS {
        let mut ids = Vec::new();
        for block in blocks(kind) {
            let spelled = block.get("plugin_name").and_then(Value::as_text).unwrap_or("node");
            let name = find_plugin(registry, kind, spelled).unwrap_or(spelled);
            let count = counts.entry(name.to_owned()).or_default();
            *count += 1;
            let id = match output_of(block) {
                Some(output) => output.to_owned(),
                None => loop {
                    let id = format!("{name}-{count}");
                    if taken.insert(id.clone()) {
                        break id;
                    }
                    *count += 1;
                },
            };
            ids.push(id);
        }
        all.push((kind, ids));
    }
    all
}

fn output_of(block: &Value) -> Option<&str> {
    let output = block.get("plugin_output").or_else(|| block.get("result_table_name"));
    output.and_then(Value::as_text).filter(|name| !name.is_empty())
}

/// Brings every form of a section to the list of its blocks.
pub(crate) fn normalise(root: &mut Value, diagnostics: &mut Vec<Diagnostic>) {
    let Some(map) = root.as_map_mut() else { return };
    for kind in KINDS {
        let name = kind.section();
        let Some(section) = map.get_mut(name) else { continue };
        let list = match std::mem::take(&mut section.kind) {
            ValueKind::List(list) => list,
            ValueKind::Map(blocks) => blocks.into_iter().map(|(name, block)| named(name, block)).collect(),
            ValueKind::Null => Vec::new(),
            other => {
                let found = Value::of(other);
                let message = format!("`{name}` is a block of plugins, not {}", found.kind_name());
                diagnostics.push(Diagnostic::error(codes::SHAPE, message, &section.origin));
                Vec::new()
            }
        };
        let mut blocks = Vec::with_capacity(list.len());
        for block in list {
            if block.as_map().is_some() {
                blocks.push(block);
                continue;
            }
            let message = format!("a plugin of `{name}` is a block of options, not {}", block.kind_name());
            diagnostics.push(Diagnostic::error(codes::SHAPE, message, &block.origin));
        }
        section.kind = ValueKind::List(blocks);
    }
}

fn named(name: String, mut block: Value) -> Value {
    let origin = block.key_origin.clone().unwrap_or_else(|| block.origin.clone());
    if let Some(map) = block.as_map_mut() {
        let name = Value { kind: ValueKind::String(name), origin, key_origin: None };
        map.shift_insert(0, "plugin_name".to_owned(), name);
    }
    block
}

/// Reads all blocks. What is wrong with one does not hide the others.
pub(crate) fn read(
    root: &Value,
    registry: &Registry,
    env: Option<&EnvOptions>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Draft> {
    let shade = crate::shade::Shade::read(root, diagnostics);
    let mut drafts = Vec::new();
    for (kind, ids) in ids(root, registry) {
        let blocks = root.get(kind.section()).and_then(Value::as_list).unwrap_or_default();
        for (block, id) in blocks.iter().zip(ids) {
            let mut block = block.clone();
            shade.decode(&mut block, diagnostics);
            drafts.push(read_block(kind, id, block, registry, env, diagnostics));
        }
    }
    drafts
}

fn read_block(
    kind: NodeKind,
    id: String,
    mut block: Value,
    registry: &Registry,
    env: Option<&EnvOptions>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Draft {
    let origin = block.key_origin.clone().unwrap_or_else(|| block.origin.clone());
    let wires = take_out_wiring(kind, &mut block, diagnostics);
    let wiring = options::<Wiring>(&wires).unwrap_or_else(|problems| {
        diagnostics.extend(problems.into_iter().map(Diagnostic::of_problem));
        Wiring::default()
    });
    let plugin = match &wiring.plugin_name {
        Some(name) => {
            let place = wires.get("plugin_name").map_or(&origin, |value| &value.origin);
            let found = find_plugin(registry, kind, name);
            if found.is_none() {
                diagnostics.push(unknown_plugin(registry, kind, name, place));
            }
            found
        }
        None => {
            let message = format!("a block of `{}` without `plugin_name`", kind.section());
            diagnostics.push(Diagnostic::error(codes::NO_PLUGIN_NAME, message, &origin));
            None
        }
    };
    for (name, value) in [
        ("parallelism", wiring.parallelism.map(u64::from)),
        ("read_limit.rows_per_second", wiring.rows_per_second),
        ("read_limit.bytes_per_second", wiring.bytes_per_second),
    ] {
        if value == Some(0) {
            let place = wires.get(name).map_or(&origin, |value| &value.origin);
            let message = format!("option `{name}` must be 1 or more");
            diagnostics.push(Diagnostic::error(api::INVALID_OPTION, message, place));
        }
    }
    let inputs = either(
        (wiring.plugin_input, "plugin_input"),
        (wiring.source_table_name, "source_table_name"),
        &wires,
        diagnostics,
    );
    let output = either(
        (wiring.plugin_output, "plugin_output"),
        (wiring.result_table_name, "result_table_name"),
        &wires,
        diagnostics,
    );
    let inputs = inputs.map(|(names, value)| {
        let place = |at: usize| value.as_list().and_then(|list| list.get(at)).unwrap_or(value).origin.clone();
        names.into_iter().enumerate().map(|(at, name)| (name, place(at))).collect::<Vec<_>>()
    });
    let inputs = match inputs {
        Some(inputs) if kind == NodeKind::Source => {
            if let Some((_, place)) = inputs.first() {
                let message = "a source has no input: `plugin_input` is ignored".to_owned();
                diagnostics.push(Diagnostic::warning(codes::USELESS_WIRING, message, place));
            }
            None
        }
        inputs => inputs.filter(|inputs| !inputs.is_empty()),
    };
    let output =
        output.map(|(name, value)| (name, value.origin.clone())).filter(|(name, _)| !name.is_empty());
    let rate = RateSpec {
        rows_per_second: wiring.rows_per_second.or_else(|| env.and_then(|env| env.rows_per_second)),
        bytes_per_second: wiring.bytes_per_second.or_else(|| env.and_then(|env| env.bytes_per_second)),
    };
    let rate = if kind == NodeKind::Source { rate } else { RateSpec::default() };
    Draft { kind, id, plugin, parallelism: wiring.parallelism, inputs, output, rate, options: block, origin }
}

/// One option with an older spelling. Both at once are fine if they say the same.
fn either<'v, T: PartialEq>(
    (value, name): (Option<T>, &str),
    (older, older_name): (Option<T>, &str),
    wires: &'v Value,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(T, &'v Value)> {
    if let (Some(value), Some(older)) = (&value, &older)
        && value != older
    {
        let place = wires.get(older_name).map(|value| value.origin.clone()).unwrap_or_default();
        let message = format!("`{older_name}` is an older name of `{name}`, and they differ");
        diagnostics.push(Diagnostic::error(codes::CONTRADICTION, message, &place));
    }
    match (value, older) {
        (Some(value), _) => Some((value, wires.get(name)?)),
        (None, Some(older)) => Some((older, wires.get(older_name)?)),
        (None, None) => None,
    }
}

fn take_out_wiring(kind: NodeKind, block: &mut Value, diagnostics: &mut Vec<Diagnostic>) -> Value {
    let mut wires = IndexMap::new();
    let Some(map) = block.as_map_mut() else { return Value::empty_map() };
    let of_wiring = |key: &str| {
        let limit = kind == NodeKind::Source
            && key.strip_prefix(READ_LIMIT).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        limit || WIRING.contains(&key)
    };
    let keys: Vec<String> = map.keys().filter(|key| of_wiring(key)).cloned().collect();
    for key in keys {
        if let Some(value) = map.shift_remove(&key) {
            wires.insert(key, value);
        }
    }
    if kind == NodeKind::Sink
        && let Some(value) = map.shift_remove(REPLICA)
    {
        let origin = value.key_origin.unwrap_or(value.origin);
        let message = format!("`{REPLICA}` is ignored: `parallelism` is the number of writers");
        diagnostics.push(Diagnostic::warning(codes::ENV_IGNORED, message, &origin));
    }
    Value { kind: ValueKind::Map(wires), origin: block.origin.clone(), key_origin: block.key_origin.clone() }
}
