//! The operations of the metrics API.

use serde_json::Map;

use super::call::Call;
use super::query::Permissions;
use super::rows::{Format, Page, Source, check_target, export, page, understand};
use super::state::Platform;
use crate::response::Reply;

impl Platform {
    pub(super) fn handle_metrics(&self, call: &Call<'_>) -> Option<Result<Reply, Reply>> {
        let csv = match call.operation_id {
            "getMetricsByModel" => false,
            "getMetricsByModelCSV" => true,
            _ => return None,
        };
        Some(self.rows_of_model(call, csv))
    }

    fn rows_of_model(&self, call: &Call<'_>, csv: bool) -> Result<Reply, Reply> {
        let model = call.capture("model");
        let (raw, settings) = (&call.received.query, self.settings);
        check_target(&call.received.path, raw, settings)?;
        let wanted = if csv { None } else { Some(Page::read(raw, settings)?) };
        let permissions = Permissions { release: settings.release, no_aggregation: None, indexes: None };
        let sent = understand(raw, permissions, wanted)?;
        let table = self.models.table(model)?;
        let source = Source {
            relation: model,
            url: format!("{}{model}/data/", self.models.url),
            links: Map::new(),
            total_of_aggregates: true,
            settings,
        };
        match wanted {
            Some(wanted) => page(table, &source, raw, &sent, wanted),
            None => export(table, &source, &sent, Format::Csv),
        }
    }
}
