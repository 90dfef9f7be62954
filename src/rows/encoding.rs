//! Conditions, orders and selections as a query string of the tabular and metrics APIs.
//!
//! Comparisons that must all hold are parameters of their own (`a__exact=1&b__isnull=`). Conditions joined by "or" are
//! in a group (`or=(a__exact.1,and(b__isnull,c__less.2))`).

use super::escape;
use super::expression::{Condition, Node, Operator, Test};
use super::order::Order;
use super::pattern::Pattern;
use super::post_filter::{PostFilter, pattern_of};
use super::row::ROW_NUMBER;
use crate::{Error, Result};

/// The query of a request, percent-encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds a parameter whose key and value are already encoded.
    fn push(&mut self, key: &str, value: Option<&str>) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(key);
        if let Some(value) = value {
            self.0.push('=');
            self.0.push_str(value);
        }
    }

    pub(crate) fn page(&mut self, page: u64, page_size: u64) {
        self.push("page", Some(&page.to_string()));
        self.push("page_size", Some(&page_size.to_string()));
    }

    /// Sorts by several columns. The server reads one parameter, and passes on whatever follows the direction in it.
    pub(crate) fn sort(&mut self, orders: &[Order]) -> Result<()> {
        let Some((first, others)) = orders.split_first() else { return Ok(()) };
        let direction = |order: &Order| {
            let nulls = match order.nulls_first {
                None => "",
                Some(true) => ".nullsfirst",
                Some(false) => ".nullslast",
            };
            format!("{}{nulls}", if order.descending { "desc" } else { "asc" })
        };
        let mut value = direction(first);
        for order in others {
            let column =
                if order.column == ROW_NUMBER { ROW_NUMBER.to_owned() } else { escape::order_column(&order.column)? };
            value.push_str(&format!(",{column}.{}", direction(order)));
        }
        self.push(&key(&first.column, "sort")?, Some(&value));
        Ok(())
    }

    pub(crate) fn columns(&mut self, names: &[String]) -> Result<()> {
        let names = names.iter().map(|name| escape::selected_column(name)).collect::<Result<Vec<_>>>()?;
        self.push("columns", Some(&names.join(",")));
        Ok(())
    }

    /// `column__operator` alone, the form of grouping and aggregates.
    pub(crate) fn aggregate(&mut self, column: &str, operator: &str) -> Result<()> {
        self.push(&format!("{}__{operator}", escape::aggregate_column(column)?), None);
        Ok(())
    }

    /// Restricts to rows whose number is not less than `first`, if given, and not greater than `last`.
    pub(crate) fn window(&mut self, first: Option<i64>, last: i64) {
        if let Some(first) = first {
            self.push("__id__greater", Some(&first.to_string()));
        }
        self.push("__id__less", Some(&last.to_string()));
    }

    /// Restricts to rows whose number is within a range; the least and the greatest possible numbers are no bounds.
    pub(crate) fn numbers(&mut self, first: i64, last: i64) {
        if first > i64::MIN {
            self.push("__id__greater", Some(&first.to_string()));
        }
        if last < i64::MAX {
            self.push("__id__less", Some(&last.to_string()));
        }
    }

    /// Restricts to rows with a number, or to those without.
    pub(crate) fn numbered(&mut self, numbered: bool) {
        self.push(if numbered { "__id__isnotnull" } else { "__id__isnull" }, Some(""));
    }

    /// Restricts to rows that satisfy a condition. The server may return more rows than that: the post-filter that is
    /// returned, if any, drops them.
    pub(crate) fn filter(&mut self, condition: &Condition) -> Result<Option<PostFilter>> {
        let nodes = match &condition.0 {
            Node::Always(true) => return Ok(None),
            Node::Always(false) => {
                self.numbered(true);
                self.numbered(false);
                return Ok(None);
            }
            Node::All(nodes) => nodes.as_slice(),
            node => std::slice::from_ref(node),
        };
        let mut checked = Vec::new();
        for node in nodes {
            if !self.conjunct(node)? {
                let reason = || {
                    Error::request(format!(
                        "`{node}` cannot be sent: within `or`, the server cannot search for `*`, a comma or `)`, nor for \
                         the end of a text, and the client does not check the other comparisons of this `or` on the rows; \
                         send a query for each alternative"
                    ))
                };
                checked.push(PostFilter::new(node)?.ok_or_else(reason)?);
            }
        }
        Ok(match checked.len() {
            0 => None,
            _ => Some(PostFilter::All(checked)),
        })
    }

    /// Adds a condition to those that must all hold; returns whether the server returns no more than the rows that
    /// satisfy it.
    fn conjunct(&mut self, node: &Node) -> Result<bool> {
        match node {
            Node::Test(test) => self.test(test),
            Node::Any(nodes) => match same_column(nodes) {
                Some(test) => self.test(&test),
                None => {
                    let mut exact = true;
                    let group = nodes.iter().map(|node| grouped(node, &mut exact)).collect::<Result<Vec<_>>>()?;
                    self.push("or", Some(&format!("({})", group.join(","))));
                    Ok(exact)
                }
            },
            Node::All(nodes) => nodes.iter().try_fold(true, |exact, node| Ok(self.conjunct(node)? && exact)),
            Node::Always(holds) => Err(constant(*holds)),
        }
    }

    fn test(&mut self, test: &Test) -> Result<bool> {
        let column = test.column.as_str();
        let mut compare = |operator: &str, value: String| -> Result<()> {
            self.push(&key(column, operator)?, Some(&value));
            Ok(())
        };
        let operands = distinct(&test.operands);
        // A key without `=` is not recognised if the column's name contains `__`, so null tests have an empty value.
        let empty = String::new;
        match (test.operator, operands.as_slice()) {
            (Operator::In, [operand]) => compare("exact", escape::value(operand)?)?,
            // A list of only the empty text matches nothing, or everything.
            (Operator::NotEqual | Operator::NotIn, [operand]) => {
                compare("differs", escape::value(operand)?)?;
                compare("isnotnull", empty())?;
            }
            (Operator::In, operands) => compare("in", items(operands, ",")?)?,
            (Operator::NotIn, operands) => compare("notin", items(operands, ",")?)?,
            (Operator::Null, _) => compare("isnull", empty())?,
            (Operator::NotNull, _) => compare("isnotnull", empty())?,
            (operator, operands) => match pattern_of(test)? {
                Some(pattern) => {
                    let searched = Searched::new(operator, &pattern, false)?;
                    compare(searched.operator, searched.text)?;
                    return Ok(searched.exact);
                }
                None => {
                    for operand in operands {
                        compare(comparison(operator), escape::value(operand)?)?;
                    }
                }
            },
        }
        Ok(true)
    }
}

