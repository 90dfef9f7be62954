//! Visits and downloads by month, and in total.
//!
//! ```no_run
//! # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
//! let dataset = client.dataset("6512ab34cd56ef7890ab1201");
//! for month in dataset.metrics().from("2025-01").to("2025-06").collect().await? {
//!     println!("{:?}: {:?} visits", month.month, month.visits);
//! }
//! if let Some(total) = dataset.metrics().totals().await? {
//!     println!("{} visits in total", total.visits.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The `metrics` method of a handle builds the query. A count is `None` if the platform does not know it, which differs from
//! zero. For other queries, use [`Client::metrics_of`](crate::Client::metrics_of). See [the guide](crate::guide::metrics)
//! for a complete program.

mod month;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::objects::{DataserviceHandle, DatasetHandle, OrganizationHandle, ResourceHandle, ReuseHandle, SiteHandle};
use crate::rows::{RowPages, Rows, Source, col};
use crate::{Client, Error, Result};

pub use month::Month;

mod sealed {
    pub trait Sealed {}
}

/// A row of monthly metrics: the visits and downloads of an object in one month.
pub trait Monthly: DeserializeOwned + sealed::Sealed {
    /// The model of the metrics API.
    const MODEL: &'static str;
    /// The column with the id of the object; `None` for the platform as a whole.
    const KEY: Option<&'static str>;
}

/// Monthly metrics that also have totals.
pub trait Totalled: Monthly {
    /// The type of the totals.
    type Total: DeserializeOwned;
}

/// A query of monthly metrics; made by the `metrics` method of a handle.
#[must_use = "a query does nothing until it is sent"]
pub struct Months<T> {
    client: Client,
    id: Option<String>,
    from: Option<Month>,
    to: Option<Month>,
    /// The error to return instead of sending.
    refused: Option<String>,
    row: PhantomData<fn() -> T>,
}

impl<T> Months<T> {
    fn new(client: &Client, id: Option<&str>, is_id: fn(&str) -> bool) -> Self {
        let refused = id.filter(|id| !is_id(id)).map(|id| {
            format!("`{id}` is not an id: metrics need the id of the object, which `get()` returns, not its slug")
        });
        let (client, id) = (client.clone(), id.map(str::to_owned));
        Self { client, id, from: None, to: None, refused, row: PhantomData }
    }

    /// Sets the first month (`"2025-01"`), inclusive. An invalid month is an error when the query is sent.
    pub fn from<M: TryInto<Month>>(mut self, month: M) -> Self
    where
        M::Error: Into<Error>,
    {
        self.from = self.read(month);
        self
    }

    /// Sets the last month, inclusive.
    pub fn to<M: TryInto<Month>>(mut self, month: M) -> Self
    where
        M::Error: Into<Error>,
    {
        self.to = self.read(month);
        self
    }

    fn read<M: TryInto<Month>>(&mut self, month: M) -> Option<Month>
    where
        M::Error: Into<Error>,
    {
        match month.try_into() {
            Ok(month) => Some(month),
            Err(error) => {
                self.refused.get_or_insert(error.into().to_string());
                None
            }
        }
    }
}

impl<T: Monthly> Months<T> {
    fn of(&self, model: &str) -> Result<Rows<T>> {
        if let Some(reason) = &self.refused {
            return Err(Error::request(reason.clone()));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Error::request(format!("the first month, {from}, is after the last, {to}")));
        }
        let mut rows = Rows::new(&self.client, Source::Model(model.to_owned()));
        if let (Some(key), Some(id)) = (T::KEY, &self.id) {
            rows = rows.filter(col(key).eq(id));
        }
        Ok(rows)
    }

    /// Returns the query of the rows, the oldest month first, to add further conditions.
    ///
    /// # Errors
    ///
    /// Returns an error if a month or the id is not valid.
    pub fn rows(&self) -> Result<Rows<T>> {
        let mut rows = self.of(T::MODEL)?.sort(col("metric_month").asc());
        if let Some(from) = self.from {
            rows = rows.filter(col("metric_month").ge(from.to_string()));
        }
        if let Some(to) = self.to {
            rows = rows.filter(col("metric_month").le(to.to_string()));
        }
        Ok(rows)
    }

    /// Reads the months, the oldest first. A month in which nothing was counted may be missing.
    ///
    /// # Errors
    ///
    /// Returns an error if a month or the id is not valid, if the environment has no metrics API, or if the call fails.
    pub async fn collect(&self) -> Result<Vec<T>> {
        // A page has room for more than four years.
        let mut pages: RowPages<T> = self.rows()?.pages();
        let mut months = Vec::new();
        while let Some(page) = pages.next().await {
            months.extend(page?.rows);
        }
        Ok(months)
    }
}

