//! Children that were seen before their instance was, as after a restart: only their
//! place was kept, since a label alone makes nobody's object a child.
//!
//! It asks for these and for nothing else; mostly there are none.

use futures::{StreamExt, stream};
use host_core::{
    claims::Grant,
    fault::{Blame, Fault},
    kinds::Kind,
    object::{self, Target},
    status::{self, Stage, Verdict},
};

use super::{Next, Pass, apply::CONCURRENCY, sight::BLIND_ATTEMPTS};

/// So many are asked for in a turn.
const MOST: usize = 64;

impl Pass<'_> {
    /// Asks for the children of which only the place was kept. If they are not all
    /// there by then, what is to be done about the instance.
    pub(super) async fn fetch(&mut self) -> Option<Next> {
        let lacking = self.lacking();
        if lacking.is_empty() {
            return None;
        }
        let (cluster, all) = (&self.cluster, lacking.len());
        // Those that are refused do not keep the others from being asked for.
        let first = usize::try_from(self.memory.attempts).unwrap_or_default().saturating_mul(MOST) % all;
        let asked = lacking.into_iter().cycle().skip(first).take(MOST.min(all));
        let asked = asked.map(|(target, kind)| async move {
            let answer = cluster.look_for(&target, &kind).await;
            (target, answer)
        });
        let mut answers = stream::iter(asked).buffered(CONCURRENCY);
        let (mut found, mut unseen) = (0, None);
        while let Some((target, answer)) = answers.next().await {
            match answer {
                Ok(Some(object)) => {
                    found += 1;
                    self.written.insert(object::text(&object, "/metadata/resourceVersion").to_owned());
                    self.world.wrote(&self.world.children, &self.key.cluster, object);
                }
                // The watch is about to tell.
                Ok(None) => {
                    unseen.get_or_insert_with(|| not_there(&target));
                }
                Err(error) => {
                    tracing::debug!(error = status::chain(&error), "cannot see a child");
                    unseen = Some(unseen.filter(is_refusal).unwrap_or_else(|| refused(&target, &error)));
                }
            }
        }
        drop(answers);
        match (found, unseen) {
            (found, None) if found == all => None,
            (_, None) => Some(Next::Again),
            (_, Some(verdict)) => {
                if self.memory.attempts >= BLIND_ATTEMPTS {
                    self.record(&verdict).await;
                }
                Some(Next::Retry)
            }
        }
    }

    fn lacking(&self) -> Vec<(Target, Kind)> {
        let kinds = self.kinds();
        let lacking = self.world.children.lacking(&self.key.cluster, object::uid(&self.instance));
        let addressed = lacking.into_iter().filter_map(|target| {
            let kind = kinds.get(&target.kind)?.clone();
            Some((target, kind))
        });
        let granted =
            |target: &Target, kind: &Kind| self.claims.grant(&target.kind.group, &kind.plural) == Grant::Accepted;
        addressed.filter(|(target, kind)| granted(target, kind)).collect()
    }
}

/// A child that a watch has shown and the server does not.
fn not_there(target: &Target) -> Verdict {
    Verdict::Stopped {
        stage: Stage::Applied,
        reason: "NotSynced".into(),
        blame: Blame::Host,
        message: format!("{target} was seen as a child of this instance, and the server does not show it"),
    }
}

fn refused(target: &Target, error: &kcp::Error) -> Verdict {
    Verdict::Stopped {
        stage: Stage::Applied,
        reason: error.reason().into(),
        blame: error.blame(),
        message: format!("cannot see the child {target}: {}", status::chain(error)),
    }
}

fn is_refusal(verdict: &Verdict) -> bool {
    !matches!(verdict, Verdict::Stopped { reason, .. } if reason == "NotSynced")
}
