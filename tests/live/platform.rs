//! Charts, scheduled jobs, and the external services Géoplateforme and ProConnect.

use std::net::SocketAddr;

use datagouv::main::types::{Filetype, VisualizationImageForm};
use datagouv::{Api, Client, RetryPolicy};
use serde_json::{Value, json};

use crate::run;
use crate::support::{dataset, organization, png, resource, unique};
use crate::things::refused;

fn chart(resource: &str, owner: Option<&str>) -> Value {
    let mut chart = json!({
        "title": unique("Graphe"), "description": "Un graphe",
        "x_axis": {"column_x": "a", "type": "discrete", "sort_x_by": "axis_y", "sort_x_direction": "desc"},
        "series": [{"type": "histogram", "resource_id": resource}],
    });
    if let Some(owner) = owner {
        chart["organization"] = json!(owner);
    }
    chart
}

#[test]
fn a_chart_with_axes_series_and_filters_is_read_back() {
    run(|live| async move {
        let client = live.user();
        let (owner, used) = (organization(&client).await, dataset(&client).await);
        let rid = resource(&client, &used.id).await.id;
        let mut body = chart(&rid, Some(&owner.id));
        body["y_axis"] = json!({"label": "y", "min": 0, "max": 10.5, "unit": "€", "unit_position": "prefix"});
        body["extras"] = json!({"a": [1, {"b": null}]});
        let leaf = |condition: &str| json!({"_cls": "Filter", "column": "a", "condition": condition, "value": "1"});
        let conditions = ["exact", "differs", "greater", "less", "strictly_greater", "strictly_less"].map(leaf);
        body["series"] = json!([
            {
                "type": "line", "column_y": "b", "aggregate_y": "avg", "resource_id": rid, "column_x_name_override": "aa",
                "filters": {"_cls": "AndFilters", "filters": [
                    leaf("exact"),
                    {"_cls": "OrFilters", "filters": [
                        {"_cls": "Filter", "column": "b", "condition": "is_null"},
                        {"_cls": "AndFilters", "filters": conditions},
                    ]},
                ]},
            },
            {"type": "histogram", "resource_id": rid, "filters": {"_cls": "Filter", "column": "b", "condition": "is_not_null"}},
            {"type": "line", "resource_id": rid, "column_y": "c", "aggregate_y": "sum"},
        ]);
        let made = client.main().create_visualization().body(body).send().await.unwrap();
        assert_eq!(made.status(), 201);
        assert_eq!(made.y_axis.max, Some(10.5));
        assert_eq!(made.x_axis.sort_x_by.as_str(), "axis_y");
        assert_eq!(made.series.len(), 3);
        let filters = made.series[0].filters.as_ref().unwrap();
        assert_eq!(filters.cls, "AndFilters");
        assert_eq!(filters.filters[1].filters[1].filters.len(), 6);
        assert_eq!(filters.filters[0].value.as_deref(), Some("1"));
        assert_eq!(made.series[2].filters, None);
        assert_eq!(made.extras["a"], json!([1, {"b": null}]));
        let seen = live.anonymous().main().get_visualization().visualization(&made.slug).send().await.unwrap();
        assert_eq!(seen.series, made.series);

        let page = client.main().list_visualizations().organization(&owner.id).sort("-created").send().await.unwrap();
        assert_eq!(page.data.iter().map(|found| &found.id).collect::<Vec<_>>(), [&made.id]);
    });
}

