//! Sources of documents: a file, a URL, a commit, a version of the server's package, or the project itself.

mod csvapi;
mod folder;
mod git;
mod http;
mod positions;
mod udata;
mod yaml;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use datagouv_specs::Api;
use datagouv_specs::faults::{self, Bundle, Reading};
use serde_json::Value;

pub use folder::Folder;
pub use http::Limits;
use http::get;
pub use positions::{Position, Positions};

/// The size above which nothing is taken for a document: the largest known one has 0.6 MB.
const MAX_BYTES: u64 = 32 << 20;

/// The compiled overlay of a vendored document, next to it.
const OVERLAY: &str = "overlay.json";

/// A loaded source.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The source, as given.
    pub name: String,
    /// The source in words, for those who read where a document is from.
    pub origin: String,
    /// The bytes received.
    pub bytes: Vec<u8>,
    /// The API that the source is known to describe, where its name says so.
    pub api: Option<Api>,
    /// The version of the server, where the source knows it.
    pub version: Option<String>,
    /// The compiled overlay that corrects it, where the source has that too.
    pub overlay: Option<Vec<u8>>,
    /// Whether the source has the operations alone, so that the rest is that of the vendored document.
    pub is_partial: bool,
    /// Where the files lie that it may refer to; none where it may refer to no other.
    pub folder: Option<Folder>,
}

/// A source that gives no document, and why. Its display is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The source, as given.
    pub source: String,
    /// The reason, with the place in the document where there is one.
    pub reason: String,
}

impl Error {
    /// An error of a source.
    pub fn new(source: impl Into<String>, reason: impl fmt::Display) -> Self {
        let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Self { source: source.into(), reason }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}

impl std::error::Error for Error {}

/// The help of the argument that gives a folder.
pub const FOLDER: &str = "The folder in which references to other files may lead; without it, that of the document";

/// What a source can be, for the help of commands.
pub const SOURCES: &str = "A file, a URL, git:REVISION:PATH, udata:VERSION or udata:latest (the catalogue's API v1; \
    udata:VERSION:main-v2 is the other), pypi:udata-hydra-csvapi (tabular; pypi:udata-hydra-csvapi:VERSION:metrics is \
    the other), or main, main-v2, tabular, metrics (as vendored)";

/// Loads a document from wherever [`SOURCES`] says that it can be.
///
/// # Errors
///
/// When the source gives nothing, or more than a document can be.
pub fn load(source: &str) -> Result<Loaded, Error> {
    load_within(source, &Limits::default())
}

/// [`load`], with limits of one's own where the source is a URL.
///
/// # Errors
///
/// As those of [`load`].
pub fn load_within(source: &str, limits: &Limits) -> Result<Loaded, Error> {
    let failed = |reason: String| Error::new(source, reason);
    let plain = |origin: String, bytes: Vec<u8>, api: Option<Api>| Loaded {
        name: source.to_owned(),
        origin,
        bytes,
        api,
        version: None,
        overlay: None,
        is_partial: false,
        folder: None,
    };
    if let Some(object) = source.strip_prefix("git:") {
        let bytes = git::show(object).map_err(failed)?;
        let api = api_of_path(Path::new(object));
        let overlay = api.and_then(|_| git::show(&format!("{}/{OVERLAY}", object.rsplit_once('/')?.0)).ok());
        let folder = Some(Folder::of_commit(object));
        return Ok(Loaded { overlay, folder, ..plain(format!("git, {object}"), bytes, api) });
    }
    if let Some(package) = source.strip_prefix("udata:") {
        let (version, api) = match package.split_once(':') {
            Some((version, api)) => (version, api.parse().map_err(|error| Error::new(source, error))?),
            None => (package, Api::Main),
        };
        let (bytes, version) = udata::document(version, api).map_err(failed)?;
        let route = if api == Api::MainV2 { "/api/2" } else { "/api/1" };
        return Ok(Loaded {
            name: source.to_owned(),
            origin: format!("udata {version} (Python package), what it serves at {route}/swagger.json"),
            bytes,
            api: Some(api),
            version: Some(version),
            overlay: None,
            is_partial: false,
            folder: None,
        });
    }
    if let Some(package) = source.strip_prefix("pypi:") {
        let mut parts = package.splitn(3, ':');
        if parts.next() != Some(csvapi::PACKAGE) {
            return Err(failed(format!("the one package that is known is {}", csvapi::PACKAGE)));
        }
        let version = parts.next().filter(|version| *version != "latest");
        let api = parts.next().unwrap_or("tabular").parse().map_err(|error| Error::new(source, error))?;
        let held = csvapi::document(version, api).map_err(failed)?;
        let what = if held.is_partial { "the routes of its server; the rest as vendored" } else { "its document" };
        return Ok(Loaded {
            origin: format!("{} {} (Python package), {what}", csvapi::PACKAGE, held.version),
            version: Some(held.version),
            is_partial: held.is_partial,
            ..plain(String::new(), held.bytes, Some(api))
        });
    }
    if source.starts_with("https://") || source.starts_with("http://") {
        return Ok(plain(source.to_owned(), get(source, limits).map_err(failed)?, None));
    }
    let with_overlay = |origin: String, file: &Path, api: Option<Api>| {
        let overlay = api.and_then(|_| read(&file.with_file_name(OVERLAY)).ok());
        let folder = Some(Folder::of_file(file));
        Ok(Loaded { overlay, folder, ..plain(origin, read(file).map_err(failed)?, api) })
    };
    if let Ok(api) = source.parse::<Api>() {
        let file = crate::root().join("specs").join(api.name()).join(api.file_name());
        return with_overlay(format!("vendored for {api}"), &file, Some(api));
    }
    let file = Path::new(source);
    with_overlay(format!("file {source}"), file, api_of_path(file))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|error| error.to_string())?;
    opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_large(MAX_BYTES)) } else { Ok(bytes) }
}

