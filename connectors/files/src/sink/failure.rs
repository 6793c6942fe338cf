//! What a failing call to the file system means for the job.

use std::io;

use seatun_api::Error;

use crate::codes;

/// The error of a file that cannot be written, synced or renamed. A full disk will have room again, so the
/// job waits for it; a folder that may not be written stays so.
pub(crate) fn write(path: &str, error: io::Error) -> Error {
    use io::ErrorKind::{
        FileTooLarge, NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error.kind() {
        StorageFull | QuotaExceeded => {
            Error::exhausted(codes::DISK_FULL, "no space is left to write the file")
                .with_hint("free some space: the job goes on from its last checkpoint by itself")
        }
        FileTooLarge => {
            Error::external_permanent(codes::DISK_FULL, "the file is larger than the limit of the system")
                .with_hint("set roll.size below the limit, or raise it (`ulimit -f`)")
        }
        PermissionDenied | NotADirectory | ReadOnlyFilesystem => {
            Error::external_permanent(codes::SINK_PATH, "the file may not be written there")
                .with_hint("check the owner and the mode of the folder")
        }
        _ => Error::external(codes::SINK_WRITE, "cannot write the file"),
    }
    .with("path", path)
    .with_source(error)
}

/// The error of a task of the blocking pool that did not end well.
pub(crate) fn task(error: tokio::task::JoinError) -> Error {
    Error::internal(seatun_api::error::codes::INTERNAL, "a task of the file sink was lost").with_source(error)
}
