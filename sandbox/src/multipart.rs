//! Bodies of `multipart/form-data` (RFC 7578), which are in memory.

use bytes::Bytes;
use memchr::memmem;
use percent_encoding::percent_decode_str;

/// The most headers of a part.
const MAX_HEADERS: usize = 16;

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// The file name, where the field is a file.
    pub file_name: Option<String>,
    /// The media type of the part, if it has one.
    pub content_type: Option<String>,
    /// The field's content.
    pub data: Bytes,
}

/// The fields of a `multipart/form-data` body.
///
/// # Errors
///
/// Returns what is wrong with the body.
pub fn multipart(content_type: &str, body: &Bytes) -> Result<Vec<Field>, String> {
    let (media_type, parameters) = header_parameters(content_type);
    if !media_type.eq_ignore_ascii_case("multipart/form-data") {
        return Err(format!("the media type is `{media_type}`, not `multipart/form-data`"));
    }
    let boundary = parameter(&parameters, "boundary").filter(|boundary| !boundary.is_empty());
    let delimiter = format!("\r\n--{}", boundary.ok_or("the media type has no boundary")?);
    let delimiter = memmem::Finder::new(delimiter.as_bytes());
    // No line ends before a delimiter at the very start.
    let mut at = match body.starts_with(&delimiter.needle()[2..]) {
        true => delimiter.needle().len() - 2,
        false => delimiter.find(body).ok_or("the boundary is not in the body")? + delimiter.needle().len(),
    };
    let mut fields = Vec::new();
    loop {
        let rest = body.slice(at..);
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if !rest[blanks..].starts_with(b"\r\n") {
            return Err("a boundary is not at the end of its line".to_owned());
        }
        // The line end may be that of the next delimiter.
        let end = delimiter.find(&rest[blanks..]).ok_or("the form does not end")? + blanks;
        fields.push(field(rest.slice((blanks + 2).min(end)..end))?);
        at += end + delimiter.needle().len();
    }
}

/// Reads a part: its headers, an empty line, its content.
fn field(part: Bytes) -> Result<Field, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let (length, headers) = match httparse::parse_headers(&part, &mut headers) {
        Ok(httparse::Status::Complete(parsed)) => parsed,
        Ok(httparse::Status::Partial) => return Err("the headers of a part do not end".to_owned()),
        Err(error) => return Err(format!("the headers of a part: {error}")),
    };
    let header = |name: &str| {
        let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok().map(str::trim)
    };
    let (_, parameters) = header_parameters(header("content-disposition").unwrap_or_default());
    Ok(Field {
        name: parameter(&parameters, "name").ok_or("a part of the form has no name")?.to_owned(),
        file_name: parameter(&parameters, "filename").map(str::to_owned),
        content_type: header("content-type").map(str::to_owned),
        data: part.slice(length..),
    })
}

fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

/// A header's value up to its parameters, and these with names in lower case. An encoded parameter (`filename*`, RFC 8187)
/// comes before the others, since it is preferred.
fn header_parameters(header: &str) -> (&str, Vec<(String, String)>) {
    let (value, mut rest) = header.split_once(';').unwrap_or((header, ""));
    let mut parameters = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', '\t', ';']).to_ascii_lowercase();
        let after = after.trim_start();
        let text;
        (text, rest) = match after.strip_prefix('"') {
            Some(quoted) => until_quote(quoted),
            None => {
                let (token, rest) = after.split_once(';').unwrap_or((after, ""));
                (token.trim_end().to_owned(), rest)
            }
        };
        match name.strip_suffix('*') {
            Some(name) => {
                let encoded = text.splitn(3, '\'').nth(2).unwrap_or(&text);
                let decoded = percent_decode_str(encoded).decode_utf8_lossy().into_owned();
                parameters.insert(0, (name.to_owned(), decoded));
            }
            None => parameters.push((name, text)),
        }
    }
    (value.trim(), parameters)
}

/// The text up to a quotation mark without a backslash, and what is after it.
fn until_quote(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (text, &quoted[at + 1..]),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => text.push(escaped),
                // Names of files on Windows have backslashes that escape nothing.
                None => text.push('\\'),
            },
            _ => text.push(char),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<Field>, String> {
        multipart("multipart/form-data; boundary=\"b d\"", &Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn a_part_is_read_up_to_its_delimiter_byte_by_byte() {
        let body = "preamble\r\n--b d \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\n--b d\r\n\r\n--b d\r\n\
            content-disposition: form-data; filename=x.csv; name=file\r\nContent-Type: text/csv\r\n\r\n\r\n--b d--\r\nepilogue";
        let fields = read(body).expect("a form");
        let [text, file] = fields.as_slice() else { panic!("two fields: {fields:?}") };
        assert_eq!((text.name.as_str(), &text.file_name, &text.content_type), ("a", &None, &None));
        assert_eq!(text.data, "1\r\n--b\n--b d\r\n", "a delimiter begins a line that ends with CRLF");
        assert_eq!((file.name.as_str(), file.file_name.as_deref()), ("file", Some("x.csv")));
        assert_eq!((file.content_type.as_deref(), file.data.len()), (Some("text/csv"), 0));
        assert_eq!(read("--b d--"), Ok(Vec::new()));
    }

    #[test]
    fn names_are_quoted_escaped_or_encoded() {
        for (parameters, name) in [
            (r#"name="f"; filename="a;b=\"c\".csv""#, r#"a;b="c".csv"#),
            (r#"name="f"; filename="C:\temp\données.csv""#, r"C:\temp\données.csv"),
            (r#"filename*=UTF-8''donn%C3%A9es.csv; name="f"; filename="x.csv""#, "données.csv"),
            (r#"name="f"; FileName = plain.csv ; size=3"#, "plain.csv"),
        ] {
            let body = format!("--b d\r\nContent-Disposition: form-data; {parameters}\r\n\r\nx\r\n--b d--");
            let fields = read(&body).expect(parameters);
            assert_eq!(fields[0].file_name.as_deref(), Some(name), "{parameters}");
            assert_eq!(fields[0].name, "f", "{parameters}");
        }
    }

    #[test]
    fn a_broken_form_is_refused_with_the_reason() {
        let part = "--b d\r\nContent-Disposition: form-data; name=a\r\n\r\nx";
        for (body, reason) in [
            ("", "the boundary is not in the body"),
            (part, "the form does not end"),
            ("--b d", "a boundary is not at the end of its line"),
            ("--b dx\r\n\r\n--b d--", "a boundary is not at the end of its line"),
            ("--b d\r\n--b d--", "the headers of a part do not end"),
            ("--b d\r\nA: b\r\n\r\nx\r\n--b d--", "a part of the form has no name"),
        ] {
            assert_eq!(read(body), Err(reason.to_owned()), "{body:?}");
        }
        let typed = |content_type| multipart(content_type, &Bytes::from_static(b"--b--"));
        assert_eq!(typed("multipart/form-data"), Err("the media type has no boundary".to_owned()));
        assert!(typed("text/plain; boundary=b").is_err_and(|reason| reason.contains("text/plain")));
        assert_eq!(typed("Multipart/Form-Data; charset=utf-8; Boundary=b"), Ok(Vec::new()));
    }
}