impl<T: Totalled> Months<T> {
    /// Reads the totals, whatever the months of the query; `None` if nothing was counted.
    ///
    /// # Errors
    ///
    /// Those of [`collect`](Self::collect).
    pub async fn totals(&self) -> Result<Option<T::Total>> {
        let rows = self.of(&format!("{}_total", T::MODEL))?.read_as::<T::Total>();
        match rows.pages().next().await {
            Some(page) => Ok(page?.rows.into_iter().next()),
            None => Ok(None),
        }
    }
}

impl<T> Clone for Months<T> {
    fn clone(&self) -> Self {
        let Self { client, id, from, to, refused, .. } = self;
        let (client, id, refused) = (client.clone(), id.clone(), refused.clone());
        Self { client, id, from: *from, to: *to, refused, row: PhantomData }
    }
}

impl<T> fmt::Debug for Months<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Months")
            .field("id", &self.id)
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// Returns whether a text is an id of the catalogue's database.
fn is_object_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(id: &str) -> bool {
    let dashes = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    id.len() == 36 && id.bytes().enumerate().all(dashes)
}

/// Removes the value of a column from a row and parses it. A value that cannot be parsed stays in the row.
fn take<T>(columns: &mut BTreeMap<String, Value>, column: &str, read: fn(&Value) -> Option<T>) -> Option<T> {
    let value = match columns.get(column)? {
        Value::Null => None,
        value => Some(read(value)?),
    };
    columns.remove(column);
    value
}

/// Parses an id, which may be written as a number.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn month(value: &Value) -> Option<Month> {
    value.as_str()?.parse().ok()
}

/// Parses a count, which may be written as a decimal or a text.
fn count(value: &Value) -> Option<i64> {
    let whole = |number: f64| (number.abs() < 9e15).then(|| number.round() as i64);
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.parse().ok().or_else(|| whole(text.parse().ok()?)),
        _ => None,
    }
}

