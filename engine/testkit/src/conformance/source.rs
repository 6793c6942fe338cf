//! What every source promises.
//!
//! * Planned again with its own state, nothing is planned twice, neither while splits are read nor after.
//! * Splits and the planner's state survive their JSON form.
//! * Reading again gives the same rows in the same order, and positions name the same places.
//! * Reading on from any emitted position gives exactly the rows after it.
//! * Several readers together give the same rows, each split in order.
//! * `next` without rows returns within the linger time.
//! * A reader that is dropped while all that follows is blocked hinders nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use seatun_api::source::PlanRequest;
use seatun_api::{Boundedness, Epoch, Position, Source, Split, SplitId, TableId, TableSchema, Versioned};

use crate::read::{ReadEnd, ReadOptions, Reading, read_all, read_splits, resume};
use crate::recorder::{BlockedOutput, SourceEvent};
use crate::rows;

/// What is known of the source under test.
#[derive(Clone, Debug, Default)]
pub struct SourceExpectation {
    /// All its rows as text, in any order ([`rows::batch_text`]); `None` if only the source itself knows.
    pub rows: Option<Vec<String>>,
    /// How many rows it gives up.
    pub rejects: usize,
    /// Rows of a batch at most; 0 means 3, so that there are many positions to resume from.
    pub batch_rows: usize,
    /// Of an unbounded source, how many rows to read; 0 means until it is idle.
    pub max_rows: usize,
}

/// `next` without rows may take this much longer than linger: the machine may be busy.
const SLACK: Duration = Duration::from_secs(2);
/// Positions tried of each split; more are sampled evenly.
const RESUMES: usize = 40;

/// Tries every promise on fresh instances of a source. It must have at least two rows.
///
/// # Panics
/// If a promise is not kept; the text says which.
pub async fn source_conformance(make: impl Fn() -> Box<dyn Source>, expect: &SourceExpectation) {
    let options = ReadOptions {
        batch_rows: if expect.batch_rows == 0 { 3 } else { expect.batch_rows },
        max_rows: if expect.max_rows == 0 { usize::MAX } else { expect.max_rows },
        ..ReadOptions::default()
    };
    tables_are_declared(make().as_ref()).await;
    let whole = read_all(make().as_ref(), &options).await;
    whole_reading_is_right(make().as_ref(), &whole, expect, &options).await;
    planning_again_adds_nothing_twice(make().as_ref(), &whole).await;
    let ends_by_rows = expect.max_rows != 0;
    if !ends_by_rows {
        replay_is_the_same(make().as_ref(), &whole, &options).await;
        several_readers_give_the_same(make().as_ref(), &whole, &options).await;
    }
    every_position_resumes(&make, &whole, ends_by_rows, &options).await;
    restart_between_plans_goes_on(make().as_ref(), &whole, &options, ends_by_rows).await;
    blocked_reader_can_be_dropped(&make, &whole, &options).await;
    make()
        .committed(Epoch(1), whole.recorder.positions())
        .await
        .expect("the source hears that an epoch is committed");
}

async fn tables_are_declared(source: &dyn Source) {
    let found = source.tables().await.expect("the source knows its tables");
    assert!(!found.is_empty(), "a source has at least one table");
    let Some(declared) = source.declared_tables() else { return };
    let shape = |tables: &[TableSchema]| -> Vec<(TableId, arrow_schema::SchemaRef)> {
        tables.iter().map(|table| (table.id.clone(), Arc::clone(&table.arrow))).collect()
    };
    assert_eq!(shape(&declared), shape(&found), "the declared tables are the tables found");
}

async fn whole_reading_is_right(
    source: &dyn Source,
    whole: &Reading,
    expect: &SourceExpectation,
    options: &ReadOptions,
) {
    if source.boundedness() == Boundedness::Bounded {
        assert_eq!(whole.end, ReadEnd::Finished, "a bounded source ends");
        assert_eq!(whole.finished.len(), whole.splits.len(), "every split is finished once");
    }
    let tables: BTreeSet<TableId> =
        source.tables().await.expect("the source knows its tables").into_iter().map(|t| t.id).collect();
    for batch in whole.recorder.batches() {
        assert!(tables.contains(&batch.table().id), "rows of table {} were not announced", batch.table().id);
        assert!(batch.num_rows() > 0, "an empty batch is an advance");
        assert!(
            batch.num_rows() <= options.batch_rows,
            "a batch of {} rows where {} are allowed",
            batch.num_rows(),
            options.batch_rows
        );
    }
    assert!(whole.recorder.num_rows() >= 2, "a source under test has at least two rows");
    if let Some(expected) = &expect.rows {
        rows::assert_same_unordered("the source's rows", &whole.rows(), expected);
    }
    assert_eq!(whole.recorder.rejects().count(), expect.rejects, "rows given up");
    let limit = options.linger + SLACK;
    assert!(whole.longest_idle <= limit, "an idle `next` took {:?}, {limit:?} allowed", whole.longest_idle);
    for split in &whole.splits {
        assert_eq!(&json(split), split, "split {} survives its JSON form", split.id);
    }
}

