//! Compares schemas: each pair that requests or responses use is compared once, whatever refers to it.

mod conditions;
mod context;
mod differences;
mod effective;
mod keywords;
mod located;
mod merge;
mod objects;
mod unions;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::change::Direction;
use super::document::Document;
use super::location::Location;
use context::SchemaContext;
use differences::SchemaDifferences;
pub use differences::{Difference, sentence};
use effective::EffectiveSchema;
use located::LocatedSchema;

/// The cost after which a comparison is given up: forty times that of the largest known document.
const BUDGET: usize = 200_000;

/// A pair of schemas, with their differences and the pairs that they contain.
#[derive(Debug)]
struct Node<'a> {
    old: Vec<LocatedSchema<'a>>,
    new: Vec<LocatedSchema<'a>>,
    direction: Direction,
    differences: Vec<Difference>,
    /// The pairs within, each with the step that leads there.
    children: Vec<(usize, String)>,
}

type Addresses = Vec<(*const Value, bool, bool)>;

/// All pairs of schemas that are compared.
pub struct Schemas<'a> {
    old: &'a Document,
    new: &'a Document,
    nodes: Vec<Node<'a>>,
    index: HashMap<(Addresses, Addresses, Direction), usize>,
    done: usize,
    budget: Rc<Cell<usize>>,
    /// The nesting depth of comparisons of unions.
    depth: u8,
}

/// The documents have too many pairs of schemas to compare.
#[derive(Debug)]
pub struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there are too many pairs of schemas to compare")
    }
}

impl<'a> Schemas<'a> {
    pub fn new(old: &'a Document, new: &'a Document) -> Self {
        Self {
            old,
            new,
            nodes: Vec::new(),
            index: HashMap::new(),
            done: 0,
            budget: Rc::new(Cell::new(BUDGET)),
            depth: 0,
        }
    }

