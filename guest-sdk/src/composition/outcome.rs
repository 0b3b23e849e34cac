//! What a render comes to: everything that was declared is accounted for, what
//! depends on something that is not ready is blocked, and what strays from the
//! declaration is refused.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    context::{Context, Said, Stated, is_external},
    halt::{Halt, Result, Why, failures},
    handle::Declared,
    plan,
};
use crate::{Blocked, Child, Excluded, Failure, Problem, Read, Readiness, Rendering, Role, Severity, shape};

/// The rendering, after `render` ended so.
pub(super) fn rendering<A>(cx: Context<A>, ended: Result) -> Result<Rendering, Failure> {
    let mut stated = cx.stated.take();
    account(&cx, &mut stated, ended);
    check(&cx, &mut stated);
    if !stated.faults.is_empty() {
        return Err(failures(&stated.faults));
    }
    if !stated.problems.is_empty() {
        return Err(Failure::Invalid(stated.problems));
    }
    let order = plan::order(&cx.nodes).map_err(|cycle| failures(&[format!("a cycle of {}", cycle.join(", "))]))?;
    let mut verdicts = Verdicts { said: stated.nodes, ready: vec![false; cx.nodes.len()], cx: &cx };
    let mut rendering = Rendering {
        status: stated.status,
        conditions: stated.conditions,
        suspended: stated.suspended,
        ..Rendering::default()
    };
    for node in order {
        verdicts.add(node, &mut rendering);
    }
    Ok(rendering)
}

/// Gives what has not been stated the reason for which `render` ended.
fn account<A>(cx: &Context<A>, stated: &mut Stated, ended: Result) {
    let Stated { nodes, problems, faults, .. } = stated;
    let left = cx.nodes.iter().zip(nodes).filter(|(_, said)| said.is_none());
    match ended {
        Ok(()) => {
            faults.extend(left.map(|(node, _)| {
                format!("`render` says nothing of `{}`: state it, or `exclude` it and say why", node.id)
            }))
        }
        Err(Halt(Why::Waits { on, message })) => {
            left.for_each(|(_, said)| *said = Some(Said::Waits { on, message: message.clone() }));
        }
        Err(Halt(Why::Excluded(message))) => {
            left.for_each(|(_, said)| *said = Some(Said::Excluded(message.clone())));
        }
        Err(Halt(Why::Invalid(problem))) => problems.push(problem),
        Err(Halt(Why::Fault(message))) => faults.push(message),
    }
}

/// What is not as it was declared, and what the contract does not take.
fn check<A>(cx: &Context<A>, stated: &mut Stated) {
    let Stated { nodes, problems, faults, conditions, .. } = stated;
    for (node, said) in cx.nodes.iter().zip(nodes) {
        match said {
            Some(Said::Waits { on, .. }) if !node.is_after(*on) => faults.push(undeclared(node, &cx.nodes[*on])),
            Some(Said::Objects(objects)) if node.role == Role::Collection => problems.extend(keys(node, objects)),
            Some(Said::Read(crate::Selection::Named { name, .. })) if name.is_empty() => {
                faults.push(format!("`{}` is read without a name", node.id));
            }
            _ => {}
        }
    }
    let mut kinds = BTreeSet::new();
    for condition in conditions {
        let kind = &condition.kind;
        if !shape::is_word(kind) {
            faults.push(format!("`{kind}` is not the type of a condition: it is a PascalCase word"));
        }
        if !shape::is_reason(&condition.reason) {
            faults.push(format!("the reason of the condition `{kind}` is not one short line"));
        }
        if !kinds.insert(kind) {
            faults.push(format!("the condition `{kind}` is stated twice in one render"));
        }
    }
}

fn undeclared(node: &Declared, on: &Declared) -> String {
    let (id, on) = (&node.id, &on.id);
    if id == on {
        return format!("`{id}` waits for itself");
    }
    format!("`{id}` waits for `{on}`, and was not declared so: declare it `.after(&{on})`, or state it before the wait")
}

