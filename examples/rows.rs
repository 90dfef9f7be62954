//! Which rows of a file match?
//!
//! `cargo run --example rows -- --at-least puissance=50 --one-of commune=Nice,Lyon --sort commune`

mod support;

use std::process::ExitCode;

use clap::Parser;
use datagouv::rows::{Condition, Row, Rows, avg, col, count};

use support::{Outcome, Place, heading, plain, table};

#[derive(Parser)]
#[command(about = "Which rows of a file match?")]
struct Arguments {
    /// The id of the file among the resources of its dataset; charging points of the embedded platform otherwise
    #[arg(long, value_name = "ID", default_value = datagouv_sandbox::platform::CHARGING_POINTS_RESOURCE)]
    resource: String,
    /// Only rows whose column is a value or greater
    #[arg(long, value_name = "COLUMN=VALUE")]
    at_least: Vec<String>,
    /// Only rows whose column is one of some values, with commas between
    #[arg(long, value_name = "COLUMN=VALUES")]
    one_of: Vec<String>,
    /// Only rows whose column holds a text
    #[arg(long, value_name = "COLUMN=TEXT")]
    holds: Vec<String>,
    /// In the order of a column; in that of the file otherwise
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// The columns to show, with commas between; all otherwise
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// One line for all rows with the same value in a column, with how many they are and the mean of another
    #[arg(long, value_name = "COLUMN=COLUMN")]
    mean_by: Option<String>,
    /// How many rows to show
    #[arg(long, default_value_t = 20)]
    show: usize,
    #[command(flatten)]
    place: Place,
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
    let platform = arguments.place.open().await?;
    // `checked`: a column that is not there is told before anything is asked, with the one that was meant.
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
    // What is not polled is not asked for: a million rows cost no more than the first.
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
