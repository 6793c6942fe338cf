//! How records are stored: pretty JSON, and a last line with its size and CRC-32C.
//!
//! A record can be read with `less`; `head -n -1` gives plain JSON. Any change of a byte, any cut and
//! anything appended is found.

use bytes::Bytes;
use seatun_api::{Error, Result, error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::manifest::FORMAT;

/// Larger records are not read. A manifest of a million splits has about 200 MB.
pub(crate) const LARGEST: u64 = 1 << 30;

/// Why a record cannot be used.
#[derive(Debug)]
pub(crate) enum Damage {
    /// Its last line is missing, cut or followed by something.
    Cut,
    /// Its bytes are not those that were written.
    Checksum,
    /// It is whole, but says that it is something else than its name says.
    Misplaced,
    /// It is whole, but a file that it names is missing.
    MissingFile(String),
    /// It is whole, and of a format that this build does not know.
    UnknownFormat(u32),
    /// It is whole and of this format, but not of its form.
    Form(serde_json::Error),
    /// It is whole and belongs to another job.
    Foreign(String),
}

impl Damage {
    /// Whether the stored bytes have suffered; the alternative is that they are right and not for this
    /// build or job.
    pub(crate) fn is_decay(&self) -> bool {
        matches!(self, Self::Cut | Self::Checksum | Self::Misplaced | Self::MissingFile(_))
    }

    pub(crate) fn to_error(&self, path: &str, store: &str) -> Error {
        let error = match self {
            Self::Cut => damaged("is cut off or has something appended"),
            Self::Checksum => damaged("does not match its checksum"),
            Self::Misplaced => damaged("holds another epoch than its name says"),
            Self::MissingFile(file) => {
                Error::user(codes::STATE_FILE_DAMAGED, "a state file that the checkpoint needs is missing")
                    .with("missing", file)
                    .with_hint("put it back, restore a savepoint (--restore NAME), or start with --fresh")
            }
            Self::UnknownFormat(format) => Error::user(
                codes::FORMAT_UNKNOWN,
                format!("stored state has format {format}, this build reads format {FORMAT}"),
            )
            .with_hint("start the job with the release that wrote it, or a later one"),
            Self::Form(error) => {
                Error::user(codes::FORMAT_UNKNOWN, "stored state has a form that this build does not know")
                    .with_hint("start the job with the release that wrote it, or a later one")
                    .with_source(error.to_string())
            }
            Self::Foreign(job) => Error::user(
                codes::FOREIGN_STATE,
                format!("the state in this job's folder belongs to job `{job}`"),
            )
            .with_hint("give the job another name (job.name), or move the folder away"),
        };
        error.with("file", path).with("store", store)
    }
}

fn damaged(how: &str) -> Error {
    Error::user(codes::MANIFEST_DAMAGED, format!("a stored record {how}"))
}

/// The stored form of a record.
pub(crate) fn encode<T: Serialize>(record: &T) -> Result<Bytes> {
    let mut bytes = serde_json::to_vec_pretty(record).map_err(|source| {
        Error::internal(error::codes::STATE_CODEC, "a record of the state has no JSON form")
            .with_source(source)
    })?;
    bytes.push(b'\n');
    let footer = footer(&bytes);
    bytes.extend_from_slice(footer.as_bytes());
    Ok(Bytes::from(bytes))
}

/// Reads a record.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Damage> {
    let json = check(bytes)?;
    let format = serde_json::from_slice::<Head>(json).map_err(Damage::Form)?.format;
    if format != FORMAT {
        return Err(Damage::UnknownFormat(format));
    }
    serde_json::from_slice(json).map_err(Damage::Form)
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

fn check(bytes: &[u8]) -> Result<&[u8], Damage> {
    let last = bytes.strip_suffix(b"\n").ok_or(Damage::Cut)?;
    let start = last.iter().rposition(|&byte| byte == b'\n').ok_or(Damage::Cut)? + 1;
    let (json, found) = bytes.split_at_checked(start).ok_or(Damage::Cut)?;
    if !found.starts_with(FOOTER.as_bytes()) {
        return Err(Damage::Cut);
    }
    if found != footer(json).as_bytes() {
        return Err(Damage::Checksum);
    }
    Ok(json)
}

const FOOTER: &str = "# crc32c=";

fn footer(json: &[u8]) -> String {
    format!("{FOOTER}{:08x} bytes={}\n", crc32c::crc32c(json), json.len())
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
