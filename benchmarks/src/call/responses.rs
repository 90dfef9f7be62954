//! The responses to the calls: recorded from the platform, and made as long as those that people request.

use std::fs;
use std::path::Path;

use datagouv_sandbox::{Api, Sandbox};
use serde_json::{Value, json};

use crate::Outcome;

/// A dataset with all that a dataset has, but for its resources.
pub(crate) const DATASET: &str = "000000000000000000000056";

/// The number of resources of the requested dataset.
const RESOURCES: usize = 30;

/// How many datasets are on the page, and how many resources each of them has.
const PAGE: (usize, usize) = (100, 3);

/// Records the responses in the server.
pub(crate) fn record(sandbox: &Sandbox) -> Outcome {
    for (operation, body) in [
        ("suggest_formats", recorded("suggest_formats-200-1")?),
        ("get_dataset", recorded_dataset()?.0),
        ("list_datasets", page()?),
    ] {
        sandbox.record(Api::Main, operation, 200, "application/json", body.to_string());
    }
    Ok(())
}

/// A page of datasets.
pub(super) fn page() -> Outcome<Value> {
    let (dataset, resource) = (recorded("get_dataset-200-2")?, recorded("create_resource-201-3")?);
    let datasets: Vec<Value> = (0..PAGE.0).map(|number| with_resources(&dataset, number, &resource, PAGE.1)).collect();
    Ok(json!({
        "data": datasets, "total": 100_000, "page": 1, "page_size": PAGE.0, "previous_page": null,
        "next_page": "https://www.data.gouv.fr/api/1/datasets/?page=2&page_size=100",
    }))
}

/// A dataset of many resources, and one of its resources.
pub(crate) fn recorded_dataset() -> Outcome<(Value, Value)> {
    let (dataset, resource) = (recorded("get_dataset-200-2")?, recorded("create_resource-201-3")?);
    Ok((with_resources(&dataset, 0, &resource, RESOURCES), resource))
}

fn recorded(name: &str) -> Outcome<Value> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/main");
    let path = directory.join(name).with_extension("json");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str::<Value>(&text)?["body"].take())
}

fn with_resources(dataset: &Value, number: usize, resource: &Value, count: usize) -> Value {
    let resources: Vec<Value> = (0..count)
        .map(|index| {
            let mut resource = resource.clone();
            resource["id"] = format!("00000000-0000-4000-8000-{number:06}{index:06}").into();
            resource
        })
        .collect();
    let mut dataset = dataset.clone();
    dataset["id"] = format!("{number:024}").into();
    dataset["resources"] = resources.into();
    dataset
}
