//! Names of file formats and compression codecs, as job files spell them, for source and sink.

use schemars::JsonSchema;
use seatun_api::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::codes;

/// The formats that SeaTunnel job files name. Not all of them can be read or written by this build:
/// [`FileFormat::known`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// Lines with separated fields, no quotes; nested values by the separators `\u0001` to `\u0007`.
    Text,
    /// RFC 4180: quoted fields may hold delimiters, doubled quotes and line ends.
    Csv,
    /// One JSON object per line.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Apache ORC. Not in this build yet.
    Orc,
    /// Excel workbooks. Not in this build yet.
    Excel,
    /// XML documents. Not in this build yet.
    Xml,
    /// Files as they are. Not in this build yet.
    Binary,
    /// Debezium change records as JSON. Not in this build yet.
    DebeziumJson,
    /// Canal change records as JSON. Not in this build yet.
    CanalJson,
    /// Maxwell change records as JSON. Not in this build yet.
    MaxwellJson,
}

impl FileFormat {
    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Orc => "orc",
            Self::Excel => "excel",
            Self::Xml => "xml",
            Self::Binary => "binary",
            Self::DebeziumJson => "debezium_json",
            Self::CanalJson => "canal_json",
            Self::MaxwellJson => "maxwell_json",
        }
    }

    /// Passes the formats that this build can read and write.
    ///
    /// # Errors
    /// For the others, at the option `file_format_type`.
    pub fn known(self) -> Result<Self> {
        match self {
            Self::Text | Self::Csv | Self::Json | Self::Parquet => Ok(self),
            _ => Err(Error::user(
                codes::NOT_IN_THIS_BUILD,
                format!("file format `{}` is not in this build yet", self.name()),
            )
            .with_hint("this build has text, csv, json and parquet")
            .at_option("file_format_type")),
        }
    }
}

/// How a file is packed as a whole (text, csv, json), or how a Parquet file packs its pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CompressCodec {
    /// Not packed.
    #[default]
    None,
    /// RFC 1952; file names end in `.gz`.
    #[serde(alias = "gz")]
    Gzip,
    /// RFC 8878; file names end in `.zst`.
    #[serde(alias = "zst")]
    Zstd,
    /// Snappy, for Parquet pages.
    Snappy,
    /// LZ4, for Parquet pages.
    Lz4,
    /// Brotli, for Parquet pages. Not in this build yet.
    Brotli,
    /// LZO. Not in this build yet.
    Lzo,
    /// Zlib, for ORC. Not in this build yet.
    Zlib,
}

impl CompressCodec {
    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Brotli => "brotli",
            Self::Lzo => "lzo",
            Self::Zlib => "zlib",
        }
    }

    /// The codec that a file's name tells of: `.gz`, `.gzip`, `.zst` or `.zstd` at its end.
    #[must_use]
    pub fn of_name(name: &str) -> Self {
        match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
            Some("gz" | "gzip") => Self::Gzip,
            Some("zst" | "zstd") => Self::Zstd,
            _ => Self::None,
        }
    }
}
