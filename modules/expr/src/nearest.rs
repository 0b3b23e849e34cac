//! The name that a misspelt one most likely meant.

/// The candidate closest to a name, if one is close.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong: more is another word.
    let limit = name.chars().count().div_ceil(3);
    let scored = candidates.into_iter().map(|candidate| (distance(name, candidate), candidate));
    scored.filter(|(score, _)| *score <= limit).min().map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or changed (Levenshtein), case aside.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (left, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = row[left + 1];
            row[left + 1] = changed.min(row[left] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_strange_one_is_not() {
        assert_eq!(nearest("replcas", ["name", "replicas"]), Some("replicas"));
        assert_eq!(nearest("Name", ["name", "replicas"]), Some("name"));
        assert_eq!(nearest("zzz", ["name", "replicas"]), None);
    }
}
