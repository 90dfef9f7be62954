//! The responses of the tabular and metrics servers: a page of rows, an export, and errors.

use serde_json::{Map, Value, json};

use super::database_error::DatabaseError;
use super::expression::{Database, Ties};
use super::query::{Permissions, Refusal, Release, Window, forward, repeated_in_links};
use super::select::{Outcome, Rows};
use super::statement::Statement;
use super::table::Table;
use super::value::{Datum, Writer, json_text};
use super::wire::{parameter, whole_number};
use crate::response::Reply;

/// How a table is served: the differences between the two servers.
#[derive(Debug, Clone)]
pub(crate) struct Source<'a> {
    /// The table's name in the database.
    pub(crate) relation: &'a str,
    /// The URL of its rows.
    pub(crate) url: String,
    /// Further links of a page.
    pub(crate) links: Map<String, Value>,
    /// Whether `meta.total` stays when a query aggregates.
    pub(crate) total_of_aggregates: bool,
    pub(crate) settings: TabularSettings,
}

/// How the tabular and metrics servers are set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TabularSettings {
    /// The most rows of a page; the default of the server is 50.
    pub page_size_max: i64,
    /// The most rows of an export.
    pub export_max: usize,
    /// The longest path and query of a request, in bytes; a longer one gets a 400 without a JSON body.
    pub target_max: usize,
    /// The release of the server.
    pub release: Release,
    /// The order of rows that a query sorts as equal.
    pub ties: Ties,
}

impl Default for TabularSettings {
    fn default() -> Self {
        Self {
            page_size_max: 50,
            export_max: 50_000,
            target_max: 8_190,
            release: Release::default(),
            ties: Ties::default(),
        }
    }
}

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Json,
}

/// An error response of both servers.
pub(crate) fn refusal(status: u16, title: &str, detail: impl Into<Value>) -> Reply {
    let error = json!({"code": null, "title": title, "detail": detail.into()});
    Reply::json(status, &json!({"errors": [error]}))
}

/// An error of the database behind the servers.
pub(crate) fn database_error(error: &DatabaseError) -> Reply {
    refusal(error.status, "Database error", error.body())
}

fn crash() -> Reply {
    let text = "500 Internal Server Error\n\nServer got itself in trouble";
    Reply::new(500, "text/plain; charset=utf-8", text)
}

fn refused(refusal_of_query: Refusal) -> Reply {
    match refusal_of_query {
        Refusal::Malformed(words) => refusal(400, "Invalid query string", format!("Malformed query: {words}")),
        Refusal::Forbidden(words) => refusal(403, "Unauthorized parameters", words),
        Refusal::Crash => crash(),
    }
}

/// Checks what the HTTP layer checks before the handler: the length of the target, and that it is ASCII.
pub(crate) fn check_target(path: &str, raw: &str, settings: TabularSettings) -> Result<(), Reply> {
    let most = settings.target_max;
    let words = if path.len() + usize::from(!raw.is_empty()) + raw.len() > most {
        format!("Got more than {most} bytes when reading")
    } else if raw.is_ascii() {
        return Ok(());
    } else {
        "Invalid char in url query".to_owned()
    };
    Err(Reply::new(400, "text/plain; charset=utf-8", words))
}

/// The page of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    number: i128,
    size: i128,
}

impl Page {
    /// Reads `page` and `page_size`; the server responds with 500 if one is not a number.
    pub(crate) fn read(raw: &str, settings: TabularSettings) -> Result<Self, Reply> {
        let number = |name: &str, default: i128| match parameter(raw, name) {
            Some(text) => whole_number(&text).ok_or_else(crash),
            None => Ok(default),
        };
        let page = Self { number: number("page", 1)?, size: number("page_size", 20)? };
        let most = settings.page_size_max;
        if page.size > i128::from(most) {
            return Err(refusal(400, "Invalid query string", format!("Page size exceeds allowed maximum: {most}")));
        }
        Ok(page)
    }

