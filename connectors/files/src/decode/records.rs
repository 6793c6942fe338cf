//! Splits delimited text into records and fields.
//!
//! A field is quoted if its first byte is the quote. It then ends at the next quote that is not doubled;
//! what follows up to the delimiter is part of it. A quote anywhere else is an ordinary byte. A record ends
//! at the terminator outside quotes; for the terminator `\n` a `\r` before it belongs to the end. An empty
//! line of a format with quotes is no record.

use memchr::memchr;

use super::scan::Scanner;

/// How records and fields are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// Ends a field. Not empty.
    pub delimiter: Vec<u8>,
    /// Ends a record. Not empty.
    pub terminator: Vec<u8>,
    /// Encloses fields, if fields can be enclosed.
    pub quote: Option<u8>,
    /// Whether a quoted field of nothing or blanks is a text; else it is null.
    pub keep_quoted_blank: bool,
}

impl Syntax {
    fn strips_return(&self) -> bool {
        self.terminator == b"\n"
    }

    /// The end of a record's text, without the carriage return before a line feed.
    pub fn text_end(&self, data: &[u8], start: usize, end: usize) -> usize {
        match end > start && self.strips_return() && data[end - 1] == b'\r' {
            true => end - 1,
            false => end,
        }
    }
}

/// Where a field stands in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

const QUOTED: u32 = 1 << 31;
const ESCAPED: u32 = 1 << 30;
const PLACE: u32 = ESCAPED - 1;

impl Span {
    const ABSENT: Self = Self { start: u32::MAX, end: 0 };

    /// The bytes between start and end; for an escaped field with its quotes. `None` if the record has no
    /// such field.
    #[inline]
    pub fn of(self, data: &[u8]) -> Option<&[u8]> {
        data.get((self.start & PLACE) as usize..self.end as usize)
    }

    /// Whether it stood in quotes.
    #[inline]
    pub fn is_quoted(self) -> bool {
        self.start & QUOTED != 0
    }

    /// Whether [`of`](Self::of) still holds quotes that must be taken out.
    #[inline]
    pub fn is_escaped(self) -> bool {
        self.start & ESCAPED != 0
    }
}

/// The place of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its first byte.
    pub start: usize,
    /// The byte after its text, without the terminator.
    pub end: usize,
    /// A quote was opened and never closed.
    pub unterminated: bool,
}

/// The fields of some records, as many per record as are wanted.
#[derive(Debug, Default)]
pub struct Records {
    /// The records in order.
    pub records: Vec<Record>,
    /// How many fields are kept of each record.
    width: usize,
    spans: Vec<Span>,
}

/// The slot of fields that are not kept.
pub const UNWANTED: usize = usize::MAX;

/// A quoted field that is being read.
#[derive(Clone, Copy)]
struct Quoted {
    close: usize,
    doubled: bool,
}

impl Records {
    /// The field in a slot of a record.
    #[inline]
    pub fn span(&self, record: usize, slot: usize) -> Span {
        self.spans.get(record * self.width + slot).copied().unwrap_or(Span::ABSENT)
    }

    /// Finds the records at the start of `data`, at most `most`, and gives the number of bytes that they
    /// and the empty lines after them take. `slots[i]` says in which slot field `i` is kept. Unless `ended`,
    /// what follows the last terminator is left for later.
    pub fn scan(
        &mut self,
        data: &[u8],
        syntax: &Syntax,
        slots: &[usize],
        width: usize,
        ended: bool,
        most: usize,
    ) -> usize {
        self.records.clear();
        self.spans.clear();
        self.width = width;
        let quote = syntax.quote.unwrap_or(syntax.delimiter[0]);
        let mut scanner = Scanner::new(data, [syntax.delimiter[0], syntax.terminator[0], quote]);
        let mut walk = Walk { data, syntax, slots, width, start: 0, field: 0, column: 0, quoted: None };
        let mut consumed = 0;
        while self.records.len() < most {
            let Some(place) = scanner.next_mark() else {
                if ended && walk.start < data.len() {
                    walk.end_record(self, data.len(), false);
                    consumed = data.len();
                }
                break;
            };
            let byte = data[place];
            if walk.opens_quote(place, byte) {
                match walk.close_of_quote(place, ended) {
                    Close::At(quoted) => {
                        walk.quoted = Some(quoted);
                        scanner.seek(quoted.close + 1);
                    }
                    Close::NotYet => break,
                    Close::Never => {
                        walk.end_record(self, data.len(), true);
                        consumed = data.len();
                        break;
                    }
                }
                continue;
            }
            match walk.mark_at(place, byte, ended) {
                Mark::Delimiter => {
                    walk.end_field(self, place);
                    walk.field = place + syntax.delimiter.len();
                    if syntax.delimiter.len() > 1 {
                        scanner.seek(walk.field);
                    }
                }
                Mark::Terminator => {
                    consumed = place + syntax.terminator.len();
                    walk.end_record(self, place, false);
                    walk.begin_record(consumed);
                    if syntax.terminator.len() > 1 {
                        scanner.seek(consumed);
                    }
                }
                Mark::Cut => break,
                Mark::None => {}
            }
        }
        self.spans.truncate(self.records.len() * width);
        consumed
    }
}

