//! What kro writes on instances and children, in v0.1 and in v0.9: how to tell
//! that it did, how to take it off, and how to put it on.
//!
//! It does not know what a definition of kro's means; a module does.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use contract::Gvk;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::edit::{self, Edit};
use crate::object::{self, FIELD_MANAGER, Target};

/// The annotation by which a user has kro v0.9 leave an instance alone.
pub const SUSPEND_ANNOTATION: &str = "kro.run/reconcile";
/// The label with the id of a child, from v0.9 on.
pub(super) const NODE_ID: &str = "kro.run/node-id";
/// The field manager of v0.9 for children. v0.1 had no name of its own.
pub(super) const MANAGER: &str = "kro.run/applyset";

const PREFIX: &str = "kro.run/";
const INTERNAL_PREFIX: &str = "internal.kro.run/";
const FINALIZER: &str = "kro.run/finalizer";
/// What the finalizer of v0.1 ends with; before it stands the uid of the
/// ResourceGroup.
const OLD_FINALIZER: &str = ".kro.run/finalizer";
const OWNED: &str = "kro.run/owned";
/// The label with the uid of the instance that a child is of.
pub(super) const INSTANCE_ID: &str = "kro.run/instance-id";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label with the id of the ApplySet that a child is of, from v0.9 on.
pub(super) const PART_OF: &str = "applyset.kubernetes.io/part-of";
const APPLYSET_ID: &str = "applyset.kubernetes.io/id";
const TOOLING: &str = "applyset.kubernetes.io/tooling";
const GROUP_KINDS: &str = "applyset.kubernetes.io/contains-group-kinds";
const NAMESPACES: &str = "applyset.kubernetes.io/additional-namespaces";
const INVENTORY_HASH: &str = "internal.kro.run/applyset-inventory-hash";
const APPLY_ORDER: &str = "internal.kro.run/apply-order";
/// What kro's deletion wants to read before it believes the inventory. kro puts
/// its own version there at its first pass.
const TOOL: &str = "kro/v0.9.3";
/// Longer values no label may have.
const MAX_LABEL: usize = 63;

/// Which kro an instance is given back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kro {
    /// v0.1, whose finalizers name the ResourceGroup.
    V01 {
        /// The uid of the ResourceGroup in kro's cluster.
        resource_group: String,
    },
    /// v0.9 and what is compatible with it.
    V09,
}

/// Whose child an object is by kro's labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The instance's.
    Instance,
    /// That of another of kro's instances, or of another ApplySet.
    Another(String),
    /// None of kro's.
    Nobody,
}

/// Whose child an object is. An ApplySet has the last word, as it has for kro.
pub(super) fn whose(instance: &Value, child: &Value) -> Whose {
    let is_own = |part_of: &str| {
        part_of == applyset_id(instance) || object::label(instance, APPLYSET_ID).is_some_and(|id| id == part_of)
    };
    match (object::label(child, PART_OF), object::label(child, INSTANCE_ID)) {
        (Some(part_of), _) if is_own(part_of) => Whose::Instance,
        (Some(part_of), None) => Whose::Another(format!("the ApplySet `{part_of}`")),
        (None, Some(uid)) if uid == object::uid(instance) => Whose::Instance,
        (_, Some(_)) => Whose::Another(format!("kro's instance {}", instance_of(child))),
        (None, None) => Whose::Nobody,
    }
}

fn instance_of(child: &Value) -> String {
    let label = |name: &str| object::label(child, name).unwrap_or_default();
    let name = label("kro.run/instance-name");
    match label("kro.run/instance-namespace") {
        "" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    }
}

/// Whether kro has put a finalizer or its mark on an instance.
pub fn is_managed(instance: &Value) -> bool {
    object::finalizers(instance).any(is_finalizer)
        || [OWNED, APPLYSET_ID].into_iter().any(|name| object::label(instance, name).is_some())
}

