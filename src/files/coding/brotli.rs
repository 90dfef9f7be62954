//! Brotli (RFC 7932), as the coding `br`.

use std::io;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::{Buf, Bytes};

use super::MADE;

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

pub(in crate::files) struct Brotli {
    state: Box<State>,
    begun: bool,
    ended: bool,
    has_more: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let allocator = StandardAlloc::default;
        // The window has 16 MiB at most.
        let state = State::new_strict(allocator(), allocator(), allocator());
        Self { state: Box::new(state), begun: false, ended: false, has_more: false }
    }

    /// Decodes bytes from the front of `coded`.
    pub(super) fn decode(&mut self, coded: &mut Bytes) -> io::Result<Vec<u8>> {
        let invalid = |reason| io::Error::new(io::ErrorKind::InvalidData, reason);
        if self.ended {
            return if coded.is_empty() { Ok(Vec::new()) } else { Err(invalid("bytes follow the end")) };
        }
        self.begun |= !coded.is_empty();
        let mut made = vec![0; MADE];
        let (mut left, mut taken, mut room, mut written) = (coded.len(), 0, made.len(), 0);
        let state = &mut self.state;
        let result =
            BrotliDecompressStream(&mut left, &mut taken, coded, &mut room, &mut written, &mut made, &mut 0, state);
        coded.advance(taken);
        made.truncate(written);
        self.has_more = matches!(result, BrotliResult::NeedsMoreOutput);
        self.ended = matches!(result, BrotliResult::ResultSuccess);
        match result {
            BrotliResult::ResultFailure => Err(invalid("invalid brotli")),
            _ if self.ended && !coded.is_empty() => Err(invalid("bytes follow the end")),
            _ => Ok(made),
        }
    }

    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    pub(super) fn finish(self) -> io::Result<()> {
        // Nothing at all is an empty file that was not coded.
        if self.ended || !self.begun { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
