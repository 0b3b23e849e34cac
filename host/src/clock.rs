//! The time, as Kubernetes objects write it. What decides is given it.

/// Now, in RFC 3339 with seconds, such as `2026-01-02T03:04:05Z`.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time in UTC with microseconds, as Leases have it.
pub(crate) fn precisely() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
