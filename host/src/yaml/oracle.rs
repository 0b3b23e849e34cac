//! The comparison with Go's `sigs.k8s.io/yaml`, by which `kubectl` reads.
//! `CROFT_ORACLES` is the program of `xtask/oracles`; without it there is nobody
//! to ask. `YAML_CORPUS` is a folder whose files are compared as well.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use super::Source;

/// What croft refuses and Go takes, each with the words of croft's refusal.
const REFUSED_ON_PURPOSE: [&str; 6] = [
    // A tag of somebody else, binary and set among them, means nothing to Kubernetes.
    "the tag `",
    // Go makes a text of the two words, and of a null nothing at all.
    "is not a `!!",
    // A later value of the same key would hide it.
    "has no place in JSON",
    // Only a first document was read by Go.
    "an anchor that this document does not have",
    "`<<` takes a mapping",
    // `[#a` is a list that goes on in the next line; hardly anybody means it.
    "comments must be separated from other tokens",
];

/// What croft reads and Go refuses, by what the text has and Go's words for it: tabs
/// between words, a key that goes on in the next line, an escape of JSON's, and what
/// begins with a colon or a question mark within brackets.
const READ_ON_PURPOSE: [(&str, &str); 10] = [
    ("\t", "cannot start any token"),
    ("{a\n", "did not find expected ',' or '}'"),
    ("{a\n", "could not find expected ':'"),
    ("\\/", "unknown escape character"),
    (":", "did not find expected node content"),
    ("?", "did not find expected node content"),
    ("?", "did not find expected ',' or '}'"),
    ("?", "did not find expected ',' or ']'"),
    ("?:", "unsupported map key"),
    (" :a", "did not find expected ',' or '}'"),
];

const WORDS: [&str; 92] = [
    "",
    "~",
    "null",
    "Null",
    "nULL",
    "true",
    "True",
    "tRUE",
    "yes",
    "Yes",
    "yEs",
    "y",
    "Y",
    "n",
    "N",
    "no",
    "on",
    "On",
    "off",
    "OFF",
    "0",
    "-0",
    "+1",
    "-1",
    "007",
    "08",
    "0o17",
    "0O7",
    "0x1F",
    "0b101",
    "0b2",
    "1_000",
    "_1",
    "1__0",
    "1_",
    "12e03",
    "1e3",
    "1E-3",
    "1e",
    ".5",
    "5.",
    ".",
    "..",
    "1.0",
    "-1.5",
    "1.2.3",
    "1e400",
    "123456789012345678901234567890",
    "9223372036854775808",
    "18446744073709551616",
    "1:30",
    "190:20:30",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "=",
    "<<",
    "a b",
    "a: b",
    "a #b",
    "a#b",
    "#a",
    "-a",
    "- a",
    "?a",
    "*a",
    "&a b",
    "!a b",
    "!!str 1",
    "!!int \"1\"",
    "'a'",
    "\"a\\tb\\u00e9\"",
    "${a.b}",
    "100m",
    "0.5",
    "é",
    "\u{1f600}",
    "nginx:",
    "a:b",
    ":a",
    "::",
    "1e10",
    "-0.0",
    ".inf",
    "-.Inf",
    ".nan",
    "!<tag:yaml.org,2002:str> 1",
    "\"a\\/b\"",
    "@a",
    "%a",
    "a\tb",
    "-",
    "?",
];

const SHAPES: [&str; 58] = [
    "k: @\n",
    "@: v\n",
    "- @\n- @\n",
    "k: [@, @]\n",
    "k: {a: @, b: @}\n",
    "k: '@'\n",
    "k: \"@\"\n",
    "k:\n  @\n",
    "k:\n- @\n- @\n",
    "k:\n  - a: @\n    b: @\n",
    "k: |\n  @\n  @\n",
    "k: >-\n  @\n\n  @\n",
    "k: |2\n   @\n",
    "k: |+\n  @\n\n\n",
    "# c\nk: @ # c\n",
    "k: @\r\nl: @\r\n",
    "---\nk: @\n---\nl: v\n",
    "k: @\n...\n",
    "a: &x @\nb: *x\n",
    "x: &x {k: @, m: @}\nz:\n  <<: *x\n  k: @\n",
    "k: @\nk: @\n",
    "? @\n: @\n",
    "k:\n  'a\n  b'\nl: @\n",
    "k: 'a\nb'\nl: @\n",
    "k: \"a\n  b\\\n c\"\nl: @\n",
    "k: [\n@,\n@\n]\n",
    "k:\n  l: [\n  @\n  ]\n",
    "k:\n  l: {\n    a: @\n}\n",
    "k: {\na: @,\n  b: [@\n]}\n",
    "{\"k\": @}\n",
    "k: @\n  @\n",
    "  k: @\n  l: @\n",
    "k:  @  \n",
    "\"@\": '@'\n",
    "k:\t@\n",
    "k: \t@\n",
    "k: @\t\n",
    "k: @\t# c\n",
    "k: '@'#c\n",
    "k: [@]#c\n",
    "k: {a: @}#c\n",
    "k: \"a\n\t@\"\n",
    "k: 'a\n\t@'\n",
    "k: {&x @: v}\n",
    "k: [@:, b]\n",
    "k: {@:, b: c}\n",
    "k: [@:]\n",
    "k: [a, @:b]\n",
    "{a\n@: x}\n",
    "\tk: @\n",
    "k:\n\t- @\n",
    "k:\n- \t@\n",
    "-\t@\n-\ta: @\n",
    "? @\n",
    "k: !<tag:yaml.org,2002:str> @\n",
    "k: !<tag:yaml.org,2002:map> {a: @}\n",
    "k: @\u{1}\n",
    "k: \"@\u{7f}\"\n",
];

