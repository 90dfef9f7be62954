//! Random expressions: as conditions of the client, and their meaning in SQL.

use std::cmp::Ordering;

use datagouv::rows::{Condition, col};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::table::Table;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Distinct,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Clone, Debug)]
pub enum Expression {
    Compare(usize, Comparison, String),
    Listed { column: usize, negated: bool, values: Vec<String> },
    Contains { column: usize, negated: bool, text: String },
    Like(usize, String),
    Null { column: usize, negated: bool },
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
}

/// Texts with characters of the grammar, and those of the table.
fn text(table: &Table) -> impl Strategy<Value = String> + Clone + use<> {
    let awkward = [
        "is.null",
        "in.(a)",
        ".count()",
        "select=a",
        "x__isnull",
        "`$<>[]|^~?/@!",
        "a,b),c",
        "\"a\",\"b\"",
        "\\\"",
        "not.eq.a",
        "eq.a",
        "a*b",
        "50%_",
        "(a,(b))",
        "%2522",
        "&or=(a)",
        "#a",
        "\r\n",
    ];
    let texts: Vec<String> = table.all_texts().into_iter().chain(awkward.map(str::to_owned)).collect();
    prop_oneof![8 => select(texts), 1 => "[^\0]{0,4}"]
}

fn pattern() -> impl Strategy<Value = String> {
    let like = ["a%", "%b", "%a%", "_", "a_b", "%", r"%\%%", r"a\_b", "%,%", "a.%", r"%\\%", "", "%é", "(%)", "%*%"];
    select(like.to_vec()).prop_map(str::to_owned)
}

/// Expressions over the columns of a table; without groups, all their comparisons must hold.
pub fn expression(table: &'static Table, with_groups: bool) -> impl Strategy<Value = Expression> {
    let text = text(table);
    let columns = |fits: fn(&super::table::Column) -> bool| -> Vec<usize> {
        (0..table.columns.len()).filter(|index| fits(&table.columns[*index])).collect()
    };
    let texts = select(columns(|column| column.is_text()));
    // The row number at least.
    let typed = select(columns(|column| !column.is_text() && !column.is_json()));
    let every_column = select((0..table.columns.len()).collect::<Vec<_>>());
    let comparison = select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Distinct,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Greater,
        Comparison::AtLeast,
    ]);
    let value = |column: usize, index: Index| match table.columns[column].values() {
        [] => index.index(52).to_string(),
        values => (*index.get(values)).to_owned(),
    };
    let leaf = prop_oneof![
        3 => (texts.clone(), comparison.clone(), text.clone())
            .prop_map(|(column, comparison, text)| Expression::Compare(column, comparison, text)),
        2 => (typed.clone(), comparison.clone(), any::<Index>())
            .prop_map(move |(column, comparison, index)| Expression::Compare(column, comparison, value(column, index))),
        2 => (texts.clone(), any::<bool>(), prop::collection::vec(text.clone(), 0..4))
            .prop_map(|(column, negated, values)| Expression::Listed { column, negated, values }),
        1 => (typed, any::<bool>(), prop::collection::vec(any::<Index>(), 0..3)).prop_map(move |(column, negated, indexes)| {
            let values = indexes.into_iter().map(|index| value(column, index)).collect();
            Expression::Listed { column, negated, values }
        }),
        2 => (texts.clone(), any::<bool>(), text)
            .prop_map(|(column, negated, text)| Expression::Contains { column, negated, text }),
        1 => (texts, pattern()).prop_map(|(column, pattern)| Expression::Like(column, pattern)),
        1 => (every_column, any::<bool>()).prop_map(|(column, negated)| Expression::Null { column, negated }),
    ];
    if !with_groups {
        let maybe_not =
            (leaf, any::<bool>()).prop_map(|(leaf, not)| if not { Expression::Not(Box::new(leaf)) } else { leaf });
        return prop::collection::vec(maybe_not, 1..4).prop_map(Expression::All).boxed();
    }
    let expression = leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::All),
            3 => prop::collection::vec(inner.clone(), 1..4).prop_map(Expression::Any),
            1 => inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    });
    expression.boxed()
}

