//! Small jobs over the testkit's scripted connectors.

use std::sync::Arc;
use std::time::Duration;

use seatun_api::{JobMode, Sink, Source, Transform};
use seatun_runtime::job::{
    CheckpointOptions, DeadLetterOptions, FlowOptions, Job, Node, NodeKind, RateLimit, RestartOptions,
};
use seatun_runtime::run::{Control, Outcome, RunOptions, run, stats_of};
use seatun_runtime::stats::JobStats;
use seatun_state::{Start, StateStore, open_store};

/// A job in the making.
pub struct Builder {
    pub job: Job,
    pub store: Arc<dyn StateStore>,
    pub start: Start,
    pub control: Control,
}

impl Builder {
    /// A bounded job without checkpoints but the final one.
    pub fn new() -> Self {
        let job = Job {
            name: "test".into(),
            mode: JobMode::Batch,
            nodes: Vec::new(),
            checkpoint: CheckpointOptions { interval: None, ..CheckpointOptions::default() },
            restart: RestartOptions {
                attempts: 3,
                backoff: Duration::from_millis(1),
                max_backoff: Duration::from_millis(5),
            },
            dead_letter: None,
            flow: FlowOptions { linger: Duration::from_millis(5), ..FlowOptions::default() },
            fingerprint: "test".into(),
        };
        let store = open_store("memory:").unwrap();
        Self { job, store, start: Start::Resume, control: Control::new() }
    }

    /// Checkpoints this often.
    pub fn every(mut self, millis: u64) -> Self {
        self.job.checkpoint.interval = Some(Duration::from_millis(millis));
        self
    }

    pub fn streaming(mut self) -> Self {
        self.job.mode = JobMode::Streaming;
        self
    }

    /// The state of another job, as if the process had been started again.
    pub fn with_store(mut self, store: &Arc<dyn StateStore>) -> Self {
        self.store = Arc::clone(store);
        self
    }

    pub fn node(mut self, id: &str, parallelism: u32, inputs: &[usize], kind: NodeKind) -> Self {
        self.job.nodes.push(Node {
            id: id.into(),
            plugin: "Memory",
            parallelism,
            inputs: inputs.to_vec(),
            rate: RateLimit::default(),
            kind,
        });
        self
    }

    pub fn source(self, id: &str, parallelism: u32, source: impl Source + 'static) -> Self {
        self.node(id, parallelism, &[], NodeKind::Source(Arc::new(source)))
    }

    pub fn transform(self, id: &str, inputs: &[usize], transform: impl Transform + 'static) -> Self {
        self.node(id, 1, inputs, NodeKind::Transform(Arc::new(transform)))
    }

    pub fn sink(self, id: &str, parallelism: u32, inputs: &[usize], sink: impl Sink + 'static) -> Self {
        self.node(id, parallelism, inputs, NodeKind::Sink(Arc::new(sink)))
    }

    pub fn dead_letters(mut self, sink: impl Sink + 'static, max_records: Option<u64>) -> Self {
        self.job.dead_letter = Some(DeadLetterOptions {
            id: "dead-letters".into(),
            plugin: "Memory",
            sink: Arc::new(sink),
            max_records,
            max_ratio: None,
        });
        self
    }

    /// Runs it to its end.
    pub async fn run(self) -> (seatun_api::Result<Outcome>, Arc<JobStats>) {
        let stats = stats_of(&self.job);
        let options = RunOptions { store: self.store, start: self.start };
        let ended = run(self.job, options, self.control, Arc::clone(&stats));
        let result = tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the job hangs");
        (result, stats)
    }

    /// Runs it to an end in good order, with an even balance.
    pub async fn finish(self) -> Arc<JobStats> {
        let (result, stats) = self.run().await;
        assert!(matches!(result, Ok(Outcome::Finished { .. })), "{result:?}");
        assert!(stats.balance().holds(), "{:?}", stats.balance());
        stats
    }
}

/// Waits until a condition holds.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
