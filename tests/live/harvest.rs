//! Harvest sources, their jobs, and the harvested datasets.

use axum::Router;
use axum::http::{StatusCode, Uri, header};
use datagouv::Client;
use datagouv::main::types;
use serde_json::{Value, json};

use crate::run;
use crate::support::{organization, unique};
use crate::things::{refused, word};

/// The template of a catalogue: `TAG` stands for what makes its identifiers unique.
const CATALOGUE: &str = include_str!("catalogue.rdf");

/// Serves a catalogue at any path except `/broken` and `/missing`; returns its URL.
async fn catalogue() -> (String, String) {
    let tag = word();
    let body = CATALOGUE.replace("TAG", &tag);
    let respond = move |uri: Uri| async move {
        let (status, body) = match uri.path() {
            "/missing" => (StatusCode::NOT_FOUND, String::new()),
            "/broken" => (StatusCode::OK, "<oops".to_owned()),
            _ => (StatusCode::OK, body),
        };
        (status, [(header::CONTENT_TYPE, "application/rdf+xml")], body)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
    (url, tag)
}

async fn source(client: &Client, url: String, more: Value) -> types::HarvestSource {
    let mut body = json!({"name": unique("Moisson"), "backend": "dcat", "url": url});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = client.main().create_harvest_source().body(body).send().await.unwrap();
    assert_eq!(made.status(), 201);
    made.into_inner()
}

async fn validate(admin: &Client, source: &str, state: &str) -> types::HarvestSource {
    let body = json!({"state": state, "comment": "vu"});
    admin.main().validate_harvest_source().source(source).body(body).send().await.unwrap().into_inner()
}

/// The items of the last job.
async fn items(client: &Client, source: &str) -> (types::HarvestJob, Vec<types::HarvestItem>) {
    let jobs = client.main().list_harvest_jobs().source(source).page_size(1).send().await.unwrap();
    let job = jobs.into_inner().data.remove(0);
    let items = client.main().list_harvest_job_items().job(&job.id).page_size(50).send().await.unwrap();
    (job, items.into_inner().data)
}

#[test]
fn a_harvested_catalogue_is_found_by_both_versions_of_the_api() {
    run(|live| async move {
        let (client, admin) = (live.user(), live.admin());
        let (url, tag) = catalogue().await;
        let owner = organization(&client).await;
        let made = source(&client, format!("{url}/catalogue.rdf"), json!({"organization": owner.id})).await;
        assert_eq!(made.validation.state.as_str(), "pending");
        assert_eq!((&made.last_job, &made.schedule), (&None, &None));
        let validated = validate(&admin, &made.id, "accepted").await;
        assert_eq!(validated.validation.state.as_str(), "accepted");
        assert_eq!(validated.validation.by.as_ref().map(|user| user.first_name.as_str()), Some("Ada"));
        assert!(validated.schedule.is_some());

        let (job, items) = items(&client, &made.id).await;
        assert_eq!(job.source.id.as_ref(), Some(&made.id));
        assert_eq!(job.items.total, 6);
        let statuses: Vec<&str> = items.iter().map(|item| item.status.as_str()).collect();
        assert_eq!(statuses, ["done", "done", "skipped", "skipped", "done", "done"], "{items:#?}");
        let done =
            client.main().list_harvest_job_items().job(&job.id).status("done").page_size(2).send().await.unwrap();
        assert_eq!((done.total, done.data.len()), (4, 2));
        assert!(done.next_page.is_some());
        let one = client.main().get_harvest_job().job(&job.id).send().await.unwrap();
        assert_eq!(one.into_inner(), job);

        let datasets = client.main().list_datasets().organization(&owner.id).sort("title").send().await.unwrap();
        assert_eq!(datasets.total, 3);
        let full = datasets.data.iter().find(|dataset| dataset.resources.len() == 2).unwrap();
        let harvest = full.harvest.as_ref().unwrap();
        assert_eq!(harvest.backend.as_deref(), Some("DCAT"));
        assert_eq!((&harvest.source_id, &harvest.remote_id), (&Some(made.id.clone()), &Some(format!("d1-{tag}"))));
        assert!(harvest.created_at.is_some() && harvest.modified_at.is_some());
        assert!(
            full.resources.iter().any(|resource| resource.harvest.as_ref().is_some_and(|h| h.modified_at.is_some()))
        );
        let alone = client.main().get_dataset().dataset(&full.id).send().await.unwrap();
        assert_eq!(alone.harvest, full.harvest);
        let with_doi = datasets.data.iter().filter_map(|dataset| dataset.harvest.as_ref()?.doi.as_ref()).count();
        assert_eq!(with_doi, 1);

        let light = client.main_v2().list_datasets().organization(&owner.id).send().await.unwrap();
        assert_eq!(light.total, 3);
        let same = client.main_v2().get_dataset().dataset(&full.id).send().await.unwrap();
        assert_eq!(same.harvest.as_ref().unwrap().remote_id, harvest.remote_id);
        let resources = client.main_v2().list_resources().dataset(&full.id).send().await.unwrap();
        assert!(resources.data.iter().any(|resource| resource.harvest.is_some()));
        let found = client.main_v2().search_datasets().organization(&owner.id).send().await.unwrap();
        assert!(found.data.iter().all(|dataset| dataset.harvest.is_some()));

        let services = client.main().list_dataservices().organization(&owner.id).send().await.unwrap();
        assert_eq!(services.total, 1);
        assert_eq!(services.data[0].harvest.remote_id, Some(format!("s1-{tag}")));
        assert_eq!(services.data[0].datasets.total, 1);
        let service = client.main().get_dataservice().dataservice(&services.data[0].id).send().await.unwrap();
        assert_eq!(service.harvest.source_id.as_deref(), Some(made.id.as_str()));
        let services = client.main_v2().search_dataservices().organization(&owner.id).send().await.unwrap();
        assert_eq!(json!(services.data[0].harvest), json!(service.harvest));
    });
}

#[test]
fn an_item_of_another_source_fails() {
    run(|live| async move {
        let (client, admin) = (live.user(), live.admin());
        let (url, _) = catalogue().await;
        let first = source(&client, format!("{url}/catalogue.rdf"), json!({})).await;
        validate(&admin, &first.id, "accepted").await;
        let owner = organization(&client).await;
        let more = json!({"organization": owner.id, "autoarchive": false});
        let second = source(&client, format!("{url}/other.rdf"), more).await;
        let validated = validate(&admin, &second.id, "accepted").await;
        assert_eq!(validated.last_job.as_ref().map(|job| job.status.as_str()), Some("done-errors"));
        let (job, items) = items(&client, &second.id).await;
        let failed: Vec<_> = items.iter().filter(|item| item.status.as_str() == "failed").collect();
        assert!(!failed.is_empty());
        assert!(failed.iter().all(|item| !item.errors.is_empty()));
        assert_eq!(job.items.by_status.get("failed").copied(), Some(failed.len() as i64));

        let seen = client.main().get_harvest_source().source(&second.id).send().await.unwrap();
        assert_eq!(seen.last_job.as_ref().map(|job| &job.id), Some(&job.id));
        let page = client.main().list_harvest_sources().organization(&owner.id).send().await.unwrap();
        assert_eq!(page.data[0].last_job.as_ref().map(|job| job.status.as_str()), Some("done-errors"));
    });
}

#[test]
fn a_source_that_cannot_be_read_fails_with_the_reason() {
    run(|live| async move {
        let (client, admin) = (live.user(), live.admin());
        let (url, _) = catalogue().await;
        for path in ["broken", "missing"] {
            let made = source(&client, format!("{url}/{path}"), json!({})).await;
            refused(client.main().run_harvest_source().source(&made.id).send().await, 400);
            validate(&admin, &made.id, "accepted").await;
            let again = client.main().run_harvest_source().source(&made.id).send().await.unwrap();
            assert_eq!(again.status(), 200);
            let jobs = client.main().list_harvest_jobs().source(&made.id).send().await.unwrap();
            assert_eq!(jobs.total, 2);
            for job in &jobs.data {
                assert_eq!(job.status.as_str(), "failed");
                assert!(!job.errors[0].message.is_empty());
            }
            let preview = client.main().preview_harvest_source().source(&made.id).send().await.unwrap();
            assert_eq!((preview.status.as_str(), preview.items.len()), ("failed", 0));
            assert!(!preview.errors.is_empty());
        }
    });
}

#[test]
fn a_preview_lists_the_items_of_a_harvest() {
    run(|live| async move {
        let client = live.user();
        let (url, tag) = catalogue().await;
        let config = json!({"name": unique("Aperçu"), "backend": "dcat", "url": format!("{url}/catalogue.rdf")});
        let preview = client.main().preview_harvest_source_config().body(config).send().await.unwrap();
        assert_eq!((preview.id.as_ref(), preview.items.len()), (None, 6));
        assert!(preview.items.iter().any(|item| item.dataset.is_some()));
        assert!(preview.items.iter().any(|item| item.dataservice.is_some()));
        let made = source(&client, format!("{url}/catalogue.rdf"), json!({})).await;
        let preview = client.main().preview_harvest_source().source(&made.id).send().await.unwrap();
        assert_eq!(json!(preview.items[0].remote_id), json!(format!("d1-{tag}")));
        assert_eq!(
            preview.items[0].dataset.as_ref().map(|dataset| dataset.title.clone()),
            Some(Some("Moissonné un".to_owned()))
        );
        refused(live.plain().main().preview_harvest_source().source(&made.id).send().await, 403);
        let list = client.main().list_harvest_jobs().source(&made.id).send().await.unwrap();
        assert_eq!(list.total, 0, "a preview leaves no job");
    });
}

#[test]
fn a_source_is_scheduled_and_unscheduled() {
    run(|live| async move {
        let (url, _) = catalogue().await;
        let made = source(&live.user(), format!("{url}/missing"), json!({})).await;
        let admin = live.admin();
        let scheduled = admin.main().schedule_harvest_source().source(&made.id).body("1 2 * * 3").send().await.unwrap();
        assert_eq!(scheduled.schedule.as_deref(), Some("1 2 * * 3"));
        let again = admin.main().schedule_harvest_source().source(&made.id).body("0 0 * * *").send().await.unwrap();
        assert_eq!(again.schedule.as_deref(), Some("0 0 * * *"));
        let none = admin.main().unschedule_harvest_source().source(&made.id).send().await.unwrap();
        assert_eq!(none.status(), 204);
        let seen = admin.main().get_harvest_source().source(&made.slug).send().await.unwrap();
        assert_eq!(seen.schedule, None);
        let plain = live.plain();
        refused(plain.main().schedule_harvest_source().source(&made.id).body("0 0 * * *").send().await, 403);
    });
}

#[test]
fn a_source_is_refused_changed_and_deleted() {
    run(|live| async move {
        let (client, admin) = (live.user(), live.admin());
        let (url, _) = catalogue().await;
        let config = json!({
            "features": {"geodcatap": true}, "filters": [],
            "extra_configs": [{"key": "remote_url_prefix", "value": "https://example.org/"}],
        });
        let more = json!({"backend": "csw-dcat", "description": "Une source", "config": config, "active": false});
        let made = source(&client, format!("{url}/missing"), more).await;
        assert_eq!(made.config.features.get("geodcatap"), Some(&true));
        assert_eq!(made.config.extra_configs[0].value, json!("https://example.org/"));
        assert!(!made.active);
        let refusal = validate(&admin, &made.id, "refused").await;
        assert_eq!(refusal.validation.state.as_str(), "refused");
        assert_eq!(refusal.validation.comment.as_deref(), Some("vu"));
        refused(
            live.plain()
                .main()
                .validate_harvest_source()
                .source(&made.id)
                .body(json!({"state": "accepted"}))
                .send()
                .await,
            403,
        );

        let name = unique("Renommée");
        let body = json!({"name": name, "backend": "ckan", "url": made.url, "config": {"filters": [{"key": "tags", "value": "x"}]}});
        let updated = client.main().update_harvest_source().source(&made.id).body(body).send().await.unwrap();
        assert_eq!((&updated.name, updated.backend.as_str()), (&name, "ckan"));
        assert_eq!(updated.config.filters[0].key, "tags");
        let gone = client.main().delete_harvest_source().source(&made.id).send().await.unwrap();
        assert_eq!(gone.status(), 204);
        let list = || client.main().list_harvest_sources().q(&name).page_size(20);
        assert_eq!(list().send().await.unwrap().total, 0);
        let kept = list().deleted(true).send().await.unwrap();
        assert!(kept.data[0].deleted.is_some());
        let owner = kept.data[0].owner.as_ref().unwrap().id.clone();
        let mine = client.main().list_harvest_sources().owner(owner).page(1).send().await.unwrap();
        assert!(mine.data.iter().all(|source| source.deleted.is_none()));
    });
}

#[test]
fn every_backend_lists_its_options() {
    run(|live| async move {
        let backends = live.anonymous().main().harvest_backends().send().await.unwrap();
        let backend = |id: &str| backends.iter().find(|backend| backend.id == id).unwrap();
        assert!(backend("ckan").filters.iter().any(|filter| filter.key == "organization"));
        assert!(backend("csw-iso-19139").extra_configs.iter().any(|config| config.key == "remote_url_prefix"));
        assert_eq!(backend("dcat").label, "DCAT");
    });
}

#[test]
fn a_source_with_an_unknown_backend_is_refused() {
    run(|live| async move {
        let body = json!({"name": unique("Moisson"), "backend": "nope", "url": "https://example.org/"});
        let error = refused(live.user().main().create_harvest_source().body(body.clone()).send().await, 400);
        assert_eq!(error.field_errors()[0].field, "backend");
        refused(live.anonymous().main().create_harvest_source().body(body).send().await, 401);
        let none = "0123456789abcdef01234567";
        refused(live.user().main().get_harvest_source().source(none).send().await, 404);
        refused(live.user().main().get_harvest_job().job(none).send().await, 404);
    });
}
