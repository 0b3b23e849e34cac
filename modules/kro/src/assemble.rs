//! Puts a checked definition together: the blueprint for the host and the
//! program for `render`.

use std::collections::{BTreeMap, BTreeSet};

use guest_sdk::{
    Access, Api, Blueprint, Failure, Gvk, Node as BlueprintNode, Prepared, Problem, Role, Scope, UsedKind,
};
use serde_json::Value;

use crate::{
    check::Checked,
    crd,
    expression::{Code, Form},
    model::{Definition, Resource},
    plural,
    program::{Node, Piece, Program, Template},
    structural::Shape,
    template::{self, Part},
};

/// The definition, prepared.
pub(crate) fn prepared(
    definition: &Definition,
    checked: &Checked,
    warnings: Vec<Problem>,
) -> Result<Prepared, Failure> {
    let encoded = encode_all(checked);
    let program = Program {
        spec: Shape::of(&checked.spec),
        nodes: in_order(definition, checked).map(|resource| node(resource, checked, &encoded)).collect(),
        status: definition.status.iter().map(|(name, value)| (name.as_str(), fill_in(value, &encoded))).collect(),
    };
    let program = program.to_bytes().map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Prepared { blueprint: blueprint(definition, checked), program, warnings })
}

fn in_order<'d>(definition: &'d Definition, checked: &'d Checked) -> impl Iterator<Item = &'d Resource> {
    checked.order.iter().filter_map(|id| definition.resources.iter().find(|resource| resource.id == *id))
}

fn blueprint(definition: &Definition, checked: &Checked) -> Blueprint {
    let kind = |resource: &Resource| {
        resource.gvk().unwrap_or_else(|| Gvk { group: String::new(), version: String::new(), kind: String::new() })
    };
    let kinds: BTreeSet<Gvk> = definition.resources.iter().map(kind).collect();
    Blueprint {
        api: Api {
            kind: Gvk {
                group: definition.group.clone(),
                version: definition.version.clone(),
                kind: definition.kind.clone(),
            },
            plural: plural::of(&definition.kind),
            scope: Scope::Namespaced,
            crd: crd::build(definition, checked.spec.clone(), checked.status.clone()),
        },
        kinds: kinds.into_iter().map(|kind| UsedKind { kind, access: Access::Manage }).collect(),
        nodes: in_order(definition, checked)
            .map(|resource| BlueprintNode {
                id: resource.id.clone(),
                role: Role::Child,
                kind: kind(resource),
                depends_on: dependencies(resource, checked).map(str::to_owned).collect(),
            })
            .collect(),
    }
}

fn dependencies<'c>(resource: &Resource, checked: &'c Checked) -> impl Iterator<Item = &'c str> {
    checked.dependencies.get(&resource.id).into_iter().flatten().map(String::as_str)
}

/// The forms of all expressions, by their text: what the program borrows.
type Encoded<'c> = BTreeMap<&'c str, Encoding<'c>>;

enum Encoding<'c> {
    Path(Vec<&'c str>),
    Tree { bytes: Vec<u8>, whole_library: bool },
}

fn encode_all(checked: &Checked) -> Encoded<'_> {
    let encode = |expression: &'_ crate::expression::Expression| Encoding::Tree {
        bytes: expression.encode(),
        whole_library: expression.needs_whole_library(),
    };
    let all = checked.expressions.values();
    all.map(|it| (it.source.as_str(), it.path().map_or_else(|| encode(it), Encoding::Path))).collect()
}

fn code<'a>(source: &'a str, encoded: &'a Encoded) -> Code<'a> {
    let form = match encoded.get(source) {
        Some(Encoding::Path(path)) => Form::Path(path.clone()),
        Some(Encoding::Tree { bytes, whole_library }) => Form::Tree { bytes, whole_library: *whole_library },
        // Every expression was checked, or an error was noted before.
        None => Form::Path(Vec::new()),
    };
    Code { source, form }
}

fn node<'a>(resource: &'a Resource, checked: &'a Checked, encoded: &'a Encoded) -> Node<'a> {
    let codes = |texts: &'a [String]| {
        let all = texts.iter().filter_map(|text| Some((text, template::split(text).ok()?.standalone()?)));
        all.map(|(text, range)| code(&text[range], encoded)).collect()
    };
    Node {
        id: &resource.id,
        depends_on: dependencies(resource, checked).collect(),
        template: Template::Map(
            resource
                .template
                .iter()
                .map(|(name, value)| match name.as_str() {
                    "apiVersion" | "kind" => (name.as_str(), literal(value)),
                    _ => (name.as_str(), fill_in(value, encoded)),
                })
                .collect(),
        ),
        ready_when: codes(&resource.ready_when),
        include_when: codes(&resource.include_when),
    }
}

fn literal(value: &Value) -> Template<'_> {
    value.as_str().map_or(Template::Null, Template::Text)
}

fn fill_in<'a>(value: &'a Value, encoded: &'a Encoded) -> Template<'a> {
    match value {
        Value::Null => Template::Null,
        Value::Bool(value) => Template::Bool(*value),
        Value::Number(number) => Template::number(number),
        Value::String(text) => fill_in_text(text, encoded),
        Value::Array(elements) => Template::List(elements.iter().map(|element| fill_in(element, encoded)).collect()),
        Value::Object(fields) => {
            Template::Map(fields.iter().map(|(name, value)| (name.as_str(), fill_in(value, encoded))).collect())
        }
    }
}

fn fill_in_text<'a>(text: &'a str, encoded: &'a Encoded) -> Template<'a> {
    let Ok(parts) = template::split(text) else { return Template::Text(text) };
    if let Some(range) = parts.standalone() {
        return Template::Value(code(&text[range], encoded));
    }
    if parts.expressions().next().is_none() {
        return Template::Text(text);
    }
    let piece = |part: &Part| match part {
        Part::Text(range) => Piece::Text(&text[range.clone()]),
        Part::Expression(range) => Piece::Value(code(&text[range.clone()], encoded)),
    };
    Template::Printed(parts.parts.iter().map(piece).collect())
}
