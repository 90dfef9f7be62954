//! Rows read from the bytes of files in every format.

use std::io::{Cursor, Write};

use datagouv::records::{self, Format, Packing, RecordSource, RecordStream};
use datagouv::rows::Row;
use datagouv::{Api, Client, Result};
use datagouv_sandbox::Sandbox;
use datagouv_sandbox::platform::COMMUNES_RESOURCE;
use encoding_rs::{Encoding, UTF_8};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

/// The rows of every file: French letters, the separators, quotes and newlines in cells.
const ROWS: [[&str; 4]; 6] = [
    ["code", "libellé", "département", "remarque"],
    ["01300", "Belley-sur-Séran", "Ain", "à l'été ; déjà, « là »"],
    ["2A004", "Ajaccio", "Corse-du-Sud", "dit \"la Cité\""],
    ["29019", "Brest", "Finistère", "sur deux\nlignes, ça va"],
    ["75056", "Paris", "Île-de-France", ""],
    ["97411", "Saint-Denis", "La Réunion", "tab\tet | barre"],
];

fn open(bytes: Vec<u8>, format: Format) -> impl Future<Output = Result<RecordStream<Row>>> {
    records::read::<Row>(Cursor::new(bytes), format)
}

async fn rows(bytes: impl Into<Vec<u8>>, format: Format) -> (Vec<Row>, RecordSource) {
    let mut stream = open(bytes.into(), format).await.unwrap();
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await {
        rows.push(row.unwrap());
    }
    (rows, stream.source().clone())
}

fn detected(origin: &RecordSource) -> (&'static str, Option<char>, Option<u64>) {
    let RecordSource::File { detected, .. } = origin else { panic!("not a file") };
    (detected.encoding, detected.separator, detected.header_line)
}

fn text(separator: char, line_end: &str) -> String {
    let quoted = |cell: &str| {
        let quotes = cell.contains([separator, '"', '\n']);
        if quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
    };
    let lines = ROWS.iter().map(|cells| cells.map(quoted).join(&separator.to_string()) + line_end);
    lines.collect()
}

/// The text in an encoding, with its byte order mark if `marked`.
fn encoded(text: &str, encoding: &str, marked: bool) -> Vec<u8> {
    let mark = if marked { "\u{feff}" } else { "" };
    let units = || mark.encode_utf16().chain(text.encode_utf16());
    match encoding {
        "UTF-16LE" => units().flat_map(u16::to_le_bytes).collect(),
        "UTF-16BE" => units().flat_map(u16::to_be_bytes).collect(),
        "UTF-8" => format!("{mark}{text}").into_bytes(),
        other => {
            let (bytes, _, lost) = Encoding::for_label(other.as_bytes()).unwrap_or(UTF_8).encode(text);
            assert!(!lost, "{other} has all characters");
            bytes.into_owned()
        }
    }
}

fn expected() -> Vec<Row> {
    let [names, rows @ ..] = ROWS;
    let row = |cells: &[&str; 4]| {
        let value = |cell: &str| if cell.is_empty() { Value::Null } else { json!(cell) };
        let pairs = names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), value(cell)));
        serde_json::from_value(pairs.collect()).unwrap()
    };
    rows.iter().map(row).collect()
}

