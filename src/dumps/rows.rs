//! Types of rows, with the columns that the platform writes today.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::cell::Cell;
use crate::DateTime;
#[cfg(feature = "arrow")]
use crate::codec::columns::{Column, ColumnType, Unfit};

/// The type of a column, and what appends a cell to it.
#[cfg(feature = "arrow")]
pub type Writer = (ColumnType, fn(&str, &mut Column) -> Result<(), Unfit>);

/// A row that is built from named cells.
pub trait FromCells: Sized {
    /// The columns that have a field.
    const COLUMNS: &'static [&'static str];

    /// How the cells of these columns are written into columns of Arrow.
    #[cfg(feature = "arrow")]
    const WRITERS: &'static [Writer];

    /// Builds the row.
    fn from_cells<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Self;
}

macro_rules! rows {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty = $column:literal,)* })*) => {$(
        $(#[$meta])*
        ///
        /// Columns that the export lacks are `None` or empty. Columns without a field, and cells that do not fit their
        /// field, are in `other` as text.
        #[derive(Clone, Debug, Default, PartialEq, Serialize)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* #[serde(rename = $column)] pub $field: $type,)*
            /// Cells of columns without a field, and cells that do not fit their field.
            #[serde(flatten)]
            pub other: BTreeMap<String, String>,
        }

        impl FromCells for $name {
            const COLUMNS: &'static [&'static str] = &[$($column),*];

            #[cfg(feature = "arrow")]
            const WRITERS: &'static [Writer] = &[$((<$type as Cell>::TYPE, <$type as Cell>::write)),*];

            fn from_cells<'a>(cells: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
                let mut row = Self::default();
                for (column, text) in cells {
                    let known = match column {
                        $($column => <$type as Cell>::read(text).map(|value| row.$field = value).is_some(),)*
                        _ => false,
                    };
                    if !known {
                        row.other.insert(column.to_owned(), text.to_owned());
                    }
                }
                row
            }
        }
    )*};
}

