//! How the operators of a plan share its memory.
//!
//! Each operator that can spill gets an equal share, and so does the merge of what it has spilled.
//! DataFusion's own pools let the first merge take all that is left, so that a sort further down fails for
//! want of a single batch. What cannot spill, such as the build side of a hash join, is bounded by the whole
//! alone.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{Result, resources_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

/// Operators that hold rows.
const HOLDING: &[&str] = &[
    "SortExec",
    "AggregateExec",
    "SortMergeJoinExec",
    "HashJoinExec",
    "NestedLoopJoinExec",
    "CrossJoinExec",
    "RepartitionExec",
];

/// How many operators of a plan hold rows, each partition counted.
pub(super) fn holders(plan: &dyn ExecutionPlan) -> usize {
    let own = match HOLDING.contains(&plan.name()) {
        true => plan.output_partitioning().partition_count(),
        false => 0,
    };
    own + plan.children().into_iter().map(|child| holders(child.as_ref())).sum::<usize>()
}

/// The memory of one plan.
#[derive(Debug)]
pub(super) struct SharedMemory {
    bytes: usize,
    shares: AtomicUsize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    by_consumer: HashMap<usize, usize>,
}

impl SharedMemory {
    pub(super) fn new(bytes: usize) -> Self {
        Self { bytes, shares: AtomicUsize::new(1), held: Mutex::default() }
    }

    /// Divides the memory, once the plan is known.
    pub(super) fn divide(&self, shares: usize) {
        self.shares.store(shares.max(1), Ordering::Relaxed);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A panic elsewhere leaves the sums themselves whole.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limit_of(&self, consumer: &MemoryConsumer) -> usize {
        let shares = consumer.can_spill() || consumer.name().starts_with("ExternalSorterMerge");
        if shares { self.bytes / self.shares.load(Ordering::Relaxed) } else { self.bytes }
    }
}

impl fmt::Display for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shared({} bytes, {} shares)", self.bytes, self.shares.load(Ordering::Relaxed))
    }
}

impl MemoryPool for SharedMemory {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.held().by_consumer.remove(&consumer.id());
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let mut held = self.held();
        held.total += additional;
        *held.by_consumer.entry(reservation.consumer().id()).or_default() += additional;
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut held = self.held();
        held.total = held.total.saturating_sub(shrink);
        if let Some(own) = held.by_consumer.get_mut(&reservation.consumer().id()) {
            *own = own.saturating_sub(shrink);
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let consumer = reservation.consumer();
        let limit = self.limit_of(consumer);
        let mut held = self.held();
        let total = held.total.saturating_add(additional);
        let own = held.by_consumer.entry(consumer.id()).or_default();
        let grown = own.saturating_add(additional);
        if total > self.bytes || grown > limit {
            return resources_err!(
                "{} needs {additional} bytes beside {own} of {limit}, {total} of {} in all",
                consumer.name(),
                self.bytes
            );
        }
        *own = grown;
        held.total = total;
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.held().total
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}
