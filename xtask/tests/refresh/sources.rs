//! What each kind of source gives, and what it says when it gives nothing.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use datagouv_specs::Api;
use serde_json::json;
use xtask::source::{Limits, Loaded, api_of_document, load, load_within};

use crate::server::{Answer, Server};

const JSON: &str = "application/json";

fn refused(source: &str) -> String {
    said(load(source))
}

fn said(result: Result<Loaded, xtask::source::Error>) -> String {
    let said = result.unwrap_err().to_string();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
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
fn a_byte_order_mark_is_no_part_of_a_document() {
    let marked = Scratch::file("mark.json", "\u{feff}{\"swagger\": \"2.0\"}").load();
    assert_eq!(marked.parse().unwrap(), json!({"swagger": "2.0"}));
}

#[test]
fn what_is_no_document_says_what_it_is() {
    let told = |name: &str, text: &str| Scratch::file(name, text).load().parse().unwrap_err().to_string();
    assert!(told("empty", " \n").ends_with("empty"));
    assert!(told("page", "<!doctype html>").contains("web page"));
    let cut = told("cut", "{\"swagger\":\n\"2.0\",");
    assert!(cut.contains("not JSON") && cut.contains("line 2"), "{cut}");
    assert!(told("yaml", "a: [").contains("neither JSON nor YAML"));
    let mut bytes = Scratch::file("latin", "").load();
    bytes.bytes = vec![b'{', 0xe9, b'}'];
    assert!(bytes.parse().unwrap_err().to_string().contains("not text"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let said = refused("absent/swagger.json");
    assert!(said.starts_with("absent/swagger.json: "), "{said}");
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
fn a_commit_or_a_path_that_is_not_there_is_named() {
    for object in ["git:no-such-revision:Cargo.toml", "git:HEAD:no/such/file", "git:HEAD:specs", "git:HEAD", "git::a"] {
        let said = refused(object);
        assert!(said.starts_with(object), "{said}");
    }
    // Nothing that git would take for an option.
    let said = refused("git:--textconv:Cargo.toml");
    assert!(said.contains("does not begin with `-`"), "{said}");
}

#[test]
fn a_version_that_is_none_is_refused_before_anything_is_installed() {
    for source in ["udata:", "udata:newest", "udata:../../17.0.3", "udata:--index-url=x", "udata:17.0.3 requests"] {
        let said = refused(source);
        assert!(said.contains("neither a version"), "{said}");
    }
    assert!(refused("udata:17.18.0:tabular").contains("main and main-v2"));
    assert!(refused("udata:17.18.0:nothing").contains("is not one of"));
}

#[test]
fn a_url_gives_its_body_also_after_a_redirect() {
    let server = Server::start();
    let good = server.at("/swagger.json", Answer::Body(JSON, b"{\"swagger\": \"2.0\"}".to_vec()));
    let loaded = load(&good).unwrap();
    assert_eq!(loaded.bytes, b"{\"swagger\": \"2.0\"}");
    assert_eq!((loaded.name.as_str(), loaded.api), (good.as_str(), None));
    let moved = server.at("/moved", Answer::Redirect("/swagger.json".to_owned()));
    assert_eq!(load(&moved).unwrap().bytes, loaded.bytes);
}

#[test]
fn redirects_end() {
    let server = Server::start();
    let circle = server.at("/circle", Answer::Redirect("/circle".to_owned()));
    let said = refused(&circle);
    assert!(said.contains("redirect"), "{said}");
    assert!(server.asked() <= 7, "{}", server.asked());
}

#[test]
fn a_status_that_is_no_success_is_told() {
    let server = Server::start();
    for status in [404, 500, 503] {
        let said = refused(&server.at("/status", Answer::Status(status)));
        assert!(said.ends_with(&format!("answered {status}")), "{said}");
    }
    // A success without a document is none.
    assert!(refused(&server.at("/status", Answer::Status(203))).contains("203"));
}

#[test]
fn a_cut_body_is_no_body() {
    let server = Server::start();
    let body = b"{\"swagger\": \"2.0\"}          ".to_vec();
    // Cut where what came would be a whole document.
    let said = refused(&server.at("/cut", Answer::Cut(body, 18)));
    assert!(said.contains("cut"), "{said}");
}

#[test]
fn more_than_the_limit_is_not_taken() {
    let server = Server::start();
    let limits = Limits { bytes: 1 << 20, timeout: Duration::from_secs(600), ..Limits::default() };
    let said_of = |path: &str, answer: Answer| said(load_within(&server.at(path, answer), &limits));
    assert!(said_of("/endless", Answer::Endless).contains("more than 1 MB"));
    // Told beforehand, it is refused without waiting for it.
    assert!(said_of("/huge", Answer::Huge((1 << 20) + 1)).contains("more than 1 MB"));
    let just = server.at("/just", Answer::Body(JSON, vec![b' '; 1 << 20]));
    assert_eq!(load_within(&just, &limits).unwrap().bytes.len(), 1 << 20);
}

#[test]
fn an_answer_that_does_not_come_is_given_up() {
    let server = Server::start();
    let limits = Limits { timeout: Duration::from_millis(300), ..Limits::default() };
    let said_of = |path: &str, answer: Answer| said(load_within(&server.at(path, answer), &limits));
    let silence = said_of("/silence", Answer::Silence);
    assert!(silence.contains("timeout"), "{silence}");
    let stalled = said_of("/stalled", Answer::Huge(100));
    assert!(stalled.contains("timeout"), "{stalled}");
}

#[test]
fn a_package_that_is_not_known_is_not_installed() {
    assert!(refused("pypi:requests").ends_with("the one package that is known is udata-hydra-csvapi"));
    assert!(refused("pypi:udata-hydra-csvapi:0.3.1:main").contains("serves tabular and metrics, and not main"));
    assert!(refused("pypi:udata-hydra-csvapi:--pre").contains("is no version such as 0.3.1"));
    assert!(refused("pypi:udata-hydra-csvapi:0.3.1:rows").contains("rows"));
}
