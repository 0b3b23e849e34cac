//! What has to be done so that what exists becomes what was rendered: the only
//! place that decides to create, change or delete an object.
//!
//! It sends nothing; `apply` does.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt,
    sync::Arc,
};

use serde_json::Value;

use crate::{
    inventory::{Inventory, Owned},
    object::{self, Owner, Target},
    policy::Admitted,
    shell,
};

/// One thing to do, with its reason.
#[derive(Clone, Debug)]
pub enum Action {
    /// There is no such object.
    Create(Admitted),
    /// It is ours and has to change, or was handed over to us.
    Update {
        /// What it should be.
        child: Admitted,
        /// The uid of the object that was seen, so that no other is changed.
        uid: String,
        /// Why.
        why: String,
        /// Whether it may lose a field that it was given before.
        shrinks: bool,
    },
    /// It is as it should be: no call.
    Keep(Target),
    /// It is ours and nobody wants it any more.
    Delete {
        /// Where it is.
        target: Target,
        /// The uid of the object that was seen, so that no other is deleted.
        uid: String,
        /// Why.
        why: String,
    },
    /// It is ours and already on its way out; nothing can be done until it is
    /// gone.
    Await(Target),
}

impl Action {
    /// The object that it is about.
    pub fn target(&self) -> &Target {
        match self {
            Action::Create(child) | Action::Update { child, .. } => child.target(),
            Action::Keep(target) | Action::Delete { target, .. } | Action::Await(target) => target,
        }
    }

    /// Whether it takes a request.
    pub fn is_a_change(&self) -> bool {
        matches!(self, Action::Create(_) | Action::Update { .. } | Action::Delete { .. })
    }
}

/// An object that a child wants to be exists and is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The object.
    pub target: Target,
    /// Whose it is, as far as its annotations tell.
    pub owner: Option<String>,
    /// The name of the instance that it could be handed over to.
    pub instance: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Conflict { target, owner, instance } = self;
        if let Some(owner) = owner {
            return write!(f, "{target} belongs to {owner}");
        }
        let kind = target.kind.to_string().to_lowercase();
        // The name is the module's, and the command is for the consumer. One that
        // begins like a flag is none behind a kind.
        let object = match target.name.starts_with('-') {
            true => shell::quote(&format!("{kind}/{}", target.name)).into_owned(),
            false => format!("{} {}", shell::quote(&kind), shell::quote(&target.name)),
        };
        let namespace = match target.namespace.as_str() {
            "" => String::new(),
            namespace => format!(" --namespace {}", shell::quote(namespace)),
        };
        let adopt = format!("{}={instance}", object::ADOPT_ANNOTATION);
        write!(
            f,
            "{target} exists and is not croft's; rename or delete it, or hand it over, which also means that it is deleted \
             with the instance: kubectl annotate {object}{namespace} {}",
            shell::quote(&adopt)
        )
    }
}

/// Everything to do for one rendering.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Creations and changes in the order of rendering, then the deletions of
    /// one wave. Earlier waves are for a later plan.
    pub actions: Vec<Action>,
    /// Objects that are in the way. They are left untouched.
    pub conflicts: Vec<Conflict>,
}

impl Plan {
    /// Whether there is nothing to send.
    pub fn is_quiet(&self) -> bool {
        !self.actions.iter().any(Action::is_a_change)
    }

    /// Whether something that is there would be another one, or gone.
    pub fn takes(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Update { .. } | Action::Delete { .. }))
    }
}

/// A manifest that was sent, as text: it is looked at when the child changes, and
/// kept for as long as the child lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent(Arc<str>);

impl Sent {
    /// What was sent.
    pub fn of(manifest: &Value) -> Sent {
        Sent(manifest.to_string().into())
    }

    /// The manifest.
    fn manifest(&self) -> Option<Value> {
        serde_json::from_str(&self.0).ok()
    }
}

