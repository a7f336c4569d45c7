//! Sending in the background, and again when it fails.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::letter::{Letter, Secrets};
use super::message::Message;
use super::send::{Means, SendError, Sent, send};
use crate::config::{AlertSettings, Way};

/// How long to wait before each further attempt.
pub const BACKOFF: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(25),
    Duration::from_mins(2),
    Duration::from_mins(10),
];

/// How many attempts there are at the same time, of all alerts.
const AT_ONCE: usize = 8;

/// What came of one attempt.
#[derive(Debug)]
pub struct Report {
    /// [`Message::id`].
    pub id: String,
    /// The alert's name.
    pub alert: String,
    /// The unit, or empty.
    pub unit: String,
    /// What was to be told, in one word.
    pub kind: &'static str,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one attempt.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was told.
    Sent(Sent),
    /// It was not, and after that time there is another attempt.
    Again(SendError, Duration),
    /// It was not, and will not be.
    Failed(SendError),
}

/// Sends messages. When it is dropped, what is not sent yet is given up, and programs that were
/// started for it are killed.
#[derive(Debug)]
pub struct Post {
    means: Arc<Means>,
    office: Arc<Office>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Office {
    backoff: Vec<Duration>,
    reports: mpsc::Sender<Report>,
    room: Semaphore,
}

impl Post {
    /// One that reports every attempt. `backoff` are the waits before each further one:
    /// [`BACKOFF`].
    #[must_use]
    pub fn new(means: Means, backoff: &[Duration], reports: mpsc::Sender<Report>) -> Self {
        Self {
            means: Arc::new(means),
            office: Arc::new(Office {
                backoff: backoff.to_vec(),
                reports,
                room: Semaphore::new(AT_ONCE),
            }),
            tasks: JoinSet::new(),
        }
    }

    /// Goes by other secrets from now on.
    pub fn know(&mut self, secrets: Secrets) {
        Arc::make_mut(&mut self.means).secrets = secrets;
    }

    /// Sends a message in the background.
    ///
    /// # Panics
    /// Outside a tokio runtime that has IO and time enabled.
    pub fn send(&mut self, message: &Message, settings: &AlertSettings) {
        while self.tasks.try_join_next().is_some() {}
        let letter = Letter::write(message, &self.means.secrets);
        let (office, means) = (Arc::clone(&self.office), Arc::clone(&self.means));
        let way = settings.way.clone();
        self.tasks.spawn(async move {
            office.deliver(&letter, &way, &means).await;
        });
    }

    /// How many are not done yet.
    #[must_use]
    pub fn left(&mut self) -> usize {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.len()
    }

    /// Waits until all is done, at most so long; what is left then is given up. Somebody has to
    /// receive the reports meanwhile.
    pub async fn finish(mut self, within: Duration) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(within, all).await.is_err() {
            tracing::warn!(left = self.tasks.len(), "alerts are given up");
        }
        self.tasks.shutdown().await;
    }
}

impl Office {
    async fn deliver(&self, letter: &Letter, way: &Way, means: &Means) {
        let mut waits = self.backoff.iter();
        let mut attempt = 1;
        loop {
            let result = {
                // It is never closed, and without a permit it would be sent all the same.
                let _room = self.room.acquire().await;
                send(letter, way, means).await
            };
            let outcome = match result {
                Ok(sent) => Outcome::Sent(sent),
                Err(wrong) => match waits.next().filter(|_| wrong.may_pass()) {
                    Some(wait) => Outcome::Again(wrong, *wait),
                    None => Outcome::Failed(wrong),
                },
            };
            log(letter, attempt, &outcome);
            let wait = match &outcome {
                Outcome::Again(_, wait) => Some(*wait),
                _ => None,
            };
            let report = Report {
                id: letter.id.clone(),
                alert: letter.alert.clone(),
                unit: letter.unit.clone(),
                kind: letter.kind,
                attempt,
                outcome,
            };
            // Nobody may want to know any more; it is to be told all the same.
            let _ = self.reports.send(report).await;
            match wait {
                Some(wait) => sleep(wait).await,
                None => return,
            }
            attempt += 1;
        }
    }
}

