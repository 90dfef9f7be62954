//! What a query asks for, as expressions: conditions on columns, orders, aggregates.

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};

use crate::{Date, DateTime};

/// A column of a table, by its name, to make conditions and orders of.
///
/// Names are taken as they are: spaces, dots, accents and all else included. `__id` is the server's own
/// number of the row.
#[must_use]
pub fn col(name: impl Into<String>) -> Column {
    Column(name.into())
}

/// A column of a table; made by [`col`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column(String);

/// A value that a column is compared with, as the server reads it.
///
/// It is made of texts, numbers, booleans and dates; the server reads it as the type of the column.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Operand(String);

/// A condition on the rows: comparisons of columns, joined by [`and`](Self::and) and [`or`](Self::or).
///
/// As in SQL, null satisfies no comparison, not even [`ne`](Column::ne) or a negated one: ask for it with
/// [`is_null`](Column::is_null).
///
/// ```
/// use datagouv::rows::col;
///
/// let condition = col("score").ge(0.9).and(col("dep").is_in(["75", "2A"]).or(col("region").is_null()));
/// assert_eq!(condition.to_string(), "score >= 0.9 and (dep in (75, 2A) or region is null)");
/// assert_eq!((!condition).to_string(), "score < 0.9 or dep not in (75, 2A) and region is not null");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a condition does nothing until a query filters by it"]
pub struct Condition(pub(crate) Node);

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Exact,
    Differs,
    Contains,
    NotContains,
    Less,
    Greater,
    StrictlyLess,
    StrictlyGreater,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// Holds for every row, or for none.
    Always(bool),
    Test(Test),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// A comparison: with one operand, with several (`In`, `NotIn`), or with none (`IsNull`, `IsNotNull`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Test {
    pub column: String,
    pub operator: Operator,
    pub operands: Vec<String>,
}

impl Operator {
    /// The server's word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Differs => "differs",
            Self::Contains => "contains",
            Self::NotContains => "notcontains",
            Self::Less => "less",
            Self::Greater => "greater",
            Self::StrictlyLess => "strictly_less",
            Self::StrictlyGreater => "strictly_greater",
            Self::In => "in",
            Self::NotIn => "notin",
            Self::IsNull => "isnull",
            Self::IsNotNull => "isnotnull",
        }
    }

    fn negated(self) -> Self {
        match self {
            Self::Exact => Self::Differs,
            Self::Differs => Self::Exact,
            Self::Contains => Self::NotContains,
            Self::NotContains => Self::Contains,
            Self::Less => Self::StrictlyGreater,
            Self::Greater => Self::StrictlyLess,
            Self::StrictlyLess => Self::Greater,
            Self::StrictlyGreater => Self::Less,
            Self::In => Self::NotIn,
            Self::NotIn => Self::In,
            Self::IsNull => Self::IsNotNull,
            Self::IsNotNull => Self::IsNull,
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Exact => "=",
            Self::Differs => "!=",
            Self::Contains => "contains",
            Self::NotContains => "does not contain",
            Self::Less => "<=",
            Self::Greater => ">=",
            Self::StrictlyLess => "<",
            Self::StrictlyGreater => ">",
            Self::In => "in",
            Self::NotIn => "not in",
            Self::IsNull => "is null",
            Self::IsNotNull => "is not null",
        }
    }
}

