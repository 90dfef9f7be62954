//! Rules: which requests they cover, with which responses, how often.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::Api;
use crate::fault::Fault;
use crate::log::Received;
use crate::response::Reply;

/// Which requests a rule is for, before its conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Operation(Api, String),
    Path(String),
    Any,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(api, id) => write!(f, "`{id}` of {api}"),
            Self::Path(path) => write!(f, "the path `{path}`"),
            Self::Any => f.write_str("any request"),
        }
    }
}

type Predicate = Arc<dyn Fn(&Received) -> bool + Send + Sync>;
type ReplyFn = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

/// A condition of a rule.
#[derive(Clone)]
pub(crate) enum Condition {
    Path(String),
    Query(String, String),
    Header(String, String),
    Body(Value),
    Predicate(String, Predicate),
}

/// Where a response comes from.
#[derive(Clone)]
pub(crate) enum Source {
    Platform,
    Reply(Reply),
    With(ReplyFn),
}

/// A response, and how often it is sent.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) source: Source,
    pub(crate) delay: Duration,
    pub(crate) fault: Option<Fault>,
    /// None: for all further requests.
    pub(crate) times: Option<usize>,
    /// Whether it may stay unused.
    pub(crate) optional: bool,
    pub(crate) used: usize,
}

impl Step {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, delay: Duration::ZERO, fault: None, times: None, optional: false, used: 0 }
    }

    fn is_used_up(&self) -> bool {
        self.times.is_some_and(|times| self.used >= times)
    }
}

pub(crate) struct Rule {
    pub(crate) scope: Scope,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) steps: Vec<Step>,
    pub(crate) optional: bool,
    place: &'static Location<'static>,
    /// The last request in the scope that did not match, and why.
    missed: Option<(String, String)>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("scope", &self.scope).field("place", &self.place).finish_non_exhaustive()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rule for {} at {}:{}", self.scope, self.place.file(), self.place.line())
    }
}

impl Rule {
    pub(crate) fn new(scope: Scope, place: &'static Location<'static>) -> Self {
        Self { scope, conditions: Vec::new(), steps: Vec::new(), optional: false, place, missed: None }
    }

    pub(crate) fn covers(&self, received: &Received) -> bool {
        match &self.scope {
            Scope::Operation(api, id) => received.api == Some(*api) && received.operation_id.as_deref() == Some(id),
            Scope::Path(path) => received.path == *path,
            Scope::Any => true,
        }
    }

    /// Why the conditions do not hold, a reason for each.
    fn mismatches(&self, received: &Received, has_body: bool) -> Vec<String> {
        let needs_body = |condition: &&Condition| matches!(condition, Condition::Body(_) | Condition::Predicate(..));
        let conditions = self.conditions.iter().filter(|condition| has_body || !needs_body(condition));
        conditions.filter_map(|condition| mismatch(condition, received)).collect()
    }

    /// The step that is next.
    fn next(&mut self) -> Option<&mut Step> {
        if self.steps.is_empty() {
            self.steps.push(Step::new(Source::Platform));
        }
        self.steps.iter_mut().find(|step| !step.is_used_up())
    }

    /// How the number of uses differs from what the rule says.
    fn complaint(&self) -> Option<String> {
        if self.optional {
            return None;
        }
        let missed = match &self.missed {
            Some((request, reason)) => format!("\n    nearest request: {request}: {reason}"),
            None => String::new(),
        };
        let used: usize = self.steps.iter().map(|step| step.used).sum();
        if used == 0 && self.steps.iter().any(|step| !step.optional) || self.steps.is_empty() {
            return Some(format!("{self} was never used{missed}"));
        }
        let wanted = |step: &Step| step.times.unwrap_or(1);
        let (number, step) =
            self.steps.iter().enumerate().find(|(_, step)| !step.optional && step.used < wanted(step))?;
        let (number, count, used) = (number + 1, wanted(step), step.used);
        let whole = if self.steps.len() > 1 { format!("response {number} of {self}") } else { self.to_string() };
        Some(format!("{whole} was used {used} of {count} times{missed}"))
    }
}

