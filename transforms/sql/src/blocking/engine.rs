//! The task that runs a plan, with its memory and its spill folder.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use datafusion::common::Result;
use datafusion::config::SpillCompression;
use datafusion::execution::disk_manager::{DiskManager, DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::memory::{self, SharedMemory};
use crate::session;

/// Batches that wait between the plan and the operator.
const OUTPUT_BATCHES: usize = 2;
/// Memory of the whole plan for each row of a batch: with 256 MiB batches have their full size.
const MEMORY_PER_ROW: usize = 32 << 10;
const LEAST_BATCH_ROWS: usize = 128;

/// What a query may use.
pub(super) struct Resources {
    runtime: Arc<RuntimeEnv>,
    memory: Arc<SharedMemory>,
    /// Bytes that operators of the plan may hold.
    pool_bytes: usize,
}

impl Resources {
    /// Memory for the plan, and files in a folder.
    pub(super) fn new(pool_bytes: usize, spill_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(spill_dir)?;
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spill_dir.to_owned()]))
            .with_max_temp_directory_size(u64::MAX);
        let memory = Arc::new(SharedMemory::new(pool_bytes));
        let runtime = RuntimeEnvBuilder::new()
            .with_disk_manager_builder(disk)
            .with_memory_pool(Arc::clone(&memory) as Arc<dyn MemoryPool>)
            .build_arc()?;
        Ok(Self { runtime, memory, pool_bytes })
    }

    pub(super) fn disk(&self) -> &Arc<DiskManager> {
        &self.runtime.disk_manager
    }

    /// The session of one plan. Hash joins cannot spill: `build_bytes` decides whether they may be used.
    fn session(&self, base: &SessionState, build_bytes: usize) -> SessionState {
        let mut config = session::config();
        let fits = build_bytes <= self.pool_bytes / 3;
        if !fits {
            // DataFusion considers merge joins with two partitions or more only.
            config = config.with_target_partitions(2);
        }
        // Small enough that a merge of spilled runs can hold a batch of each.
        let rows = (self.pool_bytes / MEMORY_PER_ROW).clamp(LEAST_BATCH_ROWS, session::BATCH_ROWS);
        config = config.with_batch_size(rows);
        let options = config.options_mut();
        options.optimizer.prefer_hash_join = fits;
        // Two partitions are for merge joins alone; elsewhere they would shuffle what ORDER BY has sorted.
        options.optimizer.enable_round_robin_repartition = false;
        options.optimizer.repartition_windows = false;
        options.optimizer.repartition_aggregations = false;
        options.optimizer.repartition_sorts = false;
        options.execution.spill_compression = SpillCompression::Lz4Frame;
        options.execution.sort_spill_reservation_bytes =
            (self.pool_bytes / 64).min(options.execution.sort_spill_reservation_bytes);
        SessionStateBuilder::new_from_existing(base.clone())
            .with_config(config)
            .with_runtime_env(Arc::clone(&self.runtime))
            .build()
    }
}

/// A running plan. Dropping it stops it.
pub(super) struct Run {
    pub output: mpsc::Receiver<Result<RecordBatch>>,
    tasks: JoinSet<()>,
}

impl Run {
    /// Plans and starts.
    pub(super) async fn start(
        resources: &Resources,
        base: &SessionState,
        plan: &LogicalPlan,
        build_bytes: usize,
    ) -> Result<Self> {
        let state = resources.session(base, build_bytes);
        let physical = state.query_planner().create_physical_plan(plan, &state).await?;
        resources.memory.divide(memory::holders(physical.as_ref()));
        let mut rows = execute_stream(physical, state.task_ctx())?;
        let (sender, output) = mpsc::channel(OUTPUT_BATCHES);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Some(item) = rows.next().await {
                if sender.send(item).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { output, tasks })
    }

    /// Waits for the end of the task, after its output has ended.
    ///
    /// # Errors
    /// If the task has panicked.
    pub(super) async fn join(mut self) -> std::result::Result<(), tokio::task::JoinError> {
        while let Some(ended) = self.tasks.join_next().await {
            ended?;
        }
        Ok(())
    }
}