fn too_large(limit: u64) -> String {
    format!("more than {} MB, which is no document of an API", limit >> 20)
}

/// The API of a file that lies where the project keeps it.
fn api_of_path(path: &Path) -> Option<Api> {
    let folder = path.parent()?.file_name()?.to_str()?;
    Api::ALL.into_iter().find(|api| api.name() == folder && path.ends_with(api.file_name()))
}

impl Loaded {
    /// The document: JSON or YAML.
    ///
    /// # Errors
    ///
    /// If the bytes are neither; the reason names the line.
    pub fn parse(&self) -> Result<Value, Error> {
        parse(&self.bytes).map_err(|reason| Error::new(&self.name, reason))
    }

    /// This source, whose references may lead anywhere in a folder.
    ///
    /// # Errors
    ///
    /// When the document is no file of that folder.
    pub fn within(self, folder: Option<&Path>) -> Result<Self, Error> {
        let Some(root) = folder else { return Ok(self) };
        let own = self.folder.ok_or_else(|| Error::new(&self.name, "a folder is for documents that are files"))?;
        let folder = own.within(root).map_err(|reason| Error::new(&self.name, reason))?;
        Ok(Self { folder: Some(folder), ..self })
    }

    /// The document with the files that it refers to, and its faults.
    ///
    /// # Errors
    ///
    /// When the document cannot be parsed, or no meaning remains of it.
    pub fn read(&self) -> Result<(Reading, Bundle), Error> {
        let failed = |error: datagouv_specs::Error| Error::new(&self.name, error);
        let document = self.parse()?;
        let bundle = match &self.folder {
            Some(folder) => faults::bundle(document, folder.file(), &mut |path| folder.parse(path)).map_err(failed)?,
            None => Bundle::whole(document),
        };
        faults::read_bundle(bundle).map_err(failed)
    }

    /// The positions of the values of the document in its text.
    pub fn positions(&self) -> Positions {
        let text = String::from_utf8_lossy(&self.bytes);
        Positions::of(text.trim_start_matches('\u{feff}'))
    }

    /// The API that the document describes: as the source says, or else as the document does.
    pub fn api(&self, document: &Value) -> Option<Api> {
        self.api.or_else(|| api_of_document(document))
    }
}

/// A document of JSON or YAML.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("not text: {error}"))?;
    let text = text.trim_start_matches('\u{feff}');
    let start = text.trim_start();
    if start.is_empty() {
        return Err("empty".to_owned());
    }
    if start.starts_with('<') {
        return Err("a web page or XML, and not a document of an API".to_owned());
    }
    // What looks like JSON gets the messages of a reader of JSON.
    if start.starts_with(['{', '[']) {
        return serde_json::from_str(text).or_else(|error| {
            // YAML takes what JSON does not: comments, commas before an end.
            let yaml = yaml::parse(text).ok();
            yaml.filter(Value::is_object).ok_or_else(|| format!("not JSON: {error}"))
        });
    }
    yaml::parse(text).map_err(|error| format!("neither JSON nor YAML: {error}"))
}

/// The API that a document says it describes.
pub fn api_of_document(document: &Value) -> Option<Api> {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let title = text("/info/title").to_lowercase();
    match text("/basePath").trim_end_matches('/') {
        "/api/1" => Some(Api::Main),
        "/api/2" => Some(Api::MainV2),
        _ if title.contains("tabular") => Some(Api::Tabular),
        _ if title.contains("metric") => Some(Api::Metrics),
        _ => None,
    }
}
