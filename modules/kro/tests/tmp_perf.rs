use std::time::Instant;
use serde_json::{json, Value};
fn def(n: usize, rich: bool) -> Value {
    let mut res = vec![];
    for i in 0..n {
        let dep = if i > 0 { format!("${{r{}.metadata.name}}", i-1) } else { "none".into() };
        let data = if rich { json!({"a": "${schema.spec.name + '-' + string(schema.spec.n)}", "b": "x ${schema.spec.n} y", "c": dep, "d": "${schema.spec.tags.map(t, t + '!')}", "e": "${has(schema.spec.name) && schema.spec.n > 1 ? 'yes' : 'no'}"}) } else { json!({"a": "${schema.spec.name}", "c": dep}) };
        res.push(json!({"id": format!("r{i}"), "template": {"apiVersion":"v1","kind":"ConfigMap","metadata":{"name": format!("${{schema.spec.name}}-{i}"), "labels": {"app":"${schema.metadata.name}"}},"data": data}}));
    }
    json!({"apiVersion":"kro.run/v1alpha1","kind":"ResourceGroup","metadata":{"name":"x"},"spec":{"schema":{"apiVersion":"v1","kind":"Thing","spec":{"name":"string | default=x","n":"integer | default=3","tags":"[]string | default=[\"a\",\"b\",\"c\"]"}},"resources":res}})
}
#[test] fn perf() {
    for (n, rich) in [(0,false),(5,false),(20,false),(5,true),(20,true)] {
        let d = def(n, rich);
        let t=Instant::now();
        let p = match kro::prepare(&d, &[]).unwrap() { guest_sdk::Preparation::Ready(p)=>p, _=>panic!() };
        let prep=t.elapsed();
        let inst = json!({"apiVersion":"kro.run/v1","kind":"Thing","metadata":{"name":"i","namespace":"d"},"spec":{"name":"app","n":4}});
        let obs: Vec<_> = (0..n).map(|i| guest_sdk::Observed{id:format!("r{i}"),key:"".into(),object:json!({"metadata":{"name":format!("app-{i}"),"uid":"u"},"data":{"a":"b"}})}).collect();
        let mut best=u128::MAX;
        for _ in 0..2000 { let t=Instant::now(); let r=kro::render(&p.program,&inst,&obs).unwrap(); std::hint::black_box(&r); best=best.min(t.elapsed().as_nanos()); assert_eq!(r.children.len(), n);}
        println!("children {n} rich {rich}: prepare {prep:?} program {} B render min {} us", p.program.len(), best as f64/1000.0);
    }
}
