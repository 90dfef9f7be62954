//! The call that an answer belongs to.

use std::sync::Arc;

use reqwest::{Method, Response, Url};
use tokio::time::Instant;

use crate::Error;

/// Carried with an answer, so that what befalls its body is told of the whole call.
#[derive(Clone)]
pub(crate) struct Called(Arc<Call>);

struct Call {
    operation: Option<&'static str>,
    method: Method,
    url: Url,
    attempts: u32,
    began: Instant,
}

impl Called {
    pub(super) fn new(
        operation: Option<&'static str>,
        (method, url): (Method, Url),
        attempts: u32,
        began: Instant,
    ) -> Self {
        Self(Arc::new(Call { operation, method, url, attempts, began }))
    }

    pub(crate) fn of(answer: &Response) -> Option<Self> {
        answer.extensions().get().cloned()
    }

    /// An error, with the call that it befell.
    pub(crate) fn name(&self, error: Error) -> Error {
        let call = &*self.0;
        let error = error.of_attempts(call.attempts, call.began.elapsed()).of_request(&call.method, &call.url);
        match call.operation {
            Some(operation) => error.of_operation(operation),
            None => error,
        }
    }
}
