//! Values as parts of a path: no value of a row or of a table's name can leave the folder it stands in,
//! and no two values share a name.

use std::fmt::Write as _;

/// Stands for null in a partition's folder name, as in Hive.
pub(crate) const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Longest name of a file or folder, in bytes, that common file systems take.
pub(crate) const LONGEST_NAME: usize = 255;

/// A value as part of a folder's name: what Hive escapes, as `%` and two hex digits. `/`, `\`, `=`, `%` and
/// control characters are escaped, so the value can neither end the name nor look like another `key=value`.
pub(crate) fn escape_value(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for (at, c) in value.char_indices() {
        // A text that spells the null folder's name is told from null by its first character.
        let like_null = at == 0 && value == NULL_PARTITION;
        if like_null || is_special(c) { escape_char(c, &mut out) } else { out.push(c) }
    }
    out
}

/// A whole folder or file name made of pieces that were escaped one by one: names that mean something to
/// a file system or to readers (`.`, `..`, hidden names) are escaped at their first character.
pub(crate) fn escape_name(name: &str) -> String {
    match name.chars().next() {
        Some(first @ ('.' | '_')) if name != NULL_PARTITION => {
            let mut out = String::with_capacity(name.len() + 2);
            escape_char(first, &mut out);
            out.push_str(&name[first.len_utf8()..]);
            out
        }
        Some(_) => name.to_owned(),
        None => NULL_PARTITION.to_owned(),
    }
}

/// A job's or table's name as part of a file's name: everything but letters, digits, `.` and `-` becomes
/// `-`. Not unique by itself.
pub(crate) fn plain_name(name: &str) -> String {
    const LONGEST: usize = 64;
    name.chars()
        .map(|c| if c.is_alphanumeric() || c == '.' || c == '-' { c } else { '-' })
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= LONGEST).then_some(c)
        })
        .collect()
}

fn is_special(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '}' | '[' | ']' | '^'
        )
}

fn escape_char(c: char, out: &mut String) {
    let mut bytes = [0; 4];
    for byte in c.encode_utf8(&mut bytes).bytes() {
        // Writing to a String cannot fail.
        let _ = write!(out, "%{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_leaves_its_folder() {
        let cases = [
            ("2024-01-31", "2024-01-31"),
            ("../../x", "..%2F..%2Fx"),
            ("a/b", "a%2Fb"),
            ("a\\b", "a%5Cb"),
            ("k=v", "k%3Dv"),
            ("100%", "100%25"),
            ("a\nb\0", "a%0Ab%00"),
            ("", ""),
            ("größe 漢", "größe 漢"),
            (NULL_PARTITION, "%5F_HIVE_DEFAULT_PARTITION__"),
        ];
        for (value, escaped) in cases {
            assert_eq!(escape_value(value), escaped);
            assert!(!escape_value(value).contains('/'));
        }
    }

    #[test]
    fn names_that_mean_something_are_changed() {
        let cases = [
            ("..", "%2E."),
            (".", "%2E"),
            (".hidden", "%2Ehidden"),
            ("_x", "%5Fx"),
            ("", NULL_PARTITION),
            ("k=..", "k=.."),
            (NULL_PARTITION, NULL_PARTITION),
        ];
        for (name, escaped) in cases {
            assert_eq!(escape_name(name), escaped);
        }
    }

    #[test]
    fn a_plain_name_is_short_and_harmless() {
        assert_eq!(plain_name("SeaTunnel_Job"), "SeaTunnel-Job");
        assert_eq!(plain_name("a/../b c"), "a-..-b-c");
        assert_eq!(plain_name(&"ß".repeat(100)).len(), 64);
    }
}
