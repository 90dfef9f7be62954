//! Conditions that the client checks on rows, since the servers cannot express them.

use std::borrow::Cow;

use super::expression::{Node, Operator, Test};
use super::pattern::Pattern;
use crate::Result;

/// Checks texts and nulls of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PostFilter {
    Matches { column: String, pattern: Pattern, negated: bool },
    Null { column: String, negated: bool },
    All(Vec<PostFilter>),
    Any(Vec<PostFilter>),
}

impl PostFilter {
    /// `None` if the condition compares anything but texts by patterns.
    pub(super) fn new(node: &Node) -> Result<Option<Self>> {
        let several = |nodes: &[Node]| nodes.iter().map(Self::new).collect::<Result<Option<Vec<_>>>>();
        Ok(match node {
            Node::Always(_) => None,
            Node::All(nodes) => several(nodes)?.map(Self::All),
            Node::Any(nodes) => several(nodes)?.map(Self::Any),
            Node::Test(test) => match test.operator {
                Operator::Null | Operator::NotNull => {
                    Some(Self::Null { column: test.column.clone(), negated: test.operator == Operator::NotNull })
                }
                operator => pattern_of(test)?.map(|pattern| Self::Matches {
                    column: test.column.clone(),
                    pattern,
                    negated: matches!(operator, Operator::NotContains | Operator::NotLike),
                }),
            },
        })
    }

    /// The columns that it reads.
    pub(super) fn columns(&self) -> Vec<&str> {
        match self {
            Self::Matches { column, .. } | Self::Null { column, .. } => vec![column],
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::columns).collect(),
        }
    }

    /// Whether a row satisfies it; `value` gives the text of a column, or `None` for null.
    pub(super) fn holds<'a>(&self, value: &impl Fn(&str) -> Option<Cow<'a, str>>) -> bool {
        match self {
            Self::Matches { column, pattern, negated } => {
                value(column).is_some_and(|text| pattern.matches(&text) != *negated)
            }
            Self::Null { column, negated } => value(column).is_none() != *negated,
            Self::All(parts) => parts.iter().all(|part| part.holds(value)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(value)),
        }
    }
}

/// The pattern of a test, if it is one of patterns.
pub(super) fn pattern_of(test: &Test) -> Result<Option<Pattern>> {
    let operand = test.operands.first().map(String::as_str).unwrap_or_default();
    Ok(match test.operator {
        Operator::Contains | Operator::NotContains => Some(Pattern::containing(operand)),
        Operator::Like | Operator::NotLike => Some(Pattern::like(operand)?),
        _ => None,
    })
}
