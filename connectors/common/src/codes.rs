//! Error codes of what connectors share.

use seatun_api::Code;

/// A text that names no type.
pub const UNKNOWN_TYPE: Code = Code("ST-0701");
/// A schema block that contradicts itself.
pub const INVALID_SCHEMA: Code = Code("ST-0702");
/// A value that is none of its column's type.
pub const VALUE_MISMATCH: Code = Code("ST-0703");
/// A number that its column's type cannot hold without loss.
pub const VALUE_RANGE: Code = Code("ST-0704");
/// A column type that this way of reading or writing does not support.
pub const UNSUPPORTED_TYPE: Code = Code("ST-0705");
/// A text that is not JSON.
pub const MALFORMED_JSON: Code = Code("ST-0706");
