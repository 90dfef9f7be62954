//! The query of rows, step by step.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;

use serde::de::DeserializeOwned;

use super::check::check;
use super::encoding::Query;
use super::expression::Condition;
use super::open;
use super::order::{Aggregate, Order};
use super::pages::RowPages;
use super::plan::Plan;
use super::request::Request;
use super::source::{Page, Source};
use super::stream::RowStream;
use crate::{ByteStream, Client, Error, Response, Result};

/// A query of the rows of a table; made by [`ResourceHandle::rows`](crate::objects::ResourceHandle) and
/// [`Client::metrics_of`].
///
/// ```no_run
/// # #[cfg(feature = "tabular")]
/// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
/// use datagouv::rows::{Row, avg, col, count};
///
/// let by_town = client
///     .resource("3f5e1c2a-7b4d-4e6f-8a90-1b2c3d4e5f60")
///     .rows::<Row>()
///     .filter(col("acces_libre").eq(true))
///     .group_by(["commune"])
///     .aggregate([count("id_pdc"), avg("puissance")])
///     .collect(1_000)
///     .await?;
/// for town in by_town {
///     println!("{}: {} points, {} kW", town["commune"], town["id_pdc__count"], town["puissance__avg"]);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a query does nothing until it is read"]
pub struct Rows<T> {
    pub(super) client: Client,
    pub(super) source: Source,
    pub(super) request: Request,
    row: PhantomData<fn() -> T>,
}

impl<T> Rows<T> {
    pub(crate) fn new(client: &Client, source: Source) -> Self {
        Self { client: client.clone(), source, request: Request::default(), row: PhantomData }
    }

    /// Only rows that satisfy a condition; of several, all.
    pub fn filter(mut self, condition: Condition) -> Self {
        self.request.filter = Some(match self.request.filter.take() {
            Some(other) => other.and(condition),
            None => condition,
        });
        self
    }

    /// Sorts the rows by a column; called again, rows that are equal in the columns before are sorted by another.
    /// Without a call the rows come in the order of the table.
    ///
    /// Rows that are equal in all of them come in the order of the table; groups, in that of the other columns that they
    /// are grouped by.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tabular")]
    /// # fn example(client: datagouv::Client) {
    /// use datagouv::rows::{Row, col};
    ///
    /// let stations = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf").rows::<Row>();
    /// let sorted = stations.sort(col("puissance").desc().nulls_last()).sort(col("commune").asc());
    /// # let _ = sorted;
    /// # }
    /// ```
    pub fn sort(mut self, order: Order) -> Self {
        self.request.orders.push(order);
        self
    }

    /// At most so many rows, the first of the order. A number that a page holds is one request.
    ///
    /// [`count`](Self::count), [`csv`](Self::csv) and [`json`](Self::json) are not limited.
    pub fn limit(mut self, rows: u64) -> Self {
        self.request.limit = Some(rows);
        self
    }

    /// Only some columns, in this order.
    pub fn select<Name: Into<String>>(mut self, columns: impl IntoIterator<Item = Name>) -> Self {
        self.request.select = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Only the columns that the type of the rows has fields for, as serde names them.
    ///
    /// A type that is no struct, or that flattens another into itself, does not tell its columns: all come. An
    /// alias of a field is asked for too, and refused by the server where there is no such column:
    /// [`select`](Self::select) by hand there.
    pub fn select_fields(mut self) -> Self
    where
        T: DeserializeOwned,
    {
        self.request.select = super::fields::of::<T>();
        self
    }

    /// One row for all rows that have the same values in some columns, with [`aggregate`](Self::aggregate).
    pub fn group_by<Name: Into<String>>(mut self, columns: impl IntoIterator<Item = Name>) -> Self {
        self.request.group_by = columns.into_iter().map(Into::into).collect();
        self
    }

    /// What to work out of each group, or of all rows where there are no groups. The tabular API does so for some
    /// resources only.
    pub fn aggregate(mut self, aggregates: impl IntoIterator<Item = Aggregate>) -> Self {
        self.request.aggregates = aggregates.into_iter().collect();
        self
    }

    /// How many requests may be on their way at once; 4 otherwise. Of the windows to come, no more than 4 MiB
    /// each are kept.
    pub fn concurrency(mut self, requests: NonZeroUsize) -> Self {
        self.request.concurrency = requests;
        self
    }

    /// Checks the query against the profile of the table before it is sent: unknown columns, operators that the type
    /// of a column does not take, aggregation that is not allowed or has no index are errors with a reason. A
    /// [stream](Self::stream) then has all [warnings](RowStream::warnings) that [`explain`](Self::explain) gives.
    ///
    /// The profile is requested once and kept for five minutes.
    pub fn checked(mut self) -> Self {
        self.request.checked = true;
        self
    }

    /// Tells how [`stream`](Self::stream) will read the rows and why, and what may be wrong with them.
    ///
    /// It reads the profile of the table (`getResourceProfile`) and what the catalogue knows of the resource
    /// (`get_resource` of v2, where the client has its API). What only the server knows may change the reading:
    /// [`RowStream::reading`] tells.
    ///
    /// # Errors
    ///
    /// Where the query cannot be sent, or the server knows no such table.
    pub async fn explain(&self) -> Result<Plan> {
        open::explain(&self.client, &self.source, &self.request).await
    }

    /// Returns how many rows match, whatever the [limit](Self::limit).
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); also where the query aggregates, since the server does not count groups, and
    /// where the condition is one that the client has to check ([`Condition`]).
    pub async fn count(&self) -> Result<u64> {
        if self.request.aggregates() {
            return Err(Error::request("the server does not count groups: read them"));
        }
        self.check().await?;
        // The order does not matter to a number.
        let unsorted = Request { orders: Vec::new(), ..self.request.clone() };
        let mut total = 0_u64;
        for part in unsorted.parts()? {
            let mut query = part.exactly_filtered("counting the rows")?;
            // Two rows: the server was seen to answer a page of one with nothing.
            query.page(1, 2);
            let page: Response<Page> = self.source.page(&self.client, &query).send().await?;
            let counted = page.meta.total;
            total += counted.ok_or_else(|| Error::transport("the server does not tell how many rows there are"))?;
        }
        Ok(total)
    }

