//! A walk through the platform: search, open, upload and read back, rows, visits.
//!
//! `cargo run --example tour`; `-- --live` for data.gouv.fr, `-- --help` for other servers.

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::main::types::{Dataset, DatasetInput, ListDatasetsSort, UploadNewDatasetResourceForm};
use datagouv::tabular::types::{PythonType, ResourceProfile};
use datagouv::{Api, Client, File, Filters};

use support::{Outcome, Platform, Server, day, heading, plain, short, table};

#[derive(Parser)]
#[command(about = "A walk through the platform: search, open, upload and read back, rows, visits")]
struct Arguments {
    /// Words to search for
    #[arg(default_value = "bornes de recharge")]
    words: String,
    /// The dataset to open, instead of the first that is found
    #[arg(long, value_name = "ID")]
    dataset: Option<String>,
    /// The file to read rows of, instead of the first that the tabular API knows
    #[arg(long, value_name = "ID")]
    resource: Option<String>,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(walk(arguments).await)
}

async fn walk(arguments: Arguments) -> Outcome {
    let platform = arguments.server.open().await?;
    let client = &platform.client;
    println!("Where: {}", platform.name);
    let found = search(client, &arguments.words).await?;
    let has_csv =
        |dataset: &&Dataset| dataset.resources.iter().any(|resource| resource.format.as_deref() == Some("csv"));
    let first = found.iter().find(has_csv).or(found.first()).map(|dataset| dataset.id.clone());
    let opened = match arguments.dataset.or(first) {
        Some(id) => Some(open(client, &id).await?),
        None => None,
    };
    upload(&platform).await?;
    if platform.has(Api::Tabular) {
        let tried = match arguments.resource {
            Some(id) => vec![(id.clone(), id)],
            None => opened
                .iter()
                .chain(&found)
                .flat_map(|dataset| &dataset.resources)
                .map(|file| (file.id.clone(), file.title.clone()))
                .collect(),
        };
        rows(client, tried).await?;
    } else {
        heading("Rows: there is no tabular API here");
    }
    if platform.has(Api::Metrics) {
        visits(client, opened.as_ref()).await?;
    } else {
        heading("Visits: there is no metrics API here");
    }
    Ok(())
}

/// Searches; if nothing is found, takes the datasets that changed last.
async fn search(client: &Client, words: &str) -> Outcome<Vec<Dataset>> {
    let mut page = client.main().list_datasets().q(words).page_size(5).send().await?;
    heading(&format!("Datasets about “{words}”: {}", page.total));
    if page.data.is_empty() {
        println!("  none; what changed last:");
        page = client.main().list_datasets().sort(ListDatasetsSort::LastUpdateDescending).page_size(5).send().await?;
    }
    let rows = page.data.iter().map(|dataset| {
        let producer = dataset.organization.as_ref().map_or("-", |organization| &organization.name);
        vec![dataset.title.clone(), short(producer, 36), dataset.resources.len().to_string(), day(&dataset.last_update)]
    });
    table(&["title", "producer", "files", "updated"], &rows.collect::<Vec<_>>());
    Ok(page.into_inner().data)
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

/// Publishes a file in a private dataset, reads it back, and deletes both.
async fn upload(platform: &Platform) -> Outcome {
    if !platform.has_key {
        heading("Upload, and read back: skipped, since there is no API key (--api-key-file FILE)");
        return Ok(());
    }
    heading("Upload, and read back");
    let main = platform.client.main();
    let draft = DatasetInput::new("Tour", "A private draft, deleted at the end of the tour.").private(true);
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

/// Prints rows of the first file that the tabular API has, above the mean of a column of numbers.
async fn rows(client: &Client, mut tried: Vec<(String, String)>) -> Outcome {
    let tabular = client.tabular();
    // Most files are no tables; those that may be aggregated are.
    let known = tabular.get_aggregation_exceptions().send().await?.into_inner();
    tried.truncate(20);
    tried.extend(known.resources().map(|id| (id.to_owned(), id.to_owned())));
    for (id, title) in &tried {
        let profile = match tabular.get_resource_profile().rid(id).send().await {
            Ok(response) => response.into_inner().profile,
            Err(error) if error.status().is_some() => continue,
            Err(error) => return Err(error.into()),
        };
        let shown: Vec<&str> = profile.header.iter().map(String::as_str).take(5).collect();
        let Some(first) = shown.first() else { continue };
        let (filters, which) = match column_of_numbers(&profile) {
            Some((column, mean)) => (
                Filters::from([
                    (format!("{column}__greater"), mean.clone()),
                    (format!("{column}__sort"), "desc".into()),
                ]),
                format!("{column} is at least its mean, {mean}"),
            ),
            None => (Filters::from([(format!("{first}__isnotnull"), "")]), format!("{first} is known")),
        };
        heading(&format!("Rows of {title} where {which}"));
        let page = tabular.get_resource_data().rid(id).filters(filters).page_size(5).send().await?;
        let rows = page.data.iter().map(|row| {
            shown.iter().map(|column| row.get(*column).map_or_else(|| "-".to_owned(), plain)).collect::<Vec<_>>()
        });
        table(&shown, &rows.collect::<Vec<_>>());
        println!("  {} of {} rows", page.meta.total.unwrap_or_default(), profile.total_lines.unwrap_or_default());
        return Ok(());
    }
    heading("Rows: the tabular API knows none of the files");
    Ok(())
}

/// Returns the first column of numbers whose mean is known, and the mean.
fn column_of_numbers(profile: &ResourceProfile) -> Option<(&str, String)> {
    profile.header.iter().find_map(|name| {
        let mean = profile.profile.get(name)?.mean?;
        match profile.columns.get(name)?.python_type {
            PythonType::Float => Some((name.as_str(), format!("{mean:.2}"))),
            PythonType::Int => Some((name.as_str(), format!("{:.0}", mean.ceil()))),
            _ => None,
        }
    })
}

/// Prints the last twelve months of the dataset, or of the whole platform if there are none.
async fn visits(client: &Client, dataset: Option<&Dataset>) -> Outcome {
    let call = || client.metrics().get_metrics_by_model().page_size(12);
    let newest = Filters::from([("metric_month__sort", "desc")]);
    let (mut months, mut column) = (Vec::new(), "monthly_visit");
    if let Some(dataset) = dataset {
        let filters = newest.clone().with("dataset_id__exact", &dataset.id);
        months = call().model("datasets").filters(filters).send().await?.into_inner().data;
        heading(&format!("{}: visits and downloads by month", dataset.title));
    }
    if months.is_empty() {
        heading("All datasets: visits and downloads by month");
        months = call().model("site").filters(newest).send().await?.into_inner().data;
        column = "monthly_visit_dataset";
    }
    let most = months.iter().filter_map(|row| row.get(column)?.as_f64()).fold(1.0, f64::max);
    let rows = months.iter().map(|row| {
        let cell = |column: &str| row.get(column).map_or_else(|| "-".to_owned(), plain);
        let share = row.get(column).and_then(serde_json::Value::as_f64).unwrap_or(0.0) / most;
        let bar = (1..=30).take_while(|step| f64::from(*step) <= share * 30.0).map(|_| '█').collect();
        vec![cell("metric_month"), cell(column), cell("monthly_download_resource"), bar]
    });
    table(&["month", "visits", "downloads", ""], &rows.collect::<Vec<_>>());
    Ok(())
}
