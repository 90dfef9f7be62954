//! `drift`: reports where a running platform departs from its documents, corrected by their overlays.
//!
//! The read operations are called one at a time, with a pause in between, and without credentials. Each JSON body is
//! compared with the corrected document; nothing of it is stored but the names of properties, the types of values, and
//! values of enums. Of other bodies only the media type is compared.

mod accepted;
mod client;
mod observe;
mod operations;
mod report;
mod seen;

use std::process::ExitCode;
use std::time::Duration;

use datagouv_specs::{Api, corrected};
use serde_json::Value;

use crate::diff;
use crate::diff::decisions::Decisions;
use crate::source::{self, Loaded};
use accepted::Accepted;
use client::{Client, Received};
use observe::Observations;
use operations::{Operation, Pool};
use seen::Drift;

use crate::format::{self, Format};

/// What `cargo xtask drift` takes.
#[derive(clap::Args)]
#[command(after_long_help = HELP)]
pub struct Arguments {
    /// The catalogue: https://demo.data.gouv.fr, of which both APIs are read
    #[arg(long, value_name = "URL")]
    main: Option<String>,
    /// The tabular API: https://tabular-api.data.gouv.fr
    #[arg(long, value_name = "URL")]
    tabular: Option<String>,
    /// The metrics API: https://metric-api.data.gouv.fr
    #[arg(long, value_name = "URL")]
    metrics: Option<String>,
    /// A resource of which the tabular API has a table, beside those that the catalogue and that API list; may be repeated
    #[arg(long, value_name = "ID")]
    resource: Vec<String>,
    /// How many requests are made for an operation that is about one object
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    samples: usize,
    /// How many milliseconds pass between two requests
    #[arg(long, default_value_t = 200, value_name = "MILLISECONDS")]
    pause: u64,
    /// How the report is written
    #[arg(long, default_value = "text", value_parser = format::among(&format::REPORT))]
    format: Format,
}

const HELP: &str = "\
Ends with 0 where nothing unexpected is seen, with 1 where something is, with 2 where a platform cannot be reached.

The report in markdown is for an issue. It ends with drafts of overlay actions, in which M of N counts the values that
departed and the values that were seen; each is to be read before it is used.

The tabular API is called about resources that have a table: those that the catalogue says were analysed, those that the
API lists at /api/aggregation-exceptions/, and --resource. Operations that were not called, or that gave no body that is
described, are named with the reason.

A departure that was looked at and is to stay is an entry of specs/<api>/accepted.toml:
  [[drift]]
  kind = \"type\"
  place = \"/components/schemas/ColumnStatistics/properties/nb_missing_values\"
  detail = \"string\"
  reason = \"…\"
with the members of the JSON; without a detail, whatever it is. Accepted departures are counted.";

