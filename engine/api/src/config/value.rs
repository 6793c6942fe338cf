//! A value of a job file.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Where a value stands: the file and the place in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file as the user named it, `--set` or `-i` for values of the command line; empty if the value
    /// was made by the engine.
    pub file: Arc<str>,
    /// Where in the file the value begins.
    pub place: Place,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1; 0 if unknown.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte of the marked text.
    pub start: u32,
    /// Byte after the marked text.
    pub end: u32,
}

/// A value with its place and the place of its key.
#[derive(Clone, Debug, Default)]
pub struct Value {
    /// What it is.
    pub kind: ValueKind,
    /// Where the value stands.
    pub origin: Origin,
    /// Where its key stands, if it is an entry of a map.
    pub key_origin: Option<Origin>,
}

/// What a value is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ValueKind {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written: `1.00` stays `1.00`.
    Number(String),
    /// A text.
    String(String),
    /// A list.
    List(Vec<Value>),
    /// A map in the order of the file. Keys are whole: `row.num` is one key.
    Map(IndexMap<String, Value>),
}

/// Two values are equal if they mean the same, wherever they stand.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Value {
    /// A value without a place.
    #[must_use]
    pub fn of(kind: ValueKind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// A text without a place.
    pub fn string(text: impl Into<String>) -> Self {
        Self::of(ValueKind::String(text.into()))
    }

    /// An empty map without a place.
    #[must_use]
    pub fn empty_map() -> Self {
        Self::of(ValueKind::Map(IndexMap::new()))
    }

    /// The entries, if it is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&IndexMap<String, Self>> {
        match &self.kind {
            ValueKind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The entries, if it is a map.
    pub fn as_map_mut(&mut self) -> Option<&mut IndexMap<String, Self>> {
        match &mut self.kind {
            ValueKind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            ValueKind::List(list) => Some(list),
            _ => None,
        }
    }

    /// The text of a string, number or boolean.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::String(text) | ValueKind::Number(text) => Some(text),
            ValueKind::Bool(true) => Some("true"),
            ValueKind::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// An option by its dotted name: the flat key if there is one, else by way of nested maps, as
    /// SeaTunnel looks options up.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let map = self.as_map()?;
        if let Some(value) = map.get(name) {
            return Some(value);
        }
        name.match_indices('.').find_map(|(dot, _)| map.get(&name[..dot])?.get(&name[dot + 1..]))
    }

    /// The value at a path as serde errors spell it: `rules.row_rules[0].rule_type`.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Option<&Self> {
        if path.is_empty() {
            return Some(self);
        }
        let (head, index, rest) = match path.find('[') {
            Some(open) => {
                let close = open + path[open..].find(']')?;
                let index: usize = path[open + 1..close].parse().ok()?;
                (&path[..open], Some(index), path[close + 1..].trim_start_matches('.'))
            }
            None => (path, None, ""),
        };
        let value = if head.is_empty() { self } else { self.get(head)? };
        match index {
            Some(index) => value.as_list()?.get(index)?.at_path(rest),
            None => Some(value),
        }
    }

    /// What a message calls this kind of value.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            ValueKind::Null => "null",
            ValueKind::Bool(_) => "a boolean",
            ValueKind::Number(_) => "a number",
            ValueKind::String(_) => "a string",
            ValueKind::List(_) => "a list",
            ValueKind::Map(_) => "an object",
        }
    }

    /// The JSON form; numbers keep their digits where JSON's number can, else they become texts.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            ValueKind::Null => serde_json::Value::Null,
            ValueKind::Bool(value) => (*value).into(),
            ValueKind::Number(text) => {
                let number: Option<serde_json::Number> = serde_json::from_str(text).ok();
                number.map_or_else(|| text.clone().into(), serde_json::Value::Number)
            }
            ValueKind::String(text) => text.clone().into(),
            ValueKind::List(list) => list.iter().map(Self::to_json).collect(),
            ValueKind::Map(map) => map.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.is_empty(), self.place.line) {
            (true, _) => f.write_str("(built in)"),
            (false, 0) => f.write_str(&self.file),
            (false, line) => write!(f, "{}:{line}:{}", self.file, self.place.column),
        }
    }
}

/// The newtype name by which [`Value`] asks its own deserializer for the value as it stands.
pub(super) const RAW: &str = "$seatun::Value";
/// The key under which a number's digits are handed over.
pub(super) const DIGITS: &str = "$seatun::digits";

/// Captures a value of the options as it was written, for options whose form depends on the data.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW, Capture)
    }
}

struct Capture;

impl<'de> Visitor<'de> for Capture {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::of(ValueKind::Null))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::of(ValueKind::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::of(ValueKind::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::of(ValueKind::Number(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::of(ValueKind::Number(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::of(ValueKind::Number(value.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::string(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Value::of(ValueKind::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map: IndexMap<String, Value> = IndexMap::new();
        while let Some(key) = access.next_key::<String>()? {
            if key == DIGITS {
                return access.next_value().map(|digits| Value::of(ValueKind::Number(digits)));
            }
            if map.insert(key.clone(), access.next_value()?).is_some() {
                return Err(A::Error::custom(format!("key `{key}` twice")));
            }
        }
        Ok(Value::of(ValueKind::Map(map)))
    }
}

impl schemars::JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}
