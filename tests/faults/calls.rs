//! The kinds of call: what they request and return, and which of their requests fails.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use datagouv::main::types::{DatasetInput, DatasetUpdate};
use datagouv::rows::Row;
use datagouv::{Client, Error, File};
use datagouv_sandbox::platform;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Create,
    Update,
    Pages,
    Rows,
    Upload,
    Download,
}

/// What a call works on.
pub struct Place {
    /// A dataset of its own.
    pub dataset: String,
    /// A folder of its own.
    pub folder: PathBuf,
}

impl Kind {
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Create, Self::Update, Self::Pages, Self::Rows, Self::Upload, Self::Download];

    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "typed read",
            Self::Create => "typed write",
            Self::Update => "typed update",
            Self::Pages => "page stream",
            Self::Rows => "rows stream",
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }

    /// Whether a request is one of those that fail; those before them are typed reads.
    pub fn touches(self, path: &str) -> bool {
        match self {
            Self::Rows => path.ends_with("/data/csv/"),
            Self::Upload => path.ends_with("/upload/"),
            Self::Download => path.starts_with("/files/"),
            _ => true,
        }
    }

    /// Which of them fails, counted from 1.
    pub fn failing(self) -> usize {
        match self {
            // The second page, the second of four parts.
            Self::Pages | Self::Upload => 2,
            _ => 1,
        }
    }

    /// Makes the call; returns its result as a text.
    pub async fn run(self, client: &Client, place: &Place) -> Result<String, Error> {
        let main = client.main();
        let mut all = String::new();
        match self {
            Self::Read => all = main.get_dataset().dataset(platform::COMMUNES).send().await?.into_inner().title,
            Self::Create => {
                let body = DatasetInput::new("A title", "A description");
                all = main.create_dataset().body(body).send().await?.into_inner().title;
            }
            Self::Update => {
                let body = DatasetUpdate::new().title("Another title");
                all = main.update_dataset().dataset(platform::COMMUNES).body(body).send().await?.into_inner().title;
            }
            Self::Pages => {
                let mut datasets = main.list_datasets().page_size(2).items();
                while let Some(dataset) = datasets.next().await {
                    let _ = writeln!(all, "{}", dataset?.id);
                }
            }
            Self::Rows => {
                let mut rows = client.resource(platform::COMMUNES_RESOURCE).rows::<Row>().stream();
                while let Some(row) = rows.next().await {
                    let _ = writeln!(all, "{:?}", row?);
                }
            }
            Self::Upload => {
                let data: Vec<u8> =
                    (0..100).flat_map(|line| format!("{line};{}\n", line * line).into_bytes()).collect();
                let part = data.len().div_ceil(4) as u64;
                let upload = client.dataset(&place.dataset).upload(File::from_bytes("a.csv", data));
                let upload = upload.parts_above(0).part_size(part).concurrency(1).patience(Duration::from_secs(2));
                let uploaded = tokio::spawn(upload.send()).await.expect("an upload does not panic")?;
                // A file that was sent twice is stored once.
                let resources = main.get_dataset().dataset(&place.dataset).send().await?.into_inner().resources;
                let _ = write!(all, "{:?} {:?}, {} resources", uploaded.filesize, uploaded.checksum, resources.len());
            }
            Self::Download => {
                let saved = client.resource(platform::COMMUNES_RESOURCE).download(&place.folder).send().await?;
                all = std::fs::read_to_string(&saved.path).expect("what was saved is there, and text");
            }
        }
        Ok(all)
    }
}