impl Expression {
    pub fn condition(&self, table: &Table) -> Condition {
        let column = |column: &usize| col(table.columns[*column].name.as_str());
        let several = |parts: &[Self]| parts.iter().map(|part| part.condition(table)).collect::<Vec<_>>();
        match self {
            Self::Compare(index, comparison, text) => {
                let column = column(index);
                match comparison {
                    Comparison::Equal => column.eq(text),
                    Comparison::NotEqual => column.ne(text),
                    Comparison::Distinct => column.is_distinct_from(text),
                    Comparison::Less => column.lt(text),
                    Comparison::AtMost => column.le(text),
                    Comparison::Greater => column.gt(text),
                    Comparison::AtLeast => column.ge(text),
                }
            }
            Self::Listed { column: index, negated: false, values } => column(index).is_in(values),
            Self::Listed { column: index, negated: true, values } => column(index).is_not_in(values),
            Self::Contains { column: index, negated: false, text } => column(index).contains(text),
            Self::Contains { column: index, negated: true, text } => column(index).not_contains(text),
            Self::Like(index, pattern) => column(index).like(pattern),
            Self::Null { column: index, negated: false } => column(index).is_null(),
            Self::Null { column: index, negated: true } => column(index).is_not_null(),
            Self::All(parts) => Condition::all(several(parts)),
            Self::Any(parts) => Condition::any(several(parts)),
            Self::Not(inner) => !inner.condition(table),
        }
    }

    /// The value for a row in SQL: true, false or unknown.
    pub fn holds(&self, table: &Table, row: usize) -> Option<bool> {
        match self {
            Self::Compare(column, Comparison::Distinct, text) => {
                let value = table.text(row, *column);
                Some(value.is_none_or(|value| !table.columns[*column].compare(value, text).is_eq()))
            }
            Self::Compare(column, comparison, text) => {
                let order = table.columns[*column].compare(table.text(row, *column)?, text);
                Some(match comparison {
                    Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual | Comparison::Distinct => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::AtMost => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::AtLeast => order.is_ge(),
                })
            }
            Self::Listed { negated, values, .. } if values.is_empty() => Some(*negated),
            Self::Listed { column, negated, values } => {
                let value = table.text(row, *column)?;
                let found = values.iter().any(|text| table.columns[*column].compare(value, text) == Ordering::Equal);
                Some(found != *negated)
            }
            Self::Contains { column, negated, text } => {
                Some(lower(table.text(row, *column)?).contains(&lower(text)) != *negated)
            }
            Self::Like(column, pattern) => Some(like(&lower(table.text(row, *column)?), &lower(pattern))),
            Self::Null { column, negated } => Some(table.text(row, *column).is_none() != *negated),
            Self::All(parts) => every(parts.iter().map(|part| part.holds(table, row))),
            Self::Any(parts) => {
                every(parts.iter().map(|part| part.holds(table, row).map(|holds| !holds))).map(|none| !none)
            }
            Self::Not(inner) => inner.holds(table, row).map(|holds| !holds),
        }
    }

    /// Whether the server may lack the condition.
    pub fn may_be_refused(&self) -> bool {
        match self {
            Self::Contains { text, .. } => text.contains(['*', ',', ')']),
            Self::Like(_, pattern) => {
                pattern.contains(['*', ',', ')']) || !(pattern.starts_with('%') && pattern.ends_with('%'))
            }
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::may_be_refused),
            Self::Not(inner) => inner.may_be_refused(),
            _ => false,
        }
    }
}

/// True if all are, false if one is not, unknown otherwise.
fn every(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut unknown = false;
    for part in parts {
        match part {
            Some(false) => return Some(false),
            Some(true) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(true)
}

/// As in the database, which maps single characters.
fn lower(text: &str) -> String {
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

/// `LIKE` by recursion.
fn like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(&text[at..], rest.as_str()))
        }
        Some(wanted) => {
            let (wanted, any) = match wanted {
                '_' => ('_', true),
                '\\' => (rest.next().unwrap(), false),
                letter => (letter, false),
            };
            let mut letters = text.chars();
            letters.next().is_some_and(|letter| any || letter == wanted) && like(letters.as_str(), rest.as_str())
        }
    }
}
