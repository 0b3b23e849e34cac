//! The rules that an API server checks with an engine: `pattern` and
//! `x-kubernetes-validations` of an instance's `spec`, in the server's environment
//! and not in kro's.
//!
//! What the server would refuse of the CRD is an error of the definition. Instances
//! are checked by the server before anybody sees them, so that is done here only for
//! one that no server has admitted. Transition rules compare with an earlier
//! state, which such an instance does not have: they are left to the server.

use expr::{
    check::{Env, check},
    error::Issue,
    escape,
    eval::{Globals, Machine},
    hint::Hint,
    library::{self, Library},
    parse::parse,
    references,
    syntax::Node,
    types::Type,
    value::Value,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    problem::{Pointer, Problems},
    program::Expression,
};

/// What a rule calls the value, and the value that it had before.
const SELVES: [&str; 2] = ["self", "oldSelf"];

/// Where a rule is broken, and what is to be said of it.
type Broken = (Pointer, String);

/// A way from `spec` to the values that a rule is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Step<'a> {
    /// The field of this name.
    #[serde(borrow)]
    Field(&'a str),
    /// Every element of a list, or every value of a map.
    Each,
}

/// A rule of one field, ready to be evaluated.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Rule<'a> {
    steps: Vec<Step<'a>>,
    expression: Expression<'a>,
    message: &'a str,
    hint: Option<Hint<'a>>,
    /// Whether it compares with an earlier state.
    compares: bool,
}

/// A rule as the schema states it, and its tree.
pub(crate) struct Stated<'s> {
    steps: Vec<Step<'s>>,
    schema: &'s Json,
    source: String,
    message: &'s str,
    node: Node,
    compares: bool,
}

/// A schema of `spec` as the types of rules have it: of what is in an open `object`
/// a rule knows nothing.
pub(crate) fn known(schema: &Json) -> Json {
    match schema {
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| *name != "x-kubernetes-preserve-unknown-fields");
            let below = |name: &str, value: &Json| match (name, value) {
                ("properties", Json::Object(fields)) => {
                    fields.iter().map(|(name, schema)| (name.clone(), known(schema))).collect()
                }
                ("items" | "additionalProperties", value) => known(value),
                (_, value) => value.clone(),
            };
            Json::Object(kept.map(|(name, value)| (name.clone(), below(name, value))).collect())
        }
        other => other.clone(),
    }
}

/// The rules of a known schema of `spec`. What is not an expression is noted: no server
/// takes it.
pub(crate) fn stated<'s>(spec: &'s Json, at: &Pointer, problems: &mut Problems) -> Vec<Stated<'s>> {
    let mut reading = Reading { at, steps: Vec::new(), found: Vec::new(), problems };
    reading.schema(spec);
    reading.found
}

struct Reading<'s, 'p> {
    at: &'p Pointer,
    steps: Vec<Step<'s>>,
    found: Vec<Stated<'s>>,
    problems: &'p mut Problems,
}

impl<'s> Reading<'s, '_> {
    fn schema(&mut self, schema: &'s Json) {
        if let Some(pattern) = schema["pattern"].as_str() {
            // A JSON text is a CEL text too.
            let source = format!("self.matches({})", Json::from(pattern));
            self.rule(schema, source, "it does not match the pattern");
        }
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let source = rule["rule"].as_str().unwrap_or_default().to_owned();
            self.rule(schema, source, rule["message"].as_str().unwrap_or_default());
        }
        for (step, below) in below(schema) {
            self.steps.push(step);
            self.schema(below);
            self.steps.pop();
        }
    }

    fn rule(&mut self, schema: &'s Json, source: String, message: &'s str) {
        match parse(&source) {
            Ok(mut node) => {
                escape::unescape(&mut node, schema);
                let mentions = references::mentions(&node, &|name| library::is_function(name, Library::OF_SERVER));
                let compares = mentions.references.iter().any(|reference| reference.root == "oldSelf");
                self.found.push(Stated { steps: self.steps.clone(), schema, source, message, node, compares });
            }
            Err(issues) => refuse(&place(self.at, &self.steps), &source, issues.first(), self.problems),
        }
    }
}

/// The schemas right below one, with the way to each.
fn below(schema: &Json) -> impl Iterator<Item = (Step<'_>, &Json)> {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let each = [schema.get("items"), schema.get("additionalProperties")].into_iter().flatten();
    fields.map(|(name, below)| (Step::Field(name), below)).chain(each.map(|below| (Step::Each, below)))
}

