//! Putting one definition into force and taking it out: module, preparation, the
//! kind that it gets, and the kinds that it touches.
//!
//! What takes time comes first, and many definitions do it at once. Who gets a kind
//! is decided in one moment at the end.

use std::{
    collections::BTreeSet,
    sync::{Arc, MutexGuard, PoisonError},
};

use contract::{Gvk, Preparation, Prepared, Schema};
use host_core::{definition::ModuleRef, kinds, name::Digest, object, receipt};
use kcp::ObjectKey;
use sandbox::Module;
use serde_json::Value;

use super::{Definitions, Error, look_up::Servers, record};
use crate::{
    pass::world::{Reach, Serving},
    runtime::told,
};

/// So many times a module may ask for schemas.
const MOST_ASKS: usize = 16;

impl Definitions {
    /// Prepares a definition and puts it into force. An earlier version stays
    /// in force if this one is refused.
    pub(super) async fn take(
        &self,
        key: &ObjectKey,
        definition: &Value,
        digest: Digest,
    ) -> Result<Arc<Serving>, Error> {
        let reach = self.reach(key)?;
        let reference = ModuleRef::of(definition).map_err(crate::modules::Error::from)?;
        let (host, named) = (Arc::clone(&self.host), reference.clone());
        let module = self.loading.run(key, move || host.modules.load(&reference)).await??;
        let mut servers = self.servers();
        let prepared = self.prepare(key, &mut servers, &module, definition).await?;
        let api = &prepared.blueprint.api;
        record::keeps_kind(definition, &api.kind)?;
        if !self.is_served(&api.kind, &api.plural).await? {
            return Err(Error::NotServed { kind: api.kind.clone(), plural: api.plural.clone() });
        }
        let kinds = servers.addresses(&prepared).await?;
        self.under_way.after(|other| self.goes_first(other, key, definition, &reach, &api.kind)).await;
        let definition = key.clone();
        let serving =
            self.put_into_force(Serving { definition, reach, digest, module, prepared, kinds, retired: false })?;
        self.host.modules.in_force(&key.to_string(), &named, &serving.module);
        Ok(serving)
    }

    async fn prepare(
        &self,
        key: &ObjectKey,
        servers: &mut Servers,
        module: &Module,
        definition: &Value,
    ) -> Result<Prepared, Error> {
        let mut schemas: Vec<Schema> = Vec::new();
        for _ in 0..MOST_ASKS {
            let (module, definition, given) = (module.clone(), definition.clone(), schemas.clone());
            let preparing = self.preparing.run(key, move || module.prepare(&definition, &given));
            match preparing.await?.map_err(Error::Refused)?.value {
                Preparation::Ready(prepared) => return Ok(*prepared),
                Preparation::Needs(kinds) => {
                    let known = |kind: &Gvk| schemas.iter().any(|schema| schema.kind == *kind);
                    let new: BTreeSet<Gvk> = kinds.into_iter().filter(|kind| !known(kind)).collect();
                    if new.is_empty() {
                        return Err(Error::Insatiable);
                    }
                    for kind in new {
                        schemas.push(servers.schema(kind).await?);
                    }
                }
            }
        }
        Err(Error::Insatiable)
    }

    /// Puts the version of a definition into force that was accepted before this
    /// one was refused, unless it is in force. A host that has just started knows
    /// of it by the definition's status.
    pub(super) async fn fall_back(&self, key: &ObjectKey, definition: &Value, refusal: &Error) {
        let serves = |serving: &Arc<Serving>| serving.definition == *key && !serving.retired;
        if matches!(refusal, Error::NotProvider) || self.host.world.served().iter().any(serves) {
            return;
        }
        let Some(former) = record::former(definition) else { return };
        match self.take(key, &former, receipt::definition(&former)).await {
            Ok(_) => tracing::info!(definition = %key, "in force as it was accepted last"),
            Err(error) => tracing::debug!(definition = %key, error = told(&error), "nor is its last version in force"),
        }
    }

    fn put_into_force(&self, mut serving: Serving) -> Result<Arc<Serving>, Error> {
        let _deciding = self.deciding();
        self.unique(&serving.definition, &serving.reach, &serving.prepared)?;
        let blueprint = &serving.prepared.blueprint;
        let former = self.host.world.kinds_of(&serving.definition, &blueprint.api.kind);
        serving.kinds = kinds::with_former(serving.kinds, blueprint.kinds.iter().map(|used| &used.kind), former);
        let serving = Arc::new(serving);
        self.host.world.serve(Arc::clone(&serving));
        self.watches.serve(&serving);
        // An earlier version of it may have had another API.
        self.watches.end_unneeded();
        Ok(serving)
    }

    fn reach(&self, key: &ObjectKey) -> Result<Reach, Error> {
        let shards = self.host.world.shards();
        let provider = shards.first().map(|shard| shard.address().provider().clone());
        // With the split layout the definitions come out of the provider's own
        // workspace, and from nowhere else.
        if self.host.provider.is_some() || provider.as_ref() == Some(&key.cluster) {
            Ok(Reach::Everywhere)
        } else if self.host.consumer_definitions {
            Ok(Reach::Only(key.cluster.clone()))
        } else {
            Err(Error::NotProvider)
        }
    }

    /// Whether another definition, which is dealt with as well, may get a kind before
    /// this one does. Where this one has it already it waits for nobody.
    fn goes_first(&self, other: &ObjectKey, key: &ObjectKey, own: &Value, reach: &Reach, kind: &Gvk) -> bool {
        let of_store = self.store.get(key).unwrap_or_default();
        let Some(theirs) = self.store.get(other).filter(|object| !object::is_being_deleted(object)) else {
            return false;
        };
        other != key
            && record::kind(&of_store).as_ref() != Some(kind)
            && record::rank(other, &theirs) < record::rank(key, &of_store)
            && self.reach(other).is_ok_and(|other| other == *reach)
            && may_ask(&theirs, own, kind)
    }

