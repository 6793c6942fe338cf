//! Options of the sink `LocalFile`, as job files spell them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::amount::{ByteSize, TimeSpan};
use crate::config::{CompressCodec, FileFormat};

/// When CSV fields stand in quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum QuoteMode {
    /// Where a field needs it.
    #[default]
    Minimal,
    /// Always, but for nulls.
    All,
    /// Never; a row that would need them is rejected.
    None,
}

/// What becomes of rows that are not inserts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKinds {
    /// Every row is written, whatever its kind, as SeaTunnel does.
    #[default]
    Append,
    /// A row that is not an insert is rejected.
    Fail,
    /// Every row is written, with its kind (`+I`, `-U`, `+U`, `-D`) in a last column `_kind`.
    Column,
}

/// What is done with the target's folder before the first row of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SchemaSaveMode {
    /// The folder is emptied and made.
    RecreateSchema,
    /// The folder is made if it does not exist.
    #[default]
    CreateSchemaWhenNotExist,
    /// The folder must exist.
    ErrorWhenSchemaNotExist,
    /// Nothing; writing makes the folder.
    Ignore,
}

/// What is done with files that are in the target's folder before the first row of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataSaveMode {
    /// Everything in the folder is removed, but for names that begin with a dot.
    DropData,
    /// They stay.
    #[default]
    AppendData,
    /// There must be none.
    ErrorWhenDataExists,
}

