//! The options of the source, as job files spell them.

use schemars::JsonSchema;
use seatun_connector_common::schema::SchemaConfig;
use serde::Deserialize;

use crate::config::{CompressCodec, FileFormat};

/// Options of the source `LocalFile`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSourceConfig {
    /// A file, a folder (read with all its folders; names that begin with `.` or `_` are skipped), or a
    /// pattern with `*`, `?`, `[a-z]`, `{a,b}` and `**`. A relative path begins at the job file's folder.
    /// Required unless `tables_configs` is given. Example: `/data/orders/2024-*`.
    #[serde(default)]
    pub path: Option<String>,
    /// The files' format: `text`, `csv`, `json` (one object per line) or `parquet`. Required unless
    /// `tables_configs` is given. Example: `csv`.
    #[serde(default)]
    pub file_format_type: Option<FileFormat>,
    /// The table's name and columns. Needed for json; text and csv without it give one string column
    /// `content` with the whole line; parquet files have their own columns, and with a schema they are
    /// brought to it. Example: `{ fields { id = bigint, name = string } }`.
    #[serde(default)]
    pub schema: Option<SchemaConfig>,
    /// What separates fields, of text and csv. Default: `\u0001` for text, `,` for csv. Example: `"|"`.
    #[serde(default, alias = "delimiter")]
    pub field_delimiter: Option<String>,
    /// What ends a record, of text, csv and json. Default: `\n`, also as `\r\n`. Example: `"\u0002"`.
    #[serde(default)]
    pub row_delimiter: Option<String>,
    /// What encloses csv fields: one ASCII character, or nothing if fields are not enclosed. Within
    /// enclosed fields it is doubled; they may hold delimiters and line ends. Default: `"`. Example: `"'"`.
    #[serde(default)]
    pub quote_char: Option<String>,
    /// Whether an enclosed csv field of nothing or of blanks is a text. If not it is null, like one that is
    /// not enclosed. Default: false.
    #[serde(default)]
    pub keep_quoted_blank: bool,
    /// How many lines at the start of each text or csv file to skip. Default: 0. Example: `1`.
    #[serde(default)]
    pub skip_header_row_number: u32,
    /// Whether the first record of a csv file, after the skipped lines, names its columns: they are then
    /// found by name, in any order, and the file may have others. Default: false.
    #[serde(default)]
    pub csv_use_header_line: bool,
    /// A text that is null, beside the empty one, of text and csv. Default: none. Example: `"\\N"`.
    #[serde(default)]
    pub null_format: Option<String>,
    /// The form of dates in text and csv, as Java patterns have it. Default: `yyyy-MM-dd`, or any other form
    /// that SeaTunnel knows. Example: `dd.MM.yyyy`.
    #[serde(default)]
    pub date_format: Option<String>,
    /// The form of timestamps in text and csv. Default: `yyyy-MM-dd HH:mm:ss` with an optional fraction, or
    /// any other form that SeaTunnel knows. Example: `yyyy/MM/dd HH:mm`.
    #[serde(default)]
    pub datetime_format: Option<String>,
    /// The form of times in text and csv. Default: `HH:mm:ss` with an optional fraction. Example: `HHmm`.
    #[serde(default)]
    pub time_format: Option<String>,
    /// The files' encoding; this build reads UTF-8 only. Default: `UTF-8`.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Whether folders `name=value` above a file give further string columns, in the order of the path.
    /// `%2F` and the like are unescaped, `__HIVE_DEFAULT_PARTITION__` is null, and a column that the
    /// files have themselves is not given twice. Default: true.
    #[serde(default = "yes")]
    pub parse_partition_from_path: bool,
    /// The columns to read, in this order. Default: all. Example: `[id, name]`.
    #[serde(default)]
    pub read_columns: Vec<String>,
    /// The partitions to read: files below other folders are skipped. Default: all. Example:
    /// `["day=2024-01-01", "day=2024-01-02/hour=7"]`.
    #[serde(default)]
    pub read_partitions: Vec<String>,
    /// A regular expression that a file's whole name, or its whole path, must match. Default: all files.
    /// Example: `orders-\\d+\\.csv`.
    #[serde(default)]
    pub file_filter_pattern: Option<String>,
    /// The end of the names of the files to read. Default: any. Example: `.csv`.
    #[serde(default)]
    pub filename_extension: Option<String>,
    /// How text, csv and json files are packed: `none`, `gzip` or `zstd`. Default: by the name's end `.gz`
    /// or `.zst`, else `none`. Example: `gzip`.
    #[serde(default)]
    pub compress_codec: Option<CompressCodec>,
    /// How files are packed into one: `none`, or `gz`, which is `compress_codec = gzip`; this build reads no
    /// other archives. Default: `none`.
    #[serde(default)]
    pub archive_compress_codec: Option<String>,
    /// Columns that tell where a row comes from. Default: none. Example: `{ file = "_file" }`.
    #[serde(default)]
    pub metadata_columns: MetadataColumns,
    /// How many bytes of a big file one reader takes at a time, so that several read it in parallel: a plain
    /// text, csv or json file is cut at records, a Parquet file at row groups. 0 never cuts. Default:
    /// 67108864 (64 MiB) where the source has several readers, else 0. Example: `16777216`.
    #[serde(default, rename = "split.size")]
    pub split_size: Option<u64>,
    /// How often a streaming job looks for new files, in milliseconds. Default: 10000.
    #[serde(default = "ten_seconds", rename = "discovery.interval")]
    pub discovery_interval: u64,
    /// How many new files a streaming job takes on each time it looks; 0 for all. Default: 0.
    #[serde(default)]
    pub max_files_per_trigger: usize,
    /// How old a file must be before it is read, in milliseconds since its last change: for writers that do
    /// not rename their files when they are complete. Default: 0.
    #[serde(default)]
    pub min_file_age: u64,
    /// How long a streaming job remembers a file that it has read, in milliseconds of age behind the newest
    /// file; older files that turn up later are then not read. 0 remembers all. Default: 0. Example:
    /// `604800000` (a week).
    #[serde(default)]
    pub max_file_age: u64,
    /// Several tables, each with its own path, format, schema and so on; the options of discovery and splits
    /// stand outside. Default: none. Example: `[{ path = a.csv, file_format_type = csv, schema { .. } }]`.
    #[serde(default)]
    pub tables_configs: Vec<FileSourceConfig>,
}

/// Names of the columns that tell where a row comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataColumns {
    /// Name of a string column for the file's path. Default: none. Example: `_file`.
    #[serde(default)]
    pub file: Option<String>,
}

fn yes() -> bool {
    true
}

/// The default of `discovery.interval`, in milliseconds.
pub fn ten_seconds() -> u64 {
    10_000
}
