//! Matches the operations of OLD and NEW, and compares what concerns them as a whole.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::announced;
use super::change::Operation;
use super::comparison::OperationDifferences;
use super::document::Document;
use super::rules;

/// The methods of a path.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An operation of a document.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The operation in reports.
    pub operation: Operation,
    /// The operation object.
    pub value: &'a Value,
    /// The path item.
    pub item: &'a Value,
    /// The document.
    pub document: &'a Document,
}

impl Entry<'_> {
    /// The path without the names of its parameters.
    fn template(&self) -> String {
        template(&self.operation.path)
    }

    /// `GET /datasets/`
    fn words(&self) -> String {
        format!("`{} {}`", self.operation.method, self.operation.path)
    }

    /// The stability that is promised: that of an operation that says nothing is `stable`.
    fn stability(&self) -> &str {
        self.value.get("x-stability-level").and_then(Value::as_str).unwrap_or("stable")
    }

    /// Whether it may change at any time.
    pub fn is_unstable(&self) -> bool {
        matches!(self.stability(), "draft" | "alpha")
    }

    fn is_deprecated(&self) -> bool {
        self.value.get("deprecated") == Some(&Value::Bool(true))
    }

    fn sunset(&self) -> Option<&str> {
        self.value.get("x-sunset").and_then(Value::as_str)
    }

    fn tags(&self) -> BTreeSet<&str> {
        self.value.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// The operations of a document.
fn entries(document: &Document) -> Vec<Entry<'_>> {
    let paths = document.root().get("paths").and_then(Value::as_object).into_iter().flatten();
    let mut entries = Vec::new();
    for (path, item) in paths.filter(|(path, _)| path.starts_with('/')) {
        let item = document.follow(item).value;
        for method in METHODS {
            let Some(value) = item.get(method) else { continue };
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let operation = Operation {
                path: path.clone(),
                method: method.to_uppercase(),
                operation: value.get("operationId").and_then(text),
                tag: value.get("tags").and_then(|tags| tags.get(0)).and_then(text),
            };
            entries.push(Entry { operation, value, item, document });
        }
    }
    entries
}

/// A path without the names of its parameters.
pub fn template(path: &str) -> String {
    let mut template = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        template.push_str(before);
        template.push_str("{}");
        rest = after;
    }
    template.push_str(rest);
    template
}

/// The names of the parameters in a path, in order.
pub fn path_names(path: &str) -> Vec<&str> {
    path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
}

/// The operations of two documents, matched.
#[derive(Debug)]
pub struct OperationMatches<'a> {
    /// In both.
    pub pairs: Vec<(Entry<'a>, Entry<'a>)>,
    /// Only in OLD.
    pub removed: Vec<Entry<'a>>,
    /// Only in NEW.
    pub added: Vec<Entry<'a>>,
    old_templates: HashSet<String>,
    new_templates: HashSet<String>,
}

impl OperationMatches<'_> {
    /// Whether NEW has the path of an operation.
    pub fn keeps_path_of(&self, entry: &Entry) -> bool {
        self.new_templates.contains(&entry.template())
    }

    /// Whether OLD had the path of an operation.
    pub fn had_path_of(&self, entry: &Entry) -> bool {
        self.old_templates.contains(&entry.template())
    }
}

/// Matches operations by method and path, ignoring the names of path parameters.
pub fn match_operations<'a>(old: &'a Document, new: &'a Document) -> OperationMatches<'a> {
    let (old, new) = (entries(old), entries(new));
    let templates = |entries: &[Entry]| entries.iter().map(Entry::template).collect();
    let (old_templates, new_templates) = (templates(&old), templates(&new));
    let exact = |entry: &Entry| (entry.operation.method.clone(), entry.operation.path.clone());
    let loose = |entry: &Entry| (entry.operation.method.clone(), entry.template());
    let mut pairs = Vec::new();
    let (removed, added) = pair(old, new, exact, &mut pairs);
    let (removed, added) = pair(removed, added, loose, &mut pairs);
    OperationMatches { pairs, removed, added, old_templates, new_templates }
}

type Entries<'a> = Vec<Entry<'a>>;

