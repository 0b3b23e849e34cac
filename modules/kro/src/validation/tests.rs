use serde_json::json;

use super::*;

/// What became of a schema of one field with rules, and of a value if the schema is
/// taken: `refused`, `broken` or `kept`, and in which words.
fn answer(field: &Json, value: &Json) -> (&'static str, Vec<String>) {
    let spec = json!({"type": "object", "properties": {"it": field}});
    let (known, at, mut problems) = (known(&spec), Pointer::root(), Problems::default());
    let stated = stated(&known, &at, &mut problems);
    let rules = checked(&stated, &at, &mut problems);
    let rules = against_defaults(rules, &known, &at, &mut problems);
    let is_refused = problems.any_error();
    if !is_refused && !value.is_null() {
        validate(&rules, &json!({"it": value}), &mut problems);
    }
    let messages = match problems.into_result() {
        Ok(_) => return ("kept", Vec::new()),
        Err(guest_sdk::Failure::Invalid(found)) => found.into_iter().map(|it| it.message).collect(),
        Err(other) => panic!("{other:?}"),
    };
    (if is_refused { "refused" } else { "broken" }, messages)
}

/// `rules.jsonl` has what an API server answers; `xtask/oracles/rules` asks it.
#[test]
fn rules_are_what_an_api_server_takes_them_for() {
    let mut wrong = Vec::new();
    for line in include_str!("rules.jsonl").lines() {
        let asked: Json = serde_json::from_str(line).unwrap();
        let (found, messages) = answer(&asked["schema"], &asked["value"]);
        if asked["answer"] != found {
            wrong.push(format!("{line}\n  {found} {messages:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
