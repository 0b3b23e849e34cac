//! Kinds as types, and the few things that one writes of every object.

use std::collections::BTreeMap;

use k8s_openapi::{
    ClusterResourceScope, NamespaceResourceScope,
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};
use kube::Resource;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Gvk, Scope};

/// A type that says of which kind it is: those of `k8s-openapi`, and those that
/// `#[derive(CustomResource)]` makes.
pub trait Object: Resource<DynamicType = (), Scope: KindScope> + Serialize + DeserializeOwned {}

impl<T: Resource<DynamicType = (), Scope: KindScope> + Serialize + DeserializeOwned> Object for T {}

/// Whether a type's objects live in a namespace.
pub trait KindScope: sealed::Sealed {
    #[doc(hidden)]
    const SCOPE: Scope;
}

impl KindScope for NamespaceResourceScope {
    const SCOPE: Scope = Scope::Namespaced;
}

impl KindScope for ClusterResourceScope {
    const SCOPE: Scope = Scope::Cluster;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::NamespaceResourceScope {}
    impl Sealed for super::ClusterResourceScope {}
}

/// A kind without a Rust type, for objects that are a `serde_json::Value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    pub(super) gvk: Gvk,
    pub(super) scope: Scope,
}

impl Kind {
    /// A kind whose objects live in a namespace:
    /// `Kind::namespaced("gateway.networking.k8s.io/v1", "HTTPRoute")`.
    pub fn namespaced(api_version: &str, kind: &str) -> Kind {
        Kind::new(api_version, kind, Scope::Namespaced)
    }

    /// A kind whose objects live in none.
    pub fn cluster(api_version: &str, kind: &str) -> Kind {
        Kind::new(api_version, kind, Scope::Cluster)
    }

    fn new(api_version: &str, kind: &str, scope: Scope) -> Kind {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Kind { gvk: Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }, scope }
    }

    pub(super) fn of<T: Object>() -> Kind {
        Kind { gvk: kind_of::<T>(), scope: <T::Scope as KindScope>::SCOPE }
    }
}

/// The kind of a type.
pub(super) fn kind_of<T: Resource<DynamicType = ()>>() -> Gvk {
    let (group, version, kind) = (T::group(&()), T::version(&()), T::kind(&()));
    Gvk { group: group.into_owned(), version: version.into_owned(), kind: kind.into_owned() }
}

/// The metadata of an object with this name. Without a namespace it goes where
/// the instance is.
pub fn named(name: impl Into<String>) -> ObjectMeta {
    ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() }
}

/// The selector of objects that have all these labels.
pub fn matching<const N: usize>(labels: [(&str, &str); N]) -> LabelSelector {
    LabelSelector { match_labels: Some(strings(labels)), match_expressions: None }
}

/// Texts by name, as labels, annotations and the `data` of a ConfigMap are.
pub fn strings<K: Into<String>, V: Into<String>>(
    entries: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<String, String> {
    entries.into_iter().map(|(name, text)| (name.into(), text.into())).collect()
}
