//! The source `LocalFile`: files of a folder, read in parts and in parallel.
//!
//! * [`options`] are what the job file says, `table` what is made of them, `resolve` what the files add.
//! * `list` finds files, `cut` cuts them into parts, `planner` remembers which are handed out.
//! * `reader` reads the parts; how bytes become rows is the affair of `decode`.
//!
//! A file is read in the version that it was listed in. If it changes before it is read to its end, the
//! job stops with a coded error.

#[cfg(test)]
mod bucket_test;
mod cut;
mod header;
mod list;
pub mod options;
mod partition;
mod planner;
mod reader;
mod resolve;
mod split;
mod table;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use seatun_api::error::codes as api_codes;
use seatun_api::registry::{PluginContext, SourceConnector};
use seatun_api::source::PlanRequest;
use seatun_api::{
    Boundedness, Error, JobMode, Reader, ReaderContext, Result, Source, SplitPlan, TableSchema,
};
use tokio::sync::OnceCell;

pub use options::FileSourceConfig;
use planner::Discovery;
use reader::FileReader;
use resolve::Resolved;
use table::{Table, TablePlan};

/// Bytes of a part where the source has several readers and the job says nothing.
const SPLIT_SIZE: u64 = 64 << 20;
/// Parts that a reader is given at a time: one to read and one to go on with.
const SPLITS_PER_READER: usize = 2;

/// The source connector `LocalFile`.
pub struct LocalFileSource;

/// What is left of the options when they are known to be right.
pub struct SourcePlan {
    tables: Vec<TablePlan>,
    discovery: Discovery,
    interval: Duration,
}

impl SourceConnector for LocalFileSource {
    const NAME: &'static str = "LocalFile";
    type Config = FileSourceConfig;
    type Plan = SourcePlan;

    fn validate(config: FileSourceConfig, context: &PluginContext) -> Result<SourcePlan> {
        let tables = match config.tables_configs.is_empty() {
            true => vec![TablePlan::new(&config, context)?],
            false => several_tables(&config, context)?,
        };
        if config.discovery_interval == 0 {
            return Err(Error::user(api_codes::INVALID_OPTION, "must be 1 millisecond or more")
                .at_option("discovery.interval"));
        }
        let default_size = if context.parallelism > 1 { SPLIT_SIZE } else { 0 };
        let discovery = Discovery {
            mode: context.mode,
            split_size: config.split_size.unwrap_or(default_size),
            max_files: config.max_files_per_trigger,
            min_age: config.min_file_age,
            max_age: config.max_file_age,
        };
        Ok(SourcePlan { tables, discovery, interval: Duration::from_millis(config.discovery_interval) })
    }

    fn build(plan: SourcePlan, context: &PluginContext) -> Result<Box<dyn Source>> {
        let tables = plan
            .tables
            .into_iter()
            .map(|table| Table::open(table, &context.config_dir))
            .collect::<Result<Vec<Table>>>()?;
        let declared: Vec<Option<TableSchema>> =
            tables.iter().map(Resolved::declared).collect::<Result<_>>()?;
        Ok(Box::new(FileSource {
            tables,
            declared: declared.into_iter().collect(),
            discovery: plan.discovery,
            interval: plan.interval,
            resolved: OnceCell::new(),
        }))
    }
}

fn several_tables(config: &FileSourceConfig, context: &PluginContext) -> Result<Vec<TablePlan>> {
    if config.path.is_some() {
        return Err(Error::user(api_codes::INVALID_OPTION, "a source has either `path` or `tables_configs`")
            .at_option("path"));
    }
    let mut plans: Vec<TablePlan> = Vec::with_capacity(config.tables_configs.len());
    for (index, inner) in config.tables_configs.iter().enumerate() {
        let option = |name: &str| format!("tables_configs[{index}].{name}");
        if !inner.tables_configs.is_empty() {
            return Err(Error::user(api_codes::INVALID_OPTION, "a table has no tables of its own")
                .at_option(option("tables_configs")));
        }
        let plan = TablePlan::new(inner, context).map_err(|error| {
            let below = error.option().map(option);
            error.at_option(below.unwrap_or_else(|| format!("tables_configs[{index}]")))
        })?;
        if plans.iter().any(|other| other.id == plan.id) {
            let message = format!("table {} is there twice", plan.id);
            return Err(Error::user(api_codes::INVALID_OPTION, message).at_option(option("schema.table")));
        }
        plans.push(plan);
    }
    Ok(plans)
}

/// Files of one or more tables.
struct FileSource {
    tables: Vec<Table>,
    declared: Option<Vec<TableSchema>>,
    discovery: Discovery,
    interval: Duration,
    resolved: OnceCell<Arc<Vec<Resolved>>>,
}

impl FileSource {
    async fn resolved(&self) -> Result<&Arc<Vec<Resolved>>> {
        self.resolved
            .get_or_try_init(|| async {
                let mut resolved = Vec::with_capacity(self.tables.len());
                for table in &self.tables {
                    resolved.push(Resolved::find(table).await?);
                }
                Ok(Arc::new(resolved))
            })
            .await
    }
}

#[async_trait]
impl Source for FileSource {
    fn boundedness(&self) -> Boundedness {
        match self.discovery.mode {
            JobMode::Batch => Boundedness::Bounded,
            JobMode::Streaming => Boundedness::Unbounded,
        }
    }

    fn declared_tables(&self) -> Option<Vec<TableSchema>> {
        self.declared.clone()
    }

    async fn tables(&self) -> Result<Vec<TableSchema>> {
        Ok(self.resolved().await?.iter().map(|table| table.schema.as_ref().clone()).collect())
    }

    async fn probe(&self) -> Result<String> {
        let (mut files, mut bytes) = (0, 0);
        for table in &self.tables {
            for file in list::list(&table.location, &table.plan.filter).await? {
                files += 1;
                bytes += file.size;
            }
        }
        self.resolved().await?;
        Ok(format!("{files} files, {bytes} bytes"))
    }

    async fn plan(&self, request: PlanRequest<'_>) -> Result<SplitPlan> {
        self.discovery.plan(&self.tables, &request).await
    }

    fn discovery_interval(&self) -> Option<Duration> {
        (self.discovery.mode == JobMode::Streaming).then_some(self.interval)
    }

    fn splits_per_reader(&self) -> Option<usize> {
        Some(SPLITS_PER_READER)
    }

    async fn reader(&self, context: ReaderContext) -> Result<Box<dyn Reader>> {
        let tables = Arc::clone(self.resolved().await?);
        Ok(Box::new(FileReader::new(tables, context.batch_rows)))
    }
}
