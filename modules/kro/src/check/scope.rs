//! Which names an expression may use where it stands, and which resources it
//! thereby makes its resource depend on.

use std::collections::BTreeSet;

use expr::{
    library::{self, Library},
    references::{Called, Reference},
};

use super::Checker;
use crate::{
    collect::{Found, Place},
    model::Dialect,
    naming,
    problem::nearest,
    shell,
    site::Site,
};

/// Names that mean a type and so no variable.
const TYPE_NAMES: [&str; 11] =
    ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "optional_type"];

/// What a name is where it stands.
enum Visible {
    Yes,
    OwnObject,
    OtherIterator,
    /// It is there, and what is wrong with it was said.
    Unreadable,
    No,
}

impl<'n> Checker<'n, '_, '_, '_> {
    /// Notes names that an expression may not use; true if there are none.
    pub(super) fn scope(&mut self, index: usize) -> bool {
        let found = &self.collected.found[index];
        let mentions = found.site.mentions();
        let before = self.problems.count();
        self.unreadable = false;
        let mut seen = BTreeSet::new();
        for reference in &mentions.references {
            if seen.insert(reference.root) {
                self.reference(found, reference);
            }
        }
        mentions.calls.iter().for_each(|call| self.call(found, call));
        if found.place == Place::Status && self.is_first_of_its_text(index) && !self.unreadable {
            self.refers_to_something(index, before);
        }
        self.problems.count() == before && !self.unreadable
    }

    fn reference(&mut self, found: &'n Found, reference: &Reference) {
        let root = reference.root;
        match self.visible(found.place, root) {
            Visible::Yes => {
                let resource = found.place.resource().zip(self.resource(root));
                match (found.place, resource) {
                    (Place::ReadyWhen(_), _) | (_, None) => {}
                    (_, Some((own, other))) => {
                        self.dependencies[own].insert(other);
                    }
                }
            }
            Visible::OwnObject => {
                let message = self.says("failed to build dependency graph", "self references are not allowed");
                let hint = format!("`{root}` does not exist before its template is filled in");
                self.at(found, reference, "SelfReference", message, Some(hint));
            }
            Visible::OtherIterator => self.iterators_are_independent(found, reference),
            Visible::Unreadable => self.unreadable = true,
            Visible::No if TYPE_NAMES.contains(&root) && self.resource(root).is_none() => {}
            Visible::No => {
                let message = self.unknown(found, root);
                let hint = self.scope_hint(found, reference);
                self.at(found, reference, "UnknownIdentifier", message, hint);
            }
        }
    }

    fn at(&mut self, found: &Found, reference: &Reference, code: &str, message: String, hint: Option<String>) {
        let start = reference.at as usize;
        let length = found.site.word(start);
        found.site.error(self.problems, code, start, length, message).maybe_hint(hint);
    }

    fn visible(&self, place: Place, root: &str) -> Visible {
        let other = self.resource(root);
        let is_schema = root == "schema";
        let iterates = |index: usize| self.definition.resources[index].for_each.iter().any(|(name, _)| name == root);
        let yes = match place {
            Place::Template(own) if other == Some(own) => return Visible::OwnObject,
            Place::Template(own) => is_schema || other.is_some() || iterates(own),
            Place::ForEach(own, _) if other == Some(own) => return Visible::OwnObject,
            Place::ForEach(own, _) if iterates(own) => return Visible::OtherIterator,
            Place::ForEach(..) => is_schema || other.is_some(),
            Place::IncludeWhen(_) if self.dialect() == Dialect::V01 => is_schema,
            Place::IncludeWhen(own) if other == Some(own) => return Visible::OwnObject,
            Place::IncludeWhen(_) => is_schema || other.is_some(),
            Place::ReadyWhen(own) if super::is_collection(&self.definition.resources[own]) => root == "each",
            Place::ReadyWhen(own) => other == Some(own),
            Place::Status | Place::Condition => is_schema || other.is_some(),
        };
        match yes {
            true => Visible::Yes,
            false if self.definition.unreadable.iter().any(|id| id == root) => Visible::Unreadable,
            false if self.is_meant(root) => Visible::Unreadable,
            false => Visible::No,
        }
    }

    /// Whether a name is what an id is meant to be that is none: with dashes, which
    /// are minus in an expression, or as the hint about it says.
    fn is_meant(&self, root: &str) -> bool {
        let odd = self.definition.resources.iter().map(|resource| resource.id.as_str());
        let mut odd = odd.filter(|id| id.contains(|letter: char| !letter.is_ascii_alphanumeric()));
        odd.any(|id| id.split('-').any(|part| part == root) || naming::lower_camel(id) == root)
    }

    fn unknown(&self, found: &Found, root: &str) -> String {
        let what = format!("references unknown identifiers: [{root}]");
        let id = found.place.resource().map_or("", |index| self.definition.resources[index].id.as_str());
        let source = &found.site.source;
        if self.dialect() == Dialect::V01 {
            return what;
        }
        match found.place {
            Place::Template(_) => format!("failed to build dependency graph: failed to extract dependencies: {what}"),
            Place::IncludeWhen(_) => {
                format!("failed to build dependency graph: failed to extract dependencies from includeWhen: {what}")
            }
            Place::ForEach(..) => format!(
                "failed to build dependency graph: failed to extract dependencies from forEach iterator: {what}"
            ),
            Place::ReadyWhen(_) => {
                format!("failed to validate resource \"{id}\": resource \"{id}\" readyWhen: {what}")
            }
            Place::Status => format!(
                "failed to build instance status schema: status field \"{}\" expression \"{source}\": {what}",
                found.path
            ),
            Place::Condition => {
                format!("failed to build instance status schema: status.conditions expression \"{source}\": {what}")
            }
        }
    }

    fn scope_hint(&self, found: &Found, reference: &Reference) -> Option<String> {
        let (place, root) = (found.place, reference.root);
        let path = [&[root], reference.path.as_slice()].concat().join(".");
        let known = root == "schema" || self.resource(root).is_some();
        match place {
            Place::IncludeWhen(_) if known => Some("includeWhen sees only `schema`".to_owned()),
            Place::ReadyWhen(own) if super::is_collection(&self.definition.resources[own]) => {
                Some("readyWhen of a collection sees one object of it at a time, as `each`".to_owned())
            }
            Place::ReadyWhen(own) if known => {
                Some(format!("readyWhen sees only its own resource, `{}`", self.definition.resources[own].id))
            }
            _ if library::names(Library::OF_KRO).any(|name| name == root) => {
                Some(format!("`{root}` is a function: call it"))
            }
            _ if shell::is_of_the_environment(root) => Some(shell::hint(&path)),
            _ if matches!(root, "spec" | "metadata" | "apiVersion" | "kind") => {
                Some(format!("did you mean `schema.{path}`?"))
            }
            _ if self.definition.spec.contains_key(root) => Some(format!("did you mean `schema.spec.{path}`?")),
            _ if matches!(root, "self" | "this" | "instance" | "values" | "Values" | "params" | "parameters") => {
                Some("the instance is `schema`: its fields are `schema.spec.…`".to_owned())
            }
            _ => {
                let ids = self.definition.resources.iter().map(|resource| resource.id.as_str());
                let near = nearest(root, ids.chain(["schema"])).map(|near| format!("did you mean `{near}`?"));
                // Within a text it may be somebody else's variable.
                near.or_else(|| (!found.standalone).then(|| shell::hint(&path)))
            }
        }
    }

    fn iterators_are_independent(&mut self, found: &Found, reference: &Reference) {
        let Place::ForEach(own, dimension) = found.place else { return };
        let resource = &self.definition.resources[own];
        let message = format!(
            "failed to build dependency graph: node \"{}\": forEach iterator \"{}\" cannot reference other iterators \
             [{}] - forEach iterators are independent (cartesian product)",
            resource.id, resource.for_each[dimension].0, reference.root
        );
        self.at(
            found,
            reference,
            "IteratorReference",
            message,
            Some("go over a nested list with one expression".into()),
        );
    }

    /// Functions that are there in some places only.
    fn call(&mut self, found: &Found, call: &Called) {
        let id = found.place.resource().map_or("", |index| self.definition.resources[index].id.as_str());
        let (code, message, hint) = match (call.name.as_str(), found.place) {
            ("omit", Place::Template(_)) if matches!(found.path.as_str(), "metadata.name" | "metadata.namespace") => (
                "MisplacedOmit",
                format!(
                    "resource \"{id}\": omit() cannot be used at path \"{}\" — the field is required and must resolve \
                     to a concrete value",
                    found.path
                ),
                "give the field a value in every case",
            ),
            ("omit", Place::Template(_)) => return,
            ("omit", place) => (
                "MisplacedOmit",
                match place {
                    Place::ReadyWhen(_) => format!(
                        "failed to validate resource \"{id}\": resource \"{id}\" readyWhen: omit() can only be used in resource template expressions"
                    ),
                    Place::IncludeWhen(_) => format!(
                        "failed to validate resource \"{id}\": resource \"{id}\" includeWhen: omit() can only be used in resource template expressions"
                    ),
                    _ => "omit() can only be used in resource template expressions".to_owned(),
                },
                "use a condition instead",
            ),
            (name, place) if name.starts_with("runtime.") && place != Place::Condition => (
                "MisplacedRuntime",
                "failed to build dependency graph: failed to extract dependencies: runtime is only available in \
                 status.conditions expressions"
                    .to_owned(),
                "move it to `status.conditions`",
            ),
            _ => return,
        };
        let start = call.at as usize;
        let (at, length) = named(&found.site, start, call.last);
        found.site.error(self.problems, code, at, length, message).hint(hint);
    }

    /// Of the parts of one string, the first speaks for all.
    fn is_first_of_its_text(&self, index: usize) -> bool {
        let at = &self.collected.found[index].site.at;
        index == 0 || self.collected.found[index - 1].site.at != *at
    }

    fn refers_to_something(&mut self, index: usize, before: usize) {
        // What is misspelt refers to nothing; saying so twice helps nobody.
        if self.problems.count() > before {
            return;
        }
        // The parts of one string stand in a row.
        let collected = self.collected;
        let found = &collected.found[index];
        let parts = collected.found[index..].iter().take_while(|other| other.site.at == found.site.at);
        let roots = parts.flat_map(|part| part.site.mentions().references).map(|reference| reference.root);
        // What is misspelt in another part is told there.
        let refers = roots.into_iter().any(|root| match self.dialect() {
            Dialect::V01 => root != "schema",
            Dialect::V09 => root == "schema" || self.resource(root).is_some(),
        });
        if !refers {
            let path = &found.path;
            let message = match self.dialect() {
                Dialect::V01 => format!("instance status field must refer to a resource: status.{path}"),
                Dialect::V09 => format!(
                    "failed to create instance node: instance status field must refer to a resource or schema: status.{path}"
                ),
            };
            found
                .site
                .wrong(self.problems, "StatusWithoutResource", message)
                .hint("a status tells of resources: use an expression such as `${deployment.status.readyReplicas}`");
        }
    }
}

/// Where the name of a call stands whose parenthesis is known.
pub(super) fn named(site: &Site, parenthesis: usize, name: &str) -> (usize, usize) {
    let before = site.source.get(..parenthesis).map_or("", str::trim_end);
    if before.ends_with(name) { (before.len() - name.len(), name.len()) } else { (parenthesis, name.len()) }
}
