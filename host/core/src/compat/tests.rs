use super::*;

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn told(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| format!("{}{change}", if change.breaking { "! " } else { "" })).collect()
}

/// The changes between two objects with these properties, one a line, with `! `
/// before those that break.
#[track_caller]
fn check(before: &str, after: &str, expected: &[&str]) {
    let object = |properties: &str| serde_json::json!({"type": "object", "properties": yaml(properties)});
    assert_eq!(told(&compare(&object(before), &object(after))), expected, "\n{before}\n{after}");
}

const API: &str = "
group: kro.run
scope: Namespaced
names: {kind: Web, plural: webs, singular: web, listKind: WebList, shortNames: [w, wb], categories: [all]}
versions:
- name: v1
  served: true
  storage: true
  additionalPrinterColumns: [{name: Age}]
  subresources: {status: {}}
  schema:
    openAPIV3Schema: {type: object, properties: {spec: {type: object}}}
";

/// The changes of an API when this of it is written differently.
#[track_caller]
fn check_api(part: &str, instead: &str, expected: &[&str]) {
    let after = API.replace(part, instead);
    assert!(part == instead || after != API, "`{part}` is not there");
    assert_eq!(told(&compare_crds(&yaml(API), &yaml(&after))), expected, "{part} -> {instead}");
}

#[test]
fn a_field_that_takes_less_breaks_and_one_that_takes_more_does_not() {
    for (before, after, expected) in [
        ("{type: string}", "{type: string}", ""),
        ("{type: string}", "{type: integer}", "! `a` changes its type from string to integer (TYPE_CHANGED)"),
        ("{type: integer}", "{type: number}", "! `a` changes its type from integer to number (TYPE_CHANGED)"),
        (
            "{type: integer}",
            "{x-kubernetes-int-or-string: true}",
            "! `a` changes its type from integer to integer or string (INT_OR_STRING_ADDED)",
        ),
        (
            "{x-kubernetes-int-or-string: true}",
            "{type: string}",
            "! `a` changes its type from integer or string to string (INT_OR_STRING_REMOVED)",
        ),
        ("{type: string}", "{type: string, pattern: ^b}", "! `a` has to match `^b` now (PATTERN_ADDED)"),
        (
            "{type: string, pattern: ^b}",
            "{type: string, pattern: ^c}",
            "! `a` has to match `^c` now instead of `^b` (PATTERN_CHANGED)",
        ),
        ("{type: string, pattern: ^b}", "{type: string}", "`a` need not match `^b` any more (PATTERN_REMOVED)"),
        ("{type: string}", "{type: string, enum: [b]}", "! `a` has to be `b` now (ENUM_RESTRICTED)"),
        (
            "{type: integer, enum: [1, 2, 3]}",
            "{type: integer, enum: [3]}",
            "! `a` may not be `1` or `2` any more (ENUM_RESTRICTED)",
        ),
        ("{type: string, enum: [b, c]}", "{type: string, enum: [c, b]}", ""),
        ("{type: string, enum: [b]}", "{type: string, enum: [b, c]}", "`a` may also be `c` (ENUM_EXPANDED)"),
        ("{type: string, enum: [b]}", "{type: string}", "`a` need not be `b` any more (ENUM_EXPANDED)"),
        (
            "{type: string}",
            "{type: string, format: date}",
            "! `a` changes its format from none to `date` (FORMAT_CHANGED)",
        ),
        ("{type: string, nullable: true}", "{type: string}", "! `a` may not be null any more (NULLABLE_REMOVED)"),
        ("{type: string}", "{type: string, nullable: true}", "`a` may be null now (NULLABLE_ADDED)"),
        ("{type: string}", "{type: string, default: b}", "`a` has the default `b` now (DEFAULT_CHANGED)"),
        ("{type: string, default: b}", "{type: string}", "`a` has no default any more (DEFAULT_CHANGED)"),
        ("{type: string}", "{type: string, description: b}", "`a` changes its description (DESCRIPTION_CHANGED)"),
        (
            "{type: object, oneOf: [{}]}",
            "{type: object}",
            "`a` is not constrained by `oneOf` any more (CONSTRAINT_RELAXED)",
        ),
        ("{type: object}", "{type: object, oneOf: [{}]}", "! `a` is constrained by `oneOf` now (CONSTRAINT_ADDED)"),
        ("{type: object, oneOf: []}", "{type: object, oneOf: [{}]}", "! `a` changes its `oneOf` (CONSTRAINT_CHANGED)"),
        ("{type: object, x-b: 1}", "{type: object}", "! `a` changes its `x-b` (CONSTRAINT_CHANGED)"),
        ("{type: array, uniqueItems: false}", "{type: array}", ""),
    ] {
        let expected: Vec<&str> = expected.lines().collect();
        check(&format!("a: {before}"), &format!("a: {after}"), &expected);
    }
}

