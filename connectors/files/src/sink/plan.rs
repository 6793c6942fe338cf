//! The options when they are known to be right.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use seatun_api::error::codes;
use seatun_api::{Error, Result};

use super::options::{ChangeKinds, DataSaveMode, LocalFileSinkConfig, QuoteMode, SchemaSaveMode};
use super::template::{OF_TABLE, Template};
use crate::config::{CompressCodec, FileFormat};
use crate::encode::{Delimited, Encoding, Form, LineForm, Pattern, Patterns, Quotes, RowGroups, json_form};

/// Stands for the part of a file's name that is unique to writer and epoch.
pub(crate) const TRANSACTION: &str = "transactionId";
/// Stands for the time at which a file is named.
pub(crate) const NOW: &str = "now";
/// Stands for a random id.
pub(crate) const UUID: &str = "uuid";

const DEFAULT_ROLL_BYTES: u64 = 256 << 20;
const DEFAULT_GROUP_ROWS: usize = 1 << 20;
const DEFAULT_GROUP_BYTES: u64 = 32 << 20;
const DEFAULT_OPEN_FILES: usize = 100;

/// What the sink does, fixed by the options alone.
#[derive(Clone, Debug)]
pub struct FileSinkPlan {
    /// The folder above everything that is written.
    pub(crate) base: PathBuf,
    /// The folder below the base, by table.
    pub(crate) folder: Template,
    pub(crate) names: Names,
    pub(crate) encoding: Encoding,
    pub(crate) partition: Option<PartitionPlan>,
    pub(crate) sink_columns: Vec<String>,
    pub(crate) change_kinds: ChangeKinds,
    pub(crate) roll: Roll,
    pub(crate) max_open_files: usize,
    /// Memory for rows that wait in all open files of a writer.
    pub(crate) buffer_bytes: usize,
    pub(crate) create_empty_file: bool,
    pub(crate) schema_save_mode: SchemaSaveMode,
    pub(crate) data_save_mode: DataSaveMode,
    /// How partition values are written.
    pub(crate) patterns: Patterns,
}

/// How files are named.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) expression: Template,
    pub(crate) now: Pattern,
    pub(crate) extension: String,
    /// Whether the first file of a writer in an epoch has no number.
    pub(crate) single: bool,
}

/// How rows are spread over folders.
#[derive(Clone, Debug)]
pub(crate) struct PartitionPlan {
    pub(crate) columns: Vec<String>,
    /// `None` for `column=value` folders.
    pub(crate) folders: Option<Template>,
    pub(crate) keep_columns: bool,
}

/// When a file is closed and the next one begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roll {
    pub(crate) bytes: Option<u64>,
    pub(crate) rows: Option<u64>,
    pub(crate) interval: Option<Duration>,
}

impl FileSinkPlan {
    /// Checks the options. `config_dir` is where a relative path begins.
    ///
    /// # Errors
    /// Names the option that is wrong.
    pub(crate) fn new(config: LocalFileSinkConfig, config_dir: &Path) -> Result<Self> {
        refuse_unsupported(&config)?;
        let patterns = patterns(&config)?;
        let encoding = encoding(&config, &patterns)?;
        let (base, folder) = split_path(&config.path, config_dir)?;
        let row_group_bytes = bytes_option(
            config.row_group_bytes.map_or(DEFAULT_GROUP_BYTES, |size| size.0),
            "parquet.row_group_bytes",
        )?;
        Ok(Self {
            base,
            folder,
            names: names(&config, &encoding)?,
            partition: partition(&config)?,
            roll: roll(&config)?,
            max_open_files: at_least_one(config.max_open_files, DEFAULT_OPEN_FILES, "max_open_files")?,
            buffer_bytes: row_group_bytes,
            create_empty_file: config.create_empty_file_when_no_data,
            schema_save_mode: config.schema_save_mode,
            data_save_mode: config.data_save_mode,
            change_kinds: config.change_kinds,
            sink_columns: config.sink_columns,
            encoding,
            patterns,
        })
    }
}

fn invalid(option: &str, message: impl Into<String>) -> Error {
    Error::user(codes::INVALID_OPTION, message).at_option(option)
}

fn refuse_unsupported(config: &LocalFileSinkConfig) -> Result<()> {
    config.file_format_type.known()?;
    if config.is_enable_transaction == Some(false) {
        return Err(invalid("is_enable_transaction", "files are always written with transactions")
            .with_hint("leave the option out"));
    }
    if config.parquet_avro_write_timestamp_as_int96 || !config.parquet_avro_write_fixed_as_int96.is_empty() {
        let option = match config.parquet_avro_write_timestamp_as_int96 {
            true => "parquet_avro_write_timestamp_as_int96",
            false => "parquet_avro_write_fixed_as_int96",
        };
        return Err(invalid(option, "values of 96 bits are not written: they are deprecated in parquet")
            .with_hint("leave the option out: timestamps are written as 64 bits"));
    }
    let utf8 = |name: &str| name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8");
    match &config.encoding {
        Some(encoding) if !utf8(encoding) => Err(invalid("encoding", "text is written as UTF-8 only")),
        _ => Ok(()),
    }
}

