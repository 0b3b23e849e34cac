//! What is remembered of an instance from one pass to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::Read;
use host_core::{claims::Claims, inventory::Shown, name::Digest, plan::Sent, receipt};
use serde_json::Value;

/// What is remembered of an instance between passes. Nothing of it is needed
/// for correctness: after a restart it is found out again.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What the last pass saw, if it left nothing to do.
    pub settled: Option<Stamp>,
    /// Children, by uid, of which the server made something else than was
    /// applied, as it made them.
    pub normalized: BTreeMap<String, Arc<Value>>,
    /// What was sent for each child when it was last applied, by uid.
    pub sent: BTreeMap<String, Sent>,
    /// The uids of children that were seen to go.
    pub gone: BTreeSet<String>,
    /// Whether its record has not named all of its children at any time since it is
    /// being deleted.
    pub unnamed: bool,
    /// What the instance's reads found when its module was last asked.
    pub found: Vec<Found>,
    /// The status that was last written.
    pub status: Option<Recorded>,
    /// Failed attempts since the last success.
    pub attempts: u32,
    /// The rounds of a pass that takes more than one turn.
    pub rounds: Rounds,
}

/// The rounds since an instance began to change.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    /// Of what: the instance's generation and the definition's digest.
    pub of: Option<(i64, Digest)>,
    /// How many there were.
    pub count: usize,
    /// What the module answered in the last two.
    pub outputs: Vec<Digest>,
}

impl Rounds {
    /// Takes note of an answer.
    pub fn answered(&mut self, output: Option<Digest>) {
        self.outputs.extend(output);
        let old = self.outputs.len().saturating_sub(2);
        self.outputs.drain(..old);
    }
}

impl Memory {
    /// Forgets what was sent for children other than these: others may have
    /// deleted them.
    pub fn keep_only(&mut self, uids: &BTreeSet<&str>) {
        self.sent.retain(|uid, _| uids.contains(uid.as_str()));
        self.normalized.retain(|uid, _| uids.contains(uid.as_str()));
    }
}

/// What a read found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The read.
    pub read: Read,
    /// The uids of the objects.
    pub uids: BTreeSet<String>,
    /// Whether that is known to be all: it grew from nothing but what the watches
    /// saw come and go since the server was asked.
    pub whole: bool,
}

/// A status that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What was to be written.
    pub wanted: Digest,
    /// What the server had of it afterwards.
    pub kept: Digest,
    /// The uid of the schema that the server had.
    pub schema: String,
}

/// Everything that a pass depends on. While it stays the same there is nothing
/// to do. It shares the objects with the store: comparing costs no hashing, and
/// mostly not even a look into them.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The module and the definition, and whether it is gone.
    pub definition: (Digest, Digest, bool),
    /// How many kinds are known besides the definition's.
    pub extras: usize,
    /// What the module was shown.
    pub given: Given,
    /// What the consumer allows.
    pub claims: Arc<Claims>,
    /// The instance as it was afterwards: its status and finalizers count.
    pub instance: Arc<Value>,
}

/// What a module is shown of the world.
#[derive(Clone, Debug)]
pub struct Given {
    /// The instance.
    pub instance: Arc<Value>,
    /// What there is of its children and of what is read.
    pub observed: Vec<Shown>,
}

impl PartialEq for Given {
    fn eq(&self, other: &Given) -> bool {
        receipt::is_same_instance(&self.instance, &other.instance) && self.observed == other.observed
    }
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Stamp) -> bool {
        let is_own = Arc::ptr_eq(&self.instance, &other.instance)
            || ["/status", "/metadata/finalizers"]
                .iter()
                .all(|field| self.instance.pointer(field) == other.instance.pointer(field));
        is_own
            && self.extras == other.extras
            && self.definition == other.definition
            && self.claims == other.claims
            && self.given == other.given
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_sent_for_children_that_others_delete_is_forgotten() {
        let mut memory = Memory::default();
        // Each time somebody deletes the child, and a pass makes it anew.
        for number in 0..1000 {
            let (former, uid) = (format!("u{}", number - 1), format!("u{number}"));
            memory.keep_only(&BTreeSet::from([former.as_str(), "kept"]));
            if number % 2 == 0 {
                memory.keep_only(&BTreeSet::from(["kept"]));
            }
            for uid in [uid.as_str(), "kept"] {
                memory.sent.insert(uid.to_owned(), Sent::of(&json!({"data": {}})));
                memory.normalized.insert(uid.to_owned(), Arc::default());
            }
        }
        assert!(memory.sent.len() <= 3 && memory.normalized.len() <= 3, "{memory:?}");
        assert!(memory.sent.contains_key("kept"));
    }
}
