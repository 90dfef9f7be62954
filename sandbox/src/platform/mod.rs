//! A small, stateful platform: a few invented datasets that can be searched, changed and uploaded to, their rows, and
//! their monthly metrics.

mod aggregate;
mod call;
mod catalogue;
mod class;
mod community_resources;
mod condition;
mod contact_points;
mod csv;
mod database_error;
mod dataservices;
mod datasets;
mod decimal;
mod discussions;
mod editing;
mod entries;
mod exports;
mod expression;
mod feeds;
mod fields;
mod lists;
mod mask;
mod memberships;
mod metrics;
mod models;
mod new_objects;
mod new_table;
mod object_operations;
mod objects;
mod operations;
mod organizations;
mod posts;
mod properties;
mod quality;
mod query;
mod reuses;
mod rows;
mod samples;
mod scan;
mod seeds;
mod select;
mod state;
mod statement;
mod table;
mod tabular;
mod timestamp;
mod tokens;
mod topics;
mod uploads;
mod users;
mod value;
mod views;
mod vocabularies;
mod wire;
mod writing;

pub(crate) use call::Call;
pub use expression::Ties;
pub(crate) use mask::masked;
pub use new_table::NewTable;
pub(crate) use operations::{handles, name};
pub use query::Release;
pub use rows::TabularSettings;
pub use samples::{
    AIR_QUALITY, AIR_QUALITY_RESOURCE, CHARGING_POINTS, CHARGING_POINTS_RESOURCE, COMMUNES, COMMUNES_RESOURCE, STOPS,
    STOPS_RESOURCE,
};
pub(crate) use seeds::Listed;
pub(crate) use state::Platform;

use crate::Api;
use crate::file::Files;
use crate::request::header;
use crate::response::Reply;

impl Platform {
    /// The response to a call; None for an operation that the platform does not have.
    pub(crate) fn handle(&mut self, mut call: Call<'_>, files: &mut Files) -> Option<Reply> {
        if matches!(call.api, Api::Main | Api::MainV2) {
            match self.authenticate(call.received) {
                Ok(user) => call.user = user,
                Err(refusal) => return Some(refusal),
            }
        }
        let call = &call;
        let reply = match call.api {
            Api::Main => self.handle_main(call, files)?,
            Api::MainV2 => self.handle_main_v2(call)?,
            Api::Tabular => self.handle_tabular(call)?,
            Api::Metrics => self.handle_metrics(call)?,
        };
        let reply = call.with_full_objects(reply.unwrap_or_else(|refusal| refusal));
        Some(masked(reply, header(&call.received.headers, "x-fields")))
    }
}
