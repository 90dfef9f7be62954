//! The retry budget: further attempts are paid for with successes, so that an outage does not cause a
//! storm.

use std::sync::{Mutex, PoisonError};

/// What a further attempt costs.
const RETRY: u32 = 5;
/// What one costs after a timeout: the server has worked, or is drowning.
const RETRY_AFTER_TIMEOUT: u32 = 10;
/// What a first attempt that succeeds brings.
const SUCCESS: u32 = 1;

/// A bucket of tokens, full at first.
pub(super) struct Budget {
    capacity: Option<u32>,
    left: Mutex<u32>,
}

/// What a further attempt has taken out of the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spent(u32);

impl Budget {
    pub(super) fn new(capacity: Option<u32>) -> Self {
        Self { capacity, left: Mutex::new(capacity.unwrap_or_default()) }
    }

    /// Takes what a further attempt costs; `None` where it is not there.
    pub(super) fn spend(&self, after_timeout: bool) -> Option<Spent> {
        let cost = if after_timeout { RETRY_AFTER_TIMEOUT } else { RETRY };
        if self.capacity.is_none() {
            return Some(Spent(0));
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.checked_sub(cost)?;
        Some(Spent(cost))
    }

    /// A call has succeeded: what its last attempt took comes back.
    pub(super) fn refill(&self, spent: Option<Spent>) {
        let Some(capacity) = self.capacity else { return };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_add(spent.map_or(SUCCESS, |Spent(cost)| cost)).min(capacity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_exhausts_the_budget() {
        let budget = Budget::new(Some(23));
        let paid = (0..100).filter(|_| budget.spend(false).is_some()).count();
        assert_eq!(paid, 4);
    }

    #[test]
    fn a_successful_retry_returns_its_tokens() {
        let budget = Budget::new(Some(10));
        for _ in 0..100 {
            let spent = budget.spend(true);
            assert!(spent.is_some());
            budget.refill(spent);
        }
    }

    #[test]
    fn successes_fill_the_budget_up_to_its_capacity() {
        let budget = Budget::new(Some(10));
        assert!(budget.spend(true).is_some());
        (0..4).for_each(|_| budget.refill(None));
        assert_eq!(budget.spend(false), None);
        budget.refill(None);
        assert!(budget.spend(false).is_some());
        (0..1000).for_each(|_| budget.refill(None));
        assert!(budget.spend(true).is_some());
        assert_eq!(budget.spend(false), None);
    }

    #[test]
    fn a_budget_without_capacity_is_unlimited() {
        let budget = Budget::new(None);
        assert!((0..10_000).all(|_| budget.spend(true).is_some()));
    }

    #[test]
    fn the_budget_lasts_if_every_third_request_fails() {
        let budget = Budget::new(Some(500));
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            let mut spent = None;
            for attempt in 1..=3 {
                if random.f64() >= 0.3 {
                    budget.refill(spent);
                    break;
                }
                if attempt < 3 {
                    spent = budget.spend(false);
                    assert!(spent.is_some());
                }
            }
        }
    }
}
