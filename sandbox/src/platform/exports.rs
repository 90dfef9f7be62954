//! The exports in CSV: of the whole catalogue, and of what single organizations publish.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Call, HandlerResult};
use super::catalogue::Dataset;
use super::class::Class;
use super::csv::{Csv, cells, json_of_python};
use super::entries::Entry;
use super::fields::{reference, text};
use super::objects::Object;
use super::state::Platform;
use super::vocabularies::{license_title, zone_name};
use crate::Api;
use crate::sort::sort_by_key;

pub(super) const MAIN: [&str; 11] = [
    "get_site_datasets_csv",
    "get_site_resources_csv",
    "get_site_organizations_csv",
    "get_site_reuses_csv",
    "get_site_dataservices_csv",
    "get_site_tags_csv",
    "get_site_harvests_csv",
    "get_datasets_csv",
    "get_datasets_resources_csv",
    "get_dataservices_csv",
    "get_discussions_csv",
];

const DATASET: &str = "id title slug acronym url=page organization=organization.name organization_id=organization.id \
    owner=owner.slug owner_id=owner.id description description_short frequency license temporal_coverage.start \
    temporal_coverage.end spatial.granularity spatial.zones spatial.geom featured created_at last_modified badges tags \
    archived resources_count main_resources_count resources_formats harvest.backend harvest.domain harvest.remote_id \
    harvest.remote_url harvest.uri harvest.created_at harvest.issued_at harvest.modified_at harvest.last_update \
    harvest.dct_identifier quality_score metric.discussions=metrics.discussions \
    metric.discussions_open=metrics.discussions_open metric.reuses=metrics.reuses \
    metric.reuses_by_months=metrics.reuses_by_months metric.dataservices=metrics.dataservices \
    metric.followers=metrics.followers metric.followers_by_months=metrics.followers_by_months \
    metric.views=metrics.views metric.resources_downloads=metrics.resources_downloads";

const DATASET_OF_RESOURCE: &str = "dataset.id=id dataset.title=title dataset.slug=slug dataset.url=page \
    dataset.organization=organization.name dataset.organization_id=organization.id dataset.license=license \
    dataset.private=private dataset.archived=archived";

const RESOURCE: &str = "id url title description filetype type format mime filesize checksum.type checksum.value \
    created_at modified=last_modified downloads harvest.issued_at harvest.modified_at harvest.last_update \
    schema_name=schema.name schema_version=schema.version preview_url extras";

const ORGANIZATION: &str = "id name acronym slug url=page description logo badges created_at last_modified \
    business_number_id members_count downloads metric.dataservices=metrics.dataservices \
    metric.dataservices_by_months=metrics.dataservices_by_months metric.datasets=metrics.datasets \
    metric.datasets_by_months=metrics.datasets_by_months \
    metric.datasets_followers_by_months=metrics.datasets_followers_by_months \
    metric.datasets_reuses_by_months=metrics.datasets_reuses_by_months metric.members=metrics.members \
    metric.reuses=metrics.reuses metric.reuses_by_months=metrics.reuses_by_months \
    metric.reuses_followers_by_months=metrics.reuses_followers_by_months metric.dataservices=metrics.dataservices \
    metric.followers=metrics.followers metric.views=metrics.views";

const REUSE: &str = "id title slug url=page type description remote_url=url organization=organization.name \
    organization_id=organization.id owner=owner.slug owner_id=owner.id image featured created_at last_modified archived \
    topic tags datasets metric.discussions=metrics.discussions metric.discussions_open=metrics.discussions_open \
    metric.datasets=metrics.datasets metric.followers=metrics.followers \
    metric.followers_by_months=metrics.followers_by_months metric.views=metrics.views";

const DATASERVICE: &str = "id title slug acronym url=self_web_url description base_api_url machine_documentation_url \
    technical_documentation_url business_documentation_url authorization_request_url availability rate_limiting \
    access_type license organization=organization.name organization_id=organization.id owner=owner.slug \
    owner_id=owner.id featured created_at metadata_modified_at archived=archived_at tags datasets harvest.backend \
    harvest.domain harvest.remote_id harvest.remote_url harvest.uri harvest.created_at harvest.issued_at \
    harvest.modified_at harvest.last_update metric.discussions=metrics.discussions \
    metric.discussions_open=metrics.discussions_open metric.followers=metrics.followers \
    metric.followers_by_months=metrics.followers_by_months metric.reuses=metrics.reuses metric.views=metrics.views";

const DISCUSSION: &str = "id user subject subject_class subject_id title size participants messages created closed \
    closed_by closed_by_id closed_by_organization closed_by_organization_id";

