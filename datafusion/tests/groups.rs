//! Groups of the server: which queries have them, and which do not.

mod support;

use datafusion::prelude::SessionContext;
use datagouv_datafusion::{Options, register_with, sql};
use datagouv_sandbox::platform::NewTable;
use serde_json::{Value, json};

use support::{Served, every_type, explain, rows, serve, table};

const LISTED: &str = "0d1e2f30-4152-4637-8495-a6b7c8d9eafd";
const UNLISTED: &str = "0d1e2f30-4152-4637-8495-a6b7c8d9eafe";

fn aggregated(rows: i64) -> NewTable {
    NewTable { aggregates: true, ..every_type(rows) }
}

async fn with_table(table: NewTable) -> Served {
    let served = serve(Options::default().parquet(false)).await;
    served.sandbox.add_table(UNLISTED, NewTable { aggregates: false, ..table.clone() });
    served.sandbox.add_table(LISTED, table);
    for (name, id) in [("t", LISTED), ("u", UNLISTED)] {
        sql(&served.context, &format!("CREATE VIEW {name} AS SELECT * FROM resource('{id}')")).await.unwrap();
    }
    served.sandbox.take_requests();
    served
}

async fn sorted(context: &SessionContext, query: &str) -> Vec<String> {
    let mut rows = rows(context, query).await.unwrap();
    rows.sort_unstable();
    rows
}

#[tokio::test]
async fn few_groups_are_one_request() {
    let served = with_table(aggregated(60_000)).await;
    // The list is requested once.
    rows(&served.context, "SELECT max(n) FROM t").await.unwrap();
    served.sandbox.take_requests();
    for (query, expected) in [
        ("SELECT ok, count(*), avg(n) FROM t GROUP BY ok", vec!["false|30000|30000.0", "true|30000|30001.0"]),
        ("SELECT count(vide), sum(vide), avg(vide), max(x) FROM t", vec!["0|||7499.875"]),
        ("SELECT count(*) AS c, sum(n) FROM t WHERE n > 99999", vec!["0|"]),
        ("SELECT nom, count(nom) FROM t WHERE n <= 12 GROUP BY nom", vec!["Nice|4", "Nîmes|3", "|0", "|4"]),
        ("SELECT DISTINCT ok FROM t", vec!["false", "true"]),
        ("SELECT ok, count(DISTINCT nom) FROM t GROUP BY ok", vec!["false|3", "true|3"]),
        (
            "SELECT k, m FROM (SELECT ok AS k, min(jour) AS m, max(instant) FROM t GROUP BY ok) u WHERE k",
            vec!["true|2024-01-01"],
        ),
        ("SELECT ok FROM t GROUP BY ok HAVING count(*) > 1 AND max(n) < 60000", vec!["false"]),
    ] {
        let plan = explain(&served.context, query).await;
        assert!(plan.contains("DatagouvGroupsExec") && plan.contains("requests=1 (while planning)"), "{query}\n{plan}");
        served.sandbox.take_requests();
        assert_eq!(sorted(&served.context, query).await, expected, "{query}");
        let requests: Vec<String> = served.sandbox.take_requests().into_iter().map(|request| request.query).collect();
        assert_eq!(requests.len(), 1, "{query}: {requests:?}");
    }
    // How many groups there are, the plan knows.
    let query = "SELECT count(*) FROM (SELECT ok, nom FROM t GROUP BY ok, nom) u";
    assert!(!explain(&served.context, query).await.contains("DatagouvRowsExec"));
    assert_eq!(rows(&served.context, query).await.unwrap(), ["7"]);
}

#[tokio::test]
async fn the_plan_shows_what_the_server_groups() {
    let served = with_table(aggregated(50)).await;
    let query = "SELECT ok, nom, count(*), avg(x), min(jour) FROM t WHERE n > 3 GROUP BY ok, nom";
    let plan = explain(&served.context, query).await;
    let expected = format!(
        "DatagouvGroupsExec: resource {LISTED}, because=the server groups, filter=n > 3, group by=[ok, nom], \
         aggregates=[count(*), sum(x) / count(x), min(jour)], groups=7, requests=1 (while planning)"
    );
    assert!(plan.contains(&expected), "{plan}");
    let requests = served.sandbox.take_requests();
    let request = requests.iter().find(|request| request.path.ends_with("/data/")).unwrap();
    for part in ["n__strictly_greater=3", "ok__groupby&nom__groupby&", "__id__count", "x__sum", "x__count", "jour__min"]
    {
        assert!(request.query.contains(part), "{part}: {}", request.query);
    }
}

