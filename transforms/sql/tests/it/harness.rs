//! Builds transforms and runs them without an engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use async_trait::async_trait;
use seatun_api::config::{Value, ValueKind};
use seatun_api::registry::PluginContext;
use seatun_api::transform::OperatorContext;
use seatun_api::{
    Batch, Error, JobMode, Operator, Output, Reject, Result, SchemaChange, TableId, TableSchema, Transform,
};
use seatun_transform_sql::SQL;

pub fn context(mode: JobMode, inputs: &[&str]) -> PluginContext {
    PluginContext {
        node: "Sql-0".into(),
        mode,
        parallelism: 1,
        config_dir: PathBuf::new(),
        inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: Some("out".into()),
    }
}

/// The transform of a query, or its problem as `code message | hint`.
pub fn build(query: &str, mode: JobMode, inputs: &[&str]) -> std::result::Result<Box<dyn Transform>, String> {
    let options = [("query".to_owned(), Value::of(ValueKind::String(query.to_owned())))];
    let block = Value::of(ValueKind::Map(options.into_iter().collect()));
    (SQL.build)(&block, &context(mode, inputs)).map_err(|problems| {
        let texts = problems.iter().map(|problem| {
            let message = problem.message.strip_prefix("option `query`: ").unwrap_or(&problem.message);
            spell(problem.code.0, message, problem.hint.as_deref())
        });
        texts.collect::<Vec<_>>().join("\n")
    })
}

pub fn spell(code: &str, message: &str, hint: Option<&str>) -> String {
    match hint {
        Some(hint) => format!("{code} {message} | {hint}"),
        None => format!("{code} {message}"),
    }
}

pub fn describe(error: &Error) -> String {
    assert_eq!(error.option(), Some("query"), "{error:?}");
    spell(error.code().0, error.message(), error.hint())
}

/// Makes a table of texts: `name Type` columns and rows of values, `NULL` for null.
pub fn table(name: &str, columns: &[(&str, DataType)], rows: &[Vec<String>]) -> Batch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    let arrays = columns.iter().enumerate().map(|(index, (_, kind))| {
        let texts: StringArray =
            rows.iter().map(|row| Some(row[index].as_str()).filter(|text| *text != "NULL")).collect();
        column(&texts, kind)
    });
    let arrays: Vec<ArrayRef> = arrays.collect();
    let schema = Arc::new(Schema::new(fields));
    let table = Arc::new(TableSchema::new(TableId::parse(name, false), Arc::clone(&schema)));
    Batch::new(table, RecordBatch::try_new(schema, arrays).unwrap()).unwrap()
}

fn column(texts: &StringArray, kind: &DataType) -> ArrayRef {
    if !kind.is_nested() {
        let strict = arrow::compute::CastOptions { safe: false, ..Default::default() };
        return arrow::compute::cast_with_options(texts, kind, &strict).unwrap();
    }
    // Nested values are written as JSON.
    let lines: String = texts.iter().map(|text| format!("{{\"v\": {}}}\n", text.unwrap_or("null"))).collect();
    let schema = Arc::new(Schema::new(vec![Field::new("v", kind.clone(), true)]));
    let mut reader = arrow::json::ReaderBuilder::new(schema).build(lines.as_bytes()).unwrap();
    Arc::clone(reader.next().unwrap().unwrap().column(0))
}

/// The header line of a table's columns.
pub fn header(table: &TableSchema) -> String {
    let columns = table.arrow.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type()));
    columns.collect::<Vec<_>>().join(" | ")
}

/// A line for each row.
pub fn lines(batch: &Batch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter> = batch
        .rows()
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap())
        .collect();
    let line = |row: usize| {
        let values = columns.iter().map(|column| column.value(row).to_string());
        values.collect::<Vec<_>>().join(" | ")
    };
    (0..batch.num_rows()).map(line).collect()
}

pub fn slices(batch: &Batch, rows: usize) -> Vec<Batch> {
    (0..batch.num_rows())
        .step_by(rows)
        .map(|offset| batch.slice(offset, rows.min(batch.num_rows() - offset)))
        .collect()
}

/// Runs a map over batches.
pub fn run_map(transform: &dyn Transform, batches: &[Batch]) -> (Vec<Batch>, Vec<Reject>) {
    let mut map = transform.map().unwrap();
    let (mut output, mut rejects) = (Vec::new(), Vec::new());
    for batch in batches {
        output.extend(map.map(batch.clone(), &mut rejects).unwrap());
    }
    (output, rejects)
}

#[derive(Default)]
pub struct Collected {
    pub batches: Vec<Batch>,
}

#[async_trait]
impl Output for Collected {
    async fn batch(&mut self, batch: Batch) -> Result<()> {
        self.batches.push(batch);
        Ok(())
    }

    async fn schema_change(&mut self, _change: Arc<SchemaChange>) -> Result<()> {
        panic!("a query does not change schemas");
    }

    async fn reject(&mut self, _reject: Reject) -> Result<()> {
        panic!("a blocking query rejects no rows");
    }
}

pub fn open(
    transform: &dyn Transform,
    tables: &[Arc<TableSchema>],
    memory_limit: usize,
    spill_dir: &Path,
) -> Result<Box<dyn Operator>> {
    transform.operator(OperatorContext {
        job: "job".into(),
        node: "Sql-0".into(),
        subtask: 0,
        parallelism: 1,
        inputs: tables.iter().map(|table| vec![Arc::clone(table)]).collect(),
        restored: None,
        memory_limit,
        spill_dir: spill_dir.to_owned(),
    })
}

/// Runs an operator over the batches of each port, one batch of each port in turn.
pub async fn run_operator(
    transform: &dyn Transform,
    ports: &[Vec<Batch>],
    memory_limit: usize,
    spill_dir: &Path,
) -> Result<Vec<Batch>> {
    let tables: Vec<_> = ports.iter().map(|batches| Arc::clone(batches[0].table())).collect();
    let mut operator = open(transform, &tables, memory_limit, spill_dir)?;
    let mut out = Collected::default();
    let longest = ports.iter().map(Vec::len).max().unwrap_or(0);
    for turn in 0..longest {
        for (port, batches) in ports.iter().enumerate() {
            if let Some(batch) = batches.get(turn) {
                operator.on_batch(port, batch.clone(), &mut out).await?;
            }
            if turn + 1 == batches.len() {
                operator.on_port_end(port, &mut out).await?;
            }
        }
    }
    operator.on_end(&mut out).await?;
    Ok(out.batches)
}
