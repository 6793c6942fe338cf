//! The decisions of the checkpoint protocol, as pure functions of what a process has seen.
//!
//! The exhaustive test (`tests/explorer.rs`) drives these functions through every interleaving of crashes,
//! an old process that comes back to life, and clean-up. Three rules keep a job safe without any lock:
//!
//! * *Takeover*: a new run publishes an epoch of its own before it throws anything away. From then on an
//!   older run cannot publish what was thrown away.
//! * *Monotone generations*: a run that meets a manifest of a younger run stops.
//! * *Look after*: clean-up removes old manifests and so frees their names. Whoever has created a manifest
//!   therefore looks whether a later one exists. The newest is never removed, so if there is none after
//!   the creation, the name had never been used before.

use seatun_api::{Epoch, Generation};

use crate::manifest::ManifestKind;

/// How the user wants the job to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Where it stopped.
    Resume,
    /// From the beginning.
    Fresh,
    /// From a savepoint.
    Restore,
}

/// The newest entry among a job's epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// Its number.
    pub epoch: Epoch,
    /// Whether its marker is there.
    pub committed: bool,
    /// What its manifest is like.
    pub condition: Condition,
}

/// What a manifest is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It can be read, and so can the files it names.
    Sound {
        /// The run that published it.
        generation: Generation,
        /// Why it was published.
        kind: ManifestKind,
        /// Whether some sink has something to commit.
        needs_commit: bool,
    },
    /// It cannot be read, or a file it names is missing.
    Damaged {
        /// The manifest right before it, if that one can be read.
        previous: Option<Previous>,
    },
}

/// What is known of the manifest right before a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Previous {
    /// The run that published it.
    pub generation: Generation,
    /// It names the job's sinks and none of them has a commit phase, so the damaged epoch had nothing to
    /// commit either.
    pub commits_nothing: bool,
}

/// How a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A younger run has the job: stop.
    Outlived,
    /// The newest manifest is damaged and what it had to commit may be half done: stop, a person decides.
    NeedsHuman,
    /// Go on.
    Go {
        /// Commit the newest epoch first: nothing shows that this was done.
        commit_newest: bool,
        /// Which state to begin with.
        base: Base,
    },
}

/// The state that a run begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// None.
    Nothing,
    /// The newest manifest's.
    Newest,
    /// That of the manifest before the newest, which is damaged.
    Previous,
    /// The savepoint's.
    Savepoint,
}

/// Decides how a run begins.
///
/// A pending commit is finished under every wish: the epoch is decided, and some of its sinks may show it
/// already. A damaged newest manifest is passed over only where that cannot lose or double a row: its
/// marker is missing, so no source was told to forget rows, and no sink of the job has a commit phase, so
/// no sink waits for a commit that would never come. `Fresh` and `Restore` do not need the newest state,
/// which the user has given up.
#[must_use]
pub fn recover(own: Generation, newest: Option<&Newest>, wish: Wish) -> Decision {
    let start = match wish {
        Wish::Resume => Base::Newest,
        Wish::Fresh => Base::Nothing,
        Wish::Restore => Base::Savepoint,
    };
    let Some(newest) = newest else {
        let base = if wish == Wish::Restore { Base::Savepoint } else { Base::Nothing };
        return Decision::Go { commit_newest: false, base };
    };
    match newest.condition {
        Condition::Sound { generation, .. } if generation > own => Decision::Outlived,
        Condition::Sound { kind, needs_commit, .. } => {
            let over = kind == ManifestKind::Final && newest.committed && wish == Wish::Resume;
            let base = if over { Base::Nothing } else { start };
            Decision::Go { commit_newest: needs_commit && !newest.committed, base }
        }
        Condition::Damaged { .. } if wish != Wish::Resume => {
            Decision::Go { commit_newest: false, base: start }
        }
        Condition::Damaged { previous: Some(previous) } if previous.generation > own => Decision::Outlived,
        Condition::Damaged { previous: Some(previous) } if previous.commits_nothing && !newest.committed => {
            Decision::Go { commit_newest: false, base: Base::Previous }
        }
        Condition::Damaged { .. } => Decision::NeedsHuman,
    }
}

