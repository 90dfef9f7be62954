//! The generated types: responses are decoded tolerantly, requests serialize the set properties alone.

use datagouv::main::types::{
    Dataset, DatasetFrequency, DatasetInput, DatasetUpdate, GeoZoneOrId, HarvestSourceInput, MetricValue, Organization,
    OrganizationReference, OrganizationReferenceInput, OrganizationUpdate, ReportInput, Reuse, ReuseUpdate,
};
use datagouv::{DateTime, Field};
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

#[test]
fn decodes_empty_objects_and_nulls() {
    let empty: Dataset = read(json!({}));
    let mut nulls: Value = serde_json::to_value(&empty).unwrap();
    nulls.as_object_mut().unwrap().values_mut().for_each(|value| *value = Value::Null);
    let read_of_nulls: Dataset = read(nulls.clone());
    assert_eq!(
        (read_of_nulls.title.as_str(), read_of_nulls.resources.len(), &read_of_nulls.organization),
        ("", 0, &None)
    );
    assert_eq!(serde_json::to_value(read_of_nulls).unwrap(), nulls);
    assert_eq!((empty.title.as_str(), empty.resources.len(), empty.organization), ("", 0, None));
}

#[test]
fn unknown_properties_and_enum_values_are_accepted() {
    let dataset: Dataset = read(json!({"frequency": "every-blue-moon", "added-upstream": {"x": [1]}}));
    assert_eq!(dataset.frequency, DatasetFrequency::Unknown("every-blue-moon".to_owned()));
    assert_eq!(serde_json::to_value(&dataset.frequency).unwrap(), json!("every-blue-moon"));
}

#[test]
fn enum_values_round_trip() {
    for text in ["daily", "unknown", "every-blue-moon", ""] {
        let frequency: DatasetFrequency = text.parse().unwrap();
        assert_eq!((frequency.to_string().as_str(), frequency.as_str()), (text, text));
        assert_eq!(frequency, DatasetFrequency::from(text));
    }
    assert_eq!(DatasetFrequency::from("daily"), DatasetFrequency::Daily);
    assert_eq!(DatasetFrequency::from("unknown"), DatasetFrequency::UnknownValue);
}

#[test]
fn a_union_decodes_to_its_first_matching_variant_else_the_raw_value() {
    for (value, counts) in [(json!(3), true), (json!(-3), true), (json!(3.5), false), (json!("3"), false)] {
        assert_eq!(matches!(read(value.clone()), MetricValue::Integer(_)), counts, "{value}");
    }
    for number in [json!(3), json!("3"), json!(3.0)] {
        assert_eq!(
            read::<MetricValue>(json!({"2026-01": number})),
            MetricValue::Map([("2026-01".to_owned(), 3)].into())
        );
    }
    for other in [json!(null), json!(1e300), json!(u64::MAX), json!([1]), json!({"2026-01": "x"}), json!(true)] {
        assert_eq!(read::<MetricValue>(other.clone()), MetricValue::Other(other));
    }
    assert_eq!(read::<GeoZoneOrId>(json!("fr")), GeoZoneOrId::String("fr".to_owned()));
    assert!(matches!(read(json!({"id": "fr"})), GeoZoneOrId::GeoZoneReference(zone) if zone.id == "fr"));
    for written in [json!(3), json!({"a": 1}), json!([null, 1.5])] {
        assert_eq!(serde_json::to_value(read::<MetricValue>(written.clone())).unwrap(), written);
    }
}

#[test]
fn a_request_body_has_the_set_properties_alone() {
    let input = DatasetInput::new("Communes", "What it holds");
    assert_eq!(serde_json::to_value(&input).unwrap(), json!({"description": "What it holds", "title": "Communes"}));
    let input = input.tags(["geo", "insee"]).private(true).frequency(DatasetFrequency::Daily);
    assert_eq!(
        serde_json::to_value(&input).unwrap(),
        json!({"description": "What it holds", "title": "Communes", "tags": ["geo", "insee"], "private": true, "frequency": "daily"})
    );
}

#[test]
fn absent_null_and_set_properties_differ() {
    let update = |update: DatasetUpdate| serde_json::to_value(update).unwrap();
    assert_eq!(update(DatasetUpdate::new()), json!({}));
    assert_eq!(update(DatasetUpdate::new().acronym(Field::Null)), json!({"acronym": null}));
    assert_eq!(update(DatasetUpdate::new().acronym("INSEE")), json!({"acronym": "INSEE"}));
    assert_eq!(update(DatasetUpdate::new().tags(Vec::<String>::new())), json!({"tags": []}));
}

#[test]
fn a_request_from_json_names_its_missing_properties() {
    let error = DatasetInput::try_from(json!({"title": "x"})).unwrap_err();
    assert!(error.to_string().contains("missing field `description`"), "{error}");
    assert!(HarvestSourceInput::try_from(json!({})).is_err());
    assert!(ReportInput::try_from(json!({"reason": "others"})).is_err());
}

