//! Whatever definition and instance are drawn, the default module answers what
//! the sandbox takes, or says what is wrong with them: an author's or a
//! consumer's mistake never ends as a module that failed.

use contract::{Gvk, Observed, Preparation, Prepared, Rendering};
use host::modules::builtin;
use host_core::{
    fault::Fault,
    kinds,
    policy::{self, Rules, Violation},
    schemas,
};
use sandbox::{Error, Module};
use serde_json::{Value, json};

use super::guests;

/// What people and adversaries write where a name, a kind or a text is wanted.
fn awkward(draw: &mut Draw) -> String {
    let long = |letter: &str, count: usize| letter.repeat(count);
    match draw.below(30) {
        0 => String::new(),
        1 => " ".to_owned(),
        2 => long("a", 64),
        3 => long("A", 63),
        4 => long("x", 600),
        5 => long("y", 1025),
        6 => "Config Map".to_owned(),
        7 => "configmap".to_owned(),
        8 => "config-map".to_owned(),
        9 => "ä".to_owned(),
        10 => "a/b".to_owned(),
        11 => "../x".to_owned(),
        12 => "line\nbreak".to_owned(),
        13 => "nul\0".to_owned(),
        14 => "V1".to_owned(),
        15 => "a..b/v1".to_owned(),
        16 => "-".to_owned(),
        17 => "9".to_owned(),
        18 => "${schema.spec.text}".to_owned(),
        19 => "${null}".to_owned(),
        20 => "${''}".to_owned(),
        21 => "${schema.spec.texts[0]}".to_owned(),
        22 => "a-${schema.spec.text}".to_owned(),
        23 => "Thing.example.org".to_owned(),
        24 => "example.org/v1/x".to_owned(),
        25 => "true".to_owned(),
        26 => "\u{feff}a".to_owned(),
        27 => "a_b".to_owned(),
        28 => "ConditionsComputed".to_owned(),
        _ => "ordinary".to_owned(),
    }
}

/// A fixed sequence that looks like chance (Knuth's MMIX generator).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Most often what is right, so that what lies behind it is reached.
    fn or_awkward(&mut self, right: &str) -> String {
        if self.below(8) == 0 { awkward(self) } else { right.to_owned() }
    }
}

fn definition(draw: &mut Draw) -> Value {
    let new = draw.below(4) != 0;
    let mut schema = json!({
        "apiVersion": draw.or_awkward("v1alpha1"),
        "kind": draw.or_awkward("Thing"),
        "spec": {
            "text": "string | default=\"x\"",
            "texts": "[]string | default=[]",
            "deep": "string",
        },
        "status": {"name": "${first.metadata.name}", "text": "${first.metadata.name + schema.spec.text}"},
    });
    if new {
        schema["group"] = draw.or_awkward("example.org").into();
        let kind = draw.or_awkward("First");
        schema["status"]["conditions"] = json!([
            format!(
                "${{runtime.newCondition({{type: {}, status: 'True', reason: schema.spec.text, message: schema.spec.text}})}}",
                json!(kind)
            ),
            "${runtime.newCondition({type: schema.spec.text, status: schema.spec.text})}",
        ]);
    }
    let mut resources = vec![json!({
        "id": "first",
        "template": {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "first-${schema.spec.text}"}, "data": {"a": "${schema.spec.text}"},
        },
    })];
    for index in 0..draw.below(4) {
        resources.push(resource(draw, new, index));
    }
    let kind = if new { "ResourceGraphDefinition" } else { "ResourceGroup" };
    json!({
        "apiVersion": "kro.run/v1alpha1", "kind": kind, "metadata": {"name": "things"},
        "spec": {"schema": schema, "resources": resources},
    })
}

fn resource(draw: &mut Draw, new: bool, index: u64) -> Value {
    let id = draw.or_awkward(&format!("more{index}"));
    let api_version = draw.or_awkward("v1");
    let kind = ["ConfigMap", "Secret", "Unheard"][usize::try_from(draw.below(3)).unwrap()];
    let kind = draw.or_awkward(kind);
    let name = if draw.below(3) == 0 { awkward(draw) } else { "${schema.spec.text}".to_owned() };
    match draw.below(if new { 4 } else { 1 }) {
        1 => json!({"id": id, "externalRef": {
            "apiVersion": api_version, "kind": kind,
            "metadata": {"name": name, "namespace": draw.or_awkward("default")},
        }}),
        2 => json!({"id": id, "externalRef": {
            "apiVersion": api_version, "kind": kind,
            "metadata": {"selector": {"matchLabels": {draw.or_awkward("app"): name}}},
        }}),
        3 => json!({"id": id, "forEach": [{draw.or_awkward("one"): "${schema.spec.texts}"}], "template": {
            "apiVersion": api_version, "kind": kind, "metadata": {"name": "${one}", "namespace": name},
        }}),
        _ => json!({"id": id, "template": {
            "apiVersion": api_version, "kind": kind,
            "metadata": {
                "name": name, "namespace": draw.or_awkward("default"),
                "labels": {draw.or_awkward("team"): draw.or_awkward("blue")},
                "annotations": {draw.or_awkward("note"): draw.or_awkward("x")},
            },
            "data": {"a": "${first.data.a}"},
        }}),
    }
}

