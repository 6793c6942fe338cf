//! Which options look like secrets, and where their values stand in a text: those parts are never shown.
//!
//! It works on the text alone, so that it also holds for a file that cannot be parsed. When in doubt it
//! hides too much.

use std::ops::Range;

/// What is shown in place of a secret.
pub const MASK: &str = "******";

const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "access_key",
    "access-key",
    "accesskey",
    "access.key",
    "api_key",
    "api-key",
    "apikey",
    "private_key",
    "private-key",
    "private.key",
    "credential",
    "authorization",
    "sasl.jaas",
];

/// Whether a key's value is to be hidden: `password`, `secret_key`, `Authorization`, `auth` and the like.
#[must_use]
pub fn looks_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let last = key.rsplit(['.', '>']).next().unwrap_or(&key);
    last == "auth" || WORDS.iter().any(|word| key.contains(word))
}

/// The byte ranges of the values of secrets, in order, not overlapping.
pub(crate) fn secret_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, separator) in text.char_indices().filter(|(_, c)| matches!(c, '=' | ':')) {
        if ranges.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let after = at + separator.len_utf8();
        if text[after..].starts_with("//") {
            ranges.extend(password_of_url(text, after + 2));
            continue;
        }
        let key =
            text[..at].trim_end_matches(['+', ' ', '\t', '\r', '\n']).trim_end_matches(['"', '\'', '\\']);
        let begin = key
            .rfind(|c: char| !is_key_char(c))
            .map_or(0, |before| before + key[before..].chars().next().map_or(0, char::len_utf8));
        if looks_secret(&key[begin..]) {
            ranges.extend(value_after(text, after));
        }
    }
    for range in values_without_separator(text) {
        if ranges.iter().all(|other| range.end <= other.start || other.end <= range.start) {
            ranges.push(range);
        }
    }
    ranges.sort_by_key(|range| range.start);
    ranges
}

/// `password canary`: what stands behind a secret's name at the beginning of a line, even if the separator
/// is missing.
fn values_without_separator(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let word_start = begin + line.len() - line.trim_start_matches([' ', '\t', '{', '"']).len();
        begin += line.len();
        let rest = text[word_start.min(begin)..begin].trim_end();
        let word = rest.find(|c: char| !is_key_char(c)).unwrap_or(rest.len());
        let value = rest[word..].trim_start_matches(['"', ' ', '\t']);
        let separated = value.starts_with(['=', ':', '+', '{', '}']) || value.is_empty();
        if looks_secret(&rest[..word]) && !separated {
            let start = word_start + rest.len() - value.len();
            ranges.push(start..word_start + rest.len());
        }
    }
    ranges
}

fn is_key_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '>')
}

/// `user:password@host`: the password's range.
fn password_of_url(text: &str, begin: usize) -> Option<Range<usize>> {
    let end = text[begin..].find(['/', '?', '"', '\'', ' ', '\n']).map_or(text.len(), |end| begin + end);
    let at = begin + text[begin..end].rfind('@')?;
    let colon = begin + text[begin..at].find(':')?;
    Some(colon + 1..at)
}

/// The value behind a separator: a quoted text, a list, or the rest of the line.
fn value_after(text: &str, after: usize) -> Option<Range<usize>> {
    let rest = &text[after..];
    let begin = after + (rest.len() - rest.trim_start().len());
    let value = &text[begin..];
    let length = if let Some(raw) = value.strip_prefix("\"\"\"") {
        raw.find("\"\"\"").map_or(value.len(), |end| end + 6)
    } else if value.starts_with('"') {
        quoted_length(value)
    } else if value.starts_with('[') {
        value.find(']').map_or(value.len(), |end| end + 1)
    } else if value.starts_with('{') {
        return None;
    } else {
        unquoted_length(value)
    };
    (length > 0).then(|| begin..begin + length)
}

fn quoted_length(value: &str) -> usize {
    let mut escaped = false;
    for (at, c) in value.char_indices().skip(1) {
        match c {
            '\n' => return at,
            '"' if !escaped => return at + 1 + concatenated_length(&value[at + 1..]),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    value.len()
}

/// What is joined to a quoted text without a separator in between.
fn concatenated_length(rest: &str) -> usize {
    rest.find([',', '}', ']', '\n', ' ', '#']).unwrap_or(rest.len())
}

fn unquoted_length(value: &str) -> usize {
    let end = value.find(['\n', ',', '"']).unwrap_or(value.len());
    match value[..end].find('}') {
        Some(brace) if !value[..brace].contains("${") => value[..brace].trim_end().len(),
        _ => value[..end].trim_end().len(),
    }
}

/// Takes a secret's text out of a message.
pub(crate) fn scrub(message: &str, value: &str) -> String {
    if value.trim().is_empty() { message.to_owned() } else { message.replace(value, MASK) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut out = text.to_owned();
        for range in secret_ranges(text).into_iter().rev() {
            out.replace_range(range, MASK);
        }
        out
    }

    #[test]
    fn values_of_secrets_are_hidden_in_every_spelling() {
        let cases = [
            ("password = canary", "password = ******"),
            ("password = \"canary\" # x", "password = ****** # x"),
            ("\"secret_key\" : \"ca\\\"nary\", b = 1", "\"secret_key\" : ******, b = 1"),
            ("token=\n   canary\nb = 1", "token=\n   ******\nb = 1"),
            ("a { password = canary }", "a { password = ****** }"),
            ("password = \"\"\"can\nary\"\"\"\nb = 1", "password = ******\nb = 1"),
            ("password = \"canary", "password = ******"),
            ("sink[0].password=canary", "sink[0].password=******"),
            ("url = \"pg://me:canary@host/db?x=1\"", "url = \"pg://me:******@host/db?x=1\""),
            (
                "url = \"jdbc:pg://h/db?user=a&password=canary\"",
                "url = \"jdbc:pg://h/db?user=a&password=******\"",
            ),
            ("fs->s3a->access.key = canary", "fs->s3a->access.key = ******"),
            ("tokens = [\"canary\", \"canary\"], b = 1", "tokens = ******, b = 1"),
            ("auth : canary", "auth : ******"),
            ("a = 1\n  password canary\nb = 1", "a = 1\n  password ******\nb = 1"),
            ("password { x = 1 }", "password { x = 1 }"),
            ("author : me", "author : me"),
            ("path = \"/data\"", "path = \"/data\""),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text), expected, "{text}");
        }
    }
}
