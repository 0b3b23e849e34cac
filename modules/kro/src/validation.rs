//! The rules that an API server checks with an engine: `pattern` and
//! `x-kubernetes-validations` of an instance's `spec`.
//!
//! A server does that before anybody sees an instance, so it is done here only for
//! one that no server has admitted. Transition rules compare with an earlier
//! state, which such an instance does not have: they are left to the server.

use expr::{
    check::{Env, check},
    eval::{Globals, Machine},
    hint::Hint,
    library::{self, Library},
    parse::parse,
    references,
    syntax::Node,
    value::Value,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    problem::{Pointer, Problems},
    program::Expression,
};

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
}

/// A rule as the schema states it, and its tree.
pub(crate) struct Stated<'s> {
    steps: Vec<Step<'s>>,
    schema: &'s Json,
    source: String,
    message: &'s str,
    node: Node,
}

/// The rules of a schema of `spec`. What is no expression is noted: no server
/// takes it.
pub(crate) fn stated<'s>(spec: &'s Json, at: &Pointer, problems: &mut Problems) -> Vec<Stated<'s>> {
    let mut found = Vec::new();
    walk(spec, &mut Vec::new(), at, &mut found, problems);
    found
}

fn walk<'s>(
    schema: &'s Json,
    steps: &mut Vec<Step<'s>>,
    at: &Pointer,
    found: &mut Vec<Stated<'s>>,
    problems: &mut Problems,
) {
    if let Some(pattern) = schema["pattern"].as_str() {
        // A JSON text is a CEL text too.
        let source = format!("self.matches({})", Json::from(pattern));
        note(schema, source, "it does not match the pattern", steps, at, found, problems);
    }
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let source = rule["rule"].as_str().unwrap_or_default().to_owned();
        note(schema, source, rule["message"].as_str().unwrap_or_default(), steps, at, found, problems);
    }
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        steps.push(Step::Field(name));
        walk(below, steps, &at.field(name), found, problems);
        steps.pop();
    }
    for below in [schema.get("items"), schema.get("additionalProperties")].into_iter().flatten() {
        steps.push(Step::Each);
        walk(below, steps, at, found, problems);
        steps.pop();
    }
}

fn note<'s>(
    schema: &'s Json,
    source: String,
    message: &'s str,
    steps: &[Step<'s>],
    at: &Pointer,
    found: &mut Vec<Stated<'s>>,
    problems: &mut Problems,
) {
    match parse(&source) {
        Ok(node) => {
            let mentions = references::mentions(&node, &|name| library::is_function(name, Library::OF_KRO));
            if mentions.references.iter().all(|reference| reference.root != "oldSelf") {
                found.push(Stated { steps: steps.to_vec(), schema, source, message, node });
            }
        }
        Err(issues) => {
            let why = issues.first().map(|issue| issue.message.clone()).unwrap_or_default();
            problems
                .warning("InvalidValidation", at, format!("no API server takes the rule `{source}`: {why}"))
                .hint("write a CEL expression about `self` that is true or false");
        }
    }
}

/// The rules, checked. One that the checker refuses is noted, and left out.
pub(crate) fn checked<'s>(stated: &'s [Stated<'s>], at: &Pointer, problems: &mut Problems) -> Vec<Rule<'s>> {
    let check = |rule: &'s Stated<'s>| {
        let mut env = Env { escaped_fields: true, ..Env::default() };
        env.declare("self", rule.schema);
        match check(&rule.source, &rule.node, &env) {
            Ok(checked) => Some(Rule {
                steps: rule.steps.clone(),
                expression: Expression { source: &rule.source, code: checked.code },
                message: rule.message,
                hint: Hint::of(rule.schema, &[vec![]]),
            }),
            Err(issues) => {
                let at = place(at, &rule.steps);
                let why = issues.first().map(|issue| issue.message.clone()).unwrap_or_default();
                let message = format!("no API server takes the rule `{}`: {why}", rule.source);
                problems
                    .warning("InvalidValidation", &at, message)
                    .hint("write a CEL expression about `self` that is true or false");
                None
            }
        }
    };
    stated.iter().filter_map(check).collect()
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
    let machine = Machine::default();
    for rule in rules {
        rule.of(&machine, spec, &rule.steps, &Pointer::root().field("spec"), "spec", problems);
    }
}

impl Rule<'_> {
    fn of(&self, machine: &Machine, value: &Json, steps: &[Step], at: &Pointer, path: &str, problems: &mut Problems) {
        match (steps.split_first(), value) {
            // A server leaves a null of a field alone, or has dropped it.
            (None, Json::Null) => {}
            (None, value) => self.check(machine, value, at, path, problems),
            (Some((Step::Field(name), rest)), Json::Object(fields)) => {
                if let Some(below) = fields.get(*name) {
                    self.of(machine, below, rest, &at.field(name), &format!("{path}.{name}"), problems);
                }
            }
            (Some((Step::Each, rest)), Json::Array(elements)) => {
                for (index, below) in elements.iter().enumerate() {
                    self.of(machine, below, rest, &at.index(index), &format!("{path}[{index}]"), problems);
                }
            }
            (Some((Step::Each, rest)), Json::Object(fields)) => {
                for (name, below) in fields {
                    self.of(machine, below, rest, &at.field(name), &format!("{path}.{name}"), problems);
                }
            }
            // Of another type: that is told elsewhere.
            _ => {}
        }
    }

    fn check(&self, machine: &Machine, value: &Json, at: &Pointer, path: &str, problems: &mut Problems) {
        let values = [Some(Value::of_json(value, self.hint.as_ref()))];
        let (source, globals) = (self.expression.source, Globals { names: &["self"], values: &values });
        let message = match machine.evaluate(&self.expression.code, globals) {
            Ok(Value::Bool(true)) => return,
            Ok(Value::Bool(false)) if self.message.is_empty() => format!("`{path}` breaks the rule `{source}`"),
            Ok(Value::Bool(false)) => format!("`{path}` breaks the rule `{source}`: {}", self.message),
            Ok(other) => format!("the rule `{source}` of `{path}` is neither true nor false: {}", other.type_name()),
            Err(error) => format!("the rule `{source}` of `{path}` cannot be evaluated: {error}"),
        };
        problems.error("RuleBroken", at, message);
    }
}
