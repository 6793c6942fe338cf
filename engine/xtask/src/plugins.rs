//! Pages of connectors and transforms: an introduction written by hand, then tables of options from the
//! types.

use std::collections::BTreeMap;
use std::path::Path;

use seatun_api::registry::Entry;

use crate::{Generated, options};

/// A plugin as its page shows it.
struct Plugin {
    kind: &'static str,
    name: &'static str,
    aliases: &'static [&'static str],
    summary: &'static str,
    schema: schemars::Schema,
}

impl Plugin {
    fn of<B: ?Sized>(kind: &'static str, entry: &Entry<B>) -> Self {
        Self {
            kind,
            name: entry.name,
            aliases: entry.aliases,
            summary: entry.summary,
            schema: (entry.schema)(),
        }
    }
}

fn connectors() -> Vec<Plugin> {
    let sources = seatun_connectors::SOURCES.iter().map(|entry| Plugin::of("source", entry));
    let sinks = seatun_connectors::SINKS.iter().map(|entry| Plugin::of("sink", entry));
    sources.chain(sinks).collect()
}

fn transforms() -> Vec<Plugin> {
    let entries = seatun_transforms::TRANSFORMS.iter().chain([&seatun_transform_sql::SQL]);
    entries.map(|entry| Plugin::of("transform", entry)).collect()
}

/// A page for each plugin name: a source and a sink of one name share it.
pub fn generate(root: &Path) -> Result<Vec<Generated>, String> {
    let mut pages = Vec::new();
    for (folder, plugins) in [("docs/connectors", connectors()), ("docs/transforms", transforms())] {
        for (name, plugins) in by_name(&plugins) {
            let intro = crate::read(root, &format!("{folder}/_intro/{name}.md"))?;
            pages
                .push(Generated { path: format!("{folder}/{name}.md").into(), text: page(&intro, &plugins) });
        }
    }
    Ok(pages)
}

fn by_name(plugins: &[Plugin]) -> BTreeMap<String, Vec<&Plugin>> {
    let mut names: BTreeMap<String, Vec<&Plugin>> = BTreeMap::new();
    for plugin in plugins {
        names.entry(plugin.name.to_lowercase()).or_default().push(plugin);
    }
    names
}

fn page(intro: &str, plugins: &[&Plugin]) -> String {
    let mut text = format!("{}\n", intro.trim_end());
    for plugin in plugins {
        text.push_str(&format!("\n## Options of the {}\n\n", plugin.kind));
        if !plugin.aliases.is_empty() {
            text.push_str(&format!("Also called `{}`.\n\n", plugin.aliases.join("`, `")));
        }
        text.push_str(&options::table(&plugin.schema));
    }
    text.push_str(
        "\nThe tables are generated from the code by `cargo xtask gen`; the text above them stands in `_intro/`. \
         Options of every plugin (`plugin_input`, `plugin_output`, `parallelism`) are in \
         [configuration.md](../configuration.md).\n",
    );
    text
}

/// The tables of the README.
pub fn table() -> String {
    let mut text = String::from("| connector | source | sink |\n|---|---|---|\n");
    let connectors = connectors();
    for (name, plugins) in by_name(&connectors) {
        let summary = |kind: &str| {
            plugins.iter().find(|plugin| plugin.kind == kind).map_or("", |plugin| plugin.summary)
        };
        text.push_str(&format!(
            "| [{}](docs/connectors/{name}.md) | {} | {} |\n",
            plugins[0].name,
            summary("source"),
            summary("sink")
        ));
    }
    text.push_str("\n| transform | |\n|---|---|\n");
    for plugin in transforms() {
        let page = plugin.name.to_lowercase();
        text.push_str(&format!("| [{}](docs/transforms/{page}.md) | {} |\n", plugin.name, plugin.summary));
    }
    text
}
