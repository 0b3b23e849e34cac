//! Checks the template of a resource: that it is a Kubernetes object whose kind
//! is fixed, and what the expressions in it refer to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Checker,
    expressions::{Place, Sees},
    is_version,
};
use crate::{model::Resource, problem::Pointer, template};

impl<'d> Checker<'d, '_> {
    pub(super) fn template(&mut self, resource: &'d Resource, dependencies: &mut BTreeSet<String>) {
        let at = resource.at.field("template");
        self.object(resource, &at);
        let is_crd = resource
            .gvk()
            .is_some_and(|gvk| gvk.group == "apiextensions.k8s.io" && gvk.kind == "CustomResourceDefinition");
        for (name, value) in &resource.template {
            let in_kind = matches!(name.as_str(), "apiVersion" | "kind");
            let below = at.field(name);
            if is_crd {
                self.no_expressions(value, &below, &resource.id);
            } else if !in_kind {
                self.values(value, &below, &resource.id, dependencies);
            }
        }
    }

    /// What every object must have.
    fn object(&mut self, resource: &Resource, at: &Pointer) {
        let invalid = |what: &str| format!("resource {} is not a valid Kubernetes object: {what}", resource.id);
        for name in ["apiVersion", "kind"] {
            let below = at.field(name);
            match resource.template.get(name) {
                Some(Value::String(text)) if text.is_empty() => {
                    self.problems.error("InvalidTemplate", &below, invalid(&format!("{name} is empty")));
                }
                Some(Value::String(text)) => self.fixed(name, text, &below, &resource.id),
                Some(_) => {
                    self.problems.error("WrongType", &below, invalid(&format!("{name} must be a string")));
                }
                None => {
                    self.problems
                        .error("InvalidTemplate", at, invalid(&format!("{name} field not found")))
                        .hint(format!("add `{name}`"));
                }
            }
        }
        match resource.template.get("metadata") {
            Some(Value::Object(metadata)) if !metadata.contains_key("name") => {
                self.problems
                    .error("InvalidTemplate", &at.field("metadata"), invalid("metadata.name field not found"))
                    .hint("add `metadata.name`, such as `${schema.metadata.name}`");
            }
            Some(Value::Object(_)) => {}
            Some(_) => {
                self.problems.error("WrongType", &at.field("metadata"), invalid("metadata must be a map"));
            }
            None => {
                self.problems
                    .error("InvalidTemplate", at, invalid("metadata field not found"))
                    .hint("add `metadata` with a `name`");
            }
        }
    }

    /// An `apiVersion` or a `kind` must be known before the first instance:
    /// the claims that a consumer accepts are made of them.
    fn fixed(&mut self, name: &str, text: &str, at: &Pointer, id: &str) {
        let has_expression = template::split(text).map_or(true, |parts| parts.expressions().next().is_some());
        if has_expression {
            self.problems
                .error(
                    "DynamicKind",
                    at,
                    format!("resource {id} is not a valid Kubernetes object: {name} is an expression"),
                )
                .hint("write it literally: which kinds a definition uses must be known beforehand");
        } else if name == "apiVersion" && !is_api_version(text) {
            self.problems
                .error(
                    "InvalidApiVersion",
                    at,
                    format!("failed to extract GVK from resource {id}: invalid apiVersion format \"{text}\""),
                )
                .hint("write `version` or `group/version`, such as `v1` or `apps/v1`");
        }
    }

    fn values(&mut self, value: &'d Value, at: &Pointer, own: &str, dependencies: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => {
                let found = self.text(text, Place { at, sees: Sees::Others(own) });
                dependencies.extend(found.unwrap_or_default().resources);
            }
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.values(element, &at.index(index), own, dependencies);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.key(name, &at.field(name));
                    self.values(value, &at.field(name), own, dependencies);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn key(&mut self, name: &str, at: &Pointer) {
        if name.contains("${") {
            self.problems
                .warning("LiteralKey", at, format!("the map key `{name}` is never evaluated and stays as it is"))
                .hint("build the whole map with one expression instead, such as `${{key: value}}`");
        }
    }

    /// A CRD is applied as it stands: its own `${…}` belong to somebody else.
    fn no_expressions(&mut self, value: &Value, at: &Pointer, id: &str) {
        match value {
            Value::String(text) if text.contains("${") => {
                self.problems
                    .error("ExpressionInCrd", at, format!("CEL expressions in CRDs are not supported, resource {id}"))
                    .hint("write this value literally");
            }
            Value::Array(elements) => {
                elements.iter().enumerate().for_each(|(index, it)| self.no_expressions(it, &at.index(index), id));
            }
            Value::Object(fields) => fields.iter().for_each(|(name, it)| self.no_expressions(it, &at.field(name), id)),
            _ => {}
        }
    }
}

fn is_api_version(text: &str) -> bool {
    let (group, version) = text.split_once('/').unwrap_or(("", text));
    let group_ok = group.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.');
    // Kinds of other people may have any version that is a DNS label.
    let label =
        |text: &str| text.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
    group_ok
        && (is_version(version) || !version.is_empty() && label(version))
        && (text.contains('/') != group.is_empty())
}
