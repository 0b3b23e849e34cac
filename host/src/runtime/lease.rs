//! One host at a time: a second one on the same export would do everything twice,
//! and each would take the other's writes for news.
//!
//! A host that was killed gives nothing back. Its Lease is taken over when it was
//! not renewed for its duration, and at once if the process is known to be gone.

use std::{path::Path, process, time::Duration};

use kcp::lease::{Held, Lease};
use tokio::time::{Instant, sleep};

use super::{Error, told};
use crate::clock;

/// How long a Lease is good for.
pub(super) const DURATION: Duration = Duration::from_secs(12);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(4);
/// How often another host's Lease is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// This process, as a Lease names it: what people look for, and no other.
pub(super) fn identity() -> String {
    format!("{}/{}", host_name(), process::id())
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// Whether a holder was a process of this machine that does not run any more, or
/// had the number that this one has now, as after the restart of a container.
fn is_gone(holder: &str) -> bool {
    let Some((host, number)) = holder.rsplit_once('/') else { return false };
    let here = host == host_name() && Path::new("/proc/self").exists();
    here && (number == process::id().to_string() || !Path::new("/proc").join(number).exists())
}

/// Takes the Lease. `None` if the server does not let this host have one: then
/// nobody can tell whether another one runs.
///
/// # Errors
/// Another host renews it.
pub(super) async fn acquire(lease: &Lease) -> Result<Option<Held>, Error> {
    let mut other: Option<(Held, Instant)> = None;
    loop {
        let seen = match lease.look().await {
            Ok(seen) => seen,
            Err(error) => return Ok(without(&error)),
        };
        let since = match (&seen, &other) {
            (Some(seen), Some((before, since))) if seen == before => *since,
            (Some(seen), Some(_)) if !seen.holder.is_empty() => {
                return Err(Error::AnotherHost { holder: seen.holder.clone() });
            }
            _ => Instant::now(),
        };
        let is_free = seen.as_ref().is_none_or(|seen| {
            seen.holder.is_empty()
                || seen.holder == lease.holder()
                || is_gone(&seen.holder)
                || since.elapsed() >= DURATION
        });
        if is_free {
            match lease.take(seen.as_ref(), &clock::precisely()).await {
                Ok(Some(held)) => return Ok(Some(held)),
                Ok(None) => {}
                Err(error) => return Ok(without(&error)),
            }
        } else if let (Some(seen), None) = (&seen, &other) {
            tracing::info!(holder = seen.holder, "another host had the lease; waiting to see whether it still runs");
        }
        other = seen.map(|seen| (seen, since));
        sleep(LOOK).await;
    }
}

fn without(error: &kcp::Error) -> Option<Held> {
    tracing::warn!(error = told(error), "no lease: nothing tells whether another host works on this export");
    None
}

/// Renews the Lease for as long as it is this host's. Ends with why it is not any
/// more; a server that does not answer is no reason.
pub(super) async fn keep(lease: &Lease, held: &mut Held) -> Error {
    loop {
        sleep(RENEWAL).await;
        let renewed = match lease.take(Some(held), &clock::precisely()).await {
            Ok(None) => again(lease).await,
            renewed => renewed,
        };
        match renewed {
            Ok(Some(renewed)) if renewed.holder == lease.holder() => *held = renewed,
            Ok(Some(other)) => return Error::AnotherHost { holder: other.holder },
            Ok(None) => {}
            Err(error) => tracing::warn!(error = told(&error), "cannot renew the lease"),
        }
    }
}

/// Looks who changed the Lease, and takes it again from whoever merely edited it.
async fn again(lease: &Lease) -> Result<Option<Held>, kcp::Error> {
    match lease.look().await? {
        Some(seen) if !seen.holder.is_empty() && seen.holder != lease.holder() => Ok(Some(seen)),
        seen => lease.take(seen.as_ref(), &clock::precisely()).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_here_is_gone_and_one_elsewhere_is_not_known_to_be() {
        let mut child = process::Command::new("true").spawn().unwrap();
        let number = child.id();
        child.wait().unwrap();
        assert!(is_gone(&format!("{}/{number}", host_name())));
        assert!(is_gone(&identity()), "a container that was restarted");
        assert!(!is_gone(&format!("{}/1", host_name())));
        assert!(!is_gone(&format!("elsewhere/{number}")) && !is_gone("elsewhere"));
    }
}