    /// The definition that has a kind keeps it, also over a restart: it has it
    /// before it is in force again.
    fn unique(&self, key: &ObjectKey, reach: &Reach, prepared: &Prepared) -> Result<(), Error> {
        let kind = &prepared.blueprint.api.kind;
        let same = |serving: &&Arc<Serving>| {
            serving.definition != *key
                && serving.reach == *reach
                && !serving.retired
                && serving.prepared.blueprint.api.kind == *kind
        };
        let taken = |other: &ObjectKey| Err(Error::DuplicateKind { kind: kind.clone(), other: other.clone() });
        if let Some(other) = self.host.world.served().iter().find(same) {
            return taken(&other.definition);
        }
        let own = self.store.get(key).unwrap_or_default();
        let keeps = |other: &ObjectKey, definition: &Value| {
            other != key
                && record::kind(definition).as_ref() == Some(kind)
                && !object::is_being_deleted(definition)
                && self.reach(other).is_ok_and(|other| other == *reach)
                // Of two that say so the older one is right.
                && (record::kind(&own).as_ref() != Some(kind) || record::rank(other, definition) < record::rank(key, &own))
        };
        self.store.find(keeps).first().map_or(Ok(()), |(other, _)| taken(other))
    }

    /// Takes a definition out of force, but for the deletion of its instances.
    pub(super) fn retire(&self, key: &ObjectKey) {
        let deciding = self.deciding();
        let Some(serving) = self.host.world.served().into_iter().find(|serving| serving.definition == *key) else {
            return;
        };
        tracing::info!(definition = %key, "gone");
        self.host.modules.out_of_force(&key.to_string());
        let retired = Serving { retired: true, ..Serving::clone(&serving) };
        let api = retired.prepared.blueprint.api.kind.clone();
        self.host.world.serve(Arc::new(retired));
        drop(deciding);
        self.host.enqueue(|instance| instance.target.kind == api);
    }

    /// Ends what nobody needs any more: definitions that are gone and have no instances,
    /// kinds that a definition had in an earlier version and of which there are no
    /// children, and the watches of both.
    pub(super) fn tidy(&self) {
        let _deciding = self.deciding();
        let world = &self.host.world;
        let mut less = Vec::new();
        for serving in world.served() {
            let blueprint = &serving.prepared.blueprint;
            // Before then nobody knows whether there are any.
            if !self.watches.have_listed(&blueprint.api.kind) {
                continue;
            }
            let is_of_api = |key: &ObjectKey, _: &Value| key.target.kind == blueprint.api.kind;
            if serving.retired && world.instances.find(is_of_api).is_empty() {
                world.end(&serving.definition);
                continue;
            }
            let declared = |kind: &Gvk| blueprint.kinds.iter().any(|used| used.kind == *kind);
            let former = serving.kinds.keys().filter(|kind| !declared(kind));
            let is_over = |kind: &&Gvk| world.is_synced_everywhere(kind) && !world.children.has_children_of(kind);
            let over: BTreeSet<Gvk> = former.filter(is_over).cloned().collect();
            if !over.is_empty() {
                let mut serving = Serving::clone(&serving);
                serving.kinds.retain(|kind, _| !over.contains(kind));
                let serving = Arc::new(serving);
                world.serve(Arc::clone(&serving));
                less.push(serving);
            }
        }
        self.watches.end_unneeded();
        // A record may still name what the watches do not show any more.
        less.iter().for_each(|serving| self.watches.serve(serving));
        self.watches.take_turns();
    }

    /// Whoever puts a definition into force, or takes one out, does so by what is in
    /// force at that moment, and what is watched follows. Held for no request.
    fn deciding(&self) -> MutexGuard<'_, ()> {
        self.deciding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a definition may ask for the kind that another one asks for, as far as
/// can be said before its module has read it: it names the kind, or neither of them
/// does and their module makes it of something else.
fn may_ask(definition: &Value, asking: &Value, kind: &Gvk) -> bool {
    let module = |definition: &Value| ModuleRef::of(definition).ok();
    let names = |definition: &Value| names(&definition["spec"], &kind.kind);
    names(definition) || (!names(asking) && module(definition) == module(asking))
}

/// Whether one of the texts in a value is this one.
fn names(value: &Value, text: &str) -> bool {
    match value {
        Value::String(value) => value == text,
        Value::Array(elements) => elements.iter().any(|element| names(element, text)),
        Value::Object(fields) => fields.values().any(|value| names(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_waits_for_those_only_that_may_ask_for_its_kind() {
        let kind = Gvk { group: "kro.run".into(), version: "v1alpha1".into(), kind: "Web".into() };
        let of = |module: &str, spec: Value| {
            let metadata = json!({"name": "a", "annotations": {"croft.run/module": module}});
            json!({"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup", "metadata": metadata, "spec": spec})
        };
        let (web, shop) = (json!({"schema": {"kind": "Web"}}), json!({"schema": {"kind": "Shop"}}));
        let asking = of("builtin:kro", web.clone());
        assert!(may_ask(&of("builtin:kro", web.clone()), &asking, &kind));
        assert!(may_ask(&of("file:other.wasm", web), &asking, &kind));
        assert!(!may_ask(&of("builtin:kro", shop.clone()), &asking, &kind));
        // Of code that says its kind itself.
        let asking = of("file:code.wasm", json!({}));
        assert!(may_ask(&of("file:code.wasm", shop.clone()), &asking, &kind));
        assert!(!may_ask(&of("builtin:kro", shop), &asking, &kind));
    }
}
