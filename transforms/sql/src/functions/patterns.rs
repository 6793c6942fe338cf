//! Java's letters for dates and times (`yyyy-MM-dd HH:mm:ss`) as strftime's (`%Y-%m-%d %H:%M:%S`).

/// What a pattern describes.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Kind {
    Timestamp,
    Date,
    Time,
}

/// A pattern that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub strftime: String,
    pub kind: Kind,
}

/// Letters, and whether they belong to a time of day.
const LETTERS: &[(&str, &str, bool)] = &[
    ("yyyy", "%Y", false),
    ("uuuu", "%Y", false),
    ("yy", "%y", false),
    ("y", "%Y", false),
    ("MMMM", "%B", false),
    ("MMM", "%b", false),
    ("MM", "%m", false),
    ("M", "%-m", false),
    ("dd", "%d", false),
    ("d", "%-d", false),
    ("DDD", "%j", false),
    ("EEEE", "%A", false),
    ("EEE", "%a", false),
    ("E", "%a", false),
    ("HH", "%H", true),
    ("H", "%-H", true),
    ("hh", "%I", true),
    ("h", "%-I", true),
    ("mm", "%M", true),
    ("m", "%-M", true),
    ("ss", "%S", true),
    ("s", "%-S", true),
    ("SSSSSSSSS", "%9f", true),
    ("SSSSSS", "%6f", true),
    ("SSS", "%3f", true),
    ("a", "%p", true),
];

/// Translates a pattern.
pub(super) fn translate(pattern: &str) -> Result<Pattern, String> {
    let mut strftime = String::new();
    let (mut date, mut time) = (false, false);
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        if letter == '\'' {
            rest = quoted(rest, &mut strftime)
                .ok_or_else(|| format!("a quote of the pattern `{pattern}` is not closed"))?;
            continue;
        }
        let end = rest.find(|other| other != letter).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        if !letter.is_ascii_alphabetic() {
            push_plain(run, &mut strftime);
            continue;
        }
        let (_, directive, of_time) = LETTERS
            .iter()
            .find(|(letters, ..)| *letters == run)
            .ok_or_else(|| format!("`{run}` of the pattern `{pattern}` is not understood"))?;
        strftime.push_str(directive);
        date |= !of_time;
        time |= of_time;
    }
    let kind = match (date, time) {
        (true, false) => Kind::Date,
        (false, true) => Kind::Time,
        _ => Kind::Timestamp,
    };
    Ok(Pattern { strftime, kind })
}

/// Takes a quoted text; `''` is a quote.
fn quoted<'a>(rest: &'a str, strftime: &mut String) -> Option<&'a str> {
    let (text, after) = rest.strip_prefix('\'')?.split_once('\'')?;
    push_plain(if text.is_empty() { "'" } else { text }, strftime);
    Some(after)
}

fn push_plain(text: &str, strftime: &mut String) {
    strftime.push_str(&text.replace('%', "%%"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_translated_and_the_rest_is_kept() {
        let cases = [
            ("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S", Kind::Timestamp),
            ("yyyy-MM-dd'T'HH:mm:ss.SSS", "%Y-%m-%dT%H:%M:%S.%3f", Kind::Timestamp),
            ("dd/MM/yy", "%d/%m/%y", Kind::Date),
            ("HHmmss", "%H%M%S", Kind::Time),
            ("yyyy 'of' '' %", "%Y of ' %%", Kind::Date),
            ("yyyy年M月d日", "%Y年%-m月%-d日", Kind::Date),
        ];
        for (pattern, strftime, kind) in cases {
            let strftime = strftime.to_owned();
            assert_eq!(translate(pattern), Ok(Pattern { strftime, kind }), "{pattern}");
        }
        assert!(translate("yyyy-QQ").unwrap_err().contains("`QQ`"));
        assert!(translate("yyyy 'x").unwrap_err().contains("not closed"));
    }
}
