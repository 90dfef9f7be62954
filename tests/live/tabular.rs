//! The operations of the tabular API, one by one, and its errors.

use serde_json::json;

use crate::publisher::publish_table;
use crate::run;

fn communes() -> String {
    let lines: String = (0..60).map(|n| format!("commune {n};{};{}\n", 1000 + n, n % 2 == 0)).collect();
    format!("nom;population;littoral\n{lines}")
}

#[test]
fn a_resource_has_metadata_a_profile_and_a_swagger_document() {
    run(|live| async move {
        let client = live.user_for("communes");
        let (resource, analysis) = publish_table(&client, "csv", communes()).await;
        let tabular = client.tabular();
        let info = tabular.get_meta_resource_info().rid(resource.id()).send().await.unwrap();
        assert_eq!(analysis.is_of(&info.url), Some(true));
        let relations: Vec<&str> = info.links.iter().filter_map(|link| link.rel.as_deref()).collect();
        assert_eq!(relations, ["profile", "data", "swagger"]);

        let profile = tabular.get_resource_profile().rid(resource.id()).send().await.unwrap();
        let profile = serde_json::to_value(&profile.profile).unwrap();
        assert_eq!(profile["header"], json!(["nom", "population", "littoral"]));
        assert_eq!((&profile["total_lines"], &profile["separator"]), (&json!(60), &json!(";")));
        let types = ["nom", "population", "littoral"].map(|name| profile["columns"][name]["python_type"].as_str());
        assert_eq!(types, [Some("string"), Some("int"), Some("bool")]);

        let document = tabular.get_swagger_resource().rid(resource.id()).send().await.unwrap();
        let document = document.into_inner().text().await.unwrap();
        assert!(document.contains("openapi: 3.0.3") && document.contains("population__greater"), "{document}");
        live.allow_aggregation(&resource);
        let allowed = tabular.get_aggregation_exceptions().send().await.unwrap();
        let allowed = serde_json::to_value(allowed.into_inner()).unwrap();
        assert!(allowed.to_string().contains(resource.id()), "{allowed}");
    });
}

#[test]
fn rows_are_served_as_pages_csv_and_json() {
    run(|live| async move {
        let client = live.user_for("pages");
        let (resource, _) = publish_table(&client, "csv", communes()).await;
        let tabular = client.tabular();
        let page = tabular.get_resource_data().rid(resource.id()).page(2).page_size(25).send().await.unwrap();
        let page = serde_json::to_value(page.into_inner()).unwrap();
        assert_eq!(page["meta"], json!({"page": 2, "page_size": 25, "total": 60}));
        assert_eq!(page["data"][0], json!({"__id": 26, "nom": "commune 25", "population": 1025, "littoral": false}));
        assert!(page["links"]["next"].is_string() && page["links"]["prev"].is_string());

        let csv = tabular.get_resource_data_csv().rid(resource.id()).send().await.unwrap().into_inner();
        let csv = csv.text().await.unwrap();
        assert_eq!(csv.lines().count(), 61);
        assert_eq!(csv.lines().take(2).collect::<Vec<_>>(), ["__id,nom,population,littoral", "1,\"commune 0\",1000,t"]);

        let rows = tabular.get_resource_data_json().rid(resource.id()).send().await.unwrap().into_inner();
        assert_eq!((rows.len(), &rows[59]["nom"]), (60, &json!("commune 59")));
    });
}

#[test]
fn the_tabular_api_reports_its_health() {
    run(|live| async move {
        let health = live.anonymous().tabular().get_health().send().await.unwrap();
        assert_eq!(health.status, "ok");
        assert!(health.version.starts_with("0."), "{health:?}");
    });
}

#[test]
fn the_tabular_api_refuses_with_a_reason() {
    run(|live| async move {
        let client = live.user_for("refused");
        let (resource, _) = publish_table(&client, "csv", communes()).await;
        let tabular = client.tabular();
        let page =
            |number: i64, size: i64| tabular.get_resource_data().rid(resource.id()).page(number).page_size(size).send();
        let too_large = page(1, 1_000).await.unwrap_err();
        assert_eq!(too_large.status().map(|status| status.as_u16()), Some(400));
        assert!(too_large.server_message().is_some_and(|message| message.contains("50")), "{too_large}");
        let beyond = page(9, 50).await.unwrap_err();
        assert_eq!(beyond.status().map(|status| status.as_u16()), Some(416));
        let unknown = tabular.get_meta_resource_info().rid("00000000-0000-4000-8000-000000000000").send().await;
        assert!(unknown.unwrap_err().is_not_found());
        let malformed = tabular.get_meta_resource_info().rid("communes").send().await.unwrap_err();
        assert_eq!(malformed.status().map(|status| status.as_u16()), Some(400));
    });
}
