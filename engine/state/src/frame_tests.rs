//! What is stored can be read by this and every later build, and damage of any kind is found.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, TimeUnit};
use proptest::prelude::*;
use seatun_api::{
    ColumnChange, Delivery, Epoch, Generation, Position, SchemaChange, SchemaVersion, Split, SplitId,
    TableId, TableSchema, Versioned,
};

use super::*;
use crate::manifest::{
    FileRef, KEY_GROUPS, Manifest, ManifestBody, ManifestKind, OperatorRecord, SinkState, SourceState,
    StateFile,
};
use crate::record::{Marker, RunRecord};

fn versioned(kind: &str, body: serde_json::Value) -> Versioned {
    Versioned { kind: kind.to_owned(), version: 1, body }
}

fn table(version: u32, columns: &[(&str, DataType)]) -> TableSchema {
    let fields: Vec<Field> =
        columns.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect();
    let id = TableId { database: Some("shop".into()), schema: None, table: "orders".into() };
    let mut schema = TableSchema::new(id, Arc::new(Schema::new(fields)));
    schema.version = SchemaVersion(version);
    schema.primary_key = vec![0];
    schema
}

/// A manifest in which every field is used.
fn full_manifest() -> Manifest {
    let before = table(
        0,
        &[
            ("id", DataType::Int64),
            ("total", DataType::Decimal128(12, 2)),
            ("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
            ("tags", DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))),
        ],
    );
    let after = table(1, &[("id", DataType::Int64), ("note", DataType::Utf8)]);
    let split = |id: &str, position: Option<Position>| Split {
        id: SplitId::new(id),
        position,
        state: versioned("files.split", serde_json::json!({"path": "in/ä.csv", "start": 0, "end": 4096})),
    };
    let splits = [split("in/ä.csv#0", Some(Position::from_u64(1700))), split("in/ä.csv#1", None)];
    let source = SourceState {
        plugin: "LocalFile".to_owned(),
        planner: Some(versioned("files.planner", serde_json::json!({"seen": ["in/ä.csv"]}))),
        complete: true,
        splits: splits.into_iter().map(|split| (split.id.clone(), split)).collect(),
    };
    let file = FileRef {
        path: "shop%20orders/data/000003/0000000042/0000-totals.12.arrow".to_owned(),
        bytes: 1234,
        crc32c: 0xdead_beef,
    };
    let operator = OperatorRecord {
        small: BTreeMap::from([(0, vec![versioned("window.open", serde_json::json!([1, 2]))]), (10, vec![])]),
        files: vec![StateFile { table: "totals".to_owned(), version: 2, key_group: 12, file }],
    };
    let steps = vec![
        ColumnChange::Drop { name: "at".to_owned() },
        ColumnChange::Rename { from: "total".to_owned(), to: "note".to_owned() },
        ColumnChange::Retype { name: "note".to_owned() },
        ColumnChange::Add { name: "x".to_owned() },
    ];
    let change = SchemaChange { before: Arc::new(before.clone()), after: Arc::new(after.clone()), steps };
    let sink = SinkState {
        delivery: Delivery::ExactlyOnce,
        initialized: true,
        writers: BTreeMap::from([(0, versioned("files.writer", serde_json::json!({"next": 7})))]),
        committables: vec![versioned("files.part", serde_json::json!({"from": ".tmp/a", "to": "a.parquet"}))],
        schema_changes: vec![change],
    };
    Manifest {
        format: FORMAT,
        job: "shop orders".to_owned(),
        generation: Generation(3),
        run_uuid: "6fa459ea-ee8a-4ca4-894e-db77e160355e".to_owned(),
        epoch: Epoch(42),
        parent: Some(Epoch(41)),
        kind: ManifestKind::Checkpoint,
        started_ms: 1_700_000_000_000,
        finished_ms: 1_700_000_000_250,
        fingerprint: "source:orders=LocalFile;sink:out=LocalFile;transform:totals=Window".to_owned(),
        key_groups: KEY_GROUPS,
        body: ManifestBody {
            schemas: BTreeMap::from([("orders".to_owned(), vec![before, after])]),
            sources: BTreeMap::from([("orders".to_owned(), source)]),
            operators: BTreeMap::from([("totals".to_owned(), operator)]),
            sinks: BTreeMap::from([("out".to_owned(), sink)]),
            rows_read: 100_000,
            dead_lettered: 3,
        },
    }
}

