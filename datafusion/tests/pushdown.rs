//! What the servers are asked for: the table of the README, line by line.

mod support;

use datafusion::prelude::SessionContext;
use datagouv_datafusion::{Options, register_with, sql};
use serde_json::json;

use support::{Served, every_type, explain, rows, serve, table};

const MANY: &str = "0d1e2f30-4152-4637-8495-a6b7c8d9eafb";

async fn with_rows(count: i64) -> Served {
    let served = serve(Options::default().parquet(false)).await;
    served.sandbox.add_table(MANY, every_type(count));
    sql(&served.context, &format!("CREATE VIEW t AS SELECT * FROM resource('{MANY}')")).await.unwrap();
    served.sandbox.take_requests();
    served
}

#[tokio::test]
async fn counts_limits_and_first_rows_are_one_request_each() {
    let served = with_rows(60_000).await;
    for (query, expected) in [
        ("SELECT count(*) FROM t", vec!["60000"]),
        ("SELECT count(*) FROM t WHERE n > 59990 AND nom IS NOT NULL", vec!["9"]),
        ("SELECT n FROM t LIMIT 3", vec!["1", "2", "3"]),
        ("SELECT n FROM t WHERE n > 10 LIMIT 2 OFFSET 1", vec!["12", "13"]),
        ("SELECT n FROM t ORDER BY x DESC NULLS LAST LIMIT 4", vec!["59999", "59998", "59997", "59995"]),
        ("SELECT m FROM (SELECT n AS m, x AS y FROM t) u ORDER BY y DESC, m LIMIT 2", vec!["4", "8"]),
        ("SELECT n FROM t WHERE ok ORDER BY jour NULLS FIRST, n DESC LIMIT 1", vec!["59976"]),
    ] {
        assert_eq!(rows(&served.context, query).await.unwrap(), expected, "{query}");
        let requests: Vec<String> = served.sandbox.take_requests().into_iter().map(|request| request.query).collect();
        assert_eq!(requests.len(), 1, "{query}: {requests:?}");
    }
}

#[tokio::test]
async fn a_filter_that_no_row_matches_is_one_request() {
    let served = with_rows(60_000).await;
    let query = "SELECT n, nom FROM t WHERE n > 60000";
    assert!(explain(&served.context, query).await.contains("rows=0, partitions=1, requests=1 (while planning)"));
    served.sandbox.take_requests();
    assert_eq!(rows(&served.context, query).await.unwrap(), [""; 0]);
    assert_eq!(served.sandbox.take_requests().len(), 1);
}

#[tokio::test]
async fn what_the_server_sorts_otherwise_is_sorted_here() {
    let served = with_rows(500).await;
    for query in [
        // The order of texts is that of the database's collation.
        "SELECT nom FROM t ORDER BY nom LIMIT 2",
        // The rows that match are not known to the server.
        "SELECT n FROM t WHERE nom LIKE 'N%' ORDER BY n LIMIT 2",
        "SELECT n FROM t ORDER BY n % 7 LIMIT 2",
        "SELECT n FROM t ORDER BY n",
    ] {
        let plan = explain(&served.context, query).await;
        assert!(plan.contains("SortExec") && !plan.contains("sort=["), "{query}\n{plan}");
    }
}

