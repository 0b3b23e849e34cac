//! What is refused before anything of it runs, and why.

use sandbox::{Limits, Sandbox};

use super::guests;

/// Loads some bytes and expects why they are refused.
#[track_caller]
fn check(wasm: &[u8], expected: &str) {
    let sandbox = guests::sandbox();
    let Err(error) = sandbox.load(wasm) else { panic!("loaded; expected {expected}") };
    let told = guests::told(&error);
    assert!(told.contains(expected), "{told}");
    assert!(guests::run(&sandbox, &guests::binary("obedient")).is_ok());
}

#[test]
fn what_is_no_component_is_told_what_it_is() {
    check(b"", "NotWasm, module: module `DIGEST` is not a WebAssembly component: it is empty");
    check(b"\x7fELF", "it is not a WebAssembly binary, which begins with `\\0asm`");
    check(b" (component)", "it is WebAssembly text (hint: assemble it first");
    check(b"\0asm\x09\0\0\0", "it is a WebAssembly binary of an unknown version");
    check(&guests::binary("core_module"), "NotAComponent, module: module `DIGEST` is a core WebAssembly module");
    check(b"\0asm\x0d\0\x01\0\xff", "CompileFailed, module: cannot compile module `DIGEST`");
}

#[test]
fn an_import_is_refused_with_its_name() {
    let imports = |name: &str| format!("ForbiddenImport, module: module `DIGEST` imports `{name}`");
    check(&guests::binary("unknown_import"), &imports("wasi:clocks/wall-clock@0.2.0"));
    check(&guests::binary("unknown_function"), &imports("run"));
    check(&guests::binary("disguised_import"), &imports("croft:composition/types@0.1.0"));
    check(&guests::binary("other_log"), &imports("croft:composition/log@0.2.0"));
}

#[test]
fn another_contract_is_refused_with_its_version() {
    let wrong = "WrongContract, module: module `DIGEST`";
    let ours = "and this croft speaks `croft:composition/composer@0.1.0`";
    let other = "croft:composition/composer@0.9.0";
    check(&guests::binary("other_version"), &format!("{wrong} exports `{other}`, {ours}"));
    check(&guests::binary("no_composer"), &format!("{wrong} exports no composer, {ours}"));
    check(&guests::binary("other_types"), &format!("{wrong} names the contract, but its functions have other types"));
}

#[test]
fn a_component_that_no_call_could_serve_is_refused() {
    check(&guests::binary("greedy_memory"), "exceeds the limit of 0x4000000 bytes");
}

#[test]
fn a_proposal_that_is_not_supported_never_reaches_the_compiler() {
    let unsupported = |name: &str| {
        format!("UnsupportedProposal, module: module `DIGEST` uses the WebAssembly proposal `{name}`, which croft")
    };
    for (guest, proposal) in [
        ("wide_memory", "memory64"),
        ("many_core_memories", "multi-memory"),
        ("shared_memory", "threads"),
        ("garbage_collected", "gc"),
        ("typed_function", "function-references"),
        ("exception", "exceptions"),
        ("host_reference", "gc-types"),
        ("relaxed_lanes", "relaxed-simd"),
        ("asynchronous", "cm-async"),
    ] {
        check(&guests::binary(guest), &unsupported(proposal));
    }
}

#[test]
fn a_component_beyond_the_bound_is_not_even_read() {
    let sandbox = Sandbox::new(Limits { component: 100, ..Limits::default() }, None).unwrap();
    let Err(error) = sandbox.load(&[0; 101]) else { panic!("loaded") };
    assert_eq!(
        guests::told(&error),
        "ModuleTooLarge, module: module `DIGEST` has 101 bytes, and a component may have 100"
    );
}

#[test]
fn equal_bytes_are_the_same_module() {
    let wasm = guests::binary("obedient");
    let sandbox = guests::sandbox();
    assert_eq!(sandbox.load(&wasm).unwrap().digest(), sandbox.load(&wasm).unwrap().digest());
}

#[test]
fn the_default_module_is_admitted_like_any_other() {
    let module = guests::sandbox().load(host::modules::builtin::kro()).unwrap();
    let error = module.prepare(&guests::instance("one"), &[]).unwrap_err();
    let told = guests::told(&error);
    assert!(told.starts_with("InvalidDefinition, input: "), "{told}");
}
