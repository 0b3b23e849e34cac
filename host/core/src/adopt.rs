//! Taking an instance over from kro, and giving it back: which objects change
//! hands, and the writes that do it, in an order in which a crash between any
//! two orphans nothing.
//!
//! It deletes and creates nothing, and it sends nothing: `cli::adopt` carries a
//! plan out. What is done is seen from the objects alone, so a plan for what is
//! half done is the rest of the first one.

mod edit;
mod kro;

use std::collections::{BTreeMap, BTreeSet};

use contract::{Blocked, Blueprint};
use serde_json::{Value, json};

pub use self::{
    edit::Write,
    kro::{Kro, SUSPEND_ANNOTATION, group_kinds, is_managed, is_suspended},
};
use self::{
    edit::{Edit, merge},
    kro::Whose,
};
use crate::{
    managed_fields,
    object::{self, FIELD_MANAGER, Owner, Target},
    policy::Admitted,
};

/// The labels by which an instance's children are found: two of kro's, and
/// croft's.
pub const CHILD_LABELS: [&str; 3] = [kro::INSTANCE_ID, kro::PART_OF, object::INSTANCE_LABEL];

/// One instance and what there is of it.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The instance.
    pub instance: &'a Value,
    /// Everything that concerns it ([`concerns`]), and what stands where its
    /// rendered children go, by place.
    pub live: &'a BTreeMap<Target, Value>,
}

/// What croft would make of the instance.
#[derive(Clone, Copy, Debug)]
pub struct Rendered<'a> {
    /// What the definition declared.
    pub blueprint: &'a Blueprint,
    /// The children that can be stated.
    pub children: &'a [Admitted],
    /// Those that cannot.
    pub blocked: &'a [Blocked],
}

/// What becomes of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It changes hands.
    Move,
    /// It has changed hands already.
    Done,
    /// The definition renders it and it is not there: croft will create it.
    Later,
    /// It is kro's, and the definition does not render it: it stays as it is.
    Leftover,
    /// It is kro's, and perhaps a child that cannot be stated yet.
    Undecided,
    /// It stands where a child goes and belongs to somebody else: it stays as
    /// it is.
    Conflict {
        /// Who that is, as far as its labels tell.
        owner: String,
    },
}

/// One object and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The object.
    pub target: Target,
    /// The id it stands for; empty if that is not known.
    pub id: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// What to do for one instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What becomes of each object: those that are rendered in the order of
    /// rendering, then the others by place.
    pub entries: Vec<Entry>,
    /// What to send, in this order. Empty when all is done.
    ///
    /// A write names the resource version that was seen: before a second write
    /// to the same object there has to be a new plan.
    pub writes: Vec<Write>,
    /// Why the instance is left alone for now; there are no writes then.
    pub held: Vec<String>,
}

/// Whether an object is a child of the instance by kro's labels or by croft's.
pub fn concerns(instance: &Value, candidate: &Value) -> bool {
    kro::whose(instance, candidate) == Whose::Instance
        || object::label(candidate, object::INSTANCE_LABEL) == Some(object::uid(instance))
}

/// Plans the way from kro to croft: croft's finalizer first, then the
/// children, and kro's finalizer and marks go last.
pub fn take(seen: &Seen<'_>, rendered: &Rendered<'_>) -> Plan {
    let place = |child: &Admitted| Entry {
        target: child.target().clone(),
        id: child.id().to_owned(),
        fate: fate(seen.instance, seen.live.get(child.target())),
    };
    let mut entries: Vec<Entry> = rendered.children.iter().map(place).collect();
    let moving = rendered.children.iter().zip(&entries).filter(|(_, entry)| entry.fate == Fate::Move);
    let moves: Vec<Write> = moving.filter_map(|(child, _)| take_child(seen.live.get(child.target())?, child)).collect();
    entries.extend(strays(seen, rendered));
    if moves.is_empty() && !is_managed(seen.instance) {
        return Plan { entries, ..Plan::default() };
    }
    let claim = claim(seen.instance, rendered.blueprint);
    let release = release(&after(seen.instance, claim.as_ref()));
    let writes: Vec<Write> = claim.into_iter().chain(moves).chain(release).collect();
    let held = held(seen.instance, undecided(&entries, rendered.blocked));
    let writes = if held.is_empty() { writes } else { Vec::new() };
    Plan { entries, writes, held }
}