    /// Adds a pair of schemas to compare; a schema that is absent allows any value.
    pub fn pair(
        &mut self,
        old: Option<&'a Value>,
        new: Option<&'a Value>,
        location: &Location,
        direction: Direction,
    ) -> usize {
        let located = |value: Option<&'a Value>| {
            value.map(|value| LocatedSchema::new(value, location.clone())).into_iter().collect()
        };
        self.add(located(old), located(new), direction)
    }

    fn add(&mut self, old: Vec<LocatedSchema<'a>>, new: Vec<LocatedSchema<'a>>, direction: Direction) -> usize {
        let resolve = |located: Vec<LocatedSchema<'a>>, document| -> Vec<LocatedSchema<'a>> {
            located.into_iter().map(|located| located.resolve(document)).collect()
        };
        let (old, new) = (resolve(old, self.old), resolve(new, self.new));
        let addresses = |located: &[LocatedSchema]| {
            located
                .iter()
                .map(|located| (std::ptr::from_ref(located.value), located.without_unions, located.without_null))
                .collect()
        };
        let key = (addresses(&old), addresses(&new), direction);
        *self.index.entry(key).or_insert_with(|| {
            self.nodes.push(Node { old, new, direction, differences: Vec::new(), children: Vec::new() });
            self.nodes.len() - 1
        })
    }

    /// Compares all pairs that were added, and the pairs that they contain.
    pub fn compare(&mut self) -> Result<(), TooLarge> {
        while self.done < self.nodes.len() {
            self.compare_next()?;
        }
        Ok(())
    }

    fn compare_next(&mut self) -> Result<(), TooLarge> {
        let Some(node) = self.nodes.get(self.done) else { return Ok(()) };
        let (old, new) = (EffectiveSchema::of(&node.old, self.old), EffectiveSchema::of(&node.new, self.new));
        let cost = 1 + old.properties.len() + new.properties.len();
        self.budget.set(self.budget.get().checked_sub(cost).ok_or(TooLarge)?);
        let mut output = SchemaDifferences { direction: node.direction, differences: Vec::new(), children: Vec::new() };
        self.schemas(&old, &new, &node.old, &node.new, &mut output);
        let mut children = Vec::with_capacity(output.children.len());
        for (old, new) in output.children {
            let step = self.step(&old, &new);
            children.push((self.add(old, new, output.direction), step));
        }
        let node = &mut self.nodes[self.done];
        (node.differences, node.children) = (output.differences, children);
        self.done += 1;
        Ok(())
    }

    fn schemas(
        &self,
        old: &EffectiveSchema<'a>,
        new: &EffectiveSchema<'a>,
        olds: &[LocatedSchema<'a>],
        news: &[LocatedSchema<'a>],
        output: &mut SchemaDifferences<'a>,
    ) {
        keywords::annotations(old, new, output);
        let is_equivalent = |old: &[LocatedSchema<'a>], new: &[LocatedSchema<'a>]| self.is_equivalent(old, new);
        let context = SchemaContext { old: self.old, new: self.new, is_equivalent: &is_equivalent };
        if context.schema_became_union(old, new, olds, news, output) {
            return;
        }
        context.unions(old, new, output);
        if keywords::types(old, new, output) {
            keywords::values(old, new, output);
            keywords::bounds(old, new, output);
            context.objects(old, new, output);
            context.not(old, new, output);
            context.conditions(old, new, output);
        }
    }

    /// Whether two schemas, each in its document, allow the same values.
    fn is_equivalent(&self, old: &[LocatedSchema<'a>], new: &[LocatedSchema<'a>]) -> bool {
        // Unions within unions within unions are compared as they are written.
        if self.depth == 2 {
            return old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.value == new.value);
        }
        let mut within = Self::new(self.old, self.new);
        within.budget = self.budget.clone();
        within.depth = self.depth + 1;
        for direction in [Direction::Request, Direction::Response] {
            within.add(old.to_vec(), new.to_vec(), direction);
        }
        while within.done < within.nodes.len() {
            if within.compare_next().is_err() || !within.nodes[within.done - 1].differences.is_empty() {
                return false;
            }
        }
        true
    }

    /// What leads from a schema to one within, without the names of components: `properties/tags/items`.
    fn step(&self, old: &[LocatedSchema<'a>], new: &[LocatedSchema<'a>]) -> String {
        let (part, document) = match (old.first(), new.first()) {
            (Some(part), _) => (part, self.old),
            (None, Some(part)) => (part, self.new),
            (None, None) => return String::new(),
        };
        let own = part.location.own();
        let mut step = own.to_owned();
        // A variant may be called as its component is: what it looks like tells it apart.
        if let Some((before, _)) = own.rsplit_once('/')
            && (before.ends_with("oneOf") || before.ends_with("anyOf"))
            && part.value.get("$ref").is_some()
        {
            let variant = EffectiveSchema::of(std::slice::from_ref(part), document);
            let properties: Vec<&str> = variant.properties.keys().copied().collect();
            let looks = if properties.is_empty() { variant.type_names() } else { properties.join(",") };
            step = format!("{before}/({looks})");
        }
        step
    }

    /// The differences of some pairs and of all pairs that they contain, each with the way to it.
    pub fn reached(&self, roots: &[(usize, String)], visited: &mut Visited) -> Vec<(&Difference, String)> {
        visited.round += 1;
        visited.nodes.resize(self.nodes.len(), 0);
        let mut differences = Vec::new();
        // Each with the one before it and the step from there; the nearest first, so that the way is the shortest.
        let mut rest: Vec<(usize, Option<usize>, &str)> = Vec::new();
        rest.extend(roots.iter().map(|(index, step)| (*index, None, step.as_str())));
        let mut next = 0;
        while let Some((index, _, _)) = rest.get(next).copied() {
            let here = next;
            next += 1;
            let Some(mark) = visited.nodes.get_mut(index) else { continue };
            if std::mem::replace(mark, visited.round) == visited.round {
                continue;
            }
            let Some(node) = self.nodes.get(index) else { continue };
            if !node.differences.is_empty() {
                let way = way(&rest, here);
                differences.extend(node.differences.iter().map(|difference| (difference, way.clone())));
            }
            rest.extend(node.children.iter().map(|(child, step)| (*child, Some(here), step.as_str())));
        }
        differences
    }
}

fn way(all: &[(usize, Option<usize>, &str)], last: usize) -> String {
    let mut steps = Vec::new();
    let mut current = Some(last);
    while let Some((_, before, step)) = current.and_then(|index| all.get(index)) {
        steps.push(*step);
        current = *before;
    }
    steps.reverse();
    steps.join(" ")
}

/// The pairs that were visited, reused between walks without being cleared.
#[derive(Default)]
pub struct Visited {
    nodes: Vec<u32>,
    round: u32,
}
