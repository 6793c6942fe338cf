//! Which files are to be read: all that there are at the start of a batch job, or those that turn up.
//!
//! A batch job lists its files once and keeps the list, so that a restart reads the same files. A
//! streaming job keeps which versions of which files it has handed out; a file whose name sorts before
//! others is found all the same, and one that is replaced is read again as a whole.

use std::collections::{BTreeMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use seatun_api::source::{PlanRequest, SplitPlan};
use seatun_api::{JobMode, Result, Versioned};
use serde::{Deserialize, Serialize};

use super::cut;
use super::list::{self, Found};
use super::split::FileSplit;
use super::table::Table;

const KIND: &str = "files.planner";
const VERSION: u32 = 1;
/// Files of a batch job that one call cuts at most, so that reading begins before all are cut.
const FILES_PER_CALL: usize = 256;
/// Bytes of a batch job that one call looks through at most to find cuts.
const BYTES_PER_CALL: u64 = 1 << 30;

/// How files are found and cut.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// Whether the job ends by itself.
    pub mode: JobMode,
    /// Bytes of a part; 0 for whole files.
    pub split_size: u64,
    /// New files taken at a time; 0 for all.
    pub max_files: usize,
    /// How old a file must be, in milliseconds.
    pub min_age: u64,
    /// How far behind the newest file a file may be, in milliseconds; 0 for any.
    pub max_age: u64,
}

/// What the planner wants back at the next call.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// Whether the files of a batch job are listed.
    listed: bool,
    /// Listed and not handed out yet.
    pending: VecDeque<Waiting>,
    /// By table and folder, the names that were handed out with the version.
    seen: BTreeMap<usize, BTreeMap<String, BTreeMap<String, Version>>>,
    /// Files changed before this are not read any more, in microseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    horizon: Option<i64>,
}

/// Size and time of a file.
type Version = (u64, i64);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    table: usize,
    path: String,
    size: u64,
    modified: i64,
    tag: Option<String>,
}

impl Waiting {
    fn new(table: usize, file: Found) -> Self {
        Self { table, path: file.path, size: file.size, modified: file.modified, tag: file.tag }
    }

    fn found(self) -> Found {
        Found { path: self.path, size: self.size, modified: self.modified, tag: self.tag }
    }
}

impl State {
    fn has_seen(&self, file: &Waiting) -> bool {
        let (folder, name) = parts(&file.path);
        let version = self.seen.get(&file.table).and_then(|folders| folders.get(folder)?.get(name));
        version == Some(&(file.size, file.modified)) || self.horizon.is_some_and(|at| file.modified < at)
    }

    fn see(&mut self, file: &Waiting) {
        let (folder, name) = parts(&file.path);
        let folders = self.seen.entry(file.table).or_default();
        let names = folders.entry(folder.to_owned()).or_default();
        names.insert(name.to_owned(), (file.size, file.modified));
    }

    /// Forgets files far behind the newest, and says so for good: they shall not be taken for new ones.
    fn forget(&mut self, max_age: u64) {
        let times = self.seen.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values);
        let Some(newest) = times.map(|(_, modified)| *modified).max() else { return };
        let age = i64::try_from(max_age.saturating_mul(1000)).unwrap_or(i64::MAX);
        let horizon = newest.saturating_sub(age).max(self.horizon.unwrap_or(i64::MIN));
        self.horizon = Some(horizon);
        for folders in self.seen.values_mut() {
            for names in folders.values_mut() {
                names.retain(|_, (_, modified)| *modified >= horizon);
            }
            folders.retain(|_, names| !names.is_empty());
        }
    }
}

fn parts(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Discovery {
    /// Finds what there is to read beside what is handed out already.
    ///
    /// # Errors
    /// If a store cannot be listed, or a file not be read to cut it.
    pub async fn plan(&self, tables: &[Table], request: &PlanRequest<'_>) -> Result<SplitPlan> {
        let mut state: State = match request.state {
            Some(state) => state.decode(KIND, VERSION)?,
            None => State::default(),
        };
        match self.mode {
            JobMode::Batch if !state.listed => {
                state.pending = self.all_files(tables).await?.into();
                state.listed = true;
            }
            JobMode::Batch => {}
            JobMode::Streaming => self.find_new(tables, &mut state).await?,
        }
        let mut add = Vec::new();
        let mut bytes_read = 0;
        let mut files = 0;
        // A batch job is asked again at once, a streaming one after the interval only.
        while self.mode == JobMode::Streaming || (files < FILES_PER_CALL && bytes_read < BYTES_PER_CALL) {
            let Some(file) = state.pending.pop_front() else { break };
            files += 1;
            let Some(table) = tables.get(file.table) else { continue };
            let number = file.table;
            let file = file.found();
            let cut = cut::cut(table, &file, self.split_size).await?;
            bytes_read += cut.bytes_read;
            for part in cut.parts {
                add.push(FileSplit::new(number, &file, part).into_split()?);
            }
        }
        let complete = self.mode == JobMode::Batch && state.pending.is_empty();
        Ok(SplitPlan { add, complete, state: Some(Versioned::encode(KIND, VERSION, &state)?) })
    }

    async fn all_files(&self, tables: &[Table]) -> Result<Vec<Waiting>> {
        let youngest = self.youngest();
        let mut files = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            let found = list::list(&table.location, &table.plan.filter).await?;
            files.extend(
                found
                    .into_iter()
                    .filter(|file| file.modified <= youngest)
                    .map(|file| Waiting::new(number, file)),
            );
        }
        Ok(files)
    }

    /// Puts new files into `pending`, oldest first, by name where they are of the same age.
    async fn find_new(&self, tables: &[Table], state: &mut State) -> Result<()> {
        let mut files = self.all_files(tables).await?;
        files.retain(|file| !state.has_seen(file));
        files.sort_by(|a, b| (a.modified, &a.path, a.table).cmp(&(b.modified, &b.path, b.table)));
        if self.max_files > 0 {
            files.truncate(self.max_files);
        }
        for file in &files {
            state.see(file);
        }
        if self.max_age > 0 {
            state.forget(self.max_age);
        }
        state.pending = files.into();
        Ok(())
    }

    /// The latest time of change that a file may have, in microseconds since the epoch.
    fn youngest(&self) -> i64 {
        if self.min_age == 0 {
            return i64::MAX;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        micros.saturating_sub(i64::try_from(self.min_age.saturating_mul(1000)).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored checkpoints hold this form: another one needs another version.
    #[test]
    fn the_stored_form_is_pinned() {
        let mut state = State { listed: true, ..State::default() };
        let found = Found { path: "in/a.csv".into(), size: 7, modified: 1_700_000_000_000_000, tag: None };
        let file = Waiting::new(0, found);
        state.see(&file);
        state.pending.push_back(file);
        state.horizon = Some(5);
        let stored = Versioned::encode(KIND, VERSION, &state).unwrap();
        let text = concat!(
            r#"{"kind":"files.planner","version":1,"body":{"horizon":5,"listed":true,"pending":[{"modified":"#,
            r#"1700000000000000,"path":"in/a.csv","size":7,"table":0,"tag":null}],"seen":{"0":{"in":"#,
            r#"{"a.csv":[7,1700000000000000]}}}}}"#
        );
        assert_eq!(serde_json::to_string(&stored).unwrap(), text);
        let restored: Versioned = serde_json::from_str(text).unwrap();
        let restored: State = restored.decode(KIND, VERSION).unwrap();
        assert!(restored.has_seen(&restored.pending[0]) && restored.listed && restored.horizon == Some(5));
    }
}
