//! Waiting for a condition: the one place that sleeps.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

/// Asks again and again until there is an answer, and gives up with `None`
/// after the last question at or past `within`. `every` is the pause between two
/// questions.
pub fn poll<T>(within: Duration, every: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    let start = Instant::now();
    loop {
        // The time is taken first: the last question is asked after it is up.
        let up = start.elapsed() >= within;
        let answer = ask()?;
        if answer.is_some() || up {
            return Ok(answer);
        }
        pause(every);
    }
}

#[expect(clippy::disallowed_methods, reason = "between two questions there is nothing else to wait for")]
fn pause(every: Duration) {
    thread::sleep(every);
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    const SOON: Duration = Duration::from_millis(1);

    #[test]
    fn an_answer_ends_the_waiting() {
        let mut asked = 0;
        let answer = poll(Duration::from_secs(60), SOON, || {
            asked += 1;
            Ok((asked == 3).then_some(asked))
        });
        assert_eq!(answer.unwrap(), Some(3));
    }

    #[test]
    fn an_error_ends_the_waiting() {
        assert!(poll::<()>(Duration::from_secs(60), SOON, || Err(anyhow!("no"))).is_err());
    }

    #[test]
    fn the_question_is_asked_at_least_once() {
        assert_eq!(poll(Duration::ZERO, SOON, || Ok(Some(1))).unwrap(), Some(1));
        assert_eq!(poll::<()>(Duration::ZERO, SOON, || Ok(None)).unwrap(), None);
    }
}
