//! Random queries through the client, against a direct evaluation over the rows of the table.
//!
//! The tables are those of `tests/truth`. They are served by the sandbox, or by the real server whose address
//! `DATAGOUV_DIFFERENTIAL` gives, where `cargo xtask server start` has loaded them. `DATAGOUV_DIFFERENTIAL_CASES` sets the
//! number of queries of each.

#[path = "../arrow/cells.rs"]
mod cells;
mod expression;
mod table;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Mutex;

use datagouv::rows::{Order, Row, Rows, col, count};
use datagouv::{Api, Client, Limits};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::NewTable;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value};

use expression::{Expression, expression};
use table::Table;

#[derive(Clone, Debug)]
struct Sort {
    column: usize,
    descending: bool,
    nulls_first: Option<bool>,
}

/// How the rows are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Method {
    Collect,
    Pages,
    Count,
    /// Groups of the values of the first columns, with the number of values of the last.
    Groups,
}

#[derive(Clone, Debug)]
struct Query {
    expression: Expression,
    sorts: Vec<Sort>,
    select: Vec<usize>,
    limit: Option<u64>,
    method: Method,
}

fn query(table: &'static Table, with_groups: bool) -> impl Strategy<Value = Query> {
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    let sortable = columns.iter().copied().filter(|index| !table.columns[*index].is_json()).collect::<Vec<_>>();
    let groupable = columns.iter().copied().filter(|index| table.columns[*index].is_text()).collect::<Vec<_>>();
    let sort = (select(sortable), any::<bool>(), any::<Option<bool>>())
        .prop_map(|(column, descending, nulls_first)| Sort { column, descending, nulls_first });
    let sorts = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(sort, 1..3)];
    // Up to version 0.3.1, which has no groups either, selected names are sent to the database without quotes.
    let select_some = if with_groups {
        prop_oneof![2 => Just(Vec::new()), 1 => subsequence(columns, 1..4).prop_shuffle()].boxed()
    } else {
        Just(Vec::new()).boxed()
    };
    let limit = prop_oneof![3 => Just(None), 1 => (0..60_u64).prop_map(Some)];
    let groups = subsequence(groupable, 1..4).prop_shuffle();
    let method = prop_oneof![
        2 => Just((Method::Collect, None)),
        1 => Just((Method::Pages, None)),
        1 => Just((Method::Count, None)),
        1 => groups.prop_map(|columns| (Method::Groups, Some(columns))),
    ];
    (expression(table, with_groups), sorts, select_some, limit, method).prop_map(
        |(expression, sorts, select, limit, (method, groups))| {
            let sorts = if groups.is_some() { Vec::new() } else { sorts };
            Query { expression, sorts, select: groups.unwrap_or(select), limit, method }
        },
    )
}

impl Query {
    fn rows(&self, table: &Table, rows: Rows<Row>) -> Rows<Row> {
        let name = |column: usize| table.columns[column].name.clone();
        let mut rows = rows.filter(self.expression.condition(table));
        for sort in &self.sorts {
            let order: Order =
                if sort.descending { col(name(sort.column)).desc() } else { col(name(sort.column)).asc() };
            rows = rows.sort(match sort.nulls_first {
                None => order,
                Some(true) => order.nulls_first(),
                Some(false) => order.nulls_last(),
            });
        }
        if self.method == Method::Groups {
            let (last, groups) = self.select.split_last().unwrap();
            rows = rows.group_by(groups.iter().map(|column| name(*column))).aggregate([count(name(*last))]);
        } else if !self.select.is_empty() {
            rows = rows.select(self.select.iter().map(|column| name(*column)));
        }
        match self.limit {
            Some(limit) => rows.limit(limit),
            None => rows,
        }
    }

    /// The expected rows.
    fn expected(&self, table: &Table) -> Vec<Map<String, Value>> {
        let holds = |row: &usize| self.expression.holds(table, *row) == Some(true);
        let mut rows: Vec<usize> = (0..table.rows.len()).filter(holds).collect();
        if self.method == Method::Groups {
            return self.groups(table, &rows);
        }
        rows.sort_by(|left, right| {
            self.sorts
                .iter()
                .fold(Ordering::Equal, |order, sort| order.then_with(|| sort.compare(table, *left, *right)))
        });
        if self.method != Method::Count {
            rows.truncate(usize::try_from(self.limit.unwrap_or(u64::MAX)).unwrap());
        }
        let selected = |row: &Map<String, Value>| match self.select.as_slice() {
            [] => row.clone(),
            columns => {
                let name = |column: &usize| table.columns[*column].name.clone();
                columns.iter().map(|column| (name(column), row[&name(column)].clone())).collect()
            }
        };
        rows.into_iter().map(|row| selected(&table.rows[row])).collect()
    }
}

