//! Files in folders and object stores, as source and as sink.
//!
//! What both sides share is here: the names of formats and codecs ([`config`]), the stores ([`store`]) and
//! the error codes ([`codes`]). Reading is [`source`] with `decode`, writing is [`sink`] with `encode`.

pub mod codes;
pub mod config;
mod decode;
pub mod encode;
pub mod sink;
pub mod source;
pub mod store;

pub use sink::LocalFileSink;
pub use source::LocalFileSource;
