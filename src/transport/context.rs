//! A call, from what it is made of to what its answer tells of it.

use std::sync::Arc;

use reqwest::{Request, Response};
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::options::CallOptions;
use crate::{Deviation, Error, Operation, Result};

/// What a call is made of.
pub(crate) struct CallParts {
    pub endpoint: Endpoint,
    /// `None` for a file.
    pub operation: Option<&'static Operation>,
    /// The request, or why there is none.
    pub request: Result<Request>,
    pub options: CallOptions,
}

/// Carried with an answer, so that what befalls its body is told of the whole call.
pub(crate) struct CallContext {
    parts: Box<CallParts>,
    attempts: u32,
    began: Instant,
}

impl CallContext {
    pub(super) fn new(mut parts: Box<CallParts>, attempts: u32, began: Instant) -> Self {
        if let Ok(request) = &mut parts.request {
            // It is sent, and may be large.
            *request.body_mut() = None;
        }
        Self { parts, attempts, began }
    }

    /// Goes with an answer as one of its extensions.
    pub(crate) fn go_with(self, answer: &mut http::Extensions) {
        answer.insert(Arc::new(self));
    }

    pub(crate) fn of(answer: &Response) -> Option<Arc<Self>> {
        answer.extensions().get().cloned()
    }

    /// Tells what of the answer does not fit its type.
    #[inline]
    pub(crate) fn deviated(&self, deviations: &[Deviation]) {
        if deviations.is_empty() {
            return;
        }
        self.parts.endpoint.shared.observers.deviated(self.parts.operation, deviations);
    }

    /// An error, with the call that it befell.
    pub(crate) fn name(&self, error: Error) -> Error {
        let mut error = error.of_attempts(self.attempts, self.began.elapsed());
        if let Ok(request) = &self.parts.request {
            error = error.of_request(request.method(), request.url());
        }
        of_operation(error, self.parts.operation)
    }
}

/// An error, with the operation that it befell.
pub(super) fn of_operation(error: Error, operation: Option<&'static Operation>) -> Error {
    match operation {
        Some(operation) => error.of_operation(operation.name),
        None => error,
    }
}