/// What the creation of a manifest has met at its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Nothing, or what this run wants there: an earlier try had succeeded and its answer was lost.
    Ours,
    /// A manifest of this run with other contents: an earlier try, of another cut, had succeeded.
    OursOtherwise,
    /// A manifest of another run; its generation if it can be read.
    Theirs(Option<Generation>),
}

/// What lies beyond an epoch after its manifest was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// No later epoch.
    Nothing,
    /// A later epoch; the generation of the latest if it can be read.
    Later(Option<Generation>),
}

/// What became of a creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The epoch is this run's.
    Ours,
    /// Another run has the job: stop.
    Fenced,
    /// Another run was faster, and it is an older one: look at everything anew.
    StartOver,
    /// This run has published another cut under this number: go on from that one, as after a crash.
    Reopen,
}

/// Judges the publication of an epoch. Only a run that has taken over publishes, so whoever else holds the
/// epoch or a later one has taken over after it.
#[must_use]
pub fn publish(met: Met, beyond: Beyond) -> Verdict {
    match (met, beyond) {
        (Met::Ours, Beyond::Nothing) => Verdict::Ours,
        (Met::OursOtherwise, Beyond::Nothing) => Verdict::Reopen,
        _ => Verdict::Fenced,
    }
}

/// Judges the publication of a takeover epoch. Here the other one may be the older run, which has gone on
/// since this run looked.
#[must_use]
pub fn take_over(own: Generation, met: Met, beyond: Beyond) -> Verdict {
    let other = match (met, beyond) {
        (Met::Ours, Beyond::Nothing) => return Verdict::Ours,
        (Met::OursOtherwise, Beyond::Nothing) => return Verdict::Reopen,
        (Met::Theirs(generation), _) => generation,
        (_, Beyond::Later(generation)) => generation,
    };
    match other {
        Some(generation) if generation > own => Verdict::Fenced,
        _ => Verdict::StartOver,
    }
}

/// Whether a run goes on after it has found the marker that it wanted to create. Two runs may finish the
/// same pending commit; the older of them stops.
#[must_use]
pub fn may_go_on_after_marker(own: Generation, marked_by: Option<Generation>) -> bool {
    marked_by.is_none_or(|by| by <= own)
}

/// The generation that a new run claims: one more than any seen.
#[must_use]
pub fn next_generation(seen: impl IntoIterator<Item = Generation>) -> Generation {
    Generation(seen.into_iter().map(|generation| generation.0).max().unwrap_or(0) + 1)
}

/// How many of the oldest of `manifests` manifests to remove so that `retain` are kept; the newest is kept
/// in any case.
#[must_use]
pub fn retired(manifests: usize, retain: usize) -> usize {
    manifests.saturating_sub(retain.max(1))
}