fn patterns(config: &LocalFileSinkConfig) -> Result<Patterns> {
    let pattern = |given: &Option<String>, default: &str, option: &str| {
        match given {
            Some(pattern) => Pattern::parse(pattern),
            None => Pattern::lossless(default),
        }
        .map_err(|message| invalid(option, message))
    };
    let date = match &config.date_format {
        Some(given) => given,
        None => "yyyy-MM-dd",
    };
    Ok(Patterns {
        date: Pattern::parse(date).map_err(|message| invalid("date_format", message))?,
        time: pattern(&config.time_format, "HH:mm:ss", "time_format")?,
        datetime: pattern(&config.datetime_format, "yyyy-MM-dd HH:mm:ss", "datetime_format")?,
    })
}

fn encoding(config: &LocalFileSinkConfig, patterns: &Patterns) -> Result<Encoding> {
    let format = config.file_format_type;
    let form = match format {
        FileFormat::Parquet => {
            let bytes = config.row_group_bytes.map_or(DEFAULT_GROUP_BYTES, |size| size.0);
            Form::Parquet(RowGroups {
                rows: at_least_one(config.row_group_rows, DEFAULT_GROUP_ROWS, "parquet.row_group_rows")?,
                bytes: bytes_option(bytes, "parquet.row_group_bytes")?,
            })
        }
        FileFormat::Json => Form::Lines(Arc::new(json_form()?)),
        _ => Form::Lines(Arc::new(LineForm::Delimited(delimited(config, patterns)?))),
    };
    let default = match format {
        FileFormat::Parquet => CompressCodec::Snappy,
        _ => CompressCodec::None,
    };
    let codec = config.compress_codec.unwrap_or(default);
    check_codec(format, codec)?;
    Ok(Encoding { format, form, codec, level: level(codec, config.compression_level)? })
}

fn check_codec(format: FileFormat, codec: CompressCodec) -> Result<()> {
    use CompressCodec::{Gzip, Lz4, None, Snappy, Zstd};
    let known = match format {
        FileFormat::Parquet => matches!(codec, None | Snappy | Zstd | Gzip | Lz4),
        _ => matches!(codec, None | Gzip | Zstd),
    };
    if known {
        return Ok(());
    }
    let hint = match format {
        FileFormat::Parquet => "parquet can have none, snappy, zstd, gzip and lz4",
        _ => "csv, json and text can have none, gzip and zstd",
    };
    let message = format!("files of format `{}` cannot have codec `{}`", format.name(), codec.name());
    Err(invalid("compress_codec", message).with_hint(hint))
}

fn level(codec: CompressCodec, given: Option<i32>) -> Result<i32> {
    const OPTION: &str = "compression.level";
    let (default, range) = match codec {
        CompressCodec::Zstd => (1, 1..=22),
        CompressCodec::Gzip => (6, 1..=9),
        _ => match given {
            Some(_) => return Err(invalid(OPTION, format!("codec `{}` has no levels", codec.name()))),
            None => return Ok(0),
        },
    };
    let level = given.unwrap_or(default);
    if range.contains(&level) {
        return Ok(level);
    }
    let message = format!("levels of `{}` are {} to {}", codec.name(), range.start(), range.end());
    Err(invalid(OPTION, message))
}

fn delimited(config: &LocalFileSinkConfig, patterns: &Patterns) -> Result<Delimited> {
    let is_csv = config.file_format_type == FileFormat::Csv;
    let default = if is_csv { "," } else { "\u{1}" };
    let field_delimiter = config.field_delimiter.as_deref().unwrap_or(default);
    let row_delimiter = config.row_delimiter.as_deref().unwrap_or("\n");
    for (text, option) in [(field_delimiter, "field_delimiter"), (row_delimiter, "row_delimiter")] {
        if text.is_empty() || (is_csv && text.contains('"')) {
            return Err(invalid(option, "a delimiter must be a text, and not a quote in csv"));
        }
    }
    if field_delimiter.contains(row_delimiter) || row_delimiter.contains(field_delimiter) {
        return Err(invalid("row_delimiter", "fields and rows must not end in the same text"));
    }
    let quotes = match config.csv_string_quote_mode {
        QuoteMode::Minimal => Quotes::Minimal,
        QuoteMode::All => Quotes::All,
        QuoteMode::None => Quotes::None,
    };
    Ok(Delimited {
        field_delimiter: field_delimiter.into(),
        row_delimiter: row_delimiter.into(),
        null: config.null_format.clone().unwrap_or_default().into_bytes(),
        quotes: is_csv.then_some(quotes),
        header: config.enable_header_write,
        patterns: patterns.clone(),
    })
}

