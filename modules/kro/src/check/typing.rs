//! The types of expressions, and whether they are those that their places want.

use expr::{
    check::{Checked as Typed, Env, check},
    code::Code,
    error::Issue,
    types::Type,
};

use super::{Checker, compatible, scope::named};
use crate::{
    collect::{Found, Place, prefix},
    model::{Body, Dialect},
    site::located,
};

type Known<'n, 's> = Option<(Type<'s>, Code<'n>)>;

impl<'n, 's> Checker<'n, '_, 's, '_> {
    /// Type and code of every expression whose names are sound.
    pub(super) fn types(&mut self, sound: &[bool]) -> Vec<Known<'n, 's>> {
        let mut env = self.base();
        // Of these there are as many as resources: no expression may copy them.
        let base = env.variables.len();
        let mut typed: Vec<Known> = sound.iter().map(|_| None).collect();
        // What the iterators go over says what they are.
        let mut iterators: Vec<Vec<Type>> = vec![Vec::new(); self.definition.resources.len()];
        for (index, found) in self.collected.found.iter().enumerate().filter(|(index, _)| sound[*index]) {
            if let Place::ForEach(own, dimension) = found.place {
                typed[index] = self.typed(found, &env);
                let element = typed[index].as_ref().and_then(|(of, _)| self.element(found, own, dimension, of));
                let known = &mut iterators[own];
                known.resize(known.len().max(dimension + 1), Type::Dyn);
                known[dimension] = element.unwrap_or(Type::Dyn);
            }
        }
        for (index, found) in self.collected.found.iter().enumerate().filter(|(index, _)| sound[*index]) {
            match found.place {
                Place::ForEach(..) => {}
                Place::Template(own) if !self.definition.resources[own].for_each.is_empty() => {
                    for (dimension, (name, _)) in self.definition.resources[own].for_each.iter().enumerate() {
                        let of = iterators[own].get(dimension).cloned().unwrap_or(Type::Dyn);
                        env.variables.push((name.clone(), of));
                    }
                    typed[index] = self.typed(found, &env);
                    env.variables.truncate(base);
                }
                Place::ReadyWhen(own) => {
                    let each = self.definition.resources.len() + 1;
                    env.raw = true;
                    env.variables.retype(each, self.object(own));
                    typed[index] = self.typed(found, &env);
                    env.variables.retype(each, Type::Dyn);
                    env.raw = false;
                }
                _ => typed[index] = self.typed(found, &env),
            }
        }
        typed
    }

