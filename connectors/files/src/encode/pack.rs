//! Compression of a whole file of lines.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::config::CompressCodec;
use crate::sink::target::Staged;

/// What lines are written to: the file, or a compressor before it.
pub(super) enum Packer {
    Plain(Box<dyn Staged>),
    Gzip(Box<GzEncoder<Box<dyn Staged>>>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Box<dyn Staged>>>),
}

impl Packer {
    /// Packs by a codec that lines can have; any other leaves them as they are.
    pub(super) fn new(codec: CompressCodec, level: i32, out: Box<dyn Staged>) -> io::Result<Self> {
        Ok(match codec {
            CompressCodec::Gzip => {
                let level = Compression::new(level.unsigned_abs());
                Self::Gzip(Box::new(GzEncoder::new(out, level)))
            }
            CompressCodec::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(out, level)?;
                encoder.include_checksum(true)?;
                Self::Zstd(Box::new(encoder))
            }
            _ => Self::Plain(out),
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
        }
    }

    pub(super) fn staged(&self) -> &dyn Staged {
        match self {
            Self::Plain(out) => out.as_ref(),
            Self::Gzip(encoder) => encoder.get_ref().as_ref(),
            Self::Zstd(encoder) => encoder.get_ref().as_ref(),
        }
    }

    pub(super) fn staged_mut(&mut self) -> &mut dyn Staged {
        match self {
            Self::Plain(out) => out.as_mut(),
            Self::Gzip(encoder) => encoder.get_mut().as_mut(),
            Self::Zstd(encoder) => encoder.get_mut().as_mut(),
        }
    }

    /// Ends the compressed stream.
    pub(super) fn finish(self) -> io::Result<Box<dyn Staged>> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}
