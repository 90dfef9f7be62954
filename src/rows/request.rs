//! The request of a query, and its query strings.

use std::num::NonZeroUsize;

use super::encoding::Query;
use super::escape;
use super::expression::{Condition, Node, Operator};
use super::extent::Extent;
use super::order::{Aggregate, Order};
use super::plan::Reading;
use super::post_filter::PostFilter;
use super::row::ROW_NUMBER;
use super::source::MOST_EXPORTED;
use crate::{Error, Result};

/// A query, whatever type its rows are decoded into.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub filter: Option<Condition>,
    pub orders: Vec<Order>,
    pub select: Vec<String>,
    pub group_by: Vec<String>,
    pub aggregates: Vec<Aggregate>,
    pub limit: Option<u64>,
    /// The range of row numbers.
    pub numbers: Option<(i64, i64)>,
    /// The number of rows and the last number, if requested already.
    pub extent: Option<Extent>,
    /// The chunks of an export that is read instead of those of the server.
    #[cfg(feature = "_internals")]
    pub export: Option<std::sync::Arc<[bytes::Bytes]>>,
    pub concurrency: NonZeroUsize,
    pub checked: bool,
    /// Whether the row numbers are needed, though they may not be selected.
    pub needs_number: bool,
    /// Whether the row numbers are hidden from the rows.
    pub hides_number: bool,
}

/// The servers refuse a request line of more than 8,190 bytes; the rest is for the method, the path, and the bounds of
/// windows.
const LONGEST_QUERY: usize = 7_900;

/// The maximum number of parts of a query.
const MOST_PARTS: usize = 32;

impl Default for Request {
    fn default() -> Self {
        Self {
            filter: None,
            orders: Vec::new(),
            select: Vec::new(),
            group_by: Vec::new(),
            aggregates: Vec::new(),
            limit: None,
            numbers: None,
            extent: None,
            #[cfg(feature = "_internals")]
            export: None,
            concurrency: NonZeroUsize::MIN.saturating_add(3),
            checked: false,
            needs_number: false,
            hides_number: false,
        }
    }
}

impl Request {
    pub(super) fn aggregates(&self) -> bool {
        !self.aggregates.is_empty() || !self.group_by.is_empty()
    }

    /// Whether the last rows come first; `None` if the order is not that of the row numbers.
    pub(super) fn descending(&self) -> Option<bool> {
        match self.orders.first() {
            None => Some(false),
            Some(order) => (order.column == ROW_NUMBER).then_some(order.descending),
        }
    }

    /// Whether windows are requested before it is known that they are needed.
    pub(super) fn reads_ahead(&self) -> bool {
        self.limit.is_none_or(|limit| limit >= MOST_EXPORTED)
    }

    /// How a query without a limit is read.
    pub(super) fn reading(&self) -> Reading {
        if self.aggregates() {
            return Reading::Pages {
                reason: "the rows of a query that groups or aggregates have no numbers".to_owned(),
            };
        }
        match self.orders.first() {
            Some(order) if self.descending().is_none() => {
                Reading::Export { reason: format!("the rows are sorted by `{}`", order.column) }
            }
            _ => Reading::Windows,
        }
    }

    /// The query of the filter alone, and the condition that the client has to check on the rows.
    pub(super) fn filtered(&self) -> Result<(Query, Option<PostFilter>)> {
        let mut query = Query::default();
        let post_filter = match &self.filter {
            Some(filter) => query.filter(filter)?,
            None => None,
        };
        if let Some((first, last)) = self.numbers {
            query.numbers(first, last);
        }
        Ok((query, post_filter))
    }

    /// The query of the filter alone; an error unless the server returns exactly the rows that match.
    pub(super) fn exactly_filtered(&self, purpose: &str) -> Result<Query> {
        match self.filtered()? {
            (query, None) => Ok(query),
            (_, Some(_)) => Err(Error::request(format!(
                "{purpose} is not possible with this condition, which the client has to check on the rows: the server \
                 cannot search for `*`, a comma or `)` within `or`, and compares no pattern with an end; stream the rows"
            ))),
        }
    }

    /// The orders, followed by those that make them total: the server returns equal rows in any order,
    /// which may differ from page to page. If not every row has a number, `keys` identify a row.
    pub(super) fn unique_orders(&self, keys: &[String]) -> Vec<Order> {
        let mut orders = self.orders.clone();
        let number = [ROW_NUMBER.to_owned()];
        let ties = if self.aggregates() { self.group_by.iter().chain(&[]) } else { number.iter().chain(keys) };
        for column in ties {
            let by_number = orders.iter().any(|order| order.column == ROW_NUMBER);
            if (by_number && keys.is_empty()) || orders.iter().any(|order| order.column == *column) {
                continue;
            }
            orders.push(Order { column: column.clone(), descending: false, nulls_first: None });
        }
        orders
    }

