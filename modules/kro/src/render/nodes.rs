//! Goes through the resources in topological order and decides for each:
//! excluded, blocked, or stated as a child.

use std::collections::{BTreeMap, BTreeSet};

use guest_sdk::{Blocked, Child, Excluded, Failure, Readiness, Rendering};
use serde_json::Value;

use crate::{
    expression::{
        Code,
        evaluate::{Engine, Error, Scope, only_instance_field},
    },
    problem::{Pointer, Problems},
    program::{Node, Program},
};

/// The resources of one rendering.
pub(super) struct Nodes<'r, 'p> {
    program: &'r Program<'r>,
    live: &'r BTreeMap<&'r str, &'r Value>,
    scope: Scope<'r>,
    problems: &'p mut Problems,
    rendering: Rendering,
    excluded: BTreeSet<&'r str>,
    /// What dependents need not wait for any more.
    satisfied: BTreeSet<&'r str>,
}

/// A failure that ends the rendering.
type Fatal<T> = Result<T, Failure>;

impl<'r, 'p> Nodes<'r, 'p> {
    pub(super) fn new(
        program: &'r Program<'r>,
        schema: &'r Value,
        live: &'r BTreeMap<&'r str, &'r Value>,
        engine: &'r Engine,
        problems: &'p mut Problems,
    ) -> Nodes<'r, 'p> {
        let mut variables = vec![("schema", schema)];
        variables.extend(live.iter().map(|(id, object)| (*id, *object)));
        let (excluded, satisfied) = (BTreeSet::new(), BTreeSet::new());
        Nodes {
            program,
            live,
            scope: Scope::new(variables, engine),
            problems,
            rendering: Rendering::default(),
            excluded,
            satisfied,
        }
    }

    pub(super) fn render(mut self) -> Fatal<Rendering> {
        for node in &self.program.nodes {
            self.node(node)?;
        }
        Ok(self.rendering)
    }

    fn node(&mut self, node: &'r Node<'r>) -> Fatal<()> {
        if let Some(reason) = self.exclusion(node)? {
            self.excluded.insert(node.id);
            self.rendering.excluded.push(Excluded { id: node.id.to_owned(), message: reason });
            return Ok(());
        }
        let ready = self.readiness(node)?;
        match self.missing(node)? {
            Outcome::Stated(child) => {
                self.rendering.children.push(child);
                if ready {
                    self.satisfied.insert(node.id);
                }
            }
            Outcome::Blocked(blocked) => self.rendering.blocked.push(blocked),
            Outcome::Wrong => {}
        }
        Ok(())
    }

    /// Why the node is not there, if it is not.
    fn exclusion(&mut self, node: &'r Node<'r>) -> Fatal<Option<String>> {
        for code in &node.include_when {
            if self.condition(node, code, "includeWhen")? == Some(false) {
                return Ok(Some(format!("includeWhen `{}` is false", code.shown())));
            }
        }
        let gone = node.depends_on.iter().find(|id| self.excluded.contains(**id));
        Ok(gone.map(|id| format!("it depends on `{id}`, which is excluded")))
    }

    /// The value of a condition on the instance; `None` if it has none, which
    /// was noted.
    fn condition(&mut self, node: &Node, code: &Code, place: &str) -> Fatal<Option<bool>> {
        match self.scope.evaluate(code) {
            Ok(Value::Bool(value)) => Ok(Some(value)),
            Ok(other) => {
                let got = crate::simple_schema::kind_of(&other);
                let message =
                    format!("{place} `{}` of resource `{}` must be a boolean, got {got}", code.shown(), node.id);
                self.problems.error("NotBoolean", &Pointer::root(), message).hint("compare it with something");
                Ok(None)
            }
            Err(error) => self.wrong(node, code, error).map(|()| None),
        }
    }

    /// Notes whether the node is ready; it is reported for every node that is
    /// not excluded.
    fn readiness(&mut self, node: &'r Node<'r>) -> Fatal<bool> {
        let message =
            if self.live.contains_key(node.id) { self.unready(node)? } else { Some("not yet observed".to_owned()) };
        let ready = message.is_none();
        let (id, key, message) = (node.id.to_owned(), String::new(), message.unwrap_or_default());
        self.rendering.readiness.push(Readiness { id, key, ready, message });
        Ok(ready)
    }

