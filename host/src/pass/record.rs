//! Writing down what a pass came to.

use std::sync::Arc;

use contract::Rendering;
use host_core::{
    canonical,
    definition::DefinitionKind,
    fault::Blame,
    status::{self, Findings, Stage, Verdict},
};
use serde_json::{Value, json};

use crate::{clock, pass::world::Recorded};

use super::{Pass, Stop};

impl Pass<'_> {
    /// Writes the status if it has to change. Whether it is as it should be.
    pub(super) async fn record(&mut self, verdict: &Verdict) -> bool {
        if !self.is_in_sight() {
            return false;
        }
        let mut inventory = self.inventory();
        if self.misses(&inventory) {
            self.learn_claims().await;
            inventory = self.inventory();
        }
        // Whatever else is watched for definitions some day has croft's
        // conditions and those of kro's first kind.
        let kind = DefinitionKind::named(&self.serving.definition.target.kind);
        let findings = Findings {
            verdict,
            definition: kind.unwrap_or(DefinitionKind::ResourceGroup),
            blueprint: Some(&self.serving.prepared.blueprint),
            rendered: self.last.as_ref().map(|last| (&*last.rendering, &last.receipt)),
            inventory: &inventory,
        };
        let now = clock::now();
        let wanted = status::status(&self.instance, &findings, &now);
        let current = self.instance.get("status");
        let Some(patch) = status::patch(current, &wanted) else { return true };
        // A server whose schema lacks a field drops it: asking again would not
        // help before it has another one.
        let schema = self.schema().to_owned();
        let asked = Recorded { wanted: canonical::digest(&wanted), kept: canonical::digest(&current), schema };
        if self.memory.status.as_ref() == Some(&asked) {
            return true;
        }
        tracing::info!(state = verdict.state(), "recording");
        match self.write("/status", &json!({"status": &patch})).await {
            Ok(()) => {
                let current = self.instance.get("status");
                // What was not sent and is other than wanted, somebody else wrote in
                // this very moment.
                if status::patch(current, &wanted).is_some_and(|left| !is_within(&left, &patch)) {
                    return false;
                }
                let kept = canonical::digest(&current);
                let lost = kept != asked.wanted;
                if lost && self.may_be_behind() {
                    return false;
                }
                self.memory.status = Some(Recorded { kept, ..asked });
                true
            }
            Err(Stop::Stale | Stop::Turn | Stop::Behind { .. }) => false,
            Err(Stop::Verdict(refusal)) => Box::pin(self.record_without_projection(refusal)).await,
        }
    }

    /// The server did not take the status. If that is because of what the module
    /// says in it, fields and conditions, the instance is told so without.
    async fn record_without_projection(&mut self, refusal: Verdict) -> bool {
        let Verdict::Stopped { blame, message, .. } = refusal else { return false };
        tracing::warn!(message, "cannot write the status");
        match &mut self.last {
            Some(last) if blame == Blame::Input && says_something(&last.rendering) => {
                let rendering = Arc::make_mut(&mut last.rendering);
                rendering.status.clear();
                rendering.conditions.clear();
                let (stage, reason) = (Stage::Applied, "StatusRejected".to_owned());
                self.record(&Verdict::Stopped { stage, reason, blame, message }).await
            }
            _ => false,
        }
    }
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