    /// Adds to the query of a filter what pages need, except their numbers.
    pub(super) fn paged(&self, mut query: Query, post_filter: Option<&PostFilter>, keys: &[String]) -> Result<Query> {
        self.ensure_consistent()?;
        // The server's own order is that of the row numbers.
        if self.aggregates() || !self.orders.is_empty() || !keys.is_empty() {
            query.sort(&self.unique_orders(keys))?;
        }
        let columns = self.columns(&self.read_columns(post_filter));
        if !columns.is_empty() {
            query.columns(&columns)?;
        }
        self.group_by.iter().try_for_each(|column| query.aggregate(column, "groupby"))?;
        self.aggregates.iter().try_for_each(|aggregate| query.aggregate(&aggregate.column, aggregate.operator))?;
        Ok(query)
    }

    /// Refuses a query to which the server would respond with an error, or not at all.
    fn ensure_consistent(&self) -> Result<()> {
        if self.aggregates() && !self.select.is_empty() {
            return Err(Error::request(
                "a query that groups or aggregates has the columns that these give: select none",
            ));
        }
        if let Some(name) = self.group_by.first().filter(|_| self.aggregates.is_empty()) {
            return Err(Error::request(format!("the server does not group by `{name}` alone: aggregate a column too")));
        }
        let unknown = |order: &&Order| self.aggregates() && !self.group_by.contains(&order.column);
        match self.orders.iter().find(unknown) {
            Some(order) => Err(Error::request(format!(
                "groups are sorted by a column that they are grouped by, and `{}` is none",
                order.column
            ))),
            None => Ok(()),
        }
    }

