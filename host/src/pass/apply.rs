//! Sends what a plan says, and nothing else.
//!
//! It decides nothing: which object, which fields and which precondition all
//! come from the plan.

use std::collections::BTreeMap;

use contract::Gvk;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use host_core::{
    claims::group_resource,
    fault::{Blame, Fault},
    kinds::{Kind, Kinds},
    managed_fields,
    object::{Owner, Target},
    plan::{Action, Plan},
    policy::Admitted,
};
use kcp::{Cluster, cluster::Force};
use serde_json::{Value, json};

use super::MayWrite;

/// Requests of one instance under way at once: enough to hide the latency of
/// kcp's store, few enough that a large instance leaves room for others.
pub(super) const CONCURRENCY: usize = 8;

/// What became of one action.
#[derive(Clone, Debug)]
pub enum Done {
    /// The object as it is now, and as it was applied.
    Written {
        /// What was sent.
        manifest: Value,
        /// What the server made of it.
        object: Value,
    },
    /// There is one already that is the instance's: the answer to an earlier
    /// creation was lost.
    Found {
        /// The object.
        object: Value,
    },
    /// The object is gone, or on its way out if it is given.
    Deleted {
        /// Where it was.
        target: Target,
        /// The uid that it had.
        uid: String,
        /// The object, if something still holds it.
        held: Option<Value>,
    },
}

/// A child could not be brought about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is an object that was not seen before.
    #[error("{target} exists already and is not croft's")]
    Exists {
        /// The object.
        target: Target,
    },
    /// The namespace is missing.
    #[error("there is no namespace `{namespace}` for {target}; create it, or name another")]
    NoNamespace {
        /// The object.
        target: Target,
        /// The namespace.
        namespace: String,
    },
    /// The workspace does not let croft do it.
    #[error("the workspace does not let croft write {resource}")]
    Forbidden {
        /// The kind.
        kind: Gvk,
        /// The resource.
        resource: String,
        /// The server's words.
        #[source]
        source: kcp::Error,
    },
    /// The child is of a kind that the server does not serve (any more).
    #[error("cannot delete {target}: the server does not serve its kind")]
    UnknownKind {
        /// The object.
        target: Target,
    },
    /// Anything else.
    #[error(transparent)]
    Request(#[from] kcp::Error),
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::Exists { .. } => "Conflict",
            Error::NoNamespace { .. } => "NamespaceNotFound",
            Error::Forbidden { .. } => "Forbidden",
            Error::UnknownKind { .. } => "KindNotServed",
            Error::Request(error) => error.reason(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Exists { .. } | Error::NoNamespace { .. } => Blame::Consumer,
            // A claim that was just revoked shows up here first; the binding's
            // own event follows and tells it properly.
            Error::Forbidden { .. } | Error::UnknownKind { .. } => Blame::Host,
            Error::Request(error) => error.blame(),
        }
    }
}

/// Carries a plan out: creations and changes first, then deletions, several at
/// once each, for as long as the host may write. `done` hears of every success, also
/// when another action fails.
///
/// # Errors
/// The failure of the first action that failed, in the plan's order: which one is
/// answered first is chance, and another message would be another status.
/// Deletions are not begun after one.
pub async fn apply(place: Place<'_>, plan: &Plan, mut done: impl FnMut(Done)) -> Result<(), Error> {
    let writes = plan.actions.iter().filter_map(|action| write(place, action)).collect();
    send(place.may_write, writes, &mut done).await?;
    let deletions = plan.actions.iter().filter_map(|action| delete(place, action)).collect();
    send(place.may_write, deletions, &mut done).await
}

/// Where a plan is carried out, and for whom.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The instance's logical cluster.
    pub cluster: &'a Cluster,
    /// How the children's kinds are addressed.
    pub kinds: &'a Kinds,
    /// The instance.
    pub owner: &'a Owner,
    /// Whether another request may be begun.
    pub may_write: MayWrite<'a>,
}

async fn send(may_write: MayWrite<'_>, requests: Vec<Sending<'_>>, done: &mut impl FnMut(Done)) -> Result<(), Error> {
    let numbered = requests.into_iter().enumerate();
    let numbered: Vec<BoxFuture<'_, _>> =
        numbered.map(|(at, request)| request.map(move |result| (at, result)).boxed()).collect();
    // Each is taken, and so begun, when another one has ended.
    let mut waiting = numbered.into_iter();
    let begun = std::iter::from_fn(move || if may_write() { waiting.next() } else { None });
    let mut answers = stream::iter(begun).buffer_unordered(CONCURRENCY);
    let mut failures = BTreeMap::new();
    while let Some((at, result)) = answers.next().await {
        match result {
            Ok(success) => done(success),
            Err(error) => drop(failures.insert(at, error)),
        }
    }
    failures.into_values().next().map_or(Ok(()), Err)
}

