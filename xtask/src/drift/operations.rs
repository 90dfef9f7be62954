//! The read operations of a document, and the values that their paths take.

use std::collections::BTreeMap;

use datagouv_specs::pointer::escape;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// An operation that reads.
pub struct Operation {
    /// `GET /datasets/`
    pub name: String,
    /// The path, with its parameters.
    pub path: String,
    /// The pointer of the operation.
    pub pointer: String,
    /// The parameters of the path.
    pub parameters: Vec<String>,
    /// The body of a success, as it is described.
    described: Described,
}

/// The body of a success, as it is described.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Described {
    /// Of JSON, with a schema.
    Json,
    /// Of another media type, which is checked; the body is not read.
    OtherMedia,
    Nothing,
}

/// The operations of a document that are safe to call.
pub fn of(document: &Value) -> Vec<Operation> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.filter_map(|(path, item)| Some((path, item.get("get")?)));
    let operation = |(path, get): (&String, &Value)| Operation {
        name: format!("GET {path}"),
        path: path.clone(),
        pointer: format!("/paths/{}/get", escape(path)),
        parameters: path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect(),
        described: described_body(document, get),
    };
    operations.map(operation).collect()
}

fn described_body(document: &Value, operation: &Value) -> Described {
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let successes = responses.filter(|(status, _)| status.starts_with('2'));
    let media: Vec<_> = successes
        .filter_map(|(_, response)| follow(document, response).get("content").and_then(Value::as_object))
        .flatten()
        .collect();
    if media.iter().any(|(name, media)| name.contains("json") && media.get("schema").is_some()) {
        Described::Json
    } else if media.is_empty() {
        Described::Nothing
    } else {
        Described::OtherMedia
    }
}

/// What a reference leads to.
pub fn follow<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut current = value;
    for _ in 0..32 {
        let Some(pointer) = current.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix('#')) else {
            break;
        };
        current = document.pointer(pointer).unwrap_or(&Value::Null);
    }
    current
}

impl Operation {
    /// Whether it would be called if there were values for its path.
    pub fn is_callable(&self) -> bool {
        self.described != Described::Nothing
    }

    /// Whether the body of a success is read.
    pub fn has_json(&self) -> bool {
        self.described == Described::Json
    }

    /// The paths of the requests to make, with their queries.
    ///
    /// # Errors
    /// With the reason why there is none.
    pub fn requests(&self, document: &Value, pool: &Pool, samples: usize) -> Result<Vec<String>, String> {
        if !self.is_callable() {
            return Err("no body is described".to_owned());
        }
        // Of a body that is not read, one is enough.
        let samples = if self.has_json() { samples } else { samples.min(1) };
        let item = self.pointer.rsplit_once('/').map_or("", |(item, _)| item);
        let mut query: Vec<String> = Vec::new();
        let mut fixed: BTreeMap<String, DescribedValues> = BTreeMap::new();
        for owner in [item, &self.pointer] {
            let list = document.pointer(owner).and_then(|it| it.get("parameters")).and_then(Value::as_array);
            for parameter in list.into_iter().flatten() {
                let parameter = follow(document, parameter);
                let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
                let name = text("name").to_owned();
                let is_required = parameter.get("required") == Some(&Value::Bool(true));
                let described = described_values(document, parameter);
                match text("in") {
                    "path" => drop(fixed.insert(name, described)),
                    "query" if name == "page_size" => query.push("page_size=20".to_owned()),
                    "query" if is_required => {
                        // What suggests takes the beginning of a word.
                        let value = described.values.first().cloned().unwrap_or_else(|| "a".to_owned());
                        query.push(format!("{name}={}", encoded(&value)));
                    }
                    _ => {}
                }
            }
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        if self.parameters.is_empty() {
            return Ok(vec![format!("{}{query}", self.path)]);
        }
        let paths = pool.paths(&self.path, &fixed, samples)?;
        Ok(paths.into_iter().map(|path| format!("{path}{query}")).collect())
    }
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, NON_ALPHANUMERIC).to_string()
}