/// Whether a state file that nothing kept refers to can be removed by run `own`, whose last published
/// epoch is `last`. Files of younger runs are not its business; its own files of a later epoch are about
/// to be referred to. Older runs can publish no more: `own` has taken over.
#[must_use]
pub fn is_sweepable(own: Generation, last: Epoch, writer: Generation, epoch: Epoch) -> bool {
    writer < own || (writer == own && epoch <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Generation = Generation(5);

    fn sound(generation: u64, kind: ManifestKind, needs_commit: bool, committed: bool) -> Newest {
        let condition = Condition::Sound { generation: Generation(generation), kind, needs_commit };
        Newest { epoch: Epoch(9), committed, condition }
    }

    fn damaged(commits_nothing: Option<bool>, committed: bool) -> Newest {
        let previous =
            commits_nothing.map(|commits_nothing| Previous { generation: Generation(4), commits_nothing });
        Newest { epoch: Epoch(9), committed, condition: Condition::Damaged { previous } }
    }

    #[test]
    fn how_a_run_begins() {
        use Base::{Nothing, Previous, Savepoint};
        use ManifestKind::{Checkpoint, Final, Stop, Takeover};
        use Wish::{Fresh, Restore, Resume};
        let go = |commit_newest, base| Decision::Go { commit_newest, base };
        let newest = Base::Newest;
        let table = [
            (None, Resume, go(false, Nothing)),
            (None, Fresh, go(false, Nothing)),
            (None, Restore, go(false, Savepoint)),
            (Some(sound(4, Checkpoint, true, true)), Resume, go(false, newest)),
            (Some(sound(4, Checkpoint, true, false)), Resume, go(true, newest)),
            (Some(sound(4, Checkpoint, false, false)), Resume, go(false, newest)),
            (Some(sound(4, Stop, true, false)), Resume, go(true, newest)),
            (Some(sound(4, Takeover, false, false)), Resume, go(false, newest)),
            // A batch job that is over runs again; one whose end is not known to be committed ends first.
            (Some(sound(4, Final, true, true)), Resume, go(false, Nothing)),
            (Some(sound(4, Final, false, true)), Resume, go(false, Nothing)),
            (Some(sound(4, Final, true, false)), Resume, go(true, newest)),
            (Some(sound(4, Final, false, false)), Resume, go(false, newest)),
            // What is decided is committed, whatever the user wants next.
            (Some(sound(4, Checkpoint, true, false)), Fresh, go(true, Nothing)),
            (Some(sound(4, Checkpoint, true, false)), Restore, go(true, Savepoint)),
            (Some(sound(4, Checkpoint, true, true)), Fresh, go(false, Nothing)),
            (Some(sound(4, Checkpoint, true, true)), Restore, go(false, Savepoint)),
            // A younger run has the job.
            (Some(sound(6, Takeover, false, false)), Resume, Decision::Outlived),
            (Some(sound(6, Takeover, false, false)), Fresh, Decision::Outlived),
            (Some(sound(6, Checkpoint, true, true)), Restore, Decision::Outlived),
            // Damage.
            (Some(damaged(Some(true), false)), Resume, go(false, Previous)),
            (Some(damaged(Some(true), true)), Resume, Decision::NeedsHuman),
            (Some(damaged(Some(false), false)), Resume, Decision::NeedsHuman),
            (Some(damaged(None, false)), Resume, Decision::NeedsHuman),
            (Some(damaged(None, true)), Fresh, go(false, Nothing)),
            (Some(damaged(Some(false), false)), Restore, go(false, Savepoint)),
        ];
        for (newest, wish, expected) in table {
            assert_eq!(recover(OWN, newest.as_ref(), wish), expected, "{newest:?} {wish:?}");
        }
    }

    #[test]
    fn what_becomes_of_a_creation() {
        let (older, younger) = (Some(Generation(4)), Some(Generation(6)));
        let nothing = Beyond::Nothing;
        let table = [
            (Met::Ours, nothing, Verdict::Ours, Verdict::Ours),
            (Met::OursOtherwise, nothing, Verdict::Reopen, Verdict::Reopen),
            (Met::Theirs(older), nothing, Verdict::Fenced, Verdict::StartOver),
            (Met::Theirs(younger), nothing, Verdict::Fenced, Verdict::Fenced),
            (Met::Theirs(None), nothing, Verdict::Fenced, Verdict::StartOver),
            (Met::Ours, Beyond::Later(older), Verdict::Fenced, Verdict::StartOver),
            (Met::Ours, Beyond::Later(younger), Verdict::Fenced, Verdict::Fenced),
            (Met::Ours, Beyond::Later(None), Verdict::Fenced, Verdict::StartOver),
            (Met::OursOtherwise, Beyond::Later(younger), Verdict::Fenced, Verdict::Fenced),
        ];
        for (met, beyond, published, taken_over) in table {
            assert_eq!(publish(met, beyond), published, "{met:?} {beyond:?}");
            assert_eq!(take_over(OWN, met, beyond), taken_over, "{met:?} {beyond:?}");
        }
    }

    #[test]
    fn a_marker_of_a_younger_run_ends_this_one() {
        assert!(may_go_on_after_marker(OWN, None));
        assert!(may_go_on_after_marker(OWN, Some(Generation(4))));
        assert!(may_go_on_after_marker(OWN, Some(OWN)));
        assert!(!may_go_on_after_marker(OWN, Some(Generation(6))));
    }

    #[test]
    fn clean_up_keeps_the_newest_whatever_is_asked() {
        assert_eq!([retired(5, 3), retired(3, 3), retired(0, 3), retired(2, 0)], [2, 0, 0, 1]);
    }
}
