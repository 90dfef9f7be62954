//! The work of a publisher, from the creation of a dataset to the deletion of its rows.

use std::time::Duration;

use datagouv::main::types::DatasetInput;
use datagouv::objects::{Analysis, ResourceHandle, Wait};
use datagouv::rows::{Row, avg, col, count};
use datagouv::{Client, File};
use serde::Deserialize;
use serde_json::Value;

use crate::support::unique;
use crate::{Live, run};

/// How long an analysis may take: other tests publish files too, and one worker analyses all of them.
pub fn patient() -> Wait {
    Wait::up_to(Duration::from_secs(900)).first_pause(Duration::from_millis(200)).longest_pause(Duration::from_secs(2))
}

/// A new file name: the server accepts a name once per second.
pub fn file_name(extension: &str) -> String {
    format!("{}.{extension}", unique("table").replace(' ', "-"))
}

/// A new resource of a new dataset, with a file.
pub async fn publish(client: &Client, extension: &str, content: impl Into<Vec<u8>>) -> ResourceHandle {
    let draft = DatasetInput::new(unique("Tables"), "Des tables pour les tests.");
    let dataset = client.dataset(client.create_dataset(draft).await.unwrap().id);
    let file = File::from_bytes(file_name(extension), content.into());
    dataset.resource(dataset.upload(file).send().await.unwrap().id)
}

/// The same, analysed, with rows.
pub async fn publish_table(
    client: &Client,
    extension: &str,
    content: impl Into<Vec<u8>>,
) -> (ResourceHandle, Analysis) {
    let resource = publish(client, extension, content).await;
    let analysis = resource.wait_for_analysis(patient()).await.unwrap();
    assert!(analysis.has_rows(), "{analysis:#?}");
    (resource, analysis)
}

impl Live {
    /// Lets the tabular API aggregate a resource.
    pub fn allow_aggregation(&self, resource: &ResourceHandle) {
        use std::io::Write;
        let file = self.folder.join("control/aggregation");
        let mut file = std::fs::File::options().create(true).append(true).open(file).unwrap();
        file.write_all(format!("{}\n", resource.id()).as_bytes()).unwrap();
    }

