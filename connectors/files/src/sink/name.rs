//! Names of files in progress and of committed files, and what can be read back from them.
//!
//! * In progress: `.seatun-<job>-<tag>-g<generation>-<subtask>-<n>.inprogress`, hidden from every reader.
//! * Committed: `T_<job>_<tag>_<subtask>_<epoch>[_<n>].<ext>`, or the job's own expression, which always
//!   has the part up to the epoch in it.
//!
//! The tag is a hash of job and node: a sink knows its own files by it and never touches others.

use seatun_api::{Epoch, Generation};

use super::escape::plain_name;

const HIDDEN: &str = ".seatun-";
const IN_PROGRESS: &str = ".inprogress";

/// Whose files they are: one job's sink node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    job: String,
    tag: String,
}

impl Owner {
    pub(crate) fn new(job: &str, node: &str) -> Self {
        // Forty bits, as many as SeaTunnel's hash in the same place.
        let hash = fnv1a(&[job.as_bytes(), &[0], node.as_bytes()]) & 0xff_ffff_ffff;
        Self { job: plain_name(job), tag: format!("{hash:010x}") }
    }

    /// The name of a file that is being written.
    pub(crate) fn in_progress(&self, generation: Generation, subtask: u32, number: u64) -> String {
        format!("{HIDDEN}{}-{}-g{generation}-{subtask}-{number}{IN_PROGRESS}", self.job, self.tag)
    }

    /// The generation that wrote a file of this owner that is in progress; `None` for any other file.
    pub(crate) fn generation_of(&self, name: &str) -> Option<Generation> {
        let rest = name.strip_prefix(HIDDEN)?.strip_suffix(IN_PROGRESS)?;
        let rest = rest.strip_prefix(self.job.as_str())?.strip_prefix('-')?;
        let rest = rest.strip_prefix(self.tag.as_str())?.strip_prefix("-g")?;
        let [generation, subtask, number] = numbers(rest, '-')?;
        let _ = (subtask, number);
        Some(Generation(generation))
    }

    /// The part of a committed file's name that says whose it is and in which epoch it became visible:
    /// SeaTunnel's `${transactionId}`.
    pub(crate) fn transaction(&self, subtask: u32, epoch: Epoch) -> String {
        format!("T_{}_{}_{subtask}_{epoch}", self.job, self.tag)
    }

    /// The epoch of a committed file of this owner, wherever the transaction stands in its name.
    pub(crate) fn epoch_of(&self, name: &str) -> Option<Epoch> {
        let own = format!("T_{}_{}_", self.job, self.tag);
        let (subtask, rest) = name[name.find(&own)? + own.len()..].split_once('_')?;
        subtask.parse::<u32>().ok()?;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok().map(Epoch)
    }
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[u64; N]> {
    let parts: Vec<u64> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

/// The hash of Fowler, Noll and Vo (FNV-1a, 64 bits): stable over releases, unlike the standard library's.
fn fnv1a(parts: &[&[u8]]) -> u64 {
    parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_never_changes() {
        assert_eq!(fnv1a(&[b""]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(&[b"foobar"]), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn own_files_are_known_by_name() {
        let own = Owner::new("nightly_load", "LocalFile-0");
        let name = own.in_progress(Generation(7), 3, 12);
        assert!(name.starts_with('.'), "{name}");
        assert_eq!(own.generation_of(&name), Some(Generation(7)));

        let name = format!("{}_4.zstd.parquet", own.transaction(3, Epoch(42)));
        assert!(name.starts_with("T_nightly-load_"), "{name}");
        assert_eq!(own.epoch_of(&name), Some(Epoch(42)));
        assert_eq!(own.epoch_of(&format!("sales_2024.01.31_{name}")), Some(Epoch(42)));
        assert_eq!(own.epoch_of(&format!("{}.csv", own.transaction(0, Epoch(5)))), Some(Epoch(5)));
    }

    #[test]
    fn files_of_others_are_not() {
        let own = Owner::new("a", "b-c");
        for (job, node) in [("a-b", "c"), ("a", "b-d"), ("a", "b"), ("x", "b-c"), ("a_b", "c")] {
            let other = Owner::new(job, node);
            assert_eq!(own.generation_of(&other.in_progress(Generation(1), 0, 0)), None, "{job} {node}");
            assert_eq!(own.epoch_of(&other.transaction(0, Epoch(1))), None, "{job} {node}");
        }
        let name = own.in_progress(Generation(1), 0, 0);
        for wrong in [&name[1..], &name[..name.len() - 1], "", ".seatun-x.inprogress", "T_a_0_1"] {
            assert_eq!(own.generation_of(wrong), None, "{wrong}");
        }
    }
}
