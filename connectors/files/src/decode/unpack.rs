//! Whole-file compression: gzip of one or many members, Zstandard of one or many frames.

use std::io::{Error, ErrorKind, Result, Write};

use flate2::write::MultiGzDecoder;
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use crate::codes;
use crate::config::CompressCodec;

/// How much room is made for unpacked data at a time.
const ROOM: usize = 256 << 10;

/// Unpacks a file that is pushed in pieces.
pub enum Unpacker {
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zstd { decoder: Box<Decoder<'static>>, within_frame: bool },
}

impl Unpacker {
    /// The unpacker of a codec; `None` for plain files.
    pub fn new(codec: CompressCodec) -> seatun_api::Result<Option<Self>> {
        match codec {
            CompressCodec::None => Ok(None),
            CompressCodec::Gzip => Ok(Some(Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))))),
            CompressCodec::Zstd => {
                let decoder = Decoder::new().map_err(|error| {
                    seatun_api::Error::internal(seatun_api::error::codes::INTERNAL, "cannot set up zstandard")
                        .with_source(error)
                })?;
                Ok(Some(Self::Zstd { decoder: Box::new(decoder), within_frame: false }))
            }
            other => Err(seatun_api::Error::user(
                codes::NOT_IN_THIS_BUILD,
                format!("files packed with `{}` cannot be read", other.name()),
            )
            .with_hint("this build unpacks gzip and zstd")
            .at_option("compress_codec")),
        }
    }

    /// Unpacks a piece and appends what comes out.
    pub fn unpack(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Gzip(decoder) => {
                decoder.write_all(piece)?;
                out.append(decoder.get_mut());
                Ok(())
            }
            Self::Zstd { decoder, within_frame } => {
                let mut input = InBuffer::around(piece);
                let mut full = false;
                // A full output may mean that more waits inside, even when the input is used up.
                while input.pos() < piece.len() || full {
                    let begin = out.len();
                    out.resize(begin + ROOM, 0);
                    let mut output = OutBuffer::around(&mut out[begin..]);
                    if !*within_frame {
                        decoder.reinit()?;
                    }
                    *within_frame = decoder.run(&mut input, &mut output)? != 0;
                    let written = output.pos();
                    out.truncate(begin + written);
                    full = written == ROOM;
                    if full && !*within_frame && input.pos() == piece.len() {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    /// The file has ended: gives the rest, or says that something is missing.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                out.append(decoder.get_mut());
                Ok(())
            }
            Self::Zstd { within_frame: true, .. } => {
                Err(Error::new(ErrorKind::UnexpectedEof, "the last frame is cut short"))
            }
            Self::Zstd { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(codec: CompressCodec, packed: &[u8], piece: usize) -> Result<Vec<u8>> {
        let mut unpacker = Unpacker::new(codec).unwrap().unwrap();
        let mut out = Vec::new();
        for piece in packed.chunks(piece) {
            unpacker.unpack(piece, &mut out)?;
        }
        unpacker.finish(&mut out)?;
        Ok(out)
    }

    #[test]
    fn several_members_and_frames_are_one_file() {
        let data: Vec<u8> = (0..2_000_000_u32).flat_map(|n| (n % 1000).to_le_bytes()).collect();
        let (head, tail) = data.split_at(3_000_001);
        let packed_gzip = [gzip(head), gzip(tail)].concat();
        let packed_zstd = [zstd::encode_all(head, 1).unwrap(), zstd::encode_all(tail, 1).unwrap()].concat();
        for piece in [1021, 65536] {
            assert!(unpack(CompressCodec::Gzip, &packed_gzip, piece).unwrap() == data);
            assert!(unpack(CompressCodec::Zstd, &packed_zstd, piece).unwrap() == data);
        }
    }

    #[test]
    fn a_file_that_is_cut_short_is_an_error() {
        let data = vec![7_u8; 100_000];
        let packed = gzip(&data);
        assert!(unpack(CompressCodec::Gzip, &packed[..packed.len() - 3], 4096).is_err());
        let packed = zstd::encode_all(data.as_slice(), 1).unwrap();
        assert!(unpack(CompressCodec::Zstd, &packed[..packed.len() - 3], 4096).is_err());
    }
}
