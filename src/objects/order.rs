//! Sort orders of the resources of a dataset.

use std::cmp::Ordering;

use crate::main::types::Resource;

/// A property to sort resources by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceKey {
    /// The time of creation.
    CreatedAt,
    /// The size of the file; unknown comes first.
    Filesize,
    /// The format (`csv`, `json`…); unknown comes first.
    Format,
    /// The time of the last change.
    LastModified,
    /// The media type of the file; unknown comes first.
    Mime,
    /// The title, ignoring case.
    Title,
    /// The type (`main`, `documentation`…).
    Type,
    /// The URL of the file.
    Url,
}

/// A sort order of resources. A [`ResourceKey`] converts to the ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceOrder {
    key: ResourceKey,
    descending: bool,
}

impl ResourceKey {
    /// Sorts in ascending order.
    #[must_use]
    pub fn ascending(self) -> ResourceOrder {
        self.into()
    }

    /// Sorts in descending order.
    #[must_use]
    pub fn descending(self) -> ResourceOrder {
        ResourceOrder { key: self, descending: true }
    }
}

impl From<ResourceKey> for ResourceOrder {
    fn from(key: ResourceKey) -> Self {
        Self { key, descending: false }
    }
}

impl ResourceOrder {
    pub(super) fn compare(self, one: &Resource, other: &Resource) -> Ordering {
        let (one, other) = if self.descending { (other, one) } else { (one, other) };
        match self.key {
            ResourceKey::CreatedAt => one.created_at.to_unix_micros().cmp(&other.created_at.to_unix_micros()),
            ResourceKey::Filesize => one.filesize.cmp(&other.filesize),
            ResourceKey::Format => one.format.cmp(&other.format),
            ResourceKey::LastModified => one.last_modified.to_unix_micros().cmp(&other.last_modified.to_unix_micros()),
            ResourceKey::Mime => one.mime.cmp(&other.mime),
            ResourceKey::Title => one.title.to_lowercase().cmp(&other.title.to_lowercase()),
            ResourceKey::Type => one.type_.as_str().cmp(other.type_.as_str()),
            ResourceKey::Url => one.url.cmp(&other.url),
        }
    }
}
