//! Cuts big files into parts that several readers take: plain lines at records, Parquet at row groups.
//!
//! The cuts of a csv file are exact. Whether a line end is within quotes depends on everything before it,
//! so the file is looked through once from its first record, quote by quote.

use std::sync::Arc;

use memchr::memchr;
use seatun_api::Result;

use super::header;
use super::list::Found;
use super::split::Part;
use super::table::Table;
use crate::config::{CompressCodec, FileFormat};
use crate::decode::bytes::ByteStream;
use crate::decode::parquet::ParquetFile;
use crate::store::{RangedRead, StoredFile};

/// How many bytes around a wanted cut are read at first to find a line end.
const PROBE: u64 = 64 << 10;

/// The parts of a file, and how many bytes were read to find them.
pub struct Cut {
    /// In order; none for a file without rows.
    pub parts: Vec<Part>,
    /// For the planner to know how long it took.
    pub bytes_read: u64,
}

/// Cuts a file into parts of about `size` bytes; 0 for one part.
///
/// # Errors
/// If the file cannot be read, has changed or is damaged.
pub async fn cut(table: &Table, file: &Found, size: u64) -> Result<Cut> {
    let stored = StoredFile::new(&table.location, &file.path, file.size, file.tag.clone())?;
    let stored: Arc<dyn RangedRead> = Arc::new(stored);
    if table.plan.format == FileFormat::Parquet {
        return row_groups(stored, size).await;
    }
    if file.size == 0 {
        return Ok(Cut { parts: Vec::new(), bytes_read: 0 });
    }
    let syntax = &table.plan.syntax;
    let has_quotes = syntax.quote.is_some() && table.plan.format == FileFormat::Csv;
    // Marks of several bytes can overlap themselves, so that a cut in between could be found wrongly.
    let simple = syntax.terminator.len() == 1 && (!has_quotes || syntax.delimiter.len() == 1);
    let packed = table.codec_of(&file.path) != CompressCodec::None;
    let too_far = has_quotes && !table.location.local;
    if size == 0 || file.size <= size || !simple || packed || too_far {
        let whole = Part::Lines { start: 0, end: file.size, header: None };
        return Ok(Cut { parts: vec![whole], bytes_read: 0 });
    }
    lines(table, stored, size, has_quotes).await
}

async fn lines(table: &Table, file: Arc<dyn RangedRead>, size: u64, has_quotes: bool) -> Result<Cut> {
    let plan = &table.plan;
    let mut stream = ByteStream::plain(Arc::clone(&file), 0, file.size());
    let names = header::pass(&mut stream, plan, file.path()).await?;
    let (cuts, bytes_read) = match (has_quotes, plan.syntax.quote) {
        (true, Some(quote)) => {
            let mut scan = QuoteScan {
                quote,
                delimiter: plan.syntax.delimiter[0],
                terminator: plan.syntax.terminator[0],
                first: stream.offset(),
                inside: false,
                size,
                cuts: Vec::new(),
            };
            scan.run(&mut stream).await?;
            (scan.cuts, file.size())
        }
        _ => probe(&file, stream.offset(), size, plan.syntax.terminator[0]).await?,
    };
    let mut parts = Vec::with_capacity(cuts.len() + 1);
    let mut start = 0;
    for end in cuts.into_iter().chain([file.size()]) {
        if end > start {
            let header = if start == 0 { None } else { names.clone() };
            parts.push(Part::Lines { start, end, header });
            start = end;
        }
    }
    Ok(Cut { parts, bytes_read })
}

/// Finds cuts in a file whose records cannot hold their terminator: the first line end after each step.
async fn probe(file: &Arc<dyn RangedRead>, first: u64, size: u64, terminator: u8) -> Result<(Vec<u64>, u64)> {
    let (mut cuts, mut bytes_read) = (Vec::new(), 0);
    let mut from = first + size;
    'cuts: while from < file.size() {
        let (mut at, mut step) = (from - 1, PROBE);
        loop {
            let end = file.size().min(at + step);
            if at >= end {
                break 'cuts;
            }
            let bytes = file.read(at..end).await?;
            bytes_read += end - at;
            if let Some(found) = memchr(terminator, &bytes) {
                let cut = at + found as u64 + 1;
                cuts.push(cut);
                from = cut + size;
                break;
            }
            at = end;
            step = (step * 4).min(8 << 20);
        }
    }
    Ok((cuts, bytes_read))
}

/// Finds cuts in a file whose records may hold their terminator within quotes.
struct QuoteScan {
    quote: u8,
    delimiter: u8,
    terminator: u8,
    /// Where the first record begins.
    first: u64,
    inside: bool,
    size: u64,
    cuts: Vec<u64>,
}

impl QuoteScan {
    async fn run(&mut self, stream: &mut ByteStream) -> Result<()> {
        // The byte before the place to go on at stays in the window.
        let mut at = 0;
        loop {
            at = self.scan(stream.window(), stream.offset(), at, stream.ended());
            if stream.ended() {
                return Ok(());
            }
            let passed = at.saturating_sub(1);
            stream.consume(passed);
            at -= passed;
            stream.fill().await?;
        }
    }

    /// Goes on at a place of the data; gives the place where more data is needed.
    fn scan(&mut self, data: &[u8], base: u64, from: usize, ended: bool) -> usize {
        let mut at = from;
        while at < data.len() {
            let quote = memchr(self.quote, &data[at..]).map(|ahead| at + ahead);
            if !self.inside {
                let end = quote.unwrap_or(data.len());
                self.cut_within(data, base, at, end);
                let Some(quote) = quote else { return data.len() };
                self.inside = self.opens(data, base, quote);
                at = quote + 1;
                continue;
            }
            let Some(quote) = quote else { return data.len() };
            match data.get(quote + 1) {
                Some(&next) if next == self.quote => at = quote + 2,
                None if !ended => return quote,
                _ => {
                    self.inside = false;
                    at = quote + 1;
                }
            }
        }
        at
    }

    /// A quote opens a field only as its first byte; anywhere else it is an ordinary byte.
    fn opens(&self, data: &[u8], base: u64, quote: usize) -> bool {
        match quote.checked_sub(1).and_then(|before| data.get(before)) {
            Some(&before) => {
                before == self.delimiter || before == self.terminator || base + quote as u64 == self.first
            }
            None => true,
        }
    }

    fn cut_within(&mut self, data: &[u8], base: u64, start: usize, end: usize) {
        loop {
            let last = self.cuts.last().copied().unwrap_or(self.first);
            let wanted = usize::try_from((last + self.size - 1).saturating_sub(base)).unwrap_or(usize::MAX);
            let from = start.max(wanted);
            if from >= end {
                return;
            }
            match memchr(self.terminator, &data[from..end]) {
                Some(ahead) => self.cuts.push(base + (from + ahead) as u64 + 1),
                None => return,
            }
        }
    }
}

async fn row_groups(file: Arc<dyn RangedRead>, size: u64) -> Result<Cut> {
    let file = ParquetFile::open(file).await?;
    let mut parts = Vec::new();
    let (mut first, mut row, mut rows, mut bytes) = (0, 0, 0, 0);
    let groups = file.row_groups();
    for (index, (group_rows, group_bytes)) in groups.iter().enumerate() {
        rows += group_rows;
        bytes += group_bytes;
        let is_last = index + 1 == groups.len();
        if is_last || (size > 0 && bytes >= size) {
            parts.push(Part::RowGroups { first, end: index + 1, row, bytes });
            (first, row, rows, bytes) = (index + 1, row + rows, 0, 0);
        }
    }
    Ok(Cut { parts, bytes_read: 0 })
}
