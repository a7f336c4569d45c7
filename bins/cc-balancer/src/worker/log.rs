//! The text of a turn whose beginning the pane has no more, from the log that cc-logger keeps of it.

use std::time::Duration;

use cc_kit::logs::{kept, output, selector};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::Key;

/// How many rows a log and a capture must share, where there are so many.
const SHARED: usize = 10;
/// What cc-logger puts where a secret stood, so that these rows are not those of the pane.
const TAKEN_OUT: &str = "<redacted:";

/// How long a log that is being written may be behind its pane.
const BEHIND: Duration = Duration::from_secs(3);
/// How often it is looked at meanwhile.
const AGAIN: Duration = Duration::from_millis(150);

/// The rows of a pane since then, as its log has them and behind that as they were captured, `captured`.
/// `None` where no log of it is kept, or what is kept does not reach to what is captured.
pub(crate) async fn longer(key: &Key, since: Timestamp, captured: &str) -> Option<String> {
    let told = |error: String| tracing::debug!(error, pane = key.pane, "its log is not read");
    let kept = kept(&key.socket, &key.pane).await.map_err(told).ok()??;
    let (selector, since) = (selector(&key.socket, &key.pane), since.to_string());
    let captured: Vec<&str> = captured.trim_end().lines().collect();
    let began = Instant::now();
    loop {
        let arguments = ["cat", "--since", &since, &selector];
        let log = output(&arguments).await.map_err(told).ok()?;
        let log: Vec<&str> = log.lines().collect();
        if let Some(rows) = joined(&log, &captured) {
            return Some(rows);
        }
        if !kept.live || began.elapsed() > BEHIND {
            return None;
        }
        sleep(AGAIN).await;
    }
}

/// A log is written a moment behind the pane, and may be read a moment behind the capture: whichever ends
/// first, all of it that the other has too must be the same.
fn joined(log: &[&str], captured: &[&str]) -> Option<String> {
    // Neither the first row captured nor the last logged need be whole.
    let (_, captured) = captured.split_first()?;
    let (_, log) = log.split_last()?;
    let shared = |from: usize| log.len().saturating_sub(from).min(captured.len());
    let fits = |from: &usize| {
        let behind = log.iter().skip(*from).zip(captured);
        shared(*from) >= SHARED.min(captured.len()) && behind.clone().all(|(a, b)| same(a, b))
    };
    // Rows may repeat: a log that is behind by as little as can be comes first, then one that is ahead.
    let even = log.len().saturating_sub(captured.len());
    let mut from = (even..log.len()).chain((0..even).rev());
    let from = from.find(fits)?;
    let rows = log.iter().take(from).chain(captured);
    Some(rows.copied().collect::<Vec<_>>().join("\n"))
}

/// A tab may be one, or what it looks like.
fn same(logged: &str, captured: &str) -> bool {
    logged.contains(TAKEN_OUT) || logged.split_whitespace().eq(captured.split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|at| format!("row\t{at}")).collect()
    }

    fn joined_of(log: &[String], captured: &[String]) -> Option<Vec<String>> {
        let log: Vec<&str> = log.iter().map(String::as_str).collect();
        let captured: Vec<&str> = captured.iter().map(String::as_str).collect();
        let text = joined(&log, &captured)?;
        Some(text.lines().map(str::to_owned).collect())
    }

    #[test]
    fn a_log_that_is_behind_or_ahead_is_joined_where_it_is_the_same() {
        let all = rows(0..100);
        for end in [60, 99, 100] {
            let log = &all[..end];
            assert_eq!(joined_of(log, &all[40..]), Some(all.clone()), "{end}");
        }
        assert_eq!(joined_of(&all, &all[40..90]).unwrap(), all[..90]);
        // What is no longer, or not yet, there cannot be made up.
        assert_eq!(joined_of(&all[..45], &all[40..]), None);
        assert_eq!(joined_of(&all[..30], &all[40..]), None);
        assert_eq!(joined_of(&[], &all), None);
        assert_eq!(joined_of(&all, &[]), None);
    }

    #[test]
    fn rows_that_are_all_the_same_are_not_dropped() {
        let same: Vec<String> = vec!["x".to_owned(); 50];
        let joined = joined_of(&same, &same[..20]).unwrap();
        assert!(joined.len() >= 49, "{}", joined.len());
    }

    #[test]
    fn a_secret_that_the_log_does_not_have_and_tabs_are_no_difference() {
        let captured: Vec<String> = rows(10..30)
            .iter()
            .map(|row| row.replace('\t', "    "))
            .collect();
        let mut log = rows(0..25);
        log[15] = "key=<redacted:token:1234>".to_owned();
        let joined = joined_of(&log, &captured).unwrap();
        assert_eq!(joined.len(), 30);
        assert_eq!(joined[15], "row    15");
    }
}