/// Whether kro leaves an instance alone although it runs. v0.1 cannot be asked
/// to: it does not know the annotation.
pub fn is_suspended(instance: &Value) -> bool {
    let asked = matches!(object::annotation(instance, SUSPEND_ANNOTATION), Some("suspended" | "disabled"));
    asked && !object::finalizers(instance).any(|name| name.ends_with(OLD_FINALIZER))
}

/// The kinds without versions of the children that v0.9 knows an instance to
/// have: group and kind.
pub fn group_kinds(instance: &Value) -> Vec<(String, String)> {
    let listed = listed(instance, GROUP_KINDS);
    let pair = |text: &String| match text.split_once('.') {
        Some((kind, group)) => (group.to_owned(), kind.to_owned()),
        None => (String::new(), text.to_owned()),
    };
    listed.iter().map(pair).collect()
}

/// Whether a finalizer of an instance is kro's.
pub(super) fn is_finalizer(name: &str) -> bool {
    name == FINALIZER || name.ends_with(OLD_FINALIZER)
}

/// Whether an entry of managed fields is kro's: by its name, or because it put
/// kro's label on, which is all there is to know v0.1 by.
pub(super) fn is_manager(entry: &Value) -> bool {
    let manager = object::text(entry, "/manager");
    let labelled = entry.pointer("/fieldsV1/f:metadata/f:labels/f:kro.run~1owned").is_some();
    manager == MANAGER || (labelled && manager != FIELD_MANAGER)
}

/// Takes off an instance what kro put on it. One that is at the same time the
/// child of another instance keeps what it has as a child.
pub(super) fn strip_instance(edit: &mut Edit<'_>, instance: &Value) {
    for name in edit::names(instance, "labels").filter(|name| name.starts_with(PREFIX) && !is_of_a_child(name)) {
        edit.label(name, None);
    }
    // Another tool's ApplySet is not kro's to have marked.
    if object::annotation(instance, TOOLING).is_none_or(|tool| tool.starts_with("kro/")) {
        edit.label(APPLYSET_ID, None);
        [TOOLING, GROUP_KINDS, NAMESPACES].into_iter().for_each(|name| edit.annotation(name, None));
    }
    edit.annotation(INVENTORY_HASH, None);
}

/// Takes off a child what kro put on it, but for what is rendered. One that is
/// itself an instance keeps what it has as an instance.
pub(super) fn strip_child(edit: &mut Edit<'_>, child: &Value, manifest: &Value) {
    let is_instance = object::finalizers(child).any(is_finalizer);
    let is_kros = |name: &str| match name {
        PART_OF => true,
        MANAGED_BY => object::label(child, MANAGED_BY) == Some("kro"),
        name if is_instance => is_of_a_child(name),
        name => name.starts_with(PREFIX),
    };
    for name in edit::names(child, "labels").filter(|name| is_kros(name)) {
        edit.label(name, object::label(manifest, name));
    }
    let is_internal = |name: &str| name == APPLY_ORDER || (name.starts_with(INTERNAL_PREFIX) && !is_instance);
    for name in edit::names(child, "annotations").filter(|name| is_internal(name)) {
        edit.annotation(name, object::annotation(manifest, name));
    }
}

fn is_of_a_child(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).unwrap_or_default();
    rest == "node-id" || rest.starts_with("instance-") || rest.starts_with("collection-")
}

/// Puts on an instance what kro wants to find there when it is deleted before
/// kro's next pass: otherwise its children would be orphaned. The rest kro puts
/// on by itself.
pub(super) fn mark_instance(instance: &Value, members: &[&Target], kro: &Kro) -> Option<edit::Write> {
    let mut edit = Edit::of(instance);
    edit.label(OWNED, Some("true"));
    let finalizer = match kro {
        Kro::V01 { resource_group } => format!("{resource_group}{OLD_FINALIZER}"),
        Kro::V09 => FINALIZER.to_owned(),
    };
    let missing = !object::finalizers(instance).any(|name| name == finalizer);
    edit.finalizers(object::finalizers(instance).chain(missing.then_some(finalizer.as_str())));
    if *kro == Kro::V09 {
        mark_applyset(&mut edit, instance, members);
    }
    edit.write()
}

