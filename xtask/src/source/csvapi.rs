//! The documents of the tabular and the metrics API, from their package.
//!
//! The server reads them from files of its source tree, which the wheels lack. Then the package gives the operations, by
//! the routes of its server, and the rest is that of the vendored document.

use std::collections::BTreeSet;
use std::fs;
use std::io::IsTerminal;

use datagouv_specs::pointer::escape;
use datagouv_specs::{Api, document};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::python::Environment;

/// The package.
pub const PACKAGE: &str = "udata-hydra-csvapi";

/// The methods of OpenAPI; those of a route that are none describe no operation.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What a version of the package gives.
pub struct Held {
    pub bytes: Vec<u8>,
    pub version: String,
    /// Whether the package holds no document, but only the operations.
    pub is_partial: bool,
}

/// What the script prints.
#[derive(Deserialize)]
struct Facts {
    document: Option<Value>,
    routes: Vec<(String, String)>,
}

/// What a version holds, or the newest one without a version.
pub fn document(version: Option<&str>, api: Api) -> Result<Held, String> {
    if !matches!(api, Api::Tabular | Api::Metrics) {
        return Err(format!("{PACKAGE} serves tabular and metrics, and not {api}"));
    }
    let is_named = |version: &str| {
        version.starts_with(|first: char| first.is_ascii_digit())
            && version.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '.')
    };
    if let Some(version) = version.filter(|version| !is_named(version)) {
        return Err(format!("`{version}` is no version such as 0.3.1"));
    }
    let folder = crate::root().join("target/platform/python");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let environment = Environment::at(&folder.join(format!("{PACKAGE}-{}", version.unwrap_or("latest"))))?;
    let installed = || environment.version_of(PACKAGE).ok();
    if version.is_none() || installed().as_deref() != version {
        let wanted = version.map_or_else(|| PACKAGE.to_owned(), |version| format!("{PACKAGE}=={version}"));
        if std::io::stderr().is_terminal() {
            eprintln!("installing {wanted}");
        }
        environment.install(&["--upgrade", &wanted])?;
    }
    let printed = environment.run(&crate::root().join("xtask/server/csvapi_document.py"), &[api.name()])?;
    let version = installed().ok_or_else(|| format!("{PACKAGE} is not installed"))?;
    let vendored = document::parse(api.document_text()).map_err(|error| error.to_string())?;
    held(&printed, &version, vendored)
}

/// The document in the output of the script.
fn held(printed: &[u8], version: &str, vendored: Value) -> Result<Held, String> {
    let facts: Facts = serde_json::from_slice(printed).map_err(|error| format!("what {PACKAGE} holds: {error}"))?;
    let is_partial = facts.document.is_none();
    let document = facts.document.unwrap_or_else(|| with_routes(vendored, &facts.routes));
    Ok(Held { bytes: document.to_string().into_bytes(), version: version.to_owned(), is_partial })
}

/// A document with the operations of these routes: those that are not there go, and new ones have no more than a path.
fn with_routes(mut document: Value, routes: &[(String, String)]) -> Value {
    let known: BTreeSet<(String, &str)> =
        routes.iter().map(|(method, path)| (method.to_lowercase(), path.as_str())).collect();
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return document };
    for (path, item) in paths.iter_mut() {
        if let Some(item) = item.as_object_mut() {
            item.retain(|key, _| !METHODS.contains(&key.as_str()) || known.contains(&(key.clone(), path.as_str())));
        }
    }
    paths.retain(|_, item| METHODS.iter().any(|method| item.get(method).is_some()));
    for (method, path) in known.iter().filter(|(method, _)| METHODS.contains(&method.as_str())) {
        let item = paths.entry(*path).or_insert_with(|| Value::Object(Map::new()));
        if let Some(item) = item.as_object_mut().filter(|item| !item.contains_key(method)) {
            item.insert(method.clone(), undescribed(path));
        }
    }
    document
}

/// An operation of which only the route is known.
fn undescribed(path: &str) -> Value {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let parameter = |name: &str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    json!({
        "description": format!("A route of the server, which its package does not describe: {}", escape(path)),
        "parameters": names.map(parameter).collect::<Value>(),
        "responses": {"200": {"description": "Not described."}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the script prints of 0.3.1, of each API.
    const TABULAR: &str = include_str!("../../tests/refresh/csvapi-0.3.1-tabular.json");
    const METRICS: &str = include_str!("../../tests/refresh/csvapi-0.3.1-metrics.json");

    fn vendored(api: Api) -> Value {
        document::parse(api.document_text()).unwrap()
    }

    fn read(printed: &str, api: Api) -> (Value, bool) {
        let held = held(printed.as_bytes(), "0.3.1", vendored(api)).unwrap();
        (serde_json::from_slice(&held.bytes).unwrap(), held.is_partial)
    }

    #[test]
    fn a_package_without_a_document_tells_the_operations() {
        for (printed, api) in [(TABULAR, Api::Tabular), (METRICS, Api::Metrics)] {
            let (document, is_partial) = read(printed, api);
            assert!(is_partial);
            // 0.3.1 has the operations of the vendored documents, and no others.
            assert_eq!(document, vendored(api));
        }
    }

    #[test]
    fn an_operation_without_a_route_goes_and_a_route_without_one_comes() {
        let printed = TABULAR
            .replace(r#"["GET", "/api/resources/{rid}/swagger/"]"#, r#"["GET", "/api/resources/{rid}/sql/"]"#)
            .replace(r#"["GET", "/health/"]"#, r#"["GET", "/health/"], ["POST", "/health/"], ["*", "/any/"]"#);
        let (document, _) = read(&printed, Api::Tabular);
        let paths = document["paths"].as_object().unwrap();
        assert!(!paths.contains_key("/api/resources/{rid}/swagger/") && !paths.contains_key("/any/"));
        assert_eq!(paths["/api/resources/{rid}/sql/"]["get"]["parameters"][0]["name"], "rid");
        assert_eq!(paths["/health/"]["get"], vendored(Api::Tabular)["paths"]["/health/"]["get"]);
        assert!(paths["/health/"]["post"].is_object());
    }

    #[test]
    fn a_document_of_the_package_is_taken_as_it_is() {
        let printed = json!({"document": {"openapi": "3.0.3", "paths": {}}, "routes": []}).to_string();
        let (document, is_partial) = read(&printed, Api::Tabular);
        assert!(!is_partial);
        assert_eq!(document, json!({"openapi": "3.0.3", "paths": {}}));
    }
}
