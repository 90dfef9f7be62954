//! Tables of every type and encoding: the client reads the values of the file.

use datagouv::Client;
use datagouv::objects::ResourceHandle;
use datagouv::rows::{Row, col};
use serde_json::{Value, json};

use crate::publisher::{patient, publish_table};
use crate::run;
use crate::support::gzip;

/// A column: its name, the format that the analyser detects, and a cell of a line, as written and as read.
type Column = (&'static str, &'static str, fn(usize) -> (String, Value));

/// How many rows the small tables have: enough for the analyser to detect types and encodings.
const LINES: usize = 30;

fn row(columns: &[&str], values: &[Value]) -> Row {
    let pairs = columns.iter().zip(values).map(|(column, value)| ((*column).to_owned(), value.clone()));
    serde_json::from_value(Value::Object(pairs.collect())).unwrap()
}

/// The rows without their numbers, which must be those of the lines.
async fn rows(resource: &ResourceHandle) -> Vec<Row> {
    crate::cells::compare(resource.rows()).await.unwrap();
    let rows = resource.rows::<Row>().collect(100_000).await.unwrap();
    let without_number = |(index, row): (usize, &Row)| {
        assert_eq!(row["__id"], json!(index + 1));
        let others = row.iter().filter(|(column, _)| *column != "__id");
        serde_json::from_value(others.map(|(column, value)| (column.to_owned(), value.clone())).collect()).unwrap()
    };
    rows.iter().enumerate().map(without_number).collect()
}

/// The name and the format of each column, as the analyser has detected them.
async fn formats(client: &Client, resource: &ResourceHandle) -> Vec<(String, String)> {
    let profile = client.tabular().get_resource_profile().rid(resource.id()).send().await.unwrap();
    let profile = serde_json::to_value(&profile.profile).unwrap();
    let header = profile["header"].as_array().unwrap().clone();
    let name = |name: &Value| name.as_str().unwrap().to_owned();
    header.iter().map(|column| (name(column), name(&profile["columns"][column.as_str().unwrap()]["format"]))).collect()
}

/// Publishes columns of values, each with the value that is read, and compares all of them. Every
/// third line is empty in all columns but the first.
async fn typed(client: &Client, columns: &[Column]) {
    let names: Vec<&str> = columns.iter().map(|(name, ..)| *name).collect();
    let names: Vec<&str> = std::iter::once("ligne").chain(names).collect();
    let mut csv = format!("{}\n", names.join(";"));
    let mut expected = Vec::new();
    for line in 0..LINES {
        let (mut written, mut read) = (vec![format!("ligne {line}")], vec![json!(format!("ligne {line}"))]);
        for (.., cell) in columns {
            let (text, value) = if line % 3 == 2 { (String::new(), Value::Null) } else { cell(line) };
            written.push(text);
            read.push(value);
        }
        csv.push_str(&format!("{}\n", written.join(";")));
        expected.push(row(&names, &read));
    }
    let (resource, _) = publish_table(client, "csv", csv).await;
    let found = formats(client, &resource).await;
    for (name, format, _) in columns {
        let (_, found) = found.iter().find(|(column, _)| column == name).unwrap();
        assert_eq!(found, format, "the format of {name}");
    }
    for (read, expected) in rows(&resource).await.iter().zip(&expected) {
        assert_eq!(read, expected);
    }
    assert_eq!(resource.rows::<Row>().count().await.unwrap(), LINES as u64);
}

#[test]
fn numbers_and_booleans_keep_their_values() {
    run(|live| async move {
        let client = live.user_for("numbers");
        let columns: &[Column] = &[
            ("entier", "int", |n| ((n * 37).to_string(), json!(n * 37))),
            // Beyond what a double can hold.
            ("grand", "int", |n| {
                let number = i64::MAX - n as i64;
                (number.to_string(), json!(number))
            }),
            ("décimal", "float", |n| (format!("{n}.5"), json!(n as f64 + 0.5))),
            ("virgule", "float", |n| (format!("{n},25"), json!(n as f64 + 0.25))),
            ("oui_non", "bool", |n| (if n % 2 == 0 { "oui" } else { "non" }.to_owned(), json!(n % 2 == 0))),
            ("vrai_faux", "bool", |n| ((n % 2 == 0).to_string(), json!(n % 2 == 0))),
            ("énorme", "string", |n| {
                (format!("10000000000000000000{}", 10 + n), json!(format!("10000000000000000000{}", 10 + n)))
            }),
            ("téléphone", "string", |n| (format!("+{n}x"), json!(format!("+{n}x")))),
        ];
        typed(&client, columns).await;
    });
}

