//! Paths into JSON as `GET_JSON_OBJECT` takes them: `$.a.b[0]['c d']`.

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of an object.
    Key(String),
    /// An element of an array, from 0.
    Index(usize),
}

/// Reads a path.
pub(super) fn parse(path: &str) -> Result<Vec<Step>, String> {
    let mut rest =
        path.strip_prefix('$').ok_or_else(|| format!("the path `{path}` does not begin with `$`"))?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = step(rest).ok_or_else(|| {
            format!(
                "the path `{path}` is not understood at `{rest}`; steps are `.name`, `['name']` and `[0]`"
            )
        })?;
        steps.push(step);
        rest = after;
    }
    Ok(steps)
}

fn step(rest: &str) -> Option<(Step, &str)> {
    if let Some(rest) = rest.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        return (!name.is_empty() && name != "*").then(|| (Step::Key(name.to_owned()), after));
    }
    let rest = rest.strip_prefix('[')?;
    for quote in ['\'', '"'] {
        if let Some(rest) = rest.strip_prefix(quote) {
            let (name, after) = rest.split_once(quote)?;
            return Some((Step::Key(name.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (index, after) = rest.split_once(']')?;
    Some((Step::Index(index.trim().parse().ok()?), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_names_and_numbers() {
        let key = |name: &str| Step::Key(name.to_owned());
        assert_eq!(
            parse("$.a.b[0]['c d'][\"e\"]"),
            Ok(vec![key("a"), key("b"), Step::Index(0), key("c d"), key("e")])
        );
        assert_eq!(parse("$"), Ok(vec![]));
        for wrong in ["a.b", "$..a", "$.a[", "$.a[x]", "$['a", "$.*", "$a"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
