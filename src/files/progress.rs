//! Progress of transfers.

use std::fmt;
use std::sync::Arc;

/// The progress of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of bytes transferred so far. It decreases if a transfer starts over.
    pub bytes: u64,
    /// The total number of bytes, if known.
    pub total: Option<u64>,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.total {
            Some(total) => write!(f, "{} of {total} bytes", self.bytes),
            None => write!(f, "{} bytes", self.bytes),
        }
    }
}

/// The closure that receives the progress, if there is one.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Arc<dyn Fn(Progress) + Send + Sync>>);

impl Listener {
    pub(super) fn new(listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    pub(super) fn tell(&self, bytes: u64, total: Option<u64>) {
        if let Some(listener) = &self.0 {
            listener(Progress { bytes, total });
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Listener" } else { "None" })
    }
}