fn instance(draw: &mut Draw, prepared: &Prepared) -> Value {
    let kind = &prepared.blueprint.api.kind;
    let texts: Vec<String> = (0..draw.below(4)).map(|_| awkward(draw)).collect();
    json!({
        "apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": "one", "namespace": "default"},
        "spec": {"text": awkward(draw), "texts": texts},
    })
}

/// Prepares with the schemas that the module asks for.
fn prepare(module: &Module, definition: &Value) -> Result<Prepared, Error> {
    let mut given = Vec::new();
    loop {
        match module.prepare(definition, &given)?.value {
            Preparation::Ready(prepared) => return Ok(*prepared),
            Preparation::Needs(wanted) => given.extend(wanted.into_iter().map(|kind| {
                schemas::builtin(&kind).unwrap_or_else(|| schemas::unknown(kind.clone(), kinds::guess(&kind)))
            })),
        }
    }
}

/// What the host would refuse of a child's manifest, the module has said before.
#[track_caller]
fn no_manifest_is_refused(prepared: &Prepared, instance: &Value, rendering: &Rendering, definition: &Value) {
    let used = prepared.blueprint.kinds.iter().map(|used| &used.kind);
    let address = |kind: &Gvk| kinds::builtin(kind).unwrap_or_else(|| kinds::guess(kind));
    let kinds = used.map(|kind| (kind.clone(), address(kind))).collect();
    let rules = Rules { blueprint: &prepared.blueprint, kinds: &kinds, claims: None, instance };
    match policy::admit(rendering, rules) {
        // Two resources of one name are known only when both are rendered.
        Ok(_) | Err(Violation::DuplicateTarget { .. } | Violation::RecursiveApi { .. }) => {}
        Err(other) => panic!("{other}\n{:#}", json!({"definition": definition, "instance": instance})),
    }
}

#[track_caller]
fn blames_the_input(error: &Error, of: &Value) {
    let told = guests::told(error);
    assert!(matches!(error.reason(), "InvalidDefinition" | "InvalidInstance"), "{told}\n{of:#}");
}

#[test]
fn no_mistake_of_an_author_or_a_consumer_ends_as_a_module_that_failed() {
    let module = guests::sandbox().load(builtin::kro()).unwrap();
    let (mut accepted, mut rendered) = (0, 0);
    for seed in 0..600 {
        let mut draw = Draw(seed);
        let definition = definition(&mut draw);
        let prepared = match prepare(&module, &definition) {
            Ok(prepared) => prepared,
            Err(error) => {
                blames_the_input(&error, &definition);
                continue;
            }
        };
        accepted += 1;
        for _ in 0..3 {
            let instance = instance(&mut draw, &prepared);
            let mut observed: Vec<Observed> = Vec::new();
            for _ in 0..3 {
                match module.render(&prepared.program, &instance, &observed) {
                    Ok(answer) => {
                        rendered += 1;
                        no_manifest_is_refused(&prepared, &instance, &answer.value, &definition);
                        let children = answer.value.children.into_iter();
                        observed =
                            children.map(|it| Observed { id: it.id, key: it.key, object: it.manifest }).collect();
                    }
                    Err(error) => {
                        blames_the_input(&error, &json!({"definition": definition, "instance": instance}));
                        break;
                    }
                }
            }
        }
    }
    assert!(accepted >= 100 && rendered >= 300, "only {accepted} definitions and {rendered} renders got through");
}

#[test]
fn an_answer_beyond_the_bounds_is_told_as_a_mistake_with_its_place() {
    let module = guests::sandbox().load(builtin::kro()).unwrap();
    let of = |spec: Value, template: Value| {
        json!({
            "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "things"},
            "spec": {
                "schema": {"apiVersion": "v1", "kind": "Thing", "group": "example.org", "spec": spec},
                "resources": [{"id": "all", "forEach": [{"n": "${lists.range(1000)}"}], "template": template}],
            },
        })
    };
    let template = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c-${string(n)}"}, "data": data});
    let wide: serde_json::Map<String, Value> = (0..120).map(|n| (format!("k{n}"), json!("v"))).collect();
    let prepared = prepare(&module, &of(json!({"a": "string"}), template(Value::Object(wide)))).unwrap();
    let one = json!({"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "one"}, "spec": {}});
    let error = module.render(&prepared.program, &one, &[]).unwrap_err();
    assert_eq!((error.reason(), error.problems()[0].code.as_str()), ("InvalidInstance", "TooLarge"), "{error}");

    // Each level of fields is two of the schema.
    let deep = (0..55).fold(json!("string"), |below, _| json!({"a": below}));
    let error = prepare(&module, &of(deep, template(json!({})))).unwrap_err();
    let problem = &error.problems()[0];
    assert_eq!(error.reason(), "InvalidDefinition");
    assert!(problem.code == "TooDeep" && problem.at.starts_with("/spec/schema"), "{problem:?}");
}
