//! Parses the query that the tabular server sends to PostgREST: filters, groups, a selection of columns with aggregates,
//! an order and limits.

use super::database_error::DatabaseError;
use super::scan::{Key, Scanner, Unparsable};
use super::wire::{pairs, query_of_url};

/// A statement on one table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Statement {
    pub(crate) results: Vec<Selection>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<i128>,
    pub(crate) offset: i128,
}

/// A column, and a path into it if it has JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) column: String,
    pub(crate) path: Vec<Step>,
}

/// A step into a JSON value: `->` gives JSON, `->>` its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) as_text: bool,
    pub(crate) key: Key,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Avg,
    Min,
    Max,
    Sum,
}

impl Aggregate {
    pub(crate) const ALL: [Self; 5] = [Self::Count, Self::Avg, Self::Min, Self::Max, Self::Sum];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
        }
    }
}

/// One or all columns of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    All,
    CountOfRows { alias: Option<String> },
    Value { field: Field, cast: Option<String>, aggregate: Option<Aggregate>, alias: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    Test { field: Field, negated: bool, test: Test },
    Group { all: bool, negated: bool, members: Vec<Filter> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Compare(Comparison, String),
    /// A pattern, with `*` replaced by `%`, and whether it is case-sensitive.
    Like {
        pattern: String,
        case_sensitive: bool,
    },
    DistinctFrom(String),
    In(Vec<String>),
    Is(Is),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    Null,
    NotNull,
    True,
    False,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) field: Field,
    pub(crate) descends: bool,
    pub(crate) nulls_first: bool,
}

impl Statement {
    /// Parses the query of the URL that the server sends.
    pub(crate) fn read(sent: &str) -> Result<Self, DatabaseError> {
        let pairs = pairs(&query_of_url(sent));
        let mut statement = Self::default();
        for (key, value) in &pairs {
            match key.rsplit('.').next().unwrap_or_default() {
                operator @ ("and" | "or") => {
                    let negation = if key.starts_with("not.") { "not." } else { "" };
                    let text = format!("{negation}{operator}{value}");
                    let mut scanner = Scanner::new(&text, "logic tree");
                    statement.filters.push(filter(&mut scanner)?);
                    scanner.end("end of input")?;
                }
                "order" => {
                    let order = order(value)?;
                    // The first one applies.
                    if statement.order.is_empty() {
                        statement.order = order;
                    }
                }
                "limit" => statement.limit = integer(value),
                "offset" => statement.offset = integer(value).unwrap_or(0).max(0),
                _ if matches!(key.as_str(), "select" | "columns" | "on_conflict") => {}
                _ => statement.filters.push(column_filter(key, value)?),
            }
        }
        let chosen = pairs.iter().find(|(key, _)| key == "select").map_or("*", |(_, value)| value.as_str());
        statement.results = selections(chosen)?;
        if statement.limit.is_some_and(|limit| limit < 0) {
            return Err(DatabaseError::range("Limit should be greater than or equal to zero.".to_owned()));
        }
        Ok(statement)
    }
}

fn integer(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| text.parse().unwrap_or(if text.starts_with('-') { i128::MIN } else { i128::MAX }))
}

fn field(scanner: &mut Scanner<'_>) -> Result<Field, Unparsable> {
    Ok(Field { column: scanner.field_name()?, path: path(scanner)? })
}

fn path(scanner: &mut Scanner<'_>) -> Result<Vec<Step>, Unparsable> {
    let mut path = Vec::new();
    while scanner.take("->") {
        let as_text = scanner.take(">");
        path.push(Step { as_text, key: scanner.json_key()? });
    }
    Ok(path)
}

/// A filter on a column, in a parameter of its own.
fn column_filter(key: &str, value: &str) -> Result<Filter, DatabaseError> {
    let mut scanner = Scanner::new(key, "tree path");
    let field = field(&mut scanner)?;
    if scanner.sees(".") {
        let name = field.column;
        return Err(DatabaseError {
            status: 400,
            code: "PGRST108".to_owned(),
            message: format!("'{name}' is not an embedded resource in this request"),
            details: None,
            hint: Some(format!("Verify that '{name}' is included in the 'select' query parameter.")),
        });
    }
    scanner.end("delimiter (.) or end of input")?;
    // The rest after a list is ignored.
    Ok(test(&mut Scanner::new(value, "filter"), field, false)?)
}

/// A condition or a group of them.
fn filter(scanner: &mut Scanner<'_>) -> Result<Filter, Unparsable> {
    if let Some((negated, all)) = scanner.start_of_group() {
        let mut members = Vec::new();
        loop {
            scanner.skip_blanks();
            members.push(filter(scanner)?);
            scanner.skip_blanks();
            if !scanner.take(",") {
                break;
            }
        }
        scanner.need(")", "\",\" or \")\"")?;
        scanner.skip_blanks();
        return Ok(Filter::Group { all, negated, members });
    }
    let field = field(scanner)?;
    scanner.need(".", "delimiter (.)")?;
    test(scanner, field, true)
}

