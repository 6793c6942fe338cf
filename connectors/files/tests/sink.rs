//! What a user relies on of the sink `LocalFile`.
#![allow(clippy::unwrap_used)]

#[path = "sink/bench.rs"]
mod bench;
#[path = "sink/commit.rs"]
mod commit;
#[path = "sink/conformance.rs"]
mod conformance;
#[path = "sink/disk_full.rs"]
mod disk_full;
#[path = "sink/formats.rs"]
mod formats;
#[path = "sink/options.rs"]
mod options;
#[path = "sink/partitions.rs"]
mod partitions;
#[path = "sink/rolling.rs"]
mod rolling;
#[path = "sink/round_trip.rs"]
mod round_trip;
#[path = "sink/save_modes.rs"]
mod save_modes;
#[path = "sink/tables.rs"]
mod tables;
