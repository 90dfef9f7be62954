//! Zstandard (RFC 8878), as the coding `zstd`.

use std::io;

use bytes::{Buf, Bytes};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::DParameter;

use super::MADE;

/// A body may refer to 8 MiB before (RFC 9659); others would take the memory that they name.
const WINDOW: DParameter = DParameter::WindowLogMax(23);

pub(in crate::files) struct Zstd {
    decoder: Decoder<'static>,
    /// Whether the bytes so far end with a frame.
    complete: bool,
    has_more: bool,
}

impl Zstd {
    pub(super) fn new() -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(WINDOW)?;
        Ok(Self { decoder, complete: false, has_more: false })
    }

    /// Whether a body of these first four bytes begins with a frame that is to be skipped.
    pub(super) fn is_skippable(first: &[u8]) -> bool {
        matches!(first, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
    }

    /// Decodes bytes from the front of `coded`.
    pub(super) fn decode(&mut self, coded: &mut Bytes) -> io::Result<Vec<u8>> {
        if coded.is_empty() && !self.has_more {
            return Ok(Vec::new());
        }
        let mut made = Vec::with_capacity(MADE);
        let (mut input, mut output) = (InBuffer::around(coded), OutBuffer::around(&mut made));
        let left = self.decoder.run(&mut input, &mut output).map_err(|error| {
            let of_memory = error.to_string().contains("memory");
            if of_memory { io::Error::new(io::ErrorKind::OutOfMemory, error) } else { error }
        })?;
        let taken = input.pos();
        coded.advance(taken);
        self.complete = left == 0;
        self.has_more = !self.complete && made.len() == made.capacity();
        Ok(made)
    }

    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    pub(super) fn finish(self) -> io::Result<()> {
        if self.complete { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
