//! The same queries against the real platform, where `DATAGOUV_CLUSTER_LIVE` gives the folder of its state, as
//! `cargo xtask server start` makes it (`target/platform`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use datagouv::main::types::{DatasetInput, OrganizationInput};
use datagouv::objects::Wait;
use datagouv::{Api, Client, File};
use datagouv_datafusion::Options;

use crate::queries::{COPY_SCAN, ROWS_SCAN, compare};
use crate::support::{Content, Platform, big, small, tables_of};

/// One worker analyses the files of all tests.
fn patient() -> Wait {
    Wait::up_to(Duration::from_secs(900)).longest_pause(Duration::from_secs(2))
}

async fn publish(client: &Client, organization: &str, name: &str, content: Content) -> String {
    let mut draft = DatasetInput::new(name, "Des tables pour un essai.");
    draft.organization = serde_json::from_value(serde_json::json!({"id": organization})).unwrap();
    let dataset = client.dataset(client.create_dataset(draft).await.unwrap().id);
    let file = File::from_bytes(format!("{name}.csv"), content.csv());
    let resource = dataset.resource(dataset.upload(file).send().await.unwrap().id);
    resource.wait_until(patient(), |analysis| analysis.parquet.is_some()).await.unwrap();
    resource.id().to_owned()
}

async fn platform() -> Option<(Platform, Client, String)> {
    let folder = PathBuf::from(std::env::var_os("DATAGOUV_CLUSTER_LIVE")?);
    let ports: BTreeMap<String, u16> =
        serde_json::from_slice(&std::fs::read(folder.join("ports.json")).unwrap()).unwrap();
    let url = |name: &str| format!("http://127.0.0.1:{}", ports[name]);
    let bases = vec![
        (Api::Main, format!("{}/api/1", url("udata"))),
        (Api::MainV2, format!("{}/api/2", url("udata"))),
        (Api::Tabular, url("tabular")),
        (Api::Metrics, url("metrics")),
    ];
    let mut platform = Platform {
        sandbox: None,
        key: std::fs::read_to_string(folder.join("udata/api_key_user")).unwrap().trim().to_owned(),
        bases,
        hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
        big: String::new(),
        small: String::new(),
        of_organization: Vec::new(),
    };
    let client = platform.client().api_key(platform.key.clone()).build().unwrap();
    let name = format!("cluster-{}", fastrand::u32(..));
    let draft = OrganizationInput::new(name.as_str(), "Une organisation pour un essai.");
    let organization = client.create_organization(draft).await.unwrap().id;
    platform.big = publish(&client, &organization, &format!("{name}-big"), big()).await;
    platform.small = publish(&client, &organization, &format!("{name}-small"), small()).await;
    platform.of_organization = tables_of(&client, &organization).await;
    assert_eq!(platform.of_organization.len(), 2);
    Some((platform, client, organization))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_of_the_real_platform_are_those_of_one_machine() {
    let Some((platform, client, organization)) = platform().await else { return };
    let workers = platform.workers(2);
    // Tabular servers up to version 0.3.1 refuse alternatives.
    let health = client.tabular().get_health().call().json::<serde_json::Value>().send().await.unwrap();
    let options = Options::default().alternatives(health.get("uptime_since").is_some());
    compare(&platform, &workers, options.clone().parquet(false), ROWS_SCAN).await;
    compare(&platform, &workers, options, COPY_SCAN).await;
    for table in [&platform.big, &platform.small] {
        client.resource(table).delete().await.unwrap();
    }
    client.organization(&organization).delete().await.unwrap();
}
