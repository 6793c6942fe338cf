//! Counts that are shown at once and settled by epoch.
//!
//! Rows read before a failure are read again after it. What a node shows is therefore brought back to the
//! last committed epoch when the job restarts, so that the balance of the whole run holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use seatun_api::Epoch;

use crate::stats::{JobStats, NodeStats};

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

/// What every node did in epochs that are committed; survives a restart of the run.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    by_node: BTreeMap<usize, Counts>,
    /// Counts of an epoch that is published or about to be, and not known to be committed.
    unsettled: Option<(Epoch, Vec<(usize, Counts)>)>,
}

impl Committed {
    /// An epoch is about to be published.
    pub fn hold(&mut self, epoch: Epoch, counts: Vec<(usize, Counts)>) {
        self.unsettled = Some((epoch, counts));
    }

    /// An epoch is committed, by this run or by the one after it.
    pub fn settle(&mut self, epoch: Epoch) {
        if let Some((_, counts)) = self.unsettled.take_if(|(held, _)| *held == epoch) {
            for (node, counts) in counts {
                self.by_node.entry(node).or_default().add(&counts);
            }
        }
    }

    /// Brings what is shown back to what is committed.
    pub fn show(&self, stats: &JobStats) {
        for (index, node) in stats.nodes.iter().enumerate() {
            self.by_node.get(&index).copied().unwrap_or_default().show(node);
        }
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
