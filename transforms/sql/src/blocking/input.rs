//! An input of a query as DataFusion sees it: a table whose rows come from spools, one for each scan.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::compute::take_record_batch;
use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result, Statistics, exec_err, internal_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::stream;

use super::spool::{Spool, SpoolReader};

/// How much an input has or may have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub rows: usize,
    pub bytes: usize,
    /// Whether more may come.
    pub exact: bool,
}

/// An input as a table.
pub(super) struct InputTable {
    port: usize,
    schema: SchemaRef,
    /// One for each scan of the plan that is not planned yet.
    spools: Mutex<Vec<Arc<Spool>>>,
    rows: AtomicUsize,
    bytes: AtomicUsize,
    exact: AtomicBool,
}

impl InputTable {
    pub(super) fn new(port: usize, schema: SchemaRef) -> Arc<Self> {
        let (rows, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { port, schema, spools: Mutex::default(), rows, bytes, exact: AtomicBool::new(false) })
    }

    /// Which input it is.
    pub(super) fn port(&self) -> usize {
        self.port
    }

    /// Adds the spool of one scan.
    pub(super) fn add_spool(&self, spool: Arc<Spool>) {
        self.spools.lock().unwrap_or_else(PoisonError::into_inner).push(spool);
    }

    /// Says how much there is, so that joins can choose their sides. Before planning.
    pub(super) fn set_size(&self, size: Size) {
        self.rows.store(size.rows, Ordering::Relaxed);
        self.bytes.store(size.bytes, Ordering::Relaxed);
        self.exact.store(size.exact, Ordering::Relaxed);
    }

    fn statistics_of(&self, schema: &SchemaRef) -> Statistics {
        let whole = self.schema.fields().len().max(1);
        let part = self.bytes.load(Ordering::Relaxed) / whole * schema.fields().len();
        let mut statistics = Statistics::new_unknown(schema);
        let rows = self.rows.load(Ordering::Relaxed);
        statistics.num_rows = match self.exact.load(Ordering::Relaxed) {
            true => Precision::Exact(rows),
            false => Precision::Inexact(rows),
        };
        statistics.total_byte_size = Precision::Inexact(part);
        statistics
    }
}

impl fmt::Debug for InputTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputTable({})", self.port)
    }
}

#[async_trait]
impl TableProvider for InputTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let spool = self.spools.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let spool =
            spool.ok_or_else(|| internal_datafusion_err!("an input is scanned more often than known"))?;
        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(InputExec {
            port: self.port,
            reader: Mutex::new(Some(spool.reader())),
            projection: projection.cloned(),
            statistics: Arc::new(self.statistics_of(&schema)),
            schema,
            properties: Arc::new(properties),
        }))
    }
}

/// A scan of an input.
struct InputExec {
    port: usize,
    reader: Mutex<Option<SpoolReader>>,
    projection: Option<Vec<usize>>,
    statistics: Arc<Statistics>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl fmt::Debug for InputExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputExec({})", self.port)
    }
}

impl DisplayAs for InputExec {
    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputExec: port={}", self.port)
    }
}

impl ExecutionPlan for InputExec {
    fn name(&self) -> &'static str {
        "InputExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(reader) = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return exec_err!("the rows of an input can be read once only");
        };
        let scan = Scan {
            reader,
            projection: self.projection.clone(),
            most: context.session_config().batch_size(),
            rest: None,
        };
        let rows =
            stream::try_unfold(scan, |mut scan| async { Ok(scan.next().await?.map(|rows| (rows, scan))) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    fn partition_statistics(&self, _partition: Option<usize>) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&self.statistics))
    }
}

/// The rows of one scan.
struct Scan {
    reader: SpoolReader,
    projection: Option<Vec<usize>>,
    /// Rows that a batch may have.
    most: usize,
    /// What is left of a batch that had more.
    rest: Option<RecordBatch>,
}

impl Scan {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let rows = match self.rest.take() {
            Some(rest) => rest,
            None => {
                let Some(rows) = self.reader.next().await? else { return Ok(None) };
                match &self.projection {
                    Some(columns) => rows.project(columns)?,
                    None => rows,
                }
            }
        };
        if rows.num_rows() <= self.most {
            return Ok(Some(rows));
        }
        self.rest = Some(rows.slice(self.most, rows.num_rows() - self.most));
        // A copy: a slice would be accounted for with all the memory behind it.
        let first: UInt32Array = (0..u32::try_from(self.most).unwrap_or(u32::MAX)).collect();
        Ok(Some(take_record_batch(&rows, &first)?))
    }
}