rows! {
    /// A dataset of an export.
    DatasetRow {
        /// Its id.
        id: String = "id",
        /// Its title.
        title: String = "title",
        /// Its name in URLs.
        slug: String = "slug",
        /// Its acronym.
        acronym: Option<String> = "acronym",
        /// The URL of its page.
        url: String = "url",
        /// The name of the organization that it belongs to.
        organization: Option<String> = "organization",
        /// The id of the organization that it belongs to.
        organization_id: Option<String> = "organization_id",
        /// The slug of the user that it belongs to.
        owner: Option<String> = "owner",
        /// The id of the user that it belongs to.
        owner_id: Option<String> = "owner_id",
        /// Its description, in Markdown.
        description: String = "description",
        /// Its short description.
        description_short: Option<String> = "description_short",
        /// Its update frequency.
        frequency: String = "frequency",
        /// The title of its licence.
        license: Option<String> = "license",
        /// The first day of its temporal coverage.
        temporal_coverage_start: Option<DateTime> = "temporal_coverage.start",
        /// The last day of its temporal coverage.
        temporal_coverage_end: Option<DateTime> = "temporal_coverage.end",
        /// Its spatial granularity.
        spatial_granularity: Option<String> = "spatial.granularity",
        /// The names of the zones of its spatial coverage, separated by commas, which names may contain too.
        spatial_zones: Option<String> = "spatial.zones",
        /// The geometry of its spatial coverage, in GeoJSON.
        spatial_geom: Option<Value> = "spatial.geom",
        /// Whether the platform features it.
        featured: bool = "featured",
        /// When it was created.
        created_at: Option<DateTime> = "created_at",
        /// When it was last changed.
        last_modified: Option<DateTime> = "last_modified",
        /// Its badges.
        badges: Vec<String> = "badges",
        /// Its tags.
        tags: Vec<String> = "tags",
        /// When it was archived.
        archived: Option<DateTime> = "archived",
        /// The number of resources.
        resources_count: i64 = "resources_count",
        /// The number of resources that are main files.
        main_resources_count: i64 = "main_resources_count",
        /// Their formats.
        resources_formats: Vec<String> = "resources_formats",
        /// The backend of the harvester that imported it.
        harvest_backend: Option<String> = "harvest.backend",
        /// The host that it was harvested from.
        harvest_domain: Option<String> = "harvest.domain",
        /// Its id on the harvested site.
        harvest_remote_id: Option<String> = "harvest.remote_id",
        /// The URL of its page on the harvested site.
        harvest_remote_url: Option<String> = "harvest.remote_url",
        /// Its URI on the harvested site.
        harvest_uri: Option<String> = "harvest.uri",
        /// When it was created on the harvested site.
        harvest_created_at: Option<DateTime> = "harvest.created_at",
        /// When it was published on the harvested site.
        harvest_issued_at: Option<DateTime> = "harvest.issued_at",
        /// When it was changed on the harvested site.
        harvest_modified_at: Option<DateTime> = "harvest.modified_at",
        /// When it was last harvested.
        harvest_last_update: Option<DateTime> = "harvest.last_update",
        /// Its identifier in DCAT.
        harvest_dct_identifier: Option<String> = "harvest.dct_identifier",
        /// Its quality, from 0 to 1.
        quality_score: Option<f64> = "quality_score",
        /// The number of discussions.
        metric_discussions: i64 = "metric.discussions",
        /// The number of open discussions.
        metric_discussions_open: i64 = "metric.discussions_open",
        /// The number of reuses.
        metric_reuses: i64 = "metric.reuses",
        /// The number of reuses by month.
        metric_reuses_by_months: BTreeMap<String, i64> = "metric.reuses_by_months",
        /// The number of dataservices.
        metric_dataservices: i64 = "metric.dataservices",
        /// The number of followers.
        metric_followers: i64 = "metric.followers",
        /// The number of followers by month.
        metric_followers_by_months: BTreeMap<String, i64> = "metric.followers_by_months",
        /// The number of visits.
        metric_views: i64 = "metric.views",
        /// The number of downloads of its resources.
        metric_resources_downloads: i64 = "metric.resources_downloads",
    }

    /// A resource of an export, with the dataset that it belongs to.
    ResourceRow {
        /// The id of its dataset.
        dataset_id: String = "dataset.id",
        /// The title of its dataset.
        dataset_title: String = "dataset.title",
        /// The slug of its dataset.
        dataset_slug: String = "dataset.slug",
        /// The page of its dataset.
        dataset_url: String = "dataset.url",
        /// The name of its dataset's organization.
        dataset_organization: Option<String> = "dataset.organization",
        /// The id of its dataset's organization.
        dataset_organization_id: Option<String> = "dataset.organization_id",
        /// The title of its dataset's licence.
        dataset_license: Option<String> = "dataset.license",
        /// Whether its dataset is a draft.
        dataset_private: bool = "dataset.private",
        /// When its dataset was archived.
        dataset_archived: Option<DateTime> = "dataset.archived",
        /// Its id.
        id: String = "id",
        /// The URL of the file.
        url: String = "url",
        /// Its title.
        title: String = "title",
        /// Its description, in Markdown.
        description: Option<String> = "description",
        /// Whether the file is on the platform (`file`) or on another server (`remote`).
        filetype: String = "filetype",
        /// Its type (`main`, `documentation`, ...).
        kind: String = "type",
        /// Its format.
        format: Option<String> = "format",
        /// Its media type.
        mime: Option<String> = "mime",
        /// Its size in bytes.
        filesize: Option<i64> = "filesize",
        /// The algorithm of its checksum.
        checksum_type: Option<String> = "checksum.type",
        /// Its checksum.
        checksum_value: Option<String> = "checksum.value",
        /// When it was created.
        created_at: Option<DateTime> = "created_at",
        /// When it was last changed.
        modified: Option<DateTime> = "modified",
        /// Its downloads.
        downloads: i64 = "downloads",
        /// When it was published where it was harvested.
        harvest_issued_at: Option<DateTime> = "harvest.issued_at",
        /// When it was changed on the harvested site.
        harvest_modified_at: Option<DateTime> = "harvest.modified_at",
        /// When it was last harvested.
        harvest_last_update: Option<DateTime> = "harvest.last_update",
        /// The name of its schema.
        schema_name: Option<String> = "schema_name",
        /// The version of its schema.
        schema_version: Option<String> = "schema_version",
        /// The URL of its preview.
        preview_url: Option<String> = "preview_url",
        /// Its extras.
        extras: Option<Value> = "extras",
    }

    /// An organization of an export.
    OrganizationRow {
        /// Its id.
        id: String = "id",
        /// Its name.
        name: String = "name",
        /// Its acronym.
        acronym: Option<String> = "acronym",
        /// Its name in URLs.
        slug: String = "slug",
        /// The URL of its page.
        url: String = "url",
        /// Its description, in Markdown.
        description: String = "description",
        /// The URL of its logo.
        logo: Option<String> = "logo",
        /// Its badges.
        badges: Vec<String> = "badges",
        /// When it was created.
        created_at: Option<DateTime> = "created_at",
        /// When it was last changed.
        last_modified: Option<DateTime> = "last_modified",
        /// Its number in the register of businesses (SIRET).
        business_number_id: Option<String> = "business_number_id",
        /// The number of members.
        members_count: i64 = "members_count",
        /// The downloads of its datasets' resources.
        downloads: i64 = "downloads",
        /// The number of dataservices.
        metric_dataservices: i64 = "metric.dataservices",
        /// Its dataservices by month.
        metric_dataservices_by_months: BTreeMap<String, i64> = "metric.dataservices_by_months",
        /// Its datasets.
        metric_datasets: i64 = "metric.datasets",
        /// Its datasets by month.
        metric_datasets_by_months: BTreeMap<String, i64> = "metric.datasets_by_months",
        /// The followers of its datasets by month.
        metric_datasets_followers_by_months: BTreeMap<String, i64> = "metric.datasets_followers_by_months",
        /// The reuses of its datasets by month.
        metric_datasets_reuses_by_months: BTreeMap<String, i64> = "metric.datasets_reuses_by_months",
        /// Its members.
        metric_members: i64 = "metric.members",
        /// The number of reuses.
        metric_reuses: i64 = "metric.reuses",
        /// The number of reuses by month.
        metric_reuses_by_months: BTreeMap<String, i64> = "metric.reuses_by_months",
        /// The followers of its reuses by month.
        metric_reuses_followers_by_months: BTreeMap<String, i64> = "metric.reuses_followers_by_months",
        /// The number of followers.
        metric_followers: i64 = "metric.followers",
        /// The number of visits.
        metric_views: i64 = "metric.views",
    }

    /// A reuse of an export.
    ReuseRow {
        /// Its id.
        id: String = "id",
        /// Its title.
        title: String = "title",
        /// Its name in URLs.
        slug: String = "slug",
        /// The URL of its page.
        url: String = "url",
        /// Its type (`application`, `visualization`, ...).
        kind: String = "type",
        /// Its description, in Markdown.
        description: String = "description",
        /// Its URL.
        remote_url: String = "remote_url",
        /// The name of the organization that it belongs to.
        organization: Option<String> = "organization",
        /// The id of the organization that it belongs to.
        organization_id: Option<String> = "organization_id",
        /// The slug of the user that it belongs to.
        owner: Option<String> = "owner",
        /// The id of the user that it belongs to.
        owner_id: Option<String> = "owner_id",
        /// The URL of its image.
        image: Option<String> = "image",
        /// Whether the platform features it.
        featured: bool = "featured",
        /// When it was created.
        created_at: Option<DateTime> = "created_at",
        /// When it was last changed.
        last_modified: Option<DateTime> = "last_modified",
        /// When it was archived.
        archived: Option<DateTime> = "archived",
        /// Its topic.
        topic: String = "topic",
        /// Its tags.
        tags: Vec<String> = "tags",
        /// The ids of the datasets that it uses.
        datasets: Vec<String> = "datasets",
        /// The number of discussions.
        metric_discussions: i64 = "metric.discussions",
        /// The number of open discussions.
        metric_discussions_open: i64 = "metric.discussions_open",
        /// The datasets that it uses.
        metric_datasets: i64 = "metric.datasets",
        /// The number of followers.
        metric_followers: i64 = "metric.followers",
        /// The number of followers by month.
        metric_followers_by_months: BTreeMap<String, i64> = "metric.followers_by_months",
        /// The number of visits.
        metric_views: i64 = "metric.views",
    }

    /// A dataservice of an export.
    DataserviceRow {
        /// Its id.
        id: String = "id",
        /// Its title.
        title: String = "title",
        /// Its name in URLs.
        slug: String = "slug",
        /// Its acronym.
        acronym: Option<String> = "acronym",
        /// The URL of its page.
        url: String = "url",
        /// Its description, in Markdown.
        description: String = "description",
        /// Its URL.
        base_api_url: Option<String> = "base_api_url",
        /// The URL of its machine-readable documentation (OpenAPI).
        machine_documentation_url: Option<String> = "machine_documentation_url",
        /// The URL of its technical documentation.
        technical_documentation_url: Option<String> = "technical_documentation_url",
        /// The URL of its business documentation.
        business_documentation_url: Option<String> = "business_documentation_url",
        /// The URL of its access request form.
        authorization_request_url: Option<String> = "authorization_request_url",
        /// Its availability, in percent.
        availability: Option<f64> = "availability",
        /// Its rate limits.
        rate_limiting: Option<String> = "rate_limiting",
        /// Its access type (`open`, `restricted`, ...).
        access_type: Option<String> = "access_type",
        /// The title of its licence.
        license: Option<String> = "license",
        /// The name of the organization that it belongs to.
        organization: Option<String> = "organization",
        /// The id of the organization that it belongs to.
        organization_id: Option<String> = "organization_id",
        /// The slug of the user that it belongs to.
        owner: Option<String> = "owner",
        /// The id of the user that it belongs to.
        owner_id: Option<String> = "owner_id",
        /// Whether the platform features it.
        featured: bool = "featured",
        /// When it was created.
        created_at: Option<DateTime> = "created_at",
        /// When its description was last changed.
        metadata_modified_at: Option<DateTime> = "metadata_modified_at",
        /// When it was archived.
        archived: Option<DateTime> = "archived",
        /// Its tags.
        tags: Vec<String> = "tags",
        /// The ids of the datasets that it serves.
        datasets: Vec<String> = "datasets",
        /// The backend of the harvester that imported it.
        harvest_backend: Option<String> = "harvest.backend",
        /// The host that it was harvested from.
        harvest_domain: Option<String> = "harvest.domain",
        /// Its id on the harvested site.
        harvest_remote_id: Option<String> = "harvest.remote_id",
        /// The URL of its page on the harvested site.
        harvest_remote_url: Option<String> = "harvest.remote_url",
        /// Its URI on the harvested site.
        harvest_uri: Option<String> = "harvest.uri",
        /// When it was created on the harvested site.
        harvest_created_at: Option<DateTime> = "harvest.created_at",
        /// When it was published on the harvested site.
        harvest_issued_at: Option<DateTime> = "harvest.issued_at",
        /// When it was changed on the harvested site.
        harvest_modified_at: Option<DateTime> = "harvest.modified_at",
        /// When it was last harvested.
        harvest_last_update: Option<DateTime> = "harvest.last_update",
        /// The number of discussions.
        metric_discussions: i64 = "metric.discussions",
        /// The number of open discussions.
        metric_discussions_open: i64 = "metric.discussions_open",
        /// The number of followers.
        metric_followers: i64 = "metric.followers",
        /// The number of followers by month.
        metric_followers_by_months: BTreeMap<String, i64> = "metric.followers_by_months",
        /// The number of reuses.
        metric_reuses: i64 = "metric.reuses",
        /// The number of visits.
        metric_views: i64 = "metric.views",
    }

    /// A harvester of an export.
    HarvestRow {
        /// Its id.
        id: String = "id",
        /// Its name.
        name: String = "name",
        /// The URL that it harvests.
        url: String = "url",
        /// The name of the organization that it belongs to.
        organization: Option<String> = "organization",
        /// The id of the organization that it belongs to.
        organization_id: Option<String> = "organization_id",
        /// Its kind (`dcat`, `ckan`, ...).
        backend: String = "backend",
        /// When it was created.
        created_at: Option<DateTime> = "created_at",
        /// Whether it was admitted (`pending`, `accepted`, `refused`).
        validation: String = "validation",
        /// Its settings.
        config: Option<Value> = "config",
    }

    /// A tag of an export.
    TagRow {
        /// The tag.
        name: String = "name",
        /// The number of datasets that have it.
        datasets: i64 = "datasets",
        /// The number of reuses that have it.
        reuses: i64 = "reuses",
        /// The sum of both.
        total: i64 = "total",
    }

    /// A discussion of an export.
    DiscussionRow {
        /// Its id.
        id: String = "id",
        /// The name of who opened it.
        user: String = "user",
        /// The title of its subject.
        subject: String = "subject",
        /// The kind of its subject (`Dataset`, `Reuse`, ...).
        subject_class: String = "subject_class",
        /// The id of its subject.
        subject_id: String = "subject_id",
        /// Its title.
        title: String = "title",
        /// The number of messages.
        size: i64 = "size",
        /// The ids of its participants.
        participants: Vec<String> = "participants",
        /// Its messages, a line each.
        messages: String = "messages",
        /// When it was opened.
        created: Option<DateTime> = "created",
        /// When it was closed.
        closed: Option<DateTime> = "closed",
        /// The name of who closed it.
        closed_by: Option<String> = "closed_by",
        /// The id of who closed it.
        closed_by_id: Option<String> = "closed_by_id",
        /// The name of the organization in whose name it was closed.
        closed_by_organization: Option<String> = "closed_by_organization",
        /// The id of the organization in whose name it was closed.
        closed_by_organization_id: Option<String> = "closed_by_organization_id",
    }
}
