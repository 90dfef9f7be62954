//! The schemas of tables and the page limits of servers that a client remembers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::profile::Schema;

/// How long a schema is kept: a table is rebuilt when its producer changes the file.
const KEPT: Duration = Duration::from_secs(300);

/// The maximum number of tables remembered.
const MOST: usize = 1_000;

/// The largest page that a server was seen to allow: production's in September 2026.
const LARGEST_PAGE: u64 = 200;

/// Schemas by resource or model, and the largest page of each server.
#[derive(Debug, Default)]
pub(crate) struct TableCache {
    schemas: Mutex<BTreeMap<String, (Instant, Arc<Schema>)>>,
    tabular_page: PageSize,
    metrics_page: PageSize,
}

/// The largest page that a server allows, if known.
#[derive(Debug)]
pub(crate) struct PageSize(AtomicU64);

impl Default for PageSize {
    fn default() -> Self {
        Self(AtomicU64::new(LARGEST_PAGE))
    }
}

impl PageSize {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Remembers the maximum page size that a server has reported.
    pub(crate) fn learn(&self, size: u64) {
        self.0.store(size.max(1), Ordering::Relaxed);
    }
}

impl TableCache {
    pub(crate) fn get(&self, table: &str) -> Option<Arc<Schema>> {
        let known = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(table).filter(|(since, _)| since.elapsed() < KEPT).map(|(_, schema)| Arc::clone(schema))
    }

    pub(crate) fn set(&self, table: &str, schema: Arc<Schema>) {
        let mut known = self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (since, _)| since.elapsed() < KEPT);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(table.to_owned(), (Instant::now(), schema));
    }

    pub(crate) fn forget(&self, table: &str) {
        self.schemas.lock().unwrap_or_else(PoisonError::into_inner).remove(table);
    }

    #[cfg(feature = "tabular")]
    pub(crate) fn tabular_page(&self) -> &PageSize {
        &self.tabular_page
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn metrics_page(&self) -> &PageSize {
        &self.metrics_page
    }
}
