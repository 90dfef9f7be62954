//! Mirrors: only changed files are downloaded, under stable names, despite interruptions.

mod interrupted;
mod world;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use datagouv::files::Progress;
use datagouv::mirror::{ChangeKind, Mirror, MirrorReport, Orphans, Outcome};
use world::{Folder, Hosted, World, hashed};

/// The names of files and what happened to them.
fn outcomes(report: &MirrorReport) -> Vec<(String, String)> {
    let name = |outcome: &Outcome| outcome.to_string().split(':').next().unwrap().to_owned();
    report
        .files
        .iter()
        .map(|file| (file.path.file_name().unwrap().to_string_lossy().into_owned(), name(&file.outcome)))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned())).collect()
}

fn mirror(world: &World, folder: &Folder) -> Mirror {
    world.client().dataset("d0").mirror(&folder.0)
}

#[tokio::test]
async fn downloads_only_changed_files() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("a", Hosted { on_platform: true, ..Hosted::new("/1/a.csv", "a") });
    world.put("b", Hosted::new("/b.csv", "b"));
    world.put("c", Hosted { tagged: false, ..Hosted::new("/c.csv", "c") });
    let report = mirror(&world, &folder).run().await.unwrap();
    assert_eq!(outcomes(&report), pairs(&[("a.csv", "new"), ("b.csv", "new"), ("c.csv", "new")]));
    assert_eq!(world.sent(), ["/1/a.csv", "/b.csv", "/c.csv"]);

    // Only the server without validators sends its file again.
    let report = mirror(&world, &folder).run().await.unwrap();
    assert_eq!(report.to_string(), "3 unchanged");
    assert_eq!(world.sent(), ["/c.csv"]);

    world.change("a", |file| (file.path, file.content) = ("/2/a.csv".to_owned(), b"aa".to_vec()));
    world.change("b", |file| file.content = b"bb".to_vec());
    let report = mirror(&world, &folder).dry_run(true).run().await.unwrap();
    assert_eq!(outcomes(&report), pairs(&[("a.csv", "changed"), ("b.csv", "unknown"), ("c.csv", "unknown")]));
    assert!(world.sent().is_empty());
    let report = mirror(&world, &folder).run().await.unwrap();
    assert_eq!(outcomes(&report), pairs(&[("a.csv", "changed"), ("b.csv", "changed"), ("c.csv", "unchanged")]));
    assert_eq!(folder.hashes(), hashed([("a.csv", &b"aa"[..]), ("b.csv", b"bb"), ("c.csv", b"c")]));
}

#[tokio::test]
async fn downloads_files_changed_or_removed_locally_again() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("a", Hosted { on_platform: true, ..Hosted::new("/a.csv", "a") });
    world.put("b", Hosted::new("/b.csv", "b"));
    mirror(&world, &folder).run().await.unwrap();
    let expected = folder.hashes();
    std::fs::write(folder.0.join("a.csv"), "x").unwrap();
    std::fs::remove_file(folder.0.join("b.csv")).unwrap();
    // The files that a killed program leaves.
    std::fs::write(folder.0.join(".a.csv.0123abcd.part"), "half").unwrap();
    let report = mirror(&world, &folder).run().await.unwrap();
    assert_eq!(report.to_string(), "2 new");
    assert_eq!(folder.hashes(), expected);
    // Touched, with the same content.
    std::fs::write(folder.0.join("a.csv"), "a").unwrap();
    world.sent();
    assert_eq!(mirror(&world, &folder).run().await.unwrap().to_string(), "2 unchanged");
    assert!(world.sent().is_empty());
}

#[tokio::test]
async fn keeps_or_removes_files_of_deleted_resources() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("a", Hosted::new("/a.csv", "a"));
    world.put("b", Hosted::new("/b.csv", "b"));
    mirror(&world, &folder).run().await.unwrap();
    world.remove("a");
    let report = mirror(&world, &folder).run().await.unwrap();
    assert_eq!(outcomes(&report), pairs(&[("b.csv", "unchanged"), ("a.csv", "orphaned")]));
    // A new file of the same name does not replace the kept one.
    world.put("c", Hosted::new("/other/A.csv", "other"));
    mirror(&world, &folder).run().await.unwrap();
    assert_eq!(folder.hashes(), hashed([("a.csv", &b"a"[..]), ("A-c.csv", b"other"), ("b.csv", b"b")]));
    let removing = || mirror(&world, &folder).orphans(Orphans::Remove);
    let report = removing().dry_run(true).run().await.unwrap();
    assert_eq!(report.to_string(), "2 unknown, 1 removed");
    assert_eq!(folder.hashes().len(), 3);
    removing().run().await.unwrap();
    assert_eq!(folder.hashes(), hashed([("A-c.csv", &b"other"[..]), ("b.csv", b"b")]));
    // A failure is not a deletion.
    world.fail_catalogue(Some(500));
    assert!(removing().run().await.is_err());
    assert_eq!(folder.hashes().len(), 2);
}

#[tokio::test]
async fn files_follow_their_new_names() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("a", Hosted::new("/a.csv", "a"));
    world.put("b", Hosted::new("/b.csv", "b"));
    mirror(&world, &folder).run().await.unwrap();
    // The names are swapped, and one of the files fails at first.
    world.change("a", |file| (file.path, file.status) = ("/new/b.csv".to_owned(), 404));
    world.change("b", |file| file.path = "/new/a.csv".to_owned());
    let report = mirror(&world, &folder).run().await.unwrap();
    assert_eq!(report.failures().count(), 1);
    world.change("a", |file| file.status = 200);
    mirror(&world, &folder).run().await.unwrap();
    assert_eq!(folder.hashes(), hashed([("b.csv", &b"a"[..]), ("a.csv", b"b")]));
    world.change("a", |file| file.path = "/newer/c.csv".to_owned());
    mirror(&world, &folder).run().await.unwrap();
    assert_eq!(folder.hashes(), hashed([("c.csv", &b"a"[..]), ("a.csv", b"b")]));
}

