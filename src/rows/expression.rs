//! Conditions on the columns of a table.

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};

use serde::{Deserialize, Serialize};

use super::operand::Operand;
use super::order::Order;

/// Names a column, to build conditions and orders.
///
/// Names may hold any character but NUL. `__id` is the server's own number of the row.
#[must_use]
pub fn col(name: impl Into<String>) -> Column {
    Column(name.into())
}

/// A column of a table; made by [`col`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column(String);

/// A condition on the rows: comparisons of columns, joined by [`and`](Self::and) and [`or`](Self::or), negated by `!`.
///
/// As in SQL, null satisfies no comparison, not even [`ne`](Column::ne), [`not_contains`](Column::not_contains) or a
/// negated one: ask for it with [`is_null`](Column::is_null), or compare with
/// [`is_distinct_from`](Column::is_distinct_from), to which null is a value like others.
///
/// ```
/// use datagouv::rows::col;
///
/// let condition = col("score").ge(0.9).and(col("dep").is_in(["75", "2A"]).or(col("region").is_null()));
/// assert_eq!(condition.to_string(), "score >= 0.9 and (dep in (75, 2A) or region is null)");
/// assert_eq!((!condition).to_string(), "score < 0.9 or dep not in (75, 2A) and region is not null");
/// ```
///
/// # What the servers cannot express
///
/// Columns and values may hold any character but NUL. Refused before anything is sent are:
/// - a comparison with NUL, and a column without a name;
/// - where rows are not streamed or collected ([`count`](super::Rows::count), [`pages`](super::Rows::pages),
///   [`csv`](super::Rows::csv), [`json`](super::Rows::json), groups): `*` in a text that is searched for, a comma or `)`
///   in one within `or`, and a [`like`](Column::like) whose pattern does not begin and end with `%`. A stream requests
///   more rows from the server and drops those that do not match, as long as the same `or` holds nothing but searches for
///   texts and tests for null;
/// - a text searched for in a column that is not of text, where the types of the columns are known.
///
/// [`exactness`](Self::exactness) returns which of these applies, without a request.
///
/// # Serialized form
///
/// The JSON form is `{"all": […]}`, `{"any": […]}`, `{"always": true}` or
/// `{"test": {"column": "score", "operator": "at_least", "operands": ["0.9"]}}`. It stays the same in all versions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a condition does nothing until a query filters by it"]
pub struct Condition(pub(crate) Node);

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    /// Another value, or null.
    Distinct,
    NotDistinct,
    Contains,
    NotContains,
    Like,
    NotLike,
    AtMost,
    AtLeast,
    LessThan,
    GreaterThan,
    In,
    NotIn,
    Null,
    NotNull,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Node {
    /// Holds for every row, or for none.
    Always(bool),
    Test(Test),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// A comparison: with one operand, with several (`In`, `NotIn`), or with none (`Null`, `NotNull`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Test {
    pub column: String,
    pub operator: Operator,
    #[serde(default)]
    pub operands: Vec<String>,
}

impl Operator {
    fn negated(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Distinct => Self::NotDistinct,
            Self::NotDistinct => Self::Distinct,
            Self::Contains => Self::NotContains,
            Self::NotContains => Self::Contains,
            Self::Like => Self::NotLike,
            Self::NotLike => Self::Like,
            Self::AtMost => Self::GreaterThan,
            Self::AtLeast => Self::LessThan,
            Self::LessThan => Self::AtLeast,
            Self::GreaterThan => Self::AtMost,
            Self::In => Self::NotIn,
            Self::NotIn => Self::In,
            Self::Null => Self::NotNull,
            Self::NotNull => Self::Null,
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Distinct => "is distinct from",
            Self::NotDistinct => "is not distinct from",
            Self::Contains => "contains",
            Self::NotContains => "does not contain",
            Self::Like => "like",
            Self::NotLike => "not like",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::LessThan => "<",
            Self::GreaterThan => ">",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::Null => "is null",
            Self::NotNull => "is not null",
        }
    }

    /// Whether it searches in texts.
    pub(crate) fn matches_text(self) -> bool {
        matches!(self, Self::Contains | Self::NotContains | Self::Like | Self::NotLike)
    }
}

