//! Handles to the objects of the platform: datasets, resources, organizations, reuses and others.
//!
//! A handle holds an id or a slug; creating one sends nothing. Its methods call the generated operations, named in the
//! description of each method, and return their types. Methods that return a builder leave its parameters, `send()`,
//! `pages()` and `items()` to the caller.
//!
//! ```no_run
//! # #[cfg(feature = "main-datasets")]
//! # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
//! use datagouv::main::types::{DatasetFrequency, DatasetInput, ResourceInput};
//!
//! let input = DatasetInput::new("Trees", "The trees of the city.").private(true);
//! let dataset = client.dataset(client.create_dataset(input).await?.id);
//! let file = ResourceInput::remote("Trees of 2026", "https://example.org/trees.csv");
//! dataset.create_remote(file).await?;
//! dataset.update(|update| update.frequency(DatasetFrequency::Annual).private(false)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Updates
//!
//! `update` reads the object, converts it to the type of an update, passes that to a closure, and sends the properties that
//! the closure changed. If it changed none, nothing is sent and the object is returned as read.
//!
//! Unchanged properties are not sent, so that the update cannot undo concurrent changes: a file that was uploaded, an extra
//! that the platform's analysis wrote. The platform keeps properties that are not sent, with one exception, which `update`
//! handles: an update of a dataset without tags or temporal coverage removes them, so both are always sent.
//!
//! The platform has no conditional writes. The write follows the read within milliseconds. If more time passes between what
//! a user saw and what they save, use `update_unless_changed`: it compares the time of the last change first, and returns an
//! error for which [`is_conflict`](crate::Error::is_conflict) is true.
//!
//! See [the guide](crate::guide::editing) for a complete program.

#[macro_use]
mod shared;

mod analysis;
mod community_resource;
mod dataservice;
mod dataset;
mod discussion;
#[cfg(feature = "main-datasets")]
pub(crate) mod file_url;
mod harvest;
mod me;
#[cfg(feature = "main-datasets")]
mod order;
mod organization;
mod resource;
mod reuse;
mod search;
mod site;
mod topic;
mod transfer;
mod user;
mod wait;

use crate::Client;

pub use analysis::{Analysis, Export, ParsingError};
#[cfg(feature = "main-datasets")]
pub use order::{ResourceKey, ResourceOrder};
#[cfg(feature = "main-v2")]
pub use search::{Facet, Search};
pub use wait::Wait;

macro_rules! handles {
    ($($(#[$meta:meta])* $name:ident, $method:ident;)*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug)]
            pub struct $name {
                pub(crate) client: Client,
                pub(crate) id: String,
            }

            impl $name {
                /// Returns the id or slug that the handle was made with.
                #[must_use]
                pub fn id(&self) -> &str {
                    &self.id
                }
            }
        )*

        impl Client {
            $(
                $(#[$meta])*
                #[must_use]
                pub fn $method(&self, id: impl Into<String>) -> $name {
                    $name { client: self.clone(), id: id.into() }
                }
            )*
        }
    };
}

handles! {
    /// A handle to a dataset, by its id or slug.
    DatasetHandle, dataset;
    /// A handle to a community resource (a file that someone else adds to a dataset), by its id.
    CommunityResourceHandle, community_resource;
    /// A handle to an organization, by its id or slug.
    OrganizationHandle, organization;
    /// A handle to a reuse, by its id or slug.
    ReuseHandle, reuse;
    /// A handle to a dataservice (an API), by its id or slug.
    DataserviceHandle, dataservice;
    /// A handle to a topic, by its id or slug.
    TopicHandle, topic;
    /// A handle to a user, by their id or slug.
    UserHandle, user;
    /// A handle to a discussion, by its id.
    DiscussionHandle, discussion;
    /// A handle to a request to transfer an object to another owner, by its id.
    TransferHandle, transfer;
    /// A handle to a source that the platform harvests, by its id or slug.
    HarvestSourceHandle, harvest_source;
    /// A handle to a run of a harvester, by its id.
    HarvestJobHandle, harvest_job;
}

/// A handle to a resource (a file of a dataset), by its id.
#[derive(Clone, Debug)]
pub struct ResourceHandle {
    pub(crate) client: Client,
    pub(crate) id: String,
    /// The dataset, if known; otherwise it is looked up.
    pub(crate) dataset: Option<String>,
}

/// A handle to the holder of the API key.
#[derive(Clone, Debug)]
pub struct MeHandle {
    pub(crate) client: Client,
}

/// A handle to the platform as a whole.
#[derive(Clone, Debug)]
pub struct SiteHandle {
    pub(crate) client: Client,
}

impl ResourceHandle {
    /// Returns the id that the handle was made with.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl DatasetHandle {
    /// Returns a handle to a resource of this dataset, by its id.
    #[must_use]
    pub fn resource(&self, id: impl Into<String>) -> ResourceHandle {
        ResourceHandle { client: self.client.clone(), id: id.into(), dataset: Some(self.id.clone()) }
    }
}

impl Client {
    /// Returns a handle to a resource (a file of a dataset), by its id.
    ///
    /// Methods that need the dataset look it up first; [`DatasetHandle::resource`] saves that call.
    #[must_use]
    pub fn resource(&self, id: impl Into<String>) -> ResourceHandle {
        ResourceHandle { client: self.clone(), id: id.into(), dataset: None }
    }

    /// Returns a handle to the holder of the API key.
    #[must_use]
    pub fn me(&self) -> MeHandle {
        MeHandle { client: self.clone() }
    }

    /// Returns a handle to the platform as a whole.
    #[must_use]
    pub fn site(&self) -> SiteHandle {
        SiteHandle { client: self.clone() }
    }
}
