//! Tables of many blocks of rows, which several threads decode.

use std::rc::Rc;

use serde::Deserializer;

use super::*;

/// A row that is not `Send`, with the thread that it is made on.
#[derive(Deserialize)]
struct Local {
    #[serde(deserialize_with = "shared")]
    n: Rc<u64>,
}

thread_local! {
    static MADE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rc<u64>, D::Error> {
    MADE.set(MADE.get() + 1);
    u64::deserialize(deserializer).map(Rc::new)
}

#[tokio::test]
async fn rows_are_in_order_and_made_where_the_stream_is_polled() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(120_000));
    let mut rows = client.resource(TABLE).rows::<Local>().stream();
    let mut expected = 1..;
    while let Some(row) = rows.next().await {
        assert_eq!(Some(*row.unwrap().n), expected.next());
    }
    assert_eq!((expected.next(), rows.so_far()), (Some(120_001), 120_000));
    assert_eq!(MADE.get(), 120_000);
}

#[tokio::test]
async fn a_row_of_any_block_that_cannot_be_decoded_is_an_error_in_its_place() {
    let (sandbox, client) = platform().await;
    let mut table = counted(90_000);
    for place in [500, 40_000, 89_999] {
        table.rows[place][0] = Value::Null;
    }
    sandbox.add_table(TABLE, table);
    let mut rows = client.resource(TABLE).rows::<Counted>().stream();
    let (mut numbers, mut errors) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next().await {
        match row {
            Ok(row) => numbers.push(row.n),
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert_eq!(numbers, (1..90_000).filter(|n| ![501, 40_001].contains(n)).collect::<Vec<u64>>());
    assert_eq!(errors.len(), 3, "{errors:?}");
    for (error, place) in errors.iter().zip(["row 501, column n", "row 40001, column n", "row 90000, column n"]) {
        assert!(error.contains(place), "{error}");
    }
}

#[tokio::test]
async fn a_limit_ends_the_rows_within_a_block() {
    let (sandbox, client) = platform().await;
    sandbox.add_table(TABLE, counted(120_000));
    for limit in [1, 999, 1_000, 1_001, 54_321, 120_000, 200_000] {
        let rows = client.resource(TABLE).rows::<Counted>().limit(limit);
        assert_eq!(numbers(rows).await.unwrap(), (1..=limit.min(120_000)).collect::<Vec<u64>>());
    }
}