    /// Removes the tables of deleted resources, as production does from time to time.
    pub async fn purge(&self) {
        let _alone = self.purge.write().await;
        let request = self.folder.join("control/purge");
        std::fs::write(&request, "").unwrap();
        let begun = std::time::Instant::now();
        while request.exists() {
            assert!(begun.elapsed() < Duration::from_secs(900), "the crawler does not purge");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[derive(Debug, Deserialize, PartialEq)]
pub struct Station {
    pub nom: String,
    pub puissance: Option<f64>,
    pub points: i64,
    ouverte: bool,
    depuis: String,
    latitude: f64,
    longitude: f64,
}

fn station(number: i64) -> Station {
    Station {
        nom: format!("Station n° {number}"),
        puissance: (number % 4 != 0).then_some(number as f64 + 0.5),
        points: number % 7,
        ouverte: number % 3 == 0,
        depuis: format!("2024-{:02}-{:02}", number % 12 + 1, number % 28 + 1),
        latitude: 47.0 + number as f64 / 1000.0,
        longitude: 2.0 - number as f64 / 1000.0,
    }
}

pub fn stations(numbers: impl Iterator<Item = i64>) -> (Vec<Station>, String) {
    let stations: Vec<Station> = numbers.map(station).collect();
    let mut csv = "nom;puissance;points;ouverte;depuis;latitude;longitude\n".to_owned();
    for Station { nom, puissance, points, ouverte, depuis, latitude, longitude } in &stations {
        let puissance = puissance.map(|power| power.to_string()).unwrap_or_default();
        csv.push_str(&format!("{nom};{puissance};{points};{ouverte};{depuis};{latitude};{longitude}\n"));
    }
    (stations, csv)
}

#[test]
fn rows_follow_the_creation_replacement_and_deletion_of_a_file() {
    run(|live| async move {
        let client = live.user_for("stations");
        let (first, csv) = stations(1..=300);
        let draft = DatasetInput::new(unique("Bornes de recharge"), "Où recharger.");
        let dataset = client.dataset(client.create_dataset(draft).await.unwrap().id);
        let uploaded = dataset.upload(File::from_bytes(file_name("csv"), csv.clone())).send().await.unwrap();
        assert_eq!(uploaded.filesize, Some(csv.len() as i64));
        let resource = client.resource(&uploaded.id);

        let analysis = resource.wait_for_analysis(patient()).await.unwrap();
        assert_eq!((analysis.available, analysis.status, analysis.rows_error()), (Some(true), Some(200), None));
        assert_eq!((analysis.is_of(&uploaded.url), analysis.has_rows()), (Some(true), true));
        assert_eq!(analysis.content_length, Some(csv.len() as i64));
        assert_eq!(analysis.checksum, uploaded.checksum.map(|checksum| checksum.value));
        assert!(analysis.parsing_started_at.is_some() && analysis.parsing_finished_at.is_some());

        // Whole, typed, in the order of the file.
        let rows = || resource.rows::<Station>();
        assert_eq!(rows().collect(1_000).await.unwrap(), first);
        assert_eq!(rows().count().await.unwrap(), 300);
        // Filtered and sorted.
        let filter = || col("puissance").ge(100).and(col("ouverte").eq(true));
        let mut expected: Vec<&Station> =
            first.iter().filter(|one| one.ouverte && one.puissance.is_some_and(|power| power >= 100.0)).collect();
        assert_eq!(rows().filter(filter()).count().await.unwrap(), expected.len() as u64);
        expected.sort_by(|one, other| other.puissance.partial_cmp(&one.puissance).unwrap());
        let sorted = rows().filter(filter()).sort(col("puissance").desc()).collect(1_000).await.unwrap();
        assert_eq!(sorted.iter().collect::<Vec<_>>(), expected);
        // Grouped, where the platform allows it.
        let groups = || resource.rows::<Row>().group_by(["points"]).aggregate([count("nom"), avg("latitude")]);
        let refused = groups().sort(col("points").asc()).collect(100).await.unwrap_err();
        assert!(refused.is_aggregation_refused(), "{refused}");
        live.allow_aggregation(&resource);
        let grouped = groups().sort(col("points").asc()).collect(100).await.unwrap();
        let counts: Vec<_> =
            grouped.iter().map(|group| (group["points"].as_i64(), group["nom__count"].as_i64())).collect();
        let expected =
            (0..7).map(|points| (Some(points), Some(first.iter().filter(|one| one.points == points).count() as i64)));
        assert_eq!(counts, expected.collect::<Vec<_>>());

        // The exports are made after the rows.
        let analysis = resource
            .wait_until(patient(), |analysis| analysis.parquet.is_some() && analysis.pmtiles.is_some())
            .await
            .unwrap();
        let parquet = client.file(analysis.parquet.as_ref().unwrap()).bytes(1 << 20).await.unwrap();
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
        let geojson = analysis.geojson.as_ref().unwrap();
        let bytes = client.file(geojson).bytes(1 << 20).await.unwrap();
        assert_eq!(Some(bytes.len() as u64), geojson.size);
        let collection: Value = serde_json::from_slice(&bytes).unwrap();
        let features = collection["features"].as_array().unwrap();
        assert_eq!((collection["type"].as_str(), features.len()), (Some("FeatureCollection"), 300));
        assert_eq!(features[0]["geometry"]["coordinates"], serde_json::json!([1.999, 47.001]));

        // What the platform has counted: it downloaded the file itself.
        let months = dataset.metrics().collect().await.unwrap();
        assert_eq!(months.iter().map(|month| month.downloads).collect::<Vec<_>>(), [Some(1)]);
        assert_eq!(resource.metrics().totals().await.unwrap().unwrap().downloads, Some(1));

        // The file is replaced.
        let (second, csv) = stations(1000..1010);
        let before = resource.analysis().await.unwrap();
        let replaced = resource.upload(File::from_bytes(file_name("csv"), csv)).send().await.unwrap();
        assert_eq!(replaced.id, uploaded.id);
        let after = resource.wait_for_new_analysis(&before, patient()).await.unwrap();
        assert_eq!((after.is_of(&replaced.url), after.is_of(&uploaded.url)), (Some(true), Some(false)));
        assert_eq!(rows().collect(1_000).await.unwrap(), second);
        let export =
            resource.wait_until(patient(), |analysis| analysis.parquet.is_some()).await.unwrap().parquet.unwrap();
        let other = client.file(&export).bytes(1 << 20).await.unwrap();
        assert_eq!(Some(&export.url), analysis.parquet.as_ref().map(|export| &export.url));
        assert_ne!(other, parquet, "the same URL has other content");

        // The resource is deleted; its rows stay until the platform purges them.
        resource.delete().await.unwrap();
        assert!(resource.analysis().await.unwrap_err().is_not_found());
        live.purge().await;
        let gone = rows().count().await.unwrap_err();
        assert!(gone.is_gone(), "{gone}");
        assert!(gone.server_message().is_some_and(|message| message.contains("deleted")), "{gone}");
    });
}

#[test]
fn waits_for_the_rows_of_a_replacement() {
    run(|live| async move {
        let client = live.user_for("replaced");
        let (_, csv) = stations(1..=20);
        let (resource, _) = publish_table(&client, "csv", csv).await;
        // Without the previous analysis, the URL distinguishes the rows.
        let (second, csv) = stations(50..=80);
        resource.upload(File::from_bytes(file_name("csv"), csv)).send().await.unwrap();
        resource.wait_for_analysis(patient()).await.unwrap();
        assert_eq!(resource.rows::<Station>().collect(1_000).await.unwrap(), second);
    });
}

#[test]
fn a_failed_replacement_keeps_the_previous_rows() {
    run(|live| async move {
        let _kept = live.purge.read().await;
        let client = live.user_for("failed");
        let (first, csv) = stations(1..=20);
        let (resource, before) = publish_table(&client, "csv", csv).await;
        let name = "x".repeat(64);
        let broken = format!("{name};b\n{}", "1;2\n".repeat(20));
        resource.upload(File::from_bytes(file_name("csv"), broken)).send().await.unwrap();
        let after = resource.wait_for_new_analysis(&before, patient()).await.unwrap();
        let error = after.rows_error().unwrap();
        assert_eq!(error.step, "scan_column_names");
        assert_eq!(error.message, "Column names cannot exceed 63 characters in Postgres");
        assert_eq!((&after.table, &after.parquet), (&None, &None));
        assert_eq!(resource.rows::<Station>().collect(1_000).await.unwrap(), first);
        // The next valid file is not taken for the failed one.
        let (third, csv) = stations(7..=40);
        resource.upload(File::from_bytes(file_name("csv"), csv)).send().await.unwrap();
        resource.wait_for_new_analysis(&after, patient()).await.unwrap();
        assert_eq!(resource.rows::<Station>().collect(1_000).await.unwrap(), third);
    });
}
