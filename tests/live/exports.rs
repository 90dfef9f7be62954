//! The exports of the catalogue, row by row.

use datagouv::dumps::{Dump, Row};

use crate::run;
use crate::support::{dataset_with, organization, resource};
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
                // Other tests add rows concurrently.
                let (rows, batches) = loop {
                    let (before, batches, after) = (all($dump).await, all_of_dump($dump).await, all($dump).await);
                    if before == after {
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
