//! Shared by the scenarios: unique names, and objects to act on.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use datagouv::main::types::{CommunityResource, Dataservice, Dataset, Organization, Resource, Reuse, User};
use datagouv::{Client, File};
use serde_json::{Value, json};

/// Distinguishes runs: the server may have objects of an earlier one.
pub static RUN: LazyLock<u64> =
    LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 % 100_000_000);

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A unique name.
pub fn unique(prefix: &str) -> String {
    format!("{prefix} {}-{}", *RUN, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// `extra`'s properties over those of `base`.
pub fn merged(mut base: Value, extra: Value) -> Value {
    let (Value::Object(object), Value::Object(extra)) = (&mut base, extra) else { panic!("both are objects") };
    object.extend(extra);
    base
}

/// Who the key of a client belongs to.
pub async fn me(client: &Client) -> User {
    client.main().get_me().send().await.unwrap().into_inner()
}

/// A dataset of the client's user.
pub async fn dataset(client: &Client) -> Dataset {
    dataset_with(client, json!({})).await
}

/// A dataset with more than a title and a description.
pub async fn dataset_with(client: &Client, extra: Value) -> Dataset {
    let body = json!({"title": unique("Jeu de données"), "description": "Une description."});
    client.main().create_dataset().body(merged(body, extra)).send().await.unwrap().into_inner()
}

/// A remote resource of a dataset.
pub async fn resource(client: &Client, dataset: &str) -> Resource {
    resource_with(client, dataset, json!({})).await
}

/// A resource with more than a title and a URL.
pub async fn resource_with(client: &Client, dataset: &str, extra: Value) -> Resource {
    let body = json!({"title": unique("Ressource"), "url": "https://example.org/donnees.csv", "filetype": "remote", "type": "main"});
    client.main().create_resource().dataset(dataset).body(merged(body, extra)).send().await.unwrap().into_inner()
}

/// A remote community resource of a dataset.
pub async fn community_resource(client: &Client, dataset: &str) -> CommunityResource {
    let body = json!({
        "title": unique("Ressource communautaire"),
        "url": "https://example.org/communaute.csv",
        "filetype": "remote",
        "type": "other",
        "dataset": {"class": "Dataset", "id": dataset},
    });
    client.main().create_community_resource().body(body).send().await.unwrap().into_inner()
}

/// An organization whose admin is the client's user.
pub async fn organization(client: &Client) -> Organization {
    let body = json!({"name": unique("Organisation"), "description": "Une organisation **de test**."});
    client.main().create_organization().body(body).send().await.unwrap().into_inner()
}

/// A reuse of a dataset.
pub async fn reuse(client: &Client, dataset: &str) -> Reuse {
    let title = unique("Réutilisation");
    let body = json!({
        "title": title,
        "description": "Une réutilisation.",
        "type": "application",
        "topic": "health",
        "url": format!("https://example.org/{}", title.replace(' ', "-")),
        "datasets": [dataset],
    });
    client.main().create_reuse().body(body).send().await.unwrap().into_inner()
}

/// A dataservice of the client's user.
pub async fn dataservice(client: &Client) -> Dataservice {
    let body = json!({"title": unique("API"), "description": "Un service de données."});
    client.main().create_dataservice().body(body).send().await.unwrap().into_inner()
}

/// A small CSV file with a unique name: the server accepts a name once per second.
pub fn csv() -> File {
    File::from_bytes(format!("{}.csv", unique("donnees").replace(' ', "-")), "code;nom\n01001;L'Abergement\n")
}

/// A file compressed by gzip.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A PNG image of one colour.
pub fn png(width: u32, height: u32) -> File {
    let row: Vec<u8> = std::iter::once(0).chain([0, 0x63, 0xcb].repeat(width as usize)).collect();
    let rows = row.repeat(height as usize);
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut image, *b"IHDR", &header);
    chunk(&mut image, *b"IDAT", &zlib(&rows));
    chunk(&mut image, *b"IEND", &[]);
    File::from_bytes("image.png", image)
}

fn chunk(image: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let body = [&kind[..], data].concat();
    image.extend((data.len() as u32).to_be_bytes());
    image.extend(&body);
    let crc = body.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    });
    image.extend((!crc).to_be_bytes());
}

/// Stored, not compressed.
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        let length = block.len() as u16;
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (low, high) = data.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}
