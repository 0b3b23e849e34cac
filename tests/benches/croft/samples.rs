//! Durations and what is said of many of them: the median, because a busy
//! machine makes a few very long, and the minimum, because it makes none short.

use std::{
    fmt,
    time::{Duration, Instant},
};

/// Durations of the same thing, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub(crate) fn push(&mut self, sample: Duration) {
        let place = self.0.partition_point(|other| *other <= sample);
        self.0.insert(place, sample);
    }

    /// The one in the middle; the longer one of two.
    pub(crate) fn median(&self) -> Duration {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// The shortest.
    pub(crate) fn min(&self) -> Duration {
        self.0.first().copied().unwrap_or_default()
    }

    /// The longest.
    pub(crate) fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// How many times as long as the other the median is.
    pub(crate) fn times(&self, other: &Samples) -> f64 {
        self.median().as_secs_f64() / other.median().as_secs_f64()
    }

    /// The same of the minima.
    pub(crate) fn times_at_best(&self, other: &Samples) -> f64 {
        self.min().as_secs_f64() / other.min().as_secs_f64()
    }
}

/// `412 µs (min 398 µs)`.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (min {})", short(self.median()), short(self.min()))
    }
}

/// How long something takes, without the time that its answer takes to drop.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let answer = act();
    (began.elapsed(), answer)
}

/// Three digits and a unit.
pub(crate) fn short(duration: Duration) -> String {
    let micros = duration.as_secs_f64() * 1e6;
    match micros {
        _ if micros < 999.5 => format!("{micros:.0} µs"),
        _ if micros < 99_950.0 => format!("{:.2} ms", micros / 1e3),
        _ if micros < 999_500.0 => format!("{:.0} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}