/// Runs `cargo xtask drift`.
pub fn run(arguments: &Arguments) -> ExitCode {
    let platforms = platforms(arguments);
    if platforms.is_empty() {
        eprintln!("of which platform? give --main, --tabular or --metrics");
        return ExitCode::from(2);
    }
    let client = Client::new(Duration::from_millis(arguments.pause));
    let mut pool = Pool::default();
    arguments.resource.iter().for_each(|id| pool.add_table(id));
    let mut drifts = Vec::new();
    for (api, base) in platforms {
        match drift(api, &base, &client, &mut pool, arguments.samples) {
            Ok(drift) => drifts.push(drift),
            Err(reason) => {
                eprintln!("{api}, at {base}: {reason}");
                return ExitCode::from(2);
            }
        }
    }
    print!("{}", report::write(&drifts, arguments.format));
    if drifts.iter().all(Drift::is_expected) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The APIs that are called, each with the URL that its paths are appended to.
fn platforms(arguments: &Arguments) -> Vec<(Api, String)> {
    let plain = |url: &String| url.trim_end_matches('/').to_owned();
    let mut platforms = Vec::new();
    if let Some(url) = &arguments.main {
        platforms.push((Api::Main, format!("{}/api/1", plain(url))));
        platforms.push((Api::MainV2, format!("{}/api/2", plain(url))));
    }
    platforms.extend(arguments.tabular.iter().map(|url| (Api::Tabular, plain(url))));
    platforms.extend(arguments.metrics.iter().map(|url| (Api::Metrics, plain(url))));
    platforms
}

fn drift(api: Api, base: &str, client: &Client, pool: &mut Pool, samples: usize) -> Result<Drift, String> {
    let document = corrected(api).map_err(|error| error.to_string())?;
    let served = served(api, base, client)?;
    let mut drift = Drift {
        api,
        base: base.to_owned(),
        observations: Observations::default(),
        known: Accepted::read(&Decisions::path_of(api))?,
        called: Vec::new(),
        refused: Vec::new(),
        skipped: Vec::new(),
        served,
    };
    let mut rest = operations::of(&document);
    // What one operation lists is what another reads: those that need nothing first, then as often as it helps.
    rest.sort_by_key(|operation| operation.parameters.len());
    for round in 0..3 {
        let mut later = Vec::new();
        for operation in rest {
            let requests = operation.requests(&document, pool, samples);
            match requests {
                Err(_) if round < 2 && operation.is_callable() => later.push(operation),
                Err(reason) => drift.skipped.push((operation.name.clone(), reason)),
                Ok(paths) => call(&operation, &paths, base, client, pool, &document, &mut drift)?,
            }
        }
        rest = later;
    }
    drift.called.sort();
    drift.refused.sort();
    drift.skipped.sort();
    Ok(drift)
}

fn call(
    operation: &Operation,
    paths: &[String],
    base: &str,
    client: &Client,
    pool: &mut Pool,
    document: &Value,
    drift: &mut Drift,
) -> Result<(), String> {
    let mut bodies = 0;
    let mut refusal = None;
    for path in paths {
        match client.get(&format!("{base}{path}"))? {
            Received::Refused(status) => refusal = Some(format!("responded {status}")),
            Received::Other(status, media_type) => {
                drift.observations.response(document, operation, status, None);
                if operation.has_json() {
                    refusal = Some(format!("responded {status} with {media_type}"));
                } else {
                    bodies += 1;
                    drift.observations.media_type(document, operation, status, &media_type);
                }
            }
            Received::Json(status, body) => {
                bodies += 1;
                drift.observations.response(document, operation, status, Some(&body));
                pool.learn(operation, path, &body);
            }
        }
    }
    match refusal.filter(|_| bodies == 0) {
        Some(refusal) => drift.refused.push((operation.name.clone(), refusal)),
        None => drift.called.push((operation.name.clone(), bodies)),
    }
    Ok(())
}

/// What the document that the platform serves has that the vendored one has not: operations by name, the rest counted.
fn served(api: Api, base: &str, client: &Client) -> Result<Vec<String>, String> {
    let path = match api {
        Api::Main | Api::MainV2 => "/swagger.json",
        Api::Tabular | Api::Metrics => "/api/doc/swagger.json",
    };
    let body = match client.get(&format!("{base}{path}"))? {
        Received::Json(200, body) => body,
        Received::Json(status, _) | Received::Refused(status) => {
            return Ok(vec![format!("the request for the document returned {status}")]);
        }
        Received::Other(status, media_type) => {
            return Ok(vec![format!("the request for the document returned {status} with {media_type}")]);
        }
    };
    let vendored = source::load(api.name()).map_err(|error| error.to_string())?;
    let received = Loaded {
        name: format!("{base}{path}"),
        origin: String::new(),
        bytes: body.to_string().into_bytes(),
        api: None,
        version: None,
        overlay: None,
        is_partial: false,
        folder: None,
    };
    let report = diff::wire(&vendored, &received).map_err(|error| error.to_string())?;
    let is_new = |id: &str| {
        matches!(
            id,
            "path-added" | "operation-added" | "path-removed" | "operation-removed" | "deprecated-operation-removed"
        )
    };
    let mut lines: Vec<String> =
        report.changes.iter().filter(|change| is_new(change.id)).map(|change| change.text.clone()).collect();
    // Where a platform is, and which scheme it has, is its own.
    let others = report.changes.iter().filter(|change| !is_new(change.id) && !change.id.starts_with("server-")).count();
    if others > 0 {
        lines.push(format!("{others} other changes: `cargo xtask diff {api} {base}{path}`"));
    }
    Ok(lines)
}
