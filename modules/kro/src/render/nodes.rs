//! Goes through the resources in topological order and decides for each:
//! excluded, blocked, or stated.

use std::collections::{BTreeMap, BTreeSet};

use expr::{
    convert::{self, Extent},
    eval::Error,
    value::Value,
};
use guest_sdk::{Blocked, Child, Excluded, Gvk, Observed, Read, Readiness, Rendering, Selection, shape, unfreed};
use serde_json::{Map, Value as Json};

use super::{
    collection::{self, Dimensions},
    metadata::{self, Unfit},
    missing::Missing,
    scope::{Lack, Scope},
    selector,
};
use crate::{
    problem::{Pointer, Problems},
    program::{Body, Expression, Kind, Node, Program, Template},
    skeleton::{Evaluate, Skeleton},
};

/// What has become of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Dependents need not wait for it any more.
    Ready,
    /// They do.
    Waiting,
    /// It is switched off, and with it all that depend on it.
    Excluded,
}

/// The resources of one rendering.
pub(super) struct Nodes<'r, 'p> {
    program: &'r Program<'r>,
    live: &'r BTreeMap<&'r str, Vec<&'r Observed>>,
    pub(super) scope: Scope<'r>,
    pub(super) problems: &'p mut Problems,
    pub(super) rendering: Rendering<String>,
    /// What the manifests come to so far.
    children: Extent,
    /// The bytes of the longest of them.
    longest: usize,
    states: Vec<State>,
    /// For each resource so far, the current one included, an external read that
    /// it depends on and of which nothing was seen: it may be that nobody has
    /// looked yet.
    unseen: Vec<Option<&'r str>>,
}

/// What has become of all resources.
pub(super) struct Outcome<'r> {
    /// The variables as they are now.
    pub(super) scope: Scope<'r>,
    pub(super) rendering: Rendering<String>,
    /// What the manifests come to.
    pub(super) children: Extent,
    /// Whether every resource is ready or switched off.
    pub(super) all_ready: bool,
}

/// What keeps a resource from being stated.
pub(super) enum Obstacle {
    /// It waits.
    Blocked(Vec<String>, String),
    /// Something is wrong and was noted.
    Wrong,
}

pub(super) type Stated<T> = Result<T, Obstacle>;

impl<'r, 'p> Nodes<'r, 'p> {
    pub(super) fn new(
        program: &'r Program<'r>,
        schema: &'r Json,
        live: &'r BTreeMap<&'r str, Vec<&'r Observed>>,
        problems: &'p mut Problems,
    ) -> Nodes<'r, 'p> {
        let mut scope = Scope::new(program, schema);
        let hint = program.variables.first().and_then(|variable| variable.hint.as_ref());
        scope.set(0, Some(Value::of_json(schema, hint)));
        Nodes {
            program,
            live,
            scope,
            problems,
            rendering: Rendering::default(),
            children: Extent::default(),
            longest: 0,
            states: Vec::new(),
            unseen: Vec::new(),
        }
    }

    pub(super) fn run(&mut self) {
        for node in &self.program.nodes {
            let unseen = self.unseen_by(node);
            self.unseen.push(unseen);
            let state = self.node(node);
            self.states.push(state);
        }
    }

