//! `docs/reference.md` agrees with the documents.
//!
//! The page takes the platform's own list of endpoints line by line; each line is followed by its operations,
//! or by their replacements. The list is below, as the platform writes it.

use std::collections::BTreeSet;

use datagouv::Operation;
use datagouv_sandbox::Api;
use datagouv_sandbox::document::Document;
use serde_json::Value;

const PAGE: &str = include_str!("../docs/reference.md");

/// A row of the page about one operation.
struct Row {
    /// Whether it is in a table of the list, not in one of the operations that the list omits.
    listed: bool,
    /// The line of the list that begins here.
    line: Option<String>,
    /// `METHOD path`.
    operation: String,
    /// Why there is no operation, if there is none.
    gone: String,
    /// The module and the method of every call.
    calls: Vec<(String, String)>,
    /// The API that the section is about.
    api: Api,
}

/// The modules of the APIs.
const MODULES: [(Api, &str, &[Operation]); 4] = [
    (Api::Main, "main", datagouv::main::OPERATIONS),
    (Api::MainV2, "main_v2", datagouv::main_v2::OPERATIONS),
    (Api::Tabular, "tabular", datagouv::tabular::OPERATIONS),
    (Api::Metrics, "metrics", datagouv::metrics::OPERATIONS),
];

fn module(api: Api) -> (&'static str, &'static [Operation]) {
    let (_, name, operations) = MODULES.into_iter().find(|(own, ..)| *own == api).unwrap();
    (name, operations)
}

/// The rows of the tables about operations, in the order of the page.
fn rows() -> Vec<Row> {
    let (mut rows, mut api, mut width) = (Vec::new(), Api::Main, 0);
    for text in PAGE.lines() {
        api = match text {
            "## 1. Main API" | "### Main" => Api::Main,
            "### Main, v2" => Api::MainV2,
            "## 2. Metrics API" => Api::Metrics,
            "## 3. Tabular API" => Api::Tabular,
            _ => api,
        };
        match text {
            "| The list says | Today | Call |" => width = 3,
            "| Today | Call |" => width = 2,
            _ if !text.starts_with('|') => width = 0,
            _ if width > 0 && !text.starts_with("|-") => rows.push(row(text, width, api)),
            _ => {}
        }
    }
    rows
}

fn row(text: &str, width: usize, api: Api) -> Row {
    let guarded = text.replace("\\|", "\u{1}");
    let cells: Vec<String> =
        guarded.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect();
    assert_eq!(cells.len(), width, "{text}");
    let [.., today, call] = &cells[..] else { panic!("{text}") };
    let operation = spans(today).next().unwrap_or_else(|| panic!("no operation in {text}")).to_owned();
    let gone = today.replacen(&format!("`{operation}`"), "", 1).trim().to_owned();
    let calls = spans(call).filter_map(|span| {
        let (module, method) = span.strip_prefix("client.")?.split_once("().")?;
        Some((module.to_owned(), method.strip_suffix("()")?.to_owned()))
    });
    let line = (width == 3 && !cells[0].is_empty()).then(|| cells[0].clone());
    Row { listed: width == 3, line, operation, gone, calls: calls.collect(), api }
}

/// The texts between backquotes.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// An operation without the names of its parameters.
fn nameless(operation: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for letter in operation.chars() {
        inside = (inside || letter == '{') && letter != '}';
        if !inside {
            plain.push(letter);
        }
    }
    plain
}

/// The segments of a nameless path.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty() && *segment != "...")
}

/// The rows of each line of the list.
fn lines(rows: &[Row]) -> impl Iterator<Item = (&str, &[Row])> {
    let listed = rows.iter().position(|row| !row.listed).map_or(rows, |end| &rows[..end]);
    let starts: Vec<usize> = (0..listed.len()).filter(|index| listed[*index].line.is_some()).collect();
    (0..starts.len()).map(move |index| {
        let end = starts.get(index + 1).copied().unwrap_or(listed.len());
        (listed[starts[index]].line.as_deref().unwrap_or_default(), &listed[starts[index]..end])
    })
}

