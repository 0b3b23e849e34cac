//! What is not to be evaluated is not: every function and macro that may leave a
//! part of itself out, with a part that fails. What cel-go does is the measure.

use expr::{
    check::{Env, check},
    convert,
    eval::{Globals, Machine},
    parse::parse,
    types::Type,
    value::Value,
};
use serde_json::{Value as Json, json};

/// In these `fails` is a variable without a value, and `o` is
/// `{"a": 1, "l": [1, 2]}`: the expression and what it comes to, or the error.
const CASES: &[(&str, &str, Result<&str, &str>)] = &[
    ("orValue with a value", "o.?a.orValue(fails)", Ok("1")),
    ("orValue without", "o.?b.orValue(fails)", Err("fails")),
    ("orValue of what fails", "fails.?b.orValue(2)", Err("fails")),
    ("or with a value", "o.?a.or(fails).value()", Ok("1")),
    ("or with a value that is called", "o.?a.or(optional.of(fails)).orValue(fails)", Ok("1")),
    ("or without", "o.?b.or(fails)", Err("fails")),
    ("or in a chain", "o.?b.or(o.?a).or(optional.of(fails)).orValue(fails)", Ok("1")),
    ("orValue of an index", "o.l[?0].orValue(fails)", Ok("1")),
    ("optMap without a value", "o.?b.optMap(v, fails).hasValue()", Ok("false")),
    ("optMap with a value", "o.?a.optMap(v, fails)", Err("fails")),
    ("optFlatMap without a value", "o.?b.optFlatMap(v, optional.of(fails)).hasValue()", Ok("false")),
    ("optFlatMap with a value", "o.?a.optFlatMap(v, optional.of(fails))", Err("fails")),
    ("a binding that is not used", "cel.bind(v, fails, 1)", Ok("1")),
    ("a binding in the half that does not count", "cel.bind(v, fails, true ? 1 : v)", Ok("1")),
    ("a binding that is used", "cel.bind(v, fails, v)", Err("fails")),
    ("? : that holds", "true ? 1 : fails", Ok("1")),
    ("? : that does not", "false ? fails : 1", Ok("1")),
    ("? : whose condition fails", "fails ? 1 : 1", Err("fails")),
    ("&& decided by the left", "false && fails", Ok("false")),
    ("&& decided by the right", "fails && false", Ok("false")),
    ("&& that is not decided", "fails && true", Err("fails")),
    ("&& of two failures", "fails && 1 / 0 > 1", Err("fails")),
    ("|| decided by the left", "true || fails", Ok("true")),
    ("|| decided by the right", "fails || true", Ok("true")),
    ("|| that is not decided", "false || fails", Err("fails")),
    ("all ended by an element", "o.l.all(x, x == 2 || fails) ", Err("fails")),
    ("all with a later no", "o.l.all(x, x == 1 ? fails : false)", Ok("false")),
    ("all ended early", "o.l.all(x, x == 1 ? false : fails)", Ok("false")),
    ("all of nothing", "[].all(x, fails)", Ok("true")),
    ("all with two variables", "o.l.all(i, x, x == 1 ? false : fails)", Ok("false")),
    ("exists ended early", "o.l.exists(x, x == 1 ? true : fails)", Ok("true")),
    ("exists with a later yes", "o.l.exists(x, x == 1 ? fails : true)", Ok("true")),
    ("exists with two variables", "o.l.exists(i, x, i == 0 ? true : fails)", Ok("true")),
    ("exists of nothing", "[].exists(x, fails)", Ok("false")),
    ("exists_one goes to the end", "o.l.exists_one(x, x == 1 ? true : fails)", Err("fails")),
    ("exists_one of nothing", "[].exists_one(x, fails)", Ok("false")),
    ("map of nothing", "[].map(x, fails)", Ok("[]")),
    ("map with a filter", "o.l.map(x, x == 1, x == 1 ? x : fails)", Ok("[1]")),
    ("filter of nothing", "[].filter(x, fails)", Ok("[]")),
    ("transformList with a filter", "o.l.transformList(i, x, x == 1, x == 1 ? x : fails)", Ok("[1]")),
    ("transformMap with a filter", "{'a': 1, 'b': 2}.transformMap(k, v, v == 1, v == 1 ? v : fails)", Ok(r#"{"a":1}"#)),
    (
        "transformMapEntry with a filter",
        "{'a': 1, 'b': 2}.transformMapEntry(k, v, v == 1, v == 1 ? {k: v} : fails)",
        Ok(r#"{"a":1}"#),
    ),
    ("sortBy of nothing", "[].sortBy(x, fails)", Ok("[]")),
    ("has below what is absent", "has(o.b) ? fails : 1", Ok("1")),
    ("an optional element is evaluated", "[?o.?b, fails]", Err("fails")),
    ("an optional entry is evaluated", "{?'a': fails}", Err("fails")),
    ("a function takes all arguments", "optional.of(fails).hasValue()", Err("fails")),
    ("the key of an optional index", "o.l[?fails]", Err("fails")),
];

#[test]
fn what_does_not_count_is_not_evaluated() {
    let o = json!({"a": 1, "l": [1, 2]});
    let failures: Vec<String> = CASES.iter().filter_map(|case| differs(case, &o)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn differs((what, source, wanted): &(&str, &str, Result<&str, &str>), o: &Json) -> Option<String> {
    let mut env = Env::default();
    env.variables.push(("o".to_owned(), Type::Dyn));
    env.variables.push(("fails".to_owned(), Type::Dyn));
    let node = parse(source).unwrap_or_else(|issues| panic!("{source}: {issues:?}"));
    let checked = check(source, &node, &env).unwrap_or_else(|issues| panic!("{source}: {issues:?}"));
    let values = [Some(Value::of_json(o, None)), None];
    let found = Machine::default().evaluate(&checked.code, Globals { names: &["o", "fails"], values: &values });
    let found = found.map_err(|error| error.to_string()).map(|value| {
        let value = convert::to_json(&value).unwrap_or_else(|error| panic!("{source}: {error}"));
        value.unwrap_or_default().to_string()
    });
    let is_so = match (wanted, &found) {
        (Ok(wanted), Ok(found)) => wanted == found,
        (Err(wanted), Err(found)) => found.contains(wanted),
        _ => false,
    };
    (!is_so).then(|| format!("{what}: `{source}` is {found:?}, not {wanted:?}"))
}
