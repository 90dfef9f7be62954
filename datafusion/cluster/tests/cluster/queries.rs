//! The same queries on one machine and on several.

use datafusion::physical_plan::displayable;
use datagouv_datafusion::{Options, sql};

use crate::support::{Platform, WorkerProcess, rows};

pub const ROWS_SCAN: &str = "DatagouvRowsExec";
pub const COPY_SCAN: &str = "DatagouvParquetExec";

/// A query of the test.
pub struct Query {
    pub name: &'static str,
    pub sql: String,
    /// Whether it says in which order the rows come.
    pub ordered: bool,
}

pub fn queries(platform: &Platform) -> Vec<Query> {
    let (big, small) = (format!("resource('{}')", platform.big), format!("resource('{}')", platform.small));
    let all_of = platform.of_organization.iter().map(|(id, column)| {
        let column = column.replace('"', "\"\"");
        format!("SELECT '{id}' AS id, CAST(\"{column}\" AS VARCHAR) AS cell FROM resource('{id}')")
    });
    let all_of: Vec<String> = all_of.collect();
    let query = |name, sql: String| Query { name, sql, ordered: false };
    vec![
        query("scan", format!("SELECT n, nom, jour FROM {big}")),
        query("filter", format!("SELECT n, x FROM {big} WHERE nom = 'Nîmes' AND n > 60000 AND nom < 'Z'")),
        query("few rows", format!("SELECT * FROM {big} WHERE n IN (1, 7, 50001, 109999) OR x < 1.0")),
        query(
            "group",
            format!("SELECT nom, ok, count(*), sum(n), avg(n), max(x), min(jour) FROM {big} GROUP BY nom, ok"),
        ),
        Query {
            name: "order with a limit",
            sql: format!("SELECT nom, n FROM {big} ORDER BY nom DESC, n LIMIT 9"),
            ordered: true,
        },
        Query {
            name: "order with a limit, of the server",
            sql: format!("SELECT n, nom FROM {big} ORDER BY x DESC LIMIT 5"),
            ordered: true,
        },
        query(
            "join",
            format!(
                "SELECT v.nom, v.population, count(*), max(b.n) FROM {big} b JOIN {small} v ON v.nom = b.nom
                 GROUP BY v.nom, v.population"
            ),
        ),
        query(
            "outer join",
            format!(
                "SELECT v.nom, count(b.n), min(b.n) FROM {small} v LEFT JOIN {big} b ON v.nom = b.nom AND b.n % 3 = 0
                 GROUP BY v.nom"
            ),
        ),
        query(
            "anti join",
            format!("SELECT v.nom FROM {small} v WHERE NOT EXISTS (SELECT 1 FROM {big} b WHERE b.nom = v.nom)"),
        ),
        query("distinct", format!("SELECT DISTINCT nom, n % 5 FROM {big}")),
        query("count", format!("SELECT count(*), count(DISTINCT nom) FROM {big} WHERE nom LIKE 'N%' AND n % 2 = 1")),
        query(
            "union",
            format!("SELECT nom, n FROM {big} WHERE n % 1000 = 0 UNION SELECT nom, population FROM {small}"),
        ),
        query(
            "subquery",
            format!("SELECT count(*) FROM {big} WHERE n > (SELECT avg(n) FROM {big} WHERE nom = 'Brest')"),
        ),
        query(
            "every table of an organization",
            format!(
                "SELECT id, count(*), count(cell), max(cell) FROM ({}) AS t GROUP BY id",
                all_of.join(" UNION ALL ")
            ),
        ),
    ]
}

/// Runs all queries on one machine and on several, and compares; most plans have a scan of a kind.
pub async fn compare(platform: &Platform, workers: &[WorkerProcess], options: Options, scan: &str) {
    let (alone, cluster) = (platform.alone(options.clone()), platform.session(workers, options));
    let (mut distributed, mut scans) = (0, 0);
    for Query { name, sql: query, ordered } in queries(platform) {
        let plan = sql(&cluster, &query).await.unwrap().create_physical_plan().await.unwrap();
        let plan = displayable(plan.as_ref()).indent(false).to_string();
        distributed += usize::from(plan.contains("DistributedExec"));
        scans += usize::from(plan.contains(scan));
        let mut expected = rows(&alone, &query).await.unwrap();
        let mut found = rows(&cluster, &query).await.unwrap_or_else(|error| panic!("{name}: {error}\n{plan}"));
        if !ordered {
            expected.sort_unstable();
            found.sort_unstable();
        }
        assert!(!expected.is_empty(), "{name}");
        assert!(found == expected, "{name}: {} rows, and {} on one machine\n{plan}", found.len(), expected.len());
    }
    println!("{distributed} of {} queries were distributed, {scans} have {scan}", queries(platform).len());
    assert!(distributed >= 10 && scans >= 10, "{distributed} queries were distributed, {scans} have {scan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_from_rows_are_those_of_one_machine() {
    let platform = Platform::sandbox().await;
    compare(&platform, &platform.workers(2), Options::default().parquet(false), ROWS_SCAN).await;
    assert!(platform.requests_of_workers() > 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_from_parquet_copies_are_those_of_one_machine() {
    let platform = Platform::sandbox().await;
    compare(&platform, &platform.workers(2), Options::default(), COPY_SCAN).await;
    let (sandbox, path) = (platform.sandbox.as_ref().unwrap(), crate::support::COPY);
    let ranges = sandbox.requests().into_iter().filter(|request| request.path == path);
    let of_workers = ranges.filter(|request| request.header("user-agent") != Some(crate::support::COORDINATOR));
    assert!(of_workers.count() > 10);
    platform.requests_of_workers();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_and_metrics_are_read_by_workers_too() {
    let platform = Platform::sandbox().await;
    let workers = platform.workers(2);
    let (alone, cluster) = (platform.alone(Options::default()), platform.session(&workers, Options::default()));
    platform.requests_of_workers();
    let query = format!(
        "SELECT d.title, sum(m.monthly_visit), max(b.n) FROM metrics.datasets m JOIN catalog.datasets d ON d.id = m.dataset_id
         CROSS JOIN (SELECT max(n) AS n FROM resource('{}') WHERE nom LIKE 'L%') b GROUP BY d.title",
        platform.big
    );
    let (mut expected, mut found) = (rows(&alone, &query).await.unwrap(), rows(&cluster, &query).await.unwrap());
    expected.sort_unstable();
    found.sort_unstable();
    assert!(!expected.is_empty());
    assert_eq!(found, expected);
    assert!(platform.requests_of_workers() > 0);
}
