//! `-i name=value`: the variables of the command line.

use std::collections::BTreeMap;
use std::sync::Arc;

use seatun_api::config::{Origin, Place};

use crate::codes;
use crate::diagnostic::{Diagnostic, Sources};
use crate::secrets;

/// What origins of `-i` values call their file.
pub(crate) const FILE: &str = "-i";

/// Names that stand for the table being written, in a sink; only the sink can fill them in.
const RESERVED: [&str; 10] = [
    "database_name",
    "schema_name",
    "schema_full_name",
    "table_name",
    "table_full_name",
    "primary_key",
    "unique_key",
    "field_names",
    "comment",
    "partition_keys",
];

/// Whether a name is filled in by sinks for each table.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Reads the arguments of `-i`. One argument may set several variables: it is cut at commas outside of
/// brackets and double quotes.
pub(crate) fn read(
    arguments: &[String],
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, String> {
    let file: Arc<str> = Arc::from(FILE);
    let mut variables = BTreeMap::new();
    let mut text = String::new();
    for (line, argument) in (1..).zip(arguments) {
        let begin = text.len();
        for (start, end) in pieces(argument) {
            let piece = &argument[start..end];
            let column = u32::try_from(argument[..start].chars().count()).unwrap_or(0) + 1;
            let offset = |at: usize| u32::try_from(begin + at).unwrap_or(u32::MAX);
            let place = Place { line, column, start: offset(start), end: offset(end) };
            let origin = Origin { file: Arc::clone(&file), place };
            let Some((name, value)) = piece.split_once('=').filter(|(name, _)| !name.trim().is_empty())
            else {
                let message = "a variable is given as `name=value`".to_owned();
                diagnostics.push(Diagnostic::error(codes::VARIABLE, message, &origin));
                continue;
            };
            let name = name.trim();
            if is_reserved(name) {
                let message = format!("the name `{name}` is reserved: sinks put it in for each table");
                diagnostics.push(
                    Diagnostic::error(codes::VARIABLE, message, &origin).with_hint("choose another name"),
                );
                continue;
            }
            if secrets::looks_secret(name) && !value.is_empty() {
                let message = format!("the value of `{name}` can be seen in the list of processes");
                let hint = format!("give it as an environment variable of the name `{name}`");
                diagnostics
                    .push(Diagnostic::warning(codes::SECRET_IN_SIGHT, message, &origin).with_hint(hint));
            }
            variables.insert(name.to_owned(), unquoted(value).to_owned());
        }
        text.push_str(argument);
        text.push('\n');
    }
    sources.insert(file, Arc::from(text));
    variables
}

/// A value that is quoted as a whole loses its quotes.
fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(value)
}

fn pieces(argument: &str) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let (mut start, mut brackets, mut quoted) = (0, 0usize, false);
    for (at, c) in argument.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => brackets += 1,
            ']' if !quoted => brackets = brackets.saturating_sub(1),
            ',' if !quoted && brackets == 0 => {
                pieces.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    pieces.push((start, argument.len()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(arguments: &[&str]) -> (Vec<(String, String)>, Vec<String>) {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let mut diagnostics = Vec::new();
        let variables = read(&arguments, &mut Sources::default(), &mut diagnostics);
        (variables.into_iter().collect(), diagnostics.into_iter().map(|d| d.message).collect())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn one_argument_sets_several_variables_but_not_at_commas_in_brackets_or_quotes() {
        let (variables, problems) = read_all(&["a=1,b=[x,y]", "c=\"p,q\"", "d=x=y", "e="]);
        assert_eq!(problems, [] as [&str; 0]);
        let expected =
            [pair("a", "1"), pair("b", "[x,y]"), pair("c", "p,q"), pair("d", "x=y"), pair("e", "")];
        assert_eq!(variables, expected);
    }

    #[test]
    fn reserved_names_and_nonsense_are_refused() {
        let (variables, problems) = read_all(&["table_name=t", "nonsense", "=x"]);
        assert_eq!(variables, []);
        assert_eq!(problems.len(), 3);
        assert!(problems[0].contains("`table_name` is reserved"), "{problems:?}");
    }
}