/// The rules, checked. One that the checker refuses is noted, and left out.
pub(crate) fn checked<'s>(stated: &'s [Stated<'s>], at: &Pointer, problems: &mut Problems) -> Vec<Rule<'s>> {
    let mut rules = Vec::new();
    for rule in stated {
        let mut env = Env::of_server();
        SELVES.iter().for_each(|name| env.declare(name, rule.schema));
        let at = place(at, &rule.steps);
        match check(&rule.source, &rule.node, &env) {
            Ok(checked) if matches!(checked.of, Type::Bool) => rules.push(Rule {
                steps: rule.steps.clone(),
                expression: Expression { source: &rule.source, code: checked.code },
                message: rule.message,
                hint: Hint::of(rule.schema, &[vec![]]),
                compares: rule.compares,
            }),
            Ok(checked) => {
                let what = format!("it is neither true nor false but of type `{}`", checked.of);
                refuse(&at, &rule.source, Some(&Issue::new(&rule.source, 0, what)), problems);
            }
            Err(mut issues) => {
                let of_kro = Env { libraries: Library::OF_KRO, strict: false, ..env };
                if let (Some(issue), Ok(_)) = (issues.first_mut(), check(&rule.source, &rule.node, &of_kro)) {
                    issue.hint = Some("resources may say that, but a rule is read by an API server".to_owned());
                }
                refuse(&at, &rule.source, issues.first(), problems);
            }
        }
    }
    rules
}

fn refuse(at: &Pointer, source: &str, issue: Option<&Issue>, problems: &mut Problems) {
    let why = issue.map(|issue| issue.message.as_str()).unwrap_or_default();
    let hint = issue.and_then(|issue| issue.hint.clone());
    let message = format!("no API server takes the rule `{source}`: {why}");
    problems
        .error("InvalidValidation", at, message)
        .hint(hint.unwrap_or_else(|| "write a CEL expression about `self` that is true or false".to_owned()));
}

/// Notes every default that breaks a rule, and keeps the rules that an instance
/// without an earlier state can be checked with.
///
/// A server looks at a default by itself: a default in it that another field has is
/// not filled in, and it is its own earlier state. It does not look into maps.
pub(crate) fn against_defaults<'s>(
    rules: Vec<Rule<'s>>,
    spec: &'s Json,
    at: &Pointer,
    problems: &mut Problems,
) -> Vec<Rule<'s>> {
    if !rules.is_empty() {
        let machine = Machine::default();
        defaults(&rules, spec, &mut Vec::new(), &machine, at, problems);
    }
    rules.into_iter().filter(|rule| !rule.compares).collect()
}

fn defaults<'s>(
    rules: &[Rule<'s>],
    schema: &'s Json,
    steps: &mut Vec<Step<'s>>,
    machine: &Machine,
    at: &Pointer,
    problems: &mut Problems,
) {
    const UNFILLED: &str =
        "a default is checked before the defaults of the fields in it are filled in: look with `has()` first";
    let mut broken = Vec::new();
    if let Some(default) = schema.get("default") {
        for rule in rules {
            // Which element an element of a list was before, nobody knows.
            let is_lost = |rest: &[Step]| rule.compares && rest.contains(&Step::Each);
            if let Some(rest) = rule.steps.strip_prefix(steps.as_slice()).filter(|rest| !is_lost(rest)) {
                rule.of(machine, default, rest, &Pointer::root(), "default", &mut broken);
            }
        }
    }
    let at_field = place(at, steps);
    if let Some((_, message)) = broken.first().filter(|_| !problems.error_at(&at_field)) {
        problems
            .error("InvalidDefault", &at_field, format!("no API server takes the default: {message}"))
            .hint(if message.contains("no such key") { UNFILLED } else { "give a default that the rule allows" });
    }
    for (step, below) in below(schema).filter(|_| schema.get("additionalProperties").is_none()) {
        steps.push(step);
        defaults(rules, below, steps, machine, at, problems);
        steps.pop();
    }
}

/// Where the schema of a field is written, as far as it has a place of its own.
fn place(at: &Pointer, steps: &[Step]) -> Pointer {
    let names = steps.iter().map_while(|step| match step {
        Step::Field(name) => Some(*name),
        Step::Each => None,
    });
    at.fields(names)
}

/// Notes every rule that a completed `spec` breaks.
pub(crate) fn validate(rules: &[Rule], spec: &Json, problems: &mut Problems) {
    let (machine, mut broken) = (Machine::default(), Vec::new());
    for rule in rules {
        rule.of(&machine, spec, &rule.steps, &Pointer::root().field("spec"), "spec", &mut broken);
    }
    for (at, message) in broken {
        problems.error("RuleBroken", &at, message);
    }
}

impl Rule<'_> {
    fn of(&self, machine: &Machine, value: &Json, steps: &[Step], at: &Pointer, path: &str, broken: &mut Vec<Broken>) {
        match (steps.split_first(), value) {
            // A server leaves a null of a field alone, or has dropped it.
            (None, Json::Null) => {}
            (None, value) => self.check(machine, value, at, path, broken),
            (Some((Step::Field(name), rest)), Json::Object(fields)) => {
                if let Some(below) = fields.get(*name) {
                    self.of(machine, below, rest, &at.field(name), &format!("{path}.{name}"), broken);
                }
            }
            (Some((Step::Each, rest)), Json::Array(elements)) => {
                for (index, below) in elements.iter().enumerate() {
                    self.of(machine, below, rest, &at.index(index), &format!("{path}[{index}]"), broken);
                }
            }
            (Some((Step::Each, rest)), Json::Object(fields)) => {
                for (name, below) in fields {
                    self.of(machine, below, rest, &at.field(name), &format!("{path}.{name}"), broken);
                }
            }
            // Of another type: that is told elsewhere.
            _ => {}
        }
    }

    fn check(&self, machine: &Machine, value: &Json, at: &Pointer, path: &str, broken: &mut Vec<Broken>) {
        let value = Value::of_json(value, self.hint.as_ref());
        let values = [Some(value.clone()), Some(value)];
        let (source, globals) = (self.expression.source, Globals { names: &SELVES, values: &values });
        let message = match machine.evaluate(&self.expression.code, globals) {
            Ok(Value::Bool(true)) => return,
            Ok(Value::Bool(false)) if self.message.is_empty() => format!("`{path}` breaks the rule `{source}`"),
            Ok(Value::Bool(false)) => format!("`{path}` breaks the rule `{source}`: {}", self.message),
            Ok(other) => format!("the rule `{source}` of `{path}` is neither true nor false: {}", other.type_name()),
            Err(error) => format!("the rule `{source}` of `{path}` cannot be evaluated: {error}"),
        };
        broken.push((at.clone(), message));
    }
}

#[cfg(test)]
mod tests;
