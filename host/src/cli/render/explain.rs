//! A rendering in words: what is there, what is not, and why.

use std::fmt::Write as _;

use contract::{Blueprint, Node, Role};

use super::Rendered;
use crate::object;

/// One line for each id that cannot be stated or is switched off.
pub(super) fn what_is_missing(rendered: &Rendered) -> String {
    let rendering = &rendered.rendering;
    let mut text = String::new();
    if let Some(reason) = &rendering.suspended {
        let _ = writeln!(text, "suspended: {reason}");
    }
    for blocked in &rendering.blocked {
        let _ = writeln!(text, "blocked: {}", waiting(&blocked.id, &blocked.waits_for, &blocked.message));
    }
    for excluded in &rendering.excluded {
        let _ = writeln!(text, "excluded: {}: {}", excluded.id, excluded.message);
    }
    text
}

/// What became of the instance and of every id, in topological order.
pub(super) fn all(blueprint: &Blueprint, rendered: &Rendered) -> String {
    let instance = &rendered.instance;
    let (kind, name) = (object::text(instance, "/kind"), object::text(instance, "/metadata/name"));
    let mut text = match object::text(instance, "/metadata/namespace") {
        "" => format!("{kind} {name}: {}\n", rendered.state),
        namespace => format!("{kind} {namespace}/{name}: {}\n", rendered.state),
    };
    if let Some(reason) = &rendered.rendering.suspended {
        let _ = writeln!(text, "  suspended: {reason}");
    }
    for node in &blueprint.nodes {
        for line in lines(node, rendered) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn lines(node: &Node, rendered: &Rendered) -> Vec<String> {
    let rendering = &rendered.rendering;
    let mut lines = Vec::new();
    if let Some(blocked) = rendering.blocked.iter().find(|blocked| blocked.id == node.id) {
        lines.push(format!("blocked: {}", waiting(&node.id, &blocked.waits_for, &blocked.message)));
    }
    if let Some(excluded) = rendering.excluded.iter().find(|excluded| excluded.id == node.id) {
        lines.push(format!("excluded: {}: {}", node.id, excluded.message));
    }
    for (child, (target, _)) in rendering.children.iter().zip(&rendered.children) {
        if child.id == node.id {
            let verdict = verdict(rendered, &child.id, &child.key);
            lines.push(format!("{verdict}: {}: {target}{}", node.id, after(&child.depends_on)));
        }
    }
    if rendering.reads.iter().any(|read| read.id == node.id) {
        let found = rendered.observed.iter().filter(|seen| seen.id == node.id).count();
        lines.push(format!("read: {}: {}, {}", node.id, node.kind, counted(found)));
    }
    if lines.is_empty() {
        let what = if node.role == Role::Collection { "the collection is empty" } else { "there is nothing to state" };
        lines.push(format!("none: {}: {what}", node.id));
    }
    lines
}

fn verdict(rendered: &Rendered, id: &str, key: &str) -> String {
    let seen = rendered.observed.iter().any(|seen| seen.id == id && seen.key == key);
    let readiness = rendered.rendering.readiness.iter().find(|ready| ready.id == id && ready.key == key);
    match (seen, readiness) {
        (false, _) => "to be created".to_owned(),
        (true, Some(readiness)) if !readiness.ready && readiness.message.is_empty() => "not ready".to_owned(),
        (true, Some(readiness)) if !readiness.ready => format!("not ready ({})", readiness.message),
        (true, _) => "ready".to_owned(),
    }
}

fn waiting(id: &str, waits_for: &[String], message: &str) -> String {
    match (waits_for, message) {
        ([], message) => format!("{id}: {message}"),
        // It says for what.
        (_, message) if message.starts_with("waits for ") => format!("{id} {message}"),
        (others, "") => format!("{id} waits for {}", others.join(", ")),
        (others, message) => format!("{id} waits for {}: {message}", others.join(", ")),
    }
}

fn after(depends_on: &[String]) -> String {
    if depends_on.is_empty() { String::new() } else { format!(", after {}", depends_on.join(", ")) }
}

fn counted(found: usize) -> String {
    match found {
        0 => "nothing found".to_owned(),
        1 => "1 object found".to_owned(),
        many => format!("{many} objects found"),
    }
}
