//! Warns of what is never there: fields of the instance's metadata that the host
//! does not hand to a module, since its own writes change them.

use crate::{collect::Collected, model::Definition, problem::Problems};

/// The fields, each with what says the same and is there.
const NEVER: [(&str, &str); 2] = [
    ("resourceVersion", "`schema.metadata.generation` changes with the spec"),
    ("managedFields", "it is the bookkeeping of the server"),
];

/// Notes each expression that reads one of them.
pub(super) fn warn(definition: &Definition, collected: &Collected, problems: &mut Problems) {
    for found in &collected.found {
        let id = found.place.resource().and_then(|index| definition.resources.get(index));
        let whose = id.map_or_else(String::new, |resource| format!(": resource `{}` waits for ever", resource.id));
        for reference in found.site.mentions().references {
            let [Some(&"metadata"), Some(field)] = [reference.path.first(), reference.path.get(1)] else { continue };
            let known = NEVER.iter().find(|(name, _)| name == field && reference.root == "schema");
            let Some((name, instead)) = known else { continue };
            let whose = if reference.guarded { "" } else { &whose };
            let message = format!(
                "`schema.metadata.{name}` is never there: it changes with each write of the status, and so would what \
                 is made of it{whose}"
            );
            let at = reference.at as usize;
            found.site.warning(problems, "NeverThere", at, found.site.word(at), message).hint(*instead);
        }
    }
}
