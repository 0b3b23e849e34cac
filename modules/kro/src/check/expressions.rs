//! Checks expressions: that they parse, and that what they mention exists and
//! may be seen from where they stand.

use std::collections::BTreeSet;

use super::Checker;
use crate::{
    expression::{self, GLOBAL_NAMES, TYPE_NAMES, position_of, references::Reference},
    openapi::{self, Field},
    problem::{Pointer, nearest},
    template,
};

/// Where a text with expressions stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The string.
    pub(super) at: &'a Pointer,
    /// What its expressions may refer to.
    pub(super) sees: Sees<'a>,
}

/// What an expression may refer to.
#[derive(Clone, Copy)]
pub(super) enum Sees<'a> {
    /// The instance alone: `includeWhen`.
    Schema,
    /// Its own resource alone: `readyWhen`.
    Own(&'a str),
    /// The instance and every other resource: a template.
    Others(&'a str),
    /// The instance and every resource: a status field.
    Everything,
}

/// What the expressions of one text are.
#[derive(Default)]
pub(super) struct Found<'t> {
    /// Whether there is one.
    pub(super) any: bool,
    /// The text of the only one, if the string is nothing else.
    pub(super) standalone: Option<&'t str>,
    /// The resources that they refer to.
    pub(super) resources: BTreeSet<String>,
}

