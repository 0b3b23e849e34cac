//! Finds every expression of a definition, and on the way what is wrong with
//! the shape of its templates: against the schema of their kind where that is
//! known.
//!
//! What the expressions mean is for `check`.

mod shape;
mod metadata;
mod templates;

use std::{collections::BTreeMap, ops::RangeInclusive};

use guest_sdk::Scope;
use serde_json::Value;

use crate::{
    kinds::Kinds,
    model::{Body, Definition, Dialect, Resource, Select},
    problem::{Pointer, Problems},
    shell,
    site::Site,
    template,
};

/// A definition with its expressions found.
#[derive(Debug, Default)]
pub(crate) struct Collected<'d, 's> {
    /// All expressions.
    pub(crate) found: Vec<Found<'s>>,
    /// The numbers of the expressions at each place, in their order.
    pub(crate) places: BTreeMap<Place, Vec<usize>>,
    /// The bodies of the resources, in their order.
    pub(crate) bodies: Vec<DraftBody<'d>>,
    /// The status fields.
    pub(crate) status: Vec<(&'d str, Draft<'d>)>,
}

impl<'s> Collected<'_, 's> {
    /// The expressions at a place.
    pub(crate) fn at(&self, place: Place) -> impl Iterator<Item = &Found<'s>> {
        self.numbered(place..=place).map(|number| &self.found[number])
    }

    /// The expressions that a resource goes over, the outermost first.
    pub(crate) fn dimensions(&self, resource: usize) -> impl Iterator<Item = &Found<'s>> {
        self.numbered(Place::dimensions(resource)).map(|number| &self.found[number])
    }

    /// The numbers of the expressions at some places.
    pub(crate) fn numbered(&self, places: RangeInclusive<Place>) -> impl Iterator<Item = usize> {
        self.places.range(places).flat_map(|(_, numbers)| numbers.iter().copied())
    }
}

/// An expression and what is expected of it.
#[derive(Debug)]
pub(crate) struct Found<'s> {
    /// The expression.
    pub(crate) site: Site,
    /// Where it is used.
    pub(crate) place: Place,
    /// The path of the field that it fills, as kro writes it.
    pub(crate) path: String,
    /// The schema of that field, if it is known.
    pub(crate) wanted: Option<&'s Value>,
    /// Whether the string is exactly the expression.
    pub(crate) standalone: bool,
}

/// Where an expression is used. Resources are counted as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// In the template of a resource, or in its reference to others' objects.
    Template(usize),
    /// In a dimension of a resource.
    ForEach(usize, usize),
    /// For its being there.
    IncludeWhen(usize),
    /// For its being ready.
    ReadyWhen(usize),
    /// In a status field.
    Status,
    /// As a condition of the instance.
    Condition,
}

impl Place {
    /// All dimensions of a resource.
    pub(crate) fn dimensions(resource: usize) -> RangeInclusive<Place> {
        Place::ForEach(resource, 0)..=Place::ForEach(resource, usize::MAX)
    }

    /// The resource that it belongs to.
    pub(crate) fn resource(self) -> Option<usize> {
        match self {
            Place::Template(index) | Place::ForEach(index, _) => Some(index),
            Place::IncludeWhen(index) | Place::ReadyWhen(index) => Some(index),
            Place::Status | Place::Condition => None,
        }
    }
}

