use serde_json::json;

use super::*;
use crate::{error, parse::parse};

/// The type of an expression, or what is wrong with it.
fn check(source: &str) -> String {
    let schema = json!({"type": "object", "properties": {
        "name": {"type": "string"}, "n": {"type": "integer"}, "f": {"type": "number"},
        "ports": {"type": "array", "items": {"type": "object", "properties": {"port": {"type": "integer"}}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "any": {"x-kubernetes-preserve-unknown-fields": true},
    }});
    let mut env = Env::default();
    env.declare("c", &schema);
    let node = match parse(source) {
        Ok(node) => node,
        Err(issues) => return error::display(source, &issues),
    };
    match super::check(source, &node, &env) {
        Ok(checked) => checked.of.to_string(),
        Err(issues) => error::display(source, &issues),
    }
}

#[test]
fn expressions_have_types() {
    for (source, expected) in [
        ("c.name + 'x'", "string"),
        ("c.ports.map(p, p.port)", "list(int)"),
        ("c.ports[0].port * 2", "int"),
        ("c.any.x.y", "dyn"),
        ("c.any.x + 'a'", "string"),
        ("c.labels.a", "string"),
        ("c.?name", "optional_type(string)"),
        ("c.?name.orValue('x')", "string"),
        ("[1, 'a']", "list(dyn)"),
        ("[]", "list(dyn)"),
        ("{'a': 1}", "map(string, int)"),
        ("c.labels.transformList(k, v, k + v)", "list(string)"),
        ("cel.bind(x, c.n, x + x)", "int"),
        ("c.ports.sortBy(p, p.port)", "list(__type_c.ports.@idx)"),
        ("[1, 2].sum()", "int"),
        ("c.any.indexOf('a')", "int"),
        ("true ? [1] : []", "list(int)"),
        ("optional.of(1).optMap(x, string(x))", "optional_type(string)"),
        ("type(1) == int", "bool"),
    ] {
        assert_eq!(check(source), expected, "{source}");
    }
}

#[test]
fn what_is_wrong_is_said_in_cel_gos_words() {
    for (source, expected) in [
        ("c.nope", "1:2: undefined field 'nope'"),
        ("x", "1:1: undeclared reference to 'x' (in container '')"),
        ("c.name.first", "1:7: type 'string' does not support field selection"),
        ("c.n + 1.0", "1:5: found no matching overload for '_+_' applied to '(int, double)'"),
        ("size(1)", "1:5: found no matching overload for 'size' applied to '(int)'"),
        ("c.n == null", "1:5: found no matching overload for '_==_' applied to '(int, null)'"),
        ("c.n.map(x, x)", "1:2: expression of type 'int' cannot be range of a comprehension"),
        ("nope(1)", "1:5: undeclared reference to 'nope' (in container '')"),
        ("'a'.nope()", "1:9: undeclared reference to 'nope' (in container '')"),
        ("c['a']", "1:2: found no matching overload for '_[_]' applied to '(__type_c, string)'"),
        ("c.n > 2 ? 'a' : 1", "1:9: found no matching overload for '_?_:_' applied to '(bool, string, int)'"),
    ] {
        let found = check(source);
        assert!(found.starts_with(&format!("ERROR: <input>:{expected}")), "{source}: {found}");
    }
}
