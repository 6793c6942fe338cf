//! Explores every interleaving of the checkpoint protocol: at most two live processes, of which the older
//! may be a zombie, crashes before every step, two sinks with staged writes, replay that cuts epochs at
//! other places, and clean-up that frees the names of old manifests. Every decision is made by the real
//! functions of `seatun_state::decide`; the model does what they say, on a store that can only create.
//!
//! In every state: each sink shows a prefix of the rows without gap or double; nothing is acknowledged to
//! the source that a sink does not show; no decided epoch has lost its staged rows.

use std::collections::{HashMap, VecDeque};

use seatun_api::{Epoch, Generation};
use seatun_state::ManifestKind;
use seatun_state::decide::{self, Beyond, Condition, Decision, Met, Newest, Verdict, Wish};

const SINKS: usize = 2;

#[derive(Clone, Copy, Debug)]
struct Rules {
    takeover: bool,
    monotone: bool,
    look_after: bool,
}

#[derive(Clone, Copy)]
struct Bounds {
    generations: u8,
    epochs: u8,
    rows: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Manifest {
    epoch: u8,
    generation: u8,
    from: u8,
    to: u8,
    is_takeover: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Staged {
    generation: u8,
    epoch: u8,
    sink: u8,
    from: u8,
    to: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum At {
    Recover,
    Recommit(u8),
    MarkRecommitted,
    TakeOver,
    LookAfterTakeOver,
    Discard,
    Prepare,
    Publish,
    LookAfterPublish,
    Commit(u8),
    Mark,
    Acknowledge,
    ListOld,
    RemoveOld,
}

/// A live process: where it stands, and the epoch it works on as it remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Process {
    generation: u8,
    at: At,
    manifest: Manifest,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    manifests: Vec<Manifest>,
    /// Marked epochs, and by whom.
    markers: Vec<(u8, u8)>,
    staged: Vec<Staged>,
    /// What each sink shows, in order of its becoming visible: epoch, from, to.
    shown: [Vec<(u8, u8, u8)>; SINKS],
    acknowledged: u8,
    processes: Vec<Process>,
    generations: u8,
}

impl State {
    fn newest(&self) -> Option<&Manifest> {
        self.manifests.last()
    }

    fn insert(&mut self, manifest: Manifest) -> Met {
        match self.manifests.binary_search_by_key(&manifest.epoch, |other| other.epoch) {
            Ok(place) => Met::Theirs(Some(Generation(self.manifests[place].generation.into()))),
            Err(place) => {
                self.manifests.insert(place, manifest);
                Met::Ours
            }
        }
    }

    fn beyond(&self, epoch: u8, rules: Rules) -> Beyond {
        match self.newest() {
            Some(newest) if rules.look_after && newest.epoch > epoch => {
                Beyond::Later(Some(Generation(newest.generation.into())))
            }
            _ => Beyond::Nothing,
        }
    }

    fn facts(&self) -> Option<Newest> {
        let newest = self.newest()?;
        let kind = if newest.is_takeover { ManifestKind::Takeover } else { ManifestKind::Checkpoint };
        Some(Newest {
            epoch: Epoch(newest.epoch.into()),
            committed: self.markers.iter().any(|(epoch, _)| *epoch == newest.epoch),
            condition: Condition::Sound {
                generation: Generation(newest.generation.into()),
                kind,
                needs_commit: !newest.is_takeover,
            },
        })
    }

    fn violation(&self) -> Option<String> {
        for shown in &self.shown {
            let mut position = 0;
            for (_, from, to) in shown {
                if *from != position {
                    return Some(format!("a sink shows a gap or a double: {shown:?}"));
                }
                position = *to;
            }
            if self.acknowledged > position {
                return Some(format!("acknowledged {} beyond {shown:?}", self.acknowledged));
            }
        }
        None
    }
}

/// A step's outcome: the state after it, or the violation that it is.
type Step = (String, Result<State, String>);

struct Explorer {
    rules: Rules,
    bounds: Bounds,
}

impl Explorer {
    /// What a process passes as its own generation to a decision that applies the monotone rule.
    fn own(&self, process: &Process) -> Generation {
        if self.rules.monotone { Generation(process.generation.into()) } else { Generation(u64::MAX) }
    }

    fn steps(&self, state: &State) -> Vec<Step> {
        let mut steps = Vec::new();
        if state.generations < self.bounds.generations && state.processes.len() < 2 {
            let mut next = state.clone();
            self.start(&mut next);
            steps.push(("start".to_owned(), Ok(next)));
        }
        for index in 0..state.processes.len() {
            let mut crashed = state.clone();
            crashed.processes.remove(index);
            steps.push((format!("g{} crash", state.processes[index].generation), Ok(crashed)));
            self.advance(state, index, &mut steps);
        }
        steps
    }

    fn start(&self, state: &mut State) {
        let seen = (1..=state.generations).map(|generation| Generation(generation.into()));
        let generation = decide::next_generation(seen).0 as u8;
        state.generations = generation;
        let manifest = Manifest { epoch: 0, generation, from: 0, to: 0, is_takeover: false };
        state.processes.push(Process { generation, at: At::Recover, manifest });
    }

    /// All ways in which one process can go on.
    fn advance(&self, state: &State, index: usize, steps: &mut Vec<Step>) {
        let process = state.processes[index];
        let name = |what: &str| format!("g{} {what} {}", process.generation, process.manifest.epoch);
        let mut next = state.clone();
        match process.at {
            At::Recover => self.recover(&mut next, index),
            At::Recommit(sink) | At::Commit(sink) => {
                if let Err(lost) = self.commit(&mut next, index, sink) {
                    steps.push((name("commit"), Err(lost)));
                    return;
                }
            }
            At::MarkRecommitted => self.mark(&mut next, index, self.after_recovery()),
            At::Mark => self.mark(&mut next, index, At::Acknowledge),
            At::TakeOver => {
                if process.manifest.epoch >= self.bounds.epochs {
                    return;
                }
                let Manifest { epoch, to, .. } = process.manifest;
                let generation = process.generation;
                let own = Manifest { epoch: epoch + 1, generation, from: to, to, is_takeover: true };
                next.processes[index].manifest = own;
                match next.insert(own) {
                    Met::Ours => next.processes[index].at = At::LookAfterTakeOver,
                    met => self.taken_over(&mut next, index, met),
                }
            }
            At::LookAfterTakeOver => self.taken_over(&mut next, index, Met::Ours),
            At::Discard => {
                next.staged.retain(|staged| staged.generation >= process.generation);
                next.processes[index].at = At::Prepare;
            }
            At::Prepare => return self.prepare(state, index, steps),
            At::Publish => match next.insert(process.manifest) {
                Met::Ours => next.processes[index].at = At::LookAfterPublish,
                met => self.published(&mut next, index, met),
            },
            At::LookAfterPublish => self.published(&mut next, index, Met::Ours),
            At::Acknowledge => {
                next.acknowledged = next.acknowledged.max(process.manifest.to);
                next.processes[index].at = At::Prepare;
                let mut cleaning = next.clone();
                cleaning.processes[index].at = At::ListOld;
                steps.push((name("acknowledge, then clean up"), Ok(cleaning)));
            }
            At::ListOld => {
                if next.newest().is_some_and(|newest| newest.epoch > process.manifest.epoch) {
                    next.processes.remove(index);
                } else {
                    next.processes[index].at = At::RemoveOld;
                }
            }
            At::RemoveOld => {
                let kept = process.manifest.epoch;
                next.manifests.retain(|manifest| manifest.epoch >= kept);
                next.markers.retain(|(epoch, _)| *epoch >= kept);
                next.processes[index].at = At::Prepare;
            }
        }
        steps.push((name(&format!("{:?}", process.at)), Ok(next)));
    }

    fn after_recovery(&self) -> At {
        if self.rules.takeover { At::TakeOver } else { At::Discard }
    }

    fn recover(&self, state: &mut State, index: usize) {
        let own = self.own(&state.processes[index]);
        match decide::recover(own, state.facts().as_ref(), Wish::Resume) {
            Decision::Go { commit_newest, .. } => {
                if let Some(newest) = state.newest().copied() {
                    state.processes[index].manifest = newest;
                }
                state.processes[index].at =
                    if commit_newest { At::Recommit(0) } else { self.after_recovery() };
            }
            Decision::Outlived => drop(state.processes.remove(index)),
            Decision::NeedsHuman => unreachable!("the model damages nothing"),
        }
    }

    fn commit(&self, state: &mut State, index: usize, sink: u8) -> Result<(), String> {
        let process = state.processes[index];
        let Manifest { epoch, generation, from, to, .. } = process.manifest;
        let is_replay = matches!(process.at, At::Recommit(_));
        if usize::from(sink) == SINKS {
            state.processes[index].at = if is_replay { At::MarkRecommitted } else { At::Mark };
            return Ok(());
        }
        let shown = &mut state.shown[usize::from(sink)];
        if !shown.iter().any(|(done, _, _)| *done == epoch) {
            if !state.staged.contains(&Staged { generation, epoch, sink, from, to }) {
                return Err(format!("epoch {epoch} is decided, but what sink {sink} staged is gone"));
            }
            shown.push((epoch, from, to));
        }
        state.processes[index].at = if is_replay { At::Recommit(sink + 1) } else { At::Commit(sink + 1) };
        Ok(())
    }

    fn mark(&self, state: &mut State, index: usize, then: At) {
        let process = state.processes[index];
        let epoch = process.manifest.epoch;
        let by = state.markers.iter().find(|(marked, _)| *marked == epoch).map(|(_, by)| *by);
        if by.is_none() {
            state.markers.push((epoch, process.generation));
            state.markers.sort_unstable();
        }
        let by = by.map(|by| Generation(by.into()));
        if decide::may_go_on_after_marker(self.own(&process), by) {
            state.processes[index].at = then;
        } else {
            state.processes.remove(index);
        }
    }

    fn taken_over(&self, state: &mut State, index: usize, met: Met) {
        let process = state.processes[index];
        let beyond = match met {
            Met::Ours => state.beyond(process.manifest.epoch, self.rules),
            _ => Beyond::Nothing,
        };
        match decide::take_over(self.own(&process), met, beyond) {
            Verdict::Ours => state.processes[index].at = At::Discard,
            Verdict::StartOver if !self.rules.monotone => state.processes[index].at = At::Recover,
            Verdict::StartOver if state.generations < self.bounds.generations => {
                state.processes.remove(index);
                self.start(state);
            }
            Verdict::StartOver | Verdict::Fenced | Verdict::Reopen => drop(state.processes.remove(index)),
        }
    }

    fn prepare(&self, state: &State, index: usize, steps: &mut Vec<Step>) {
        let process = state.processes[index];
        let Manifest { epoch, to: from, .. } = process.manifest;
        if epoch >= self.bounds.epochs {
            return;
        }
        for to in from + 1..=(from + 2).min(self.bounds.rows) {
            let generation = process.generation;
            let manifest = Manifest { epoch: epoch + 1, generation, from, to, is_takeover: false };
            let mut next = state.clone();
            for sink in 0..SINKS as u8 {
                let staged = Staged { generation, epoch: epoch + 1, sink, from, to };
                if !next.staged.contains(&staged) {
                    next.staged.push(staged);
                }
            }
            next.staged.sort_unstable();
            next.processes[index] = Process { generation, at: At::Publish, manifest };
            steps.push((format!("g{generation} prepare {} to {to}", epoch + 1), Ok(next)));
        }
    }

    fn published(&self, state: &mut State, index: usize, met: Met) {
        let epoch = state.processes[index].manifest.epoch;
        let beyond = state.beyond(epoch, self.rules);
        match decide::publish(met, beyond) {
            Verdict::Ours => state.processes[index].at = At::Commit(0),
            _ => drop(state.processes.remove(index)),
        }
    }

    /// Visits every reachable state; gives their number, or the shortest way to a violation.
    fn run(&self) -> Result<usize, Vec<String>> {
        let mut numbers = HashMap::from([(State::default(), 0_usize)]);
        let mut came_from: Vec<(usize, String)> = vec![(0, String::new())];
        let mut queue = VecDeque::from([(0_usize, State::default())]);
        while let Some((number, state)) = queue.pop_front() {
            for (name, outcome) in self.steps(&state) {
                let next = outcome.and_then(|next| match next.violation() {
                    Some(violation) => Err(violation),
                    None => Ok(next),
                });
                let next = match next {
                    Ok(next) => next,
                    Err(violation) => return Err(way_to(&came_from, number, name, violation)),
                };
                if !numbers.contains_key(&next) {
                    numbers.insert(next.clone(), came_from.len());
                    queue.push_back((came_from.len(), next));
                    came_from.push((number, name));
                }
            }
        }
        Ok(came_from.len())
    }
}

fn way_to(came_from: &[(usize, String)], last: usize, step: String, violation: String) -> Vec<String> {
    let mut way = vec![violation, step];
    let mut number = last;
    while number != 0 {
        let (before, step) = &came_from[number];
        way.push(step.clone());
        number = *before;
    }
    way.reverse();
    way
}

const BOUNDS: Bounds = Bounds { generations: 3, epochs: 5, rows: 4 };

fn explore(takeover: bool, monotone: bool, look_after: bool) -> Result<usize, Vec<String>> {
    Explorer { rules: Rules { takeover, monotone, look_after }, bounds: BOUNDS }.run()
}

#[test]
fn with_all_rules_no_interleaving_loses_or_doubles_a_row() {
    let states = explore(true, true, true).unwrap_or_else(|way| panic!("{}", way.join("\n")));
    assert!(states > 10_000, "only {states} states: the model does not move");
    println!("{states} states");
}

#[test]
fn each_rule_is_needed() {
    for (takeover, monotone, look_after) in
        [(false, true, true), (true, false, true), (true, true, false), (false, false, false)]
    {
        let way = explore(takeover, monotone, look_after).expect_err("a violation");
        println!("takeover {takeover}, monotone {monotone}, look after {look_after}:");
        println!("    {}", way.join("\n    "));
    }
}