#[tokio::test]
async fn reads_every_encoding_with_every_separator() {
    let encodings = [
        ("UTF-8", false),
        ("UTF-8", true),
        ("UTF-16LE", true),
        ("UTF-16BE", true),
        ("UTF-16LE", false),
        ("UTF-16BE", false),
        ("windows-1252", false),
    ];
    for (encoding, marked) in encodings {
        for separator in [';', ',', '\t', '|'] {
            for line_end in ["\n", "\r\n"] {
                let bytes = encoded(&text(separator, line_end), encoding, marked);
                let (found, origin) = rows(bytes, Format::new()).await;
                let what = format!("{encoding} {marked} {separator:?} {line_end:?}");
                assert_eq!(found, expected(), "{what}");
                assert_eq!(detected(&origin), (encoding, Some(separator), Some(1)), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn an_explicit_encoding_is_not_detected() {
    // All of them have the letters of French.
    for encoding in ["macintosh", "iso-8859-15", "windows-1254", "gb18030"] {
        let names = [("libellé", "Châteauroux"), ("Noël", "façade")];
        for separator in [';', ','] {
            let lines: Vec<String> = names.iter().map(|(left, right)| format!("{left}{separator}{right}\n")).collect();
            let bytes = encoded(&lines.concat(), encoding, false);
            let (found, origin) = rows(bytes, Format::new().encoding(encoding)).await;
            assert_eq!(found, [serde_json::from_value(json!({"libellé": "Noël", "Châteauroux": "façade"})).unwrap()]);
            assert_eq!(detected(&origin).1, Some(separator));
        }
    }
    let error = open(b"a;b\n".to_vec(), Format::new().encoding("cp850")).await.unwrap_err();
    assert!(error.is_request() && error.to_string().contains("`cp850`"), "{error}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive of files, each with its name; deflated, or stored; with what is known of them before or behind their content.
fn zip(files: &[(&str, &[u8])], deflated: bool, described_after: bool) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::<u8>::new(), Vec::<u8>::new());
    for (name, content) in files {
        let packed = if deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        } else {
            content.to_vec()
        };
        let crc = {
            let mut crc = flate2::Crc::new();
            crc.update(content);
            crc.sum()
        };
        let sizes = [crc, packed.len() as u32, content.len() as u32].map(u32::to_le_bytes).concat();
        let method: u16 = if deflated { 8 } else { 0 };
        let flags: u16 = if described_after { 8 } else { 0 };
        let mut fixed = [20, flags, method, 0, 0].map(u16::to_le_bytes).concat();
        fixed.extend(if described_after { vec![0; 12] } else { sizes.clone() });
        fixed.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&fixed);
        archive.extend(b"PK\x03\x04");
        archive.extend(fixed);
        archive.extend(name.as_bytes());
        archive.extend(packed);
        if described_after {
            archive.extend(b"PK\x07\x08");
            archive.extend(sizes);
        }
    }
    archive.extend(directory);
    archive
}

#[tokio::test]
async fn reads_compressed_files() {
    let csv = encoded(&text(';', "\r\n"), "windows-1252", false);
    let (first, second) = csv.split_at(100);
    let mut parts = gzip(first);
    parts.extend(gzip(second));
    let member = || Packing::Zip("données.csv".to_owned());
    let one: [(&str, &[u8]); 3] = [("dossier/", b""), ("données.csv", &csv), ("__MACOSX/._données.csv", b"x")];
    for (bytes, packing) in [
        (gzip(&csv), Packing::Gzip),
        (parts, Packing::Gzip),
        (zip(&one, true, false), member()),
        (zip(&one, false, false), member()),
        (zip(&one[1..], true, true), member()),
    ] {
        let (found, origin) = rows(bytes, Format::new()).await;
        assert_eq!(found, expected());
        let RecordSource::File { detected, .. } = origin else { panic!() };
        assert_eq!(detected.packing, packing);
    }
}

/// The rows up to the first error, and that.
async fn until_error(bytes: Vec<u8>, format: Format) -> (usize, datagouv::Error) {
    let mut stream = match open(bytes, format).await {
        Ok(stream) => stream,
        Err(error) => return (0, error),
    };
    let mut rows = 0;
    loop {
        match stream.next().await.expect("an error") {
            Ok(_) => rows += 1,
            Err(error) => {
                assert!(error.to_string().contains("line") || stream.next().await.is_none(), "{error}");
                return (rows, error);
            }
        }
    }
}

#[tokio::test]
async fn an_archive_of_several_files_needs_a_choice() {
    let files: [(&str, &[u8]); 2] = [("a.csv", b"x;y\n1;2\n"), ("b.csv", b"x;y\n3;4\n")];
    let archive = zip(&files, true, false);
    let (_, error) = until_error(archive.clone(), Format::new()).await;
    assert!(error.to_string().contains("both `a.csv` and `b.csv`: choose a file with `member`"), "{error}");
    let (found, _) = rows(archive.clone(), Format::new().member("b.csv")).await;
    assert_eq!(found[0]["x"], "3");
    let (_, error) = until_error(archive, Format::new().member("c.csv")).await;
    assert!(error.to_string().contains("no file `c.csv`"), "{error}");
}

#[tokio::test]
async fn damaged_files_are_errors() {
    let csv = b"a;b\n1;2\n".repeat(50_000);
    let packed = gzip(&csv);
    let cut = packed[..packed.len() - 20].to_vec();
    assert!(until_error(cut, Format::new()).await.1.is_corrupt());
    let mut archive = zip(&[("a.csv", &csv)], true, false);
    let (_, error) = until_error(archive[..archive.len() / 2].to_vec(), Format::new()).await;
    assert!(error.is_corrupt(), "{error}");
    archive[14] ^= 1;
    let (rows, error) = until_error(archive, Format::new()).await;
    assert!(rows > 0 && error.to_string().contains("the checksum of `a.csv`"), "{error}");
}

#[tokio::test]
async fn another_format_than_csv_is_an_error_that_names_it() {
    for (bytes, what) in [
        (&b"  <!DOCTYPE html><html>Request Rejected</html>"[..], "an HTML page"),
        (b"<?xml version=\"1.0\"?><a/>", "XML"),
        (b"[{\"a\": 1}]", "JSON"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an XLS workbook"),
        (b"", "the file is empty"),
        (b" \r\n \n", "the file is empty"),
    ] {
        let (_, error) = until_error(bytes.to_vec(), Format::new()).await;
        assert!(error.is_decode() && error.to_string().contains(what), "{error}");
    }
    let workbook = zip(&[("[Content_Types].xml", b"<Types/>")], true, false);
    let (_, error) = until_error(workbook, Format::new()).await;
    assert!(error.to_string().contains("an XLSX workbook"), "{error}");
}

#[tokio::test]
async fn skips_lines_before_the_header() {
    let csv = "Liste des communes;;\r\nau 1er janvier 2024;;\r\n\r\nid;nom;dep\r\n1;a;2\r\n2;\"b;\nc\";3\r\n";
    let (found, origin) = rows(csv, Format::new()).await;
    assert_eq!(detected(&origin), ("UTF-8", Some(';'), Some(4)));
    assert_eq!((found.len(), &found[1]["nom"]), (2, &json!("b;\nc")));
    let (found, _) = rows("x;y\n1;2\n3;4\n", Format::new().no_header()).await;
    assert_eq!((found.len(), &found[0]["column_2"]), (3, &json!("y")));
    let (found, _) = rows("a;b\nc;d\n1;2\n", Format::new().header_line(2)).await;
    assert_eq!((found.len(), &found[0]["d"]), (1, &json!("2")));
}

#[tokio::test]
async fn a_line_of_another_length_is_one_error_unless_lenient() {
    let csv = "a;b\n1;2\n\n3\n4;5;6\n7;8\n";
    let mut stream = open(csv.into(), Format::new()).await.unwrap();
    let mut read = Vec::new();
    while let Some(row) = stream.next().await {
        read.push(row.map(|row| row["a"].as_str().unwrap().to_owned()).map_err(|error| error.to_string()));
    }
    assert_eq!(read.len(), 4);
    assert_eq!((read[0].as_deref(), read[3].as_deref()), (Ok("1"), Ok("7")));
    assert!(read[1].as_ref().unwrap_err().starts_with("line 4 has 1 cells and the header 2"), "{read:?}");
    assert!(read[2].as_ref().unwrap_err().starts_with("line 5 has 3 cells and the header 2"), "{read:?}");
    let (found, _) = rows(csv, Format::new().lenient(true)).await;
    assert_eq!(found.len(), 4);
    assert_eq!((&found[1]["a"], &found[1]["b"]), (&json!("3"), &Value::Null));
}

#[derive(Debug, Deserialize, PartialEq)]
struct Station {
    code: String,
    puissance: Option<f64>,
    points: u32,
    libre: bool,
}

#[tokio::test]
async fn decodes_numbers_and_booleans_from_text() {
    let csv = "code;puissance;points;libre\n007;\"1,5\";12;oui\n8;;3;FAUX\n9;x;3;1\n";
    let mut stations = records::read::<Station>(Cursor::new(csv), Format::new()).await.unwrap();
    let first = stations.next().await.unwrap().unwrap();
    assert_eq!(first, Station { code: "007".to_owned(), puissance: Some(1.5), points: 12, libre: true });
    let second = stations.next().await.unwrap().unwrap();
    assert_eq!(second, Station { code: "8".to_owned(), puissance: None, points: 3, libre: false });
    let error = stations.next().await.unwrap().unwrap_err();
    assert!(error.is_decode() && error.to_string().starts_with("line 4, column 2 (`puissance`): "), "{error}");
    assert!(stations.next().await.is_none());
}

#[tokio::test]
async fn null_words_are_text_unless_set() {
    let csv = "pays;code\nNamibie;NA\nn.c.;\n";
    let (found, _) = rows(csv, Format::new()).await;
    assert_eq!((&found[0]["code"], &found[1]["pays"], &found[1]["code"]), (&json!("NA"), &json!("n.c."), &Value::Null));
    let (found, _) = rows(csv, Format::new().null_words(["n.c."])).await;
    assert_eq!((&found[0]["code"], &found[1]["pays"]), (&json!("NA"), &Value::Null));
}

proptest! {
    #[test]
    fn any_bytes_are_rows_or_an_error(
        begin in proptest::sample::select(vec!["", "a;b\n", "PK\u{3}\u{4}", "\u{feff}"]),
        rest in proptest::collection::vec(any::<u8>(), 0..400),
        lenient in any::<bool>(),
    ) {
        let bytes = [begin.as_bytes(), &rest].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let Ok(mut stream) = open(bytes, Format::new().lenient(lenient)).await else { return };
            let mut polled = 0;
            while stream.next().await.is_some() {
                polled += 1;
                assert!(polled < 1_000, "it does not end");
            }
        });
    }
}

/// A client of the embedded platform, and the records of one of its files.
async fn platform() -> (Sandbox, Client) {
    let sandbox = Sandbox::start_platform().await;
    let mut builder = Client::builder().retries(datagouv::RetryPolicy::none());
    for (api, document) in [(Api::Main, Api::Main), (Api::MainV2, Api::MainV2), (Api::Tabular, Api::Tabular)] {
        builder = builder.base_url(api, sandbox.url(document));
    }
    (sandbox, builder.build().unwrap())
}

#[tokio::test]
async fn falls_back_to_the_file_without_tabular_rows() {
    let (sandbox, client) = platform().await;
    let resource = client.resource(COMMUNES_RESOURCE);
    let mut of_api = resource.records::<Row>().open().await.unwrap();
    assert_eq!(of_api.source(), &RecordSource::Tabular);
    let first = of_api.next().await.unwrap().unwrap();
    assert!(first.get("__id").is_none() && first.len() > 2, "{first:?}");
    for (status, reason) in [(410, "no longer has its rows"), (404, "has not imported its rows")] {
        sandbox.respond_once("getResourceProfile", status, &[("Content-Type", "text/plain")], "gone");
        let mut of_file = resource.records::<Row>().open().await.unwrap();
        let RecordSource::File { reason: Some(found), detected, .. } = of_file.source() else { panic!() };
        assert!(found.contains(reason) && !detected.typed, "{found}");
        assert_eq!(of_file.next().await.unwrap().unwrap().len(), first.len());
    }
    let mut typed = resource.records::<Row>().from_file().open().await.unwrap();
    assert_eq!(typed.next().await.unwrap().unwrap(), first);
    // An unknown state does not change the source of the rows.
    sandbox.respond_once("getResourceProfile", 500, &[("Content-Type", "text/plain")], "oops");
    assert!(resource.records::<Row>().open().await.is_err());
    assert!(resource.records::<Row>().untyped().open().await.is_ok());
}
