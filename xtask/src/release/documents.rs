//! The changes of the documents since the last release.

use std::fs;

use datagouv_specs::Api;

use super::repository::{Base, Repository};
use crate::diff::change::Release;
use crate::diff::{self, report::Report};
use crate::source::Loaded;

/// The changes of an API's document.
pub struct Compared {
    pub api: Api,
    /// `None` where the document was not there before.
    pub report: Option<Report>,
}

/// Compares the documents of all APIs, corrected by their overlays, with those of the last release. An API whose document
/// is in neither is left out.
///
/// # Errors
/// If a document cannot be read.
pub fn compare(repository: &Repository, base: &Base) -> Result<Vec<Compared>, String> {
    let mut compared = Vec::new();
    for api in Api::ALL {
        let folder = format!("specs/{api}");
        let path = format!("{folder}/{}", api.file_name());
        let overlay = format!("{folder}/overlay.json");
        let old = repository.show(&base.revision, &path)?;
        let new = match fs::read(repository.root().join(&path)) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{path}: {error}")),
        };
        let loaded = |name: String, bytes: Vec<u8>, overlay: Option<Vec<u8>>| Loaded {
            origin: name.clone(),
            name,
            bytes,
            api: Some(api),
            version: None,
            overlay,
            is_partial: false,
            folder: None,
        };
        match (old, new) {
            (Some(old), Some(new)) => {
                let old_overlay = repository.show(&base.revision, &overlay)?;
                let new_overlay = fs::read(repository.root().join(&overlay)).ok();
                if old == new && old_overlay == new_overlay {
                    let same = Report { release: Some(Release::Patch), api: Some(api), ..Report::default() };
                    compared.push(Compared { api, report: Some(same) });
                    continue;
                }
                let old = loaded(format!("{api} of {}", base.name), old, old_overlay);
                let new = loaded(format!("{api}, as vendored"), new, new_overlay);
                let report = diff::between_corrected(api, &old, &new).map_err(|error| error.to_string())?;
                compared.push(Compared { api, report: Some(report) });
            }
            (None, Some(_)) => compared.push(Compared { api, report: None }),
            (Some(_), None) => return Err(format!("{path}: it is gone, and the crate has a client of it")),
            (None, None) => {}
        }
    }
    Ok(compared)
}
