//! The job that a file describes: nodes in order, their options, and what holds for all of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use seatun_api::JobMode;
use seatun_api::config::{Origin, Value};
use seatun_api::registry::PluginContext;

/// A job whose graph is sound and whose plugins exist.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// Its name, which is also the name of its state: `job.name`, else `--name`, else the file's stem.
    pub name: String,
    /// Whether it ends by itself.
    pub mode: JobMode,
    /// The nodes in topological order: each node's inputs stand before it.
    pub nodes: Vec<NodeSpec>,
    /// Checkpoints.
    pub checkpoint: CheckpointSpec,
    /// What happens after a failure that may pass.
    pub restart: RestartSpec,
    /// Where rows go that are given up; without it the first one stops the job.
    pub dead_letter: Option<DeadLetterSpec>,
    /// Sizes of batches and channels.
    pub flow: FlowSpec,
    /// The job file as the user named it.
    pub file: Arc<str>,
    /// The folder of the job file.
    pub config_dir: PathBuf,
}

/// Which end of the job a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// Reads.
    Source,
    /// Changes.
    Transform,
    /// Writes.
    Sink,
}

impl NodeKind {
    /// The name of its block in a job file: `source`, `transform` or `sink`.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Transform => "transform",
            Self::Sink => "sink",
        }
    }
}

/// One node of the graph.
#[derive(Clone, Debug)]
pub struct NodeSpec {
    /// Unique in the job: `plugin_output`, else the plugin's name and a number.
    pub id: String,
    /// What it is.
    pub kind: NodeKind,
    /// The plugin's name as the registry has it.
    pub plugin: &'static str,
    /// How many subtasks.
    pub parallelism: u32,
    /// Indices in [`JobSpec::nodes`] of what it reads, one for each input, in order.
    pub inputs: Vec<usize>,
    /// The names of the inputs, in order: what their nodes call their output, else the nodes' ids.
    pub input_names: Vec<String>,
    /// `plugin_output`, if it is given.
    pub output: Option<String>,
    /// Limits of a source, for each subtask.
    pub rate: RateSpec,
    /// The options, without those of the wiring.
    pub options: Value,
    /// Where the node's block begins.
    pub origin: Origin,
}

/// How fast a source may read, for each subtask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateSpec {
    /// Rows in a second.
    pub rows_per_second: Option<u64>,
    /// Bytes of memory in a second.
    pub bytes_per_second: Option<u64>,
}

/// When checkpoints are taken, and where they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSpec {
    /// Time between the end of one and the start of the next; `None` for the final one only.
    pub interval: Option<Duration>,
    /// After how long one that is under way is reported as slow.
    pub slow_after: Duration,
    /// How many are kept.
    pub retain: usize,
    /// Where; `None` for the default place.
    pub uri: Option<String>,
}

/// How often a failed job is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartSpec {
    /// Starts in a row without a checkpoint between them before the job fails.
    pub attempts: u32,
    /// Wait before the first of them.
    pub backoff: Duration,
}

/// Sizes of what is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowSpec {
    /// Rows of a batch at most.
    pub batch_rows: usize,
    /// How long a reader may wait for rows.
    pub linger: Duration,
    /// Bytes that one channel holds.
    pub channel_bytes: usize,
    /// Bytes of memory of one blocking operator.
    pub operator_memory: usize,
}

/// The dead-letter sink.
#[derive(Clone, Debug)]
pub struct DeadLetterSpec {
    /// Its node id: `dead_letter`.
    pub id: String,
    /// The plugin's name as the registry has it.
    pub plugin: &'static str,
    /// The sink's options.
    pub options: Value,
    /// The job stops when more rows than this were given up.
    pub max_records: Option<u64>,
    /// The job stops when more than this part of the rows read was given up.
    pub max_ratio: Option<f64>,
    /// Where the block begins.
    pub origin: Origin,
}

impl JobSpec {
    /// What a node's plugin is told of the job.
    #[must_use]
    pub fn context(&self, node: &NodeSpec) -> PluginContext {
        PluginContext {
            node: node.id.clone(),
            mode: self.mode,
            parallelism: node.parallelism,
            config_dir: self.config_dir.clone(),
            inputs: node.input_names.clone(),
            output: node.output.clone(),
        }
    }

    /// What the dead-letter sink's plugin is told of the job.
    #[must_use]
    pub fn dead_letter_context(&self, dead_letter: &DeadLetterSpec) -> PluginContext {
        PluginContext {
            node: dead_letter.id.clone(),
            mode: self.mode,
            parallelism: 1,
            config_dir: self.config_dir.clone(),
            inputs: Vec::new(),
            output: None,
        }
    }

    /// A hash of the plan's shape: the nodes' ids, kinds, plugins and wiring. Options and parallelism do not
    /// count: they may change between two runs of one job.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        const PRIME: u64 = 0x0100_0000_01b3;
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let mut add = |text: &str| {
            // A byte that no text contains separates the parts.
            for byte in text.bytes().chain([0xff]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
            }
        };
        for node in &self.nodes {
            add(node.kind.section());
            add(node.plugin);
            add(&node.id);
            node.inputs.iter().for_each(|input| add(&self.nodes[*input].id));
            add("");
        }
        format!("{hash:016x}")
    }
}
