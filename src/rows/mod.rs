//! Rows of tabular files and of metrics: queries as Rust expressions, streams of whole tables.
//!
//! ```no_run
//! # #[cfg(feature = "tabular")]
//! # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
//! use datagouv::rows::col;
//!
//! #[derive(serde::Deserialize)]
//! struct Station {
//!     nom_station: String,
//!     puissance: Option<f64>,
//! }
//!
//! let mut stations = client
//!     .resource("1c5075ec-7ce1-49cb-ab89-94f507812daf")
//!     .rows::<Station>()
//!     .filter(col("puissance").ge(150).and(col("code_insee").is_in(["75056", "2A004"]).or(col("commune").is_null())))
//!     .stream();
//! while let Some(station) = stations.next().await {
//!     let station = station?;
//!     println!("{} ({:?} kW)", station.nom_station, station.puissance);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # How a table is read
//!
//! Every row has a number, `__id`. The server returns rows in pages (at most 200 on production in September 2026, 50 in
//! the server's defaults; the client requests 200, or the maximum that a refusal names) or as an export in CSV of at most
//! 50,000 rows. A whole table is therefore read in exports of windows of row numbers, fetched concurrently and yielded in
//! the order of the table, at constant memory. The first window is narrow, so that the first rows arrive at once; windows
//! become narrower when the server finds one too long, and an interrupted export is resumed where it stopped. Pages are
//! used only where windows do not apply: groups; another order over more rows than one export holds; the few rows of a
//! [limit](Rows::limit). Their last sort key is the row number, so that no page repeats or misses a row.
//! [`Rows::explain`] returns beforehand which it will be, [`RowStream::reading`] which it was.
//!
//! The types of the columns come from the table's profile, so that a row of CSV equals the same row in JSON:
//! null differs from the empty text, `t` is `true`, and a column of JSON holds values. Record batches hold JSON as text,
//! whose spaces and escapes differ between exports and pages: see `RecordBatches`.
//!
//! With the feature `arrow`, `record_batches()` gives the same rows as columns of Apache Arrow: see
//! [the guide](crate::guide::whole_tables#as-record-batches).

#[cfg(feature = "tabular")]
mod aggregation;
#[cfg(feature = "arrow")]
mod batch;
#[cfg(feature = "arrow")]
mod batches;
mod blocks;
mod cache;
mod cells;
mod check;
mod cutter;
mod decode;
mod encoding;
mod escape;
mod exactness;
mod expression;
mod extent;
mod failure;
mod fields;
#[cfg(feature = "tabular")]
mod frequent_value;
mod header;
#[cfg(feature = "_internals")]
mod in_memory;
#[cfg(feature = "arrow")]
mod layout;
#[cfg(feature = "arrow")]
mod merged;
mod open;
mod operand;
mod order;
mod pages;
mod pattern;
mod plan;
mod post_filter;
mod profile;
mod query;
mod reader;
mod records;
mod request;
mod row;
mod scan;
mod serial;
mod source;
mod stream;
mod windows;
mod workers;

#[cfg(feature = "arrow")]
pub use batches::RecordBatches;
pub use exactness::Exactness;
pub use expression::{Column, Condition, col};
pub use extent::Extent;
pub use operand::Operand;
pub use order::{Aggregate, Order, avg, count, max, min, sum};
pub use pages::{RowPage, RowPages};
pub use plan::{Plan, Reading, Warning};
pub use query::Rows;
pub use row::Row;
pub use stream::RowStream;

pub(crate) use cache::TableCache;
#[cfg(feature = "_internals")]
pub(crate) use encoding::query_string;
#[cfg(feature = "_internals")]
pub(crate) use in_memory::of_export;
pub(crate) use source::Source;

#[cfg(feature = "tabular")]
impl crate::objects::ResourceHandle {
    /// Builds a query of the rows of the file, deserialized as `T`; use [`Row`] if the columns are not known.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::rows::{Row, col};
    ///
    /// let communes = client.resource("8d2b7f10-95c3-4a1e-b6d4-2f3e4d5c6b7a").rows::<Row>();
    /// println!("{} communes", communes.filter(col("population").gt(100_000)).count().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn rows<T>(&self) -> Rows<T> {
        Rows::new(&self.client, Source::Resource(self.id.clone()))
    }
}

#[cfg(feature = "metrics")]
impl crate::Client {
    /// Builds a query of the rows of a model of the metrics API (`datasets`, `resources_total`, `site`…). An unknown model
    /// is a 404.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::rows::{Row, col, sum};
    ///
    /// let query = client.metrics_of::<Row>("datasets").filter(col("metric_month").ge("2026-01"));
    /// let by_month = query.group_by(["metric_month"]).aggregate([sum("monthly_visit")]).collect(100).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn metrics_of<T>(&self, model: impl Into<String>) -> Rows<T> {
        Rows::new(self, Source::Model(model.into()))
    }
}
