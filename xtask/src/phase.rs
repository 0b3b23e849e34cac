//! Headings with elapsed time on stderr, so that long work is seen to go on.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// The clock of one xtask call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phases {
    start: Instant,
}

impl Phases {
    /// Starts the clock.
    pub(crate) fn start() -> Phases {
        Phases { start: Instant::now() }
    }

    /// Announces the next phase.
    pub(crate) fn heading(&self, title: &str) {
        eprintln!("\n== {title} [{}]", Elapsed(self.start.elapsed()));
    }

    /// Says that all phases are done.
    pub(crate) fn done(&self, what: &str) {
        eprintln!("\n== {what} done in {}", Elapsed(self.start.elapsed()));
    }
}

/// One line about what is going on inside a phase.
pub(crate) fn say(line: impl fmt::Display) {
    eprintln!("   {line}");
}

/// Minutes and seconds, such as `2:07`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elapsed(pub(crate) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{}:{:02}", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_is_minutes_and_seconds() {
        assert_eq!(Elapsed(Duration::from_millis(127_900)).to_string(), "2:07");
    }
}
