//! What each kind of source gives, and what it says when it gives nothing.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use datagouv_specs::Api;
use serde_json::json;
use xtask::source::{Limits, Loaded, api_of_document, load, load_within};

use crate::server::{Response, Server};

const JSON: &str = "application/json";

fn refused(source: &str) -> String {
    error_of(load(source))
}

fn error_of(result: Result<Loaded, xtask::source::Error>) -> String {
    let message = result.unwrap_err().to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

struct Scratch(PathBuf);

impl Scratch {
    fn file(name: &str, text: &str) -> Self {
        let file = std::env::temp_dir().join(format!("datagouv-sources-{}-{name}", std::process::id()));
        std::fs::write(&file, text).unwrap();
        Self(file)
    }

    fn load(&self) -> Loaded {
        load(&self.0.to_string_lossy()).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_file_is_read_as_json_or_yaml() {
    let json = Scratch::file("a.json", r#"{"swagger": "2.0", "basePath": "/api/2"}"#).load();
    let document = json.parse().unwrap();
    assert_eq!(document["swagger"], "2.0");
    assert_eq!(json.api(&document), Some(Api::MainV2));
    let yaml = Scratch::file("a.yaml", "openapi: 3.0.3\ninfo: {title: data.gouv.fr Tabular API}\n").load();
    let document = yaml.parse().unwrap();
    assert_eq!(document["openapi"], "3.0.3");
    assert_eq!(yaml.api(&document), Some(Api::Tabular));
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let marked = Scratch::file("mark.json", "\u{feff}{\"swagger\": \"2.0\"}").load();
    assert_eq!(marked.parse().unwrap(), json!({"swagger": "2.0"}));
}

#[test]
fn a_file_that_is_no_document_is_an_error_with_its_kind() {
    let error = |name: &str, text: &str| Scratch::file(name, text).load().parse().unwrap_err().to_string();
    assert!(error("empty", " \n").ends_with("empty"));
    assert!(error("page", "<!doctype html>").contains("web page"));
    let cut = error("cut", "{\"swagger\":\n\"2.0\",");
    assert!(cut.contains("not JSON") && cut.contains("line 2"), "{cut}");
    assert!(error("yaml", "a: [").contains("neither JSON nor YAML"));
    let mut bytes = Scratch::file("latin", "").load();
    bytes.bytes = vec![b'{', 0xe9, b'}'];
    assert!(bytes.parse().unwrap_err().to_string().contains("not text"));
}

#[test]
fn a_missing_file_is_named() {
    let message = refused("absent/swagger.json");
    assert!(message.starts_with("absent/swagger.json: "), "{message}");
}

#[test]
fn the_name_of_an_api_is_the_vendored_document() {
    for api in Api::ALL {
        let loaded = load(api.name()).unwrap();
        assert_eq!(loaded.bytes, api.document_text().as_bytes());
        assert_eq!(loaded.api, Some(api));
        assert_eq!(loaded.overlay.as_deref(), Some(api.overlay_text().as_bytes()));
        // What a document says of itself agrees with where it lies.
        assert_eq!(api_of_document(&loaded.parse().unwrap()), Some(api));
    }
}

#[test]
fn a_commit_has_the_files_of_its_time() {
    let loaded = load("git:HEAD:specs/main/swagger.json").unwrap();
    assert_eq!(loaded.api, Some(Api::Main));
    // The overlay of the same time: it may be another than today's.
    assert_eq!(loaded.overlay, Some(load("git:HEAD:specs/main/overlay.json").unwrap().bytes));
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let object = Command::new("git").args(["-C", root, "rev-parse", "HEAD:specs/main/swagger.json"]).output().unwrap();
    let scratch = Scratch::file("git.json", "");
    std::fs::write(&scratch.0, &loaded.bytes).unwrap();
    let hashed = Command::new("git").args(["hash-object", "--no-filters"]).arg(&scratch.0).output().unwrap();
    assert_eq!(hashed.stdout, object.stdout);
}

#[test]
fn a_missing_commit_or_path_is_named() {
    for object in ["git:no-such-revision:Cargo.toml", "git:HEAD:no/such/file", "git:HEAD:specs", "git:HEAD", "git::a"] {
        let message = refused(object);
        assert!(message.starts_with(object), "{message}");
    }
    // Nothing that git would take for an option.
    let message = refused("git:--textconv:Cargo.toml");
    assert!(message.contains("does not begin with `-`"), "{message}");
}

#[test]
fn an_invalid_version_is_refused_before_anything_is_installed() {
    for source in ["udata:", "udata:newest", "udata:../../17.0.3", "udata:--index-url=x", "udata:17.0.3 requests"] {
        let message = refused(source);
        assert!(message.contains("neither a version"), "{message}");
    }
    assert!(refused("udata:17.18.0:tabular").contains("main and main-v2"));
    assert!(refused("udata:17.18.0:nothing").contains("is not one of"));
}

#[test]
fn a_url_gives_its_body_also_after_a_redirect() {
    let server = Server::start();
    let good = server.at("/swagger.json", Response::Body(JSON, b"{\"swagger\": \"2.0\"}".to_vec()));
    let loaded = load(&good).unwrap();
    assert_eq!(loaded.bytes, b"{\"swagger\": \"2.0\"}");
    assert_eq!((loaded.name.as_str(), loaded.api), (good.as_str(), None));
    let moved = server.at("/moved", Response::Redirect("/swagger.json".to_owned()));
    assert_eq!(load(&moved).unwrap().bytes, loaded.bytes);
}

#[test]
fn redirects_are_limited() {
    let server = Server::start();
    let circle = server.at("/circle", Response::Redirect("/circle".to_owned()));
    let message = refused(&circle);
    assert!(message.contains("redirect"), "{message}");
    assert!(server.requests() <= 7, "{}", server.requests());
}

#[test]
fn a_status_other_than_200_is_an_error() {
    let server = Server::start();
    for status in [404, 500, 503] {
        let message = refused(&server.at("/status", Response::Status(status)));
        assert!(message.ends_with(&format!("responded {status}")), "{message}");
    }
    // A success without a document is none.
    assert!(refused(&server.at("/status", Response::Status(203))).contains("203"));
}

#[test]
fn a_truncated_body_is_an_error() {
    let server = Server::start();
    let body = b"{\"swagger\": \"2.0\"}          ".to_vec();
    // Cut where what came would be a whole document.
    let message = refused(&server.at("/cut", Response::Cut(body, 18)));
    assert!(message.contains("cut"), "{message}");
}

#[test]
fn a_body_over_the_limit_is_an_error() {
    let server = Server::start();
    let limits = Limits { bytes: 1 << 20, timeout: Duration::from_secs(600), ..Limits::default() };
    let message_of = |path: &str, response: Response| error_of(load_within(&server.at(path, response), &limits));
    assert!(message_of("/endless", Response::Endless).contains("more than 1 MB"));
    // Told beforehand, it is refused without waiting for it.
    assert!(message_of("/huge", Response::Huge((1 << 20) + 1)).contains("more than 1 MB"));
    let just = server.at("/just", Response::Body(JSON, vec![b' '; 1 << 20]));
    assert_eq!(load_within(&just, &limits).unwrap().bytes.len(), 1 << 20);
}

#[test]
fn a_missing_response_times_out() {
    let server = Server::start();
    let limits = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
    let message_of = |path: &str, response: Response| error_of(load_within(&server.at(path, response), &limits));
    let silence = message_of("/silence", Response::Silence);
    assert!(silence.contains("timeout"), "{silence}");
    let stalled = message_of("/stalled", Response::Huge(100));
    assert!(stalled.contains("timeout"), "{stalled}");
}

#[test]
fn a_package_that_is_not_known_is_not_installed() {
    assert!(refused("pypi:requests").ends_with("the one package that is known is udata-hydra-csvapi"));
    assert!(refused("pypi:udata-hydra-csvapi:0.3.1:main").contains("serves tabular and metrics, and not main"));
    assert!(refused("pypi:udata-hydra-csvapi:--pre").contains("is no version such as 0.3.1"));
    assert!(refused("pypi:udata-hydra-csvapi:0.3.1:rows").contains("rows"));
}
