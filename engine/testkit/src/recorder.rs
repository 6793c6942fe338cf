//! Outputs that keep what they are given and check what every source must keep: the ranges of a split's
//! positions follow one another without a gap, and nothing goes backwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use seatun_api::{
    Batch, Output, Position, PositionDelta, Reject, Result, SchemaChange, SinkOutput, SourceOutput, Split,
    SplitId, Watermark,
};

use crate::rows;

/// One thing that a source has given.
// A box around the batch would only be in the way of a test's patterns.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum SourceEvent {
    /// Rows and where they were read.
    Batch(Batch, PositionDelta),
    /// A range without rows.
    Advance(PositionDelta),
    /// A row given up.
    Reject(Reject),
    /// Another schema from here on.
    SchemaChange(SchemaChange, PositionDelta),
    /// Progress of event time.
    Watermark(SplitId, Watermark),
}

/// Keeps what a source gives. Panics when a range does not begin where its split was left.
#[derive(Debug, Default)]
pub struct SourceRecorder {
    /// Everything given, in order.
    pub events: Vec<SourceEvent>,
    positions: BTreeMap<SplitId, Position>,
    finished: BTreeSet<SplitId>,
}

impl SourceRecorder {
    /// Nothing given yet, no split known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of where splits are read from.
    pub fn start(&mut self, splits: &[Split]) {
        for split in splits {
            if let Some(position) = &split.position {
                self.positions.insert(split.id.clone(), position.clone());
            }
        }
    }

    /// Takes note that splits are at their end: nothing may follow.
    pub fn finish(&mut self, splits: &[SplitId]) {
        self.finished.extend(splits.iter().cloned());
    }

    /// How far each split was read: what a checkpoint would hold now.
    #[must_use]
    pub fn positions(&self) -> &BTreeMap<SplitId, Position> {
        &self.positions
    }

    /// The batches, in order.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.events.iter().filter_map(|event| match event {
            SourceEvent::Batch(batch, _) => Some(batch),
            _ => None,
        })
    }

    /// The rows as text, in order; see [`rows::batch_text`].
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        rows::batches_text(self.batches())
    }

    /// The rows of one split as text, in order.
    #[must_use]
    pub fn rows_of(&self, split: &SplitId) -> Vec<String> {
        let of_split = self.events.iter().filter_map(|event| match event {
            SourceEvent::Batch(batch, delta) if delta.split == *split => Some(batch),
            _ => None,
        });
        rows::batches_text(of_split)
    }

    /// How many rows.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.batches().map(Batch::num_rows).sum()
    }

    /// The rows given up, in order.
    pub fn rejects(&self) -> impl Iterator<Item = &Reject> {
        self.events.iter().filter_map(|event| match event {
            SourceEvent::Reject(reject) => Some(reject),
            _ => None,
        })
    }

    /// The schema changes, in order.
    pub fn schema_changes(&self) -> impl Iterator<Item = &SchemaChange> {
        self.events.iter().filter_map(|event| match event {
            SourceEvent::SchemaChange(change, _) => Some(change),
            _ => None,
        })
    }

    fn follow(&mut self, delta: &PositionDelta, what: &str, must_grow: bool) {
        let PositionDelta { split, from, to } = delta;
        assert!(!self.finished.contains(split), "split {split} gave {what} after it was finished");
        let left_at = self.positions.get(split);
        assert_eq!(
            from.as_ref(),
            left_at,
            "split {split}: {what} begins elsewhere than where the split was left"
        );
        if let Some(left_at) = left_at {
            assert!(to >= left_at, "split {split}: {what} goes back from {left_at} to {to}");
            assert!(!must_grow || to > left_at, "split {split}: {what} does not move on from {left_at}");
        }
        self.positions.insert(split.clone(), to.clone());
    }
}

#[async_trait]
impl SourceOutput for SourceRecorder {
    async fn emit(&mut self, batch: Batch, delta: PositionDelta) -> Result<()> {
        self.follow(&delta, "a batch", batch.num_rows() > 0);
        self.events.push(SourceEvent::Batch(batch, delta));
        Ok(())
    }

    async fn advance(&mut self, delta: PositionDelta) -> Result<()> {
        self.follow(&delta, "an advance", false);
        self.events.push(SourceEvent::Advance(delta));
        Ok(())
    }

    async fn reject(&mut self, reject: Reject) -> Result<()> {
        self.events.push(SourceEvent::Reject(reject));
        Ok(())
    }

    async fn schema_change(&mut self, change: SchemaChange, at: PositionDelta) -> Result<()> {
        self.follow(&at, "a schema change", false);
        assert!(
            change.after.version > change.before.version,
            "a schema change must raise the version of table {}",
            change.after.id
        );
        self.events.push(SourceEvent::SchemaChange(change, at));
        Ok(())
    }

    async fn watermark(&mut self, split: &SplitId, watermark: Watermark) -> Result<()> {
        self.events.push(SourceEvent::Watermark(split.clone(), watermark));
        Ok(())
    }
}

/// Keeps what an operator gives.
#[derive(Debug, Default)]
pub struct OutputRecorder {
    /// The batches, in order.
    pub batches: Vec<Batch>,
    /// The schema changes, in order.
    pub schema_changes: Vec<Arc<SchemaChange>>,
    /// The rows given up, in order.
    pub rejects: Vec<Reject>,
}

impl OutputRecorder {
    /// The rows as text, in order; see [`rows::batch_text`].
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        rows::batches_text(&self.batches)
    }
}

#[async_trait]
impl Output for OutputRecorder {
    async fn batch(&mut self, batch: Batch) -> Result<()> {
        self.batches.push(batch);
        Ok(())
    }

    async fn schema_change(&mut self, change: Arc<SchemaChange>) -> Result<()> {
        self.schema_changes.push(change);
        Ok(())
    }

    async fn reject(&mut self, reject: Reject) -> Result<()> {
        self.rejects.push(reject);
        Ok(())
    }
}

/// Keeps the rows that a writer gives up.
#[derive(Debug, Default)]
pub struct SinkRecorder {
    /// The rows given up, in order.
    pub rejects: Vec<Reject>,
}

#[async_trait]
impl SinkOutput for SinkRecorder {
    async fn reject(&mut self, reject: Reject) -> Result<()> {
        self.rejects.push(reject);
        Ok(())
    }
}

/// Takes nothing: every call waits for ever, as when all that follows is blocked.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockedOutput;

#[async_trait]
impl SourceOutput for BlockedOutput {
    async fn emit(&mut self, _: Batch, _: PositionDelta) -> Result<()> {
        std::future::pending().await
    }

    async fn advance(&mut self, _: PositionDelta) -> Result<()> {
        std::future::pending().await
    }

    async fn reject(&mut self, _: Reject) -> Result<()> {
        std::future::pending().await
    }

    async fn schema_change(&mut self, _: SchemaChange, _: PositionDelta) -> Result<()> {
        std::future::pending().await
    }

    async fn watermark(&mut self, _: &SplitId, _: Watermark) -> Result<()> {
        std::future::pending().await
    }
}
