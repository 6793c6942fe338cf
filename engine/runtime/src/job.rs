//! The job as the runtime takes it: a checked graph of built nodes. No HOCON here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seatun_api::{JobMode, Sink, Source, Transform};

/// A job, ready to run.
#[derive(Clone)]
pub struct Job {
    /// Its name, which is also the name of its state.
    pub name: String,
    /// Whether it ends by itself.
    pub mode: JobMode,
    /// Nodes in topological order: each node's inputs stand before it.
    pub nodes: Vec<Node>,
    /// Checkpoints.
    pub checkpoint: CheckpointOptions,
    /// What happens after a failure that may pass.
    pub restart: RestartOptions,
    /// Where rows go that are given up; without it the first one stops the job.
    pub dead_letter: Option<DeadLetterOptions>,
    /// Sizes of batches and channels.
    pub flow: FlowOptions,
    /// Hash of the plan's shape, stored in each manifest to notice that another job uses the same name.
    pub fingerprint: String,
}

/// A node of the graph.
#[derive(Clone)]
pub struct Node {
    /// Its id, unique in the job.
    pub id: String,
    /// The plugin's name.
    pub plugin: &'static str,
    /// How many subtasks.
    pub parallelism: u32,
    /// Indices of the nodes it reads from, one for each input (port), in order. A sink's several inputs
    /// are a union.
    pub inputs: Vec<usize>,
    /// Limits of a source, for each subtask.
    pub rate: RateLimit,
    /// What it does.
    pub kind: NodeKind,
}

/// What a node does.
#[derive(Clone)]
pub enum NodeKind {
    /// Reads.
    Source(Arc<dyn Source>),
    /// Changes.
    Transform(Arc<dyn Transform>),
    /// Writes.
    Sink(Arc<dyn Sink>),
}

/// How fast a source may read, for each reader.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RateLimit {
    /// Rows in a second.
    pub rows_per_second: Option<u64>,
    /// Bytes of memory in a second.
    pub bytes_per_second: Option<u64>,
}

/// When checkpoints are taken.
#[derive(Clone, Copy, Debug)]
pub struct CheckpointOptions {
    /// Time between the end of one and the start of the next; `None` for the final one only.
    pub interval: Option<Duration>,
    /// After how long a checkpoint that is still under way is reported as slow. It never fails the job.
    pub slow_after: Duration,
    /// How many manifests are kept.
    pub retain: usize,
    /// How long the last checkpoint of a job that was asked to stop may take. After that the job ends
    /// without it: the next start goes on from the checkpoint before.
    pub stop_within: Duration,
}

impl Default for CheckpointOptions {
    fn default() -> Self {
        Self {
            interval: Some(Duration::from_secs(10)),
            slow_after: Duration::from_secs(60),
            retain: 3,
            stop_within: Duration::from_millis(4500),
        }
    }
}

/// How often a failed job is started again from its last checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct RestartOptions {
    /// Restarts in a row without a checkpoint between them before the job fails.
    pub attempts: u32,
    /// Wait before the first restart; doubled each time, with jitter, up to `max_backoff`.
    pub backoff: Duration,
    /// Longest wait.
    pub max_backoff: Duration,
}

impl Default for RestartOptions {
    fn default() -> Self {
        Self { attempts: 3, backoff: Duration::from_secs(3), max_backoff: Duration::from_secs(60) }
    }
}

/// The dead-letter sink and its limits.
#[derive(Clone)]
pub struct DeadLetterOptions {
    /// Id of the node in summaries and metrics.
    pub id: String,
    /// The plugin's name.
    pub plugin: &'static str,
    /// Where the records go. Their columns are [`crate::dead_letter::schema`].
    pub sink: Arc<dyn Sink>,
    /// The job stops when more rows than this were given up, counted over all its runs.
    pub max_records: Option<u64>,
    /// The job stops when more than this part of the rows read was given up, once 1,000 rows were read.
    pub max_ratio: Option<f64>,
}

/// Sizes of what is in flight.
#[derive(Clone, Debug)]
pub struct FlowOptions {
    /// Rows of a batch at most.
    pub batch_rows: usize,
    /// How long a reader may wait for rows.
    pub linger: Duration,
    /// Bytes that one channel between two subtasks holds.
    pub channel_bytes: usize,
    /// Bytes of memory that one blocking operator may use before it spills.
    pub operator_memory: usize,
    /// Below which folder operators spill; each process has a folder of its own there.
    pub spill_dir: PathBuf,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            batch_rows: 8192,
            linger: Duration::from_millis(50),
            channel_bytes: 8 << 20,
            operator_memory: 256 << 20,
            spill_dir: std::env::temp_dir(),
        }
    }
}
