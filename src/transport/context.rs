//! The parts of a call, and the context that its response carries.

use std::sync::Arc;

use reqwest::{Request, Response};
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::options::CallOptions;
use crate::{Deviation, Error, Operation, Result};

/// The parts of a call.
pub(crate) struct CallParts {
    pub endpoint: Endpoint,
    /// `None` for a file.
    pub operation: Option<&'static Operation>,
    /// The request, or the error of building it.
    pub request: Result<Request>,
    pub options: CallOptions,
}

/// The context of a call. Its response carries it, so that errors of the body name the call.
pub(crate) struct CallContext {
    parts: Box<CallParts>,
    attempts: u32,
    began: Instant,
}

impl CallContext {
    pub(super) fn new(mut parts: Box<CallParts>, attempts: u32, began: Instant) -> Self {
        if let Ok(request) = &mut parts.request {
            // It was sent, and may be large.
            *request.body_mut() = None;
        }
        Self { parts, attempts, began }
    }

    /// Stores the context in the extensions of a response.
    pub(crate) fn go_with(self, answer: &mut http::Extensions) {
        answer.insert(Arc::new(self));
    }

    pub(crate) fn of(answer: &Response) -> Option<Arc<Self>> {
        answer.extensions().get().cloned()
    }

    /// Emits the deviations of a response.
    #[inline]
    pub(crate) fn deviated(&self, deviations: &[Deviation]) {
        if deviations.is_empty() {
            return;
        }
        self.parts.endpoint.shared.observers.deviated(self.parts.operation, deviations);
    }

    /// Adds the call to an error.
    pub(crate) fn name(&self, error: Error) -> Error {
        let mut error = error.of_attempts(self.attempts, self.began.elapsed());
        if let Ok(request) = &self.parts.request {
            error = match self.parts.operation {
                Some(_) => error.of_request(request.method(), request.url()),
                None => error.of_file(request.url()),
            };
        }
        of_operation(error, self.parts.operation)
    }
}

/// Adds the operation to an error.
pub(super) fn of_operation(error: Error, operation: Option<&'static Operation>) -> Error {
    match operation {
        Some(operation) => error.of_operation(operation.name),
        None => error,
    }
}
