//! Raw queries on a table get the responses of a real tabular server, see `tests/truth/README.md`.

mod compare;
mod connection;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use compare::{Recorded, difference, difference_of_rows};
use connection::Connection;
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::{NewTable, Release, TabularSettings, Ties};

/// A folder of further recorded responses about the same table: each `.jsonl` in it is replayed, those with `0.3.1`
/// in their name against that release.
const FOLDER: &str = "DATAGOUV_TRUTH";

pub(crate) const TABLE: &str = "eeeeeeee-0000-4000-8000-00000000f001";
pub(crate) const NO_AGGREGATION: &str = "eeeeeeee-0000-4000-8000-00000000f002";
pub(crate) const INDEXED: &str = "eeeeeeee-0000-4000-8000-00000000f003";
pub(crate) const DELETED: &str = "eeeeeeee-0000-4000-8000-00000000f004";
pub(crate) const UNKNOWN: &str = "eeeeeeee-0000-4000-8000-00000000ffff";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/truth")
}

fn recorded_table() -> NewTable {
    let text = std::fs::read_to_string(folder().join("table.json")).expect("the table");
    NewTable::from_json(&serde_json::from_str(&text).expect("JSON")).expect("a table")
}

async fn sandbox(release: Release) -> Sandbox {
    let sandbox = Sandbox::start_platform().await;
    // Queries that violate the document are sent too.
    sandbox.tolerate_violations(true);
    sandbox.set_tabular(TabularSettings { release, ..TabularSettings::default() });
    let table = recorded_table();
    let aggregated = NewTable { aggregates: true, ..table.clone() };
    let indexes = ["plain", "n", "b"].map(str::to_owned).to_vec();
    sandbox.add_table(INDEXED, NewTable { indexes: Some(indexes), ..aggregated.clone() });
    sandbox.add_table(TABLE, aggregated);
    sandbox.add_table(NO_AGGREGATION, table);
    sandbox.delete_table(DELETED);
    sandbox
}

/// All rows of a query whose response has a part of them, in one order of equal rows.
async fn all_rows(sandbox: &Sandbox, connection: &mut Connection, line: &Recorded, ties: Ties) -> Vec<String> {
    let settings = sandbox.tabular_settings();
    sandbox.set_tabular(TabularSettings { ties, ..settings });
    let response = connection.get(&line.path(), &line.query_of_all_rows()).await;
    sandbox.set_tabular(settings);
    line.rows_of(&response)
}

/// Replays lines; returns those with another response, by family.
async fn replay_lines(lines: &[&str], release: Release) -> BTreeMap<String, Vec<String>> {
    let sandbox = sandbox(release).await;
    let mut connection = Connection::open(&sandbox).await;
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let line = Recorded::read(line);
        let response = connection.get(&line.path(), line.query()).await;
        let mut difference = difference(&line, &response);
        if difference.is_none()
            && let Some(found) = difference_of_rows(&line, &response)
        {
            let forwards = all_rows(&sandbox, &mut connection, &line, Ties::ByRow).await;
            let backwards = all_rows(&sandbox, &mut connection, &line, Ties::ByRowDescending).await;
            difference = Some(found).filter(|_| !line.may_be_part_of(&forwards, &backwards, &response));
        }
        if let Some(difference) = difference {
            wrong.entry(line.family().to_owned()).or_default().push(format!("{}: {difference}", line.query()));
        }
        sandbox.take_requests();
    }
    wrong
}

/// Replays the lines of a file and fails with those with another response, a few of each family.
fn replay(file: &Path, release: Release) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let lines: Vec<&str> = text.lines().collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    std::thread::scope(|scope| {
        let parts = lines.chunks(lines.len().div_ceil(threads).max(1)).map(|part| {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(replay_lines(part, release))
            })
        });
        for part in parts.collect::<Vec<_>>() {
            for (family, lines) in part.join().expect("a part") {
                wrong.entry(family).or_default().extend(lines);
            }
        }
    });
    let differing: usize = wrong.values().map(Vec::len).sum();
    println!("{}: {} of {} lines equal", file.display(), lines.len() - differing, lines.len());
    let shown = wrong.iter().flat_map(|(family, lines)| {
        lines.iter().take(3).map(move |line| format!("{family} ({} lines): {line}", lines.len()))
    });
    assert!(wrong.is_empty(), "{differing} lines differ:\n{}", shown.collect::<Vec<_>>().join("\n"));
}

#[test]
fn responses_equal_those_recorded_from_the_real_server() {
    replay(&folder().join("queries.jsonl"), Release::V0_4_1);
}

#[test]
fn responses_equal_those_recorded_from_release_0_3_1() {
    replay(&folder().join("queries-0.3.1.jsonl"), Release::V0_3_1);
}

#[test]
fn responses_equal_those_recorded_in_another_folder() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{FOLDER}: {error}"));
    for file in entries.map(|entry| entry.expect("an entry").path()) {
        if file.extension().is_some_and(|extension| extension == "jsonl") {
            let old = file.file_name().is_some_and(|name| name.to_string_lossy().contains("0.3.1"));
            replay(&file, if old { Release::V0_3_1 } else { Release::V0_4_1 });
        }
    }
}