#[tokio::test]
async fn filters_are_exact_inexact_or_not_pushed_as_the_server_compares() {
    let served = with_rows(50).await;
    let exact = [
        ("n = 3", "n = 3"),
        ("3 < n", "n > 3"),
        ("n BETWEEN 3 AND 5", "n >= 3 and n <= 5"),
        ("NOT (n BETWEEN 3 AND 5)", "n < 3 or n > 5"),
        ("n <> 3", "n != 3"),
        ("n IS DISTINCT FROM 3", "n is distinct from 3"),
        ("n IN (1, 2, 3, 4, 5)", "n in (1, 2, 3, 4, 5)"),
        ("n NOT IN (1, 2, 3, 4)", "n not in (1, 2, 3, 4)"),
        ("nom NOT IN ('a', 'b', 'c', 'd', NULL)", "false"),
        ("x >= 2.5", "x >= 2.5"),
        ("ok", "ok = true"),
        ("NOT ok", "ok = false"),
        ("ok IS NOT TRUE", "ok is distinct from true"),
        ("nom = 'Nice'", "nom = Nice"),
        ("nom <> 'Nice'", "nom != Nice"),
        ("nom IS NULL", "nom is null"),
        ("nom = 'Nice' OR n = 3", "nom = Nice or n = 3"),
        ("NOT (nom = 'Nice' AND n = 3)", "nom != Nice or n != 3"),
        ("jour >= DATE '2024-01-05'", "jour >= 2024-01-05"),
        ("jour = '2024-01-05'", "jour = 2024-01-05"),
        ("instant < TIMESTAMP '2024-01-05 08:30:00'", "instant < 2024-01-05T08:30:00.000000"),
    ];
    for (filter, pushed) in exact {
        let plan = explain(&served.context, &format!("SELECT n FROM t WHERE {filter}")).await;
        let nothing = pushed == "false" && plan.contains("EmptyExec");
        assert!(
            nothing || (plan.contains(&format!("filter={pushed},")) && !plan.contains("FilterExec")),
            "{filter}\n{plan}"
        );
    }
    let inexact = [
        ("nom LIKE 'N%'", "nom like %N%"),
        ("nom ILIKE 'skål%'", "nom like %___l%"),
        ("x < 0.0", "x <= 0"),
        ("arbre IS NOT NULL", "arbre is not null"),
        ("n = 3 AND nom LIKE '%e'", "n = 3 and nom like %e%"),
    ];
    for (filter, pushed) in inexact {
        let plan = explain(&served.context, &format!("SELECT n FROM t WHERE {filter}")).await;
        assert!(plan.contains(&format!("filter={pushed},")) && plan.contains("FilterExec"), "{filter}\n{plan}");
    }
    for filter in [
        "nom < 'M'",
        "nom NOT LIKE 'N%'",
        "arbre = '[1]'",
        "n % 2 = 0",
        "upper(nom) = 'NICE'",
        "n = x",
        "nom LIKE 'N%' OR nom < 'M'",
        "x NOT IN (0, 1, 2, 3)",
    ] {
        let plan = explain(&served.context, &format!("SELECT n FROM t WHERE {filter}")).await;
        assert!(plan.contains("filter=true,") && plan.contains("FilterExec"), "{filter}\n{plan}");
    }
}

#[tokio::test]
async fn servers_without_alternatives_get_none() {
    let served = with_rows(50).await;
    let context = SessionContext::new();
    register_with(&context, &served.client, Options::default().parquet(false).alternatives(false)).unwrap();
    for (filter, pushed) in [
        ("n = 3 OR nom = 'Nice'", "true"),
        ("n = 3 OR n = 4", "n in (3, 4)"),
        ("n IN (3, NULL, 4)", "n in (3, 4)"),
        ("NOT (n <> 3 AND n <> 4)", "n in (3, 4)"),
    ] {
        let plan = explain(&context, &format!("SELECT n FROM resource('{MANY}') WHERE {filter}")).await;
        assert!(plan.contains(&format!("filter={pushed},")), "{filter}\n{plan}");
    }
}

