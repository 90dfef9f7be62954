//! The files of a dataset, and the best file of a resource.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datagouv::files::{Format, Progress};
use datagouv::main::types::ResourceTypeValue;
use datagouv_sandbox::fault::FaultServer;
use datagouv_sandbox::{Reply, Sandbox};

use crate::content::REJECTED;
use crate::{Folder, client_of};
/// Resources of a dataset, by their ids, types, URLs and sizes.
fn dataset(resources: &[(&str, &str, String, u64)]) -> String {
    let resources: Vec<serde_json::Value> = resources
        .iter()
        .map(|(id, kind, url, size)| {
            serde_json::json!({"id": id, "type": kind, "url": url, "filesize": size, "format": "csv", "title": id})
        })
        .collect();
    serde_json::json!({"id": "d", "resources": resources}).to_string()
}

#[tokio::test]
async fn saves_all_files_of_a_dataset_despite_one_failure() {
    let (sandbox, folder) = (Sandbox::start().await, Folder::new());
    let first = sandbox.serve_file("/one/communes.csv", "text/csv", "one");
    let second = sandbox.serve_file("/two/Communes.csv", "text/csv", "second");
    let notes = sandbox.serve_file("/notes.pdf", "application/pdf", "notes");
    let other = sandbox.serve_file("/other.csv", "text/csv", "other");
    let missing = format!("{}/missing.csv", sandbox.origin());
    let body = dataset(&[
        ("a", "main", first, 3),
        ("b", "main", second, 6),
        ("c", "documentation", notes, 5),
        ("d", "other", other, 5),
        ("e", "main", missing, 1),
    ]);
    sandbox.respond_once("get_dataset", 200, &[("Content-Type", "application/json")], body);
    let dataset = client_of(&sandbox).dataset("d");
    let wanted = [ResourceTypeValue::Main, ResourceTypeValue::Documentation];
    let all = dataset.download_all(folder.0.join("made")).types(wanted).concurrency(1).send().await.unwrap();
    let ids: Vec<(&str, bool)> = all.iter().map(|one| (one.resource.id.as_str(), one.outcome.is_ok())).collect();
    assert_eq!(ids, [("a", true), ("b", true), ("c", true), ("e", false)]);
    assert!(all[3].outcome.as_ref().unwrap_err().is_not_found());
    // Names that differ by case alone are the same on some file systems.
    assert_eq!(folder.read("made/communes.csv"), b"one");
    assert_eq!(folder.read("made/Communes-b.csv"), b"second");
    assert_eq!(folder.read("made/notes.pdf"), b"notes");
    assert_eq!(std::fs::read_dir(folder.0.join("made")).unwrap().count(), 3);
}

#[tokio::test]
async fn limits_concurrent_downloads() {
    let (sandbox, folder) = (Sandbox::start().await, Folder::new());
    let mut files = Vec::new();
    for index in 0..6 {
        let path = format!("/{index}.csv");
        let url = sandbox.serve_file(&path, "text/csv", "abc");
        sandbox.delay_once(&path, Duration::from_millis(100));
        files.push((index.to_string(), url));
    }
    let resources: Vec<(&str, &str, String, u64)> =
        files.iter().map(|(id, url)| (id.as_str(), "main", url.clone(), 3)).collect();
    sandbox.respond_once("get_dataset", 200, &[("Content-Type", "application/json")], dataset(&resources));
    let running = Arc::new(Mutex::new((std::collections::HashSet::new(), 0)));
    let most = Arc::new(AtomicUsize::new(0));
    let (inside, seen) = (Arc::clone(&running), Arc::clone(&most));
    let all = client_of(&sandbox)
        .dataset("d")
        .download_all(&folder.0)
        .concurrency(3)
        .progress(move |resource, now: Progress| {
            let (running, finished) = &mut *inside.lock().unwrap();
            assert_eq!(now.total_files, Some(6));
            if now.files > *finished {
                *finished = now.files;
                running.remove(&resource.id);
                assert!(now.bytes >= 3 * now.files, "{now}");
            } else {
                running.insert(resource.id.clone());
            }
            seen.fetch_max(running.len(), Ordering::Relaxed);
        })
        .send()
        .await
        .unwrap();
    assert!(all.iter().all(|one| one.outcome.is_ok()), "{all:?}");
    assert_eq!(folder.names().len(), 6);
    assert!((1..=3).contains(&most.load(Ordering::Relaxed)), "{most:?}");
}

#[tokio::test]
async fn downloads_of_a_dataset_accept_any_content() {
    let server = FaultServer::responding(|_| Reply::new(200, "text/html", REJECTED)).await;
    for accepts in [false, true] {
        let (sandbox, folder) = (Sandbox::start().await, Folder::new());
        let body = dataset(&[("a", "main", format!("{}/a.csv", server.origin()), REJECTED.len() as u64)]);
        sandbox.respond_once("get_dataset", 200, &[("Content-Type", "application/json")], body);
        let all = client_of(&sandbox).dataset("d").download_all(&folder.0);
        let all = if accepts { all.accept_any_content() } else { all }.send().await.unwrap();
        assert_eq!((all[0].outcome.is_ok(), folder.names().len()), (accepts, usize::from(accepts)));
    }
}

#[tokio::test]
async fn downloads_the_first_available_format() {
    let server = FaultServer::responding(|arrival| {
        let body = if arrival.path().ends_with(".parquet") { "PAR1 of the platform" } else { "a;b" };
        Reply::new(200, "application/octet-stream", body)
    })
    .await;
    let url = format!("{}/a.csv", server.origin());
    let parquet = "analysis:parsing:parquet_url";
    let copied = serde_json::json!({
        parquet: format!("{}/rid.parquet", server.origin()),
        "analysis:parsing:parquet_size": 20,
        "analysis:parsing:finished_at": "2026-11-28T17:10:55+00:00",
    });
    let mut outdated = copied.clone();
    // The table of another URL.
    outdated["analysis:parsing:parsing_table"] = "d427f94acc5b67b551d79abba473a8a4".into();
    let csv = [Format::Parquet, Format::Csv];
    for (extras, format, formats, found) in [
        (&copied, "csv", &csv[..], Some("rid.parquet")),
        (&copied, "csv", &[Format::Csv, Format::Parquet], Some("a.csv")),
        (&outdated, "csv", &csv, Some("a.csv")),
        (&serde_json::json!({}), "CSV", &csv, Some("a.csv")),
        (&serde_json::json!({}), "xls", &csv, None),
        (&serde_json::json!({}), "xls", &[Format::GeoJson, Format::Original], Some("a.csv")),
    ] {
        let (sandbox, folder) = (Sandbox::start().await, Folder::new());
        let resource = serde_json::json!({"id": "rid", "url": url, "format": format, "extras": extras});
        sandbox.respond_once("get_resource", 200, &[("Content-Type", "application/json")], resource.to_string());
        let handle = client_of(&sandbox).dataset("d").resource("rid");
        let outcome = handle.download_best(&folder.0, formats.iter().copied()).await;
        match (found, outcome) {
            (Some(name), Ok(_)) => assert_eq!(folder.names(), [name], "{format} {formats:?}"),
            (None, Err(error)) => {
                assert!(
                    error.is_request() && error.to_string().contains("parquet or csv, and its file is `xls`"),
                    "{error}"
                );
            }
            (found, outcome) => panic!("{found:?}: {outcome:?}"),
        }
    }
}
