//! What stands before the first record of a text or csv file: a byte order mark, lines to skip, and the
//! names of the columns.

use arrow_schema::SchemaRef;
use seatun_api::{Error, Result};

use super::table::TablePlan;
use crate::codes;
use crate::config::FileFormat;
use crate::decode::bytes::ByteStream;
use crate::decode::records::{Records, UNWANTED, unescape};

/// Columns of a header line at most.
const MAX_COLUMNS: usize = 16_384;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Moves a stream that stands at the start of a file to the first record, and gives the names of the
/// header line if the table has one.
///
/// # Errors
/// If the file cannot be read or its header line is not text.
pub async fn pass(stream: &mut ByteStream, plan: &TablePlan, path: &str) -> Result<Option<Vec<String>>> {
    while stream.window().len() < BYTE_ORDER_MARK.len() && !stream.ended() {
        stream.fill().await?;
    }
    if stream.window().starts_with(BYTE_ORDER_MARK) {
        stream.consume(BYTE_ORDER_MARK.len());
    }
    if !matches!(plan.format, FileFormat::Text | FileFormat::Csv) {
        return Ok(None);
    }
    for _ in 0..plan.skip_lines {
        skip_line(stream, &plan.syntax.terminator).await?;
    }
    if !plan.header {
        return Ok(None);
    }
    let slots: Vec<usize> = (0..MAX_COLUMNS).collect();
    let mut records = Records::default();
    let taken = loop {
        let taken = records.scan(stream.window(), &plan.syntax, &slots, MAX_COLUMNS, stream.ended(), 1);
        if !records.records.is_empty() || stream.ended() {
            break taken;
        }
        stream.fill().await?;
    };
    let names = names(&records, stream.window(), plan.syntax.quote)
        .ok_or_else(|| Error::user(codes::HEADER, "the header line is not UTF-8").with("path", path))?;
    stream.consume(taken);
    Ok(Some(names))
}

async fn skip_line(stream: &mut ByteStream, terminator: &[u8]) -> Result<()> {
    loop {
        if let Some(at) = memchr::memmem::find(stream.window(), terminator) {
            stream.consume(at + terminator.len());
            return Ok(());
        }
        if stream.ended() {
            stream.consume(stream.window().len());
            return Ok(());
        }
        stream.fill().await?;
    }
}

/// The fields of the one record, without blanks around them. No record is no names.
fn names(records: &Records, data: &[u8], quote: Option<u8>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    if records.records.is_empty() {
        return Some(names);
    }
    let mut scratch = Vec::new();
    for column in 0..MAX_COLUMNS {
        let span = records.span(0, column);
        let Some(field) = span.of(data) else { break };
        let text = match quote {
            Some(quote) if span.is_escaped() => {
                unescape(field, quote, &mut scratch);
                scratch.as_slice()
            }
            _ => field,
        };
        names.push(std::str::from_utf8(text).ok()?.trim().to_owned());
    }
    Some(names)
}

/// For each field of a record the number of the column of `wanted` that it is: by the names of the header
/// line if there is one, else by the order of the declared columns.
///
/// # Errors
/// Names a column that the header line lacks or has twice.
pub fn slots(
    header: Option<&[String]>,
    declared: &SchemaRef,
    wanted: &SchemaRef,
    path: &str,
) -> Result<Vec<usize>> {
    let own: Vec<&str> = match header {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => declared.fields().iter().map(|field| field.name().as_str()).collect(),
    };
    let mut slots = vec![UNWANTED; own.len()];
    // A file of nothing at all has no rows that could lack a column.
    if own.is_empty() {
        return Ok(slots);
    }
    for (slot, field) in wanted.fields().iter().enumerate() {
        let mut places = own.iter().enumerate().filter(|(_, name)| *name == field.name());
        let place = match (places.next(), places.next()) {
            (Some((place, _)), None) => place,
            (found, _) => {
                let what = if found.is_some() { "is there twice" } else { "is not there" };
                let message = format!("column `{}` {what} in the header line", field.name());
                return Err(Error::user(codes::HEADER, message)
                    .with_hint(seatun_api::error::nearest_hint(field.name(), &own))
                    .with("path", path));
            }
        };
        if let Some(kept) = slots.get_mut(place) {
            *kept = slot;
        }
    }
    Ok(slots)
}