/// The folder above every placeholder, and the rest.
fn split_path(path: &str, config_dir: &Path) -> Result<(PathBuf, Template)> {
    const OPTION: &str = "path";
    let path = path.strip_prefix("file://").unwrap_or(path).trim();
    if path.is_empty() || path.contains('\0') || path.contains("://") {
        return Err(invalid(OPTION, "a local folder is needed").with_hint("for example `/data/out`"));
    }
    let first = path.find("${").unwrap_or(path.len());
    let cut = if first == path.len() { first } else { path[..first].rfind('/').map_or(0, |at| at + 1) };
    let (base, rest) = path.split_at(cut);
    // A file system takes `..` for the folder above, but what stands before it here differs by table.
    if rest.split('/').any(|part| part.starts_with('.')) {
        return Err(invalid(OPTION, "a folder below a placeholder must not begin with a dot"));
    }
    let base = std::path::absolute(config_dir.join(base))
        .map_err(|error| invalid(OPTION, "the folder has no absolute path").with_source(error))?;
    Ok((base, Template::parse(rest, OF_TABLE, OPTION)?))
}

fn names(config: &LocalFileSinkConfig, encoding: &Encoding) -> Result<Names> {
    const OPTION: &str = "file_name_expression";
    let given = config.file_name_expression.as_deref().filter(|_| config.custom_filename);
    let expression = given.unwrap_or("${transactionId}");
    if expression.contains(['/', '\0']) || expression.starts_with(['.', '_']) {
        return Err(invalid(OPTION, "a file's name has no `/` and does not begin with `.` or `_`"));
    }
    let known: Vec<&str> = [TRANSACTION, NOW, UUID].iter().chain(OF_TABLE).copied().collect();
    let mut expression = Template::parse(expression, &known, OPTION)?;
    if !expression.has(TRANSACTION) {
        expression = expression.prefixed(TRANSACTION, "_");
    }
    let now = config.filename_time_format.as_deref().unwrap_or("yyyy.MM.dd");
    if config.filename_extension.as_deref().is_some_and(|extension| extension.contains(['/', '\0'])) {
        return Err(invalid("filename_extension", "an extension has no `/`"));
    }
    Ok(Names {
        expression,
        now: Pattern::parse(now).map_err(|message| invalid("filename_time_format", message))?,
        extension: encoding.extension(config.filename_extension.as_deref()),
        single: config.single_file_mode,
    })
}

fn partition(config: &LocalFileSinkConfig) -> Result<Option<PartitionPlan>> {
    const OPTION: &str = "partition_dir_expression";
    let columns = &config.partition_by;
    match config.have_partition {
        Some(true) if columns.is_empty() => {
            return Err(invalid("partition_by", "`have_partition` needs the columns to partition by"));
        }
        Some(false) => return Ok(None),
        _ if columns.is_empty() => return Ok(None),
        _ => {}
    }
    let folders = match &config.partition_dir_expression {
        None => None,
        Some(text) => {
            let known: Vec<String> =
                (0..columns.len()).flat_map(|index| [format!("k{index}"), format!("v{index}")]).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let template = Template::parse(text, &known, OPTION)?;
            if text.contains('\0') || template.segments().is_empty() {
                return Err(invalid(OPTION, "the expression names no folder"));
            }
            Some(template)
        }
    };
    Ok(Some(PartitionPlan {
        columns: columns.clone(),
        folders,
        keep_columns: config.is_partition_field_write_in_file,
    }))
}

fn roll(config: &LocalFileSinkConfig) -> Result<Roll> {
    if config.single_file_mode {
        return Ok(Roll { bytes: None, rows: None, interval: None });
    }
    let bytes = config.roll_size.map_or(DEFAULT_ROLL_BYTES, |size| size.0);
    for (value, option) in [(Some(bytes), "roll.size"), (config.roll_rows, "roll.rows")] {
        if value == Some(0) {
            return Err(invalid(option, "must be more than 0"));
        }
    }
    Ok(Roll { bytes: Some(bytes), rows: config.roll_rows, interval: config.roll_interval.map(|span| span.0) })
}

fn at_least_one(given: Option<usize>, default: usize, option: &str) -> Result<usize> {
    match given.unwrap_or(default) {
        0 => Err(invalid(option, "must be more than 0")),
        count => Ok(count),
    }
}

fn bytes_option(bytes: u64, option: &str) -> Result<usize> {
    match usize::try_from(bytes) {
        Ok(0) | Err(_) => Err(invalid(option, "must be more than 0, and less than the address space")),
        Ok(bytes) => Ok(bytes),
    }
}
