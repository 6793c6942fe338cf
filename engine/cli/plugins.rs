//! The plugins of this build, and `seatun connectors` and `seatun schema`, which show them.

use std::sync::LazyLock;

use seatun_api::error::nearest_hint;
use seatun_api::registry::Entry;
use seatun_api::{Error, Registry, Result, TransformEntry};

use crate::args::{PluginKind, SchemaArgs};
use crate::codes;
use crate::output::{self, Align};

static TRANSFORMS: LazyLock<Vec<TransformEntry>> = LazyLock::new(|| {
    let of_all_crates = seatun_transforms::TRANSFORMS.iter().chain([&seatun_transform_sql::SQL]);
    of_all_crates.map(copy).collect()
});

/// All plugins of this build.
#[must_use]
pub fn registry() -> Registry {
    Registry { sources: seatun_connectors::SOURCES, transforms: &TRANSFORMS, sinks: seatun_connectors::SINKS }
}

fn copy<B: ?Sized>(entry: &Entry<B>) -> Entry<B> {
    Entry { ..*entry }
}

struct Plugin {
    kind: PluginKind,
    name: &'static str,
    aliases: &'static [&'static str],
    summary: &'static str,
    schema: Box<dyn Fn() -> serde_json::Result<serde_json::Value>>,
}

fn plugins() -> Vec<Plugin> {
    let registry = registry();
    let mut plugins: Vec<Plugin> = Vec::new();
    plugins.extend(registry.sources.iter().map(|entry| Plugin::of(PluginKind::Source, entry)));
    plugins.extend(registry.transforms.iter().map(|entry| Plugin::of(PluginKind::Transform, entry)));
    plugins.extend(registry.sinks.iter().map(|entry| Plugin::of(PluginKind::Sink, entry)));
    plugins
}

impl Plugin {
    fn of<B: ?Sized>(kind: PluginKind, entry: &Entry<B>) -> Self {
        let schema = entry.schema;
        Self {
            kind,
            name: entry.name,
            aliases: entry.aliases,
            summary: entry.summary,
            schema: Box::new(move || serde_json::to_value(schema())),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
            || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }

    fn word(&self) -> &'static str {
        match self.kind {
            PluginKind::Source => "source",
            PluginKind::Transform => "transform",
            PluginKind::Sink => "sink",
        }
    }
}

/// Prints the table of plugins.
pub fn list() {
    let mut rows: Vec<Vec<String>> = vec![["kind", "name", "what it does"].map(str::to_owned).to_vec()];
    for plugin in plugins() {
        let also = match plugin.aliases {
            [] => String::new(),
            aliases => format!(" (also {})", aliases.join(", ")),
        };
        rows.push(vec![
            plugin.word().to_owned(),
            plugin.name.to_owned(),
            format!("{}{also}", plugin.summary),
        ]);
    }
    output::print(&output::columns(&rows, &[Align::Left; 3]));
}

/// Prints the JSON schema of a plugin's options; of several plugins of one name, an object by kind.
///
/// # Errors
/// If there is no such plugin.
pub fn schema(arguments: &SchemaArgs) -> Result<()> {
    let all = plugins();
    let of_kind = |plugin: &&Plugin| arguments.kind.is_none_or(|kind| plugin.kind == kind);
    let found: Vec<&Plugin> =
        all.iter().filter(of_kind).filter(|plugin| plugin.is_named(&arguments.plugin)).collect();
    let value = match found.as_slice() {
        [] => return Err(unknown(&arguments.plugin, &all)),
        [plugin] => plugin.json_schema()?,
        several => {
            let by_kind = several.iter().map(|plugin| Ok((plugin.word().to_owned(), plugin.json_schema()?)));
            serde_json::Value::Object(by_kind.collect::<Result<_>>()?)
        }
    };
    output::print(&format!("{value:#}\n"));
    Ok(())
}

impl Plugin {
    fn json_schema(&self) -> Result<serde_json::Value> {
        (self.schema)().map_err(|error| {
            Error::internal(seatun_api::error::codes::INTERNAL, "an option schema has no JSON form")
                .with_source(error)
        })
    }
}

fn unknown(name: &str, all: &[Plugin]) -> Error {
    let mut names: Vec<&str> = all.iter().map(|plugin| plugin.name).collect();
    names.dedup();
    Error::user(codes::UNKNOWN_PLUGIN, format!("there is no plugin `{name}`"))
        .with_hint(nearest_hint(name, &names))
}
