//! The query of rows, step by step.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;

use serde::de::DeserializeOwned;

use super::encoding::{Query, ROW_NUMBER};
use super::expression::{Aggregate, Condition, Order};
use super::pages::RowPages;
use super::profile::{Aggregation, Asked, Schema};
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
    pub(super) asked: Request,
    row: PhantomData<fn() -> T>,
}

/// What is asked of the rows, whatever they are read as.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub filter: Option<Condition>,
    pub orders: Vec<Order>,
    pub select: Vec<String>,
    pub group_by: Vec<String>,
    pub aggregates: Vec<Aggregate>,
    pub concurrency: NonZeroUsize,
    pub checked: bool,
}

/// How the rows of a query are read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// In exports as CSV of windows on the row number; in a single one where it holds all the rows.
    Windows,
    /// In a single export as CSV where it holds all the rows, in pages otherwise.
    Export {
        /// Why windows do not apply.
        reason: String,
    },
    /// In pages.
    Pages {
        /// Why windows do not apply.
        reason: String,
    },
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Windows => f.write_str("CSV in windows of row numbers"),
            Self::Export { reason } => write!(f, "one CSV export, or pages if it is too long: {reason}"),
            Self::Pages { reason } => write!(f, "pages: {reason}"),
        }
    }
}

impl Request {
    fn order(&self) -> Option<&Order> {
        self.orders.first()
    }

    pub(super) fn aggregates(&self) -> bool {
        !self.aggregates.is_empty() || !self.group_by.is_empty()
    }

    /// Whether the last rows come first; `None` where the order is not that of the row numbers.
    pub(super) fn descends(&self) -> Option<bool> {
        match self.order() {
            None => Some(false),
            Some(order) => (order.column == ROW_NUMBER).then_some(order.descends),
        }
    }

    pub(super) fn reading(&self) -> Reading {
        if self.aggregates() {
            return Reading::Pages {
                reason: "the rows of a query that groups or aggregates have no numbers".to_owned(),
            };
        }
        match self.order() {
            Some(order) if self.descends().is_none() => {
                Reading::Export { reason: format!("the rows are asked for in the order of `{}`", order.column) }
            }
            _ => Reading::Windows,
        }
    }

    /// The filter alone.
    pub(super) fn filtered(&self) -> Result<Query> {
        let mut query = Query::default();
        if let Some(filter) = &self.filter {
            query.filter(filter)?;
        }
        Ok(query)
    }

    /// The query of pages, without their numbers.
    pub(super) fn paged(&self) -> Result<Query> {
        let mut query = self.filtered()?;
        match self.orders.as_slice() {
            [] => {}
            [order] => query.sort(order)?,
            _ => {
                return Err(Error::request("the server sorts by one column: the first, and takes no notice of others"));
            }
        }
        if !self.select.is_empty() {
            if self.aggregates() {
                return Err(Error::request(
                    "a query that groups or aggregates has the columns that these give: select none",
                ));
            }
            query.columns(&self.select)?;
        }
        if let Some(name) = self.group_by.first().filter(|_| self.aggregates.is_empty()) {
            return Err(Error::request(format!("the server does not group by `{name}` alone: aggregate a column too")));
        }
        if let Some(order) = self.order().filter(|order| self.aggregates() && !self.group_by.contains(&order.column)) {
            return Err(Error::request(format!(
                "groups are sorted by a column that they are grouped by, and `{}` is none",
                order.column
            )));
        }
        self.group_by.iter().try_for_each(|column| query.aggregate(column, "groupby"))?;
        self.aggregates.iter().try_for_each(|aggregate| query.aggregate(&aggregate.column, aggregate.operator))?;
        Ok(query)
    }

    /// The columns to export: the row number is needed to go on after a break.
    pub(super) fn exported(&self) -> Vec<String> {
        if self.select.is_empty() || self.hides_number() {
            let number = self.hides_number().then(|| ROW_NUMBER.to_owned());
            return number.into_iter().chain(self.select.iter().cloned()).collect();
        }
        self.select.clone()
    }

    /// Whether the row number is asked for and not handed out.
    pub(super) fn hides_number(&self) -> bool {
        !self.select.is_empty() && !self.select.iter().any(|name| name == ROW_NUMBER)
    }
}

impl<T> Rows<T> {
    pub(crate) fn new(client: &Client, source: Source) -> Self {
        let asked = Request {
            filter: None,
            orders: Vec::new(),
            select: Vec::new(),
            group_by: Vec::new(),
            aggregates: Vec::new(),
            concurrency: NonZeroUsize::MIN.saturating_add(3),
            checked: false,
        };
        Self { client: client.clone(), source, asked, row: PhantomData }
    }

    /// Only rows that satisfy a condition; of several, all.
    pub fn filter(mut self, condition: Condition) -> Self {
        self.asked.filter = Some(match self.asked.filter.take() {
            Some(other) => other.and(condition),
            None => condition,
        });
        self
    }

