//! The things of the platform, each by its id: what there is to do with one, from one place.
//!
//! A handle costs nothing until it is used.

use crate::Client;

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
    /// A resource (a file of a dataset), by its id.
    ResourceHandle, resource;
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
}
