//! A walk through the platform: search, open, upload and read back, rows, visits.
//!
//! `cargo run --example tour`; `-- --live` for data.gouv.fr, `-- --help` for other places.

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::main::types::{Dataset, DatasetInput, Resource, UploadNewDatasetResourceForm};
use datagouv::tabular::types::{PythonType, ResourceProfile};
use datagouv::{Api, Client, File, Filters};

use support::{Outcome, Place, Platform, day, heading, plain, short, table};

#[derive(Parser)]
#[command(about = "A walk through the platform: search, open, upload and read back, rows, visits")]
struct Arguments {
    /// What to search for
    #[arg(default_value = "bornes de recharge")]
    words: String,
    #[command(flatten)]
    place: Place,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(walk(arguments).await)
}

async fn walk(arguments: Arguments) -> Outcome {
    let platform = arguments.place.open().await?;
    let client = &platform.client;
    println!("Where: {}", platform.name);
    let Some(id) = search(client, &arguments.words).await? else {
        return Err("nothing was found: try other words".into());
    };
    let dataset = open(client, &id).await?;
    upload(&platform).await?;
    if platform.has(Api::Tabular) {
        rows(client, &dataset.resources).await?;
    } else {
        heading("Rows");
        println!("  there is no tabular API here: skipped");
    }
    if platform.has(Api::Metrics) {
        visits(client, &dataset).await?;
    } else {
        heading("Visits and downloads");
        println!("  there is no metrics API here: skipped");
    }
    Ok(())
}

/// Searches, and gives the first that has a CSV file, or the first.
async fn search(client: &Client, words: &str) -> Outcome<Option<String>> {
    let page = client.main().list_datasets().q(words).page_size(5).send().await?;
    heading(&format!("Datasets about “{words}”: {}", page.total));
    let rows = page.data.iter().map(|dataset| {
        let producer = dataset.organization.as_ref().map_or("-", |organization| &organization.name);
        vec![dataset.title.clone(), short(producer, 36), dataset.resources.len().to_string(), day(&dataset.last_update)]
    });
    table(&["title", "producer", "files", "updated"], &rows.collect::<Vec<_>>());
    let has_csv =
        |dataset: &&Dataset| dataset.resources.iter().any(|resource| resource.format.as_deref() == Some("csv"));
    Ok(page.data.iter().find(has_csv).or(page.data.first()).map(|dataset| dataset.id.clone()))
}

async fn open(client: &Client, id: &str) -> Outcome<Dataset> {
    let dataset = client.main().get_dataset().dataset(id).send().await?.into_inner();
    heading(&dataset.title);
    println!("  {}", short(&dataset.description, 100));
    println!("  license {}, updated {}, {}", dataset.license, dataset.frequency, dataset.page);
    println!();
    let rows = dataset.resources.iter().take(8).map(|resource| {
        vec![
            resource.title.clone(),
            resource.format.clone().unwrap_or_else(|| "-".to_owned()),
            resource.filesize.map_or_else(|| "-".to_owned(), |bytes| format!("{} kB", (bytes + 1023) / 1024)),
            day(&resource.last_modified),
        ]
    });
    table(&["file", "format", "size", "modified"], &rows.collect::<Vec<_>>());
    if dataset.resources.len() > 8 {
        println!("  and {} more", dataset.resources.len() - 8);
    }
    Ok(dataset)
}

/// Publishes a file in a private dataset, reads it back, and takes both away.
async fn upload(platform: &Platform) -> Outcome {
    heading("Upload, and read back");
    if !platform.has_key {
        println!("  there is no API key (--api-key-file): skipped");
        return Ok(());
    }
    let main = platform.client.main();
    let draft = DatasetInput::new("A private draft, deleted at the end of the tour.", "Tour").private(true);
    let dataset = main.create_dataset().body(draft).send().await?.into_inner();
    let sent = "commune,bornes\nBrest,12\nRennes,31\nLille,28\n";
    let outcome = there_and_back(&platform.client, &dataset.id, sent).await;
    main.delete_dataset().dataset(&dataset.id).send().await?;
    println!("  {}", outcome?);
    println!("  the draft is deleted again");
    Ok(())
}

