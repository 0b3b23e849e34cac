//! `cargo xtask bench modules`: the same module in four languages, as the table of
//! `docs/modules.md`.
//!
//! It measures nothing itself: `croft module bench` does.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{checks, phase::say, root};

/// What all of them are asked to render.
const FIXTURE: &str = "modules/hello/fixtures/complete";

/// The language, the module, and the files that its author wrote, without tests.
const EXAMPLES: [(&str, &str, [&str; 2]); 4] = [
    ("Rust", "hello", ["modules/hello/src/lib.rs", "modules/hello/src/language.rs"]),
    ("Go", "hello-go", ["modules/hello-go/main.go", "modules/hello-go/language.go"]),
    ("TypeScript", "hello-ts", ["modules/hello-ts/src/hello.ts", "modules/hello-ts/src/language.ts"]),
    ("Python", "hello-py", ["modules/hello-py/hello.py", "modules/hello-py/language.py"]),
];

/// Measures those modules that are built, and prints the table.
pub(crate) fn print() -> Result<()> {
    super::build(&EXAMPLES.map(|(_, name, _)| name), false)?;
    let croft = match std::env::var_os("CROFT_BIN") {
        Some(croft) => croft.into(),
        None => {
            checks::build_croft(&["--release"])?;
            let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
            target.join("release/croft")
        }
    };
    println!(
        "| language | lines of the example | size | compile time on the host | first load from the warm cache | render | fuel |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (language, name, sources) in EXAMPLES {
        say(format_args!("measuring `{name}`"));
        println!("{}", row(&croft, language, name, &sources)?);
    }
    Ok(())
}

fn row(croft: &Path, language: &str, name: &str, sources: &[&str]) -> Result<String> {
    let file = root().join("target/modules").join(format!("{name}.wasm"));
    let size = fs::metadata(&file).with_context(|| format!("cannot find `{}`", file.display()))?.len();
    let measured = measure(croft, &file)?;
    let of = |pointer: &str| measured.pointer(pointer).and_then(Value::as_f64).unwrap_or_default();
    let columns = [
        language.to_owned(),
        lines(sources)?.to_string(),
        format!("{:.1} MiB", size as f64 / f64::from(1 << 20)),
        format!("{:.1} s", of("/load/compileMicros") / 1e6),
        format!("{:.1} ms", of("/load/warmMicros") / 1e3),
        format!("{:.2} ms", of("/fixtures/0/medianMicros") / 1e3),
        format!("{:.2} million", of("/fixtures/0/fuel") / 1e6),
    ];
    Ok(format!("| {} |", columns.join(" | ")))
}

fn measure(croft: &Path, module: &Path) -> Result<Value> {
    let mut bench = Command::new(croft);
    bench.args(["module", "bench", FIXTURE, "--compile", "-o", "json", "--module"]).arg(module);
    let output = bench.current_dir(root()).output();
    let output = output.with_context(|| format!("cannot start `{}`", croft.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`croft module bench` ended with {}:\n{errors}", output.status);
    serde_json::from_slice(&output.stdout).context("`croft module bench` did not print JSON")
}

/// Lines that are not empty.
fn lines(sources: &[&str]) -> Result<usize> {
    sources.iter().try_fold(0, |sum, source| {
        let text = fs::read_to_string(root().join(source)).with_context(|| format!("cannot read `{source}`"))?;
        Ok(sum + text.lines().filter(|line| !line.trim().is_empty()).count())
    })
}
