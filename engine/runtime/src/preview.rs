//! The first rows at each node, without sinks, state or checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use seatun_api::transform::OperatorContext;
use seatun_api::{
    Batch, Output, PlanRequest, PositionDelta, ReadStatus, ReaderContext, Reject, Result, SchemaChange,
    Source, SourceOutput, SplitId, TableSchema, Transform, TransformKind, Watermark,
};

use crate::job::{Job, NodeKind};
use crate::plan;

/// How long a source may take to give its first rows.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first rows at a node.
#[derive(Debug)]
pub struct PreviewNode {
    /// The node's id.
    pub node: String,
    /// What comes out of it; of a sink, what it would write.
    pub batches: Vec<Batch>,
    /// Rows that were given up: their codes and messages.
    pub rejects: Vec<String>,
}

/// Reads the first `rows` rows of each source and takes them through the job.
///
/// # Errors
/// What a source or a transform fails with. Rows that are given up are listed, not an error.
pub async fn preview(job: &Job, rows: usize) -> Result<Vec<PreviewNode>> {
    let tables = plan::resolve_tables(job).await?;
    let mut nodes: Vec<PreviewNode> = Vec::with_capacity(job.nodes.len());
    for node in &job.nodes {
        let inputs: Vec<&[Batch]> =
            node.inputs.iter().map(|&input| nodes[input].batches.as_slice()).collect();
        let mut taken = Taken::new(rows);
        let result = match &node.kind {
            NodeKind::Source(source) => read(source.as_ref(), &job.name, &node.id, &mut taken).await,
            NodeKind::Transform(transform) => {
                let input_tables = node.inputs.iter().map(|&input| tables[input].clone()).collect();
                run(transform.as_ref(), job, &node.id, &inputs, input_tables, &mut taken).await
            }
            NodeKind::Sink(_) => {
                taken.batches = inputs.into_iter().flatten().cloned().collect();
                Ok(())
            }
        };
        result.map_err(|error| error.with("node", &node.id))?;
        nodes.push(PreviewNode { node: node.id.clone(), batches: taken.batches, rejects: taken.rejects });
    }
    Ok(nodes)
}

async fn read(source: &dyn Source, job: &str, node: &str, taken: &mut Taken) -> Result<()> {
    let plan = source.plan(PlanRequest { state: None, active: &BTreeMap::new() }).await?;
    let context = ReaderContext {
        job: job.to_owned(),
        node: node.to_owned(),
        subtask: 0,
        parallelism: 1,
        linger: Duration::from_millis(50),
        batch_rows: taken.most.max(1),
        schemas: Vec::new(),
    };
    let started = Instant::now();
    for split in plan.add {
        let mut reader = source.reader(context.clone()).await?;
        reader.add_splits(vec![split]).await?;
        while taken.has_room() && started.elapsed() < PATIENCE {
            match reader.next(taken).await? {
                ReadStatus::More => {}
                ReadStatus::Idle => tokio::time::sleep(context.linger).await,
                ReadStatus::SplitsFinished(_) => break,
            }
        }
        if !taken.has_room() {
            break;
        }
    }
    Ok(())
}

async fn run(
    transform: &dyn Transform,
    job: &Job,
    node: &str,
    inputs: &[&[Batch]],
    tables: Vec<Vec<Arc<TableSchema>>>,
    taken: &mut Taken,
) -> Result<()> {
    if transform.kind() == TransformKind::Map {
        let mut map = transform.map()?;
        for batch in inputs.iter().copied().flatten() {
            let mut rejects = Vec::new();
            let output = map.map(batch.clone(), &mut rejects)?;
            taken.rejects.extend(rejects.iter().map(described));
            output.into_iter().for_each(|batch| taken.push(batch));
        }
        return Ok(());
    }
    let mut operator = transform.operator(OperatorContext {
        job: job.name.clone(),
        node: node.to_owned(),
        subtask: 0,
        parallelism: 1,
        inputs: tables,
        restored: None,
        memory_limit: job.flow.operator_memory,
        spill_dir: job.flow.spill_dir.clone(),
    })?;
    for (port, batches) in inputs.iter().enumerate() {
        for batch in *batches {
            operator.on_batch(port, batch.clone(), taken).await?;
        }
        operator.on_port_end(port, taken).await?;
    }
    operator.on_end(taken).await
}

fn described(reject: &Reject) -> String {
    format!("{}: {}", reject.error.code(), reject.error.chain())
}

/// The first rows of what comes.
struct Taken {
    most: usize,
    rows: usize,
    batches: Vec<Batch>,
    rejects: Vec<String>,
}

impl Taken {
    fn new(most: usize) -> Self {
        Self { most, rows: 0, batches: Vec::new(), rejects: Vec::new() }
    }

    fn has_room(&self) -> bool {
        self.rows < self.most
    }

    fn push(&mut self, batch: Batch) {
        let room = (self.most - self.rows).min(batch.num_rows());
        if room > 0 {
            self.rows += room;
            self.batches.push(batch.slice(0, room));
        }
    }
}

#[async_trait]
impl SourceOutput for Taken {
    async fn emit(&mut self, batch: Batch, _delta: PositionDelta) -> Result<()> {
        self.push(batch);
        Ok(())
    }

    async fn advance(&mut self, _delta: PositionDelta) -> Result<()> {
        Ok(())
    }

    async fn reject(&mut self, reject: Reject) -> Result<()> {
        self.rejects.push(described(&reject));
        Ok(())
    }

    async fn schema_change(&mut self, _change: SchemaChange, _at: PositionDelta) -> Result<()> {
        Ok(())
    }

    async fn watermark(&mut self, _split: &SplitId, _watermark: Watermark) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Output for Taken {
    async fn batch(&mut self, batch: Batch) -> Result<()> {
        self.push(batch);
        Ok(())
    }

    async fn schema_change(&mut self, _change: Arc<SchemaChange>) -> Result<()> {
        Ok(())
    }

    async fn reject(&mut self, reject: Reject) -> Result<()> {
        self.rejects.push(described(&reject));
        Ok(())
    }
}
