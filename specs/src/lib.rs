//! The API documents of data.gouv.fr, their corrections, and the pipeline that generates a Rust client
//! from a document.
//!
//! A document travels through the modules in this order: [`document`] (vendored as the server sent it),
//! [`swagger2`] or [`openapi31`] (to OpenAPI 3.0.3), [`overlay`] (corrected by reviewed facts), `shape` (adapted to the
//! generator) and `generate` (to Rust code).

mod component_name;
pub mod document;
mod error;
#[cfg(feature = "generate")]
pub mod faults;
#[cfg(feature = "generate")]
pub mod generate;
mod nesting;
mod node;
pub mod openapi31;
pub mod overlay;
pub mod pointer;
#[cfg(feature = "generate")]
pub mod shape;
pub mod swagger2;

pub use document::Api;
pub use error::Error;

/// Returns the corrected document of an API: OpenAPI 3.0.3 that describes what the server does.
pub fn corrected(api: Api) -> Result<serde_json::Value, Error> {
    let document = document::parse(api.document_text())?;
    let mut document = document::to_openapi(document)?;
    let overlay = document::parse(api.overlay_text())?;
    overlay::apply(&overlay, &mut document)?;
    Ok(document)
}
