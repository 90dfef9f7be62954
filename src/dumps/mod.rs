//! The CSV exports of the catalogue, of the whole site or of an organization, as streams of typed rows.
//!
//! ```no_run
//! # #[cfg(feature = "dumps")]
//! # async fn example() -> datagouv::Result<()> {
//! let client = datagouv::Client::new()?;
//! let mut datasets = client.dumps().datasets().filter("tag", "transport").stream();
//! while let Some(dataset) = datasets.next().await {
//!     let dataset = dataset?;
//!     println!("{};{}", dataset.id, dataset.title);
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "arrow")]
mod batches;
mod cell;
mod records;
mod rows;

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::stream;

#[cfg(feature = "arrow")]
pub use self::batches::RecordBatches;
pub use self::rows::{
    DataserviceRow, DatasetRow, DiscussionRow, HarvestRow, OrganizationRow, ResourceRow, ReuseRow, TagRow,
};
use crate::transport::call::Call;
use crate::{ByteStream, Client, Error, Response, Result};
use records::{Record, Records};

/// A row of a [`Dump`]. Only types of this module implement it.
pub trait Row: rows::FromCells + Send + 'static {}

impl<T: rows::FromCells + Send + 'static> Row for T {}

/// The exports of the whole site; made by [`Client::dumps`].
#[derive(Clone, Debug)]
pub struct Dumps {
    client: Client,
}

impl Client {
    /// Returns the CSV exports of the whole catalogue. Nothing is sent.
    #[must_use]
    pub fn dumps(&self) -> Dumps {
        Dumps { client: self.clone() }
    }
}

impl Dumps {
    /// Returns the export of all datasets (`get_site_datasets_csv`). It takes the filters of `list_datasets`: `tag`,
    /// `organization`, `license` and others.
    pub fn datasets(&self) -> Dump<DatasetRow> {
        Dump::new(self.client.main().get_site_datasets_csv().call())
    }

    /// Returns the export of the resources of all datasets (`get_site_resources_csv`). It takes the filters of datasets.
    pub fn resources(&self) -> Dump<ResourceRow> {
        Dump::new(self.client.main().get_site_resources_csv().call())
    }

    /// Returns the export of all organizations (`get_site_organizations_csv`).
    pub fn organizations(&self) -> Dump<OrganizationRow> {
        Dump::new(self.client.main().get_site_organizations_csv().call())
    }

    /// Returns the export of all reuses (`get_site_reuses_csv`).
    pub fn reuses(&self) -> Dump<ReuseRow> {
        Dump::new(self.client.main().get_site_reuses_csv().call())
    }

    /// Returns the export of all dataservices (`get_site_dataservices_csv`).
    pub fn dataservices(&self) -> Dump<DataserviceRow> {
        Dump::new(self.client.main().get_site_dataservices_csv().call())
    }

    /// Returns the export of all harvesters (`get_site_harvests_csv`).
    pub fn harvests(&self) -> Dump<HarvestRow> {
        Dump::new(self.client.main().get_site_harvests_csv().call())
    }

    /// Returns the export of all tags, with the number of uses (`get_site_tags_csv`).
    pub fn tags(&self) -> Dump<TagRow> {
        Dump::new(self.client.main().get_site_tags_csv().call())
    }
}

/// The exports of one organization; made by
/// [`OrganizationHandle::dumps`](crate::objects::OrganizationHandle::dumps).
#[cfg(feature = "main-organizations")]
#[derive(Clone, Debug)]
pub struct OrganizationDumps {
    organization: crate::objects::OrganizationHandle,
}

#[cfg(feature = "main-organizations")]
impl crate::objects::OrganizationHandle {
    /// Returns the CSV exports of the organization. Nothing is sent.
    #[must_use]
    pub fn dumps(&self) -> OrganizationDumps {
        OrganizationDumps { organization: self.clone() }
    }
}

#[cfg(feature = "main-organizations")]
impl OrganizationDumps {
    /// Returns the export of its datasets (`get_datasets_csv`).
    pub fn datasets(&self) -> Dump<DatasetRow> {
        let organization = &self.organization;
        Dump::new(organization.client.main().get_datasets_csv().org(&organization.id).call())
    }

    /// Returns the export of the resources of its datasets (`get_datasets_resources_csv`).
    pub fn resources(&self) -> Dump<ResourceRow> {
        let organization = &self.organization;
        Dump::new(organization.client.main().get_datasets_resources_csv().org(&organization.id).call())
    }

    /// Returns the export of its dataservices (`get_dataservices_csv`).
    pub fn dataservices(&self) -> Dump<DataserviceRow> {
        let organization = &self.organization;
        Dump::new(organization.client.main().get_dataservices_csv().org(&organization.id).call())
    }

