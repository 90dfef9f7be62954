//! The exports of the catalogue, row by row.

use datagouv::dumps::{Dump, Row};

use crate::run;
use crate::support::{dataset_with, organization, resource, resource_with};
use serde_json::json;

async fn all<T: Row>(dump: Dump<T>) -> Vec<T> {
    let (mut stream, mut rows) = (dump.stream(), Vec::new());
    while let Some(row) = stream.next().await {
        rows.push(row.unwrap());
    }
    rows
}

#[test]
fn every_cell_of_every_export_is_decoded() {
    run(|live| async move {
        let client = live.anonymous();
        let dumps = client.dumps();
        let none = std::collections::BTreeMap::new();
        macro_rules! read {
            ($($dump:expr),*) => {$(
                for row in all($dump).await {
                    assert_eq!(row.other, none, "{row:?}");
                }
            )*};
        }
        read!(dumps.datasets(), dumps.resources(), dumps.organizations(), dumps.reuses(), dumps.dataservices());
        read!(dumps.harvests(), dumps.tags());
    });
}

#[test]
fn batches_of_every_export_equal_its_rows() {
    use crate::cells::{all_of_dump, compare_dump};

    run(|live| async move {
        let client = live.anonymous();
        let dumps = client.dumps();
        macro_rules! compare {
            ($($dump:expr),*) => {$({
                // Other tests add and delete rows concurrently, also between two readings that are equal.
                let mut attempts = 0;
                let (rows, batches) = loop {
                    let (before, batches, after) = (all($dump).await, all_of_dump($dump).await, all($dump).await);
                    let read: usize = batches.1.iter().map(|batch| batch.num_rows()).sum();
                    attempts += 1;
                    if before == after && (read == after.len() || attempts > 20) {
                        break (after, batches);
                    }
                };
                compare_dump(&rows, batches);
            })*};
        }
        compare!(dumps.datasets(), dumps.resources(), dumps.organizations(), dumps.reuses(), dumps.dataservices());
        compare!(dumps.harvests(), dumps.tags());
    });
}

#[test]
fn filters_and_organizations_restrict_exports() {
    run(|live| async move {
        let client = live.user();
        let organization = organization(&client).await;
        let title = "Export; de «lignes»\net de \"guillemets\"";
        let extra = json!({"title": title, "organization": {"class": "Organization", "id": organization.id}, "tags": ["exporte"]});
        let made = dataset_with(&client, extra).await;
        let file = resource(&client, &made.id).await;

        let rows = all(client.dumps().datasets().filter("organization", &organization.id)).await;
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].id.as_str(), rows[0].resources_count), (made.id.as_str(), 1));
        assert_eq!(
            (rows[0].title.as_str(), rows[0].tags.as_slice()),
            (made.title.as_str(), &["exporte".to_owned()][..])
        );
        assert_eq!(rows[0].organization_id.as_deref(), Some(organization.id.as_str()));
        let none = client.dumps().datasets().filter("organization", &organization.id).filter("tag", "autre");
        assert_eq!(all(none).await.len(), 0);

        let dumps = client.organization(&organization.id).dumps();
        assert_eq!(all(dumps.datasets()).await, rows);
        let resources = all(dumps.resources()).await;
        let ids: Vec<(&str, &str)> = resources.iter().map(|row| (row.id.as_str(), row.dataset_id.as_str())).collect();
        assert_eq!(ids, [(file.id.as_str(), made.id.as_str())]);
        assert_eq!(resources[0].url, file.url);
        assert_eq!((all(dumps.dataservices()).await.len(), all(dumps.discussions()).await.len()), (0, 0));
    });
}