    /// In an order; in that of the table otherwise. The server sorts by one column.
    ///
    /// Rows that are equal in it come in no order of their own, which pages may tell twice or not at all: where
    /// that matters, read in the order of the table.
    pub fn sort(mut self, order: Order) -> Self {
        self.asked.orders.push(order);
        self
    }

    /// Only some columns, in this order.
    pub fn select<Name: Into<String>>(mut self, columns: impl IntoIterator<Item = Name>) -> Self {
        self.asked.select = columns.into_iter().map(Into::into).collect();
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
        self.asked.select = super::fields::of::<T>();
        self
    }

    /// One row for all rows that have the same values in some columns, with [`aggregate`](Self::aggregate).
    pub fn group_by<Name: Into<String>>(mut self, columns: impl IntoIterator<Item = Name>) -> Self {
        self.asked.group_by = columns.into_iter().map(Into::into).collect();
        self
    }

    /// What to work out of each group, or of all rows where there are no groups. The tabular API does so for some
    /// resources only.
    pub fn aggregate(mut self, aggregates: impl IntoIterator<Item = Aggregate>) -> Self {
        self.asked.aggregates = aggregates.into_iter().collect();
        self
    }

    /// How many requests may be on their way at once; 4 otherwise. Of the windows to come, no more than 4 MiB
    /// each are kept.
    pub fn concurrency(mut self, requests: NonZeroUsize) -> Self {
        self.asked.concurrency = requests;
        self
    }

    /// Holds the query against the profile of the table before it is sent: unknown columns, operators that the type
    /// of a column does not take, aggregation that is not allowed or has no index are errors with a reason.
    ///
    /// The profile is asked for once and kept for five minutes.
    pub fn checked(mut self) -> Self {
        self.asked.checked = true;
        self
    }

    /// How [`stream`](Self::stream) will read the rows, and why. What only the server knows may change it:
    /// [`RowStream::reading`] tells.
    #[must_use]
    pub fn explain(&self) -> Reading {
        self.asked.reading()
    }

    /// How many rows there are.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); also where the query aggregates, since the server does not count groups.
    pub async fn count(&self) -> Result<u64> {
        if self.asked.aggregates() {
            return Err(Error::request("the server does not count groups: read them"));
        }
        self.check().await?;
        let mut query = self.asked.filtered()?;
        // Two rows: the server was seen to answer a page of one with nothing.
        query.page(1, 2);
        let page: Response<Page> = self.source.page(&self.client, &query).send().await?;
        page.meta.total.ok_or_else(|| Error::transport("the server does not tell how many rows there are"))
    }

    /// All rows as the server writes them: CSV in UTF-8, null is empty and the empty text is `""`, booleans are `t`
    /// and `f`, backslashes within quotes are doubled. Without any row there is no header.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); [too long](Error::is_too_long) beyond 50,000 rows.
    pub async fn csv(&self) -> Result<Response<ByteStream>> {
        self.check().await?;
        self.source.csv(&self.client, &self.asked.paged()?).send().await
    }

    /// All rows as the server writes them: an array of JSON. Metrics have none.
    ///
    /// # Errors
    ///
    /// Those of [`send`](crate::Call::send); [too long](Error::is_too_long) beyond 50,000 rows.
    pub async fn json(&self) -> Result<Response<ByteStream>> {
        self.check().await?;
        self.source.json(&self.client, &self.asked.paged()?)?.send().await
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
        Rows { client: self.client, source: self.source, asked: self.asked, row: PhantomData }
    }

    /// What is asked, held against the profile if that was asked for too.
    pub(super) async fn check(&self) -> Result<()> {
        check(&self.client, &self.source, &self.asked).await
    }
}

pub(super) async fn check(client: &Client, source: &Source, asked: &Request) -> Result<()> {
    if !asked.checked {
        return Ok(());
    }
    let Some(schema) = source.schema(client).await? else { return Ok(()) };
    let aggregation = if asked.aggregates() { source.aggregation(client).await? } else { Aggregation::Allowed };
    held_against(&schema, asked, &aggregation)
}

fn held_against(schema: &Schema, asked: &Request, aggregation: &Aggregation) -> Result<()> {
    let asked = Asked {
        filter: asked.filter.as_ref(),
        order: asked.order(),
        select: &asked.select,
        group_by: &asked.group_by,
        aggregates: &asked.aggregates,
    };
    schema.check(&asked, aggregation)
}

impl<T: DeserializeOwned> Rows<T> {
    /// All rows, one after another: the whole table at speed, see [the module](super).
    ///
    /// Nothing is sent before the stream is polled; dropping it ends all that is on its way.
    pub fn stream(self) -> RowStream<T> {
        RowStream::new(self.client, self.source, self.asked)
    }

    /// All rows in pages of JSON, the plain way.
    pub fn pages(self) -> RowPages<T> {
        RowPages::new(self.client, self.source, self.asked)
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
        Self { client: self.client.clone(), source: self.source.clone(), asked: self.asked.clone(), row: PhantomData }
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("source", &self.source).field("asked", &self.asked).finish_non_exhaustive()
    }
}
