//! Publishing: children of other providers' APIs, layouts that do not go
//! together, and files that are applied by hand.

use host::yaml::Source;
use host_core::{
    definition::DefinitionKind,
    kinds::{self, OF_KCP},
    object::Target,
};
use kcp::cluster;
use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, wait};

/// A child of somebody's API, and one of kcp's own.
pub(crate) const SHOP: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: shops.kro.run}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Shop
    spec: {size: integer | default=3}
  resources:
  - id: gadget
    template:
      apiVersion: example.org/v1
      kind: Gadget
      metadata: {name: '${schema.metadata.name}'}
      spec: {size: '${schema.spec.size}'}
  - id: note
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.metadata.name}'}
      data: {gadget: '${gadget.metadata.uid}'}
";

/// A resource of `apis.kcp.io` in a workspace.
fn apis(cluster: &str, version: &str, resource: &str) -> String {
    format!("/clusters/{cluster}/apis/apis.kcp.io/{version}/{resource}")
}

/// Exports `Gadget`, whose plural nobody guesses, in two versions. Answers the
/// identity.
pub(crate) fn export_gadgets(cluster: &str) -> String {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let versions =
        ["v1", "v2"].map(|name| json!({"name": name, "served": true, "storage": name == "v1", "schema": schema}));
    let schema = json!({
        "apiVersion": "apis.kcp.io/v1alpha1", "kind": "APIResourceSchema",
        "metadata": {"name": "v1.gadgetry.example.org"},
        "spec": {
            "group": "example.org", "scope": "Namespaced",
            "names": {"kind": "Gadget", "listKind": "GadgetList", "plural": "gadgetry", "singular": "gadget"},
            "versions": versions, "conversion": {"strategy": "None"},
        },
    });
    api().apply(&apis(cluster, "v1alpha1", "apiresourceschemas/v1.gadgetry.example.org"), &schema).unwrap();
    let resource = json!({
        "group": "example.org", "name": "gadgetry", "schema": "v1.gadgetry.example.org", "storage": {"crd": {}},
    });
    let export = json!({
        "apiVersion": "apis.kcp.io/v1alpha2", "kind": "APIExport", "metadata": {"name": "gadgets"},
        "spec": {"resources": [resource]},
    });
    let path = apis(cluster, "v1alpha2", "apiexports/gadgets");
    api().apply(&path, &export).unwrap();
    wait("the export's identity", || {
        let identity = api().find(&path).unwrap()?["status"]["identityHash"].as_str()?.to_owned();
        Some(identity).filter(|identity| !identity.is_empty())
    })
}

/// What is in a list of a workspace.
fn count(path: &str) -> usize {
    api().find(path).unwrap().map_or(0, |list| list["items"].as_array().unwrap().len())
}

#[test]
fn a_child_of_another_providers_api_is_claimed_by_its_identity() {
    let stage = Stage::new("foreign", 2);
    let platform = stage.consumers[1].clone();
    let identity = export_gadgets(&platform);
    let file = stage.file("shop.yaml", SHOP);
    let publish = ["publish", "--context", "provider", "--apply", "-f", file.to_str().unwrap()];

    // Nobody in the provider's workspace serves it: nothing is left behind.
    let said = stage.croft(&publish);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.stderr.contains("`gadgets.example.org`") && said.stderr.contains("--identity"), "{said:#?}");
    let crds = format!("/clusters/{}/apis/apiextensions.k8s.io/v1/customresourcedefinitions", stage.provider);
    for list in [apis(&stage.provider, "v1alpha1", "apiresourceschemas"), crds.clone()] {
        assert_eq!(count(&list), 0, "{list}");
    }

    // Bound there, it is found, with the plural that nobody guesses.
    stage.done(&["bind", &format!("{platform}:gadgets"), "--context", "provider"]);
    let said = stage.done(&publish);
    assert!(said.stdout.contains(&format!("#    identityHash: {identity}")), "{said:#?}");
    let export = api().find(&apis(&stage.provider, "v1alpha2", "apiexports/shops.kro.run")).unwrap().unwrap();
    let claims = export["spec"]["permissionClaims"].as_array().unwrap();
    let claim = claims.iter().find(|claim| claim["resource"] == "gadgetry").unwrap();
    assert_eq!(claim["identityHash"], identity.as_str());

    stage.done(&["bind", &format!("{platform}:gadgets"), "--context", "team-1"]);
    stage.bind(1, "shops.kro.run");
    let host = stage.host_of("shops.kro.run");
    stage.create(1, "shops.kro.run/corner", "Shop", json!({}));
    let instance = stage.until(1, "shops.kro.run/corner", "Ready", "True");
    let gadget = format!("/clusters/{}/apis/example.org/v1/namespaces/default/gadgetry/corner", stage.consumers[0]);
    assert_eq!(api().find(&gadget).unwrap().unwrap()["spec"]["size"], 3, "{instance:#?}");
    api().delete(&stage.path(1, "shops.kro.run/corner")).unwrap();
    wait("the end", || stage.find(1, "shops.kro.run/corner").is_none().then_some(()));
    assert_eq!(api().find(&gadget).unwrap(), None);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn an_export_in_the_providers_own_workspace_has_an_identity_too() {
    let stage = Stage::new("own", 0);
    let identity = export_gadgets(&stage.provider);
    let file = stage.file("shop.yaml", SHOP);
    let said =
        stage.done(&["publish", "--context", "provider", "--apply", "--accept-claims", "-f", file.to_str().unwrap()]);
    assert!(
        said.stdout.contains(&format!("identityHash: {identity}")) && said.stdout.contains("gadgetry"),
        "{said:#?}"
    );
}

