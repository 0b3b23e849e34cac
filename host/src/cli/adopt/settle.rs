//! What croft would make of a live instance: rendered in the sandbox until
//! nothing changes, with the objects that are there as observed.
//!
//! It is what a pass of `croft run` does first, without a write.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Blocked, Observed, Read, Rendering};
use serde_json::{Map, Value};

use super::workspace::Workspace;
use host_core::{
    adopt::{self, Fate},
    defaults,
    fault::Blame,
    inventory::{self, Shown},
    name::LogicalCluster,
    object::{self, Target},
    policy::{self, Admitted, Rules},
    receipt,
};
use kcp::{
    externals,
    store::{Keep, Seen, Store},
};

use crate::{
    cli::definition::{self, Definition},
    report::Failure,
    yaml::{self, Document, Source},
};

/// The last rendering, as far as it matters for who owns what.
pub(super) struct Settled {
    /// The children that can be stated.
    pub(super) children: Vec<Admitted>,
    /// Those that cannot.
    pub(super) blocked: Vec<Blocked>,
}

/// Renders the instance. What stands where a child goes is added to `live`.
///
/// # Errors
/// The instance, the rendering or a request is refused, or the module does not
/// settle.
pub(super) async fn settle(
    workspace: &Workspace,
    definition: &Definition,
    instance: &Value,
    live: &mut BTreeMap<Target, Value>,
) -> Result<Settled, Failure> {
    let Definition { module, prepared, .. } = definition;
    let blueprint = &prepared.blueprint;
    let document = document(instance)?;
    let mut shown = unsuspended(instance);
    let mut foreign = Foreign::new();
    let (mut asked, mut observed) = (BTreeSet::new(), Vec::new());
    // As many rounds as `croft render` takes: each but the last two brings at
    // least one id further.
    for _ in 0..blueprint.nodes.len() + 3 {
        let answer = module
            .render(&prepared.program, &receipt::instance(&shown), &observed)
            .map_err(|error| definition::refused(error, &document))?;
        definition::tell(&answer.log);
        let rendering = answer.value;
        if let Some(reason) = &rendering.suspended {
            let message = format!("{} asks to be left alone: {reason}", super::outcome::name(instance));
            return Err(Failure::input(message).hint("take it over once it does not"));
        }
        let before = shown.clone();
        fill(&mut shown, &rendering.defaults);
        let rules = Rules { blueprint, kinds: workspace.kinds(), claims: None, instance: &shown };
        let children = policy::admit(&rendering, rules).map_err(Failure::fault)?;
        for child in &children {
            if asked.insert(child.target().clone()) && !live.contains_key(child.target()) {
                let found = workspace.get(child.target()).await?;
                live.extend(found.map(|object| (child.target().clone(), object)));
            }
        }
        let mut seen = own(instance, &children, live);
        seen.extend(foreign.see(workspace, instance, &rendering).await?);
        seen.sort_by(|one, other| (&one.id, &one.key).cmp(&(&other.id, &other.key)));
        if seen == observed && shown == before {
            return Ok(Settled { children, blocked: rendering.blocked });
        }
        observed = seen;
    }
    let message = format!("the module `{}` does not settle: every rendering differs from the last", module.digest());
    Err(Failure::new(Blame::Module, message))
}

/// The instance as a file, to show a problem in.
fn document(instance: &Value) -> Result<Document, Failure> {
    let name = super::outcome::name(instance);
    let source = Source::parse(&name, &yaml::print(&[inventory::shown(instance)]))?;
    source.documents.into_iter().next().ok_or_else(|| Failure::host(format!("{name} is empty")))
}

/// The instance without the word by which kro is kept from it: it is meant for
/// kro, and a module that heeds it would render nothing.
fn unsuspended(instance: &Value) -> Value {
    let mut instance = instance.clone();
    if let Some(annotations) = instance.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(adopt::SUSPEND_ANNOTATION);
    }
    instance
}

fn fill(instance: &mut Value, missing: &Map<String, Value>) {
    if !missing.is_empty() && instance.get("spec").is_none() {
        instance["spec"] = Value::Object(Map::new());
    }
    if let Some(spec) = instance.get_mut("spec") {
        defaults::fill(spec, missing);
    }
}

/// The children that are croft's, or will be: what a pass would show the module
/// afterwards.
fn own(instance: &Value, children: &[Admitted], live: &BTreeMap<Target, Value>) -> Vec<Observed> {
    let found = children.iter().filter_map(|child| {
        let object = live.get(child.target()).filter(|object| !object::is_being_deleted(object))?;
        matches!(adopt::fate(instance, Some(object)), Fate::Move | Fate::Done).then(|| Observed {
            id: child.id().to_owned(),
            key: child.key().to_owned(),
            object: inventory::shown(object),
        })
    });
    found.collect()
}

/// Objects that somebody else owns and the module wants to see, each asked for
/// once.
struct Foreign {
    store: Store,
    here: LogicalCluster,
    asked: Vec<Read>,
}

impl Foreign {
    fn new() -> Foreign {
        let here = "here".parse().expect("lower-case letters are the name of a logical cluster");
        Foreign { store: Store::new(Keep::Whole), here, asked: Vec::new() }
    }

    async fn see(
        &mut self,
        workspace: &Workspace,
        instance: &Value,
        rendering: &Rendering,
    ) -> Result<Vec<Observed>, Failure> {
        let mut observed = Vec::new();
        for read in &rendering.reads {
            let Some(kind) = workspace.kinds().get(&read.kind) else { continue };
            if !self.asked.contains(read) {
                for object in workspace.foreign(read, object::text(instance, "/metadata/namespace")).await? {
                    self.store.put(&self.here, object, Seen::Written);
                }
                self.asked.push(read.clone());
            }
            observed.extend(externals::find(&self.store, &self.here, instance, read, kind));
        }
        Ok(observed.iter().map(Shown::observed).collect())
    }
}