#[test]
fn a_request_from_json_round_trips() {
    let text = r#"{"description":"What it holds","title":"Communes","acronym":null,"tags":[],"unknown":1}"#;
    let input: DatasetInput = serde_json::from_str(text).unwrap();
    assert_eq!(input, DatasetInput::new("Communes", "What it holds").acronym(Field::Null).tags(Vec::<String>::new()));
    let written = serde_json::to_string(&input).unwrap();
    assert_eq!(written, r#"{"acronym":null,"description":"What it holds","tags":[],"title":"Communes"}"#);
    for refused in [
        r#"{"description":"d","title":null}"#,
        r#"{"description":"d","title":"t","title":"u"}"#,
        r#"{"description":"d","title":"t","tags":"geo"}"#,
        r#"["d","t"]"#,
    ] {
        assert!(serde_json::from_str::<DatasetInput>(refused).is_err(), "{refused}");
    }
}

#[test]
fn read_modify_write_keeps_writable_properties_alone() {
    let dataset: Dataset = read(json!({
        "id": "5b7ffc618b4c4169d30727e0", "title": "Communes", "description": "d", "slug": "communes", "tags": ["geo"],
        "license": "lov2", "frequency": "daily", "acronym": null, "metrics": {"views": 3}, "page": "https://example.org/x",
        "organization": {"class": "Organization", "id": "534fff75a3a7292c64a77de4", "name": "Insee", "slug": "insee"},
        "resources": [{"id": "1c5075ec-7ce1-49cb-ab89-94f507812daf", "title": "csv", "url": "https://example.org/x.csv", "filetype": "remote", "type": "main"}],
        "temporal_coverage": {"start": "2020-01-01", "end": null}, "extras": {"k": {"nested": null}}
    }));
    let sent = serde_json::to_value(DatasetUpdate::from(dataset).title("Communes de France")).unwrap();
    assert_eq!(sent["title"], "Communes de France");
    assert_eq!(sent["license"], "lov2");
    assert_eq!(sent["tags"], json!(["geo"]));
    assert_eq!(sent["extras"], json!({"k": {"nested": null}}));
    assert_eq!(sent["organization"]["id"], "534fff75a3a7292c64a77de4");
    assert_eq!(sent["resources"][0]["url"], "https://example.org/x.csv");
    assert_eq!(sent["temporal_coverage"]["start"], "2020-01-01");
    for read_only in ["slug", "metrics", "page", "acronym", "id"] {
        assert_eq!(sent.get(read_only), None, "{read_only}");
    }
}

#[test]
fn unknown_properties_are_kept_and_never_sent() {
    let body = json!({
        "id": "53699233a3a729239d2046ed", "title": "Communes", "ranking": {"of": [1, null]},
        "resources": [{"id": "1c5075ec-7ce1-49cb-ab89-94f507812daf", "title": "csv", "url": "https://example.org/x.csv", "hidden": true}],
        "organization": {"id": "534fff75a3a7292c64a77de4", "name": "Insee", "siren": 120_027_016}, "tags": ["a", {"b": 1}],
        "frequency": ["daily"],
    });
    let dataset: Dataset = read(body.clone());
    assert_eq!(dataset.unknown().keys().collect::<Vec<_>>(), ["ranking"]);
    assert_eq!(dataset.resources[0].unknown()["hidden"], true);
    assert_eq!(dataset.organization.as_ref().unwrap().unknown()["siren"], 120_027_016);
    assert_eq!((dataset.tags.as_slice(), &dataset.frequency), (&["a".to_owned()][..], &DatasetFrequency::default()));
    let written = serde_json::to_value(&dataset).unwrap();
    for (name, came) in body.as_object().unwrap() {
        if !matches!(name.as_str(), "resources" | "organization") {
            assert_eq!(&written[name], came, "{name}");
        }
    }
    assert_eq!(read::<Dataset>(written), dataset);
    assert_eq!(dataset.clone(), dataset);
    assert_ne!(read::<Dataset>(json!({"ranking": 1})), Dataset::default());
    let sent = serde_json::to_value(DatasetUpdate::from(dataset)).unwrap();
    assert_eq!((sent.get("ranking"), sent["resources"][0].get("hidden")), (None, None));
    assert_eq!((&sent["title"], sent["organization"].get("siren")), (&json!("Communes"), None));
    // A partial value is not written.
    assert_eq!((sent.get("frequency"), sent.get("tags")), (None, None));
}

#[test]
fn properties_absent_from_a_response_are_not_cleared_by_a_write() {
    // Returned on request only: an empty list would delete the page of the organization.
    let organization: Organization = read(json!({"name": "Insee", "description": "d", "presentation_blocs": null}));
    let sent = serde_json::to_value(OrganizationUpdate::from(organization)).unwrap();
    assert_eq!(sent.get("presentation_blocs"), None);
    let reuse: Reuse = read(json!({"title": "t", "datasets": []}));
    assert_eq!(serde_json::to_value(ReuseUpdate::from(reuse)).unwrap().get("datasets"), None);
}

#[test]
fn a_reference_is_sent_as_its_id() {
    let reference: OrganizationReference =
        read(json!({"class": "Organization", "id": "534fff75a3a7292c64a77de4", "name": "Insee"}));
    let input = OrganizationReferenceInput::from(reference);
    assert_eq!(serde_json::to_value(input).unwrap()["id"], "534fff75a3a7292c64a77de4");
    assert_eq!(serde_json::to_value(OrganizationReferenceInput::new("abc")).unwrap(), json!({"id": "abc"}));
}

#[test]
fn a_date_keeps_its_text() {
    let dataset: Dataset = read(json!({"created_at": "2023-08-30 21:14:10.407493+02"}));
    assert_eq!(dataset.created_at, DateTime::from("2023-08-30 21:14:10.407493+02"));
    assert_eq!(serde_json::to_value(&dataset).unwrap()["created_at"], "2023-08-30 21:14:10.407493+02");
}
