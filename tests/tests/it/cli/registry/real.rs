//! Real registries.

use std::{fs, os::unix::fs::PermissionsExt};

use harness::registry::Kind;
use serde_json::json;

use super::{definition, desk, hello, registry};

#[test]
fn what_is_pushed_is_pulled_by_tag_and_by_digest() {
    for kind in [Kind::Distribution, Kind::Referrers] {
        let Some((registry, _folder)) = registry(kind) else { return };
        let desk = desk();
        let place = format!("oci://{}/team/hello", registry.host());
        let pinned = desk.push(&format!("{place}:v1"));
        assert!(pinned.starts_with(&format!("{place}:v1@sha256:")), "{pinned}");
        assert_eq!(desk.push(&format!("{place}:v1")), pinned, "the same module has another digest");
        for reference in [format!("{place}:v1"), pinned.clone(), pinned.replace(":v1@", "@")] {
            let ran = desk.alone(&format!("module pull {reference} -o again.wasm")).done();
            assert!(ran.stdout.contains(&pinned[pinned.find("@sha256").unwrap()..]));
            assert_eq!(fs::read(desk.path("again.wasm")).unwrap(), hello());
        }
        desk.push(&format!("{place}:v2"));
        let tags = desk.croft(&format!("module tags {place}")).done().stdout;
        assert_eq!(tags.lines().collect::<std::collections::BTreeSet<_>>(), ["v1", "v2"].into());
        desk.alone(&format!("module pull {place}:v3")).refused(&["there is no manifest `v3`"]);
    }
}

#[test]
fn a_definition_is_published_with_the_digest_of_its_tag() {
    let Some((mut registry, _folder)) = registry(Kind::Distribution) else { return };
    let desk = desk();
    let reference = format!("oci://{}/team/hello:v1", registry.host());
    let pinned = desk.push(&reference);
    desk.write("definition.yaml", definition(&reference));
    let published = desk.alone("publish -f definition.yaml -o definition").done().objects();
    assert_eq!(published[0]["spec"]["module"], pinned);
    // By digest it is in the cache, whatever becomes of the registry.
    registry.stop().unwrap();
    desk.write("definition.yaml", definition(&pinned));
    desk.alone("check -f definition.yaml").done();
    desk.write("definition.yaml", definition(&reference));
    desk.alone("check -f definition.yaml --registry-timeout 2").failed(&["cannot reach the registry"]);
}

#[test]
fn a_tag_that_moved_changes_nothing_for_who_has_the_digest() {
    let Some((registry, _folder)) = registry(Kind::Distribution) else { return };
    let desk = desk();
    let reference = format!("oci://{}/team/hello:v1", registry.host());
    let pinned = desk.push(&reference);
    let moved = desk.croft(&format!("module push hello.wasm {reference} --revision 2")).done().stdout;
    assert_ne!(moved.trim(), pinned);
    let pulled = desk.alone(&format!("module pull {pinned} -o a.wasm")).done();
    assert_eq!(pulled.stdout.trim(), pinned);
    assert_eq!(desk.alone(&format!("module pull {reference} -o a.wasm")).done().stdout, moved);
}

