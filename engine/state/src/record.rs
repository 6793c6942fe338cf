//! The small records beside the manifests: who runs a job, and which epochs are committed.

use std::time::{SystemTime, UNIX_EPOCH};

use seatun_api::{Epoch, Generation};
use serde::{Deserialize, Serialize};

use crate::manifest::FORMAT;

/// A run of a job: its claim of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Version of the form.
    pub format: u32,
    /// The job's name.
    pub job: String,
    /// The generation that it claims.
    pub generation: Generation,
    /// A random name of the run.
    pub uuid: String,
    /// The machine.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// When it started, in milliseconds since 1970-01-01T00:00:00Z.
    pub started_ms: i64,
    /// The newest epoch it found.
    pub based_on: Option<Epoch>,
    /// The release of seatun.
    pub release: String,
}

impl RunRecord {
    pub(crate) fn of_this_process(job: &str, generation: Generation, based_on: Option<Epoch>) -> Self {
        Self {
            format: FORMAT,
            job: job.to_owned(),
            generation,
            uuid: uuid::Uuid::new_v4().to_string(),
            host: host(),
            pid: std::process::id(),
            started_ms: now_ms(),
            based_on,
            release: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Says that every committer has returned for an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Marker {
    pub(crate) format: u32,
    pub(crate) job: String,
    pub(crate) epoch: Epoch,
    pub(crate) generation: Generation,
    pub(crate) run_uuid: String,
    pub(crate) committed_ms: i64,
}

/// Milliseconds since 1970-01-01T00:00:00Z; for people, never for a decision.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The machine's name as far as it can be told without asking a server; for people.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
