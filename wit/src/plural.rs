//! The plural of a kind as kro and the code generators of most controllers form it,
//! since it names the CRD and the URLs.
//!
//! It is not English: kro's inflection has gaps and quirks (`price`, `videoes`,
//! `httpsHTTPSes`), and a better plural would be another API. The rules were found
//! by asking Go's `github.com/gobuffalo/flect`, which kro takes, for the plurals
//! of all words of up to four letters, of a dictionary, and of random words with
//! every ending that mattered; `cargo xtask test` asks it for others. Whether the
//! result is a valid resource name is for `naming` to say.

/// The plural of a kind, in lower case, such as `networkpolicies` of
/// `NetworkPolicy`.
pub fn of(kind: &str) -> String {
    let word = kind.to_lowercase();
    match exact(&word) {
        Some(plural) => plural.to_owned(),
        None => by_ending(&word),
    }
}

/// Words that follow no rule.
fn exact(word: &str) -> Option<&'static str> {
    let found = EXACT.binary_search_by(|(known, _)| (*known).cmp(word)).ok()?;
    Some(EXACT[found].1)
}

/// Words by their endings: the longest that is known decides.
fn by_ending(word: &str) -> String {
    let starts = word.char_indices().map(|(start, _)| start);
    let rule =
        starts.filter_map(|start| ENDINGS.binary_search_by(|(known, ..)| (*known).cmp(&word[start..])).ok()).next();
    match rule.map(|index| ENDINGS[index]) {
        Some((_, dropped, added)) => format!("{}{added}", &word[..word.len() - dropped]),
        None => format!("{word}s"),
    }
}

/// A word and its plural, in the order of the words.
#[rustfmt::skip]
const EXACT: &[(&str, &str)] = &[
    ("adieus", "adieus"), ("aes", "aesAESes"), ("alias", "aliases"), ("axis", "axes"), ("bss", "bssBSSes"),
    ("cmos", "cmosCMOSes"), ("des", "desDESes"), ("dice", "dice"), ("die", "dice"), ("dns", "dnsDNSes"),
    ("eia", "eias"), ("ess", "essESSes"), ("fcs", "fcsFCSes"), ("formulae", "formulae"), ("https", "httpsHTTPSes"),
    ("ids", "idsIDSes"), ("ips", "ipsIPSes"), ("lice", "lice"), ("louse", "lice"), ("mpls", "mplsMPLSes"),
    ("octopi", "octopi"), ("ox", "oxen"), ("oxen", "oxen"), ("pots", "potsPOTSes"), ("ssh", "sshs"), ("tia", "tias"),
];

