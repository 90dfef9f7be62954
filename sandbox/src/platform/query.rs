//! The query grammar of the tabular and metrics servers: from a query string to the query that they send to PostgREST.
//!
//! The server parses a query that is decoded once (see [`wire`](super::wire)). It splits at `&`, `=`, the
//! last `__`, and within groups at commas, parentheses, dots and quotes. What it forwards is decoded again
//! and parsed by [`front`](super::front), so that characters that were encoded twice have no meaning here.

use super::wire::decode_first;

/// The releases of the server, which differ in their grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// 0.3.1, the last one on PyPI: no `or` groups, `columns` forwarded unchanged.
    V0_3_1,
    /// 0.4.1.
    #[default]
    V0_4_1,
}

/// Why a query is not forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The grammar does not have it: 400, with the server's words.
    Malformed(String),
    /// Aggregation that is not allowed: 403, with the server's words.
    Forbidden(String),
    /// The server fails: 500.
    Crash,
}

/// The permissions of a resource, by which the server checks a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permissions<'a> {
    pub(crate) release: Release,
    /// The name of the resource in the error, if it may not be aggregated.
    pub(crate) no_aggregation: Option<&'a str>,
    /// The columns that may be aggregated, if not all may.
    pub(crate) indexes: Option<&'a [String]>,
}

/// A range of the rows, from the parameters `page` and `page_size`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) limit: i128,
    pub(crate) offset: i128,
}

/// The query that the server sends to PostgREST for a query string.
pub(crate) fn forward(raw: &str, permissions: Permissions<'_>, window: Option<Window>) -> Result<String, Refusal> {
    let decoded = decode_first(raw);
    let mut reader = Reader { permissions, parts: Vec::new(), aggregates: Vec::new(), sorted: false };
    if !decoded.is_empty() {
        decoded.split('&').try_for_each(|argument| reader.read(argument))?;
    }
    reader.finish(window)
}

/// The arguments that a link to another page repeats: decoded once, those that start with `page` left out.
pub(crate) fn repeated_in_links(raw: &str) -> Vec<String> {
    let decoded = decode_first(raw);
    let arguments = if decoded.is_empty() { Vec::new() } else { decoded.split('&').collect() };
    arguments.into_iter().filter(|argument| !argument.starts_with("page")).map(str::to_owned).collect()
}

fn unreadable(argument: &str) -> Refusal {
    Refusal::Malformed(format!("argument '{argument}' could not be parsed"))
}

/// A filter, order or selection of columns as it is forwarded.
struct Sent {
    text: String,
    sorts: bool,
}

impl Sent {
    fn filter(text: String) -> Option<Self> {
        Some(Self { text, sorts: false })
    }
}

/// Whether a condition is a parameter or in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    Group,
}

struct Reader<'a> {
    permissions: Permissions<'a>,
    parts: Vec<String>,
    /// The aggregations by function, in the order in which the functions first occur.
    aggregates: Vec<(String, Vec<String>)>,
    sorted: bool,
}

