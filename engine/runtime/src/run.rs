//! Runs a job to its end, through restarts.

use std::sync::Arc;

use seatun_api::{Epoch, Error, Result, Retry};
use seatun_state::{Start, StateStore};

use crate::attempt::attempt;
use crate::codes;
pub use crate::control::Control;
use crate::job::Job;
use crate::plan;
use crate::retry::Backoff;
use crate::spill::SpillDir;
use crate::stats::{JobStats, NodeRole, NodeStats};
use crate::tally::Committed;

/// How long a job that ran out of something waits before it tries again.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

/// How a job is started.
#[derive(Clone)]
pub struct RunOptions {
    /// Where its state is kept.
    pub store: Arc<dyn StateStore>,
    /// What it goes on from. A restart after a failure always goes on from the last checkpoint.
    pub start: Start,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its sources are exhausted, and everything is committed.
    Finished {
        /// The last epoch.
        epoch: Epoch,
    },
    /// It was asked to stop.
    Stopped {
        /// The epoch of the last checkpoint; `None` if it ended without one, which loses nothing.
        epoch: Option<Epoch>,
        /// The next start goes on from here; otherwise it begins again (a blocking transform was at work).
        resumable: bool,
    },
}

/// The counters of a job to come.
#[must_use]
pub fn stats_of(job: &Job) -> Arc<JobStats> {
    let mut nodes: Vec<Arc<NodeStats>> = Vec::new();
    for (index, node) in job.nodes.iter().enumerate() {
        let fan_out =
            job.nodes.iter().flat_map(|other| &other.inputs).filter(|input| **input == index).count();
        let role = plan::role(&node.kind);
        nodes.push(Arc::new(NodeStats::new(node.id.clone(), node.plugin, role, fan_out as u64)));
    }
    if let Some(letters) = &job.dead_letter {
        let stats = NodeStats::new(letters.id.clone(), letters.plugin, NodeRole::DeadLetter, 0);
        nodes.push(Arc::new(stats));
    }
    Arc::new(JobStats::new(job.name.clone(), nodes))
}

/// Runs a job until it has finished, was stopped, or has failed for good. Must be called within a tokio
/// runtime, whose worker threads do the work.
///
/// # Errors
/// The failure that ended the job. Failures that may pass are tried again from the last checkpoint, within
/// the job's restart budget, which is full again after each checkpoint; running out of disk space or quota
/// is waited for without end.
pub async fn run(job: Job, options: RunOptions, control: Control, stats: Arc<JobStats>) -> Result<Outcome> {
    plan::check(&job)?;
    let mut job = job;
    let spill = SpillDir::below(&job.flow.spill_dir);
    spill.path().clone_into(&mut job.flow.spill_dir);
    let job = Arc::new(job);
    let mut committed = Committed::default();
    let mut start = options.start;
    let mut budget = Budget::full(&job);
    loop {
        let attempted = attempt(&job, &options.store, &start, &control, &stats, &mut committed).await;
        if attempted.epochs > 0 {
            budget = Budget::full(&job);
        }
        if attempted.took_over {
            // What was started from is in the takeover's manifest, and epochs may have been published
            // since: to begin from there again would write them twice.
            start = Start::Resume;
        }
        let error = match attempted.result {
            Ok(outcome) => {
                // Without a last checkpoint rows were in flight: what counts is what is committed.
                if matches!(outcome, Outcome::Stopped { epoch: None, .. }) {
                    committed.show(&stats);
                }
                return Ok(outcome);
            }
            Err(error) => error,
        };
        if control.is_stopping() {
            return Err(error);
        }
        note_error(&stats, &error);
        let delay = budget.spend(error)?;
        committed.show(&stats);
        stats.restarts.add(1);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = control.stopping() => return Ok(Outcome::Stopped { epoch: None, resumable: true }),
        }
    }
}

/// What is left of the restarts.
struct Budget {
    left: u32,
    attempts: u32,
    backoff: Backoff,
}

impl Budget {
    fn full(job: &Job) -> Self {
        let options = job.restart;
        Self {
            left: options.attempts,
            attempts: options.attempts,
            backoff: Backoff::new(options.backoff, options.max_backoff),
        }
    }

    /// How long to wait before the next try, or the error that ends the job.
    fn spend(&mut self, error: Error) -> Result<std::time::Duration> {
        match error.retry() {
            Retry::Never => return Err(error),
            // Room comes back when it comes: asked for often, and at no cost to the budget.
            Retry::Pause => return Ok(paused(&error)),
            Retry::Backoff if self.left == 0 => {
                if self.attempts == 0 {
                    return Err(error);
                }
                let message = format!(
                    "the job failed {} times in a row without a checkpoint between",
                    self.attempts + 1
                );
                return Err(Error::external_permanent(codes::RESTARTS_EXHAUSTED, message)
                    .with_hint("mend the cause; the next start goes on from the last checkpoint")
                    .with_source(error));
            }
            Retry::Backoff => self.left -= 1,
        }
        let delay = self.backoff.delay();
        tracing::warn!(
            code = %error.code(),
            error = %error.chain(),
            restart_in = ?delay,
            restarts_left = self.left,
            "the job failed and is started again from its last checkpoint"
        );
        Ok(delay)
    }
}

/// How long to wait for room.
fn paused(error: &Error) -> std::time::Duration {
    tracing::warn!(code = %error.code(), error = %error.chain(), retry_in = ?PAUSE, "the job waits for room");
    PAUSE
}

/// Counts a failure at the node that it names.
fn note_error(stats: &JobStats, error: &Error) {
    let at = error.context().iter().find(|(key, _)| *key == "node").map(|(_, node)| node.as_str());
    for node in stats.nodes.iter().filter(|node| Some(node.id.as_str()) == at) {
        node.errors.add(1);
    }
}