impl Column {
    /// The name.
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
        self.compare(Operator::Exact, value)
    }

    /// Another than a value; null is not.
    pub fn ne(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::Differs, value)
    }

    /// Less than a value.
    pub fn lt(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::StrictlyLess, value)
    }

    /// Less than a value or equal to it.
    pub fn le(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::Less, value)
    }

    /// Greater than a value.
    pub fn gt(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::StrictlyGreater, value)
    }

    /// Greater than a value or equal to it.
    pub fn ge(self, value: impl Into<Operand>) -> Condition {
        self.compare(Operator::Greater, value)
    }

    /// Holds a text, whatever its case. The server compares as SQL's `ILIKE` does, so that `%` and `_` in the
    /// text may match more than themselves.
    pub fn contains(self, text: impl Into<Operand>) -> Condition {
        self.compare(Operator::Contains, text)
    }

    /// Does not hold a text, whatever its case; null is not.
    pub fn not_contains(self, text: impl Into<Operand>) -> Condition {
        self.compare(Operator::NotContains, text)
    }

    /// One of some values; of none, it holds for no row.
    pub fn is_in<Value: Into<Operand>>(self, values: impl IntoIterator<Item = Value>) -> Condition {
        self.listed(Operator::In, values.into_iter().map(|value| value.into().0).collect())
    }

    /// None of some values; of none, it holds for every row.
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
        self.test(Operator::IsNull, Vec::new())
    }

    /// With a value.
    pub fn is_not_null(self) -> Condition {
        self.test(Operator::IsNotNull, Vec::new())
    }

    /// The least first; null comes last.
    #[must_use]
    pub fn asc(self) -> Order {
        Order { column: self.0, descends: false }
    }

    /// The greatest first; null comes before it.
    #[must_use]
    pub fn desc(self) -> Order {
        Order { column: self.0, descends: true }
    }
}

impl Condition {
    /// Both hold.
    pub fn and(self, other: Self) -> Self {
        Self(Node::All(vec![self.0, other.0]).simplified())
    }

    /// One of the two holds, or both.
    pub fn or(self, other: Self) -> Self {
        Self(Node::Any(vec![self.0, other.0]).simplified())
    }

    /// All of some conditions hold; of none, it holds for every row.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::All(conditions.into_iter().map(|condition| condition.0).collect()).simplified())
    }

    /// One of some conditions holds, or more; of none, it holds for no row.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::Any(conditions.into_iter().map(|condition| condition.0).collect()).simplified())
    }

    /// The columns that it compares, in their order.
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
    fn simplified(self) -> Self {
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
            Operator::IsNull | Operator::IsNotNull => Ok(()),
            _ => write!(f, " {}", self.operands.join(", ")),
        }
    }
}

/// The order of rows; made by [`asc`](Column::asc) and [`desc`](Column::desc).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub(crate) column: String,
    pub(crate) descends: bool,
}

/// A value worked out of a column for each group of rows; it comes as the column `name__operator` (`x__avg`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aggregate {
    pub(crate) column: String,
    pub(crate) operator: &'static str,
}

macro_rules! aggregates {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        $(
            $(#[$meta])*
            #[must_use]
            pub fn $name(column: impl Into<String>) -> Aggregate {
                Aggregate { column: column.into(), operator: stringify!($name) }
            }
        )*
    };
}

aggregates! {
    /// How many rows have a value in a column.
    count;
    /// The mean of a column's values.
    avg;
    /// The least of a column's values.
    min;
    /// The greatest of a column's values.
    max;
    /// The sum of a column's values.
    sum;
}

impl From<&str> for Operand {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<f64> for Operand {
    fn from(number: f64) -> Self {
        Self(match number {
            f64::INFINITY => "Infinity".to_owned(),
            f64::NEG_INFINITY => "-Infinity".to_owned(),
            number => number.to_string(),
        })
    }
}

impl From<f32> for Operand {
    fn from(number: f32) -> Self {
        // The digits that were written, not those of the nearest f64.
        if number.is_finite() { Self(number.to_string()) } else { f64::from(number).into() }
    }
}

macro_rules! operands {
    ($($kind:ty),*) => {
        $(
            impl From<$kind> for Operand {
                fn from(value: $kind) -> Self {
                    Self(value.to_string())
                }
            }
        )*
    };
}

operands!(
    String, &String, char, bool, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, Date, &Date, DateTime, &DateTime
);

#[cfg(feature = "chrono")]
operands!(chrono::NaiveDate, chrono::NaiveDateTime);

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
    fn what_holds_for_all_or_none_goes() {
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
    }

    #[test]
    fn numbers_are_written_as_the_server_reads_them() {
        let written = |operand: Operand| operand.0;
        assert_eq!(written(0.1_f32.into()), "0.1");
        assert_eq!(written(f64::NAN.into()), "NaN");
        assert_eq!(written(f32::NEG_INFINITY.into()), "-Infinity");
        assert_eq!(written(i64::MIN.into()), "-9223372036854775808");
        assert_eq!(written(1e21.into()), "1000000000000000000000");
    }
}
