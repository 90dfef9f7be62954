//! A condition to what the server's parser can read, and that to a query string.
//!
//! Comparisons that must all hold are parameters of their own (`a__exact=1&b__isnull=`). What is joined by
//! "or" stands in a group (`or=(a__exact.1,and(b__isnull,c__less.2))`), whose parser knows less; where an equal
//! form exists it is written, and the rest is refused.

use super::expression::{Condition, Node, Operator, Order, Test};
use crate::filters::encode_once_more;
use crate::{Error, Result};

/// The query of a request, as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(String);

/// The server's own number of a row.
pub(crate) const ROW_NUMBER: &str = "__id";

/// What a query string holds as it is.
const FORM: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b',');

impl Query {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds a parameter; one without a value has no `=` either.
    fn push(&mut self, key: &str, value: Option<&str>) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        let encoded = |text: &str| percent_encoding::utf8_percent_encode(&encode_once_more(text), FORM).to_string();
        self.0.push_str(&encoded(key));
        if let Some(value) = value {
            self.0.push('=');
            self.0.push_str(&encoded(value));
        }
    }

    pub(crate) fn page(&mut self, page: u64, page_size: u64) {
        self.push("page", Some(&page.to_string()));
        self.push("page_size", Some(&page_size.to_string()));
    }

    pub(crate) fn sort(&mut self, order: &Order) -> Result<()> {
        self.push(&key(&order.column, "sort")?, Some(if order.descends { "desc" } else { "asc" }));
        Ok(())
    }

    pub(crate) fn columns(&mut self, names: &[String]) -> Result<()> {
        if let Some(name) = names.iter().find(|name| name.is_empty() || name.contains([',', '"', '\0'])) {
            return Err(refused(format!(
                "the column `{name}` cannot be selected: the server splits the list at commas and puts each name in \
                 quotes; leave the selection out"
            )));
        }
        self.push("columns", Some(&names.join(",")));
        Ok(())
    }

    /// `column__operator` alone, as grouping and aggregates are written.
    pub(crate) fn aggregate(&mut self, column: &str, operator: &str) -> Result<()> {
        self.push(&key(column, operator)?, None);
        Ok(())
    }

    /// Rows whose number is between two, both included.
    pub(crate) fn window(&mut self, first: u64, last: u64) {
        self.push("__id__greater", Some(&first.to_string()));
        self.push("__id__less", Some(&last.to_string()));
    }

    /// Rows with a number, or those without.
    pub(crate) fn numbered(&mut self, numbered: bool) {
        self.push(if numbered { "__id__isnotnull" } else { "__id__isnull" }, Some(""));
    }

    pub(crate) fn filter(&mut self, condition: &Condition) -> Result<()> {
        match &condition.0 {
            Node::Always(true) => Ok(()),
            // Row numbers start at 1.
            Node::Always(false) => {
                self.push("__id__less", Some("0"));
                Ok(())
            }
            Node::All(nodes) => nodes.iter().try_for_each(|node| self.conjunct(node)),
            node => self.conjunct(node),
        }
    }

    fn conjunct(&mut self, node: &Node) -> Result<()> {
        match node {
            Node::Test(test) => self.test(test),
            Node::Any(nodes) => match same_column(nodes) {
                Some(test) => self.test(&test),
                None => {
                    let group = nodes.iter().map(grouped).collect::<Result<Vec<_>>>()?;
                    self.push("or", Some(&format!("({})", group.join(","))));
                    Ok(())
                }
            },
            // Simplified: neither stands within a conjunction.
            Node::All(_) | Node::Always(_) => self.filter(&Condition(node.clone())),
        }
    }

    fn test(&mut self, test: &Test) -> Result<()> {
        let single = |query: &mut Self, operator: Operator, operand: &str| {
            no_nul(operand)?;
            query.push(&key(&test.column, operator.name())?, Some(operand));
            Ok(())
        };
        match (test.operator, test.operands.as_slice()) {
            (Operator::In, [operand]) => single(self, Operator::Exact, operand),
            (Operator::NotIn, operands)
                if operands.len() == 1 || operands.iter().any(|operand| unlistable(operand)) =>
            {
                operands.iter().try_for_each(|operand| single(self, Operator::Differs, operand))
            }
            (Operator::In | Operator::NotIn, operands) => {
                let list = operands.iter().map(|operand| listed(operand)).collect::<Result<Vec<_>>>()?;
                self.push(&key(&test.column, test.operator.name())?, Some(&list.join(",")));
                Ok(())
            }
            // The empty value: a bare key is not found where the column's name holds `__`.
            (operator, []) => single(self, operator, ""),
            (operator, operands) => operands.iter().try_for_each(|operand| single(self, operator, operand)),
        }
    }
}

fn refused(reason: String) -> Error {
    Error::request(reason)
}

fn no_nul(text: &str) -> Result<()> {
    if text.contains('\0') {
        Err(refused(format!("{text:?} holds a NUL, which no value in the database does")))
    } else {
        Ok(())
    }
}

