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
    Options {
        layout,
        prefix: None,
        export: None,
        workspace: Some("root:provider".into()),
        host_user: "croft".into(),
        identities: Identities::new(),
        accept_claims: true,
    }
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
fn the_schema_that_kcp_serves_takes_everything_that_croft_writes() {
    let of = |status: Value| {
        let publication = publish_group(&blueprint(status), Layout::Split).unwrap();
        publication.schemas[0].pointer("/spec/versions/0/schema/properties/status").unwrap().clone()
    };
    let fields = |status: &Value| {
        let item = status.pointer("/properties/conditions/items/properties").unwrap();
        item.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let all = ["lastTransitionTime", "message", "observedGeneration", "reason", "status", "type"];
    let bare = of(json!({"type": "object", "properties": {"url": {"type": "string"}}}));
    assert_eq!(
        (&bare["properties"]["state"], &bare["properties"]["url"]),
        (&json!({"type": "string"}), &json!({"type": "string"}))
    );
    assert_eq!(fields(&bare), all);
    let partial = json!({"type": "array", "items": {"type": "object", "properties": {"type": {"type": "string", "maxLength": 9}}}});
    let partial = of(json!({"type": "object", "properties": {"conditions": partial}}));
    assert_eq!(fields(&partial), all);
    assert_eq!(partial.pointer("/properties/conditions/items/properties/type/maxLength"), Some(&json!(9)));
    // What keeps anything keeps these too.
    let open = of(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
    assert_eq!(open["properties"].as_object().unwrap().keys().collect::<Vec<_>>(), ["croft"]);
    assert_eq!(of(Value::Null)["properties"]["state"], json!({"type": "string"}));
}

#[test]
fn every_version_takes_what_croft_writes() {
    let mut two = blueprint(json!({"type": "object"}));
    let mut second = two.api.crd["spec"]["versions"][0].clone();
    second["name"] = "v2".into();
    two.api.crd["spec"]["versions"].as_array_mut().unwrap().push(second);
    let publication = publish_group(&two, Layout::Split).unwrap();
    for version in publication.schemas[0]["spec"]["versions"].as_array().unwrap() {
        assert_eq!(version.pointer("/schema/properties/status/properties/state/type"), Some(&json!("string")));
        assert_eq!(version["subresources"]["status"], json!({}));
    }
}

#[test]
fn a_status_field_that_croft_writes_otherwise_is_refused() {
    let text = json!({"type": "string"});
    for (field, schema, said) in [
        ("state", json!({"type": "integer"}), "`state` that is of type integer, and croft writes one of type string"),
        ("conditions", json!({"type": "object"}), "`conditions` that is of type object"),
        ("conditions", json!({"type": "array", "items": text}), "`conditions[]` that is of type string"),
        (
            "conditions",
            json!({"type": "array", "items": {"type": "object", "properties": {"observedGeneration": text}}}),
            "`conditions[].observedGeneration` that is of type string, and croft writes one of type integer",
        ),
    ] {
        let status = json!({"type": "object", "properties": {field: schema}});
        let error = publish_group(&blueprint(status), Layout::Split).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
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
        assert_eq!((&crd["spec"]["group"], &crd["spec"]["scope"]), (&json!(kind.group()), &json!(scope)));
        assert_eq!(crd["spec"]["versions"][0]["name"], crate::definition::VERSION);
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
fn a_claim_on_what_kcp_does_not_serve_says_whose_it_is() {
    let mut options = options(Layout::Split);
    let publish = |options: &Options| {
        publish(DefinitionKind::ResourceGroup, &blueprint(json!({})), &Kinds::new(), options).unwrap()
    };
    assert_eq!(publish(&options).unidentified, ["proxies.example.org"]);
    options.identities.insert("proxies.example.org".into(), "abc".into());
    let publication = publish(&options);
    assert!(publication.unidentified.is_empty());
    assert_eq!(publication.claims()[1]["identityHash"], "abc");
    assert_eq!(publication.claims()[0].get("identityHash"), None);
    assert_eq!(publication.consumer_binding["spec"]["permissionClaims"][1]["identityHash"], "abc");
}

#[test]
fn a_binding_accepts_nothing_unless_asked_to() {
    let options = Options { accept_claims: false, ..options(Layout::Split) };
    let blueprint = blueprint(json!({}));
    let publication = publish(DefinitionKind::ResourceGroup, &blueprint, &Kinds::new(), &options).unwrap();
    assert_eq!(publication.consumer_binding["spec"].get("permissionClaims"), None);
    assert!(!publication.claims().is_empty());
}

#[test]
fn the_providers_workspace_gets_no_crd_that_a_binding_would_make() {
    let names = |publication: &Publication| {
        let objects = publication.for_provider();
        objects.into_iter().map(|object| object::text(object, "/kind").to_owned()).collect::<Vec<_>>()
    };
    let (crd, schema, rights) =
        ("CustomResourceDefinition", "APIResourceSchema", ["ClusterRole", "ClusterRoleBinding"]);
    assert_eq!(names(&published(Layout::Split)), [crd, schema, "APIExport", rights[0], rights[1]]);
    assert_eq!(published(Layout::Split).for_provider()[0]["metadata"]["name"], "resourcegroups.kro.run");
    assert_eq!(names(&published(Layout::Shared)), [schema, schema, "APIExport", rights[0], rights[1], "APIBinding"]);
}

#[test]
fn a_layout_that_does_not_go_with_the_workspace_is_noticed() {
    let binding = |export: &str, resource: &str| {
        json!({
            "spec": {"reference": {"export": {"name": export}}},
            "status": {"boundResources": [{"group": "kro.run", "resource": resource}]},
        })
    };
    let (split, shared) = (published(Layout::Split), published(Layout::Shared));
    let (own, other) = (binding("webs.kro.run", "resourcegroups"), binding("maps.kro.run", "resourcegroups"));
    let crd = |name: &str| [name.to_owned()];
    for (publication, bindings, crds, expected) in [
        (&split, vec![], vec![], None),
        (&split, vec![binding("x", "webs")], crd("resourcegroups.kro.run").to_vec(), None),
        (&split, vec![own.clone()], vec![], Some("has the shared layout")),
        (&split, vec![other.clone()], vec![], Some("from the export `maps.kro.run`, and nobody would serve")),
        (&shared, vec![own], vec![], None),
        (&shared, vec![other], vec![], Some("kcp binds a resource from one export only")),
        (&shared, vec![binding("x", "webs")], vec![], Some("`webs.kro.run` is bound")),
        (&shared, vec![], crd("resourcegroups.kro.run").to_vec(), Some("is a CRD in the workspace")),
        (&shared, vec![], crd("webs.kro.run").to_vec(), Some("`webs.kro.run` is a CRD")),
    ] {
        let found = misfit(publication, &bindings, &crds).map(|misfit| misfit.to_string());
        match (&found, expected) {
            (None, None) => {}
            (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
            _ => panic!("{found:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn the_host_may_do_nothing_but_its_work() {
    let rules = |layout| published(layout).rbac[0]["rules"].as_array().unwrap().len();
    // To keep the export, to read definitions and to write their status, in either group.
    assert_eq!(rules(Layout::Shared) + 5, rules(Layout::Split));
    let all = serde_json::to_string(&published(Layout::Split).rbac).unwrap();
    assert_eq!(graph_published(Layout::Split).rbac, published(Layout::Split).rbac);
    assert!(DefinitionKind::ALL.iter().all(|kind| all.contains(&format!("{}/status", kind.plural()))), "{all}");
    assert!(!all.contains("\"*\""), "{all}");
}

#[test]
fn a_host_may_touch_no_lease_but_its_own() {
    let rbac = published(Layout::Split).rbac;
    let rules = rbac[0]["rules"].as_array().unwrap();
    let about_leases = |rule: &&Value| rule["resources"] == json!(["leases"]);
    for rule in rules.iter().filter(about_leases) {
        let names = &rule["resourceNames"];
        let own = rbac[0]["metadata"]["name"].as_str().unwrap().replace("croft:", "croft.");
        assert!(rule["verbs"] == json!(["create"]) || *names == json!([own]), "{rule}");
    }
    assert_eq!(rules.iter().filter(about_leases).count(), 2);
}