    /// The type of one object of a resource.
    fn object(&self, index: usize) -> Type<'s> {
        let id = &self.definition.resources[index].id;
        expr::openapi::type_of(self.schemas.resource(index), &format!("__type_{id}"))
    }

    /// The variables that every expression has a number for.
    fn base(&self) -> Env<'s> {
        let typed = self.dialect() == Dialect::V09;
        let mut env = Env { type_values: !typed, escaped_fields: typed, ..Env::default() };
        env.declare("schema", if typed { &self.schemas.instance } else { &self.schemas.loose });
        for (index, resource) in self.definition.resources.iter().enumerate() {
            let object = self.object(index);
            let of = if super::is_collection(resource) { Type::list(object) } else { object };
            env.variables.push((resource.id.clone(), of));
        }
        env.variables.push(("each".to_owned(), Type::Dyn));
        env
    }

    fn typed(&mut self, found: &'n Found, env: &Env<'s>) -> Known<'n, 's> {
        let checked = match check(&found.site.source, &found.site.node, env) {
            Ok(Typed { of, code }) => (of, code),
            Err(issues) => {
                issues.iter().for_each(|issue| self.issue(found, issue));
                return None;
            }
        };
        self.wanted(found, &checked.0);
        Some(checked)
    }

    fn issue(&mut self, found: &Found, issue: &Issue) {
        let shown = if found.standalone { &found.site.source } else { &found.site.text };
        let prefix = prefix(self.definition, found.place, &found.path, Some(shown));
        let text = match self.dialect() {
            Dialect::V01 => issue.message.clone(),
            Dialect::V09 => located(&found.site.source, issue),
        };
        // A selection is reported at its dot; its field is what people look for.
        let dots = found.site.source[issue.at..].chars().take_while(|letter| matches!(letter, '.' | '?')).count();
        let dots = if issue.length > dots { dots } else { 0 };
        let (at, length) =
            match issue.message.strip_prefix("undeclared reference to '").and_then(|it| it.split('\'').next()) {
                Some(name) => named(&found.site, issue.at, name.rsplit('.').next().unwrap_or(name)),
                None => (issue.at + dots, issue.length - dots),
            };
        let code = class(&issue.message);
        found
            .site
            .error(self.problems, code, at, length, format!("{prefix}{text}"))
            .maybe_hint(issue.hint.clone().or_else(|| advice(&issue.message)));
    }

    /// Whether an expression has the type that its place wants.
    fn wanted(&mut self, found: &Found, of: &Type) {
        match found.place {
            Place::IncludeWhen(own) => self.condition(found, of, own, "includeWhen"),
            Place::ReadyWhen(own) => self.condition(found, of, own, "readyWhen"),
            Place::Template(own) if self.dialect() == Dialect::V09 => self.field(found, of, own),
            Place::Condition => self.is_condition(found, of),
            _ => {}
        }
    }

    fn condition(&mut self, found: &Found, of: &Type, own: usize, what: &str) {
        let value = match of {
            Type::Optional(value) => value,
            other => other,
        };
        if matches!(value, Type::Bool | Type::Dyn | Type::Error) {
            return;
        }
        let (id, source) = (&self.definition.resources[own].id, &found.site.source);
        let message = format!(
            "{what} expression \"{source}\" in resource \"{id}\" must return bool or optional_type(bool), but returns \"{of}\""
        );
        let message = self.says(&format!("failed to validate resource \"{id}\""), &message);
        found.site.wrong(self.problems, "NotBoolean", message).hint("compare it with something");
    }

    fn is_condition(&mut self, found: &Found, of: &Type) {
        let is_one = |of: &Type| matches!(of, Type::Opaque("kro.run.Condition") | Type::Dyn | Type::Error);
        let fits = match of {
            Type::List(element) | Type::Optional(element) => is_one(element),
            other => is_one(other),
        };
        if !fits {
            let source = &found.site.source;
            let message = format!(
                "failed to build instance status schema: status.conditions expression \"{source}\" must return \
                 kro.run.Condition or a list of them, but returns \"{of}\""
            );
            found
                .site
                .wrong(self.problems, "NotCondition", message)
                .hint("write `${runtime.newCondition({type: …, status: …})}`");
        }
    }

    /// The type of the elements that an iterator goes over.
    fn element(&mut self, found: &Found, own: usize, dimension: usize, of: &Type<'s>) -> Option<Type<'s>> {
        let value = match of {
            Type::Optional(value) => Type::clone(value),
            other => other.clone(),
        };
        match value {
            Type::List(element) => return Some(Type::clone(&element)),
            Type::Dyn | Type::Error => return Some(Type::Dyn),
            _ => {}
        }
        let resource = &self.definition.resources[own];
        let message = format!(
            "failed to validate resource \"{0}\": node \"{0}\": forEach iterator \"{1}\" must return a list, got \
             \"{of}\": type \"{of}\" is not a list type",
            resource.id, resource.for_each[dimension].0
        );
        found
            .site
            .wrong(self.problems, "NotList", message)
            .hint("go over a list; of a map, `m.map(k, k)` are the keys");
        None
    }

    /// Whether what an expression answers may stand in its field.
    fn field(&mut self, found: &Found, of: &Type, own: usize) {
        let external = matches!(self.definition.resources[own].body, Body::External { .. });
        if let Some(wanted) = external.then(|| of_selector(&found.path)).flatten() {
            if let Err(why) = compatible::check(of, &wanted) {
                self.mismatch(found, of, own, &wanted.to_string(), &why);
            }
            return;
        }
        let Some(schema) = found.wanted else {
            let is_name = matches!(found.path.as_str(), "metadata.name" | "metadata.namespace");
            if is_name && !matches!(of, Type::Text | Type::Dyn | Type::Error | Type::Optional(_)) {
                self.mismatch(
                    found,
                    of,
                    own,
                    "string",
                    &format!("type kind mismatch: got \"{of}\", expected \"string\""),
                );
            }
            return;
        };
        let wanted = expr::openapi::type_of(schema, "expected");
        if let Err(why) = compatible::check(of, &wanted) {
            let shown = compatible::shown(&wanted);
            self.mismatch(found, of, own, &shown, &why);
        }
    }

    fn mismatch(&mut self, found: &Found, of: &Type, own: usize, wanted: &str, why: &str) {
        let id = &self.definition.resources[own].id;
        let source = if found.standalone { &found.site.source } else { &found.site.text };
        let message = format!(
            "failed to validate resource \"{id}\": type mismatch in resource \"{id}\" at path \"{}\": expression \
             \"{source}\" returns type \"{of}\" but expected \"{wanted}\": {why}",
            found.path
        );
        let converts = matches!(
            of,
            Type::Int | Type::Uint | Type::Double | Type::Bool | Type::Bytes | Type::Timestamp | Type::Duration
        );
        let hint = match (wanted, of) {
            ("string", _) if converts => Some("convert it with `string(…)`".to_owned()),
            ("int", Type::Uint | Type::Double | Type::Text) => Some("convert it with `int(…)`".to_owned()),
            _ => None,
        };
        found.site.wrong(self.problems, "TypeMismatch", message).maybe_hint(hint);
    }
}

