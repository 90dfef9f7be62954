//! The datasets that a mirror follows.

use std::fmt;

use futures_util::TryStreamExt;

use crate::main::builder::ListDatasets;
use crate::main::types::Dataset;
#[cfg(feature = "main-organizations")]
use crate::objects::OrganizationHandle;
#[cfg(feature = "main-v2")]
use crate::objects::TopicHandle;
use crate::{Client, Error, Result};

/// Where the datasets are listed.
#[derive(Clone)]
pub(super) enum Source {
    Dataset(String),
    #[cfg(feature = "main-organizations")]
    Organization(OrganizationHandle),
    #[cfg(feature = "main-v2")]
    Topic(TopicHandle),
    /// By the query of `list_datasets`; the message of the error if it cannot be built.
    List(Result<String, String>),
}

impl Source {
    pub(super) fn list_of(list: ListDatasets<'_>) -> Self {
        Self::List(list.call().into_query().map_err(|error| error.to_string()))
    }

    /// Whether there are several datasets, each with a folder of its own.
    pub(super) fn has_folders(&self) -> bool {
        !matches!(self, Self::Dataset(_))
    }

    /// Reads all datasets. An error of one page is that of all: otherwise the files of that page would be taken for orphans.
    pub(super) async fn list(&self, client: &Client) -> Result<Vec<Dataset>> {
        let list = client.main().list_datasets();
        match self {
            Self::Dataset(id) => Ok(vec![client.main().get_dataset().dataset(id).send().await?.into_inner()]),
            // The filters take ids and refuse slugs.
            #[cfg(feature = "main-organizations")]
            Self::Organization(organization) => {
                list.organization(organization.object_id().await?).items().try_collect().await
            }
            #[cfg(feature = "main-v2")]
            Self::Topic(topic) => list.topic(topic.looked_up_id().await?).items().try_collect().await,
            Self::List(query) => {
                let query = query.as_ref().map_err(Error::request)?;
                let list = list.call().map_request(|request| {
                    request.url_mut().set_query(Some(query).filter(|query| !query.is_empty()).map(String::as_str));
                    Ok(())
                });
                list.items().try_collect().await
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dataset(id) => f.debug_tuple("Dataset").field(id).finish(),
            #[cfg(feature = "main-organizations")]
            Self::Organization(organization) => f.debug_tuple("Organization").field(organization).finish(),
            #[cfg(feature = "main-v2")]
            Self::Topic(topic) => f.debug_tuple("Topic").field(topic).finish(),
            Self::List(query) => f.debug_tuple("List").field(query).finish(),
        }
    }
}
