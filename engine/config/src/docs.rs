//! The options of a plugin as a table, from the JSON schema of its config type: what the doc comments say is
//! what the documentation says.

use schemars::Schema;
use serde_json::{Map, Value as Json};

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionDoc {
    /// Its name; with dots where it is nested, with `[]` behind the name of a list of blocks.
    pub name: String,
    /// What its value is.
    pub kind: String,
    /// What holds if it is left out; `None` if it cannot be.
    pub default: Option<String>,
    /// What it means.
    pub description: String,
}

/// The options of a config type, nested ones below their block, in the schema's order.
#[must_use]
pub fn option_docs(schema: &Schema) -> Vec<OptionDoc> {
    let root = schema.as_value();
    let mut reader = Reader {
        definitions: root.get("$defs").and_then(Json::as_object),
        open: Vec::new(),
        naming: Vec::new(),
        out: Vec::new(),
    };
    reader.object("", root);
    reader.out
}

/// The options of a config type as a Markdown table: option, type, default, description.
#[must_use]
pub fn option_table(schema: &Schema) -> String {
    let options = option_docs(schema);
    if options.is_empty() {
        return "There are no options.\n".to_owned();
    }
    let mut out = String::from("| option | type | default | description |\n|---|---|---|---|\n");
    for option in options {
        let default = option.default.as_deref().unwrap_or("required");
        let cells = [format!("`{}`", option.name), option.kind, default.to_owned(), option.description];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out
}

struct Reader<'s> {
    definitions: Option<&'s Map<String, Json>>,
    /// Definitions that are being read, so that one that contains itself ends.
    open: Vec<&'s str>,
    /// Definitions whose kind is being spelled, likewise.
    naming: Vec<&'s str>,
    out: Vec<OptionDoc>,
}

impl<'s> Reader<'s> {
    fn object(&mut self, prefix: &str, schema: &'s Json) {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        for (name, property) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let (target, definition) = self.target(property);
            let description = text(property, "description").or_else(|| text(target, "description"));
            let kind = self.kind(property);
            self.out.push(OptionDoc {
                name: path.clone(),
                kind,
                default: (!required.contains(&name.as_str())).then(|| default(property)),
                description: description.unwrap_or_default(),
            });
            if definition.is_some_and(|name| self.open.contains(&name)) {
                continue;
            }
            self.open.extend(definition);
            self.below(&path, target);
            if definition.is_some() {
                self.open.pop();
            }
        }
    }

    /// The options of a nested block, or of the blocks of a list.
    fn below(&mut self, path: &str, schema: &'s Json) {
        if schema.get("properties").is_some() {
            return self.object(path, schema);
        }
        let Some(items) = schema.get("items") else { return };
        let (target, definition) = self.target(items);
        let circular = definition.is_some_and(|name| self.open.contains(&name));
        if target.get("properties").is_some() && !circular {
            self.open.extend(definition);
            self.object(&format!("{path}[]"), target);
            if definition.is_some() {
                self.open.pop();
            }
        }
    }

    /// The schema itself, by way of a reference and of "or null".
    fn target(&self, schema: &'s Json) -> (&'s Json, Option<&'s str>) {
        if let Some(name) = reference(schema) {
            let found = self.definitions.and_then(|definitions| definitions.get(name));
            return (found.unwrap_or(schema), Some(name));
        }
        let choices = schema.get("anyOf").or_else(|| schema.get("allOf")).and_then(Json::as_array);
        let real: Vec<&Json> = choices.into_iter().flatten().filter(|choice| !is_null(choice)).collect();
        match real.as_slice() {
            [only] => self.target(only),
            _ => (schema, None),
        }
    }

    fn kind(&mut self, schema: &'s Json) -> String {
        if let Some(name) = reference(schema) {
            let (target, _) = self.target(schema);
            if target == schema {
                return name.to_owned();
            }
            if self.naming.contains(&name) {
                return "any value".to_owned();
            }
            self.naming.push(name);
            let kind = self.kind(target);
            self.naming.pop();
            return kind;
        }
        if let Some(values) = schema.get("enum").and_then(Json::as_array) {
            return either(values.iter().filter(|value| !value.is_null()).map(code));
        }
        if let Some(value) = schema.get("const") {
            return code(value);
        }
        let choices = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        if let Some(choices) = choices {
            return either(choices.iter().filter(|choice| !is_null(choice)).map(|choice| self.kind(choice)));
        }
        match schema.get("format").and_then(Json::as_str) {
            Some("password") => return "secret".to_owned(),
            Some("duration") => return "duration".to_owned(),
            Some("bytes") => return "size".to_owned(),
            _ => {}
        }
        let types: Vec<&str> = match schema.get("type") {
            Some(Json::String(name)) => vec![name.as_str()],
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
            _ => Vec::new(),
        };
        if types.is_empty() {
            return "any value".to_owned();
        }
        either(types.into_iter().filter(|name| *name != "null").map(|name| self.named_kind(name, schema)))
    }

    fn named_kind(&mut self, name: &str, schema: &'s Json) -> String {
        match name {
            "integer" => "whole number".to_owned(),
            "string" => "text".to_owned(),
            "array" => match schema.get("items") {
                Some(items) => format!("list of {}", plural(&self.kind(items))),
                None => "list".to_owned(),
            },
            "object" => match schema.get("additionalProperties") {
                Some(values) if values.is_object() => format!("map of {}", plural(&self.kind(values))),
                _ if schema.get("properties").is_some() => "block".to_owned(),
                _ => "map".to_owned(),
            },
            other => other.to_owned(),
        }
    }
}

fn reference(schema: &Json) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

fn is_null(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("null")
}

fn either(kinds: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for kind in kinds {
        if !all.contains(&kind) {
            all.push(kind);
        }
    }
    match all.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => "null".to_owned(),
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "text" | "whole number" | "number" | "boolean" | "block" | "map" | "duration" | "size" | "secret" => {
            format!("{kind}s")
        }
        "any value" => "any values".to_owned(),
        other => other.to_owned(),
    }
}

fn default(schema: &Json) -> String {
    match schema.get("default") {
        None | Some(Json::Null) => "none".to_owned(),
        Some(Json::Array(list)) if list.is_empty() => "none".to_owned(),
        Some(Json::Object(map)) if map.is_empty() => "none".to_owned(),
        Some(value) => code(value),
    }
}

/// A value as code. A text keeps its quotes only where they are needed to see it.
fn code(value: &Json) -> String {
    match value {
        Json::String(text) if !text.trim().is_empty() && !text.chars().any(char::is_control) => {
            format!("`{text}`")
        }
        value => format!("`{value}`"),
    }
}

/// A text of the schema on one line.
fn text(schema: &Json, key: &str) -> Option<String> {
    let text = schema.get(key)?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
