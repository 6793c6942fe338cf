//! Error codes of the command line.

use seatun_api::Code;

/// `explain` was asked for a code that does not exist.
pub const UNKNOWN_CODE: Code = Code("ST-0901");
/// A plugin was asked for that this build does not have.
pub const UNKNOWN_PLUGIN: Code = Code("ST-0902");
/// `stop` found no running process of the job on this host.
pub const NOT_RUNNING: Code = Code("ST-0904");
/// `stop` has waited for the job in vain.
pub const DID_NOT_STOP: Code = Code("ST-0905");
/// The runtime of the process could not be set up.
pub const NO_RUNTIME: Code = Code("ST-0906");
/// `--log-level` is no log filter.
pub const LOG_LEVEL: Code = Code("ST-0907");
/// A system that the job names did not answer in time.
pub const NO_ANSWER: Code = Code("ST-0908");
/// There is no state of the job that is asked about.
pub const NO_STATE: Code = Code("ST-0909");
