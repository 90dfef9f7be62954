//! Conditions on rows: the server finds the rows that they mean, or they are refused before they are sent.

use arbitrary::{Arbitrary, Result, Unstructured};
use datagouv::internals::query_string;
use datagouv::rows::{Column, Condition, col};
use datagouv_sandbox::platform::NewTable;
use serde_json::{Value, json};

/// The meaning of a condition, computed without the crate.
#[derive(Debug)]
enum Meaning {
    Exact(usize, String),
    Differs(usize, String),
    Distinct(usize, String),
    Less(usize, String),
    LessOrEqual(usize, String),
    Greater(usize, String),
    GreaterOrEqual(usize, String),
    Contains(usize, String),
    ContainsNot(usize, String),
    In(usize, Vec<String>),
    NotIn(usize, Vec<String>),
    Null(usize),
    NotNull(usize),
    All(Vec<Meaning>),
    Any(Vec<Meaning>),
    Not(Box<Meaning>),
}

type Row = [Option<String>; 2];

impl Meaning {
    fn some(data: &mut Unstructured<'_>, texts: &[String], depth: u8) -> Result<Self> {
        let column = usize::from(bool::arbitrary(data)?);
        let text = |data: &mut Unstructured<'_>| Ok::<_, arbitrary::Error>(data.choose(texts)?.clone());
        let several = |data: &mut Unstructured<'_>| {
            (0..data.int_in_range(1..=3)?).map(|_| text(data)).collect::<Result<Vec<_>>>()
        };
        let parts = |data: &mut Unstructured<'_>| {
            (0..data.int_in_range(1..=3)?).map(|_| Self::some(data, texts, depth + 1)).collect::<Result<Vec<_>>>()
        };
        Ok(match data.int_in_range(0..=if depth < 4 { 15 } else { 12 })? {
            0 => Self::Exact(column, text(data)?),
            1 => Self::Differs(column, text(data)?),
            2 => Self::Less(column, text(data)?),
            3 => Self::LessOrEqual(column, text(data)?),
            4 => Self::Greater(column, text(data)?),
            5 => Self::GreaterOrEqual(column, text(data)?),
            6 => Self::Contains(column, text(data)?),
            7 => Self::ContainsNot(column, text(data)?),
            8 => Self::In(column, several(data)?),
            9 => Self::NotIn(column, several(data)?),
            10 => Self::Null(column),
            11 => Self::NotNull(column),
            12 => Self::Distinct(column, text(data)?),
            13 => Self::All(parts(data)?),
            14 => Self::Any(parts(data)?),
            _ => Self::Not(Box::new(Self::some(data, texts, depth + 1)?)),
        })
    }

    fn condition(&self, names: &[String; 2]) -> Condition {
        let col = |column: &usize| -> Column { col(names[*column].as_str()) };
        match self {
            Self::Exact(column, text) => col(column).eq(text),
            Self::Differs(column, text) => col(column).ne(text),
            Self::Distinct(column, text) => col(column).is_distinct_from(text),
            Self::Less(column, text) => col(column).lt(text),
            Self::LessOrEqual(column, text) => col(column).le(text),
            Self::Greater(column, text) => col(column).gt(text),
            Self::GreaterOrEqual(column, text) => col(column).ge(text),
            Self::Contains(column, text) => col(column).contains(text),
            Self::ContainsNot(column, text) => col(column).not_contains(text),
            Self::In(column, texts) => col(column).is_in(texts),
            Self::NotIn(column, texts) => col(column).is_not_in(texts),
            Self::Null(column) => col(column).is_null(),
            Self::NotNull(column) => col(column).is_not_null(),
            Self::All(parts) => Condition::all(parts.iter().map(|part| part.condition(names))),
            Self::Any(parts) => Condition::any(parts.iter().map(|part| part.condition(names))),
            Self::Not(part) => !part.condition(names),
        }
    }

    /// What SQL says of a row: true, false or unknown.
    fn holds(&self, row: &Row) -> Option<bool> {
        let is = |column: &usize, fits: &dyn Fn(&String) -> bool| row[*column].as_ref().map(fits);
        match self {
            Self::Exact(column, text) => is(column, &|value| value == text),
            Self::Differs(column, text) => is(column, &|value| value != text),
            Self::Distinct(column, text) => Some(row[*column].as_ref() != Some(text)),
            Self::Less(column, text) => is(column, &|value| value < text),
            Self::LessOrEqual(column, text) => is(column, &|value| value <= text),
            Self::Greater(column, text) => is(column, &|value| value > text),
            Self::GreaterOrEqual(column, text) => is(column, &|value| value >= text),
            Self::Contains(column, text) => is(column, &|value| lower(value).contains(&lower(text))),
            Self::ContainsNot(column, text) => is(column, &|value| !lower(value).contains(&lower(text))),
            Self::In(column, texts) => is(column, &|value| texts.contains(value)),
            Self::NotIn(column, texts) => is(column, &|value| !texts.contains(value)),
            Self::Null(column) => Some(row[*column].is_none()),
            Self::NotNull(column) => Some(row[*column].is_some()),
            Self::All(parts) => every(parts.iter().map(|part| part.holds(row))),
            Self::Any(parts) => every(parts.iter().map(|part| part.holds(row).map(|holds| !holds))).map(|none| !none),
            Self::Not(part) => part.holds(row).map(|holds| !holds),
        }
    }
}