    /// Returns the export of the discussions about what it has published (`get_discussions_csv`).
    pub fn discussions(&self) -> Dump<DiscussionRow> {
        let organization = &self.organization;
        Dump::new(organization.client.main().get_discussions_csv().org(&organization.id).call())
    }
}

/// An export that is ready to be read.
///
/// Without a filter, the platform redirects most exports to a file that it writes once a day. With a filter, it generates the
/// export for the request.
#[must_use = "a dump does nothing until it is read"]
pub struct Dump<T> {
    call: Call<ByteStream>,
    row: PhantomData<fn() -> T>,
}

impl<T> Dump<T> {
    fn new(call: Call<ByteStream>) -> Self {
        Self { call, row: PhantomData }
    }

    /// Adds a filter, a query parameter of the operation. Can be called several times.
    pub fn filter(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        Self::new(self.call.query(name, value))
    }

    /// Returns the export as bytes: CSV in UTF-8, with `;` as the delimiter.
    ///
    /// # Errors
    ///
    /// Returns an error if the call fails.
    pub async fn bytes(self) -> Result<Response<ByteStream>> {
        self.call.send().await
    }
}

impl<T: Row> Dump<T> {
    /// Returns the rows as a stream, in constant memory. The request is sent when the stream is first polled. An error ends
    /// the stream.
    pub fn stream(self) -> DumpStream<T> {
        let rows = stream::try_unfold(Reading::<T>::Unsent(self.call), |reading| async move {
            let mut rows = match reading {
                Reading::Unsent(call) => Rows::open(call).await?,
                Reading::Open(rows) => *rows,
            };
            Ok(rows.next().await?.map(|row| (row, Reading::Open(Box::new(rows)))))
        });
        DumpStream { rows: Box::pin(rows) }
    }
}

impl<T> fmt::Debug for Dump<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dump").field(&self.call).finish()
    }
}

/// The rows of an export, a [`Stream`]; made by [`Dump::stream`].
#[must_use = "a stream does nothing until it is read"]
pub struct DumpStream<T> {
    rows: Pin<Box<dyn Stream<Item = Result<T>> + Send>>,
}

impl<T> DumpStream<T> {
    /// Returns the next row, or `None` at the end.
    pub async fn next(&mut self) -> Option<Result<T>> {
        std::future::poll_fn(|context| self.rows.as_mut().poll_next(context)).await
    }
}

impl<T> Stream for DumpStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.rows.as_mut().poll_next(context)
    }
}

impl<T> fmt::Debug for DumpStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DumpStream")
    }
}

enum Reading<T> {
    Unsent(Call<ByteStream>),
    Open(Box<Rows<T>>),
}

struct Rows<T> {
    records: Records<ByteStream>,
    columns: Vec<String>,
    operation: &'static str,
    row: PhantomData<fn() -> T>,
}

impl<T: Row> Rows<T> {
    async fn open(call: Call<ByteStream>) -> Result<Self> {
        let operation = call.operation().name;
        let body = call.send().await?.into_inner();
        let mut rows = Self { records: Records::new(body, b';'), columns: Vec::new(), operation, row: PhantomData };
        if let Some(header) = rows.record().await? {
            rows.columns = header.cells().map(str::to_owned).collect();
        }
        // An HTML page (maintenance, login) would otherwise be an empty table.
        if !rows.columns.iter().any(|column| T::COLUMNS.contains(&column.as_str())) {
            return Err(rows.unreadable("the response is not this export: it has none of its columns"));
        }
        Ok(rows)
    }

    async fn next(&mut self) -> Result<Option<T>> {
        let Some(record) = self.full_record().await? else { return Ok(None) };
        Ok(Some(T::from_cells(self.columns.iter().map(String::as_str).zip(record.cells()))))
    }

    /// The next record, which has a cell for each column.
    async fn full_record(&mut self) -> Result<Option<Record>> {
        let Some(record) = self.record().await? else { return Ok(None) };
        if record.len() != self.columns.len() {
            let line = self.records.line();
            let (cells, columns) = (record.len(), self.columns.len());
            return Err(self.unreadable(format!("the row before line {line} has {cells} cells for {columns} columns")));
        }
        Ok(Some(record))
    }

    async fn record(&mut self) -> Result<Option<Record>> {
        self.records.next().await.map_err(|error| error.of_operation(self.operation))
    }

    fn unreadable(&self, message: impl Into<String>) -> Error {
        Error::unreadable(message).of_operation(self.operation)
    }
}
