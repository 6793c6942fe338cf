//! From a plugin's block to the plugin's struct, with every wrong option found in one go.

use serde::de::DeserializeOwned;

use super::de::{OptionError, Step, ValueDeserializer, What};
use super::value::{Origin, Value, ValueKind};
use crate::error::{Code, Error, codes, nearest_hint};

/// Something wrong with a job file, at a place.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The error's code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// Path of the option below the block, `rules.row_rules[0].rule_type`; empty for the block itself.
    pub option: String,
    /// The place to point to.
    pub origin: Origin,
}

impl Problem {
    /// An error of a plugin's `validate`, pointing to the option that it names.
    #[must_use]
    pub fn of_error(error: &Error, block: &Value) -> Self {
        let option = error.option().unwrap_or_default().to_owned();
        let message = match error.chain() {
            chain if option.is_empty() => chain,
            chain => format!("option `{option}`: {chain}"),
        };
        Self {
            code: error.code(),
            message,
            hint: error.hint().map(str::to_owned),
            origin: nearest_origin(block, &option),
            option,
        }
    }
}

/// Reads a block as the options of a plugin.
///
/// # Errors
/// All problems of the block: unknown options with the nearest known name, wrong types, missing options,
/// each with its place. An option that is wrong does not hide the next one.
pub fn options<T: DeserializeOwned>(block: &Value) -> Result<T, Vec<Problem>> {
    let mut rest = block.clone();
    let mut problems = Vec::new();
    let mut removed: Vec<String> = Vec::new();
    loop {
        let error = match T::deserialize(ValueDeserializer(&rest)) {
            Ok(options) if problems.is_empty() => return Ok(options),
            Ok(_) => return Err(problems),
            Err(error) => error,
        };
        let path = spell(&error.path);
        let follows =
            matches!(&error.what, What::MissingOption(name) if removed.contains(&join(&path, name)));
        if !follows {
            problems.push(problem(&error, &path, block));
        }
        // A missing option cannot be mended by leaving something out: its own block goes instead.
        if !remove(&mut rest, &error.path) {
            return Err(problems);
        }
        removed.push(path);
    }
}