fn mismatch(condition: &Condition, received: &Received) -> Option<String> {
    let decoded = |path: &str| percent_decode_str(path).decode_utf8_lossy().into_owned();
    match condition {
        Condition::Path(path) if decoded(path) != decoded(&received.path) => Some(format!("the path is not `{path}`")),
        Condition::Query(name, value) => {
            let own = || received.query_pairs.iter().filter(|(other, _)| other == name);
            match own().next() {
                _ if own().any(|(_, other)| other == value) => None,
                Some((_, other)) => Some(format!("the query parameter `{name}` is `{other}`, not `{value}`")),
                None => Some(format!("the query parameter `{name}` is missing, not `{value}`")),
            }
        }
        Condition::Header(name, value) => match received.header(name) {
            Some(other) if other == value => None,
            Some(other) => Some(format!("the header `{name}` is `{other}`, not `{value}`")),
            None => Some(format!("the header `{name}` is missing, not `{value}`")),
        },
        Condition::Body(value) => {
            difference(value, &received.json(), "").map(|place| format!("the body differs {place}"))
        }
        Condition::Predicate(what, predicate) if !predicate(received) => Some(format!("not: {what}")),
        _ => None,
    }
}

/// Where two values differ.
fn difference(wanted: &Value, got: &Value, at: &str) -> Option<String> {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            let names = wanted.keys().chain(got.keys().filter(|name| !wanted.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let value = |object: &serde_json::Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                difference(&value(wanted), &value(got), &format!("{at}/{name}"))
            })
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => wanted
            .iter()
            .zip(got)
            .enumerate()
            .find_map(|(index, (wanted, got))| difference(wanted, got, &format!("{at}/{index}"))),
        _ if wanted == got => None,
        _ => Some(format!("at `{at}`: {got}, not {wanted}")),
    }
}

/// The verdict of the rules on a request.
pub(crate) enum Verdict {
    Reply(Step),
    /// No rule matches: the platform responds.
    None,
    /// The request was not expected, and why.
    Unexpected(String),
}

#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    /// Whether a request without a rule is unexpected.
    pub(crate) only: bool,
    pub(crate) unexpected: Vec<String>,
}

impl Rules {
    pub(crate) fn add(&mut self, rule: Rule) -> usize {
        self.rules.push(rule);
        self.rules.len() - 1
    }

    pub(crate) fn get(&mut self, index: usize) -> &mut Rule {
        &mut self.rules[index]
    }

    /// The response to a request whose body has arrived: that of the last rule that matches.
    pub(crate) fn verdict(&mut self, received: &Received) -> Verdict {
        if self.rules.is_empty() && !self.only {
            return Verdict::None;
        }
        let mut used_up = None;
        let mut nearest: Option<(usize, String)> = None;
        for rule in self.rules.iter_mut().rev().filter(|rule| rule.covers(received)) {
            let mismatches = rule.mismatches(received, true);
            if !mismatches.is_empty() {
                let reason = format!("{rule} does not match: {}", mismatches.join("; "));
                rule.missed = Some((summary(received), mismatches.join("; ")));
                if nearest.as_ref().is_none_or(|(count, _)| mismatches.len() < *count) {
                    nearest = Some((mismatches.len(), reason));
                }
                continue;
            }
            if let Some(step) = rule.next() {
                step.used += 1;
                return Verdict::Reply(step.clone());
            }
            used_up.get_or_insert_with(|| {
                format!("{rule} is used up; end it with `.then_platform()`, or raise its `.times()`")
            });
        }
        match (used_up, nearest) {
            (Some(reason), _) => Verdict::Unexpected(reason),
            (None, Some((_, reason))) if self.only => Verdict::Unexpected(reason),
            (None, None) if self.only => Verdict::Unexpected("there is no rule for it".to_owned()),
            _ => Verdict::None,
        }
    }

    /// Whether a fault may come before the body of a request has arrived.
    pub(crate) fn may_fail_in_request(&self) -> bool {
        let mut steps = self.rules.iter().flat_map(|rule| &rule.steps);
        steps.any(|step| matches!(step.fault, Some(Fault::ResetInRequest(_))))
    }

    /// The fault that comes before the body of a request has arrived, if one is next.
    pub(crate) fn fault_in_request(&mut self, received: &Received) -> Option<Fault> {
        let mut rules = self.rules.iter_mut().rev().filter(|rule| rule.covers(received));
        let step = rules.find(|rule| rule.mismatches(received, false).is_empty())?.next()?;
        match &step.fault {
            Some(fault @ Fault::ResetInRequest(_)) => {
                step.used += 1;
                Some(fault.clone())
            }
            _ => None,
        }
    }

    /// The unexpected requests since the last call, and the rules that were not used as they say.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        let mut complaints = std::mem::take(&mut self.unexpected);
        complaints.extend(self.rules.iter().filter_map(Rule::complaint));
        complaints
    }
}

/// A request in one line.
pub(crate) fn summary(received: &Received) -> String {
    let query = if received.query.is_empty() { String::new() } else { format!("?{}", received.query) };
    let operation = received.operation_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
    format!("{} {}{query}{operation}", received.method, received.path)
}
