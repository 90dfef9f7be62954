//! What was seen of an API.

use datagouv_specs::Api;

use super::accepted::Accepted;
use super::observe::{Departure, Observations};

/// What was seen of an API.
pub struct Drift {
    /// The API.
    pub api: Api,
    /// The URL that was requested.
    pub base: String,
    /// What its bodies have.
    pub observations: Observations,
    /// The departures that were looked at before.
    pub known: Accepted,
    /// Operations that were called, with the number of bodies that were read.
    pub called: Vec<(String, usize)>,
    /// Operations that were called and gave no body that is described, and what they gave.
    pub refused: Vec<(String, String)>,
    /// Operations that were not called, and why.
    pub skipped: Vec<(String, String)>,
    /// What the served document has that the vendored one has not.
    pub served: Vec<String>,
}

impl Drift {
    /// The departures that were not accepted.
    pub fn departures(&self) -> Vec<Departure> {
        self.observations.departures().into_iter().filter(|it| !self.known.has(it)).collect()
    }

    /// The departures that were accepted.
    pub fn accepted(&self) -> Vec<Departure> {
        self.observations.departures().into_iter().filter(|it| self.known.has(it)).collect()
    }

    /// Whether nothing unexpected was seen.
    pub fn is_expected(&self) -> bool {
        self.departures().is_empty() && self.served.is_empty()
    }
}
