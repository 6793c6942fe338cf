//! The input side of a task: several channels read as one, with barriers aligned.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use seatun_api::{Barrier, Batch, Element, Result, SchemaChange, Watermark};

use crate::align::Aligner;
use crate::channel::{Envelope, Receiver, Room};
use crate::watermark::Watermarks;

/// One channel into a task.
pub(crate) struct GateInput {
    pub receiver: Receiver,
    /// The port of the operator that it feeds.
    pub port: usize,
}

/// What comes out of a gate.
#[expect(clippy::large_enum_variant, reason = "nearly every event is a batch; a box would cost each one")]
pub(crate) enum Event {
    /// Rows, with the room they take in their channel.
    Batch(usize, Batch, Option<Room>),
    /// The common event time of all inputs.
    Watermark(Watermark),
    /// Another schema on a port.
    SchemaChange(usize, Arc<SchemaChange>),
    /// All channels of a port have ended.
    PortEnd(usize),
    /// All channels have ended; only barriers follow.
    End,
    /// All rows of the epoch have been given out.
    Barrier(Barrier),
    /// Every producer is gone.
    Closed,
}

/// All inputs of a task.
pub(crate) struct Gate {
    inputs: Vec<GateInput>,
    closed: Vec<bool>,
    aligner: Aligner,
    watermarks: Watermarks,
    next: usize,
    /// What follows from the last element, to be given out first.
    due: VecDeque<Event>,
}

impl Gate {
    pub fn new(inputs: Vec<GateInput>) -> Self {
        let count = inputs.len();
        Self {
            inputs,
            closed: vec![false; count],
            aligner: Aligner::new(count),
            watermarks: Watermarks::new(count),
            next: 0,
            due: VecDeque::new(),
        }
    }

    /// The next event. May be dropped and called again: nothing is taken before it is given out.
    pub async fn next(&mut self) -> Result<Event> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Event>> {
        if let Some(event) = self.due.pop_front() {
            return Poll::Ready(Ok(event));
        }
        let count = self.inputs.len();
        for offset in 0..count {
            let index = (self.next + offset) % count;
            // Loops on one input while what it gives is of no concern to the task.
            while !self.closed[index] && !self.aligner.is_blocked(index) {
                match self.inputs[index].receiver.poll_recv(context) {
                    Poll::Pending => break,
                    Poll::Ready(None) => self.closed[index] = true,
                    Poll::Ready(Some(envelope)) => match self.accept(index, envelope) {
                        Ok(None) => {}
                        Ok(Some(event)) => {
                            self.next = (index + 1) % count;
                            return Poll::Ready(Ok(event));
                        }
                        Err(error) => return Poll::Ready(Err(error)),
                    },
                }
            }
        }
        if self.closed.iter().all(|closed| *closed) { Poll::Ready(Ok(Event::Closed)) } else { Poll::Pending }
    }

    fn accept(&mut self, index: usize, envelope: Envelope) -> Result<Option<Event>> {
        let port = self.inputs[index].port;
        Ok(match envelope.element {
            Element::Batch(batch) => Some(Event::Batch(port, batch, envelope.room)),
            Element::Watermark(watermark) => self.watermarks.advance(index, watermark).map(Event::Watermark),
            Element::SchemaChange(change) => Some(Event::SchemaChange(port, change)),
            Element::Barrier(barrier) => self.aligner.barrier(index, barrier)?.map(Event::Barrier),
            Element::EndOfInput => self.end(index, port),
        })
    }

    /// An input that has ended holds event time back no longer.
    fn end(&mut self, index: usize, port: usize) -> Option<Event> {
        let all_ended = self.aligner.end(index);
        self.due.extend(self.watermarks.advance(index, Watermark::Idle).map(Event::Watermark));
        let port_ended = (0..self.inputs.len())
            .filter(|other| self.inputs[*other].port == port)
            .all(|other| self.aligner.has_ended(other));
        self.due.extend(port_ended.then_some(Event::PortEnd(port)));
        self.due.extend(all_ended.then_some(Event::End));
        self.due.pop_front()
    }
}
