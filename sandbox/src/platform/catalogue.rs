//! The catalogue: datasets and resources as they are stored, and as the main API shows them.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::class::Class;
use super::fields::{Fields, badges, slug};
use super::objects::{Community, Owned};
use super::posts::Post;
use super::samples::{ORGANIZATIONS, SAMPLES, Sample};
use super::table::Table;
use super::timestamp::{read_timestamp, write_timestamp};
use crate::Api;
use crate::api::base;
use crate::client::User;
use crate::file::File;
use crate::file::Files;

/// The first of January 2026, in microseconds of Unix.
const BEGINNING: i64 = 1_767_225_600_000_000;

/// A resource, with its fields as the API shows them.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) fields: Fields,
    pub(crate) table: Option<Arc<Table>>,
}

/// A resource of the community, its dataset and its owner.
#[derive(Debug)]
pub(crate) struct CommunityResource {
    pub(crate) resource: Resource,
    /// The id of its dataset.
    pub(crate) dataset: String,
    pub(crate) owner: Option<String>,
    pub(crate) organization: Option<String>,
}

impl CommunityResource {
    pub(crate) fn owned(&self) -> Owned<'_> {
        let (owner, organization) = (self.owner.as_deref(), self.organization.as_deref());
        Owned { class: Class::Dataset, id: &self.resource.id, owner, organization }
    }
}

/// Whom to contact about an object.
#[derive(Debug, Clone)]
pub(crate) struct ContactPoint {
    pub(crate) id: String,
    pub(crate) fields: Fields,
    pub(crate) owner: Option<String>,
    pub(crate) organization: Option<String>,
}

impl ContactPoint {
    pub(crate) fn owned(&self) -> Owned<'_> {
        let (owner, organization) = (self.owner.as_deref(), self.organization.as_deref());
        Owned { class: Class::Dataset, id: &self.id, owner, organization }
    }
}

/// A dataset: the fields that a client may write, and those of the platform.
#[derive(Debug)]
pub(crate) struct Dataset {
    pub(crate) id: String,
    pub(crate) slug: String,
    pub(crate) fields: Fields,
    pub(crate) created_at: String,
    pub(crate) last_modified: String,
    pub(crate) deleted: Option<String>,
    /// The ids of its owner and of its organization, of which one is set at most.
    pub(crate) owner: Option<String>,
    pub(crate) organization: Option<String>,
    pub(crate) badges: Vec<String>,
    /// Slugs that it had before it was renamed; they lead to it still.
    pub(crate) old_slugs: Vec<String>,
    pub(crate) resources: Vec<Resource>,
}

impl Dataset {
    /// A dataset of the editor, created now, without slug and resources.
    fn new(id: String, fields: Fields, now: String) -> Self {
        Self {
            id,
            slug: String::new(),
            fields,
            created_at: now.clone(),
            last_modified: now,
            deleted: None,
            owner: Some(User::Editor.id().to_owned()),
            organization: None,
            badges: Vec::new(),
            old_slugs: Vec::new(),
            resources: Vec::new(),
        }
    }
}

/// The content of a file, with its checksum and table.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    data: Bytes,
    checksum: String,
    /// Its rows, if it is a CSV.
    table: Option<Arc<Table>>,
}

impl Content {
    pub(crate) fn new(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let checksum = Sha1::digest(&data).iter().map(|byte| format!("{byte:02x}")).collect();
        let table = std::str::from_utf8(&data).ok().and_then(Table::from_csv).map(Arc::new);
        Self { data, checksum, table }
    }
}

/// The files of the samples, read once in the life of a process.
static READ: LazyLock<Vec<Content>> =
    LazyLock::new(|| SAMPLES.iter().map(|sample| Content::new((sample.data)())).collect());

/// All datasets, and a clock that every change advances.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) origin: String,
    pub(crate) datasets: Vec<Dataset>,
    changes: u32,
    /// The time when the number of changes was `set_at`, in microseconds of Unix.
    clock: i64,
    set_at: u32,
    /// Ids for what is created next.
    pub(crate) next_ids: VecDeque<String>,
    /// How many ids were made of objects that are no datasets.
    pub(crate) made: u32,
    /// What there is beside datasets.
    pub(crate) community: Community,
    pub(crate) community_resources: Vec<CommunityResource>,
    pub(crate) contacts: Vec<ContactPoint>,
    /// Discussions about objects; people and organizations are named by their ids.
    pub(crate) discussions: Vec<Value>,
    pub(crate) posts: Vec<Post>,
}