impl Reader<'_> {
    fn read(&mut self, argument: &str) -> Result<(), Refusal> {
        if self.permissions.release != Release::V0_3_1 && argument.starts_with("or=(") {
            let group = self.group(argument, "or", true)?;
            self.parts.push(group);
            return Ok(());
        }
        match argument.split('=').collect::<Vec<_>>().as_slice() {
            [key, value] => {
                if let Some(sent) = self.condition(key, Some(value), Place::Alone)? {
                    self.sorted |= sent.sorts;
                    self.parts.push(sent.text);
                }
                Ok(())
            }
            [key] => self.read_bare(key),
            _ => Err(unreadable(argument)),
        }
    }

    /// A key without a value: a test for null, or an aggregation.
    fn read_bare(&mut self, key: &str) -> Result<(), Refusal> {
        // Only the second piece matters, whatever follows it.
        let second = key.split("__").nth(1).ok_or(Refusal::Crash)?;
        if matches!(second, "isnull" | "isnotnull") {
            let value = if self.permissions.release == Release::V0_3_1 { None } else { Some("") };
            self.parts.extend(self.condition(key, value, Place::Alone)?.map(|sent| sent.text));
            return Ok(());
        }
        let (column, function) = column_and_operator(key);
        if let Some(indexes) = self.permissions.indexes
            && !indexes.contains(&column)
        {
            let indexes = indexes.iter().map(|index| format!("'{index}'")).collect::<Vec<_>>().join(", ");
            return Err(Refusal::Forbidden(format!("{column} is not among the allowed columns: {{{indexes}}}")));
        }
        if !["avg", "count", "max", "min", "sum", "groupby"].contains(&function.as_str()) {
            return Err(unreadable(key));
        }
        match self.aggregates.iter_mut().find(|(name, _)| *name == function) {
            Some((_, columns)) => columns.push(column),
            None => self.aggregates.push((function, vec![column])),
        }
        Ok(())
    }

    /// A condition as it is forwarded; None for `page` and `page_size`. A value of None is the `None` of Python.
    fn condition(&self, key: &str, value: Option<&str>, place: Place) -> Result<Option<Sent>, Refusal> {
        let own = matches!(key, "page" | "page_size" | "columns");
        let out_of_place = || Err(Refusal::Malformed(format!("Argument `{key}` can't be set within an operator")));
        if own && place == Place::Group {
            return out_of_place();
        }
        let text = value.unwrap_or("None");
        if key == "columns" {
            return self.columns(text).map(Sent::filter);
        }
        if own {
            return Ok(None);
        }
        let unreadable = || unreadable(&format!("{key}={text}"));
        if !key.contains("__") {
            return Err(unreadable());
        }
        let (column, operator) = column_and_operator(key);
        let sent = match operator.as_str() {
            "sort" if place == Place::Group => return out_of_place(),
            "sort" => return Ok(Some(Sent { text: format!("order=\"{column}\".{text}"), sorts: true })),
            "isnull" => "is.null".to_owned(),
            "isnotnull" => "not.is.null".to_owned(),
            "exact" => format!("eq.{text}"),
            "differs" => format!("isdistinct.{text}"),
            "contains" => format!("ilike.*{text}*"),
            "notcontains" => format!("not.ilike.*{text}*"),
            "in" => format!("in.({text})"),
            "notin" => format!("not.in.({text})"),
            "less" => format!("lte.{text}"),
            "greater" => format!("gte.{text}"),
            "strictly_less" => format!("lt.{text}"),
            "strictly_greater" => format!("gt.{text}"),
            _ => return Err(unreadable()),
        };
        let between = if place == Place::Group { '.' } else { '=' };
        Ok(Sent::filter(format!("\"{column}\"{between}{sent}")))
    }

    fn columns(&self, names: &str) -> Result<String, Refusal> {
        if self.permissions.release == Release::V0_3_1 {
            return Ok(format!("select={names}"));
        }
        if names.contains('"') {
            return Err(Refusal::Malformed("Forbidden character `\"` in a column name".to_owned()));
        }
        let quoted: Vec<String> = names.split(',').map(|name| format!("\"{name}\"")).collect();
        Ok(format!("select={}", quoted.join(",")))
    }

    /// `or=(...)` at the top, `or(...)` and `and(...)` within.
    fn group(&self, text: &str, operator: &str, top: bool) -> Result<String, Refusal> {
        let equals = if top { "=" } else { "" };
        let inner = text.strip_suffix(')').ok_or_else(|| unreadable(text))?;
        let inner = inner.strip_prefix(operator).and_then(|inner| inner.strip_prefix(equals));
        let inner = inner.and_then(|inner| inner.strip_prefix('(')).ok_or(Refusal::Crash)?;
        // The pattern of the server does not match a line end, and the server fails if it does not match.
        if inner.contains('\n') {
            return Err(Refusal::Crash);
        }
        let mut parts = Vec::new();
        for part in split_outside_parentheses(inner) {
            let nested = ["and", "or"]
                .into_iter()
                .find(|name| part.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')));
            parts.push(match nested {
                Some(operator) => self.group(part, operator, false)?,
                None => self.member(part)?,
            });
        }
        Ok(format!("{operator}{equals}({})", parts.join(",")))
    }

    /// A condition of a group: `column__operator.value`, either side of the dot in quotes or not.
    fn member(&self, text: &str) -> Result<String, Refusal> {
        if text.ends_with("__isnull") || text.ends_with("__isnotnull") {
            let key = text.replace('"', "");
            return Ok(self.condition(&key, Some(""), Place::Group)?.map(|sent| sent.text).unwrap_or_default());
        }
        let quotes = text.matches('"').count();
        let (key, value) = match quotes {
            0 => match text.split('.').collect::<Vec<_>>().as_slice() {
                [key, value] => ((*key).to_owned(), *value),
                _ => return Err(unreadable(text)),
            },
            2 => match quoted_column(text) {
                Some(key) => (key, text.rsplit('.').next().unwrap_or_default()),
                None => {
                    let value = quoted_value(text).ok_or(Refusal::Crash)?;
                    (text.split('.').next().unwrap_or_default().to_owned(), value)
                }
            },
            4 => quoted_column(text).zip(quoted_value(text)).ok_or_else(|| unreadable(text))?,
            _ => return Err(unreadable(text)),
        };
        Ok(self.condition(&key, Some(value), Place::Group)?.map(|sent| sent.text).unwrap_or_default())
    }

    fn finish(mut self, window: Option<Window>) -> Result<String, Refusal> {
        if !self.aggregates.is_empty() {
            if let Some(resource) = self.permissions.no_aggregation {
                let functions: Vec<&str> = self.aggregates.iter().map(|(function, _)| function.as_str()).collect();
                return Err(Refusal::Forbidden(format!(
                    "Aggregation parameters `{}` are not allowed for resource '{resource}'",
                    functions.join("`, `")
                )));
            }
            let results = self.aggregates.iter().flat_map(|(function, columns)| {
                columns.iter().map(move |column| match function.as_str() {
                    "groupby" => format!("\"{column}\""),
                    function => format!("\"{column}__{function}\":\"{column}\".{function}()"),
                })
            });
            self.parts.push(format!("select={}", results.collect::<Vec<_>>().join(",")));
        }
        if let Some(window) = window {
            if window.limit != 0 {
                self.parts.push(format!("limit={}", window.limit));
            }
            if window.offset >= 1 {
                self.parts.push(format!("offset={}", window.offset));
            }
        }
        if !self.sorted && self.aggregates.is_empty() {
            self.parts.push("order=__id.asc".to_owned());
        }
        let query = self.parts.join("&");
        if query.matches("select=").count() > 1 {
            let words = "the argument `columns` cannot be set alongside aggregators";
            return Err(Refusal::Malformed(words.to_owned()));
        }
        Ok(query)
    }
}

/// The column, its quotes escaped, and the operator in lower case. Of `___` the first two are the separator.
fn column_and_operator(key: &str) -> (String, String) {
    let operator = key.split("__").last().unwrap_or_default();
    let column = key.strip_suffix(operator).and_then(|rest| rest.strip_suffix("__")).unwrap_or_default();
    (column.replace('"', "\\\""), operator.to_lowercase())
}

/// Splits at the commas outside of parentheses; an empty part after the last comma is left out.
fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_i32);
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

/// The column and operator of `"column"__operator...`, without the quotes.
fn quoted_column(text: &str) -> Option<String> {
    let (column, rest) = text.strip_prefix('"')?.split_once('"')?;
    let rest = rest.strip_prefix("__")?;
    let length = rest.find(|char: char| !char.is_ascii_lowercase()).unwrap_or(rest.len());
    (length > 0).then(|| format!("{column}__{}", &rest[..length]))
}

/// The value of `..."value"` with its quotes, at the end of the text and after a dot.
fn quoted_value(text: &str) -> Option<&str> {
    let start = text.strip_suffix('"')?.rfind('"')?;
    text[..start].ends_with('.').then(|| &text[start..])
}