#[tokio::test]
async fn one_failure_keeps_the_old_file_and_the_others() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("a", Hosted::new("/a.csv", "a"));
    world.put("b", Hosted::new("/b.csv", "b"));
    mirror(&world, &folder).run().await.unwrap();
    world.change("a", |file| file.status = 500);
    world.change("b", |file| file.content = b"bb".to_vec());
    let report = mirror(&world, &folder).run().await.unwrap();
    assert_eq!(outcomes(&report), pairs(&[("a.csv", "failed"), ("b.csv", "changed")]));
    let (file, error) = report.failures().next().unwrap();
    assert_eq!((file.resource.as_str(), error.status().map(|status| status.as_u16())), ("a", Some(500)));
    assert_eq!(folder.hashes(), hashed([("a.csv", &b"a"[..]), ("b.csv", b"bb")]));
    assert!(report.into_result().is_err());
}

#[tokio::test]
async fn files_of_the_same_name_get_stable_distinct_names() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("x", Hosted { created: 2, ..Hosted::new("/1/Data.csv", "x") });
    world.put("y", Hosted { created: 1, ..Hosted::new("/2/data.csv", "y") });
    world.put("z", Hosted { created: 3, ..Hosted::new("/3/..%2f..%2fetc%2fdata.csv", "z") });
    mirror(&world, &folder).run().await.unwrap();
    let expected = hashed([("Data-x.csv", &b"x"[..]), ("data.csv", b"y"), ("data-z.csv", b"z")]);
    assert_eq!(folder.hashes(), expected);
    // The others keep their names when the first is gone.
    world.remove("y");
    mirror(&world, &folder).orphans(Orphans::Remove).run().await.unwrap();
    assert_eq!(folder.hashes(), hashed([("Data-x.csv", &b"x"[..]), ("data-z.csv", b"z")]));
}

#[tokio::test]
async fn files_are_selected_by_name_format_and_type() {
    let (world, folder) = (World::start().await, Folder::new());
    for path in ["/a-2019.csv", "/a-2020.CSV", "/b.json", "/c.csv.gz"] {
        world.put(path.trim_matches('/'), Hosted::new(path, path));
    }
    mirror(&world, &folder).include("*.csv").exclude("*-2019*").run().await.unwrap();
    assert_eq!(folder.hashes().into_keys().collect::<Vec<_>>(), ["a-2020.CSV"]);
    let folder = Folder::new();
    mirror(&world, &folder).formats(["JSON", "gz"]).run().await.unwrap();
    assert_eq!(folder.hashes().into_keys().collect::<Vec<_>>(), ["b.json", "c.csv.gz"]);
    let folder = Folder::new();
    let none = mirror(&world, &folder).types([datagouv::main::types::ResourceTypeValue::Documentation]);
    assert_eq!(none.run().await.unwrap().to_string(), "no files");
}

#[tokio::test]
async fn each_dataset_of_a_list_has_a_folder() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("a", Hosted::new("/a.csv", "a"));
    world.put("b", Hosted { dataset: 1, ..Hosted::new("/b/a.csv", "b") });
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let mirror = world.client().organization("o").mirror(&folder.0).progress(move |path: &str, now: Progress| {
        seen.lock().unwrap().push((path.to_owned(), now.files, now.total_files, now.bytes));
    });
    mirror.run().await.unwrap();
    assert_eq!(folder.hashes(), hashed([("jeu-0/a.csv", &b"a"[..]), ("jeu-1/a.csv", b"b")]));
    let last = progress.lock().unwrap().last().cloned().unwrap();
    assert_eq!((last.1, last.2, last.3), (2, Some(2), 2));
}

#[tokio::test]
async fn a_mirror_can_be_spawned() {
    let (world, folder) = (World::start().await, Folder::new());
    world.put("a", Hosted::new("/a.csv", "a"));
    for mirror in [mirror(&world, &folder), world.client().organization("o").mirror(folder.0.join("all"))] {
        assert_eq!(tokio::spawn(mirror.run()).await.unwrap().unwrap().to_string(), "1 new");
    }
}

#[tokio::test]
async fn a_watch_reports_changes() {
    let world = World::start().await;
    for id in ["a", "b"] {
        world.put(id, Hosted { on_platform: true, ..Hosted::new(&format!("/{id}.csv"), id) });
    }
    world.then(|_| {});
    world.then(|_| {});
    world.then(|world| {
        world.change("a", |file| file.content = b"aa".to_vec());
        world.remove("b");
        world.put("c", Hosted::new("/c.csv", "c"));
    });
    world.then(|world| world.fail_catalogue(Some(404)));
    world.then(|world| {
        world.fail_catalogue(None);
        world.remove("c");
    });
    let mut watch = world.client().dataset("d0").mirror("unused").watch(Duration::from_millis(1));
    let mut changes = Vec::new();
    for _ in 0..5 {
        changes.push(watch.next().await.unwrap().map(|change| (change.kind, change.resource.id)).map_err(|_| ()));
    }
    let id = |id: &str| id.to_owned();
    assert_eq!(
        changes,
        [
            Ok((ChangeKind::Changed, id("a"))),
            Ok((ChangeKind::New, id("c"))),
            Ok((ChangeKind::Removed, id("b"))),
            Err(()),
            Ok((ChangeKind::Removed, id("c")))
        ]
    );
}