/// What is known of the world besides the inventory.
pub struct World<'a> {
    /// The instance that the children belong to.
    pub instance: &'a Value,
    /// The live object at a place, whoever owns it.
    pub live: &'a dyn Fn(&Target) -> Option<Arc<Value>>,
    /// What the server made of a manifest when it was last applied, by uid, for
    /// objects where the two differ.
    pub settled: &'a BTreeMap<String, Arc<Value>>,
    /// What was sent when an object was last applied, by uid, as far as it is
    /// remembered: not over a restart.
    pub sent: &'a BTreeMap<String, Sent>,
    /// The instance as its children name it.
    pub owner: &'a Owner,
    /// The ids of the definition.
    pub ids: &'a BTreeSet<&'a str>,
}

/// Plans what brings the children about. Objects under `blocked` ids are kept.
pub fn plan(children: &[Admitted], blocked: &BTreeSet<&str>, inventory: &Inventory, world: &World<'_>) -> Plan {
    let mut plan = Plan::default();
    for child in children {
        match settle(child, world) {
            Ok(action) => plan.actions.push(action),
            Err(conflict) => plan.conflicts.push(conflict),
        }
    }
    let wanted: BTreeSet<Target> = children.iter().map(|child| child.target().in_any_version()).collect();
    let rest = inventory.entries().iter().filter(|owned| !wanted.contains(&owned.target.in_any_version()));
    let hold = Hold::of(children, &plan.conflicts, world.ids, inventory);
    let (kept, unwanted): (Vec<&Owned>, Vec<&Owned>) =
        rest.partition(|owned| blocked.contains(owned.id.as_str()) || hold.holds(owned));
    plan.actions.extend(kept.into_iter().map(|owned| match object::is_being_deleted(&owned.object) {
        true => Action::Await(owned.target.clone()),
        false => Action::Keep(owned.target.clone()),
    }));
    plan.actions.extend(last_wave(&unwanted, "no longer rendered"));
    plan
}

/// What has to stay while a child cannot get its place: it may be what that child
/// is to replace, or what the one that stays was made from.
#[derive(Default)]
struct Hold<'a> {
    /// Ids of children in conflict.
    stuck: BTreeSet<&'a str>,
    /// What stays for their sake, by uid.
    kept: BTreeSet<&'a str>,
    /// The highest wave of that.
    wave: Option<u32>,
}

impl<'a> Hold<'a> {
    fn of(
        children: &'a [Admitted],
        conflicts: &[Conflict],
        ids: &BTreeSet<&str>,
        inventory: &'a Inventory,
    ) -> Hold<'a> {
        if conflicts.is_empty() {
            return Hold::default();
        }
        let occupied: BTreeSet<&Target> = conflicts.iter().map(|conflict| &conflict.target).collect();
        let stuck = children.iter().filter(|child| occupied.contains(child.target())).map(Admitted::id);
        let stuck: BTreeSet<&str> = stuck.collect();
        // An id that the definition does not have any more may have become the
        // one in conflict.
        let stays = |owned: &&Owned| stuck.contains(owned.id.as_str()) || !ids.contains(owned.id.as_str());
        let kept: Vec<&Owned> = inventory.entries().iter().filter(stays).collect();
        let wave = kept.iter().map(|owned| owned.wave).max();
        Hold { stuck, kept: kept.into_iter().map(|owned| owned.uid.as_str()).collect(), wave }
    }

    fn holds(&self, owned: &Owned) -> bool {
        !self.stuck.is_empty() && (self.kept.contains(owned.uid.as_str()) || Some(owned.wave) < self.wave)
    }
}

/// Plans the next step of an instance's deletion: its highest wave goes, or is
/// waited for. Empty when there is nothing left.
pub fn deletion(inventory: &Inventory) -> Plan {
    let all: Vec<&Owned> = inventory.entries().iter().collect();
    Plan { actions: last_wave(&all, "its instance is being deleted"), conflicts: Vec::new() }
}

/// What has to happen for the highest wave to be gone. The others may be what it
/// was made from: their turn comes when it is.
fn last_wave(unwanted: &[&Owned], why: &str) -> Vec<Action> {
    let highest = unwanted.iter().map(|owned| owned.wave).max();
    let last = unwanted.iter().filter(|owned| Some(owned.wave) == highest);
    last.map(|owned| match object::is_being_deleted(&owned.object) {
        true => Action::Await(owned.target.clone()),
        false => delete(owned, why),
    })
    .collect()
}

