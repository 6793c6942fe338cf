//! Channels between subtasks, bounded by bytes.
//!
//! A batch takes permits of its size and gives them back when the consumer has dropped it, so what is in
//! flight, in the queue or in work, never exceeds the channel's bytes; a batch larger than the whole
//! channel passes alone. Everything else on the channel weighs nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use seatun_api::Element;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::stats::NodeStats;

const KIB: usize = 1024;

/// An element with the room that it takes.
pub(crate) struct Envelope {
    pub element: Element,
    pub room: Option<Room>,
}

/// Room in a channel; given back when dropped.
pub(crate) struct Room {
    _permit: OwnedSemaphorePermit,
    bytes: i64,
    consumer: Arc<NodeStats>,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.consumer.channel_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The producer's end.
pub(crate) struct Sender {
    queue: mpsc::UnboundedSender<Envelope>,
    room: Arc<Semaphore>,
    capacity: u32,
    consumer: Arc<NodeStats>,
}

/// The consumer's end.
pub(crate) struct Receiver {
    queue: mpsc::UnboundedReceiver<Envelope>,
}

/// A channel of `bytes`, which counts what it holds in the consumer's counters.
pub(crate) fn channel(bytes: usize, consumer: &Arc<NodeStats>) -> (Sender, Receiver) {
    let capacity = kib(bytes);
    // Unbounded is right here: the semaphore is the bound, and barriers must never wait behind it.
    let (queue, receiver) = mpsc::unbounded_channel();
    let capacity_bytes = i64::from(capacity) * KIB as i64;
    consumer.channel_capacity.fetch_add(capacity_bytes, Ordering::Relaxed);
    let room = Arc::new(Semaphore::new(capacity as usize));
    (Sender { queue, room, capacity, consumer: Arc::clone(consumer) }, Receiver { queue: receiver })
}

fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX >> 4).max(1)
}

impl Sender {
    /// Sends an element, waiting for room if it is a batch. If the consumer is gone the call never
    /// returns: its own error is on the way and ends this task too.
    pub async fn send(&self, element: Element) {
        let room = match &element {
            Element::Batch(batch) => Some(self.acquire(batch.memory_size()).await),
            _ => None,
        };
        if self.queue.send(Envelope { element, room }).is_err() {
            std::future::pending::<()>().await;
        }
    }

    async fn acquire(&self, bytes: usize) -> Room {
        let permits = kib(bytes).min(self.capacity);
        match Arc::clone(&self.room).acquire_many_owned(permits).await {
            Ok(permit) => {
                let bytes = i64::from(permits) * KIB as i64;
                self.consumer.channel_bytes.fetch_add(bytes, Ordering::Relaxed);
                Room { _permit: permit, bytes, consumer: Arc::clone(&self.consumer) }
            }
            // The semaphore is never closed; were it, the job would be ending.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Receiver {
    /// The next element, if there is one now; `None` when the producer is gone.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Envelope>> {
        self.queue.poll_recv(context)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{Int64Array, RecordBatch};
    use arrow_schema::{DataType, Field, Schema};
    use seatun_api::{Batch, TableId, TableSchema};

    use super::*;
    use crate::stats::NodeRole;

    fn batch(rows: i64) -> Element {
        let schema = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]));
        let table = Arc::new(TableSchema::new(TableId::new("t"), Arc::clone(&schema)));
        let values = Int64Array::from_iter_values(0..rows);
        let rows = RecordBatch::try_new(schema, vec![Arc::new(values)]).unwrap();
        Element::Batch(Batch::new(table, rows).unwrap())
    }

    async fn recv(receiver: &mut Receiver) -> Envelope {
        std::future::poll_fn(|cx| receiver.poll_recv(cx)).await.unwrap()
    }

    #[tokio::test]
    async fn a_full_channel_holds_the_producer_until_the_consumer_drops_a_batch() {
        let stats = Arc::new(NodeStats::new("n".into(), "Test", NodeRole::Sink, 0));
        let (sender, mut receiver) = channel(10 * KIB, &stats);
        sender.send(batch(1024)).await; // 8 KiB of 10
        let mut second = Box::pin(sender.send(batch(1024)));
        assert!(futures::poll!(&mut second).is_pending());
        let first = recv(&mut receiver).await;
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        second.await;
        assert_eq!(stats.channel_bytes.load(Ordering::Relaxed), 8 * KIB as i64);
    }

    #[tokio::test]
    async fn a_batch_larger_than_the_channel_passes_alone_and_signals_pass_always() {
        let stats = Arc::new(NodeStats::new("n".into(), "Test", NodeRole::Sink, 0));
        let (sender, mut receiver) = channel(KIB, &stats);
        sender.send(batch(100_000)).await;
        sender.send(Element::EndOfInput).await;
        assert!(matches!(recv(&mut receiver).await.element, Element::Batch(_)));
        assert!(matches!(recv(&mut receiver).await.element, Element::EndOfInput));
        assert_eq!(stats.channel_bytes.load(Ordering::Relaxed), 0);
    }
}
