//! The one error type of seatun.
//!
//! An error says who can mend it ([`Blame`]), whether trying again can help ([`Retry`]), and carries a
//! [`Code`] that `seatun explain` has a page for. The runtime's policy is computed from the first two: it is
//! never guessed from a text. Messages are lower-case without a final dot and never hold a row's values.

use std::fmt;

use crate::table::TableId;

/// The result of anything that can fail in seatun.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

/// A stable error code, `ST-` and four digits. `docs/errors/<code>.md` explains it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Codes that several crates use. A crate with codes of its own keeps them in its `codes` module; the
/// first two digits are the area (01 configuration, 02 job graph, 03 state, 04 runtime, 05 transforms,
/// 06 files, 07 built-in connectors).
pub mod codes {
    use super::Code;

    /// A defect of seatun itself.
    pub const INTERNAL: Code = Code("ST-0001");
    /// An Arrow kernel refused its input.
    pub const ARROW: Code = Code("ST-0002");
    /// An operation that this connector does not support was asked of it.
    pub const UNSUPPORTED: Code = Code("ST-0003");
    /// A column name that the table does not have.
    pub const UNKNOWN_COLUMN: Code = Code("ST-0004");
    /// Stored state of an unknown kind, version or form.
    pub const STATE_CODEC: Code = Code("ST-0005");
    /// A secret's file cannot be read.
    pub const SECRET_FILE: Code = Code("ST-0006");
    /// An option has a wrong type.
    pub const WRONG_TYPE: Code = Code("ST-0101");
    /// An option that the plugin does not have.
    pub const UNKNOWN_OPTION: Code = Code("ST-0102");
    /// A required option is missing.
    pub const MISSING_OPTION: Code = Code("ST-0103");
    /// An option's value is of the right type but makes no sense.
    pub const INVALID_OPTION: Code = Code("ST-0104");
}

/// Who can mend it; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The job file or the data: the user.
    User,
    /// A system outside: network, server, disk.
    External,
    /// Another process has taken the job over.
    Fenced,
    /// A defect of seatun.
    Internal,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It fails again.
    Never,
    /// It may pass after a while: tried again within the job's restart budget.
    Backoff,
    /// It passes when room is made (disk full, quota): waited for without end, not held against the
    /// restart budget.
    Pause,
}

/// What went wrong, for a person and for the restart policy.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    blame: Blame,
    retry: Retry,
    message: String,
    hint: Option<String>,
    option: Option<String>,
    context: Vec<(&'static str, String)>,
    source: Option<BoxedError>,
}

impl Error {
    fn new(code: Code, blame: Blame, retry: Retry, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            blame,
            retry,
            message: message.into(),
            hint: None,
            option: None,
            context: Vec::new(),
            source: None,
        }))
    }

    /// The user can mend it; trying again does not help.
    pub fn user(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Blame::User, Retry::Never, message)
    }

    /// A system outside failed; trying again may help.
    pub fn external(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Blame::External, Retry::Backoff, message)
    }

    /// Something outside has run out (disk, quota): the job waits until there is room again.
    pub fn exhausted(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Blame::External, Retry::Pause, message)
    }

    /// A system outside refuses for good (denied, not found): trying again does not help.
    pub fn external_permanent(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Blame::External, Retry::Never, message)
    }

    /// Another process owns the job.
    pub fn fenced(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Blame::Fenced, Retry::Never, message)
    }

    /// A defect of seatun.
    pub fn internal(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Blame::Internal, Retry::Never, message)
    }

    /// Adds what would be right.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        let hint = hint.into();
        self.0.hint = (!hint.is_empty()).then_some(hint);
        self
    }

    /// Names the option of the plugin's config that is wrong, as a path (`rules.row_rules[0].rule_type`),
    /// so that the message can point to its place in the job file.
    #[must_use]
    pub fn at_option(mut self, path: impl Into<String>) -> Self {
        self.0.option = Some(path.into());
        self
    }

    /// Adds a fact: node, path, table, split. Never a row's value.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Keeps the error below this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxedError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Who can mend it.
    #[must_use]
    pub fn blame(&self) -> Blame {
        self.0.blame
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The message alone, without code, context and source.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What would be right.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The path of the option that is wrong.
    #[must_use]
    pub fn option(&self) -> Option<&str> {
        self.0.option.as_deref()
    }

    /// The facts added on the way up.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The whole story on one line: message, facts and every error below, joined by `: `.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.0.message.clone();
        for (key, value) in &self.0.context {
            text.push_str(&format!(" [{key}={value}]"));
        }
        let mut below = std::error::Error::source(self);
        while let Some(error) = below {
            text.push_str(&format!(": {error}"));
            below = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?}, {:?}): {}", self.0.code, self.0.blame, self.0.retry, self.chain())?;
        match &self.0.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

/// Arrow writes the values that it cannot convert into its messages; those must not get into a log, so of
/// an error about data only the kind is kept.
impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        use arrow_schema::ArrowError as E;
        let about_data = match &error {
            E::CastError(_) => Some("a value cannot be cast"),
            E::ParseError(_) => Some("a value cannot be parsed"),
            E::ComputeError(_) => Some("a value cannot be computed"),
            E::ArithmeticOverflow(_) => Some("a value is out of range"),
            E::DivideByZero => Some("division by zero"),
            E::InvalidArgumentError(_) => Some("a column is not what was expected"),
            E::CsvError(_) | E::JsonError(_) => Some("a text is malformed"),
            _ => None,
        };
        match about_data {
            Some(what) => Self::internal(codes::ARROW, format!("an arrow kernel failed: {what}")),
            None => Self::internal(codes::ARROW, "an arrow kernel failed").with_source(error),
        }
    }
}

/// The name in `known` that is nearest to `name`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(3)) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?" for the nearest known name, else the list of known names if it is short.
#[must_use]
pub fn nearest_hint(name: &str, known: &[&str]) -> String {
    const SHORT: usize = 24;
    match nearest(name, known) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if known.is_empty() => String::new(),
        None if known.len() <= SHORT => format!("known: {}", known.join(", ")),
        None => format!("known: {}, ...", known[..SHORT].join(", ")),
    }
}

/// The error of a table that a node was not told of.
#[must_use]
pub fn unknown_table(id: &TableId) -> Error {
    Error::internal(codes::INTERNAL, format!("no schema is known for table {id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_a_likely_slip_only() {
        let known = ["path", "file_format_type", "row.num"];
        assert_eq!(nearest("pth", &known), Some("path"));
        assert_eq!(nearest("file_format", &known), Some("file_format_type"));
        assert_eq!(nearest("ROW.NUM", &known), Some("row.num"));
        assert_eq!(nearest("bucket", &known), None);
    }

    #[test]
    fn a_chain_tells_the_whole_story() {
        let error = Error::external(codes::INTERNAL, "cannot write")
            .with("path", "/data")
            .with_source(std::io::Error::other("disk is gone"));
        assert_eq!(error.chain(), "cannot write [path=/data]: disk is gone");
        assert_eq!(error.to_string(), "ST-0001: cannot write");
    }
}
