//! The error codes of the state area, `ST-03xx`. Each has a page under `docs/errors/`.

use seatun_api::Code;

/// The state store cannot be read or written; trying again may help.
pub const STORE_IO: Code = Code("ST-0301");
/// The state store has no room left; trying again may help.
pub const STORE_FULL: Code = Code("ST-0302");
/// The state store refuses access.
pub const STORE_DENIED: Code = Code("ST-0303");
/// The place of the state is not one this build can use.
pub const STORE_URI: Code = Code("ST-0304");
/// A job or savepoint name that cannot be used for a folder or file.
pub const BAD_NAME: Code = Code("ST-0305");
/// Another process runs the job now.
pub const FENCED: Code = Code("ST-0306");
/// A manifest is damaged.
pub const MANIFEST_DAMAGED: Code = Code("ST-0307");
/// A state file is missing or damaged.
pub const STATE_FILE_DAMAGED: Code = Code("ST-0308");
/// Stored by a release whose format this build does not know.
pub const FORMAT_UNKNOWN: Code = Code("ST-0309");
/// A manifest of another job lies in this job's folder.
pub const FOREIGN_STATE: Code = Code("ST-0310");
/// The job file lacks a node that the stored state belongs to.
pub const JOB_CHANGED: Code = Code("ST-0311");
/// No savepoint of this name.
pub const SAVEPOINT_MISSING: Code = Code("ST-0312");
/// A savepoint of this name exists already.
pub const SAVEPOINT_EXISTS: Code = Code("ST-0313");
/// There is no committed checkpoint that a savepoint could be made of.
pub const NOTHING_TO_SAVE: Code = Code("ST-0314");
/// Old state was not cleaned up because something that must be kept cannot be read.
pub const CLEANUP_STOPPED: Code = Code("ST-0315");
/// A write whose answer was lost has succeeded, with other contents than are wanted now.
pub const OUTCOME_DIFFERS: Code = Code("ST-0316");
