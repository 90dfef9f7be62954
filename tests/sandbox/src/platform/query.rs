//! The query grammar of tabular and metrics: from a raw query string to conditions, order and page.

use percent_encoding::percent_decode_str;

/// A comparison of a column with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aggregator {
    Count,
    Avg,
    Min,
    Max,
    Sum,
}

impl Aggregator {
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Test { column: String, operator: Operator, operand: String },
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// What a query asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) conditions: Vec<Condition>,
    /// Column, and whether it descends. Only the first sort counts.
    pub(crate) sort: Option<(String, bool)>,
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) group_by: Vec<String>,
    pub(crate) aggregates: Vec<(String, Aggregator)>,
    pub(crate) page: i64,
    pub(crate) page_size: i64,
    /// The arguments that `links.next` keeps: those whose name does not start with `page`, un-encoded.
    pub(crate) kept: Vec<String>,
}

/// Why a query is not understood, in the server's words.
pub(crate) type Malformed = String;

impl Query {
    /// Reads a raw query string the way the server does. It decodes twice: once before the split on `&` and
    /// `=`, once after it, and a `#` that the first decoding brings forth cuts off the rest.
    pub(crate) fn read(raw: &str) -> Result<Self, Malformed> {
        let decoded = decode_first(raw);
        let whole = decoded.split('#').next().unwrap_or_default();
        let mut query = Self { page: 1, page_size: 20, ..Self::default() };
        for argument in whole.split('&').filter(|argument| !argument.is_empty()) {
            query.read_argument(argument)?;
            if !argument.starts_with("page") {
                query.kept.push(argument.to_owned());
            }
        }
        if query.columns.is_some() && !(query.group_by.is_empty() && query.aggregates.is_empty()) {
            return Err("Malformed query: the argument `columns` cannot be set alongside aggregators".to_owned());
        }
        Ok(query)
    }

    fn read_argument(&mut self, argument: &str) -> Result<(), Malformed> {
        let malformed = || format!("Malformed query: argument '{argument}' could not be parsed");
        let (key, value) = match argument.split_once('=') {
            Some((_, value)) if value.contains('=') => return Err(malformed()),
            Some((key, value)) => (decode(key), Some(decode(value))),
            None => (decode(argument), None),
        };
        match (key.as_str(), value) {
            ("lang", _) => {}
            ("page", Some(value)) => self.page = value.parse().map_err(|_| malformed())?,
            ("page_size", Some(value)) => self.page_size = value.parse().map_err(|_| malformed())?,
            ("columns", Some(value)) => self.columns = Some(list(&value)),
            ("or", Some(value)) => {
                let group = Groups { rest: &value }.whole().ok_or_else(malformed)?;
                self.conditions.push(Condition::Any(group));
            }
            (key, value) => self.read_operation(key, value).ok_or_else(malformed)?,
        }
        Ok(())
    }

    fn read_operation(&mut self, key: &str, value: Option<String>) -> Option<()> {
        let (column, operator) = key.rsplit_once("__")?;
        let column = Some(column.to_owned()).filter(|column| !column.is_empty())?;
        let name = operator.to_ascii_lowercase();
        let bare = value.is_none();
        let operand = value.unwrap_or_default();
        match (name.as_str(), aggregator(&name), operator_of(&name)) {
            ("sort", ..) => {
                let descends = match operand.to_ascii_lowercase().as_str() {
                    "asc" => false,
                    "desc" => true,
                    _ => return None,
                };
                self.sort.get_or_insert((column, descends));
            }
            ("groupby", ..) if bare => self.group_by.push(column),
            (_, Some(aggregator), _) if bare => self.aggregates.push((column, aggregator)),
            (_, _, Some(operator @ (Operator::IsNull | Operator::IsNotNull))) => {
                // The bare key is split at the first `__`, so a column that holds one is not found.
                if !operand.is_empty() || (bare && column.trim_start_matches('_').contains("__")) {
                    return None;
                }
                self.conditions.push(Condition::Test { column, operator, operand });
            }
            (_, _, Some(operator)) if !bare => self.conditions.push(Condition::Test { column, operator, operand }),
            _ => return None,
        }
        Some(())
    }
}

fn operator_of(name: &str) -> Option<Operator> {
    Some(match name {
        "exact" => Operator::Exact,
        "differs" => Operator::Differs,
        "contains" => Operator::Contains,
        "notcontains" => Operator::NotContains,
        "less" => Operator::Less,
        "greater" => Operator::Greater,
        "strictly_less" => Operator::StrictlyLess,
        "strictly_greater" => Operator::StrictlyGreater,
        "in" => Operator::In,
        "notin" => Operator::NotIn,
        "isnull" => Operator::IsNull,
        "isnotnull" => Operator::IsNotNull,
        _ => return None,
    })
}

fn aggregator(name: &str) -> Option<Aggregator> {
    [Aggregator::Count, Aggregator::Avg, Aggregator::Min, Aggregator::Max, Aggregator::Sum]
        .into_iter()
        .find(|aggregator| aggregator.name() == name)
}