#[test]
fn every_bound_has_its_codes() {
    for (bound, word, tighter) in [
        ("minimum", "MINIMUM", "INCREASED"),
        ("minLength", "MIN_LENGTH", "INCREASED"),
        ("minItems", "MIN_ITEMS", "INCREASED"),
        ("minProperties", "MIN_PROPERTIES", "INCREASED"),
        ("maximum", "MAXIMUM", "DECREASED"),
        ("maxLength", "MAX_LENGTH", "DECREASED"),
        ("maxItems", "MAX_ITEMS", "DECREASED"),
        ("maxProperties", "MAX_PROPERTIES", "DECREASED"),
    ] {
        let (tight, wide) = if tighter == "INCREASED" { (7, 5) } else { (5, 7) };
        let of = |bound_is: i32| format!("a: {{{bound}: {bound_is}}}");
        let added = format!("! `a` has the {bound} 5 now ({word}_ADDED)");
        let gone = format!("`a` has no {bound} any more, it was 5 (CONSTRAINT_RELAXED)");
        let tightened = format!("! `a` changes its {bound} from {wide} to {tight} ({word}_{tighter})");
        let relaxed = format!("`a` changes its {bound} from {tight} to {wide} (CONSTRAINT_RELAXED)");
        check("a: {}", &of(5), &[added.as_str()]);
        check(&of(5), "a: {}", &[gone.as_str()]);
        check(&of(wide), &of(tight), &[tightened.as_str()]);
        check(&of(tight), &of(wide), &[relaxed.as_str()]);
        check(&of(5), &format!("a: {{{bound}: 5.0}}"), &[]);
    }
}

#[test]
fn a_field_may_come_and_has_to_stay() {
    let object =
        |required: &str, fields: &str| format!("a: {{type: object, required: [{required}], properties: {fields}}}");
    let (plain, filled) = ("{b: {type: string}}", "{b: {type: string, default: d}}");
    check(
        "b: {type: string}",
        "c: {type: string}",
        &["! `b` is removed (PROPERTY_REMOVED)", "`c` is new (PROPERTY_ADDED)"],
    );
    for (before, after, expected) in [
        (object("", "{}"), object("b", plain), "! `a.b` is new and has to be given (REQUIRED_ADDED)"),
        (object("", "{}"), object("b", filled), "`a.b` is new (PROPERTY_ADDED)"),
        (object("", plain), object("b", plain), "! `a.b` has to be given now (REQUIRED_ADDED)"),
        (object("", filled), object("b", filled), "`a.b` has to be there now, and is filled in (REQUIRED_ADDED)"),
        (object("b", plain), object("", plain), "`a.b` may be left out now (REQUIRED_REMOVED)"),
        (
            object("b", filled),
            object("b", plain),
            "! `a.b` has to be given now, for it has no default (REQUIRED_DEFAULT_REMOVED)",
        ),
        (object("", plain), object("c", plain), "! `a.c` has to be given now (REQUIRED_ADDED)"),
    ] {
        check(&before, &after, &[expected]);
    }
}

