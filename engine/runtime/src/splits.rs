//! The splits of one source: found by its planner, handed to its readers, and followed through epochs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use seatun_api::{Boundedness, Source, Split, SplitId, SplitPlan, Versioned};
use seatun_state::SourceState;

use crate::task::SourcePart;

/// How many splits for each reader may wait before the planner of a bounded source is asked for more.
const WAITING_PER_READER: usize = 4;

/// The shortest time between two calls of a planner that finds nothing.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);

/// The splits of one source.
pub(crate) struct SourceSplits {
    pub node: usize,
    pub source: Arc<dyn Source>,
    plugin: &'static str,
    planner: Option<Versioned>,
    complete: bool,
    /// Every split that is not finished, as of the last epoch.
    active: BTreeMap<SplitId, Split>,
    /// Splits without a reader, in the order in which they shall be started; after a restart, by id.
    waiting: VecDeque<SplitId>,
    /// By reader.
    assigned: Vec<BTreeSet<SplitId>>,
    /// The planner's last call gave splits, so the next may as well.
    found_some: bool,
}

impl SourceSplits {
    /// The splits at the start of a run.
    pub fn new(
        node: usize,
        plugin: &'static str,
        source: Arc<dyn Source>,
        readers: usize,
        restored: Option<&SourceState>,
    ) -> Self {
        let active = restored.map(|state| state.splits.clone()).unwrap_or_default();
        Self {
            node,
            source,
            plugin,
            planner: restored.and_then(|state| state.planner.clone()),
            complete: restored.is_some_and(|state| state.complete),
            waiting: active.keys().cloned().collect(),
            active,
            assigned: vec![BTreeSet::new(); readers],
            found_some: false,
        }
    }

    /// Whether the planner has said that no more splits will come.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// What the planner is to be told.
    pub fn planner_view(&self) -> (Option<Versioned>, BTreeMap<SplitId, Split>) {
        (self.planner.clone(), self.active.clone())
    }

    /// Whether the planner should be asked for more at once.
    pub fn wants_plan(&self) -> bool {
        let bounded = self.source.boundedness() == Boundedness::Bounded;
        let few = self.waiting.len() < self.assigned.len() * WAITING_PER_READER;
        bounded && !self.complete && self.found_some && few
    }

    /// After how long the planner is to be asked again, if it is.
    pub fn next_plan(&self) -> Option<Duration> {
        match self.source.discovery_interval() {
            _ if self.complete => None,
            Some(interval) => Some(interval.max(LEAST_INTERVAL)),
            None if self.source.boundedness() == Boundedness::Bounded && !self.complete => {
                Some(LEAST_INTERVAL)
            }
            None => None,
        }
    }

    /// Takes on what the planner has found.
    pub fn planned(&mut self, plan: SplitPlan) {
        self.found_some = !plan.add.is_empty();
        for split in plan.add {
            // A planner that gives a split twice means the one that is known.
            if self.active.contains_key(&split.id) {
                continue;
            }
            self.waiting.push_back(split.id.clone());
            self.active.insert(split.id.clone(), split);
        }
        self.complete |= plan.complete;
        if plan.state.is_some() {
            self.planner = plan.state;
        }
    }

    /// Hands waiting splits to the readers that have the fewest.
    pub fn assign(&mut self) -> Vec<(usize, Vec<Split>)> {
        let most = self.source.splits_per_reader().unwrap_or(usize::MAX).max(1);
        let mut given: BTreeMap<usize, Vec<Split>> = BTreeMap::new();
        while let Some(id) = self.waiting.front() {
            let least = self.assigned.iter().enumerate().min_by_key(|(_, splits)| splits.len());
            let Some((reader, splits)) = least else { break };
            if splits.len() >= most {
                break;
            }
            if let Some(split) = self.active.get(id) {
                given.entry(reader).or_default().push(split.clone());
                self.assigned[reader].insert(id.clone());
            }
            self.waiting.pop_front();
        }
        given.into_iter().collect()
    }

    /// A reader has read splits to their end; it has room for others at once.
    pub fn finished(&mut self, reader: u32, splits: &[SplitId]) {
        for split in splits {
            self.assigned[reader as usize].remove(split);
        }
    }

    /// A reader's part of an epoch that is now complete.
    pub fn acked(&mut self, part: &SourcePart) {
        for (id, position) in &part.positions {
            if let Some(split) = self.active.get_mut(id) {
                split.position.clone_from(position);
            }
        }
        for id in &part.finished {
            self.active.remove(id);
        }
    }

    /// Whether everything is read that will ever come.
    pub fn is_done(&self) -> bool {
        self.complete && self.waiting.is_empty() && self.assigned.iter().all(BTreeSet::is_empty)
    }

    /// What the manifest keeps.
    pub fn state(&self) -> SourceState {
        SourceState {
            plugin: self.plugin.to_owned(),
            planner: self.planner.clone(),
            complete: self.complete,
            splits: self.active.clone(),
        }
    }

    /// Where each split stands, for the source's own acknowledgement.
    pub fn positions(&self) -> BTreeMap<SplitId, seatun_api::Position> {
        self.active.iter().filter_map(|(id, split)| Some((id.clone(), split.position.clone()?))).collect()
    }
}
