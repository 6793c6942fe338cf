//! The deserializer from [`Value`] to an option struct: SeaTunnel's coercions, and errors with paths.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};

use super::value::{DIGITS, RAW, Value, ValueKind};

/// Why an option could not be read.
#[derive(Debug, Clone)]
pub(super) struct OptionError {
    pub what: What,
    /// Path from the block's root, outermost first: keys and indices.
    pub path: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, Clone)]
pub(super) enum What {
    UnknownOption { name: String, known: &'static [&'static str] },
    MissingOption(&'static str),
    WrongType(String),
    Invalid(String),
}

impl OptionError {
    fn of(what: What) -> Self {
        Self { what, path: Vec::new() }
    }

    pub(super) fn below(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::UnknownOption { name, .. } => write!(f, "unknown option `{name}`"),
            What::MissingOption(name) => write!(f, "option `{name}` is required"),
            What::WrongType(text) | What::Invalid(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for OptionError {}

impl de::Error for OptionError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::of(What::Invalid(message.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::of(What::WrongType(format!("expected {expected}, found {}", describe(&unexpected))))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::of(What::UnknownOption { name: field.to_owned(), known: expected })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = crate::error::nearest_hint(variant, expected);
        Self::of(What::Invalid(format!("unknown value `{variant}`; {hint}")))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of(What::MissingOption(field))
    }
}

fn describe(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map | Unexpected::StructVariant => "an object",
        _ => "another value",
    }
}

/// Deserializes from a borrowed value.
#[derive(Clone, Copy)]
pub(super) struct ValueDeserializer<'de>(pub &'de Value);

impl<'de> ValueDeserializer<'de> {
    fn wrong_type(self, expected: &str) -> OptionError {
        OptionError::of(What::WrongType(format!("expected {expected}, found {}", self.0.kind_name())))
    }