fn problem(error: &OptionError, path: &str, block: &Value) -> Problem {
    let (code, message, hint) = match &error.what {
        What::UnknownOption { name, known } => {
            (codes::UNKNOWN_OPTION, format!("unknown option `{name}`"), nearest_hint(name, known))
        }
        What::MissingOption(name) => {
            (codes::MISSING_OPTION, format!("option `{}` is required", join(path, name)), String::new())
        }
        What::WrongType(text) => (codes::WRONG_TYPE, format!("option `{path}`: {text}"), String::new()),
        What::Invalid(text) if path.is_empty() => (codes::INVALID_OPTION, text.clone(), String::new()),
        What::Invalid(text) => (codes::INVALID_OPTION, format!("option `{path}`: {text}"), String::new()),
    };
    let origin = match &error.what {
        What::UnknownOption { .. } => key_origin(block, path),
        _ => nearest_origin(block, path),
    };
    Problem { code, message, hint: (!hint.is_empty()).then_some(hint), option: path.to_owned(), origin }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn spell(path: &[Step]) -> String {
    path.iter().fold(String::new(), |text, step| match step {
        Step::Key(key) => join(&text, key),
        Step::Index(index) => format!("{text}[{index}]"),
    })
}

fn key_origin(block: &Value, path: &str) -> Origin {
    match block.at_path(path) {
        Some(value) => value.key_origin.clone().unwrap_or_else(|| value.origin.clone()),
        None => nearest_origin(block, path),
    }
}

/// The place of the option, else of the innermost block around it that stands in the file.
fn nearest_origin(block: &Value, path: &str) -> Origin {
    let mut path = path;
    loop {
        if let Some(value) = block.at_path(path) {
            return match path.is_empty() {
                true => value.key_origin.clone().unwrap_or_else(|| value.origin.clone()),
                false => value.origin.clone(),
            };
        }
        path = path.rfind(['.', '[']).map_or("", |cut| &path[..cut]);
    }
}

/// Takes the innermost value of a path out of the tree. False if there is nothing to take.
fn remove(root: &mut Value, path: &[Step]) -> bool {
    let Some((last, above)) = path.split_last() else { return false };
    if let Some(parent) = descend(root, above) {
        match (&mut parent.kind, last) {
            (ValueKind::Map(map), Step::Key(key)) => {
                let removed = map.shift_remove(key).is_some() || remove_dotted(map, key);
                if removed {
                    return true;
                }
            }
            (ValueKind::List(list), Step::Index(index)) if *index < list.len() => {
                list.remove(*index);
                return true;
            }
            _ => {}
        }
    }
    remove(root, above)
}

fn descend<'a>(root: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    let mut value = root;
    for step in path {
        value = match (&mut value.kind, step) {
            (ValueKind::Map(map), Step::Key(key)) => map.get_mut(key)?,
            (ValueKind::List(list), Step::Index(index)) => list.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(value)
}

/// Removes `row.num` where it was spelled `row { num }`.
fn remove_dotted(map: &mut indexmap::IndexMap<String, Value>, key: &str) -> bool {
    key.match_indices('.').any(|(dot, _)| {
        let Some(inner) = map.get_mut(&key[..dot]).and_then(Value::as_map_mut) else { return false };
        inner.shift_remove(&key[dot + 1..]).is_some() || remove_dotted(inner, &key[dot + 1..])
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Options {
        #[serde(rename = "row.num", default)]
        row_num: u32,
        #[serde(default)]
        names: Vec<String>,
        schema: Schema,
        #[serde(default)]
        mode: Mode,
        #[serde(default)]
        rows: Vec<Value>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Schema {
        fields: indexmap::IndexMap<String, String>,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "UPPERCASE")]
    enum Mode {
        #[default]
        Batch,
        Streaming,
    }

    fn value(json: serde_json::Value) -> Value {
        Value::of(match json {
            serde_json::Value::Null => ValueKind::Null,
            serde_json::Value::Bool(b) => ValueKind::Bool(b),
            serde_json::Value::Number(n) => ValueKind::Number(n.to_string()),
            serde_json::Value::String(s) => ValueKind::String(s),
            serde_json::Value::Array(list) => ValueKind::List(list.into_iter().map(value).collect()),
            serde_json::Value::Object(map) => {
                ValueKind::Map(map.into_iter().map(|(k, v)| (k, value(v))).collect())
            }
        })
    }

    #[test]
    fn flat_and_nested_spellings_and_coercions_are_the_same_options() {
        let flat = value(serde_json::json!({
            "row.num": "16", "names": "a, b", "schema.fields": {"x": "int"}, "mode": "streaming"
        }));
        let nested = value(serde_json::json!({
            "row": {"num": 16}, "names": ["a", "b"], "schema": {"fields": {"x": "int"}}, "mode": "STREAMING"
        }));
        let options_flat: Options = options(&flat).unwrap();
        assert_eq!(options_flat, options(&nested).unwrap());
        assert_eq!(options_flat.row_num, 16);
        assert_eq!(options_flat.mode, Mode::Streaming);
    }

    #[test]
    fn a_text_in_brackets_is_a_list_too() {
        for text in ["a,b", "[a,b]", " [ \"a\", b ] "] {
            let block = value(serde_json::json!({"names": text, "schema.fields": {}}));
            assert_eq!(options::<Options>(&block).unwrap().names, ["a", "b"], "{text}");
        }
    }

    #[test]
    fn raw_values_keep_their_digits() {
        let mut block = value(serde_json::json!({"schema.fields": {}}));
        let rows = Value::of(ValueKind::List(vec![Value::of(ValueKind::Number("1.00".into()))]));
        block.as_map_mut().unwrap().insert("rows".into(), rows);
        let options: Options = options(&block).unwrap();
        assert_eq!(options.rows[0].kind, ValueKind::Number("1.00".into()));
    }

    #[test]
    fn every_problem_is_found_at_once() {
        let block = value(serde_json::json!({
            "row": {"num": "many"}, "namse": "a", "schema": {"feilds": {"x": "int"}}, "mode": "batsh"
        }));
        let problems = options::<Options>(&block).unwrap_err();
        let texts: Vec<String> = problems
            .iter()
            .map(|p| format!("{} {} ({})", p.code, p.message, p.hint.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(
            texts,
            [
                "ST-0104 option `mode`: unknown value `batsh`; did you mean `BATCH`? ()",
                "ST-0102 unknown option `namse` (did you mean `names`?)",
                "ST-0101 option `row.num`: expected a whole number of 0 or more, up to 32 bits, found `many` ()",
                "ST-0102 unknown option `feilds` (did you mean `fields`?)",
                "ST-0103 option `schema.fields` is required ()",
            ]
        );
    }
}