/// What a part of a label selector has to be, as kro has it: what is in a
/// requirement is known when there is an instance.
fn of_selector(path: &str) -> Option<Type<'static>> {
    Some(match path.strip_prefix("metadata.selector")? {
        "" => Type::map(Type::Text, Type::Dyn),
        ".matchLabels" => Type::map(Type::Text, Type::Text),
        ".matchExpressions" => Type::list(Type::Dyn),
        below if below.starts_with(".matchLabels") => Type::Text,
        _ => return None,
    })
}

/// The code of a problem, by cel-go's words for it.
fn class(message: &str) -> &'static str {
    if message.starts_with("undefined field") || message.contains("does not support field selection") {
        "UndefinedField"
    } else if message.starts_with("undeclared reference") {
        "UnknownFunction"
    } else if message.starts_with("found no matching overload") || message.contains("range of a comprehension") {
        "NoMatchingOverload"
    } else {
        "InvalidExpression"
    }
}

/// What to do about two operands of `+` that do not go together.
fn advice(message: &str) -> Option<String> {
    let operands = message.strip_prefix("found no matching overload for '_+_' applied to '(")?;
    let (left, right) = operands.strip_suffix(")'")?.split_once(", ")?;
    let converts = |of: &str| {
        matches!(
            of,
            "int" | "uint" | "double" | "bool" | "bytes" | "google.protobuf.Timestamp" | "google.protobuf.Duration"
        )
    };
    let advice = match (left, right) {
        ("string", other) | (other, "string") if converts(other) => {
            "a string is only joined to a string: convert the other side with `string(…)`"
        }
        ("string", other) | (other, "string") if other.starts_with("optional") => {
            "a string is only joined to a string: say with `.orValue(…)` what stands in for an absent one"
        }
        ("int" | "uint" | "double", "int" | "uint" | "double") => {
            "both sides must have one type: convert one, for example with `double(…)` or `int(…)`"
        }
        _ if left.starts_with("list") && right.starts_with("list") => "both lists must have elements of one type",
        _ if left.starts_with("list") => "a list is only joined to a list: write `[…]` around a single element",
        _ if left.starts_with("map") && right.starts_with("map") => "maps are joined with `a.merge(b)`",
        _ => "`+` takes two numbers, strings, byte strings or lists of one type, or a timestamp and durations",
    };
    Some(advice.to_owned())
}
