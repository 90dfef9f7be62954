//! The things of the platform, each by its id: what there is to do with one, from one place.
//!
//! A handle costs nothing until it is used. What it does goes through the generated operations, whose types it
//! gives back; lists are the operations' own builders, so that their parameters and pages are at hand.
//!
//! ```no_run
//! # #[cfg(feature = "main-datasets")]
//! # async fn example(client: datagouv::Client) -> datagouv::Result<()> {
//! use datagouv::main::types::{DatasetFrequency, DatasetInput, ResourceInput};
//!
//! let draft = DatasetInput::new("Trees", "The trees of the city.").private(true).tags(["trees"]);
//! let dataset = client.dataset(client.create_dataset(draft).await?.id);
//! dataset.create_remote(ResourceInput::remote("Trees of 2026", "https://example.org/trees.csv")).await?;
//! dataset.update(|update| update.frequency(DatasetFrequency::Annual).private(false)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Changing
//!
//! `update` reads the thing, gives what was read to a closure as the type of an update, and sends what the closure
//! has changed. Nothing is sent, and what was read is given back, where it has changed nothing.
//!
//! What the closure leaves alone is left out, so that it cannot undo what others change meanwhile: a file that was
//! uploaded, an extra that the platform's analysis has written. The platform keeps what is left out, with one
//! exception that is seen to here: a dataset without tags or temporal coverage in its update would lose them, so
//! they are said again each time.
//!
//! The platform has no way to make sure that nobody else writes between the read and the write. The two follow each
//! other at once, so this is a matter of milliseconds. Where much more time passes between what a user has seen and
//! what they save, `update_unless_changed` compares the time of the last change first, and refuses with an error
//! that [is a conflict](crate::Error::is_conflict).

#[macro_use]
mod shared;

mod analysis;
mod community_resource;
mod dataservice;
mod dataset;
mod discussion;
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
                /// The id or slug that it was made with.
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
    /// A dataset, by its id or slug.
    DatasetHandle, dataset;
    /// A community resource (a file that someone else adds to a dataset), by its id.
    CommunityResourceHandle, community_resource;
    /// An organization, by its id or slug.
    OrganizationHandle, organization;
    /// A reuse, by its id or slug.
    ReuseHandle, reuse;
    /// A dataservice (an API), by its id or slug.
    DataserviceHandle, dataservice;
    /// A topic, by its id or slug.
    TopicHandle, topic;
    /// A user, by their id or slug.
    UserHandle, user;
    /// A discussion, by its id.
    DiscussionHandle, discussion;
    /// A request to transfer something to another owner, by its id.
    TransferHandle, transfer;
    /// A source that the platform harvests, by its id or slug.
    HarvestSourceHandle, harvest_source;
    /// A run of a harvester, by its id.
    HarvestJobHandle, harvest_job;
}

/// A resource (a file of a dataset), by its id.
#[derive(Clone, Debug)]
pub struct ResourceHandle {
    pub(crate) client: Client,
    pub(crate) id: String,
    /// Where it is known, nobody has to ask.
    pub(crate) dataset: Option<String>,
}

/// The holder of the API key.
#[derive(Clone, Debug)]
pub struct MeHandle {
    pub(crate) client: Client,
}

/// The platform as a whole.
#[derive(Clone, Debug)]
pub struct SiteHandle {
    pub(crate) client: Client,
}

impl ResourceHandle {
    /// The id that it was made with.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl DatasetHandle {
    /// A resource of this dataset, by its id.
    #[must_use]
    pub fn resource(&self, id: impl Into<String>) -> ResourceHandle {
        ResourceHandle { client: self.client.clone(), id: id.into(), dataset: Some(self.id.clone()) }
    }
}

impl Client {
    /// A resource (a file of a dataset), by its id. What is done in its dataset asks the platform first which
    /// dataset that is; [`DatasetHandle::resource`] knows.
    #[must_use]
    pub fn resource(&self, id: impl Into<String>) -> ResourceHandle {
        ResourceHandle { client: self.clone(), id: id.into(), dataset: None }
    }

    /// The holder of the API key.
    #[must_use]
    pub fn me(&self) -> MeHandle {
        MeHandle { client: self.clone() }
    }

    /// The platform as a whole.
    #[must_use]
    pub fn site(&self) -> SiteHandle {
        SiteHandle { client: self.clone() }
    }
}
