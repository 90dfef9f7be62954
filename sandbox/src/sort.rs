//! Sorting. Every type and every closure that the standard library sorts by costs its users' builds a whole algorithm:
//! here, one sort of indices serves them all.

use std::cmp::Ordering;

/// Sorts by a comparison; equal items keep their order.
pub(crate) fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let order = order(items.len(), &|left, right| match (items.get(left), items.get(right)) {
        (Some(left), Some(right)) => compare(left, right),
        _ => Ordering::Equal,
    });
    let mut taken: Vec<Option<T>> = std::mem::take(items).into_iter().map(Some).collect();
    for index in order {
        items.extend(taken.get_mut(index).and_then(Option::take));
    }
}

/// Sorts by a key, which is made once of each item.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut Vec<T>, descends: bool, key: impl Fn(&T) -> K) {
    let mut keyed: Vec<(K, T)> = std::mem::take(items).into_iter().map(|item| (key(&item), item)).collect();
    sort_by(&mut keyed, |(left, _), (right, _)| if descends { right.cmp(left) } else { left.cmp(right) });
    items.extend(keyed.into_iter().map(|(_, item)| item));
}

fn order(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|left, right| compare(*left, *right));
    order
}