fn empty_manifest() -> Manifest {
    Manifest {
        epoch: Epoch(1),
        parent: None,
        kind: ManifestKind::Takeover,
        body: ManifestBody::default(),
        ..full_manifest()
    }
}

fn run() -> RunRecord {
    RunRecord {
        format: FORMAT,
        job: "shop orders".to_owned(),
        generation: Generation(3),
        uuid: "6fa459ea-ee8a-4ca4-894e-db77e160355e".to_owned(),
        host: "etl-1".to_owned(),
        pid: 4711,
        started_ms: 1_700_000_000_000,
        based_on: Some(Epoch(41)),
        release: "0.1.0".to_owned(),
    }
}

fn marker() -> Marker {
    Marker {
        format: FORMAT,
        job: "shop orders".to_owned(),
        epoch: Epoch(42),
        generation: Generation(3),
        run_uuid: "6fa459ea-ee8a-4ca4-894e-db77e160355e".to_owned(),
        committed_ms: 1_700_000_000_300,
    }
}

/// Compares with a stored file of format 1; the folder is never changed, only added to. A difference means
/// that jobs which run today could not be resumed by the next release.
fn assert_stored_form<T>(file: &str, record: &T)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/v1").join(file);
    let written = encode(record).unwrap();
    if std::env::var_os("SEATUN_WRITE_COMPAT").is_some() && !path.exists() {
        std::fs::write(&path, &written).unwrap();
    }
    let stored = std::fs::read(&path).unwrap();
    assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&stored), "{file}");
    assert_eq!(&decode::<T>(&stored).unwrap(), record, "{file}");
}

#[test]
fn the_stored_form_is_that_of_format_1() {
    assert_stored_form("manifest-full.json", &full_manifest());
    assert_stored_form("manifest-empty.json", &empty_manifest());
    assert_stored_form("run.json", &run());
    assert_stored_form("marker.committed", &marker());
}

#[test]
fn every_flipped_bit_is_found() {
    let sound = encode(&full_manifest()).unwrap();
    for place in 0..sound.len() {
        for bit in 0..8 {
            let mut bytes = sound.to_vec();
            bytes[place] ^= 1 << bit;
            let damage = decode::<Manifest>(&bytes).unwrap_err();
            assert!(damage.is_decay(), "byte {place} bit {bit}: {damage:?}");
        }
    }
}

#[test]
fn every_cut_and_every_addition_is_found() {
    let sound = encode(&full_manifest()).unwrap();
    for length in 0..sound.len() {
        let damage = decode::<Manifest>(&sound[..length]).unwrap_err();
        assert!(damage.is_decay(), "cut at {length}: {damage:?}");
    }
    let zeros = vec![0; sound.len()];
    let additions: [&[u8]; 4] = [b"\n", b" ", b"\0", &sound];
    for addition in additions {
        let bytes = [&sound[..], addition].concat();
        assert!(decode::<Manifest>(&bytes).unwrap_err().is_decay());
    }
    assert!(decode::<Manifest>(&zeros).unwrap_err().is_decay());
}

fn framed(json: &str) -> Vec<u8> {
    let json = format!("{json}\n");
    [json.as_bytes(), footer(json.as_bytes()).as_bytes()].concat()
}

#[test]
fn a_whole_record_of_another_format_or_form_is_no_decay() {
    let newer = framed(r#"{"format": 2, "anything": true}"#);
    assert!(matches!(decode::<Manifest>(&newer), Err(Damage::UnknownFormat(2))));
    let text = String::from_utf8(encode(&marker()).unwrap().to_vec()).unwrap();
    let json = text.split("# crc32c").next().unwrap().trim_end();
    let unknown_field = framed(&json.replacen('{', "{\"added_later\": 1,", 1));
    assert!(matches!(decode::<Marker>(&unknown_field), Err(Damage::Form(_))));
    let deep = framed(&format!(r#"{{"format": 1, "schemas": {}1{}}}"#, "[".repeat(5000), "]".repeat(5000)));
    assert!(matches!(decode::<Manifest>(&deep), Err(Damage::Form(_))));
    for json in ["", "null", "[]", "{}", r#"{"format": -1}"#, r#"{"format": 1}"#, r#"{"format": 4294967296}"#]
    {
        assert!(matches!(decode::<Manifest>(&framed(json)), Err(Damage::Form(_))), "{json}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode::<Manifest>(&bytes).is_err());
        let framed = [&bytes[..], b"\n", footer(&[&bytes[..], b"\n"].concat()).as_bytes()].concat();
        prop_assert!(decode::<Manifest>(&framed).is_err());
    }
}
