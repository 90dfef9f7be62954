//! Escaping of names and values for the query grammar of the tabular and metrics APIs.
//!
//! A query is decoded twice. The server decodes it once, splits it (at `&`, `=` and the last `__`; within groups at
//! commas, parentheses, the dot and quotes) and sends the pieces on in a URL of its own. The database's front,
//! PostgREST, decodes that URL again, and reads quotes and backslashes. A character that is percent-encoded once is seen
//! by the server's split, one that is encoded twice is not. All rules were measured on a server of version 0.4.1.

use super::pattern::{Pattern, Token};
use super::row::ROW_NUMBER;
use crate::{Error, Result};

/// Builds a piece of a query, already percent-encoded.
struct Piece(String);

impl Piece {
    fn new(text: &str) -> Self {
        Self(String::with_capacity(text.len() * 2))
    }

    /// Percent-encodes a character once, unless it needs no encoding at all.
    fn once(&mut self, char: char) {
        if char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.') {
            self.0.push(char);
        } else {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                self.0.push('%');
                self.hex(byte);
            }
        }
    }

    /// Percent-encodes a character of ASCII twice, so that the server's split does not see it.
    fn twice(&mut self, char: char) {
        match u8::try_from(char) {
            Ok(byte) if byte.is_ascii() => {
                self.0.push_str("%25");
                self.hex(byte);
            }
            // Only ASCII is syntax.
            _ => self.once(char),
        }
    }

    fn hex(&mut self, byte: u8) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        for digit in [byte >> 4, byte & 15] {
            self.0.extend(DIGITS.get(usize::from(digit)).map(|digit| char::from(*digit)));
        }
    }

    /// A character that means itself, wherever it stands.
    fn literal(&mut self, char: char) {
        if char.is_ascii_alphanumeric() || matches!(char, '-' | ' ') || !char.is_ascii() {
            self.once(char);
        } else {
            self.twice(char);
        }
    }

    /// A character between double quotes of PostgREST.
    fn quoted(&mut self, char: char) {
        if matches!(char, '"' | '\\') {
            self.twice('\\');
        }
        self.literal(char);
    }
}

fn without_nul(text: &str) -> Result<&str> {
    if text.contains('\0') {
        return Err(Error::request(format!("{text:?} holds a NUL, which no text in the database does")));
    }
    Ok(text)
}

fn name(column: &str) -> Result<&str> {
    if column.is_empty() {
        return Err(Error::request("a column with an empty name cannot be queried"));
    }
    without_nul(column)
}

/// Whether an underscore must be escaped because of the split at `__`: the last of a name, and the first of two.
fn splits(column: &str, index: usize) -> bool {
    matches!(column.as_bytes().get(index + 1), None | Some(b'_'))
}

/// A column in the key of a filter or an order (`column__operator`).
///
/// The server puts the name in quotes and escapes the quotes in it, but not the backslashes.
pub(super) fn key_column(column: &str) -> Result<String> {
    // `.count()` anywhere makes the server leave out the total.
    key(column, &['(', ')'])
}

/// A column in the key of an aggregate (`column__operator`).
///
/// Characters at which the server does not split are encoded once: it compares the names of columns with an index after
/// its own decoding.
pub(super) fn aggregate_column(column: &str) -> Result<String> {
    key(column, &[])
}

fn key(column: &str, hidden: &[char]) -> Result<String> {
    let mut piece = Piece::new(name(column)?);
    // The server's own column has this name in requests.
    if column == ROW_NUMBER {
        return Ok(column.to_owned());
    }
    for (index, char) in column.char_indices() {
        match char {
            '\\' => {
                piece.twice('\\');
                piece.twice('\\');
            }
            '_' if splits(column, index) => piece.twice('_'),
            '#' | '%' | '&' | '=' | '+' | ';' => piece.twice(char),
            char if char.is_ascii_control() || hidden.contains(&char) => piece.twice(char),
            char => piece.once(char),
        }
    }
    Ok(piece.0)
}

/// A column within a group (`or=(…)`).
pub(super) fn group_column(column: &str) -> Result<String> {
    let mut piece = Piece::new(name(column)?);
    for (index, char) in column.char_indices() {
        match char {
            '_' if splits(column, index) => piece.twice('_'),
            '_' => piece.once('_'),
            char => piece.quoted(char),
        }
    }
    Ok(piece.0)
}

/// A column in a list of columns to select, which the server puts in quotes.
pub(super) fn selected_column(column: &str) -> Result<String> {
    let mut piece = Piece::new(name(column)?);
    column.chars().for_each(|char| if char == '_' { piece.once(char) } else { piece.quoted(char) });
    Ok(piece.0)
}

/// A column in an order after the first, which the server passes on unchanged.
pub(super) fn order_column(column: &str) -> Result<String> {
    Ok(format!("%2522{}%2522", selected_column(column)?))
}

/// The value of a comparison that is a parameter of its own.
pub(super) fn value(text: &str) -> Result<String> {
    let mut piece = Piece::new(without_nul(text)?);
    text.chars().for_each(|char| if matches!(char, '_' | '.' | ':') { piece.once(char) } else { piece.literal(char) });
    Ok(piece.0)
}

/// A value in a list, or of a comparison within a group.
pub(super) fn item(text: &str) -> Result<String> {
    let mut piece = Piece::new(without_nul(text)?);
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Ok(text.to_owned());
    }
    piece.0.push_str("%2522");
    text.chars().for_each(|char| piece.quoted(char));
    piece.0.push_str("%2522");
    Ok(piece.0)
}

/// The text to search for, and whether the server matches exactly the values that match.
///
/// It writes the pattern between two `*`, which PostgREST turns into `%`, as it does with all others; so that `*` itself
/// cannot be expressed, and within a group what would end the value cannot either. `_`, any character, is searched
/// for in their place, so that more values may be found, but no fewer.
pub(super) fn pattern(pattern: &Pattern, in_group: bool) -> Result<(String, bool)> {
    let (tokens, mut exact) = pattern.unanchored();
    let mut piece = Piece(String::new());
    for token in tokens {
        match token {
            Token::Any => piece.twice('%'),
            Token::One => piece.twice('_'),
            Token::Char('\0') => return Err(Error::request("no text in the database holds a NUL")),
            Token::Char('*') => {
                exact = false;
                piece.twice('_');
            }
            Token::Char(',' | ')') if in_group => {
                exact = false;
                piece.twice('_');
            }
            Token::Char(char @ ('\\' | '%' | '_')) => {
                piece.twice('\\');
                piece.twice(*char);
            }
            Token::Char(char) => piece.literal(*char),
        }
    }
    Ok((piece.0, exact))
}