/// The same texts, each as often.
fn assert_same(page: &[String], wanted: &[String]) {
    let lacking = |from: &[String], of: &[String]| -> Vec<String> {
        let count = |texts: &[String], text: &String| texts.iter().filter(|other| *other == text).count();
        of.iter().filter(|text| count(from, text) < count(of, text)).cloned().collect()
    };
    let (missing, unknown) = (lacking(page, wanted), lacking(wanted, page));
    assert!(missing.is_empty() && unknown.is_empty(), "the page lacks {missing:#?}, and has too much {unknown:#?}");
}

#[test]
fn the_reference_has_every_endpoint_in_order() {
    let page: Vec<String> = rows().into_iter().filter_map(|row| row.line).collect();
    let list: Vec<String> = LIST.trim().lines().map(str::to_owned).collect();
    assert_same(&page, &list);
    assert_eq!(page, list, "the order differs");
}

#[test]
fn every_example_builds_the_operation_of_its_line() {
    for row in rows().iter().filter(|row| row.gone.is_empty()) {
        let (module, operations) = module(row.api);
        let operation = operations.iter().find(|known| format!("{} {}", known.method, known.path) == row.operation);
        let operation = operation.unwrap_or_else(|| panic!("{} is no operation of {module}", row.operation));
        assert_eq!(row.calls, [(module.to_owned(), operation.name.to_owned())], "{}", row.operation);
    }
}

#[test]
fn the_reference_has_every_operation_once() {
    let mut page: Vec<String> = Vec::new();
    for row in rows().iter().filter(|row| row.gone.is_empty()) {
        page.push(format!("{} {}", module(row.api).0, row.operation));
    }
    let mut crates: Vec<String> = Vec::new();
    for (_, module, operations) in MODULES {
        crates.extend(operations.iter().map(|known| format!("{module} {} {}", known.method, known.path)));
    }
    assert_same(&page, &crates);
}

#[test]
fn removed_endpoints_are_in_no_document_and_their_replacements_are() {
    let documents = Document::corrected().unwrap();
    let mut gone = 0;
    for row in rows().iter().filter(|row| !row.gone.is_empty()) {
        gone += 1;
        for document in documents.iter().filter(|document| document.api() == row.api) {
            let known = operations(document.value()).any(|(known, _)| nameless(&known) == nameless(&row.operation));
            assert!(!known, "{} is in the document of {}", row.operation, document.api());
        }
        assert!(!row.calls.is_empty(), "nothing replaces {}", row.operation);
        for (name, method) in &row.calls {
            let module = MODULES.iter().find(|(_, module, _)| module == name);
            let known = module.is_some_and(|(.., operations)| operations.iter().any(|known| known.name == method));
            assert!(known, "{name}().{method}(), in the place of {}, is no call", row.operation);
        }
    }
    assert!(gone > 0);
}

#[test]
fn a_line_has_its_methods_and_paths() {
    for (line, rows) in lines(&rows()) {
        let (methods, rest) = line.split_once(' ').unwrap();
        let wanted: BTreeSet<&str> = methods.split('/').filter(|method| *method != "...").collect();
        let mut found: BTreeSet<&str> = rows.iter().filter_map(|row| row.operation.split(' ').next()).collect();
        if methods.ends_with("...") {
            found.retain(|method| wanted.contains(method));
        }
        assert_eq!(found, wanted, "{line}");
        let paths = rest.split(" — ").next().unwrap_or_default();
        for path in spans(paths) {
            let beside = rows.iter().any(|row| {
                let known = nameless(&row.operation);
                segments(&nameless(path)).all(|segment| segments(&known).any(|known| known == segment))
            });
            assert!(beside, "nothing beside {path} of {line}");
        }
    }
}

#[test]
fn the_parameters_that_a_line_names_are_those_of_its_operations() {
    let documents = Document::corrected().unwrap();
    for (line, rows) in lines(&rows()) {
        let Some((_, listed)) = line.split_once(" — ") else { continue };
        let mut known = BTreeSet::new();
        for row in rows {
            let document = documents.iter().find(|document| document.api() == row.api).unwrap();
            let found = operations(document.value()).find(|(operation, _)| *operation == row.operation);
            if let Some((_, (item, operation))) = found {
                known.extend(names(document, item, operation));
            }
        }
        for name in parameters(listed) {
            assert!(known.contains(name), "{name} of {line} is none of {known:?}");
        }
    }
}