    /// All rows as the server writes them: CSV in UTF-8, null is empty and the empty text is `""`, booleans are `t`
    /// and `f`, backslashes within quotes are doubled. Without any row there is no header.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); [too long](Error::is_too_long) beyond 50,000 rows.
    pub async fn csv(&self) -> Result<Response<ByteStream>> {
        let query = self.exported("an export as it is")?;
        self.check().await?;
        match self.source.csv(&self.client, &query).send().await {
            Err(error) => Err(self.with_reason(error, query).await),
            export => export,
        }
    }

    /// All rows as the server writes them: an array of JSON. Metrics have none.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); [too long](Error::is_too_long) beyond 50,000 rows.
    pub async fn json(&self) -> Result<Response<ByteStream>> {
        let query = self.exported("an export as it is")?;
        self.check().await?;
        match self.source.json(&self.client, &query)?.send().await {
            Err(error) => Err(self.with_reason(error, query).await),
            export => export,
        }
    }

    /// The error of an export. Those of the database come without their reason there, which a page has.
    async fn with_reason(&self, error: Error, mut query: Query) -> Error {
        if !error.lacks_reason() {
            return error;
        }
        query.page(1, 2);
        self.source.page(&self.client, &query).send().await.err().unwrap_or(error)
    }

    fn exported(&self, purpose: &str) -> Result<Query> {
        let query = self.request.exactly_filtered(purpose)?;
        self.request.paged(query, &[])
    }

    /// The same rows, read as another type.
    ///
    /// ```no_run
    /// # #[cfg(feature = "tabular")]
    /// # fn example(client: datagouv::Client) {
    /// use datagouv::rows::Row;
    ///
    /// let untyped = client.resource("3f5e1c2a-7b4d-4e6f-8a90-1b2c3d4e5f60").rows::<Row>();
    /// let typed = untyped.read_as::<std::collections::BTreeMap<String, Option<String>>>();
    /// # let _ = typed;
    /// # }
    /// ```
    pub fn read_as<U>(self) -> Rows<U> {
        Rows { client: self.client, source: self.source, request: self.request, row: PhantomData }
    }

    async fn check(&self) -> Result<()> {
        check(&self.client, &self.source, &self.request).await
    }
}

impl<T: DeserializeOwned> Rows<T> {
    /// All rows, one after another: the whole table at speed, see [the module](super).
    ///
    /// Nothing is sent before the stream is polled; dropping it ends all that is on its way.
    pub fn stream(self) -> RowStream<T> {
        RowStream::new(self.client, self.source, self.request)
    }

    /// The first row, if there is one: one request.
    ///
    /// # Errors
    ///
    /// Those of the [stream](Self::stream).
    pub async fn first(self) -> Result<Option<T>> {
        self.limit(1).stream().next().await.transpose()
    }

    /// All rows in pages of JSON, the plain way. The [limit](Self::limit) ends them with the page that reaches it.
    pub fn pages(self) -> RowPages<T> {
        RowPages::new(self.client, self.source, self.request)
    }

    /// All rows at once, of which there may not be more than a number.
    ///
    /// # Errors
    ///
    /// Those of the [stream](Self::stream); also where there are more rows.
    pub async fn collect(self, most: usize) -> Result<Vec<T>> {
        let mut stream = self.stream();
        let mut rows = Vec::new();
        while let Some(row) = stream.next().await {
            if rows.len() == most {
                return Err(Error::transport(format!(
                    "there are more than {most} rows: ask for fewer, or stream them"
                )));
            }
            rows.push(row?);
        }
        Ok(rows)
    }
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            source: self.source.clone(),
            request: self.request.clone(),
            row: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("source", &self.source).field("request", &self.request).finish_non_exhaustive()
    }
}
