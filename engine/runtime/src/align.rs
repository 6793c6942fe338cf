//! Alignment of barriers at a task with several inputs, as a pure state machine.
//!
//! An input that has delivered the barrier of the epoch under way is not read again until all others have:
//! so every row before the barrier is in the epoch and none after it is. An input that has ended still
//! carries barriers, because the sources stay alive until the final one; only one epoch is under way at a
//! time.

use seatun_api::error::codes::INTERNAL;
use seatun_api::{Barrier, Error, Result};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Input {
    barred: bool,
    ended: bool,
}

/// The state of a task's inputs.
#[derive(Debug)]
pub(crate) struct Aligner {
    inputs: Vec<Input>,
    pending: Option<Barrier>,
}

impl Aligner {
    pub fn new(inputs: usize) -> Self {
        Self { inputs: vec![Input::default(); inputs], pending: None }
    }

    /// Whether an input must not be read now.
    pub fn is_blocked(&self, input: usize) -> bool {
        self.inputs[input].barred
    }

    /// An input has delivered a barrier. Gives it back when it is the last: the epoch is complete, and all
    /// inputs are open again.
    pub fn barrier(&mut self, input: usize, barrier: Barrier) -> Result<Option<Barrier>> {
        if self.inputs[input].barred {
            return Err(out_of_step("an input delivered a second barrier before the others their first"));
        }
        match self.pending {
            Some(pending) if pending != barrier => {
                return Err(out_of_step("two epochs are under way at once"));
            }
            _ => self.pending = Some(barrier),
        }
        self.inputs[input].barred = true;
        if !self.inputs.iter().all(|input| input.barred) {
            return Ok(None);
        }
        for input in &mut self.inputs {
            input.barred = false;
        }
        Ok(self.pending.take())
    }

    /// An input has ended. True when it was the last of `inputs` to do so.
    pub fn end(&mut self, input: usize) -> bool {
        self.inputs[input].ended = true;
        self.inputs.iter().all(|input| input.ended)
    }

    /// Whether an input has ended.
    pub fn has_ended(&self, input: usize) -> bool {
        self.inputs[input].ended
    }
}

fn out_of_step(message: &str) -> Error {
    Error::internal(INTERNAL, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use seatun_api::{BarrierKind, Epoch};

    use super::*;

    fn barrier(epoch: u64) -> Barrier {
        Barrier { epoch: Epoch(epoch), kind: BarrierKind::Checkpoint }
    }

    /// Each input is a list of epochs' row counts; `schedule` picks which input is asked next.
    fn run(inputs: &[Vec<u8>], schedule: &[usize]) -> Vec<(usize, u64)> {
        let mut aligner = Aligner::new(inputs.len());
        let mut queues: Vec<std::collections::VecDeque<Option<u64>>> = inputs
            .iter()
            .map(|epochs| {
                let rows = |(epoch, count): (usize, &u8)| {
                    let rows = std::iter::repeat_n(Some(epoch as u64), usize::from(*count));
                    rows.chain(std::iter::once(None))
                };
                epochs.iter().enumerate().flat_map(rows).collect()
            })
            .collect();
        let mut seen = Vec::new();
        let mut current = vec![0_u64; inputs.len()];
        let mut completed = 0_u64;
        let turns = schedule.iter().copied().chain((0..inputs.len()).cycle().take(10_000));
        for turn in turns {
            let input = turn % inputs.len();
            if aligner.is_blocked(input) {
                continue;
            }
            match queues[input].pop_front() {
                Some(Some(epoch)) => {
                    assert_eq!(epoch, completed, "a row passed its barrier");
                    seen.push((input, epoch));
                }
                Some(None) => {
                    let epoch = current[input];
                    current[input] += 1;
                    if let Some(done) = aligner.barrier(input, barrier(epoch)).unwrap() {
                        assert_eq!(done.epoch, Epoch(completed));
                        completed += 1;
                    }
                }
                None => {}
            }
        }
        assert_eq!(completed as usize, inputs[0].len(), "an epoch never completed");
        seen
    }

    proptest! {
        #[test]
        fn no_row_crosses_a_barrier_in_any_interleaving(
            counts in (1_usize..5, 1_usize..5).prop_flat_map(|(inputs, epochs)| {
                prop::collection::vec(prop::collection::vec(0_u8..4, epochs), inputs)
            }),
            schedule in prop::collection::vec(0_usize..16, 0..200),
        ) {
            let rows: usize = counts.iter().flatten().map(|count| usize::from(*count)).sum();
            prop_assert_eq!(run(&counts, &schedule).len(), rows);
        }
    }

    #[test]
    fn two_epochs_at_once_are_refused() {
        let mut aligner = Aligner::new(2);
        assert_eq!(aligner.barrier(0, barrier(1)).unwrap(), None);
        assert!(aligner.barrier(1, barrier(2)).is_err());
        assert!(aligner.barrier(0, barrier(1)).is_err());
    }

    #[test]
    fn an_ended_input_still_takes_part_in_epochs() {
        let mut aligner = Aligner::new(2);
        assert!(!aligner.end(0));
        assert_eq!(aligner.barrier(1, barrier(1)).unwrap(), None);
        assert_eq!(aligner.barrier(0, barrier(1)).unwrap(), Some(barrier(1)));
        assert!(aligner.end(1));
    }
}