impl Catalogue {
    pub(crate) fn new(origin: String, files: &mut Files) -> Self {
        let mut catalogue = Self {
            origin,
            datasets: Vec::new(),
            changes: 0,
            clock: BEGINNING,
            set_at: 0,
            next_ids: VecDeque::new(),
            made: 0,
            community: Community::default(),
            community_resources: Vec::new(),
            contacts: Vec::new(),
            discussions: Vec::new(),
            posts: Vec::new(),
        };
        catalogue.community = Community::new(&catalogue.time());
        for (sample, content) in SAMPLES.iter().zip(&*READ) {
            catalogue.add_sample(sample, content, files);
        }
        catalogue
    }

    fn add_sample(&mut self, sample: &Sample, content: &Content, files: &mut Files) {
        let now = self.now();
        let mut fields = default_fields();
        for (name, value) in [
            ("title", json!(sample.title)),
            ("description", json!(sample.description)),
            ("tags", json!(sample.tags)),
            ("frequency", json!(sample.frequency)),
            ("license", json!("fr-lo")),
        ] {
            fields.insert(name.to_owned(), value);
        }
        let organization = Some(organization(sample.organization));
        let mut dataset = Dataset {
            slug: slug(sample.title),
            owner: None,
            organization,
            ..Dataset::new(sample.id.to_owned(), fields, now)
        };
        let mut resource = self.new_resource(sample.resource.to_owned(), sample.file_name);
        self.store(&mut resource, &dataset.slug, sample.file_name, content.clone(), files);
        dataset.resources.push(resource);
        self.datasets.push(dataset);
    }

    /// Adds datasets named by their number. Those with resources also have a producer, tags and a longer description, as
    /// most published ones.
    pub(crate) fn add_many(&mut self, count: usize, resources: usize) {
        let there = self.datasets.len();
        for number in there..there.saturating_add(count) {
            let mut fields = default_fields();
            let title = format!("Jeu de données {number}");
            let sentence = "Un jeu de données parmi beaucoup d’autres.";
            let mut written = vec![("title", json!(title)), ("description", json!(sentence))];
            if resources > 0 {
                written.extend([
                    ("description", json!([sentence; 12].join("\n"))),
                    ("tags", json!(["environnement", "mesures", "qualite-de-l-air"])),
                    ("license", json!("fr-lo")),
                ]);
            }
            fields.extend(written.into_iter().map(|(name, value)| (name.to_owned(), value)));
            let owner = (resources == 0).then(|| User::Editor.id().to_owned());
            let organization = (resources > 0).then(|| organization(number));
            let resources = (0..resources).map(|index| self.remote_resource(number, index)).collect();
            let now = self.now();
            let dataset = Dataset::new(format!("7512ab34cd56ef78{number:08x}"), fields, now);
            self.datasets.push(Dataset { slug: slug(&title), owner, organization, resources, ..dataset });
        }
    }

    /// A remote resource of such a dataset.
    fn remote_resource(&mut self, number: usize, index: usize) -> Resource {
        let id = format!("7512ab34-cd56-4ef7-8{index:03x}-{number:012x}");
        let title = format!("mesures-{number}-{index}.csv");
        let mut resource = self.new_resource(id, &title);
        let written = [
            ("url", json!(format!("https://static.example.org/jeu-de-donnees-{number}/{title}"))),
            ("format", json!("csv")),
            ("mime", json!("text/csv")),
            ("filesize", json!(10_000 + 37 * number)),
            ("checksum", json!({"type": "sha1", "value": format!("{:040x}", number * 1000 + index)})),
        ];
        resource.fields.extend(written.map(|(name, value)| (name.to_owned(), value)));
        resource
    }

    /// The time of the platform: it starts in January 2026, and every change advances it by a minute.
    pub(crate) fn now(&mut self) -> String {
        self.changes += 1;
        self.time()
    }

    /// The time of the last change.
    pub(crate) fn time(&self) -> String {
        const MINUTE: i64 = 60_000_000;
        let now = self.clock.saturating_add(i64::from(self.changes - self.set_at) * MINUTE);
        let text = write_timestamp(now, 'T', "+00:00");
        // The catalogue writes microseconds even if they are zero.
        if text.contains('.') { text } else { text.replace("+00:00", ".000000+00:00") }
    }

