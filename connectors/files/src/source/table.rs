//! One table of the source: its options made ready, with no look at any file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, Field, SchemaRef};
use seatun_api::error::codes as api_codes;
use seatun_api::registry::PluginContext;
use seatun_api::{Error, Result, TableId, TableSchema};
use seatun_connector_common::schema::default_table_id;

use super::list::Filter;
use super::options::{FileSourceConfig, MetadataColumns};
use super::partition::{self, Partition};
use crate::codes;
use crate::config::{CompressCodec, FileFormat};
use crate::decode::calendar::Forms;
use crate::decode::column::{Rules, check_type};
use crate::decode::delimited::Nulls;
use crate::decode::pattern::Pattern;
use crate::decode::records::Syntax;
use crate::store::Location;

/// The column of a text or csv table without a schema: the whole line.
pub const CONTENT: &str = "content";
/// Separators of nested values, from the first level below a column.
const SEPARATORS: [u8; 6] = [2, 3, 4, 5, 6, 7];

/// What the options say of one table.
#[derive(Clone, Debug)]
pub struct TablePlan {
    /// Where its files are, as the job file has it.
    pub path: String,
    /// The files' format.
    pub format: FileFormat,
    /// Its name.
    pub id: TableId,
    /// Its columns as declared, before `read_columns`.
    pub declared: Option<TableSchema>,
    /// Columns to read; none for all.
    pub read_columns: Vec<String>,
    /// How whole files are packed; `None` to go by their names.
    pub codec: Option<CompressCodec>,
    /// How records and fields are told apart.
    pub syntax: Syntax,
    /// What is null.
    pub nulls: Nulls,
    /// How values are understood.
    pub rules: Arc<Rules>,
    /// How many lines to skip.
    pub skip_lines: u32,
    /// Whether the first record names the columns.
    pub header: bool,
    /// Whether folders give columns.
    pub partitions: bool,
    /// Which files to read.
    pub filter: Filter,
    /// Columns that tell where a row comes from.
    pub metadata: MetadataColumns,
}

/// A table and the place of its files.
#[derive(Clone, Debug)]
pub struct Table {
    /// What the options say.
    pub plan: TablePlan,
    /// The store and the path in it.
    pub location: Location,
}

impl Table {
    /// Opens the table's store. Does no I/O.
    ///
    /// # Errors
    /// If the path names no store.
    pub fn open(plan: TablePlan, base: &Path) -> Result<Self> {
        let location = Location::open(&plan.path, &BTreeMap::new(), base)?;
        Ok(Self { plan, location })
    }

    /// How a file of the table is packed as a whole.
    pub fn codec_of(&self, path: &str) -> CompressCodec {
        match self.plan.format {
            FileFormat::Parquet => CompressCodec::None,
            _ => self.plan.codec.unwrap_or_else(|| CompressCodec::of_name(path)),
        }
    }
}

impl TablePlan {
    /// Checks the options of a table. Pure.
    ///
    /// # Errors
    /// Names the wrong option.
    pub fn new(config: &FileSourceConfig, context: &PluginContext) -> Result<Self> {
        let path = config.path.clone().ok_or_else(|| missing("path"))?;
        let format = config.file_format_type.ok_or_else(|| missing("file_format_type"))?.known()?;
        refuse_what_is_missing(config)?;
        let (id, declared) = schema(config, format, context)?;
        let content = declared.is_none() && format != FileFormat::Parquet;
        let declared = match content {
            true => Some(content_table(&id)),
            false => declared,
        };
        let plan = Self {
            path,
            format,
            id,
            read_columns: config.read_columns.clone(),
            codec: codec(config),
            syntax: syntax(config, format, content)?,
            nulls: Nulls {
                empty: !content,
                blank: format == FileFormat::Csv && !content,
                text: config.null_format.clone().map(String::into_bytes),
            },
            rules: Arc::new(rules(config)?),
            skip_lines: config.skip_header_row_number,
            header: config.csv_use_header_line && format == FileFormat::Csv && !content,
            partitions: config.parse_partition_from_path,
            filter: filter(config)?,
            metadata: config.metadata_columns.clone(),
            declared,
        };
        if let Some(table) = &plan.declared {
            plan.check_columns(table)?;
        }
        Ok(plan)
    }

