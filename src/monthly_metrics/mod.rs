//! Visits and downloads by month, and in all.
//!
//! ```no_run
//! # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
//! let dataset = client.dataset("6512ab34cd56ef7890ab1201");
//! for month in dataset.metrics().from("2025-01").to("2025-06").collect().await? {
//!     println!("{:?}: {:?} visits, {:?} downloads", month.month, month.visits, month.downloads);
//! }
//! if let Some(total) = dataset.metrics().totals().await? {
//!     println!("{} visits in all", total.visits.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A count is `None` where nobody knows it, which is not zero. What these do not ask is asked with
//! [`Client::metrics_of`](crate::Client::metrics_of).

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

/// A row of metrics by month: visits and downloads of something in one month.
pub trait Monthly: DeserializeOwned + sealed::Sealed {
    /// The model of the metrics API that it is a row of.
    const MODEL: &'static str;
    /// The column with the id of what it is about; `None` for the platform as a whole.
    const KEY: Option<&'static str>;
}

/// What has totals beside its months.
pub trait Totalled: Monthly {
    /// A row of the totals.
    type Total: DeserializeOwned;
}

/// The months of something, one after another; made by `metrics()` of its handle.
#[must_use = "a query does nothing until it is sent"]
pub struct Months<T> {
    client: Client,
    id: Option<String>,
    from: Option<Month>,
    to: Option<Month>,
    /// Why nothing is to be sent.
    refused: Option<String>,
    row: PhantomData<fn() -> T>,
}

impl<T> Months<T> {
    fn new(client: &Client, id: Option<&str>, is_id: fn(&str) -> bool) -> Self {
        let refused = id.filter(|id| !is_id(id)).map(|id| {
            format!("`{id}` is no id: metrics know things by their ids and not by their slugs; `get()` tells the id")
        });
        let (client, id) = (client.clone(), id.map(str::to_owned));
        Self { client, id, from: None, to: None, refused, row: PhantomData }
    }

    /// Not before a month (`"2025-01"`). What is no month is the error of sending.
    pub fn from<M: TryInto<Month>>(mut self, month: M) -> Self
    where
        M::Error: Into<Error>,
    {
        self.from = self.read(month);
        self
    }

    /// Not after a month, which is included.
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
            return Err(Error::request(format!("no month is from {from} to {to}")));
        }
        let mut rows = Rows::new(&self.client, Source::Model(model.to_owned()));
        if let (Some(key), Some(id)) = (T::KEY, &self.id) {
            rows = rows.filter(col(key).eq(id));
        }
        Ok(rows)
    }

    /// The query of the months, the oldest first, to be narrowed further.
    ///
    /// # Errors
    ///
    /// Where a month or the id is none.
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

    /// All the months, the oldest first. A month in which nothing was counted may be missing.
    ///
    /// # Errors
    ///
    /// Where a month or the id is none, the environment has no metrics, or the call fails.
    pub async fn collect(&self) -> Result<Vec<T>> {
        // A page holds four years.
        let mut pages: RowPages<T> = self.rows()?.pages();
        let mut months = Vec::new();
        while let Some(page) = pages.next().await {
            months.extend(page?.rows);
        }
        Ok(months)
    }
}