macro_rules! fields {
    ($(
        $(#[$meta:meta])*
        $name:ident { ids { $($id:ident = $id_column:literal,)* } counts { $($(#[$doc:meta])* $count:ident = $count_column:literal,)* } $($month:ident)? }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                #[doc = concat!("`", $id_column, "`.")]
                #[serde(rename = $id_column, skip_serializing_if = "Option::is_none")]
                pub $id: Option<String>,
            )*
            $(
                /// The month (`metric_month`).
                #[serde(rename = "metric_month", skip_serializing_if = "Option::is_none")]
                pub $month: Option<Month>,
            )?
            $(
                $(#[$doc])*
                #[doc = concat!("(`", $count_column, "`); `None` if unknown.")]
                #[serde(rename = $count_column, skip_serializing_if = "Option::is_none")]
                pub $count: Option<i64>,
            )*
            /// Columns without a field, the row number (`__id`), and values that do not fit their field.
            #[serde(flatten)]
            pub other: BTreeMap<String, Value>,
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut other = BTreeMap::deserialize(deserializer)?;
                Ok(Self {
                    $($id: take(&mut other, $id_column, id),)*
                    $($month: take(&mut other, "metric_month", month),)?
                    $($count: take(&mut other, $count_column, count),)*
                    other,
                })
            }
        }
    )*};
}

fields! {
    /// The metrics of a dataset in one month.
    DatasetMonth {
        ids { dataset_id = "dataset_id", organization_id = "organization_id", }
        counts {
            /// Visits of its page
            visits = "monthly_visit",
            /// Downloads of its files
            downloads = "monthly_download_resource",
        }
        month
    }
    /// The totals of a dataset.
    DatasetTotal {
        ids { dataset_id = "dataset_id", }
        counts {
            /// Visits of its page
            visits = "visit",
            /// Clicks on external links of its page
            outlinks = "outlink",
            /// Downloads of its files
            downloads = "download_resource",
        }
    }
    /// The metrics of a resource in one month.
    ResourceMonth {
        ids { resource_id = "resource_id", dataset_id = "dataset_id", }
        counts {
            /// Downloads
            downloads = "monthly_download_resource",
        }
        month
    }
    /// The totals of a resource.
    ResourceTotal {
        ids { resource_id = "resource_id", dataset_id = "dataset_id", }
        counts {
            /// Downloads
            downloads = "download_resource",
        }
    }
    /// The metrics of an organization in one month.
    OrganizationMonth {
        ids { organization_id = "organization_id", }
        counts {
            /// Visits of the pages of its datasets
            dataset_visits = "monthly_visit_dataset",
            /// Downloads of the files of its datasets
            downloads = "monthly_download_resource",
            /// Visits of the pages of its reuses
            reuse_visits = "monthly_visit_reuse",
            /// Visits of the pages of its dataservices
            dataservice_visits = "monthly_visit_dataservice",
        }
        month
    }
    /// The totals of an organization.
    OrganizationTotal {
        ids { organization_id = "organization_id", }
        counts {
            /// Visits of the pages of its datasets
            dataset_visits = "visit_dataset",
            /// Downloads of the files of its datasets
            downloads = "download_resource",
            /// Visits of the pages of its reuses
            reuse_visits = "visit_reuse",
            /// Visits of the pages of its dataservices
            dataservice_visits = "visit_dataservice",
            /// Clicks on external links of its pages
            outlinks = "outlink",
        }
    }
    /// The metrics of a reuse in one month.
    ReuseMonth {
        ids { reuse_id = "reuse_id", }
        counts {
            /// Visits of its page
            visits = "monthly_visit",
        }
        month
    }
    /// The totals of a reuse.
    ReuseTotal {
        ids { reuse_id = "reuse_id", }
        counts {
            /// Visits of its page
            visits = "visit",
            /// Clicks on external links of its page
            outlinks = "outlink",
        }
    }
    /// The metrics of a dataservice in one month.
    DataserviceMonth {
        ids { dataservice_id = "dataservice_id", }
        counts {
            /// Visits of its page
            visits = "monthly_visit",
        }
        month
    }
    /// The totals of a dataservice.
    DataserviceTotal {
        ids { dataservice_id = "dataservice_id", }
        counts {
            /// Visits of its page
            visits = "visit",
        }
    }
    /// The metrics of the platform as a whole in one month.
    SiteMonth {
        ids {}
        counts {
            /// Visits of pages of datasets
            dataset_visits = "monthly_visit_dataset",
            /// Downloads of files
            downloads = "monthly_download_resource",
            /// Visits of pages of reuses
            reuse_visits = "monthly_visit_reuse",
        }
        month
    }
}

macro_rules! metrics {
    ($($handle:ident, $row:ident $(, $total:ident)?: $model:literal, $key:expr, $id:expr;)*) => {$(
        impl sealed::Sealed for $row {}

        impl Monthly for $row {
            const MODEL: &'static str = $model;
            const KEY: Option<&'static str> = $key;
        }

        $(
            impl Totalled for $row {
                type Total = $total;
            }
        )?

        impl $handle {
            #[doc = concat!("Returns a query of its visits and downloads, by month and in total (the model `", $model, "` of the metrics API).")]
            ///
            /// ```no_run
            /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
            /// let metrics = client.dataset("6512ab34cd56ef7890ab1201").metrics();
            /// let months = metrics.from("2025-01").collect().await?;
            /// # Ok(())
            /// # }
            /// ```
            pub fn metrics(&self) -> Months<$row> {
                let of: fn(&Self) -> (Option<&str>, fn(&str) -> bool) = $id;
                let (id, is_id) = of(self);
                Months::new(&self.client, id, is_id)
            }
        }
    )*};
}

metrics! {
    DatasetHandle, DatasetMonth, DatasetTotal: "datasets", Some("dataset_id"), |it| (Some(&it.id), is_object_id);
    ResourceHandle, ResourceMonth, ResourceTotal: "resources", Some("resource_id"), |it| (Some(&it.id), is_uuid);
    OrganizationHandle, OrganizationMonth, OrganizationTotal:
        "organizations", Some("organization_id"), |it| (Some(&it.id), is_object_id);
    ReuseHandle, ReuseMonth, ReuseTotal: "reuses", Some("reuse_id"), |it| (Some(&it.id), is_object_id);
    DataserviceHandle, DataserviceMonth, DataserviceTotal:
        "dataservices", Some("dataservice_id"), |it| (Some(&it.id), is_object_id);
    SiteHandle, SiteMonth: "site", None, |_| (None, is_object_id);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_does_not_match_leaves_its_field_empty_and_is_kept() {
        let row = json!({"__id": 1, "dataset_id": "a", "metric_month": "2025-13", "monthly_visit": "12.0",
            "monthly_download_resource": {"new": 1}, "organization_id": null});
        let month: DatasetMonth = serde_json::from_value(row.clone()).unwrap();
        assert_eq!(
            (month.visits, month.downloads, month.month, month.dataset_id.as_deref()),
            (Some(12), None, None, Some("a"))
        );
        let written = serde_json::to_value(&month).unwrap();
        for column in ["__id", "metric_month", "monthly_download_resource"] {
            assert_eq!(written[column], row[column]);
        }
    }

    #[test]
    fn a_count_is_a_number_however_it_is_written() {
        for (value, expected) in [
            (json!(3), Some(3)),
            (json!(3.0), Some(3)),
            (json!("3"), Some(3)),
            (json!("3.0"), Some(3)),
            (json!("many"), None),
            (json!("NaN"), None),
            (json!(1e300), None),
            (json!(true), None),
        ] {
            assert_eq!(count(&value), expected, "{value}");
        }
    }
}
