use contract::{Api, Gvk, Scope};
use serde_json::Value;

use super::*;

fn kind(group: &str, version: &str, kind: &str) -> Gvk {
    Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
}

/// The API `Shop` with nodes of ConfigMaps, each an id, its role and what it
/// depends on.
pub(super) fn blueprint(nodes: &[(&str, Role, &[&str])]) -> Blueprint {
    let node = |(id, role, depends_on): &(&str, Role, &[&str])| Node {
        id: (*id).to_owned(),
        role: *role,
        kind: kind("", "v1", "ConfigMap"),
        depends_on: depends_on.iter().map(|id| (*id).to_owned()).collect(),
    };
    Blueprint {
        api: Api {
            kind: kind("kro.run", "v1alpha1", "Shop"),
            plural: "shops".to_owned(),
            scope: Scope::Namespaced,
            crd: Value::Null,
        },
        kinds: Vec::new(),
        nodes: nodes.iter().map(node).collect(),
    }
}

/// One node of every role.
pub(super) fn shop() -> Blueprint {
    let mut shop = blueprint(&[
        ("settings", Role::External, &[]),
        ("zones", Role::ExternalCollection, &["settings"]),
        ("database", Role::Child, &["settings"]),
        ("pages", Role::Collection, &["database", "zones", "database"]),
    ]);
    shop.nodes[2].kind = kind("apps", "v1", "StatefulSet");
    shop
}

/// Nodes of which each fourth depends on nothing, and the others on two before
/// them.
pub(super) fn woven(count: usize) -> Blueprint {
    const ROLES: [Role; 5] = [Role::Child, Role::Child, Role::Collection, Role::External, Role::ExternalCollection];
    let ids: Vec<String> = (0..count).map(|index| format!("node-{index}")).collect();
    let mut woven = blueprint(&[]);
    for (index, id) in ids.iter().enumerate() {
        let sources = [(index * 7 + 3) % index.max(1), (index * 5 + 1) % index.max(1)];
        let depends_on = sources.iter().filter(|_| index % 4 != 0).map(|source| ids[*source].clone()).collect();
        woven.nodes.push(Node {
            id: id.clone(),
            role: ROLES[index % ROLES.len()],
            kind: kind("", "v1", "Secret"),
            depends_on,
        });
    }
    woven
}

fn said(blueprint: &Blueprint) -> Vec<String> {
    let graph = Graph::of(blueprint);
    let name = |vertex: usize| &graph.vertices[vertex].name;
    graph.edges.iter().map(|edge| format!("{} {}", name(edge.from), name(edge.to))).collect()
}

#[test]
fn the_instance_leads_to_what_nothing_else_of_it_leads_to() {
    let nodes: &[(&str, Role, &[&str])] = &[
        ("a", Role::Child, &[]),
        ("b", Role::Child, &["a"]),
        ("given", Role::External, &[]),
        ("c", Role::Child, &["given"]),
        ("named-by-a", Role::External, &["a"]),
        ("d", Role::Child, &["named-by-a"]),
    ];
    let expected = ["Shop a", "a b", "Shop c", "given c", "a named-by-a", "named-by-a d"];
    assert_eq!(said(&blueprint(nodes)), expected);
}

#[test]
fn whatever_a_blueprint_says_there_is_no_cycle() {
    let nodes: &[(&str, Role, &[&str])] =
        &[("a", Role::Child, &["b", "a", "nowhere"]), ("b", Role::Child, &["a", "a"])];
    assert_eq!(said(&blueprint(nodes)), ["Shop a", "a b"]);
}

#[test]
fn mermaid_shows_each_role_by_shape_and_by_word() {
    let expected = r#"flowchart TD
    instance(["Shop<br/>kro.run/v1alpha1<br/>instance"])
    id_settings("settings<br/>ConfigMap v1<br/>external")
    id_zones{{"zones<br/>ConfigMap v1<br/>external collection"}}
    id_database["database<br/>StatefulSet apps/v1<br/>child"]
    id_pages[["pages<br/>ConfigMap v1<br/>collection"]]
    id_settings -.-> id_zones
    instance --> id_database
    id_settings -.-> id_database
    id_zones -.-> id_pages
    id_database --> id_pages
    classDef external stroke-dasharray: 5 4
    class id_settings,id_zones external
"#;
    assert_eq!(mermaid(&shop()), expected);
}

#[test]
fn dot_shows_each_role_by_border_and_by_word() {
    let expected = r#"digraph "Shop kro.run/v1alpha1" {
  rankdir=TB;
  node [shape=box, fontname="Helvetica"];
  "Shop kro.run/v1alpha1" [label="Shop\nkro.run/v1alpha1\ninstance", style=rounded];
  "settings" [label="settings\nConfigMap v1\nexternal", style=dashed];
  "zones" [label="zones\nConfigMap v1\nexternal collection", style=dashed, peripheries=2];
  "database" [label="database\nStatefulSet apps/v1\nchild"];
  "pages" [label="pages\nConfigMap v1\ncollection", peripheries=2];
  "settings" -> "zones" [style=dashed];
  "Shop kro.run/v1alpha1" -> "database";
  "settings" -> "database" [style=dashed];
  "zones" -> "pages" [style=dashed];
  "database" -> "pages";
}
"#;
    assert_eq!(dot(&shop()), expected);
}

#[test]
fn an_api_without_children_is_its_instance_alone() {
    let empty = blueprint(&[]);
    assert_eq!(mermaid(&empty), "flowchart TD\n    instance([\"Shop<br/>kro.run/v1alpha1<br/>instance\"])\n");
    assert!(dot(&empty).ends_with("instance\", style=rounded];\n}\n"));
    assert!(svg(&empty).ends_with("</svg>\n"));
}
