//! Real processes for tests, that are ended by their number.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::{Identity, Process, Signal, send, system};

/// A shell with a script, marked; it is killed when it is dropped.
pub(super) struct Player {
    pub(super) child: Child,
    pub(super) mark: String,
    identity: Identity,
    lines: BufReader<ChildStdout>,
}

impl Player {
    /// The variable that marks them.
    pub(super) const VARIABLE: &'static str = "CC_TEST_UNIT";

    pub(super) fn sh(script: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("test@{count}.{}", std::process::id());
        let mut child = Command::new("sh")
            .args(["-c", script])
            .env(Self::VARIABLE, &mark)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let identity = Identity::of(pid).unwrap().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            mark,
            identity,
            lines,
        }
    }

    pub(super) fn identity(&self) -> Identity {
        self.identity
    }

    /// The next line it prints.
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub(super) fn end_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until it is as said; fails after some seconds.
    pub(super) fn until(&self, is: impl Fn(&Process) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let process = system::process(self.identity.pid).unwrap().unwrap();
            if is(&process) {
                return;
            }
            assert!(Instant::now() < deadline, "{process:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn until_zombie(&self) {
        self.until(|process| process.state.has_ended());
    }

    /// Ends a process that it started.
    pub(super) fn end(&self, pid: i32) {
        if let Some(identity) = Identity::of(pid).unwrap() {
            send(identity, Signal::KILL).unwrap();
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
