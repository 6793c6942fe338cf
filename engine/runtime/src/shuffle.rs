//! Which subtask a row goes to.
//!
//! Keys are hashed into a fixed number of key groups, and groups are mapped to subtasks, so that state can
//! be handed over when the parallelism changes. Rows without a key stay with their split, so that the
//! order within a split is kept.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use arrow_array::{ArrayRef, UInt8Array, UInt32Array};
use arrow_row::{RowConverter, SortField};
use seatun_api::{Batch, ChangeKind, Result, TableSchema};

/// How many key groups there are. Recorded in each manifest; never changes for a job with state.
pub(crate) const KEY_GROUPS: u16 = 128;

/// How many schemas a router remembers the keys of.
const REMEMBERED: usize = 1024;

/// How an edge distributes rows over the subtasks downstream.
#[derive(Clone)]
pub(crate) enum Routing {
    /// Subtask n feeds subtask n, by the only channel it has.
    Forward,
    /// All rows of a split go to the same subtask.
    BySplit,
    /// Rows of one key go to the same subtask; the function names a table's key columns.
    ByKey(KeyColumns),
}

/// The key columns of a table, `None` or none at all for "any subtask will do".
pub(crate) type KeyColumns = Arc<dyn Fn(&TableSchema) -> Option<Vec<usize>> + Send + Sync>;

/// The subtask that owns a key group.
pub(crate) fn subtask_of(key_group: u16, parallelism: usize) -> usize {
    usize::from(key_group) * parallelism / usize::from(KEY_GROUPS)
}

/// Distributes batches; remembers the row converters of the tables it has met.
pub(crate) struct Router {
    routing: Routing,
    targets: usize,
    /// By address of the schema, which each entry keeps alive.
    keys: HashMap<usize, (Arc<TableSchema>, Option<Key>)>,
}

struct Key {
    columns: Vec<usize>,
    converter: RowConverter,
}

impl Router {
    pub fn new(routing: Routing, targets: usize) -> Self {
        Self { routing, targets, keys: HashMap::new() }
    }

    /// The parts of a batch and the target that each goes to. `subtask` is the one that sends.
    pub fn route(&mut self, subtask: usize, batch: Batch) -> Result<Vec<(usize, Batch)>> {
        if self.targets == 1 {
            return Ok(vec![(0, batch)]);
        }
        let columns = match &self.routing {
            Routing::Forward => return Ok(vec![(0, batch)]),
            Routing::BySplit => return Ok(vec![(split_target(&batch, subtask, self.targets), batch)]),
            Routing::ByKey(columns) => Arc::clone(columns),
        };
        if self.keys.len() >= REMEMBERED {
            self.keys.clear();
        }
        let address = Arc::as_ptr(batch.table()).addr();
        let key = match self.keys.entry(address) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let key = Key::of(batch.table(), columns(batch.table()))?;
                entry.insert((Arc::clone(batch.table()), key))
            }
        };
        match &mut key.1 {
            Some(key) => key.route(&batch, self.targets),
            None => Ok(vec![(split_target(&batch, subtask, self.targets), batch)]),
        }
    }
}

impl Key {
    fn of(table: &TableSchema, columns: Option<Vec<usize>>) -> Result<Option<Self>> {
        let Some(columns) = columns.filter(|columns| !columns.is_empty()) else { return Ok(None) };
        let fields = columns
            .iter()
            .map(|&column| SortField::new(table.arrow.field(column).data_type().clone()))
            .collect();
        Ok(Some(Self { columns, converter: RowConverter::new(fields)? }))
    }

    fn encode(&mut self, batch: &Batch) -> Result<arrow_row::Rows> {
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|&column| Arc::clone(batch.column(column))).collect();
        Ok(self.converter.convert_columns(&columns)?)
    }

    fn route(&mut self, batch: &Batch, targets: usize) -> Result<Vec<(usize, Batch)>> {
        let keys = self.encode(batch)?;
        let batch = untorn(batch, &keys)?;
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); targets];
        for (row, key) in (0_u32..).zip(keys.iter()) {
            rows[subtask_of(key_group(key.as_ref()), targets)].push(row);
        }
        let mut parts = Vec::new();
        for (target, rows) in rows.into_iter().enumerate() {
            match rows.len() {
                0 => {}
                all if all == batch.num_rows() => return Ok(vec![(target, batch)]),
                _ => parts.push((target, batch.take(&UInt32Array::from(rows))?)),
            }
        }
        Ok(parts)
    }
}

/// The key group of each row of a batch, by these key columns: the one that a stateful transform must store
/// the row's state under.
///
/// # Errors
/// If a column's type cannot be a key.
pub fn key_groups(batch: &Batch, columns: &[usize]) -> Result<Vec<u16>> {
    let Some(mut key) = Key::of(batch.table(), Some(columns.to_vec()))? else {
        return Ok(vec![0; batch.num_rows()]);
    };
    let keys = key.encode(batch)?;
    Ok(keys.iter().map(|key| key_group(key.as_ref())).collect())
}

/// The key group of an encoded key.
fn key_group(key: &[u8]) -> u16 {
    // invariant: the remainder is below 128.
    (crc32c::crc32c(key) % u32::from(KEY_GROUPS)) as u16
}

