//! Downloads as a stream of bytes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;

use super::expected::Expected;
use super::name;
use super::progress::Listener;
use super::remote::FileHandle;
use super::transfer::{Piece, Transfer};
use crate::objects::ResourceHandle;
use crate::{Error, Result};

/// The bytes of a file, a [`Stream`]; made by [`ResourceHandle::stream`](crate::objects::ResourceHandle::stream) and
/// [`FileHandle::stream`](super::FileHandle::stream).
///
/// It resumes if the body breaks off. At the end, size and checksum are compared with the declared ones; a mismatch is an
/// error as the last item.
#[must_use = "a stream does nothing until it is read"]
pub struct FileStream {
    bytes: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
    size: Option<u64>,
    name: Option<String>,
}

impl FileHandle {
    /// Requests the file and returns its bytes as a stream.
    ///
    /// # Errors
    ///
    /// Returns an error if the file does not exist or no response arrives.
    pub async fn stream(&self) -> Result<FileStream> {
        let file = self.resolve().await?;
        let transfer = file.open(self.client(), false).await?;
        Ok(FileStream::new(transfer, file.expected().clone(), Listener::default()))
    }
}

impl ResourceHandle {
    /// Requests the file of the resource and returns its bytes as a stream.
    ///
    /// # Errors
    ///
    /// Returns an error if the resource or the file does not exist, or no response arrives.
    pub async fn stream(&self) -> Result<FileStream> {
        self.file().stream().await
    }
}

impl FileStream {
    pub(super) fn new(transfer: Transfer, expected: Expected, listener: Listener) -> Self {
        let size = transfer.total();
        let name = name::of_response(transfer.headers()).or_else(|| name::of_url(transfer.url()));
        let check = expected.check();
        let bytes = stream::try_unfold((transfer, check, listener), |(mut transfer, mut check, listener)| async move {
            match transfer.next().await? {
                Some(Piece::Bytes(bytes)) => {
                    check.update(&bytes);
                    listener.report(transfer.received(), transfer.total());
                    Ok(Some((bytes, (transfer, check, listener))))
                }
                // Not reached: the transfer was opened without restarts.
                Some(Piece::Anew) => Err(Error::file_changed()),
                None => check
                    .finish(transfer.received(), transfer.coded())
                    .map(|_| None)
                    .map_err(|error| error.of_file(transfer.url())),
            }
        });
        Self { bytes: Box::pin(bytes), size, name }
    }

    /// Returns the size of the file in bytes, if the server sends it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Returns the name of the file, if the server or the URL has one. It is safe to use within a folder.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the next bytes, or `None` at the end.
    ///
    /// # Errors
    ///
    /// Returns an error if the body breaks off and cannot be resumed, or if the file changes meanwhile or does not match its
    /// declared size or checksum.
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
