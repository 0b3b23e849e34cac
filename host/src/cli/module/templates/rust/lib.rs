//! {{Kind}}: what users write, and what comes of it.

use guest_sdk::prelude::*;
use k8s_openapi::api::core::v1::ConfigMap;

/// Something to say.
#[derive(CustomResource, JsonSchema, Deserialize, Serialize, Clone, Debug)]
#[kube(group = "{{group}}", version = "v1alpha1", kind = "{{Kind}}", namespaced, status = "{{Kind}}Status")]
pub struct {{Kind}}Spec {
    /// What is said.
    pub message: String,
    /// How often it is said.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 10))]
    pub times: i32,
}

/// What came of it.
#[derive(JsonSchema, Deserialize, Serialize, Clone, Debug)]
pub struct {{Kind}}Status {
    /// What the text says by now.
    pub text: Option<String>,
}

fn once() -> i32 {
    1
}

/// The objects that an instance is made of.
#[derive(Debug)]
pub struct Module {
    text: Child<ConfigMap>,
}

guest_sdk::export!(Module);

impl Composition for Module {
    type Api = {{Kind}};

    fn declare(plan: &Plan) -> Result<Module> {
        Ok(Module { text: plan.child("text") })
    }

    fn render(&self, instance: &{{Kind}}, cx: &Context<{{Kind}}>) -> Result {
        let {{Kind}}Spec { message, times } = &instance.spec;
        if message.trim().is_empty() {
            let refused = invalid("spec.message", "there is nothing to say").code("EmptyMessage");
            return Err(refused.hint("write a word, such as `Hello`"));
        }
        let text = vec![message.as_str(); usize::try_from(*times).unwrap_or(1)].join(" ");
        let metadata = named(instance.metadata.name.clone().unwrap_or_default());
        let data = strings([("text", &*text)]);
        cx.child(&self.text, ConfigMap { metadata, data: Some(data), ..ConfigMap::default() });

        // What a server has of it by now: nothing at first.
        let text = cx.observed(&self.text)?.and_then(|text| text.data?.remove("text"));
        cx.status({{Kind}}Status { text });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
