//! Error codes of the runtime.

use seatun_api::Code;

/// A row was given up and the job has no dead-letter sink.
pub const ROW_GIVEN_UP: Code = Code("ST-0401");
/// More rows were given up than the job allows.
pub const TOO_MANY_DEAD_LETTERS: Code = Code("ST-0402");
/// A task of the engine panicked.
pub const TASK_PANICKED: Code = Code("ST-0403");
/// A batch job has a source that never ends.
pub const UNBOUNDED_IN_BATCH: Code = Code("ST-0404");
/// The job failed again and again, and its restarts are used up.
pub const RESTARTS_EXHAUSTED: Code = Code("ST-0405");
/// The state folder is empty, but a sink holds epochs of this job.
pub const STATE_LOST: Code = Code("ST-0406");
/// A sink could not commit before the job had to stop; the next start commits.
pub const COMMIT_PENDING: Code = Code("ST-0407");
/// The dead-letter sink itself gave up a row.
pub const DEAD_LETTER_REJECTED: Code = Code("ST-0408");
/// A source emitted rows that do not follow the ones before.
pub const POSITION_GAP: Code = Code("ST-0409");
/// Stored operator state is missing or cannot be read.
pub const OPERATOR_STATE: Code = Code("ST-0410");
/// The address for metrics and health cannot be used.
pub const HTTP_ADDRESS: Code = Code("ST-0411");
/// Two processes keep replacing each other.
pub const TAKEOVER_CONTENTION: Code = Code("ST-0412");
/// A job with a blocking transform cannot go on from positions within its sources.
pub const BLOCKING_CANNOT_RESUME: Code = Code("ST-0413");
/// A schema change in a job that cannot take a checkpoint yet.
pub const SCHEMA_CHANGE_WHILE_BLOCKED: Code = Code("ST-0414");