const TAG: &str = "name datasets reuses total";

const HARVESTER: &str = "id name url organization organization_id backend created_at validation config";

impl Platform {
    pub(super) fn respond_on_exports(&self, call: &Call<'_>) -> Option<HandlerResult> {
        Some(match call.operation_id {
            "get_site_datasets_csv" => {
                self.catalogue.found(call, Class::Dataset).and_then(|found| self.datasets_csv("datasets", &found))
            }
            "get_site_resources_csv" => {
                self.catalogue.found(call, Class::Dataset).and_then(|found| self.resources_csv("resources", &found))
            }
            "get_site_organizations_csv" => self.found_csv(call, Class::Organization, ORGANIZATION),
            "get_site_reuses_csv" => self.found_csv(call, Class::Reuse, REUSE),
            "get_site_dataservices_csv" => self.found_csv(call, Class::Dataservice, DATASERVICE),
            "get_site_tags_csv" => self.tags_csv(),
            // There are no harvesters.
            "get_site_harvests_csv" => Csv::new(&[HARVESTER]).reply("harvest", &self.catalogue.time()),
            "get_datasets_csv" | "get_datasets_resources_csv" | "get_dataservices_csv" | "get_discussions_csv" => {
                self.csv_of_organization(call)
            }
            _ => return None,
        })
    }