fn key(column: &str, operator: &str) -> Result<String> {
    if column.is_empty() {
        return Err(refused("a column without a name cannot be asked for".to_owned()));
    }
    no_nul(column)?;
    Ok(format!("{column}__{operator}"))
}

/// Alternatives that all compare one column for equality are a list, which holds what a group cannot.
fn same_column(nodes: &[Node]) -> Option<Test> {
    let mut joined: Option<Test> = None;
    for node in nodes {
        let Node::Test(test @ Test { operator: Operator::Exact | Operator::In, .. }) = node else { return None };
        match &mut joined {
            Some(joined) if joined.column == test.column => joined.operands.extend(test.operands.iter().cloned()),
            Some(_) => return None,
            None => joined = Some(Test { operator: Operator::In, ..test.clone() }),
        }
    }
    joined
}

/// What quotes of a list do not protect.
fn unlistable(operand: &str) -> bool {
    operand.contains(['"', '\\'])
}

/// A value of a list.
fn listed(operand: &str) -> Result<String> {
    no_nul(operand)?;
    if unlistable(operand) {
        return Err(refused(format!(
            "{operand:?} holds a double quote or a backslash, which the server does not read within a list of several \
             values; ask for it alone"
        )));
    }
    let plain =
        !operand.is_empty() && !operand.contains(|letter: char| ",().:".contains(letter) || letter.is_whitespace());
    Ok(if plain { operand.to_owned() } else { format!("\"{operand}\"") })
}

/// A condition as it stands within a group.
fn grouped(node: &Node) -> Result<String> {
    let group = |word: &str, parts: Vec<String>| format!("{word}({})", parts.join(","));
    let several = |word: &str, nodes: &[Node]| Ok(group(word, nodes.iter().map(grouped).collect::<Result<_>>()?));
    match node {
        Node::All(nodes) => several("and", nodes),
        Node::Any(nodes) => several("or", nodes),
        Node::Always(holds) => Err(refused(format!("`{holds}` cannot stand within `or`"))),
        Node::Test(test) => {
            let (column, in_quotes) = group_column(&test.column)?;
            let one = |operator: Operator, operand: &str| -> Result<String> {
                let operand = group_operand(operand)?;
                Ok(format!("{column}__{}.{operand}", operator.name()))
            };
            let each =
                |operator| test.operands.iter().map(|operand| one(operator, operand)).collect::<Result<Vec<_>>>();
            // Within a group there are no lists, and a column in quotes is not compared strictly.
            let (word, parts) = match test.operator {
                Operator::IsNull | Operator::IsNotNull => ("and", vec![format!("{column}__{}", test.operator.name())]),
                Operator::In => ("or", each(Operator::Exact)?),
                Operator::NotIn => ("and", each(Operator::Differs)?),
                Operator::StrictlyLess if in_quotes => {
                    ("and", [each(Operator::Less)?, each(Operator::Differs)?].concat())
                }
                Operator::StrictlyGreater if in_quotes => {
                    ("and", [each(Operator::Greater)?, each(Operator::Differs)?].concat())
                }
                operator => ("and", each(operator)?),
            };
            Ok(match parts.as_slice() {
                [only] => only.clone(),
                _ => group(word, parts),
            })
        }
    }
}

/// What breaks the parser of groups even within quotes, or ends them.
const GROUP_SYNTAX: [char; 6] = [',', '(', ')', '"', '\\', '\0'];

/// The name of a column within a group, and whether it is in quotes.
fn group_column(column: &str) -> Result<(String, bool)> {
    if column.is_empty() || column.contains(GROUP_SYNTAX) {
        return Err(refused(format!(
            "the column {column:?} cannot stand within `or`: the server's parser takes no comma, parenthesis, double \
             quote or backslash there; ask with several queries"
        )));
    }
    let plain = column.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !column.contains("__")
        && !column.starts_with('_')
        && !column.ends_with('_');
    Ok(if plain { (column.to_owned(), false) } else { (format!("\"{column}\""), true) })
}

fn group_operand(operand: &str) -> Result<String> {
    if operand.is_empty() || operand.contains(GROUP_SYNTAX) {
        return Err(refused(format!(
            "the value {operand:?} cannot stand within `or`: the server's parser takes no empty value, comma, \
             parenthesis, double quote or backslash there; ask with several queries"
        )));
    }
    let plain = operand.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    Ok(if plain { operand.to_owned() } else { format!("\"{operand}\"") })
}

