//! That the objects of a collection can be told apart: every iterator has to
//! occur in their names or namespaces.

use std::collections::BTreeSet;

use guest_sdk::Scope;

use super::Checker;
use crate::{
    collect::Place,
    model::{Body, Resource},
};

impl Checker<'_, '_, '_, '_> {
    pub(super) fn identities(&mut self) {
        let repeated =
            |resource: &&Resource| !resource.for_each.is_empty() && matches!(resource.body, Body::Template(_));
        for resource in self.definition.resources.iter().filter(repeated) {
            let missing = self.unused(resource);
            if missing.is_empty() {
                continue;
            }
            let message = format!(
                "failed to build dependency graph: node \"{}\": all forEach dimensions must be used to produce a unique \
                 resource identity, missing: [{}]",
                resource.id,
                missing.join(" ")
            );
            self.problems
                .error("AmbiguousIdentity", &resource.at.fields(["template", "metadata", "name"]), message)
                .hint(format!("use `{}` in `metadata.name`", missing[0]));
        }
    }

    /// The iterators that are in neither name nor namespace.
    fn unused<'r>(&self, resource: &'r Resource) -> Vec<&'r str> {
        let place = Place::Template(resource.index);
        let namespaced = self.schemas_say_namespaced(resource);
        let identifies = |path: &str| path == "metadata.name" || (namespaced && path == "metadata.namespace");
        let identifying = self.collected.at(place).filter(|found| identifies(&found.path));
        let used: BTreeSet<&str> =
            identifying.flat_map(|found| found.site.mentions().references).map(|reference| reference.root).collect();
        let names = resource.for_each.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty());
        names.filter(|name| !used.contains(name)).collect()
    }

    /// Whether a namespace tells objects of the resource apart; so it is if
    /// nobody knows better.
    fn schemas_say_namespaced(&self, resource: &Resource) -> bool {
        let scope = resource.gvk().and_then(|gvk| self.schemas.kinds.scope(&gvk));
        scope != Some(Scope::Cluster)
    }
}
