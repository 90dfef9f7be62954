//! The checksum of an upload, computed while it is sent.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use super::super::checksum::{Algorithm, Checksum, Digester};
use super::super::progress::Listener;
use crate::transport::file::Reader;
use crate::{File, Result};

/// The checksum that the platform computes of every upload.
#[derive(Clone)]
pub(super) struct Measure(Arc<Mutex<Digester>>);

impl Default for Measure {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Digester::new(Algorithm::Sha1))))
    }
}

impl Measure {
    fn digester(&self) -> MutexGuard<'_, Digester> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn update(&self, bytes: &[u8]) {
        self.digester().update(bytes);
    }

    /// Returns the checksum of the bytes so far, and resets it.
    pub(super) fn checksum(&self) -> Checksum {
        std::mem::replace(&mut *self.digester(), Digester::new(Algorithm::Sha1)).finish()
    }

    /// Returns the same file, hashed from its beginning while it is read.
    pub(super) fn measured(&self, file: &File, listener: Listener) -> Result<File> {
        let inner = file.stream()?;
        self.checksum();
        let stream = Measured { inner, measure: self.clone(), listener, sent: 0, total: file.len() };
        let measured = File::from_stream(file.name(), file.len(), stream);
        Ok(match file.content_type() {
            Some(content_type) => measured.with_content_type(content_type),
            None => measured,
        })
    }
}

struct Measured {
    inner: Reader,
    measure: Measure,
    listener: Listener,
    sent: u64,
    total: u64,
}

impl Stream for Measured {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.inner.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            self.measure.update(bytes);
            self.sent += bytes.len() as u64;
            self.listener.report(self.sent, Some(self.total));
        }
        polled
    }
}
