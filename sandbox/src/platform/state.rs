//! The state of the platform.

use std::collections::{BTreeMap, HashMap};

use super::catalogue::Catalogue;
use super::models::Models;
use super::rows::TabularSettings;
use super::table::Table;
use super::tokens::Token;
use crate::file::Files;

/// A table without a dataset, and whether it may be aggregated.
#[derive(Debug)]
pub(crate) struct OwnTable {
    pub(crate) table: Table,
    pub(crate) aggregates: bool,
}

/// The parts received so far, by the identifier that the client chose.
pub(crate) type Parts = HashMap<String, BTreeMap<usize, Vec<u8>>>;

/// A resource that is deleted in the tabular API.
#[derive(Debug)]
pub(crate) struct Deleted {
    pub(super) resource: String,
    pub(super) when: String,
    pub(super) dataset: Option<String>,
}

/// The state of the platform.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(super) catalogue: Catalogue,
    pub(super) models: Models,
    pub(super) parts: Parts,
    pub(super) deleted_resources: Vec<Deleted>,
    pub(super) tables: BTreeMap<String, OwnTable>,
    /// Further resources on which queries may aggregate.
    pub(super) aggregating: Vec<String>,
    pub(super) settings: TabularSettings,
    pub(super) tokens: Vec<Token>,
}

impl Platform {
    pub(crate) fn new(origin: String, files: &mut Files) -> Self {
        let catalogue = Catalogue::new(origin, files);
        let models = Models::new(&catalogue);
        let tokens = Token::of_the_start(&catalogue.time());
        Self {
            catalogue,
            models,
            parts: Parts::default(),
            deleted_resources: Vec::new(),
            tables: BTreeMap::new(),
            aggregating: Vec::new(),
            settings: TabularSettings::default(),
            tokens,
        }
    }
}
