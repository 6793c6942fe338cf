//! The transforms that need no query engine: each is a pure [`Map`](seatun_api::Map) over Arrow arrays.
//!
//! [`TRANSFORMS`] is the table of them; a new transform is a module and one row.

mod codes;
mod field_mapper;
mod filter;
mod projection;

use seatun_api::TransformEntry;

pub use codes::{DUPLICATE_COLUMN, NO_COLUMNS};
pub use field_mapper::{FieldMapper, FieldMapperConfig};
pub use filter::{Filter, FilterConfig};

/// Every transform of this crate.
pub const TRANSFORMS: &[TransformEntry] = &[
    TransformEntry::of::<FieldMapper>("Keeps the listed columns, in the listed order, under new names"),
    TransformEntry::of::<Filter>("Keeps or drops columns by name"),
];
