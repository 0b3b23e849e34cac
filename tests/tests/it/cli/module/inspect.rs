//! `croft module inspect`: what a file is, also one that croft would not run.

use host_core::name::Digest;
use serde_json::{Value, json};

use crate::{cli::Desk, sandbox::guests};

#[test]
fn a_module_is_told_with_all_that_a_definition_pins() {
    let wasm = guests::binary("obedient");
    let desk = Desk::with(&[]);
    desk.write("m.wasm", &wasm);
    let ran = desk.croft("module inspect m.wasm -o json").done();
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let wanted = json!({
        "file": "m.wasm",
        "digest": Digest::of(&wasm).as_str(),
        "bytes": wasm.len(),
        "form": "component",
        "contract": "croft:composition@0.1.0",
        "imports": ["croft:composition/log@0.1.0"],
        "exports": ["croft:composition/composer@0.1.0"],
        "usable": true,
        // It takes any definition.
        "serves": [{
            "api": {"apiVersion": "example.org/v1", "kind": "Thing", "plural": "things", "scope": "Namespaced"},
            "kinds": [],
        }],
    });
    assert_eq!(told, wanted);
    let text = desk.croft("module inspect m.wasm").done().stdout;
    assert!(text.starts_with("Module    m.wasm\n          component of "), "{text}");
    assert!(text.contains("\nImports   croft:composition/log@0.1.0\n"), "{text}");
}

#[test]
fn a_module_that_croft_would_not_run_is_described_and_refused_with_the_reason() {
    let desk = Desk::with(&[]);
    for (guest, form, contract, says) in [
        ("unknown_import", "component", "-", "imports `wasi:clocks/wall-clock@0.2.0`"),
        ("other_version", "component", "croft:composition@0.9.0", "exports `croft:composition/composer@0.9.0`"),
        ("no_composer", "component", "-", "exports no composer"),
        ("core_module", "core module", "-", "a core WebAssembly module, not a component"),
    ] {
        desk.write("m.wasm", guests::binary(guest));
        let ran = desk.croft("module inspect m.wasm");
        assert_eq!(ran.status, 1, "{guest}: {ran:?}");
        assert!(ran.stdout.contains(&format!("{form} of ")), "{guest}: {ran:?}");
        assert!(ran.stdout.contains(&format!("Contract  {contract}\n")), "{guest}: {ran:?}");
        assert!(ran.stdout.ends_with("Usable    no\n"), "{guest}: {ran:?}");
        assert!(
            ran.stderr.contains("cannot load the module `m.wasm`") && ran.stderr.contains(says),
            "{guest}: {ran:?}"
        );
    }
}

#[test]
fn bytes_that_are_not_whole_are_refused() {
    let (desk, wasm) = (Desk::with(&[]), guests::binary("obedient"));
    desk.write("m.wasm", &wasm[..wasm.len() - 100]);
    desk.croft("module inspect m.wasm").refused(&["cannot load the module `m.wasm`", "cause: cannot compile module"]);
    desk.write("m.wasm", "kind: Module\n");
    desk.croft("module inspect m.wasm").refused(&["not a WebAssembly binary"]);
    desk.croft("module inspect nowhere.wasm").refused(&["cannot read the module `nowhere.wasm`"]);
}

#[test]
fn with_fixtures_its_api_its_kinds_and_what_each_takes_are_told() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (project, module) = (root.join("modules/hello"), root.join("target/modules/hello.wasm"));
    let desk = Desk::with(&[]);
    let args = format!("module inspect {} --fixtures {}", module.display(), project.display());
    let text = desk.croft(&args).done().stdout;
    let api = "API       kro.run/v1alpha1 Greeting, greetings, namespaced\nKinds     ConfigMap v1 (manage)\n          Secret v1 (manage)\n";
    assert!(text.contains(api), "{text}");
    let told: Value = serde_json::from_str(&desk.croft(&format!("{args} -o json")).done().stdout).unwrap();
    let fixture = told["fixtures"].as_array().unwrap().iter().find(|fixture| fixture["name"] == "complete").unwrap();
    assert!(fixture["fuel"].as_u64().unwrap() > 10_000 && fixture["memory"].as_u64().unwrap() >= 1 << 20, "{told:#}");
    assert!(text.contains(&format!("          complete: fuel {}, memory", fixture["fuel"])), "{text}");
}