/// The whole is asked about before a part is written.
#[test]
fn what_the_server_refuses_leaves_nothing_behind() {
    let stage = Stage::new("refused", 0);
    let file = stage.file("chain.yaml", CHAIN);
    let publish = ["publish", "--context", "provider", "--apply", "--host-user", "", "-f", file.to_str().unwrap()];
    let said = stage.croft(&publish);
    assert_ne!(said.code, Some(0), "{said:#?}");
    assert_eq!(count(&apis(&stage.provider, "v1alpha1", "apiresourceschemas")), 0);
    assert_eq!(api().find(&apis(&stage.provider, "v1alpha2", "apiexports/chains.kro.run")).unwrap(), None);
}

#[test]
fn kcp_takes_claims_on_its_own_resources_without_an_identity() {
    let stage = Stage::new("builtin", 0);
    let of_kcp = OF_KCP.iter().flat_map(|(group, resources)| resources.iter().map(move |resource| (*group, *resource)));
    let claims = |all: &mut dyn Iterator<Item = (&str, &str)>| {
        all.map(|(group, resource)| json!({"group": group, "resource": resource, "verbs": ["get"]})).collect::<Value>()
    };
    let apply = |name: &str, claims: Value| {
        let export = json!({
            "apiVersion": "apis.kcp.io/v1alpha2", "kind": "APIExport", "metadata": {"name": name},
            "spec": {"permissionClaims": claims},
        });
        api().apply(&apis(&stage.provider, "v1alpha2", &format!("apiexports/{name}")), &export)
    };
    apply("all", claims(&mut of_kcp.chain([("apis.kcp.io", "apiexports")]))).unwrap();
    for foreign in
        [("apps", "deployments"), ("", "services"), ("", "pods"), ("", "limitranges"), ("tenancy.kcp.io", "workspaces")]
    {
        assert!(!kinds::is_of_kcp(foreign.0, foreign.1), "{foreign:?}");
        let refused = apply("foreign", claims(&mut [foreign].into_iter())).unwrap_err().to_string();
        assert!(refused.contains("identityHash is required"), "{foreign:?}: {refused}");
    }
}

