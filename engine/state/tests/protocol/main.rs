//! The protocol as the runtime uses it, over real stores.

// The lint's exception for tests does not reach their helper functions.
#![allow(clippy::unwrap_used)]

mod cleanup;
mod damage;
mod fixtures;
mod objects;
mod publish;
mod savepoints;
mod start;
mod view;
