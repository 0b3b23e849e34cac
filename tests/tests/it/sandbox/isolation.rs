//! What calls share: nothing. And what they cost: the same every time.

use std::thread;

use contract::{Observed, Preparation, shape};
use sandbox::{Limits, Sandbox};
use serde_json::{Value, json};

use super::guests;

#[test]
fn an_obedient_module_is_prepared_and_rendered() {
    let module = guests::module("obedient");
    let prepared = module.prepare(&json!({"spec": [1, "zwei"]}), &[]).unwrap();
    let Preparation::Ready(ready) = prepared.value else { panic!("needs a schema") };
    assert_eq!(ready.program, br#"{"spec":[1,"zwei"]}"#);
    assert_eq!(ready.blueprint.api.plural, "things");
    let rendered = module.render(&ready.program, &guests::instance("one"), &[]).unwrap();
    assert_eq!(rendered.value.children[0].manifest, guests::instance("one"));
    assert_eq!((rendered.value.children.len(), rendered.log.len()), (1, 0));
}

#[test]
fn every_call_starts_with_fresh_memory() {
    let sandbox = Sandbox::new(Limits { concurrency: 1, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("counter")).unwrap();
    for _ in 0..20 {
        let answer = module.render(b"", &guests::instance("one"), &[]).unwrap();
        assert_eq!(Value::Object(answer.value.status), json!({"n": 1}));
    }
}

#[test]
fn a_number_that_is_none_has_the_same_bits_on_every_machine() {
    let answer = guests::module("nan").render(b"", &guests::instance("one"), &[]).unwrap();
    assert_eq!(Value::Object(answer.value.status), json!({"n": 0}));
}

#[test]
fn equal_calls_use_equal_fuel() {
    let fuel = |name: &str| {
        let module = guests::module("obedient");
        let first = module.render(b"", &guests::instance(name), &[]).unwrap().fuel;
        assert_eq!(module.render(b"", &guests::instance(name), &[]).unwrap().fuel, first);
        first
    };
    assert_eq!(fuel("one"), fuel("one"));
    assert!(fuel("one") > 0);
}

#[test]
fn many_calls_at_once_wait_for_their_turn_and_never_mix() {
    let sandbox = Sandbox::new(Limits { concurrency: 3, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("obedient")).unwrap();
    let render = |caller: usize| {
        for call in 0..40 {
            let instance = guests::instance(&format!("of-{caller}-{call}"));
            let answer = module.render(b"", &instance, &[]).unwrap();
            assert_eq!(answer.value.children[0].manifest, instance);
        }
    };
    thread::scope(|scope| {
        for caller in 0..12 {
            scope.spawn(move || render(caller));
        }
    });
}

#[test]
fn a_module_outlives_its_sandbox() {
    let module = {
        let sandbox = guests::sandbox();
        sandbox.load(&guests::binary("obedient")).unwrap()
    };
    assert!(module.render(b"", &guests::instance("one"), &[]).is_ok());
}

#[test]
fn input_beyond_the_bound_is_refused_before_the_module_sees_it() {
    let sandbox = Sandbox::new(Limits { input: 1000, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("obedient")).unwrap();
    let observed = |length: usize| Observed {
        id: "thing".to_owned(),
        key: String::new(),
        object: Value::String("x".repeat(length)),
    };
    assert!(module.render(b"", &guests::instance("one"), &[observed(400)]).is_ok());
    let error = module.render(b"", &guests::instance("one"), &[observed(400), observed(600)]).unwrap_err();
    let told = guests::told(&error);
    assert!(told.starts_with("InputTooLarge, input: the input of `render` has"), "{told}");
}

/// A small text may be a large tree.
#[test]
fn input_of_too_many_values_is_refused_however_short_it_is() {
    let sandbox = Sandbox::new(Limits { input_values: 1000, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("obedient")).unwrap();
    let size = |count: usize| shape::size_at_least(&Value::from(vec![0; count]));
    assert!(module.admits(size(999)).is_ok());
    let told = guests::told(&module.admits(size(500) + size(500)).unwrap_err());
    assert!(
        told.starts_with("InputTooLarge, input: the instance, its children and what it reads have 1002 JSON"),
        "{told}"
    );
}
