//! The orders in which the resources of a dataset can be sorted.

use std::cmp::Ordering;

use crate::main::types::Resource;

/// What resources are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResourceKey {
    /// When it was created.
    CreatedAt,
    /// The size of its file; unknown is least.
    Filesize,
    /// Its format (`csv`, `json`…); unknown is least.
    Format,
    /// When it was last changed.
    LastModified,
    /// The media type of its file; unknown is least.
    Mime,
    /// Its title, without regard to capitals.
    Title,
    /// Its type (`main`, `documentation`…).
    Type,
    /// The URL of its file.
    Url,
}

/// An order of resources: a [`ResourceKey`] alone is ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceOrder {
    key: ResourceKey,
    descending: bool,
}

impl ResourceKey {
    /// The least first.
    #[must_use]
    pub fn ascending(self) -> ResourceOrder {
        self.into()
    }

    /// The greatest first.
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
