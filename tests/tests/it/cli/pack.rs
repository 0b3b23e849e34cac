//! `croft module pack`: files in, a module out, or nothing.

use super::Desk;

/// What a compiler writes for the contract; `version` is that of the contract.
fn core(version: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "croft:composition/composer@{version}#prepare") (param i32 i32 i32 i32) (result i32)
              unreachable)
            (func (export "croft:composition/composer@{version}#render") (param i32 i32 i32 i32 i32 i32) (result i32)
              unreachable))"#
    );
    wat::parse_str(text).unwrap()
}

#[test]
fn a_core_module_becomes_a_module_that_croft_loads() {
    let desk = Desk::with(&[("rg.yaml", super::render::GREETING)]);
    desk.write("core.wasm", core("0.1.0"));
    desk.croft("module pack core.wasm -o module.wasm").done();
    desk.croft("module pack module.wasm -o again.wasm").done();
    assert_eq!(std::fs::read(desk.path("module.wasm")).unwrap(), std::fs::read(desk.path("again.wasm")).unwrap());
    // It is loaded and called, and does what it was written to do.
    let ran = desk.croft("render -f rg.yaml --module module.wasm");
    assert!(ran.stderr.contains("unreachable"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_packed_is_refused_and_nothing_is_written() {
    let desk = Desk::with(&[]);
    desk.write("other.wasm", core("0.2.0"));
    desk.write("cut.wasm", &core("0.1.0")[..100]);
    desk.write("text.wasm", "(module)");
    desk.write("module.wasm", "what was there before");
    for (file, says) in [
        ("other.wasm", "it exports `croft:composition/composer@0.2.0`"),
        ("cut.wasm", "it is malformed at byte "),
        ("text.wasm", "it is not WebAssembly: it is WebAssembly text"),
    ] {
        let ran = desk.croft(&format!("module pack {file} -o module.wasm"));
        ran.refused(&[&format!("error: cannot pack `{file}`"), says, "hint: "]);
        assert_eq!(desk.read("module.wasm"), "what was there before");
    }
    desk.croft("module pack nowhere.wasm -o module.wasm").refused(&["cannot read `nowhere.wasm`"]);
}
