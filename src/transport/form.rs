//! Bodies that are forms, with or without files.

use reqwest::RequestBuilder;
use reqwest::multipart;

use crate::{Error, File, Result};

/// A body that is a form.
pub(crate) trait FormBody {
    /// The form, made anew each time.
    fn form(&self) -> Form;
}

/// The fields of a form, in order.
pub(crate) struct Form {
    multipart: bool,
    fields: Vec<(&'static str, Part)>,
}

enum Part {
    Text(String),
    File(File),
}

impl Form {
    pub(crate) fn multipart() -> Self {
        Self { multipart: true, fields: Vec::new() }
    }

    #[allow(dead_code, reason = "no document has such a form today; the next one may")]
    pub(crate) fn urlencoded() -> Self {
        Self { multipart: false, fields: Vec::new() }
    }

    pub(crate) fn text(&mut self, name: &'static str, value: impl ToString) {
        self.fields.push((name, Part::Text(value.to_string())));
    }

    pub(crate) fn file(&mut self, name: &'static str, file: &File) {
        self.fields.push((name, Part::File(file.clone())));
    }

    pub(crate) fn apply(self, request: RequestBuilder) -> Result<RequestBuilder> {
        if self.multipart {
            let mut form = multipart::Form::new();
            for (name, part) in self.fields {
                form = match part {
                    Part::Text(value) => form.text(name, value),
                    Part::File(file) => form.part(name, file.part()?),
                };
            }
            return Ok(request.multipart(form));
        }
        let mut pairs = Vec::new();
        for (name, part) in self.fields {
            match part {
                Part::Text(value) => pairs.push((name, value)),
                Part::File(_) => return Err(Error::request(format!("`{name}`: a file needs a multipart form"))),
            }
        }
        let body = serde_urlencoded::to_string(pairs)
            .map_err(|error| Error::request("the form cannot be encoded").with_source(error))?;
        Ok(request.header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body))
    }
}