fn constant(holds: bool) -> Error {
    Error::request(format!("`{holds}` cannot stand beside other conditions"))
}

fn key(column: &str, operator: &str) -> Result<String> {
    Ok(format!("{}__{operator}", escape::key_column(column)?))
}

/// The server's operator for a comparison with one value.
fn comparison(operator: Operator) -> &'static str {
    match operator {
        Operator::Distinct | Operator::NotEqual => "differs",
        Operator::AtMost => "less",
        Operator::AtLeast => "greater",
        Operator::LessThan => "strictly_less",
        Operator::GreaterThan => "strictly_greater",
        _ => "exact",
    }
}

/// Drops the operands that occur twice.
fn distinct(operands: &[String]) -> Vec<&str> {
    let mut seen = std::collections::BTreeSet::new();
    operands.iter().map(String::as_str).filter(|operand| seen.insert(*operand)).collect()
}

fn items(operands: &[&str], separator: &str) -> Result<String> {
    Ok(operands.iter().map(|operand| escape::item(operand)).collect::<Result<Vec<_>>>()?.join(separator))
}

/// A text search, in the form that the server can express.
struct Searched {
    operator: &'static str,
    text: String,
    /// If false, the server returns more than what matches.
    exact: bool,
}

impl Searched {
    fn new(operator: Operator, pattern: &Pattern, in_group: bool) -> Result<Self> {
        let anchored = !pattern.unanchored().1;
        let (text, exact) = escape::pattern(pattern, in_group)?;
        let exact = exact && !anchored;
        Ok(match operator {
            Operator::Contains | Operator::Like => Self { operator: "contains", text, exact },
            _ if exact => Self { operator: "notcontains", text, exact },
            // An inexact search cannot be negated: it would leave out rows that match.
            _ => Self { operator: "isnotnull", text: String::new(), exact },
        })
    }
}

/// Alternatives that all compare one column for equality become a list.
fn same_column(nodes: &[Node]) -> Option<Test> {
    let mut joined: Option<Test> = None;
    for node in nodes {
        let Node::Test(test @ Test { operator: Operator::Equal | Operator::NotDistinct | Operator::In, .. }) = node
        else {
            return None;
        };
        match &mut joined {
            Some(joined) if joined.column == test.column => joined.operands.extend(test.operands.iter().cloned()),
            Some(_) => return None,
            None => joined = Some(Test { operator: Operator::In, ..test.clone() }),
        }
    }
    joined
}