#[tokio::test]
async fn what_the_server_groups_otherwise_is_grouped_here() {
    let served = with_table(aggregated(500)).await;
    for query in [
        // To Arrow, zero and minus zero are two values.
        "SELECT x, count(*) FROM t GROUP BY x",
        // The least text is that of the database's collation, and the database compares neither truth values nor JSON.
        "SELECT min(nom) FROM t",
        "SELECT max(ok) FROM t",
        "SELECT arbre, count(*) FROM t GROUP BY arbre",
        "SELECT count(arbre) FROM t",
        // The rows that match are not known to the server.
        "SELECT ok, count(*) FROM t WHERE nom LIKE 'N%' GROUP BY ok",
        "SELECT n % 2, count(*) FROM t GROUP BY n % 2",
        "SELECT sum(n + 1) FROM t",
        "SELECT sum(CAST(n AS DOUBLE)) FROM t",
        "SELECT sum(n) FILTER (WHERE ok) FROM t",
        "SELECT array_agg(n ORDER BY n) FROM t",
        "SELECT stddev(n) FROM t",
        "SELECT sum(DISTINCT n), count(DISTINCT ok) FROM t",
        "SELECT ok, nom, count(*) FROM t GROUP BY ROLLUP (ok, nom)",
        "SELECT max(n) FROM (SELECT n FROM t LIMIT 3) u",
        "SELECT max(t.n) FROM t JOIN u ON u.n = t.n",
    ] {
        let plan = explain(&served.context, query).await;
        assert!(!plan.contains("DatagouvGroupsExec") && plan.contains("AggregateExec"), "{query}\n{plan}");
        assert!(!plan.contains("grouped here"), "{query}\n{plan}");
    }
    // The number of rows alone is known for every resource.
    let plan = explain(&served.context, "SELECT count(*) FROM t WHERE ok").await;
    assert!(plan.contains("rows=250") || plan.contains("250 as count(*)"), "{plan}");
}

#[tokio::test]
async fn the_list_is_requested_once_and_others_are_grouped_here() {
    let served = with_table(aggregated(500)).await;
    for _ in 0..3 {
        let query = "SELECT ok, count(*), sum(n) FROM u GROUP BY ok ORDER BY ok";
        assert_eq!(rows(&served.context, query).await.unwrap(), ["false|250|62500", "true|250|62750"]);
    }
    let requests = served.sandbox.take_requests();
    assert_eq!(requests.iter().filter(|request| request.path.contains("aggregation-exceptions")).count(), 1);
    assert!(requests.iter().all(|request| !request.query.contains("__groupby")), "{requests:?}");
    let plan = explain(&served.context, "SELECT ok, max(n) FROM u GROUP BY ok").await;
    assert!(plan.contains("; grouped here: the resource is not on the server's list"), "{plan}");
}

#[tokio::test]
async fn groups_can_be_turned_off() {
    let served = with_table(aggregated(50)).await;
    let context = SessionContext::new();
    register_with(&context, &served.client, Options::default().parquet(false).groups(false)).unwrap();
    let plan = explain(&context, &format!("SELECT ok, max(n) FROM resource('{LISTED}') GROUP BY ok")).await;
    assert!(plan.contains("DatagouvRowsExec") && !plan.contains("grouped here"), "{plan}");
    assert!(served.sandbox.take_requests().iter().all(|request| !request.path.contains("aggregation-exceptions")));
}

#[tokio::test]
async fn many_groups_are_made_here() {
    let served = with_table(aggregated(500)).await;
    let query = "SELECT n, count(*) FROM t WHERE n <= 200 GROUP BY n";
    let plan = explain(&served.context, query).await;
    assert!(plan.contains("; grouped here: there are more than 199 groups"), "{plan}");
    assert_eq!(rows(&served.context, query).await.unwrap().len(), 200);
    // So many may be on several pages of a server, which the number of rows shows to be of one version of the table.
    let query = "SELECT n, count(*) FROM t WHERE n <= 199 GROUP BY n";
    let plan = explain(&served.context, query).await;
    assert!(plan.contains("groups=199, requests=at most 5 (while planning)"), "{plan}");
    assert_eq!(rows(&served.context, query).await.unwrap().len(), 199);
}