/// The values that a parameter is described to have.
struct DescribedValues {
    values: Vec<String>,
    /// Whether there are no others.
    is_enum: bool,
}

fn described_values(document: &Value, parameter: &Value) -> DescribedValues {
    let schema = follow(document, parameter.get("schema").unwrap_or(&Value::Null));
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let values: Vec<String> = schema.get("enum").and_then(Value::as_array).into_iter().flatten().map(text).collect();
    if !values.is_empty() {
        return DescribedValues { values, is_enum: true };
    }
    let single = [schema.get("default"), parameter.get("example"), schema.get("example")];
    DescribedValues { values: single.into_iter().flatten().take(1).map(text).collect(), is_enum: false }
}

/// The objects that responses named, by the name of their collection.
#[derive(Default)]
pub struct Pool(BTreeMap<String, Vec<Entry>>);

/// An object that can be requested.
#[derive(Clone, PartialEq, Eq)]
struct Entry {
    id: String,
    /// The objects that it is within, each with its collection.
    within: Vec<(String, String)>,
}

/// The collection of the resources of which there is a table.
const TABLES: &str = "tables of resources";

/// The tables in which the tabular API aggregates.
const AGGREGATED: &str = "/api/aggregation-exceptions/";

/// How many objects of a collection are kept.
const KEPT: usize = 200;

impl Pool {
    /// Takes note of a resource of which there is a table.
    pub fn add_table(&mut self, id: &str) {
        let known = self.0.entry(TABLES.to_owned()).or_default();
        let entry = Entry { id: id.to_owned(), within: Vec::new() };
        if known.len() < KEPT && !known.contains(&entry) {
            known.push(entry);
        }
    }

    /// Takes note of the objects in a body.
    pub fn learn(&mut self, operation: &Operation, path: &str, body: &Value) {
        if operation.path == AGGREGATED {
            // The one list of tables that the tabular API itself has: of 0.3.1 it is plain, of 0.4.1 within an object.
            let list = body.get("exceptions").unwrap_or(body).as_array();
            list.into_iter().flatten().filter_map(Value::as_str).for_each(|id| self.add_table(id));
            return;
        }
        let mut segments: Vec<&str> =
            operation.path.split('/').filter(|it| !it.is_empty() && !it.contains('{')).collect();
        if segments.last().is_some_and(|last| matches!(*last, "suggest" | "search")) {
            segments.pop();
        }
        let collection = segments.last().copied().unwrap_or_default().to_owned();
        // The objects that the path itself is about.
        let own: Vec<(String, String)> = operation
            .path
            .split('/')
            .zip(path.split(['/', '?']))
            .filter_map(|(name, value)| Some((plural(name.strip_prefix('{')?.strip_suffix('}')?), value.to_owned())))
            .collect();
        let list = body.get("data").filter(|data| data.is_array()).unwrap_or(body);
        self.walk(&collection, list, &own);
    }