#[tokio::test]
async fn only_the_columns_that_a_query_uses_are_sent() {
    let served = with_rows(50).await;
    let query = "SELECT nom, max(x) FROM t WHERE ok AND n % 2 = 0 GROUP BY nom";
    rows(&served.context, query).await.unwrap();
    let requests = served.sandbox.take_requests();
    let export = requests.iter().find(|request| request.path.ends_with("/csv/")).unwrap();
    assert!(export.query.contains("columns=n,x,nom,__id"), "{}", export.query);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_are_ranges_of_row_numbers_and_share_few_requests() {
    let served = with_rows(230_000).await;
    let context = SessionContext::new_with_config(datafusion::prelude::SessionConfig::new().with_target_partitions(16));
    register_with(&context, &served.client, Options::default().parquet(false)).unwrap();
    let query = format!("SELECT sum(n), count(n) FROM resource('{MANY}') WHERE n > 1000");
    let plan = explain(&context, &query).await;
    assert!(plan.contains("partitions=4, requests=1 (while planning) and about 9"), "{plan}");
    served.sandbox.take_requests();
    let sum = (1_001..=230_000_i64).sum::<i64>();
    assert_eq!(rows(&context, &query).await.unwrap(), [format!("{sum}|229000")]);
    let requests = served.sandbox.take_requests();
    let exports = requests.iter().filter(|request| request.path.ends_with("/csv/")).count();
    assert!(exports <= 12, "a narrow and two wide windows for each partition: {exports}");
    assert!(served.sandbox.peak_in_flight() <= 4, "{}", served.sandbox.peak_in_flight());
}

#[tokio::test]
async fn filters_that_are_too_long_for_a_request_are_applied_here() {
    let served = with_rows(200).await;
    // Each fits, both together do not.
    let items = |from: i32| (from..from + 900).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let filters = format!("n NOT IN ({}) AND x NOT IN ({})", items(51), items(5_000));
    let query = format!("SELECT count(*) FROM t WHERE {filters}");
    // The first 50, without the 12 of which `x` is null.
    assert_eq!(rows(&served.context, &query).await.unwrap(), ["38"]);
    let query = format!("SELECT jour FROM t WHERE {filters} LIMIT 2");
    served.sandbox.take_requests();
    assert_eq!(rows(&served.context, &query).await.unwrap(), ["2024-01-02", "2024-01-03"]);
    let requests = served.sandbox.take_requests();
    assert!(requests.iter().any(|request| request.query.contains("n__notin=51,52")), "{requests:?}");
    assert!(requests.iter().any(|request| request.query.contains("columns=jour,x,__id")), "{requests:?}");
}

#[tokio::test]
async fn row_numbers_are_a_column_where_they_are_wanted() {
    let served = with_rows(300).await;
    let context = SessionContext::new();
    register_with(&context, &served.client, Options::default().row_numbers(true)).unwrap();
    let from = format!("FROM resource('{MANY}')");
    assert_eq!(
        rows(&context, &format!("SELECT __id, n {from} WHERE __id > 298")).await.unwrap(),
        ["299|299", "300|300"]
    );
    // Beyond what the database takes for a row number.
    assert_eq!(rows(&context, &format!("SELECT count(*) {from} WHERE __id < 99999999999")).await.unwrap(), ["300"]);
    let plan = explain(&context, &format!("SELECT __id {from} ORDER BY __id")).await;
    assert!(!plan.contains("SortExec"), "windows come in their order\n{plan}");
}

#[tokio::test]
async fn a_table_that_changes_after_planning_is_an_error() {
    let served = with_rows(300).await;
    let frame = sql(&served.context, "SELECT n, nom FROM t").await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    served.sandbox.add_table(MANY, table([("n", "string")], [vec![json!("x")]]));
    let error = datafusion::physical_plan::collect(plan, served.context.task_ctx()).await.unwrap_err();
    assert!(!error.to_string().is_empty());
}

#[tokio::test]
async fn a_join_asks_for_the_rows_that_the_smaller_side_can_match() {
    let served = with_rows(60_000).await;
    let small = "0d1e2f30-4152-4637-8495-a6b7c8d9eafc";
    let keys = [vec![json!(7), json!("a")], vec![json!(50_000), json!("b")], vec![json!(null), json!("c")]];
    served.sandbox.add_table(small, table([("k", "int"), ("name", "string")], keys));
    let query = format!("SELECT s.name, t.n, t.jour FROM resource('{small}') s JOIN t ON t.n = s.k ORDER BY t.n");
    let plan = explain(&served.context, &query).await;
    assert!(plan.contains("when it runs=DynamicFilter"), "{plan}");
    served.sandbox.take_requests();
    assert_eq!(rows(&served.context, &query).await.unwrap(), ["a|7|2024-01-08", "b|50000|2024-01-21"]);
    let exports: Vec<String> = served.sandbox.take_requests().into_iter().map(|request| request.query).collect();
    assert!(exports.iter().any(|query| query.contains("n__in=7,50000")), "{exports:?}");
    // A limit comes first.
    let query = format!("SELECT s.name FROM resource('{small}') s JOIN (SELECT n FROM t LIMIT 5) u ON u.n = s.k");
    assert_eq!(rows(&served.context, &query).await.unwrap(), [""; 0]);
    // A column may be of 32 bits in the database, which refuses to compare it with more.
    served.sandbox.take_requests();
    let query = "SELECT t.n FROM (VALUES (5000000000), (3)) v(k) JOIN t ON t.n = v.k";
    assert_eq!(rows(&served.context, query).await.unwrap(), ["3"]);
    let requests = served.sandbox.take_requests();
    assert!(requests.iter().all(|request| !request.query.contains("5000000000")), "{requests:?}");
}
