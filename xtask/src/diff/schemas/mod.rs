//! Schemas: each pair of them that requests or responses lead to is compared once, whatever leads there.

mod flat;
mod keywords;
mod objects;
mod unions;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::change::Direction;
use super::document::Document;
use super::place::Place;
use super::rules::{Pair, Rule};
use flat::Flat;
pub use flat::Spot;

/// How much is compared before the documents are said to be too large: forty times what the largest needs.
const FUEL: usize = 200_000;

/// A change whose operations are not known yet.
#[derive(Debug, Clone)]
pub struct Draft {
    pub rule: &'static Rule,
    pub location: String,
    pub old: Option<Value>,
    pub new: Option<Value>,
    pub text: String,
}

/// A pair of schemas, with what differs between them and the pairs that they lead to.
#[derive(Debug)]
struct Node<'a> {
    old: Vec<Spot<'a>>,
    new: Vec<Spot<'a>>,
    direction: Direction,
    drafts: Vec<Draft>,
    children: Vec<usize>,
}

type Addresses = Vec<(*const Value, bool)>;

/// All pairs of schemas that are compared.
pub struct Schemas<'a> {
    old: &'a Document,
    new: &'a Document,
    nodes: Vec<Node<'a>>,
    index: HashMap<(Addresses, Addresses, Direction), usize>,
    done: usize,
    fuel: Rc<Cell<usize>>,
    /// How often this is a comparison within a comparison.
    depth: u8,
}

/// There is more to compare than sense allows.
#[derive(Debug)]
pub struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there are too many pairs of schemas to compare")
    }
}

impl<'a> Schemas<'a> {
    pub fn new(old: &'a Document, new: &'a Document) -> Self {
        Self { old, new, nodes: Vec::new(), index: HashMap::new(), done: 0, fuel: Rc::new(Cell::new(FUEL)), depth: 0 }
    }

    /// Asks for the comparison of two schemas: none is one that allows anything.
    pub fn pair(&mut self, old: Option<&'a Value>, new: Option<&'a Value>, place: &Place, way: Direction) -> usize {
        let spots = |value: Option<&'a Value>| value.map(|value| Spot::new(value, place.clone())).into_iter().collect();
        self.add(spots(old), spots(new), way)
    }

    fn add(&mut self, old: Vec<Spot<'a>>, new: Vec<Spot<'a>>, direction: Direction) -> usize {
        let settle = |spots: Vec<Spot<'a>>, document| -> Vec<Spot<'a>> {
            spots.into_iter().map(|spot| spot.settle(document)).collect()
        };
        let (old, new) = (settle(old, self.old), settle(new, self.new));
        let addresses = |spots: &[Spot]| spots.iter().map(|spot| (std::ptr::from_ref(spot.value), spot.bare)).collect();
        let key = (addresses(&old), addresses(&new), direction);
        *self.index.entry(key).or_insert_with(|| {
            self.nodes.push(Node { old, new, direction, drafts: Vec::new(), children: Vec::new() });
            self.nodes.len() - 1
        })
    }

    /// Compares all that was asked for, and what it leads to.
    pub fn compare(&mut self) -> Result<(), TooLarge> {
        while self.done < self.nodes.len() {
            self.compare_next()?;
        }
        Ok(())
    }

    fn compare_next(&mut self) -> Result<(), TooLarge> {
        let Some(node) = self.nodes.get(self.done) else { return Ok(()) };
        let (old, new) = (Flat::of(&node.old, self.old), Flat::of(&node.new, self.new));
        let cost = 1 + old.properties.len() + new.properties.len();
        self.fuel.set(self.fuel.get().checked_sub(cost).ok_or(TooLarge)?);
        let mut found = Found { direction: node.direction, drafts: Vec::new(), children: Vec::new() };
        self.schemas(&old, &new, &node.old, &node.new, &mut found);
        let children = found.children.into_iter().map(|(old, new)| self.add(old, new, found.direction)).collect();
        let node = &mut self.nodes[self.done];
        (node.drafts, node.children) = (found.drafts, children);
        self.done += 1;
        Ok(())
    }

