//! Names of downloaded files: safe within a folder on every system, whatever the server sends.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::{CONTENT_DISPOSITION, HeaderMap};

/// Leaves room for the suffix of temporary files.
const MAX_BYTES: usize = 200;

/// Returns the name in `Content-Disposition` (RFC 6266).
pub(crate) fn of_response(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_DISPOSITION)?.as_bytes();
    let value = std::str::from_utf8(value).map_or_else(|_| latin1(value), str::to_owned);
    let parameters = parameters(&value);
    let find = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let extended = find("filename*").and_then(extended).and_then(|name| safe(&name));
    extended.or_else(|| safe(find("filename")?))
}

/// Returns the last segment of a URL's path, if it looks like a file name.
pub(crate) fn of_url(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    let name = safe(&percent_decode_str(last).decode_utf8_lossy())?;
    name.contains('.').then_some(name)
}

/// Returns a name that stays within its folder; `None` if nothing is left of it.
pub(crate) fn safe(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name
        .chars()
        .filter(|letter| !letter.is_control() && !is_invisible(*letter))
        .map(|letter| if "<>:\"|?*".contains(letter) { '_' } else { letter })
        .collect();
    // Windows drops trailing dots and spaces; a leading dot would hide the file.
    let name = name.trim_matches(|letter: char| letter == '.' || letter.is_whitespace());
    let name = if is_device(name) { format!("_{name}") } else { name.to_owned() };
    (!name.is_empty()).then(|| short(name))
}

/// Returns whether a character is invisible or changes the direction of text: `exe.vsc` for `csv.exe`.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns whether Windows reserves the name for a device, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_ascii_uppercase();
    let numbered = |prefix: &str| {
        let number = stem.strip_prefix(prefix).and_then(|rest| {
            let mut letters = rest.chars();
            letters.next().filter(|_| letters.next().is_none())
        });
        number.is_some_and(|number| matches!(number, '0'..='9' | '¹' | '²' | '³'))
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

/// Cuts a long name before its extension.
fn short(name: String) -> String {
    if name.len() <= MAX_BYTES {
        return name;
    }
    let extension = name.rfind('.').map(|dot| &name[dot..]).filter(|extension| extension.len() <= 20);
    let extension = extension.unwrap_or_default();
    let mut end = MAX_BYTES - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", name[..end].trim_end())
}

/// Returns the parameters of a header value, with names in lower case and without quotes.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut letters = value.chars().peekable();
    // The type (`attachment`) is before the first semicolon.
    for letter in letters.by_ref() {
        if letter == ';' {
            break;
        }
    }
    while letters.peek().is_some() {
        let mut name = String::new();
        let mut ended = None;
        for letter in letters.by_ref() {
            if matches!(letter, '=' | ';') {
                ended = Some(letter);
                break;
            }
            name.push(letter);
        }
        if ended != Some('=') {
            continue;
        }
        while letters.next_if(|letter| letter.is_ascii_whitespace()).is_some() {}
        let mut text = String::new();
        if letters.next_if_eq(&'"').is_some() {
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => break,
                    // Only these two are ever escaped; other backslashes are from Windows paths.
                    '\\' => text.push(letters.next_if(|next| matches!(next, '"' | '\\')).unwrap_or('\\')),
                    _ => text.push(letter),
                }
            }
        }
        for letter in letters.by_ref() {
            if letter == ';' {
                break;
            }
            text.push(letter);
        }
        found.push((name.trim().to_ascii_lowercase(), text.trim().to_owned()));
    }
    found
}

