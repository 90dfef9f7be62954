//! The positions of the values of a document in its text.

use std::collections::HashMap;

use datagouv_specs::pointer::escape;
use saphyr_parser::{Event, Parser, Span};
use serde::Serialize;

/// A place in a text, counted from one, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// The positions of all values of a document, by pointer: of a member, that of its name.
///
/// Large documents have millions of values: each is known by the one around it and its own name, not by its pointer.
#[derive(Debug, Default)]
pub struct Positions {
    positions: Vec<Position>,
    /// The number of a value, by that of the value around it and its name, as in a pointer.
    children: HashMap<(usize, Box<str>), usize>,
}

/// What is being read.
struct Open {
    number: usize,
    /// The next element of a list; none for an object.
    index: Option<usize>,
    /// The name of the member whose value comes next, with its position.
    name: Option<(String, Position)>,
}

impl Positions {
    /// Reads the positions of a text of JSON or YAML. Where the text is neither, those before the fault are known.
    pub fn of(text: &str) -> Self {
        let mut positions = Self::default();
        let mut open: Vec<Open> = Vec::new();
        for event in Parser::new_from_str(text) {
            let Ok((event, span)) = event else { break };
            match event {
                Event::MappingStart(..) | Event::SequenceStart(..) => {
                    let number = positions.enter(&mut open, span);
                    let index = matches!(event, Event::SequenceStart(..)).then_some(0);
                    open.push(Open { number, index, name: None });
                }
                Event::MappingEnd | Event::SequenceEnd => drop(open.pop()),
                Event::Scalar(text, ..) => match open.last_mut() {
                    Some(object) if object.index.is_none() && object.name.is_none() => {
                        object.name = Some((text.into_owned(), position(span)));
                    }
                    _ => {
                        positions.enter(&mut open, span);
                    }
                },
                Event::Alias(_) => {
                    positions.enter(&mut open, span);
                }
                _ => {}
            }
        }
        positions
    }

    /// Takes note of a value, and returns its number.
    fn enter(&mut self, open: &mut [Open], span: Span) -> usize {
        let next = self.positions.len();
        let (number, at) = match open.last_mut() {
            None => (0, position(span)),
            Some(Open { number, index: Some(index), .. }) => {
                *index += 1;
                let key = (*number, (*index - 1).to_string().into());
                (*self.children.entry(key).or_insert(next), position(span))
            }
            Some(Open { number, name, .. }) => {
                let (name, at) = name.take().unwrap_or_else(|| (String::new(), position(span)));
                (*self.children.entry((*number, escape(&name).into())).or_insert(next), at)
            }
        };
        // Of members with the same name, the last one counts.
        match self.positions.get_mut(number) {
            Some(known) => *known = at,
            None => self.positions.push(at),
        }
        number
    }

    /// The position of a value, or of the nearest one around it that is there.
    pub fn nearest(&self, pointer: &str) -> Option<Position> {
        let names = match pointer {
            "" => "",
            pointer => pointer.strip_prefix('/')?,
        };
        let names = names.split('/').skip(usize::from(pointer.is_empty()));
        let child = |number: usize, name: &str| self.children.get(&(number, name.into())).copied();
        let mut number = 0;
        for name in names {
            let Some(inner) = child(number, name) else { break };
            number = inner;
        }
        self.positions.get(number).copied()
    }
}

fn position(span: Span) -> Position {
    Position { line: span.start.line(), column: span.start.col() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, pointer: &str) -> (usize, usize) {
        let found = Positions::of(text).nearest(pointer).unwrap();
        (found.line, found.column)
    }

    #[test]
    fn the_position_of_a_member_is_that_of_its_name() {
        let json = "{\n  \"a/b\": {\"é\": [1,\n    {\"c\": 2}]}\n}";
        assert_eq!(at(json, ""), (1, 1));
        assert_eq!(at(json, "/a~1b"), (2, 3));
        assert_eq!(at(json, "/a~1b/é"), (2, 11));
        assert_eq!(at(json, "/a~1b/é/1"), (3, 5));
        assert_eq!(at(json, "/a~1b/é/1/c"), (3, 6));
        let yaml = "paths:\n  /a:\n    get:\n      tags: [x, y]\n";
        assert_eq!(at(yaml, "/paths/~1a/get/tags/1"), (4, 17));
    }

    #[test]
    fn an_absent_value_has_the_position_of_its_parent() {
        assert_eq!(at("{\"a\": {\n\"b\": 1}}", "/a/c/d"), (1, 2));
        // A text that ends early has positions up to there.
        assert_eq!(at("{\"a\": {\n\"b\": [1, ", "/a/b"), (2, 1));
    }
}