/// Pairs the entries with the same key in their order; returns the others.
fn pair<'a>(
    old: Entries<'a>,
    new: Entries<'a>,
    key: impl Fn(&Entry) -> (String, String),
    pairs: &mut Vec<(Entry<'a>, Entry<'a>)>,
) -> (Entries<'a>, Entries<'a>) {
    let mut waiting: HashMap<_, std::collections::VecDeque<_>> = HashMap::new();
    for (index, entry) in old.iter().enumerate() {
        waiting.entry(key(entry)).or_default().push_back(index);
    }
    let mut old: Vec<Option<Entry>> = old.into_iter().map(Some).collect();
    let mut added = Vec::new();
    for entry in new {
        let index = waiting.get_mut(&key(&entry)).and_then(std::collections::VecDeque::pop_front);
        match index.and_then(|index| old.get_mut(index)).and_then(Option::take) {
            Some(was) => pairs.push((was, entry)),
            None => added.push(entry),
        }
    }
    (old.into_iter().flatten().collect(), added)
}

/// Reports an operation that is removed.
pub fn removed(entry: &Entry, path_is_there: bool, output: &mut OperationDifferences) {
    let (rule, text) = match (entry.is_deprecated(), entry.sunset()) {
        (true, Some(sunset)) => {
            let text = format!("{} is gone; it was deprecated, to go on {sunset}", entry.words());
            (&rules::DEPRECATED_OPERATION_REMOVED, text)
        }
        (true, None) => (&rules::DEPRECATED_OPERATION_REMOVED, format!("{} is gone; it was deprecated", entry.words())),
        (false, _) if path_is_there => (&rules::OPERATION_REMOVED, format!("{} is gone", entry.words())),
        (false, _) => (&rules::PATH_REMOVED, format!("{} is gone, with its path", entry.words())),
    };
    output.report_text(rule, "", (Some(name(entry)), None), text);
}

/// Reports an operation that is added.
pub fn added(entry: &Entry, path_was_there: bool, output: &mut OperationDifferences) {
    let rule = if path_was_there { &rules::OPERATION_ADDED } else { &rules::PATH_ADDED };
    output.report_text(rule, "", (None, Some(name(entry))), format!("{} is new", entry.words()));
}

fn name(entry: &Entry) -> Value {
    format!("{} {}", entry.operation.method, entry.operation.path).into()
}

/// Compares ids, tags and deprecation of an operation.
pub fn compare(old: &Entry, new: &Entry, output: &mut OperationDifferences) {
    let (was, is) = (&old.operation.operation, &new.operation.operation);
    let values = (was.clone().map(Value::from), is.clone().map(Value::from));
    match (was, is) {
        (Some(was), Some(is)) if was != is => {
            let text = format!("The `operationId` is `{is}`, no longer `{was}`");
            output.report_text(&rules::OPERATION_ID_CHANGED, "/operationId", values, text);
        }
        (Some(was), None) => {
            let text = format!("The `operationId` `{was}` is gone");
            output.report_text(&rules::OPERATION_ID_REMOVED, "/operationId", values, text);
        }
        (None, Some(is)) => {
            let text = format!("The `operationId` is now `{is}`");
            output.report_text(&rules::OPERATION_ID_ADDED, "/operationId", values, text);
        }
        _ => {}
    }
    deprecation(old, new, output);
    let (was, is) = (old.tags(), new.tags());
    if was != is {
        let listed = |tags: &BTreeSet<&str>| match tags.is_empty() {
            true => "none".to_owned(),
            false => tags.iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", "),
        };
        let text = format!("The tags are {}, no longer {}", listed(&is), listed(&was));
        let list = |tags: BTreeSet<&str>| Some(tags.into_iter().map(Value::from).collect());
        output.report_text(&rules::OPERATION_TAGS_CHANGED, "/tags", (list(was), list(is)), text);
    }
}

fn deprecation(old: &Entry, new: &Entry, output: &mut OperationDifferences) {
    let (was, is) = (old.is_deprecated(), new.is_deprecated());
    let values = (Some(was.into()), Some(is.into()));
    match (was, is) {
        (false, true) => {
            let text = format!("{} is deprecated", new.words());
            output.report_text(&rules::OPERATION_DEPRECATED, "/deprecated", values, text);
        }
        (true, false) => {
            let text = format!("{} is no longer deprecated", new.words());
            output.report_text(&rules::OPERATION_NO_LONGER_DEPRECATED, "/deprecated", values, text);
        }
        _ => {}
    }
    announced(announced::sunset, "x-sunset", old, new, output);
    announced(announced::stability, "x-stability-level", old, new, output);
}

/// Compares what an extension announces.
fn announced(compare: announced::Compare, key: &str, old: &Entry, new: &Entry, output: &mut OperationDifferences) {
    let (was, is) = (old.value.get(key), new.value.get(key));
    if let Some((announcement, text)) = compare(was, is) {
        let text = format!("{} {text}", new.words());
        output.report_text(announcement.of_operation(), &format!("/{key}"), (was.cloned(), is.cloned()), text);
    }
}
