//! Values of a job file with their places, and how they become typed options.
//!
//! [`Value`] is what the parser of `seatun-config` makes of a file. [`options`] turns the block of a plugin
//! into the plugin's own struct by serde, reports every wrong option with its place in the file, and
//! coerces as SeaTunnel does: `"16"` is a number, `"a,b"` a list, a nested `row { num = 5 }` is the flat
//! option `row.num`.

mod de;
mod typed;
mod value;

pub use typed::{Problem, options};
pub use value::{Origin, Place, Value, ValueKind};