    pub(super) fn finish(self) -> Outcome<'r> {
        let all_ready = self.states.iter().all(|state| *state != State::Waiting);
        Outcome { scope: self.scope, rendering: self.rendering, children: self.children, all_ready }
    }

    fn node(&mut self, node: &'r Node<'r>) -> State {
        match self.exclusion(node) {
            Ok(None) => {}
            Ok(Some(message)) => {
                self.rendering.excluded.push(Excluded { id: node.id.to_owned(), message });
                return State::Excluded;
            }
            Err(obstacle) => {
                self.observe(node, None);
                return self.hindered(node, obstacle);
            }
        }
        let waits: Vec<String> = self.ids(&node.depends_on, State::Waiting);
        if !waits.is_empty() {
            self.observe(node, None);
            let message = format!("waits for {} to be ready", listed(&waits));
            return self.hindered(node, Obstacle::Blocked(waits, message));
        }
        match self.state(node) {
            Ok(ready) => {
                if ready {
                    State::Ready
                } else {
                    State::Waiting
                }
            }
            Err(obstacle) => self.hindered(node, obstacle),
        }
    }

    /// What cannot be stated is not a variable, as in kro: an empty list in its place
    /// would say that all of nothing is ready, and an object of an earlier pass
    /// that it still is what it should be.
    fn hindered(&mut self, node: &Node, obstacle: Obstacle) -> State {
        self.scope.set(usize::from(node.variable), None);
        if let Obstacle::Blocked(waits_for, message) = obstacle {
            self.rendering.blocked.push(Blocked { id: node.id.to_owned(), waits_for, message });
        }
        State::Waiting
    }

    /// The ids of those nodes that are in a state.
    fn ids(&self, positions: &[u16], wanted: State) -> Vec<String> {
        let is_so = |position: &&u16| self.states.get(usize::from(**position)) == Some(&wanted);
        let id = |position: &u16| self.program.nodes.get(usize::from(*position)).map_or("", |node| node.id).to_owned();
        positions.iter().filter(is_so).map(id).collect()
    }

    /// Why the node is not there, if it is not.
    fn exclusion(&mut self, node: &'r Node<'r>) -> Stated<Option<String>> {
        let gone = self.ids(&node.depends_on, State::Excluded);
        for (expression, deciding) in &node.include_when {
            // What decides is gone: so is this.
            if !self.ids(deciding, State::Excluded).is_empty() {
                break;
            }
            let waits = self.ids(deciding, State::Waiting);
            if !waits.is_empty() && gone.is_empty() {
                let message = format!("waits for {}, which decides whether it is there", listed(&waits));
                return Err(Obstacle::Blocked(waits, message));
            }
            let value = match self.scope.value(expression) {
                Ok(value) => value,
                Err(Lack::Pending(why)) if !deciding.is_empty() => {
                    let waits = deciding.iter().filter_map(|at| self.program.nodes.get(usize::from(*at)));
                    let waits = waits.map(|node| node.id.to_owned()).collect();
                    return Err(Obstacle::Blocked(waits, pending(expression, &why)));
                }
                Err(lack) => return Err(self.wrong(node, expression, lack)),
            };
            match truth(&value) {
                Some(true) => {}
                Some(false) => return Ok(Some(format!("includeWhen `{}` is false", expression.shown()))),
                None => return Err(self.not_boolean(node, expression, "includeWhen", value.type_name())),
            }
        }
        Ok(gone.first().map(|id| format!("it depends on `{id}`, which is excluded")))
    }

    fn not_boolean(&mut self, node: &Node, expression: &Expression, place: &str, got: &str) -> Obstacle {
        let message =
            format!("{place} `{}` of resource `{}` must be a boolean, got {got}", expression.shown(), node.id);
        self.problems.error("NotBoolean", &Pointer::root(), message).hint("compare it with something");
        Obstacle::Wrong
    }

    /// What is there of a node that is not stated: its variable, and readiness
    /// of each object.
    fn observe(&mut self, node: &'r Node<'r>, stated: Option<&[Child<String>]>) -> bool {
        let observed = self.live.get(node.id).map_or(&[][..], Vec::as_slice);
        let is_list = !node.for_each.is_empty() || matches!(node.body, Body::Labelled(..));
        let variable = usize::from(node.variable);
        let hint = self.program.variables.get(variable).and_then(|variable| variable.hint.as_ref());
        if !is_list {
            let object = observed.first().map(|it| &it.object);
            self.scope.set(variable, object.map(|object| Value::of_json(object, hint)));
            return self.readiness(node, "", object);
        }
        let by_key: BTreeMap<&str, &'r Json> = observed.iter().map(|it| (it.key.as_str(), &it.object)).collect();
        let all: Vec<(&str, Option<&'r Json>)> = match stated {
            Some(stated) => {
                stated.iter().map(|child| (child.key.as_str(), by_key.get(child.key.as_str()).copied())).collect()
            }
            None => by_key.into_iter().map(|(key, object)| (key, Some(object))).collect(),
        };
        // As long as an object is missing, nothing can be said of all of them.
        let values: Option<Vec<Value>> =
            all.iter().map(|(_, object)| object.map(|object| Value::of_json(object, hint))).collect();
        self.scope.set(variable, values.map(Value::list));
        all.into_iter().fold(true, |ready, (key, object)| self.readiness(node, key, object) && ready)
    }

    /// Notes whether one object is ready.
    fn readiness(&mut self, node: &'r Node<'r>, key: &str, object: Option<&'r Json>) -> bool {
        let message = match object {
            Some(object) => self.unready(node, object),
            None => Some("not yet observed".to_owned()),
        };
        let ready = message.is_none();
        let (id, key, message) = (node.id.to_owned(), key.to_owned(), message.unwrap_or_default());
        self.rendering.readiness.push(Readiness { id, key, ready, message });
        ready
    }

    /// What an observed object still waits for. Conditions see it as it stands.
    fn unready(&mut self, node: &'r Node<'r>, object: &'r Json) -> Option<String> {
        let each = self.program.variables.len() - 1;
        let is_list = !node.for_each.is_empty() || matches!(node.body, Body::Labelled(..));
        let variable = if is_list { each } else { usize::from(node.variable) };
        for expression in &node.ready_when {
            match self.scope.alone(expression, variable, Value::of_json(object, None)) {
                Ok(value) => match truth(&value) {
                    Some(true) => {}
                    // kro takes an absent answer for no answer within a collection.
                    Some(false) if is_list && matches!(value, Value::Optional(None)) => {
                        self.not_boolean(node, expression, "readyWhen", "optional.none()");
                        return Some("readyWhen did not return bool".to_owned());
                    }
                    Some(false) => return Some(format!("readyWhen `{}` is false", expression.shown())),
                    None => {
                        self.not_boolean(node, expression, "readyWhen", value.type_name());
                        return Some("readyWhen did not return bool".to_owned());
                    }
                },
                Err(Lack::Pending(why)) => {
                    let missing = Missing::of(expression, &why, &self.scope);
                    return Some(format!("{missing}, which readyWhen `{}` needs", expression.shown()));
                }
                Err(lack) => {
                    self.wrong(node, expression, lack);
                    return Some("readyWhen cannot be told".to_owned());
                }
            }
        }
        None
    }

    /// States the node; whether it is ready.
    fn state(&mut self, node: &'r Node<'r>) -> Stated<bool> {
        match &node.body {
            Body::Object(kind, metadata, others) => {
                let object = Object { kind: gvk(*kind), metadata, others };
                if node.for_each.is_empty() {
                    let ready = self.observe(node, None);
                    let child = self.child(node, &object)?;
                    self.rendering.children.push(child);
                    return Ok(ready);
                }
                let children = self.collection(node, &object)?;
                let ready = self.observe(node, Some(&children));
                self.rendering.children.extend(children);
                Ok(ready)
            }
            Body::Named(kind, namespace, name) => {
                let (namespace, name) = (self.text(node, namespace)?, self.text(node, name)?);
                if name.is_empty() {
                    let message = "the name of the object that it refers to is empty for this instance".to_owned();
                    return Err(Obstacle::Blocked(vec![node.id.to_owned()], message));
                }
                self.read(node, *kind, Selection::Named { namespace, name });
                Ok(self.observe(node, None))
            }
            Body::Labelled(kind, namespace, selector) => {
                let namespace = self.text(node, namespace)?;
                let Some(filled) = self.filled(node, selector)? else {
                    return Err(self.no_selector(node, "is left out, and would select every object"));
                };
                selector::check(selector, &filled).map_err(|why| self.no_selector(node, &why))?;
                let selector = filled;
                self.read(node, *kind, Selection::Labelled { namespace, selector });
                Ok(self.observe(node, None))
            }
        }
    }

    /// Notes that what a selector amounts to is none, unless it was made while
    /// something that it is made from is out of sight.
    fn no_selector(&mut self, node: &Node, why: &str) -> Obstacle {
        if let Some(id) = self.unseen.last().copied().flatten() {
            return Obstacle::Blocked(
                vec![id.to_owned()],
                format!("its selector {why} while nothing is seen of `{id}`"),
            );
        }
        let message = format!("the selector of resource `{}` {why}", node.id);
        self.problems
            .error("InvalidSelector", &Pointer::root(), message)
            .hint("see what it amounts to for this instance; what is not a selector would find nothing");
        Obstacle::Wrong
    }

    fn read(&mut self, node: &Node, kind: Kind, select: Selection) {
        self.rendering.reads.push(Read { id: node.id.to_owned(), kind: gvk(kind), select });
    }

    fn text(&mut self, node: &'r Node<'r>, template: &'r Template<'r>) -> Stated<String> {
        match self.fill(node, template)? {
            Json::String(text) => Ok(text),
            other => {
                let got = crate::simple_schema::kind_of(&other);
                let message = format!("name and namespace of resource `{}` must be strings, got {got}", node.id);
                self.problems.error("InvalidName", &Pointer::root(), message);
                Err(Obstacle::Wrong)
            }
        }
    }

    fn collection(&mut self, node: &'r Node<'r>, object: &Object<'r>) -> Stated<Vec<Child<String>>> {
        let mut dimensions = Dimensions::default();
        for (name, expression) in &node.for_each {
            let value = self.scope.value(expression).map_err(|lack| self.lacking(node, expression, lack))?;
            if let Err(why) = dimensions.add(name, &value) {
                let lack = Lack::Failed(format!("forEach iterator \"{name}\" {why}"));
                return Err(self.wrong(node, expression, lack));
            }
        }
        if let Err(why) = dimensions.bounded() {
            let message = format!("node \"{}\": {why}", node.id);
            self.problems
                .error("CollectionTooLarge", &Pointer::root(), message)
                .hint("shorten the lists that it goes over");
            return Err(Obstacle::Wrong);
        }
        let base = self.program.variables.len();
        let mut children: Vec<Child<String>> = Vec::new();
        for item in dimensions.items() {
            self.scope.iterate(base, &item);
            let stated = self.child(node, object);
            self.scope.iterate(base, &[]);
            children.push(stated?);
        }
        if let Some(identity) = collection::collision(&children) {
            let message = format!("node \"{}\" identity collision: duplicate identity: {identity}", node.id);
            self.problems
                .error("IdentityCollision", &Pointer::root(), message)
                .hint("each element must lead to a name of its own");
            return Err(Obstacle::Wrong);
        }
        Ok(children)
    }

    fn fill(&mut self, node: &'r Node<'r>, template: &'r Template<'r>) -> Stated<Json> {
        Ok(self.filled(node, template)?.unwrap_or_else(|| Json::Object(Map::new())))
    }

    /// What a template comes to; none if it is to be left out.
    fn filled(&mut self, node: &'r Node<'r>, template: &'r Template<'r>) -> Stated<Option<Json>> {
        let mut failed: Option<&'r Expression<'r>> = None;
        let scope = &self.scope;
        let filled = template.fill(&mut |expression| scope.json(expression).inspect_err(|_| failed = Some(expression)));
        match (filled, failed) {
            (Ok(filled), _) => Ok(filled),
            (Err(lack), Some(expression)) => Err(self.lacking(node, expression, lack)),
            (Err(_), None) => Err(Obstacle::Wrong),
        }
    }

    /// What follows from an expression of a template that has no value.
    fn lacking(&mut self, node: &Node, expression: &'r Expression<'r>, lack: Lack) -> Obstacle {
        let Lack::Pending(why) = lack else { return self.wrong(node, expression, lack) };
        let mut seen = BTreeSet::new();
        let reads = expression.code.reads().into_iter().map(|(variable, _)| usize::from(variable));
        let resources = reads.filter(|variable| self.program.is_resource(*variable) && seen.insert(*variable));
        let mentioned: Vec<usize> = resources.collect();
        let missing = Missing::of(expression, &why, &self.scope);
        // With v0.1, what the instance lacks will not come by itself.
        let of_instance = mentioned.is_empty() || missing.is_of_instance();
        if self.program.strict && of_instance {
            return self.wrong(node, expression, Lack::Pending(why));
        }
        let shown = expression.shown();
        let message = match missing.path() {
            Some(path) if path == expression.source => missing.to_string(),
            _ => format!("{missing}, which `{shown}` needs"),
        };
        if of_instance {
            let advice = "the instance lacks it: set it, or guard it in the definition";
            return Obstacle::Blocked(vec![node.id.to_owned()], format!("{message}; {advice}"));
        }
        let cause = missing.variable().filter(|variable| mentioned.contains(variable));
        let waits_for = cause.map_or(mentioned, |variable| vec![variable]);
        Obstacle::Blocked(waits_for.into_iter().map(|variable| self.scope.name(variable).to_owned()).collect(), message)
    }

    /// One object of a resource. Its metadata is looked at; the rest is text.
    fn child(&mut self, node: &'r Node<'r>, object: &Object<'r>) -> Stated<Child<String>> {
        let metadata = self.fill(node, object.metadata)?;
        let manifest = self.manifest(node, &metadata, object.others)?;
        if let Err(unfit) = metadata::check(&object.kind, &metadata) {
            return Err(self.unfit(node, object.metadata, &unfit));
        }
        let key = if node.for_each.is_empty() { String::new() } else { collection::key(&metadata) };
        if !shape::is_key(&key) {
            let message = format!("the name of resource `{}` has {} bytes with its namespace", node.id, key.len());
            self.problems.error("InvalidName", &Pointer::root(), message).hint("a name has at most 253 characters");
            return Err(Obstacle::Wrong);
        }
        let on = node.depends_on.iter().filter_map(|at| self.program.nodes.get(usize::from(*at)));
        let depends_on = on.map(|node| node.id.to_owned()).collect();
        unfreed(metadata);
        Ok(Child { id: node.id.to_owned(), key, manifest, depends_on })
    }

    /// The text of an object.
    fn manifest(&mut self, node: &Node, metadata: &Json, others: &'r Skeleton<'r>) -> Stated<String> {
        let mut text = String::with_capacity(self.longest);
        text.push_str("{\"metadata\":");
        text.push_str(&serde_json::to_string(metadata).expect("a JSON value has string keys"));
        let mut writing = Writing { scope: &self.scope, at: None };
        let others = match (others.write(&mut text, &mut writing), writing.at) {
            (Ok(others), _) => others,
            (Err(lack), Some(expression)) => return Err(self.lacking(node, expression, lack)),
            (Err(_), None) => return Err(Obstacle::Wrong),
        };
        text.push('}');
        let extent = convert::extent(metadata);
        self.longest = self.longest.max(text.len());
        self.children.values += 1 + extent.values + others.values;
        self.children.depth = self.children.depth.max(others.depth).max(extent.depth + 1);
        Ok(text)
    }

    /// Notes that no server would take an object, unless it was made while
    /// something that it is made from is out of sight.
    fn unfit(&mut self, node: &Node, template: &'r Template<'r>, unfit: &Unfit) -> Obstacle {
        let message = format!("`metadata.{}` of resource `{}` {}", unfit.field, node.id, unfit.why);
        if let Some(id) = self.unseen.last().copied().flatten() {
            return Obstacle::Blocked(vec![id.to_owned()], format!("{message} while nothing is seen of `{id}`"));
        }
        let source = metadata::source(template, unfit.field);
        let at = source.map(only_field).unwrap_or_default();
        let code = if unfit.field == "name" { "InvalidName" } else { "InvalidManifest" };
        let shown = source.map(|source| format!("it comes from `{}`", source.shown()));
        self.problems.error(code, &at, message).maybe_hint(shown);
        Obstacle::Wrong
    }

    /// The external read that keeps a node from being judged, if there is one.
    fn unseen_by(&self, node: &Node) -> Option<&'r str> {
        node.depends_on.iter().rev().find_map(|at| {
            let on = self.program.nodes.get(usize::from(*at))?;
            let is_unseen = !matches!(on.body, Body::Object(..)) && !self.live.contains_key(on.id);
            if is_unseen { Some(on.id) } else { self.unseen.get(usize::from(*at)).copied().flatten() }
        })
    }

    /// Notes that an expression has no value for this instance.
    fn wrong(&mut self, node: &Node, expression: &'r Expression<'r>, lack: Lack) -> Obstacle {
        let shown = expression.shown();
        // A refusal would lose the reads, and with them what may put it right.
        if let (Some(id), Lack::Failed(why)) = (self.unseen.last().copied().flatten(), &lack) {
            let message = format!("failed to evaluate `{shown}` while nothing is seen of `{id}`: {why}");
            return Obstacle::Blocked(vec![id.to_owned()], message);
        }
        let (code, at, why, hint) = match lack {
            Lack::Exhausted(why) => {
                let hint = "shorten the lists that it goes over within each other".to_owned();
                ("TooMuchWork", Pointer::root(), why, Some(hint))
            }
            Lack::Failed(why) => ("EvaluationFailed", only_field(expression), why, None),
            Lack::Pending(why) => {
                let missing = Missing::of(expression, &why, &self.scope);
                let hint = missing
                    .path()
                    .map(|path| format!("give `{path}` a default in the definition, or guard it with `has({path})`"));
                ("MissingField", missing.pointer(), missing.to_string(), hint)
            }
        };
        let message = format!("failed to evaluate `{shown}` of resource `{}`: {why}", node.id);
        self.problems.error(code, &at, message).maybe_hint(hint);
        Obstacle::Wrong
    }
}

