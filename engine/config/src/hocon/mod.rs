//! HOCON, as SeaTunnel job files have it and as Lightbend specifies it, to values that know their places.
//!
//! Why there is a parser here: `docs/adr/0002-hocon.md`. It never panics, whatever the text; nesting and
//! expansion are bounded.

mod blocks;
mod cursor;
mod include;
mod lexer;
mod lookup;
mod parser;
mod path;
mod resolve;
mod tree;

use std::path::Path;
use std::sync::Arc;

use seatun_api::config::{Origin, Value};

use crate::diagnostic::{Diagnostic, Sources};
pub(crate) use blocks::SECTIONS;
pub(crate) use parser::scalar;
use tree::{Node, Object};

/// How deeply objects, lists and paths may nest, and substitutions may lead to each other.
const MAX_DEPTH: usize = 96;

/// Which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SeaTunnel's: paths are separated by `->`, a dotted key is one key; the top-level blocks `source`,
    /// `transform` and `sink` are ordered lists; what cannot be resolved stays as it is written.
    SeaTunnel,
    /// Lightbend's HOCON.
    Standard,
}

/// Looks a variable up: first those of the command line, then the environment.
pub(crate) type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// What is to be parsed.
pub(crate) struct Request<'a> {
    /// The name by which places call the text.
    pub file: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// The rules.
    pub dialect: Dialect,
    /// The folder that includes must stay below and that the file is in; without it, nothing is included.
    pub folder: Option<&'a Path>,
    /// Where names are looked up that the text does not define.
    pub lookup: &'a Lookup<'a>,
    /// Root keys that are assigned last, over what the text says; they must be there.
    pub overrides: Vec<(String, Value)>,
}

/// Parses a text and resolves its substitutions. `None` if there are errors among the diagnostics.
pub(crate) fn parse(
    request: Request<'_>,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Value> {
    let mut found = Vec::new();
    let value = parse_and_resolve(request, sources, &mut found);
    diagnostics.append(&mut found);
    value
}

fn parse_and_resolve(
    request: Request<'_>,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Value> {
    let mut loader = include::Loader::new(request.folder, request.dialect, sources);
    let root = loader.root(&request.file, &request.text);
    diagnostics.append(&mut loader.diagnostics);
    let bytes = loader.bytes;
    let mut root = root?;
    if let tree::NodeKind::Object(object) = &mut root.kind {
        for (key, value) in request.overrides {
            diagnostics.extend(override_key(object, &key, value));
        }
    }
    resolve::resolve(&root, bytes, request.dialect, request.lookup, diagnostics)
}

/// Assigns to a key that the root has, flat or with a part of the name below it.
fn override_key(root: &mut Object, key: &str, value: Value) -> Option<Diagnostic> {
    let origin = value.key_origin.clone().unwrap_or_else(|| value.origin.clone());
    let dots = key.match_indices('.').map(|(dot, _)| dot);
    let path = match root.slots.contains_key(key) {
        true => Some(vec![key.to_owned()]),
        false => dots
            .filter(|dot| root.slots.contains_key(&key[..*dot]))
            .map(|dot| vec![key[..dot].to_owned(), key[dot + 1..].to_owned()])
            .next(),
    };
    let Some(path) = path else {
        let known: Vec<&str> = root.slots.keys().map(String::as_str).collect();
        let message = format!("there is no `{key}` at the top level of the file");
        let hint = seatun_api::error::nearest_hint(key, &known);
        return Some(Diagnostic::error(crate::codes::SET, message, &origin).with_hint(hint));
    };
    root.assign_path(&path, &origin, literal(value));
    None
}

/// Parses one value, as it stands behind a separator; a text that is no HOCON is an error.
pub(crate) fn parse_value(file: &Arc<str>, text: &str) -> Result<Value, Box<Diagnostic>> {
    let mut sources = Sources::default();
    let mut diagnostics = Vec::new();
    let request = Request {
        file: Arc::clone(file),
        text: Arc::from(format!("v={text}")),
        dialect: Dialect::SeaTunnel,
        folder: None,
        lookup: &|_| None,
        overrides: Vec::new(),
    };
    let root = parse(request, &mut sources, &mut diagnostics);
    let value = root.as_ref().and_then(|root| root.as_map()?.get("v")).cloned();
    match (value, diagnostics.into_iter().find(Diagnostic::is_error)) {
        (Some(value), None) if root.and_then(|root| Some(root.as_map()?.len())) == Some(1) => Ok(value),
        (_, Some(diagnostic)) => Err(Box::new(diagnostic)),
        _ => Err(Box::new(Diagnostic::error(crate::codes::SYNTAX, "not one value", &Origin::default()))),
    }
}

/// Checks a text by the rules of Lightbend's HOCON, without a SeaTunnel dialect and without includes.
/// For tools and tests; a root list is given back as it stands.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_standard(text: &str) -> Result<Value, Vec<Diagnostic>> {
    parse_text("(text)", text, Dialect::Standard)
}

/// Parses a text by itself: no includes, no environment, no variables.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_text(file: &str, text: &str, dialect: Dialect) -> Result<Value, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let request = Request {
        file: Arc::from(file),
        text: Arc::from(text),
        dialect,
        folder: None,
        lookup: &|_| None,
        overrides: Vec::new(),
    };
    let value = parse(request, &mut Sources::default(), &mut diagnostics);
    value.ok_or(diagnostics)
}

/// A finished value as a node.
fn literal(value: Value) -> Node {
    use seatun_api::config::ValueKind;
    use tree::NodeKind;
    let kind = match value.kind {
        ValueKind::List(list) => NodeKind::List(list.into_iter().map(literal).collect()),
        ValueKind::Map(map) => {
            let mut object = Object::default();
            for (key, value) in map {
                let origin = value.key_origin.clone().unwrap_or_else(|| value.origin.clone());
                object.assign(&key, origin, literal(value));
            }
            NodeKind::Object(object)
        }
        scalar => NodeKind::Scalar(scalar),
    };
    Node { kind, origin: value.origin }
}