#[test]
fn a_chart_is_updated_given_an_image_and_deleted() {
    run(|live| async move {
        let client = live.user();
        let used = dataset(&client).await;
        let rid = resource(&client, &used.id).await.id;
        let mut body = chart(&rid, None);
        body["private"] = json!(true);
        let made = client.main().create_visualization().body(body.clone()).send().await.unwrap();
        assert!(made.private);
        assert_eq!((made.y_axis.min, made.y_axis.label.as_ref()), (None, None), "without an axis all of it is null");
        let owner = made.owner.as_ref().unwrap().id.clone();
        let mine = client.main().list_visualizations().owner(owner).private(true).page_size(50).send().await.unwrap();
        assert!(mine.data.iter().any(|found| found.id == made.id));
        refused(live.plain().main().get_visualization().visualization(&made.id).send().await, 404);
        refused(
            live.plain().main().update_visualization().visualization(&made.id).body(body.clone()).send().await,
            403,
        );

        body["title"] = json!(unique("Autre titre"));
        body["private"] = json!(false);
        let updated =
            client.main().update_visualization().visualization(&made.id).body(body.clone()).send().await.unwrap();
        assert_eq!((json!(updated.title), updated.private), (body["title"].clone(), false));
        let form = VisualizationImageForm::new(png(300, 300));
        let uploaded = client.main().visualization_image().visualization(&made.id).body(form).send().await.unwrap();
        assert!(uploaded.success);
        let seen = client.main().get_visualization().visualization(&made.id).send().await.unwrap();
        assert!(seen.image.is_some());

        assert_eq!(client.main().delete_visualization().visualization(&made.id).send().await.unwrap().status(), 204);
        let gone = live.anonymous().main().get_visualization().visualization(&made.id).send().await;
        assert!(refused(gone, 410).is_gone());
    });
}

#[test]
fn a_chart_without_series_is_refused() {
    run(|live| async move {
        let mut body = chart("0b1d2c3e-0000-4000-8000-000000000000", None);
        body["series"] = json!([]);
        let error = refused(live.user().main().create_visualization().body(body).send().await, 400);
        assert_eq!(error.field_errors()[0].field, "series");
        refused(live.anonymous().main().list_visualizations().page(100_000).send().await, 404);
    });
}

#[test]
fn jobs_run_by_crontab_or_by_interval() {
    run(|live| async move {
        let client = live.admin();
        let tasks = client.main().get_jobs_reference_api().send().await.unwrap();
        assert!(tasks.iter().any(|task| task == "purge-harvest-jobs"), "{tasks:?}");
        let crontab = json!({
            "name": unique("tâche"), "task": "purge-harvest-jobs", "description": "à heure fixe",
            "crontab": {"minute": "0", "hour": "3", "day_of_week": "*", "day_of_month": "1", "month_of_year": "*"},
            "args": ["a", 1, null, ["b"], {"c": 2}], "kwargs": {"k": {"x": [1]}},
        });
        let fixed = client.main().post_jobs_api().body(crontab).send().await.unwrap();
        assert_eq!(fixed.status(), 201);
        assert_eq!(fixed.crontab.as_ref().map(|crontab| crontab.hour.as_str()), Some("3"));
        assert_eq!(fixed.interval, None);
        assert_eq!(fixed.args, [json!("a"), json!(1), json!(null), json!(["b"]), json!({"c": 2})]);
        assert_eq!(fixed.last_run_at, None);
        let mut repeated = None;
        for period in ["days", "hours", "minutes", "seconds", "microseconds"] {
            let body = json!({
                "name": unique("tâche"), "task": "purge-harvest-jobs", "enabled": false,
                "interval": {"every": 5, "period": period},
            });
            let made = client.main().post_jobs_api().body(body).send().await.unwrap();
            assert_eq!(made.interval.as_ref().map(|interval| interval.period.as_str()), Some(period));
            assert!(!made.enabled);
            repeated = Some(made.into_inner());
        }
        let repeated = repeated.unwrap();
        let jobs = client.main().list_jobs().send().await.unwrap();
        assert!([&fixed.id, &repeated.id].iter().all(|id| jobs.iter().any(|job| job.id == **id)));

        let body = json!({
            "name": repeated.name, "task": repeated.task, "description": "plus souvent",
            "interval": {"every": 1, "period": "days"},
        });
        let updated = client.main().put_job_api().id(&repeated.id).body(body).send().await.unwrap();
        assert_eq!(updated.description.as_deref(), Some("plus souvent"));
        let seen = client.main().get_job_api().id(&repeated.id).send().await.unwrap();
        assert_eq!(seen.interval.as_ref().map(|interval| interval.every), Some(1));
        assert_eq!(client.main().delete_job_api().id(&repeated.id).send().await.unwrap().status(), 204);
        refused(client.main().get_job_api().id(&repeated.id).send().await, 404);

        let neither = json!({"name": unique("tâche"), "task": "purge-harvest-jobs"});
        refused(client.main().post_jobs_api().body(neither).send().await, 400);
        let body =
            json!({"name": unique("x"), "task": "purge-harvest-jobs", "interval": {"every": 1, "period": "days"}});
        refused(live.user().main().post_jobs_api().body(body).send().await, 403);
    });
}

