//! What is known of each host.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;

use super::breaker::{Breaker, CircuitBreaker, CircuitState};
use super::budget::Budget;
use super::limits::{HostLimiter, Limits};
use super::retry::RetryPolicy;

/// One scheme, host and port.
pub(super) struct Host {
    pub name: String,
    pub breaker: Arc<Breaker>,
    pub budget: Budget,
    pub limiter: Arc<HostLimiter>,
}

impl Host {
    /// Whether a URL is of this host.
    pub(super) fn serves(&self, url: &Url) -> bool {
        let plain = url.as_str().strip_prefix(&*self.name).is_some_and(|rest| rest.starts_with('/'));
        plain || name_of(url) == self.name
    }
}

/// The hosts that a client has sent requests to.
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

    /// The host of a URL, where it may well be this one.
    pub(super) fn same_or(&self, host: &Arc<Host>, url: &Url) -> Arc<Host> {
        if host.serves(url) { Arc::clone(host) } else { self.of(url) }
    }

    pub(super) fn of(&self, url: &Url) -> Arc<Host> {
        let name = name_of(url);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = known.get(&*name) {
            return Arc::clone(host);
        }
        if known.len() >= MANY {
            known.retain(|_, host| {
                let used = Arc::strong_count(host) > 1 || Arc::strong_count(&host.limiter) > 1;
                used || host.breaker.state() != CircuitState::Closed
            });
        }
        let name = name.into_owned();
        let host = Arc::new(Host {
            name: name.clone(),
            breaker: Breaker::new(self.circuit.clone()),
            budget: Budget::new(self.retries.tokens()),
            limiter: HostLimiter::new(self.limits.clone()),
        });
        known.insert(name, Arc::clone(&host));
        host
    }
}

/// Scheme, host and port, as the URL begins with them unless it holds more.
fn name_of(url: &Url) -> Cow<'_, str> {
    let is_plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    // Behind `://`.
    let start = url.scheme().len() + 3;
    let end = url.as_str().bytes().skip(start).position(|byte| byte == b'/').filter(|_| is_plain);
    match end.and_then(|end| url.as_str().get(..start + end)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(url.origin().ascii_serialization()),
    }
}

/// Whether two URLs of http or https have the same scheme, host and port.
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    let same_host = one.scheme() == other.scheme() && one.host_str() == other.host_str();
    same_host && one.port_or_known_default() == other.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_host_is_its_origin_whatever_else_the_url_says() {
        for (url, name) in [
            ("https://www.data.gouv.fr/api/1/x?y=/#/z", "https://www.data.gouv.fr"),
            ("https://h", "https://h"),
            ("https://h:443/a", "https://h"),
            ("http://h:8080?a", "http://h:8080"),
            ("http://[::1]:80/a", "http://[::1]"),
            ("https://user@h/a", "https://h"),
            ("https://:password@h/a", "https://h"),
            ("https://donn\u{e9}es.fr/a", "https://xn--donnes-eva.fr"),
            ("file:///a/b", "null"),
        ] {
            let url: Url = url.parse().unwrap();
            assert_eq!(name_of(&url), name);
            assert_eq!(url.origin().ascii_serialization(), name);
        }
    }

    #[test]
    fn a_host_serves_its_own_urls_and_no_others() {
        let hosts = Hosts::new(RetryPolicy::default(), CircuitBreaker::default(), Limits::default());
        let host = hosts.of(&"https://h/api/1".parse().unwrap());
        for (url, serves) in [
            ("https://h", true),
            ("https://h:443/a", true),
            ("https://user@h/a", true),
            ("https://h@i/a", false),
            ("https://h.example.org/a", false),
            ("https://h:8443/a", false),
            ("http://h/a", false),
        ] {
            assert_eq!(host.serves(&url.parse().unwrap()), serves, "{url}");
        }
    }

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
    fn unused_hosts_are_forgotten() {
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
