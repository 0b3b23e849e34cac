//! The smallest composition module: one kind, `Greeting`, written as code.
//!
//! It serves the same API, under the same child ids and names, as the
//! ResourceGroup in its test, so that a provider can go from a definition to
//! code and consumers see no difference but the language that it adds.

mod language;

use guest_sdk::prelude::*;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};

/// Somebody to greet, with a card and a seal.
#[derive(CustomResource, JsonSchema, Deserialize, Serialize, Clone, Debug)]
#[kube(group = "kro.run", version = "v1alpha1", kind = "Greeting", namespaced, status = "GreetingStatus")]
pub struct GreetingSpec {
    /// Who is greeted. It is part of the names of the children.
    pub name: String,
    /// What to greet with.
    #[serde(default = "hello")]
    pub greeting: String,
}

/// What came of a greeting.
#[derive(JsonSchema, Deserialize, Serialize, Clone, Debug)]
pub struct GreetingStatus {
    /// What the card says.
    pub message: Option<String>,
}

fn hello() -> String {
    "Hello".to_owned()
}

/// The module.
#[derive(Debug)]
pub struct Hello {
    card: Child<ConfigMap>,
    seal: Child<Secret>,
}

guest_sdk::export!(Hello);

impl Composition for Hello {
    type Api = Greeting;

    fn declare(plan: &Plan) -> Result<Hello> {
        let card = plan.child("card");
        let seal = plan.child("seal").after(&card);
        Ok(Hello { card, seal })
    }

    fn render(&self, instance: &Greeting, cx: &Context<Greeting>) -> Result {
        let GreetingSpec { name, greeting } = &instance.spec;
        check(name)?;
        let data = strings([("message", &*format!("{greeting}, {name}!")), ("language", language::of(greeting))]);
        let metadata = named(format!("{name}-card"));
        cx.child(&self.card, ConfigMap { metadata, data: Some(data), ..ConfigMap::default() });

        let message = cx.observed(&self.card)?.and_then(|card| card.data?.remove("message"));
        cx.status(GreetingStatus { message });

        // The seal needs what only a server gives: until then, it waits.
        let uid = cx.wait(&self.card, "metadata.uid", |card| card.metadata.uid)?;
        let signature = strings([("signature", format!("sealed on card {uid}"))]);
        let metadata = named(format!("{name}-seal"));
        cx.child(&self.seal, Secret { metadata, string_data: Some(signature), ..Secret::default() });
        Ok(())
    }
}

/// Refuses a name that cannot be part of an object's.
fn check(name: &str) -> Result {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(fits) {
        return Ok(());
    }
    let refused = invalid("spec.name", format!("`{name}` cannot be part of an object's name")).code("InvalidName");
    Err(refused.hint("write a name of lower-case letters, digits and `-`, such as `ada`"))
}

#[cfg(test)]
mod tests;