async fn there_and_back(client: &Client, dataset: &str, sent: &str) -> Outcome<String> {
    let form = UploadNewDatasetResourceForm::new().file(File::from_bytes("bornes.csv", sent.to_owned()));
    let uploaded = client.main().upload_new_dataset_resource().dataset(dataset).body(form).send().await?;
    let id = uploaded.id.clone().ok_or("the platform gave the file no id")?;
    println!("  sent {} bytes as {}", sent.len(), uploaded.title.as_deref().unwrap_or("-"));
    println!("  sha1 {}", uploaded.checksum.as_ref().map_or("-", |checksum| &checksum.value));
    let received = client.main().redirect_resource().id(&id).send().await?.into_inner().text().await?;
    if received == sent {
        Ok(format!("read {} bytes back: the same", received.len()))
    } else {
        Err(format!("what came back is not what was sent: {received:?}").into())
    }
}

/// Rows of the first file that the tabular API knows, above the mean of a column of numbers.
async fn rows(client: &Client, resources: &[Resource]) -> Outcome {
    for resource in resources.iter().take(10) {
        let answer = match client.tabular().get_resource_profile().rid(&resource.id).send().await {
            Ok(answer) => answer.into_inner(),
            // Most files are no tables, or are not read yet.
            Err(error) if error.is_not_found() || error.is_gone() => continue,
            Err(error) => return Err(error.into()),
        };
        let profile = answer.profile;
        let shown: Vec<&str> = profile.header.iter().map(String::as_str).take(5).collect();
        let filters = match column_of_numbers(&profile) {
            Some((column, mean)) => {
                heading(&format!("Rows of {} where {column} is above its mean, {mean:.1}", resource.title));
                Filters::new()
                    .with(format!("{column}__greater"), mean.to_string())
                    .with(format!("{column}__sort"), "desc")
            }
            None => {
                heading(&format!("Rows of {}", resource.title));
                Filters::new()
            }
        };
        let page = client.tabular().get_resource_data().rid(&resource.id).filters(filters).page_size(5).send().await?;
        let rows = page.data.iter().map(|row| {
            shown.iter().map(|column| row.get(*column).map_or_else(|| "-".to_owned(), plain)).collect::<Vec<_>>()
        });
        table(&shown, &rows.collect::<Vec<_>>());
        println!("  {} of {} rows", page.meta.total.unwrap_or_default(), profile.total_lines.unwrap_or_default());
        return Ok(());
    }
    heading("Rows");
    println!("  the tabular API knows none of the files");
    Ok(())
}

/// The first column of numbers whose mean is known.
fn column_of_numbers(profile: &ResourceProfile) -> Option<(&str, f64)> {
    profile.header.iter().find_map(|name| {
        let numbers = matches!(profile.columns.get(name)?.python_type, PythonType::Float | PythonType::Int);
        let mean = profile.profile.get(name)?.mean.filter(|_| numbers)?;
        Some((name.as_str(), mean))
    })
}

async fn visits(client: &Client, dataset: &Dataset) -> Outcome {
    heading("Visits and downloads by month");
    let filters = Filters::from([("dataset_id__exact", dataset.id.as_str()), ("metric_month__sort", "desc")]);
    let page = client.metrics().get_metrics_by_model().model("datasets").filters(filters).page_size(12).send().await?;
    let most = page.data.iter().filter_map(|row| row.get("monthly_visit")?.as_f64()).fold(1.0, f64::max);
    let rows = page.data.iter().map(|row| {
        let cell = |column: &str| row.get(column).map_or_else(|| "-".to_owned(), plain);
        let share = row.get("monthly_visit").and_then(serde_json::Value::as_f64).unwrap_or(0.0) / most;
        let bar = (1..=30).take_while(|step| f64::from(*step) <= share * 30.0).map(|_| '█').collect();
        vec![cell("metric_month"), cell("monthly_visit"), cell("monthly_download_resource"), bar]
    });
    table(&["month", "visits", "downloads", ""], &rows.collect::<Vec<_>>());
    Ok(())
}
