//! Uploads to the platform, and downloads of resources and of any URL.
//!
//! See the guide on [publishing](crate::guide::publishing) and [downloading](crate::guide::downloading) for complete
//! programs.
//!
//! ```no_run
//! # #[cfg(feature = "files")]
//! # async fn example() -> datagouv::Result<()> {
//! let client = datagouv::Client::new()?;
//! // Into a folder, under the name of the file; verified before it appears there.
//! let resource = client.resource("1c5075ec-7ce1-49cb-ab89-94f507812daf");
//! let saved = resource.download("data/").send().await?;
//! println!("{} ({} bytes)", saved.path.display(), saved.size);
//!
//! // As a new resource of a dataset, in parts if it is large. This needs an API key.
//! let file = datagouv::File::from_path("communes.csv").await.expect("a file");
//! let upload = client.dataset("my-dataset").upload(file).progress(|now| println!("{now}"));
//! let made = upload.send().await?;
//! println!("{} {}", made.id, made.url);
//! # Ok(())
//! # }
//! ```

mod best;
mod checksum;
mod coding;
mod content;
mod download;
mod expected;
mod fetch;
mod folder;
mod image;
mod name;
#[cfg(feature = "parquet")]
mod parquet;
mod partial;
mod platform_copy;
mod progress;
mod range;
mod range_reader;
mod remote;
mod stream;
mod tally;
mod transfer;
mod upload;
#[cfg(feature = "mirror")]
mod validators;

#[cfg(feature = "_internals")]
pub(crate) use name::of_response as name_of_response;

#[cfg(feature = "mirror")]
pub(crate) use self::name::{of_url as name_of_url, safe as safe_name};
#[cfg(feature = "records")]
pub(crate) use self::progress::Rate;
#[cfg(feature = "mirror")]
pub(crate) use self::tally::{Tally, TallyListener};
#[cfg(feature = "mirror")]
pub(crate) use self::validators::Validators;

pub use self::best::{BestFile, Format};
pub use self::checksum::{Algorithm, Checksum};
pub use self::download::{Download, Downloaded};
pub use self::folder::{DownloadAll, ResourceDownload};
pub use self::image::{CropBox, Image};
pub use self::platform_copy::PlatformCopy;
pub use self::progress::Progress;
pub use self::range_reader::{FileState, RangeReader};
pub use self::remote::{FileHandle, Latest, RemoteFile};
pub use self::stream::FileStream;
pub use self::upload::{UnpublishedFile, Upload, UploadedFile};
pub use crate::transport::Redirect;