/// A JSON value with expressions by their number.
#[derive(Debug)]
pub(crate) enum Draft<'d> {
    /// A value without expressions.
    Literal(&'d Value),
    /// A text.
    Text(&'d str),
    /// A list.
    List(Vec<Draft<'d>>),
    /// A map.
    Map(Vec<(&'d str, Draft<'d>)>),
    /// An expression.
    Expression(usize),
    /// Texts and expressions in a row, printed.
    Printed(Vec<DraftPiece<'d>>),
}

/// A part of a printed text.
#[derive(Debug)]
pub(crate) enum DraftPiece<'d> {
    /// Text.
    Text(&'d str),
    /// An expression.
    Expression(usize),
}

/// What a resource is.
#[derive(Debug)]
pub(crate) enum DraftBody<'d> {
    /// An object to create.
    Object(Draft<'d>),
    /// One object of somebody else: namespace and name.
    Named(Draft<'d>, Draft<'d>),
    /// Objects of somebody else: namespace and label selector.
    Labelled(Draft<'d>, Draft<'d>),
}

/// Finds the expressions of a definition.
pub(crate) fn collect<'d, 's>(
    definition: &'d Definition,
    kinds: Kinds<'s>,
    problems: &mut Problems,
) -> Collected<'d, 's> {
    let mut collector = Collector { definition, kinds, problems, collected: Collected::default() };
    for resource in &definition.resources {
        collector.resource(resource);
    }
    collector.status();
    collector.collected
}

struct Collector<'d, 's, 'p> {
    definition: &'d Definition,
    kinds: Kinds<'s>,
    problems: &'p mut Problems,
    collected: Collected<'d, 's>,
}

impl<'d, 's> Collector<'d, 's, '_> {
    fn dialect(&self) -> Dialect {
        self.definition.dialect
    }

    fn says(&self, prefix: &str, message: &str) -> String {
        self.definition.says(prefix, message)
    }

    fn resource(&mut self, resource: &'d Resource) {
        let body = match &resource.body {
            Body::Template(template) => DraftBody::Object(self.template(resource, template)),
            Body::External { at, api_version, kind, namespace, select } => {
                for (name, text) in [("apiVersion", api_version), ("kind", kind)] {
                    // One that is missing was noted when it was read.
                    if !text.is_empty() {
                        self.fixed(name, text, &at.field(name), resource);
                    }
                }
                if let Some(gvk) = resource.gvk() {
                    self.known(&gvk, resource, at);
                }
                self.external(resource, at, namespace.as_deref(), select)
            }
        };
        self.collected.bodies.push(body);
        for (index, (_, text)) in resource.for_each.iter().enumerate().filter(|(_, (_, text))| !text.is_empty()) {
            let name = &resource.for_each[index].0;
            let wrong = format!(
                "failed to build resource \"{}\": failed to parse forEach dimensions: invalid forEach expression for \
                 dimension \"{name}\"",
                resource.id
            );
            self.alone(text, &resource.for_each_at(index), Place::ForEach(resource.index, index), &wrong);
        }
        for (index, text) in resource.include_when.iter().enumerate() {
            let wrong =
                format!("failed to build resource \"{}\": failed to parse includeWhen expressions", resource.id);
            self.alone(text, &resource.include_when_at(index), Place::IncludeWhen(resource.index), &wrong);
        }
        for (index, text) in resource.ready_when.iter().enumerate() {
            let wrong = format!("failed to build resource \"{}\": failed to parse readyWhen expressions", resource.id);
            self.alone(text, &resource.ready_when_at(index), Place::ReadyWhen(resource.index), &wrong);
        }
    }

    fn external(
        &mut self,
        resource: &'d Resource,
        at: &Pointer,
        namespace: Option<&'d str>,
        select: &'d Select,
    ) -> DraftBody<'d> {
        let metadata = at.field("metadata");
        let place = Place::Template(resource.index);
        // A read by labels may go over all namespaces.
        let scope = resource.gvk().and_then(|gvk| self.kinds.scope(&gvk));
        let nowhere = namespace.is_none() && self.definition.scope == Scope::Cluster;
        if scope == Some(Scope::Namespaced) && nowhere && matches!(select, Select::Name(_)) {
            templates::lacks_a_namespace(self.problems, &resource.id, &metadata);
        }
        let namespace = namespace.map_or(Draft::Text(""), |text| {
            self.text(text, &metadata.field("namespace"), place, "metadata.namespace", None)
        });
        match select {
            Select::Name(name) => {
                let name = self.text(name, &metadata.field("name"), place, "metadata.name", None);
                DraftBody::Named(namespace, name)
            }
            Select::Labels(selector) => {
                let selector = self.open(selector, &metadata.field("selector"), place, "metadata.selector");
                DraftBody::Labelled(namespace, selector)
            }
        }
    }

    /// A text that must be one expression and nothing else.
    fn alone(&mut self, text: &str, at: &Pointer, place: Place, wrong: &str) {
        // It stands for an element that is not text.
        if text.is_empty() && self.problems.error_at(at) {
            return;
        }
        let range = match template::split(text) {
            Ok(parts) => parts.standalone(),
            Err(error) => return self.nested(&error, text, at, wrong),
        };
        let Some(range) = range else {
            let message = self.says(wrong, "only standalone expressions are allowed");
            self.problems.error("NotStandalone", at, message).span(0, text.len()).hint(
                match text.starts_with("${") && !text.contains('}') {
                    true => "close it with `}`",
                    false => "write `${…}` with nothing before or after it, not even a line break",
                },
            );
            return;
        };
        self.note(Site::part(at, text, range), place, String::new(), None, true);
    }

    fn nested(&mut self, error: &template::Error, text: &str, at: &Pointer, prefix: &str) {
        let template::Error::Nested { at: start } = error;
        let message = self.says(prefix, &error.to_string());
        // `${A:-${B}}` of a shell.
        let outer = text[..*start].rfind("${").map(|open| &text[open + 2..*start]).and_then(shell::variable);
        let is_foreign = match outer {
            Some(shell::Variable::Expansion(name)) => !self.is_known(name),
            other => other == Some(shell::Variable::Foreign),
        };
        let hint = match is_foreign {
            true => shell::hint("A:-${B}"),
            false => "put the inner `${` in double quotes, or refer to the value without `${`".to_owned(),
        };
        self.problems.error("NestedExpression", at, message).span(*start, 2).hint(hint);
    }

    /// Remembers an expression; its number.
    fn note(
        &mut self,
        site: Result<Site, crate::site::Refused>,
        place: Place,
        path: String,
        wanted: Option<&'s Value>,
        standalone: bool,
    ) -> usize {
        match site {
            Ok(site) => {
                self.collected.places.entry(place).or_default().push(self.collected.found.len());
                self.collected.found.push(Found { site, place, path, wanted, standalone });
                self.collected.found.len() - 1
            }
            Err(refused) => {
                let prefix = self.prefix(place, &path);
                refused.note(&prefix, self.problems);
                // Nothing is assembled from a definition with an error.
                usize::MAX
            }
        }
    }

    /// Whose expression it is, as kro begins its messages.
    fn prefix(&self, place: Place, path: &str) -> String {
        prefix(self.definition, place, path, None)
    }

    /// A string in a place where any string may stand.
    fn text(&mut self, text: &'d str, at: &Pointer, place: Place, path: &str, wanted: Option<&'s Value>) -> Draft<'d> {
        let parts = match template::split(text) {
            Ok(parts) => parts,
            Err(error) => {
                let prefix = self.shape_prefix(place);
                self.nested(&error, text, at, &prefix);
                return Draft::Text(text);
            }
        };
        if let Some(start) = parts.unterminated {
            self.problems
                .warning("UnterminatedExpression", at, "this `${` has no closing brace and stays text")
                .span(start, 2)
                .hint(
                    "close it with `}`; only double quotes protect braces, single quotes do not; from kro 0.10 on it is \
                     an error",
                );
        }
        if parts.expressions().next().is_none() {
            self.almost(text, at, path);
            return Draft::Text(text);
        }
        if self.is_foreign(text, &parts) {
            self.foreign(text, &parts, at, place, path);
            return Draft::Text(text);
        }
        if let Some(range) = parts.standalone() {
            let site = Site::part(at, text, range);
            return Draft::Expression(self.note(site, place, path.to_owned(), wanted, true));
        }
        if self.dialect() == Dialect::V09 {
            let site = Site::sum(at, text, &parts);
            return Draft::Expression(self.note(site, place, path.to_owned(), wanted, false));
        }
        let pieces = parts.parts.iter().map(|part| match part {
            template::Part::Text(range) => DraftPiece::Text(&text[range.clone()]),
            template::Part::Expression(range) => {
                let site = Site::part(at, text, range.clone());
                DraftPiece::Expression(self.note(site, place, path.to_owned(), None, false))
            }
        });
        Draft::Printed(pieces.collect())
    }

    /// Notes what was probably meant as an expression and is text: one without its
    /// `$`, or with other brackets.
    fn almost(&mut self, text: &str, at: &Pointer, path: &str) {
        // A name is refused as it stands, with the same advice.
        if matches!(path, "metadata.name" | "metadata.namespace") {
            return;
        }
        if let Some((range, expression)) = shell::almost_an_expression(text) {
            self.problems
                .warning("NotAnExpression", at, format!("`{}` is text and is never evaluated", &text[range.clone()]))
                .span(range.start, range.len())
                .hint(format!("an expression is written `${{{expression}}}`"));
        }
    }

    /// Whether a text holds what a shell would do with a variable that nobody here
    /// knows.
    fn is_foreign(&self, text: &str, parts: &template::Parts) -> bool {
        parts.expressions().any(|range| match shell::variable(&text[range.clone()]) {
            Some(shell::Variable::Foreign) => match text[range.clone()].strip_prefix('!') {
                Some(name) => !self.is_known(name),
                // In a text of one expression `${1}` is a number.
                None => parts.parts.len() > 1 || text[range].parse::<u64>().is_err(),
            },
            Some(shell::Variable::Expansion(name)) => !self.is_known(name),
            Some(shell::Variable::Name(_)) | None => false,
        })
    }

    /// Whether an expression anywhere may mean something by a name.
    fn is_known(&self, name: &str) -> bool {
        let resources = &self.definition.resources;
        let iterators = resources.iter().flat_map(|resource| &resource.for_each).map(|(iterator, _)| iterator.as_str());
        // An id with a dash is refused where it stands; in an expression the dash is minus.
        let ids =
            resources.iter().flat_map(|resource| [resource.id.as_str()].into_iter().chain(resource.id.split('-')));
        ids.chain(iterators).chain(["schema", "each", "runtime"]).any(|known| known == name)
    }

    /// Notes each variable of a shell once: what the parser makes of the whole text
    /// would be told many times and help nobody.
    fn foreign(&mut self, text: &str, parts: &template::Parts, at: &Pointer, place: Place, path: &str) {
        for range in parts.expressions() {
            let inner = &text[range.clone()];
            let unknown = match shell::variable(inner) {
                Some(shell::Variable::Name(name) | shell::Variable::Expansion(name)) if !self.is_known(name) => {
                    Some(name)
                }
                Some(shell::Variable::Foreign) if !inner.strip_prefix('!').is_some_and(|name| self.is_known(name)) => {
                    inner.strip_prefix('!')
                }
                _ => {
                    // What is meant as an expression is checked all the same.
                    self.note(Site::part(at, text, range), place, path.to_owned(), None, false);
                    continue;
                }
            };
            let (code, message) = match (Site::part(at, text, range.clone()), unknown) {
                (Err(refused), _) => {
                    let prefix = prefix(self.definition, place, path, Some(inner));
                    ("InvalidExpression", format!("{prefix}{}", refused.first()))
                }
                (Ok(_), Some(name)) => {
                    let what = format!("references unknown identifiers: [{name}]");
                    let prefix = "failed to build dependency graph: failed to extract dependencies";
                    ("UnknownIdentifier", self.says(prefix, &what))
                }
                (Ok(_), None) => {
                    let prefix = prefix(self.definition, place, path, Some(inner));
                    ("InvalidExpression", format!("{prefix}a number is not text"))
                }
            };
            self.problems.error(code, at, message).span(range.start - 2, range.len() + 3).hint(shell::hint(inner));
        }
    }

    fn shape_prefix(&self, place: Place) -> String {
        match place.resource().and_then(|index| self.definition.resources.get(index)) {
            Some(resource) => format!(
                "failed to build resource \"{0}\": failed to extract CEL expressions from schema for resource {0}",
                resource.id
            ),
            None => "failed to build instance status schema".to_owned(),
        }
    }

    /// A value whose shape nobody knows: any string may hold expressions.
    fn open(&mut self, value: &'d Value, at: &Pointer, place: Place, path: &str) -> Draft<'d> {
        match value {
            Value::String(text) => self.text(text, at, place, path, None),
            Value::Array(elements) => Draft::List(
                elements
                    .iter()
                    .enumerate()
                    .map(|(index, it)| self.open(it, &at.index(index), place, &format!("{path}[{index}]")))
                    .collect(),
            ),
            Value::Object(fields) => Draft::Map(
                fields
                    .iter()
                    .map(|(name, it)| {
                        self.key(name, &at.field(name));
                        (name.as_str(), self.open(it, &at.field(name), place, &below(path, name)))
                    })
                    .collect(),
            ),
            literal => Draft::Literal(literal),
        }
    }

    fn key(&mut self, name: &str, at: &Pointer) {
        if name.contains("${") {
            self.problems
                .warning("LiteralKey", at, format!("the map key `{name}` is never evaluated and stays as it is"))
                .hint("build the whole map with one expression instead, such as `${{key: value}}`");
        }
    }

    fn status(&mut self) {
        let at = self.definition.status_at();
        for (name, value) in &self.definition.status {
            if name == "croft" {
                self.problems
                    .error("ReservedStatusField", &at.field(name), "the status field `croft` is reserved for the host")
                    .hint("choose another name");
            }
            // `conditions` is left here in the language of v0.1 only.
            if matches!(name.as_str(), "state" | "conditions") {
                let message =
                    format!("the status field `{name}` is the host's, and what is stated for it is never written");
                self.problems.warning("ReservedStatusField", &at.field(name), message).hint("choose another name");
            }
            let draft = self.open(value, &at.field(name), Place::Status, name);
            self.collected.status.push((name, draft));
        }
        for (index, text) in self.definition.conditions.iter().enumerate() {
            let wrong = "failed to build instance status schema: failed to parse status.conditions";
            let at = self.definition.condition_at(index);
            self.alone(text, &at, Place::Condition, wrong);
        }
    }
}