    fn walk(&mut self, collection: &str, value: &Value, within: &[(String, String)]) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| self.walk(collection, value, within)),
            Value::Object(members) => {
                let mut around = within.to_vec();
                let id = members.get("id").or_else(|| members.get("resource_id"));
                if let Some(id) = id.and_then(Value::as_str) {
                    let extras = members.get("extras").and_then(Value::as_object).into_iter().flatten();
                    let is_table = extras.into_iter().any(|(name, _)| name.starts_with("analysis:parsing:"));
                    let class = members.get("class").and_then(Value::as_str).map(|name| plural(&name.to_lowercase()));
                    let entry = Entry { id: id.to_owned(), within: within.to_vec() };
                    let table = is_table.then(|| TABLES.to_owned());
                    for name in [Some(collection.to_owned()), class, table].into_iter().flatten() {
                        let known = self.0.entry(name.clone()).or_default();
                        if known.len() < KEPT && !known.contains(&entry) {
                            known.push(entry.clone());
                        }
                        around.push((name, id.to_owned()));
                    }
                }
                members.iter().for_each(|(name, value)| self.walk(&plural(name), value, &around));
            }
            _ => {}
        }
    }

    /// Paths with values for their parameters.
    fn paths(
        &self,
        template: &str,
        fixed: &BTreeMap<String, DescribedValues>,
        samples: usize,
    ) -> Result<Vec<String>, String> {
        let segments: Vec<&str> = template.split('/').collect();
        let before =
            |index: usize| index.checked_sub(1).and_then(|index| segments.get(index)).copied().unwrap_or_default();
        let name_of = |segment: &str| {
            let (_, rest) = segment.split_once('{')?;
            Some(rest.split_once('}')?.0.to_owned())
        };
        let mut entries: Vec<Option<&[Entry]>> = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let Some(name) = name_of(segment) else {
                entries.push(None);
                continue;
            };
            // The tabular API has the resources that were parsed, and no others.
            let is_of_tables = template.starts_with("/api/resources/");
            let found = if is_of_tables {
                let known = self.0.get(TABLES);
                Some(known.ok_or("no resource with a table was seen: `--resource ID` names one")?)
            } else {
                let names = [before(index).to_owned(), plural(before(index)), plural(&name)];
                names.iter().find_map(|name| self.0.get(name))
            };
            if found.is_none() && fixed.get(&name).is_none_or(|described| described.values.is_empty()) {
                return Err(format!("no value for `{name}` was seen"));
            }
            entries.push(Some(found.map_or(&[], Vec::as_slice)));
        }
        // The last object that is known has the others around it.
        let count = entries.iter().flatten().map(|entries| entries.len()).max().unwrap_or(1).max(1);
        let mut paths: Vec<String> = Vec::new();
        for number in 0..count {
            let mut chosen: Vec<(String, String)> = Vec::new();
            let mut filled: Vec<String> = segments.iter().map(|segment| (*segment).to_owned()).collect();
            for index in (0..segments.len()).rev() {
                let Some(Some(known)) = entries.get(index) else { continue };
                let Some(name) = segments.get(index).and_then(|segment| name_of(segment)) else { continue };
                let described = fixed.get(&name);
                let values = described.map(|it| it.values.as_slice()).unwrap_or_default();
                let is_enum = described.is_some_and(|it| it.is_enum);
                let collections = [before(index).to_owned(), plural(before(index)), plural(&name)];
                let around =
                    chosen.iter().find(|(collection, _)| collections.contains(collection)).map(|(_, id)| id.clone());
                let entry = known.get(number % known.len().max(1));
                let value = values.get(number % values.len().max(1)).cloned();
                let seen = entry.map(|entry| entry.id.clone());
                // An example is of whoever wrote it: what was seen is there.
                let value = around.or(if is_enum { value.or(seen) } else { seen.or(value) });
                let Some(value) = value else { continue };
                chosen
                    .extend(entry.filter(|entry| entry.id == value).into_iter().flat_map(|entry| entry.within.clone()));
                if let Some(segment) = filled.get_mut(index) {
                    *segment = segment.replace(&format!("{{{name}}}"), &encoded_segment(&value));
                }
            }
            let path = filled.join("/");
            if !path.contains('{') && !paths.contains(&path) {
                paths.push(path);
            }
            if paths.len() >= samples {
                break;
            }
        }
        if paths.is_empty() { Err("no values for its path were seen together".to_owned()) } else { Ok(paths) }
    }
}

fn encoded_segment(value: &str) -> String {
    const PLAIN: percent_encoding::AsciiSet =
        NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    utf8_percent_encode(value, &PLAIN).to_string()
}

/// The name of a collection for that of a member.
fn plural(name: &str) -> String {
    if name.is_empty() || name.ends_with('s') { name.to_owned() } else { format!("{name}s") }
}
