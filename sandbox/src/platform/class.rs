//! The classes of objects.

/// The kinds of objects, by their names in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Dataset,
    Reuse,
    Dataservice,
    Topic,
    Organization,
    User,
}

impl Class {
    pub(crate) const ALL: [Self; 6] =
        [Self::Dataset, Self::Reuse, Self::Dataservice, Self::Topic, Self::Organization, Self::User];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dataset => "Dataset",
            Self::Reuse => "Reuse",
            Self::Dataservice => "Dataservice",
            Self::Topic => "Topic",
            Self::Organization => "Organization",
            Self::User => "User",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// The part of paths that such objects have.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Dataset => "datasets",
            Self::Reuse => "reuses",
            Self::Dataservice => "dataservices",
            Self::Topic => "topics",
            Self::Organization => "organizations",
            Self::User => "users",
        }
    }

    /// The property that the slug is made of.
    pub(crate) fn titled_by(self) -> &'static str {
        match self {
            Self::Topic | Self::Organization => "name",
            _ => "title",
        }
    }
}
