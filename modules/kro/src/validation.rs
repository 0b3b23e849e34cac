//! The rules that an API server checks with an engine: `pattern` and
//! `x-kubernetes-validations` of an instance's `spec`.
//!
//! A server does that before anybody sees an instance, so it is done here only for
//! one that no server has admitted. Transition rules compare with an earlier
//! state, which such an instance does not have: they are left to the server.

use expr::{
    check::{Env, check},
    code::Code,
    eval::{Globals, Machine},
    hint::Hint,
    library::{self, Library},
    parse::parse,
    references, regexp,
    syntax::{Kind, Node},
    types::Type,
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
        Ok(node) => found.push(Stated { steps: steps.to_vec(), schema, source, message, node }),
        Err(issues) => refuse(&source, issues.first().map_or("", |issue| &issue.message), at, problems),
    }
}

fn refuse(source: &str, why: &str, at: &Pointer, problems: &mut Problems) {
    problems
        .warning("InvalidValidation", at, format!("no API server takes the rule `{source}`: {why}"))
        .hint("write a CEL expression about `self` that is true or false");
}

/// The rules, checked as an API server checks them. One that is refused is noted,
/// and left out, and so is one that compares with an earlier state.
pub(crate) fn checked<'s>(stated: &'s [Stated<'s>], at: &Pointer, problems: &mut Problems) -> Vec<Rule<'s>> {
    let mut rules = Vec::new();
    for rule in stated {
        let (place, stated_default) = (place(at, &rule.steps), rule.schema.get("default"));
        match rule.checked() {
            Ok(checked) if !rule.is_transition() => {
                let rule = Rule {
                    steps: rule.steps.clone(),
                    expression: Expression { source: &rule.source, code: checked },
                    message: rule.message,
                    hint: Hint::of(rule.schema, &[vec![]]),
                };
                broken_default(&rule, stated_default, &place, problems);
                rules.push(rule);
            }
            Ok(_) => {}
            Err(why) => refuse(&rule.source, &why, &place, problems),
        }
    }
    rules
}

/// Warns of a default that breaks a rule of its own field: no server takes such a
/// schema.
fn broken_default(rule: &Rule, default: Option<&Json>, at: &Pointer, problems: &mut Problems) {
    let Some(default) = default.filter(|default| !default.is_null()) else { return };
    let mut broken = Problems::default();
    rule.check(&Machine::default(), default, &Pointer::root(), "default", &mut broken);
    if broken.any_error() {
        let source = rule.expression.source;
        problems
            .warning(
                "InvalidDefault",
                at,
                format!("no API server takes the default {default}: it breaks the rule `{source}`"),
            )
            .hint("write a default that keeps to it, or leave it out");
    }
}

impl Stated<'_> {
    /// Whether it compares with an earlier state.
    fn is_transition(&self) -> bool {
        let is_function = |name: &str| library::is_function(name, Library::OF_API_SERVER);
        let mentions = references::mentions(&self.node, &is_function);
        mentions.references.iter().any(|reference| reference.root == "oldSelf")
    }

    /// How to evaluate it, or why no API server would.
    fn checked(&self) -> Result<Code<'_>, String> {
        let mut env =
            Env { escaped_fields: true, libraries: Library::OF_API_SERVER, mixed_numbers: true, ..Env::default() };
        let known = exposed(self.schema);
        for variable in ["self", "oldSelf"] {
            match &known {
                Some(schema) => env.declare(variable, schema),
                None => env.variables.push((variable.to_owned(), Type::Dyn)),
            }
        }
        let checked = check(&self.source, &self.node, &env);
        let checked = checked.map_err(|issues| issues.first().map(|it| it.message.clone()).unwrap_or_default())?;
        if !matches!(checked.of, Type::Bool) {
            return Err(format!("it is of type {}, and has to be true or false", checked.of));
        }
        literal_patterns(&self.node)?;
        Ok(checked.code)
    }
}

/// Refuses a literal pattern that is none, as a server does.
fn literal_patterns(node: &Node) -> Result<(), String> {
    if let Kind::Call { name, args, .. } = &node.kind
        && name == "matches"
        && let Some(Kind::Text(pattern)) = args.last().map(|argument| &argument.kind)
    {
        regexp::compile(pattern).map_err(|why| format!("error parsing regexp: {why}"))?;
    }
    node.children().into_iter().try_for_each(literal_patterns)
}

/// What a server shows a rule of a schema: nothing of unknown fields, and no field
/// of which the type is not known. None if it shows nothing.
fn exposed(schema: &Json) -> Option<Json> {
    if schema["x-kubernetes-int-or-string"] == true {
        return Some(schema.clone());
    }
    let mut shown = schema.as_object()?.clone();
    shown.remove("x-kubernetes-preserve-unknown-fields");
    match schema["type"].as_str()? {
        "array" => drop(shown.insert("items".to_owned(), exposed(schema.get("items")?)?)),
        "object" => match schema.get("additionalProperties") {
            Some(values) if values.is_object() => {
                shown.insert("additionalProperties".to_owned(), exposed(values)?);
            }
            _ => {
                shown.remove("additionalProperties");
                let fields = schema["properties"].as_object().into_iter().flatten();
                let fields = fields.filter_map(|(name, schema)| Some((name.clone(), exposed(schema)?)));
                shown.insert("properties".to_owned(), Json::Object(fields.collect()));
            }
        },
        _ => {}
    }
    Some(Json::Object(shown))
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
