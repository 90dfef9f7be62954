//! Resources of datasets and of the community.

use datagouv::main::types::{
    ChecksumInput, CommunityResourceUpdate, DatasetUpdate, Filetype, ResourceIdentifier, ResourceInput, ResourceUpdate,
};
use serde_json::json;

use crate::datasets::refused;
use crate::run;
use crate::support::{
    community_resource, csv, dataset, dataset_with, me, merged, organization, resource, resource_with, unique,
};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

#[test]
fn a_resource_has_every_property_that_was_sent() {
    run(|live| async move {
        let client = live.user();
        let (made, title) = (dataset(&client).await, unique("Ressource «é»"));
        let body = ResourceInput::new(&title, Filetype::Remote, "https://example.org/données.csv?a=1&b=é")
            .type_("documentation")
            .description("Une *ressource*.")
            .format("csv")
            .mime("text/csv")
            .filesize(1234)
            .checksum(ChecksumInput::new("ab".repeat(32)).type_("sha256"))
            .extras([("x".to_owned(), json!({"y": [1, null]})), (String::new(), json!(1.5))]);
        let created = client.main().create_resource().dataset(&made.id).body(body).send().await.unwrap();
        assert_eq!(created.status(), 201);
        let read = client.main().get_resource().dataset(&made.id).rid(&created.id).send().await.unwrap();
        assert_eq!((read.title.as_str(), read.type_.as_str()), (title.as_str(), "documentation"));
        assert_eq!(read.description.as_deref(), Some("Une *ressource*."));
        assert_eq!((read.format.as_deref(), read.mime.as_deref()), (Some("csv"), Some("text/csv")));
        assert_eq!((read.filesize, read.filetype.as_str()), (Some(1234), "remote"));
        let checksum = read.checksum.as_ref().unwrap();
        assert_eq!((checksum.type_.as_str(), checksum.value.as_str()), ("sha256", "ab".repeat(32).as_str()));
        assert_eq!((&read.extras["x"], &read.extras[""]), (&json!({"y": [1, null]}), &json!(1.5)));
        assert!(read.url.contains("données") || read.url.contains("donn%C3%A9es"), "{}", read.url);
        assert!(read.latest.ends_with(&format!("/datasets/r/{}", read.id)));
        let masked =
            client.main().get_resource().dataset(&made.id).rid(&created.id).x_fields("{id}").send().await.unwrap();
        assert_eq!((&masked.id, masked.title.as_str()), (&read.id, ""));
    });
}

#[test]
fn resources_name_their_schema_by_name_or_by_url() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let named = json!({"schema": {"name": "etalab/schema-irve-statique", "version": "2.2.0"}});
        let schema = resource_with(&client, &made.id, named).await.schema.unwrap();
        assert_eq!(schema.name.as_deref(), Some("etalab/schema-irve-statique"));
        assert_eq!((schema.version.as_deref(), schema.url), (Some("2.2.0"), None));
        let linked = json!({"schema": {"url": "https://example.org/schema.json"}});
        let schema = resource_with(&client, &made.id, linked).await.schema.unwrap();
        assert_eq!((schema.name, schema.url.as_deref()), (None, Some("https://example.org/schema.json")));
        assert!(resource(&client, &made.id).await.schema.is_none());
    });
}

#[test]
fn an_invalid_resource_is_refused_by_field() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        for (extra, fields) in [
            (json!({"title": "", "url": ""}), vec!["title", "url"]),
            (json!({"url": "not a url"}), vec!["url"]),
            (json!({"type": "nope"}), vec!["type"]),
            (json!({"schema": {"name": "nope"}}), vec!["schema.name"]),
            (json!({"checksum": {"type": "nope", "value": "x"}}), vec!["checksum.type"]),
        ] {
            let base = json!({"title": "Refusée", "url": "https://example.org/", "filetype": "remote"});
            let body = merged(base, extra.clone());
            let error = client.main().create_resource().dataset(&made.id).body(body).send().await.unwrap_err();
            assert_eq!(
                (error.status().unwrap().as_u16(), refused(&error)),
                (400, fields.iter().map(|field| (*field).to_owned()).collect()),
                "{extra}"
            );
        }
        let body = json!({"title": "Fichier", "url": "https://example.org/", "filetype": "file"});
        let error = client.main().create_resource().dataset(&made.id).body(body).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("This endpoint only supports remote resources"));
    });
}

