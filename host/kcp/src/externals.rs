//! Finds the objects that somebody else owns and a module wants to see, among
//! what the watches have seen, or on the server itself.

use std::collections::BTreeSet;

use std::sync::Arc;

use contract::{Read, Scope, Selection};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::{Selector, SelectorExt};
use serde_json::Value;

use super::{Cluster, Error, ObjectKey, Store, cluster, store::Change};
use host_core::{
    inventory::Shown,
    kinds::Kind,
    name::LogicalCluster,
    object::{self, Target},
};

/// What a read finds in one logical cluster, ordered by place. A selector that
/// is none finds nothing.
pub fn find(store: &Store, cluster: &LogicalCluster, instance: &Value, read: &Read, kind: &Kind) -> Vec<Shown> {
    match &read.select {
        Selection::Named { namespace, name } => {
            let namespace = placed(namespace, object::text(instance, "/metadata/namespace"), kind.scope);
            let target = Target { kind: read.kind.clone(), namespace: namespace.to_owned(), name: name.clone() };
            let found = store.get(&ObjectKey { cluster: cluster.clone(), target });
            found.into_iter().map(|object| shown(&read.id, String::new(), object)).collect()
        }
        Selection::Labelled { namespace, selector } => {
            let Some(selector) = parse(selector) else { return Vec::new() };
            let found = store.find_of(cluster, &read.kind, |key, object| {
                (namespace.is_empty() || key.target.namespace == *namespace) && selector.matches(&labels(object))
            });
            found.into_iter().map(|(key, object)| shown(&read.id, place(&key.target), object)).collect()
        }
    }
}

/// The uids of what a read finds on the server at this moment, whatever the
/// watches have seen.
///
/// # Errors
/// The server did not answer, or does not show objects of that kind.
pub async fn look(cluster: &Cluster, instance: &Value, read: &Read, kind: &Kind) -> Result<BTreeSet<String>, Error> {
    let inherited = object::text(instance, "/metadata/namespace");
    let (namespace, selector) = match &read.select {
        Selection::Named { namespace, name } => {
            let namespace = placed(namespace, inherited, kind.scope).to_owned();
            let target = Target { kind: read.kind.clone(), namespace, name: name.clone() };
            // A module's text: what is not a name stays out of paths. Nor is there an
            // object in a namespace that nobody names.
            let is_somewhere = match kind.scope {
                Scope::Namespaced => is_name(&target.namespace),
                Scope::Cluster => true,
            };
            if !is_somewhere || !is_name(&target.name) {
                return Ok(BTreeSet::new());
            }
            let found = cluster.look_for(&target, kind).await?;
            return Ok(found.iter().map(|object| object::uid(object).to_owned()).collect());
        }
        Selection::Labelled { namespace, selector } => (namespace, parse(selector)),
    };
    if !namespace.is_empty() && !is_name(namespace) {
        return Ok(BTreeSet::new());
    }
    let place = Target { kind: read.kind.clone(), namespace: namespace.clone(), name: String::new() };
    let first = format!("{}?limit=500", cluster::collection(&place, kind));
    let (mut path, mut found) = (first.clone(), BTreeSet::new());
    loop {
        let page = cluster.metadata(&path).await?;
        let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
        let wanted = items.filter(|item| selector.as_ref().is_some_and(|selector| selector.matches(&labels(item))));
        found.extend(wanted.map(|item| object::uid(item).to_owned()));
        match object::text(&page, "/metadata/continue") {
            "" => return Ok(found),
            token => path = format!("{first}&continue={token}"),
        }
    }
}