/// The first decoding, which leaves `+ & ; =` encoded so that the split does not see them.
fn decode_first(raw: &str) -> String {
    let mut guarded = raw.replace('+', " ");
    for code in ["2B", "2b", "26", "3B", "3b", "3D", "3d"] {
        guarded = guarded.replace(&format!("%{code}"), &format!("%25{code}"));
    }
    decode(&guarded)
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The values of a list; one that holds a comma stands in double quotes.
pub(crate) fn list(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut quoted = false;
    for char in text.chars() {
        match char {
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(String::new()),
            _ => values.last_mut().into_iter().for_each(|value| value.push(char)),
        }
    }
    values
}

/// Reads `(a__exact.1,b__greater.2,and(c__isnull,or(...)))`.
struct Groups<'a> {
    rest: &'a str,
}

impl Groups<'_> {
    fn whole(mut self) -> Option<Vec<Condition>> {
        let group = self.group()?;
        self.rest.is_empty().then_some(group)
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn group(&mut self) -> Option<Vec<Condition>> {
        let mut conditions = Vec::new();
        if !self.eat("(") {
            return None;
        }
        loop {
            conditions.push(if self.rest.starts_with("or(") {
                self.eat("or");
                Condition::Any(self.group()?)
            } else if self.rest.starts_with("and(") {
                self.eat("and");
                Condition::All(self.group()?)
            } else {
                self.test()?
            });
            if self.eat(")") {
                return Some(conditions);
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    /// A comma or a parenthesis ends a test even inside quotes: so does the server's parser.
    fn test(&mut self) -> Option<Condition> {
        let (text, rest) = self.rest.split_at(self.rest.find([',', ')'])?);
        self.rest = rest;
        let quoted = text.strip_prefix('"');
        let (column, tail) = match quoted {
            Some(quoted) => quoted.split_once('"')?,
            None => text.split_at(text.find("__").filter(|index| *index > 0).or_else(|| {
                // `__id` itself starts with the separator.
                text.strip_prefix("__").and_then(|rest| rest.find("__")).map(|index| index + 2)
            })?),
        };
        let tail = tail.strip_prefix("__")?;
        let (name, operand) = tail.split_once('.').unwrap_or((tail, ""));
        let operator = operator_of(&name.to_ascii_lowercase())?;
        let refused = match quoted {
            Some(_) => matches!(operator, Operator::StrictlyLess | Operator::StrictlyGreater),
            None => column.contains(['.', ' ']),
        };
        if refused {
            return None;
        }
        let in_quotes = operand.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let operand = match in_quotes {
            Some(inner) => inner,
            None if operand.contains('.') => return None,
            None => operand,
        };
        let unary = matches!(operator, Operator::IsNull | Operator::IsNotNull);
        if matches!(operator, Operator::In | Operator::NotIn) || unary != operand.is_empty() {
            return None;
        }
        Some(Condition::Test { column: column.to_owned(), operator, operand: operand.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(column: &str, operator: Operator, operand: &str) -> Condition {
        Condition::Test { column: column.to_owned(), operator, operand: operand.to_owned() }
    }

    fn conditions(raw: &str) -> Vec<Condition> {
        Query::read(raw).expect("a good query").conditions
    }

    #[test]
    fn values_are_decoded_twice() {
        assert_eq!(conditions("a__exact=x%2526y"), [test("a", Operator::Exact, "x&y")]);
        assert_eq!(conditions("a__exact=x%26y"), [test("a", Operator::Exact, "x&y")]);
        assert_eq!(conditions("a__exact=%252541"), [test("a", Operator::Exact, "%41")]);
        assert_eq!(conditions("a__exact=%2541"), [test("a", Operator::Exact, "A")]);
        assert_eq!(conditions("nom%20de%20voie__exact=%C3%A9"), [test("nom de voie", Operator::Exact, "é")]);
        assert_eq!(conditions("a__exact=x%2523y"), [test("a", Operator::Exact, "x#y")]);
    }

    #[test]
    fn a_number_sign_encoded_once_cuts_the_rest_off() {
        let query = Query::read("a__exact=x%23y&page_size=5&b__isnull").expect("a good query");
        assert_eq!(query.conditions, [test("a", Operator::Exact, "x")]);
        assert_eq!(query.page_size, 20);
    }

    #[test]
    fn groups_nest_and_quotes_protect_dots() {
        assert_eq!(
            conditions("or=(a__exact.1,\"b.c\"__less.\"1.5\",and(d__isnull,__id__greater.2))"),
            [Condition::Any(vec![
                test("a", Operator::Exact, "1"),
                test("b.c", Operator::Less, "1.5"),
                Condition::All(vec![test("d", Operator::IsNull, ""), test("__id", Operator::Greater, "2")]),
            ])]
        );
    }

    #[test]
    fn what_the_server_does_not_understand_is_refused() {
        for raw in [
            "unknown=1",
            "a__nope=1",
            "a__exact=b=c",
            "a__sort=up",
            "a__avg=true",
            "a__exact",
            "a__isnull=1",
            "des__deux__isnull",
            "or=(a__exact.1",
            "or=(a__exact.1.5)",
            "or=(a__in.1)",
            "or=()",
            "or=(a.b__exact.1)",
            "or=(\"a\"__strictly_less.1)",
            "page_size=x",
            "x__sum&columns=x",
        ] {
            assert!(Query::read(raw).is_err(), "{raw}");
        }
        assert_eq!(conditions("des__deux__isnull="), [test("des__deux", Operator::IsNull, "")]);
        assert_eq!(conditions("a__EXACT=1"), [test("a", Operator::Exact, "1")]);
    }

    #[test]
    fn lists_keep_commas_in_quotes() {
        assert_eq!(list("a,\"b,c\",d"), ["a", "b,c", "d"]);
        assert_eq!(list(""), [""]);
    }
}
