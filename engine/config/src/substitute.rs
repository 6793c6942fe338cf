//! The textual pass: `${name}` and `${name:default}` inside of string values.
//!
//! It works on finished values, so that what is put in can never change the shape of the job: a value with
//! braces or quotes stays one string.

use seatun_api::config::{Value, ValueKind};

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::hocon::Lookup;
use crate::variables::is_reserved;

/// Replaces the placeholders in every string of the job. In sinks, the names that a sink fills in for each
/// table stay as they are.
pub(crate) fn substitute(root: &mut Value, lookup: &Lookup<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some(sections) = root.as_map_mut() else { return };
    for (name, section) in sections {
        // The dead-letter sink stands in `env`.
        let keeps_reserved = name == "sink" || name == "env";
        walk(section, keeps_reserved, lookup, diagnostics);
    }
}

fn walk(value: &mut Value, keeps_reserved: bool, lookup: &Lookup<'_>, diagnostics: &mut Vec<Diagnostic>) {
    match &mut value.kind {
        ValueKind::String(text) if text.contains("${") => {
            if text.contains("${?") {
                let message = "`${?..}` inside quotes is no substitution: it stays as it stands".to_owned();
                let hint = "write it without quotes, or `${name:}` with a default inside them";
                diagnostics
                    .push(Diagnostic::warning(codes::UNRESOLVED, message, &value.origin).with_hint(hint));
            }
            *text = replace(text, keeps_reserved, lookup);
        }
        ValueKind::List(list) => {
            for value in list {
                walk(value, keeps_reserved, lookup, diagnostics);
            }
        }
        ValueKind::Map(map) => {
            for value in map.values_mut() {
                walk(value, keeps_reserved, lookup, diagnostics);
            }
        }
        _ => {}
    }
}

/// A text with its placeholders filled in, once: what is put in is not looked at again.
fn replace(text: &str, keeps_reserved: bool, lookup: &Lookup<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let inner = &rest[start + 2..];
        let name_end = inner.find([':', '{', '}']);
        let close = match name_end.map(|end| (end, inner.as_bytes()[end])) {
            Some((end, b'}')) if end > 0 => Some((end, None, end)),
            Some((end, b':')) if end > 0 => inner[end..]
                .find('}')
                .map(|close| (end, Some(inner[end + 1..end + close].trim()), end + close)),
            _ => None,
        };
        let Some((name_end, default, close)) = close else {
            out.push_str(&rest[..start + 2]);
            rest = inner;
            continue;
        };
        let name = &inner[..name_end];
        let whole = &rest[start..start + 2 + close + 1];
        out.push_str(&rest[..start]);
        let known = if is_reserved(name) { None } else { lookup(name).filter(|value| !value.is_empty()) };
        match (known, default) {
            _ if is_reserved(name) && keeps_reserved => out.push_str(whole),
            (Some(value), _) => out.push_str(&value),
            (None, Some(default)) => out.push_str(default),
            (None, None) => out.push_str(whole),
        }
        rest = &inner[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_take_the_variable_then_the_default_then_stay() {
        let lookup = |name: &str| match name {
            "a" => Some("1".to_owned()),
            "empty" => Some(String::new()),
            "shape" => Some("\"} sink {".to_owned()),
            "again" => Some("${a}".to_owned()),
            "table_name" => Some("wrong".to_owned()),
            _ => None,
        };
        let cases = [
            ("x ${a} y ${a}", "x 1 y 1"),
            ("${b:7}", "7"),
            ("${b: 7 }", "7"),
            ("${b:}", ""),
            ("${empty}", "${empty}"),
            ("${empty:d}", "d"),
            ("${b}", "${b}"),
            ("${?a}", "${?a}"),
            ("${shape}", "\"} sink {"),
            ("${again}", "${a}"),
            ("${a", "${a"),
            ("${}", "${}"),
            ("${ü}${a}", "${ü}1"),
            ("${${a}}", "${1}"),
            ("${b:{x}", "{x"),
            ("${table_name:t}", "${table_name:t}"),
            ("$a {a} $", "$a {a} $"),
        ];
        for (text, expected) in cases {
            assert_eq!(replace(text, true, &lookup), expected, "{text}");
        }
        assert_eq!(replace("${table_name:t}", false, &lookup), "t");
    }
}
