//! Event time over several inputs: the least of those that are not idle, and never backwards.

use std::collections::BTreeMap;

use seatun_api::{SplitId, Watermark};

/// The watermarks of a task's inputs.
#[derive(Debug)]
pub(crate) struct Watermarks {
    inputs: Vec<Option<Watermark>>,
    passed_on: Option<Watermark>,
}

impl Watermarks {
    pub fn new(inputs: usize) -> Self {
        Self { inputs: vec![None; inputs], passed_on: None }
    }

    /// An input has come so far; gives the common watermark if it advanced by that.
    pub fn advance(&mut self, input: usize, watermark: Watermark) -> Option<Watermark> {
        self.inputs[input] = match (self.inputs[input], watermark) {
            (Some(Watermark::At(before)), Watermark::At(now)) => Some(Watermark::At(before.max(now))),
            _ => Some(watermark),
        };
        let common = self.common()?;
        let advanced = match (self.passed_on, common) {
            (Some(Watermark::At(before)), Watermark::At(now)) => now > before,
            (before, now) => before != Some(now),
        };
        if !advanced {
            return None;
        }
        // Idle is passed on but not remembered as progress: time must not go back when rows come again.
        if let Watermark::At(_) = common {
            self.passed_on = Some(common);
        }
        Some(common)
    }

    fn common(&self) -> Option<Watermark> {
        let mut least = None;
        for input in &self.inputs {
            match (*input)? {
                Watermark::Idle => {}
                Watermark::At(time) => least = Some(least.map_or(time, |other: i64| other.min(time))),
            }
        }
        Some(least.map_or(Watermark::Idle, Watermark::At))
    }
}

/// Event time of the splits that a reader has at the moment.
#[derive(Debug, Default)]
pub(crate) struct SplitMarks {
    /// `None` for a split that has not told of its event time: it holds the others back.
    live: BTreeMap<SplitId, Option<Watermark>>,
    passed_on: Option<i64>,
    idle: bool,
}

impl SplitMarks {
    /// A split is read from now on.
    pub fn add(&mut self, split: &SplitId) {
        self.live.insert(split.clone(), None);
        self.idle = false;
    }

    /// A split has come so far; gives the common watermark if it advanced by that.
    pub fn advance(&mut self, split: &SplitId, watermark: Watermark) -> Option<Watermark> {
        *self.live.get_mut(split)? = Some(watermark);
        self.common()
    }

    /// A split is read to its end and holds nothing back; a reader without splits is idle.
    pub fn remove(&mut self, split: &SplitId) -> Option<Watermark> {
        self.live.remove(split);
        self.common()
    }

    fn common(&mut self) -> Option<Watermark> {
        let mut least: Option<i64> = None;
        for mark in self.live.values() {
            if let Watermark::At(time) = (*mark)? {
                least = Some(least.map_or(time, |other| other.min(time)));
            }
        }
        let Some(time) = least else {
            return (!std::mem::replace(&mut self.idle, true)).then_some(Watermark::Idle);
        };
        self.idle = false;
        if self.passed_on.is_some_and(|before| before >= time) {
            return None;
        }
        self.passed_on = Some(time);
        Some(Watermark::At(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_input_that_is_not_idle_decides() {
        let mut marks = Watermarks::new(2);
        assert_eq!(marks.advance(0, Watermark::At(5)), None);
        assert_eq!(marks.advance(1, Watermark::At(3)), Some(Watermark::At(3)));
        assert_eq!(marks.advance(1, Watermark::At(2)), None);
        assert_eq!(marks.advance(1, Watermark::Idle), Some(Watermark::At(5)));
        assert_eq!(marks.advance(1, Watermark::At(4)), None);
        assert_eq!(marks.advance(1, Watermark::At(6)), None);
        assert_eq!(marks.advance(0, Watermark::At(9)), Some(Watermark::At(6)));
    }

    #[test]
    fn a_finished_split_holds_nothing_back_and_a_reader_without_splits_is_idle() {
        let (a, b) = (SplitId::new("a"), SplitId::new("b"));
        let mut marks = SplitMarks::default();
        marks.add(&a);
        marks.add(&b);
        assert_eq!(marks.advance(&a, Watermark::At(5)), None, "b has not told yet");
        assert_eq!(marks.remove(&b), Some(Watermark::At(5)));
        assert_eq!(marks.remove(&a), Some(Watermark::Idle));
        marks.add(&b);
        assert_eq!(marks.advance(&b, Watermark::At(4)), None, "time does not go back");
        assert_eq!(marks.advance(&b, Watermark::At(6)), Some(Watermark::At(6)));
    }
}
