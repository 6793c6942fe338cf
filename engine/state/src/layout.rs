//! Where things are in a job's folder, and how names become file names.
//!
//! ```text
//! <job>/runs/000003.json                 claims generation 3
//! <job>/data/000003/0000000042/<file>    state files
//! <job>/epochs/0000000042.json           the manifest: the commit point
//! <job>/epochs/0000000042.committed      every committer has returned
//! <job>/savepoints/<name>.json           a copy of a manifest, kept until it is deleted by hand
//! ```
//! Numbers are padded so that names sort.

use seatun_api::{Epoch, Error, Generation, Result};

use crate::codes;

/// The longest file name that a name may become, in bytes; file systems allow 255.
const LONGEST: usize = 200;

/// A job's folder.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    folder: String,
}

impl Layout {
    pub(crate) fn new(job: &str) -> Result<Self> {
        Ok(Self { folder: file_name("job name", job)? })
    }

    pub(crate) fn folder(&self) -> &str {
        &self.folder
    }

    pub(crate) fn runs(&self) -> String {
        format!("{}/runs", self.folder)
    }

    pub(crate) fn run(&self, generation: Generation) -> String {
        format!("{}/runs/{:06}.json", self.folder, generation.0)
    }

    pub(crate) fn epochs(&self) -> String {
        format!("{}/epochs", self.folder)
    }

    pub(crate) fn manifest(&self, epoch: Epoch) -> String {
        format!("{}/epochs/{:010}.json", self.folder, epoch.0)
    }

    pub(crate) fn marker(&self, epoch: Epoch) -> String {
        format!("{}/epochs/{:010}.committed", self.folder, epoch.0)
    }

    pub(crate) fn savepoints(&self) -> String {
        format!("{}/savepoints", self.folder)
    }

    pub(crate) fn savepoint(&self, name: &str) -> Result<String> {
        Ok(format!("{}/savepoints/{}.json", self.folder, file_name("savepoint name", name)?))
    }

    pub(crate) fn data(&self) -> String {
        format!("{}/data", self.folder)
    }

    pub(crate) fn data_file(&self, generation: Generation, epoch: Epoch, name: &str) -> Result<String> {
        let name = file_name("name of a state file", name)?;
        Ok(format!("{}/data/{:06}/{:010}/{name}", self.folder, generation.0, epoch.0))
    }

    /// The run that wrote a file of `data/`, and the epoch it wrote it for.
    pub(crate) fn data_owner(&self, path: &str) -> Option<(Generation, Epoch)> {
        let mut parts = path.strip_prefix(&self.data())?.strip_prefix('/')?.split('/');
        let generation = parts.next()?.parse().ok()?;
        let epoch = parts.next()?.parse().ok()?;
        parts.next()?;
        Some((Generation(generation), Epoch(epoch)))
    }
}

/// What a file of `epochs/` is by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EpochFile {
    Manifest(Epoch),
    Marker(Epoch),
}

pub(crate) fn epoch_file(path: &str) -> Option<EpochFile> {
    let (stem, extension) = last_part(path).split_once('.')?;
    let epoch = Epoch(number(stem)?);
    match extension {
        "json" => Some(EpochFile::Manifest(epoch)),
        "committed" => Some(EpochFile::Marker(epoch)),
        _ => None,
    }
}

pub(crate) fn run_file(path: &str) -> Option<Generation> {
    last_part(path).strip_suffix(".json").and_then(number).map(Generation)
}

pub(crate) fn savepoint_file(path: &str) -> Option<String> {
    last_part(path).strip_suffix(".json").and_then(unescape)
}

/// The name of the job that a path belongs to.
pub(crate) fn job_of(path: &str) -> Option<String> {
    let (folder, rest) = path.split_once('/')?;
    let known = ["runs/", "epochs/", "savepoints/", "data/"];
    known.iter().any(|part| rest.starts_with(part)).then(|| unescape(folder)).flatten()
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A file name for any text: what is not a letter, a digit, `-`, `_` or an inner `.` is percent-escaped.
/// Two texts never share a name.
fn file_name(what: &str, text: &str) -> Result<String> {
    let mut name = String::new();
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(byte.into()),
            b'.' if place > 0 => name.push('.'),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    if name.is_empty() || name.len() > LONGEST {
        return Err(Error::user(
            codes::BAD_NAME,
            format!("a {what} must have 1 to {LONGEST} bytes when spelled as a file name"),
        )
        .with("bytes", name.len()));
    }
    Ok(name)
}

/// Undoes percent escapes; `None` if they are broken.
pub(crate) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = tail.get(2..)?;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_job_name_is_one_folder_and_can_be_read_back() {
        for name in ["orders", "a/b", "../../etc", "..", ".hidden", "ü ß", "a%2Fb", "a\0b", "C:\\x", "a.b"]
        {
            let layout = Layout::new(name).unwrap();
            assert!(!layout.folder().contains(['/', '\\', '\0']), "{name}");
            assert!(!layout.folder().starts_with('.'), "{name}");
            assert_eq!(job_of(&layout.run(Generation(1))).as_deref(), Some(name));
        }
        assert_ne!(Layout::new("a/b").unwrap().folder(), Layout::new("a%2Fb").unwrap().folder());
    }

    #[test]
    fn names_without_a_folder_are_refused() {
        for name in [String::new(), "x".repeat(201), "/".repeat(100)] {
            assert_eq!(Layout::new(&name).unwrap_err().code(), codes::BAD_NAME);
        }
    }

    #[test]
    fn file_names_tell_what_they_are() {
        let layout = Layout::new("j").unwrap();
        assert_eq!(epoch_file(&layout.manifest(Epoch(42))), Some(EpochFile::Manifest(Epoch(42))));
        assert_eq!(epoch_file(&layout.marker(Epoch(7))), Some(EpochFile::Marker(Epoch(7))));
        assert_eq!(epoch_file("j/epochs/notes.txt"), None);
        assert_eq!(run_file(&layout.run(Generation(3))), Some(Generation(3)));
        assert_eq!(savepoint_file(&layout.savepoint("vor/dem").unwrap()).as_deref(), Some("vor/dem"));
        let file = layout.data_file(Generation(3), Epoch(42), "a/b").unwrap();
        assert_eq!(layout.data_owner(&file), Some((Generation(3), Epoch(42))));
        assert_eq!(layout.data_owner("j/data/x/y"), None);
    }

    #[test]
    fn names_sort_as_numbers_do() {
        let layout = Layout::new("j").unwrap();
        assert!(layout.manifest(Epoch(9)) < layout.manifest(Epoch(10)));
        assert!(layout.run(Generation(99)) < layout.run(Generation(100)));
    }
}