/// A condition within a group; `exact` becomes false if the server returns more rows than it.
fn grouped(node: &Node, exact: &mut bool) -> Result<String> {
    let mut several = |word: &str, nodes: &[Node]| -> Result<String> {
        let parts = nodes.iter().map(|node| grouped(node, exact)).collect::<Result<Vec<_>>>()?;
        Ok(format!("{word}({})", parts.join(",")))
    };
    match node {
        Node::All(nodes) => several("and", nodes),
        Node::Any(nodes) => match same_column(nodes) {
            Some(test) => grouped_test(&test, exact),
            None => several("or", nodes),
        },
        Node::Always(holds) => Err(constant(*holds)),
        Node::Test(test) => grouped_test(test, exact),
    }
}

fn grouped_test(test: &Test, exact: &mut bool) -> Result<String> {
    let column = escape::group_column(&test.column)?;
    let operands = distinct(&test.operands);
    let compare = |operator: &str, operand: &str| Ok(format!("{column}__{operator}.{}", escape::item(operand)?));
    // The comma between items must not split the group.
    let list = |operator: &str| Ok(format!("{column}__{operator}.{}", items(&operands, "%252C")?));
    match (test.operator, operands.as_slice()) {
        (Operator::In, [operand]) => compare("exact", operand),
        (Operator::NotEqual | Operator::NotIn, [operand]) => {
            Ok(format!("and({},{column}__isnotnull)", compare("differs", operand)?))
        }
        (Operator::In, _) => list("in"),
        (Operator::NotIn, _) => list("notin"),
        (Operator::Null, _) => Ok(format!("{column}__isnull")),
        (Operator::NotNull, _) => Ok(format!("{column}__isnotnull")),
        (operator, operands) => match pattern_of(test)? {
            Some(pattern) => {
                let searched = Searched::new(operator, &pattern, true)?;
                *exact &= searched.exact;
                let dot = if searched.operator == "isnotnull" { "" } else { "." };
                Ok(format!("{column}__{}{dot}{}", searched.operator, searched.text))
            }
            None => compare(comparison(operator), operands.first().copied().unwrap_or_default()),
        },
    }
}

/// The query string of a condition alone; `None` if the client has to check it on the rows.
#[cfg(feature = "_internals")]
pub(crate) fn query_string(condition: &Condition) -> Result<Option<String>> {
    let mut query = Query::default();
    Ok(query.filter(condition)?.is_none().then_some(query.0))
}

#[cfg(test)]
mod tests {
    use super::super::expression::col;
    use super::*;

    fn sent(condition: Condition) -> Result<(String, Option<PostFilter>)> {
        let mut query = Query::default();
        let post_filter = query.filter(&condition)?;
        Ok((query.0, post_filter))
    }

    /// The query of a condition that the server can express.
    fn query(condition: Condition) -> String {
        let (query, post_filter) = sent(condition).unwrap();
        assert_eq!(post_filter, None, "{query}");
        query
    }

    #[test]
    fn conditions_that_must_all_hold_are_parameters_and_alternatives_are_a_group() {
        let condition = col("score").ge(0.9).and(col("dep").is_in(["75", "2A"]).or(col("x").is_null()));
        assert_eq!(query(condition), "score__greater=0.9&or=(dep__in.75%252C2A,x__isnull)");
        let condition = col("a").eq("x,y").or(col("a").is_in(["z", ""]));
        assert_eq!(
            query(condition),
            "a__in=%2522x%252Cy%2522,z,%2522%2522",
            "one column compared for equality is a list"
        );
        let condition = col("a").eq(1) | col("b").gt(1.5) & col("c").is_not_in(["x", "y.z"]);
        assert_eq!(
            query(condition),
            "or=(a__exact.1,and(b__strictly_greater.%25221%252E5%2522,c__notin.x%252C%2522y%252Ez%2522))"
        );
    }

    #[test]
    fn null_is_not_unequal_unless_distinct_from_is_used() {
        assert_eq!(query(col("a").ne("x")), "a__differs=x&a__isnotnull=");
        assert_eq!(query(col("a").is_not_in(["x"])), "a__differs=x&a__isnotnull=");
        assert_eq!(query(!col("a").is_in(["x", "x"])), "a__differs=x&a__isnotnull=", "twice the same value");
        assert_eq!(query(col("a").is_distinct_from("x")), "a__differs=x");
        assert_eq!(query(!col("a").is_distinct_from("x")), "a__exact=x");
        let group = col("a").ne("x") | col("b").is_null();
        assert_eq!(query(group), "or=(and(a__differs.x,a__isnotnull),b__isnull)");
    }

