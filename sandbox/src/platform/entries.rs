//! The members of lists: datasets, and what there is beside them.

use serde_json::Value;

use super::catalogue::Dataset;
use super::class::Class;
use super::fields::{Fields, text};
use super::objects::{Object, Owned};

/// A member of a list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'a> {
    Dataset(&'a Dataset),
    Object(&'a Object),
}

impl<'a> Entry<'a> {
    pub(super) fn dataset(self) -> Option<&'a Dataset> {
        match self {
            Self::Dataset(dataset) => Some(dataset),
            Self::Object(_) => None,
        }
    }

    pub(super) fn object(self) -> Option<&'a Object> {
        match self {
            Self::Object(object) => Some(object),
            Self::Dataset(_) => None,
        }
    }

    pub(super) fn owned(self) -> Owned<'a> {
        match self {
            Self::Dataset(dataset) => dataset.owned(),
            Self::Object(object) => object.owned(),
        }
    }

    pub(super) fn fields(self) -> &'a Fields {
        match self {
            Self::Dataset(dataset) => &dataset.fields,
            Self::Object(object) => &object.fields,
        }
    }

    pub(super) fn field(self, name: &str) -> &'a Value {
        self.fields().get(name).unwrap_or(&Value::Null)
    }

    pub(super) fn title(self) -> &'a str {
        match self {
            Self::Dataset(dataset) => text(&dataset.fields, "title"),
            Self::Object(object) => object.title(),
        }
    }

    pub(super) fn created(self) -> &'a str {
        match self {
            Self::Dataset(dataset) => &dataset.created_at,
            Self::Object(object) => &object.created,
        }
    }

    pub(super) fn modified(self) -> &'a str {
        match self {
            Self::Dataset(dataset) => &dataset.last_modified,
            Self::Object(object) => &object.modified,
        }
    }

    pub(super) fn is_deleted(self) -> bool {
        match self {
            Self::Dataset(dataset) => dataset.deleted.is_some(),
            Self::Object(object) => object.deleted.is_some(),
        }
    }

    pub(super) fn is_archived(self) -> bool {
        !self.field("archived").is_null() || !self.field("archived_at").is_null()
    }

    /// Whether everybody finds it: in a list, and in a search, which leaves more out.
    pub(super) fn is_visible(self, in_search: bool) -> bool {
        let public = self.field("private") != true && !self.is_deleted();
        match self {
            Self::Dataset(dataset) => dataset.is_visible(),
            Self::Object(object) if in_search => object.is_visible(),
            Self::Object(object) => public && (object.class != Class::Dataservice || !self.is_archived()),
        }
    }

    pub(super) fn badges(self) -> &'a [String] {
        match self {
            Self::Dataset(dataset) => &dataset.badges,
            Self::Object(object) => &object.badges,
        }
    }

    pub(super) fn featured(self) -> bool {
        match self {
            Self::Dataset(dataset) => dataset.fields["featured"] == true,
            Self::Object(object) => object.featured == true,
        }
    }

    pub(super) fn has(self, list: &str, wanted: &str) -> bool {
        let reference = |value: &Value| super::fields::reference(value) == Some(wanted);
        self.field(list).as_array().is_some_and(|values| values.iter().any(reference))
    }

    pub(super) fn resources(self, wanted: impl Fn(&Fields) -> bool) -> bool {
        matches!(self, Self::Dataset(dataset) if dataset.resources.iter().any(|one| wanted(&one.fields)))
    }
}