/// Whether a change is news for what an instance in the namespace `inherited`
/// (empty for none) wants to see.
pub fn concerns(read: &Read, inherited: &str, kind: &Kind, change: &Change) -> bool {
    let place = &change.key.target;
    let namespace: &str = match &read.select {
        Selection::Named { namespace, name } if *name == place.name => placed(namespace, inherited, kind.scope),
        Selection::Labelled { namespace, .. } if namespace.is_empty() => &place.namespace,
        Selection::Labelled { namespace, .. } => namespace,
        Selection::Named { .. } => return false,
    };
    if place.kind != read.kind || *namespace != place.namespace {
        return false;
    }
    match &read.select {
        Selection::Named { .. } => true,
        Selection::Labelled { selector, .. } => parse(selector).is_some_and(|selector| {
            [&change.before, &change.after].into_iter().flatten().any(|object| selector.matches(&labels(object)))
        }),
    }
}

/// The namespace in which an object is looked for by name.
fn placed<'a>(asked: &'a str, inherited: &'a str, scope: Scope) -> &'a str {
    match (scope, asked) {
        (Scope::Cluster, _) => "",
        (Scope::Namespaced, "") => inherited,
        (Scope::Namespaced, asked) => asked,
    }
}

fn is_name(text: &str) -> bool {
    let unfit = |c: char| matches!(c, '/' | '%' | '?' | '#') || c.is_whitespace() || c.is_control();
    !text.is_empty() && !matches!(text, "." | "..") && !text.contains(unfit)
}

fn parse(selector: &Value) -> Option<Selector> {
    let selector: LabelSelector = serde_json::from_value(selector.clone()).ok()?;
    selector.try_into().ok()
}