/// An ending, how many letters the plural drops, and what it adds; in the order of
/// the endings.
#[rustfmt::skip]
const ENDINGS: &[(&str, usize, &str)] = &[
    ("adieu", 0, "x"), ("adieux", 0, ""), ("agenda", 0, "s"), ("aircraft", 0, ""), ("alumna", 0, "e"),
    ("alumnae", 0, ""), ("alumni", 0, ""), ("alumnus", 2, "i"), ("ano", 0, "s"), ("anta", 0, ""), ("antum", 2, "a"),
    ("apex", 2, "ices"), ("appendix", 1, "ces"), ("ata", 0, ""), ("atum", 2, "a"), ("ay", 0, "s"), ("bacilli", 0, ""),
    ("bacillus", 2, "i"), ("basis", 2, "es"), ("beef", 0, ""), ("bison", 0, ""), ("bra", 0, ""), ("brum", 2, "a"),
    ("buffalo", 0, "es"), ("bula", 0, "e"), ("bulae", 0, ""), ("bureau", 0, "s"), ("bureaus", 0, ""),
    ("cacti", 0, ""), ("cactus", 2, "i"), ("ch", 0, "es"), ("child", 0, "ren"), ("children", 0, ""), ("cocci", 0, ""),
    ("coccus", 2, "i"), ("codex", 2, "ices"), ("corpora", 0, ""), ("corpus", 2, "ora"), ("cra", 0, ""),
    ("crisis", 2, "es"), ("criterion", 2, "a"), ("crum", 2, "a"), ("cta", 0, ""), ("ctum", 2, "a"),
    ("curriculum", 0, "s"), ("da", 0, ""), ("deer", 0, ""), ("differentia", 0, "e"), ("differentiae", 0, ""),
    ("dula", 4, "bulae"), ("dum", 2, "a"), ("dwarf", 0, "s"), ("ea", 0, ""), ("eaf", 1, "ves"), ("eau", 0, "x"),
    ("eaux", 0, ""), ("ela", 0, ""), ("ellipsis", 2, "es"), ("elum", 2, "a"), ("enta", 0, ""), ("entum", 2, "a"),
    ("equipment", 0, ""), ("erna", 0, ""), ("ernum", 2, "a"), ("eta", 0, ""), ("etum", 2, "a"), ("eum", 2, "a"),
    ("ey", 0, "s"), ("ez", 0, "zes"), ("fabliau", 0, "x"), ("fabliaux", 0, ""), ("fe", 2, "ves"), ("feet", 0, ""),
    ("fish", 0, ""), ("foci", 0, ""), ("focus", 2, "i"), ("foot", 3, "eet"), ("formula", 0, "s"),
    ("ganglion", 2, "a"), ("geese", 0, ""), ("genera", 0, ""), ("genesis", 2, "es"), ("genus", 2, "era"),
    ("gna", 0, ""), ("gnosis", 2, "es"), ("gnum", 2, "a"), ("goose", 4, "eese"), ("graffiti", 0, ""),
    ("hedra", 0, ""), ("hedron", 2, "a"), ("helix", 1, "ces"), ("human", 0, "s"), ("ia", 0, ""), ("iasis", 2, "es"),
    ("ila", 0, ""), ("ilum", 2, "a"), ("ima", 0, ""), ("imum", 2, "a"), ("index", 2, "ices"), ("information", 0, ""),
    ("io", 0, "s"), ("ita", 0, ""), ("itum", 2, "a"), ("ium", 2, "a"), ("iz", 0, "zes"), ("kinesis", 2, "es"),
    ("larva", 0, "e"), ("larvae", 0, ""), ("latex", 2, "ices"), ("lexica", 0, ""), ("lexicon", 2, "a"),
    ("lf", 1, "ves"), ("lla", 0, ""), ("llum", 2, "a"), ("lo", 0, "s"), ("loci", 0, ""), ("locus", 2, "i"),
    ("lula", 4, "bulae"), ("man", 2, "en"), ("men", 0, ""), ("mesis", 2, "es"), ("mice", 0, ""), ("minutia", 0, "e"),
    ("minutiae", 0, ""), ("mitochondrion", 2, "a"), ("money", 0, ""), ("moose", 0, ""), ("mouse", 4, "ice"),
    ("noumena", 0, ""), ("noumenon", 2, "a"), ("nuclei", 0, ""), ("nucleus", 2, "i"), ("nula", 4, "bulae"),
    ("o", 0, "es"), ("oa", 0, ""), ("oaf", 1, "ves"), ("oasis", 2, "es"), ("octopus", 4, "upuses"), ("ola", 0, ""),
    ("olum", 2, "a"), ("oo", 0, "s"), ("opsis", 2, "es"), ("ota", 0, ""), ("otum", 2, "a"), ("oum", 2, "a"),
    ("ova", 0, ""), ("ovum", 2, "a"), ("oy", 0, "s"), ("people", 0, ""), ("person", 4, "ople"), ("phenomena", 0, ""),
    ("phenomenon", 2, "a"), ("police", 0, ""), ("potato", 0, "es"), ("quota", 0, "s"), ("quy", 1, "ies"),
    ("radii", 0, ""), ("radius", 2, "i"), ("radix", 1, "ces"), ("resis", 2, "es"), ("rf", 1, "ves"), ("rice", 0, ""),
    ("s", 0, ""), ("salmon", 0, ""), ("sera", 0, ""), ("serum", 2, "a"), ("seum", 0, "s"), ("sh", 0, "es"),
    ("sheep", 0, ""), ("shrimp", 0, ""), ("ss", 0, "es"), ("stadium", 0, "s"), ("swine", 0, ""), ("syllabi", 0, ""),
    ("syllabus", 2, "i"), ("taxa", 0, ""), ("taxon", 2, "a"), ("teeth", 0, ""), ("tera", 0, ""), ("terum", 2, "a"),
    ("testis", 2, "es"), ("thesis", 2, "es"), ("thief", 1, "ves"), ("to", 0, "s"), ("tomato", 0, "es"),
    ("tooth", 4, "eeth"), ("topaz", 0, "es"), ("tra", 0, ""), ("trix", 1, "ces"), ("trout", 0, ""), ("trum", 2, "a"),
    ("tuna", 0, ""), ("tz", 0, "es"), ("ula", 0, ""), ("ulum", 2, "a"), ("us", 0, "es"), ("uta", 0, ""),
    ("utum", 2, "a"), ("uva", 0, "e"), ("uvae", 0, ""), ("uy", 0, "s"), ("vedalia", 0, "s"), ("vertebra", 0, "e"),
    ("vertebrae", 0, ""), ("vertex", 2, "ices"), ("vita", 0, "e"), ("vitae", 0, ""), ("vortex", 2, "ices"),
    ("vula", 4, "bulae"), ("x", 0, "es"), ("y", 1, "ies"), ("yla", 0, ""), ("ylum", 2, "a"), ("you", 0, ""),
    ("ysis", 2, "es"), ("zz", 0, "es"),
];