    pub(crate) fn window(self) -> Window {
        let before = if self.number > 1 { self.size.saturating_mul(self.number - 1) } else { 0 };
        Window { limit: self.size, offset: before }
    }
}

/// The query for PostgREST, if it is in the server's grammar.
pub(crate) fn understand(raw: &str, permissions: Permissions<'_>, page: Option<Page>) -> Result<String, Reply> {
    let raw = raw.split('#').next().unwrap_or_default();
    forward(raw, permissions, page.map(Page::window)).map_err(refused)
}

fn run(table: &Table, source: &Source<'_>, sent: &str) -> Result<Outcome, DatabaseError> {
    let database = Database { table, relation: source.relation, ties: source.settings.ties };
    database.run(&Statement::read(sent)?)
}

/// A page of rows.
pub(crate) fn page(table: &Table, source: &Source<'_>, raw: &str, sent: &str, page: Page) -> Result<Reply, Reply> {
    let outcome = run(table, source, sent).map_err(|error| database_error(&error))?;
    let aggregates = ["count", "max", "min", "sum", "avg"].iter().any(|name| sent.contains(&format!(".{name}()")));
    let total = Some(outcome.total).filter(|_| !aggregates || source.total_of_aggregates);
    let Window { limit: size, offset } = page.window();
    let more = match total {
        Some(total) => size.saturating_add(offset) < total as i128,
        None => outcome.len() as i128 >= size,
    };
    let repeated = repeated_in_links(raw.split('#').next().unwrap_or_default());
    let link = |number: i128| {
        let own = [format!("page={number}"), format!("page_size={size}")];
        json!(format!("{}?{}", source.url, repeated.iter().cloned().chain(own).collect::<Vec<_>>().join("&")))
    };
    let mut links = source.links.clone();
    links.insert("next".to_owned(), if more { link(page.number + 1) } else { Value::Null });
    links.insert("prev".to_owned(), if page.number > 1 { link(page.number - 1) } else { Value::Null });
    let total = total.map(|total| format!(", \"total\": {total}")).unwrap_or_default();
    let body = format!(
        "{{\"data\": {}, \"links\": {}, \"meta\": {{\"page\": {}, \"page_size\": {size}{total}}}}}",
        json_of(&outcome, table, Writer::Server),
        Value::Object(links),
        page.number
    );
    Ok(Reply::new(200, "application/json", body))
}

/// The indexes of the rows that the filters of a query string match.
pub(crate) fn matching(table: &Table, raw: &str) -> Result<Vec<usize>, Reply> {
    let permissions = Permissions { release: Release::default(), no_aggregation: Some("table"), indexes: None };
    let sent = understand(raw, permissions, None)?;
    let settings = TabularSettings { ties: Ties::ByRow, ..TabularSettings::default() };
    let source =
        Source { relation: "table", url: String::new(), links: Map::new(), total_of_aggregates: false, settings };
    let outcome = run(table, &source, &sent).map_err(|error| database_error(&error))?;
    match outcome.rows {
        Rows::Own { rows, .. } => Ok(rows),
        Rows::Made(_) => Ok(Vec::new()),
    }
}

/// All rows that match; page and page size are ignored. An error of the database has no detail here.
pub(crate) fn export(table: &Table, source: &Source<'_>, sent: &str, format: Format) -> Result<Reply, Reply> {
    let most = source.settings.export_max;
    let outcome = run(table, source, &format!("{sent}&limit={most}"))
        .map_err(|error| refusal(error.status, "Database error", Value::Null))?;
    if outcome.total > most {
        let words =
            format!("The output has more than {most} rows, please consider downloading the source file directly");
        return Err(refusal(403, "Output is too long", words));
    }
    Ok(match format {
        Format::Csv => Reply::new(200, "text/csv", csv_of(&outcome, table)),
        Format::Json => Reply::new(200, "application/json", json_of(&outcome, table, Writer::Database) + "\n"),
    })
}

