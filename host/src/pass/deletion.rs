//! Taking an instance's children away, and letting it go.

use std::collections::BTreeSet;

use contract::Gvk;
use futures::{StreamExt, stream};
use host_core::{
    claims::{self, Grant},
    defaults, inventory,
    kinds::{self, Kind},
    object::{self, Owner, Target},
    plan::{self, Action, Plan},
    status::{Stage, Verdict},
};
use kcp::Cluster;

use serde_json::Value;

use super::{Next, Pass, ROUNDS_OF_A_TURN, Stop, apply::CONCURRENCY, waits};

/// So many children are deleted in a round, and so many of those on record that
/// nobody saw go are asked for in a turn. A server that takes its time answers eight
/// of them at once.
const REQUESTS_OF_A_ROUND: usize = 64;

/// A child on record that nobody saw go.
struct Missing {
    uid: String,
    target: Target,
    address: Kind,
}

/// What became of it.
enum Fate {
    /// It is gone, or not the instance's.
    Gone,
    /// It is there, or may be.
    Unseen,
}

impl Pass<'_> {
    /// Takes the instance's children away, the last wave first, and lets the
    /// instance go when there are none.
    pub(super) async fn delete(&mut self) -> Next {
        self.memory.settled = None;
        if !self.can_see_children() {
            return self.blind().await;
        }
        self.memory.unnamed |= inventory::is_short(&self.instance);
        // Each round takes one wave, or a part of it; what is held by somebody ends
        // them.
        for _ in 0..ROUNDS_OF_A_TURN {
            if !self.may_go_on() {
                return Next::Retry;
            }
            let (plan, is_part) = first(plan::deletion(&self.inventory()));
            if plan.actions.is_empty() {
                return self.release().await;
            }
            if let Err(stop) = self.apply(&plan).await {
                return self.stopped(stop).await;
            }
            if waits(&plan) && !is_part {
                let names = plan.actions.iter().filter_map(|action| match action {
                    Action::Await(target) => Some(target.to_string()),
                    _ => None,
                });
                let message = format!("waiting for {} to be gone", names.collect::<Vec<_>>().join(", "));
                let recorded = self.record(&Verdict::Deleting { message }).await;
                return if recorded { Next::Wait } else { Next::Retry };
            }
        }
        Next::Again
    }

    /// Lets the instance go, unless a child may still be there.
    async fn release(&mut self) -> Next {
        let mut left = match self.unconfirmed().await {
            Ok((unseen, true)) if unseen.is_empty() => return Next::Again,
            Ok((unseen, _)) => unseen,
            Err(stop) => return self.stopped(stop).await,
        };
        let unnamed = match self.unnamed().await {
            Ok(unnamed) => unnamed,
            Err(stop) => return self.stopped(stop).await,
        };
        let inventory = self.inventory();
        if !inventory.entries().is_empty() {
            // They came into sight again meanwhile.
            return Next::Again;
        }
        let is_told = unnamed.is_empty() && self.unseen.is_empty();
        left.extend(unnamed);
        left.extend(inventory.hidden().iter().filter_map(Target::of_record));
        if !left.is_empty() {
            let names: Vec<String> = left.iter().map(Target::to_string).collect();
            let message = format!("cannot see {} to delete them{}", names.join(", "), self.way_out(&left));
            let recorded = self.record(&Verdict::Deleting { message }).await;
            return if recorded && is_told { Next::Wait } else { Next::Retry };
        }
        tracing::info!("all children are gone");
        match self.write("", &defaults::release(&self.instance)).await {
            Ok(()) => Next::Wait,
            Err(stop) => self.stopped(stop).await,
        }
    }

    /// What would bring children back into sight.
    fn way_out(&self, left: &[Target]) -> String {
        let resource = |target: &Target| match kinds::find(self.kinds(), &target.kind) {
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
    /// moment takes them out of sight before the binding tells. As many as are one
    /// turn are asked for; those that the server does not show are returned, and
    /// whether there are more to ask for.
    async fn unconfirmed(&mut self) -> Result<(Vec<Target>, bool), Stop> {
        let missing = self.missing();
        let more = missing.len() > REQUESTS_OF_A_ROUND;
        let (cluster, owner) = (&self.cluster, &self.owner);
        let asked = missing.into_iter().take(REQUESTS_OF_A_ROUND).map(|missing| async move {
            let fate = ask(cluster, owner, &missing).await;
            (missing, fate)
        });
        let (mut gone, mut unseen) = (Vec::new(), Vec::new());
        // In their order: another failure first would be another status.
        let mut answers = stream::iter(asked).buffered(CONCURRENCY);
        while let Some((missing, fate)) = answers.next().await {
            match fate.map_err(|error| Stop::at(Stage::Applied, &error))? {
                Fate::Gone => gone.push(missing.uid),
                Fate::Unseen => unseen.push(missing.target),
            }
        }
        drop(answers);
        self.unseen.extend(unseen.iter().map(|target| target.kind.clone()));
        if !gone.is_empty() {
            self.confirm_claims().await?;
            self.memory.gone.extend(gone);
        }
        Ok((unseen, more))
    }

    /// Children that the record does not name, where it does not name all: one of each
    /// kind. What is out of sight is not gone, so that the server is asked for them by
    /// their label.
    async fn unnamed(&mut self) -> Result<Vec<Target>, Stop> {
        if !self.memory.unnamed {
            return Ok(Vec::new());
        }
        // Before and afterwards: in between they may be out of sight for a moment.
        self.confirm_claims().await?;
        let (cluster, uid) = (&self.cluster, object::uid(&self.instance));
        let visible: Vec<(Gvk, Kind)> =
            self.kinds().clone().into_iter().filter(|(kind, _)| self.is_visible(kind)).collect();
        let asked = visible.into_iter().map(|(kind, address)| async move {
            let answer = cluster.any_labelled(&kind, &address, (object::INSTANCE_LABEL, uid)).await;
            (kind, answer)
        });
        let (mut found, mut refused) = (Vec::new(), Vec::new());
        let mut answers = stream::iter(asked).buffered(CONCURRENCY);
        while let Some((kind, answer)) = answers.next().await {
            match answer {
                Ok(child) => found.extend(child),
                Err(error) if matches!(error.code(), Some(403 | 404)) => refused.push(kind),
                Err(error) => return Err(Stop::at(Stage::Applied, &error)),
            }
        }
        drop(answers);
        self.unseen.extend(refused);
        self.confirm_claims().await?;
        Ok(found)
    }

    /// What is on record, each once, could be seen, and was not seen to go.
    fn missing(&self) -> Vec<Missing> {
        let mut known: BTreeSet<&str> = self.memory.gone.iter().map(String::as_str).collect();
        let mut missing = Vec::new();
        for record in inventory::recorded(&self.instance) {
            let uid = object::text(record, "/uid");
            let place = Target::of_record(record).filter(|place| self.is_visible(&place.kind));
            // croft records the uid of each.
            let Some(place) = place.filter(|_| !uid.is_empty() && known.insert(uid)) else { continue };
            let Some((kind, address)) = kinds::find(self.kinds(), &place.kind) else { continue };
            let target = Target { kind: kind.clone(), ..place };
            missing.push(Missing { uid: uid.to_owned(), target, address: address.clone() });
        }
        missing
    }

    async fn stopped(&mut self, stop: Stop) -> Next {
        if let Stop::Verdict(verdict) = stop {
            self.record(&verdict).await;
        }
        Next::Retry
    }
}

/// As much of a plan as is one round, and whether that is not all of it. What is
/// waited for takes no request.
fn first(plan: Plan) -> (Plan, bool) {
    let mut room = REQUESTS_OF_A_ROUND;
    let all = plan.actions.len();
    let fits = |action: &Action| {
        let fits = !action.is_a_change() || room > 0;
        room -= usize::from(action.is_a_change() && fits);
        fits
    };
    let actions: Vec<Action> = plan.actions.into_iter().filter(fits).collect();
    let is_part = actions.len() < all;
    (Plan { actions, ..plan }, is_part)
}

/// Asks for one that nobody saw go, and deletes it if it is there.
async fn ask(cluster: &Cluster, owner: &Owner, missing: &Missing) -> Result<Fate, kcp::Error> {
    let Missing { uid, target, address } = missing;
    match cluster.look_for(target, address).await {
        Ok(None) => Ok(Fate::Gone),
        Ok(Some(object)) if object::uid(&object) != uid => Ok(Fate::Gone),
        // Whoever may write the status can put any object on record.
        Ok(Some(object)) if !owner.owns(&object) || !is_at(&object, target) => {
            tracing::info!(%target, "left alone: it is on record, and not the instance's");
            Ok(Fate::Gone)
        }
        Ok(Some(_)) => {
            tracing::info!(%target, "deleting a child that was out of sight");
            let held = cluster.delete(target, address, uid).await?;
            Ok(if held.is_some() { Fate::Unseen } else { Fate::Gone })
        }
        Err(error) if error.code() == Some(403) => Ok(Fate::Unseen),
        Err(error) => Err(error),
    }
}

/// Whether an object is the one that was asked for.
fn is_at(object: &Value, target: &Target) -> bool {
    Target::of(object).is_some_and(|found| found == *target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_of_a_deletion_is_bounded_and_what_is_waited_for_does_not_count() {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let target = |name: String| Target { kind: kind.clone(), namespace: "default".into(), name };
        let waiting = (0..200).map(|number| Action::Await(target(format!("a{number}"))));
        let deletions = (0..100).map(|number| Action::Delete {
            target: target(format!("b{number}")),
            uid: number.to_string(),
            why: String::new(),
        });
        let plan = Plan { actions: waiting.chain(deletions).collect(), conflicts: Vec::new() };
        let (round, is_part) = first(plan);
        let changes = round.actions.iter().filter(|action| action.is_a_change()).count();
        assert_eq!((changes, round.actions.len(), is_part), (REQUESTS_OF_A_ROUND, 200 + REQUESTS_OF_A_ROUND, true));
        let (round, is_part) = first(round);
        assert_eq!((round.actions.len(), is_part), (200 + REQUESTS_OF_A_ROUND, false));
    }
}
