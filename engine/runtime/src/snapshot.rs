//! The durable form of operator state: Arrow IPC files, one for each table of state and key group.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use bytes::Bytes;
use seatun_api::{Epoch, Error, OperatorState, Result, StateTable};
use seatun_state::{JobState, OperatorRecord, StateFile};

use crate::codes;
use crate::shuffle::subtask_of;

/// Stores the state of all subtasks of an operator.
pub(crate) async fn store(
    state: &JobState,
    epoch: Epoch,
    node: &str,
    parts: BTreeMap<u32, OperatorState>,
) -> Result<OperatorRecord> {
    let mut record = OperatorRecord::default();
    for (subtask, part) in parts {
        for table in part.tables {
            let name = format!("{node}.{}.{:03}.arrow", table.name, table.key_group);
            let StateTable { name: table, version, key_group, batches } = table;
            let bytes = tokio::task::spawn_blocking(move || encode(&batches)).await.map_err(|error| {
                Error::internal(codes::OPERATOR_STATE, "operator state could not be encoded")
                    .with_source(error)
            })??;
            let file = state.put_state_file(epoch, &name, bytes).await?;
            record.files.push(StateFile { table, version, key_group, file });
        }
        if !part.small.is_empty() {
            record.small.insert(subtask, part.small);
        }
    }
    Ok(record)
}

/// Loads what belongs to one of `parallelism` subtasks now, whatever the number was when it was stored.
pub(crate) async fn load(
    state: &JobState,
    record: &OperatorRecord,
    subtask: usize,
    parallelism: usize,
) -> Result<OperatorState> {
    let mut restored = OperatorState::default();
    for (stored_by, small) in &record.small {
        if *stored_by as usize % parallelism == subtask {
            restored.small.extend(small.iter().cloned());
        }
    }
    for entry in &record.files {
        if subtask_of(entry.key_group, parallelism) != subtask {
            continue;
        }
        let bytes = state.read_state_file(&entry.file).await?;
        let batches = decode(bytes).map_err(|error| {
            Error::internal(codes::OPERATOR_STATE, "stored operator state cannot be read")
                .with("file", &entry.file.path)
                .with_source(error)
        })?;
        let (name, version, key_group) = (entry.table.clone(), entry.version, entry.key_group);
        restored.tables.push(StateTable { name, version, key_group, batches });
    }
    Ok(restored)
}

fn encode(batches: &[RecordBatch]) -> Result<Bytes> {
    let Some(first) = batches.first() else { return Ok(Bytes::new()) };
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
    let mut writer = FileWriter::try_new_with_options(Vec::new(), first.schema_ref(), options)?;
    for batch in batches {
        writer.write(batch)?;
    }
    Ok(writer.into_inner()?.into())
}

fn decode(bytes: Bytes) -> Result<Vec<RecordBatch>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let reader = FileReader::try_new(std::io::Cursor::new(bytes), None)?;
    Ok(reader.collect::<Result<Vec<_>, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;

    use super::*;

    #[test]
    fn state_tables_round_trip() {
        let column: arrow_array::ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
        assert_eq!(decode(encode(&[batch.clone(), batch.clone()]).unwrap()).unwrap(), [batch.clone(), batch]);
        assert_eq!(decode(encode(&[]).unwrap()).unwrap(), []);
    }
}
