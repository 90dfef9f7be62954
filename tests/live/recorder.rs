//! A proxy between the client and the servers that records responses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use datagouv::Operation;
use regex::{Captures, Regex};
use serde_json::{Value, json};

/// How many responses of different shapes are recorded for the successes of an operation, and for each failure.
const KEPT: (usize, usize) = (12, 2);

/// A server of the platform.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// It serves two APIs, main and main-v2.
    Catalogue,
    Tabular,
    Metrics,
}

/// A response of a server.
struct Exchange {
    api: &'static str,
    /// The subject of the response, if the scenario names one.
    subject: Option<String>,
    operation: &'static Operation,
    path: String,
    status: u16,
    content_type: String,
    body: Bytes,
}

struct Shared {
    http: reqwest::Client,
    /// Those that are not written yet.
    exchanges: Mutex<Vec<Exchange>>,
}

/// What was written so far: the shapes of the responses of each operation, by status and subject.
struct Written {
    normaliser: Normaliser,
    shapes: BTreeMap<(&'static str, &'static str, u16, Option<String>), BTreeSet<String>>,
}

/// One for each server.
#[derive(Clone)]
struct Relay {
    server: Server,
    target: String,
    shared: Arc<Shared>,
}

pub struct Recorder {
    /// Each server: its address, and that of its proxy.
    servers: Vec<(Server, String, String)>,
    shared: Arc<Shared>,
    written: Mutex<Written>,
}

impl Recorder {
    pub async fn start(servers: impl IntoIterator<Item = (Server, String)>) -> Self {
        // Chooses the provider of TLS that reqwest asks for, though nothing here needs one.
        drop(datagouv::Client::new().unwrap());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let shared = Arc::new(Shared { http, exchanges: Mutex::default() });
        let mut started = Vec::new();
        for (server, target) in servers {
            let relay = Relay { server, target: target.clone(), shared: Arc::clone(&shared) };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router = Router::new().fallback(forward).layer(DefaultBodyLimit::disable()).with_state(relay);
            tokio::spawn(async move { axum::serve(listener, router).await });
            started.push((server, target, url));
        }
        let written = Written { normaliser: Normaliser::new(&started), shapes: BTreeMap::new() };
        Self { servers: started, shared, written: Mutex::new(written) }
    }

    /// The address of the proxy of a server.
    pub fn url(&self, server: Server) -> &str {
        &self.servers.iter().find(|(one, ..)| *one == server).unwrap().2
    }

    /// Writes what was recorded, if `DATAGOUV_RECORD` is set.
    pub fn write(&self) {
        if std::env::var_os("DATAGOUV_RECORD").is_none() {
            return;
        }
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mut written = self.written.lock().unwrap();
        let Written { normaliser, shapes: kept } = &mut *written;
        let exchanges = std::mem::take(&mut *self.shared.exchanges.lock().unwrap());
        for exchange in exchanges {
            let body = match serde_json::from_slice::<Value>(&exchange.body) {
                Ok(body) => normaliser.value(body),
                Err(_) => match std::str::from_utf8(&exchange.body) {
                    // A body that is not JSON is recorded only to show that there is one.
                    Ok(text) => json!(normaliser.text(&text.chars().take(2000).collect::<String>())),
                    Err(_) => Value::Null,
                },
            };
            let key = (exchange.api, exchange.operation.name, exchange.status, exchange.subject.clone());
            let shapes = kept.entry(key).or_default();
            let shape = format!("{} {}", exchange.content_type, shape(&body));
            let most = match exchange.subject {
                // The shape of a table is that of its columns: one response shows it.
                Some(_) => 1,
                None if exchange.status < 400 => KEPT.0,
                None => KEPT.1,
            };
            if shapes.len() >= most || !shapes.insert(shape) {
                continue;
            }
            let name = exchange.subject.clone().unwrap_or_else(|| shapes.len().to_string());
            let folder = root.join(exchange.api);
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join(format!("{}-{}-{name}.json", exchange.operation.name, exchange.status));
            let exchange = json!({
                "api": exchange.api,
                "operation_id": exchange.operation.operation_id,
                "method": exchange.operation.method,
                "path": normaliser.text(&exchange.path),
                "status": exchange.status,
                "content_type": exchange.content_type,
                "body": body,
            });
            std::fs::write(file, format!("{}\n", serde_json::to_string_pretty(&exchange).unwrap())).unwrap();
        }
    }
}

async fn forward(State(relay): State<Relay>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let whole = uri.path_and_query().map_or("/", |path| path.as_str());
    // The first segment may be the subject of the requests of a client.
    let (subject, path) = match whole.strip_prefix("/@").and_then(|rest| rest.split_once('/')) {
        Some((subject, _)) => (Some(subject.to_owned()), &whole[subject.len() + 2..]),
        None => (None, whole),
    };
    let Relay { server, target, shared } = relay;
    let mut request = shared.http.request(method.clone(), format!("{target}{path}")).body(body);
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| !["host", "connection", "content-length", "transfer-encoding"].contains(&name.as_str()))
    {
        request = request.header(name, value);
    }
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::from(error.to_string())).unwrap();
        }
    };
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.unwrap_or_default();
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if let Some((api, operation)) = operation(server, &method, path.split('?').next().unwrap_or_default()) {
        let path = path.to_owned();
        shared.exchanges.lock().unwrap().push(Exchange {
            api,
            subject,
            operation,
            path,
            status: status.as_u16(),
            content_type,
            body: body.clone(),
        });
    }
    let mut response = Response::builder().status(status);
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| !["connection", "content-length", "transfer-encoding"].contains(&name.as_str()))
    {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).unwrap()
}

