//! A check of the caller's before a file is published.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use super::Upload;
use super::target::Target;
use crate::main::types::Schema;
use crate::{Client, Error, File, Result};

type CheckError = Box<dyn StdError + Send + Sync>;

pub(super) type Check = Box<dyn FnOnce(UnpublishedFile) -> BoxFuture<'static, Result<(), CheckError>> + Send + Sync>;

/// A file that is about to be uploaded; see [`Upload::check`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnpublishedFile {
    /// The file.
    pub file: File,
    /// The schema of the resource whose file is replaced, else that of the dataset, if one is named
    /// ([schema.data.gouv.fr](https://schema.data.gouv.fr)).
    pub schema: Option<Schema>,
}

impl UnpublishedFile {
    /// Reads the file into memory.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read, or if it was made from a reader or stream, which can be read only once.
    pub async fn bytes(&self) -> Result<Bytes> {
        if self.file.is_read_once() {
            return Err(Error::request(format!(
                "`{}` comes from a reader and can be read only once: check it before, or make it from a path or bytes",
                self.file.name()
            )));
        }
        let read: std::io::Result<BytesMut> = self
            .file
            .stream()?
            .try_fold(BytesMut::new(), |mut all, bytes| async move {
                all.extend_from_slice(&bytes);
                Ok(all)
            })
            .await;
        let all = read.map_err(|error| Error::request("the file cannot be read").with_source(error))?;
        Ok(all.freeze())
    }
}

impl<T> Upload<T> {
    /// Sets a check that the file has to pass before anything of it is sent, such as a validation against the schema that the
    /// resource or the dataset names.
    ///
    /// ```no_run
    /// # async fn example(client: datagouv::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use datagouv::File;
    ///
    /// let file = File::from_path("bornes.csv").await?;
    /// let upload = client.dataset("a-slug-or-id").upload(file).check(|unpublished| async move {
    ///     let text = unpublished.bytes().await?;
    ///     if !text.starts_with(b"nom_amenageur,") {
    ///         return Err("the first column is not `nom_amenageur`".into());
    ///     }
    ///     Ok(())
    /// });
    /// let made = upload.send().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If it fails, [`send`](Self::send) returns its error as the source of one for which [`Error::is_refused`] is true.
    pub fn check<F, Checked>(mut self, check: F) -> Self
    where
        F: FnOnce(UnpublishedFile) -> Checked + Send + Sync + 'static,
        Checked: Future<Output = Result<(), CheckError>> + Send + 'static,
    {
        self.check = Some(Box::new(move |file| Box::pin(check(file))));
        self
    }
}

/// Runs a check.
pub(super) async fn run(check: Check, client: &Client, target: &Target, file: &File) -> Result<()> {
    let schema = schema(client, target).await?;
    let outcome = check(UnpublishedFile { file: file.clone(), schema }).await;
    outcome.map_err(|error| Error::check_failed(file.name(), error))
}

/// Returns the schema of the resource, else that of the dataset.
async fn schema(client: &Client, target: &Target) -> Result<Option<Schema>> {
    #[derive(Deserialize)]
    struct Dataset {
        schema: Option<Schema>,
    }
    let schema_of = |resource: &Value| -> Option<Schema> {
        serde_json::from_value(resource.get("schema").filter(|schema| !schema.is_null())?.clone()).ok()
    };
    if target.replaces()
        && let Some(schema) = target.there(client).await?.first().and_then(schema_of)
    {
        return Ok(Some(schema));
    }
    let Some(dataset) = target.dataset() else { return Ok(None) };
    let call = client.main().get_dataset().dataset(dataset).x_fields("schema").call();
    Ok(call.json::<Dataset>().send().await?.into_inner().schema)
}
