//! Event time over several inputs: the least of those that are not idle, and never backwards.

use seatun_api::Watermark;

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

    /// One more input, which holds the others back until it tells of its event time.
    pub fn add_input(&mut self) {
        self.inputs.push(None);
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
}