#[test]
fn credentials_come_from_dockers_configuration_and_its_helpers() {
    let Some((registry, _folder)) = registry(Kind::Guarded) else { return };
    let (desk, host) = (desk(), registry.host());
    let push = format!("module push hello.wasm oci://{host}/team/hello:v1");
    let config = desk.path("docker").display().to_string();
    fs::create_dir(&config).unwrap();
    let path = format!("{}:/usr/bin:/bin", desk.path("bin").display());
    let env = [("DOCKER_CONFIG", config.as_str()), ("PATH", path.as_str())];
    desk.alone_with(&push, &env).failed(&["it wants credentials", "docker login"]);
    desk.write("docker/config.json", json!({"auths": {&host: {"auth": "dXNlcjp3cm9uZw=="}}}).to_string());
    desk.alone_with(&push, &env).failed(&["to the user of its credentials"]);
    desk.write("docker/config.json", json!({"auths": {&host: {"auth": "dXNlcjpzZWNyZXQ="}}}).to_string());
    desk.alone_with(&push, &env).done();

    desk.write("docker/config.json", json!({"credHelpers": {&host: "tests"}}).to_string());
    desk.alone_with(&push, &env).failed(&["cannot read the credentials"]);
    fs::create_dir(desk.path("bin")).unwrap();
    let helper = |line: &str| {
        desk.write("bin/docker-credential-tests", format!("#!/bin/sh\ncat > /dev/null\n{line}\n"));
        fs::set_permissions(desk.path("bin/docker-credential-tests"), fs::Permissions::from_mode(0o755)).unwrap();
    };
    helper(r#"echo '{"ServerURL": "x", "Username": "user", "Secret": "secret"}'"#);
    desk.alone_with(&push, &env).done();
    helper("echo credentials not found in native keychain; exit 1");
    desk.alone_with(&push, &env).failed(&["it wants credentials"]);
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_given() {
    let Some((registry, _folder)) = registry(Kind::Tls) else { return };
    let desk = desk();
    desk.write("ca.pem", fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/registry/ca.pem")).unwrap());
    // Loopback is asked in the clear, so that TLS takes another name.
    let mirror = format!("--registry-mirror registry.example.org=https://{}", registry.host());
    let digest = host_core::name::Digest::of(b"a");
    let pull = format!("module pull oci://registry.example.org/team/hello@{digest} --registry-timeout 5 {mirror}");
    // The mirror answers once it is trusted; the registry itself is not there.
    let untrusted = desk.alone_with(&format!("-v {pull}"), &[]);
    assert!(untrusted.stderr.to_lowercase().contains("certificate"), "{}", untrusted.stderr);
    let trusted = desk.alone_with(&format!("-v {pull} --registry-ca ca.pem"), &[]);
    assert!(trusted.stderr.contains("there is no manifest"), "{}", trusted.stderr);
    desk.write("none.pem", "nothing");
    desk.alone(&format!("{pull} --registry-ca none.pem")).refused(&["none.pem", "holds no certificate"]);
    desk.alone(&format!("{pull} --registry-ca missing.pem")).refused(&["missing.pem"]);
}

#[test]
fn a_folder_serves_as_a_registry_does() {
    let desk = desk();
    let pinned = desk.push("oci-layout:modules/hello:v1");
    desk.alone("module pull oci-layout:modules/hello:v1 -o a.wasm").done();
    assert_eq!(fs::read(desk.path("a.wasm")).unwrap(), hello());
    assert_eq!(desk.croft("module tags oci-layout:modules/hello").done().stdout, "v1\n");
    fs::create_dir(desk.path("api")).unwrap();
    // As a file, a folder is looked for beside the definition.
    desk.write("api/definition.yaml", definition("oci-layout:../modules/hello:v1"));
    let published = desk.alone("publish -f api/definition.yaml -o definition").done().objects();
    assert_eq!(published[0]["spec"]["module"], pinned.replace("oci-layout:", "oci-layout:../"));
    desk.alone("module pull oci-layout:nowhere:v1")
        .refused(&["there is no index `index.json` in `oci-layout:nowhere`"]);
}

#[test]
fn a_reference_that_names_nothing_is_refused_with_its_place() {
    let desk = desk();
    desk.write("definition.yaml", definition("oci://registry.example.org/team/hello"));
    desk.alone("check -f definition.yaml").refused(&[
        "names neither a tag nor a digest",
        "definition.yaml:",
        "croft module tags oci://registry.example.org/team/hello",
    ]);
    desk.write("definition.yaml", definition("oci://hello:v1"));
    desk.alone("check -f definition.yaml").refused(&["names no repository", "oci://REGISTRY/REPOSITORY"]);
    let wrong = desk.croft("module push hello.wasm oci://registry.example.org/Hello");
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("is not the name of a repository"), "{}", wrong.stderr);
}

#[test]
fn what_croft_would_not_run_is_not_pushed() {
    let desk = desk();
    desk.write("core.wasm", b"\0asm\x01\0\0\0");
    desk.croft("module push core.wasm oci-layout:modules:v1").refused(&["is a core WebAssembly module"]);
    assert!(!desk.path("modules").exists());
}
