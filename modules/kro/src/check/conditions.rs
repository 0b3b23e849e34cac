//! What can be told beforehand of the conditions that a definition adds: types
//! and statuses that are written out, and conditions that read others.

use std::collections::BTreeSet;

use expr::syntax::{Kind, Node};

use super::Checker;
use crate::{collect::Place, site::Site};

/// The conditions that `runtime.condition(schema, …)` can read: kro's own.
const BUILT_IN: [&str; 4] = ["InstanceManaged", "GraphResolved", "ResourcesReady", "Ready"];

impl<'n> Checker<'n, '_, '_, '_> {
    /// Notes what would fail for every instance.
    pub(super) fn conditions(&mut self) {
        let collected = self.collected;
        let entries: Vec<(&Site, Vec<Made>, Vec<Literal>)> = collected
            .found
            .iter()
            .filter(|found| found.place == Place::Condition)
            .map(|found| {
                let (mut made, mut read) = (Vec::new(), Vec::new());
                walk(&found.site.node, &mut made, &mut read);
                (&found.site, made, read)
            })
            .collect();
        let declared: BTreeSet<&str> = entries.iter().flat_map(|(_, made, _)| types(made)).collect();
        let mut earlier: BTreeSet<&str> = BTreeSet::new();
        for (site, made, read) in &entries {
            let mut wrong = |code: &str, at: u32, message: String, hint: &str| {
                let at = at as usize;
                self.problems_at(site, code, at, message, hint);
            };
            for Literal { at, text: kind } in made.iter().filter_map(|made| made.kind.as_ref()) {
                if kind.is_empty() {
                    let message = "runtime.newCondition: 'type' must not be empty".to_owned();
                    wrong("InvalidCondition", *at, message, "name what the condition tells, such as `DatabaseReady`");
                } else if earlier.contains(kind) {
                    let message = format!("condition type \"{kind}\" is declared by more than one conditions entry");
                    wrong("DuplicateCondition", *at, message, "give each condition a type of its own");
                }
            }
            for Literal { at, text: status } in made.iter().filter_map(|made| made.status.as_ref()) {
                if !["True", "False", "Unknown"].contains(status) {
                    let message =
                        format!("runtime.newCondition: status must be one of True, False, Unknown (got \"{status}\")");
                    wrong("InvalidCondition", *at, message, "write one of the three");
                }
            }
            for (name, at, of) in made.iter().flat_map(|made| &made.odd) {
                let message = format!("runtime.newCondition: {name} must be a string, got {of}");
                let hint = match (name.as_str(), *of) {
                    ("status", "a bool") => {
                        "write `\"True\"` or `\"False\"`; of an expression, `… ? \"True\" : \"False\"`"
                    }
                    ("status", _) => "write one of `\"True\"`, `\"False\"` and `\"Unknown\"`",
                    _ => "put it in quotes",
                };
                wrong("InvalidCondition", *at, message, hint);
            }
            for Literal { at, text: kind } in read.iter().filter(|read| !BUILT_IN.contains(&read.text)) {
                let message = if declared.contains(kind) {
                    format!("condition type \"{kind}\": custom conditions cannot reference each other")
                } else {
                    format!("unknown condition type \"{kind}\"")
                };
                let hint = "of the instance's own conditions only `Ready`, `ResourcesReady`, `GraphResolved` and \
                            `InstanceManaged` can be read";
                wrong("InvalidCondition", *at, message, hint);
            }
            earlier.extend(types(made));
        }
    }

    fn problems_at(&mut self, site: &Site, code: &str, at: usize, message: String, hint: &str) {
        let message = format!("failed to build instance status schema: {message}");
        site.error(self.problems, code, at, site.word(at), message).hint(hint);
    }
}

/// A call of `runtime.newCondition`, as far as it is written out.
struct Made<'n> {
    kind: Option<Literal<'n>>,
    status: Option<Literal<'n>>,
    /// What is written out and no string: its name, where it stands, its type.
    odd: Vec<(String, u32, &'static str)>,
}

/// The types that are written out.
fn types<'n>(made: &[Made<'n>]) -> impl Iterator<Item = &'n str> {
    made.iter().filter_map(|made| made.kind.as_ref()).map(|kind| kind.text)
}

/// A text in an expression.
struct Literal<'n> {
    at: u32,
    text: &'n str,
}

/// The type of what is certainly no string.
fn not_text(node: &Node) -> Option<&'static str> {
    match &node.kind {
        Kind::Null => Some("null"),
        Kind::Bool(_) => Some("a bool"),
        Kind::Int(_) | Kind::Uint(_) | Kind::Double(_) => Some("a number"),
        Kind::List(_) => Some("a list"),
        Kind::Map(_) => Some("a map"),
        Kind::Has { .. } => Some("a bool"),
        Kind::Call { name, .. }
            if matches!(
                name.as_str(),
                "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" | "_&&_" | "_||_" | "!_" | "@in"
            ) =>
        {
            Some("a bool")
        }
        _ => None,
    }
}

fn walk<'n>(node: &'n Node, made: &mut Vec<Made<'n>>, read: &mut Vec<Literal<'n>>) {
    if let Kind::Call { name, args, target: Some(target) } = &node.kind
        && matches!(&target.kind, Kind::Ident(root) if root == "runtime")
    {
        match (name.as_str(), args.as_slice()) {
            ("newCondition", [Node { kind: Kind::Map(entries), .. }]) => {
                let literal = |wanted: &str| {
                    entries.iter().find_map(|entry| match (&entry.key.kind, &entry.value.kind) {
                        (Kind::Text(key), Kind::Text(value)) if key == wanted => {
                            Some(Literal { at: entry.value.at, text: value })
                        }
                        _ => None,
                    })
                };
                let odd = entries.iter().filter_map(|entry| match &entry.key.kind {
                    Kind::Text(key) => Some((key.to_string(), entry.value.at, not_text(&entry.value)?)),
                    _ => None,
                });
                made.push(Made { kind: literal("type"), status: literal("status"), odd: odd.collect() });
            }
            ("condition", [Node { kind: Kind::Ident(root), .. }, Node { kind: Kind::Text(kind), at, .. }])
                if root == "schema" =>
            {
                read.push(Literal { at: *at, text: kind });
            }
            _ => {}
        }
    }
    node.children().into_iter().for_each(|child| walk(child, made, read));
}
