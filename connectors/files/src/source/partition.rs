//! Partition columns: the folders `name=value` above a file.

/// The value of a folder that stands for null.
pub const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// A partition of a path: its column and its value, unescaped.
pub type Partition = (String, Option<String>);

/// The partitions of a file's path, in order. The file's own name is none.
pub fn of_file(path: &str) -> Vec<Partition> {
    match path.rsplit_once('/') {
        Some((folder, _)) => of_folder(folder),
        None => Vec::new(),
    }
}

/// The partitions of a folder's path, in order. A name that comes twice counts where it stands last.
pub fn of_folder(path: &str) -> Vec<Partition> {
    let mut partitions: Vec<Partition> = Vec::new();
    for piece in path.split('/') {
        let Some((name, value)) = piece.split_once('=') else { continue };
        let name = unescape(name);
        if name.is_empty() {
            continue;
        }
        partitions.retain(|(other, _)| *other != name);
        partitions.push((name, (value != NULL_PARTITION).then(|| unescape(value))));
    }
    partitions
}

/// Whether a file's path goes through one of the wanted partitions, each one folder or several in a row;
/// nothing wanted is everything.
pub fn is_wanted(path: &str, wanted: &[String]) -> bool {
    let folders: Vec<&str> = path.split('/').collect();
    let folders = &folders[..folders.len().saturating_sub(1)];
    wanted.is_empty()
        || wanted.iter().any(|partition| {
            let pieces: Vec<&str> = partition.trim_matches('/').split('/').collect();
            folders.windows(pieces.len()).any(|window| window == pieces)
        })
}

/// Undoes `%2F` and the like; what is no escape, or no UTF-8 when undone, stays as it is.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_read_from_folders_with_their_escapes() {
        let partition = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        for (path, expected) in [
            (
                "data/day=2024-01-01/hour=7/x.csv",
                vec![partition("day", "2024-01-01"), partition("hour", "7")],
            ),
            ("data/a%3Db=c%2Fd%25/x.csv", vec![partition("a=b", "c/d%")]),
            ("data/k=a=b/x=1.csv", vec![partition("k", "a=b")]),
            ("data/k=/x.csv", vec![partition("k", "")]),
            ("data/k=__HIVE_DEFAULT_PARTITION__/x.csv", vec![("k".to_owned(), None)]),
            (
                "data/k=100%/l=%zz/m=%ff/x.csv",
                vec![partition("k", "100%"), partition("l", "%zz"), partition("m", "%ff")],
            ),
            ("k=1/k=2/x.csv", vec![partition("k", "2")]),
            ("k=%E4%B8%AD/x.csv", vec![partition("k", "中")]),
            ("x=1.csv", vec![]),
            ("data/=1/x.csv", vec![]),
        ] {
            assert_eq!(of_file(path), expected, "{path}");
        }
    }

    #[test]
    fn wanted_partitions_are_whole_folders() {
        let path = "data/day=1/hour=12/x.csv";
        for (wanted, is) in [
            (vec![], true),
            (vec!["day=1"], true),
            (vec!["day=1/hour=12"], true),
            (vec!["day=2", "hour=12"], true),
            (vec!["hour=1"], false),
            (vec!["hour=12/day=1"], false),
            (vec!["x.csv"], false),
        ] {
            let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
            assert_eq!(is_wanted(path, &wanted), is, "{wanted:?}");
        }
    }
}
