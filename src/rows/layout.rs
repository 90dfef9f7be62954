//! The Arrow schema of a query's rows, derived from the profile of the table.

use std::sync::Arc;

use arrow_schema::SchemaRef;

use super::check;
use super::order::Aggregate;
use super::profile::{Kind, Schema};
use super::request::Request;
use super::row::ROW_NUMBER;
use super::source::Source;
use crate::codec::columns::ColumnType;
use crate::{Client, Error, Result};

/// The columns of the batches of a query.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub schema: SchemaRef,
    pub columns: Vec<(String, ColumnType)>,
}

impl Layout {
    fn new(table: &Schema, request: &Request) -> Result<Self> {
        let column = |name: &String| Ok((name.clone(), type_of(table, name)?));
        let named: Vec<(String, ColumnType)> = if request.aggregates() {
            let groups = request.group_by.iter().map(column);
            groups
                .chain(request.aggregates.iter().map(|aggregate| aggregated(table, aggregate)))
                .collect::<Result<_>>()?
        } else if request.select.is_empty() {
            table.columns.iter().map(|(name, _)| column(name)).collect::<Result<_>>()?
        } else {
            request.select.iter().map(column).collect::<Result<_>>()?
        };
        let mut columns: Vec<(String, ColumnType)> = Vec::with_capacity(named.len());
        for (name, kind) in named {
            // A row has each column once.
            if !columns.iter().any(|(known, _)| *known == name) {
                columns.push((name, kind));
            }
        }
        let fields: Vec<_> = columns.iter().map(|(name, kind)| kind.field(name)).collect();
        Ok(Self { schema: Arc::new(arrow_schema::Schema::new(fields)), columns })
    }
}

fn type_of(table: &Schema, name: &str) -> Result<ColumnType> {
    if name == ROW_NUMBER {
        return Ok(ColumnType::Unsigned);
    }
    Ok(match check::kind(table, name)? {
        Kind::String => ColumnType::Text,
        Kind::Int => ColumnType::Int,
        Kind::Float => ColumnType::Float,
        Kind::Bool => ColumnType::Bool,
        Kind::Date => ColumnType::Date,
        Kind::Datetime if table.zoned.iter().any(|zoned| zoned == name) => ColumnType::Instant,
        Kind::Datetime => ColumnType::Datetime,
        Kind::Json => ColumnType::Json,
    })
}

fn aggregated(table: &Schema, aggregate: &Aggregate) -> Result<(String, ColumnType)> {
    let of_column = type_of(table, &aggregate.column)?;
    let kind = match (aggregate.operator, of_column) {
        ("count", _) => ColumnType::Int,
        ("avg", _) => ColumnType::Float,
        // It may exceed an unsigned integer.
        ("sum", ColumnType::Unsigned) => ColumnType::Int,
        (_, kind) => kind,
    };
    Ok((format!("{}__{}", aggregate.column, aggregate.operator), kind))
}

/// The layout of a query. It needs the types of the columns, which the table's profile gives.
pub(super) async fn layout(client: &Client, source: &Source, request: &Request) -> Result<Layout> {
    let table = table(client, source).await?;
    let Err(refused) = Layout::new(&table, request) else { return Layout::new(&table, request) };
    // The profile may have been cached before the table changed.
    source.forget(client);
    let today = self::table(client, source).await?;
    if today == table { Err(refused) } else { Layout::new(&today, request) }
}

async fn table(client: &Client, source: &Source) -> Result<Arc<Schema>> {
    source.schema(client).await?.ok_or_else(|| {
        Error::unreadable(
            "the types of the columns are not known, since the table has no profile: read its rows as `Row`",
        )
    })
}