    fn datasets_csv(&self, name: &str, found: &[Entry<'_>]) -> HandlerResult {
        let mut csv = Csv::new(&[DATASET]);
        for dataset in found.iter().filter_map(|entry| entry.dataset()) {
            csv.push(&cells(DATASET, &self.dataset_of_csv(dataset)));
        }
        csv.reply(name, &self.catalogue.time())
    }

    fn resources_csv(&self, name: &str, found: &[Entry<'_>]) -> HandlerResult {
        let mut csv = Csv::new(&[DATASET_OF_RESOURCE, RESOURCE]);
        for dataset in found.iter().filter_map(|entry| entry.dataset()) {
            let of_dataset = cells(DATASET_OF_RESOURCE, &self.dataset_of_csv(dataset));
            for resource in &dataset.resources {
                let mut shown = Value::Object(resource.fields.clone());
                shown["downloads"] = json!(0);
                shown["extras"] = json!(json_of_python(&shown["extras"]));
                let mut row = of_dataset.clone();
                row.extend(cells(RESOURCE, &shown));
                csv.push(&row);
            }
        }
        csv.reply(name, &self.catalogue.time())
    }

    /// A dataset, with what the export says in other words than the API.
    fn dataset_of_csv(&self, dataset: &Dataset) -> Value {
        let mut shown = self.catalogue.show(dataset, Api::Main, None);
        let mut formats: Vec<&str> = dataset.resources.iter().map(|one| text(&one.fields, "format")).collect();
        formats.retain(|format| !format.is_empty());
        sort_by_key(&mut formats, false, |format| (*format).to_owned());
        formats.dedup();
        let main = dataset.resources.iter().filter(|one| one.fields["type"] == "main").count();
        let score = shown["quality"]["score"].as_f64().unwrap_or_default();
        for (name, value) in [
            ("license", json!(license_title(text(&dataset.fields, "license")))),
            ("badges", json!(dataset.badges)),
            ("resources_count", json!(dataset.resources.len())),
            ("main_resources_count", json!(main)),
            ("resources_formats", json!(formats)),
            ("quality_score", json!(format!("{score:.2}"))),
        ] {
            shown[name] = value;
        }
        if let Some(spatial) = shown["spatial"].as_object_mut() {
            if let Some(geometry) = spatial.get_mut("geom").filter(|geometry| !geometry.is_null()) {
                *geometry = json!(json_of_python(geometry));
            }
            if let Some(zones) = spatial.get_mut("zones").and_then(Value::as_array_mut) {
                *zones = zones.iter().filter_map(reference).map(|zone| json!(zone_name(zone))).collect();
            }
        }
        shown
    }

    /// The objects of a class that a call finds.
    fn found_csv(&self, call: &Call<'_>, class: Class, columns: &str) -> HandlerResult {
        let found = self.catalogue.found(call, class)?;
        self.objects_csv(class.path(), found.iter().filter_map(|entry| entry.object()), columns)
    }

    fn objects_csv<'a>(&self, name: &str, objects: impl Iterator<Item = &'a Object>, columns: &str) -> HandlerResult {
        let mut csv = Csv::new(&[columns]);
        for object in objects {
            let mut shown = self.catalogue.show_object(object, Api::Main, None);
            let members = shown["members"].as_array().map_or(0, Vec::len);
            for (name, value) in [
                ("badges", json!(object.badges)),
                ("datasets", json!(object.datasets)),
                ("license", json!(license_title(text(&object.fields, "license")))),
                ("members_count", json!(members)),
                ("downloads", json!(0)),
            ] {
                shown[name] = value;
            }
            csv.push(&cells(columns, &shown));
        }
        csv.reply(name, &self.catalogue.time())
    }

    /// The tags of datasets and reuses, the most frequent first.
    fn tags_csv(&self) -> HandlerResult {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for class in [Class::Dataset, Class::Reuse] {
            for entry in self.catalogue.entries(class) {
                for tag in entry.field("tags").as_array().into_iter().flatten().filter_map(Value::as_str) {
                    let (datasets, reuses) = counts.entry(tag).or_default();
                    *(if class == Class::Dataset { datasets } else { reuses }) += 1;
                }
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        sort_by_key(&mut counts, true, |(_, (datasets, reuses))| datasets + reuses);
        let mut csv = Csv::new(&[TAG]);
        for (tag, (datasets, reuses)) in counts {
            let row = json!({"name": tag, "datasets": datasets, "reuses": reuses, "total": datasets + reuses});
            csv.push(&cells(TAG, &row));
        }
        csv.reply("tags", &self.catalogue.time())
    }

    /// What an organization publishes that everybody finds.
    fn csv_of_organization(&self, call: &Call<'_>) -> HandlerResult {
        let organization = self.object(self.place(call, Class::Organization)?);
        let name = |what: &str| format!("{}-{what}", organization.slug);
        let datasets: Vec<Entry<'_>> = self
            .catalogue
            .datasets
            .iter()
            .rev()
            .filter(|one| one.organization.as_ref() == Some(&organization.id) && one.is_visible())
            .map(Entry::Dataset)
            .collect();
        match call.operation_id {
            "get_datasets_csv" => self.datasets_csv(&name("datasets"), &datasets),
            "get_datasets_resources_csv" => self.resources_csv(&name("datasets-resources"), &datasets),
            "get_dataservices_csv" => {
                let all = self.catalogue.community.of(Class::Dataservice);
                let own = all.filter(|one| one.organization.as_ref() == Some(&organization.id) && one.is_visible());
                self.objects_csv(&name("dataservices"), own, DATASERVICE)
            }
            _ => self.discussions_csv(&name("discussions"), &organization.id),
        }
    }

    /// The discussions about the datasets of an organization, the newest first.
    fn discussions_csv(&self, name: &str, organization: &str) -> HandlerResult {
        let mut csv = Csv::new(&[DISCUSSION]);
        for discussion in self.catalogue.discussions.iter().rev() {
            let subject = self.catalogue.datasets.iter().find(|one| discussion["subject"]["id"] == one.id);
            let Some(subject) = subject.filter(|one| one.organization.as_deref() == Some(organization)) else {
                continue;
            };
            csv.push(&cells(DISCUSSION, &self.discussion_of_csv(discussion, subject)));
        }
        csv.reply(name, &self.catalogue.time())
    }

    fn discussion_of_csv(&self, discussion: &Value, subject: &Dataset) -> Value {
        let called = |class: Class, id: &Value| {
            let object = id.as_str().and_then(|id| self.catalogue.community.get(class, id));
            object.map(|object| match class {
                Class::User => [text(&object.fields, "first_name"), text(&object.fields, "last_name")].join(" "),
                _ => object.title().to_owned(),
            })
        };
        let comments = || discussion["discussion"].as_array().into_iter().flatten();
        let mut participants: Vec<&str> = comments().filter_map(|comment| comment["posted_by"].as_str()).collect();
        sort_by_key(&mut participants, false, |id| (*id).to_owned());
        participants.dedup();
        let messages = comments().filter_map(|comment| comment["content"].as_str()).map(|text| text.replace('\n', " "));
        json!({
            "id": discussion["id"], "user": called(Class::User, &discussion["user"]),
            "subject": subject.fields["title"], "subject_class": "Dataset", "subject_id": subject.id,
            "title": discussion["title"], "size": comments().count(), "participants": participants,
            "messages": messages.collect::<Vec<_>>().join("\n"), "created": discussion["created"],
            "closed": discussion["closed"], "closed_by": called(Class::User, &discussion["closed_by"]),
            "closed_by_id": discussion["closed_by"],
            "closed_by_organization": called(Class::Organization, &discussion["closed_by_organization"]),
            "closed_by_organization_id": discussion["closed_by_organization"]
        })
    }
}