    fn number<T: std::str::FromStr>(self, expected: &str) -> Result<T, OptionError> {
        let text = match &self.0.kind {
            ValueKind::Number(text) | ValueKind::String(text) => text.trim(),
            _ => return Err(self.wrong_type(expected)),
        };
        let text = text.strip_prefix('+').unwrap_or(text);
        text.parse()
            .map_err(|_| OptionError::of(What::WrongType(format!("expected {expected}, found `{text}`"))))
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
            visitor.$visit(self.number::<$type>($expected)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
    type Error = OptionError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::Null => visitor.visit_unit(),
            ValueKind::Bool(value) => visitor.visit_bool(*value),
            ValueKind::Number(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_f64(value),
                _ => visitor.visit_str(text),
            },
            ValueKind::String(text) => visitor.visit_borrowed_str(text),
            ValueKind::List(list) => visitor.visit_seq(Elements { list, next: 0 }),
            ValueKind::Map(map) => visitor.visit_map(Entries::of_map(map)),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 i8, "a whole number from -128 to 127";
        deserialize_i16 visit_i16 i16, "a whole number of 16 bits";
        deserialize_i32 visit_i32 i32, "a whole number of 32 bits";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number of 0 or more, up to 32 bits";
        deserialize_u64 visit_u64 u64, "a whole number of 0 or more";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::Bool(value) => visitor.visit_bool(*value),
            ValueKind::String(text) if text.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            ValueKind::String(text) if text.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            _ => Err(self.wrong_type("true or false")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        match self.0.as_text() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => Err(self.wrong_type("a string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::List(list) => visitor.visit_seq(Elements { list, next: 0 }),
            ValueKind::String(text) => visitor.visit_seq(de::value::SeqDeserializer::new(
                pieces(text).map(str::trim).filter(|part| !part.is_empty()).map(Piece),
            )),
            ValueKind::Null => Err(self.wrong_type("a list")),
            _ => visitor.visit_seq(Elements { list: std::slice::from_ref(self.0), next: 0 }),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, OptionError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::Map(map) => visitor.visit_map(Entries::of_map(map)),
            _ => Err(self.wrong_type("an object")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::Map(map) => visitor.visit_map(Entries::of_struct(map, fields)),
            _ => Err(self.wrong_type("an object")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::Map(map) if map.len() == 1 => {
                let (name, value) = map.iter().next().ok_or_else(|| self.wrong_type("an object"))?;
                visitor.visit_enum(Variant { name: canonical(name, variants), value: Some(value) })
            }
            _ => match self.0.as_text() {
                Some(text) => visitor.visit_enum(Variant { name: canonical(text, variants), value: None }),
                None => Err(self.wrong_type("a string")),
            },
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        match &self.0.kind {
            ValueKind::Number(text) if name == RAW => {
                let digits: StrDeserializer<'_, OptionError> = text.as_str().into_deserializer();
                visitor.visit_map(MapDeserializer::new(std::iter::once((DIGITS, digits))))
            }
            _ if name == RAW => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        match self.0.kind {
            ValueKind::Null => visitor.visit_unit(),
            _ => Err(self.wrong_type("null")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { bytes byte_buf unit_struct identifier }
}

/// The parts of a text that stands for a list: `a, b`, or `[a, "b"]` as `-i name=[a,b]` gives it.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let text = text.trim();
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(text).split(',').map(move |part| match inner {
        Some(_) => part.trim().trim_matches('"'),
        None => part,
    })
}

/// A piece of a text that stands for a list.
struct Piece<'de>(&'de str);

impl<'de> IntoDeserializer<'de, OptionError> for Piece<'de> {
    type Deserializer = PieceDeserializer;

    fn into_deserializer(self) -> PieceDeserializer {
        PieceDeserializer(Value::string(self.0))
    }
}

struct PieceDeserializer(Value);

macro_rules! forward_piece {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
            ValueDeserializer(&self.0).$method(Unborrowed(visitor, PhantomData))
        }
    )*};
}

impl<'de> Deserializer<'de> for PieceDeserializer {
    type Error = OptionError;

    forward_piece! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64
        deserialize_str deserialize_string deserialize_char
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        if name == RAW { self.deserialize_any(visitor) } else { visitor.visit_newtype_struct(self) }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        let name = canonical(self.0.as_text().unwrap_or_default(), variants).to_owned();
        let name: de::value::StringDeserializer<OptionError> = name.into_deserializer();
        visitor.visit_enum(name)
    }

    serde::forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Passes scalars on without a borrow of the text they came from.
struct Unborrowed<'de, V>(V, PhantomData<&'de ()>);

impl<'de, V: Visitor<'de>> Visitor<'_> for Unborrowed<'de, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.0.visit_bool(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.0.visit_i64(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.0.visit_u64(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.0.visit_f64(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.0.visit_str(value)
    }
}

/// The variant's own spelling for a text in any case.
fn canonical<'a>(text: &'a str, variants: &'static [&'static str]) -> &'a str {
    variants.iter().find(|variant| variant.eq_ignore_ascii_case(text.trim())).copied().unwrap_or(text)
}

struct Variant<'de> {
    name: &'de str,
    value: Option<&'de Value>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = OptionError;
    type Variant = VariantValue<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, VariantValue<'de>), OptionError> {
        let name: StrDeserializer<'_, OptionError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, VariantValue(self.value)))
    }
}

struct VariantValue<'de>(Option<&'de Value>);

impl<'de> VariantValue<'de> {
    fn required(&self) -> Result<ValueDeserializer<'de>, OptionError> {
        self.0
            .map(ValueDeserializer)
            .ok_or_else(|| OptionError::of(What::WrongType("expected an object, found a string".into())))
    }
}

impl<'de> VariantAccess<'de> for VariantValue<'de> {
    type Error = OptionError;

    fn unit_variant(self) -> Result<(), OptionError> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, OptionError> {
        seed.deserialize(self.required()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, OptionError> {
        self.required()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        self.required()?.deserialize_struct("", fields, visitor)
    }
}

struct Elements<'de> {
    list: &'de [Value],
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = OptionError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, OptionError> {
        let Some(value) = self.list.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(ValueDeserializer(value)).map(Some).map_err(|error| error.below(Step::Index(index)))
    }
}