async fn planning_again_adds_nothing_twice(source: &dyn Source, whole: &Reading) {
    let nothing = BTreeMap::new();
    let first = source.plan(PlanRequest { state: None, active: &nothing }).await.expect("planned");
    let active: BTreeMap<SplitId, Split> =
        first.add.iter().map(|split| (split.id.clone(), split.clone())).collect();
    assert_eq!(active.len(), first.add.len(), "split names are unique");
    let state = first.state.as_ref().map(json::<Versioned>);
    for (what, active) in [("are being read", &active), ("are finished", &nothing)] {
        let again = source.plan(PlanRequest { state: state.as_ref(), active }).await.expect("planned");
        let twice = again.add.iter().find(|split| first.add.iter().any(|other| other.id == split.id));
        assert!(twice.is_none(), "{twice:?} was planned again while its splits {what}");
        assert!(!first.complete || again.add.is_empty(), "a complete plan grew while its splits {what}");
    }
    // What was read to its end stays read: the last state and no active split.
    let state = whole.planner.as_ref().map(json::<Versioned>);
    let last = source.plan(PlanRequest { state: state.as_ref(), active: &nothing }).await.expect("planned");
    let twice = last.add.iter().find(|split| whole.splits.iter().any(|other| other.id == split.id));
    assert!(twice.is_none(), "{twice:?} was planned again after the end");
}

async fn replay_is_the_same(source: &dyn Source, whole: &Reading, options: &ReadOptions) {
    let again = read_all(source, options).await;
    assert_eq!(
        again.splits.iter().map(|split| &split.id).collect::<Vec<_>>(),
        whole.splits.iter().map(|split| &split.id).collect::<Vec<_>>(),
        "splits are planned the same again"
    );
    for split in &whole.splits {
        let (first, second) = (whole.recorder.rows_of(&split.id), again.recorder.rows_of(&split.id));
        rows::assert_same(&format!("split {} read again", split.id), &second, &first);
        let places = places(whole, &split.id);
        for (position, place) in self::places(&again, &split.id) {
            if let Some(before) = places.get(&position) {
                assert_eq!(&place, before, "split {}: position {position} moved in a replay", split.id);
            }
        }
    }
}

async fn several_readers_give_the_same(source: &dyn Source, whole: &Reading, options: &ReadOptions) {
    let parallel = read_all(source, &ReadOptions { parallelism: 3, ..options.clone() }).await;
    for split in &whole.splits {
        rows::assert_same(
            &format!("split {} read by one of three readers", split.id),
            &parallel.recorder.rows_of(&split.id),
            &whole.recorder.rows_of(&split.id),
        );
    }
    assert_eq!(parallel.recorder.num_rows(), whole.recorder.num_rows(), "rows read by three readers");
}

async fn every_position_resumes(
    make: &impl Fn() -> Box<dyn Source>,
    whole: &Reading,
    ends_by_rows: bool,
    options: &ReadOptions,
) {
    for split in &whole.splits {
        let all = whole.recorder.rows_of(&split.id);
        let places = places(whole, &split.id);
        let step = places.len().div_ceil(RESUMES).max(1);
        for (position, place) in places.iter().step_by(step) {
            let left = Split { position: Some(position.clone()), ..json(split) };
            let rows_left = all.len() - place.rows;
            if ends_by_rows && rows_left == 0 {
                continue;
            }
            let limit = if ends_by_rows { rows_left } else { usize::MAX };
            let source = make();
            let options = ReadOptions {
                max_rows: limit,
                schemas: schemas_at(whole, Some((&split.id, position))),
                ..options.clone()
            };
            let rest = read_splits(source.as_ref(), vec![left], &options).await;
            let what = format!("split {} read on from {position}", split.id);
            let mut actual = rest.recorder.rows_of(&split.id);
            actual.truncate(limit);
            rows::assert_same(&what, &actual, &all[place.rows..]);
            if !ends_by_rows {
                let expected = rejects_of(whole, &split.id).saturating_sub(place.rejects);
                assert_eq!(rest.recorder.rejects().count(), expected, "{what}: rows given up");
            }
        }
    }
}