fn delete(owned: &Owned, why: &str) -> Action {
    Action::Delete { target: owned.target.clone(), uid: owned.uid.clone(), why: why.to_owned() }
}

/// What one child needs, given what is at its place.
fn settle(child: &Admitted, world: &World<'_>) -> Result<Action, Conflict> {
    let Some(live) = (world.live)(child.target()) else {
        return Ok(Action::Create(child.clone()));
    };
    let uid = object::uid(&live).to_owned();
    let shrinks =
        || world.sent.get(&uid).and_then(Sent::manifest).is_none_or(|before| loses(&before, child.manifest()));
    let update = |why: String| Action::Update { child: child.clone(), uid: uid.clone(), why, shrinks: shrinks() };
    let ours = world.owner.owns(&live);
    // Only nobody's object can be handed over: another instance would take its
    // own back.
    let handed_over = object::label(&live, object::INSTANCE_LABEL).is_none()
        && object::annotation(&live, object::ADOPT_ANNOTATION)
            .is_some_and(|name| name == object::text(world.instance, "/metadata/name"));
    match (ours, object::is_being_deleted(&live)) {
        (false, _) if handed_over => Ok(update("it was handed over".into())),
        (false, _) => Err(Conflict {
            target: child.target().clone(),
            owner: object::annotation(&live, object::OWNER_ANNOTATION).map(str::to_owned),
            instance: object::text(world.instance, "/metadata/name").to_owned(),
        }),
        (true, true) => Ok(Action::Await(child.target().clone())),
        (true, false) => Ok(match change(child, &live, world) {
            Some(why) => update(why),
            None => Action::Keep(child.target().clone()),
        }),
    }
}

/// Whether a manifest lacks something that an earlier one had.
fn loses(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            before.iter().any(|(name, value)| after.get(name).is_none_or(|after| loses(value, after)))
        }
        (Value::Array(before), Value::Array(after)) => {
            let after: HashSet<&Value> = after.iter().collect();
            before.iter().any(|element| !after.contains(element))
        }
        (Value::Object(_) | Value::Array(_), _) => true,
        _ => false,
    }
}

/// Why our object has to change, if it has to.
fn change(child: &Admitted, live: &Value, world: &World<'_>) -> Option<String> {
    if object::annotation(live, object::MANIFEST_ANNOTATION) != Some(child.digest().as_str()) {
        return Some("it is rendered differently".into());
    }
    let settled = world.settled.get(object::uid(live)).map(Arc::as_ref);
    drift(child.manifest(), live, settled).map(|pointer| format!("somebody changed `{pointer}`"))
}

/// The first place where a live object does not say what its manifest says.
/// What the server itself made of the manifest (`settled`: another spelling of
/// a quantity, a field it does not keep) is not a drift.
pub fn drift(manifest: &Value, live: &Value, settled: Option<&Value>) -> Option<String> {
    match (manifest, live) {
        (Value::Object(manifest), Value::Object(live)) => manifest.iter().find_map(|(key, wanted)| {
            let settled = settled.map(|settled| settled.get(key).unwrap_or(&Value::Null));
            let found = live.get(key).unwrap_or(&Value::Null);
            drift(wanted, found, settled).map(|rest| format!("/{}{rest}", key.replace('~', "~0").replace('/', "~1")))
        }),
        (Value::Array(manifest), Value::Array(live)) if manifest.len() == live.len() => {
            manifest.iter().zip(live).enumerate().find_map(|(index, (wanted, found))| {
                let settled = settled.map(|settled| settled.get(index).unwrap_or(&Value::Null));
                drift(wanted, found, settled).map(|rest| format!("/{index}{rest}"))
            })
        }
        (wanted, found) if wanted == found || Some(found) == settled => None,
        _ => Some(String::new()),
    }
}

#[cfg(test)]
mod tests;
