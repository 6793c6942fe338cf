//! What is wrong with a job file, and the texts that it points into.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use seatun_api::Code;
use seatun_api::config::{Origin, Place, Problem};

use crate::secrets;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The job cannot run.
    Error,
    /// The job runs, but perhaps not as meant.
    Warning,
}

/// One finding, with its place.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Its code; `seatun explain` has a page for it.
    pub code: Code,
    /// What is wrong, lower-case, without a final dot. Never a secret.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// The option's path below its block, if it is one option's.
    pub option: Option<String>,
    /// The place: the key of an unknown option, the value of a wrong one, the block of a missing one.
    pub origin: Origin,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, message: impl Into<String>, origin: &Origin) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            hint: None,
            option: None,
            origin: origin.clone(),
        }
    }

    /// A warning at a place.
    pub fn warning(code: Code, message: impl Into<String>, origin: &Origin) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message, origin) }
    }

    /// Adds what would be right; an empty text adds nothing.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// A plugin's problem as an error.
    #[must_use]
    pub fn of_problem(problem: Problem) -> Self {
        Self {
            severity: Severity::Error,
            code: problem.code,
            message: problem.message,
            hint: problem.hint,
            option: (!problem.option.is_empty()).then_some(problem.option),
            origin: problem.origin,
        }
    }

    /// Whether the job cannot run.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Sorts by file and place, errors before warnings at the same place, and drops repeats.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| order(a).cmp(&order(b)));
    diagnostics.dedup_by(|a, b| order(a) == order(b) && a.message == b.message);
}

fn order(diagnostic: &Diagnostic) -> (&str, Place, Severity, &str) {
    let origin = &diagnostic.origin;
    (&origin.file, origin.place, diagnostic.severity, diagnostic.code.0)
}

/// The texts that diagnostics point into, by file name as the origins have it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: BTreeMap<Arc<str>, Text>,
}

#[derive(Clone, Debug)]
struct Text {
    text: Arc<str>,
    masked: Vec<Range<usize>>,
}

/// A line to show, with the values of secrets replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLine {
    /// The line's text.
    pub text: String,
    /// The characters of the text to mark.
    pub mark: Range<usize>,
}

impl Sources {
    /// Adds a text.
    pub fn insert(&mut self, file: Arc<str>, text: Arc<str>) {
        let masked = secrets::secret_ranges(&text);
        self.texts.insert(file, Text { text, masked });
    }

    /// The text of a file, with its secrets.
    #[must_use]
    pub fn text(&self, file: &str) -> Option<&Arc<str>> {
        self.texts.get(file).map(|text| &text.text)
    }

    /// The line that an origin points to, without the values of what looks like a secret, and which of
    /// its characters to mark. A mark over several lines ends with the first.
    #[must_use]
    pub fn line(&self, origin: &Origin) -> Option<ShownLine> {
        let Text { text, masked } = self.texts.get(&origin.file)?;
        let place = origin.place;
        let at = place.start as usize;
        if place.line == 0 || !text.is_char_boundary(at) {
            return None;
        }
        let begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        let mut shown = String::new();
        let (mut mark_start, mut mark_end) = (None, 0);
        let mut hidden: Option<usize> = None;
        for (offset, c) in text[begin..end].char_indices() {
            let offset = begin + offset;
            let mask = masked.iter().position(|range| range.contains(&offset));
            let from = shown.chars().count();
            match mask {
                Some(_) if mask == hidden => {}
                Some(_) => shown.push_str(secrets::MASK),
                None if c == '\t' => shown.push(' '),
                None if c.is_control() => {}
                None => shown.push(c),
            }
            hidden = mask;
            let marked = offset >= at && (offset < place.end as usize || offset == at);
            if marked {
                let inside = from == shown.chars().count();
                mark_start.get_or_insert_with(|| if inside { from.saturating_sub(1) } else { from });
                mark_end = shown.chars().count();
            }
        }
        let length = shown.trim_end().chars().count();
        let start = mark_start.unwrap_or(length);
        let end = mark_end.min(length).max(start + 1);
        Some(window(shown.trim_end(), start..end))
    }
}

/// The part of a line around its mark, if the line is too long to be shown.
fn window(line: &str, mark: Range<usize>) -> ShownLine {
    const WIDTH: usize = 160;
    const DOTS: &str = "...";
    let length = line.chars().count();
    if length <= WIDTH {
        return ShownLine { text: line.to_owned(), mark };
    }
    let from = mark.start.saturating_sub(WIDTH / 2).min(length - WIDTH);
    let shown: String = line.chars().skip(from).take(WIDTH).collect();
    let head = if from > 0 { DOTS } else { "" };
    let tail = if from + WIDTH < length { DOTS } else { "" };
    let start = mark.start.saturating_sub(from).min(WIDTH) + head.len();
    let end = mark.end.saturating_sub(from).min(WIDTH) + head.len();
    ShownLine { text: format!("{head}{shown}{tail}"), mark: start..end.max(start + 1) }
}

/// One diagnostic as plain text: headline, place, the line with a mark below it, and the hint.
///
/// ```text
/// error[ST-0102]: unknown option `rowz`
///  --> job.conf:12:5
///    |
/// 12 |     rowz = 3
///    |     ^^^^
///    = help: did you mean `rows`?
/// ```
#[must_use]
pub fn render_plain(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut out = format!("{severity}[{}]: {}\n", diagnostic.code, diagnostic.message);
    let line = sources.line(&diagnostic.origin);
    let number = diagnostic.origin.place.line.to_string();
    let gutter = " ".repeat(if line.is_some() { number.len() } else { 1 });
    if !diagnostic.origin.file.is_empty() {
        out.push_str(&format!("{gutter}--> {}\n", diagnostic.origin));
    }
    if let Some(line) = line {
        let indent = " ".repeat(line.mark.start);
        let carets = "^".repeat(line.mark.len());
        out.push_str(&format!("{gutter} |\n{number} | {}\n{gutter} | {indent}{carets}\n", line.text));
    }
    if let Some(hint) = &diagnostic.hint {
        out.push_str(&format!("{gutter} = help: {hint}\n"));
    }
    out
}