#[test]
fn layouts_that_do_not_go_together_are_refused() {
    let stage = Stage::new("layouts", 0);
    let chain = stage.file("chain.yaml", CHAIN);
    let other = stage.file("other.yaml", &CHAIN.replace("Chain", "Other").replace("name: chain}", "name: other}"));
    let publish = |file: &std::path::Path, layout: &str| {
        stage.croft(&["publish", "--context", "provider", "--apply", "--layout", layout, "-f", file.to_str().unwrap()])
    };
    assert_eq!(publish(&chain, "shared").code, Some(0));
    for (file, layout, says, hint) in [
        (&chain, "split", "the workspace has the shared layout", "publish with `--layout shared`, as before"),
        (&other, "split", "the workspace has the shared layout", "publish in another workspace"),
        (&other, "shared", "kcp binds a resource from one export only", "publish in another workspace"),
    ] {
        let said = publish(file, layout);
        assert_eq!(said.code, Some(1), "{said:#?}");
        assert!(said.stderr.contains(says) && said.stderr.contains(hint), "{said:#?}");
    }
    assert_eq!(api().find(&apis(&stage.provider, "v1alpha2", "apiexports/others.kro.run")).unwrap(), None);
    let definition = "apis/kro.run/v1alpha1/namespaces/default/resourcegroups/other";
    assert_eq!(api().find(&format!("/clusters/{}/{definition}", stage.provider)).unwrap(), None);
    assert_eq!(publish(&chain, "shared").code, Some(0));

    let stage = Stage::new("layouts-split", 0);
    let chain = stage.file("chain.yaml", CHAIN);
    let publish = |layout: &str| {
        stage.croft(&["publish", "--context", "provider", "--apply", "--layout", layout, "-f", chain.to_str().unwrap()])
    };
    assert_eq!(publish("split").code, Some(0));
    let said = publish("shared");
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.stderr.contains("`resourcegroups.kro.run` is a CRD in the workspace"), "{said:#?}");
}

/// The chain without its Secret and what is made from that.
fn first_alone() -> String {
    CHAIN.split("  - id: second").next().unwrap().to_owned()
}

fn claimed(stage: &Stage) -> Vec<String> {
    let export = api().find(&apis(&stage.provider, "v1alpha2", "apiexports/chains.kro.run")).unwrap().unwrap();
    let claims = export["spec"]["permissionClaims"].as_array().unwrap().iter();
    let mut resources: Vec<String> = claims.map(|claim| claim["resource"].as_str().unwrap().to_owned()).collect();
    resources.sort();
    resources
}

/// A claim goes when nothing needs it, be it at once or with a later publication.
#[test]
fn a_version_that_drops_a_kind_drops_its_claim_when_the_children_are_gone() {
    let stage = Stage::new("shrinking", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());

    // Without a host the children stay, and so does the claim.
    let said = stage.publish(&first_alone(), &[]);
    assert!(said.stderr.contains("keeps its claim on secrets") && said.stderr.contains("Chain.kro.run"), "{said:#?}");
    assert_eq!(claimed(&stage), ["configmaps", "secrets"]);
    assert!(!said.stdout.contains("secrets"), "{said:#?}");
    let host = stage.host_of("chains.kro.run");
    wait("the pruning", || stage.children(1, "secrets").is_empty().then_some(()));
    let said = stage.publish(&first_alone(), &[]);
    assert!(said.stderr.contains("gives up") && said.stderr.contains("secrets"), "{said:#?}");
    assert_eq!(claimed(&stage), ["configmaps"]);
    stage.until(1, "chains.kro.run/a", "Ready", "True");

    // With a host all of it is one step, there and back.
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    wait("the Secret", || (stage.children(1, "secrets") == ["a-second"]).then_some(()));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    stage.publish(&first_alone(), &[]);
    assert_eq!((claimed(&stage), stage.children(1, "secrets")), (vec!["configmaps".to_owned()], Vec::new()));
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.children(1, "configmaps").is_empty());
    assert!(host.process.end().unwrap().success());
}

/// Files that are applied by hand take a claim away at once. The instance says
/// who can do something about it, and goes once they have.
#[test]
fn a_claim_that_is_gone_too_early_is_the_providers_to_bring_back() {
    let stage = Stage::new("too-early", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let path = apis(&stage.provider, "v1alpha2", "apiexports/chains.kro.run");
    let claims = api().find(&path).unwrap().unwrap()["spec"]["permissionClaims"].clone();
    let rest: Vec<_> = claims.as_array().unwrap().iter().filter(|claim| claim["resource"] != "secrets").collect();
    api().merge(&path, &json!({"spec": {"permissionClaims": rest}})).unwrap();
    stage.until(1, "chains.kro.run/a", "Applied", "False");
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    let message = wait("the refusal to go", || {
        let instance = stage.find(1, "chains.kro.run/a")?;
        let ready = crate::stage::condition(&instance, "Ready").filter(|ready| ready["reason"] == "Deleting")?;
        Some(ready["message"].as_str()?.to_owned()).filter(|message| message.contains("cannot see"))
    });
    assert!(message.contains("does not claim secrets any more") && message.contains("its provider"), "{message}");
    assert!(!message.contains("kubectl"), "{message}");
    stage.publish(CHAIN, &[]);
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.children(1, "secrets").is_empty() && stage.children(1, "configmaps").is_empty());
    assert!(host.process.end().unwrap().success());
}