/// The operation that a request is for: the template with the fewest parameters that fits.
fn operation(server: Server, method: &Method, path: &str) -> Option<(&'static str, &'static Operation)> {
    let (api, operations, path) = match (server, path.strip_prefix("/api/1")) {
        (Server::Tabular, _) => ("tabular", datagouv::tabular::OPERATIONS, path),
        (Server::Metrics, _) => ("metrics", datagouv::metrics::OPERATIONS, path),
        (Server::Catalogue, Some(rest)) => ("main", datagouv::main::OPERATIONS, rest),
        (Server::Catalogue, None) => ("main-v2", datagouv::main_v2::OPERATIONS, path.strip_prefix("/api/2")?),
    };
    let fits = |operation: &&Operation| operation.method == method.as_str() && matches(operation.path, path);
    let found = operations.iter().filter(fits).min_by_key(|operation| operation.path.matches('{').count())?;
    Some((api, found))
}

fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(part, actual)| match part.find('{') {
            Some(open) => actual.len() > open && actual.starts_with(&part[..open]) && !actual.is_empty(),
            None => *part == actual,
        })
}

/// The keys and kinds of a body: two responses of one shape prove the same.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(object) => object.iter().map(|(key, value)| format!("{key}:{},", shape(value))).collect(),
        Value::Array(items) => {
            let shapes: BTreeSet<String> = items.iter().map(shape).collect();
            format!("[{}]", shapes.into_iter().collect::<Vec<_>>().join("|"))
        }
        Value::String(_) => "s".to_owned(),
        Value::Number(_) => "n".to_owned(),
        Value::Bool(_) => "b".to_owned(),
        Value::Null => "-".to_owned(),
    }
}

/// Replaces values that change from run to run by stable ones, and removes secrets.
struct Normaliser {
    /// The addresses of the servers here, and in production.
    addresses: Vec<(String, &'static str)>,
    run: String,
    time: Regex,
    port: Regex,
    image: Regex,
    stored: Regex,
    table: Regex,
    word: Regex,
    ids: BTreeMap<String, String>,
}

impl Normaliser {
    fn new(servers: &[(Server, String, String)]) -> Self {
        let regex = |pattern: &str| Regex::new(pattern).unwrap();
        let addresses = servers.iter().map(|(server, target, _)| {
            let production = match server {
                Server::Catalogue => "https://www.data.gouv.fr",
                Server::Tabular => "https://tabular-api.data.gouv.fr",
                Server::Metrics => "https://metric-api.data.gouv.fr",
            };
            (target.clone(), production)
        });
        Self {
            addresses: addresses.collect(),
            run: crate::support::RUN.to_string(),
            time: regex(r"20\d\d-\d\d-\d\d(?<join>[T ])\d\d:\d\d:\d\d(?<fraction>\.\d+)?"),
            port: regex(r"127\.0\.0\.1:\d+"),
            image: regex(r"/[0-9a-f]{2}/[0-9a-f]{30}"),
            // The folder of a file, named by the second of its upload.
            stored: regex(r"/20\d{6}-\d{6}/"),
            // The tables of hydra, and the checksums of files.
            table: regex(r"\b[0-9a-f]{32}([0-9a-f]{8})?\b"),
            word: regex(r"udata_\w+|\b[0-9a-f]{24}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
            ids: BTreeMap::new(),
        }
    }

    fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(object) => {
                object.into_iter().map(|(key, value)| (self.text(&key), self.value(value))).collect()
            }
            other => other,
        }
    }

    fn text(&mut self, text: &str) -> String {
        let mut text = text.replace(&self.run, "1");
        for (here, production) in &self.addresses {
            text = text.replace(here, production);
        }
        let text = self.port.replace_all(&text, "127.0.0.1:8000");
        let text = self.image.replace_all(&text, "/00/000000000000000000000000000000");
        let text = self.stored.replace_all(&text, "/20260101-000000/");
        let text = self.table.replace_all(&text, |found: &Captures<'_>| "0".repeat(found[0].len()));
        // The form of a time is what the fixtures prove, not the hour.
        let text = self.time.replace_all(&text, |found: &Captures<'_>| {
            let fraction =
                found.name("fraction").map_or(String::new(), |digits| format!(".{}", "0".repeat(digits.len() - 1)));
            format!("2026-01-01{}00:00:00{fraction}", &found["join"])
        });
        let ids = &mut self.ids;
        let stable = |found: &Captures<'_>| {
            let word = &found[0];
            if word.starts_with("udata_") {
                return "udata_hidden".to_owned();
            }
            let next = ids.len() + 1;
            let uuid = word.contains('-');
            let made = || if uuid { format!("00000000-0000-4000-8000-{next:012x}") } else { format!("{next:024x}") };
            ids.entry(word.to_owned()).or_insert_with(made).clone()
        };
        self.word.replace_all(&text, stable).into_owned()
    }
}
