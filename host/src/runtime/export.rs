//! Keeps the export while there are instances that hold children: through it alone
//! they are reached, and without it they would never go. It has a finalizer from when
//! a workspace binds it. Once it is being deleted it goes with the last of them.
//!
//! In the shared layout, where the host sees nothing of the provider's workspace but
//! through the export, its owner has to see to that.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use contract::{Gvk, Scope};
use host_core::{
    kinds::Kind,
    object::{self, EXPORT_FINALIZER, Target},
};
use kcp::{Cluster, watch::pause};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{Host, told, watches::Watches};

/// Many events are one look.
const CALM: Duration = Duration::from_secs(1);
/// The longest pause after a write that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A kind of the group in which kcp has its exports.
pub(super) fn of_kcp(kind: &str) -> Gvk {
    Gvk { group: "apis.kcp.io".into(), version: "v1alpha2".into(), kind: kind.into() }
}

/// Looks at the export whenever it, its bindings or its instances may have changed.
pub(super) async fn keep(host: Arc<Host>, watches: Arc<Watches>) {
    let (Some(provider), Some(export)) = (host.provider.clone(), host.export.clone()) else { return };
    let (mut failures, mut waits) = (0, false);
    loop {
        host.instances.notified().await;
        sleep(CALM).await;
        host.term.lasts().await;
        let found = host.exports.find(|key, _| key.target.name == export).pop();
        let Some((_, found)) = found else { continue };
        let is_going = object::is_being_deleted(&found);
        let Some(wanted) = is_wanted(&host, &watches, is_going) else { continue };
        if is_going && wanted && !std::mem::replace(&mut waits, true) {
            tracing::warn!(export, "the export is being deleted, and stays until its instances are gone");
        }
        match write(&provider, &found, wanted).await {
            Ok(()) => failures = 0,
            Err(error) => {
                // Once is enough to say.
                if failures == 0 {
                    tracing::warn!(export, error = told(&error), "cannot write the finalizer of the export");
                }
                sleep(pause(failures, CALM, LONGEST_PAUSE)).await;
                failures += 1;
                host.instances.notify_one();
            }
        }
    }
}

/// Whether the export should have the finalizer; `None` while that is not known.
fn is_wanted(host: &Host, watches: &Watches, is_going: bool) -> Option<bool> {
    let world = &host.world;
    let bindings = world.shards().is_empty() || world.is_synced_everywhere(&of_kcp("APIBinding"));
    let instances = || world.served().iter().all(|serving| watches.have_listed(&serving.prepared.blueprint.api.kind));
    if !host.endpoints.load(Ordering::SeqCst) || !bindings || !instances() {
        return None;
    }
    if !is_going {
        return Some(world.is_bound());
    }
    // Of what nothing serves the instances are not known, or not any more.
    if !world.unserved().0.is_empty() {
        host.leftovers.notify_one();
        return None;
    }
    Some(!world.instances.find(|_, object| object::has_finalizer(object)).is_empty())
}

/// Puts the finalizer on the export or takes it off. What is as it should be is left
/// alone, and so is one that goes without.
async fn write(provider: &Cluster, export: &Value, wanted: bool) -> Result<(), kcp::Error> {
    let has = object::finalizers(export).any(|name| name == EXPORT_FINALIZER);
    if has == wanted || (wanted && object::is_being_deleted(export)) {
        return Ok(());
    }
    let others = object::finalizers(export).filter(|name| *name != EXPORT_FINALIZER);
    let finalizers: Vec<&str> = others.chain(wanted.then_some(EXPORT_FINALIZER)).collect();
    let version = object::text(export, "/metadata/resourceVersion");
    let patch = json!({"metadata": {"resourceVersion": version, "finalizers": finalizers}});
    let name = object::text(export, "/metadata/name").to_owned();
    let target = Target { kind: of_kcp("APIExport"), namespace: String::new(), name };
    let address = Kind { plural: "apiexports".into(), scope: Scope::Cluster };
    match provider.merge(&target, &address, "", &patch).await {
        Ok(_) => Ok(()),
        // It changed meanwhile, of which an event tells.
        Err(error) if matches!(error.code(), Some(404 | 409)) => Ok(()),
        Err(error) => Err(error),
    }
}
