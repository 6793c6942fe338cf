//! Counts that are shown at once and settled by epoch.
//!
//! Rows read before a failure are read again after it. What a node shows is therefore brought back to the
//! last committed epoch when the job restarts, so that the balance of the whole run holds.

use std::sync::Arc;

use crate::stats::NodeStats;

/// What one subtask did at one node in one epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub rows_in: u64,
    pub bytes_in: u64,
    pub rows_out: u64,
    pub bytes_out: u64,
    pub batches: u64,
    pub filtered: u64,
    pub dead_lettered: u64,
}

impl Counts {
    /// Adds other counts to these.
    pub fn add(&mut self, other: &Self) {
        self.rows_in += other.rows_in;
        self.bytes_in += other.bytes_in;
        self.rows_out += other.rows_out;
        self.bytes_out += other.bytes_out;
        self.batches += other.batches;
        self.filtered += other.filtered;
        self.dead_lettered += other.dead_lettered;
    }

    /// Makes a node show these counts.
    pub fn show(&self, stats: &NodeStats) {
        stats.rows_in.set(self.rows_in);
        stats.bytes_in.set(self.bytes_in);
        stats.rows_out.set(self.rows_out);
        stats.bytes_out.set(self.bytes_out);
        stats.batches.set(self.batches);
        stats.filtered.set(self.filtered);
        stats.dead_lettered.set(self.dead_lettered);
    }
}

/// Counts of one node within one task.
pub(crate) struct Tally {
    /// The node's index in the job; the dead-letter node's is one past the last.
    pub node: usize,
    pub stats: Arc<NodeStats>,
    epoch: Counts,
}

impl Tally {
    pub fn new(node: usize, stats: &Arc<NodeStats>) -> Self {
        Self { node, stats: Arc::clone(stats), epoch: Counts::default() }
    }

    /// Rows came in.
    pub fn batch_in(&mut self, rows: u64, bytes: u64) {
        self.rows_in(rows);
        self.epoch.bytes_in += bytes;
        self.epoch.batches += 1;
        self.stats.bytes_in.add(bytes);
        self.stats.batches.add(1);
    }

    /// Rows came in that are not in a batch.
    pub fn rows_in(&mut self, rows: u64) {
        self.epoch.rows_in += rows;
        self.stats.rows_in.add(rows);
    }

    /// Rows went out.
    pub fn rows_out(&mut self, rows: u64, bytes: u64) {
        self.epoch.rows_out += rows;
        self.epoch.bytes_out += bytes;
        self.stats.rows_out.add(rows);
        self.stats.bytes_out.add(bytes);
    }

    /// Rows were taken back from what went out: a writer gave them up later.
    pub fn rows_not_out(&mut self, rows: u64) {
        // A row written in one epoch and given up in the next is taken from the next one's count.
        let rows = rows.min(self.epoch.rows_out);
        self.epoch.rows_out -= rows;
        self.stats.rows_out.sub(rows);
    }

    /// Rows were left out on purpose.
    pub fn filtered(&mut self, rows: u64) {
        self.epoch.filtered += rows;
        self.stats.filtered.add(rows);
    }

    /// Rows were given up.
    pub fn dead_lettered(&mut self, rows: u64) {
        self.epoch.dead_lettered += rows;
        self.stats.dead_lettered.add(rows);
    }

    /// The epoch's counts; the next epoch begins at zero.
    pub fn take(&mut self) -> (usize, Counts) {
        (self.node, std::mem::take(&mut self.epoch))
    }
}