    fn check_columns(&self, table: &TableSchema) -> Result<()> {
        let fields = self.select(&table.arrow)?;
        if let Some(name) = &self.metadata.file
            && fields.iter().any(|field| field.name() == name)
        {
            return Err(
                invalid(format!("there is already a column `{name}`")).at_option("metadata_columns.file")
            );
        }
        if matches!(self.format, FileFormat::Text | FileFormat::Csv) {
            for field in &fields {
                check_type(field, SEPARATORS.len()).map_err(|error| error.at_option("schema"))?;
            }
        }
        if self.format == FileFormat::Json {
            let schema = Arc::new(arrow_schema::Schema::new(fields));
            crate::decode::json::JsonLines::new(schema, b"\n").map_err(|error| error.at_option("schema"))?;
        }
        Ok(())
    }

    /// The columns to read of those there are.
    ///
    /// # Errors
    /// Names a column of `read_columns` that is not there.
    pub fn select(&self, schema: &SchemaRef) -> Result<Vec<Field>> {
        if self.read_columns.is_empty() {
            return Ok(schema.fields().iter().map(|field| field.as_ref().clone()).collect());
        }
        let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut fields: Vec<Field> = Vec::with_capacity(self.read_columns.len());
        for name in &self.read_columns {
            let field = schema.field_with_name(name).map_err(|_| {
                Error::user(api_codes::UNKNOWN_COLUMN, format!("there is no column `{name}`"))
                    .with_hint(seatun_api::error::nearest_hint(name, &known))
                    .at_option("read_columns")
            })?;
            if fields.iter().any(|other| other.name() == name) {
                return Err(invalid(format!("column `{name}` is there twice")).at_option("read_columns"));
            }
            fields.push(field.clone());
        }
        Ok(fields)
    }

    /// The partitions, if the options alone tell them: they do if the path is one file's, as a path with an
    /// extension and without a wildcard is taken to be, or if folders give no columns. `location` is the
    /// path in its store.
    pub fn told_partitions(&self, location: &str) -> Option<Vec<Partition>> {
        let name = self.path.rsplit_once('/').map_or(self.path.as_str(), |(_, name)| name);
        let is_file = name.trim_matches('.').contains('.') && !self.path.contains(['*', '?', '[', '{']);
        match (self.partitions, is_file) {
            (false, _) => Some(Vec::new()),
            (true, true) => Some(partition::of_file(location)),
            (true, false) => None,
        }
    }
}

fn missing(option: &str) -> Error {
    Error::user(api_codes::MISSING_OPTION, format!("option `{option}` is required")).at_option(option)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::user(api_codes::INVALID_OPTION, message)
}

fn refuse_what_is_missing(config: &FileSourceConfig) -> Result<()> {
    let refused =
        |option: &str, message: String| Err(Error::user(codes::NOT_IN_THIS_BUILD, message).at_option(option));
    if let Some(encoding) = config.encoding.as_deref()
        && !["utf-8", "utf8"].contains(&encoding.to_ascii_lowercase().as_str())
    {
        return refused("encoding", format!("files in `{encoding}` cannot be read, only UTF-8"));
    }
    if let Some(archive) = config.archive_compress_codec.as_deref()
        && !["none", "gz"].contains(&archive.to_ascii_lowercase().as_str())
    {
        return refused("archive_compress_codec", format!("archives of kind `{archive}` cannot be read yet"));
    }
    match config.compress_codec {
        None | Some(CompressCodec::None | CompressCodec::Gzip | CompressCodec::Zstd) => Ok(()),
        // A Parquet file says itself how its pages are packed.
        Some(_) if config.file_format_type == Some(FileFormat::Parquet) => Ok(()),
        Some(codec) => {
            refused("compress_codec", format!("files packed with `{}` cannot be read yet", codec.name()))
        }
    }
}

/// SeaTunnel names gzip among the archives.
fn codec(config: &FileSourceConfig) -> Option<CompressCodec> {
    match config.archive_compress_codec.as_deref() {
        Some(archive) if archive.eq_ignore_ascii_case("gz") => Some(CompressCodec::Gzip),
        _ => config.compress_codec,
    }
}