/// What objects of a resource are made from.
struct Object<'r> {
    kind: Gvk,
    metadata: &'r Template<'r>,
    others: &'r Skeleton<'r>,
}

fn gvk(kind: Kind) -> Gvk {
    Gvk { group: kind.group.to_owned(), version: kind.version.to_owned(), kind: kind.kind.to_owned() }
}

/// Evaluates the expressions of a skeleton, and knows the last one.
struct Writing<'s, 'r> {
    scope: &'s Scope<'r>,
    at: Option<&'r Expression<'r>>,
}

impl<'r> Evaluate<'r, Lack> for Writing<'_, 'r> {
    fn value(&mut self, expression: &'r Expression<'r>) -> Result<Option<Json>, Lack> {
        self.at = Some(expression);
        self.scope.json(expression)
    }

    fn write(&mut self, expression: &'r Expression<'r>, text: &mut String) -> Result<Option<Extent>, Lack> {
        self.at = Some(expression);
        self.scope.write(expression, text)
    }
}

/// The field of the instance that an expression reads, if it reads just one and
/// nothing else: where the cause of a failure is.
fn only_field(expression: &Expression) -> Pointer {
    let reads = expression.code.reads();
    match reads.split_first() {
        Some(((0, fields), rest)) if rest.iter().all(|read| *read == (0, *fields)) => {
            Pointer::root().fields(fields.iter().copied())
        }
        _ => Pointer::root(),
    }
}

/// What a condition says; nothing if it is not a condition. Absent is false.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Null | Value::Optional(None) => Some(false),
        Value::Optional(Some(value)) => truth(value),
        _ => None,
    }
}

fn pending(expression: &Expression, why: &Error) -> String {
    format!("failed to evaluate `{}`: {why} (data pending)", expression.shown())
}

fn listed(ids: &[String]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}