/// The entries of a map, or of a struct with flat and nested spellings brought to the fields' names.
struct Entries<'de> {
    entries: Vec<(String, Entry<'de>)>,
    next: usize,
}

#[derive(Clone)]
enum Entry<'de> {
    Borrowed(&'de Value),
    /// Flat keys `schema.fields`, `schema.table` gathered below the field `schema`.
    Gathered(Vec<(&'de str, &'de Value)>),
}

impl<'de> Entries<'de> {
    fn of_map(map: &'de IndexMap<String, Value>) -> Self {
        let entries = map.iter().map(|(key, value)| (key.clone(), Entry::Borrowed(value))).collect();
        Self { entries, next: 0 }
    }

    fn of_struct(map: &'de IndexMap<String, Value>, fields: &'static [&'static str]) -> Self {
        let mut entries = Vec::with_capacity(map.len());
        for (key, value) in map {
            place(&mut entries, key, value, fields);
        }
        Self { entries, next: 0 }
    }
}

/// Brings one key to the name of a field: itself, the fields below it, or the field above it.
fn place<'de>(
    entries: &mut Vec<(String, Entry<'de>)>,
    key: &'de str,
    value: &'de Value,
    fields: &'static [&'static str],
) {
    if fields.contains(&key) {
        entries.push((key.to_owned(), Entry::Borrowed(value)));
        return;
    }
    let below = |name: &str| fields.iter().any(|field| field.starts_with(&format!("{name}.")));
    if let (Some(map), true) = (value.as_map(), below(key)) {
        flatten(entries, key, map, fields);
        return;
    }
    let above = key.match_indices('.').map(|(dot, _)| (&key[..dot], &key[dot + 1..]));
    if let Some((field, rest)) = above.into_iter().find(|(head, _)| fields.contains(head)) {
        let gathered = entries.iter_mut().find_map(|(name, entry)| match entry {
            Entry::Gathered(list) if name == field => Some(list),
            _ => None,
        });
        match gathered {
            Some(list) => list.push((rest, value)),
            None => entries.push((field.to_owned(), Entry::Gathered(vec![(rest, value)]))),
        }
        return;
    }
    entries.push((key.to_owned(), Entry::Borrowed(value)));
}

fn flatten<'de>(
    entries: &mut Vec<(String, Entry<'de>)>,
    prefix: &str,
    map: &'de IndexMap<String, Value>,
    fields: &'static [&'static str],
) {
    for (key, value) in map {
        let name = format!("{prefix}.{key}");
        let below = fields.iter().any(|field| field.starts_with(&format!("{name}.")));
        match value.as_map() {
            Some(inner) if below && !fields.contains(&name.as_str()) => {
                flatten(entries, &name, inner, fields);
            }
            _ => entries.push((name, Entry::Borrowed(value))),
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = OptionError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, OptionError> {
        let Some((key, _)) = self.entries.get(self.next) else { return Ok(None) };
        let name: StrDeserializer<'_, OptionError> = key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| error.below(Step::Key(key.clone())))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, OptionError> {
        let (key, entry) = self.entries[self.next].clone();
        self.next += 1;
        let result = match entry {
            Entry::Borrowed(value) => seed.deserialize(ValueDeserializer(value)),
            Entry::Gathered(list) => seed.deserialize(GatheredDeserializer(list)),
        };
        result.map_err(|error| error.below(Step::Key(key)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len() - self.next)
    }
}

/// Flat keys of one field, read as the object that they spell.
struct GatheredDeserializer<'de>(Vec<(&'de str, &'de Value)>);

impl<'de> Deserializer<'de> for GatheredDeserializer<'de> {
    type Error = OptionError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        let entries =
            self.0.into_iter().map(|(key, value)| (key.to_owned(), Entry::Borrowed(value))).collect();
        visitor.visit_map(Entries { entries, next: 0 })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        let mut entries = Vec::new();
        for (key, value) in self.0 {
            place(&mut entries, key, value, fields);
        }
        visitor.visit_map(Entries { entries, next: 0 })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, OptionError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, OptionError> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