fn mark_applyset(edit: &mut Edit<'_>, instance: &Value, members: &[&Target]) {
    edit.label(APPLYSET_ID, Some(&applyset_id(instance)));
    if !object::annotation(instance, TOOLING).is_some_and(|tool| tool.starts_with("kro/")) {
        edit.annotation(TOOLING, Some(TOOL));
    }
    let own = object::text(instance, "/metadata/namespace");
    let kinds = members.iter().map(|member| member.kind.to_string());
    let namespaces = members.iter().map(|member| member.namespace.clone());
    let namespaces = namespaces.filter(|namespace| !namespace.is_empty() && namespace != own);
    let kinds = joined(listed(instance, GROUP_KINDS), kinds);
    let namespaces = joined(listed(instance, NAMESPACES), namespaces);
    let before = (object::annotation(instance, GROUP_KINDS), object::annotation(instance, NAMESPACES));
    if before != (Some(kinds.as_str()), Some(namespaces.as_str())) {
        // It would not fit any more. kro does without it, and puts it on again.
        edit.annotation(INVENTORY_HASH, None);
    }
    edit.annotation(GROUP_KINDS, Some(&kinds));
    edit.annotation(NAMESPACES, Some(&namespaces));
}

/// The entries of an annotation that lists words.
fn listed(instance: &Value, name: &str) -> BTreeSet<String> {
    let words = object::annotation(instance, name).unwrap_or_default().split(',').map(str::trim);
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn joined(mut words: BTreeSet<String>, more: impl Iterator<Item = String>) -> String {
    words.extend(more);
    words.into_iter().collect::<Vec<_>>().join(",")
}

/// Puts on a child what kro finds it by.
pub(super) fn mark_child(edit: &mut Edit<'_>, instance: &Value, child: &Value, kro: &Kro) {
    let mut label = |name: &str, value: &str| {
        if !value.is_empty() && value.len() <= MAX_LABEL {
            edit.label(name, Some(value));
        }
    };
    label(OWNED, "true");
    label(INSTANCE_ID, object::uid(instance));
    label("kro.run/instance-name", object::text(instance, "/metadata/name"));
    label("kro.run/instance-namespace", object::text(instance, "/metadata/namespace"));
    if *kro != Kro::V09 {
        return;
    }
    if let Some(kind) = Gvk::of(instance) {
        label("kro.run/instance-group", &kind.group);
        label("kro.run/instance-version", &kind.version);
        label("kro.run/instance-kind", &kind.kind);
    }
    label(NODE_ID, object::annotation(child, object::CHILD_ANNOTATION).unwrap_or_default());
    label(MANAGED_BY, "kro");
    label(PART_OF, &applyset_id(instance));
    // kro counts from 1, and deletes what has no number last.
    if let Some(wave) = object::annotation(child, object::WAVE_ANNOTATION).and_then(|wave| wave.parse::<u32>().ok()) {
        edit.annotation(APPLY_ORDER, Some(&wave.saturating_add(1).to_string()));
    }
}

/// The id of the ApplySet that an instance's children are part of.
pub(super) fn applyset_id(instance: &Value) -> String {
    let kind = Gvk::of(instance);
    let (kind, group) = kind.as_ref().map_or(("", ""), |kind| (kind.kind.as_str(), kind.group.as_str()));
    let (name, namespace) = (object::text(instance, "/metadata/name"), object::text(instance, "/metadata/namespace"));
    let hash = Sha256::digest(format!("{name}.{namespace}.{kind}.{group}"));
    format!("applyset-{}-v1", BASE64_URL_SAFE_NO_PAD.encode(hash))
}
