//! The catalogue: datasets and resources as they are stored, and as the main API shows them.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::moment::{read_timestamp, write_timestamp};
use super::samples::{ORGANIZATIONS, SAMPLES, Sample};
use super::table::Table;
use crate::Api;
use crate::client::User;
use crate::file::File;
use crate::state::{Files, base};

/// The first of January 2026, in microseconds of Unix.
const BEGINNING: i64 = 1_767_225_600_000_000;

pub(crate) type Fields = Map<String, Value>;

/// A resource, with its fields as the API shows them.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) fields: Fields,
    pub(crate) table: Option<Arc<Table>>,
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
    /// Who may change it, apart from editors.
    pub(crate) creator: User,
    /// Its former slugs, by which it is still found.
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
            creator: User::Editor,
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
}

impl Catalogue {
    pub(crate) fn new(origin: String, files: &mut Files) -> Self {
        let mut catalogue =
            Self { origin, datasets: Vec::new(), changes: 0, clock: BEGINNING, set_at: 0, next_ids: VecDeque::new() };
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
            ("organization", self.organization(sample.organization)),
        ] {
            fields.insert(name.to_owned(), value);
        }
        let mut dataset = Dataset { slug: slug(sample.title), ..Dataset::new(sample.id.to_owned(), fields, now) };
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
                    ("organization", self.organization(number)),
                ]);
            }
            fields.extend(written.into_iter().map(|(name, value)| (name.to_owned(), value)));
            let resources = (0..resources).map(|index| self.remote_resource(number, index)).collect();
            let now = self.now();
            self.datasets.push(Dataset {
                id: format!("7512ab34cd56ef78{number:08x}"),
                slug: slug(&title),
                fields,
                created_at: now.clone(),
                last_modified: now,
                deleted: None,
                creator: User::Editor,
                old_slugs: Vec::new(),
                resources,
            });
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
        const MINUTE: i64 = 60_000_000;
        self.changes += 1;
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

    pub(crate) fn organization(&self, index: usize) -> Value {
        let (id, name, slug) = ORGANIZATIONS[index % ORGANIZATIONS.len()];
        json!({
            "class": "Organization", "id": id, "name": name, "acronym": null, "slug": slug,
            "uri": format!("{}{}/organizations/{slug}/", self.origin, base(Api::Main)),
            "page": format!("{}/organizations/{slug}", self.origin),
            "logo": null, "logo_thumbnail": null, "badges": [{"kind": "public-service"}],
            "permissions": {"delete": false, "edit": false, "harvest": false, "members": false, "private": false}
        })
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

    /// A dataset as the API shows it: in v2, its resources are a link.
    pub(crate) fn show(&self, dataset: &Dataset, api: Api, may_edit: bool) -> Value {
        let mut fields = dataset.fields.clone();
        let url = format!("{}{}/datasets/{}/", self.origin, base(api), dataset.id);
        let resources = if api == Api::MainV2 {
            let link = |name: &str, total: usize| {
                let href = format!("{url}{name}/?page=1&page_size=50");
                json!({"rel": "subsection", "href": href, "type": "GET", "total": total})
            };
            fields.insert("community_resources".to_owned(), link("community_resources", 0));
            link("resources", dataset.resources.len())
        } else {
            dataset.resources.iter().map(|resource| Value::Object(resource.fields.clone())).collect()
        };
        let has = |name: &str| !fields[name].is_null();
        let quality = json!({
            "all_resources_available": true, "dataset_description_quality": true, "has_open_format": true,
            "has_resources": !dataset.resources.is_empty(), "license": fields["license"] != "notspecified",
            "resources_documentation": true, "score": 0.78, "spatial": has("spatial"),
            "temporal_coverage": has("temporal_coverage"), "update_frequency": fields["frequency"] != "unknown"
        });
        let known = json!({
            "id": dataset.id, "slug": dataset.slug, "uri": url, "resources": resources, "quality": quality,
            "page": format!("{}/datasets/{}", self.origin, dataset.slug),
            "created_at": dataset.created_at, "last_modified": dataset.last_modified,
            "last_update": dataset.last_modified, "deleted": dataset.deleted, "badges": [], "doi": null,
            "harvest": null, "geopf": null,
            "internal": {"created_at_internal": dataset.created_at, "last_modified_internal": dataset.last_modified},
            "permissions": {"delete": may_edit, "edit": may_edit, "edit_resources": may_edit},
            "metrics": {
                "discussions": 0, "discussions_open": 0, "followers": 3, "followers_by_months": {"2026-01": 3},
                "resources_downloads": 42, "reuses": 0, "reuses_by_months": {}, "views": 421
            }
        });
        fields.extend(known.as_object().cloned().unwrap_or_default());
        Value::Object(fields)
    }
}

impl Dataset {
    /// Whether a user may change it.
    pub(crate) fn may_edit(&self, user: Option<User>) -> bool {
        user.is_some_and(|user| user == User::Editor || user == self.creator)
    }

    pub(crate) fn is_private(&self) -> bool {
        self.fields["private"] == true
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
        "contact_points": [], "schema": null, "organization": null, "owner": null, "access_type": "open",
        "access_audiences": [], "access_type_reason": null, "access_type_reason_category": null,
        "authorization_request_url": null
    });
    fields.as_object().cloned().unwrap_or_default()
}

/// A text in lower-case ASCII letters and digits, without accents.
pub(crate) fn plain(text: &str) -> String {
    let folded = text.chars().flat_map(char::to_lowercase).map(|char| match char {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    });
    folded.collect()
}

/// The slug of a title.
pub(crate) fn slug(title: &str) -> String {
    let dashed: String =
        plain(title).chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect();
    dashed.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}
