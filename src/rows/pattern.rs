//! Patterns of text for `contains` and `like`.

use crate::{Error, Result};

/// A pattern, matched without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Char(char),
    /// Any one character.
    One,
    /// Any text, also none.
    Any,
}

impl Pattern {
    /// Matches a text anywhere in a value.
    pub(super) fn containing(text: &str) -> Self {
        let chars = text.chars().map(Token::Char);
        Self { tokens: std::iter::once(Token::Any).chain(chars).chain([Token::Any]).collect() }
    }

    /// The pattern of SQL's `ILIKE`.
    pub(super) fn like(pattern: &str) -> Result<Self> {
        let mut tokens = Vec::new();
        let mut chars = pattern.chars();
        while let Some(char) = chars.next() {
            tokens.push(match char {
                '%' => Token::Any,
                '_' => Token::One,
                '\\' => Token::Char(chars.next().ok_or_else(|| {
                    Error::request(format!(
                        "the pattern {pattern:?} ends with a backslash that escapes nothing: write `\\\\` for a backslash"
                    ))
                })?),
                char => Token::Char(char),
            });
        }
        Ok(Self { tokens })
    }

    /// The tokens between the outer `%`, and whether both exist: the servers search anywhere in a value.
    pub(super) fn unanchored(&self) -> (&[Token], bool) {
        match self.tokens.as_slice() {
            [Token::Any] => (&[], true),
            [Token::Any, inner @ .., Token::Any] => (inner, true),
            [inner @ .., Token::Any] | [Token::Any, inner @ ..] => (inner, false),
            inner => (inner, false),
        }
    }

    /// Whether a whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut token) = (0, 0);
        // Where to continue if what follows the last `Any` does not match.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            let matched = match (self.tokens.get(token), text.get(at)) {
                (Some(Token::Any), _) => {
                    retry = Some((token, at));
                    token += 1;
                    continue;
                }
                (Some(Token::One), _) => true,
                (Some(Token::Char(wanted)), Some(char)) => same_letter(*wanted, *char),
                _ => false,
            };
            if matched {
                (at, token) = (at + 1, token + 1);
            } else if let Some((any, from)) = &mut retry {
                *from += 1;
                (at, token) = (*from, *any + 1);
            } else {
                return false;
            }
        }
        self.tokens.get(token..).unwrap_or_default().iter().all(|token| *token == Token::Any)
    }
}

/// Whether two characters are the same but for their case.
fn same_letter(left: char, right: char) -> bool {
    // Character by character, as in the database: letters of several characters are not folded.
    left == right
        || left.to_lowercase().next() == right.to_lowercase().next()
        || left.to_uppercase().next() == right.to_uppercase().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_as_ilike_does() {
        for (pattern, text, expected) in [
            ("gare%", "Gare de Lyon", true),
            ("gare%", "la gare", false),
            ("%gare", "la GARE", true),
            ("%a%b%", "xxaxxbxx", true),
            ("%a%b%", "xxbxxa", false),
            ("_", "é", true),
            ("_", "", false),
            ("__", "a", false),
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            (r"a\_b", "a_b", true),
            (r"a\_b", "axb", false),
            (r"c:\\%", r"C:\dir", true),
            ("%ab", "aab", true),
            ("%aab%", "aaab", true),
            ("ÉCOLE%", "école", true),
            ("a%", "a\nb", true),
        ] {
            assert_eq!(Pattern::like(pattern).unwrap().matches(text), expected, "{text:?} like {pattern:?}");
        }
        assert!(Pattern::like(r"a\").unwrap_err().is_request());
    }

    #[test]
    fn no_character_of_a_contained_text_is_a_wildcard() {
        assert!(Pattern::containing("50%_\\*").matches("x50%_\\*y"));
        assert!(!Pattern::containing("50%").matches("500"));
        assert!(Pattern::containing("").matches("anything"));
    }

    #[test]
    fn a_pattern_within_percent_signs_is_sent_unchanged() {
        let like = |pattern: &str| Pattern::like(pattern).unwrap();
        assert_eq!(like("%a_%").unanchored(), (&[Token::Char('a'), Token::One][..], true));
        assert_eq!(like("a%").unanchored(), (&[Token::Char('a')][..], false));
        assert_eq!(like("%").unanchored(), (&[][..], true));
        assert_eq!(like("%%").unanchored(), (&[][..], true));
        assert_eq!(like("").unanchored(), (&[][..], false));
    }
}
