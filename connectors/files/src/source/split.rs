//! What a split of the file source is, in its durable form.

use seatun_api::{Error, Position, Result, Split, SplitId, Versioned};
use serde::{Deserialize, Serialize};

use super::list::Found;

const KIND: &str = "files.split";
const VERSION: u32 = 1;

/// A part of one version of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSplit {
    /// Number of the table in the job's order.
    pub table: usize,
    /// The file's path in its store.
    pub path: String,
    /// How many bytes the file had.
    pub size: u64,
    /// When it was last changed, in microseconds since the epoch.
    pub modified: i64,
    /// What the store knew this version by.
    pub tag: Option<String>,
    /// Which part.
    pub part: Part,
}

/// A part of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The records that begin in a range of bytes; positions are offsets of the unpacked bytes.
    Lines {
        /// The first byte; 0 includes what stands before the first record.
        start: u64,
        /// The byte after the last.
        end: u64,
        /// The names of the file's columns, where they are not read with the part.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<Vec<String>>,
    },
    /// Some row groups; positions are numbers of the file's rows.
    RowGroups {
        /// The first group.
        first: usize,
        /// The group after the last.
        end: usize,
        /// The number of the first group's first row.
        row: u64,
        /// How many bytes the groups take.
        bytes: u64,
    },
}

impl FileSplit {
    /// A part of a file.
    pub fn new(table: usize, file: &Found, part: Part) -> Self {
        Self {
            table,
            path: file.path.clone(),
            size: file.size,
            modified: file.modified,
            tag: file.tag.clone(),
            part,
        }
    }

    /// The split as the engine has it. Its name tells the file, its version and the part.
    ///
    /// # Errors
    /// Never in practice: the state has a JSON form.
    pub fn into_split(self) -> Result<Split> {
        let (start, end) = match &self.part {
            Part::Lines { start, end, .. } => (*start, *end),
            Part::RowGroups { first, end, .. } => (*first as u64, *end as u64),
        };
        let id = format!("{}:{}@{}#{start}-{end}", self.table, self.path, self.modified);
        Ok(Split { id: SplitId::new(id), position: None, state: Versioned::encode(KIND, VERSION, &self)? })
    }

    /// The state of a split.
    ///
    /// # Errors
    /// Refuses the state of another source or release.
    pub fn of(split: &Split) -> Result<Self> {
        split.state.decode(KIND, VERSION)
    }

    /// How many bytes of the store the part takes.
    pub fn bytes(&self) -> u64 {
        match self.part {
            Part::Lines { start, end, .. } => end.saturating_sub(start),
            Part::RowGroups { bytes, .. } => bytes,
        }
    }
}

/// The number that a position of this source is.
///
/// # Errors
/// Refuses the position of another source.
pub fn offset(position: &Position) -> Result<u64> {
    position.as_u64().ok_or_else(|| {
        Error::user(seatun_api::error::codes::STATE_CODEC, "a stored position is no position of a file")
            .with_hint("restore with the release that wrote it, or start with --fresh")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored checkpoints hold these forms: others need another version.
    #[test]
    fn the_stored_form_is_pinned() {
        let file = Found { path: "in/a.csv".into(), size: 70, modified: 5, tag: Some("t".into()) };
        let header = Some(vec!["id".to_owned()]);
        for (part, id, text) in [
            (
                Part::Lines { start: 9, end: 70, header },
                "1:in/a.csv@5#9-70",
                r#"{"lines":{"end":70,"header":["id"],"start":9}}"#,
            ),
            (
                Part::RowGroups { first: 1, end: 3, row: 100, bytes: 50 },
                "1:in/a.csv@5#1-3",
                r#"{"row_groups":{"bytes":50,"end":3,"first":1,"row":100}}"#,
            ),
        ] {
            let state = FileSplit::new(1, &file, part);
            let split = state.clone().into_split().unwrap();
            let text = format!(
                r#"{{"id":"{id}","position":null,"state":{{"kind":"files.split","version":1,"body":{{"modified":5,"#
            ) + &format!(r#""part":{text},"path":"in/a.csv","size":70,"table":1,"tag":"t"}}}}}}"#);
            assert_eq!(serde_json::to_string(&split).unwrap(), text);
            assert_eq!(FileSplit::of(&serde_json::from_str(&text).unwrap()).unwrap(), state);
        }
    }
}
