//! Rows of a batch by the folder that they belong to.
//!
//! The partition columns become comparable bytes once per batch (arrow-row); rows of one folder are then
//! chosen with one `take`. Names of folders are made once per distinct value and kept.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_row::{RowConverter, SortField};
use seatun_api::{Error, Result, TableSchema};

use super::escape::{LONGEST_NAME, NULL_PARTITION, escape_name, escape_value};
use super::plan::PartitionPlan;
use super::template::{Piece, Template, expand_columns};
use crate::codes;
use crate::encode::{Patterns, texts};

/// Folder names that are remembered; more distinct values than this are looked up anew.
const REMEMBERED: usize = 65_536;

/// Splits the batches of one table.
pub(crate) struct Partitioner {
    columns: Vec<usize>,
    /// Names of the partition columns, as parts of folder names.
    keys: Vec<String>,
    folders: Option<Template>,
    patterns: Patterns,
    /// Folder of the table itself.
    parent: String,
    rows: RowConverter,
    known: HashMap<Box<[u8]>, Arc<str>>,
}

/// Rows of one folder.
pub(crate) struct Part {
    /// The folder, or why the rows cannot have one.
    pub(crate) folder: Result<Arc<str>, NoFolder>,
    /// The rows; `None` for all rows of the batch.
    pub(crate) rows: Option<UInt32Array>,
}

/// Why a partition value is no folder's name. The text names no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFolder {
    /// Longer than file systems take.
    TooLong,
    /// Bytes that are no text.
    NotText,
}

impl NoFolder {
    pub(crate) fn error(self) -> Error {
        let why = match self {
            Self::TooLong => format!("is longer than {LONGEST_NAME} bytes"),
            Self::NotText => "is not text".to_owned(),
        };
        Error::user(codes::PARTITION_NAME, format!("the folder's name for the row's partition {why}"))
    }
}

/// The columns that a table is partitioned by.
///
/// # Errors
/// For a column that the table does not have.
pub(crate) fn columns(plan: &PartitionPlan, table: &TableSchema) -> Result<Vec<usize>> {
    const OPTION: &str = "partition_by";
    let names = expand_columns(&plan.columns, table, OPTION)?;
    names.iter().map(|name| table.column(name).map_err(|error| error.at_option(OPTION))).collect()
}

impl Partitioner {
    pub(crate) fn new(
        plan: &PartitionPlan,
        table: &TableSchema,
        parent: &str,
        patterns: &Patterns,
    ) -> Result<Self> {
        let columns = columns(plan, table)?;
        let fields: Vec<_> = columns.iter().map(|&index| table.arrow.field(index)).collect();
        Ok(Self {
            rows: RowConverter::new(
                fields.iter().map(|field| SortField::new(field.data_type().clone())).collect(),
            )?,
            keys: fields.iter().map(|field| escape_value(field.name())).collect(),
            columns,
            folders: plan.folders.clone(),
            patterns: patterns.clone(),
            parent: parent.to_owned(),
            known: HashMap::new(),
        })
    }

    /// The rows of a batch of the table, by folder, in the order in which folders first occur.
    pub(crate) fn split(&mut self, batch: &RecordBatch) -> Result<Vec<Part>> {
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|&index| Arc::clone(batch.column(index))).collect();
        let rows = self.rows.convert_columns(&columns)?;
        let mut groups: HashMap<&[u8], usize> = HashMap::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        let mut last: Option<(&[u8], usize)> = None;
        for (number, row) in (0_u32..).zip(rows.iter()) {
            let row = row.data();
            // Neighbours are often of one partition: comparing is cheaper than hashing.
            let group = match last {
                Some((before, group)) if before == row => group,
                _ => *groups.entry(row).or_insert_with(|| {
                    members.push(Vec::new());
                    members.len() - 1
                }),
            };
            last = Some((row, group));
            // invariant: a group's number is an index of `members`.
            members[group].push(number);
        }
        let mut keys = vec![&[] as &[u8]; members.len()];
        for (key, group) in groups {
            keys[group] = key;
        }
        let whole = members.len() == 1;
        let mut parts = Vec::with_capacity(members.len());
        for (key, rows) in keys.into_iter().zip(members) {
            let first = rows.first().map_or(0, |row| *row as usize);
            let folder = self.folder(key, &columns, first)?;
            parts.push(Part { folder, rows: (!whole).then(|| UInt32Array::from(rows)) });
        }
        Ok(parts)
    }

    fn folder(&mut self, key: &[u8], columns: &[ArrayRef], row: usize) -> Result<Result<Arc<str>, NoFolder>> {
        if let Some(folder) = self.known.get(key) {
            return Ok(Ok(Arc::clone(folder)));
        }
        let mut values = Vec::with_capacity(columns.len());
        for column in columns {
            match texts(&column.slice(row, 1), &self.patterns)?.pop().flatten() {
                None => values.push(NULL_PARTITION.to_owned()),
                Some(Ok(text)) => values.push(escape_value(&text)),
                Some(Err(_)) => return Ok(Err(NoFolder::NotText)),
            }
        }
        let segments = self.segments(&values);
        if segments.iter().any(|segment| segment.len() > LONGEST_NAME) {
            return Ok(Err(NoFolder::TooLong));
        }
        let path = segments.join("/");
        let folder: Arc<str> = match self.parent.is_empty() {
            true => path.into(),
            false => format!("{}/{path}", self.parent).into(),
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key.into(), Arc::clone(&folder));
        Ok(Ok(folder))
    }

    fn segments(&self, values: &[String]) -> Vec<String> {
        let Some(template) = &self.folders else {
            let pairs = self.keys.iter().zip(values);
            return pairs.map(|(key, value)| escape_name(&format!("{key}={value}"))).collect();
        };
        let piece_text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Name { name, .. } => {
                let (kind, index) = name.split_at(1);
                let list = if kind == "k" { &self.keys } else { values };
                index.parse().ok().and_then(|index: usize| list.get(index).cloned()).unwrap_or_default()
            }
        };
        let segments = template.segments();
        segments
            .iter()
            .map(|pieces| escape_name(&pieces.iter().map(piece_text).collect::<String>()))
            .collect()
    }
}
