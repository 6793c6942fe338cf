//! The checkpoint protocol: how the state of a job survives crashes, restarts and a second process.
//!
//! The state of a job is a row of immutable *manifests*, one for each epoch, in a [`StateStore`]. Creating
//! the manifest of an epoch, which can succeed once only, is the moment at which the epoch happened; what
//! sinks have prepared for it is committed afterwards, and if need be again by another process. Nothing is
//! ever overwritten and nothing is locked. Why that is enough is said in [`decide`] and in ADR 0003.
//!
//! * [`open_store`] finds the store, [`JobState::open`] begins a run and says how ([`Recovery`]).
//! * [`JobState`] publishes, marks, cleans up and makes savepoints.
//! * [`inspect`], [`list_jobs`], [`last_run`] look on from outside.

pub mod codes;
pub mod decide;
mod epochs;
mod fingerprint;
mod frame;
mod gc;
mod job;
mod layout;
mod manifest;
mod open;
mod record;
mod savepoint;
mod store;
mod view;

pub use fingerprint::{Fingerprint, Role};
pub use job::{JobState, Published};
pub use manifest::{
    FORMAT, FileRef, KEY_GROUPS, Manifest, ManifestBody, ManifestKind, OperatorRecord, SinkState,
    SourceState, StateFile,
};
pub use open::{Recovery, Start};
pub use record::RunRecord;
pub use savepoint::{delete_savepoint, savepoint_from_latest};
pub use store::{Backoff, Created, LocalStore, MemoryStore, ObjectStateStore, StateStore, open_store};
pub use view::{EpochView, JobStateView, ManifestView, SavepointView, inspect, last_run, list_jobs};