/// Keys come from the instance, most of the time, and so does one that is there
/// twice.
fn keys(node: &Declared, objects: &[(String, Value)]) -> Vec<Problem> {
    let mut seen = BTreeSet::new();
    let wrong = objects.iter().filter_map(|(key, _)| match key.as_str() {
        "" => Some(format!("an object of `{}` has an empty key", node.id)),
        key if !shape::is_key(key) => Some(format!("a key of `{}` is longer than 512 bytes", node.id)),
        key if !seen.insert(key.to_owned()) => Some(format!("two objects of `{}` have the key `{key}`", node.id)),
        _ => None,
    });
    wrong
        .map(|message| Problem {
            severity: Severity::Error,
            code: "InvalidKey".to_owned(),
            at: "/spec".to_owned(),
            span: None,
            message,
            hint: Some("give each element a name of its own".to_owned()),
        })
        .collect()
}

/// What becomes of each id, in topological order: those before one are settled.
struct Verdicts<'a, A> {
    said: Vec<Option<Said>>,
    ready: Vec<bool>,
    cx: &'a Context<A>,
}

impl<A> Verdicts<'_, A> {
    fn add(&mut self, node: &Declared, rendering: &mut Rendering) {
        let id = node.id.clone();
        // What depends on something that should not be, should not be either.
        if let Some(before) = node.after.borrow().iter().find(|before| self.is_excluded(before.index)) {
            self.said[node.index] = Some(Said::Excluded(format!("`{}` is excluded", before.id)));
        }
        match self.said[node.index].take() {
            Some(Said::Excluded(message)) => {
                self.said[node.index] = Some(Said::Excluded(String::new()));
                rendering.excluded.push(Excluded { id, message });
            }
            Some(Said::Waits { on, message }) => {
                let waits_for = vec![self.cx.nodes[on].id.clone()];
                rendering.blocked.push(Blocked { id, waits_for, message });
            }
            Some(Said::Read(select)) => {
                self.found(node, rendering);
                rendering.reads.push(Read { id, kind: node.kind.gvk.clone(), select });
            }
            Some(Said::Objects(objects)) => match self.unready(node) {
                waits_for if waits_for.is_empty() => self.objects(node, objects, rendering),
                waits_for => {
                    let message = format!("waits for `{}` to be ready", waits_for.join("`, `"));
                    rendering.blocked.push(Blocked { id, waits_for, message });
                }
            },
            None => {}
        }
    }

    fn is_excluded(&self, index: usize) -> bool {
        matches!(self.said[index], Some(Said::Excluded(_)))
    }

    fn unready(&self, node: &Declared) -> Vec<String> {
        let after = node.after.borrow();
        let unready = after.iter().filter(|before| !self.ready[before.index]);
        unready.map(|before| before.id.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn objects(&mut self, node: &Declared, objects: Vec<(String, Value)>, rendering: &mut Rendering) {
        let depends_on = plan::before(node);
        let live = self.cx.observed.get(&node.id);
        let mut all = true;
        for (key, manifest) in objects {
            let message = match live.and_then(|live| live.get(&key)) {
                Some(object) => node.unready(object),
                None => Some(format!("`{}` does not exist yet", node.id)),
            };
            all &= message.is_none();
            rendering.readiness.push(readiness(node, &key, message));
            rendering.children.push(Child { id: node.id.clone(), key, manifest, depends_on: depends_on.clone() });
        }
        self.ready[node.index] = all;
    }

    /// Whether what is somebody else's is as it is waited for.
    fn found(&mut self, node: &Declared, rendering: &mut Rendering) {
        debug_assert!(is_external(node), "only what is somebody else's is read");
        let live = self.cx.observed.get(&node.id);
        let mut all = true;
        for (key, object) in live.into_iter().flatten() {
            let message = node.unready(object);
            all &= message.is_none();
            rendering.readiness.push(readiness(node, key, message));
        }
        if live.is_none() && node.role == Role::External {
            all = false;
            rendering.readiness.push(readiness(node, "", Some(format!("`{}` is not found", node.id))));
        }
        self.ready[node.index] = all;
    }
}

fn readiness(node: &Declared, key: &str, message: Option<String>) -> Readiness {
    let ready = message.is_none();
    Readiness { id: node.id.clone(), key: key.to_owned(), ready, message: message.unwrap_or_default() }
}
