//! Stands between the client and the server, and keeps what was answered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use datagouv::Operation;
use regex::{Captures, Regex};
use serde_json::{Value, json};

/// How many answers of different shapes are kept of an operation's successes, and of each of its failures.
const KEPT: (usize, usize) = (12, 2);

/// An answer of the server.
struct Exchange {
    api: &'static str,
    operation: &'static Operation,
    path: String,
    status: u16,
    content_type: String,
    body: Bytes,
}

struct Shared {
    target: String,
    http: reqwest::Client,
    exchanges: Mutex<Vec<Exchange>>,
}

pub struct Recorder {
    /// Where the clients find the server.
    pub url: String,
    shared: Arc<Shared>,
}

impl Recorder {
    pub async fn start(target: String) -> Self {
        // Chooses the provider of TLS that reqwest asks for, though nothing here needs one.
        drop(datagouv::Client::new().unwrap());
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let shared = Arc::new(Shared { target, http, exchanges: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Writes what was recorded, if that was asked for.
    pub fn write(&self) {
        if std::env::var_os("DATAGOUV_RECORD").is_none() {
            return;
        }
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let exchanges = self.shared.exchanges.lock().unwrap();
        let mut normaliser = Normaliser::new(&self.shared.target);
        let mut kept: BTreeMap<(&str, &str, u16), BTreeSet<String>> = BTreeMap::new();
        for exchange in exchanges.iter() {
            let body = match serde_json::from_slice::<Value>(&exchange.body) {
                Ok(body) => normaliser.value(body),
                Err(_) => match std::str::from_utf8(&exchange.body) {
                    // What is not JSON is only kept to show that it came.
                    Ok(text) => json!(normaliser.text(&text.chars().take(2000).collect::<String>())),
                    Err(_) => Value::Null,
                },
            };
            let shapes = kept.entry((exchange.api, exchange.operation.name, exchange.status)).or_default();
            let shape = format!("{} {}", exchange.content_type, shape(&body));
            let most = if exchange.status < 400 { KEPT.0 } else { KEPT.1 };
            if shapes.len() >= most || !shapes.insert(shape) {
                continue;
            }
            let number = shapes.len();
            let folder = root.join(exchange.api);
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join(format!("{}-{}-{number}.json", exchange.operation.name, exchange.status));
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

async fn forward(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = shared.http.request(method.clone(), format!("{}{path}", shared.target)).body(body);
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| !["host", "connection", "content-length", "transfer-encoding"].contains(&name.as_str()))
    {
        request = request.header(name, value);
    }
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => {
            return Response::builder().status(StatusCode::BAD_GATEWAY).body(Body::from(error.to_string())).unwrap();
        }
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.unwrap_or_default();
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    if let Some((api, operation)) = operation(&method, uri.path()) {
        let path = path.to_owned();
        shared.exchanges.lock().unwrap().push(Exchange {
            api,
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
fn operation(method: &Method, path: &str) -> Option<(&'static str, &'static Operation)> {
    let (api, operations, path) = match path.strip_prefix("/api/1") {
        Some(rest) => ("main", datagouv::main::OPERATIONS, rest),
        None => ("main-v2", datagouv::main_v2::OPERATIONS, path.strip_prefix("/api/2")?),
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

/// The keys and kinds of a body: two answers of one shape prove the same.
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

/// Puts stable values in the place of those that change from run to run, and hides what is secret.
struct Normaliser {
    target: String,
    run: String,
    time: Regex,
    port: Regex,
    image: Regex,
    word: Regex,
    ids: BTreeMap<String, String>,
}

impl Normaliser {
    fn new(target: &str) -> Self {
        let regex = |pattern: &str| Regex::new(pattern).unwrap();
        Self {
            target: target.to_owned(),
            run: crate::support::RUN.to_string(),
            time: regex(r"20\d\d-\d\d-\d\d(?<join>[T ])\d\d:\d\d:\d\d(?<fraction>\.\d+)?"),
            port: regex(r"127\.0\.0\.1:\d+"),
            image: regex(r"/[0-9a-f]{2}/[0-9a-f]{30}"),
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
        let text = text.replace(&self.target, "https://www.data.gouv.fr").replace(&self.run, "1");
        let text = self.port.replace_all(&text, "127.0.0.1:8000");
        let text = self.image.replace_all(&text, "/00/000000000000000000000000000000");
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
