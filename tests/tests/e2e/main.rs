//! What croft promises on a real kcp. One kcp serves all tests; each test has a
//! provider and consumers of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod adoption;
mod backoff;
mod claims;
mod collections;
mod conflicts;
mod crashes;
mod credentials;
mod definitions;
mod dev;
mod endpoints;
mod forgery;
mod graph_definitions;
mod leftovers;
mod lifecycle;
mod memory;
mod outages;
mod publishing;
mod registry;
mod requests;
mod seed;
mod sight;
mod slow_definitions;
mod stage;
mod startup;
mod statuses;
mod tenants;
mod verdicts;
mod versions;