#[test]
fn what_is_inside_lists_and_maps_is_compared_under_its_path() {
    check(
        "a: {type: array, items: {type: object, properties: {b: {type: string}}}}",
        "a: {type: array, items: {type: object, properties: {b: {type: boolean}}}}",
        &["! `a[].b` changes its type from string to boolean (TYPE_CHANGED)"],
    );
    check(
        "a: {type: object, additionalProperties: {type: array, items: {type: string}}}",
        "a: {type: object, additionalProperties: {type: array, items: {type: string, maxLength: 3}}}",
        &["! `a{}[]` has the maxLength 3 now (MAX_LENGTH_ADDED)"],
    );
    check(
        "{a: {type: object, properties: {b.c: {}}}}",
        "a: {type: object}",
        &["! `a[\"b.c\"]` is removed (PROPERTY_REMOVED)"],
    );
}

#[test]
fn objects_that_are_open_may_hold_what_is_named_now() {
    let open = "a: {type: object, x-kubernetes-preserve-unknown-fields: true}";
    let map = "a: {type: object, additionalProperties: {type: string}}";
    let dropped = "! `a` drops fields without a schema now (PRESERVE_UNKNOWN_REMOVED)";
    check("a: {type: object}", open, &["`a` keeps fields without a schema now (PRESERVE_UNKNOWN_ADDED)"]);
    check(open, "a: {type: object}", &[dropped]);
    check(
        open,
        "a: {type: object, properties: {b: {type: string}}}",
        &[dropped, "! `a.b` could be anything and is string now (PROPERTY_ADDED)"],
    );
    check("a: {type: object}", map, &["`a` keeps fields of any name now (ADDITIONAL_PROPERTIES_ADDED)"]);
    check(map, "a: {type: object}", &["! `a` keeps only fields that it names now (ADDITIONAL_PROPERTIES_REMOVED)"]);
    check(open, map, &["! `a` has a schema for all its values now (ADDITIONAL_PROPERTIES_ADDED)", dropped]);
}

#[test]
fn what_kro_does_not_compare_is_compared() {
    let rule = "{rule: self == oldSelf, message: first}";
    let ruled = |rules: &str| format!("a: {{type: string, x-kubernetes-validations: [{rules}]}}");
    check(&ruled(""), &ruled(rule), &["! `a` has to fulfil `self == oldSelf` now (VALIDATION_ADDED)"]);
    check(&ruled(rule), &ruled(""), &["`a` need not fulfil `self == oldSelf` any more (VALIDATION_REMOVED)"]);
    check(
        &ruled(rule),
        &ruled(&rule.replace("first", "second")),
        &["`a` says something else now where `self == oldSelf` is not fulfilled (VALIDATION_CHANGED)"],
    );
    let list = |more: &str| format!("a: {{type: array, items: {{type: object}}, {more}}}");
    let keyed = |key: &str| list(&format!("x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [{key}]"));
    check(&list("x-kubernetes-list-type: atomic"), &list(""), &[]);
    check(
        &list(""),
        &list("x-kubernetes-list-type: set"),
        &["! `a` changes its list type from `atomic` to `set` (LIST_TYPE_CHANGED)"],
    );
    check(
        &keyed("b"),
        &keyed("c"),
        &["! `a` changes the keys of its elements from `b` to `c` (LIST_MAP_KEYS_CHANGED)"],
    );
    check(
        "a: {type: object}",
        "a: {type: object, x-kubernetes-map-type: atomic}",
        &["! `a` changes its map type from `granular` to `atomic` (MAP_TYPE_CHANGED)"],
    );
}

#[test]
fn a_status_that_loses_a_field_breaks_and_one_that_gets_a_type_does_not() {
    let status = |fields: &str| format!("status: {{type: object, properties: {fields}}}");
    check(&status("{b: {type: string}}"), &status("{}"), &["! `status.b` is removed (PROPERTY_REMOVED)"]);
    let told = "`status.b` changes its type from anything to string (TYPE_CHANGED)";
    check(&status("{b: {}}"), &status("{b: {type: string}}"), &[told]);
    check(
        &status("{b: {type: string}}"),
        &status("{b: {}}"),
        &["! `status.b` changes its type from string to anything (TYPE_CHANGED)"],
    );
    check(
        "statuses: {}",
        "statuses: {type: string}",
        &["! `statuses` changes its type from anything to string (TYPE_CHANGED)"],
    );
}

