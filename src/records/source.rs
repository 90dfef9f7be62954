//! The records of a resource: from the tabular API, or from its file.

use std::io;
use std::marker::PhantomData;

use futures_util::TryStreamExt;
use serde::de::DeserializeOwned;
use tokio_util::io::StreamReader;

use super::format::Format;
use super::profile::Profile;
use super::stream::RecordStream;
use super::table::Table;
use crate::Result;
use crate::files::{Progress, Rate};
use crate::objects::ResourceHandle;

type Listener = Box<dyn Fn(Progress) + Send + Sync>;

/// The records of a resource; made by [`ResourceHandle::records`].
#[must_use = "records do nothing until they are opened"]
pub struct Records<T> {
    resource: ResourceHandle,
    format: Format,
    from_file: bool,
    untyped: bool,
    listener: Option<Listener>,
    row: PhantomData<fn() -> T>,
}

impl ResourceHandle {
    /// Builds a reading of the rows of the file, deserialized as `T`: from the tabular API if it has them, else from the file
    /// itself. See [the module](crate::records).
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
    /// use datagouv::rows::Row;
    ///
    /// let mut records = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf").records::<Row>().open().await?;
    /// println!("{}", records.source());
    /// while let Some(row) = records.next().await {
    ///     println!("{:?}", row?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn records<T>(&self) -> Records<T> {
        Records {
            resource: self.clone(),
            format: Format::new(),
            from_file: false,
            untyped: false,
            listener: None,
            row: PhantomData,
        }
    }
}

/// What the tabular API has of a resource.
enum Tabular {
    Rows(Option<Profile>),
    None(String),
}

impl<T: DeserializeOwned> Records<T> {
    /// Reads the file even if the tabular API has its rows. The columns have the types of the platform's profile if it is
    /// that of this file.
    pub fn from_file(mut self) -> Self {
        self.from_file = true;
        self
    }

    /// Does not ask for the platform's profile: cells are text, and what the fields of `T` ask for. Implies
    /// [`from_file`](Self::from_file), and needs no API but the catalogue.
    pub fn untyped(mut self) -> Self {
        (self.from_file, self.untyped) = (true, true);
        self
    }

    /// Sets how the file is written, as far as it is known. It does not matter to rows of the tabular API.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets a closure that receives the progress whenever bytes of the file arrive. It should be quick. It is not called for
    /// rows of the tabular API.
    pub fn progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Decides where the rows come from, and finds out how the file is written.
    ///
    /// # Errors
    ///
    /// Returns an error if the resource or its file does not exist, or the file is not CSV
    /// ([`is_decode`](crate::Error::is_decode)).
    pub async fn open(self) -> Result<RecordStream<T>> {
        let (tabular, reason) = match self.tabular().await? {
            Tabular::Rows(profile) if self.from_file => (profile, "`from_file` is set".to_owned()),
            #[cfg(feature = "tabular")]
            Tabular::Rows(_) => return Ok(RecordStream::of_rows(self.resource.rows().without_number().stream())),
            #[cfg(not(feature = "tabular"))]
            Tabular::Rows(profile) => (profile, "the feature `tabular` is off".to_owned()),
            Tabular::None(reason) => (None, reason),
        };
        let file = self.resource.stream().await?;
        let (total, mut bytes, rate) = (file.size(), 0, Rate::start());
        let file = file.map_err(io::Error::other).inspect_ok(move |piece| {
            bytes += piece.len() as u64;
            if let Some(listener) = &self.listener {
                listener(rate.of(bytes, total, u64::from(total == Some(bytes)), Some(1)));
            }
        });
        let table = Table::open(StreamReader::new(file), &self.format, tabular.as_ref()).await?;
        Ok(RecordStream::of_file(table, Some(reason)))
    }

    /// Finds out whether the tabular API has the rows of the file as it is now.
    #[cfg(feature = "tabular")]
    async fn tabular(&self) -> Result<Tabular> {
        if self.untyped {
            return Ok(Tabular::None("`untyped` is set".to_owned()));
        }
        let (analysis, url) = self.resource.analysed().await?;
        if analysis.is_outdated(url.as_deref()) {
            return Ok(Tabular::None("the platform has not imported the file as it is now".to_owned()));
        }
        if !analysis.has_rows() {
            let error = analysis.rows_error().map(ToString::to_string).or_else(|| analysis.error.clone());
            // The table of the file before may be there still.
            if let Some(error) = error {
                return Ok(Tabular::None(format!("the platform could not read the file ({error})")));
            }
        }
        let call = self.resource.client.tabular().get_resource_profile().rid(&self.resource.id).call();
        match call.json::<serde_json::Value>().send().await {
            Ok(profile) => Ok(Tabular::Rows(Profile::of(&profile.into_inner()))),
            Err(error) if error.is_gone() => Ok(Tabular::None("the tabular API no longer has its rows".to_owned())),
            Err(error) if error.is_not_found() => {
                Ok(Tabular::None("the platform has not imported its rows".to_owned()))
            }
            Err(error) => Err(error),
        }
    }

    #[cfg(not(feature = "tabular"))]
    async fn tabular(&self) -> Result<Tabular> {
        Ok(Tabular::None("the feature `tabular` is off".to_owned()))
    }
}
