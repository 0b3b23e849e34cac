//! Taking an instance's children away, and letting it go.

use std::collections::BTreeSet;

use host_core::{
    claims::{self, Grant},
    defaults,
    inventory::{self, Inventory},
    kinds,
    object::{self, Target},
    plan::{self, Action},
    status::{Stage, Verdict},
};

use serde_json::Value;

use super::{Next, Pass, Stop, waits};

impl Pass<'_> {
    /// Takes the instance's children away, the last wave first, and lets the
    /// instance go when there are none.
    pub(super) async fn delete(&mut self) -> Next {
        self.memory.settled = None;
        if !self.can_see_children() {
            return self.blind().await;
        }
        // Each round takes one wave; what is held by somebody ends them.
        loop {
            let inventory = self.inventory();
            let plan = plan::deletion(&inventory);
            if plan.actions.is_empty() {
                return self.release(&inventory).await;
            }
            if let Err(stop) = self.apply(&plan).await {
                return self.stopped(stop).await;
            }
            if waits(&plan) {
                let names = plan.actions.iter().filter_map(|action| match action {
                    Action::Await(target) => Some(target.to_string()),
                    _ => None,
                });
                let message = format!("waiting for {} to be gone", names.collect::<Vec<_>>().join(", "));
                let recorded = self.record(&Verdict::Deleting { message }).await;
                return if recorded { Next::Wait } else { Next::Retry };
            }
        }
    }

    /// Lets the instance go, unless a child may still be there.
    async fn release(&mut self, inventory: &Inventory) -> Next {
        let mut left: Vec<Target> = inventory.hidden().iter().filter_map(Target::of_record).collect();
        match self.unconfirmed().await {
            Ok(unseen) => left.extend(unseen),
            Err(error) => return self.stopped(Stop::at(Stage::Applied, &error)).await,
        }
        if !left.is_empty() {
            let names: Vec<String> = left.iter().map(Target::to_string).collect();
            let message = format!("cannot see {} to delete them{}", names.join(", "), self.way_out(&left));
            let recorded = self.record(&Verdict::Deleting { message }).await;
            return if recorded && self.unseen.is_empty() { Next::Wait } else { Next::Retry };
        }
        tracing::info!("all children are gone");
        match self.write("", &defaults::release(&self.instance)).await {
            Ok(()) => Next::Wait,
            Err(stop) => self.stopped(stop).await,
        }
    }

    /// What would bring children back into sight.
    fn way_out(&self, left: &[Target]) -> String {
        let resource = |target: &Target| match kinds::find(&self.serving.kinds, &target.kind) {
            Some((_, address)) => address.plural.clone(),
            None => kinds::builtin(&target.kind).unwrap_or_else(|| kinds::guess(&target.kind)).plural,
        };
        let granted = |target: &Target| self.claims.grant(&target.kind.group, &resource(target));
        let unclaimed: BTreeSet<String> = left
            .iter()
            .filter(|target| granted(target) == Grant::NotClaimed)
            .map(|target| claims::group_resource(&target.kind.group, &resource(target)))
            .collect();
        let mut ways = String::new();
        if left.iter().any(|target| granted(target) == Grant::Open)
            && let Some(missing) = self.claims.missing()
        {
            ways += &format!("; accept the claims again with: {}", missing.accept);
        }
        if !unclaimed.is_empty() {
            let unclaimed = unclaimed.into_iter().collect::<Vec<_>>().join(", ");
            ways += &format!(
                "; the export does not claim {unclaimed} any more: its provider has to claim it again, by publishing the \
                 version of the definition that needed it and then this one"
            );
        }
        ways
    }

    /// Children on record that nobody saw go: a claim that is revoked at this
    /// moment takes them out of sight before the binding tells. Each is asked
    /// for; those that the server does not show are returned.
    async fn unconfirmed(&mut self) -> Result<Vec<Target>, kcp::Error> {
        let mut unseen = Vec::new();
        for record in inventory::recorded(&self.instance) {
            let known_gone = self.memory.gone.contains(object::text(record, "/uid"));
            let Some(target) = Target::of_record(record).filter(|_| !known_gone) else { continue };
            if !self.is_visible(&target.kind) {
                continue;
            }
            let Some((kind, address)) = kinds::find(&self.serving.kinds, &target.kind) else { continue };
            let target = Target { kind: kind.clone(), ..target };
            match self.cluster.look_for(&target, address).await {
                Ok(None) => {}
                Ok(Some(object)) if object::uid(&object) != object::text(record, "/uid") => {}
                // Whoever may write the status can put any object on record.
                Ok(Some(object)) if !self.owner.owns(&object) || !is_at(&object, &target) => {
                    tracing::info!(%target, "left alone: it is on record, and not the instance's");
                }
                Ok(Some(object)) => {
                    tracing::info!(%target, "deleting a child that was out of sight");
                    if self.cluster.delete(&target, address, object::uid(&object)).await?.is_some() {
                        unseen.push(target);
                    }
                }
                Err(error) if error.code() == Some(403) => unseen.push(target),
                Err(error) => return Err(error),
            }
        }
        self.unseen.extend(unseen.iter().map(|target| target.kind.clone()));
        Ok(unseen)
    }

    async fn stopped(&mut self, stop: Stop) -> Next {
        if let Stop::Verdict(verdict) = stop {
            self.record(&verdict).await;
        }
        Next::Retry
    }
}

/// Whether an object is the one that was asked for.
fn is_at(object: &Value, target: &Target) -> bool {
    Target::of(object).is_some_and(|found| found == *target)
}