/// A fixed sequence that looks like chance (Knuth's MMIX generator).
fn below(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize % bound
}

fn texts(seed: u64) -> Vec<String> {
    let mut state = seed;
    let text = |_| {
        let shape = SHAPES[below(&mut state, SHAPES.len())];
        let mut text = String::new();
        for (index, part) in shape.split('@').enumerate() {
            if index > 0 {
                text.push_str(WORDS[below(&mut state, WORDS.len())]);
            }
            text.push_str(part);
        }
        text
    };
    (0..10_000).map(text).collect()
}

fn corpus() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = env::var_os("YAML_CORPUS").map(PathBuf::from).into_iter().collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_yaml = |path: &Path| path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json");
            match entry.is_dir() {
                true => folders.push(entry),
                false if is_yaml(&entry) => found.extend(fs::read_to_string(&entry)),
                false => {}
            }
        }
    }
    found
}

fn ask(texts: &[String]) -> Option<Vec<Value>> {
    let oracles = env::var_os("CROFT_ORACLES")?;
    let questions: String = texts.iter().map(|text| Value::from(text.as_str()).to_string() + "\n").collect();
    let mut child = Command::new(oracles).arg("yaml").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let asking = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().unwrap();
    asking.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    Some(answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// A `?` begins a key within brackets for Go, also before a letter.
fn is_odd_key(text: &str) -> bool {
    text.contains(['[', '{']) && text.contains("?a")
}

/// How croft's reading differs from Go's, if it does.
fn difference(text: &str, go: &Value) -> Option<String> {
    if is_odd_key(text) {
        return None;
    }
    let source = Source::parse("t", text);
    let wanted = go.get("value").filter(|value| !value.is_null());
    match (source, wanted, go.get("error")) {
        // kubectl skips documents without anything in them; so do we.
        (Ok(source), None, None) if source.documents.is_empty() || source.documents[0].value.is_null() => None,
        (Ok(source), Some(wanted), _) => {
            let found = source.documents.first().map(|document| &document.value);
            (!found.is_some_and(|found| is_same(found, wanted))).then(|| format!("{found:?} instead of {wanted}"))
        }
        (Ok(_), None, None) => Some("something where Go reads nothing".to_owned()),
        (Ok(_), _, Some(error))
            if READ_ON_PURPOSE.iter().any(|(part, words)| text.contains(part) && error.to_string().contains(words)) =>
        {
            None
        }
        (Ok(_), _, Some(error)) => Some(format!("it is read, and Go says {error}")),
        (Err(_), _, Some(_)) => None,
        (Err(error), ..) => {
            let error = error.to_string();
            (!REFUSED_ON_PURPOSE.iter().any(|it| error.contains(it))).then_some(error)
        }
    }
}

/// Whole numbers beyond 64 bits have as many forms as there are printers.
fn is_same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => one == two || one.as_f64() == two.as_f64(),
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| is_same(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len() && one.iter().all(|(key, one)| two.get(key).is_some_and(|two| is_same(one, two)))
        }
        (one, two) => one == two,
    }
}

#[test]
fn texts_are_read_as_kubectl_reads_them() {
    let mut texts = texts(env::var("CROFT_SEED").map_or(1, |seed| seed.parse().unwrap()));
    texts.extend(corpus());
    let Some(answers) = ask(&texts) else { return };
    assert_eq!(answers.len(), texts.len());
    let differ = texts.iter().zip(&answers).filter_map(|(text, go)| Some((text, difference(text, go)?)));
    let differ: Vec<String> = differ.map(|(text, why)| format!("{text:?}: {why}")).collect();
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ[..differ.len().min(60)].join("\n"));
}