/// The names in a line, after its path. `column__…` stands for names that depend on the data.
fn parameters(listed: &str) -> impl Iterator<Item = &str> {
    let prose = ["redirect to latest resource", "create", "reorder (body: array)", "body: [{id}]"];
    let listed = if prose.contains(&listed) { "" } else { listed.trim_end_matches(" (body)") };
    listed
        .split([',', ';', '/'])
        .map(|name| name.trim().split([':', ' ']).next().unwrap_or_default())
        .filter(|name| !name.is_empty() && !name.starts_with("column__"))
}

type Found<'a> = (String, (&'a Value, &'a Value));

/// The operations of a document, each with its path item.
fn operations(document: &Value) -> impl Iterator<Item = Found<'_>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        ["get", "post", "put", "patch", "delete"].into_iter().filter_map(move |method| {
            Some((format!("{} {path}", method.to_ascii_uppercase()), (item, item.get(method)?)))
        })
    })
}

/// The names of an operation's parameters, and of the fields of its body.
fn names(document: &Document, item: &Value, operation: &Value) -> BTreeSet<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut names = BTreeSet::new();
    for parameter in list(&item["parameters"]).iter().chain(&list(&operation["parameters"])) {
        names.extend(document.resolve(parameter)["name"].as_str().map(str::to_owned));
    }
    let body = document.resolve(&operation["requestBody"]);
    for media in body["content"].as_object().into_iter().flatten().map(|(_, media)| media) {
        fields(document, &media["schema"], &mut names);
    }
    names
}

fn fields(document: &Document, schema: &Value, names: &mut BTreeSet<String>) {
    let schema = document.resolve(schema);
    names.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
    for part in schema["allOf"].as_array().into_iter().flatten() {
        fields(document, part, names);
    }
}

