//! The manifest of an epoch: everything that is needed to go on from it, in another process.
//!
//! A manifest is durable and read by later releases. Its form is pinned by the files under
//! `tests/compat/`; a change of it means a new [`FORMAT`]. It never holds a secret or a row.

use std::collections::BTreeMap;

use seatun_api::{
    Delivery, Epoch, Generation, Position, SchemaChange, Split, SplitId, TableSchema, Versioned,
};
use serde::{Deserialize, Serialize};

/// Version of the form of everything this crate stores.
pub const FORMAT: u32 = 1;

/// Into how many groups keys are hashed; recorded because state files are cut by it.
pub const KEY_GROUPS: u16 = 128;

/// The record of one epoch. That it exists under its name *is* the decision that the epoch happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "wire::Manifest", into = "wire::Manifest")]
pub struct Manifest {
    /// Version of the form, see [`FORMAT`].
    pub format: u32,
    /// The job's name.
    pub job: String,
    /// The run that published it.
    pub generation: Generation,
    /// A random name of that run; makes the bytes of two runs differ even where everything else is equal.
    pub run_uuid: String,
    /// Its number.
    pub epoch: Epoch,
    /// The epoch before it, as the publisher saw it.
    pub parent: Option<Epoch>,
    /// Why it was published.
    pub kind: ManifestKind,
    /// When its barrier was sent, in milliseconds since 1970-01-01T00:00:00Z. For people only.
    pub started_ms: i64,
    /// When it was published, in milliseconds since 1970-01-01T00:00:00Z. For people only.
    pub finished_ms: i64,
    /// The nodes of the job, see [`crate::Fingerprint`].
    pub fingerprint: String,
    /// See [`KEY_GROUPS`].
    pub key_groups: u16,
    /// The state itself. In the stored form its fields stand beside the others.
    pub body: ManifestBody,
}

/// Why a manifest was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestKind {
    /// A new run has taken the job over; carries the state it started with and nothing to commit.
    Takeover,
    /// The regular interval.
    Checkpoint,
    /// The job was stopped and can go on from here.
    Stop,
    /// Every input has ended.
    Final,
}

/// The state of a job between two rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ManifestBody {
    /// By source node: the newest schema of each table that it has emitted.
    pub schemas: BTreeMap<String, Vec<TableSchema>>,
    /// Sources by node id.
    pub sources: BTreeMap<String, SourceState>,
    /// Operators with state by node id.
    pub operators: BTreeMap<String, OperatorRecord>,
    /// Every sink of the job by node id, also those with nothing to commit.
    pub sinks: BTreeMap<String, SinkState>,
    /// Rows read since the job's first start.
    pub rows_read: u64,
    /// Rows given up since the job's first start.
    pub dead_lettered: u64,
}

/// How far a source was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceState {
    /// The plugin's name.
    pub plugin: String,
    /// What the planner wants back.
    pub planner: Option<Versioned>,
    /// No further split will come.
    pub complete: bool,
    /// The splits that are not finished, each with its position.
    pub splits: BTreeMap<SplitId, Split>,
}

impl SourceState {
    /// The positions of the unfinished splits, as the source's `committed` is told them.
    #[must_use]
    pub fn positions(&self) -> BTreeMap<SplitId, Position> {
        let position = |(id, split): (&SplitId, &Split)| Some((id.clone(), split.position.clone()?));
        self.splits.iter().filter_map(position).collect()
    }

    /// Whether nothing would be forgotten if the node were dropped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.splits.is_empty() && self.planner.is_none()
    }
}

/// The state of an operator over all its subtasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorRecord {
    /// Small values by subtask.
    #[serde(with = "subtasks")]
    pub small: BTreeMap<u32, Vec<Versioned>>,
    /// State kept in files.
    pub files: Vec<StateFile>,
}

impl OperatorRecord {
    /// Whether nothing would be forgotten if the node were dropped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.small.values().all(Vec::is_empty)
    }
}

/// One file of an operator's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateFile {
    /// Name of the state within the operator.
    pub table: String,
    /// Version of its form.
    pub version: u32,
    /// Which key group its rows belong to.
    pub key_group: u16,
    /// Where it is.
    pub file: FileRef,
}

/// A file of the state store and what must be in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// Its path in the store.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// CRC-32C (Castagnoli) of its bytes.
    pub crc32c: u32,
}

