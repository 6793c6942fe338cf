//! Error codes of this connector.

use seatun_api::Code;

/// Standard output cannot be written.
pub const OUTPUT: Code = Code("ST-0720");