/// Whose expression it is, as kro begins its messages; v0.1 says it less
/// elaborately, and we not at all.
pub(crate) fn prefix(definition: &Definition, place: Place, path: &str, text: Option<&str>) -> String {
    if definition.dialect == Dialect::V01 {
        return String::new();
    }
    let id = place.resource().and_then(|index| definition.resources.get(index)).map_or("", |it| it.id.as_str());
    let text = text.map(|text| format!(" \"{text}\"")).unwrap_or_default();
    match place {
        Place::Template(_) => {
            format!(
                "failed to validate resource \"{id}\": failed to compile template expression{text} at path \"{path}\": "
            )
        }
        Place::ForEach(..) => {
            format!("failed to validate resource \"{id}\": failed to compile forEach expression{text}: ")
        }
        Place::IncludeWhen(_) => {
            format!("failed to validate resource \"{id}\": failed to compile includeWhen expression{text}: ")
        }
        Place::ReadyWhen(_) => {
            format!("failed to validate resource \"{id}\": failed to compile readyWhen expression{text}: ")
        }
        Place::Status => format!(
            "failed to build instance status schema: failed to type-check status expression{text} at path \"{path}\": "
        ),
        Place::Condition => {
            format!("failed to build instance status schema: failed to type-check status.conditions expression{text}: ")
        }
    }
}

/// The path of a field, as kro writes it.
pub(crate) fn below(path: &str, name: &str) -> String {
    let name = if name.contains('.') { format!("[\"{name}\"]") } else { name.to_owned() };
    match path {
        "" => name,
        path if name.starts_with('[') => format!("{path}{name}"),
        path => format!("{path}.{name}"),
    }
}
