//! Decides how a query is read, from the profile of the table and the number of its rows.

use std::sync::Arc;

use super::check::{check, check_types};
use super::encoding::Query;
use super::expression::col;
use super::extent::Extent;
use super::plan::{Plan, Reading, Warning};
use super::profile::Schema;
use super::request::Request;
use super::row::ROW_NUMBER;
use super::source::{MOST_EXPORTED, Page, Source};
use super::windows::Windows;
use crate::{Client, Error, Result};

/// Rows in an order other than that of their numbers are read in at most this many pages if a limit allows it, rather
/// than in an export of all of them.
const MOST_PAGES: u64 = 10;

/// Tables of more rows are read in windows, so that the first rows arrive before all others are read.
const MOST_AT_ONCE: u64 = 5_000;

/// An opened query: what is known before the first row.
pub(super) struct Opened {
    pub schema: Arc<Schema>,
    pub total: Option<u64>,
    pub windows: Windows,
    pub plan: Plan,
}

/// How a query is read as far as its table's profile shows, with warnings about its rows.
struct Prospect {
    plan: Plan,
    /// Whether exports are read.
    schema: Option<Arc<Schema>>,
}

/// Returns how a query will be read.
pub(super) async fn explain(client: &Client, source: &Source, request: &Request) -> Result<Plan> {
    ensure_sendable(request)?;
    let mut plan = prospect(client, source, request).await?.plan;
    plan.warnings.extend(source.warnings(client).await);
    Ok(plan)
}

/// Decides how to read a query.
pub(super) async fn open(client: Client, source: Source, request: Request) -> Result<Opened> {
    ensure_sendable(&request)?;
    check(&client, &source, &request).await?;
    let Prospect { mut plan, schema } = prospect(&client, &source, &request).await?;
    if request.checked {
        plan.warnings.extend(source.warnings(&client).await);
    }
    let pages = |plan: Plan, total: Option<u64>| -> Result<Opened> {
        let windows = Windows::pages(&client, &source, &request)?;
        Ok(Opened { schema: Arc::default(), total, windows, plan })
    };
    let Some(schema) = schema else { return pages(plan, None) };
    let extent = match request.extent {
        Some(known) => known,
        None => extent(&client, &source, &request).await?,
    };
    let by_number = plan.reading == Reading::Windows;
    let windows = match (extent.rows, extent.last) {
        (None, _) => {
            return pages(in_pages("the server does not tell how many rows there are", plan.warnings), None);
        }
        (Some(total), Some(last)) if by_number && total > MOST_AT_ONCE => {
            Windows::numbers(&client, &source, &request, total, last)
        }
        (Some(total), _) if total <= MOST_EXPORTED => Windows::whole(&client, &source, &request, extent.last),
        (total, _) => {
            let reason = match plan.reading {
                Reading::Export { reason } => reason,
                _ => "the rows have no numbers".to_owned(),
            };
            return pages(in_pages(reason, plan.warnings), total);
        }
    };
    Ok(Opened { schema, total: extent.rows, windows, plan })
}

/// Refuses everything that can be refused before anything is sent.
fn ensure_sendable(request: &Request) -> Result<()> {
    let (query, post_filter) = request.filtered()?;
    if request.aggregates() && post_filter.is_some() {
        request.exactly_filtered("grouping the rows")?;
    }
    request.paged(query, post_filter.as_ref(), &[])?;
    Ok(())
}

async fn prospect(client: &Client, source: &Source, request: &Request) -> Result<Prospect> {
    let without_schema = |plan: Plan| Prospect { plan, schema: None };
    let post_filtered = request.filtered()?.1.is_some();
    if let Some(limit) = request.limit.filter(|_| !request.aggregates() && !post_filtered) {
        let page_size = source.page_size(client).get();
        let pages = if request.descending().is_some() { 1 } else { MOST_PAGES };
        if limit <= page_size.saturating_mul(pages) {
            return Ok(without_schema(in_pages(format!("no more than {limit} rows are requested"), Vec::new())));
        }
    }
    let reading = request.reading();
    if let Reading::Pages { reason } = reading {
        return Ok(without_schema(in_pages(reason, Vec::new())));
    }
    let reason = match source.schema(client).await {
        Ok(Some(schema)) => {
            check_types(client, source, Arc::clone(&schema), request).await?;
            let warnings = schema.warnings.clone();
            return Ok(Prospect { plan: Plan { reading, warnings }, schema: Some(schema) });
        }
        Ok(None) => "it does not tell the types of the columns".to_owned(),
        Err(error) if is_of_the_profile(&error) => error.to_string(),
        Err(error) => return Err(error),
    };
    let plan = in_pages("the types of the columns are not known", vec![Warning::NoProfile { reason }]);
    Ok(without_schema(plan))
}

/// The plan of a query read in pages.
fn in_pages(reason: impl Into<String>, warnings: Vec<Warning>) -> Plan {
    Plan { reading: Reading::Pages { reason: reason.into() }, warnings }
}

/// Whether rows may be available nevertheless: the error is not one that every other request would meet.
fn is_of_the_profile(error: &Error) -> bool {
    error.is_decode()
        || error.is_too_large()
        || error.status().is_some_and(|status| status.is_server_error() || status == 400 || status == 403)
}

/// The extent of a query that fits into a request.
pub(super) async fn extent(client: &Client, source: &Source, request: &Request) -> Result<Extent> {
    let numbered = source.numbers_every_row();
    let descending = [col(ROW_NUMBER).desc()];
    let page = async |mut query: Query| -> Result<Page> {
        // Two rows: the server returns no rows for a page size of one.
        query.page(1, 2);
        Ok(source.page(client, &query).send().await?.into_inner())
    };
    let (mut query, _) = request.filtered()?;
    if numbered {
        query.sort(&descending)?;
    }
    let mut found = page(query).await?;
    let rows = found.meta.total;
    if !numbered && rows.is_some_and(|rows| rows > MOST_AT_ONCE) {
        let (mut query, _) = request.filtered()?;
        query.numbered(true);
        query.sort(&descending)?;
        found = page(query).await?;
    }
    let last = found.data.first().and_then(|row| row[ROW_NUMBER].as_i64());
    let mut extent = nothing(source, request);
    (extent.rows, extent.last) = (rows, last);
    Ok(extent)
}

/// The extent of a query without rows.
pub(super) fn nothing(source: &Source, request: &Request) -> Extent {
    let first = request.numbers.map_or(i64::MIN, |(first, _)| first);
    Extent::nothing(first, source.numbers_every_row())
}