impl<T: Totalled> Months<T> {
    /// What was counted in all, whatever the months; `None` where nothing was.
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

/// Most things have the ids of the platform's database.
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

/// Takes the value of a column out of a row. One that cannot be read stays there.
fn take<T>(columns: &mut BTreeMap<String, Value>, column: &str, read: fn(&Value) -> Option<T>) -> Option<T> {
    let value = match columns.get(column)? {
        Value::Null => None,
        value => Some(read(value)?),
    };
    columns.remove(column);
    value
}

/// An id, also where it is written as a number.
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

/// A count is a whole number, also where it is written as a decimal or as a text.
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
                #[doc = concat!("(`", $count_column, "`); `None` where nobody knows.")]
                #[serde(rename = $count_column, skip_serializing_if = "Option::is_none")]
                pub $count: Option<i64>,
            )*
            /// Columns that came later, the number of the row (`__id`), and values that are not what their column should
            /// hold.
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
    /// A month of a dataset.
    DatasetMonth {
        ids { dataset_id = "dataset_id", organization_id = "organization_id", }
        counts {
            /// How often its page was seen
            visits = "monthly_visit",
            /// How often its files were downloaded
            downloads = "monthly_download_resource",
        }
        month
    }
    /// What was counted of a dataset in all.
    DatasetTotal {
        ids { dataset_id = "dataset_id", }
        counts {
            /// How often its page was seen
            visits = "visit",
            /// How often a link of its page to elsewhere was followed
            outlinks = "outlink",
            /// How often its files were downloaded
            downloads = "download_resource",
        }
    }
    /// A month of a resource.
    ResourceMonth {
        ids { resource_id = "resource_id", dataset_id = "dataset_id", }
        counts {
            /// How often it was downloaded
            downloads = "monthly_download_resource",
        }
        month
    }
    /// What was counted of a resource in all.
    ResourceTotal {
        ids { resource_id = "resource_id", dataset_id = "dataset_id", }
        counts {
            /// How often it was downloaded
            downloads = "download_resource",
        }
    }
    /// A month of an organization.
    OrganizationMonth {
        ids { organization_id = "organization_id", }
        counts {
            /// How often the pages of its datasets were seen
            dataset_visits = "monthly_visit_dataset",
            /// How often the files of its datasets were downloaded
            downloads = "monthly_download_resource",
            /// How often the pages of its reuses were seen
            reuse_visits = "monthly_visit_reuse",
            /// How often the pages of its dataservices were seen
            dataservice_visits = "monthly_visit_dataservice",
        }
        month
    }
    /// What was counted of an organization in all.
    OrganizationTotal {
        ids { organization_id = "organization_id", }
        counts {
            /// How often the pages of its datasets were seen
            dataset_visits = "visit_dataset",
            /// How often the files of its datasets were downloaded
            downloads = "download_resource",
            /// How often the pages of its reuses were seen
            reuse_visits = "visit_reuse",
            /// How often the pages of its dataservices were seen
            dataservice_visits = "visit_dataservice",
            /// How often a link of its pages to elsewhere was followed
            outlinks = "outlink",
        }
    }
    /// A month of a reuse.
    ReuseMonth {
        ids { reuse_id = "reuse_id", }
        counts {
            /// How often its page was seen
            visits = "monthly_visit",
        }
        month
    }
    /// What was counted of a reuse in all.
    ReuseTotal {
        ids { reuse_id = "reuse_id", }
        counts {
            /// How often its page was seen
            visits = "visit",
            /// How often a link of its page to elsewhere was followed
            outlinks = "outlink",
        }
    }
    /// A month of a dataservice.
    DataserviceMonth {
        ids { dataservice_id = "dataservice_id", }
        counts {
            /// How often its page was seen
            visits = "monthly_visit",
        }
        month
    }
    /// What was counted of a dataservice in all.
    DataserviceTotal {
        ids { dataservice_id = "dataservice_id", }
        counts {
            /// How often its page was seen
            visits = "visit",
        }
    }
    /// A month of the platform as a whole.
    SiteMonth {
        ids {}
        counts {
            /// How often pages of datasets were seen
            dataset_visits = "monthly_visit_dataset",
            /// How often files were downloaded
            downloads = "monthly_download_resource",
            /// How often pages of reuses were seen
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
            #[doc = concat!("Its visits and downloads by month, and in all (the model `", $model, "` of the metrics API).")]
            ///
            /// ```no_run
            /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
            /// let months = client.dataset("6512ab34cd56ef7890ab1201").metrics().from("2025-01").collect().await?;
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
    fn a_value_that_does_not_fit_costs_its_field_alone_and_is_kept() {
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