#[test]
fn dates_keep_their_values() {
    run(|live| async move {
        let client = live.user_for("dates");
        let columns: &[Column] = &[
            ("date", "date", |n| (format!("2024-01-{:02}", n % 28 + 1), json!(format!("2024-01-{:02}", n % 28 + 1)))),
            ("après_le_12", "date", |n| {
                (format!("{}/01/2024", n % 10 + 15), json!(format!("2024-01-{}", n % 10 + 15)))
            }),
            ("ancienne", "date", |n| {
                (format!("1815-06-{:02}", n % 28 + 1), json!(format!("1815-06-{:02}", n % 28 + 1)))
            }),
            ("instant", "datetime_naive", |n| {
                (format!("2024-01-02 01:30:{:02}", n + 10), json!(format!("2024-01-02T01:30:{:02}", n + 10)))
            }),
            ("zone", "datetime_aware", |n| {
                (
                    format!("2024-01-02T00:30:{:02}+02:00", n + 10),
                    json!(format!("2024-01-01T22:30:{:02}+00:00", n + 10)),
                )
            }),
        ];
        typed(&client, columns).await;
    });
}

#[test]
fn identifiers_and_json_keep_their_values() {
    run(|live| async move {
        let client = live.user_for("identifiers");
        let columns: &[Column] = &[
            ("code_insee", "code_commune", |n| (format!("0100{}", n % 9 + 1), json!(format!("0100{}", n % 9 + 1)))),
            ("courriel", "email", |n| (format!("a{n}@example.org"), json!(format!("a{n}@example.org")))),
            ("adresse", "url", |n| (format!("https://example.org/{n}"), json!(format!("https://example.org/{n}")))),
            ("uuid", "uuid", |n| {
                let uuid = format!("884762be-51f3-44c3-b811-1e14c5d89{n:03}");
                (uuid.clone(), json!(uuid))
            }),
            // Quoted, as CSV quotes.
            ("document", "json", |n| (format!("\"{{\"\"a\"\": {n}}}\""), json!({"a": n}))),
            ("part", "percent", |n| (format!("{n}%"), json!(format!("{n}%")))),
        ];
        typed(&client, columns).await;
    });
}

/// Two columns with letters that encodings differ in, and separators within quotes.
fn communes(separator: char) -> (String, Vec<Row>) {
    let names = ["Évry-Courcouronnes", "L'Haÿ-les-Roses", "Nœux-les-Mines", "Saint-Étienne"];
    let mut csv = format!("code{separator}dénomination{separator}remarque\n");
    let mut rows = Vec::new();
    for line in 0..LINES {
        let (name, remark) = (names[line % names.len()], format!("près de{separator} {line}"));
        csv.push_str(&format!("{}{separator}{name}{separator}\"{remark}\"\n", 91000 + line));
        rows.push(row(&["code", "dénomination", "remarque"], &[json!(91000 + line), json!(name), json!(remark)]));
    }
    (csv, rows)
}

async fn same_rows(client: &Client, extension: &str, content: Vec<u8>, expected: Vec<Row>) {
    let (resource, _) = publish_table(client, extension, content).await;
    let read = rows(&resource).await;
    // The codes of communes look like numbers or like codes.
    let texts = |row: &Row| {
        row.iter().map(|(name, value)| (name.to_owned(), value.to_string().replace('"', ""))).collect::<Vec<_>>()
    };
    assert_eq!(read.iter().map(texts).collect::<Vec<_>>(), expected.iter().map(texts).collect::<Vec<_>>());
}

