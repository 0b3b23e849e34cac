//! Children that were seen before their instance was, as after a restart: only their
//! place was kept, since a label alone makes nobody's object a child.
//!
//! It asks for these and for nothing else; mostly there are none.

use futures::{StreamExt, stream};
use host_core::{
    claims::Grant,
    kinds::Kind,
    object::{self, Target},
};

use super::{Next, Pass, apply::CONCURRENCY};

/// So many are asked for in a turn.
const MOST: usize = 64;

impl Pass<'_> {
    /// Asks for the children of which only the place was kept. If they are not all
    /// there by then, what is to be done about the instance.
    pub(super) async fn fetch(&mut self) -> Option<Next> {
        let lacking = self.lacking();
        if lacking.is_empty() {
            return None;
        }
        let (cluster, all) = (&self.cluster, lacking.len());
        let asked = lacking.into_iter().take(MOST);
        let asked = asked.map(|(target, kind)| async move { cluster.look_for(&target, &kind).await });
        let mut answers = stream::iter(asked).buffered(CONCURRENCY);
        let mut found = 0;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(Some(object)) => {
                    found += 1;
                    self.written.insert(object::text(&object, "/metadata/resourceVersion").to_owned());
                    self.world.wrote(&self.world.children, &self.key.cluster, object);
                }
                // The watch is about to tell.
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(error = host_core::status::chain(&error), "cannot see a child");
                    return Some(Next::Retry);
                }
            }
        }
        match found {
            found if found == all => None,
            0 => Some(Next::Retry),
            _ => Some(Next::Again),
        }
    }

    fn lacking(&self) -> Vec<(Target, Kind)> {
        let kinds = self.kinds();
        let lacking = self.world.children.lacking(&self.key.cluster, object::uid(&self.instance));
        let addressed = lacking.into_iter().filter_map(|target| {
            let kind = kinds.get(&target.kind)?.clone();
            Some((target, kind))
        });
        let granted =
            |target: &Target, kind: &Kind| self.claims.grant(&target.kind.group, &kind.plural) == Grant::Accepted;
        addressed.filter(|(target, kind)| granted(target, kind)).collect()
    }
}
