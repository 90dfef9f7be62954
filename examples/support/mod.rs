//! Shared by all examples: the server that they call, and how they print.
#![allow(dead_code, reason = "no example uses all of it")]

use std::error::Error;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use datagouv::{Api, Client, Environment};
use datagouv_sandbox::Sandbox;

/// The result of an example.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The server to call. The default is a small platform with invented data inside this program.
#[derive(clap::Args)]
#[command(next_help_heading = "Server (by default a small platform inside this program)")]
pub struct Server {
    /// Call data.gouv.fr
    #[arg(long, conflicts_with_all = ["env", "main", "main_v2", "tabular", "metrics"])]
    live: bool,
    /// Call one of the platform's environments
    #[arg(long, value_name = "NAME", conflicts_with_all = ["main", "main_v2", "tabular", "metrics"])]
    env: Option<Env>,
    /// Call a catalogue of your own, by the base URL of its API (http://127.0.0.1:7000/api/1)
    #[arg(long, value_name = "URL")]
    main: Option<String>,
    /// The base URL of its second version; --main with 2 as its last segment by default
    #[arg(long, value_name = "URL")]
    main_v2: Option<String>,
    /// Call a tabular server of your own
    #[arg(long, value_name = "URL")]
    tabular: Option<String>,
    /// Call a metrics server of your own
    #[arg(long, value_name = "URL")]
    metrics: Option<String>,
    /// A file that holds an API key of the catalogue
    #[arg(long, value_name = "FILE")]
    api_key_file: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Env {
    Production,
    Demo,
    Dev,
}

/// A client, and the server that it calls.
pub struct Platform {
    pub client: Client,
    /// Whether there is an API key, which writing needs.
    pub has_key: bool,
    pub name: String,
    own: Option<Vec<Api>>,
    environment: Option<Environment>,
    /// The embedded platform, which stops when it is dropped.
    sandbox: Option<Sandbox>,
}

impl Server {
    /// Builds the client.
    pub async fn open(self) -> Outcome<Platform> {
        let mut key = match &self.api_key_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .map_err(|error| format!("{}: {error}", file.display()))?
                    .trim()
                    .to_owned(),
            ),
            None => None,
        };
        let environment = match self.env {
            _ if self.live => Some(Environment::Production),
            Some(Env::Production) => Some(Environment::Production),
            Some(Env::Demo) => Some(Environment::Demo),
            Some(Env::Dev) => Some(Environment::Dev),
            None => None,
        };
        let own = self.own();
        let mut builder = Client::builder();
        let mut sandbox = None;
        let name;
        if let Some(environment) = environment {
            builder = builder.environment(environment);
            name = format!("{environment:?}");
        } else if own.is_empty() {
            let started = Sandbox::start_platform().await;
            for api in Api::ALL {
                builder = builder.base_url(*api, started.url(*api));
            }
            key = key.or_else(|| Some("any key will do".to_owned()));
            name = "the embedded platform (invented data; --live goes to data.gouv.fr)".to_owned();
            sandbox = Some(started);
        } else {
            // An API whose URL is not given must not be that of another platform.
            for api in Api::ALL {
                let given = own.iter().find(|(of, _)| of == api).map(|(_, url)| url.clone());
                builder = builder.base_url(*api, given.unwrap_or_else(|| "http://not-given.invalid".to_owned()));
            }
            name = own.iter().map(|(_, url)| url.as_str()).collect::<Vec<_>>().join(", ");
        }
        let has_key = key.is_some();
        if let Some(key) = key {
            builder = builder.api_key(key);
        }
        let own = (!own.is_empty()).then(|| own.into_iter().map(|(api, _)| api).collect());
        Ok(Platform { client: builder.build()?, has_key, name, own, environment, sandbox })
    }

    fn own(&self) -> Vec<(Api, String)> {
        let second = self.main.as_deref().and_then(|url| url.trim_end_matches('/').strip_suffix("/1"));
        let main_v2 = self.main_v2.clone().or_else(|| second.map(|url| format!("{url}/2")));
        let all = [
            (Api::Main, self.main.clone()),
            (Api::MainV2, main_v2),
            (Api::Tabular, self.tabular.clone()),
            (Api::Metrics, self.metrics.clone()),
        ];
        all.into_iter().filter_map(|(api, url)| Some((api, url?))).collect()
    }
}

impl Platform {
    /// Returns whether the server has an API.
    pub fn has(&self, api: Api) -> bool {
        match (&self.own, self.environment) {
            (Some(own), _) => own.contains(&api),
            (None, Some(Environment::Demo)) => api != Api::Metrics,
            (None, Some(Environment::Dev)) => !matches!(api, Api::Tabular | Api::Metrics),
            _ => true,
        }
    }
}

/// Ends the program; prints an error with all its causes.
pub fn report(outcome: Outcome) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}

/// Prints a heading.
pub fn heading(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\n\x1b[1m{text}\x1b[0m");
    } else {
        println!("\n{text}");
    }
}

/// Longer cells are cut.
const WIDEST: usize = 48;

/// Prints rows below their titles; a column whose cells are all numbers is aligned to the right.
pub fn table(titles: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        println!("  nothing");
        return;
    }
    let width = |text: &str| text.chars().count();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| short(cell, WIDEST)).collect()).collect();
    let columns: Vec<(usize, bool)> = titles
        .iter()
        .enumerate()
        .map(|(index, title)| {
            let cells = || rows.iter().filter_map(|row| row.get(index));
            let widest = cells().map(|cell| width(cell)).max().unwrap_or(0).max(width(title));
            let numbers = cells().all(|cell| cell == "-" || cell.trim_end_matches(" kB").parse::<f64>().is_ok());
            (widest, numbers)
        })
        .collect();
    let print = |cells: &[String]| {
        let padded = cells.iter().zip(&columns).map(|(cell, (widest, right))| {
            let gap = " ".repeat(widest.saturating_sub(width(cell)));
            if *right { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        });
        println!("  {}", padded.collect::<Vec<_>>().join("  ").trim_end());
    };
    print(&titles.iter().map(|title| (*title).to_owned()).collect::<Vec<_>>());
    print(&columns.iter().map(|(widest, _)| "-".repeat(*widest)).collect::<Vec<_>>());
    rows.iter().for_each(|row| print(row));
}

/// Returns a text on one line, cut to a number of characters.
pub fn short(text: &str, longest: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= longest {
        return line;
    }
    line.chars().take(longest.saturating_sub(1)).chain(['…']).collect()
}

/// Formats a value of a row.
pub fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns the day of a date-time.
pub fn day(moment: &datagouv::DateTime) -> String {
    moment.as_str().chars().take(10).collect()
}
