//! Finds the files of a table: a file, a folder with all its folders, or a pattern.

use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::ObjectMeta;
use regex::Regex;
use seatun_api::{Error, Result};

use super::partition;
use crate::codes;
use crate::store::{Location, object_path, store_error};

/// A file that was found, in the version that it then had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path in the store.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// When it was last changed, in microseconds since the epoch.
    pub modified: i64,
    /// What the store knows this version by.
    pub tag: Option<String>,
}

impl From<ObjectMeta> for Found {
    fn from(meta: ObjectMeta) -> Self {
        Self {
            path: meta.location.as_ref().to_owned(),
            size: meta.size,
            modified: meta.last_modified.timestamp_micros(),
            tag: meta.e_tag,
        }
    }
}

/// Which of the files below a folder belong to the table.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Must match the whole name or the whole path.
    pub pattern: Option<Regex>,
    /// Must end the name.
    pub extension: Option<String>,
    /// Partitions to read; none for all.
    pub partitions: Vec<String>,
}

impl Filter {
    /// Compiles `file_filter_pattern`.
    ///
    /// # Errors
    /// If the pattern is no regular expression.
    pub fn compile(pattern: &str) -> Result<Regex> {
        Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
            Error::user(seatun_api::error::codes::INVALID_OPTION, "not a regular expression")
                .at_option("file_filter_pattern")
                .with_source(error)
        })
    }

    fn passes(&self, path: &str, shown: &str) -> bool {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let extension = self.extension.as_deref().is_none_or(|extension| name.ends_with(extension));
        let pattern =
            self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(name) || pattern.is_match(shown));
        extension && pattern && partition::is_wanted(path, &self.partitions)
    }
}

/// The files of a location, sorted by path.
///
/// # Errors
/// If the store cannot be listed, or if there is neither a file nor a folder of that name.
pub async fn list(location: &Location, filter: &Filter) -> Result<Vec<Found>> {
    let mut found = match one_file(location).await? {
        Some(file) => vec![file],
        None => match has_wildcard(&location.path) {
            true => matching(location).await?,
            false => below(location, &location.path).await?,
        },
    };
    if found.is_empty() && !exists(location) {
        return Err(Error::user(codes::NO_FILES, "there is no such file or folder")
            .with("path", location.display(&location.path))
            .at_option("path"));
    }
    found.retain(|file| filter.passes(&file.path, &location.display(&file.path)));
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

async fn one_file(location: &Location) -> Result<Option<Found>> {
    let Ok(path) = object_path(&location.path) else { return Ok(None) };
    if location.path.is_empty() {
        return Ok(None);
    }
    let options = object_store::GetOptions { head: true, ..Default::default() };
    match location.store.get_opts(&path, options).await {
        Ok(answer) => Ok(Some(answer.meta.into())),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(_) if location.local && is_folder(location) => Ok(None),
        Err(error) => Err(store_error("look at the path", &location.display(&location.path), error)),
    }
}

fn is_folder(location: &Location) -> bool {
    std::path::Path::new(&location.display(&location.path)).is_dir()
}

/// A local folder may be empty; a store has no folders, so nothing found is nothing there.
fn exists(location: &Location) -> bool {
    let folder = match has_wildcard(&location.path) {
        true => literal_folder(&location.path),
        false => location.path.as_str(),
    };
    location.local && std::path::Path::new(&location.display(folder)).is_dir()
}

/// The files below a folder, without those whose own name or folder's name is hidden.
async fn below(location: &Location, folder: &str) -> Result<Vec<Found>> {
    let shown = location.display(folder);
    let prefix = match folder {
        "" => None,
        folder => Some(object_path(folder)?),
    };
    let metas: Vec<ObjectMeta> = location
        .store
        .list(prefix.as_ref())
        .try_collect()
        .await
        .map_err(|error| store_error("list the folder", &shown, error))?;
    let depth = folder.split('/').filter(|part| !part.is_empty()).count();
    let is_hidden =
        |path: &str| path.split('/').skip(depth).any(|part| part.starts_with('.') || part.starts_with('_'));
    Ok(metas.into_iter().map(Found::from).filter(|file| !is_hidden(&file.path)).collect())
}

async fn matching(location: &Location) -> Result<Vec<Found>> {
    let mut patterns = Vec::new();
    for pattern in braces(&location.path) {
        patterns.push(Pattern::new(&pattern).map_err(|error| {
            Error::user(seatun_api::error::codes::INVALID_OPTION, "not a pattern of paths")
                .at_option("path")
                .with_source(error)
        })?);
    }
    let mut found = below(location, literal_folder(&location.path)).await?;
    found.retain(|file| patterns.iter().any(|pattern| covers(pattern, &file.path)));
    Ok(found)
}

/// Whether a pattern matches a file or a folder above it.
fn covers(pattern: &Pattern, path: &str) -> bool {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: false,
    };
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.into_iter().any(|end| pattern.matches_with(&path[..end], options))
}

fn has_wildcard(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// The folders before the first part with a wildcard.
pub fn literal_folder(pattern: &str) -> &str {
    match pattern.find(['*', '?', '[', '{']) {
        Some(at) => pattern[..at].rsplit_once('/').map_or("", |(folder, _)| folder),
        None => pattern,
    }
}

/// Writes `a{b,c}d` out as `abd` and `acd`.
fn braces(pattern: &str) -> Vec<String> {
    let parts = pattern.find('{').and_then(|open| {
        let close = open + pattern[open..].find('}')?;
        Some((&pattern[..open], &pattern[open + 1..close], &pattern[close + 1..]))
    });
    match parts {
        None => vec![pattern.to_owned()],
        Some((head, choices, tail)) => {
            choices.split(',').flat_map(|choice| braces(&format!("{head}{choice}{tail}"))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_files_and_whole_folders() {
        for (pattern, path, is) in [
            ("d/*.csv", "d/a.csv", true),
            ("d/*.csv", "d/e/a.csv", false),
            ("d/**/*.csv", "d/e/f/a.csv", true),
            ("d/2024-*", "d/2024-01/e/a.csv", true),
            ("d/2024-0[12]", "d/2024-03/a.csv", false),
            ("d/?.csv", "d/ab.csv", false),
            ("d/{a,b}/{x,y}.csv", "d/b/x.csv", true),
            ("d/{a,b}.csv", "d/c.csv", false),
        ] {
            let matched = braces(pattern).iter().any(|pattern| covers(&Pattern::new(pattern).unwrap(), path));
            assert_eq!(matched, is, "{pattern} {path}");
        }
        assert_eq!(literal_folder("a/b*/c"), "a");
        assert_eq!(literal_folder("*.csv"), "");
        assert_eq!(literal_folder("a/b"), "a/b");
    }
}
