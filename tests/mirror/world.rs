//! A catalogue with one organization, and the servers of its files, all in this process.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use datagouv::{Api, Client, Limits, RetryPolicy};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A hosted file.
#[derive(Clone, Debug)]
pub struct Hosted {
    pub dataset: usize,
    /// Its path on the server, of which the last segment is its name.
    pub path: String,
    pub content: Vec<u8>,
    /// Whether it is on the platform, which declares a checksum, or elsewhere.
    pub on_platform: bool,
    /// Whether its server sends an entity tag, and responds with 304.
    pub tagged: bool,
    pub status: u16,
    pub created: u32,
}

impl Hosted {
    pub fn new(path: &str, content: impl Into<Vec<u8>>) -> Self {
        let (path, content) = (path.to_owned(), content.into());
        Self { dataset: 0, path, content, on_platform: false, tagged: true, status: 200, created: 0 }
    }
}

#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    origin: String,
    files: BTreeMap<String, Hosted>,
    /// The paths of the files that were sent with status 200.
    sent: Vec<String>,
    catalogue_status: Option<u16>,
    /// Steps to run before each of the next responses of the catalogue.
    script: VecDeque<Step>,
}

type Step = Box<dyn FnOnce(&World) + Send>;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tag(content: &[u8]) -> String {
    format!("\"{}\"", hex(&Sha256::digest(content)))
}

/// The id of the organization `o`.
const ORGANIZATION: &str = "534fff91a3a7292c64a77e53";

impl World {
    pub async fn start() -> Self {
        let world = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        world.0.lock().unwrap().origin = format!("http://{}", listener.local_addr().unwrap());
        let served = world.clone();
        let router = axum::Router::new().fallback(move |request: Request| {
            let response = served.respond(&request);
            async move { response }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        world
    }

    pub fn client(&self) -> Client {
        let origin = self.0.lock().unwrap().origin.clone();
        let builder = Client::builder().base_url(Api::Main, format!("{origin}/api/1"));
        builder.retries(RetryPolicy::none()).limits(Limits::none()).build().unwrap()
    }

    pub fn put(&self, id: &str, file: Hosted) {
        self.0.lock().unwrap().files.insert(id.to_owned(), file);
    }

    pub fn change(&self, id: &str, change: impl FnOnce(&mut Hosted)) {
        change(self.0.lock().unwrap().files.get_mut(id).unwrap());
    }

    pub fn remove(&self, id: &str) {
        self.0.lock().unwrap().files.remove(id).unwrap();
    }

    pub fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap().files.keys().cloned().collect()
    }

    pub fn fail_catalogue(&self, status: Option<u16>) {
        self.0.lock().unwrap().catalogue_status = status;
    }

    /// Adds a step to run before a response of the catalogue.
    pub fn then(&self, step: impl FnOnce(&World) + Send + 'static) {
        self.0.lock().unwrap().script.push_back(Box::new(step));
    }

    /// Takes the paths of the files that were sent since the last call.
    pub fn sent(&self) -> Vec<String> {
        let mut sent = std::mem::take(&mut self.0.lock().unwrap().sent);
        sent.sort();
        sent
    }

    fn respond(&self, request: &Request) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let of_catalogue = path.starts_with("/api/1/datasets/");
        let step = if of_catalogue { self.0.lock().unwrap().script.pop_front() } else { None };
        if let Some(step) = step {
            step(self);
        }
        let mut inner = self.0.lock().unwrap();
        let reply = |status: u16, body: Vec<u8>| {
            Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Body::from(body)).unwrap()
        };
        let json = |value: Value| {
            let body = Body::from(value.to_string());
            Response::builder().header("content-type", "application/json").body(body).unwrap()
        };
        if let Some(path) = path.strip_prefix("/api/1/datasets/") {
            if let Some(status) = inner.catalogue_status {
                return reply(status, Vec::new());
            }
            return match path.trim_end_matches('/') {
                // The filter takes ids alone.
                "" if request
                    .uri()
                    .query()
                    .is_some_and(|query| query.split('&').any(|pair| pair == "organization=o")) =>
                {
                    reply(400, Vec::new())
                }
                "" => {
                    let data: Vec<Value> = (0..2).map(|number| inner.dataset(number)).collect();
                    json(
                        json!({"data": data, "page": 1, "page_size": 20, "total": 2, "next_page": null, "previous_page": null}),
                    )
                }
                number => json(inner.dataset(number.strip_prefix('d').unwrap().parse().unwrap())),
            };
        }
        if path == "/api/1/organizations/o/" {
            return json(json!({"id": ORGANIZATION}));
        }
        let Some(file) = inner.files.values().find(|file| file.path == path).cloned() else {
            return reply(404, Vec::new());
        };
        let tag = tag(&file.content);
        if file.status != 200 {
            return reply(file.status, Vec::new());
        }
        if file.tagged && request.headers().get("if-none-match").is_some_and(|known| *known == *tag) {
            return reply(304, Vec::new());
        }
        inner.sent.push(path);
        let mut reply = reply(200, file.content);
        if file.tagged {
            reply.headers_mut().insert("etag", tag.parse().unwrap());
        }
        reply
    }
}

impl Inner {
    fn dataset(&self, number: usize) -> Value {
        let resources: Vec<Value> = self
            .files
            .iter()
            .filter(|(_, file)| file.dataset == number)
            .map(|(id, file)| {
                let mut resource = json!({
                    "id": id,
                    "type": "main",
                    "filetype": if file.on_platform { "file" } else { "remote" },
                    "format": file.path.rsplit('.').next(),
                    "title": id,
                    "url": format!("{}{}", self.origin, file.path),
                    "filesize": null,
                    "created_at": format!("2024-01-01T00:00:{:02}+00:00", file.created),
                    "last_modified": "2024-01-01T00:00:00+00:00",
                });
                if file.on_platform {
                    let value = hex(&Sha256::digest(&file.content));
                    resource["checksum"] = json!({"type": "sha256", "value": value});
                }
                resource
            })
            .collect();
        json!({"id": format!("d{number}"), "slug": format!("jeu-{number}"), "resources": resources})
    }
}

/// A folder that is removed when it is dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("datagouv-mirror-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    /// The files in it and their SHA-256, without the state.
    pub fn hashes(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        hashes(&self.0, &self.0, &mut found);
        found.retain(|path, _| path != ".datagouv-mirror.json");
        found
    }
}

fn hashes(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            hashes(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            found.insert(name, hex(&Sha256::digest(std::fs::read(&path).unwrap())));
        }
    }
}

pub fn hashed<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> BTreeMap<String, String> {
    files.into_iter().map(|(path, content)| (path.to_owned(), hex(&Sha256::digest(content)))).collect()
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
