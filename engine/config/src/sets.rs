//! `--set path=value`: one option of the job, over what the file says.
//!
//! A path is `env.<option>`, `<section>[<number>].<option>`, `<section>.<node id>.<option>`,
//! `<section>.<plugin>.<option>` if only one block has that plugin, or a name of the file's top level. The
//! value is read as HOCON if it begins with `[`, `{` or a quote; else it is a number, a boolean, null or a
//! text. `@file` takes the text of a file.

use std::sync::Arc;

use seatun_api::Registry;
use seatun_api::config::{Origin, Place, Value, ValueKind};
use seatun_api::error::nearest_hint;

use crate::codes;
use crate::diagnostic::{Diagnostic, Sources};
use crate::draft;
use crate::hocon;
use crate::job::NodeKind;
use crate::secrets;

/// What origins of `--set` values call their file.
const FILE: &str = "--set";

/// One argument of `--set`.
#[derive(Debug)]
pub(crate) struct Set {
    /// The option's path, as it was given.
    path: String,
    value: Value,
    /// Where the path stands.
    origin: Origin,
}

/// Reads the arguments of `--set`.
pub(crate) fn read(
    arguments: &[String],
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Set> {
    let file: Arc<str> = Arc::from(FILE);
    let mut text = String::new();
    let mut sets = Vec::new();
    for (line, argument) in (1..).zip(arguments) {
        let begin = text.len();
        let at = |start: usize, end: usize| {
            let column = u32::try_from(argument[..start].chars().count()).unwrap_or(0) + 1;
            let offset = |at: usize| u32::try_from(begin + at).unwrap_or(u32::MAX);
            let place = Place { line, column, start: offset(start), end: offset(end) };
            Origin { file: Arc::clone(&file), place }
        };
        text.push_str(argument);
        text.push('\n');
        let Some((path, given)) = argument.split_once('=').filter(|(path, _)| !path.trim().is_empty()) else {
            let message = "an option is set as `path=value`".to_owned();
            diagnostics.push(Diagnostic::error(codes::SET, message, &at(0, argument.len())));
            continue;
        };
        let origin = at(0, path.len());
        let value_origin = at(path.len() + 1, argument.len());
        if secrets::looks_secret(path) && !given.starts_with('@') && !given.is_empty() {
            let message = format!("the value of `{path}` can be seen in the list of processes");
            let hint = format!("write `--set {path}=@file`, or `${{?NAME}}` in the job file");
            diagnostics.push(Diagnostic::warning(codes::SECRET_IN_SIGHT, message, &origin).with_hint(hint));
        }
        match value(given, &file, &value_origin) {
            Ok(mut value) => {
                place(&mut value, &value_origin);
                value.key_origin = Some(origin.clone());
                sets.push(Set { path: path.trim().to_owned(), value, origin });
            }
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
    sources.insert(file, Arc::from(text));
    sets
}

fn value(given: &str, file: &Arc<str>, origin: &Origin) -> Result<Value, Box<Diagnostic>> {
    if let Some(path) = given.strip_prefix('@') {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read `{path}`: {error}");
            Box::new(Diagnostic::error(codes::UNREADABLE, message, origin))
        })?;
        return Ok(Value::string(text.trim_end_matches(['\r', '\n'])));
    }
    let bare = given.trim();
    if bare.starts_with(['[', '{', '"']) {
        return hocon::parse_value(file, bare).map_err(|diagnostic| {
            let message = format!("the value is not HOCON: {}", diagnostic.message);
            Box::new(
                Diagnostic::error(codes::SET, message, origin).with_hint(diagnostic.hint.unwrap_or_default()),
            )
        });
    }
    Ok(Value::of(hocon::scalar(bare)))
}

/// Gives a value and all in it the place of the argument.
fn place(value: &mut Value, origin: &Origin) {
    value.origin = origin.clone();
    value.key_origin = Some(origin.clone());
    match &mut value.kind {
        ValueKind::List(list) => list.iter_mut().for_each(|value| place(value, origin)),
        ValueKind::Map(map) => map.values_mut().for_each(|value| place(value, origin)),
        _ => {}
    }
}

/// The names of the file's top level that are set: they go in before substitutions are resolved.
pub(crate) fn root_overrides(sets: &[Set]) -> Vec<(String, Value)> {
    let of_root = sets.iter().filter(|set| section(&set.path).is_none());
    of_root.map(|set| (set.path.clone(), set.value.clone())).collect()
}

/// What is said of names of the top level in a file where they mean nothing.
pub(crate) fn refuse_root(sets: &[Set]) -> Vec<Diagnostic> {
    let of_root = sets.iter().filter(|set| section(&set.path).is_none());
    let refuse = |set: &Set| {
        let message = format!("`{}` names no option", set.path);
        Diagnostic::error(codes::SET, message, &set.origin)
            .with_hint("a path begins with `env.`, `source[0].`, `transform[0].` or `sink[0].`")
    };
    of_root.map(refuse).collect()
}

/// The section that a path begins with, and the rest of the path.
fn section(path: &str) -> Option<(&str, &str)> {
    ["env", "source", "transform", "sink"].into_iter().find_map(|name| {
        let rest = path.strip_prefix(name)?;
        (rest.starts_with(['.', '['])).then_some((name, rest))
    })
}

/// Applies what is set in the sections.
pub(crate) fn apply(
    sets: Vec<Set>,
    root: &mut Value,
    registry: &Registry,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for set in sets {
        let Some((name, rest)) = section(&set.path) else { continue };
        if let Err((message, hint)) = apply_one(name, rest, &set, root, registry) {
            diagnostics.push(Diagnostic::error(codes::SET, message, &set.origin).with_hint(hint));
        }
    }
}

type Refusal = (String, String);

fn apply_one(
    name: &str,
    rest: &str,
    set: &Set,
    root: &mut Value,
    registry: &Registry,
) -> Result<(), Refusal> {
    let nothing =
        || (format!("`{}` names no option", set.path), "write `section[0].option=value`".to_owned());
    if name == "env" {
        let option = rest.strip_prefix('.').filter(|option| !option.is_empty()).ok_or_else(nothing)?;
        let map = root.as_map_mut().ok_or_else(nothing)?;
        let env = map.entry("env".to_owned()).or_insert_with(Value::empty_map);
        return put(env, option, set);
    }
    let (at, option) = find_block(name, rest, set, root, registry)?;
    if option.is_empty() {
        return Err(nothing());
    }
    let section = root.as_map_mut().and_then(|map| map.get_mut(name));
    let blocks = section.and_then(|section| match &mut section.kind {
        ValueKind::List(list) => Some(list),
        _ => None,
    });
    let block = blocks.and_then(|blocks| blocks.get_mut(at)).ok_or_else(nothing)?;
    put(block, &option, set)
}

/// The number of the block that a path means, and the option in it.
fn find_block(
    name: &str,
    rest: &str,
    set: &Set,
    root: &Value,
    registry: &Registry,
) -> Result<(usize, String), Refusal> {
    let blocks = root.get(name).and_then(Value::as_list).unwrap_or_default();
    if let Some(index) = rest.strip_prefix('[') {
        let wrong = || (format!("`{}` has no number that is one of a block", set.path), String::new());
        let (index, option) = index.split_once(']').ok_or_else(wrong)?;
        let index: usize = index.trim().parse().map_err(|_| wrong())?;
        if index >= blocks.len() {
            let hint = format!("they are counted from 0, and there are {}", blocks.len());
            return Err((format!("there is no `{name}[{index}]`"), hint));
        }
        return Ok((index, option.trim_start_matches('.').to_owned()));
    }
    let rest = rest.trim_start_matches('.');
    let all = draft::ids(root, registry);
    let kind =
        [NodeKind::Source, NodeKind::Transform, NodeKind::Sink].into_iter().find(|k| k.section() == name);
    let ids = all.iter().find(|(of, _)| Some(*of) == kind).map(|(_, ids)| ids.as_slice()).unwrap_or_default();
    for (at, id) in ids.iter().enumerate() {
        if let Some(option) = rest.strip_prefix(id.as_str()).and_then(|option| option.strip_prefix('.')) {
            return Ok((at, option.to_owned()));
        }
    }
    let (plugin, option) = rest.split_once('.').unwrap_or((rest, ""));
    let of_plugin = |block: &Value| {
        let spelled = block.get("plugin_name").and_then(Value::as_text).unwrap_or_default();
        let same = kind.and_then(|kind| {
            Some(draft::find_plugin(registry, kind, spelled)? == draft::find_plugin(registry, kind, plugin)?)
        });
        spelled.eq_ignore_ascii_case(plugin) || same == Some(true)
    };
    let found: Vec<usize> = (0..blocks.len()).filter(|at| of_plugin(&blocks[*at])).collect();
    match found.as_slice() {
        [only] => Ok((*only, option.to_owned())),
        [] => {
            let plugins = blocks.iter().filter_map(|block| block.get("plugin_name").and_then(Value::as_text));
            let known: Vec<&str> = ids.iter().map(String::as_str).chain(plugins).collect();
            Err((format!("there is no {name} `{plugin}` in the job"), nearest_hint(plugin, &known)))
        }
        several => {
            let choices: Vec<String> = several.iter().map(|at| format!("{name}[{at}]")).collect();
            Err((
                format!("`{plugin}` is the plugin of several blocks"),
                format!("write {}", choices.join(" or ")),
            ))
        }
    }
}

/// Sets an option in a block: in the spelling that the file has, else flat or in the map that is there.
fn put(block: &mut Value, option: &str, set: &Set) -> Result<(), Refusal> {
    let wrong = || (format!("`{}` names nothing that can be set", set.path), String::new());
    if let Some(open) = option.find('[') {
        let (head, tail) = option.split_at(open);
        let (index, rest) = tail[1..].split_once(']').ok_or_else(wrong)?;
        let index: usize = index.trim().parse().map_err(|_| wrong())?;
        let list = get_mut(block, head).ok_or_else(wrong)?;
        let ValueKind::List(list) = &mut list.kind else { return Err(wrong()) };
        let hint = format!("they are counted from 0, and there are {}", list.len());
        let element = list.get_mut(index).ok_or_else(|| (format!("there is no `{head}[{index}]`"), hint))?;
        return match rest.trim_start_matches('.') {
            "" => {
                *element = set.value.clone();
                Ok(())
            }
            rest => put(element, rest, set),
        };
    }
    if let Some(existing) = get_mut(block, option) {
        *existing = set.value.clone();
        return Ok(());
    }
    let map = block.as_map_mut().ok_or_else(wrong)?;
    for (dot, _) in option.match_indices('.') {
        if let Some(inner) = map.get_mut(&option[..dot]).filter(|inner| inner.as_map().is_some()) {
            return put(inner, &option[dot + 1..], set);
        }
    }
    map.insert(option.to_owned(), set.value.clone());
    Ok(())
}

/// As [`Value::get`].
fn get_mut<'v>(value: &'v mut Value, name: &str) -> Option<&'v mut Value> {
    let map = value.as_map_mut()?;
    if map.contains_key(name) {
        return map.get_mut(name);
    }
    let dot = name
        .match_indices('.')
        .map(|(dot, _)| dot)
        .find(|dot| map.get(&name[..*dot]).is_some_and(|inner| inner.get(&name[dot + 1..]).is_some()))?;
    get_mut(map.get_mut(&name[..dot])?, &name[dot + 1..])
}