/// Writes files into a local folder, exactly once: rows become visible with the checkpoint that they
/// belong to, as whole files.
///
/// Names are `T_<job>_<hash>_<subtask>_<epoch>_<n>` with the format's extension; files in progress are
/// hidden (`.seatun-...inprogress`) and stand in the folder of their target. Null partition values go to
/// `__HIVE_DEFAULT_PARTITION__`; characters that mean something in a path are written as `%` and two hex
/// digits.
///
/// Other than in SeaTunnel: Parquet keeps the case of column names, their nullability and microseconds, and
/// can hold times; csv tells null (nothing) from an empty text (`""`) and may hold line breaks; fractions of
/// seconds are written where no format is given; a row that `text` cannot hold is rejected instead of
/// written as two; there is no limit of rows per file unless one is given; bytes in csv and text must be
/// UTF-8. What csv and text cannot give back: an empty list or map reads as null, and within lists, maps
/// and rows null reads as an empty text.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalFileSinkConfig {
    /// The folder to write to; made if it does not exist. A relative path begins at the folder of the job
    /// file. May hold `${database_name}`, `${schema_name}`, `${table_name}`, `${schema_full_name}` and
    /// `${table_full_name}`, which stand for each table's own. Example: `/data/out/${table_name}`.
    pub path: String,
    /// Format of the files: `csv`, `json` (one object per line), `text` or `parquet`. Default: `csv`.
    #[serde(default = "csv", alias = "file_format")]
    pub file_format_type: FileFormat,
    /// How files are compressed. Parquet: `none`, `snappy`, `zstd`, `gzip`, `lz4`; default `snappy`. Others:
    /// `none`, `gzip`, `zstd`; default `none`.
    pub compress_codec: Option<CompressCodec>,
    /// Level of the codec: `zstd` 1 to 22, default 1; `gzip` 1 to 9, default 6.
    #[serde(rename = "compression.level")]
    pub compression_level: Option<i32>,

    /// Whether `file_name_expression` is used. Default: `false`.
    #[serde(default)]
    pub custom_filename: bool,
    /// Name of a file without its extension, if `custom_filename` is set. May hold `${transactionId}`,
    /// `${now}`, `${uuid}` and the placeholders of `path`. A name without `${transactionId}` gets it, with
    /// `_`, in front, as in SeaTunnel. Default: `${transactionId}`. Example: `sales_${now}`.
    pub file_name_expression: Option<String>,
    /// Pattern of `${now}` in file names. Default: `yyyy.MM.dd`.
    pub filename_time_format: Option<String>,
    /// Extension of file names, instead of the format's own. Example: `dat`.
    pub filename_extension: Option<String>,
    /// Each writer writes one file per checkpoint: nothing rolls, and names have no number. Default:
    /// `false`.
    #[serde(default)]
    pub single_file_mode: bool,
    /// If a job ends and never had a row, a file without rows is written for each table that is not
    /// partitioned. Default: `false`.
    #[serde(default)]
    pub create_empty_file_when_no_data: bool,

    /// Columns whose values choose the folder, in order. Enough by itself to partition. Example:
    /// `[country, day]`. May hold `"${primary_key}"`.
    #[serde(default)]
    pub partition_by: Vec<String>,
    /// `false` switches `partition_by` off; `true` demands it. Default: as `partition_by` says.
    pub have_partition: Option<bool>,
    /// How folders are named: `${k0}` and `${v0}` are name and value of the first partition column. Default:
    /// `${k0}=${v0}/${k1}=${v1}/...`.
    pub partition_dir_expression: Option<String>,
    /// Whether partition columns are also written into the files. Default: `false`.
    #[serde(default)]
    pub is_partition_field_write_in_file: bool,
    /// Columns to write, in this order. Default: all. May hold `"${field_names}"`.
    #[serde(default)]
    pub sink_columns: Vec<String>,
    /// What becomes of rows that are not inserts: `append`, `fail` or `column`. Default: `append`.
    #[serde(default)]
    pub change_kinds: ChangeKinds,

    /// Size at which a file is closed and the next one begun, in bytes or with a unit. Default:
    /// `256 MiB`. Example: `1 GiB`.
    #[serde(rename = "roll.size")]
    pub roll_size: Option<ByteSize>,
    /// Rows at which a file is closed and the next one begun. Default: no limit (SeaTunnel: 1000000).
    /// SeaTunnel's name is `batch_size`.
    #[serde(rename = "roll.rows", alias = "batch_size")]
    pub roll_rows: Option<u64>,
    /// Age at which a file is closed, in milliseconds or with a unit. It becomes visible with the next
    /// checkpoint. Default: no limit. Example: `5 min`.
    #[serde(rename = "roll.interval")]
    pub roll_interval: Option<TimeSpan>,
    /// How many files each writer has open at once; the one unused for longest is closed for another.
    /// Default: `100`.
    pub max_open_files: Option<usize>,
    /// Most rows of a Parquet row group. Default: `1048576`.
    #[serde(rename = "parquet.row_group_rows")]
    pub row_group_rows: Option<usize>,
    /// Memory that one writer uses for the row groups of all its open files, and so the most bytes of a
    /// row group. Default: `32 MiB`.
    #[serde(rename = "parquet.row_group_bytes")]
    pub row_group_bytes: Option<ByteSize>,

    /// Text between two fields (csv, text). Default: `,` for csv, `\u0001` for text.
    #[serde(alias = "delimiter")]
    pub field_delimiter: Option<String>,
    /// Text after each row (csv, text). Default: a line feed.
    pub row_delimiter: Option<String>,
    /// Whether files begin with a line of column names (csv, text). Default: `false`.
    #[serde(default)]
    pub enable_header_write: bool,
    /// When csv fields are quoted: `MINIMAL`, `ALL` or `NONE`. Default: `MINIMAL`.
    #[serde(default)]
    pub csv_string_quote_mode: QuoteMode,
    /// What stands for null (csv, text). Default: nothing. Example: `\N`.
    pub null_format: Option<String>,
    /// Pattern of dates (csv, text, folders). Default: `yyyy-MM-dd`.
    pub date_format: Option<String>,
    /// Pattern of timestamps (csv, text, folders). Default: `yyyy-MM-dd HH:mm:ss`, followed by the fraction
    /// and by `Z` where a value has them; a pattern given here is followed to the letter.
    pub datetime_format: Option<String>,
    /// Pattern of times (csv, text, folders). Default: `HH:mm:ss`, followed by the fraction where a value
    /// has one.
    pub time_format: Option<String>,
    /// Encoding of text. Only `UTF-8`, the default.
    pub encoding: Option<String>,

    /// What is done with the folder before the first row: `RECREATE_SCHEMA`,
    /// `CREATE_SCHEMA_WHEN_NOT_EXIST`, `ERROR_WHEN_SCHEMA_NOT_EXIST` or `IGNORE`. Default:
    /// `CREATE_SCHEMA_WHEN_NOT_EXIST`.
    #[serde(default)]
    pub schema_save_mode: SchemaSaveMode,
    /// What is done with files that are there before the first row: `DROP_DATA`, `APPEND_DATA` or
    /// `ERROR_WHEN_DATA_EXISTS`. Default: `APPEND_DATA`.
    #[serde(default)]
    pub data_save_mode: DataSaveMode,

    /// Only `true`, the default: files become visible with their checkpoint, never half-written.
    pub is_enable_transaction: Option<bool>,
    /// Accepted for SeaTunnel jobs, without effect: a file is written in the folder where it will stand.
    pub tmp_path: Option<String>,
    /// Only `false`, the default: timestamps are written as 64 bits, which every reader of today takes.
    #[serde(default)]
    pub parquet_avro_write_timestamp_as_int96: bool,
    /// Only empty, the default.
    #[serde(default)]
    pub parquet_avro_write_fixed_as_int96: Vec<String>,
    /// Accepted for SeaTunnel jobs, without effect on the formats of this build.
    pub sheet_name: Option<String>,
    /// Accepted for SeaTunnel jobs, without effect on the formats of this build.
    pub max_rows_in_memory: Option<u64>,
    /// Accepted for SeaTunnel jobs, without effect on the formats of this build.
    pub xml_root_tag: Option<String>,
    /// Accepted for SeaTunnel jobs, without effect on the formats of this build.
    pub xml_row_tag: Option<String>,
    /// Accepted for SeaTunnel jobs, without effect on the formats of this build.
    pub xml_use_attr_format: Option<bool>,
    /// Accepted for SeaTunnel jobs, without effect: `parallelism` says how many writers there are.
    pub multi_table_sink_replica: Option<u32>,
}

fn csv() -> FileFormat {
    FileFormat::Csv
}
