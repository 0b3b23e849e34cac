//! The schema of `status`, from the types of its expressions.

use expr::{
    check::{Env, check},
    code::Code,
    types::Type,
};
use serde_json::{Map, Value, json};

use super::Checker;
use crate::{collect::Draft, model::Dialect, problem::Pointer};

/// Types nested deeper than this stay open: schemas may be recursive.
const MAX_DEPTH: usize = 24;

type Known<'n, 's> = Option<(Type<'s>, Code<'n>)>;

impl<'n, 's> Checker<'n, '_, 's, '_> {
    /// The schema of the status fields.
    pub(super) fn status(&mut self, typed: &[Known<'n, 's>]) -> Value {
        let at = self.definition.status_at();
        let collected = self.collected;
        let mut properties = Map::new();
        for (name, draft) in &collected.status {
            properties.insert((*name).to_owned(), self.draft(draft, typed, &at.field(name), name));
        }
        object(properties)
    }

    fn draft(&mut self, draft: &'n Draft, typed: &[Known<'n, 's>], at: &Pointer, path: &str) -> Value {
        match draft {
            Draft::Map(fields) => {
                let mut properties = Map::new();
                for (name, draft) in fields {
                    let below = crate::collect::below(path, name);
                    properties.insert((*name).to_owned(), self.draft(draft, typed, &at.field(name), &below));
                }
                object(properties)
            }
            Draft::List(elements) => {
                let mut schemas: Vec<Value> = Vec::new();
                for (index, draft) in elements.iter().enumerate() {
                    schemas.push(self.draft(draft, typed, &at.index(index), &format!("{path}[{index}]")));
                }
                schemas.dedup();
                let items = if schemas.len() == 1 { schemas.remove(0) } else { anything() };
                json!({"type": "array", "items": items})
            }
            Draft::Printed(_) => json!({"type": "string"}),
            Draft::Expression(number) => {
                let found = self.collected.found.get(*number);
                match (found, typed.get(*number).and_then(Option::as_ref)) {
                    (Some(found), _) if !found.standalone && self.dialect() == Dialect::V01 => {
                        json!({"type": "string"})
                    }
                    (Some(_), Some((of, _))) => match self.dialect() {
                        Dialect::V09 => schema_of(of, MAX_DEPTH),
                        // What v0.1 infers by trial, the typed form of the expression tells.
                        Dialect::V01 => self.inferred(*number),
                    },
                    _ => Value::Null,
                }
            }
            Draft::Text(_) | Draft::Literal(_) => {
                let message = match self.dialect() {
                    Dialect::V01 => format!("status fields without expressions are not supported: status.{path}"),
                    Dialect::V09 => format!(
                        "failed to build instance status schema: status fields without expressions are not supported: [{path}]"
                    ),
                };
                self.problems
                    .error("StatusWithoutExpression", at, message)
                    .hint("use an expression that refers to a resource, such as `${deployment.status.readyReplicas}`");
                Value::Null
            }
        }
    }

    fn inferred(&self, number: usize) -> Value {
        let mut env = Env::default();
        env.declare("schema", self.schemas.instance());
        for resource in &self.definition.resources {
            env.declare(&resource.id, self.schemas.resource(resource.index));
        }
        let site = &self.collected.found[number].site;
        match check(&site.source, &site.node, &env) {
            Ok(checked) => schema_of(&checked.of, MAX_DEPTH),
            Err(_) => anything(),
        }
    }
}

fn object(properties: Map<String, Value>) -> Value {
    if properties.is_empty() { json!({"type": "object"}) } else { json!({"type": "object", "properties": properties}) }
}

fn anything() -> Value {
    json!({"x-kubernetes-preserve-unknown-fields": true})
}

/// The OpenAPI schema of a type.
fn schema_of(of: &Type, depth: usize) -> Value {
    if depth == 0 {
        return anything();
    }
    match of {
        Type::Bool => json!({"type": "boolean"}),
        Type::Int | Type::Uint => json!({"type": "integer"}),
        Type::Double => json!({"type": "number"}),
        Type::Text => json!({"type": "string"}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::Timestamp => json!({"type": "string", "format": "date-time"}),
        Type::Duration => json!({"type": "string", "format": "duration"}),
        Type::Optional(value) => schema_of(value, depth - 1),
        Type::List(element) => json!({"type": "array", "items": schema_of(element, depth - 1)}),
        Type::Map(parts) => json!({"type": "object", "additionalProperties": schema_of(&parts.1, depth - 1)}),
        // A field without fields would be pruned to nothing, whatever is in it.
        Type::Object(it) if it.fields().is_empty() => {
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
        }
        Type::Object(it) => {
            let fields = it.fields().into_iter().filter_map(|name| Some((name.to_owned(), it.field(name)?)));
            object(fields.map(|(name, of)| (name, schema_of(&of, depth - 1))).collect())
        }
        _ => anything(),
    }
}
