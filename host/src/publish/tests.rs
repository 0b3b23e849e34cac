use contract::{Api, Scope, UsedKind};

use super::*;

fn blueprint(status: Value) -> Blueprint {
    let gvk = |group: &str, kind: &str| Gvk { group: group.into(), version: "v1".into(), kind: kind.into() };
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "webs.kro.run"},
        "spec": {
            "group": "kro.run",
            "scope": "Namespaced",
            "names": {"kind": "Web", "plural": "webs", "singular": "web", "listKind": "WebList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"status": status}}},
            }],
        },
    });
    Blueprint {
        api: Api { kind: gvk("kro.run", "Web"), plural: "webs".into(), scope: Scope::Namespaced, crd },
        kinds: vec![
            UsedKind { kind: gvk("", "ConfigMap"), access: Access::Read },
            UsedKind { kind: gvk("", "ConfigMap"), access: Access::Manage },
            UsedKind { kind: gvk("example.org", "Proxy"), access: Access::Read },
        ],
        nodes: Vec::new(),
    }
}

fn options(layout: Layout) -> Options {
    Options { layout, prefix: None, export: None, workspace: Some("root:provider".into()), host_user: "croft".into() }
}

fn publish_group(blueprint: &Blueprint, layout: Layout) -> Result<Publication, Error> {
    publish(DefinitionKind::ResourceGroup, blueprint, &Kinds::new(), &options(layout))
}

fn published(layout: Layout) -> Publication {
    publish_group(&blueprint(json!({"type": "object"})), layout).unwrap()
}

fn graph_published(layout: Layout) -> Publication {
    let blueprint = blueprint(json!({"type": "object"}));
    publish(DefinitionKind::ResourceGraphDefinition, &blueprint, &Kinds::new(), &options(layout)).unwrap()
}

#[test]
fn the_schema_that_kcp_serves_keeps_crofts_record_and_the_crd_is_untouched() {
    let publication = published(Layout::Split);
    assert_eq!(publication.crds[0], blueprint(json!({"type": "object"})).api.crd);
    let status = "/spec/versions/0/schema/properties/status/properties/croft/type";
    assert_eq!(publication.schemas[0].pointer(status), Some(&json!("object")));
}

#[test]
fn a_status_field_of_crofts_name_is_refused() {
    let taken = blueprint(json!({"type": "object", "properties": {"croft": {"type": "string"}}}));
    let error = publish_group(&taken, Layout::Split).unwrap_err();
    assert!(matches!(error, Error::StatusFieldTaken));
}

#[test]
fn new_content_gets_a_new_name_and_equal_content_the_same() {
    let name = |status: Value| {
        let publication = publish_group(&blueprint(status), Layout::Split).unwrap();
        object::text(&publication.schemas[0], "/metadata/name").to_owned()
    };
    let one = name(json!({"type": "object"}));
    assert_eq!(one, name(json!({"type": "object"})));
    assert_ne!(one, name(json!({"type": "object", "description": "other"})));
    assert!(one.ends_with(".webs.kro.run") && one.starts_with('v'), "{one}");
}

#[test]
fn the_shared_layout_serves_definitions_and_binds_them_for_the_provider() {
    let resources = |publication: &Publication| {
        let resources = publication.export["spec"]["resources"].as_array().unwrap().clone();
        resources.iter().map(|resource| resource["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (split, shared) = (published(Layout::Split), published(Layout::Shared));
    assert_eq!(resources(&split), ["webs"]);
    assert_eq!(resources(&shared), ["webs", "resourcegroups"]);
    assert!(split.provider_binding.is_none() && shared.provider_binding.is_some());
}

#[test]
fn the_definitions_own_kind_is_published_beside_the_api() {
    let names = |publication: &Publication| {
        publication.crds.iter().map(|crd| object::text(crd, "/metadata/name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&published(Layout::Split)), ["webs.kro.run", "resourcegroups.kro.run"]);
    let shared = graph_published(Layout::Shared);
    assert_eq!(names(&shared), ["webs.kro.run", "resourcegraphdefinitions.kro.run"]);
    assert_eq!(shared.export["spec"]["resources"][1]["name"], "resourcegraphdefinitions");
    assert_eq!(shared.schemas[1]["spec"]["scope"], "Cluster");
}

#[test]
fn the_crds_of_definitions_are_of_their_kinds_and_take_a_module() {
    for kind in DefinitionKind::ALL {
        let crd = definition_crd(kind);
        let scope = if kind.scope() == Scope::Cluster { "Cluster" } else { "Namespaced" };
        let names = &crd["spec"]["names"];
        assert_eq!((&names["kind"], &names["plural"]), (&json!(kind.as_str()), &json!(kind.plural())));
        assert_eq!((&crd["spec"]["group"], &crd["spec"]["scope"]), (&json!(definition::GROUP), &json!(scope)));
        assert_eq!(crd["spec"]["versions"][0]["name"], definition::VERSION);
        let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
        assert_eq!(crd.pointer(&format!("{spec}/module/type")), Some(&json!("string")), "{kind:?}");
    }
}

#[test]
fn an_export_that_would_lose_a_resource_is_noticed() {
    let (split, shared) = (published(Layout::Split).export, published(Layout::Shared).export);
    assert_eq!(lost(&shared, &split), ["resourcegroups.kro.run"]);
    assert!(lost(&split, &shared).is_empty());
}

#[test]
fn claims_name_each_resource_once_with_the_widest_verbs() {
    let publication = published(Layout::Split);
    let claims = json!([
        {"group": "", "resource": "configmaps", "verbs": MANAGE_VERBS},
        {"group": "example.org", "resource": "proxies", "verbs": READ_VERBS},
    ]);
    assert_eq!(publication.export["spec"]["permissionClaims"], claims);
    assert_eq!(publication.guessed.len(), 1);
    let binding = &publication.consumer_binding["spec"];
    assert_eq!(binding["reference"]["export"], json!({"name": "webs.kro.run", "path": "root:provider"}));
    assert_eq!(binding["permissionClaims"][0]["state"], "Accepted");
}

#[test]
fn the_host_may_do_nothing_but_its_work() {
    let rules = |layout| published(layout).rbac[0]["rules"].as_array().unwrap().len();
    assert_eq!(rules(Layout::Shared) + 2, rules(Layout::Split));
    let all = serde_json::to_string(&published(Layout::Split).rbac).unwrap();
    assert_eq!(graph_published(Layout::Split).rbac, published(Layout::Split).rbac);
    assert!(all.contains("resourcegroups/status") && all.contains("resourcegraphdefinitions/status"), "{all}");
    assert!(!all.contains("\"*\""), "{all}");
}
