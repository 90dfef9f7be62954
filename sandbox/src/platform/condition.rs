//! The conditions of a statement, bound to the columns and types of a table.

use std::cmp::Ordering;

use super::database_error::DatabaseError;
use super::expression::{Database, Expression, without_nul};
use super::statement::{Comparison, Filter, Is, Test};
use super::table::Table;
use super::value::{Datum, Kind};

/// A condition on a row.
#[derive(Debug)]
pub(crate) struct Condition {
    negated: bool,
    check: Check,
}

#[derive(Debug)]
enum Check {
    Compare(Expression, Comparison, Datum),
    Like { expression: Expression, pattern: Pattern },
    Distinct(Expression, Datum),
    In(Expression, Vec<Datum>),
    Is(Expression, Is),
    Group { all: bool, members: Vec<Condition> },
}

impl Condition {
    /// Binds a condition; an unknown column or operator, or a value of another type, is an error.
    pub(crate) fn new(database: Database<'_>, filter: &Filter) -> Result<Self, DatabaseError> {
        let (field, negated, test) = match filter {
            Filter::Test { field, negated, test } => (field, *negated, test),
            Filter::Group { all, negated, members } => {
                let members = members.iter().map(|member| Self::new(database, member)).collect::<Result<_, _>>()?;
                return Ok(Self { negated: *negated, check: Check::Group { all: *all, members } });
            }
        };
        let expression = database.find(field)?;
        let kind = expression.kind;
        let json_has_none = |operator: &str| match kind {
            Kind::Json => Err(DatabaseError::no_operator("json", operator)),
            _ => Ok(()),
        };
        let value = |text: &str| kind.read(&without_nul(text));
        let check = match test {
            Test::Compare(comparison, text) => {
                json_has_none(symbol(*comparison))?;
                Check::Compare(expression, *comparison, value(text)?)
            }
            Test::DistinctFrom(text) => {
                json_has_none("=")?;
                Check::Distinct(expression, value(text)?)
            }
            Test::Like { pattern, case_sensitive } => {
                if kind != Kind::String {
                    let operator = if *case_sensitive { "~~" } else { "~~*" };
                    return Err(DatabaseError::no_operator(kind.database_name(), operator));
                }
                Check::Like { expression, pattern: Pattern::new(&without_nul(pattern), *case_sensitive)? }
            }
            Test::In(texts) => {
                json_has_none("=")?;
                // A list of only the empty text is an empty list.
                let texts = if matches!(texts.as_slice(), [text] if text.is_empty()) { &[] } else { texts.as_slice() };
                let values = texts.iter().map(|text| value(text)).collect::<Result<_, _>>()?;
                Check::In(expression, values)
            }
            Test::Is(is) => {
                if !matches!(is, Is::Null | Is::NotNull) && kind != Kind::Bool {
                    let name = kind.database_name();
                    let message = format!("argument of IS {} must be type boolean, not type {name}", word(*is));
                    return Err(DatabaseError::of("42804", message));
                }
                Check::Is(expression, *is)
            }
        };
        Ok(Self { negated, check })
    }