#[test]
fn a_resource_is_read_updated_and_deleted() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let extra = json!({"checksum": {"type": "md5", "value": "ab"}, "extras": {"garde": [1]}, "format": "csv"});
        let before = resource_with(&client, &made.id, extra).await;
        let title = unique("Titre changé");
        let update = ResourceUpdate::from(before.clone()).title(&title);
        let request = client.main().update_resource().dataset(&made.id).rid(&before.id);
        let after = request.body(update).send().await.unwrap();
        assert_eq!((&after.id, &after.title), (&before.id, &title));
        assert_eq!((&after.checksum, &after.extras), (&before.checksum, &before.extras));
        assert_eq!((&after.url, &after.format, &after.type_), (&before.url, &before.format, &before.type_));

        let stranger = live.plain();
        let update = stranger.main().update_resource().dataset(&made.id).rid(&before.id).body(json!({"title": "Non"}));
        assert!(update.send().await.unwrap_err().is_forbidden());
        let delete = stranger.main().delete_resource().dataset(&made.id).rid(&before.id).send().await;
        assert!(delete.unwrap_err().is_forbidden());

        let delete = client.main().delete_resource().dataset(&made.id).rid(&before.id).send().await.unwrap();
        assert_eq!(delete.status(), 204);
        let error = client.main().get_resource().dataset(&made.id).rid(&before.id).send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert_eq!(error.server_message().as_deref(), Some("Resource does not exist"));
        let error = client.main().delete_resource().dataset(&made.id).rid(&before.id).send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    });
}

#[test]
fn an_unknown_resource_is_not_found() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let error = client.main().get_resource().dataset(&made.id).rid(UNKNOWN).send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        let update = client.main().update_resource().dataset(&made.id).rid(UNKNOWN).body(json!({"title": "Non"}));
        assert!(update.send().await.unwrap_err().is_not_found());
        let error = client.main().redirect_resource().id(UNKNOWN).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("Resource not found"));
    });
}

#[test]
fn resources_are_reordered_by_a_list_of_all_of_them() {
    run(|live| async move {
        let client = live.user();
        let made = dataset(&client).await;
        let mut order = Vec::new();
        for _ in 0..3 {
            order.push(resource(&client, &made.id).await.id);
        }
        order.rotate_left(1);
        let body = |ids: &[String]| ids.iter().map(ResourceIdentifier::new).collect::<Vec<_>>();
        let request = || client.main().update_resources().dataset(&made.id);
        let response = request().body(body(&order)).send().await.unwrap();
        assert_eq!(response.iter().map(|resource| &resource.id).collect::<Vec<_>>(), order.iter().collect::<Vec<_>>());
        let read = client.main().get_dataset().dataset(&made.id).send().await.unwrap();
        assert_eq!(
            read.resources.iter().map(|resource| &resource.id).collect::<Vec<_>>(),
            order.iter().collect::<Vec<_>>()
        );
        let error = request().body(body(&order[..1])).send().await.unwrap_err();
        assert_eq!(error.server_message().as_deref(), Some("All resources must be reordered, you provided 1 out of 3"));
    });
}

#[test]
fn read_modify_write_keeps_three_hundred_resources() {
    run(|live| async move {
        let client = live.user();
        let kinds = ["main", "documentation", "update", "api", "code", "other"];
        let resources: Vec<serde_json::Value> = (0..300)
            .map(|number| {
                json!({
                    "title": format!("Ressource n° {number}"),
                    "url": format!("https://example.org/{number}.csv"),
                    "filetype": "remote",
                    "type": kinds[number % kinds.len()],
                    "format": if number % 2 == 0 { json!("csv") } else { json!(null) },
                })
            })
            .collect();
        let made = dataset_with(&client, json!({"resources": resources})).await;
        let read = client.main().get_dataset().dataset(&made.id).send().await.unwrap().into_inner();
        assert_eq!(read.resources.len(), 300);
        assert_eq!(read.resources[299].title, "Ressource n° 299");
        assert!(read.resources[1].format.is_none());
        let ids: Vec<String> = read.resources.iter().map(|resource| resource.id.clone()).collect();
        let update = DatasetUpdate::from(read).description("Encore toutes.");
        let after = client.main().update_dataset().dataset(&made.id).body(update).send().await.unwrap();
        assert_eq!(after.resources.iter().map(|resource| resource.id.clone()).collect::<Vec<_>>(), ids);
    });
}

