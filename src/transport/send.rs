//! Sends a call: from its first attempt to its last.

use std::pin::{Pin, pin};
use std::sync::Arc;

use reqwest::header::{ACCEPT_ENCODING, HeaderValue};
use reqwest::{Request, Response};
use tokio::time::timeout_at;
use tracing::Instrument;

use super::body::{BodyError, streamed};
use super::context::{CallContext, CallParts, of_operation};
use super::endpoint::{Endpoint, Shared};
use super::execution::{AttemptResponse, Execution};
use super::observe::Outcome;
use super::options::CallOptions;
use super::raw_response::{RawResponse, ResponseBody};
use crate::{Error, Result};

impl Shared {
    /// Requests a file from any host, by the same rules as all requests and without the API key. The body is not
    /// decompressed.
    pub(crate) async fn fetch(self: &Arc<Self>, mut request: Request, options: CallOptions) -> Result<Response> {
        request.headers_mut().entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        let endpoint = Endpoint { shared: Arc::clone(self), api: None, base: None, keyed: false };
        match send(Box::new(CallParts { endpoint, operation: None, request: Ok(request), options })).await? {
            RawResponse::Buffered(body) => Ok(body.into_http().into()),
            RawResponse::Streaming(response) => Ok(response),
        }
    }
}

/// Sends a call and returns a success or the error.
pub(crate) fn send(parts: Box<CallParts>) -> Pin<Box<dyn Future<Output = Result<RawResponse>> + Send>> {
    Box::pin(call(parts))
}

/// Runs a call from its first attempt to its last.
async fn call(mut parts: Box<CallParts>) -> Result<RawResponse> {
    let request = match parts.request {
        Ok(ref mut request) => request,
        Err(error) => return Err(of_operation(error, parts.operation)),
    };
    let mut execution = Execution::new(&parts.endpoint, parts.operation, request, &parts.options);
    let (span, deadline) = (execution.record.span.clone(), execution.deadline);
    let done = {
        let attempts = pin!(execution.attempts().instrument(span));
        match deadline {
            None => attempts.await,
            // Boxed: most calls have no deadline, and need no room for one.
            Some(deadline) => Box::pin(timeout_at(deadline.at, attempts))
                .await
                .unwrap_or_else(|_| Err(Error::broken_body(BodyError::DeadlineElapsed(deadline.limit)))),
        }
    };
    let Execution { mut record, idle, .. } = execution;
    let context = CallContext::new(parts, record.attempts, record.began);
    match done {
        Ok(AttemptResponse::Buffered(mut response, bytes)) => {
            record.finish(Outcome::Success);
            let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
            Ok(RawResponse::Buffered(ResponseBody { bytes, status, headers, context }))
        }
        Ok(AttemptResponse::Streaming(mut response, permit)) => {
            context.attach_to(response.extensions_mut());
            streamed(response, permit, idle, deadline, record).map(RawResponse::Streaming)
        }
        Err(error) => {
            record.finish(Outcome::Failure);
            Err(context.name(error))
        }
    }
}
