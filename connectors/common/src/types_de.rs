//! Types as options: read by serde so that a wrong one is reported at its place in the job file.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType, Field};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::types;

/// A column's type as a job file gives it: a text, or an object for a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldType {
    /// The Arrow type.
    pub data_type: DataType,
    /// The vector's name, if the type is one.
    pub vector: Option<&'static str>,
}

/// Named types in the order of the job file: `{ id = bigint, name = string }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldList(pub Vec<(String, FieldType)>);

impl From<DataType> for FieldType {
    fn from(data_type: DataType) -> Self {
        Self { data_type, vector: None }
    }
}

impl<'de> Deserialize<'de> for FieldType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TypeVisitor)
    }
}

struct TypeVisitor;

impl<'de> Visitor<'de> for TypeVisitor {
    type Value = FieldType;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a type, for example \"decimal(10, 2)\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<FieldType, E> {
        let data_type = types::parse(text).map_err(|fault| match fault.hint.as_str() {
            "" => E::custom(fault.message),
            hint => E::custom(format!("{}; {hint}", fault.message)),
        })?;
        Ok(FieldType { data_type, vector: types::vector_name(text) })
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<FieldType, E> {
        Err(E::custom("a type is missing; write the null type as a text: \"null\""))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<FieldType, A::Error> {
        let FieldList(fields) = ListVisitor.visit_map(access)?;
        if fields.is_empty() {
            return Err(A::Error::custom("a row has no fields"));
        }
        let fields: Vec<_> = fields
            .into_iter()
            .map(|(name, field)| Arc::new(Field::new(name, field.data_type, true)))
            .collect();
        Ok(DataType::Struct(fields.into()).into())
    }
}

impl<'de> Deserialize<'de> for FieldList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = FieldList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and types")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<FieldList, A::Error> {
        let mut fields = Vec::with_capacity(access.size_hint().unwrap_or(0));
        while let Some(entry) = access.next_entry::<String, FieldType>()? {
            fields.push(entry);
        }
        Ok(FieldList(fields))
    }
}

impl JsonSchema for FieldType {
    fn schema_name() -> Cow<'static, str> {
        "FieldType".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let row = generator.subschema_for::<FieldList>();
        json_schema!({
            "description": "a type: string, boolean, tinyint, smallint, int, bigint, float, double, \
                \"decimal(p, s)\", \"null\", bytes, date, time, timestamp, timestamp_tz, \"array<T>\", \
                \"map<K, V>\", float_vector, or an object of names and types for a row",
            "anyOf": [{"type": "string", "examples": ["int", "decimal(10, 2)", "array<string>"]}, row]
        })
    }
}

impl JsonSchema for FieldList {
    fn schema_name() -> Cow<'static, str> {
        "FieldList".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let field = generator.subschema_for::<FieldType>();
        json_schema!({"type": "object", "additionalProperties": field})
    }
}