/// The state of a sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkState {
    /// What it guarantees.
    pub delivery: Delivery,
    /// Whether the save modes were carried out.
    pub initialized: bool,
    /// What each writer wants back, by subtask.
    #[serde(with = "subtasks")]
    pub writers: BTreeMap<u32, Versioned>,
    /// What the committer needs to make the epoch visible.
    pub committables: Vec<Versioned>,
    /// Schema changes that are part of the epoch's commit, after its rows.
    pub schema_changes: Vec<SchemaChange>,
}

impl SinkState {
    /// Whether its committer has something to do for this epoch.
    #[must_use]
    pub fn needs_commit(&self) -> bool {
        !self.committables.is_empty() || !self.schema_changes.is_empty()
    }
}

impl Manifest {
    /// Whether some sink's committer has something to do for this epoch.
    #[must_use]
    pub fn needs_commit(&self) -> bool {
        self.body.sinks.values().any(SinkState::needs_commit)
    }
}

impl ManifestBody {
    /// Every file of the state store that this state needs.
    pub fn files(&self) -> impl Iterator<Item = &FileRef> {
        self.operators.values().flat_map(|operator| operator.files.iter().map(|state| &state.file))
    }

    /// Takes away what is to be committed, which a takeover must not repeat.
    pub(crate) fn clear_commits(&mut self) {
        for sink in self.sinks.values_mut() {
            sink.committables.clear();
            sink.schema_changes.clear();
        }
    }
}

/// Maps keyed by a subtask's number, stored with string keys as JSON has it.
mod subtasks {
    use std::collections::BTreeMap;

    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        map: &BTreeMap<u32, T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(map.iter().map(|(subtask, value)| (subtask.to_string(), value)))
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<u32, T>, D::Error> {
        BTreeMap::<String, T>::deserialize(deserializer)?
            .into_iter()
            .map(|(key, value)| Ok((key.parse().map_err(D::Error::custom)?, value)))
            .collect()
    }
}

/// The stored form: one flat object, with no field that this build does not know.
mod wire {
    use super::{
        BTreeMap, Deserialize, Epoch, Generation, ManifestBody, ManifestKind, OperatorRecord, Serialize,
        SinkState, SourceState, TableSchema,
    };

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Manifest {
        format: u32,
        job: String,
        generation: Generation,
        run_uuid: String,
        epoch: Epoch,
        parent: Option<Epoch>,
        kind: ManifestKind,
        started_ms: i64,
        finished_ms: i64,
        fingerprint: String,
        key_groups: u16,
        rows_read: u64,
        dead_lettered: u64,
        schemas: BTreeMap<String, Vec<TableSchema>>,
        sources: BTreeMap<String, SourceState>,
        operators: BTreeMap<String, OperatorRecord>,
        sinks: BTreeMap<String, SinkState>,
    }

    impl From<super::Manifest> for Manifest {
        fn from(manifest: super::Manifest) -> Self {
            let super::Manifest { format, job, generation, run_uuid, epoch, parent, kind, .. } = manifest;
            let super::Manifest { started_ms, finished_ms, fingerprint, key_groups, body, .. } = manifest;
            let ManifestBody { schemas, sources, operators, sinks, rows_read, dead_lettered } = body;
            Self {
                format,
                job,
                generation,
                run_uuid,
                epoch,
                parent,
                kind,
                started_ms,
                finished_ms,
                fingerprint,
                key_groups,
                rows_read,
                dead_lettered,
                schemas,
                sources,
                operators,
                sinks,
            }
        }
    }

    impl From<Manifest> for super::Manifest {
        fn from(wire: Manifest) -> Self {
            Self {
                format: wire.format,
                job: wire.job,
                generation: wire.generation,
                run_uuid: wire.run_uuid,
                epoch: wire.epoch,
                parent: wire.parent,
                kind: wire.kind,
                started_ms: wire.started_ms,
                finished_ms: wire.finished_ms,
                fingerprint: wire.fingerprint,
                key_groups: wire.key_groups,
                body: ManifestBody {
                    schemas: wire.schemas,
                    sources: wire.sources,
                    operators: wire.operators,
                    sinks: wire.sinks,
                    rows_read: wire.rows_read,
                    dead_lettered: wire.dead_lettered,
                },
            }
        }
    }
}
