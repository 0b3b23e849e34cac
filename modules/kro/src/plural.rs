//! The plural of a kind as kro forms it, since it names the CRD and the URLs.
//!
//! It is not English: kro's inflection has gaps and quirks (`price`, `videoes`,
//! `httpsHTTPSes`), and a better plural would be another API. Whether the result
//! is a valid resource name is for `naming` to say.

/// The plural of a kind, of its lower-case form.
pub(crate) fn of(kind: &str) -> String {
    let word = kind.to_lowercase();
    exact(&word).map(str::to_owned).or_else(|| by_ending(&word)).unwrap_or_else(|| format!("{word}s"))
}

/// Words that follow no rule.
fn exact(word: &str) -> Option<&'static str> {
    let found = IRREGULAR.iter().find(|(singular, plural)| *singular == word || *plural == word);
    found.map(|(_, plural)| *plural)
}

/// Words by their endings; the first ending that fits decides.
fn by_ending(word: &str) -> Option<String> {
    let (ending, replacement) = ENDINGS.iter().find(|(ending, _)| word.ends_with(ending))?;
    if *ending == "y" && before_last_is_vowel(word) {
        return None;
    }
    Some(format!("{}{replacement}", &word[..word.len() - ending.len()]))
}

fn before_last_is_vowel(word: &str) -> bool {
    word.chars().rev().nth(1).is_none_or(|letter| "aeiou".contains(letter))
}

const IRREGULAR: [(&str, &str); 49] = [
    ("alumna", "alumnae"),
    ("alumnus", "alumni"),
    ("api", "apis"),
    ("bacterium", "bacteria"),
    ("cactus", "cacti"),
    ("child", "children"),
    ("cortex", "cortexes"),
    ("criterion", "criteria"),
    ("datum", "data"),
    ("deer", "deer"),
    // kro's inflection takes these two for acronyms and doubles them.
    ("dns", "dnsDNSes"),
    ("https", "httpsHTTPSes"),
    ("equipment", "equipment"),
    ("fish", "fish"),
    ("foot", "feet"),
    ("fungus", "fungi"),
    ("genus", "genera"),
    ("goose", "geese"),
    ("hero", "heroes"),
    ("information", "information"),
    ("is", "is"),
    ("larva", "larvae"),
    ("louse", "lice"),
    ("man", "men"),
    ("medium", "media"),
    ("memorandum", "memoranda"),
    ("money", "money"),
    ("mouse", "mice"),
    ("nebula", "nebulae"),
    ("news", "news"),
    ("nucleus", "nuclei"),
    ("ovum", "ova"),
    ("ox", "oxen"),
    ("person", "people"),
    ("phenomenon", "phenomena"),
    ("polyhedron", "polyhedra"),
    ("potato", "potatoes"),
    ("price", "price"),
    ("quiz", "quizzes"),
    ("radius", "radii"),
    ("redis", "redis"),
    ("rice", "rice"),
    ("series", "series"),
    ("sheep", "sheep"),
    ("species", "species"),
    ("tomato", "tomatoes"),
    ("tooth", "teeth"),
    ("video", "videoes"),
    ("woman", "women"),
];

const ENDINGS: [(&str, &str); 25] = [
    ("thief", "thieves"),
    ("sheaf", "sheaves"),
    ("leaf", "leaves"),
    ("loaf", "loaves"),
    ("knife", "knives"),
    ("wife", "wives"),
    ("life", "lives"),
    ("elf", "elves"),
    ("alf", "alves"),
    ("olf", "olves"),
    ("bureau", "bureaus"),
    ("eau", "eaux"),
    ("appendix", "appendices"),
    ("matrix", "matrices"),
    ("vertex", "vertices"),
    ("index", "indices"),
    ("apex", "apices"),
    ("ch", "ches"),
    ("sh", "shes"),
    ("x", "xes"),
    ("y", "ies"),
    ("ss", "sses"),
    ("us", "uses"),
    ("is", "es"),
    // Whatever else ends in s counts as a plural already.
    ("s", "s"),
];

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_known_kind_has_the_plural_that_kro_gives_it() {
        let mut wrong = Vec::new();
        for line in include_str!("../tests/plural.jsonl").lines() {
            let (kind, plural): (String, String) = serde_json::from_str(line).unwrap();
            if of(&kind) != plural {
                wrong.push(format!("{kind}: {} instead of {plural}", of(&kind)));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_kind_that_is_a_plural_already_keeps_its_form() {
        assert_eq!(of("Secrets"), "secrets");
        assert_eq!(of("People"), "people");
    }
}