impl Column {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    fn test(self, operator: Operator, operands: Vec<String>) -> Condition {
        Condition(Node::Test(Test { column: self.0, operator, operands }))
    }

    fn compare(self, operator: Operator, operand: impl Into<Operand>) -> Condition {
        self.test(operator, vec![operand.into().0])
    }

    /// Equal to a value.
    pub fn eq(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::Equal, value)
    }

    /// Not equal to a value, and not null.
    pub fn ne(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::NotEqual, value)
    }

    /// Not equal to a value, or null (SQL's `IS DISTINCT FROM`).
    pub fn is_distinct_from(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::Distinct, value)
    }

    /// Less than a value.
    pub fn lt(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::LessThan, value)
    }

    /// Less than a value or equal to it.
    pub fn le(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::AtMost, value)
    }

    /// Greater than a value.
    pub fn gt(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::GreaterThan, value)
    }

    /// Greater than a value or equal to it.
    pub fn ge(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::AtLeast, value)
    }

    /// Contains a text, whatever its case. No character of it is a wildcard; see [`like`](Self::like) for those.
    /// Only columns of text take it.
    pub fn contains(self, text: impl Into<Operand>) -> Condition {
        self.compare(Operator::Contains, text)
    }

    /// Does not contain a text, whatever its case, and is not null.
    pub fn not_contains(self, text: impl Into<Operand>) -> Condition {
        self.compare(Operator::NotContains, text)
    }

    /// Matches a pattern as a whole, whatever its case (SQL's `ILIKE`): `%` stands for any text, `_` for any one
    /// character, and a backslash before one of these for the character itself.
    ///
    /// The servers search anywhere in a value. A pattern that does not begin and end with `%` is therefore compared
    /// once more by the client, which only [streams](super::Rows::stream) and [`collect`](super::Rows::collect) do.
    ///
    /// ```
    /// use datagouv::rows::col;
    ///
    /// let stations = col("nom").like("gare de %");
    /// assert_eq!((!stations).to_string(), "nom not like gare de %");
    /// ```
    pub fn like(self, pattern: impl Into<Operand>) -> Condition {
        self.compare(Operator::Like, pattern)
    }

    /// One of some values; of none, it holds for no row.
    pub fn is_in<Value: Into<Operand>>(self, values: impl IntoIterator<Item = Value>) -> Condition {
        self.listed(Operator::In, values.into_iter().map(|value| value.into().0).collect())
    }

    /// None of some values, and not null; of no values, it holds for every row.
    pub fn is_not_in<Value: Into<Operand>>(self, values: impl IntoIterator<Item = Value>) -> Condition {
        self.listed(Operator::NotIn, values.into_iter().map(|value| value.into().0).collect())
    }

    fn listed(self, operator: Operator, operands: Vec<String>) -> Condition {
        if operands.is_empty() {
            Condition(Node::Always(operator == Operator::NotIn))
        } else {
            self.test(operator, operands)
        }
    }

    /// Without a value.
    pub fn is_null(self) -> Condition {
        self.test(Operator::Null, Vec::new())
    }

    /// With a value.
    pub fn is_not_null(self) -> Condition {
        self.test(Operator::NotNull, Vec::new())
    }

    /// Ascending order; null comes last.
    #[must_use]
    pub fn asc(self) -> Order {
        Order { column: self.0, descending: false, nulls_first: None }
    }

    /// Descending order; null comes first.
    #[must_use]
    pub fn desc(self) -> Order {
        Order { column: self.0, descending: true, nulls_first: None }
    }
}

impl Condition {
    /// Both conditions hold.
    pub fn and(self, other: Self) -> Self {
        Self(Node::All(vec![self.0, other.0]).simplified())
    }

    /// At least one of the two conditions holds.
    pub fn or(self, other: Self) -> Self {
        Self(Node::Any(vec![self.0, other.0]).simplified())
    }

    /// All conditions hold; without any, it holds for every row.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::All(conditions.into_iter().map(|condition| condition.0).collect()).simplified())
    }

    /// At least one condition holds; without any, it holds for no row.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::Any(conditions.into_iter().map(|condition| condition.0).collect()).simplified())
    }

    /// The columns that it compares, in order.
    pub(crate) fn tests(&self) -> Vec<&Test> {
        let mut tests = Vec::new();
        self.0.collect_tests(&mut tests);
        tests
    }
}

