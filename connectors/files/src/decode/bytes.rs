//! The bytes of a file in order, unpacked, with one block read ahead.
//!
//! The stream keeps a window of bytes that have been read and not consumed. Positions are offsets of the
//! unpacked bytes: of a plain file they are offsets of the file.

use std::sync::Arc;

use bytes::Bytes;
use seatun_api::{Error, Result};
use tokio_util::task::AbortOnDropHandle;

use super::unpack::Unpacker;
use crate::codes;
use crate::config::CompressCodec;
use crate::store::RangedRead;

/// How many bytes are read at a time.
const BLOCK: u64 = 2 << 20;
/// How much packed data is unpacked at a time: bounds how far one step can swell the window.
const PACKED_STEP: usize = 64 << 10;
/// How many bytes a window may hold before a record that does not end is given up.
pub const MAX_RECORD: usize = 64 << 20;

/// Reads a range of a file in order.
pub struct ByteStream {
    file: Arc<dyn RangedRead>,
    next: u64,
    end: u64,
    ahead: Option<AbortOnDropHandle<Result<Bytes>>>,
    unpacker: Option<Unpacker>,
    packed: Bytes,
    window: Vec<u8>,
    consumed: usize,
    offset: u64,
    ended: bool,
}

impl ByteStream {
    /// A plain file's bytes from `start` to `end`.
    pub fn plain(file: Arc<dyn RangedRead>, start: u64, end: u64) -> Self {
        Self {
            file,
            next: start,
            end,
            ahead: None,
            unpacker: None,
            packed: Bytes::new(),
            window: Vec::new(),
            consumed: 0,
            offset: start,
            ended: start >= end,
        }
    }

    /// All bytes of a file, unpacked.
    ///
    /// # Errors
    /// If the codec is not one for whole files.
    pub fn unpacked(file: Arc<dyn RangedRead>, codec: CompressCodec) -> Result<Self> {
        let unpacker = Unpacker::new(codec)?;
        let end = file.size();
        let mut stream = Self::plain(file, 0, end);
        stream.unpacker = unpacker;
        Ok(stream)
    }

    /// The bytes that are read and not consumed.
    pub fn window(&self) -> &[u8] {
        self.window.get(self.consumed..).unwrap_or_default()
    }

    /// Where the window begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How many bytes of the file are not read yet, packed or not.
    pub fn unread(&self) -> u64 {
        self.end.saturating_sub(self.next) + self.packed.len() as u64
    }

    /// Whether the window holds everything up to the end.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Passes over bytes of the window.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(self.window.len() - self.consumed);
        self.consumed += count;
        self.offset += count as u64;
    }

    /// Adds a block to the window, unless the end is reached.
    ///
    /// # Errors
    /// If the file cannot be read, has changed, is damaged, or holds a record beyond [`MAX_RECORD`].
    pub async fn fill(&mut self) -> Result<()> {
        if self.ended {
            return Ok(());
        }
        self.window.drain(..self.consumed);
        self.consumed = 0;
        if self.window.len() > MAX_RECORD {
            return Err(Error::user(codes::RECORD_TOO_LONG, "a record is longer than 64 MiB")
                .with("path", self.file.path())
                .with("offset", self.offset)
                .with_hint("a quote that never ends makes one record of all that follows"));
        }
        match self.unpacker.is_some() {
            true => self.fill_unpacked().await,
            false => self.fill_plain().await,
        }
    }

    /// Passes over everything before `offset`.
    ///
    /// # Errors
    /// As [`fill`](Self::fill), and if the end comes first.
    pub async fn skip_to(&mut self, offset: u64) -> Result<()> {
        while self.offset < offset {
            let missing = usize::try_from(offset - self.offset).unwrap_or(usize::MAX);
            self.consume(missing.min(self.window().len()));
            if self.offset < offset {
                if self.ended {
                    return Err(crate::store::changed(self.file.path()).with("offset", offset));
                }
                self.fill().await?;
            }
        }
        Ok(())
    }

    async fn fill_plain(&mut self) -> Result<()> {
        match self.block().await? {
            Some(block) => self.window.extend_from_slice(&block),
            None => self.ended = true,
        }
        if self.next >= self.end && self.ahead.is_none() {
            self.ended = true;
        }
        Ok(())
    }

    async fn fill_unpacked(&mut self) -> Result<()> {
        if self.packed.is_empty() {
            self.packed = self.block().await?.unwrap_or_default();
        }
        let step = self.packed.split_to(self.packed.len().min(PACKED_STEP));
        let Some(unpacker) = &mut self.unpacker else { return Ok(()) };
        let damaged = |error: std::io::Error| {
            Error::user(codes::DAMAGED_FILE, "the file's compression is damaged or cut short")
                .with("path", self.file.path())
                .with_source(error)
        };
        if step.is_empty() {
            unpacker.finish(&mut self.window).map_err(damaged)?;
            self.ended = true;
            return Ok(());
        }
        unpacker.unpack(&step, &mut self.window).map_err(damaged)
    }

    /// The next block of the file, while the one after it is already being read.
    async fn block(&mut self) -> Result<Option<Bytes>> {
        let block = match self.ahead.take() {
            Some(ahead) => Some(ahead.await.map_err(|error| {
                Error::internal(seatun_api::error::codes::INTERNAL, "a read was given up").with_source(error)
            })??),
            None => match self.next_range() {
                Some(range) => Some(self.file.read(range).await?),
                None => None,
            },
        };
        if let Some(range) = self.next_range() {
            let file = Arc::clone(&self.file);
            self.ahead = Some(AbortOnDropHandle::new(tokio::spawn(async move { file.read(range).await })));
        }
        Ok(block)
    }

    fn next_range(&mut self) -> Option<std::ops::Range<u64>> {
        if self.next >= self.end {
            return None;
        }
        let start = self.next;
        self.next = self.end.min(start + BLOCK);
        Some(start..self.next)
    }
}
