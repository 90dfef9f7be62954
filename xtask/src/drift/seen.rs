//! What was seen of an API.

use datagouv_specs::Api;

use super::observe::Observations;

/// What was seen of an API.
pub struct Drift {
    /// The API.
    pub api: Api,
    /// The URL that was requested.
    pub base: String,
    /// What its bodies have.
    pub observations: Observations,
    /// Operations that were called, with the number of bodies that were read.
    pub called: Vec<(String, usize)>,
    /// Operations that were not called, and why.
    pub skipped: Vec<(String, String)>,
    /// What the served document has that the vendored one has not.
    pub served: Vec<String>,
}

impl Drift {
    /// Whether nothing unexpected was seen.
    pub fn is_expected(&self) -> bool {
        self.observations.departures().is_empty() && self.served.is_empty()
    }
}