    fn schemas(&self, old: &Flat<'a>, new: &Flat<'a>, olds: &[Spot<'a>], news: &[Spot<'a>], found: &mut Found<'a>) {
        keywords::annotations(old, new, found);
        if self.one_became_many(old, new, olds, news, found) {
            return;
        }
        self.unions(old, new, found);
        if keywords::types(old, new, found) {
            keywords::values(old, new, found);
            keywords::bounds(old, new, found);
            self.objects(old, new, found);
            self.not(old, new, found);
        }
    }

    /// Whether two schemas say the same, each in its document.
    fn is_equivalent(&self, old: &[Spot<'a>], new: &[Spot<'a>]) -> bool {
        // Unions within unions within unions are compared as they are written.
        if self.depth == 2 {
            return old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.value == new.value);
        }
        let mut within = Self::new(self.old, self.new);
        within.fuel = self.fuel.clone();
        within.depth = self.depth + 1;
        for direction in [Direction::Request, Direction::Response] {
            within.add(old.to_vec(), new.to_vec(), direction);
        }
        while within.done < within.nodes.len() {
            if within.compare_next().is_err() || !within.nodes[within.done - 1].drafts.is_empty() {
                return false;
            }
        }
        true
    }

    /// The changes that some pairs lead to.
    pub fn reached(&self, roots: &[usize], marks: &mut Marks) -> Vec<&Draft> {
        marks.round += 1;
        marks.nodes.resize(self.nodes.len(), 0);
        let mut drafts = Vec::new();
        let mut rest = roots.to_vec();
        while let Some(index) = rest.pop() {
            if std::mem::replace(&mut marks.nodes[index], marks.round) != marks.round {
                drafts.extend(&self.nodes[index].drafts);
                rest.extend(&self.nodes[index].children);
            }
        }
        drafts
    }
}

/// Which pairs were reached, kept from one walk to the next to save the clearing.
#[derive(Default)]
pub struct Marks {
    nodes: Vec<u32>,
    round: u32,
}

/// What the comparison of a pair finds.
struct Found<'a> {
    direction: Direction,
    drafts: Vec<Draft>,
    children: Vec<(Vec<Spot<'a>>, Vec<Spot<'a>>)>,
}

impl<'a> Found<'a> {
    /// Notes a change; the sentence goes on after the place.
    fn say(
        &mut self,
        pair: &'static Pair,
        place: &Place,
        (old, new): (Option<Value>, Option<Value>),
        predicate: impl AsRef<str>,
    ) {
        self.say_by(pair.on(self.direction), place, (old, new), predicate);
    }

    fn say_by(
        &mut self,
        rule: &'static Rule,
        place: &Place,
        (old, new): (Option<Value>, Option<Value>),
        predicate: impl AsRef<str>,
    ) {
        let mut text = sentence(place, predicate.as_ref());
        // Elsewhere the place tells the direction.
        if place.is_shared() {
            text.push_str(if self.direction == Direction::Request { " in requests" } else { " in responses" });
        }
        self.drafts.push(Draft { rule, location: place.location.clone(), old, new, text });
    }

    fn descend(&mut self, old: Vec<Spot<'a>>, new: Vec<Spot<'a>>) {
        self.children.push((old, new));
    }
}

/// A sentence about a place.
pub fn sentence(place: &Place, predicate: &str) -> String {
    let place = place.to_string();
    let mut characters = place.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{} {predicate}", characters.as_str())
}

/// Where a change of a keyword is: where both documents have it, else where it is shared, else where NEW has it.
fn place_of<'p>(old: Option<&'p Rc<Place>>, new: Option<&'p Rc<Place>>) -> &'p Place {
    match (old, new) {
        (Some(old), Some(new)) if old.is_shared() && !new.is_shared() => old,
        (_, Some(new)) => new,
        (Some(old), None) => old,
        (None, None) => nowhere(),
    }
}

fn nowhere() -> &'static Place {
    static NOWHERE: std::sync::OnceLock<Place> = std::sync::OnceLock::new();
    NOWHERE.get_or_init(|| Place::of("", "the schema"))
}

/// A value in a sentence, cut where it is long.
pub fn shown(value: &Value) -> String {
    // A backtick would end the code that the value stands in.
    let text = value.to_string().replace('`', "'");
    if text.chars().count() <= 60 {
        return format!("`{text}`");
    }
    format!("`{}…`", text.chars().take(59).collect::<String>())
}