    #[test]
    fn a_list_of_the_empty_text_alone_is_a_comparison() {
        assert_eq!(query(col("a").is_in([""])), "a__exact=");
        assert_eq!(query(col("a").is_not_in([""])), "a__differs=&a__isnotnull=");
        assert_eq!(query(col("a").is_in(["", "b"])), "a__in=%2522%2522,b");
    }

    #[test]
    fn names_are_escaped_from_the_split_of_keys() {
        for (name, key) in [
            ("trail_", "trail%255F"),
            ("_", "%255F"),
            ("dbl__under", "dbl%255F_under"),
            ("x__isnull", "x%255F_isnull"),
            ("quo\"te", "quo%22te"),
            ("back\\slash", "back%255C%255Cslash"),
            ("has#hash", "has%2523hash"),
            ("pct%41x", "pct%252541x"),
            ("new\nline", "new%250Aline"),
            ("dot.ted", "dot.ted"),
            ("café", "caf%C3%A9"),
            ("__id", "__id"),
        ] {
            assert_eq!(query(col(name).eq(1)), format!("{key}__exact=1"));
        }
    }

    #[test]
    fn names_in_a_group_are_escaped() {
        for (name, column) in [
            ("quo\"te", "quo%255C%2522te"),
            ("back\\slash", "back%255C%255Cslash"),
            ("com,ma", "com%252Cma"),
            ("par(en)", "par%2528en%2529"),
            ("dot.ted", "dot%252Eted"),
            ("__id", "%255F_id"),
            ("trail_", "trail%255F"),
        ] {
            let group = col(name).eq(1) | col("z").is_null();
            assert_eq!(query(group), format!("or=({column}__exact.1,z__isnull)"));
        }
    }

    #[test]
    fn no_character_of_a_searched_text_is_a_wildcard() {
        assert_eq!(query(col("a").contains("50%_\\")), "a__contains=50%255C%2525%255C%255F%255C%255C");
        assert_eq!(query(col("a").like("%a%b_%")), "a__contains=a%2525b%255F");
        let group = col("a").contains("x.y(").or(col("b").not_contains("z"));
        assert_eq!(query(group), "or=(a__contains.x%252Ey%2528,b__notcontains.z)");
    }

    #[test]
    fn searches_that_the_server_cannot_express_become_post_filters() {
        for (condition, expected) in [
            (col("a").contains("x*y"), "a__contains=x%255Fy"),
            (col("a").not_contains("x*y"), "a__isnotnull="),
            (col("a").like("x%"), "a__contains=x"),
            (col("a").contains("x,y)") | col("b").is_null(), "or=(a__contains.x%255Fy%255F,b__isnull)"),
        ] {
            let (query, post_filter) = sent(condition.and(col("c").eq(1))).unwrap();
            assert_eq!(query, format!("{expected}&c__exact=1"));
            assert!(post_filter.is_some(), "{query}");
        }
        let mixed = col("a").contains("x,y").or(col("c").eq(1));
        let error = sent(mixed).unwrap_err();
        assert!(error.is_request() && error.to_string().contains("`a contains x,y or c = 1`"), "{error}");
    }

    #[test]
    fn a_nul_character_is_refused() {
        for (condition, reason) in [
            (col("").is_null(), "a column with an empty name"),
            (col("a").eq("\0"), "NUL"),
            (col("a\0").is_null(), "NUL"),
            (col("a").contains("\0"), "NUL"),
            (col("a").is_in(["b", "\0"]) | col("c").is_null(), "NUL"),
        ] {
            let error = sent(condition).unwrap_err();
            assert!(error.is_request() && error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn an_unsatisfiable_condition_finds_no_row_whatever_the_row_numbers() {
        assert_eq!(query(col("a").is_in([""; 0]).and(col("b").eq(1))), "__id__isnotnull=&__id__isnull=");
        assert_eq!(query(col("a").is_not_in([""; 0])), "");
    }

    #[test]
    fn several_orders_are_one_parameter() {
        let mut query = Query::default();
        query.sort(&[col("a b").desc().nulls_last(), col("c\"d_").asc().nulls_first(), col("__id").asc()]).unwrap();
        assert_eq!(query.0, "a%20b__sort=desc.nullslast,%2522c%255C%2522d_%2522.asc.nullsfirst,__id.asc");
    }

    #[test]
    fn selected_columns_are_escaped_and_separated_by_commas() {
        let mut query = Query::default();
        query.columns(&["a,b".to_owned(), "trail_".to_owned(), "q\"".to_owned()]).unwrap();
        assert_eq!(query.0, "columns=a%252Cb,trail_,q%255C%2522");
    }
}
