//! Writing down what a pass came to.

use std::sync::Arc;

use contract::Rendering;
use host_core::{
    canonical,
    definition::DefinitionKind,
    fault::Blame,
    status::{self, Findings, Stage, Verdict},
};
use serde_json::json;

use crate::{clock, pass::world::Recorded};

use super::{Pass, Stop};

impl Pass<'_> {
    /// Writes the status if it has to change. Whether it is as it should be.
    pub(super) async fn record(&mut self, verdict: &Verdict) -> bool {
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
        match self.write("/status", &json!({"status": patch})).await {
            Ok(()) => {
                let kept = canonical::digest(&self.instance.get("status"));
                let lost = kept != asked.wanted;
                if lost && self.may_be_behind() {
                    return false;
                }
                self.memory.status = Some(Recorded { kept, ..asked });
                true
            }
            Err(Stop::Stale | Stop::Behind { .. }) => false,
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
