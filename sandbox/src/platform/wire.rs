//! The decoding of a query string: once by the tabular server, and a second time by PostgREST, to which the server sends
//! the pieces in a URL.

use percent_encoding::percent_decode_str;

/// The characters that keep their percent-encoding in the first decoding.
const KEPT: [char; 4] = ['+', '=', '&', ';'];

/// Decodes a query string as the server does: `+` is a space, `%2B`, `%3D`, `%26` and `%3B` stay as they are,
/// and so does invalid UTF-8.
pub(crate) fn decode_first(raw: &str) -> String {
    let mut decoded = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['%', '+']) {
        let (plain, tail) = rest.split_at(at);
        decoded.push_str(plain);
        if let Some(tail) = tail.strip_prefix('+') {
            decoded.push(' ');
            rest = tail;
            continue;
        }
        match escaped_char(tail) {
            Some((char, length)) => {
                let (escape, tail) = tail.split_at(length);
                if KEPT.contains(&char) {
                    decoded.push_str(&escape.to_ascii_uppercase());
                } else {
                    decoded.push(char);
                }
                rest = tail;
            }
            None => {
                decoded.push('%');
                rest = &tail[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The character of the percent-encoding at the start of a text, and the length of the encoding.
fn escaped_char(text: &str) -> Option<(char, usize)> {
    let mut bytes = Vec::with_capacity(4);
    for escape in text.as_bytes().chunks(3).take(4) {
        let [b'%', high, low] = escape else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(high)? * 16 + digit(low)?);
        if let Ok(found) = std::str::from_utf8(&bytes) {
            return found.chars().next().map(|char| (char, bytes.len() * 3));
        }
    }
    None
}

/// The query of a URL that a client library makes of a text: tabs and line ends vanish, `#` starts the fragment.
pub(crate) fn query_of_url(text: &str) -> String {
    let whole = text.split('#').next().unwrap_or_default();
    whole.chars().filter(|char| !matches!(char, '\t' | '\r' | '\n')).collect()
}

/// Splits such a query at `&` and at the first `=` and decodes both sides; a key without `=` is left out.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (decode(key), decode(value))).collect()
}

/// The first value of a parameter as the server reads `page` and `page_size`, None if it is absent.
pub(crate) fn parameter(raw: &str, name: &str) -> Option<String> {
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut pairs = raw.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find_map(|(key, value)| (decode(key) == name).then(|| decode(value)))
}

/// Reads a whole number as Python does: blanks around it, a sign, leading zeros and single `_` between digits.
pub(crate) fn whole_number(text: &str) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number = 0_i128;
    for group in digits.split('_') {
        if group.is_empty() || !group.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        for digit in group.bytes() {
            number = number.saturating_mul(10).saturating_add(i128::from(digit - b'0'));
        }
    }
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_decoding_keeps_separators_encoded() {
        assert_eq!(decode_first("a+b%2B%26%3d%3B%25%2C"), "a b%2B%26%3D%3B%,");
        assert_eq!(decode_first("%C3%A9%F0%9F%98%80"), "é😀");
        assert_eq!(decode_first("%2541%252C"), "%41%2C");
    }

    #[test]
    fn an_invalid_percent_encoding_is_kept() {
        assert_eq!(decode_first("%zz%4%"), "%zz%4%");
        assert_eq!(decode_first("%FF%C3x%E2%82"), "%FF%C3x%E2%82");
    }

    #[test]
    fn the_second_decoding_starts_from_a_url() {
        assert_eq!(query_of_url("a=eq.x\ny\t#&limit=5"), "a=eq.xy");
        assert_eq!(
            pairs("\"a%26b\"=eq.x%3Dy=z&&bare&c=%FF"),
            [("\"a&b\"".into(), "eq.x=y=z".into()), ("c".into(), "\u{fffd}".into())]
        );
    }

    #[test]
    fn numbers_of_pages_are_read_as_python_reads_them() {
        for (text, number) in [(" 2", 2), ("+2", 2), ("02", 2), ("5_0", 50), ("-1", -1)] {
            assert_eq!(whole_number(text), Some(number), "{text}");
        }
        for text in ["", "abc", "1.5", "1e1", "_1", "1_", "1__0", "+-1"] {
            assert_eq!(whole_number(text), None, "{text}");
        }
    }
}
