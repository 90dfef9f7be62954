//! The circuit breaker of a host, which stops requests to a host that does not respond.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The circuit breaker of each host.
///
/// After a number of consecutive failures (no connection, no response in time, 502, 503, 504) the circuit opens: requests
/// to the host fail at once, without being sent ([`Error::is_circuit_open`](crate::Error::is_circuit_open),
/// [`Error::retry_after`](crate::Error::retry_after)). After some time it is half-open: one request is sent, whose
/// success closes the circuit, and whose failure opens it again. Any other response, also a 404 or a 500, is a success:
/// the host responds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CircuitBreaker {
    failures: Option<u32>,
    open_for: Duration,
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self { failures: Some(15), open_for: Duration::from_secs(15) }
    }
}

impl CircuitBreaker {
    /// Returns a circuit breaker that never opens.
    pub fn none() -> Self {
        Self { failures: None, ..Self::default() }
    }

    /// Sets the number of consecutive failures that open the circuit. The default is 15.
    pub fn failures(mut self, failures: u32) -> Self {
        self.failures = Some(failures.max(1));
        self
    }

    /// Sets how long the circuit stays open before one request is sent. The default is 15 seconds.
    pub fn open_for(mut self, time: Duration) -> Self {
        self.open_for = time;
        self
    }
}

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CircuitState {
    /// Requests are sent.
    Closed,
    /// Requests fail at once.
    Open,
    /// One request is sent, whose outcome closes or opens the circuit.
    HalfOpen,
}

#[derive(Debug)]
enum Circuit {
    Closed { failures: u32 },
    Open { until: Instant },
    HalfOpen { probing: bool },
}

/// The circuit breaker of one host.
#[derive(Debug)]
pub(super) struct Breaker {
    policy: CircuitBreaker,
    circuit: Mutex<Circuit>,
}

/// The permission to send one request. Its outcome is recorded by [`report`](Self::report), and ignored if the call is
/// dropped.
#[must_use]
#[derive(Debug)]
pub(super) struct Admission {
    breaker: Arc<Breaker>,
    probe: bool,
}

impl Breaker {
    pub(super) fn new(policy: CircuitBreaker) -> Arc<Self> {
        Arc::new(Self { policy, circuit: Mutex::new(Circuit::Closed { failures: 0 }) })
    }

    /// Lets a request through, or returns how long none will be.
    pub(super) fn admit(self: &Arc<Self>) -> Result<Admission, Duration> {
        let mut circuit = self.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Circuit::Open { until } = *circuit {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Err(left);
            }
            *circuit = Circuit::HalfOpen { probing: false };
        }
        let probe = match &mut *circuit {
            // How long the one that is under way takes is not known.
            Circuit::HalfOpen { probing: true } => return Err(Duration::from_secs(1)),
            Circuit::HalfOpen { probing } => {
                *probing = true;
                true
            }
            _ => false,
        };
        Ok(Admission { breaker: Arc::clone(self), probe })
    }

    /// Returns how long no request will be let through, if so.
    pub(super) fn check(&self) -> Result<(), Duration> {
        match &*self.circuit.lock().unwrap_or_else(PoisonError::into_inner) {
            Circuit::Open { until } if *until > Instant::now() => Err(until.saturating_duration_since(Instant::now())),
            _ => Ok(()),
        }
    }

    pub(super) fn state(&self) -> CircuitState {
        match &*self.circuit.lock().unwrap_or_else(PoisonError::into_inner) {
            Circuit::Closed { .. } => CircuitState::Closed,
            Circuit::Open { .. } => CircuitState::Open,
            Circuit::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }
}

impl Admission {
    /// Records whether the host responded; returns the new state of the circuit if that has changed it.
    pub(super) fn report(mut self, alive: bool) -> Option<CircuitState> {
        let breaker = Arc::clone(&self.breaker);
        let threshold = breaker.policy.failures?;
        let mut circuit = breaker.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        let probe = std::mem::take(&mut self.probe);
        match &mut *circuit {
            Circuit::HalfOpen { .. } if probe && alive => {
                *circuit = Circuit::Closed { failures: 0 };
                Some(CircuitState::Closed)
            }
            Circuit::Closed { failures } if alive => {
                *failures = 0;
                None
            }
            Circuit::Closed { failures } if *failures + 1 < threshold => {
                *failures += 1;
                None
            }
            // Requests that were in flight when the circuit opened add no information.
            Circuit::Open { .. } => None,
            Circuit::HalfOpen { .. } if !probe => None,
            Circuit::Closed { .. } | Circuit::HalfOpen { .. } => {
                let until = Instant::now().checked_add(breaker.policy.open_for)?;
                *circuit = Circuit::Open { until };
                Some(CircuitState::Open)
            }
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.probe {
            let mut circuit = self.breaker.circuit.lock().unwrap_or_else(PoisonError::into_inner);
            if let Circuit::HalfOpen { probing } = &mut *circuit {
                *probing = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN_FOR: Duration = Duration::from_secs(10);

    fn breaker() -> Arc<Breaker> {
        Breaker::new(CircuitBreaker::default().failures(3).open_for(OPEN_FOR))
    }

    fn report(breaker: &Arc<Breaker>, alive: bool) -> Option<CircuitState> {
        breaker.admit().unwrap().report(alive)
    }

    fn opened() -> Arc<Breaker> {
        let breaker = breaker();
        for _ in 0..3 {
            report(&breaker, false);
        }
        assert_eq!(breaker.state(), CircuitState::Open);
        breaker
    }

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_open_it_for_a_time() {
        let breaker = breaker();
        for alive in [false, false, true, false, false] {
            assert_eq!(report(&breaker, alive), None);
        }
        assert_eq!(report(&breaker, false), Some(CircuitState::Open));
        assert_eq!(breaker.admit().unwrap_err(), OPEN_FOR);
        tokio::time::advance(OPEN_FOR / 2).await;
        assert_eq!(breaker.admit().unwrap_err(), OPEN_FOR / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_is_let_through_after_the_pause() {
        let breaker = opened();
        tokio::time::advance(OPEN_FOR).await;
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err());
        assert_eq!(probe.report(false), Some(CircuitState::Open));
        assert_eq!(breaker.admit().unwrap_err(), OPEN_FOR);
        tokio::time::advance(OPEN_FOR).await;
        assert_eq!(report(&breaker, true), Some(CircuitState::Closed));
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_probe_makes_room_for_the_next() {
        let breaker = opened();
        tokio::time::advance(OPEN_FOR).await;
        drop(breaker.admit().unwrap());
        assert_eq!(report(&breaker, true), Some(CircuitState::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_in_flight_at_opening_do_not_close_it() {
        let breaker = breaker();
        let (early, late) = (breaker.admit().unwrap(), breaker.admit().unwrap());
        for _ in 0..3 {
            report(&breaker, false);
        }
        assert_eq!(early.report(true), None);
        tokio::time::advance(OPEN_FOR).await;
        let probe = breaker.admit().unwrap();
        assert_eq!(late.report(true), None);
        assert_eq!(breaker.state(), CircuitState::HalfOpen);
        assert_eq!(probe.report(true), Some(CircuitState::Closed));
    }

    #[test]
    fn none_never_opens() {
        let breaker = Breaker::new(CircuitBreaker::none());
        assert!((0..1000).all(|_| report(&breaker, false).is_none()));
    }
}