#[test]
fn changes_are_sorted_by_path_and_code() {
    check(
        "{b: {type: string}, a: {type: string, minLength: 1}}",
        "{c: {type: string}, a: {type: string, pattern: x, minLength: 2, enum: [x]}}",
        &[
            "! `a` has to be `x` now (ENUM_RESTRICTED)",
            "! `a` changes its minLength from 1 to 2 (MIN_LENGTH_INCREASED)",
            "! `a` has to match `x` now (PATTERN_ADDED)",
            "! `b` is removed (PROPERTY_REMOVED)",
            "`c` is new (PROPERTY_ADDED)",
        ],
    );
}

#[test]
fn names_scope_versions_and_columns_of_an_api_are_compared() {
    check_api("", "", &[]);
    for (part, instead, expected) in [
        ("group: kro.run", "group: a.b", "! the API changes its group from `kro.run` to `a.b` (GROUP_CHANGED)"),
        ("Namespaced", "Cluster", "! the API changes its scope from `Namespaced` to `Cluster` (SCOPE_CHANGED)"),
        ("kind: Web,", "kind: Net,", "! the API changes its kind from `Web` to `Net` (KIND_CHANGED)"),
        ("plural: webs", "plural: nets", "! the API changes its plural from `webs` to `nets` (PLURAL_CHANGED)"),
        (", singular: web, listKind: WebList", "", ""),
        ("singular: web", "singular: net", "! the API changes its singular from `web` to `net` (SINGULAR_CHANGED)"),
        ("WebList", "Webs", "! the API changes its list kind from `WebList` to `Webs` (LIST_KIND_CHANGED)"),
        ("[w, wb]", "[w]", "! the API changes its short names from `w`, `wb` to `w` (SHORT_NAMES_CHANGED)"),
        (
            "[w, wb]",
            "[w, wb, x]",
            "the API changes its short names from `w`, `wb` to `w`, `wb`, `x` (SHORT_NAMES_CHANGED)",
        ),
        (", categories: [all]", "", "the API changes its categories from `all` to none (CATEGORIES_CHANGED)"),
        ("{name: Age}", "{name: State}", "the API shows other columns in lists (PRINTER_COLUMNS_CHANGED)"),
        ("{status: {}}", "{}", "! the API does not serve the subresource `status` any more (SUBRESOURCE_REMOVED)"),
        ("storage: true", "deprecated: true", "the API is deprecated now (DEPRECATION_CHANGED)"),
        ("served: true", "served: false", "! the API does not serve `v1` any more (VERSION_REMOVED)"),
        ("{spec: {type: object}}", "{}", "! `spec` is removed (PROPERTY_REMOVED)"),
    ] {
        let expected: Vec<&str> = expected.lines().collect();
        check_api(part, instead, &expected);
    }
    check_api(
        "name: v1",
        "name: v2",
        &["the API serves `v2` now (VERSION_ADDED)", "! the API does not serve `v1` any more (VERSION_REMOVED)"],
    );
}

#[test]
fn a_crd_and_an_api_resource_schema_of_one_api_are_equal() {
    let crd = serde_json::json!({"kind": "CustomResourceDefinition", "spec": yaml(API)});
    let mut schema = crd.clone();
    schema["kind"] = "APIResourceSchema".into();
    schema["spec"]["versions"][0]["schema"] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    assert_eq!(compare_crds(api_of(&crd).unwrap(), api_of(&schema).unwrap()), []);
    assert_eq!(api_of(&serde_json::json!({"kind": "ConfigMap", "spec": {}})), None);
}

#[test]
fn only_a_change_that_breaks_has_a_hint() {
    let (before, after) = (yaml("{properties: {a: {type: string}}}"), yaml("{properties: {b: {type: string}}}"));
    let hints: Vec<_> = compare(&before, &after).iter().map(|change| change.hint.is_some()).collect();
    assert_eq!(hints, [true, false]);
}
