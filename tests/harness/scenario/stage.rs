//! A private server and the raw control clients on it, with everything they read.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use super::client::Client;
use super::transcript::{Transcript, What};
use crate::server::{Boot, Server};
use crate::wait::{self, PATIENCE};

/// What runs in panes: prints the file whose name it reads, and nothing else, as raw bytes.
const PRINTER: &str =
    "stty raw -echo; printf ready; while IFS= read -r f; do cat \"$f\"; : >\"$f.done\"; done";

/// What runs where the pane only has to be there.
const SILENT: &str = "stty raw -echo; exec cat";

/// A private server, and the clients that are recorded on it.
#[derive(Debug)]
pub struct Stage {
    /// They go before the server does, which would wait for one that is stuck.
    clients: Vec<Client>,
    /// The server.
    pub server: Server,
    case: String,
    version: (u32, u32),
}

/// Which client of a stage; 0 is the first.
pub type Who = usize;

impl Stage {
    /// A stage whose server does not run yet.
    pub(super) fn empty(case: &str) -> Self {
        let server = Server::empty();
        let version = server.version();
        let number = version.trim_start_matches(|c: char| !c.is_ascii_digit());
        let number: Vec<u32> = number
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|part| part.parse().ok())
            .collect();
        Self {
            clients: Vec::new(),
            server,
            case: case.to_owned(),
            version: (number[0], number[1]),
        }
    }

    /// Starts the server with a window `w0` of 60x20 and a printer in its pane, and the options
    /// without which names and times would change on their own.
    pub(super) fn boot(&self) {
        self.server
            .boot(&Boot::running(["sh", "-c", PRINTER]).size(60, 20));
        for command in [
            &["set-option", "-g", "automatic-rename", "off"][..],
            &["set-option", "-g", "status", "off"],
            &["set-option", "-g", "default-size", "60x20"],
            &["set-option", "-g", "default-command", SILENT],
            &["rename-window", "-t", "main", "w0"],
            &["select-pane", "-t", "main", "-T", "title"],
        ] {
            self.server.tmux(command);
        }
        let server = &self.server;
        wait::until(PATIENCE, "the printer to be ready", || {
            server.answer(["capture-pane", "-p", "-t", "main"]) != "\n".repeat(19)
        });
    }

    /// Is the server at least of this version? A patch letter does not count.
    #[must_use]
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        self.version >= (major, minor)
    }

    /// Writes a file where the server's panes and `source-file` find it by its name.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.server.dir().join(name), content).expect("our directory can be written");
    }

    /// Starts a client over pipes, with these arguments behind `tmux -u -C`.
    pub fn start(&mut self, name: &str, args: &[&str]) -> Who {
        self.start_bare(name, &[&["-u", "-C"], args].concat())
    }

    /// Starts a client over pipes, with these arguments alone.
    pub fn start_bare(&mut self, name: &str, args: &[&str]) -> Who {
        let command = self.server.command();
        self.start_with(name, args, command)
    }

    /// Starts a client over pipes whose environment does not know of UTF-8.
    pub fn start_without_utf8(&mut self, name: &str, args: &[&str]) -> Who {
        let mut command = self.server.command();
        command.env("LANG", "C");
        self.start_with(name, args, command)
    }

    fn start_with(&mut self, name: &str, args: &[&str], mut command: Command) -> Who {
        command.args(args);
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tmux starts");
        self.enter(name, args, child, None)
    }

    /// Starts a client on a terminal of its own, as `-CC` needs it.
    pub fn start_on_pty(&mut self, name: &str, args: &[&str]) -> Who {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&master).expect("our pty");
        unlockpt(&master).expect("our pty");
        let path = ptsname(&master, Vec::new()).expect("our pty has a name");
        let path = path.into_string().expect("a name in ASCII");
        let open = || {
            let file = File::options().read(true).write(true).open(&path);
            file.expect("our pty opens")
        };
        let args = [&["-u", "-CC"], args].concat();
        let mut command = self.server.command();
        command.args(&args);
        let child = command
            .stdin(open())
            .stdout(open())
            .stderr(Stdio::null())
            .spawn()
            .expect("tmux starts");
        self.enter(name, &args, child, Some((master, path)))
    }

    /// Starts a client on the session `main`, and waits until it is there.
    pub fn attach(&mut self, name: &str, args: &[&str]) -> Who {
        let who = self.start(name, &[&["attach-session", "-t", "main"], args].concat());
        self.on(who).expect("%session-changed ");
        who
    }

    fn enter(
        &mut self,
        name: &str,
        args: &[&str],
        child: Child,
        pty: Option<(OwnedFd, String)>,
    ) -> Who {
        let transcript = Transcript {
            name: match name {
                "" => self.case.clone(),
                _ => format!("{}.{name}", self.case),
            },
            started: args.join(" "),
            ..Transcript::default()
        };
        self.clients.push(Client::new(child, pty, transcript));
        self.clients.len() - 1
    }

    /// A client.
    pub fn on(&mut self, who: Who) -> &mut Client {
        &mut self.clients[who]
    }

    /// What tmux calls a client.
    #[must_use]
    pub fn name(&self, who: Who) -> String {
        self.clients[who].name()
    }

    /// Sends a command on the first client; see [`Client::send`].
    #[track_caller]
    pub fn send(&mut self, line: impl AsRef<[u8]>) {
        self.on(0).send(line);
    }

    /// Sends several commands on the first client, one after the other.
    #[track_caller]
    pub fn send_all(&mut self, lines: &[&str]) {
        for line in lines {
            self.send(line);
        }
    }

    /// Waits for a line on the first client; see [`Client::expect`].
    #[track_caller]
    pub fn expect(&mut self, start: &str) {
        self.on(0).expect(start);
    }

    /// Waits until the first client hears that a window has closed, in either form.
    #[track_caller]
    pub fn expect_closed(&mut self, window: &str) {
        let forms = ["", "unlinked-"].map(|kind| format!("%{kind}window-close {window}"));
        self.on(0).wait(&forms[0], |lines| {
            let closed = |line: &&[u8]| forms.iter().any(|form| line.starts_with(form.as_bytes()));
            lines.iter().any(closed)
        });
    }

    /// Waits for a line on the first client, wherever in its stream it stands.
    #[track_caller]
    pub fn expect_ever(&mut self, start: &str) {
        self.on(0).expect_ever(start);
    }

    /// Runs a tmux command that is no control client's.
    #[track_caller]
    pub fn elsewhere(&mut self, args: &[&str]) {
        self.note(&What::Elsewhere(args.join(" ").into_bytes()));
        self.server.tmux(args);
    }

    /// Takes note of the process of a server that a client has started.
    #[track_caller]
    pub fn running(&self) {
        self.server.pid();
    }

    /// Waits until the server is gone.
    #[track_caller]
    pub fn gone(&self) {
        wait::until(PATIENCE, "the end of the server", || !self.server.alive());
    }

    /// Kills the server as a crash would.
    pub fn crash(&mut self) {
        self.note(&What::Deed(b"SIGKILL to the server".to_vec()));
        self.server.kill_hard();
    }

    /// Has the printer in a pane print a file of this content, and waits until the first client
    /// has all of it. Contents must differ: the end of one is what is waited for.
    #[track_caller]
    pub fn print(&mut self, pane: &str, file: &str, content: impl AsRef<[u8]>) {
        self.file(file, content.as_ref());
        self.send(format!("send-keys -t '{pane}' -l {file}"));
        self.send(format!("send-keys -t '{pane}' -H 0a"));
        self.on(0).expect_output(pane, content.as_ref());
    }

    /// Waits until the printer has printed a file: until the server has read it, or nearly.
    #[track_caller]
    pub fn printed(&self, file: &str) {
        let done = self.server.dir().join(format!("{file}.done"));
        wait::until(PATIENCE, &format!("{file} to be printed"), || done.exists());
    }

    /// Enters something into what was done to every client that lives.
    fn note(&mut self, what: &What) {
        for client in &mut self.clients {
            if !client.has_ended() {
                client.pump();
                client.note(what.clone());
            }
        }
    }

    /// What every client read, without what belongs to this machine and this run.
    pub(super) fn finish(mut self) -> Vec<Transcript> {
        for who in 0..self.clients.len() {
            if self.clients[who].has_ended() {
                continue;
            }
            self.clients[who].detach();
            // The others are told, and else could be gone before they are.
            let told = format!("%client-detached {}", self.name(who));
            for other in self.clients.iter_mut().filter(|client| !client.has_ended()) {
                other.expect_ever(&told);
            }
        }
        let dir = self
            .server
            .dir()
            .to_str()
            .expect("a path in ASCII")
            .to_owned();
        let names = self.clients.iter().map(Client::name);
        let mut names: Vec<(u32, String)> = (1..).zip(names).collect();
        // Longer ones first: `client-123` is also where `client-1234` begins.
        names.sort_by_key(|(_, name)| Reverse(name.len()));
        let mut transcripts: Vec<Transcript> = self
            .clients
            .iter_mut()
            .map(Client::take_transcript)
            .collect();
        for transcript in &mut transcripts {
            transcript.hide(&dir, &format!("/{}", "x".repeat(dir.len() - 1)));
            // `client-1234` and `/dev/pts/7`: in each place of a digit the number of the client.
            for (number, name) in &names {
                let digit = char::from_digit(number % 10, 10).expect("a digit");
                let new: String = name
                    .chars()
                    .map(|c| if c.is_ascii_digit() { digit } else { c })
                    .collect();
                transcript.hide(name, &new);
            }
        }
        transcripts
    }
}
