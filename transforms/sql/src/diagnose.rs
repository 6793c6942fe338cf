//! What DataFusion says when a query cannot be planned or run, as errors of seatun.
//!
//! Guarantees: a planning error names its place in the query wherever it can be told, and the nearest known
//! name. An error of running rows never holds a row's value: DataFusion's and Arrow's own texts do, so only
//! their kind is passed on.

use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};
use seatun_api::Error;
use seatun_api::error::nearest_hint;

use crate::codes;
use crate::parse::{Place, error_at, find_word, lower_first};

/// An error of planning a query.
pub(crate) fn planning(error: &DataFusionError, query: &str, functions: &[String]) -> Error {
    let spanned = error.diagnostic().and_then(|diagnostic| Place::of_planner_span(diagnostic.span));
    match error.find_root() {
        DataFusionError::SchemaError(schema, _) => schema_error(schema, spanned, query),
        DataFusionError::External(own) => match own.downcast_ref::<Error>() {
            Some(own) => error_at(own.code(), spanned, own.message())
                .with_hint(own.hint().unwrap_or_default().to_owned()),
            None => other(&own.to_string(), spanned, query),
        },
        root => {
            let text = root.strip_backtrace();
            match (between(&text, "Invalid function '", "'"), error.diagnostic()) {
                (Some(name), _) => unknown_function(name, spanned, query, functions),
                // Elsewhere the text says more than the diagnostic.
                (None, Some(diagnostic)) if text.contains("While expanding wildcard") => {
                    other(&diagnostic.message, spanned, query)
                }
                (None, _) => other(&text, spanned, query),
            }
        }
    }
}

fn schema_error(error: &SchemaError, spanned: Option<Place>, query: &str) -> Error {
    let place = |name: &str| spanned.or_else(|| find_word(query, name));
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let names: Vec<&str> = valid_fields.iter().map(|column| column.name.as_str()).collect();
            let table = field.relation.as_ref().map(|table| format!(" in `{table}`")).unwrap_or_default();
            error_at(
                codes::QUERY_PLAN,
                place(&field.name),
                format!("there is no column `{}`{table}", field.name),
            )
            .with_hint(nearest_hint(&field.name, &names))
        }
        SchemaError::AmbiguousReference { field } => error_at(
            codes::QUERY_PLAN,
            place(&field.name),
            format!("several tables have a column `{}`", field.name),
        )
        .with_hint(format!("say which one is meant: `table.{}`", field.name)),
        SchemaError::DuplicateQualifiedField { name, .. }
        | SchemaError::DuplicateUnqualifiedField { name } => duplicate_column(name, place(name)),
    }
}

/// The error of two output columns of one name.
pub(crate) fn duplicate_column(name: &str, place: Option<Place>) -> Error {
    error_at(codes::QUERY_COLUMNS, place, format!("two columns that come out are named `{name}`"))
        .with_hint("give one of them another name with `AS`")
}

fn unknown_function(name: &str, spanned: Option<Place>, query: &str, functions: &[String]) -> Error {
    let known: Vec<&str> = functions.iter().map(String::as_str).collect();
    let hint = seatun_api::error::nearest(name, &known)
        .map(|nearest| format!("did you mean `{nearest}`?"))
        .unwrap_or_default();
    let place = spanned.or_else(|| find_word(query, name));
    error_at(codes::QUERY_PLAN, place, format!("there is no function `{name}`")).with_hint(hint)
}

/// Planning texts hold names and types only. The first of the names that stands in the query is the place.
fn other(text: &str, spanned: Option<Place>, query: &str) -> Error {
    let text = PREFIXES.iter().fold(text, |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    let first = text.lines().next().unwrap_or(text);
    let place = spanned.or_else(|| mentioned(first).find_map(|word| find_word(query, word)));
    let message = first.split(" Candidate functions:").next().unwrap_or(first);
    error_at(codes::QUERY_PLAN, place, lower_first(message))
}

const PREFIXES: &[&str] = &["Error during planning: ", "This feature is not implemented: "];

/// Names that a text of the planner gives as wrong.
fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('\'').skip(1).step_by(2);
    let bare = ["Field ", "SQL type "].into_iter().filter_map(|before| {
        let (_, after) = text.split_once(before)?;
        after.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).next()
    });
    quoted.map(|name| name.rsplit('.').next().unwrap_or(name)).chain(bare)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// What went wrong with a row's values, without the values. `None` if no row is to blame.
pub(crate) fn row_failure(error: &DataFusionError) -> Option<&'static str> {
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => arrow_failure(error),
        DataFusionError::Execution(text) if text.contains("arsing") || text.contains("arse") => {
            Some("a text cannot be read as the wanted type")
        }
        DataFusionError::Execution(_) | DataFusionError::External(_) => Some("a value does not suit it"),
        _ => None,
    }
}

fn arrow_failure(error: &ArrowError) -> Option<&'static str> {
    Some(match error {
        ArrowError::CastError(_) => "a value cannot be cast",
        ArrowError::DivideByZero => "division by zero",
        ArrowError::ArithmeticOverflow(_) => "a number overflows its type",
        ArrowError::ParseError(_) => "a text cannot be read as the wanted type",
        ArrowError::InvalidArgumentError(text)
            if text.contains("precision") || text.contains("too large") =>
        {
            "a number overflows its type"
        }
        ArrowError::InvalidArgumentError(_) | ArrowError::ComputeError(_) | ArrowError::ExternalError(_) => {
            "a value does not suit it"
        }
        _ => return None,
    })
}

/// An error of running a whole query.
pub(crate) fn running(error: &DataFusionError) -> Error {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            Error::user(codes::QUERY_MEMORY, "the query needs more memory than it may use")
                .at_option("query")
                .with_hint("raise `memory.operator`, or join and group less at a time")
        }
        DataFusionError::IoError(error) => spill(error),
        DataFusionError::ArrowError(error, _) => match &**error {
            ArrowError::IoError(_, error) => spill(error),
            other => failed(arrow_failure(other)),
        },
        _ => failed(row_failure(error)),
    }
}

fn failed(what: Option<&'static str>) -> Error {
    match what {
        Some(what) => Error::user(codes::QUERY_FAILED, format!("the query failed: {what}"))
            .at_option("query")
            .with_hint("guard the expression, for example with TRY_CAST, NULLIF or WHERE"),
        None => Error::internal(codes::QUERY_FAILED, "the query failed inside the query engine")
            .at_option("query"),
    }
}

/// An error of the disk that rows are spilled to.
pub(crate) fn spill(error: &std::io::Error) -> Error {
    let message = "cannot spill the rows of a query to disk";
    let text = error.to_string();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            Error::exhausted(codes::QUERY_SPILL, message)
                .with_hint("make room, or put the state on a larger disk")
        }
        _ => Error::external(codes::QUERY_SPILL, message),
    }
    .with("cause", text)
}