enum Mark {
    Delimiter,
    Terminator,
    /// The data ends within what may be one of both.
    Cut,
    None,
}

enum Close {
    At(Quoted),
    NotYet,
    Never,
}

/// The state of reading one record.
struct Walk<'a> {
    data: &'a [u8],
    syntax: &'a Syntax,
    slots: &'a [usize],
    width: usize,
    /// Where the record begins.
    start: usize,
    /// Where the field begins.
    field: usize,
    /// The number of the field.
    column: usize,
    quoted: Option<Quoted>,
}

impl Walk<'_> {
    fn begin_record(&mut self, at: usize) {
        self.start = at;
        self.field = at;
        self.column = 0;
        self.quoted = None;
    }

    #[inline]
    fn opens_quote(&self, place: usize, byte: u8) -> bool {
        place == self.field && self.quoted.is_none() && self.syntax.quote == Some(byte)
    }

    fn close_of_quote(&self, open: usize, ended: bool) -> Close {
        let mut doubled = false;
        let mut from = open + 1;
        loop {
            let rest = self.data.get(from..).unwrap_or_default();
            let Some(ahead) = memchr(self.data[open], rest) else {
                return if ended { Close::Never } else { Close::NotYet };
            };
            let close = from + ahead;
            match self.data.get(close + 1) {
                Some(&next) if next == self.data[open] => {
                    doubled = true;
                    from = close + 2;
                }
                None if !ended => return Close::NotYet,
                _ => return Close::At(Quoted { close, doubled }),
            }
        }
    }

    #[inline]
    fn mark_at(&self, place: usize, byte: u8, ended: bool) -> Mark {
        // Nearly all marks are of one byte, and a comparison of slices is a call.
        match (self.syntax.delimiter.as_slice(), self.syntax.terminator.as_slice()) {
            ([delimiter], _) if *delimiter == byte => Mark::Delimiter,
            (_, [terminator]) if *terminator == byte => Mark::Terminator,
            ([_], [_]) => Mark::None,
            _ => self.long_mark_at(place, ended),
        }
    }

    fn long_mark_at(&self, place: usize, ended: bool) -> Mark {
        let rest = &self.data[place..];
        for (mark, is) in
            [(&self.syntax.delimiter, Mark::Delimiter), (&self.syntax.terminator, Mark::Terminator)]
        {
            if rest.starts_with(mark) {
                return is;
            }
            if !ended && mark.starts_with(rest) {
                return Mark::Cut;
            }
        }
        Mark::None
    }

    #[inline]
    fn end_field(&mut self, out: &mut Records, end: usize) {
        if self.column == 0 {
            out.spans.resize((out.records.len() + 1) * self.width, Span::ABSENT);
        }
        let slot = self.slots.get(self.column).copied().unwrap_or(UNWANTED);
        self.column += 1;
        let quoted = self.quoted.take();
        if slot == UNWANTED {
            return;
        }
        let place = |place: usize| u32::try_from(place).unwrap_or(PLACE) & PLACE;
        let span = match quoted {
            None => Span { start: place(self.field), end: place(end) },
            Some(Quoted { close, doubled: false }) if close + 1 == end => {
                Span { start: place(self.field + 1) | QUOTED, end: place(close) }
            }
            Some(_) => Span { start: place(self.field) | QUOTED | ESCAPED, end: place(end) },
        };
        if let Some(kept) = out.spans.get_mut(out.records.len() * self.width + slot) {
            *kept = span;
        }
    }

    #[inline]
    fn end_record(&mut self, out: &mut Records, end: usize, unterminated: bool) {
        let least = self.quoted.map_or(self.field, |quoted| quoted.close + 1);
        let end = if unterminated { end } else { self.syntax.text_end(self.data, least, end) };
        let is_empty = end == self.start;
        if is_empty && self.syntax.quote.is_some() {
            return;
        }
        self.end_field(out, end);
        out.records.push(Record { start: self.start, end, unterminated });
    }
}

/// The text of a field that was in quotes: the outer quotes are taken away and doubled ones made single;
/// what follows the closing quote is kept as it is.
pub fn unescape(field: &[u8], quote: u8, out: &mut Vec<u8>) {
    out.clear();
    let mut rest = field.get(1..).unwrap_or_default();
    while let Some(at) = memchr(quote, rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if rest.first() != Some(&quote) {
            break;
        }
        out.push(quote);
        rest = &rest[1..];
    }
    out.extend_from_slice(rest);
}
