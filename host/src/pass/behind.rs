//! What is done while a server does not keep what is written: it drops what its
//! schema does not have, and the schema of a new version arrives in a workspace
//! some seconds after the version itself.
//!
//! None of it is the module's fault.

use serde_json::Value;

use super::{Next, Pass};
use host_core::{
    fault::Blame,
    name::Digest,
    plan::{Action, Plan},
    status::{Stage, Verdict},
};

/// The module renders something else each time it sees its own work.
pub(super) const UNSTABLE: &str = "Unstable";
/// The module renders the same, and the server makes something else of it.
pub(super) const NOT_KEPT: &str = "NotKept";

/// After so many attempts, about a minute, an instance whose schema does not
/// arrive says so: kcp takes seconds.
const BEHIND_ATTEMPTS: u32 = 8;

/// So many times, within two seconds, a status that lost a field is written
/// again. kcp tells of a new schema a moment before it serves by it.
const STATUS_ATTEMPTS: u32 = 3;

impl Pass<'_> {
    /// The schema by which the workspace serves the instance.
    pub(super) fn schema(&self) -> &str {
        let api = &self.serving.prepared.blueprint.api;
        self.claims.schema(&api.kind.group, &api.plural)
    }

    /// Whether a field that a status lost may be there in a moment: the schema is
    /// not the one that lost it before.
    pub(super) fn may_be_behind(&self) -> bool {
        let known = self.memory.status.as_ref().is_some_and(|recorded| recorded.schema == self.schema());
        !known && self.memory.attempts < STATUS_ATTEMPTS
    }

    /// What is done while the server drops defaults: the version that has them is
    /// not in force in this workspace yet. What the instance says stays as it is,
    /// until the wait is too long to be a matter of time.
    pub(super) async fn behind(&mut self, lost: &Value) -> Next {
        if self.memory.attempts >= BEHIND_ATTEMPTS {
            let fields = fields(lost, "spec").join("`, `");
            let message = format!(
                "this workspace does not serve `{fields}` yet, which the definition has; if it stays so, the provider has \
                 to publish the definition with `croft publish`"
            );
            let (stage, reason) = (Stage::Accepted, "SchemaNotServed".to_owned());
            self.record(&Verdict::Stopped { stage, reason, blame: Blame::Host, message }).await;
        }
        Next::Retry
    }
}

/// The paths of the leaves, such as `spec.config.size`.
fn fields(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().flat_map(|(name, value)| self::fields(value, &format!("{path}.{name}"))).collect()
        }
        _ => vec![path.to_owned()],
    }
}

/// Why `most` rounds did not settle an instance: if the module answered the same
/// in the last two and there still was something to do, it was not the module.
pub(super) fn unsettled(most: usize, outputs: &[Digest], plan: &Plan) -> Verdict {
    match outputs {
        [.., before, last] if before == last => Verdict::Stopped {
            stage: Stage::Applied,
            reason: NOT_KEPT.into(),
            blame: Blame::Host,
            message: match plan.actions.iter().find(|action| action.is_a_change()).map(Action::target) {
                Some(target) => format!("the server does not keep {target} as it is written, {most} times in a row"),
                None => format!("the server does not keep the instance as it is written, {most} times in a row"),
            },
        },
        _ => Verdict::Stopped {
            stage: Stage::Rendered,
            reason: UNSTABLE.into(),
            blame: Blame::Module,
            message: format!("the rendering still changes after {most} rounds"),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_answers_the_same_is_not_to_blame_for_what_does_not_settle() {
        let (one, other) = (Digest::of(b"1"), Digest::of(b"2"));
        let blame = |outputs: &[Digest]| match unsettled(4, outputs, &Plan::default()) {
            Verdict::Stopped { reason, blame, .. } => (reason, blame),
            verdict => panic!("{verdict:?}"),
        };
        assert_eq!(blame(&[one.clone(), other.clone()]), ("Unstable".into(), Blame::Module));
        assert_eq!(blame(&[one, other.clone(), other]), ("NotKept".into(), Blame::Host));
    }

    #[test]
    fn lost_fields_are_told_by_their_paths() {
        let lost = json!({"size": 1, "config": {"tags": [], "deep": {"er": {}}}});
        let mut paths = fields(&lost, "spec");
        paths.sort();
        assert_eq!(paths, ["spec.config.deep.er", "spec.config.tags", "spec.size"]);
    }
}