fn log(letter: &Letter, attempt: u32, outcome: &Outcome) {
    let alert = letter.alert.as_str();
    match outcome {
        Outcome::Sent(sent) => {
            let said = sent.said.as_str();
            tracing::info!(alert, attempt, status = sent.status, said, "told");
        }
        Outcome::Again(wrong, wait) => {
            tracing::warn!(alert, attempt, %wrong, ?wait, "not told yet");
        }
        Outcome::Failed(wrong) => tracing::error!(alert, attempt, %wrong, "not told"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tempfile::TempDir;
    use tokio::time::Instant;

    use super::*;
    use crate::alert::send::tests::{answer, program, server};
    use crate::config::WebhookUrl;

    fn secrets() -> Secrets {
        Secrets::new([7; 32], []).unwrap()
    }

    fn message() -> Message {
        Message::test("phone", Timestamp::UNIX_EPOCH)
    }

    fn settings(way: Way) -> AlertSettings {
        AlertSettings {
            name: "phone".into(),
            way,
            events: Vec::new(),
            dedupe: Duration::ZERO,
            rate: None,
            quiet: None,
        }
    }

    fn webhook(url: String) -> AlertSettings {
        let to = WebhookUrl::Url(url);
        settings(Way::Webhook { to })
    }

    fn post(backoff: &[u64]) -> (Post, mpsc::Receiver<Report>) {
        let (reports, received) = mpsc::channel(8);
        let backoff: Vec<_> = backoff.iter().copied().map(Duration::from_secs).collect();
        (
            Post::new(Means::with([], secrets()), &backoff, reports),
            received,
        )
    }

    /// All reports until nothing is left to send, in short.
    async fn all(post: Post, mut received: mpsc::Receiver<Report>) -> Vec<String> {
        let finish = tokio::spawn(post.finish(Duration::MAX));
        let mut all = Vec::new();
        while let Some(report) = received.recv().await {
            assert_eq!(report.id, message().id());
            let outcome = match report.outcome {
                Outcome::Sent(sent) => format!("sent {:?}", sent.status),
                Outcome::Again(wrong, wait) => format!("{wrong}, again in {wait:?}"),
                Outcome::Failed(wrong) => format!("{wrong}, failed"),
            };
            all.push(format!("{}: {outcome}", report.attempt));
        }
        finish.await.unwrap();
        all
    }

    #[test]
    fn the_waits_are_those_that_are_documented() {
        assert_eq!(BACKOFF.map(|wait| wait.as_secs()), [1, 5, 25, 120, 600]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_is_sent_again_after_longer_and_longer_waits() {
        let busy = answer("503 Busy", "", "");
        let (url, server) = server(&[&busy, &busy, &answer("204 Good", "", "")]);
        let (mut post, received) = post(&[1, 5, 25]);
        let began = Instant::now();
        post.send(&message(), &webhook(url));
        assert_eq!(
            all(post, received).await,
            [
                "1: the server answered 503, again in 1s",
                "2: the server answered 503, again in 5s",
                "3: sent Some(204)",
            ]
        );
        // The clock goes on by itself when nothing else is to be done.
        assert_eq!(began.elapsed().as_secs(), 6);
        let asked = server.join().unwrap();
        let bodies: Vec<_> = asked.iter().map(|all| all.split_once("\r\n\r\n")).collect();
        assert_eq!(bodies[0].unwrap().1, bodies[2].unwrap().1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_given_up_when_no_wait_is_left_or_trying_is_of_no_use() {
        let (busy, gone) = (answer("500 Oops", "", ""), answer("410 Gone", "", ""));
        for (answers, expected) in [
            (
                &[&*busy, &busy][..],
                &[
                    "1: the server answered 500, again in 1s",
                    "2: the server answered 500, failed",
                ][..],
            ),
            (&[&gone], &["1: the server answered 410, failed"]),
        ] {
            let (url, server) = server(answers);
            let (mut post, received) = post(&[1]);
            post.send(&message(), &webhook(url));
            assert_eq!(all(post, received).await, expected);
            server.join().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_sent_also_when_nobody_wants_to_know() {
        let (url, server) = server(&[&answer("503 Busy", "", ""), &answer("204 Good", "", "")]);
        let (mut post, received) = post(&[1]);
        drop(received);
        post.send(&message(), &webhook(url));
        assert_eq!(post.left(), 1);
        post.finish(Duration::MAX).await;
        assert_eq!(server.join().unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_sent_in_time_at_the_end_is_given_up() {
        let (url, server) = server(&[&answer("503 Busy", "", "")]);
        let (mut post, mut received) = post(&[600]);
        post.send(&message(), &webhook(url));
        assert!(matches!(
            received.recv().await.unwrap().outcome,
            Outcome::Again(..)
        ));
        let began = Instant::now();
        post.finish(Duration::from_secs(5)).await;
        assert_eq!(began.elapsed().as_secs(), 5);
        assert!(received.recv().await.is_none());
        server.join().unwrap();
    }

    #[tokio::test]
    async fn several_are_sent_at_a_time_and_each_is_reported() {
        let folder = TempDir::new().unwrap();
        let tell = program(folder.path(), "tell", "exit 0");
        let settings = settings(Way::Exec {
            command: vec![tell],
        });
        let (mut post, received) = post(&[]);
        for _ in 0..20 {
            post.send(&message(), &settings);
        }
        let all = all(post, received).await;
        assert_eq!(all, vec!["1: sent None"; 20]);
    }
}