#[test]
fn an_unknown_task_is_pending() {
    run(|live| async move {
        let task = live.admin().main().get_task_api().id("no-such-task").send().await.unwrap();
        assert_eq!((task.id.as_str(), task.status.as_str()), ("no-such-task", "PENDING"));
        assert_eq!((&task.result, &task.exc, &task.traceback), (&None, &None, &None));
    });
}

#[test]
fn geoplateforme_is_refused_without_its_configuration() {
    run(|live| async move {
        let client = live.user();
        let used = dataset(&client).await;
        let csv = resource(&client, &used.id).await;
        assert_eq!(csv.filetype, Filetype::Remote);
        let body = json!({
            "title": "Carte", "url": "https://example.org/c.gpkg", "filetype": "remote", "type": "main", "format": "gpkg",
        });
        let map = client.main().create_resource().dataset(&used.id).body(body).send().await.unwrap();

        let status = client.main().geopf_status().send().await.unwrap();
        assert_eq!((status.connected, status.expires_at.as_ref()), (false, None));
        let status = client.main().geopf_dataset_status().dataset(&used.id).send().await.unwrap();
        assert_eq!(
            status.pushable.iter().map(|found| found.id.as_deref()).collect::<Vec<_>>(),
            [Some(map.id.as_str())]
        );
        assert_eq!((status.offerings.len(), status.pull.status.as_ref()), (0, None));
        refused(live.plain().main().geopf_dataset_status().dataset(&used.id).send().await, 404);

        let reason = "Not connected to Géoplateforme";
        let push = |rid: &str| client.main().geopf_push().dataset(&used.id).rid(rid).body(json!({"datastore_id": "x"}));
        for error in [
            refused(client.main().geopf_datastores().send().await, 424),
            refused(client.main().geopf_pull_offerings().dataset(&used.id).send().await, 424),
            refused(push(&map.id).send().await, 424),
        ] {
            assert_eq!(error.server_message().as_deref(), Some(reason));
        }
        let error = refused(push(&csv.id).send().await, 400);
        assert!(error.server_message().unwrap().contains("resources can be pushed to Géoplateforme"));
        assert_eq!(client.main().geopf_disconnect().send().await.unwrap().status(), 204);
        refused(client.main().geopf_login().send().await, 500);
        refused(client.main().geopf_auth().send().await, 500);
        refused(live.anonymous().main().geopf_login().send().await, 401);
    });
}

#[test]
fn login_is_refused_without_an_identity_provider() {
    run(|live| async move {
        let client = live.anonymous();
        for error in [
            refused(client.main().get_proconnect_login_api().send().await, 500),
            refused(client.main().get_proconnect_auth_api().send().await, 500),
        ] {
            assert_eq!(error.server_message().as_deref(), Some("Internal Server Error"));
        }
        assert!(client.main().get_proconnect_logout_api().send().await.unwrap_err().is_request(), "it takes a state");
        refused(client.main().get_proconnect_logout_api().state("forged").send().await, 401);
    });
}

#[test]
fn logging_out_redirects_to_the_home_page() {
    run(|live| async move {
        // The home page is that of production, whose name resolves here to a closed port.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let http = move || reqwest::Client::builder().resolve("www.data.gouv.fr", nowhere);
        let client = Client::builder()
            .base_url(Api::Main, format!("{}/api/1", live.recorder.url(crate::Server::Catalogue)))
            .http(http);
        let client = client.retries(RetryPolicy::none());
        let error = client.build().unwrap().main().get_proconnect_logout_o_auth_api().send().await.unwrap_err();
        assert!(error.is_transport(), "{error}");
        assert_eq!(error.operation(), Some("get_proconnect_logout_o_auth_api"));
    });
}