/// Plans the way back: kro's finalizer and marks first, then the children, then
/// croft's record, and croft's finalizer goes last.
///
/// The record goes too: a host that comes back later would look for the objects
/// that it names.
pub fn give_back(seen: &Seen<'_>, kro: &Kro) -> Plan {
    let owner = Owner::of(seen.instance);
    let mut plan = Plan::default();
    let mut moves = Vec::new();
    let mut members = Vec::new();
    for (target, child) in seen.live {
        let Some(fate) = fate_back(seen.instance, child, &owner) else { continue };
        if fate == Fate::Move {
            moves.extend(give_back_child(seen.instance, child, kro));
        }
        let id = object::annotation(child, object::CHILD_ANNOTATION).or_else(|| object::label(child, kro::NODE_ID));
        plan.entries.push(Entry { target: target.clone(), id: id.unwrap_or_default().to_owned(), fate });
        members.push(target);
    }
    let record = forget(seen.instance);
    if moves.is_empty() && record.is_none() && !object::has_finalizer(seen.instance) {
        return plan;
    }
    let mark = kro::mark_instance(seen.instance, &members, kro);
    let release = let_go(&after(seen.instance, mark.as_ref()));
    plan.held = held(seen.instance, Vec::new());
    if plan.held.is_empty() {
        plan.writes = mark.into_iter().chain(moves).chain(record).chain(release).collect();
    }
    plan
}

/// What becomes of the object at the place of a rendered child.
pub fn fate(instance: &Value, live: Option<&Value>) -> Fate {
    let Some(live) = live else { return Fate::Later };
    let croft = object::label(live, object::INSTANCE_LABEL);
    let handed_over = object::annotation(live, object::ADOPT_ANNOTATION)
        .is_some_and(|name| name == object::text(instance, "/metadata/name"));
    match (croft, kro::whose(instance, live)) {
        (Some(uid), _) if uid != object::uid(instance) => {
            let owner = object::annotation(live, object::OWNER_ANNOTATION).unwrap_or("another instance of croft's");
            Fate::Conflict { owner: owner.to_owned() }
        }
        (_, Whose::Another(owner)) => Fate::Conflict { owner },
        (Some(_), Whose::Nobody) => Fate::Done,
        (_, Whose::Instance) => Fate::Move,
        // One of croft's own that lost its label gets it back.
        (None, Whose::Nobody) if handed_over || Owner::of(instance).owns(live) => Fate::Move,
        (None, Whose::Nobody) => Fate::Conflict { owner: "somebody who is neither kro nor croft".to_owned() },
    }
}

/// The same on the way back; `None` for an object that is not a child of the
/// instance.
fn fate_back(instance: &Value, child: &Value, owner: &Owner) -> Option<Fate> {
    match (object::label(child, object::INSTANCE_LABEL), kro::whose(instance, child)) {
        (Some(_), _) => owner.owns(child).then_some(Fate::Move),
        (None, Whose::Instance) => Some(Fate::Done),
        (None, Whose::Nobody) => owner.owns(child).then_some(Fate::Move),
        (None, Whose::Another(_)) => None,
    }
}

/// kro's children that the definition does not render.
fn strays(seen: &Seen<'_>, rendered: &Rendered<'_>) -> Vec<Entry> {
    let wanted: BTreeSet<Target> = rendered.children.iter().map(|child| child.target().in_any_version()).collect();
    let is_stray = |target: &Target, child: &Value| {
        !wanted.contains(&target.in_any_version())
            && object::label(child, object::INSTANCE_LABEL).is_none()
            && kro::whose(seen.instance, child) == Whose::Instance
    };
    let strays = seen.live.iter().filter(|(target, child)| is_stray(target, child));
    let entry = |(target, child): (&Target, &Value)| Entry {
        target: target.clone(),
        id: object::label(child, kro::NODE_ID).unwrap_or_default().to_owned(),
        fate: if may_be_blocked(target, child, rendered) { Fate::Undecided } else { Fate::Leftover },
    };
    strays.map(entry).collect()
}

/// Whether kro's object may be a child that cannot be stated yet. Without kro's
/// word for which child it is, the kind has to tell.
fn may_be_blocked(target: &Target, child: &Value, rendered: &Rendered<'_>) -> bool {
    let is_blocked = |id: &str| rendered.blocked.iter().any(|blocked| blocked.id == id);
    match object::label(child, kro::NODE_ID) {
        Some(id) => is_blocked(id),
        None => rendered.blueprint.nodes.iter().any(|node| node.kind == target.kind && is_blocked(&node.id)),
    }
}