/// True where all are, false where one is not, unknown otherwise.
fn every(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let parts: Vec<Option<bool>> = parts.collect();
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    (!parts.contains(&None)).then_some(true)
}

/// As the database does it: one letter for one.
fn lower(text: &str) -> String {
    text.chars().map(|letter| letter.to_lowercase().next().unwrap_or(letter)).collect()
}

/// Two columns, some texts, rows of them, and a condition.
pub fn expressions(data: &[u8]) {
    let _ = checked(&mut Unstructured::new(data));
}

fn checked(data: &mut Unstructured<'_>) -> Result<()> {
    let names = [String::arbitrary(data)?, String::arbitrary(data)?];
    // A table has no such names.
    if names[0] == names[1] || names.iter().any(|name| name.is_empty() || name == "__id" || name.contains('\0')) {
        return Ok(());
    }
    let mut texts = vec![String::new(), ",".to_owned(), "a.b".to_owned(), "#".to_owned()];
    for _ in 0..data.int_in_range(0..=4)? {
        texts.push(String::arbitrary(data)?);
    }
    let cell = |data: &mut Unstructured<'_>| -> Result<Option<String>> {
        Ok(if data.ratio(1, 4)? { None } else { Some(data.choose(&texts)?.clone()) })
    };
    let rows = (0..6).map(|_| Ok([cell(data)?, cell(data)?])).collect::<Result<Vec<Row>>>()?;
    let meaning = Meaning::some(data, &texts, 0)?;
    match query_string(meaning.condition(&names)) {
        Err(error) => assert!(error.is_request() && !error.to_string().is_empty(), "{error:?}"),
        // The client checks it on the rows that come.
        Ok(None) => {}
        Ok(Some(query)) => {
            let expected: Vec<usize> = (0..rows.len()).filter(|row| meaning.holds(&rows[*row]) == Some(true)).collect();
            let table = NewTable {
                columns: names.iter().map(|name| (name.clone(), "string".to_owned())).collect(),
                rows: rows
                    .iter()
                    .map(|row| row.iter().map(|cell| cell.as_ref().map_or(Value::Null, |text| json!(text))).collect())
                    .collect(),
                ..NewTable::default()
            };
            match table.matching(&query) {
                Ok(found) => assert_eq!(found, expected, "{query} {meaning:?} {names:?} {rows:?}"),
                Err(reply) => panic!("{query} is refused: {reply:?} {meaning:?} {names:?}"),
            }
        }
    }
    Ok(())
}