/// `charset'language'percent-encoded` (RFC 8187).
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    match charset.trim().to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(latin1(&bytes)),
        _ => None,
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn disposition(value: &[u8]) -> Option<String> {
        of_response(&HeaderMap::from_iter([(CONTENT_DISPOSITION, HeaderValue::from_bytes(value).unwrap())]))
    }

    #[test]
    fn a_disposition_names_its_file() {
        for (value, name) in [
            ("attachment; filename=datasets-2026.csv", Some("datasets-2026.csv")),
            ("attachment;filename=\"communes de l'Ain.csv\"", Some("communes de l'Ain.csv")),
            ("ATTACHMENT; FileName=\"a;b.csv\"; size=3", Some("a;b.csv")),
            ("attachment; filename=\"x.csv\"; filename*=UTF-8''donn%C3%A9es%20%C3%A9.csv", Some("données é.csv")),
            ("attachment; filename*=utf-8'fr'%e2%82%ac.csv; filename=euro.csv", Some("€.csv")),
            ("attachment; filename*=iso-8859-1''caf%e9.csv", Some("café.csv")),
            ("attachment; filename*=shift_jis''%82%a0.csv; filename=a.csv", Some("a.csv")),
            ("attachment; filename*=UTF-8''%ff%fe.csv; filename=a.csv", Some("a.csv")),
            ("attachment; filename*=broken; filename=a.csv", Some("a.csv")),
            ("attachment; filename=\"a \\\"b\\\".csv\"", Some("a _b_.csv")),
            ("attachment; filename = \"spaced.csv\" ", Some("spaced.csv")),
            ("attachment; filename=\"unclosed.csv", Some("unclosed.csv")),
            ("attachment; filename=unquoted name.csv", Some("unquoted name.csv")),
            ("inline", None),
            ("attachment; filename=", None),
            ("filename=no-type.csv", None),
            ("attachment; x; filename=a.csv", Some("a.csv")),
        ] {
            assert_eq!(disposition(value.as_bytes()).as_deref(), name, "{value}");
        }
        assert_eq!(disposition("attachment; filename=\"données.csv\"".as_bytes()).as_deref(), Some("données.csv"));
        assert_eq!(disposition(b"attachment; filename=\"caf\xe9.csv\"").as_deref(), Some("café.csv"));
    }

    #[test]
    fn a_name_never_leaves_its_folder() {
        for (name, safe_name) in [
            ("../../etc/passwd", Some("passwd")),
            ("..\\..\\boot.ini", Some("boot.ini")),
            ("/etc/passwd", Some("passwd")),
            ("C:\\data\\a.csv", Some("a.csv")),
            ("C:a.csv", Some("C_a.csv")),
            ("a.csv:stream", Some("a.csv_stream")),
            ("..", None),
            (".", None),
            ("...", None),
            ("a/..", None),
            ("a/", None),
            ("", None),
            (" \u{200b}\0\r\n ", None),
            (".bashrc", Some("bashrc")),
            ("~", Some("~")),
            ("a\0.csv", Some("a.csv")),
            ("données.csv. . ", Some("données.csv")),
            ("con", Some("_con")),
            ("NUL.csv", Some("_NUL.csv")),
            ("com1.tar.gz", Some("_com1.tar.gz")),
            ("LPT².txt", Some("_LPT².txt")),
            ("common.csv", Some("common.csv")),
            ("COM10.csv", Some("COM10.csv")),
            ("facture\u{202e}vsc.exe", Some("facturevsc.exe")),
        ] {
            assert_eq!(safe(name).as_deref(), safe_name, "{name:?}");
            if let Some(name) = safe(name) {
                let path = std::path::Path::new("folder").join(&name);
                assert_eq!((path.parent(), path.components().count()), (Some("folder".as_ref()), 2), "{name:?}");
            }
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = safe(&format!("{}.csv", "é".repeat(300))).unwrap();
        assert!(name.len() <= MAX_BYTES && name.ends_with("é.csv"), "{name}");
        let name = safe(&"x.".repeat(300)).unwrap();
        assert!(name.len() <= MAX_BYTES && name.starts_with("x.x."), "{name}");
        assert_eq!(safe(&"y".repeat(300)).unwrap().len(), MAX_BYTES);
    }

    #[test]
    fn a_url_gives_its_last_segment_where_that_is_a_file() {
        for (url, name) in [
            ("https://h/a/communes.csv?x=1#y", Some("communes.csv")),
            ("https://h/a/donn%C3%A9es%20%C3%A9.csv", Some("données é.csv")),
            ("https://h/a/..%2f..%2fetc%2fpasswd.txt", Some("passwd.txt")),
            ("https://h/a/%2e%2e%2f", None),
            ("https://h/api/1/datasets/r/1c5075ec", None),
            ("https://h/a/", None),
            ("https://h", None),
        ] {
            assert_eq!(of_url(&Url::parse(url).unwrap()).as_deref(), name, "{url}");
        }
    }
}
