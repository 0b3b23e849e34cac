//! What a pass amounts to: what its end says of the instance, and when the next
//! one is due.

use host_core::{
    fault::Blame,
    plan::{Action, Conflict, Plan},
    status::{self, Stage, Verdict},
};

use super::{Next, Pass, behind};

impl Pass<'_> {
    /// What a finished pass amounts to.
    pub(super) fn verdict(&self, plan: &Plan) -> Verdict {
        let rendering = self.last.as_ref().map(|last| &last.rendering);
        if let Some(message) = rendering.and_then(|rendering| rendering.suspended.clone()) {
            return Verdict::Suspended { message };
        }
        if !plan.conflicts.is_empty() {
            let conflicts: Vec<String> = plan.conflicts.iter().map(Conflict::to_string).collect();
            return Verdict::Stopped {
                stage: Stage::Applied,
                reason: "Conflict".into(),
                blame: Blame::Consumer,
                message: conflicts.join("; "),
            };
        }
        let going = plan.actions.iter().find_map(|action| match action {
            Action::Await(target) => Some(format!("{target} is still being deleted")),
            _ => None,
        });
        match rendering.and_then(|rendering| status::waiting(rendering)).or(going) {
            Some(message) => Verdict::Waiting { message },
            None => Verdict::Ready,
        }
    }
}

/// What is to be done after a pass that was stopped. What a module answers, and
/// what policy says of it, is the same for the same input: only what may have
/// changed without an event is worth another look.
pub(super) fn after(verdict: &Verdict) -> Next {
    match verdict {
        Verdict::Stopped { reason, .. } if reason == behind::UNSTABLE || reason == behind::NOT_KEPT => Next::Hold,
        Verdict::Stopped { blame: Blame::Host, .. } => Next::Retry,
        // Namespaces are not watched, nor are objects that a claim's selector
        // leaves out.
        Verdict::Stopped { reason, .. } if reason == "NamespaceNotFound" || reason == "Conflict" => Next::Retry,
        // What the server refused may be a policy's doing, and policies of
        // consumers are not watched either.
        Verdict::Stopped { reason, .. } if reason == "Rejected" => Next::Later,
        _ => Next::Wait,
    }
}

/// A failed render, told with what the module says is wrong.
pub(super) fn refusal(error: &sandbox::Error) -> Verdict {
    let mut verdict = Verdict::stopped(Stage::Rendered, error);
    if let (Verdict::Stopped { message, .. }, Some(problems)) = (&mut verdict, error.problems_in_words()) {
        *message = problems;
    }
    verdict
}

pub(super) fn gone_definition() -> Verdict {
    Verdict::Stopped {
        stage: Stage::Accepted,
        reason: "DefinitionGone".into(),
        blame: Blame::Input,
        message: "the provider has deleted the definition; the children are left as they are".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_policy_may_have_refused_is_tried_again_at_the_long_pause() {
        let stopped = |reason: &str, blame| {
            after(&Verdict::Stopped { stage: Stage::Applied, reason: reason.into(), blame, message: String::new() })
        };
        assert_eq!(stopped("Rejected", Blame::Input), Next::Later);
        assert_eq!(stopped("Forbidden", Blame::Host), Next::Retry);
        assert_eq!(stopped("InvalidName", Blame::Input), Next::Wait);
    }
}
