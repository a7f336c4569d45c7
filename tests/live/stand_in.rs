//! The stand-in for agents in panes of a real tmux.

use std::path::PathBuf;

use harness::stand_in::Remote;
use harness::stand_in::report::Report;
use harness::wait::{PATIENCE, until, until_some};
use harness::{Boot, Process, Server};

#[cfg(target_os = "linux")]
mod costs;
mod ends;
mod prompts;
mod screens;

/// A stand-in in a pane of its own server.
struct Pane {
    server: Server,
    remote: Remote,
}

impl Pane {
    /// The command line of a stand-in whose files are in the server's directory.
    fn command(server: &Server, args: &[&str]) -> Vec<String> {
        let path = |name: &str| server.dir().join(name).display().to_string();
        let mut words = vec![harness::stand_in_agent!().to_owned()];
        words.extend(["--control".to_owned(), path("control")]);
        words.extend(["--log".to_owned(), path("log")]);
        words.extend(args.iter().map(|arg| (*arg).to_owned()));
        words
    }

    fn start(args: &[&str]) -> Self {
        Self::start_at((80, 24), args)
    }

    /// The pane stays when its program has ended.
    fn start_at((columns, rows): (u16, u16), args: &[&str]) -> Self {
        let server = Server::empty();
        let words = Self::command(&server, args);
        server.boot(&Boot::default().size(columns, rows));
        server.tmux(["set-option", "-g", "remain-on-exit", "on"]);
        let respawn = ["respawn-pane", "-k", "-t", "main:"].map(str::to_owned);
        server.tmux(respawn.into_iter().chain(words));
        let remote = Remote::connect(&server.dir().join("control")).expect("it listens");
        Self { server, remote }
    }

    fn order(&mut self, line: &str) {
        self.remote.order(line).expect("the order is obeyed");
    }

    fn until(&mut self, state: &str) -> Report {
        self.remote.until(state).expect("it comes to that")
    }

    fn state(&mut self) -> Report {
        self.remote.state().expect("it answers")
    }

    /// A format of the pane.
    fn ask(&self, format: &str) -> String {
        self.server
            .answer(["display-message", "-p", "-t", "main:", format])
    }

    fn screen(&self) -> String {
        self.server.answer(["capture-pane", "-p", "-t", "main:"])
    }

    fn keys(&self, keys: &[&str]) {
        let command = ["send-keys", "-t", "main:"];
        self.server.tmux(command.iter().chain(keys));
    }

    /// Pastes text, in one of tmux's ways.
    fn paste(&self, text: &str, how: &str) {
        let file = self.server.dir().join("paste");
        std::fs::write(&file, text).expect("a file of ours");
        let file = file.display().to_string();
        self.server.tmux(["load-buffer", file.as_str()]);
        self.server.tmux(["paste-buffer", "-d", how, "-t", "main:"]);
    }

    /// Waits for text on the screen: tmux shows a little later what was written to the pane.
    #[track_caller]
    fn shows(&self, text: &str) {
        until(PATIENCE, &format!("{text:?} on the screen"), || {
            self.screen().contains(text)
        });
    }

    /// The lines of the log.
    fn log(&self) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(self.server.dir().join("log")).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line of the log"))
            .collect()
    }

    /// The prompts of the log.
    fn prompts(&self) -> Vec<String> {
        let lines = self.log();
        let prompts = lines.iter().filter(|line| line["n"].is_u64());
        prompts.map(bytes).collect()
    }

    /// Exit status or signal of the program, as the pane says them once it has ended. A pane is dead
    /// before it knows of what, and a tmux with libutempter now and then misses the SIGCHLD that
    /// would tell it: the next one makes it look again.
    fn ended(&self) -> String {
        let what = "#{pane_dead_status}|#{pane_dead_signal}";
        let server = self.server.process().expect("it runs");
        until(PATIENCE, "the program to end", || {
            let dead = self.ask("#{pane_dead}") == "1";
            if dead && self.ask(what) == "|" {
                server
                    .signal(rustix::process::Signal::CHILD)
                    .expect("our own server");
            }
            dead && self.ask(what) != "|"
        });
        self.ask(what)
    }

    /// The screen and all that has left it.
    fn history(&self) -> String {
        let capture = ["capture-pane", "-p", "-t", "main:", "-S", "-"];
        self.server.answer(capture)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.server.dir().join(name)
    }

    /// The columns of its terminal, which tmux sets a little after those of the pane.
    fn columns(&self) -> u16 {
        let tty = std::fs::File::open(self.ask("#{pane_tty}")).expect("the terminal of the pane");
        let size = rustix::termios::tcgetwinsize(tty).expect("a terminal");
        size.ws_col
    }

    fn process(&mut self) -> Process {
        Process::of(self.state().pid)
    }
}

/// The bytes of a line of the log, which these tests know to be text.
fn bytes(line: &serde_json::Value) -> String {
    use base64::Engine;
    let text = line["bytes_base64"].as_str().expect("bytes");
    let bytes = base64::prelude::BASE64_STANDARD.decode(text);
    String::from_utf8(bytes.expect("base64")).expect("text")
}
