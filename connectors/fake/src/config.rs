//! The options of `FakeSource`.

use schemars::JsonSchema;
use seatun_api::config::Value;
use seatun_connector_common::schema::SchemaConfig;
use serde::Deserialize;

/// Makes rows without a system to read them from: rows written in the job, random rows of any type, or
/// rows that can be verified one by one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FakeConfig {
    /// The table to make. Required, except with `sequence` or `tables_configs`. Example:
    /// `{ fields { id = bigint, name = string } }`.
    #[serde(default)]
    pub schema: Option<SchemaConfig>,
    /// Several tables, each with the options it would have alone. Default: none. Example:
    /// `[{ row.num = 100, schema { table = "db.a", fields { id = int } } }]`.
    #[serde(default, alias = "table_configs")]
    pub tables_configs: Option<Vec<FakeConfig>>,

    /// Rows to emit as they stand here, instead of random ones; every split emits all of them. The texts
    /// `CURRENT_DATE`, `CURRENT_TIME` and `CURRENT_TIMESTAMP` stand for the time at which the job was first
    /// started. Default: none. Example: `[{ kind = INSERT, fields = [1, "A"] }]`.
    #[serde(default)]
    pub rows: Option<Vec<RowConfig>>,
    /// Random rows for each parallel reader; -1 for rows without end, in a streaming job. Default: 5.
    #[serde(default, rename = "row.num")]
    pub row_num: Option<i64>,
    /// Splits for each parallel reader, from 1. Default: 1.
    #[serde(default, rename = "split.num")]
    pub split_num: Option<u32>,
    /// Wait between two splits of a reader, in milliseconds. Default: 0.
    #[serde(default, rename = "split.read-interval")]
    pub split_read_interval: Option<u64>,

    /// Where random rows begin: with the same number a job makes the same rows. Default: made of the node's
    /// id, so that a job always makes the same rows.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Rows per second of the whole node, above 0. Default: as fast as possible. Example: `1000`.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Rows of a batch at most, from 1. Default: the engine's, 8192. Example: `100`.
    #[serde(default, rename = "batch.rows")]
    pub batch_rows: Option<usize>,
    /// Makes rows that can be verified: columns `writer` (int, number of the split), `seq` (bigint, from 1
    /// without gaps in each split), `payload` (string, made of both) and `crc` (bigint, the payload's
    /// CRC-32C), added to the schema where it does not have them. Default: false.
    #[serde(default)]
    pub sequence: bool,
    /// Longest payload of `sequence`, in bytes. Default: 10240.
    #[serde(default, rename = "payload.max")]
    pub payload_max: Option<usize>,

    /// Whether a primary key of one whole-number column counts up instead of being random. Default: false.
    #[serde(default, rename = "auto.increment.enabled")]
    pub auto_increment_enabled: bool,
    /// Where a counting primary key begins. Default: 1.
    #[serde(default, rename = "auto.increment.start")]
    pub auto_increment_start: Option<i64>,

    /// Entries of a random map; fewer if its keys have fewer values. Default: 5.
    #[serde(default, rename = "map.size")]
    pub map_size: Option<u32>,
    /// Items of a random array. Default: 5.
    #[serde(default, rename = "array.size")]
    pub array_size: Option<u32>,
    /// Bytes of random bytes, where the column has no `columnLength`. Default: 5.
    #[serde(default, rename = "bytes.length")]
    pub bytes_length: Option<u32>,
    /// Letters of a random string, where the column has no `columnLength`. Default: 5.
    #[serde(default, rename = "string.length")]
    pub string_length: Option<u32>,

    /// Where random strings come from. Default: letters; `template` if `string.template` is given.
    #[serde(default, rename = "string.fake.mode")]
    pub string_mode: Option<FakeMode>,
    /// Strings to choose from. Default: none. Example: `["red", "green"]`.
    #[serde(default, rename = "string.template")]
    pub string_template: Vec<String>,
    /// Where random tinyints come from. Default: range; `template` if `tinyint.template` is given.
    #[serde(default, rename = "tinyint.fake.mode")]
    pub tinyint_mode: Option<FakeMode>,
    /// Least random tinyint. Default: 0.
    #[serde(default, rename = "tinyint.min")]
    pub tinyint_min: Option<i8>,
    /// Random tinyints are below this. Default: 127.
    #[serde(default, rename = "tinyint.max")]
    pub tinyint_max: Option<i8>,
    /// Tinyints to choose from. Default: none.
    #[serde(default, rename = "tinyint.template")]
    pub tinyint_template: Vec<i8>,
    /// Where random smallints come from. Default: range; `template` if `smallint.template` is given.
    #[serde(default, rename = "smallint.fake.mode")]
    pub smallint_mode: Option<FakeMode>,
    /// Least random smallint. Default: 0.
    #[serde(default, rename = "smallint.min")]
    pub smallint_min: Option<i16>,
    /// Random smallints are below this. Default: 32767.
    #[serde(default, rename = "smallint.max")]
    pub smallint_max: Option<i16>,
    /// Smallints to choose from. Default: none.
    #[serde(default, rename = "smallint.template")]
    pub smallint_template: Vec<i16>,
    /// Where random ints come from. Default: range; `template` if `int.template` is given.
    #[serde(default, rename = "int.fake.mode")]
    pub int_mode: Option<FakeMode>,
    /// Least random int. Default: 0.
    #[serde(default, rename = "int.min")]
    pub int_min: Option<i32>,
    /// Random ints are below this. Default: 2147483647.
    #[serde(default, rename = "int.max")]
    pub int_max: Option<i32>,
    /// Ints to choose from. Default: none.
    #[serde(default, rename = "int.template")]
    pub int_template: Vec<i32>,
    /// Where random bigints come from. Default: range; `template` if `bigint.template` is given.
    #[serde(default, rename = "bigint.fake.mode")]
    pub bigint_mode: Option<FakeMode>,
    /// Least random bigint. Default: 0.
    #[serde(default, rename = "bigint.min")]
    pub bigint_min: Option<i64>,
    /// Random bigints are below this. Default: 9223372036854775807.
    #[serde(default, rename = "bigint.max")]
    pub bigint_max: Option<i64>,
    /// Bigints to choose from. Default: none.
    #[serde(default, rename = "bigint.template")]
    pub bigint_template: Vec<i64>,
    /// Where random floats come from. Default: range; `template` if `float.template` is given.
    #[serde(default, rename = "float.fake.mode")]
    pub float_mode: Option<FakeMode>,
    /// Least random float. Default: 0.
    #[serde(default, rename = "float.min")]
    pub float_min: Option<f32>,
    /// Random floats are below this. Default: the greatest float.
    #[serde(default, rename = "float.max")]
    pub float_max: Option<f32>,
    /// Floats to choose from. Default: none.
    #[serde(default, rename = "float.template")]
    pub float_template: Vec<f32>,
    /// Where random doubles come from. Default: range; `template` if `double.template` is given.
    #[serde(default, rename = "double.fake.mode")]
    pub double_mode: Option<FakeMode>,
    /// Least random double. Default: 0.
    #[serde(default, rename = "double.min")]
    pub double_min: Option<f64>,
    /// Random doubles are below this. Default: the greatest double.
    #[serde(default, rename = "double.max")]
    pub double_max: Option<f64>,
    /// Doubles to choose from. Default: none.
    #[serde(default, rename = "double.template")]
    pub double_template: Vec<f64>,

    /// Years of random dates and timestamps. Default: the year in which the job was first started.
    #[serde(default, rename = "date.year.template")]
    pub year_template: Vec<i32>,
    /// Months of random dates and timestamps, 1 to 12. Default: all.
    #[serde(default, rename = "date.month.template")]
    pub month_template: Vec<u32>,
    /// Days of random dates and timestamps, 1 to 31; a day that a month does not have becomes its last.
    /// Default: 1 to 28.
    #[serde(default, rename = "date.day.template")]
    pub day_template: Vec<u32>,
    /// Hours of random times and timestamps, 0 to 23. Default: all.
    #[serde(default, rename = "time.hour.template")]
    pub hour_template: Vec<u32>,
    /// Minutes of random times and timestamps, 0 to 59. Default: all.
    #[serde(default, rename = "time.minute.template")]
    pub minute_template: Vec<u32>,
    /// Seconds of random times and timestamps, 0 to 59. Default: all.
    #[serde(default, rename = "time.second.template")]
    pub second_template: Vec<u32>,

    /// Dimensions of random vectors, where the column has no `columnScale`. Default: 4.
    #[serde(default, rename = "vector.dimension")]
    pub vector_dimension: Option<u32>,
    /// Dimensions of random binary vectors, a multiple of 8. Default: 8.
    #[serde(default, rename = "binary.vector.dimension")]
    pub binary_vector_dimension: Option<u32>,
    /// Least value in a random float vector. Default: 0.
    #[serde(default, rename = "vector.float.min")]
    pub vector_float_min: Option<f32>,
    /// Values in a random float vector are below this. Default: the greatest float.
    #[serde(default, rename = "vector.float.max")]
    pub vector_float_max: Option<f32>,
}

/// A row written in the job.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowConfig {
    /// What happens to the row. Default: INSERT.
    #[serde(default)]
    pub kind: RowKind,
    /// Its values: a list in the order of the columns, or an object by their names. Example: `[1, "A"]`.
    pub fields: Value,
}

/// What happens to a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RowKind {
    /// A new row.
    #[default]
    Insert,
    /// The row as it was before an update.
    UpdateBefore,
    /// The row as it is after an update.
    UpdateAfter,
    /// A row that is gone.
    Delete,
}

/// Where random values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FakeMode {
    /// From a range of numbers, or random letters.
    Range,
    /// From a list.
    Template,
}
