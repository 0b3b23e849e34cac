//! Writing down what a pass came to.

use std::sync::Arc;

use contract::{Rendering, shape};
use host_core::{
    canonical,
    definition::DefinitionKind,
    fault::{Blame, Fault},
    inventory::Inventory,
    kinds::Kind,
    object, receipt,
    status::{self, Extent, Findings, Stage, Verdict},
};
use serde_json::{Value, json};

use crate::{clock, pass::world::Recorded};

use super::{Pass, Stop};

impl Pass<'_> {
    /// Writes to the instance and goes on with the answer.
    pub(super) async fn write(&mut self, part: &str, patch: &Value) -> Result<(), Stop> {
        if !(self.may_write)() {
            return Err(Stop::Stale);
        }
        self.send(part, patch).await.map_err(|error| match is_stale(&error) {
            true => Stop::Stale,
            false => Stop::at(Stage::Applied, &error),
        })
    }

    async fn send(&mut self, part: &str, patch: &Value) -> Result<(), kcp::Error> {
        let api = &self.serving.prepared.blueprint.api;
        let address = Kind { plural: api.plural.clone(), scope: api.scope };
        let object = self.cluster.merge(&self.key.target, &address, part, patch).await?;
        self.written.insert(object::text(&object, "/metadata/resourceVersion").to_owned());
        self.overtaken |= part == "/status" && !receipt::is_same_instance(&self.instance, &object);
        self.world.wrote(&self.world.instances, &self.key.cluster, object.clone());
        self.instance = Arc::new(object);
        Ok(())
    }

    /// Writes the status if it has to change. Whether it is as it should be, or as
    /// near to that as the server takes it.
    pub(super) async fn record(&mut self, verdict: &Verdict) -> bool {
        if !self.may_go_on() {
            return false;
        }
        let mut inventory = self.inventory();
        if self.misses(&inventory) {
            self.learn_claims().await;
            inventory = self.inventory();
        }
        match self.record_as(verdict, &inventory, Extent::Whole).await {
            Ok(recorded) => recorded,
            Err(refusal) => self.record_less(verdict, &inventory, refusal).await,
        }
    }

    /// The same to an extent. An error is the server's refusal.
    async fn record_as(
        &mut self,
        verdict: &Verdict,
        inventory: &Inventory,
        extent: Extent,
    ) -> Result<bool, kcp::Error> {
        // Whatever else is watched for definitions some day has croft's
        // conditions and those of kro's first kind.
        let kind = DefinitionKind::named(&self.serving.definition.target.kind);
        let findings = Findings {
            verdict,
            definition: kind.unwrap_or(DefinitionKind::ResourceGroup),
            blueprint: Some(&self.serving.prepared.blueprint),
            rendered: self.last.as_ref().map(|last| (&*last.rendering, &last.receipt)),
            inventory,
            extent,
        };
        let now = clock::now();
        let wanted = status::status(&self.instance, &findings, &now);
        let current = self.instance.get("status");
        let Some(patch) = status::patch(current, &wanted) else { return Ok(true) };
        // A server whose schema lacks a field drops it: asking again would not
        // help before it has another one.
        let schema = self.schema().to_owned();
        let asked = Recorded { wanted: canonical::digest(&wanted), kept: canonical::digest(&current), schema };
        if self.memory.status.as_ref() == Some(&asked) {
            return Ok(true);
        }
        tracing::info!(state = verdict.state(), "recording");
        match self.send("/status", &json!({"status": &patch})).await {
            Ok(()) => {}
            Err(error) if is_stale(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        let current = self.instance.get("status");
        // What was not sent and is other than wanted, somebody else wrote in
        // this very moment.
        if status::patch(current, &wanted).is_some_and(|left| !is_within(&left, &patch)) {
            return Ok(false);
        }
        let kept = canonical::digest(&current);
        let lost = kept != asked.wanted;
        if lost && self.may_be_behind() {
            return Ok(false);
        }
        self.memory.status = Some(Recorded { kept, ..asked });
        Ok(true)
    }

    /// The server did not take the status. If that is because of what the module
    /// says in it, fields and conditions, the instance is told so without. If it is
    /// too much even so, as little is said as is true.
    async fn record_less(&mut self, verdict: &Verdict, inventory: &Inventory, mut refusal: kcp::Error) -> bool {
        tracing::warn!(error = status::chain(&refusal), "cannot write the status");
        if let Some(last) = &mut self.last
            && refusal.blame() == Blame::Input
            && says_something(&last.rendering)
        {
            let rendering = Arc::make_mut(&mut last.rendering);
            rendering.status.clear();
            rendering.conditions.clear();
            let (stage, reason, message) = (Stage::Applied, "StatusRejected".to_owned(), status::chain(&refusal));
            let told = Verdict::Stopped { stage, reason, blame: Blame::Input, message };
            match self.record_as(&told, inventory, Extent::Whole).await {
                Ok(recorded) => return recorded,
                Err(error) => refusal = error,
            }
        }
        let size = shape::bytes(&self.instance) + shape::bytes(&inventory.record());
        if !refusal.is_about_size(size) {
            return false;
        }
        let told = too_large(verdict, &refusal, inventory.len());
        let recorded = self.record_as(&told, inventory, Extent::Short).await;
        recorded.unwrap_or_else(|error| {
            tracing::warn!(error = status::chain(&error), "cannot write the shortest status either");
            false
        })
    }
}

/// What a pass came to, where the status cannot say it all.
fn too_large(verdict: &Verdict, refusal: &kcp::Error, children: usize) -> Verdict {
    let why = format!(
        "the server does not take the whole status, so that it says nothing of what the definition states, and names of \
         {children} children one of each kind: {}",
        status::chain(refusal)
    );
    match verdict {
        Verdict::Deleting { message } => Verdict::Deleting { message: format!("{message}; {why}") },
        Verdict::Stopped { stage, reason, blame, message } => Verdict::Stopped {
            stage: *stage,
            reason: reason.clone(),
            blame: *blame,
            message: format!("{message}; {why}"),
        },
        Verdict::Ready | Verdict::Waiting { .. } | Verdict::Suspended { .. } => Verdict::Stopped {
            stage: Stage::Ready,
            reason: "StatusTooLarge".to_owned(),
            blame: Blame::Input,
            message: why,
        },
    }
}

/// Whether the instance is gone, or another one by now.
fn is_stale(error: &kcp::Error) -> bool {
    matches!(error.code(), Some(404 | 409))
}

fn says_something(rendering: &Rendering) -> bool {
    !rendering.status.is_empty() || !rendering.conditions.is_empty()
}

/// Whether every field of a patch is one of another's.
fn is_within(patch: &Value, other: &Value) -> bool {
    match (patch, other) {
        (Value::Object(fields), Value::Object(others)) => {
            fields.iter().all(|(name, value)| others.get(name).is_some_and(|other| is_within(value, other)))
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_within_one_that_has_its_fields_whatever_they_say() {
        let sent = json!({"a": 1, "b": {"c": [1], "d": null}});
        for within in [json!({}), json!({"a": 2}), json!({"b": {"c": [2, 3]}}), json!({"b": {"d": {"e": 1}}})] {
            assert!(is_within(&within, &sent), "{within}");
        }
        for beside in [json!({"x": 1}), json!({"b": {"x": null}}), json!({"a": 1, "b": {"c": [1], "e": 1}})] {
            assert!(!is_within(&beside, &sent), "{beside}");
        }
    }
}
