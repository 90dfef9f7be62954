//! Prints the rows of a file that match.
//!
//! `cargo run --example rows -- --at-least puissance=50 --one-of commune=Nice,Lyon --sort commune`

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::rows::{Condition, Row, Rows, avg, col, count};

use support::{Outcome, Server, heading, plain, table};

#[derive(Parser)]
#[command(about = "Which rows of a file match?")]
struct Arguments {
    /// The id of the resource; that of the charging points on the embedded platform by default
    #[arg(long, value_name = "ID", default_value = datagouv_sandbox::platform::CHARGING_POINTS_RESOURCE)]
    resource: String,
    /// Rows whose column is at least a value
    #[arg(long, value_name = "COLUMN=VALUE")]
    at_least: Vec<String>,
    /// Rows whose column is one of some values, separated by commas
    #[arg(long, value_name = "COLUMN=VALUES")]
    one_of: Vec<String>,
    /// Rows whose column contains a text
    #[arg(long, value_name = "COLUMN=TEXT")]
    holds: Vec<String>,
    /// The column to sort by; the order of the file by default
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// The columns to show, separated by commas; all by default
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Groups rows by a column, with their number and the mean of another column
    #[arg(long, value_name = "COLUMN=COLUMN")]
    mean_by: Option<String>,
    /// The number of rows to show
    #[arg(long, default_value_t = 20)]
    show: usize,
    #[command(flatten)]
    server: Server,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    support::report(rows(arguments).await)
}

fn column_and_value(text: &str) -> Outcome<(&str, &str)> {
    Ok(text.split_once('=').ok_or_else(|| format!("`{text}`: a column, `=` and a value are wanted"))?)
}

fn condition(arguments: &Arguments) -> Outcome<Condition> {
    let mut conditions = Vec::new();
    for text in &arguments.at_least {
        let (column, value) = column_and_value(text)?;
        conditions.push(col(column).ge(value));
    }
    for text in &arguments.one_of {
        let (column, values) = column_and_value(text)?;
        conditions.push(col(column).is_in(values.split(',')));
    }
    for text in &arguments.holds {
        let (column, value) = column_and_value(text)?;
        conditions.push(col(column).contains(value));
    }
    Ok(Condition::all(conditions))
}

async fn rows(arguments: Arguments) -> Outcome {
    let condition = condition(&arguments)?;
    let platform = arguments.server.open().await?;
    // `checked`: an unknown column is an error before the query is sent, with the nearest name.
    let mut query: Rows<Row> = platform.client.resource(&arguments.resource).rows().filter(condition).checked();
    if let Some(text) = &arguments.mean_by {
        let (group, of) = column_and_value(text)?;
        query = query.group_by([group]).aggregate([count(of), avg(of)]).sort(col(group).asc());
    } else {
        println!("  {} rows match", query.count().await?);
        if let Some(column) = arguments.sort {
            query = query.sort(col(column).asc());
        }
        query = query.select(arguments.columns);
    }
    println!("  read as {}", query.explain().await?);
    let mut stream = query.stream();
    let mut shown = Vec::new();
    // Rows that are not polled are not requested: a million rows cost no more than the first.
    while shown.len() < arguments.show
        && let Some(row) = stream.next().await
    {
        shown.push(row?);
    }
    let columns: Vec<&str> = shown.first().map(|row| row.iter().map(|(name, _)| name).collect()).unwrap_or_default();
    let cells = |row: &Row| columns.iter().map(|column| plain(&row[column])).collect();
    heading("Rows");
    table(&columns, &shown.iter().map(cells).collect::<Vec<_>>());
    if let Some(total) = stream.total() {
        println!("  {} of {total}", stream.so_far());
    }
    Ok(())
}