#[test]
fn the_profile_has_every_separator() {
    run(|live| async move {
        for (name, separator) in [("semicolon", ';'), ("comma", ','), ("tab", '\t'), ("pipe", '|')] {
            let client = live.user_for(&format!("separator-{name}"));
            let (csv, expected) = communes(separator);
            same_rows(&client, "csv", csv.into_bytes(), expected).await;
        }
        let client = live.user_for("separator-none");
        let names: Vec<String> = (0..LINES).map(|line| format!("commune {line}")).collect();
        let expected = names.iter().map(|name| row(&["nom"], &[json!(name)])).collect();
        same_rows(&client, "csv", format!("nom\n{}\n", names.join("\n")).into_bytes(), expected).await;
    });
}

#[test]
fn the_profile_has_every_encoding() {
    run(|live| async move {
        let (csv, expected) = communes(';');
        let utf_16 = std::iter::once(0xfeff).chain(csv.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        // Latin-1 has no œ.
        let latin_1 = csv.replace('œ', "oe");
        let of_latin_1: Vec<Row> = expected
            .iter()
            .map(|row| serde_json::from_str(&serde_json::to_string(row).unwrap().replace('œ', "oe")).unwrap())
            .collect();
        let cases = [
            ("utf-8", csv.clone().into_bytes(), expected.clone()),
            ("utf-8-bom", format!("\u{feff}{csv}").into_bytes(), expected.clone()),
            ("utf-16", utf_16, expected),
            ("latin-1", latin_1.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect(), of_latin_1),
        ];
        for (name, content, expected) in cases {
            same_rows(&live.user_for(&format!("encoding-{name}")), "csv", content, expected).await;
        }
    });
}

#[test]
fn a_compressed_file_is_read_as_its_content() {
    run(|live| async move {
        let client = live.user_for("gzip");
        let (csv, expected) = communes(';');
        let (resource, analysis) = publish_table(&client, "csv.gz", gzip(csv.as_bytes())).await;
        assert_eq!(analysis.content_length, Some(csv.len() as i64));
        assert_eq!(rows(&resource).await.len(), expected.len());
    });
}

#[test]
fn the_first_sheet_of_a_workbook_is_a_table() {
    run(|live| async move {
        let client = live.user_for("xlsx");
        // Written by openpyxl: a sheet of 12 rows, and a second sheet.
        let (resource, _) = publish_table(&client, "xlsx", include_bytes!("files/communes.xlsx").to_vec()).await;
        let read = rows(&resource).await;
        let names = ["Brest", "Île-d'Yeu", "Saint-Étienne"];
        let columns = ["commune", "population", "surface", "date", "horodatage", "ouvert"];
        let expected = (0..12).map(|n| {
            let values = [
                json!(names[n % 3]),
                json!(1000 + n),
                json!(n as f64 + 0.25),
                json!(format!("2024-01-{:02}", n + 1)),
                json!(format!("2024-05-01T08:30:{n:02}")),
                json!(n % 2 == 0),
            ];
            row(&columns, &values)
        });
        assert_eq!(read, expected.collect::<Vec<_>>());
    });
}

#[test]
fn columns_of_any_name_are_read_filtered_and_sorted() {
    run(|live| async move {
        let client = live.user_for("names");
        let long = "é".repeat(31);
        let names = [
            "Température moyenne",
            "nom.complet",
            "a__b",
            "n#1",
            "Nom",
            "nom",
            "l'âge",
            "dit \"\"vieux\"\"",
            "a,b",
            "prix (€)",
            "select",
            "order",
            "page",
            "columns",
            "50%",
            "a+b",
            "a&b",
            "a=b",
            "a/b",
            "a\\b",
            "a:b",
            "a?b",
            "{a}",
            "[a]",
            "x__isnull",
            "nom_",
            "_",
            &long,
        ];
        let header: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let mut csv = format!("{}\n", header.join(";"));
        for line in 0..LINES {
            let cells: Vec<String> = (0..names.len()).map(|column| format!("v{line}-{column}")).collect();
            csv.push_str(&format!("{}\n", cells.join(";")));
        }
        let (resource, _) = publish_table(&client, "csv", csv).await;
        let read = rows(&resource).await;
        assert_eq!(read.len(), LINES);
        let mut problems = Vec::new();
        for (column, name) in names.iter().map(|name| name.replace("\"\"", "\"")).enumerate() {
            assert_eq!(read[4][name.as_str()], json!(format!("v4-{column}")), "{name}");
            let filter = col(&name).eq(format!("v7-{column}"));
            match resource.rows::<Row>().filter(filter).collect(100).await {
                Ok(found) if found.len() == 1 && found[0]["__id"] == json!(8) => {}
                Ok(found) => problems.push(format!("{name}: {} rows are equal", found.len())),
                // Conditions that the server lacks are refused before sending.
                Err(error) if error.is_request() => {}
                Err(error) => problems.push(format!("{name}: {error}")),
            }
            match resource.rows::<Row>().sort(col(&name).desc()).collect(100).await {
                Ok(found) if found.len() == LINES && found[0]["__id"] == json!(10) => {}
                Ok(found) => {
                    problems.push(format!("{name}: {} rows are sorted, from {:?}", found.len(), found.first()))
                }
                Err(error) if error.is_request() => {}
                Err(error) => problems.push(format!("{name}: {error}")),
            }
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    });
}

#[test]
fn columns_named_like_those_of_the_database_are_renamed_in_rows_only() {
    run(|live| async move {
        let client = live.user_for("renamed");
        let lines: String = (0..LINES).map(|n| format!("{n};a{n};{n}\n")).collect();
        let (resource, _) = publish_table(&client, "csv", format!("__id;ctid;a\n{lines}")).await;
        let read = rows(&resource).await;
        assert_eq!((&read[3]["__id__hydra_renamed"], &read[3]["ctid__hydra_renamed"]), (&json!(3), &json!("a3")));
        let one = resource.rows::<Row>().filter(col("ctid__hydra_renamed").eq("a5")).collect(10).await.unwrap();
        assert_eq!(one.iter().map(|row| row["__id"].clone()).collect::<Vec<_>>(), [json!(6)]);
    });
}

#[test]
fn tables_of_every_length_are_complete_and_in_order() {
    run(|live| async move {
        for lines in [5, 1_000, 60_000_i64] {
            let client = live.user_for(&format!("lines-{lines}"));
            let content: String = (0..lines).map(|n| format!("{n};ligne {n};{}\n", n * 7 % 1_000)).collect();
            let (resource, _) = publish_table(&client, "csv", format!("numéro;texte;valeur\n{content}")).await;
            assert_eq!(resource.rows::<Row>().count().await.unwrap(), lines as u64);
            let read: Vec<(i64, String, i64)> = rows(&resource)
                .await
                .iter()
                .map(|row| {
                    let number = |column: &str| row[column].as_i64().unwrap();
                    (number("numéro"), row["texte"].as_str().unwrap().to_owned(), number("valeur"))
                })
                .collect();
            let expected: Vec<_> = (0..lines).map(|n| (n, format!("ligne {n}"), n * 7 % 1_000)).collect();
            assert!(read == expected, "{} rows of {lines}", read.len());
            let filter = col("valeur").lt(100);
            let some = resource.rows::<Row>().filter(filter).collect(100_000).await.unwrap();
            assert_eq!(some.len(), expected.iter().filter(|row| row.2 < 100).count());
        }
    });
}

#[test]
fn points_become_geojson_and_tiles() {
    run(|live| async move {
        let client = live.user_for("points");
        // Every tenth has no coordinates, and is left out.
        let lines: String = (0..LINES)
            .map(|n| {
                if n % 10 == 0 {
                    format!("lieu {n};\n")
                } else {
                    format!("lieu {n};\"{}, {}\"\n", 47.0 + n as f64 / 100.0, 2.5)
                }
            })
            .collect();
        let (resource, _) = publish_table(&client, "csv", format!("nom;coordonnees\n{lines}")).await;
        let analysis = resource.wait_until(patient(), |analysis| analysis.pmtiles.is_some()).await.unwrap();
        let (geojson, tiles) = (analysis.geojson.unwrap(), analysis.pmtiles.unwrap());
        let collection: Value = serde_json::from_slice(&client.file(&geojson).bytes(1 << 20).await.unwrap()).unwrap();
        assert_eq!(collection["features"].as_array().unwrap().len(), LINES - LINES / 10);
        let tiles = client.file(&tiles).bytes(1 << 20).await.unwrap();
        assert!(tiles.starts_with(b"PMTiles"));
    });
}
