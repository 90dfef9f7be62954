//! What is known of each host.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;

use super::breaker::{Breaker, CircuitBreaker, CircuitState};
use super::budget::Budget;
use super::limit::{Gate, Limits};
use super::retry::RetryPolicy;

/// One scheme, host and port.
pub(super) struct Host {
    pub name: String,
    pub breaker: Arc<Breaker>,
    pub budget: Budget,
    pub gate: Arc<Gate>,
}

/// The hosts that a client has asked.
pub(super) struct Hosts {
    retries: RetryPolicy,
    circuit: CircuitBreaker,
    limits: Limits,
    known: Mutex<HashMap<String, Arc<Host>>>,
}

/// Downloads go to hosts without number: beyond this those that nobody uses are forgotten.
const MANY: usize = 1024;

impl Hosts {
    pub(super) fn new(retries: RetryPolicy, circuit: CircuitBreaker, limits: Limits) -> Self {
        Self { retries, circuit, limits, known: Mutex::default() }
    }

    pub(super) fn of(&self, url: &Url) -> Arc<Host> {
        let name = url.origin().ascii_serialization();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get(&name) {
            return Arc::clone(host);
        }
        if known.len() >= MANY {
            known.retain(|_, host| {
                let used = Arc::strong_count(host) > 1 || Arc::strong_count(&host.gate) > 1;
                used || host.breaker.state() != CircuitState::Closed
            });
        }
        let host = Arc::new(Host {
            name: name.clone(),
            breaker: Breaker::new(self.circuit.clone()),
            budget: Budget::new(self.retries.tokens()),
            gate: Gate::new(self.limits.clone()),
        });
        known.insert(name, Arc::clone(&host));
        host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_scheme_a_name_and_a_port() {
        let hosts = Hosts::new(RetryPolicy::default(), CircuitBreaker::default(), Limits::default());
        let of = |url: &str| hosts.of(&url.parse().unwrap());
        assert!(Arc::ptr_eq(&of("https://h/a?x=1"), &of("https://h:443/b")));
        for other in ["http://h/a", "https://h:8443/a", "https://i/a"] {
            assert!(!Arc::ptr_eq(&of("https://h/a"), &of(other)), "{other}");
        }
    }

    #[test]
    fn hosts_that_nobody_uses_are_forgotten() {
        let hosts = Hosts::new(RetryPolicy::default(), CircuitBreaker::default().failures(1), Limits::default());
        let of = |n: usize| hosts.of(&format!("https://h{n}/").parse().unwrap());
        let used = of(0);
        of(1).breaker.admit().unwrap().report(false);
        (2..3 * MANY).for_each(|n| drop(of(n)));
        assert!(Arc::ptr_eq(&used, &of(0)));
        assert_eq!(of(1).breaker.state(), CircuitState::Open);
        assert!(hosts.known.lock().unwrap().len() <= MANY + 2);
    }
}
