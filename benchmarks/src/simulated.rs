//! A server of more than the sandbox holds in memory: every response is made when it is requested, from recorded or
//! sandbox responses that are cut into pieces once.

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use datagouv_sandbox::Sandbox;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::sync::Barrier;

use crate::{Outcome, reqwest, table};

/// How many datasets a page has.
const PAGE: u64 = 100;

/// The resource of the table; the profile and the rows are the same for every other.
const RESOURCE: &str = "00000000-0000-4000-8000-000000000001";

/// How many rows of the table differ; the others repeat them under their own numbers.
const DISTINCT_ROWS: u32 = 1_000;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many datasets the catalogue has
    #[arg(long, default_value_t = 10_000)]
    datasets: u64,
    /// How many rows the table has
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// How many requests of one dataset have to arrive before all of them are responded to
    #[arg(long, default_value_t = 1)]
    together: usize,
}

struct Simulated {
    arguments: Arguments,
    /// The JSON of a dataset before and after its id.
    item: (String, String),
    /// The body of `get_dataset`.
    dataset: String,
    /// The body of `create_resource`, without its file.
    resource: Value,
    profile: String,
    page: Value,
    header: String,
    /// The rows of the export without their numbers.
    lines: Vec<String>,
    barrier: Barrier,
}

pub(crate) fn run(arguments: Arguments) -> Outcome {
    crate::runtime()?.block_on(async {
        let simulated = Arc::new(Simulated::of(arguments).await?);
        let router = Router::new()
            .route("/api/1/datasets/", get(datasets))
            .route("/api/1/datasets/{dataset}/", get(dataset))
            .route("/api/1/datasets/{dataset}/upload/", post(upload))
            .route("/tabular/api/resources/{resource}/profile/", get(profile))
            .route("/tabular/api/resources/{resource}/data/", get(page))
            .route("/tabular/api/resources/{resource}/data/csv/", get(export))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(simulated);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("http://{}", listener.local_addr()?);
        std::io::stdout().flush()?;
        // It ends with the program that started it, however that ends.
        let ended = async { drop(tokio::io::stdin().read_to_end(&mut Vec::new()).await) };
        axum::serve(listener, router).with_graceful_shutdown(ended).await?;
        Ok(())
    })
}

impl Simulated {
    async fn of(arguments: Arguments) -> Outcome<Self> {
        const ID: &str = "@@@@@@@@@@@@@@@@@@@@@@@@";
        let (dataset, resource) = crate::call::recorded_dataset()?;
        let sandbox = Sandbox::start_platform().await;
        sandbox.add_datasets_with_resources(1, 5);
        sandbox.add_table(RESOURCE, table::of(DISTINCT_ROWS));
        let http = reqwest()?;
        let origin = sandbox.origin();
        let body = async |path: &str| -> Outcome<String> {
            Ok(http.get(format!("{origin}{path}")).send().await?.error_for_status()?.text().await?)
        };
        let datasets: Value = serde_json::from_str(&body("/api/1/datasets/?page_size=1&sort=-created").await?)?;
        let mut item = datasets["data"][0].clone();
        item["id"] = ID.into();
        let item = item.to_string();
        let (before, after) = item.split_once(ID).ok_or("a dataset has an id")?;
        let data = format!("/tabular/api/resources/{RESOURCE}");
        let export = body(&format!("{data}/data/csv/?__id__sort=asc")).await?;
        let (header, lines) = export.split_once('\n').ok_or("an export has a header")?;
        let lines: Vec<String> =
            lines.lines().filter_map(|line| Some(format!(",{}\n", line.split_once(',')?.1))).collect();
        if lines.len() != usize::try_from(DISTINCT_ROWS)? {
            return Err(format!("the export has {} lines", lines.len()).into());
        }
        let barrier = Barrier::new(arguments.together);
        Ok(Self {
            item: (before.to_owned(), after.to_owned()),
            dataset: dataset.to_string(),
            resource,
            profile: body(&format!("{data}/profile/")).await?,
            page: serde_json::from_str(&body(&format!("{data}/data/?__id__sort=desc&page=1&page_size=1")).await?)?,
            header: format!("{header}\n"),
            lines,
            barrier,
            arguments,
        })
    }
}

/// A parameter of a query as a number.
fn number(query: Option<&str>, name: &str) -> Option<u64> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok())
}

fn json_response(body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.into()).into_response()
}

async fn datasets(State(simulated): State<Arc<Simulated>>, RawQuery(query): RawQuery) -> Response {
    let query = query.as_deref();
    let (page, size) = (number(query, "page").unwrap_or(1), number(query, "page_size").unwrap_or(PAGE));
    let total = simulated.arguments.datasets;
    let (before, after) = &simulated.item;
    let mut body = String::from("{\"data\":[");
    let first = (page.max(1) - 1) * size;
    for id in first..(first + size).min(total) {
        if id > first {
            body.push(',');
        }
        body.push_str(before);
        body.push_str(&format!("{id:024}"));
        body.push_str(after);
    }
    let next = match page * size < total {
        true => json!(format!("https://www.data.gouv.fr/api/1/datasets/?page={}&page_size={size}", page + 1)),
        false => Value::Null,
    };
    let rest = json!({"next_page": next, "page": page, "page_size": size, "previous_page": null, "total": total});
    body.push_str("],");
    body.push_str(&rest.to_string()[1..]);
    json_response(body)
}

async fn dataset(State(simulated): State<Arc<Simulated>>) -> Response {
    simulated.barrier.wait().await;
    json_response(simulated.dataset.clone())
}

async fn profile(State(simulated): State<Arc<Simulated>>) -> Response {
    json_response(simulated.profile.clone())
}

/// The last row, with the total.
async fn page(State(simulated): State<Arc<Simulated>>) -> Response {
    let mut page = simulated.page.clone();
    page["data"][0]["__id"] = simulated.arguments.rows.into();
    page["meta"]["total"] = simulated.arguments.rows.into();
    json_response(page.to_string())
}

async fn export(State(simulated): State<Arc<Simulated>>, RawQuery(query): RawQuery) -> Response {
    let query = query.as_deref();
    let first = number(query, "__id__greater").unwrap_or(1);
    let last = number(query, "__id__less").unwrap_or(u64::MAX).min(simulated.arguments.rows);
    let mut body = simulated.header.clone();
    for (id, line) in (first..=last).zip(simulated.lines.iter().cycle()) {
        body.push_str(&id.to_string());
        body.push_str(line);
    }
    ([(CONTENT_TYPE, "text/csv")], body).into_response()
}

/// Takes a file whole or in parts, and drops it. The response to the last request names the size and the checksum that the
/// path gives in the place of the dataset: `SIZE-SHA1`.
async fn upload(State(simulated): State<Arc<Simulated>>, Path(dataset): Path<String>, body: Body) -> Response {
    let mut start = Vec::new();
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        let Ok(piece): Result<Bytes, _> = piece else { return StatusCode::BAD_REQUEST.into_response() };
        if start.len() < 4_096 {
            start.extend_from_slice(&piece[..piece.len().min(4_096)]);
        }
    }
    let start = String::from_utf8_lossy(&start);
    let is_part = start.contains("partindex") && start.contains("filename=");
    if is_part {
        return json_response(json!({"success": true}).to_string());
    }
    let (size, sha1) = dataset.split_once('-').unwrap_or_default();
    let mut resource = simulated.resource.clone();
    resource["success"] = true.into();
    resource["filesize"] = size.parse::<u64>().ok().into();
    resource["checksum"] = json!({"type": "sha1", "value": sha1});
    (StatusCode::CREATED, json_response(resource.to_string())).into_response()
}