    /// Whether a row satisfies the condition; None if it is unknown because of null.
    pub(crate) fn holds(&self, table: &Table, row: usize) -> Option<bool> {
        let holds = match &self.check {
            Check::Compare(expression, comparison, operand) => {
                let value = expression.value(table, row);
                if value.is_null() { None } else { Some(fits(*comparison, value.compare(operand))) }
            }
            Check::Distinct(expression, operand) => {
                let value = expression.value(table, row);
                Some(value.is_null() || value.compare(operand).is_ne())
            }
            Check::Like { expression, pattern } => match expression.value(table, row).as_ref() {
                Datum::Text(text) => Some(pattern.fits(text)),
                _ => None,
            },
            // No value is in an empty list, not even null.
            Check::In(_, operands) if operands.is_empty() => Some(false),
            Check::In(expression, operands) => {
                let value = expression.value(table, row);
                let found = || operands.iter().any(|operand| value.compare(operand).is_eq());
                if value.is_null() { None } else { Some(found()) }
            }
            Check::Is(expression, is) => {
                let value = expression.value(table, row);
                Some(match is {
                    Is::Null | Is::Unknown => value.is_null(),
                    Is::NotNull => !value.is_null(),
                    Is::True => *value == Datum::Bool(true),
                    Is::False => *value == Datum::Bool(false),
                })
            }
            Check::Group { all, members } => {
                let mut unknown = false;
                let mut decided = None;
                for member in members {
                    match member.holds(table, row) {
                        Some(holds) if holds != *all => {
                            decided = Some(holds);
                            break;
                        }
                        Some(_) => {}
                        None => unknown = true,
                    }
                }
                decided.or(if unknown { None } else { Some(*all) })
            }
        };
        holds.map(|holds| holds != self.negated)
    }
}

fn fits(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn word(is: Is) -> &'static str {
    match is {
        Is::Null => "NULL",
        Is::NotNull => "NOT NULL",
        Is::True => "TRUE",
        Is::False => "FALSE",
        Is::Unknown => "UNKNOWN",
    }
}

/// A pattern of `LIKE`: `%` is any text, `_` any character, a backslash escapes both.
#[derive(Debug)]
struct Pattern {
    tokens: Vec<Token>,
    case_sensitive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    AnyText,
    AnyChar,
    Char(char),
}

impl Pattern {
    fn new(text: &str, case_sensitive: bool) -> Result<Self, DatabaseError> {
        let cased = |char: char| if case_sensitive { char } else { lower(char) };
        let mut tokens = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            tokens.push(match char {
                '%' => Token::AnyText,
                '_' => Token::AnyChar,
                '\\' => match chars.next() {
                    Some(char) => Token::Char(cased(char)),
                    None => {
                        let message = "LIKE pattern must not end with escape character";
                        return Err(DatabaseError::of("22025", message));
                    }
                },
                char => Token::Char(cased(char)),
            });
        }
        Ok(Self { tokens, case_sensitive })
    }

    fn fits(&self, text: &str) -> bool {
        let cased = |char: char| if self.case_sensitive { char } else { lower(char) };
        let text: Vec<char> = text.chars().map(cased).collect();
        // Where to retry if the text after the last `%` does not match: one character further.
        let (mut at, mut token, mut retry) = (0, 0, None);
        while at < text.len() {
            match self.tokens.get(token) {
                Some(Token::AnyText) => {
                    token += 1;
                    retry = Some((at, token));
                    continue;
                }
                Some(Token::AnyChar) => {}
                Some(Token::Char(char)) if text.get(at) == Some(char) => {}
                _ => {
                    let Some((start, after)) = retry else { return false };
                    at = start + 1;
                    token = after;
                    retry = Some((at, after));
                    continue;
                }
            }
            at += 1;
            token += 1;
        }
        self.tokens.iter().skip(token).all(|token| *token == Token::AnyText)
    }
}

/// The lower case of a character, which is one character, as in the C library.
fn lower(char: char) -> char {
    let mut small = char.to_lowercase();
    match (small.next(), small.next()) {
        (Some(small), None) => small,
        (Some(small), Some(_)) if char == 'İ' => small,
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_wildcards_and_escapes() {
        let fits = |pattern: &str, text: &str| Pattern::new(pattern, false).expect("a pattern").fits(text);
        for (pattern, text) in [("%a_c%", "xxABCyy"), ("%", ""), ("a%b%c", "aXbXbc"), ("%\\%%", "5%"), ("é_", "ÉX")] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a_c", "ac"), ("%\\%%", "5"), ("a%b", "abc"), ("\\_", "x"), ("", "x")] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
        assert!(Pattern::new("a\\", false).is_err());
    }
}
