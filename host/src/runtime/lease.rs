//! One host at a time: a second one on the same export would do everything twice,
//! and each would take the other's writes for news.
//!
//! A host that was killed gives nothing back. Its Lease is taken over when it was
//! not renewed for its duration, and at once if the process is known to be gone.
//! A host that cannot renew begins no pass, and no request of one, once its Lease has run
//! out: by then it may be another's.

use std::{fs, path::Path, process, time::Duration};

use host_core::name::Digest;
use kcp::{
    lease::{self, Held, Lease},
    watch::pause,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{Error, told};
use crate::clock;

/// How long a Lease is good for.
pub(super) const DURATION: Duration = Duration::from_secs(12);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(4);
/// How soon a renewal that failed is tried again: more than once within the
/// duration. It doubles up to the usual pause.
const AGAIN: Duration = Duration::from_secs(1);
/// How often another host's Lease is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// The longest pause of a start that does not get an answer about the Lease.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Until when passes, and requests of passes, may be begun.
pub(super) struct Term(watch::Sender<Option<Instant>>);

impl Term {
    /// `None` is for ever: the host has no Lease that could run out.
    pub(super) fn new(until: Option<Instant>) -> Term {
        Term(watch::Sender::new(until))
    }

    fn extend(&self, until: Instant) {
        self.0.send_replace(Some(until));
    }

    /// Takes note that the Lease is another host's.
    fn end(&self) {
        self.0.send_replace(Some(Instant::now()));
    }

    /// Whether nothing may be written any more: another host may write by now.
    pub(super) fn is_over(&self) -> bool {
        !lasts(&self.0.borrow())
    }

    /// Waits until a pass may be begun.
    pub(super) async fn lasts(&self) {
        // It fails only without a sender, and this is the sender.
        self.0.subscribe().wait_for(lasts).await.ok();
    }
}

fn lasts(until: &Option<Instant>) -> bool {
    until.is_none_or(|until| Instant::now() < until)
}

/// This process, as a Lease names it: machine and number are what people look for,
/// the next part says where that number means this process, and the last one tells
/// this start from all others.
pub(super) fn identity() -> String {
    let realm = realm().unwrap_or_else(|| "elsewhere".to_owned());
    lease::unique(&format!("{}/{}/{realm}", host_name(), process::id()))
}

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

/// Where process numbers mean the same as here: since this boot, in this namespace.
/// `None` if `/proc` does not show the processes of the namespace, all of them.
fn realm() -> Option<String> {
    let own = fs::read_link("/proc/self").ok()?.to_str()? == process::id().to_string();
    // Where others' processes are hidden the first one mostly is.
    let shows_all = own && Path::new("/proc/1").exists();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let both = format!("{} {}", boot.trim(), namespace.display());
    shows_all.then(|| Digest::of(both.as_bytes()).hex()[..12].to_owned())
}

/// Whether a holder was a process of this boot and namespace that does not run any
/// more, or had the number that this one has now.
fn is_gone(holder: &str) -> bool {
    let mut parts = holder.rsplit('/').skip(1);
    let (Some(realm), Some(number), Some(host)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let Ok(number) = number.parse::<u32>() else { return false };
    let is_here = host == host_name() && self::realm().is_some_and(|here| here == realm);
    is_here && (number == process::id() || !Path::new("/proc").join(number.to_string()).exists())
}

/// What a look at the Lease came to.
enum Looked {
    /// It is this host's, until then.
    Taken(Held, Instant),
    /// It may be another's.
    Waits,
    /// It is: this one renews it.
    Renewed(String),
}

/// Takes the Lease, and says until when it is good. `None` if the server does not
/// grant this host one: then nobody can tell whether another one runs. Any other
/// trouble with it is waited out.
///
/// # Errors
/// Another host renews it.
pub(super) async fn acquire(lease: &Lease) -> Result<Option<(Held, Instant)>, Error> {
    let mut other: Option<(Held, Instant)> = None;
    let mut failures = 0;
    loop {
        match look(lease, &mut other).await {
            Ok(Looked::Taken(held, until)) => return Ok(Some((held, until))),
            Ok(Looked::Renewed(holder)) => return Err(Error::AnotherHost { holder }),
            Ok(Looked::Waits) => {
                failures = 0;
                sleep(LOOK).await;
            }
            Err(error) if error.is_denial() => {
                let error = told(&error);
                tracing::warn!(error, "no lease: nothing tells whether another host works on this export");
                return Ok(None);
            }
            Err(error) => {
                tracing::warn!(error = told(&error), "cannot take the lease yet; trying again");
                sleep(pause(failures, LOOK, LONGEST_PAUSE)).await;
                failures += 1;
            }
        }
    }
}

/// Looks at the Lease, and takes it if it is free. `other` is how it was seen first
/// since its holder gave a sign of life, and when.
async fn look(lease: &Lease, other: &mut Option<(Held, Instant)>) -> Result<Looked, kcp::Error> {
    let seen = lease.look().await?;
    let is_ours = |seen: &Held| seen.holder.is_empty() || seen.holder == lease.holder() || is_gone(&seen.holder);
    let since = match (&seen, &*other) {
        (Some(seen), Some((before, since))) if !seen.was_renewed_since(before) => *since,
        (Some(seen), Some(_)) if !is_ours(seen) => return Ok(Looked::Renewed(seen.holder.clone())),
        _ => Instant::now(),
    };
    if seen.as_ref().is_none_or(|seen| is_ours(seen) || since.elapsed() >= DURATION) {
        let asked = Instant::now();
        if let Some(held) = lease.take(seen.as_ref(), &clock::precisely()).await? {
            return Ok(Looked::Taken(held, asked + DURATION));
        }
    } else if let (Some(seen), None) = (&seen, &*other) {
        tracing::info!(holder = seen.holder, "another host had the lease; waiting to see whether it still runs");
    }
    *other = seen.map(|seen| (seen, since));
    Ok(Looked::Waits)
}

/// Renews the Lease for as long as it is this host's, and extends its term. Ends
/// with why it is not any more; a server that does not answer is no reason.
pub(super) async fn keep(lease: &Lease, held: &mut Held, term: &Term) -> Error {
    let (mut is_over, mut failures) = (false, 0);
    let mut rest = RENEWAL;
    loop {
        sleep(rest).await;
        let asked = Instant::now();
        rest = pause(failures, AGAIN, RENEWAL);
        failures += 1;
        match renew(lease, held).await {
            Ok(Some(renewed)) if renewed.holder == lease.holder() => {
                *held = renewed;
                (rest, failures) = (RENEWAL, 0);
                term.extend(asked + DURATION);
                if std::mem::take(&mut is_over) {
                    tracing::info!("the lease is renewed: passes are begun again");
                }
            }
            Ok(Some(other)) => {
                term.end();
                return Error::AnotherHost { holder: other.holder };
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(error = told(&error), "cannot renew the lease"),
        }
        if term.is_over() && !std::mem::replace(&mut is_over, true) {
            tracing::warn!("the lease has run out: no pass is begun before it is renewed");
        }
    }
}

/// Renews the Lease, or looks who changed it.
async fn renew(lease: &Lease, held: &Held) -> Result<Option<Held>, kcp::Error> {
    match lease.take(Some(held), &clock::precisely()).await? {
        None => again(lease).await,
        renewed => Ok(renewed),
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
        let (host, realm) = (host_name(), realm().unwrap());
        assert!(is_gone(&format!("{host}/{number}/{realm}/1")));
        assert!(is_gone(&identity()), "a container that was restarted");
        let unknown = [
            format!("{host}/1/{realm}/1"),
            // The same number since another boot, or in another container.
            format!("{host}/{number}/0123456789ab/1"),
            format!("{host}/{}/elsewhere/1", process::id()),
            format!("elsewhere/{number}/{realm}/1"),
            format!("{host}/../{realm}/1"),
            // As hosts before this one had it.
            format!("{host}/{number}"),
            "elsewhere".to_owned(),
        ];
        for holder in unknown {
            assert!(!is_gone(&holder), "{holder}");
        }
    }

    #[test]
    fn no_two_starts_are_one() {
        assert_ne!(identity(), identity());
    }

    #[tokio::test]
    async fn no_pass_is_begun_after_the_term_and_any_number_once_it_is_extended() {
        let term = Term::new(Some(Instant::now() + DURATION));
        term.lasts().await;
        let term = Term::new(Some(Instant::now()));
        assert!(term.is_over());
        let waited = tokio::time::timeout(Duration::from_millis(10), term.lasts()).await;
        assert!(waited.is_err(), "a pass was begun");
        let (begun, ()) = tokio::join!(tokio::time::timeout(DURATION, term.lasts()), async {
            term.extend(Instant::now() + DURATION);
        });
        begun.unwrap();
        term.end();
        assert!(term.is_over());
        Term::new(None).lasts().await;
    }
}
