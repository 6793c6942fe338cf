//! The job's counters as Prometheus metrics. Names are documented in `docs/metrics.md`.
//!
//! Connectors may add their own through the `metrics` crate; labels are the job, the node and the plugin,
//! never data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use seatun_api::{Error, Result};

use crate::codes;
use crate::epoch::now_millis;
use crate::stats::{CheckpointStats, JobStats, NodeStats};

/// Counters of each node: name, meaning, where it is counted.
type Value = fn(&NodeStats) -> u64;
const NODE_COUNTERS: &[(&str, &str, Value)] = &[
    ("seatun_rows_in_total", "rows that came into the node; of a source, rows read", |n| n.rows_in.get()),
    ("seatun_rows_out_total", "rows that left the node; of a sink, rows written", |n| n.rows_out.get()),
    ("seatun_bytes_in_total", "bytes of memory that came into the node", |n| n.bytes_in.get()),
    ("seatun_bytes_out_total", "bytes that left the node; of a sink, as stored", |n| n.bytes_out.get()),
    ("seatun_batches_total", "batches that came into the node; of a source, emitted", |n| n.batches.get()),
    ("seatun_filtered_rows_total", "rows left out on purpose", |n| n.filtered.get()),
    ("seatun_dead_letter_rows_total", "rows given up", |n| n.dead_lettered.get()),
    ("seatun_errors_total", "failures met, those that were tried again included", |n| n.errors.get()),
];

const NODE_GAUGES: &[(&str, &str)] = &[
    ("seatun_channel_bytes", "bytes waiting in the node's input channels"),
    ("seatun_channel_fill_ratio", "part of the node's input channels that is full, 0 to 1"),
    ("seatun_busy_seconds", "time the node has worked, over all subtasks"),
    ("seatun_source_lag_rows", "rows not read yet, if the source knows"),
    ("seatun_source_lag_seconds", "age of the last row read, if the source knows"),
    ("seatun_source_lag_bytes", "bytes not read yet, if the source knows"),
];

const JOB_METRICS: &[(&str, &str)] = &[
    ("seatun_checkpoint_epoch", "the last committed epoch"),
    ("seatun_checkpoint_duration_seconds", "how long the last checkpoint took, barrier to commit"),
    ("seatun_checkpoint_age_seconds", "time since the last checkpoint was committed"),
    ("seatun_checkpoint_bytes", "size of the last checkpoint"),
    ("seatun_commit_lag_seconds", "how long a published epoch has been waiting for its commit"),
    ("seatun_ready", "1 when all tasks run"),
];

/// Collects metrics of this process.
#[derive(Clone)]
pub struct Exporter {
    handle: PrometheusHandle,
    stats: Arc<JobStats>,
}

impl Exporter {
    /// Becomes the process's collector.
    ///
    /// # Errors
    /// If the process has one already.
    pub fn install(stats: Arc<JobStats>) -> Result<Self> {
        let handle = PrometheusBuilder::new().install_recorder().map_err(|error| {
            Error::internal(codes::HTTP_ADDRESS, "metrics cannot be collected").with_source(error)
        })?;
        for (name, meaning, _) in NODE_COUNTERS {
            describe_counter!(*name, *meaning);
        }
        for (name, meaning) in NODE_GAUGES.iter().chain(JOB_METRICS) {
            describe_gauge!(*name, *meaning);
        }
        describe_counter!("seatun_checkpoints_total", "checkpoints committed");
        describe_counter!("seatun_checkpoint_failures_total", "steps of checkpoints that failed");
        describe_counter!("seatun_restarts_total", "restarts of the job after failures");
        Ok(Self { handle, stats })
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        for node in &self.stats.nodes {
            self.show_node(node);
        }
        self.show_checkpoints(&self.stats.checkpoints);
        self.handle.run_upkeep();
        self.handle.render()
    }

    fn show_node(&self, node: &NodeStats) {
        let labels =
            [("job", self.stats.job.clone()), ("node", node.id.clone()), ("plugin", node.plugin.to_owned())];
        for (name, _, value) in NODE_COUNTERS {
            counter!(*name, &labels).absolute(value(node));
        }
        let waiting = node.channel_bytes.load(Ordering::Relaxed) as f64;
        let capacity = node.channel_capacity.load(Ordering::Relaxed) as f64;
        gauge!("seatun_channel_bytes", &labels).set(waiting);
        gauge!("seatun_channel_fill_ratio", &labels).set(if capacity > 0.0 {
            waiting / capacity
        } else {
            0.0
        });
        gauge!("seatun_busy_seconds", &labels).set(node.busy_nanos.get() as f64 / 1e9);
        let lag = node.lag();
        if let Some(rows) = lag.rows {
            gauge!("seatun_source_lag_rows", &labels).set(rows as f64);
        }
        if let Some(seconds) = lag.seconds {
            gauge!("seatun_source_lag_seconds", &labels).set(seconds);
        }
        if let Some(bytes) = lag.bytes {
            gauge!("seatun_source_lag_bytes", &labels).set(bytes as f64);
        }
    }

    fn show_checkpoints(&self, checkpoints: &CheckpointStats) {
        let labels = [("job", self.stats.job.clone())];
        let ready = self.stats.ready.load(Ordering::Relaxed);
        counter!("seatun_checkpoints_total", &labels).absolute(checkpoints.completed.get());
        counter!("seatun_checkpoint_failures_total", &labels).absolute(checkpoints.failed.get());
        counter!("seatun_restarts_total", &labels).absolute(self.stats.restarts.get());
        gauge!("seatun_checkpoint_epoch", &labels).set(checkpoints.epoch.load(Ordering::Relaxed) as f64);
        gauge!("seatun_checkpoint_duration_seconds", &labels)
            .set(checkpoints.duration_millis.load(Ordering::Relaxed) as f64 / 1e3);
        gauge!("seatun_checkpoint_bytes", &labels).set(checkpoints.bytes.load(Ordering::Relaxed) as f64);
        gauge!("seatun_commit_lag_seconds", &labels)
            .set(seconds_since(&checkpoints.commit_pending_since_millis));
        gauge!("seatun_ready", &labels).set(f64::from(u8::from(ready)));
        if checkpoints.completed_at_millis.load(Ordering::Relaxed) > 0 {
            gauge!("seatun_checkpoint_age_seconds", &labels)
                .set(seconds_since(&checkpoints.completed_at_millis));
        }
    }
}

/// Seconds since a time in milliseconds; 0 if there is none.
fn seconds_since(millis: &AtomicU64) -> f64 {
    match millis.load(Ordering::Relaxed) {
        0 => 0.0,
        at => now_millis().saturating_sub(at) as f64 / 1e3,
    }
}