fn labels(object: &Value) -> std::collections::BTreeMap<String, String> {
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

fn place(target: &Target) -> String {
    match target.namespace.as_str() {
        "" => target.name.clone(),
        namespace => format!("{namespace}/{}", target.name),
    }
}

fn shown(id: &str, key: String, object: Arc<Value>) -> Shown {
    Shown { id: id.to_owned(), key, object }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use contract::{Gvk, shape::Size};
    use http::{Request, Response};
    use kube::{Client, client::Body};
    use serde_json::json;

    use super::*;
    use crate::store::Keep;
    use host_core::kinds;

    fn found(select: Selection) -> Vec<(String, String)> {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let store = Store::new(Keep::Children { most: Size { bytes: usize::MAX, values: usize::MAX } });
        store.keep_whole(kind.clone());
        for (cluster, namespace, name, tier) in [
            ("one", "team", "a", "web"),
            ("one", "team", "b", "db"),
            ("one", "ops", "c", "web"),
            ("two", "team", "a", "web"),
        ] {
            let metadata = json!({"name": name, "namespace": namespace, "uid": name, "labels": {"tier": tier}});
            let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
            store.put(&cluster.parse().unwrap(), object, crate::store::Seen::Written);
        }
        let read = Read { id: "x".into(), kind: kind.clone(), select };
        let instance = json!({"metadata": {"namespace": "team"}});
        let found = find(&store, &"one".parse().unwrap(), &instance, &read, &kinds::builtin(&kind).unwrap());
        found.into_iter().map(|seen| (seen.key, object::text(&seen.object, "/metadata/name").to_owned())).collect()
    }

    #[test]
    fn a_named_read_looks_in_the_instances_namespace() {
        let named = |namespace: &str, name: &str| Selection::Named { namespace: namespace.into(), name: name.into() };
        assert_eq!(found(named("", "a")), [(String::new(), "a".to_owned())]);
        assert_eq!(found(named("ops", "c")), [(String::new(), "c".to_owned())]);
        assert!(found(named("", "c")).is_empty());
    }

    /// A server with one page of ConfigMaps after another, and what it is asked.
    fn server(pages: Vec<Value>) -> (Cluster, Arc<Mutex<Vec<String>>>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, pages) = (Arc::clone(&asked), Mutex::new(pages));
        let service = tower::service_fn(move |request: Request<Body>| {
            log.lock().unwrap().push(request.uri().to_string());
            let page = pages.lock().unwrap().remove(0).to_string().into_bytes();
            async move { Ok::<_, tower::BoxError>(Response::new(Body::from(page))) }
        });
        (Cluster::new(Client::new(service, "default")), asked)
    }

    async fn looked(pages: Vec<Value>, select: Selection, namespace: &str) -> (Vec<String>, Vec<String>) {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let (cluster, asked) = server(pages);
        let instance = json!({"metadata": {"namespace": namespace}});
        let read = Read { id: "x".into(), kind: kind.clone(), select };
        let found = look(&cluster, &instance, &read, &kinds::builtin(&kind).unwrap()).await.unwrap();
        let asked = asked.lock().unwrap().clone();
        (found.into_iter().collect(), asked)
    }

    #[tokio::test]
    async fn a_look_goes_through_all_pages_and_takes_what_the_selector_does() {
        let item = |uid: &str, tier: &str| json!({"metadata": {"uid": uid, "labels": {"tier": tier}}});
        let pages = vec![
            json!({"metadata": {"continue": "more"}, "items": [item("1", "web"), item("2", "db")]}),
            json!({"metadata": {}, "items": [item("3", "web")]}),
        ];
        let selector = json!({"matchLabels": {"tier": "web"}});
        let (found, asked) = looked(pages, Selection::Labelled { namespace: "team".into(), selector }, "").await;
        let list = "/api/v1/namespaces/team/configmaps?limit=500";
        assert_eq!((found, asked), (vec!["1".into(), "3".into()], vec![list.into(), format!("{list}&continue=more")]));
    }

    #[tokio::test]
    async fn a_look_by_name_asks_for_names_only() {
        let named = |namespace: &str, name: &str| Selection::Named { namespace: namespace.into(), name: name.into() };
        let object = || vec![json!({"metadata": {"uid": "1"}})];
        let (found, asked) = looked(object(), named("", "a"), "team").await;
        assert_eq!((found, asked), (vec!["1".into()], vec!["/api/v1/namespaces/team/configmaps/a".into()]));
        // In the namespace of an instance that has none, and where there is no name.
        for (select, inherited) in [(named("", "a"), ""), (named("x/../y", "a"), "team"), (named("", "a?b"), "team")] {
            assert_eq!(looked(object(), select, inherited).await, (Vec::new(), Vec::new()));
        }
    }

    #[test]
    fn a_labelled_read_stays_in_its_logical_cluster() {
        let labelled = |namespace: &str| Selection::Labelled {
            namespace: namespace.into(),
            selector: json!({"matchLabels": {"tier": "web"}}),
        };
        assert_eq!(found(labelled("")), [("ops/c".into(), "c".into()), ("team/a".into(), "a".into())]);
        assert_eq!(found(labelled("team")), [("team/a".to_owned(), "a".to_owned())]);
    }

    #[test]
    fn a_change_is_news_for_those_that_read_the_object() {
        let kind = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
        let object = |tier: &str| {
            let metadata = json!({"name": "a", "namespace": "team", "labels": {"tier": tier}});
            std::sync::Arc::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
        };
        let target = Target { kind: kind.clone(), namespace: "team".into(), name: "a".into() };
        let key = ObjectKey { cluster: "one".parse().unwrap(), target };
        let news = |select: Selection, before: &str, after: &str| {
            let read = Read { id: "x".into(), kind: kind.clone(), select };
            let change = Change { key: key.clone(), before: Some(object(before)), after: Some(object(after)) };
            concerns(&read, "team", &kinds::builtin(&kind).unwrap(), &change)
        };
        let named = |namespace: &str, name: &str| Selection::Named { namespace: namespace.into(), name: name.into() };
        let labelled = |namespace: &str| Selection::Labelled {
            namespace: namespace.into(),
            selector: json!({"matchLabels": {"tier": "web"}}),
        };
        assert!(news(named("", "a"), "db", "db") && news(named("team", "a"), "db", "db"));
        assert!(!news(named("", "b"), "db", "db") && !news(named("ops", "a"), "db", "db"));
        // One that matches, that begins to, and that does not any more.
        assert!(news(labelled(""), "web", "web") && news(labelled("team"), "db", "web"));
        assert!(news(labelled(""), "web", "db"));
        assert!(!news(labelled(""), "db", "db") && !news(labelled("ops"), "web", "web"));
    }
}