    /// Sets the time of the next change; false if the text is not a time.
    pub(crate) fn set_clock(&mut self, now: &str) -> bool {
        let Ok(micros) = read_timestamp(now, true) else { return false };
        self.clock = micros.saturating_sub(60_000_000);
        self.set_at = self.changes;
        true
    }

    /// The next id that was set, else the generated one.
    pub(crate) fn new_id(&mut self, made: String) -> String {
        self.next_ids.pop_front().unwrap_or(made)
    }

    /// A dataset without title and resources, not in the catalogue yet.
    pub(crate) fn new_dataset(&mut self, fields: Fields) -> Dataset {
        let now = self.now();
        let made = format!("6512ab34cd56ef7890{:06x}", self.changes);
        Dataset::new(self.new_id(made), fields, now)
    }

    /// A slug that no dataset has.
    pub(crate) fn free_slug(&self, title: &str) -> String {
        let wanted = slug(title);
        if self.dataset(&wanted).is_some() { format!("{wanted}-{}", self.changes) } else { wanted }
    }

    /// The number of changes so far, from which new identifiers are made.
    pub(crate) fn changes(&self) -> u32 {
        self.changes
    }

    pub(crate) fn dataset(&self, name: &str) -> Option<usize> {
        let now = self.datasets.iter().position(|dataset| dataset.id == name || dataset.slug == name);
        now.or_else(|| self.datasets.iter().position(|dataset| dataset.old_slugs.iter().any(|slug| slug == name)))
    }

    /// The resource of an id, with the dataset that has it; deleted datasets have none.
    pub(crate) fn resource(&self, id: &str) -> Option<(&Dataset, &Resource)> {
        let alive = self.datasets.iter().filter(|dataset| dataset.deleted.is_none());
        alive
            .flat_map(|dataset| dataset.resources.iter().map(move |resource| (dataset, resource)))
            .find(|(_, resource)| resource.id == id)
    }

    pub(crate) fn new_resource(&mut self, id: String, title: &str) -> Resource {
        let now = self.now();
        let fields = json!({
            "id": id, "title": title, "description": null, "type": "main", "filetype": "remote", "format": null,
            "mime": null, "filesize": null, "checksum": null, "url": "", "extras": {}, "metrics": {},
            "latest": format!("{}{}/datasets/r/{id}", self.origin, base(Api::Main)),
            "created_at": now, "last_modified": now, "harvest": null, "schema": null, "preview_url": null,
            "geopf": null, "internal": {"created_at_internal": now, "last_modified_internal": now}
        });
        Resource { id, fields: fields.as_object().cloned().unwrap_or_default(), table: None }
    }

    /// Stores the file of a resource: its bytes are served, and its rows if it is a CSV.
    pub(crate) fn store(
        &mut self,
        resource: &mut Resource,
        folder: &str,
        file_name: &str,
        content: Content,
        files: &mut Files,
    ) {
        let now = self.now();
        let path = format!("/files/{folder}/{}/{file_name}", self.changes);
        let format = file_name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let mime = match format.as_str() {
            "csv" => "text/csv",
            "json" | "geojson" => "application/json",
            "png" => "image/png",
            "jpeg" | "jpg" => "image/jpeg",
            "pdf" => "application/pdf",
            "txt" => "text/plain",
            "xml" => "application/xml",
            "zip" => "application/zip",
            _ => "application/octet-stream",
        };
        for (name, value) in [
            ("filetype", json!("file")),
            ("format", json!(format)),
            ("mime", json!(mime)),
            ("filesize", json!(content.data.len())),
            ("checksum", json!({"type": "sha1", "value": content.checksum})),
            ("url", json!(format!("{}{path}", self.origin))),
        ] {
            resource.fields.insert(name.to_owned(), value);
        }
        resource.touch(&now);
        resource.table = content.table.filter(|_| format == "csv");
        files.insert(path, File::new(mime, content.data));
    }