fn test(scanner: &mut Scanner<'_>, field: Field, in_group: bool) -> Result<Filter, Unparsable> {
    let negated = scanner.take("not.");
    let value = |scanner: &mut Scanner<'_>| if in_group { scanner.group_value() } else { scanner.rest() };
    let test = if scanner.take("in.") {
        Test::In(list(scanner)?)
    } else if scanner.take("isdistinct.") {
        Test::DistinctFrom(value(scanner))
    } else if scanner.take("is.") {
        Test::Is(is(scanner)?)
    } else if let Some(comparison) = comparison(scanner) {
        Test::Compare(comparison, value(scanner))
    } else if scanner.take("like.") {
        Test::Like { pattern: value(scanner).replace('*', "%"), case_sensitive: true }
    } else if scanner.take("ilike.") {
        Test::Like { pattern: value(scanner).replace('*', "%"), case_sensitive: false }
    } else {
        let operator = "operator (eq, gt, ...)";
        return Err(scanner.fail(&if negated { operator.to_owned() } else { format!("\"not\" or {operator}") }));
    };
    Ok(Filter::Test { field, negated, test })
}

fn comparison(scanner: &mut Scanner<'_>) -> Option<Comparison> {
    let operators = [
        ("eq.", Comparison::Equal),
        ("neq.", Comparison::NotEqual),
        ("lt.", Comparison::Less),
        ("lte.", Comparison::LessOrEqual),
        ("gt.", Comparison::Greater),
        ("gte.", Comparison::GreaterOrEqual),
    ];
    operators.into_iter().find_map(|(name, comparison)| scanner.take(name).then_some(comparison))
}

fn is(scanner: &mut Scanner<'_>) -> Result<Is, Unparsable> {
    let words = [
        ("null", Is::Null),
        ("not_null", Is::NotNull),
        ("true", Is::True),
        ("false", Is::False),
        ("unknown", Is::Unknown),
    ];
    let found = words.into_iter().find_map(|(word, is)| scanner.take_ignoring_case(word).then_some(is));
    found.ok_or_else(|| scanner.fail("isVal: (null, not_null, true, false, unknown)"))
}

/// `(a,"b",...)`: quotes are special only around a whole item.
fn list(scanner: &mut Scanner<'_>) -> Result<Vec<String>, Unparsable> {
    scanner.skip_blanks();
    scanner.need("(", "\"(\"")?;
    scanner.skip_blanks();
    let mut items = Vec::new();
    loop {
        items.push(scanner.quoted_item().unwrap_or_else(|| scanner.until_comma_or_parenthesis()));
        if !scanner.take(",") {
            break;
        }
    }
    scanner.skip_blanks();
    scanner.need(")", "\",\" or \")\"")?;
    scanner.skip_blanks();
    Ok(items)
}

fn selections(text: &str) -> Result<Vec<Selection>, Unparsable> {
    if text.is_empty() {
        return Ok(vec![Selection::All]);
    }
    let mut scanner = Scanner::new(text, "select parameter");
    let mut selections = Vec::new();
    loop {
        scanner.skip_blanks();
        selections.push(selection(&mut scanner)?);
        scanner.skip_blanks();
        if scanner.at_end() {
            return Ok(selections);
        }
        scanner.need(",", "\",\" or end of input")?;
    }
}

fn selection(scanner: &mut Scanner<'_>) -> Result<Selection, Unparsable> {
    if scanner.take_star() {
        return Ok(Selection::All);
    }
    let alias = scanner.alias();
    if scanner.take("count()") {
        return Ok(Selection::CountOfRows { alias });
    }
    let field = field(scanner)?;
    let cast = if scanner.take("::") { Some(scanner.identifier()?) } else { None };
    let aggregate = Aggregate::ALL.into_iter().find(|aggregate| scanner.take(&format!(".{}()", aggregate.name())));
    if aggregate.is_some() && scanner.sees("::") {
        return Err(scanner.fail("no cast of an aggregate: the sandbox does not know them"));
    }
    Ok(Selection::Value { field, cast, aggregate, alias })
}

fn order(text: &str) -> Result<Vec<Order>, Unparsable> {
    let mut scanner = Scanner::new(text, "order");
    let mut terms = Vec::new();
    loop {
        scanner.skip_blanks();
        let field = field(&mut scanner)?;
        let descends = scanner.take(".desc");
        if !descends && !scanner.take(".asc") && scanner.sees(".") && !scanner.sees(".nulls") {
            scanner.take(".");
            return Err(scanner.fail("\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""));
        }
        let nulls_first = if scanner.take(".nullsfirst") {
            true
        } else if scanner.take(".nullslast") {
            false
        } else if scanner.take(".") {
            return Err(scanner.fail("\"nullsfirst\" or \"nullslast\""));
        } else {
            descends
        };
        terms.push(Order { field, descends, nulls_first });
        scanner.skip_blanks();
        if scanner.at_end() {
            return Ok(terms);
        }
        scanner.need(",", "delimiter (.), \",\" or end of input")?;
    }
}