#[tokio::test]
async fn groups_with_values_that_the_server_has_otherwise_are_made_here() {
    let row = |k: &str, x: Value, n: i64| vec![json!(k), x, json!(n)];
    let values = [
        row("a", json!(1.5), i64::MAX - 1),
        row("a", json!("NaN"), 7),
        row("b", json!(0.5), 3),
        row("b", json!(1.0), 1),
    ];
    let table = table([("k", "string"), ("x", "float"), ("n", "int")], values);
    let served = with_table(NewTable { aggregates: true, ..table }).await;
    let plan = explain(&served.context, "SELECT k, max(x) FROM t GROUP BY k").await;
    assert!(plan.contains("; grouped here: `x` has NaN"), "{plan}");
    // The sum does not fit 64 bits, the mean does not need it to.
    let query = "SELECT k, avg(n) FROM t GROUP BY k";
    let plan = explain(&served.context, query).await;
    assert!(plan.contains("; grouped here: the server's groups cannot be used"), "{plan}");
    assert_eq!(sorted(&served.context, query).await, ["a|4.611686018427388e18", "b|2.0"]);
    let query = "SELECT k, max(x), min(n) FROM t WHERE k = 'b' GROUP BY k";
    assert!(explain(&served.context, query).await.contains("DatagouvGroupsExec"));
    assert_eq!(sorted(&served.context, query).await, ["b|1.0|1"]);
}

#[tokio::test]
async fn columns_without_an_index_are_aggregated_here() {
    let served = with_table(NewTable { indexes: Some(vec!["ok".to_owned(), "n".to_owned()]), ..aggregated(500) }).await;
    let query = "SELECT ok, max(n), avg(n) FROM t GROUP BY ok";
    let plan = explain(&served.context, query).await;
    assert!(plan.contains("groups=2, requests=1, and 1 (while planning)"), "{plan}");
    assert_eq!(sorted(&served.context, query).await, ["false|499|250.0", "true|500|251.0"]);
    for query in ["SELECT ok, max(n), count(*) FROM t GROUP BY ok", "SELECT nom, max(n) FROM t GROUP BY nom"] {
        let plan = explain(&served.context, query).await;
        assert!(plan.contains("; grouped here: the server's groups cannot be used"), "{query}\n{plan}");
    }
}

#[tokio::test]
async fn groups_of_metrics_are_the_server_s() {
    let served = with_table(aggregated(1)).await;
    let query = "SELECT metric_month, sum(monthly_visit) FROM metrics.datasets GROUP BY metric_month";
    let plan = explain(&served.context, query).await;
    assert!(plan.contains("DatagouvGroupsExec: metrics datasets"), "{plan}");
    let context = SessionContext::new();
    register_with(&context, &served.client, Options::default().groups(false)).unwrap();
    assert_eq!(sorted(&served.context, query).await, sorted(&context, query).await);
    // Some rows have no number to be counted by.
    let plan =
        explain(&served.context, "SELECT metric_month, count(*) FROM metrics.datasets GROUP BY metric_month").await;
    assert!(!plan.contains("DatagouvGroupsExec"), "{plan}");
}

#[tokio::test]
async fn grouped_tables_with_different_filters_are_not_taken_for_one() {
    let served = with_table(aggregated(500)).await;
    let query = "
        SELECT ok, count(*) FROM t WHERE n <= 3 GROUP BY ok
        UNION SELECT ok, count(*) FROM t WHERE n <= 4 GROUP BY ok
        UNION SELECT ok, count(*) FROM t WHERE n <= 9 GROUP BY ok";
    let expected = ["false|2", "false|5", "true|1", "true|2", "true|4"];
    assert_eq!(sorted(&served.context, query).await, expected);
}

#[tokio::test]
async fn a_column_whose_aggregate_the_database_would_rename_is_aggregated_here() {
    let name = "n".repeat(57);
    let table = table([(name.as_str(), "int"), ("k", "string")], (1..=5).map(|n| vec![json!(n), json!("a")]));
    let served = with_table(NewTable { aggregates: true, ..table }).await;
    for (query, pushed, expected) in [
        (format!("SELECT k, sum({name}) FROM t GROUP BY k"), true, "a|15"),
        (format!("SELECT k, count({name}) FROM t GROUP BY k"), false, "a|5"),
    ] {
        assert_eq!(explain(&served.context, &query).await.contains("DatagouvGroupsExec"), pushed, "{query}");
        assert_eq!(rows(&served.context, &query).await.unwrap(), [expected]);
    }
}