#[test]
fn a_sysadmin_requests_the_analysis_of_a_resource() {
    run(|live| async move {
        let made = dataset(&live.user()).await;
        let id = live.user().dataset(&made.id).upload(csv()).send().await.unwrap().id;
        let requested = live.admin().main().force_resource_analysis().dataset(&made.id).rid(&id).send().await.unwrap();
        assert_eq!(requested.status(), 202);
        let error = live.user().main().force_resource_analysis().dataset(&made.id).rid(&id).send().await.unwrap_err();
        assert!(error.is_forbidden(), "{error}");
        let error = live.anonymous().main().force_resource_analysis().dataset(&made.id).rid(&id).send().await;
        assert!(error.unwrap_err().is_unauthorized());
    });
}

#[test]
fn the_permanent_link_of_a_resource_redirects_to_its_file() {
    run(|live| async move {
        let made = dataset(&live.user()).await;
        // A file that always exists: the RDF of the dataset.
        let (base, _) = made.uri.rsplit_once("/datasets/").unwrap();
        let url = format!("{base}/datasets/{}/rdf.nt", made.id);
        let id = resource_with(&live.user(), &made.id, json!({"url": url})).await.id;
        let file = live.anonymous().main().redirect_resource().id(&id).send().await.unwrap();
        assert_eq!(file.status(), 200);
        let text = file.into_inner().text().await.unwrap();
        assert!(text.contains(&made.id) && text.contains(&id), "{text}");
    });
}

#[test]
fn a_community_resource_belongs_to_a_dataset_of_another_user() {
    run(|live| async move {
        let (client, made) = (live.plain(), dataset(&live.user()).await);
        let created = community_resource(&client, &made.id).await;
        let owner = me(&client).await.id;
        assert_eq!(created.owner.as_ref().unwrap().id, owner);
        let about = created.dataset.clone().unwrap();
        assert_eq!((&about.id, about.class.as_str(), &about.title), (&made.id, "Dataset", &made.title));

        let anonymous = live.anonymous();
        let list = || anonymous.main().list_community_resources().dataset(&made.id);
        let page = list().owner(&owner).sort("-created_at").page(1).page_size(5).send().await.unwrap();
        assert_eq!((page.total, &page.data[0].id), (1, &created.id));
        assert!(list().page(2).send().await.unwrap_err().is_not_found());

        let title = unique("Titre changé");
        let update = CommunityResourceUpdate::from(created.clone()).title(&title);
        let request = || client.main().update_community_resource().community(&created.id);
        let after = request().body(update).send().await.unwrap();
        assert_eq!((&after.title, &after.url), (&title, &created.url));
        let read = client.main().retrieve_community_resource().community(&created.id).send().await.unwrap();
        assert_eq!((&read.title, read.dataset.as_ref().unwrap()), (&title, &about));
        let stranger = live.user();
        let update = stranger.main().update_community_resource().community(&created.id).body(json!({"title": "Non"}));
        assert!(update.send().await.unwrap_err().is_forbidden());
        let whole =
            stranger.main().get_dataset().dataset(&made.id).x_fields("{id,community_resources{id}}").send().await;
        assert_eq!(whole.unwrap().community_resources[0].id, created.id);

        let delete = client.main().delete_community_resource().community(&created.id).send().await.unwrap();
        assert_eq!(delete.status(), 204);
        let error = client.main().retrieve_community_resource().community(&created.id).send().await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
    });
}

#[test]
fn an_organization_owns_a_community_resource() {
    run(|live| async move {
        let (client, made) = (live.plain(), dataset(&live.user()).await);
        let organization = organization(&client).await;
        let body = json!({
            "title": unique("Ressource communautaire"),
            "url": "https://example.org/c.csv",
            "filetype": "remote",
            "dataset": {"class": "Dataset", "id": made.id},
            "organization": {"class": "Organization", "id": organization.id},
            "extras": {"vide": ""},
        });
        let created = client.main().create_community_resource().body(body).send().await.unwrap();
        assert!(created.owner.is_none());
        assert_eq!(created.organization.as_ref().unwrap().name, organization.name);
        let list = client.main().list_community_resources().organization(&organization.id).send().await.unwrap();
        assert_eq!((list.total, &list.data[0].id), (1, &created.id));
    });
}

#[test]
fn a_community_resource_needs_its_dataset() {
    run(|live| async move {
        let body = json!({
            "title": "Seule", "url": "https://example.org/", "filetype": "remote",
            "dataset": {"class": "Dataset", "id": "000000000000000000000000"},
        });
        let error = live.user().main().create_community_resource().body(body.clone()).send().await.unwrap_err();
        assert_eq!((error.status().unwrap().as_u16(), refused(&error)), (400, vec!["dataset".to_owned()]), "{error}");
        let error = live.anonymous().main().create_community_resource().body(body).send().await.unwrap_err();
        assert!(error.is_unauthorized(), "{error}");
    });
}