/// What cannot be decided before the blocked children are stated: without its
/// instance nobody would own it, and croft would find it in its way later.
fn undecided(entries: &[Entry], blocked: &[Blocked]) -> Vec<String> {
    let waits = |blocked: &Blocked| format!("`{}`: {}", blocked.id, blocked.message);
    let waits: Vec<String> = blocked.iter().map(waits).collect();
    let undecided = entries.iter().filter(|entry| entry.fate == Fate::Undecided);
    let waits = waits.join("; ");
    let say = |entry: &Entry| {
        format!("{} may be a child that cannot be stated yet ({waits}); try again when it can", entry.target)
    };
    undecided.map(say).collect()
}

fn held(instance: &Value, mut reasons: Vec<String>) -> Vec<String> {
    if object::is_being_deleted(instance) {
        reasons.push("it is being deleted and takes no new finalizer; whoever has it now has to finish that".into());
    }
    reasons
}

/// Puts croft's finalizer beside kro's, so that the instance is never without
/// one. As in a pass, an instance without children needs none.
fn claim(instance: &Value, blueprint: &Blueprint) -> Option<Write> {
    let mut edit = Edit::of(instance);
    if !blueprint.nodes.is_empty() && !object::has_finalizer(instance) {
        edit.finalizers(object::finalizers(instance).chain([object::FINALIZER]));
    }
    edit.write()
}

/// Takes kro's finalizer and marks off.
fn release(instance: &Value) -> Option<Write> {
    let mut edit = Edit::of(instance);
    kro::strip_instance(&mut edit, instance);
    edit.finalizers(object::finalizers(instance).filter(|name| !kro::is_finalizer(name)));
    edit.write()
}

/// Takes croft's finalizer off.
fn let_go(instance: &Value) -> Option<Write> {
    let mut edit = Edit::of(instance);
    edit.finalizers(object::finalizers(instance).filter(|name| *name != object::FINALIZER));
    edit.write()
}

/// Takes croft's record out of the status.
fn forget(instance: &Value) -> Option<Write> {
    instance.pointer("/status/croft").filter(|record| !record.is_null())?;
    let version = object::text(instance, "/metadata/resourceVersion");
    let patch = json!({"metadata": {"resourceVersion": version}, "status": {"croft": null}});
    Some(Write { target: Target::of(instance)?, part: "/status", patch })
}

/// Puts on a child what croft's apply would put on it, takes kro's marks off,
/// and hands the fields over: what croft does not render any more later has to
/// go then, and would not while kro owns it too.
fn take_child(live: &Value, child: &Admitted) -> Option<Write> {
    let mut edit = Edit::of(live);
    kro::strip_child(&mut edit, live, child.manifest());
    let reserved = |name: &str| name.starts_with(object::RESERVED_PREFIX);
    for name in edit::names(child.manifest(), "labels").filter(|name| reserved(name)) {
        edit.label(name, object::label(child.manifest(), name));
    }
    for name in edit::names(child.manifest(), "annotations").filter(|name| reserved(name)) {
        edit.annotation(name, object::annotation(child.manifest(), name));
    }
    edit.managed_fields(managed_fields::hand_over(live, kro::is_manager, FIELD_MANAGER));
    edit.write()
}

/// Puts kro's marks on a child, and takes croft's off.
fn give_back_child(instance: &Value, child: &Value, kro: &Kro) -> Option<Write> {
    let mut edit = Edit::of(child);
    for name in edit::names(child, "labels").filter(|name| name.starts_with(object::RESERVED_PREFIX)) {
        edit.label(name, None);
    }
    for name in edit::names(child, "annotations").filter(|name| name.starts_with(object::RESERVED_PREFIX)) {
        edit.annotation(name, None);
    }
    kro::mark_child(&mut edit, instance, child, kro);
    // kro v0.1 applies nothing, and so owns no fields by a name of its own.
    if *kro == Kro::V09 {
        edit.managed_fields(managed_fields::hand_over(child, managed_fields::is_croft, kro::MANAGER));
    }
    edit.write()
}

/// The object as it will be after a write, which is what the next one starts
/// from.
fn after(object: &Value, write: Option<&Write>) -> Value {
    let mut object = object.clone();
    if let Some(write) = write {
        merge(&mut object, &write.patch);
    }
    object
}

#[cfg(test)]
mod tests;