#[test]
fn cells_say_what_the_api_says() {
    run(|live| async move {
        let client = live.user();
        let owner = organization(&client).await;
        let of_owner = |extra: serde_json::Value| {
            let owner = json!({"organization": {"class": "Organization", "id": owner.id}});
            dataset_with(&client, crate::support::merged(owner, extra))
        };
        let made = of_owner(json!({
            "license": "odc-odbl", "frequency": "monthly", "acronym": "CDA",
            "spatial": {"zones": ["fr:region:11", "country:fr"], "granularity": "fr:region"},
            "temporal_coverage": {"start": "2001-01-01", "end": "2002-12-31"},
        }))
        .await;
        let with = json!({
            "format": "csv", "filesize": 12, "checksum": {"type": "sha1", "value": "a".repeat(40)},
            "extras": {"clé": ["é", 1, true, null]},
        });
        let file = resource_with(&client, &made.id, with).await;
        let archived = of_owner(json!({"archived": "2024-01-02T00:00:00+00:00"})).await;
        let private = of_owner(json!({"private": true})).await;
        let deleted = of_owner(json!({})).await;
        client.main().delete_dataset().dataset(&deleted.id).send().await.unwrap();
        let reuse = crate::support::reuse(&live.plain(), &made.id).await;
        live.plain().main().follow_dataset().id(&made.id).send().await.unwrap();
        let body =
            json!({"title": "Une\nquestion", "comment": "Une\nligne", "subject": {"class": "Dataset", "id": made.id}});
        let discussion = live.plain().main().create_discussion().body(body).send().await.unwrap();

        // The archived one is among all datasets, not among those of its organization. Nobody gets what is hidden.
        let rows = all(client.dumps().datasets().filter("organization", &owner.id)).await;
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, [archived.id.as_str(), made.id.as_str()], "without {} and {}", private.id, deleted.id);
        assert_eq!(rows[0].archived.as_ref().map(|time| time.as_str()), Some("2024-01-02T00:00:00"));
        let dumps = client.organization(&owner.id).dumps();
        let own = all(dumps.datasets()).await;
        assert_eq!(own, rows[1..]);

        let (row, shown) = (&rows[1], client.main().get_dataset().dataset(&made.id).send().await.unwrap());
        assert_eq!(row.license.as_deref(), Some("Open Data Commons Open Database License (ODbL)"));
        assert_eq!(row.quality_score, Some((shown.quality.score * 100.0).round() / 100.0));
        assert_eq!(
            shown.quality.score,
            7.0 / 9.0,
            "all but the description and the documentation: {:?}",
            shown.quality
        );
        assert_eq!((row.acronym.as_deref(), row.frequency.as_str()), (Some("CDA"), "monthly"));
        assert_eq!(row.spatial_zones.as_deref(), Some("Île-de-France,France"));
        assert_eq!(row.spatial_granularity.as_deref(), Some("fr:region"));
        assert_eq!(row.temporal_coverage_start.as_ref().map(|day| day.as_str()), Some("2001-01-01"));
        assert_eq!((row.organization.as_deref(), row.owner.as_deref()), (Some(owner.name.as_str()), None));
        assert_eq!(
            (row.resources_count, row.main_resources_count, row.resources_formats.as_slice()),
            (1, 1, &["csv".to_owned()][..])
        );
        assert_eq!((row.metric_reuses, row.metric_followers, row.metric_discussions), (1, 1, 1));
        let (reuses, followers) = (&row.metric_reuses_by_months, &row.metric_followers_by_months);
        assert_eq!((reuses.values().sum::<i64>(), reuses.len(), followers.len()), (1, 13, 13));
        assert_eq!(followers.values().sum::<i64>(), 0, "the server looks for them in vain");

        let resources = all(dumps.resources()).await;
        assert_eq!(resources.len(), 1);
        assert_eq!((resources[0].filesize, resources[0].checksum_type.as_deref()), (Some(12), Some("sha1")));
        assert_eq!(resources[0].extras, Some(json!({"clé": ["é", 1, true, null]})));
        assert_eq!(
            (resources[0].id.as_str(), resources[0].dataset_license.as_deref()),
            (file.id.as_str(), row.license.as_deref())
        );

        let reuses = all(client.dumps().reuses().filter("dataset", &made.id)).await;
        assert_eq!(
            (reuses.len(), reuses[0].id.as_str(), reuses[0].remote_url.as_str()),
            (1, reuse.id.as_str(), reuse.url.as_str())
        );
        assert_eq!(reuses[0].datasets, std::slice::from_ref(&made.id));

        let organizations = all(client.dumps().organizations().filter("q", &owner.name)).await;
        let row = organizations.iter().find(|row| row.id == owner.id).unwrap();
        assert_eq!((row.members_count, row.metric_datasets, row.business_number_id.as_deref()), (1, 1, None));

        let discussions = all(dumps.discussions()).await;
        assert_eq!(discussions.len(), 1);
        assert_eq!(
            (discussions[0].id.as_str(), discussions[0].messages.as_str()),
            (discussion.id.as_str(), "Une ligne")
        );
        assert_eq!((discussions[0].subject.as_str(), discussions[0].size), (made.title.as_str(), 1));
    });
}
