//! Writing files: the sink `LocalFile`.
//!
//! Rows go into hidden files. At a checkpoint the files are closed and synced (prepare), and when the
//! checkpoint is durable they get their names (commit): a reader sees each row exactly once, in whole
//! files only, whatever is killed when.

mod amount;
mod commit;
mod drop_guard;
mod escape;
pub(crate) mod failure;
mod layout;
mod name;
mod open;
mod options;
mod partition;
mod plan;
mod publish;
mod save;
pub(crate) mod target;
mod template;
mod tree;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use seatun_api::registry::{PluginContext, SinkConnector};
use seatun_api::{Committer, Delivery, Error, Result, Sink, SinkContext, TableSchema, Writer, WriterContext};

pub use self::amount::{ByteSize, TimeSpan};
use self::commit::FileCommitter;
use self::layout::Layout;
pub use self::options::{ChangeKinds, DataSaveMode, LocalFileSinkConfig, QuoteMode, SchemaSaveMode};
pub use self::plan::FileSinkPlan;
use self::target::Target;
use self::target::local::LocalTarget;
use self::writer::FileWriter;
use crate::codes;

/// The sink `LocalFile`.
pub struct LocalFileSink;

impl SinkConnector for LocalFileSink {
    const NAME: &'static str = "LocalFile";
    type Config = LocalFileSinkConfig;
    type Plan = FileSinkPlan;

    fn validate(config: LocalFileSinkConfig, context: &PluginContext) -> Result<FileSinkPlan> {
        FileSinkPlan::new(config, &context.config_dir)
    }

    fn build(plan: FileSinkPlan, _context: &PluginContext) -> Result<Box<dyn Sink>> {
        Ok(Box::new(FileSink { plan: Arc::new(plan) }))
    }
}

struct FileSink {
    plan: Arc<FileSinkPlan>,
}

impl FileSink {
    /// The target; each user of it gets its own, since a target remembers what its user must sync.
    fn target(&self) -> Arc<dyn Target> {
        Arc::new(LocalTarget::new(self.plan.base.clone()))
    }
}

#[async_trait]
impl Sink for FileSink {
    fn delivery(&self) -> Delivery {
        Delivery::ExactlyOnce
    }

    fn accepts(&self, tables: &[Arc<TableSchema>]) -> Result<()> {
        let layouts =
            tables.iter().map(|table| Layout::new(&self.plan, table)).collect::<Result<Vec<_>>>()?;
        layout::check_apart(&layouts)
    }

    /// Where kinds are written to a column, the changes of one key must stay in order.
    fn distribution(&self, table: &TableSchema) -> Option<Vec<usize>> {
        let keyed = self.plan.change_kinds == ChangeKinds::Column && !table.primary_key.is_empty();
        keyed.then(|| table.primary_key.clone())
    }

    async fn probe(&self) -> Result<String> {
        let base = self.plan.base.clone();
        tokio::task::spawn_blocking(move || probe(&base)).await.map_err(failure::task)?
    }

    async fn initialize(&self, context: &SinkContext) -> Result<()> {
        save::apply(&self.plan, self.target().as_ref(), context).await
    }

    async fn writer(&self, context: WriterContext) -> Result<Box<dyn Writer>> {
        Ok(Box::new(FileWriter::new(Arc::clone(&self.plan), self.target(), &context)))
    }

    async fn committer(&self, context: SinkContext) -> Result<Option<Box<dyn Committer>>> {
        Ok(Some(Box::new(FileCommitter::new(Arc::clone(&self.plan), self.target(), context))))
    }
}

/// Writes and removes a hidden file in the base folder, or in the nearest folder above it that exists.
fn probe(base: &Path) -> Result<String> {
    if base.exists() && !base.is_dir() {
        return Err(Error::external_permanent(codes::SINK_PATH, "the path is a file and not a folder")
            .with("path", base.display())
            .at_option("path"));
    }
    let folder = base.ancestors().find(|folder| folder.is_dir()).ok_or_else(|| {
        Error::external_permanent(codes::SINK_PATH, "no folder of the path exists")
            .with("path", base.display())
    })?;
    let failed = |error| failure::write(&folder.display().to_string(), error);
    let file = folder.join(format!(".seatun-probe-{}", uuid::Uuid::new_v4()));
    std::fs::write(&file, b"").map_err(failed)?;
    std::fs::remove_file(&file).map_err(failed)?;
    let space = rustix::fs::statvfs(folder).map_err(|errno| failed(errno.into()))?;
    let free = space.f_bavail.saturating_mul(space.f_frsize) >> 20;
    let missing = if folder == base { "" } else { " (it will be made)" };
    Ok(format!("folder {}{missing} can be written, {free} MiB are free", base.display()))
}
