//! What a user of the source `LocalFile` relies on.
#![allow(clippy::unwrap_used)]

mod bad_rows;
mod conformance;
mod cuts;
mod discovery;
mod formats;
mod options;
mod parquet_files;
mod partitions;
mod support;
