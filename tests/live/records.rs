//! Rows of the tabular API and records of the same file are equal.

use datagouv::objects::ResourceHandle;
use datagouv::records::RecordSource;
use datagouv::rows::Row;
use serde_json::{Value, json};

use crate::publisher::{patient, publish, publish_table};
use crate::run;
use crate::support::gzip;

/// The name of a column, and its cell in a line.
type Column = (&'static str, fn(usize) -> String);

async fn rows(resource: &ResourceHandle, from_file: bool) -> (Vec<Row>, RecordSource) {
    let records = resource.records::<Row>();
    let records = if from_file { records.from_file() } else { records };
    let mut records = records.open().await.unwrap();
    let mut rows = Vec::new();
    while let Some(row) = records.next().await {
        rows.push(row.unwrap());
    }
    (rows, records.source().clone())
}

/// Compares both, cell by cell.
async fn same(resource: &ResourceHandle, lines: usize) -> (Vec<Row>, RecordSource) {
    let (of_api, origin) = rows(resource, false).await;
    assert_eq!(origin, RecordSource::Tabular);
    let (of_file, origin) = rows(resource, true).await;
    assert_eq!((of_api.len(), of_file.len()), (lines, lines));
    for (number, (of_api, of_file)) in of_api.iter().zip(&of_file).enumerate() {
        assert!(of_api.iter().eq(of_file.iter()), "row {number}: {of_api:?} of the API, {of_file:?} of the file");
    }
    let RecordSource::File { detected, .. } = &origin else { panic!("not from the file") };
    assert!(detected.typed, "{origin:?}");
    (of_file, origin)
}

/// A table with a column of every type that the analyser knows; every third line is empty in all but the first.
fn table(separator: char) -> String {
    let columns: [Column; 21] = [
        ("ligne", |n| format!("ligne n° {n}")),
        ("entier", |n| (n * 37).to_string()),
        ("grand", |n| (i64::MAX - n as i64).to_string()),
        ("négatif", |n| format!("-{n}.25")),
        ("virgule", |n| format!("\"{n},001\"")),
        ("rond", |n| format!("{n}.0")),
        ("petit", |n| format!("0.0000{n}7")),
        ("énorme", |n| format!("{n}9223372036854775808.5")),
        ("oui_non", |n| ["oui", "non"][n % 2].to_owned()),
        ("vrai", |n| ["VRAI", "FAUX"][n % 2].to_owned()),
        ("chiffre", |n| (n % 2).to_string()),
        ("date", |n| format!("2024-01-{:02}", n % 28 + 1)),
        ("jour_après_le_12", |n| format!("{}/01/2024", n % 15 + 13)),
        ("mois", |n| format!("{} mars 2024", n % 28 + 1)),
        ("compact", |n| format!("202401{:02}", n % 28 + 1)),
        ("instant", |n| format!("2024-01-02 01:30:{:02}.5", n + 10)),
        ("zone", |n| format!("2024-01-01T00:30:{:02}+02:00", n + 10)),
        ("objet", |n| format!("\"{{\"\"a\"\": [{n}, 1.50], \"\"b\"\": null}}\"")),
        ("postal", |n| format!("0{}", 1_000 + n)),
        ("texte", |n| format!("\"« l'été »; , \"\"n° {n}\"\"\nsur deux lignes\"")),
        ("mots", |n| ["NULL", "N/A", "nan", "-", "NA", "null", " x "][n % 7].to_owned()),
    ];
    let mut csv = columns.map(|(name, _)| name.to_owned()).join(&separator.to_string()) + "\n";
    for line in 0..45 {
        let cells = columns.iter().enumerate().map(
            |(index, (_, cell))| {
                if index > 0 && line % 3 == 2 { String::new() } else { cell(line) }
            },
        );
        csv.push_str(&(cells.collect::<Vec<_>>().join(&separator.to_string()) + "\n"));
    }
    csv
}

#[test]
fn cells_of_a_file_equal_those_of_the_tabular_api() {
    run(|live| async move {
        let client = live.user_for("records");
        for separator in [';', ','] {
            let (resource, _) = publish_table(&client, "csv", table(separator)).await;
            let (rows, origin) = same(&resource, 45).await;
            assert_eq!(rows[0]["virgule"], json!(0.001));
            assert_eq!(rows[1]["instant"], json!("2024-01-02T01:30:11.5"));
            let RecordSource::File { detected, .. } = origin else { panic!() };
            assert_eq!((detected.separator, detected.encoding), (Some(separator), "UTF-8"));
        }
        let (resource, _) = publish_table(&client, "csv.gz", gzip(table('\t').as_bytes())).await;
        same(&resource, 45).await;
    });
}

#[test]
fn encodings_are_detected_as_by_the_platform() {
    run(|live| async move {
        let client = live.user_for("encodings");
        let lines: String = (0..60).map(|n| format!("{n};Orléans-{n};café déjà vu, élève\n")).collect();
        let text = format!("n;ville;élément\n{lines}");
        let wide = |mark: &str, order: fn(u16) -> [u8; 2]| {
            mark.encode_utf16().chain(text.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
        };
        for bytes in [
            format!("\u{feff}{text}").into_bytes(),
            wide("\u{feff}", u16::to_le_bytes),
            wide("\u{feff}", u16::to_be_bytes),
            text.replace(';', "|").into_bytes(),
        ] {
            let (resource, _) = publish_table(&client, "csv", bytes).await;
            same(&resource, 60).await;
        }
    });
}

#[test]
fn a_day_that_the_platform_reads_as_a_month_is_correct_in_records() {
    run(|live| async move {
        let client = live.user_for("swapped days");
        let lines: String = (0..30).map(|n| format!("{n};{:02}/01/2024\n", n % 28 + 1)).collect();
        let (resource, _) = publish_table(&client, "csv", format!("n;jour\n{lines}")).await;
        let (of_file, _) = rows(&resource, true).await;
        assert_eq!((&of_file[1]["jour"], &of_file[14]["jour"]), (&json!("2024-01-02"), &json!("2024-01-15")));
    });
}

#[test]
fn a_file_that_the_platform_cannot_read_has_records() {
    run(|live| async move {
        let client = live.user_for("unread files");
        // Title lines and a name that is too long for the database.
        let titles = "Liste des communes\nau 1er janvier\n\nid;nom\n1;Ay\n2;Bû\n".to_owned();
        let long = format!("id;{}\n1;Ay\n2;Bû\n", "x".repeat(64));
        for csv in [titles, long] {
            let resource = publish(&client, "csv", csv).await;
            let analysis = resource.wait_for_analysis(patient()).await.unwrap();
            assert!(!analysis.has_rows());
            let (found, origin) = rows(&resource, false).await;
            let values: Vec<Value> = found.iter().map(|row| row.iter().nth(1).unwrap().1.clone()).collect();
            assert_eq!(values, [json!("Ay"), json!("Bû")]);
            let RecordSource::File { reason: Some(reason), .. } = &origin else { panic!("{origin:?}") };
            let error = analysis.rows_error().unwrap().to_string();
            assert!(reason.contains(&error), "{reason}");
        }
        // Not analysed yet, or never.
        let resource = publish(&client, "csv", "id;nom\n1;Ay\n2;Bû\n").await;
        let (found, _) = rows(&resource, false).await;
        assert_eq!(found.len(), 2);
    });
}
