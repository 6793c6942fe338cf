//! The table of all connectors: one row each, nothing else.

use seatun_api::{SinkEntry, SourceEntry};
use seatun_connector_assert::Assert;
use seatun_connector_blackhole::Blackhole;
use seatun_connector_console::Console;
use seatun_connector_fake::FakeSource;
use seatun_connector_files::{LocalFileSink, LocalFileSource};

/// All sources.
pub static SOURCES: &[SourceEntry] = &[
    SourceEntry::of::<FakeSource>("Rows made up by the engine: written in the job, random, or verifiable"),
    SourceEntry::of::<LocalFileSource>("Files: CSV, JSON lines, text and Parquet, plain or compressed"),
];

/// All sinks.
pub static SINKS: &[SinkEntry] = &[
    SinkEntry::of::<Assert>("Checks rows against rules; the oracle of test jobs"),
    SinkEntry::of::<Blackhole>("Counts rows and drops them"),
    SinkEntry::of::<Console>("Prints rows to standard output"),
    SinkEntry::of::<LocalFileSink>("Files: CSV, JSON lines, text and Parquet, exactly once"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_stand_for_one_connector_each() {
        let sources: Vec<&str> = SOURCES
            .iter()
            .flat_map(|entry| [entry.name].into_iter().chain(entry.aliases.iter().copied()))
            .collect();
        let sinks: Vec<&str> = SINKS
            .iter()
            .flat_map(|entry| [entry.name].into_iter().chain(entry.aliases.iter().copied()))
            .collect();
        for names in [sources, sinks] {
            let mut sorted: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
            sorted.sort();
            sorted.dedup();
            assert_eq!(sorted.len(), names.len(), "{names:?}");
        }
        assert!(SOURCES.is_sorted_by_key(|entry| entry.name) && SINKS.is_sorted_by_key(|entry| entry.name));
    }
}