    /// What an observed node still waits for.
    fn unready(&mut self, node: &'r Node<'r>) -> Fatal<Option<String>> {
        for code in &node.ready_when {
            match self.scope.evaluate(code) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false) | Value::Null) => {
                    return Ok(Some(format!("readyWhen `{}` is false", code.shown())));
                }
                Ok(_) => drop(self.condition(node, code, "readyWhen")?),
                Err(Error::Missing { path }) => {
                    return Ok(Some(format!("`{path}` is missing, which readyWhen `{}` needs", code.shown())));
                }
                Err(error) => self.wrong(node, code, error)?,
            }
        }
        Ok(None)
    }

    fn missing(&mut self, node: &'r Node<'r>) -> Fatal<Outcome> {
        let waits_for: Vec<String> =
            node.depends_on.iter().filter(|id| !self.satisfied.contains(**id)).map(|id| (*id).to_owned()).collect();
        if !waits_for.is_empty() {
            let message = format!("waits for {} to be ready", listed(&waits_for));
            return Ok(Outcome::Blocked(Blocked { id: node.id.to_owned(), waits_for, message }));
        }
        let mut failed = None;
        let filled =
            node.template.fill(&mut |code| self.scope.evaluate(code).inspect_err(|_| failed = Some(code.clone())));
        match (filled, failed) {
            (Ok(manifest), _) => Ok(self.child(node, manifest)),
            (Err(Error::Missing { path }), Some(code)) if !node.depends_on.is_empty() => {
                self.pending_or_wrong(node, &code, path)
            }
            (Err(error), Some(code)) => self.wrong(node, &code, error).map(|()| Outcome::Wrong),
            (Err(error), None) => Err(Failure::Internal(error.to_string())),
        }
    }

    /// A missing field of a resource may come; one of the instance will not.
    fn pending_or_wrong(&mut self, node: &Node, code: &Code, path: String) -> Fatal<Outcome> {
        let mentioned = code.mentioned(&node.depends_on);
        if path.starts_with("schema.") || mentioned.is_empty() {
            return self.wrong(node, code, Error::Missing { path }).map(|()| Outcome::Wrong);
        }
        let named = node.depends_on.iter().find(|id| path.split('.').next() == Some(**id));
        let waits_for = match named {
            Some(id) => vec![(*id).to_owned()],
            None => mentioned,
        };
        let message = if path == code.source {
            format!("`{path}` is missing")
        } else {
            format!("`{path}` is missing, which `{}` needs", code.shown())
        };
        Ok(Outcome::Blocked(Blocked { id: node.id.to_owned(), waits_for, message }))
    }

    fn child(&mut self, node: &Node, manifest: Value) -> Outcome {
        let name = manifest.pointer("/metadata/name").and_then(Value::as_str);
        if name.is_none_or(str::is_empty) {
            let message = format!("the name of resource `{}` must be a string that is not empty", node.id);
            self.problems
                .error("InvalidName", &Pointer::root(), message)
                .hint("see what `metadata.name` in its template amounts to for this instance");
            return Outcome::Wrong;
        }
        let depends_on = node.depends_on.iter().map(|id| (*id).to_owned()).collect();
        Outcome::Stated(Child { id: node.id.to_owned(), key: String::new(), manifest, depends_on })
    }

    /// Notes that an expression has no value for this instance.
    fn wrong(&mut self, node: &Node, code: &Code, error: Error) -> Fatal<()> {
        let (code_word, at, hint) = match &error {
            Error::Internal(message) => return Err(Failure::Internal(message.clone())),
            Error::Failed(_) => {
                let fields = only_instance_field(code).unwrap_or_default();
                ("EvaluationFailed", Pointer::root().fields(fields.iter().map(String::as_str)), None)
            }
            Error::Missing { path } => {
                let at = path.strip_prefix("schema.").map(|below| Pointer::root().fields(below.split('.')));
                let hint = format!("give `{path}` a default in the definition, or guard it with `has({path})`");
                ("MissingField", at.unwrap_or_default(), Some(hint))
            }
        };
        let message = format!("failed to evaluate `{}` of resource `{}`: {error}", code.shown(), node.id);
        self.problems.error(code_word, &at, message).maybe_hint(hint);
        Ok(())
    }
}

enum Outcome {
    Stated(Child),
    Blocked(Blocked),
    /// Something is wrong and was noted.
    Wrong,
}

fn listed(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
