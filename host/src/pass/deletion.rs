//! Taking an instance's children away, and letting it go.

use host_core::{
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
        let mut left: Vec<String> =
            inventory.hidden().iter().filter_map(Target::of_record).map(|t| t.to_string()).collect();
        match self.unconfirmed().await {
            Ok(unseen) => left.extend(unseen),
            Err(error) => return self.stopped(Stop::at(Stage::Applied, &error)).await,
        }
        if !left.is_empty() {
            let accept =
                self.claims.missing().map(|missing| format!("; accept the claims again with: {}", missing.accept));
            let message = format!("cannot see {} to delete them{}", left.join(", "), accept.unwrap_or_default());
            let recorded = self.record(&Verdict::Deleting { message }).await;
            return if recorded && self.unseen.is_empty() { Next::Wait } else { Next::Retry };
        }
        tracing::info!("all children are gone");
        match self.write("", &defaults::release(&self.instance)).await {
            Ok(()) => Next::Wait,
            Err(stop) => self.stopped(stop).await,
        }
    }

    /// Children on record that nobody saw go: a claim that is revoked at this
    /// moment takes them out of sight before the binding tells. Each is asked
    /// for; those that the server does not show are returned.
    async fn unconfirmed(&mut self) -> Result<Vec<String>, kcp::Error> {
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
        Ok(unseen.iter().map(Target::to_string).collect())
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