/// Calls a function with the values of each row.
fn each_row(outcome: &Outcome, table: &Table, mut row: impl FnMut(&[&Datum])) {
    match &outcome.rows {
        Rows::Own { rows, columns } => {
            for index in rows {
                let values: Vec<_> = columns.iter().map(|column| column.value(table, *index)).collect();
                row(&values.iter().map(AsRef::as_ref).collect::<Vec<_>>());
            }
        }
        Rows::Made(rows) => rows.iter().for_each(|values| row(&values.iter().collect::<Vec<_>>())),
    }
}

/// Rows as a JSON array. Of two columns with the same name, the server keeps the second value, at the place of the first.
fn json_of(outcome: &Outcome, table: &Table, writer: Writer) -> String {
    let mut shown: Vec<(usize, String)> = Vec::new();
    for (index, name) in outcome.names.iter().enumerate() {
        let name = json_text(name);
        match shown.iter_mut().find(|(_, other)| writer == Writer::Server && *other == name) {
            Some((place, _)) => *place = index,
            None => shown.push((index, name)),
        }
    }
    let mut text = String::from("[");
    each_row(outcome, table, |values| {
        text.push_str(if text.len() == 1 { "{" } else { ", \n {" });
        for (column, (index, name)) in shown.iter().enumerate() {
            if column > 0 {
                text.push(',');
            }
            text.push_str(name);
            text.push(':');
            text.push_str(&values.get(*index).map_or_else(|| "null".to_owned(), |value| value.json(writer)));
        }
        text.push('}');
    });
    text.push(']');
    text
}

/// Rows as CSV: null is empty, the empty text is `""`; without rows there is no header.
fn csv_of(outcome: &Outcome, table: &Table) -> String {
    if outcome.len() == 0 {
        return "\n\n".to_owned();
    }
    let mut text = outcome.names.join(",") + "\n";
    each_row(outcome, table, |values| {
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            if !value.is_null() {
                text.push_str(&quoted(&value.text()));
            }
        }
        text.push('\n');
    });
    text
}

/// Quotes and backslashes are doubled within quotes.
fn quoted(text: &str) -> String {
    let special = |char: char| "(),\"\\\u{b}".contains(char) || char.is_ascii_whitespace();
    if !text.is_empty() && !text.contains(special) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::table::Column;
    use crate::platform::value::Kind;

    #[test]
    fn an_export_distinguishes_null_from_the_empty_text() {
        let kinds = [Kind::String, Kind::String, Kind::String, Kind::Bool, Kind::Float, Kind::String];
        let names = ["a", "b,b", "c", "d", "e", "f"];
        let columns = names.into_iter().zip(kinds).map(|(name, kind)| Column { name: name.to_owned(), kind });
        let text = |text: &str| Datum::Text(text.to_owned());
        let row = vec![Datum::Null, text(""), text("x,\"y\""), Datum::Bool(true), Datum::Float(1.5), text("c:\\d")];
        let table = Table { columns: columns.collect(), rows: vec![row], ..Table::default() };
        let source = Source {
            relation: "table",
            url: String::new(),
            links: Map::new(),
            total_of_aggregates: false,
            settings: TabularSettings::default(),
        };
        let body = |sent: &str, format: Format| {
            let reply = export(&table, &source, sent, format).expect("an export");
            String::from_utf8_lossy(&reply.body).into_owned()
        };
        assert_eq!(
            body("order=__id.asc", Format::Csv),
            "__id,a,b,b,c,d,e,f\n1,,\"\",\"x,\"\"y\"\"\",t,1.5,\"c:\\\\d\"\n"
        );
        assert_eq!(body("select=a,\"b,b\"", Format::Json), "[{\"a\":null,\"b,b\":\"\"}]\n");
        assert_eq!(body("a=not.is.null", Format::Csv), "\n\n");
    }
}