/// A request under way.
type Sending<'a> = BoxFuture<'a, Result<Done, Error>>;

/// The request that a creation or change takes; `None` for other actions.
fn write<'a>(place: Place<'a>, action: &'a Action) -> Option<Sending<'a>> {
    let kind = place.kinds.get(&action.target().kind);
    match action {
        Action::Create(child) => Some(create(place, kind?, child).boxed()),
        Action::Update { child, uid, why, shrinks } => {
            tracing::info!(target = %child.target(), why, "applying");
            Some(update(place.cluster, kind?, child, uid, *shrinks).boxed())
        }
        Action::Keep(_) | Action::Delete { .. } | Action::Await(_) => None,
    }
}

/// An apply could not be told to create only: it would merge into what came into
/// being meanwhile, wherever the two do not differ.
async fn create(place: Place<'_>, kind: &Kind, child: &Admitted) -> Result<Done, Error> {
    tracing::info!(target = %child.target(), why = "it is missing", "creating");
    match place.cluster.create(child.manifest(), kind).await {
        Ok(object) => Ok(Done::Written { manifest: child.manifest().clone(), object }),
        Err(error) if error.is_occupied() => match place.cluster.look_for(child.target(), kind).await? {
            Some(object) if place.owner.owns(&object) => Ok(Done::Found { object }),
            _ => Err(Error::Exists { target: child.target().clone() }),
        },
        Err(error) => Err(explain(error, child, kind)),
    }
}

async fn update(cluster: &Cluster, kind: &Kind, child: &Admitted, uid: &str, shrinks: bool) -> Result<Done, Error> {
    let mut manifest = child.manifest().clone();
    // Makes the server refuse if the object is another by now.
    manifest["metadata"]["uid"] = uid.into();
    let apply = async || cluster.apply(&manifest, kind, Force::Yes).await.map_err(|error| explain(error, child, kind));
    let mut object = apply().await?;
    let left = if shrinks { managed_fields::reclaimed(&object, &manifest) } else { None };
    if let Some(fields) = left {
        tracing::debug!(target = %child.target(), "taking fields back to remove them");
        let version = &object["metadata"]["resourceVersion"];
        let patch = json!({"metadata": {"resourceVersion": version, "managedFields": fields}});
        cluster.merge(child.target(), kind, "", &patch).await?;
        object = apply().await?;
    }
    Ok(Done::Written { manifest: child.manifest().clone(), object })
}

/// The request that a deletion takes; `None` for other actions.
fn delete<'a>(place: Place<'a>, action: &'a Action) -> Option<Sending<'a>> {
    let Action::Delete { target, uid, why } = action else { return None };
    let sending = async move {
        let kind = place.kinds.get(&target.kind).ok_or_else(|| Error::UnknownKind { target: target.clone() })?;
        tracing::info!(%target, why, "deleting");
        let sent = place.cluster.delete(target, kind, uid).await;
        let held = sent.map_err(|error| match error.code() {
            // Out of sight, or not served any more.
            Some(403 | 404) => forbidden(target, kind, error),
            _ => Error::Request(error),
        })?;
        Ok(Done::Deleted { target: target.clone(), uid: uid.clone(), held })
    };
    Some(sending.boxed())
}

/// What a refusal means for the child.
fn explain(error: kcp::Error, child: &Admitted, kind: &Kind) -> Error {
    let target = child.target().clone();
    match error.code() {
        Some(404) if error.to_string().contains("namespaces") => {
            Error::NoNamespace { namespace: target.namespace.clone(), target }
        }
        Some(403) => forbidden(&target, kind, error),
        _ => Error::Request(error),
    }
}

fn forbidden(target: &Target, kind: &Kind, source: kcp::Error) -> Error {
    let resource = group_resource(&target.kind.group, &kind.plural);
    Error::Forbidden { kind: target.kind.clone(), resource, source }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[tokio::test]
    async fn no_request_is_begun_once_the_host_may_not_write_and_those_under_way_are_heard_of() {
        let begun = AtomicUsize::new(0);
        let request = |_| {
            let sending = async {
                begun.fetch_add(1, SeqCst);
                tokio::task::yield_now().await;
                Ok(Done::Found { object: Value::Null })
            };
            sending.boxed()
        };
        for (most, expected) in [(0, 0), (20, 20), (usize::MAX, 100)] {
            begun.store(0, SeqCst);
            let (asked, mut heard) = (AtomicUsize::new(0), 0);
            let may_write = || asked.fetch_add(1, SeqCst) < most;
            send(&may_write, (0..100).map(request).collect(), &mut |_| heard += 1).await.unwrap();
            assert_eq!((begun.load(SeqCst), heard), (expected, expected));
        }
    }
}