impl Checker<'_, '_> {
    /// Checks the expressions in a text. `None` if it is no template.
    pub(super) fn text<'t>(&mut self, text: &'t str, place: Place) -> Option<Found<'t>> {
        let parts = match template::split(text) {
            Ok(parts) => parts,
            Err(error @ template::Error::Nested { at }) => {
                self.problems
                    .error("NestedExpression", place.at, error.to_string())
                    .span(at, 2)
                    .hint("put the inner `${` in double quotes, or refer to the value without `${`");
                return None;
            }
        };
        if let Some(at) = parts.unterminated {
            self.problems
                .warning("UnterminatedExpression", place.at, "this `${` has no closing brace and stays text")
                .span(at, 2)
                .hint("close it with `}`; only double quotes protect braces, single quotes do not");
        }
        let standalone = parts.standalone().map(|range| &text[range]);
        let mut found = Found { standalone, ..Found::default() };
        for range in parts.expressions() {
            found.any = true;
            self.expression(&text[range.clone()], range.start, place, &mut found.resources);
        }
        Some(found)
    }

    /// Checks a text that must be one expression.
    pub(super) fn standalone(&mut self, text: &str, place: Place) {
        // Something that was no string was noted when it was read.
        if text.is_empty() {
            return;
        }
        let Some(found) = self.text(text, place) else { return };
        if found.standalone.is_none() {
            self.problems
                .error("NotStandalone", place.at, "only standalone expressions are allowed")
                .hint("write exactly one expression and nothing around it, such as `${…}`");
        }
    }

    fn expression(&mut self, source: &str, offset: usize, place: Place, resources: &mut BTreeSet<String>) {
        if !self.checked.expressions.contains_key(source) {
            match expression::parse(source) {
                Ok(parsed) => drop(self.checked.expressions.insert(source.to_owned(), parsed)),
                Err(error) => return self.unparsable(source, offset, place, &error),
            }
        }
        // Taken out while it is looked at: noting a problem changes the checker.
        let Some(expression) = self.checked.expressions.remove(source) else { return };
        let mentions = expression.mentions();
        for call in &mentions.calls {
            if let Some((message, hint)) = expression::unknown_function(call) {
                let (at, length) = position_of_name(source, call.last);
                self.problems.error("UnknownFunction", place.at, message).span(offset + at, length).maybe_hint(hint);
            }
        }
        for reference in &mentions.references {
            self.reference(source, offset, place, reference, resources);
        }
        self.checked.expressions.insert(source.to_owned(), expression);
    }

    fn unparsable(&mut self, source: &str, offset: usize, place: Place, error: &expression::Error) {
        let code = match error {
            expression::Error::TooBig { .. } => "ExpressionTooBig",
            expression::Error::Unsupported { .. } => "UnsupportedExpression",
            expression::Error::Empty | expression::Error::Syntax { .. } => "InvalidExpression",
        };
        let (start, length) = match error {
            expression::Error::Syntax { at, .. } => (*at, usize::from(*at < source.len())),
            _ => (0, source.len()),
        };
        let hint = match error {
            expression::Error::TooBig { .. } => "split it: let one resource hold a part of the value",
            expression::Error::Empty => "write an expression between the braces, such as `${schema.spec.name}`",
            _ => "expressions are CEL, such as `schema.spec.name + \"-suffix\"`",
        };
        self.problems.error(code, place.at, error.to_string()).span(offset + start, length).hint(hint);
    }

    fn reference(
        &mut self,
        source: &str,
        offset: usize,
        place: Place,
        reference: &Reference,
        resources: &mut BTreeSet<String>,
    ) {
        let root = reference.root;
        let is_resource = self.ids.contains(root);
        let visible = match place.sees {
            Sees::Schema => root == "schema",
            Sees::Own(id) => root == id,
            Sees::Others(_) | Sees::Everything => root == "schema" || is_resource,
        };
        if visible && root == "schema" {
            self.instance_field(source, offset, place, reference);
        } else if visible {
            self.own_or_other(source, offset, place, root, resources);
        } else if is_resource || !TYPE_NAMES.contains(&root) {
            let (at, length) = position_of(source, &[root]).unwrap_or((0, source.len()));
            let hint = self.scope_hint(root, is_resource, place.sees);
            self.problems
                .error("UnknownIdentifier", place.at, format!("references unknown identifiers: [{root}]"))
                .span(offset + at, length)
                .maybe_hint(hint);
        }
    }

    fn own_or_other(
        &mut self,
        source: &str,
        offset: usize,
        place: Place,
        root: &str,
        resources: &mut BTreeSet<String>,
    ) {
        if matches!(place.sees, Sees::Others(own) if own == root) {
            let (at, length) = position_of(source, &[root]).unwrap_or((0, source.len()));
            self.problems
                .error("SelfReference", place.at, "self references are not allowed")
                .span(offset + at, length)
                .hint(format!("`{root}` does not exist before its template is filled in"));
        } else {
            resources.insert(root.to_owned());
        }
    }

    fn scope_hint(&self, root: &str, is_resource: bool, sees: Sees) -> Option<String> {
        let known = is_resource || root == "schema";
        match sees {
            Sees::Schema if known => Some("includeWhen sees only `schema`".to_owned()),
            Sees::Own(id) if known => Some(format!("readyWhen sees only its own resource, `{id}`")),
            _ if GLOBAL_NAMES.contains(&root) => Some(format!("`{root}` is a function: call it")),
            _ => self.nearest_name(root, sees),
        }
    }

    /// Follows a path below `schema` through the API's own schema.
    fn instance_field(&mut self, source: &str, offset: usize, place: Place, reference: &Reference) {
        let instance = std::mem::take(&mut self.instance);
        let mut schema = &instance;
        for (index, field) in reference.fields.iter().enumerate() {
            let chain: Vec<&str> = [&["schema"], &reference.fields[..=index]].concat();
            let parent = chain[..=index].join(".");
            let (message, hint) = match openapi::field(schema, field) {
                Field::Known(below) => {
                    schema = below;
                    continue;
                }
                Field::Open => break,
                Field::Undefined(known) => {
                    let near = nearest(field, known.iter().copied());
                    let hint = match near {
                        Some(near) => format!("did you mean `{parent}.{near}`?"),
                        None if known.is_empty() => format!("`{parent}` has no fields"),
                        None => format!("the fields of `{parent}` are: {}", known.join(", ")),
                    };
                    (format!("undefined field '{field}' in `{parent}`"), hint)
                }
                Field::NoObject(kind) => {
                    let message = format!("type '{kind}' does not support field selection: `{parent}.{field}`");
                    (message, format!("`{parent}` is declared as `{kind}` in spec.schema.spec"))
                }
            };
            let found = position_of(source, &chain).or_else(|| position_of(source, &["schema"]));
            let (at, length) = found.unwrap_or((0, source.len()));
            self.problems.error("UndefinedField", place.at, message).span(offset + at, length).hint(hint);
            break;
        }
        self.instance = instance;
    }
}

/// Where a function's name stands in an expression.
fn position_of_name(source: &str, name: &str) -> (usize, usize) {
    source.find(&format!("{name}(")).map_or((0, source.len()), |at| (at, name.len()))
}