impl BitAnd for Condition {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl BitOr for Condition {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl Not for Condition {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0.negated().simplified())
    }
}

impl Node {
    /// The server knows no negation, but every comparison has its opposite.
    fn negated(self) -> Self {
        match self {
            Self::Always(holds) => Self::Always(!holds),
            Self::Test(test) => Self::Test(Test { operator: test.operator.negated(), ..test }),
            Self::All(nodes) => Self::Any(nodes.into_iter().map(Self::negated).collect()),
            Self::Any(nodes) => Self::All(nodes.into_iter().map(Self::negated).collect()),
        }
    }

    /// Groups of one kind within each other become one; what always or never holds goes.
    pub(super) fn simplified(self) -> Self {
        let (nodes, all) = match self {
            Self::All(nodes) => (nodes, true),
            Self::Any(nodes) => (nodes, false),
            other => return other,
        };
        let mut kept = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node.simplified() {
                Self::Always(holds) if holds == all => {}
                Self::Always(holds) => return Self::Always(holds),
                Self::All(nodes) if all => kept.extend(nodes),
                Self::Any(nodes) if !all => kept.extend(nodes),
                other => kept.push(other),
            }
        }
        match (kept.len(), kept.pop()) {
            (1, Some(only)) => only,
            (_, Some(last)) => {
                kept.push(last);
                if all { Self::All(kept) } else { Self::Any(kept) }
            }
            (_, None) => Self::Always(all),
        }
    }

    fn collect_tests<'a>(&'a self, tests: &mut Vec<&'a Test>) {
        match self {
            Self::Always(_) => {}
            Self::Test(test) => tests.push(test),
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().for_each(|node| node.collect_tests(tests)),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, word) = match self {
            Self::Always(holds) => return write!(f, "{holds}"),
            Self::Test(test) => return test.fmt(f),
            Self::All(nodes) => (nodes, " and "),
            Self::Any(nodes) => (nodes, " or "),
        };
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                f.write_str(word)?;
            }
            // `and` binds closer than `or`.
            if matches!((self, node), (Self::All(_), Self::Any(_))) { write!(f, "({node})")? } else { node.fmt(f)? }
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.column, self.operator.symbol())?;
        match self.operator {
            Operator::In | Operator::NotIn => write!(f, " ({})", self.operands.join(", ")),
            Operator::Null | Operator::NotNull => Ok(()),
            _ => write!(f, " {}", self.operands.join(", ")),
        }
    }
}

impl From<Column> for String {
    fn from(column: Column) -> Self {
        column.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_one_kind_become_one() {
        let condition = col("a").eq(1).and(col("b").eq(2)).and(col("c").eq(3).or(col("d").eq(4)).or(col("e").eq(5)));
        assert_eq!(condition.to_string(), "a = 1 and b = 2 and (c = 3 or d = 4 or e = 5)");
    }

    #[test]
    fn conditions_that_always_or_never_hold_are_simplified() {
        let (none, any) = (|| col("a").is_in([""; 0]), || col("a").is_not_in([""; 0]));
        assert_eq!(none().or(col("b").eq(1)), col("b").eq(1));
        assert_eq!(any().and(col("b").eq(1)), col("b").eq(1));
        assert_eq!(none().and(col("b").eq(1)), none());
        assert_eq!(any().or(col("b").eq(1)), any());
        assert_eq!(!none(), any());
        assert_eq!(Condition::all([]), any());
        assert_eq!(Condition::any([]), none());
    }

    #[test]
    fn a_negation_reaches_every_comparison_and_undoes_itself() {
        let condition = || {
            (col("a").lt(1) | col("b").ge(2) & col("c").contains("x"))
                & (col("d").is_in([1, 2]) | col("e").is_null() | col("f").ne("y"))
        };
        assert_eq!(
            (!condition()).to_string(),
            "a >= 1 and (b < 2 or c does not contain x) or d not in (1, 2) and e is not null and f = y"
        );
        assert_eq!(!!condition(), condition());
        let distinct = || col("a").is_distinct_from(1) | col("b").like("x%");
        assert_eq!((!distinct()).to_string(), "a is not distinct from 1 and b not like x%");
        assert_eq!(!!distinct(), distinct());
    }
}
