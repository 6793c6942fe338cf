//! The tables of options that the documentation shows.

use schemars::{JsonSchema, schema_for};
use seatun_api::Secret;
use seatun_config::{EnvOptions, option_table};

/// A sink's options.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Options {
    /// Rows to make,
    /// for each subtask.
    #[schemars(rename = "row.num", default = "five")]
    row_num: u32,
    /// A folder; `a|b` is a name.
    path: String,
    /// The key.
    #[schemars(default)]
    password: Option<Secret>,
    /// The mode.
    #[schemars(default)]
    mode: Mode,
    /// Several names.
    #[schemars(default)]
    names: Vec<String>,
    /// The table.
    #[schemars(default)]
    schema: Option<Table>,
    /// More tables.
    #[schemars(default)]
    tables: Vec<Table>,
    /// Comes again in itself.
    #[schemars(default)]
    tree: Option<Tree>,
    /// Texts by name.
    #[schemars(default)]
    headers: std::collections::BTreeMap<String, String>,
    /// Between two fields.
    #[schemars(default = "comma")]
    delimiter: String,
}

#[derive(Default, JsonSchema, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "only its schema is used")]
enum Mode {
    /// Adds.
    #[default]
    Append,
    /// Replaces.
    Overwrite,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Table {
    /// Name of the table.
    table: Option<String>,
    /// Share of the rows.
    ratio: f64,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Tree {
    /// Below.
    left: Option<Box<Tree>>,
}

fn five() -> u32 {
    5
}

fn comma() -> String {
    ",".to_owned()
}

#[test]
fn a_table_of_options_says_what_the_types_say() {
    insta::assert_snapshot!("option_table", option_table(&schema_for!(Options)));
}

#[test]
fn the_table_of_env_is_made_the_same_way() {
    insta::assert_snapshot!("env_table", option_table(&schema_for!(EnvOptions)));
}

#[test]
fn a_type_that_contains_itself_by_way_of_a_map_ends() {
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Options {
        /// A type.
        kind: Type,
    }

    #[derive(JsonSchema)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "only its schema is used")]
    enum Type {
        Name(String),
        Row(std::collections::BTreeMap<String, Type>),
    }

    let table = option_table(&schema_for!(Options));
    assert!(table.contains("| `kind` | text or map of any values | required | A type. |"), "{table}");
}