    /// The columns to request: those that are selected, and those that are needed in addition. None means all.
    pub(super) fn columns(&self, needed: &[String]) -> Vec<String> {
        if self.select.is_empty() {
            return Vec::new();
        }
        let mut columns = self.select.clone();
        for name in needed {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        columns
    }

    /// The columns of an export.
    pub(super) fn export_columns(&self, post_filter: Option<&PostFilter>) -> Vec<String> {
        let mut needed = self.read_columns(post_filter);
        // To resume after an interruption.
        needed.push(ROW_NUMBER.to_owned());
        self.columns(&needed)
    }

    /// The columns that the client itself reads.
    fn read_columns(&self, post_filter: Option<&PostFilter>) -> Vec<String> {
        let mut columns: Vec<String> =
            post_filter.into_iter().flat_map(PostFilter::columns).map(str::to_owned).collect();
        if self.needs_number {
            columns.push(ROW_NUMBER.to_owned());
        }
        columns
    }

    /// Whether a column that is received is hidden from the rows.
    pub(super) fn hides(&self, name: &str) -> bool {
        if self.hides_number && name == ROW_NUMBER {
            return true;
        }
        !self.select.is_empty() && !self.select.iter().any(|selected| selected == name)
    }

    /// The query of an export; `window` bounds the row numbers.
    pub(super) fn exported(&self, window: impl FnOnce(&mut Query)) -> Result<Query> {
        let (mut query, post_filter) = self.filtered()?;
        window(&mut query);
        query.sort(&self.unique_orders(&[]))?;
        let columns = self.export_columns(post_filter.as_ref());
        if !columns.is_empty() {
            query.columns(&columns)?;
        }
        Ok(query)
    }

    /// Splits a query into queries that are short enough to be sent and return the same rows together, each row once.
    ///
    /// # Errors
    ///
    /// If there is no list of values to divide, or it is too long for that as well.
    pub(super) fn parts(&self) -> Result<Vec<Self>> {
        let length = |request: &Self| -> Result<usize> {
            let query = if request.aggregates() {
                let (query, post_filter) = request.filtered()?;
                request.paged(query, post_filter.as_ref(), &[])?
            } else {
                request.exported(|query| query.window(Some(i64::MIN), i64::MIN))?
            };
            Ok(query.as_str().len())
        };
        let whole = length(self)?;
        if whole <= LONGEST_QUERY {
            return Ok(vec![self.clone()]);
        }
        let too_long = |advice: &str| {
            Error::request(format!(
                "the query takes {whole} bytes, and the servers accept about {LONGEST_QUERY}: {advice}"
            ))
        };
        if self.aggregates() {
            return Err(too_long("groups of several queries cannot be merged; ask with fewer values"));
        }
        if self.descending().is_none() {
            return Err(too_long(
                "rows of several queries are merged by their numbers alone, so that they cannot be sorted by another column; \
                 ask with fewer values",
            ));
        }
        let Some((index, operands)) = self.longest_list() else {
            return Err(too_long("ask with fewer or shorter values"));
        };
        let with = |operands: &[String]| -> Self {
            let mut request = self.clone();
            request.extent = None;
            request.needs_number = true;
            if let Some(list) = request.filter.as_mut().and_then(|filter| list_mut(&mut filter.0, index)) {
                *list = operands.to_vec();
            }
            request
        };
        let [first, second, ..] = operands.as_slice() else {
            return Err(too_long("ask with fewer or shorter values"));
        };
        // Including the comma after it.
        let size = |operand: &str| -> Result<usize> { Ok(escape::item(operand)?.len() + 1) };
        let without_values =
            length(&with(&[first.clone(), second.clone()]))?.saturating_sub(size(first)?).saturating_sub(size(second)?);
        let mut parts: Vec<Vec<String>> = Vec::new();
        let mut part_length = 0;
        for operand in operands {
            let size = size(&operand)?;
            match parts.last_mut() {
                Some(part) if part_length + size <= LONGEST_QUERY => part.push(operand),
                _ => {
                    part_length = without_values;
                    parts.push(vec![operand]);
                }
            }
            part_length += size;
            if part_length > LONGEST_QUERY || parts.len() > MOST_PARTS {
                return Err(too_long(&format!("even in {MOST_PARTS} parts it is too long; ask with fewer values")));
            }
        }
        Ok(parts.iter().map(|operands| with(operands)).collect())
    }

    /// The longest list that a row's value must be in, whatever else holds: its position in the condition, and its
    /// values, each once.
    fn longest_list(&self) -> Option<(usize, Vec<String>)> {
        let node = &self.filter.as_ref()?.0;
        let nodes = if let Node::All(nodes) = node { nodes.as_slice() } else { std::slice::from_ref(node) };
        let lists = nodes.iter().enumerate().filter_map(|(index, node)| match node {
            Node::Test(test) if test.operator == Operator::In => Some((index, &test.operands)),
            _ => None,
        });
        let (index, operands) = lists.max_by_key(|(_, operands)| operands.iter().map(String::len).sum::<usize>())?;
        let mut seen = std::collections::BTreeSet::new();
        Some((index, operands.iter().filter(|operand| seen.insert(operand.as_str())).cloned().collect()))
    }
}

fn list_mut(node: &mut Node, index: usize) -> Option<&mut Vec<String>> {
    let node = match node {
        Node::All(nodes) => nodes.get_mut(index)?,
        node => node,
    };
    match node {
        Node::Test(test) => Some(&mut test.operands),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::col;
    use super::super::order::count;
    use super::*;

    fn columns(orders: &[Order]) -> Vec<&str> {
        orders.iter().map(|order| order.column.as_str()).collect()
    }

    #[test]
    fn orders_are_made_total() {
        let sorted = |orders: Vec<Order>| Request { orders, ..Request::default() };
        let keys = ["dataset_id".to_owned(), "metric_month".to_owned()];
        assert_eq!(columns(&sorted(vec![col("a").desc()]).unique_orders(&[])), ["a", "__id"]);
        assert_eq!(columns(&sorted(vec![col("__id").desc()]).unique_orders(&[])), ["__id"]);
        assert_eq!(
            columns(&sorted(vec![col("a").asc(), col("__id").asc(), col("b").asc()]).unique_orders(&[])),
            ["a", "__id", "b"]
        );
        let month = sorted(vec![col("metric_month").asc()]);
        assert_eq!(columns(&month.unique_orders(&keys)), ["metric_month", "__id", "dataset_id"]);
        let groups = Request {
            group_by: vec!["a".to_owned(), "b".to_owned()],
            aggregates: vec![count("c")],
            ..sorted(vec![col("b").desc()])
        };
        assert_eq!(columns(&groups.unique_orders(&keys)), ["b", "a"]);
    }

    #[test]
    fn a_list_that_is_too_long_is_divided_and_nothing_of_it_is_lost() {
        let codes: Vec<String> = (0..3_000).map(|code| format!("{code:05}")).collect();
        let filter = col("a").eq("x").and(col("code").is_in(codes.iter().chain(codes.first())));
        let request = Request { filter: Some(filter), ..Request::default() };
        let parts = request.parts().unwrap();
        let mut found = Vec::new();
        for part in &parts {
            assert!(part.needs_number && part.filtered().unwrap().0.as_str().len() <= LONGEST_QUERY);
            let tests = part.filter.as_ref().unwrap().tests();
            assert_eq!(tests.first().map(|test| test.operands.join(",")).as_deref(), Some("x"));
            found.extend(tests.get(1).unwrap().operands.clone());
        }
        assert!(parts.len() < 4, "{} parts", parts.len());
        assert_eq!(found, codes);
    }

    #[test]
    fn a_query_that_cannot_be_divided_is_refused_before_it_is_sent() {
        let codes = || (0..3_000).map(|code| format!("{code:05}"));
        for (request, reason) in [
            (Request { filter: Some(col("a").is_not_in(codes())), ..Request::default() }, "fewer or shorter values"),
            (
                Request { filter: Some(col("a").is_in(codes())), orders: vec![col("b").asc()], ..Request::default() },
                "cannot be sorted by another column",
            ),
            (
                Request { filter: Some(col("a").is_in(codes())), aggregates: vec![count("b")], ..Request::default() },
                "groups of several queries",
            ),
            (
                Request {
                    filter: Some(col("a").is_in((0..100_000).map(|code| format!("{code:05}")))),
                    ..Request::default()
                },
                "even in 32 parts",
            ),
        ] {
            let error = request.parts().unwrap_err();
            assert!(error.is_request() && error.to_string().contains(reason), "{error}");
        }
    }
}
