//! A copy of the vendored documents, whose live URLs are those of a test's server.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use datagouv_specs::Api;
use serde_json::Value;
use toml_edit::{DocumentMut, value};

use crate::server::{Response, Server};

pub struct Specs {
    folder: PathBuf,
    pub server: Server,
}

/// Where an API's document is on the test's server.
pub fn path(api: Api) -> &'static str {
    match api {
        Api::Main => "/api/1/swagger.json",
        Api::MainV2 => "/api/2/swagger.json",
        Api::Tabular => "/tabular/swagger.json",
        Api::Metrics => "/metrics/swagger.json",
    }
}

impl Specs {
    /// A copy, and a server that serves what is vendored.
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("datagouv-refresh-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
        let server = Server::start();
        for api in Api::ALL {
            fs::create_dir_all(folder.join(api.name())).unwrap();
            for entry in fs::read_dir(source.join(api.name())).unwrap() {
                let entry = entry.unwrap();
                fs::copy(entry.path(), folder.join(api.name()).join(entry.file_name())).unwrap();
            }
            server.at(path(api), Response::Body("application/json", api.document_text().into()));
        }
        let text = fs::read_to_string(source.join("provenance.toml")).unwrap();
        let mut provenance: DocumentMut = text.parse().unwrap();
        for api in Api::ALL {
            provenance[api.name()]["live"] = value(server.url(path(api)));
        }
        fs::write(folder.join("provenance.toml"), provenance.to_string()).unwrap();
        Self { folder, server }
    }

    /// Serves another document, and gives its URL.
    pub fn serve(&self, api: Api, document: &Value) -> String {
        self.server.at(path(api), Response::Body("application/json", document.to_string().into_bytes()))
    }

    pub fn refresh(&self, arguments: &[&str]) -> Refreshed {
        let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(["refresh", "--specs"])
            .arg(&self.folder)
            .args(arguments)
            .output()
            .unwrap();
        Refreshed(output)
    }

    /// All files, with their content.
    pub fn files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::new();
        let mut open = vec![self.folder.clone()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(&self.folder).unwrap().to_string_lossy().into_owned();
                    files.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        files
    }

    /// The path of a file of the copy, as an argument.
    pub fn argument(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    pub fn write(&self, name: &str, text: &str) {
        let file = self.folder.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

impl Drop for Specs {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// How a refresh ended.
pub struct Refreshed(Output);

impl Refreshed {
    /// Asserts exit status 0; returns the output.
    pub fn done(&self) -> String {
        assert_eq!(self.0.status.code(), Some(0), "{}", self.output());
        self.output()
    }

    /// Asserts exit status 1; returns the output.
    pub fn failed(&self) -> String {
        assert_eq!(self.0.status.code(), Some(1), "{}", self.output());
        self.output()
    }

    /// The report.
    pub fn report(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn output(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}

/// A vendored document, to change.
pub fn vendored(api: Api) -> Value {
    serde_json::from_str(api.document_text()).unwrap()
}

/// The tabular document with one property more.
pub fn tabular_and_more() -> Value {
    let mut document = vendored(Api::Tabular);
    document["info"]["version"] = "0.5.0".into();
    document["components"]["schemas"]["Health"]["properties"]["region"] = serde_json::json!({"type": "string"});
    document
}
