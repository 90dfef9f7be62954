//! Uploads: whole files, and files in parts that a final request assembles.

use std::collections::btree_map::Entry;

use serde_json::{Value, json};

use super::call::{Call, message};
use super::catalogue::Content;
use super::fields::plain;
use super::state::Platform;
use crate::file::Files;
use crate::form::{self, Field};
use crate::request::header;
use crate::response::Reply;

/// The content of an upload request.
pub(super) enum Upload {
    Part,
    File { name: String, data: Vec<u8> },
}

impl Platform {
    pub(super) fn upload_new(&mut self, call: &Call<'_>, files: &mut Files) -> Result<Reply, Reply> {
        let index = self.find_to_change(call)?;
        let Upload::File { name, data } = self.receive(call)? else { return Ok(part_is_stored()) };
        let mut resource = self.new_resource(&name);
        let folder = self.catalogue.datasets[index].slug.clone();
        self.catalogue.store(&mut resource, &folder, &name, Content::new(data), files);
        let shown = uploaded(&resource.fields);
        self.catalogue.datasets[index].resources.insert(0, resource);
        Ok(Reply::json(201, &shown))
    }

    pub(super) fn upload_again(&mut self, call: &Call<'_>, files: &mut Files) -> Result<Reply, Reply> {
        let index = self.find_to_change(call)?;
        let position = self.find_resource(call, index)?;
        let Upload::File { name, data } = self.receive(call)? else { return Ok(part_is_stored()) };
        let folder = self.catalogue.datasets[index].slug.clone();
        let mut resource = self.catalogue.datasets[index].resources.remove(position);
        self.catalogue.store(&mut resource, &folder, &name, Content::new(data), files);
        let shown = uploaded(&resource.fields);
        self.catalogue.datasets[index].resources.insert(position, resource);
        Ok(Reply::json(200, &shown))
    }

    pub(super) fn receive(&mut self, call: &Call<'_>) -> Result<Upload, Reply> {
        let content_type = header(&call.received.headers, "content-type");
        let fields = form::multipart(content_type, &call.received.body).map_err(|error| message(400, &error))?;
        let text = |name: &str| {
            let field = fields.iter().find(|field| field.name == name)?;
            std::str::from_utf8(&field.data).ok().map(str::to_owned)
        };
        let number = |name: &str| text(name)?.parse::<usize>().ok();
        let file: Option<&Field> = fields.iter().find(|field| field.name == "file");
        let in_parts = number("totalparts").filter(|total| *total > 1).zip(text("uuid"));
        match (in_parts, file) {
            (Some((_, uuid)), Some(file)) => {
                if number("chunksize").is_some_and(|size| size != file.data.len()) {
                    return Err(message(400, "Chunk size mismatch"));
                }
                let index = number("partindex").unwrap_or(0);
                // The server does not overwrite a stored part, and reports no error.
                match self.parts.entry(uuid).or_default().entry(index) {
                    Entry::Occupied(_) => Err(crash()),
                    Entry::Vacant(place) => {
                        place.insert(file.data.to_vec());
                        Ok(Upload::Part)
                    }
                }
            }
            (Some((total, uuid)), None) => {
                let there = self.parts.get(&uuid).is_some_and(|parts| parts.keys().copied().eq(0..total));
                if !there {
                    return Err(crash());
                }
                let name = allowed(&text("filename").unwrap_or_default())?;
                let parts = self.parts.remove(&uuid).unwrap_or_default();
                Ok(Upload::File { name, data: parts.into_values().flatten().collect() })
            }
            (None, Some(file)) => {
                let name = allowed(file.file_name.as_deref().unwrap_or_default())?;
                Ok(Upload::File { name, data: file.data.to_vec() })
            }
            (None, None) => Err(failed("Missing file parameter")),
        }
    }
}

pub(super) fn part_is_stored() -> Reply {
    Reply::json(200, &json!({"success": true, "error": null, "message": ""}))
}

fn crash() -> Reply {
    message(500, "Internal Server Error")
}

fn failed(error: &str) -> Reply {
    Reply::json(400, &json!({"success": false, "error": error, "message": ""}))
}

pub(super) fn uploaded(fields: &super::fields::Fields) -> Value {
    let mut shown = fields.clone();
    shown.insert("success".to_owned(), json!(true));
    Value::Object(shown)
}

/// The normalised name of a file whose extension is allowed.
fn allowed(name: &str) -> Result<String, Reply> {
    let mut name: String = plain(name)
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || "._-".contains(char) { char } else { '-' })
        .collect();
    while name.contains("--") {
        name = name.replace("--", "-");
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    match extension.filter(|extension| EXTENSIONS.contains(extension)) {
        Some(_) => Ok(name),
        None => Err(message(400, "This file type is not allowed")),
    }
}

/// The extensions that a real catalogue allows, as it lists them.
const EXTENSIONS: [&str; 64] = [
    "7z", "bz2", "cpg", "csv", "db", "dbf", "doc", "docx", "dwg", "dxf", "ecw", "epub", "geojson", "gif", "gpkg",
    "gpx", "grib2", "gz", "ics", "jp2", "jpe", "jpeg", "jpg", "json", "kml", "kmz", "lyr", "n3", "odg", "odp", "ods",
    "odt", "other", "ovr", "owl", "pdf", "png", "pps", "ppt", "prj", "rar", "rdf", "rtf", "sbn", "sbx", "shp", "shx",
    "sql", "sqlite", "ssim", "svg", "svgz", "tar", "tgz", "tiff", "ttl", "txt", "webp", "xls", "xlsx", "xml", "xsd",
    "xz", "zip",
];
