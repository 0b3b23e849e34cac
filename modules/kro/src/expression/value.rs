//! JSON as CEL values and back. Objects and lists are wrapped, not copied: only
//! what an expression touches is converted.

mod backed;

use backed::{JsonList, JsonMap};
use cel::common::{
    types::{CelBool, CelDouble, CelInt, CelNull, CelString, CelUInt, Kind},
    value::Val,
};
use serde_json::{Map, Number, Value};

/// Values nested deeper than this are no JSON document that we would take.
const MAX_DEPTH: usize = 64;

/// A JSON value as a CEL value that borrows it.
pub(super) fn of_json<'v>(value: &'v Value) -> Box<dyn Val + 'v> {
    match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(number) => of_number(number),
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(elements) => Box::new(JsonList::new(elements)),
        Value::Object(fields) => Box::new(JsonMap::new(fields)),
    }
}

/// Whole numbers are `int`, as Kubernetes' clients read them; what does not fit
/// is `double`.
fn of_number<'v>(number: &Number) -> Box<dyn Val + 'v> {
    match number.as_i64() {
        Some(number) => Box::new(CelInt::from(number)),
        None => Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN))),
    }
}

/// A value that JSON cannot hold.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotJson {
    /// A type without a JSON form.
    #[error("a value of type `{0}` cannot be written as JSON")]
    Type(String),
    /// A map whose keys are not texts.
    #[error("a map with a key of type `{0}` cannot be written as JSON: keys must be strings")]
    Key(String),
    /// NaN, an infinity, or an unsigned number beyond 63 bits.
    #[error("the number {0} cannot be written as JSON")]
    Number(String),
    /// Too many levels.
    #[error("a value nested more than {MAX_DEPTH} levels deep cannot be written as JSON")]
    TooDeep,
}

/// A CEL value as JSON.
pub(super) fn to_json(value: &dyn Val) -> Result<Value, NotJson> {
    at_depth(value, 0)
}

fn at_depth(value: &dyn Val, depth: usize) -> Result<Value, NotJson> {
    if depth > MAX_DEPTH {
        return Err(NotJson::TooDeep);
    }
    let unsupported = || NotJson::Type(value.get_type().name().to_owned());
    match value.get_type().kind() {
        Kind::NullType => Ok(Value::Null),
        Kind::Boolean => value.downcast_ref::<CelBool>().map(|it| Value::Bool(*it.inner())).ok_or_else(unsupported),
        Kind::Int => value.downcast_ref::<CelInt>().map(|it| Value::from(*it.inner())).ok_or_else(unsupported),
        Kind::UInt => unsigned(*value.downcast_ref::<CelUInt>().ok_or_else(unsupported)?.inner()),
        Kind::Double => double(*value.downcast_ref::<CelDouble>().ok_or_else(unsupported)?.inner()),
        Kind::String => {
            value.downcast_ref::<CelString>().map(|it| Value::String(it.inner().to_owned())).ok_or_else(unsupported)
        }
        Kind::List => list(value, depth),
        Kind::Map => map(value, depth),
        _ => Err(unsupported()),
    }
}

fn unsigned(number: u64) -> Result<Value, NotJson> {
    i64::try_from(number).map(Value::from).map_err(|_| NotJson::Number(number.to_string()))
}

/// A whole number is written without a fraction, as Go does.
fn double(number: f64) -> Result<Value, NotJson> {
    // 2^53: up to there a double is exact.
    if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| NotJson::Number(number.to_string()))
}

fn list(value: &dyn Val, depth: usize) -> Result<Value, NotJson> {
    let mut json = Vec::new();
    if let Some(iterable) = value.as_iterable() {
        let mut elements = iterable.iter();
        while let Some(element) = elements.next() {
            json.push(at_depth(element, depth + 1)?);
        }
    }
    Ok(Value::Array(json))
}

fn map(value: &dyn Val, depth: usize) -> Result<Value, NotJson> {
    let mut json = Map::new();
    if let (Some(iterable), Some(indexer)) = (value.as_iterable(), value.as_indexer()) {
        let mut keys = iterable.iter();
        while let Some(key) = keys.next() {
            let name = key.downcast_ref::<CelString>();
            let name = name.ok_or_else(|| NotJson::Key(key.get_type().name().to_owned()))?.inner().to_owned();
            let field = indexer.get(key).map_err(|_| NotJson::Type(value.get_type().name().to_owned()))?;
            json.insert(name, at_depth(field.as_ref(), depth + 1)?);
        }
    }
    Ok(Value::Object(json))
}

/// CEL's equality, also between a literal and a value backed by JSON.
pub(super) fn equal(left: &dyn Val, right: &dyn Val) -> bool {
    match (left.get_type().kind(), right.get_type().kind()) {
        (Kind::List, Kind::List) => equal_lists(left, right),
        (Kind::Map, Kind::Map) => equal_maps(left, right),
        _ => left.equals(right),
    }
}