/// The halves of an update that stay together keep their kinds; a half whose other is elsewhere, because
/// the key changed or the batch ends between them, becomes a plain delete or insert. A sink that skips
/// `UpdateBefore` would otherwise keep the row of the old key.
fn untorn(batch: &Batch, keys: &arrow_row::Rows) -> Result<Batch> {
    let Some(kinds) = batch.kinds() else { return Ok(batch.clone()) };
    let mut kinds: Vec<u8> = kinds.values().to_vec();
    let mut row = 0;
    while row < kinds.len() {
        let kind = batch.kind(row);
        let is_pair = kind == ChangeKind::UpdateBefore
            && row + 1 < kinds.len()
            && batch.kind(row + 1) == ChangeKind::UpdateAfter
            && keys.row(row) == keys.row(row + 1);
        if is_pair {
            row += 2;
            continue;
        }
        kinds[row] = kind.normalized() as u8;
        row += 1;
    }
    batch.clone().with_kinds(UInt8Array::from(kinds))
}

fn split_target(batch: &Batch, subtask: usize, targets: usize) -> usize {
    match batch.origin() {
        Some(origin) => crc32c::crc32c(origin.split.0.as_bytes()) as usize % targets,
        None => subtask % targets,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow_array::{Array, Int64Array, RecordBatch};
    use arrow_schema::{DataType, Field, Schema};
    use proptest::prelude::*;
    use seatun_api::TableId;

    use super::*;

    fn batch(changes: &[(u8, i64, i64)]) -> Batch {
        let schema = Arc::new(Schema::new(vec![
            Field::new("k", DataType::Int64, true),
            Field::new("v", DataType::Int64, true),
        ]));
        let table = Arc::new(TableSchema::new(TableId::new("t"), Arc::clone(&schema)));
        let keys = Int64Array::from_iter_values(changes.iter().map(|change| change.1));
        let values = Int64Array::from_iter_values(changes.iter().map(|change| change.2));
        let rows = RecordBatch::try_new(schema, vec![Arc::new(keys), Arc::new(values)]).unwrap();
        let kinds: Vec<u8> = changes.iter().map(|change| change.0).collect();
        Batch::new(table, rows).unwrap().with_kinds(kinds.into()).unwrap()
    }

    fn int(batch: &Batch, column: usize, row: usize) -> i64 {
        batch.column(column).as_any().downcast_ref::<Int64Array>().unwrap().value(row)
    }

    /// A table kept by a sink that either honours `UpdateBefore` as a delete or skips it.
    fn apply(table: &mut BTreeMap<i64, i64>, batch: &Batch, skips_update_before: bool) {
        for row in 0..batch.num_rows() {
            let kind = batch.kind(row);
            if kind == ChangeKind::UpdateBefore && skips_update_before {
                continue;
            }
            if kind.is_retraction() {
                table.remove(&int(batch, 0, row));
            } else {
                table.insert(int(batch, 0, row), int(batch, 1, row));
            }
        }
    }

    /// Kind, key and value of each change.
    type Changes = Vec<(u8, i64, i64)>;

    /// A valid changelog over a few keys: inserts, updates (some of which move the row to another key),
    /// deletes.
    fn changelog(steps: &[(u8, i64, i64, i64)]) -> (Changes, BTreeMap<i64, i64>) {
        let mut table = BTreeMap::new();
        let mut log = Vec::new();
        for &(action, key, other, value) in steps {
            match (table.get(&key).copied(), action) {
                (None, _) => {
                    log.push((0, key, value));
                    table.insert(key, value);
                }
                (Some(old), 0) => {
                    log.push((3, key, old));
                    table.remove(&key);
                }
                (Some(old), _) => {
                    let target = if action == 1 || table.contains_key(&other) { key } else { other };
                    log.push((1, key, old));
                    log.push((2, target, value));
                    table.remove(&key);
                    table.insert(target, value);
                }
            }
        }
        (log, table)
    }

    proptest! {
        #[test]
        fn the_table_is_the_same_after_any_shuffle(
            steps in prop::collection::vec((0_u8..3, 0_i64..6, 0_i64..6, 0_i64..100), 0..60),
            targets in 1_usize..5,
            cut in 1_usize..9,
            skips in any::<bool>(),
        ) {
            let (log, expected) = changelog(&steps);
            let mut router = Router::new(Routing::ByKey(Arc::new(|_| Some(vec![0]))), targets);
            let mut tables = vec![BTreeMap::new(); targets];
            // A sink alone on its node may skip `UpdateBefore` only if keys never change, so with one
            // target only the sink that honours it is asked.
            let skips = skips && targets > 1;
            for changes in log.chunks(cut) {
                for (target, part) in router.route(0, batch(changes)).unwrap() {
                    apply(&mut tables[target], &part, skips);
                }
            }
            let mut together = BTreeMap::new();
            for table in tables {
                for (key, value) in table {
                    prop_assert!(together.insert(key, value).is_none(), "key {} in two subtasks", key);
                }
            }
            prop_assert_eq!(together, expected);
        }
    }

    #[test]
    fn every_key_group_has_one_owner_and_owners_are_even() {
        for parallelism in 1..=16 {
            let mut counts = vec![0; parallelism];
            for group in 0..KEY_GROUPS {
                counts[subtask_of(group, parallelism)] += 1;
            }
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(most - least <= 1, "{parallelism}: {counts:?}");
        }
    }
}
