//! Splits: what a checkpoint keeps of them, and how they are planned.
//!
//! A split's state holds everything that its rows depend on beside the table's options: its number, the seed
//! and the time at which it was planned. A replay therefore gives the same rows.

use chrono::{DateTime, Datelike, Local, NaiveDateTime, Utc};
use seatun_api::{Result, Split, SplitId, Versioned};
use serde::{Deserialize, Serialize};

use crate::draw::Draw;

const KIND: &str = "fake.split";
const VERSION: u32 = 1;

/// What a split is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SplitState {
    /// Number of the split in the node, from 0; the `writer` of verifiable rows.
    pub number: u32,
    /// Full name of the table.
    pub table: String,
    /// How many rows; `None` for no end.
    pub rows: Option<u64>,
    /// Where random rows begin.
    pub seed: u64,
    /// What a counting key adds to its start in the split's first row, and from row to row.
    pub count_from: u64,
    pub count_by: u64,
    /// The time that CURRENT_DATE and its kin stand for.
    pub planned: Now,
}

/// A moment, in microseconds since 1970-01-01T00:00:00, of the wall clock and of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Now {
    pub wall: i64,
    pub utc: i64,
}

impl Now {
    pub fn read() -> Self {
        let now = Utc::now();
        Self {
            wall: now.with_timezone(&Local).naive_local().and_utc().timestamp_micros(),
            utc: now.timestamp_micros(),
        }
    }

    pub fn wall_clock(self) -> NaiveDateTime {
        DateTime::from_timestamp_micros(self.wall).unwrap_or_default().naive_utc()
    }

    pub fn instant(self) -> NaiveDateTime {
        DateTime::from_timestamp_micros(self.utc).unwrap_or_default().naive_utc()
    }

    pub fn year(self) -> i32 {
        self.wall_clock().year()
    }
}

impl SplitState {
    pub fn of(split: &Split) -> Result<Self> {
        split.state.decode(KIND, VERSION)
    }

    pub fn into_split(self) -> Result<Split> {
        Ok(Split {
            id: SplitId::new(format!("split-{:06}", self.number)),
            position: None,
            state: Versioned::encode(KIND, VERSION, &self)?,
        })
    }

    pub fn draw(&self) -> Draw {
        Draw::new(self.seed).child(u64::from(self.number))
    }
}

/// How the rows of a table are split.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub table: String,
    /// Random rows for each reader; `None` for no end.
    pub rows_per_reader: Option<u64>,
    pub splits_per_reader: u32,
    /// Rows of every split, if they are written in the job.
    pub fixed_rows: Option<u64>,
}

/// The splits of all tables.
pub(crate) fn plan(shapes: &[Shape], readers: u32, seed: u64, planned: Now) -> Vec<SplitState> {
    let mut splits = Vec::new();
    for shape in shapes {
        let sizes = sizes(shape, readers);
        let endless = sizes.iter().any(Option::is_none);
        let mut before = 0;
        for (index, rows) in sizes.iter().enumerate() {
            let (count_from, count_by) =
                if endless { (index as u64, sizes.len() as u64) } else { (before, 1) };
            before += rows.unwrap_or(0);
            splits.push(SplitState {
                number: u32::try_from(splits.len()).unwrap_or(u32::MAX),
                table: shape.table.clone(),
                rows: *rows,
                seed,
                count_from,
                count_by,
                planned,
            });
        }
    }
    splits
}

/// Rows of each split of a table.
fn sizes(shape: &Shape, readers: u32) -> Vec<Option<u64>> {
    let mut sizes = Vec::new();
    for _ in 0..readers {
        let Some(rows) = shape.rows_per_reader else {
            sizes.extend((0..shape.splits_per_reader).map(|_| shape.fixed_rows));
            continue;
        };
        let most = rows.div_ceil(u64::from(shape.splits_per_reader.max(1))).max(1);
        let mut left = rows;
        while left > 0 {
            let size = left.min(most);
            sizes.push(Some(shape.fixed_rows.unwrap_or(size)));
            left -= size;
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(rows: Option<u64>, splits: u32, fixed: Option<u64>) -> Shape {
        Shape { table: "t".into(), rows_per_reader: rows, splits_per_reader: splits, fixed_rows: fixed }
    }

    #[test]
    fn each_reader_has_its_rows_in_splits_of_nearly_equal_size() {
        assert_eq!(sizes(&shape(Some(5), 1, None), 2), [Some(5), Some(5)]);
        assert_eq!(sizes(&shape(Some(5), 2, None), 1), [Some(3), Some(2)]);
        assert_eq!(sizes(&shape(Some(2), 5, None), 1), [Some(1), Some(1)]);
        assert_eq!(sizes(&shape(Some(0), 5, None), 1), []);
        assert_eq!(sizes(&shape(None, 2, None), 1), [None, None]);
        assert_eq!(sizes(&shape(Some(5), 2, Some(7)), 1), [Some(7), Some(7)]);
    }

    #[test]
    fn counting_keys_never_meet() {
        for shape in [shape(Some(7), 3, None), shape(None, 3, None)] {
            let mut seen = std::collections::BTreeSet::new();
            for split in plan(&[shape], 2, 1, Now::default()) {
                for row in 0..split.rows.unwrap_or(20) {
                    assert!(seen.insert(split.count_from + row * split.count_by));
                }
            }
        }
    }
}