/// Applies objects in order, as something that keeps at it would.
fn apply_all(cluster: &str, yaml: &str) {
    for document in Source::parse("published", yaml).unwrap().documents {
        let object = document.value;
        let target = Target::of(&object).unwrap();
        let kind = DefinitionKind::named(&target.kind).map(DefinitionKind::address);
        let kind = kind.or_else(|| kinds::builtin(&target.kind)).unwrap();
        let path = format!("/clusters/{cluster}{}", cluster::path(&target, &kind));
        wait(&format!("{target}"), || api().apply(&path, &object).ok());
    }
}

#[test]
fn files_that_are_applied_in_order_publish_an_api() {
    for layout in ["split", "shared"] {
        let stage = Stage::new(&format!("files-{layout}"), 1);
        let file = stage.file("chain.yaml", CHAIN);
        let printed = |part: &str| {
            let mut args = vec!["publish", "-f", file.to_str().unwrap(), "--layout", layout, "-o", part];
            if part == "consumer" {
                args.extend(["--workspace", &stage.provider]);
            }
            stage.done(&args).stdout
        };
        apply_all(&stage.provider, &printed("provider"));
        apply_all(&stage.provider, &printed("definition"));
        apply_all(&stage.consumers[0], &printed("consumer"));
        stage.bind(1, "chains.kro.run");
        let host = if layout == "split" {
            stage.host_of("chains.kro.run")
        } else {
            stage.done(&["kubeconfig", "chains.kro.run", "--context", "provider", "--name", "vw"]);
            stage.host(&["--context", "vw"])
        };
        stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
        stage.until(1, "chains.kro.run/a", "Ready", "True");
        assert!(host.process.end().unwrap().success());
    }
}

/// One definition's child is an instance of another's API: its claim takes the
/// identity that the other's export gets in the same call.
#[test]
fn definitions_of_one_call_claim_each_others_apis() {
    let stage = Stage::new("nested", 1);
    let nested = CHAIN.replace("kind: Chain", "kind: Inner").replace("name: chain}", "name: inner}");
    let outer = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: outers.kro.run}
spec:
  schema: {apiVersion: v1alpha1, kind: Outer, spec: {size: integer}}
  resources:
  - id: inner
    template:
      apiVersion: kro.run/v1alpha1
      kind: Inner
      metadata: {name: '${schema.metadata.name}'}
      spec: {name: '${schema.metadata.name}'}
";
    let (outer, inner) = (stage.file("outer.yaml", outer), stage.file("inner.yaml", &nested));
    let files = ["-f", outer.to_str().unwrap(), "-f", inner.to_str().unwrap()];
    let said = stage.done(&[&["publish", "--context", "provider", "--apply"][..], &files].concat());
    assert_eq!(Source::parse("bindings", &said.stdout).unwrap().documents.len(), 2, "{said:#?}");
    let export = |name: &str| {
        api().find(&apis(&stage.provider, "v1alpha2", &format!("apiexports/{name}.kro.run"))).unwrap().unwrap()
    };
    let claim = export("outers")["spec"]["permissionClaims"][0].clone();
    assert_eq!(
        (&claim["resource"], &claim["identityHash"]),
        (&json!("inners"), &export("inners")["status"]["identityHash"])
    );
    stage.bind(1, "inners.kro.run");
    stage.bind(1, "outers.kro.run");
    let hosts = [stage.host_of("inners.kro.run"), stage.host_of("outers.kro.run")];
    stage.create(1, "outers.kro.run/a", "Outer", json!({"size": 1}));
    stage.until(1, "outers.kro.run/a", "Ready", "True");
    stage.until(1, "inners.kro.run/a", "Ready", "True");
    assert_eq!(stage.children(1, "secrets"), ["a-second"]);
    for host in hosts {
        assert!(host.process.end().unwrap().success());
    }
}
