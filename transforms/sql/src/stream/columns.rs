//! The table that comes out of a streaming query: which columns are the input's own, under which name.
//!
//! A column that is passed on keeps its type, metadata, nullability and field id; the key survives if all
//! its columns are passed on. A computed column is marked as personal data if it reads such a column.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use seatun_api::TableSchema;
use seatun_api::table::MASKED;

/// Where a column comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// The column of the input that it is, unchanged.
    pub passed: Option<usize>,
    /// The columns of the input that it is computed from.
    pub reads: BTreeSet<usize>,
}

impl Origin {
    pub(super) fn of_column(index: usize) -> Self {
        Self { passed: Some(index), reads: BTreeSet::from([index]) }
    }
}

/// The table of columns with names, types and origins.
pub(super) fn output(input: &TableSchema, columns: &[(String, DataType, Origin)]) -> TableSchema {
    let fields: Vec<Field> =
        columns.iter().map(|(name, kind, origin)| field(input, name, kind, origin)).collect();
    let key: Option<Vec<usize>> = input
        .primary_key
        .iter()
        .map(|key| columns.iter().position(|(.., origin)| origin.passed == Some(*key)))
        .collect();
    TableSchema {
        id: input.id.clone(),
        version: input.version,
        arrow: Arc::new(Schema::new_with_metadata(fields, input.arrow.metadata().clone())),
        primary_key: key.unwrap_or_default(),
        field_ids: field_ids(input, columns),
    }
}

fn field(input: &TableSchema, name: &str, kind: &DataType, origin: &Origin) -> Field {
    if let Some(passed) = origin.passed {
        return input.arrow.field(passed).clone().with_name(name);
    }
    let masked = origin.reads.iter().find_map(|index| input.arrow.field(*index).metadata().get(MASKED));
    let metadata: HashMap<String, String> =
        masked.map(|mark| (MASKED.to_owned(), mark.clone())).into_iter().collect();
    Field::new(name, kind.clone(), true).with_metadata(metadata)
}

fn field_ids(input: &TableSchema, columns: &[(String, DataType, Origin)]) -> Vec<i32> {
    let mut ids: Vec<i32> = Vec::with_capacity(columns.len());
    for (name, _, origin) in columns {
        let own = origin.passed.and_then(|index| input.field_ids.get(index).copied());
        let mut id = own.filter(|id| !ids.contains(id)).unwrap_or_else(|| computed_id(name));
        while ids.contains(&id) {
            id = (id + 1) | COMPUTED;
        }
        ids.push(id);
    }
    ids
}

/// Ids from here on are of computed columns; sources count theirs from 1.
const COMPUTED: i32 = 1 << 30;

/// An id that depends on the name alone, so that it stays when columns come and go and over restarts
/// (FNV-1a).
fn computed_id(name: &str) -> i32 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    COMPUTED | (hash & 0x3fff_ffff).cast_signed()
}