impl Query {
    fn groups(&self, table: &Table, rows: &[usize]) -> Vec<Map<String, Value>> {
        let name = |column: usize| table.columns[column].name.as_str();
        let (counted, by) = self.select.split_last().unwrap();
        // Null is greater than all else.
        let key = |row: usize| -> Vec<(bool, Option<&str>)> {
            by.iter().map(|column| table.text(row, *column)).map(|text| (text.is_none(), text)).collect()
        };
        let mut groups: BTreeMap<Vec<(bool, Option<&str>)>, u64> = BTreeMap::new();
        if by.is_empty() {
            groups.insert(Vec::new(), 0);
        }
        for row in rows {
            *groups.entry(key(*row)).or_default() += u64::from(table.text(*row, *counted).is_some());
        }
        let limit = usize::try_from(self.limit.unwrap_or(u64::MAX)).unwrap();
        let row = |(key, count): (Vec<(bool, Option<&str>)>, u64)| {
            let values = by.iter().zip(key).map(|(column, (_, text))| (name(*column).to_owned(), Value::from(text)));
            values.chain([(format!("{}__count", name(*counted)), count.into())]).collect()
        };
        groups.into_iter().take(limit).map(row).collect()
    }
}

impl Sort {
    fn compare(&self, table: &Table, left: usize, right: usize) -> Ordering {
        let nulls_first = self.nulls_first.unwrap_or(self.descending);
        match (table.text(left, self.column), table.text(right, self.column)) {
            (None, None) => Ordering::Equal,
            (None, _) => {
                if nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, None) => {
                if nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(left), Some(right)) => {
                let order = table.columns[self.column].compare(left, right);
                if self.descending { order.reverse() } else { order }
            }
        }
    }
}

async fn read(query: &Query, rows: Rows<Row>) -> datagouv::Result<Result<Vec<Row>, u64>> {
    if query.method != Method::Count {
        // Times with a zone do not fit into a column whose profile has none.
        cells::compare_with_nulls(rows.clone()).await?;
    }
    Ok(match query.method {
        Method::Count => Err(rows.count().await?),
        Method::Collect | Method::Groups => Ok(rows.collect(usize::MAX).await?),
        Method::Pages => {
            let mut pages = rows.pages();
            let mut read = Vec::new();
            while let Some(page) = pages.next().await {
                read.extend(page?.rows);
            }
            Ok(read)
        }
    })
}

/// The server to compare with.
struct Server {
    client: Client,
    resource: String,
    /// Whether it reads groups (`or=(…)`): not up to version 0.3.1.
    has_groups: bool,
    _sandbox: Option<Sandbox>,
}

impl Server {
    async fn start(document: &str, id: &str) -> Self {
        let client = |url: &str| Client::builder().base_url(Api::Tabular, url).limits(Limits::none()).build().unwrap();
        if let Ok(url) = std::env::var("DATAGOUV_DIFFERENTIAL") {
            let client = client(&url);
            let health = client.tabular().get_health().call().json::<Value>().send().await.unwrap();
            let has_groups = health.get("uptime_since").is_some();
            return Self { client, resource: id.to_owned(), has_groups, _sandbox: None };
        }
        let table = NewTable::from_json(&serde_json::from_str(document).unwrap()).unwrap();
        let table = NewTable { aggregates: true, ..table };
        let (sandbox, resource) = Sandbox::start_with_table(table).await;
        let client = client(&sandbox.url(Api::Tabular));
        Self { client, resource, has_groups: true, _sandbox: Some(sandbox) }
    }
}

fn compare(document: &str, id: &str) {
    let table: &'static Table = Box::leak(Box::new(Table::read(document)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(document, id));
    let cases = std::env::var("DATAGOUV_DIFFERENTIAL_CASES").map_or(400, |cases| cases.parse().unwrap());
    let outcomes: Mutex<BTreeMap<String, u32>> = Mutex::default();
    let count = |outcome: String| *outcomes.lock().unwrap().entry(outcome).or_default() += 1;
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let result = TestRunner::new(config).run(&query(table, server.has_groups), |query| {
        let rows = query.rows(table, server.client.resource(&server.resource).rows::<Row>());
        let expected = query.expected(table);
        match runtime.block_on(read(&query, rows)) {
            Ok(Err(counted)) => prop_assert_eq!(counted, expected.len() as u64),
            Ok(Ok(rows)) => {
                let rows: Vec<Map<String, Value>> = rows.into_iter().map(|row| row.into_iter().collect()).collect();
                prop_assert_eq!(rows, expected);
            }
            Err(error) => {
                prop_assert!(error.is_request() && query.expression.may_be_refused(), "{}", error);
                let text = error.to_string();
                let reason = ["counting the rows", "reading pages", "grouping the rows", "cannot be sent"]
                    .into_iter()
                    .find(|reason| text.contains(reason));
                count(format!("refused: {}", reason.unwrap_or(&text)));
                return Ok(());
            }
        }
        count("right".to_owned());
        Ok(())
    });
    println!("{:#?}", outcomes.lock().unwrap());
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn random_queries_return_the_rows_of_sql() {
    compare(include_str!("../truth/table.json"), "aaaaaaaa-0000-4000-8000-000000000001");
}

/// Names and values with each ASCII character that is not a letter or digit, and words of the grammar.
#[test]
fn names_and_values_are_escaped() {
    compare(include_str!("../truth/special.json"), "aaaaaaaa-0000-4000-8000-000000000004");
}