const LIST: &str = r"
GET `/datasets/` — q, page, page_size, sort, organization, owner, tag, license, format, geozone, granularity, temporal_coverage, schema, topic, archived, deleted, private
POST `/datasets/` — title, description, frequency, last_update, organization/owner, license, tags, private
GET/PUT/DELETE `/datasets/{id}/`
GET `/datasets/{id}/resources/`
POST `/datasets/{id}/resources/` — create
PUT `/datasets/{id}/resources/` — reorder (body: array)
GET/PUT/DELETE `/datasets/{id}/resources/{rid}/`
POST `/datasets/{id}/resources/{rid}/upload/` or `/datasets/{id}/upload/`
POST/DELETE `/datasets/{id}/badges/`, `/datasets/{id}/badges/{badge_kind}/`
POST/DELETE `/datasets/{id}/featured/`
GET/POST/DELETE `/datasets/{id}/followers/`
GET `/datasets/{id}/rdf`, `/datasets/{id}/rdf.{_format}`
GET/POST/... `/datasets/community_resources/`, `.../{community}/`, `.../upload/`
GET `/datasets/badges/`, `frequencies/`, `licenses/`, `resource_types/`, `extensions/`, `schemas/`
GET `/datasets/suggest/`, `suggest/formats/`, `suggest/mime/` — q, size
GET `/datasets/r/{id}` — redirect to latest resource
GET `/datasets/recent.atom`
GET/POST `/organizations/`
GET/PUT/DELETE `/organizations/{id}/`
POST/PUT/DELETE `/organizations/{id}/member/{user}/` — role: admin|editor
GET/POST `/organizations/{id}/membership/`, `.../accept/{id}/`, `.../refuse/{id}/`
GET `/organizations/{id}/datasets/`, `reuses/`, `discussions/`, `contacts/`, `contacts/suggest/`
GET `/organizations/{id}/datasets.csv`, `dataservices.csv`, `datasets-resources.csv`, `discussions.csv`
GET `/organizations/{id}/catalog`, `catalog.{_format}`
GET/POST/DELETE `/organizations/badges/`, `{id}/badges/`, `{id}/badges/{badge_kind}/`
POST/PUT `/organizations/{id}/logo/`
GET `/organizations/roles/`, `suggest/`
GET/POST/DELETE `/organizations/{id}/followers/`
GET/POST `/users/`
GET/PUT/DELETE `/users/{id}/`
POST `/users/{id}/avatar/`
GET `/users/{id}/contacts/`
GET `/users/roles/`, `suggest/`
GET/POST/DELETE `/users/{id}/followers/`
GET/PUT/DELETE `/me/`
DELETE/POST `/me/apikey/`
POST `/me/avatar/`
GET `/me/datasets/`, `reuses/`, `metrics/`, `org_datasets/`, `org_reuses/`, `org_community_resources/`, `org_discussions/`
GET/POST `/reuses/` — q, organization, owner, tag, topic, type, dataset, featured
GET/PUT/DELETE `/reuses/{id}/`
POST `/reuses/{id}/datasets/`, `dataservices/`
GET/POST/DELETE `/reuses/badges/`, `{id}/badges/`, `{id}/featured/`
POST `/reuses/{id}/image/`
GET `/reuses/topics/`, `types/`, `suggest/`
GET/POST/DELETE `/reuses/{id}/followers/`
GET `/reuses/recent.atom`
GET/POST `/dataservices/`
GET/PATCH/DELETE `/dataservices/{id}/`
POST `/dataservices/{id}/datasets/` — body: [{id}]
DELETE `/dataservices/{id}/datasets/{dataset}/`
POST/DELETE `/dataservices/{id}/featured/`
GET `/dataservices/{id}/rdf`, `rdf.{_format}`
GET/POST/DELETE `/dataservices/{id}/followers/`
GET `/dataservices/recent.atom`
POST `/contacts/` — name, email, role
GET `/contacts/roles/`
GET/PUT/DELETE `/contacts/{id}/`
GET/POST `/harvest/sources/`
GET/PUT/DELETE `/harvest/source/{id}/`
GET `/harvest/source/{id}/jobs/`, `harvest/job/{ident}/`
POST `/harvest/source/{id}/run/`
POST/DELETE `/harvest/source/{id}/schedule/`
GET/POST `/harvest/source/{id}/preview/`, `harvest/source/preview/`
POST `/harvest/source/{id}/validate/`
GET `/harvest/backends/`
GET/POST/PUT/DELETE `/discussions/`, `discussions/{id}/`
POST `/discussions/{id}/` — comment, close (body)
PUT/DELETE `/discussions/{id}/comments/{idx}/`
DELETE `/discussions/{id}/comments/{idx}/spam/`, `discussions/{id}/spam/`
GET `/notifications/`
POST `/notifications/{id}/read/`
GET/POST `/posts/` — name, content, body_type, kind, datasets, reuses
GET/PUT/DELETE `/posts/{id}/`
POST/PUT `/posts/{id}/image/`
POST/DELETE `/posts/{id}/publish/`
GET `/posts/recent.atom`
GET/POST `/pages/`
GET/PUT `/pages/{id}/`
GET/POST `/reports/` — reason (explicit_content|illegal_content|others|personal_data|security|spam), subject, message
GET `/reports/reasons/`
GET/PATCH `/reports/{id}/`
GET/POST `/transfer/`, `transfer/{id}/` — subject, recipient, comment; response: accept|refuse
GET `/activity/` — user, organization, related_to
GET/PATCH `/site/`
GET `/site/catalog`, `catalog.{_format}`, `context.jsonld`, `data.{_format}`
GET `/site/datasets.csv`, `dataservices.csv`, `reuses.csv`, `organizations.csv`, `resources.csv`, `harvests.csv`, `tags.csv`
GET `/access_type/reason_categories/`
GET `/avatars/{identifier}/{size}/`
GET `/spatial/granularities/`, `levels/`, `coverage/{level}/`, `zone/{id}/`, `zone/{id}/datasets/`, `zones/{ids}/`, `zones/suggest/`
GET `/tags/suggest/`
GET `/spam/`
GET `/proconnect/auth`, `login/`, `logout`, `logout_oauth`
GET/POST `/workers/jobs/`
GET/PUT/DELETE `/workers/jobs/{id}/`
GET `/workers/jobs/schedulables/`, `workers/tasks/{id}/`
GET `/api/{model}/data/` — page, page_size, column__sort, column__exact, column__contains, column__less, column__greater
GET `/api/{model}/data/csv/`
GET `/health/`
GET `/api/resources/{rid}/`
GET `/api/resources/{rid}/profile/`
GET `/api/resources/{rid}/swagger/`
GET `/api/aggregation-exceptions/`
GET `/api/resources/{rid}/data/` — page, page_size
GET `/api/resources/{rid}/data/csv/`
GET `/api/resources/{rid}/data/json/`
GET `/health/`
";
