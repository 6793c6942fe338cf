//! What each node has done, counted while it runs: read by the progress display, the summary and the
//! metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use seatun_api::source::Lag;

/// What a node is in the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeRole {
    /// Reads.
    Source,
    /// A transform without state: what does not come out was filtered.
    Map,
    /// A transform with state: its output is not a part of its input.
    Operator,
    /// Writes.
    Sink,
    /// Writes the rows that were given up.
    DeadLetter,
}

/// A sum. It goes back only when the job does: to the last committed epoch after a failure.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Takes back what turned out not to be.
    pub(crate) fn sub(&self, count: u64) {
        self.0.fetch_sub(count, Ordering::Relaxed);
    }

    /// Goes back to an earlier sum, after a restart.
    pub(crate) fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }

    /// The sum so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters of one node over all its subtasks and all runs of this process.
#[derive(Debug)]
pub struct NodeStats {
    /// The node's id.
    pub id: String,
    /// The plugin's name.
    pub plugin: &'static str,
    /// What the node is.
    pub role: NodeRole,
    /// How many downstream nodes each row it emits goes to.
    pub fan_out: u64,
    /// Rows that came in; of a source, rows read, those given up included.
    pub rows_in: Counter,
    /// Bytes of memory that came in; of a source, of the rows it emitted.
    pub bytes_in: Counter,
    /// Rows that went out; of a sink, rows written.
    pub rows_out: Counter,
    /// Bytes that went out: of memory; of a sink, as stored in the target.
    pub bytes_out: Counter,
    /// Batches that came in; of a source, batches emitted.
    pub batches: Counter,
    /// Rows left out on purpose.
    pub filtered: Counter,
    /// Rows given up.
    pub dead_lettered: Counter,
    /// Errors met, those that were tried again included.
    pub errors: Counter,
    /// Time spent working, in nanoseconds over all subtasks.
    pub busy_nanos: Counter,
    /// Bytes waiting in the node's input channels.
    pub channel_bytes: AtomicI64,
    /// Bytes that the node's input channels can hold.
    pub channel_capacity: AtomicI64,
    /// How far a source's readers are behind.
    pub lags: Lags,
}

impl NodeStats {
    /// Counters at zero.
    #[must_use]
    pub fn new(id: String, plugin: &'static str, role: NodeRole, fan_out: u64) -> Self {
        Self {
            id,
            plugin,
            role,
            fan_out,
            rows_in: Counter::default(),
            bytes_in: Counter::default(),
            rows_out: Counter::default(),
            bytes_out: Counter::default(),
            batches: Counter::default(),
            filtered: Counter::default(),
            dead_lettered: Counter::default(),
            errors: Counter::default(),
            busy_nanos: Counter::default(),
            channel_bytes: AtomicI64::new(0),
            channel_capacity: AtomicI64::new(0),
            lags: Lags::default(),
        }
    }
}

/// How far each reader of a node is behind; summed up where it is shown.
#[derive(Debug, Default)]
pub struct Lags(Mutex<BTreeMap<u32, Lag>>);

impl NodeStats {
    /// A reader tells how far it is behind.
    pub(crate) fn show_lag(&self, subtask: u32, lag: Lag) {
        lock(&self.lags.0).insert(subtask, lag);
    }

    /// How far the node is behind: the readers' rows and bytes together, the worst reader's seconds.
    #[must_use]
    pub fn lag(&self) -> Lag {
        let mut total = Lag::default();
        for lag in lock(&self.lags.0).values() {
            let sum = |a: Option<u64>, b: Option<u64>| a.map_or(b, |a| Some(a + b.unwrap_or(0)));
            total.rows = sum(total.rows, lag.rows);
            total.bytes = sum(total.bytes, lag.bytes);
            total.seconds = match (total.seconds, lag.seconds) {
                (Some(a), Some(b)) => Some(a.max(b)),
                (a, b) => a.or(b),
            };
        }
        total
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Counters of a job's checkpoints.
#[derive(Debug, Default)]
pub struct CheckpointStats {
    /// The last epoch that was published.
    pub epoch: AtomicU64,
    /// Checkpoints completed by this process.
    pub completed: Counter,
    /// Checkpoints that failed.
    pub failed: Counter,
    /// Duration of the last one, from barrier to commit, in milliseconds.
    pub duration_millis: AtomicU64,
    /// Bytes of the last one: manifest and state files.
    pub bytes: AtomicU64,
    /// When the last one was completed, in milliseconds since 1970; 0 for never.
    pub completed_at_millis: AtomicU64,
    /// When the commit that is pending was published, in milliseconds since 1970; 0 if none is pending.
    pub commit_pending_since_millis: AtomicU64,
}

/// Everything counted of a job; shared between the runtime and whoever displays it.
#[derive(Debug)]
pub struct JobStats {
    /// The job's name.
    pub job: String,
    /// By node, in topological order; the dead-letter node is the last.
    pub nodes: Vec<Arc<NodeStats>>,
    /// Checkpoints.
    pub checkpoints: CheckpointStats,
    /// Restarts after failures.
    pub restarts: Counter,
    /// All tasks run and data may flow.
    pub ready: AtomicBool,
}

/// The terms of `read + copied = written + filtered + dead-lettered + absorbed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Rows read by all sources.
    pub read: u64,
    /// Rows that exist once more because an output goes to several nodes.
    pub copied: u64,
    /// Rows written by all sinks.
    pub written: u64,
    /// Rows left out on purpose.
    pub filtered: u64,
    /// Rows given up.
    pub dead_lettered: u64,
    /// Rows that went into stateful transforms less those that came out; negative if more came out.
    pub absorbed: i64,
}

impl Balance {
    /// Whether the equation holds: it does whenever no row is in flight.
    #[must_use]
    pub fn holds(&self) -> bool {
        let left = i128::from(self.read) + i128::from(self.copied);
        let right = i128::from(self.written)
            + i128::from(self.filtered)
            + i128::from(self.dead_lettered)
            + i128::from(self.absorbed);
        left == right
    }
}

impl JobStats {
    /// Counters at zero for these nodes.
    pub(crate) fn new(job: String, nodes: Vec<Arc<NodeStats>>) -> Self {
        Self {
            job,
            nodes,
            checkpoints: CheckpointStats::default(),
            restarts: Counter::default(),
            ready: AtomicBool::new(false),
        }
    }

    /// Sums the nodes up.
    #[must_use]
    pub fn balance(&self) -> Balance {
        let mut balance = Balance::default();
        for node in &self.nodes {
            let (rows_in, rows_out) = (node.rows_in.get(), node.rows_out.get());
            if node.role != NodeRole::DeadLetter {
                balance.dead_lettered += node.dead_lettered.get();
            }
            balance.filtered += node.filtered.get();
            match node.role {
                NodeRole::Source => balance.read += rows_in,
                NodeRole::Sink => balance.written += rows_out,
                NodeRole::Operator => {
                    let given_up = i64::try_from(node.dead_lettered.get()).unwrap_or(i64::MAX);
                    balance.absorbed += i64::try_from(rows_in).unwrap_or(i64::MAX)
                        - i64::try_from(rows_out).unwrap_or(i64::MAX)
                        - given_up;
                }
                NodeRole::Map | NodeRole::DeadLetter => {}
            }
            if matches!(node.role, NodeRole::Source | NodeRole::Map | NodeRole::Operator) {
                balance.copied += rows_out * node.fan_out.saturating_sub(1);
            }
        }
        balance
    }
}
