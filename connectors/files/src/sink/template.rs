//! Texts with `${name}` and `${name:default}` in them: folders and file names that differ by table,
//! partition and file.

use seatun_api::error::{codes, nearest_hint};
use seatun_api::{Error, Result, TableSchema};

/// Placeholders that stand for a table's own values.
pub(crate) const OF_TABLE: &[&str] = &[
    "database_name",
    "schema_name",
    "table_name",
    "schema_full_name",
    "table_full_name",
    "primary_key",
    "unique_key",
    "field_names",
    "comment",
    "partition_keys",
];

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text as it is.
    Text(String),
    /// A placeholder, and what stands for it if it has no value.
    Name { name: String, default: String },
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// At the option, for a placeholder that is not in `known` or is not closed.
    pub(crate) fn parse(text: &str, known: &[&str], option: &str) -> Result<Self> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let length = rest[start..]
                .find('}')
                .ok_or_else(|| Error::user(codes::INVALID_OPTION, "`${` has no `}`").at_option(option))?;
            if start > 0 {
                pieces.push(Piece::Text(rest[..start].to_owned()));
            }
            let inner = &rest[start + 2..start + length];
            let (name, default) = inner.split_once(':').unwrap_or((inner, ""));
            if !known.contains(&name) {
                return Err(Error::user(
                    codes::INVALID_OPTION,
                    format!("nothing is known for `${{{name}}}`"),
                )
                .with_hint(nearest_hint(name, known))
                .at_option(option));
            }
            pieces.push(Piece::Name { name: name.to_owned(), default: default.trim().to_owned() });
            rest = &rest[start + length + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    /// Whether a placeholder occurs.
    pub(crate) fn has(&self, wanted: &str) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Name { name, .. } if name == wanted))
    }

    /// Puts a placeholder in front.
    pub(crate) fn prefixed(mut self, name: &str, separator: &str) -> Self {
        let name = Piece::Name { name: name.to_owned(), default: String::new() };
        self.pieces.splice(0..0, [name, Piece::Text(separator.to_owned())]);
        self
    }

    /// The text with the placeholders' values; those that have none, `None`, get their defaults.
    pub(crate) fn render(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Name { name, default } => match value(name) {
                    Some(value) if !value.is_empty() => text.push_str(&value),
                    _ => text.push_str(default),
                },
            }
        }
        text
    }

    /// Replaces some placeholders for good and keeps the others.
    pub(crate) fn bind(&self, value: impl Fn(&str) -> Option<String>) -> Self {
        let bind = |piece: &Piece| match piece {
            Piece::Name { name, default } => match value(name) {
                Some(value) if value.is_empty() => Piece::Text(default.clone()),
                Some(value) => Piece::Text(value),
                None => piece.clone(),
            },
            text => text.clone(),
        };
        Self { pieces: self.pieces.iter().map(bind).collect() }
    }

    /// The pieces between slashes, so that each can be made a name by itself.
    pub(crate) fn segments(&self) -> Vec<Vec<Piece>> {
        let mut segments = vec![Vec::new()];
        for piece in &self.pieces {
            let Piece::Text(text) = piece else {
                push_last(&mut segments, piece.clone());
                continue;
            };
            for (index, part) in text.split('/').enumerate() {
                if index > 0 {
                    segments.push(Vec::new());
                }
                if !part.is_empty() {
                    push_last(&mut segments, Piece::Text(part.to_owned()));
                }
            }
        }
        segments.retain(|segment| !segment.is_empty());
        segments
    }
}

fn push_last(segments: &mut [Vec<Piece>], piece: Piece) {
    if let Some(last) = segments.last_mut() {
        last.push(piece);
    }
}

/// The value of a placeholder of [`OF_TABLE`]: empty if the table has none, `None` for other names.
pub(crate) fn of_table(table: &TableSchema, name: &str) -> Option<String> {
    let part = |part: &Option<std::sync::Arc<str>>| part.as_deref().unwrap_or_default().to_owned();
    let column = |index: &usize| table.arrow.fields().get(*index).map(|field| field.name().as_str());
    Some(match name {
        "database_name" => part(&table.id.database),
        "schema_name" => part(&table.id.schema),
        "table_name" => table.id.table.to_string(),
        "schema_full_name" => [&table.id.database, &table.id.schema]
            .into_iter()
            .flatten()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>()
            .join("."),
        "table_full_name" => table.id.to_string(),
        "primary_key" => table.primary_key.iter().filter_map(column).collect::<Vec<_>>().join(","),
        "field_names" => {
            table.arrow.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(",")
        }
        "unique_key" | "comment" | "partition_keys" => String::new(),
        _ => return None,
    })
}

/// A list of column names with its placeholders replaced: one that stands for several names gives several.
pub(crate) fn expand_columns(list: &[String], table: &TableSchema, option: &str) -> Result<Vec<String>> {
    let mut columns = Vec::new();
    for element in list {
        if !element.contains("${") {
            columns.push(element.clone());
            continue;
        }
        let text = Template::parse(element, OF_TABLE, option)?.render(|name| of_table(table, name));
        columns.extend(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType, Field, Schema};
    use seatun_api::TableId;

    use super::*;

    fn table() -> TableSchema {
        let fields = ["a", "b", "c"].map(|name| Field::new(name, DataType::Int32, true));
        TableSchema::new(TableId::parse("db.s.t", false), Arc::new(Schema::new(fields.to_vec())))
            .with_primary_key(&["a", "c"])
            .unwrap()
    }

    #[test]
    fn placeholders_get_the_values_of_the_table() {
        let cases = [
            ("x_${table_name}", "x_t"),
            ("${database_name}/${schema_name}", "db/s"),
            ("${schema_full_name} ${table_full_name}", "db.s db.s.t"),
            ("${primary_key}|${field_names}", "a,c|a,b,c"),
            ("${comment: none }|${comment}", "none|"),
            ("plain $ { }", "plain $ { }"),
        ];
        for (text, expected) in cases {
            let template = Template::parse(text, OF_TABLE, "path").unwrap();
            assert_eq!(template.render(|name| of_table(&table(), name)), expected);
        }
        let columns = ["b".to_owned(), "${primary_key}".to_owned()];
        assert_eq!(expand_columns(&columns, &table(), "partition_by").unwrap(), ["b", "a", "c"]);
    }

    #[test]
    fn unknown_placeholders_are_named() {
        let error = Template::parse("/data/${table_nam}", OF_TABLE, "path").unwrap_err();
        assert_eq!((error.option(), error.hint()), (Some("path"), Some("did you mean `table_name`?")));
        assert!(Template::parse("${table_name", OF_TABLE, "path").is_err());
    }

    #[test]
    fn segments_are_cut_at_slashes_of_the_text_only() {
        let template = Template::parse("a${table_name}/b//${schema_name}", OF_TABLE, "path").unwrap();
        let name = |name: &str| Piece::Name { name: name.to_owned(), default: String::new() };
        let text = |text: &str| Piece::Text(text.to_owned());
        let expected = vec![vec![text("a"), name("table_name")], vec![text("b")], vec![name("schema_name")]];
        assert_eq!(template.segments(), expected);
    }
}
