//! The error codes of reading a job file (01xx) and of its graph (02xx). The first four of 01xx are the
//! plugins' and stand in `seatun_api::error::codes`.

use seatun_api::Code;

/// A job file, or a file that the command line names, cannot be read.
pub const UNREADABLE: Code = Code("ST-0105");
/// A job file is not UTF-8.
pub const NOT_UTF8: Code = Code("ST-0106");
/// A job file of a format that is not supported yet.
pub const FORMAT: Code = Code("ST-0107");
/// A job file breaks the rules of HOCON or JSON.
pub const SYNTAX: Code = Code("ST-0110");
/// A job file nests or expands beyond the limits.
pub const TOO_BIG: Code = Code("ST-0111");
/// A substitution refers to itself, or to nothing where something is required.
pub const SUBSTITUTION: Code = Code("ST-0112");
/// A substitution was left as it stands because nothing is known by its name.
pub const UNRESOLVED: Code = Code("ST-0113");
/// Values that cannot be joined stand next to each other.
pub const CONCATENATION: Code = Code("ST-0114");
/// An include that is not allowed.
pub const INCLUDE_REFUSED: Code = Code("ST-0115");
/// An included file cannot be read.
pub const INCLUDE_UNREADABLE: Code = Code("ST-0116");
/// A variable of the command line that cannot be used.
pub const VARIABLE: Code = Code("ST-0117");
/// A `--set` that cannot be applied.
pub const SET: Code = Code("ST-0118");
/// A secret stands on the command line.
pub const SECRET_IN_SIGHT: Code = Code("ST-0119");
/// An option of `env` that means nothing here.
pub const ENV_IGNORED: Code = Code("ST-0120");
/// A block of the job file has the wrong shape.
pub const SHAPE: Code = Code("ST-0121");
/// An encrypted option cannot be decoded.
pub const SHADE: Code = Code("ST-0122");
/// One thing said twice, and differently.
pub const CONTRADICTION: Code = Code("ST-0123");

/// The job has no source.
pub const NO_SOURCE: Code = Code("ST-0201");
/// The job has no sink.
pub const NO_SINK: Code = Code("ST-0202");
/// A plugin that this build does not have.
pub const UNKNOWN_PLUGIN: Code = Code("ST-0203");
/// A block without `plugin_name`.
pub const NO_PLUGIN_NAME: Code = Code("ST-0204");
/// Two nodes give their output the same name.
pub const DUPLICATE_OUTPUT: Code = Code("ST-0205");
/// An input that no node gives.
pub const UNKNOWN_INPUT: Code = Code("ST-0206");
/// A node does not say which of several outputs it reads.
pub const AMBIGUOUS_INPUT: Code = Code("ST-0207");
/// Nodes read from each other in a circle.
pub const CYCLE: Code = Code("ST-0208");
/// An output that no node reads.
pub const UNUSED_OUTPUT: Code = Code("ST-0209");
/// A wiring option on a node that has no such end.
pub const USELESS_WIRING: Code = Code("ST-0210");
