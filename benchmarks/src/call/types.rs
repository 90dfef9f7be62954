//! The responses of the catalogue, as one would declare them for reqwest: the fields of the client's own types, and what serde derives.

#![expect(dead_code, reason = "what is decoded need not be looked at")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Suggestion {
    text: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct DatasetPage {
    pub(super) data: Vec<Dataset>,
    next_page: Option<String>,
    page: i64,
    page_size: i64,
    previous_page: Option<String>,
    total: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Dataset {
    access_audiences: Vec<AccessAudience>,
    access_type: AccessType,
    access_type_reason: Option<String>,
    access_type_reason_category: Option<AccessTypeReasonCategory>,
    acronym: Option<String>,
    archived: Option<String>,
    authorization_request_url: Option<String>,
    badges: Vec<Badge>,
    #[serde(default)]
    community_resources: Vec<CommunityResource>,
    contact_points: Vec<ContactPoint>,
    created_at: String,
    deleted: Option<String>,
    description: String,
    description_short: Option<String>,
    doi: Option<String>,
    extras: BTreeMap<String, Value>,
    featured: bool,
    frequency: DatasetFrequency,
    frequency_date: Option<String>,
    geopf: Option<GeopfDatasetMetadata>,
    harvest: Option<HarvestDatasetMetadata>,
    id: String,
    internal: DatasetInternals,
    last_modified: String,
    last_update: String,
    license: String,
    metrics: BTreeMap<String, MetricValue>,
    organization: Option<OrganizationReference>,
    owner: Option<UserReference>,
    page: String,
    permissions: DatasetPermissions,
    private: bool,
    quality: DatasetQuality,
    pub(super) resources: Vec<Resource>,
    schema: Option<Schema>,
    slug: String,
    spatial: Option<SpatialCoverage>,
    tags: Vec<String>,
    temporal_coverage: Option<TemporalCoverage>,
    pub(super) title: String,
    uri: String,
}

#[derive(Clone, Debug, Deserialize)]
struct AccessAudience {
    condition: AccessAudienceCondition,
    role: AccessAudienceRole,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AccessType {
    Open,
    OpenWithAccount,
    Restricted,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AccessTypeReasonCategory {
    ConfidentialityOfCommercialOrIndustrialInformation,
    ConfidentialityOfPersonalData,
    ConfidentialityOfProceedingsOfPublicAuthorities,
    CourseOfJusticeOrFairTrial,
    IntellectualPropertyRights,
    InternationalRelationsPublicSecurityOrNationalDefence,
    ProtectionOfEnvironment,
    ProtectionOfVoluntaryInformationSuppliers,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
struct Badge {
    kind: String,
}

#[derive(Clone, Debug, Deserialize)]
struct CommunityResource {
    checksum: Option<Checksum>,
    created_at: String,
    dataset: Option<DatasetReference>,
    description: Option<String>,
    extras: BTreeMap<String, Value>,
    filesize: Option<i64>,
    filetype: Filetype,
    format: Option<String>,
    geopf: Option<GeopfResourceMetadata>,
    harvest: Option<HarvestResourceMetadata>,
    id: String,
    internal: ResourceInternals,
    last_modified: String,
    latest: String,
    metrics: BTreeMap<String, MetricValue>,
    mime: Option<String>,
    organization: Option<OrganizationReference>,
    owner: Option<UserReference>,
    permissions: DatasetPermissions,
    preview_url: Option<String>,
    schema: Option<Schema>,
    title: String,
    #[serde(rename = "type")]
    type_: ResourceTypeValue,
    url: String,
}

#[derive(Clone, Debug, Deserialize)]
struct ContactPoint {
    contact_form: Option<String>,
    email: Option<String>,
    id: String,
    name: Option<String>,
    organization: Option<OrganizationReference>,
    owner: Option<UserReference>,
    role: ContactPointRole,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum DatasetFrequency {
    Annual,
    Bidecennial,
    Biennial,
    Bihourly,
    Bimonthly,
    Biweekly,
    Continuous,
    Daily,
    Decennial,
    FifteenMinutes,
    FiveMinutes,
    FiveTimesAWeek,
    Hourly,
    Irregular,
    Monthly,
    Never,
    NotPlanned,
    OneMinute,
    Punctual,
    Quadrennial,
    Quarterly,
    Quinquennial,
    Semiannual,
    Semidaily,
    Semimonthly,
    Semiweekly,
    SeveralTimesADay,
    TenMinutes,
    ThirtyMinutes,
    ThreeTimesADay,
    ThreeTimesAMonth,
    ThreeTimesAWeek,
    ThreeTimesAYear,
    Tridecennial,
    Triennial,
    Trihourly,
    TwelveHours,
    #[serde(rename = "unknown")]
    UnknownValue,
    Weekly,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
struct GeopfDatasetMetadata {
    datasheet_url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct HarvestDatasetMetadata {
    archived_at: Option<String>,
    archived_reason: Option<String>,
    backend: Option<String>,
    created_at: Option<String>,
    dct_identifier: Option<String>,
    doi: Option<String>,
    domain: Option<String>,
    issued_at: Option<String>,
    last_update: Option<String>,
    modified_at: Option<String>,
    remote_id: Option<String>,
    remote_url: Option<String>,
    source_id: Option<String>,
    source_url: Option<String>,
    uri: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct DatasetInternals {
    created_at_internal: String,
    last_modified_internal: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum MetricValue {
    Integer(i64),
    Map(BTreeMap<String, i64>),
}

#[derive(Clone, Debug, Deserialize)]
struct OrganizationReference {
    acronym: Option<String>,
    badges: Vec<Badge>,
    class: String,
    id: String,
    logo: Option<String>,
    logo_thumbnail: Option<String>,
    name: String,
    page: String,
    permissions: OrganizationPermissions,
    slug: String,
    uri: String,
}

#[derive(Clone, Debug, Deserialize)]
struct UserReference {
    avatar: Option<String>,
    avatar_thumbnail: Option<String>,
    class: String,
    deleted: Option<String>,
    first_name: String,
    id: String,
    last_name: String,
    page: String,
    slug: String,
    uri: String,
}

#[derive(Clone, Debug, Deserialize)]
struct DatasetPermissions {
    delete: bool,
    edit: bool,
    edit_resources: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
struct DatasetQuality {
    all_resources_available: Option<bool>,
    dataset_description_quality: bool,
    has_open_format: Option<bool>,
    has_resources: Option<bool>,
    license: bool,
    resources_documentation: Option<bool>,
    score: f64,
    spatial: bool,
    temporal_coverage: bool,
    update_frequency: bool,
    update_fulfilled_in_time: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Resource {
    checksum: Option<Checksum>,
    created_at: String,
    description: Option<String>,
    extras: BTreeMap<String, Value>,
    filesize: Option<i64>,
    filetype: Filetype,
    format: Option<String>,
    geopf: Option<GeopfResourceMetadata>,
    harvest: Option<HarvestResourceMetadata>,
    id: String,
    internal: ResourceInternals,
    last_modified: String,
    latest: String,
    metrics: BTreeMap<String, MetricValue>,
    mime: Option<String>,
    preview_url: Option<String>,
    schema: Option<Schema>,
    title: String,
    #[serde(rename = "type")]
    type_: ResourceTypeValue,
    url: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Schema {
    name: Option<String>,
    url: Option<String>,
    version: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct SpatialCoverage {
    geom: Option<GeoJson>,
    granularity: GeoGranularityOrId,
    zones: Vec<GeoZoneOrId>,
}

#[derive(Clone, Debug, Deserialize)]
struct TemporalCoverage {
    end: Option<String>,
    start: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AccessAudienceCondition {
    No,
    UnderCondition,
    Yes,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AccessAudienceRole {
    CompanyAndAssociation,
    LocalAuthorityAndAdministration,
    Private,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
struct Checksum {
    #[serde(rename = "type")]
    type_: ChecksumType,
    value: String,
}

#[derive(Clone, Debug, Deserialize)]
struct DatasetReference {
    acronym: Option<String>,
    class: String,
    id: String,
    page: String,
    title: String,
    uri: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Filetype {
    File,
    Remote,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
struct GeopfResourceMetadata {
    offering_id: Option<String>,
    push_status: Option<GeopfResourceMetadataPushStatus>,
}

#[derive(Clone, Debug, Deserialize)]
struct HarvestResourceMetadata {
    issued_at: Option<String>,
    last_update: Option<String>,
    modified_at: Option<String>,
    uri: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct ResourceInternals {
    created_at_internal: String,
    last_modified_internal: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResourceTypeValue {
    Api,
    Code,
    Documentation,
    Main,
    Update,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ContactPointRole {
    Contact,
    Creator,
    Custodian,
    Distributor,
    Originator,
    PrincipalInvestigator,
    Processor,
    Publisher,
    ResourceProvider,
    RightsHolder,
    User,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
struct OrganizationPermissions {
    delete: bool,
    edit: bool,
    harvest: bool,
    members: bool,
    private: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct GeoJson {
    coordinates: Vec<Value>,
    #[serde(rename = "type")]
    type_: Option<GeoJsonType>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum GeoGranularityOrId {
    String(String),
    GeoGranularity(Box<GeoGranularity>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum GeoZoneOrId {
    String(String),
    GeoZoneReference(Box<GeoZoneReference>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChecksumType {
    Crc,
    Md5,
    Sha1,
    Sha2,
    Sha256,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum GeopfResourceMetadataPushStatus {
    Done,
    Error,
    Pending,
    Timeout,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
enum GeoJsonType {
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, Deserialize)]
struct GeoGranularity {
    id: String,
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct GeoZoneReference {
    class: String,
    code: String,
    id: String,
    level: String,
    name: String,
    slug: String,
    uri: Option<String>,
}