fn schema(
    config: &FileSourceConfig,
    format: FileFormat,
    context: &PluginContext,
) -> Result<(TableId, Option<TableSchema>)> {
    let default_id = default_table_id(context.output.as_deref());
    let Some(schema) = &config.schema else {
        if format == FileFormat::Json {
            return Err(missing("schema").with_hint("json files need the names and types of their columns"));
        }
        if config.csv_use_header_line && format == FileFormat::Csv {
            return Err(missing("schema").with_hint("the header line tells names but no types"));
        }
        return Ok((default_id, None));
    };
    if format == FileFormat::Parquet && schema.fields.is_none() && schema.columns.is_none() {
        let id = schema.table.as_deref().map(|path| TableId::parse(path, schema.schema_first));
        return Ok((id.unwrap_or(default_id), None));
    }
    let table = schema.to_table(default_id).map_err(|error| {
        let below = error.option().map(|option| format!("schema.{option}"));
        error.at_option(below.as_deref().unwrap_or("schema").to_owned())
    })?;
    Ok((table.id.clone(), Some(table)))
}

fn content_table(id: &TableId) -> TableSchema {
    let schema = arrow_schema::Schema::new(vec![Field::new(CONTENT, DataType::Utf8, true)]);
    TableSchema::new(id.clone(), Arc::new(schema))
}

fn syntax(config: &FileSourceConfig, format: FileFormat, content: bool) -> Result<Syntax> {
    let given = |text: &Option<String>, option: &str, default: &str| match text.as_deref() {
        Some("") => Err(invalid("must not be empty").at_option(option)),
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Ok(default.as_bytes().to_vec()),
    };
    let is_csv = format == FileFormat::Csv;
    let mut delimiter =
        given(&config.field_delimiter, "field_delimiter", if is_csv { "," } else { "\u{1}" })?;
    let mut terminator = given(&config.row_delimiter, "row_delimiter", "\n")?;
    if terminator == b"\r\n" {
        terminator = b"\n".to_vec();
    }
    if content {
        // No valid UTF-8 has this: the whole line is one field.
        delimiter = vec![0xff, 0xff];
    }
    let quote = match config.quote_char.as_deref().unwrap_or("\"").as_bytes() {
        _ if !is_csv || content => None,
        [] => None,
        [quote] if quote.is_ascii() => Some(*quote),
        _ => return Err(invalid("must be one ASCII character or empty").at_option("quote_char")),
    };
    let clashes = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
    if clashes(&delimiter, &terminator) {
        return Err(invalid("begins like `row_delimiter`").at_option("field_delimiter"));
    }
    if quote.is_some_and(|quote| delimiter.contains(&quote) || terminator.contains(&quote)) {
        return Err(invalid("is part of a delimiter").at_option("quote_char"));
    }
    Ok(Syntax { delimiter, terminator, quote, keep_quoted_blank: config.keep_quoted_blank })
}

fn rules(config: &FileSourceConfig) -> Result<Rules> {
    let compile = |text: &Option<String>, option: &str, default: &str| {
        // The default spelled out still takes every usual form, as in SeaTunnel.
        let text = text.as_deref().filter(|text| *text != default);
        text.map(Pattern::new).transpose().map_err(|reason| invalid(reason).at_option(option))
    };
    Ok(Rules {
        forms: Forms {
            date: compile(&config.date_format, "date_format", "yyyy-MM-dd")?,
            datetime: compile(&config.datetime_format, "datetime_format", "yyyy-MM-dd HH:mm:ss")?,
            time: compile(&config.time_format, "time_format", "HH:mm:ss")?,
        },
        separators: SEPARATORS.iter().map(|separator| vec![*separator]).collect(),
    })
}

fn filter(config: &FileSourceConfig) -> Result<Filter> {
    Ok(Filter {
        pattern: config.file_filter_pattern.as_deref().map(Filter::compile).transpose()?,
        extension: config.filename_extension.clone(),
        partitions: config.read_partitions.clone(),
    })
}
