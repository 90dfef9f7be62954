//! A file as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;

use super::name;
use super::progress::Listener;
use super::remote::Expected;
use super::transfer::{Piece, Transfer};
use crate::{Error, Result};

/// The bytes of a file as they come, a [`Stream`]. It is resumed where it breaks off; at its end its declared
/// size and checksum are compared, and where they differ the last item is an error.
#[must_use = "a stream does nothing until it is read"]
pub struct FileStream {
    bytes: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    size: Option<u64>,
    name: Option<String>,
}

impl FileStream {
    pub(super) fn new(transfer: Transfer, expected: Expected, listener: Listener) -> Self {
        let size = transfer.total();
        let name = name::of_answer(transfer.headers()).or_else(|| name::of_url(transfer.url()));
        let check = expected.check();
        let bytes = stream::try_unfold((transfer, check, listener), |(mut transfer, mut check, listener)| async move {
            match transfer.next().await? {
                Some(Piece::Bytes(bytes)) => {
                    check.update(&bytes);
                    listener.tell(transfer.received(), transfer.total());
                    Ok(Some((bytes, (transfer, check, listener))))
                }
                // The transfer was opened so that this does not come.
                Some(Piece::Anew) => Err(Error::corrupt("the file changed while it was read")),
                None => check.finish(transfer.received()).map(|_| None).map_err(|error| error.of_file(transfer.url())),
            }
        });
        Self { bytes: Box::pin(bytes), size, name }
    }

    /// The size of the file in bytes, where the server tells it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// The name of the file, safe to be used in a folder, where the server or the URL tells it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The next bytes, `None` at the end.
    ///
    /// # Errors
    ///
    /// Where the file breaks off and cannot be resumed, has changed meanwhile, or is not what was declared.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        std::future::poll_fn(|context| self.bytes.as_mut().poll_next(context)).await.transpose()
    }
}

impl Stream for FileStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.bytes.as_mut().poll_next(context)
    }
}

impl fmt::Debug for FileStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStream").field("size", &self.size).field("name", &self.name).finish_non_exhaustive()
    }
}
