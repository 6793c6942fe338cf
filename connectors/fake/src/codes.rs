//! Error codes of this connector.

use seatun_api::Code;

/// A checkpoint's split does not fit the source as it is configured now.
pub const UNKNOWN_SPLIT: Code = Code("ST-0710");
