//! Targets of uploads, and the responses to them.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::checksum::{Algorithm, Checksum};
use super::refused;
use crate::main::types::{
    CommunityResource, Resource, UploadCommunityResourceForm, UploadDatasetResourceForm,
    UploadNewCommunityResourceForm, UploadNewDatasetResourceForm,
};
use crate::transport::call::Call;
use crate::{Client, Error, File, Result};

/// What the server creates from a file: a [`Resource`] or a [`CommunityResource`].
pub trait UploadedFile: Made + DeserializeOwned + Send + 'static {}

impl<T: Made + DeserializeOwned + Send + 'static> UploadedFile for T {}

/// The properties of both that describe the file.
pub trait Made {
    fn id(&self) -> &str;
    fn filesize(&self) -> Option<i64>;
    fn checksum(&self) -> Option<Checksum>;
}

macro_rules! made {
    ($($resource:ident),*) => {$(
        impl Made for $resource {
            fn id(&self) -> &str {
                &self.id
            }

            fn filesize(&self) -> Option<i64> {
                self.filesize
            }

            fn checksum(&self) -> Option<Checksum> {
                self.checksum.as_ref().and_then(Option::from)
            }
        }
    )*};
}

made!(Resource, CommunityResource);

/// Returns an error if the server reports a failure.
pub(super) fn taken(response: &Value) -> Result<()> {
    match response.get("success") {
        Some(Value::Bool(true)) => Ok(()),
        _ => Err(refused(response.get("error").and_then(Value::as_str))),
    }
}

/// Returns the resource in a response, after comparing its file with what was sent.
pub(super) fn made<T: UploadedFile>(mut response: Value, size: u64, checksum: &Checksum) -> Result<T> {
    taken(&response)?;
    if let Some(fields) = response.as_object_mut() {
        fields.remove("success");
    }
    let made: T = resource(response)?;
    if let Some(has) = made.filesize().filter(|has| u64::try_from(*has) != Ok(size)) {
        return Err(Error::corrupt(format!("the server has {has} bytes where {size} were sent")));
    }
    match made.checksum().filter(|has| has.algorithm() == Algorithm::Sha1 && has != checksum) {
        Some(has) => Err(Error::corrupt(format!("the server has {has} where {checksum} was sent"))),
        None => Ok(made),
    }
}

/// Decodes a resource. The response to a part of an upload is not one.
pub(super) fn resource<T: UploadedFile>(resource: Value) -> Result<T> {
    let unreadable = || Error::unreadable("the file was uploaded, and its resource cannot be read");
    let made: T = serde_json::from_value(resource).map_err(|error| unreadable().with_source(error))?;
    if made.id().is_empty() { Err(unreadable()) } else { Ok(made) }
}

/// The target of an upload.
#[derive(Clone, Debug)]
pub(super) enum Target {
    New { dataset: String },
    Resource { dataset: String, id: String },
    NewCommunity { dataset: String },
    Community { id: String },
}

/// The content of a request of an upload.
pub(super) enum Fields {
    Whole(File),
    Part {
        file: File,
        index: u64,
        upload: PartsOf,
    },
    /// The request that combines the parts.
    Last(PartsOf),
}

/// The fields that all requests of an upload in parts share.
#[derive(Clone)]
pub(super) struct PartsOf {
    pub uuid: String,
    pub name: String,
    pub total: u64,
}

/// The fields of all four forms are the same.
macro_rules! form {
    ($form:ident, $fields:expr) => {{
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let of =
            |upload: PartsOf| $form::new().uuid(upload.uuid).filename(upload.name).totalparts(number(upload.total));
        match $fields {
            Fields::Whole(file) => $form::new().file(file),
            Fields::Part { file, index, upload } => {
                let length = file.len();
                of(upload).partindex(number(index)).chunksize(number(length)).file(file)
            }
            Fields::Last(upload) => of(upload),
        }
    }};
}

impl Target {
    /// Returns whether the upload replaces a file, so that repeating it is harmless.
    pub(super) fn replaces(&self) -> bool {
        matches!(self, Self::Resource { .. } | Self::Community { .. })
    }

    /// Returns the dataset, if it is known.
    pub(super) fn dataset(&self) -> Option<&str> {
        match self {
            Self::New { dataset } | Self::Resource { dataset, .. } | Self::NewCommunity { dataset } => Some(dataset),
            Self::Community { .. } => None,
        }
    }

    pub(super) fn call(&self, client: &Client, fields: Fields) -> Call<Value> {
        let main = client.main();
        match self {
            Self::New { dataset } => {
                let body = form!(UploadNewDatasetResourceForm, fields);
                main.upload_new_dataset_resource().dataset(dataset).body(body).call().json()
            }
            Self::Resource { dataset, id } => {
                let body = form!(UploadDatasetResourceForm, fields);
                main.upload_dataset_resource().dataset(dataset).rid(id).body(body).call().json()
            }
            Self::NewCommunity { dataset } => {
                let body = form!(UploadNewCommunityResourceForm, fields);
                main.upload_new_community_resource().dataset(dataset).body(body).call().json()
            }
            Self::Community { id } => {
                let body = form!(UploadCommunityResourceForm, fields);
                main.upload_community_resource().community(id).body(body).call().json()
            }
        }
    }

    /// Returns the existing resources at the target: the one to replace, or those of the dataset.
    pub(super) async fn there(&self, client: &Client) -> Result<Vec<Value>> {
        let main = client.main();
        let one = |value: Value| vec![value];
        let list = |mut value: Value, key: &str| match value.get_mut(key).map(Value::take) {
            Some(Value::Array(all)) => all,
            _ => Vec::new(),
        };
        Ok(match self {
            Self::New { dataset } => {
                let call = main.get_dataset().dataset(dataset).call().json::<Value>();
                list(call.send().await?.into_inner(), "resources")
            }
            Self::Resource { dataset, id } => {
                one(main.get_resource().dataset(dataset).rid(id).call().json::<Value>().send().await?.into_inner())
            }
            Self::NewCommunity { dataset } => {
                // The newest come first.
                let call = main.list_community_resources().dataset(dataset).page_size(100);
                list(call.call().json::<Value>().send().await?.into_inner(), "data")
            }
            Self::Community { id } => {
                one(main.retrieve_community_resource().community(id).call().json::<Value>().send().await?.into_inner())
            }
        })
    }
}

/// Returns whether a resource has a file of this size and checksum.
pub(super) fn has_file(resource: &Value, size: u64, checksum: &Checksum) -> bool {
    let value = resource.get("checksum").and_then(|checksum| checksum.get("value")).and_then(Value::as_str);
    resource.get("filesize").and_then(Value::as_u64) == Some(size) && value == Some(checksum.value())
}

pub(super) fn id_of(resource: &Value) -> Option<&str> {
    resource.get("id").and_then(Value::as_str)
}

/// Returns the retry class of a POST that may be repeated.
pub(super) fn again() -> crate::transport::Repeatable {
    crate::transport::Repeatable::of(&Method::POST, true)
}
