//! A scanner for the grammar of PostgREST: quotes, backslashes, names, lists.

/// A syntax error, in the words of PostgREST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unparsable {
    pub(crate) message: String,
    pub(crate) details: String,
}

/// A step into a JSON value: a name, or an index, which may count from the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Name(String),
    Index(i64),
}

/// A text that is read from left to right.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    rest: &'a str,
    /// The name of the text in errors.
    what: &'static str,
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t')
}

fn is_name(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | ' ' | '$')
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, what: &'static str) -> Self {
        Self { text, rest: text, what }
    }

    pub(crate) fn fail(&self, expected: &str) -> Unparsable {
        let found = match self.rest.chars().next() {
            Some(char) => format!("unexpected \"{char}\""),
            None => "unexpected end of input".to_owned(),
        };
        let column = self.text.chars().count() - self.rest.chars().count() + 1;
        Unparsable {
            message: format!("\"failed to parse {} ({})\" (line 1, column {column})", self.what, self.text),
            details: format!("{found} expecting {expected}"),
        }
    }

    pub(crate) fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn end(&self, expected: &str) -> Result<(), Unparsable> {
        if self.at_end() { Ok(()) } else { Err(self.fail(expected)) }
    }

    pub(crate) fn sees(&self, wanted: &str) -> bool {
        self.rest.starts_with(wanted)
    }

    pub(crate) fn take(&mut self, wanted: &str) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(crate) fn take_ignoring_case(&mut self, wanted: &str) -> bool {
        match self.rest.get(..wanted.len()) {
            Some(start) if start.eq_ignore_ascii_case(wanted) => self.take(start),
            _ => false,
        }
    }

    pub(crate) fn need(&mut self, wanted: &str, expected: &str) -> Result<(), Unparsable> {
        if self.take(wanted) { Ok(()) } else { Err(self.fail(expected)) }
    }

    pub(crate) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> String {
        std::mem::take(&mut self.rest).to_owned()
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|char| !fits(char)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    pub(crate) fn until_comma_or_parenthesis(&mut self) -> String {
        self.take_while(|char| !matches!(char, ',' | ')')).to_owned()
    }

    /// A text in quotes, with backslashes as escapes; None if there is no quote.
    fn quoted(&mut self) -> Result<Option<String>, Unparsable> {
        let Some(inner) = self.rest.strip_prefix('"') else { return Ok(None) };
        let mut text = String::new();
        let mut chars = inner.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.rest = &inner[at + 1..];
                    return Ok(Some(text));
                }
                '\\' => text.push(chars.next().map_or('\\', |(_, char)| char)),
                _ => text.push(char),
            }
        }
        self.rest = "";
        Err(self.fail("end of quoted value"))
    }

    /// A text in quotes that is followed by the end, a comma or a parenthesis.
    pub(crate) fn quoted_item(&mut self) -> Option<String> {
        let start = self.rest;
        match self.quoted() {
            Ok(Some(text)) if self.at_end() || self.sees(",") || self.sees(")") => Some(text),
            _ => {
                self.rest = start;
                None
            }
        }
    }

    /// The value of a condition in a group: in quotes, in braces, or up to a comma or a parenthesis.
    pub(crate) fn group_value(&mut self) -> String {
        if let Some(text) = self.quoted_item() {
            return text;
        }
        if let Some(inner) = self.rest.strip_prefix('{')
            && let Some(end) = inner.find(['{', '}'])
            && inner[end..].starts_with('}')
        {
            let (taken, rest) = self.rest.split_at(end + 2);
            self.rest = rest;
            return taken.to_owned();
        }
        self.until_comma_or_parenthesis()
    }

    /// The name of a column: in quotes, or letters, digits, blanks and single `-`.
    pub(crate) fn field_name(&mut self) -> Result<String, Unparsable> {
        if let Some(name) = self.quoted()? {
            return Ok(name);
        }
        let start = self.rest;
        let mut length = self.take_while(is_name).len();
        if length == 0 {
            return Err(self.fail("field name (* or [a..z0..9_$])"));
        }
        while let Some(more) = self.rest.strip_prefix('-').filter(|more| more.starts_with(is_name)) {
            self.rest = more;
            length += 1 + self.take_while(is_name).len();
        }
        Ok(start[..length].trim().to_owned())
    }

    /// The name of a type.
    pub(crate) fn identifier(&mut self) -> Result<String, Unparsable> {
        let name = self.take_while(is_name);
        if name.is_empty() { Err(self.fail("letter or digit")) } else { Ok(name.trim().to_owned()) }
    }

    /// An alias, `name:`, but not `name::`.
    pub(crate) fn alias(&mut self) -> Option<String> {
        let start = self.rest;
        if let Ok(name) = self.field_name()
            && !self.sees("::")
            && self.take(":")
        {
            return Some(name);
        }
        self.rest = start;
        None
    }

    /// `*` as a whole item.
    pub(crate) fn take_star(&mut self) -> bool {
        let whole = self.rest.strip_prefix('*').is_some_and(|rest| rest.is_empty() || rest.starts_with([',', ')']));
        whole && self.take("*")
    }

    /// The start of a group, up to its parenthesis: whether it is negated, and whether all must hold.
    pub(crate) fn start_of_group(&mut self) -> Option<(bool, bool)> {
        let start = self.rest;
        let negated = self.take("not.");
        let all = self.take("and");
        if all || self.take("or") {
            self.rest = self.rest.trim_start();
            if self.take("(") {
                return Some((negated, all));
            }
        }
        self.rest = start;
        None
    }

    /// A key or an index of a JSON value.
    pub(crate) fn json_key(&mut self) -> Result<Key, Unparsable> {
        let digits = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let after = &digits[count..];
        let ends = after.is_empty() || ["->", "::", ".", ",", ")"].iter().any(|end| after.starts_with(end));
        if count > 0 && ends {
            let (index, rest) = self.rest.split_at(self.rest.len() - after.len());
            self.rest = rest;
            return Ok(index.parse().map_or_else(|_| Key::Name(index.to_owned()), Key::Index));
        }
        let mut length = 0;
        for (at, char) in self.rest.char_indices() {
            let dash = char == '-' && !self.rest[at..].starts_with("->");
            if !dash && "(),.:>-".contains(char) {
                break;
            }
            length = at + char.len_utf8();
        }
        if length == 0 {
            return Err(self.fail("json key"));
        }
        let (name, rest) = self.rest.split_at(length);
        self.rest = rest;
        Ok(Key::Name(name.to_owned()))
    }
}
