//! What the stores do not show any more may be out of sight rather than gone: a
//! claim that is revoked takes objects away before the binding's own event tells,
//! and one that is accepted again brings them back after it. Out of sight is
//! unknown, and not empty: where something is missing that was there before, or
//! nobody knows what was, the server is asked before anything follows from it.
//!
//! A pass for which nothing is missing asks nothing.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use contract::{Gvk, Scope};
use host_core::{
    claims::{Claims, Grant},
    inventory::{self, Inventory, Shown},
    kinds::{self, Kind},
    object::{self, Target},
    status::Stage,
};
use kcp::externals;

use crate::pass::world::Found;

use super::{Pass, Stop};

impl Pass<'_> {
    /// Takes note of what the module is about to see of what it reads. What was
    /// there before and is missing is asked for. Where the consumer does not let
    /// it be seen, what was there stays noted, and policy refuses the rendering.
    pub(super) async fn see(&mut self, observed: &[Shown]) -> Result<(), Stop> {
        let before = std::mem::take(&mut self.memory.found);
        let (mut found, mut doubtful) = (Vec::new(), false);
        for read in self.world.reads(self.key) {
            let own = observed.iter().filter(|seen| seen.id == read.id);
            let uids: BTreeSet<String> = own.map(|seen| object::uid(&seen.object).to_owned()).collect();
            let earlier = before.iter().find(|earlier| earlier.read == read);
            let is_less = earlier.is_some_and(|earlier| !earlier.uids.is_subset(&uids));
            doubtful |= is_less;
            let whole = earlier.is_some_and(|earlier| earlier.whole) && !is_less;
            found.push(Found { read, uids, whole });
        }
        let sure = match doubtful {
            true if self.may_read(&found) => self.ask_for(&mut found).await,
            doubtful => Ok(!doubtful),
        };
        self.memory.found = if matches!(sure, Ok(true)) { found } else { before };
        sure.map(drop)
    }

    /// Whether the consumer lets all of it be seen, as far as it was heard.
    fn may_read(&self, found: &[Found]) -> bool {
        let granted = |kind: &Gvk, address: &Kind| self.claims.grant(&kind.group, &address.plural) == Grant::Accepted;
        let kinds = self.kinds();
        found.iter().all(|found| kinds.get(&found.read.kind).is_some_and(|address| granted(&found.read.kind, address)))
    }

    /// Makes sure that reads found all that there is, where nobody knows: as after
    /// a start. Whether they did.
    pub(super) async fn make_sure(&mut self) -> Result<bool, Stop> {
        if self.memory.found.iter().all(|found| found.whole) {
            return Ok(true);
        }
        let mut found = std::mem::take(&mut self.memory.found);
        let sure = self.ask_for(&mut found).await;
        self.memory.found = found;
        sure
    }

    /// Asks the server for what reads find, unless that is known. It may show less
    /// than the stores have, which the watches are about to tell; where it shows
    /// more, or does not answer, the pass is over. Where the consumer does not let
    /// it be seen, the pass goes on with what the binding says.
    async fn ask_for(&mut self, found: &mut [Found]) -> Result<bool, Stop> {
        let claims = self.current_claims().await?;
        for found in found.iter_mut().filter(|found| !found.whole) {
            let Some(kind) = self.kinds().get(&found.read.kind) else { continue };
            if claims.grant(&found.read.kind.group, &kind.plural) != Grant::Accepted {
                self.claims = Arc::new(claims);
                return Ok(false);
            }
            match externals::look(&self.cluster, &self.instance, &found.read, kind).await {
                Ok(there) if there.is_subset(&found.uids) => found.whole = true,
                Ok(_) => return Err(Stop::Stale),
                Err(error) if matches!(error.code(), Some(403 | 404)) => return Err(Stop::Stale),
                Err(error) => return Err(Stop::at(Stage::Applied, &error)),
            }
        }
        Ok(true)
    }

    /// What the consumer's binding allows at this moment, whatever was heard.
    async fn current_claims(&self) -> Result<Claims, Stop> {
        let kind = Gvk { group: "apis.kcp.io".into(), version: "v1alpha2".into(), kind: "APIBinding".into() };
        let binding = Target { kind, namespace: String::new(), name: self.claims.binding().to_owned() };
        let address = Kind { plural: "apibindings".into(), scope: Scope::Cluster };
        match self.cluster.look_for(&binding, &address).await {
            Ok(Some(binding)) => Ok(Claims::of(&binding)),
            Ok(None) => Err(Stop::Stale),
            Err(error) if matches!(error.code(), Some(403 | 404)) => Err(Stop::Stale),
            Err(error) => Err(Stop::at(Stage::Applied, &error)),
        }
    }

    /// Makes sure that nobody has answered a claim since the binding was heard of: what
    /// a server did not show meanwhile may be out of sight. Otherwise the pass is over.
    pub(super) async fn confirm_claims(&self) -> Result<(), Stop> {
        match self.current_claims().await? == *self.claims {
            true => Ok(()),
            false => Err(Stop::Stale),
        }
    }

    /// Goes on with what the binding allows now, if that can be seen.
    pub(super) async fn learn_claims(&mut self) {
        if let Ok(claims) = self.current_claims().await {
            self.claims = Arc::new(claims);
        }
    }

    /// Whether a child is on record that is missing, and nobody knows why. Where the
    /// record names one of each kind only, it stands for others.
    pub(super) fn misses(&self, inventory: &Inventory) -> bool {
        let is_short = inventory::is_short(&self.instance);
        let has_others = |kind: &Gvk| inventory.entries().iter().any(|owned| kinds::are_one(&owned.target.kind, kind));
        let seen: HashSet<&str> = inventory.entries().iter().map(|owned| owned.uid.as_str()).collect();
        let replaced = |place: &Target| inventory.entries().iter().any(|owned| owned.target == *place);
        inventory::recorded(&self.instance).any(|record| {
            let uid = object::text(record, "/uid");
            let is_accounted_for = |place: &Target| {
                (replaced(place) || self.memory.gone.contains(uid)) && (!is_short || has_others(&place.kind))
            };
            let missing =
                |place: &Target| self.is_visible(&place.kind) && self.is_known(&place.kind) && !is_accounted_for(place);
            !seen.contains(uid) && Target::of_record(record).as_ref().is_some_and(missing)
        })
    }
}
