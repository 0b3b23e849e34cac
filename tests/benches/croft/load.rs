//! What else has to be known of a measurement: how the program was built and
//! how busy the machine was.

use std::{fmt, fs};

/// The profile and the load average at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    average: String,
}

impl Load {
    /// As it is now. A machine that does not tell is said to be unknown.
    pub(crate) fn now() -> Load {
        let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let average: Vec<&str> = text.split_whitespace().take(3).collect();
        Load { average: if average.is_empty() { "unknown".to_owned() } else { average.join(" ") } }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let profile = if cfg!(debug_assertions) { "dev profile: ratios mean nothing" } else { "release profile" };
        write!(f, "{profile}, load average {}", self.average)
    }
}