fn length(value: &dyn Val) -> Option<i64> {
    value.as_sizer().map(|sizer| *sizer.size().inner())
}

fn equal_lists(left: &dyn Val, right: &dyn Val) -> bool {
    let (Some(lefts), Some(rights)) = (left.as_iterable(), right.as_iterable()) else { return false };
    if length(left) != length(right) {
        return false;
    }
    let (mut lefts, mut rights) = (lefts.iter(), rights.iter());
    loop {
        match (lefts.next(), rights.next()) {
            (Some(left), Some(right)) if equal(left, right) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

fn equal_maps(left: &dyn Val, right: &dyn Val) -> bool {
    let (Some(keys), Some(lefts), Some(rights)) = (left.as_iterable(), left.as_indexer(), right.as_indexer()) else {
        return false;
    };
    if length(left) != length(right) {
        return false;
    }
    let mut keys = keys.iter();
    while let Some(key) = keys.next() {
        match (lefts.get(key), rights.get(key)) {
            (Ok(left), Ok(right)) if equal(left.as_ref(), right.as_ref()) => {}
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::expression::{
        Code, Form,
        evaluate::{Engine, Error, Scope},
        parse,
    };

    fn evaluate(source: &str, variable: &Value) -> Result<Value, Error> {
        let parsed = parse(source).unwrap();
        let bytes = parsed.encode();
        let form = Form::Tree { bytes: &bytes, whole_library: parsed.needs_whole_library() };
        let engine = Engine::default();
        Scope::new(vec![("x", variable)], &engine).evaluate(&Code { source, form })
    }

    #[test]
    fn json_behaves_like_the_literal_that_is_written_the_same() {
        let x = json!({"l": [1, "a", null, {"b": [true]}], "n": 3, "f": 1.5, "big": 18_446_744_073_709_551_615_u64});
        for source in [
            r#"x.l == [1, "a", null, {"b": [true]}]"#,
            r#"[1, "a", null, {"b": [true]}] == x.l"#,
            r#"{"b": [true]} in x.l && x.l[3] in [{"b": [true]}]"#,
            r#"x.l != [1] && [1] != x.l"#,
            "x.n * 2 == 6 && x.n + 1 == 4 && x.f + 0.5 == 2.0 && x.big > 1.0",
            "x.l + [5] == [1, 'a', null, {'b': [true]}, 5] && ([5] + x.l).size() == 5",
            "x.l.size() == 4 && size(x) == 4 && 'n' in x && !('m' in x)",
            "x.map(k, k) == ['big', 'f', 'l', 'n']",
            "x['l'][3].b[0] && x.l[1.0] == 'a'",
            "x.l.exists(i, i == 'a') && !x.l.all(i, i == 'a')",
            "type(x) == map && type(x.l) == list && type(x.n) == int",
            "x.l[3] == {'b': [true]} && {'b': [true]} == x.l[3]",
        ] {
            assert_eq!(evaluate(source, &x), Ok(json!(true)), "{source}");
        }
    }

    #[test]
    fn what_json_cannot_hold_is_an_error() {
        for source in ["b'x'", "{1: 2}", "type(1)", "1.0 / 0.0", "18446744073709551615u"] {
            assert!(matches!(evaluate(source, &json!({})), Err(Error::Failed(_))), "{source}");
        }
    }

    #[test]
    fn a_missing_field_is_told_from_a_mistake() {
        let x = json!({"a": {"l": []}, "s": "text"});
        let missing = |path: &str| Err(Error::Missing { path: path.to_owned() });
        assert_eq!(evaluate("x.a.b.c + 1", &x), missing("x.a.b"));
        assert_eq!(evaluate("x.a['b'] + 1", &x), missing("x.a.b"));
        assert_eq!(evaluate("x.a.l[0]", &x), missing("element 0"));
        assert_eq!(evaluate("y.a + 1", &x), missing("y"));
        for source in
            ["x.s.b + 1", "x.s + 1", "1 / 0", "x.s[0]", "x.s > 1", "-x.s", "!x.s", "x.s.matches('(')", "int('a')"]
        {
            assert!(matches!(evaluate(source, &x), Err(Error::Failed(_))), "{source} {:?}", evaluate(source, &x));
        }
    }

    #[test]
    fn literals_come_out_in_the_same_order_every_time() {
        let source = "{'e':1,'d':2,'c':3,'b':4,'a':5}.map(k, k)";
        for _ in 0..50 {
            assert_eq!(evaluate(source, &json!({})), Ok(json!(["a", "b", "c", "d", "e"])));
        }
    }
}
