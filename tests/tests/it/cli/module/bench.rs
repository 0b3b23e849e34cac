//! `croft module bench`: what fixtures take.

use serde_json::Value;

use super::test::project;

#[test]
fn each_fixture_that_renders_is_measured() {
    let desk = project("steady").deep("fixtures/bad/instance.yaml", "apiVersion: example.org/v1\nkind: Thing\n");
    let ran = desk.croft("module bench --time 5 --compile -o json").done();
    assert!(ran.stderr.contains("note: `bad` renders no instance, and is left out"), "{}", ran.stderr);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let one = &told["fixtures"][0];
    assert_eq!((&one["name"], told["fixtures"].as_array().unwrap().len()), (&"one".into(), 1));
    let number = |name: &str| one[name].as_f64().unwrap();
    assert!(number("calls") >= 5.0 && number("fuel") > 0.0 && number("memory") == 131_072.0, "{told:#}");
    assert!(number("medianMicros") > 0.0 && number("medianMicros") <= number("p95Micros"), "{told:#}");
    let load = |name: &str| told["load"][name].as_f64().unwrap();
    assert!(load("compileMicros") > load("warmMicros"), "{told:#}");
    let table = desk.croft("module bench --time 1").done().stdout;
    assert!(table.starts_with("  FIXTURE  MEDIAN"), "{table}");
    let fuel = |table: &str| table.lines().nth(1).unwrap().split_whitespace().nth(5).unwrap().to_owned();
    assert_eq!(fuel(&table), fuel(&desk.croft("module bench --time 1").done().stdout), "fuel is the same each time");
}

#[test]
fn where_nothing_renders_there_is_nothing_to_measure() {
    let desk = project("stricter");
    desk.croft("module bench").refused(&["no fixture renders an instance"]);
}
