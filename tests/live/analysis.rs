//! The analysis of files that are not tables.

use datagouv::main::types::ResourceInput;
use datagouv::objects::Analysis;

use crate::publisher::{patient, publish, publish_table};
use crate::run;
use crate::support::dataset;

/// The step and the message of the error of an analysis.
fn reason(analysis: &Analysis) -> (&str, &str) {
    let error = analysis.rows_error().unwrap_or_else(|| panic!("it has rows: {analysis:#?}"));
    assert!(!analysis.has_rows() && analysis.table.is_none());
    (&error.step, &error.message)
}

#[test]
fn the_analysis_of_a_file_without_a_table_has_a_reason() {
    run(|live| async move {
        let client = live.user();
        let long = format!("a,b\n{}1,2,3\n{}", "1,2\n".repeat(4), "1,2\n".repeat(10));
        let uneven = "Number of columns is not even across the first 10 rows (detected separator: ,).";
        let cases = [
            ("csv", String::new(), "Could not accurately retrieve headers position"),
            ("csv", "a,b,c\n".to_owned(), "Table seems to be empty"),
            ("csv", long, uneven),
            ("csv", format!("a;b;\n{}", "1;2;\n".repeat(10)), "Could not accurately detect the file's columns"),
        ];
        for (extension, content, message) in cases {
            let resource = publish(&client, extension, content).await;
            let analysis = resource.wait_for_analysis(patient()).await.unwrap();
            assert_eq!(reason(&analysis), ("csv_detective", message));
            let error = resource.rows::<datagouv::rows::Row>().count().await.unwrap_err();
            assert!(error.is_not_found() && error.is_not_tabular(), "{error}");
        }
    });
}

#[test]
fn a_file_that_is_too_large_is_not_analysed() {
    run(|live| async move {
        let client = live.user();
        // Beyond 12.5 MiB, which is the most for a workbook.
        let resource = publish(&client, "xlsx", vec![0; 13_500_000]).await;
        let analysis = resource.wait_for_analysis(patient()).await.unwrap();
        assert_eq!(analysis.error.as_deref(), Some("File too large to download"), "{analysis:#?}");
        assert_eq!((analysis.has_rows(), analysis.rows_error()), (false, None));
    });
}

#[test]
fn a_url_without_a_response_is_not_available() {
    run(|live| async move {
        let client = live.user();
        let dataset = client.dataset(dataset(&client).await.id);
        // No server listens there.
        let resource = ResourceInput::remote("Ailleurs", "http://127.0.0.1:59/donnees.csv").format("csv");
        let resource = dataset.resource(dataset.create_remote(resource).await.unwrap().id);
        let analysis = resource.wait_for_analysis(patient()).await.unwrap();
        assert_eq!((analysis.available, analysis.status, analysis.timed_out), (Some(false), None, Some(false)));
        assert!(analysis.check_error.is_some_and(|error| error.contains("Cannot connect")));
    });
}

#[test]
fn a_sysadmin_requests_a_new_analysis() {
    run(|live| async move {
        let csv = "code;nom\n29019;Brest\n35238;Rennes\n";
        let (resource, before) = publish_table(&live.user(), "csv", csv).await;
        assert!(resource.request_analysis().await.unwrap_err().is_forbidden());
        let after = live.admin().resource(resource.id()).analyse(patient()).await.unwrap();
        assert_eq!(after.table, before.table);
        let started = |analysis: &Analysis| analysis.parsing_started_at.as_ref().map(ToString::to_string);
        assert!(started(&after) > started(&before), "{after:#?}");
    });
}