#[cfg(test)]
mod tests {
    use std::{
        env,
        io::Write,
        process::{Command, Stdio},
    };

    use super::*;

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

    #[test]
    fn the_tables_are_in_order() {
        assert!(EXACT.is_sorted_by(|one, two| one.0 < two.0));
        assert!(ENDINGS.is_sorted_by(|one, two| one.0 < two.0));
    }

    /// A fixed sequence that looks like chance (Knuth's MMIX generator).
    fn below(state: &mut u64, bound: usize) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as usize % bound
    }

    /// Ten thousand words: letters at random, known endings behind some letters,
    /// and two kinds in one.
    fn words(seed: u64) -> Vec<String> {
        let kinds: Vec<String> = include_str!("../tests/plural.jsonl")
            .lines()
            .map(|line| serde_json::from_str::<(String, String)>(line).unwrap().0.to_lowercase())
            .collect();
        let mut state = seed;
        let letters = |most: usize, state: &mut u64| -> String {
            (0..below(state, most + 1)).map(|_| char::from(b'a' + below(state, 26) as u8)).collect()
        };
        let mut words = Vec::new();
        while words.len() < 10_000 {
            let word = match below(&mut state, 4) {
                0 => letters(9, &mut state),
                1 => letters(4, &mut state) + ENDINGS[below(&mut state, ENDINGS.len())].0,
                2 => letters(2, &mut state) + EXACT[below(&mut state, EXACT.len())].0,
                _ => kinds[below(&mut state, kinds.len())].clone() + &kinds[below(&mut state, kinds.len())],
            };
            if !word.is_empty() {
                words.push(word);
            }
        }
        words
    }

    /// `CROFT_ORACLES` is the program of `xtask/oracles`; without it there is nobody
    /// to ask.
    #[test]
    fn ten_thousand_words_have_the_plurals_that_go_gives_them() {
        let Some(oracles) = env::var_os("CROFT_ORACLES") else { return };
        let words = words(env::var("CROFT_SEED").map_or(1, |seed| seed.parse().unwrap()));
        let questions: String = words.iter().map(|word| format!("{word:?}\n")).collect();
        let mut child =
            Command::new(oracles).arg("plural").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let asking = std::thread::spawn(move || input.write_all(questions.as_bytes()));
        let output = child.wait_with_output().unwrap();
        asking.join().unwrap().unwrap();
        let answers: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), words.len());
        let differ = words.iter().zip(&answers).filter(|(word, plural)| of(word) != **plural);
        let differ: Vec<String> = differ.map(|(word, plural)| format!("{word}: {}, not {plural}", of(word))).collect();
        assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    }
}