/// As after a restart in the middle: the planner's state, and the splits that are not finished.
async fn restart_between_plans_goes_on(
    source: &dyn Source,
    whole: &Reading,
    options: &ReadOptions,
    ends_by_rows: bool,
) {
    let half = whole.recorder.num_rows() / 2;
    let first = read_all(source, &ReadOptions { max_rows: half.max(1), ..options.clone() }).await;
    let unfinished: Vec<Split> = first
        .splits
        .iter()
        .filter(|split| !first.finished.contains(&split.id))
        .map(|split| Split { position: first.recorder.positions().get(&split.id).cloned(), ..split.clone() })
        .map(|split| json(&split))
        .collect();
    let planner = first.planner.as_ref().map(json::<Versioned>);
    let left = whole.recorder.num_rows() - first.recorder.num_rows();
    if ends_by_rows && left == 0 {
        return;
    }
    let limit = if ends_by_rows { left } else { usize::MAX };
    let options = ReadOptions { max_rows: limit, schemas: schemas_at(&first, None), ..options.clone() };
    let second = resume(source, planner, unfinished, &options).await;
    if ends_by_rows {
        assert!(second.recorder.num_rows() >= left, "rows after a restart in the middle");
        return;
    }
    let mut both = first.rows();
    both.extend(second.rows());
    rows::assert_same_unordered("rows before and after a restart in the middle", &both, &whole.rows());
}

async fn blocked_reader_can_be_dropped(
    make: &impl Fn() -> Box<dyn Source>,
    whole: &Reading,
    options: &ReadOptions,
) {
    let Some(split) = whole.splits.first() else { return };
    let source = make();
    let mut reader = source.reader(options.context(0)).await.expect("the reader opens");
    reader.add_splits(vec![split.clone()]).await.expect("the reader takes splits");
    let mut blocked = BlockedOutput;
    // Either it waits for room downstream or it had nothing to emit: both are fine, a hang on drop is not.
    let _ = tokio::time::timeout(Duration::from_millis(100), reader.next(&mut blocked)).await;
    let dropped = tokio::time::timeout(Duration::from_secs(30), async move {
        drop(reader);
        drop(source);
    });
    dropped.await.expect("a blocked reader can be dropped");
    let all = whole.recorder.rows_of(&split.id);
    let limit = all.len().max(1);
    let again = make();
    let reading =
        read_splits(again.as_ref(), vec![split.clone()], &ReadOptions { max_rows: limit, ..options.clone() })
            .await;
    let mut actual = reading.recorder.rows_of(&split.id);
    actual.truncate(all.len());
    rows::assert_same("rows after a blocked reader was dropped", &actual, &all);
}

/// How much of a split lies before a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    rows: usize,
    rejects: usize,
}

/// Every position of a split that was emitted, with what lies before it. A reject counts as read with the
/// next range of its split.
fn places(reading: &Reading, split: &SplitId) -> BTreeMap<Position, Place> {
    let mut place = Place::default();
    let mut pending = 0;
    let mut places = BTreeMap::new();
    for event in &reading.recorder.events {
        let (delta, rows) = match event {
            SourceEvent::Batch(batch, delta) => (delta, batch.num_rows()),
            SourceEvent::Advance(delta) | SourceEvent::SchemaChange(_, delta) => (delta, 0),
            SourceEvent::Reject(reject) => {
                pending += usize::from(belongs(reject.origin.as_ref(), split, reading));
                continue;
            }
            SourceEvent::Watermark(..) => continue,
        };
        if delta.split != *split {
            continue;
        }
        place.rows += rows;
        place.rejects += std::mem::take(&mut pending);
        places.insert(delta.to.clone(), place);
    }
    places
}

/// The last schema of each table that a split has shown up to a position, or all splits up to the end.
fn schemas_at(reading: &Reading, place: Option<(&SplitId, &Position)>) -> Vec<Arc<TableSchema>> {
    let mut schemas = BTreeMap::new();
    for event in &reading.recorder.events {
        let (delta, schema) = match event {
            SourceEvent::Batch(batch, delta) => (delta, Arc::clone(batch.table())),
            SourceEvent::SchemaChange(change, delta) => (delta, Arc::clone(&change.after)),
            _ => continue,
        };
        if place.is_none_or(|(split, position)| delta.split == *split && delta.to <= *position) {
            schemas.insert(schema.id.clone(), schema);
        }
    }
    schemas.into_values().collect()
}

fn rejects_of(reading: &Reading, split: &SplitId) -> usize {
    reading.recorder.rejects().filter(|reject| belongs(reject.origin.as_ref(), split, reading)).count()
}

fn belongs(origin: Option<&seatun_api::PositionDelta>, split: &SplitId, reading: &Reading) -> bool {
    match origin {
        Some(origin) => origin.split == *split,
        None => reading.splits.len() == 1,
    }
}

fn json<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("a JSON form");
    serde_json::from_str(&text).expect("a value from its JSON form")
}
