//! What the catalogue answers, as one writes it down.
#![allow(dead_code, reason = "the fields that the client has, whoever reads them")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Clone, Deserialize)]
pub struct DatasetPage {
    #[serde(default)]
    pub data: Vec<Dataset>,
    pub next_page: Option<String>,
    pub page: i64,
    pub page_size: i64,
    pub previous_page: Option<String>,
    pub total: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Dataset {
    #[serde(default)]
    pub access_audiences: Vec<AccessAudience>,
    pub access_type: String,
    pub access_type_reason: Option<String>,
    pub access_type_reason_category: Option<String>,
    pub acronym: Option<String>,
    pub archived: Option<String>,
    pub authorization_request_url: Option<String>,
    #[serde(default)]
    pub badges: Vec<Badge>,
    #[serde(default)]
    pub community_resources: Vec<CommunityResource>,
    #[serde(default)]
    pub contact_points: Vec<ContactPoint>,
    pub created_at: String,
    pub deleted: Option<String>,
    pub description: String,
    pub description_short: Option<String>,
    pub doi: Option<String>,
    #[serde(default)]
    pub extras: BTreeMap<String, Value>,
    pub featured: bool,
    pub frequency: String,
    pub frequency_date: Option<String>,
    pub geopf: Option<GeopfDatasetMetadata>,
    pub harvest: Option<HarvestDatasetMetadata>,
    pub id: String,
    pub internal: DatasetInternals,
    pub last_modified: String,
    pub last_update: String,
    pub license: String,
    #[serde(default)]
    pub metrics: BTreeMap<String, MetricValue>,
    pub organization: Option<OrganizationReference>,
    pub owner: Option<UserReference>,
    pub page: String,
    pub permissions: DatasetPermissions,
    pub private: bool,
    pub quality: DatasetQuality,
    #[serde(default)]
    pub resources: Vec<Resource>,
    pub schema: Option<Schema>,
    pub slug: String,
    pub spatial: Option<SpatialCoverage>,
    #[serde(default)]
    pub tags: Vec<String>,
    pub temporal_coverage: Option<TemporalCoverage>,
    pub title: String,
    pub uri: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct AccessAudience {
    pub condition: String,
    pub role: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Badge {
    pub kind: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct CommunityResource {
    pub checksum: Option<Checksum>,
    pub created_at: String,
    pub dataset: Option<DatasetReference>,
    pub description: Option<String>,
    #[serde(default)]
    pub extras: BTreeMap<String, Value>,
    pub filesize: Option<i64>,
    pub filetype: String,
    pub format: Option<String>,
    pub geopf: Option<GeopfResourceMetadata>,
    pub harvest: Option<HarvestResourceMetadata>,
    pub id: String,
    pub internal: ResourceInternals,
    pub last_modified: String,
    pub latest: String,
    #[serde(default)]
    pub metrics: BTreeMap<String, MetricValue>,
    pub mime: Option<String>,
    pub organization: Option<OrganizationReference>,
    pub owner: Option<UserReference>,
    pub permissions: DatasetPermissions,
    pub preview_url: Option<String>,
    pub schema: Option<Schema>,
    pub title: String,
    #[serde(rename = "type")]
    pub type_: String,
    pub url: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ContactPoint {
    pub contact_form: Option<String>,
    pub email: Option<String>,
    pub id: String,
    pub name: Option<String>,
    pub organization: Option<OrganizationReference>,
    pub owner: Option<UserReference>,
    pub role: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GeopfDatasetMetadata {
    pub datasheet_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct HarvestDatasetMetadata {
    pub archived_at: Option<String>,
    pub archived_reason: Option<String>,
    pub backend: Option<String>,
    pub created_at: Option<String>,
    pub dct_identifier: Option<String>,
    pub doi: Option<String>,
    pub domain: Option<String>,
    pub issued_at: Option<String>,
    pub last_update: Option<String>,
    pub modified_at: Option<String>,
    pub remote_id: Option<String>,
    pub remote_url: Option<String>,
    pub source_id: Option<String>,
    pub source_url: Option<String>,
    pub uri: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct DatasetInternals {
    pub created_at_internal: String,
    pub last_modified_internal: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum MetricValue {
    Integer(i64),
    Map(BTreeMap<String, i64>),
    Other(Value),
}

#[derive(Debug, Clone, Deserialize)]
pub struct OrganizationReference {
    pub acronym: Option<String>,
    #[serde(default)]
    pub badges: Vec<Badge>,
    pub class: String,
    pub id: String,
    pub logo: Option<String>,
    pub logo_thumbnail: Option<String>,
    pub name: String,
    pub page: String,
    pub permissions: OrganizationPermissions,
    pub slug: String,
    pub uri: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct UserReference {
    pub avatar: Option<String>,
    pub avatar_thumbnail: Option<String>,
    pub class: String,
    pub deleted: Option<String>,
    pub first_name: String,
    pub id: String,
    pub last_name: String,
    pub page: String,
    pub slug: String,
    pub uri: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct DatasetPermissions {
    pub delete: bool,
    pub edit: bool,
    pub edit_resources: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct DatasetQuality {
    pub all_resources_available: Option<bool>,
    pub dataset_description_quality: bool,
    pub has_open_format: Option<bool>,
    pub has_resources: Option<bool>,
    pub license: bool,
    pub resources_documentation: Option<bool>,
    pub score: f64,
    pub spatial: bool,
    pub temporal_coverage: bool,
    pub update_frequency: bool,
    pub update_fulfilled_in_time: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Resource {
    pub checksum: Option<Checksum>,
    pub created_at: String,
    pub description: Option<String>,
    #[serde(default)]
    pub extras: BTreeMap<String, Value>,
    pub filesize: Option<i64>,
    pub filetype: String,
    pub format: Option<String>,
    pub geopf: Option<GeopfResourceMetadata>,
    pub harvest: Option<HarvestResourceMetadata>,
    pub id: String,
    pub internal: ResourceInternals,
    pub last_modified: String,
    pub latest: String,
    #[serde(default)]
    pub metrics: BTreeMap<String, MetricValue>,
    pub mime: Option<String>,
    pub preview_url: Option<String>,
    pub schema: Option<Schema>,
    pub title: String,
    #[serde(rename = "type")]
    pub type_: String,
    pub url: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Schema {
    pub name: Option<String>,
    pub url: Option<String>,
    pub version: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct SpatialCoverage {
    pub geom: Option<GeoJson>,
    pub granularity: GeoGranularityOrId,
    #[serde(default)]
    pub zones: Vec<GeoZoneOrId>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct TemporalCoverage {
    pub end: Option<String>,
    pub start: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Checksum {
    #[serde(rename = "type")]
    pub type_: String,
    pub value: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct DatasetReference {
    pub acronym: Option<String>,
    pub class: String,
    pub id: String,
    pub page: String,
    pub title: String,
    pub uri: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GeopfResourceMetadata {
    pub offering_id: Option<String>,
    pub push_status: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct HarvestResourceMetadata {
    pub issued_at: Option<String>,
    pub last_update: Option<String>,
    pub modified_at: Option<String>,
    pub uri: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct ResourceInternals {
    pub created_at_internal: String,
    pub last_modified_internal: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct OrganizationPermissions {
    pub delete: bool,
    pub edit: bool,
    pub harvest: bool,
    pub members: bool,
    pub private: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GeoJson {
    #[serde(default)]
    pub coordinates: Vec<Value>,
    #[serde(rename = "type")]
    pub type_: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum GeoGranularityOrId {
    String(String),
    GeoGranularity(Box<GeoGranularity>),
    Other(Value),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum GeoZoneOrId {
    String(String),
    GeoZoneReference(Box<GeoZoneReference>),
    Other(Value),
}

#[derive(Debug, Clone, Deserialize)]
pub struct GeoGranularity {
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct GeoZoneReference {
    pub class: String,
    pub code: String,
    pub id: String,
    pub level: String,
    pub name: String,
    pub slug: String,
    pub uri: Option<String>,
}
