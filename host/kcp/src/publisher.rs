//! Puts a publication into the provider's workspace, and a binding into a
//! consumer's, and waits until they hold.
//!
//! What is published is `publish`'s decision.

use std::time::{Duration, Instant};

use contract::Gvk;
use serde_json::Value;

use super::{Cluster, Error, cluster::Force};
use host_core::{
    claims::{Claims, Grant},
    definition::DefinitionKind,
    kinds::{self, Kind},
    object::{self, Target},
};

/// The pause between two looks at something that is waited for.
const PAUSE: Duration = Duration::from_millis(250);

/// Why something did not come to hold.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// A request failed.
    #[error(transparent)]
    Request(#[from] Error),
    /// It took too long.
    #[error("{what} is not there after {seconds} s{last}")]
    Late {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// What was seen last, with `: ` before it.
        last: String,
    },
    /// An object has no kind that the host knows how to address.
    #[error("an object without a kind cannot be applied")]
    NoKind,
}

/// Applies an object, again and again while the server does not serve its kind
/// yet: a CRD or a binding may just have been made.
///
/// # Errors
/// The server refuses it, or does not serve its kind within `patience`.
pub async fn put(cluster: &Cluster, object: &Value, patience: Duration) -> Result<Value, Unfinished> {
    let kind = Gvk::of(object).ok_or(Unfinished::NoKind)?;
    let address = address(&kind);
    let began = Instant::now();
    loop {
        match cluster.apply(object, &address, Force::Yes).await {
            Ok(object) => return Ok(object),
            Err(error) if is_not_served_yet(&error) && began.elapsed() < patience => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Asks the server whether it would take an object, and changes nothing. A kind
/// that is not served yet cannot be asked about.
///
/// # Errors
/// The server refuses the object.
pub async fn rehearse(cluster: &Cluster, object: &Value) -> Result<(), Unfinished> {
    let kind = Gvk::of(object).ok_or(Unfinished::NoKind)?;
    let address = address(&kind);
    match cluster.apply(object, &address, Force::Rehearse).await {
        Err(error) if error.code() != Some(404) => Err(error.into()),
        _ => Ok(()),
    }
}

/// What stands in the place of an object.
///
/// # Errors
/// The server does not answer, or refuses.
pub async fn standing(cluster: &Cluster, object: &Value) -> Result<Option<Value>, Unfinished> {
    let target = Target::of(object).ok_or(Unfinished::NoKind)?;
    Ok(cluster.get(&target, &address(&target.kind)).await?)
}

/// 404 for a kind that is on its way, 403 while its rights are, 409 while a
/// controller of kcp writes to the same object.
fn is_not_served_yet(error: &Error) -> bool {
    matches!(error.code(), Some(404 | 409 | 503)) || (error.code() == Some(403) && error.to_string().contains("denied"))
}

fn address(kind: &Gvk) -> Kind {
    let definition = DefinitionKind::named(kind).map(DefinitionKind::address);
    definition.or_else(|| kinds::builtin(kind)).unwrap_or_else(|| kinds::guess(kind))
}

/// Waits until a condition of an object is `True`, or its phase is the one
/// given.
///
/// # Errors
/// A request fails, or it takes longer than `patience`.
pub async fn wait(
    cluster: &Cluster,
    target: &Target,
    what: &str,
    patience: Duration,
    holds: impl Fn(&Value) -> bool,
) -> Result<Value, Unfinished> {
    let (began, address) = (Instant::now(), address(&target.kind));
    loop {
        let object = cluster.get(target, &address).await?;
        match object {
            Some(object) if holds(&object) => return Ok(object),
            object if began.elapsed() >= patience => {
                let last = object.as_ref().and_then(trouble).map(|text| format!(": {text}")).unwrap_or_default();
                return Err(Unfinished::Late { what: what.to_owned(), seconds: patience.as_secs(), last });
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// What an object's conditions complain about.
fn trouble(object: &Value) -> Option<String> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    let bad = conditions
        .iter()
        .find(|condition| condition["status"] == "False" && !object::text(condition, "/message").is_empty())?;
    Some(format!("{} is False: {}", object::text(bad, "/type"), object::text(bad, "/message")))
}

/// Whether a condition of an object is `True`.
pub fn is_true(object: &Value, condition: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    conditions.clone().any(|known| known["type"] == condition && known["status"] == "True")
}

/// Makes a binding, waits until kcp has bound it, and accepts what is missing of
/// its claims if `accept`. Returns the claims as they are then.
///
/// # Errors
/// A request fails, or it takes longer than `patience`.
pub async fn bind(cluster: &Cluster, binding: &Value, accept: bool, patience: Duration) -> Result<Claims, Unfinished> {
    let made = put(cluster, binding, patience).await?;
    let target = Target::of(&made).ok_or(Unfinished::NoKind)?;
    let phase = |object: &Value| object::text(object, "/status/phase") == "Bound";
    let what = format!("the binding of {}", target.name);
    let bound = wait(cluster, &target, &what, patience, phase).await?;
    let claims = Claims::of(&bound);
    if !accept || claims.wanted().is_empty() {
        return Ok(claims);
    }
    if claims.missing().is_some() {
        cluster.patch(&target, &address(&target.kind), &claims.acceptance()).await?;
    }
    let applied = |object: &Value| {
        let now = Claims::of(object);
        let is_accepted = |claim: &Value| {
            now.grant(object::text(claim, "/group"), object::text(claim, "/resource")) == Grant::Accepted
        };
        claims.wanted().iter().all(is_accepted)
    };
    let what = format!("the acceptance of the claims of {}", target.name);
    Ok(Claims::of(&wait(cluster, &target, &what, patience, applied).await?))
}
