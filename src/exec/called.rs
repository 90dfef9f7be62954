//! The call that an answer belongs to.

use reqwest::{Method, Request, Response, Url};
use tokio::time::Instant;

use crate::Error;

/// Carried with an answer, so that what befalls its body is told of the whole call.
#[derive(Clone)]
pub(crate) struct Called {
    operation: Option<&'static str>,
    method: Method,
    url: Url,
    attempts: u32,
    began: Instant,
}

impl Called {
    pub(super) fn new(operation: Option<&'static str>, request: &Request, attempts: u32, began: Instant) -> Self {
        Self { operation, method: request.method().clone(), url: request.url().clone(), attempts, began }
    }

    pub(crate) fn of(answer: &Response) -> Option<Self> {
        answer.extensions().get().cloned()
    }

    /// An error, with the call that it befell.
    pub(crate) fn name(&self, error: Error) -> Error {
        let error = error.of_attempts(self.attempts, self.began.elapsed()).of_request(&self.method, &self.url);
        match self.operation {
            Some(operation) => error.of_operation(operation),
            None => error,
        }
    }
}
