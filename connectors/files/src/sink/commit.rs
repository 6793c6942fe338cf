//! The committer: hidden files get their names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use seatun_api::{Committer, Epoch, Generation, Result, SchemaChange, SinkContext, TableSchema, Versioned};

use super::layout::Layout;
use super::name::Owner;
use super::plan::FileSinkPlan;
use super::target::{StagedFile, Target};

/// Makes prepared files of one sink visible.
pub(crate) struct FileCommitter {
    plan: Arc<FileSinkPlan>,
    target: Arc<dyn Target>,
    owner: Owner,
    context: SinkContext,
}

/// The epoch in the name of a file that was made because no epoch had rows.
const NO_EPOCH: Epoch = Epoch(0);

impl FileCommitter {
    pub(crate) fn new(plan: Arc<FileSinkPlan>, target: Arc<dyn Target>, context: SinkContext) -> Self {
        Self { plan, target, owner: Owner::new(&context.job, &context.node), context }
    }

    /// Makes a file without rows for a table: columns only.
    async fn create_empty(&self, table: &Arc<TableSchema>, number: u64) -> Result<()> {
        let layout = Layout::new(&self.plan, table)?;
        if layout.partitioner.is_some() {
            return Ok(());
        }
        let name = layout.file_name(&self.plan, &self.owner, 0, NO_EPOCH, number);
        let path = join(&layout.folder, &name);
        let hidden = self.owner.in_progress(self.context.generation, u32::MAX, number);
        self.target.remove(vec![join(&layout.folder, &hidden)]).await?;
        let created = self.target.create(&layout.folder, &hidden).await?;
        // Another process is at the same work, or has done it.
        let Some(staged) = created else { return Ok(()) };
        if !self.target.is_free(&path).await? {
            return Ok(());
        }
        let mut staged = self.plan.encoding.open(&layout.schema, staged)?.finish()?;
        let sealed = staged.seal().await?;
        staged.keep();
        let (place, bytes, crc32c) = (sealed.place, sealed.bytes, sealed.crc32c);
        self.target.commit(vec![StagedFile { place, path, bytes, rows: 0, crc32c }]).await
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[async_trait]
impl Committer for FileCommitter {
    async fn commit(
        &mut self,
        _epoch: Epoch,
        items: Vec<Versioned>,
        _schema: Vec<Arc<SchemaChange>>,
    ) -> Result<()> {
        let files = items.iter().map(StagedFile::decode).collect::<Result<Vec<_>>>()?;
        self.target.commit(files).await
    }

    /// The greatest epoch in the names of this sink's own files: no marker beside the data is needed,
    /// since every name has its epoch in it, and none is left behind when somebody empties the folder.
    async fn last_committed(&mut self) -> Result<Option<Epoch>> {
        let owner = self.owner.clone();
        let last = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&last);
        self.target
            .find(Arc::new(move |name| {
                if let Some(epoch) = owner.epoch_of(name) {
                    seen.fetch_max(epoch.0, Ordering::Relaxed);
                }
                false
            }))
            .await?;
        let last = last.load(Ordering::Relaxed);
        Ok((last > 0).then_some(Epoch(last)))
    }

    async fn discard_leftovers(&mut self, own: Generation, _last: Epoch) -> Result<()> {
        let owner = self.owner.clone();
        let older = move |name: &str| owner.generation_of(name).is_some_and(|generation| generation < own);
        let leftovers = self.target.find(Arc::new(older)).await?;
        if !leftovers.is_empty() {
            tracing::info!(
                files = leftovers.len(),
                "removing files of earlier runs that were never committed"
            );
        }
        self.target.remove(leftovers).await
    }

    /// A job that was asked for a file in any case gets one now if no epoch had rows.
    async fn finish(&mut self) -> Result<()> {
        if !self.plan.create_empty_file || self.last_committed().await?.is_some() {
            return Ok(());
        }
        for (number, table) in (0..).zip(&self.context.tables) {
            self.create_empty(table, number).await?;
        }
        Ok(())
    }
}
