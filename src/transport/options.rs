//! What a client and a call are set up with.

use std::time::Duration;

use super::{CircuitBreaker, Limits, RetryPolicy, Timeouts};

/// What a client was set up with, for all its calls.
pub(crate) struct Policy {
    pub retries: RetryPolicy,
    pub circuit: CircuitBreaker,
    pub limits: Limits,
    pub timeouts: Timeouts,
    /// The length of the longest answer that is read into memory.
    pub max_answer: usize,
    pub deny_private_networks: bool,
}

/// What is done with the body of a success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyMode {
    /// It is a stream for the caller to read.
    #[default]
    Stream,
    /// It is read within the call, up to the limit; where it breaks off, it is asked for again.
    Buffer,
    /// It is not read.
    Discard,
}

/// What a call asks of the way it is sent, beyond what the client was set up with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallOptions {
    /// The time that the whole call may take, its body included.
    pub timeout: Option<Duration>,
    /// The time that the head of the answer may take.
    pub head_timeout: Option<Duration>,
    /// The time in which nothing of the body may come.
    pub idle_timeout: Option<Duration>,
    /// Whether a request that is not idempotent may be sent more than once.
    pub repeatable: bool,
    pub reading: BodyMode,
    /// Whether only hosts of the public Internet may be asked for a file.
    pub deny_private_networks: bool,
}
