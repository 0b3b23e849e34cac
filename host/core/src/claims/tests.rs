use super::*;

fn binding(spec: Value, applied: Value) -> Claims {
    of(spec, applied, json!([{"group": "", "resource": "configmaps", "verbs": ["get"]}]))
}

fn of(spec: Value, applied: Value, wanted: Value) -> Claims {
    Claims::of(&json!({
        "metadata": {"name": "webs.kro.run", "annotations": {"kcp.io/path": "root:consumer:team-1"}},
        "spec": spec,
        "status": {"appliedPermissionClaims": applied, "exportPermissionClaims": wanted},
    }))
}

#[test]
fn a_claim_counts_once_kcp_has_applied_it() {
    let answered = |state: &str| json!({"permissionClaims": [{"resource": "configmaps", "state": state}]});
    let applied = json!([{"group": "", "resource": "configmaps"}]);
    assert_eq!(binding(answered("Accepted"), applied.clone()).grant("", "configmaps"), Grant::Accepted);
    assert_eq!(binding(answered("Accepted"), json!([])).grant("", "configmaps"), Grant::Applying);
    assert_eq!(binding(answered("Accepted"), applied.clone()).grant("", "secrets"), Grant::NotClaimed);
    assert_eq!(binding(answered("Rejected"), applied).grant("", "configmaps"), Grant::Open);
}

#[test]
fn an_answer_to_another_identity_is_no_answer() {
    let claim = |identity: &str| json!({"group": "apps", "resource": "deployments", "identityHash": identity});
    let mut answer = claim("old");
    answer["state"] = "Accepted".into();
    let claims = of(json!({"permissionClaims": [answer]}), json!([claim("old")]), json!([claim("new")]));
    assert_eq!(claims.grant("apps", "deployments"), Grant::Open);
    let patch = claims.acceptance();
    assert_eq!(patch[1]["op"], "replace");
    assert_eq!(
        (&patch[1]["path"], &patch[1]["value"]["identityHash"]),
        (&json!("/spec/permissionClaims/0"), &json!("new"))
    );
}

#[test]
fn one_line_accepts_all_that_is_missing() {
    let value =
        r#"{"group":"","resource":"configmaps","selector":{"matchAll":true},"state":"Accepted","verbs":["get"]}"#;
    let (list, test) = ("/spec/permissionClaims", r#"{"op":"test","path":"/spec/permissionClaims"#);
    let cases = [
        (json!({}), format!(r#"[{test}","value":null}},{{"op":"add","path":"{list}","value":[{value}]}}]"#)),
        (json!({"permissionClaims": []}), format!(r#"[{{"op":"add","path":"{list}/-","value":{value}}}]"#)),
        (
            json!({"permissionClaims": [{"resource": "configmaps", "state": "Rejected"}]}),
            format!(
                r#"[{test}/0/resource","value":"configmaps"}},{{"op":"replace","path":"{list}/0","value":{value}}}]"#
            ),
        ),
    ];
    for (spec, patch) in cases {
        let missing = binding(spec, json!([])).missing().unwrap();
        assert_eq!(missing.resources, ["configmaps"]);
        assert_eq!(missing.accept, format!("kubectl patch apibinding webs.kro.run --type=json -p='{patch}'"));
    }
    let accepted = json!({"permissionClaims": [{"resource": "configmaps", "state": "Accepted", "verbs": ["get"]}]});
    assert_eq!(binding(accepted, json!([])).missing(), None);
}

/// What an export claims is its provider's text, and the command is for the
/// consumer's administrator.
#[test]
fn what_a_provider_claims_stays_one_word_of_the_command() {
    let wanted = json!([{"resource": "configmaps", "verbs": ["get", "x'; touch /tmp/oops; '"]}]);
    let missing = of(json!({}), json!([]), wanted).missing().unwrap();
    let (command, patch) = missing.accept.split_once(" -p=").unwrap();
    assert_eq!(command, "kubectl patch apibinding webs.kro.run --type=json");
    let output = std::process::Command::new("sh").arg("-c").arg(format!("printf %s {patch}")).output().unwrap();
    let patch: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(patch[1]["value"][0]["verbs"][1], "x'; touch /tmp/oops; '");
}

#[test]
fn accepting_the_rest_leaves_other_answers_alone() {
    let narrow = json!({
        "resource": "configmaps", "state": "Accepted", "verbs": ["get"], "selector": {"matchLabels": {"a": "b"}},
    });
    let wanted = json!(["configmaps", "secrets", "events"].map(|name| json!({"resource": name, "verbs": ["get"]})));
    let claims =
        of(json!({"permissionClaims": [narrow, {"resource": "events", "state": "Rejected"}]}), json!([]), wanted);
    assert_eq!(claims.missing().unwrap().resources, ["secrets", "events"]);
    let patch = claims.acceptance();
    let changed: Vec<&str> = patch
        .as_array()
        .unwrap()
        .iter()
        .filter(|op| op["op"] != "test")
        .map(|op| op["path"].as_str().unwrap())
        .collect();
    assert_eq!(changed, ["/spec/permissionClaims/-", "/spec/permissionClaims/1"]);
}

#[test]
fn a_line_that_a_condition_would_cut_off_is_said_shortly() {
    let wanted: Value =
        (0..20).map(|number| json!({"resource": format!("r{number}"), "verbs": MANAGE_VERBS})).collect();
    let reference = json!({"export": {"path": "root:provider", "name": "webs.kro.run"}});
    let missing = |spec: Value| of(spec, json!([]), wanted.clone()).missing().unwrap();
    let short = missing(json!({"reference": reference}));
    assert_eq!(short.accept, "croft bind root:provider:webs.kro.run --name webs.kro.run --accept-claims");
    assert_eq!(short.resources.len(), 20);
    assert!(missing(json!({})).accept.starts_with("kubectl patch"));
}

#[test]
fn verbs_that_the_export_asks_for_anew_are_missing_and_nothing_stops_for_them() {
    let entry = |verbs: Value| json!({"resource": "configmaps", "verbs": verbs});
    let answered = |verbs: Value| {
        let mut answer = entry(verbs);
        answer["state"] = "Accepted".into();
        answer["selector"] = json!({"matchLabels": {"a": "b"}});
        of(json!({"permissionClaims": [answer]}), json!([entry(json!([]))]), json!([entry(json!(["get", "create"]))]))
    };
    let claims = answered(json!(["get"]));
    assert_eq!(claims.grant("", "configmaps"), Grant::Accepted);
    assert_eq!(claims.missing().unwrap().resources, ["configmaps"]);
    let value = &claims.acceptance()[1]["value"];
    assert_eq!((&value["verbs"], &value["selector"]), (&json!(["get", "create"]), &json!({"matchLabels": {"a": "b"}})));
    for enough in [json!(["create", "get", "list"]), json!(["*"])] {
        assert_eq!(answered(enough).missing(), None);
    }
}