/// The query string of a condition alone.
#[cfg(feature = "_fuzz")]
pub(crate) fn query_string(condition: &Condition) -> Result<String> {
    let mut query = Query::default();
    query.filter(condition)?;
    Ok(query.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::expression::col;
    use super::*;

    fn sent(condition: Condition) -> Result<String> {
        let mut query = Query::default();
        query.filter(&condition)?;
        Ok(query.0)
    }

    /// The query as the server's own splitting sees it, after its first decoding.
    fn read(condition: Condition) -> String {
        percent_encoding::percent_decode_str(&sent(condition).unwrap()).decode_utf8().unwrap().into_owned()
    }

    #[test]
    fn what_must_all_hold_is_parameters_and_the_rest_is_a_group() {
        let condition = col("score").ge(0.9).and(col("dep").is_in(["75", "2A"]).or(col("x").is_null()));
        assert_eq!(read(condition), "score__greater=0.9&or=(or(dep__exact.75,dep__exact.2A),x__isnull)");
        let condition = col("a").eq("x,y").or(col("a").is_in(["z", ""]));
        assert_eq!(read(condition), r#"a__in="x,y",z,"""#, "one column compared for equality is a list");
        let condition = col("a").eq(1) | col("b").gt(2) & col("c").is_not_in(["x", "y.z"]);
        assert_eq!(read(condition), r#"or=(a__exact.1,and(b__strictly_greater.2,and(c__differs.x,c__differs."y.z")))"#);
    }

    #[test]
    fn a_column_in_quotes_is_compared_strictly_in_two_steps() {
        let condition = col("a b").lt(1.5) | col("__id").gt(2);
        let group = r#"or=(and("a b"__less."1.5","a b"__differs."1.5"),and("__id"__greater.2,"__id"__differs.2))"#;
        assert_eq!(read(condition), group);
    }

    #[test]
    fn a_column_with_two_underscores_is_asked_for_null_with_an_empty_value() {
        assert_eq!(sent(col("avec__des!").is_null()).unwrap(), "avec__des%21__isnull=");
    }

    #[test]
    fn lists_that_quotes_do_not_protect_are_comparisons_of_their_own() {
        assert_eq!(read(col("a").is_not_in(["say \"x\"", "b"])), "a__differs=say \"x\"&a__differs=b");
        assert_eq!(read(col("a").is_in(["say \"x\""])), "a__exact=say \"x\"");
        assert!(sent(col("a").is_in(["say \"x\"", "b"])).unwrap_err().is_request());
    }

    #[test]
    fn what_a_group_cannot_hold_is_refused_with_the_reason() {
        for (condition, reason) in [
            (col("a").eq("x,y") | col("b").is_null(), "the value \"x,y\" cannot stand within `or`"),
            (col("a").eq("") | col("a").is_null(), "no empty value"),
            (col("a(b)").is_null() | col("b").is_null(), "the column \"a(b)\" cannot stand within `or`"),
            (col("").is_null(), "a column without a name"),
            (col("a").eq("\0"), "NUL"),
        ] {
            let error = sent(condition).unwrap_err();
            assert!(error.is_request() && error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn nothing_matches_an_empty_list() {
        assert_eq!(sent(col("a").is_in([""; 0]).and(col("b").eq(1))).unwrap(), "__id__less=0");
        assert_eq!(sent(col("a").is_not_in([""; 0])).unwrap(), "");
    }

    /// The server as it was measured, at its worst: all is decoded, cut at `#`, split, and decoded again.
    fn server(raw: &str) -> Vec<(String, Option<String>)> {
        let decode =
            |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let decoded = decode(raw);
        let whole = decoded.split('#').next().unwrap_or_default();
        whole
            .split('&')
            .map(|argument| match argument.split_once('=') {
                Some((key, value)) => {
                    assert!(!value.contains('='), "{argument}: refused by the server");
                    (decode(key), Some(decode(value)))
                }
                None => (decode(argument), None),
            })
            .collect()
    }

    proptest! {
        #[test]
        fn any_column_and_value_arrive_as_written(column in "[^\0]+", value in "[^\0]*") {
            let query = sent(col(column.clone()).eq(value.clone())).unwrap();
            prop_assert_eq!(server(&query), [(format!("{column}__exact"), Some(value))]);
        }

        #[test]
        fn any_group_arrives_as_written_or_is_refused(column in ".*", value in ".*") {
            let condition = col(column.clone()).ge(value.clone()).or(col("z").is_null());
            match sent(condition) {
                Ok(query) => {
                    let (name, in_quotes) = group_column(&column).unwrap();
                    let operand = group_operand(&value).unwrap();
                    prop_assert_eq!(server(&query), [("or".to_owned(), Some(format!("({name}__greater.{operand},z__isnull)")))]);
                    prop_assert_eq!(name.trim_matches('"'), &column);
                    prop_assert_eq!(operand.trim_matches('"'), &value);
                    prop_assert!(in_quotes || !column.contains(['.', ' ']));
                    prop_assert!(operand.starts_with('"') || !value.contains('.'));
                }
                Err(error) => {
                    let unspeakable = |text: &str| text.is_empty() || text.contains(GROUP_SYNTAX);
                    prop_assert!(error.is_request());
                    prop_assert!(unspeakable(&column) || unspeakable(&value));
                }
            }
        }

        #[test]
        fn any_aggregate_arrives_as_a_bare_key(column in "[^\0]+") {
            let mut query = Query::default();
            query.aggregate(&column, "avg").unwrap();
            prop_assert_eq!(server(query.as_str()), [(format!("{column}__avg"), None)]);
        }
    }
}
