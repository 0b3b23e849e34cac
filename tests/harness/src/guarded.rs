//! A child process that ends with this one, however this one ends.
//!
//! A small shell outside our process group holds the reading end of a pipe. When
//! the writing end closes, because we dropped it or because the kernel did after
//! a SIGKILL, it sends SIGTERM and, if that does not help, SIGKILL.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::poll;

/// `$1` is the process. `kill -0` asks whether it is still there; 15 s are given
/// to end by itself, of which kcp takes three.
const WATCHDOG: &str = r#"
while read -r _; do :; done
kill -TERM "$1" 2>/dev/null
left=150
while kill -0 "$1" 2>/dev/null && [ "$left" -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
kill -KILL "$1" 2>/dev/null
"#;

/// How long a process may take to end after SIGTERM: longer than the watchdog
/// waits until it uses force.
const ENDED_WITHIN: Duration = Duration::from_secs(20);

/// A running process. Dropping it ends it.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    watchdog: Child,
}

impl Guarded {
    /// Starts a command in a process group of its own, so that Ctrl-C on the
    /// terminal reaches us alone and we end it in order.
    pub fn spawn(command: &mut Command) -> Result<Guarded> {
        let program = command.get_program().to_string_lossy().into_owned();
        let spawned = command.process_group(0).stdin(Stdio::null()).spawn();
        let mut child = spawned.with_context(|| format!("cannot start `{program}`"))?;
        match watchdog(child.id()) {
            Ok(watchdog) => Ok(Guarded { child, watchdog }),
            Err(error) => {
                // Unwatched it could outlive us, so it is not left running.
                let _ = child.kill().and_then(|()| child.wait());
                Err(error).with_context(|| format!("cannot start the shell that watches over `{program}`"))
            }
        }
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot tell whether the process runs")
    }

    /// Ends it with SIGTERM, or with SIGKILL if that takes too long, and answers
    /// how it ended.
    pub fn end(mut self) -> Result<ExitStatus> {
        self.stop()
    }

    /// Ends it with SIGKILL: no time to put anything in order.
    pub fn kill(mut self) -> Result<ExitStatus> {
        self.child.kill().and_then(|()| self.child.wait()).context("cannot kill the process")
    }

    /// Leaves it running for good and answers its process.
    pub fn keep(mut self) -> u32 {
        self.dismiss_watchdog();
        let pid = self.child.id();
        std::mem::forget(self);
        pid
    }

    fn stop(&mut self) -> Result<ExitStatus> {
        // One that has ended is not signalled: its number may be another's now.
        if self.try_wait()?.is_none() {
            drop(self.watchdog.stdin.take());
        }
        // 10 ms: short next to what any server takes to end.
        match poll(ENDED_WITHIN, Duration::from_millis(10), || self.try_wait())? {
            Some(status) => {
                self.dismiss_watchdog();
                Ok(status)
            }
            None => self.child.kill().and_then(|()| self.child.wait()).context("cannot kill the process"),
        }
    }

    /// Both fail only when the shell is gone already, which is what we want.
    fn dismiss_watchdog(&mut self) {
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("the process {} did not end in order: {error:#}", self.child.id());
        }
        self.dismiss_watchdog();
    }
}

fn watchdog(pid: u32) -> io::Result<Child> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", WATCHDOG, "watchdog", &pid.to_string()]);
    shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn sleeper() -> Guarded {
        Guarded::spawn(Command::new("sleep").arg("600")).unwrap()
    }

    #[test]
    fn a_process_is_ended_in_order() {
        assert_eq!(sleeper().end().unwrap().signal(), Some(15));
    }

    #[test]
    fn a_killed_process_gets_no_warning() {
        assert_eq!(sleeper().kill().unwrap().signal(), Some(9));
    }

    #[test]
    fn a_process_ends_when_its_guard_is_dropped() {
        let sleeper = sleeper();
        let pid = sleeper.pid();
        drop(sleeper);
        assert!(!alive(pid));
    }

    #[test]
    fn a_kept_process_goes_on() {
        let pid = sleeper().keep();
        assert!(alive(pid));
        assert!(Command::new("kill").arg(pid.to_string()).status().unwrap().success());
    }

    /// The test runs itself as the parent that is killed.
    #[test]
    fn a_process_ends_with_a_parent_that_was_killed() {
        const ROLE: &str = "CROFT_HARNESS_TEST_PARENT";
        if std::env::var_os(ROLE).is_some() {
            println!("pid {}", sleeper().pid());
            std::process::abort();
        }
        let name = "guarded::tests::a_process_ends_with_a_parent_that_was_killed";
        let mut parent = Command::new(std::env::current_exe().unwrap());
        let output = parent.args([name, "--exact", "--nocapture"]).env(ROLE, "1").output().unwrap();
        assert!(output.status.signal().is_some(), "{output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        let pid = text.split("pid ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        let gone =
            poll(Duration::from_secs(10), Duration::from_millis(10), || Ok((!alive(pid)).then_some(()))).unwrap();
        assert!(gone.is_some(), "process {pid} outlives its parent");
    }

    fn alive(pid: u32) -> bool {
        // A zombie whose parent died is as dead as can be.
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        state.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    }
}