    /// A data set as the API shows it: in v2, its resources are a link.
    pub(crate) fn show(&self, dataset: &Dataset, api: Api, viewer: Option<User>) -> Value {
        let may_edit = self.community.edits(viewer, dataset.owned());
        let mut metrics = self.attention(&dataset.id);
        let users = |class: Class| {
            let of = self.community.of(class).filter(|one| one.datasets.contains(&dataset.id) && one.is_visible());
            of.map(|one| one.created.as_str()).collect::<Vec<_>>()
        };
        let (reuses, dataservices) = (users(Class::Reuse), users(Class::Dataservice));
        let months = if reuses.is_empty() { json!(0) } else { self.by_months(&reuses) };
        for (name, value) in [
            ("reuses", json!(reuses.len())),
            ("reuses_by_months", months),
            ("dataservices", json!(dataservices.len())),
            ("resources_downloads", json!(0)),
        ] {
            metrics.insert(name.to_owned(), value);
        }
        let mut fields = dataset.fields.clone();
        fields.insert("contact_points".to_owned(), self.contact_points(&dataset.fields["contact_points"], viewer));
        let url = format!("{}{}/datasets/{}/", self.origin, base(api), dataset.id);
        let resources = if api == Api::MainV2 {
            let link = |name: &str, total: usize| {
                let href = format!("{url}{name}/?page=1&page_size=50");
                json!({"rel": "subsection", "href": href, "type": "GET", "total": total})
            };
            fields.insert(
                "community_resources".to_owned(),
                link("community_resources", self.community_resources_of(&dataset.id).count()),
            );
            link("resources", dataset.resources.len())
        } else {
            let community = self.community_resources_of(&dataset.id);
            let community = community.map(|one| self.show_community_resource(one, viewer)).collect();
            fields.insert("community_resources".to_owned(), community);
            dataset.resources.iter().map(|resource| Value::Object(resource.fields.clone())).collect()
        };
        let known = json!({
            "id": dataset.id, "slug": dataset.slug, "uri": url, "resources": resources,
            "quality": self.quality(dataset),
            "page": format!("{}/datasets/{}", self.origin, dataset.slug),
            "created_at": dataset.created_at, "last_modified": dataset.last_modified,
            "last_update": dataset.last_modified, "deleted": dataset.deleted, "badges": badges(&dataset.badges), "doi": null,
            "owner": self.user_ref(dataset.owner.as_deref()),
            "organization": self.organization_ref(dataset.organization.as_deref(), viewer),
            "harvest": null, "geopf": null,
            "internal": {"created_at_internal": dataset.created_at, "last_modified_internal": dataset.last_modified},
            "permissions": {"delete": may_edit, "edit": may_edit, "edit_resources": may_edit},
            "metrics": metrics
        });
        fields.extend(known.as_object().cloned().unwrap_or_default());
        Value::Object(fields)
    }
}

impl Dataset {
    pub(crate) fn owned(&self) -> Owned<'_> {
        let (owner, organization) = (self.owner.as_deref(), self.organization.as_deref());
        Owned { class: Class::Dataset, id: &self.id, owner, organization }
    }

    pub(crate) fn is_private(&self) -> bool {
        self.fields["private"] == true
    }

    /// Whether it counts, and everybody finds it.
    pub(crate) fn is_visible(&self) -> bool {
        !self.is_private() && self.deleted.is_none() && self.fields["archived"].is_null()
    }
}

impl Resource {
    pub(crate) fn touch(&mut self, now: &str) {
        self.fields.insert("last_modified".to_owned(), json!(now));
        if let Some(internal) = self.fields.get_mut("internal").and_then(Value::as_object_mut) {
            internal.insert("last_modified_internal".to_owned(), json!(now));
        }
    }
}

/// The default values of the fields that a client may write.
pub(crate) fn default_fields() -> Fields {
    let fields = json!({
        "title": "", "acronym": null, "description": "", "description_short": null, "tags": [],
        "frequency": "unknown", "frequency_date": null, "license": "notspecified", "private": false,
        "featured": false, "archived": null, "extras": {}, "spatial": null, "temporal_coverage": null,
        "contact_points": [], "schema": null, "access_type": "open",
        "access_audiences": [], "access_type_reason": null, "access_type_reason_category": null,
        "authorization_request_url": null
    });
    fields.as_object().cloned().unwrap_or_default()
}

/// The id of one of the organizations from the start.
fn organization(index: usize) -> String {
    ORGANIZATIONS[index % ORGANIZATIONS.len()].0.to_owned()
}
