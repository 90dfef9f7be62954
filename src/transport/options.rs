//! Options of a client and of a call.

use std::time::Duration;

use super::{CircuitBreaker, Limits, RetryPolicy, Timeouts};

/// The options of a client, which hold for all its calls.
pub(crate) struct Policy {
    pub retries: RetryPolicy,
    pub circuit: CircuitBreaker,
    pub limits: Limits,
    pub timeouts: Timeouts,
    /// The largest response body that is read into memory, in bytes.
    pub max_response_size: usize,
    pub deny_private_networks: bool,
}

/// How the body of a success is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyMode {
    /// The caller reads it as a stream.
    #[default]
    Stream,
    /// It is read within the call, up to the limit; if it breaks off, the request is retried.
    Buffer,
    /// It is not read.
    Discard,
}

/// The options of a call, in addition to those of its client.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallOptions {
    /// The time that the whole call may take, its body included.
    pub timeout: Option<Duration>,
    /// The time limit for the response head.
    pub head_timeout: Option<Duration>,
    /// The time in which nothing of the body may come.
    pub idle_timeout: Option<Duration>,
    /// Whether a request that is not idempotent may be sent more than once.
    pub repeatable: bool,
    pub body_mode: BodyMode,
    /// Whether files may be requested only from hosts of the public Internet.
    pub deny_private_networks: bool,
}
