//! A real tmux server that belongs to one test.
//!
//! It listens on a socket in a directory of its own that only we may enter, reads no
//! configuration, sees nothing of the environment of whoever runs the tests, and is gone, its
//! process too, when the [`Server`] is dropped: also when the test panics, also when the server
//! hangs or is stopped.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::process::Process;
use crate::wait::PATIENCE;

/// How long a server may take to end when asked, before it is killed.
const FAREWELL: Duration = Duration::from_secs(5);

/// The longest socket path we use: `sun_path` has room for 108 bytes on Linux, 104 on macOS.
const LONGEST_SOCKET: usize = 100;

/// The session that a server begins with.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Its name.
    pub session: String,
    /// Columns and rows of its window.
    pub size: (u16, u16),
    /// What runs in its pane: one word goes through a shell, several are executed as they are.
    pub command: Vec<OsString>,
}

impl Default for Boot {
    /// `main`, 80x24, a shell that prints no prompt.
    fn default() -> Self {
        Self::running(["env", "PS1=", "sh"])
    }
}

impl Boot {
    /// `main`, 80x24, running the given command.
    pub fn running<S: Into<OsString>>(command: impl IntoIterator<Item = S>) -> Self {
        Self {
            session: "main".to_owned(),
            size: (80, 24),
            command: command.into_iter().map(Into::into).collect(),
        }
    }

    /// The same with another size, in columns and rows.
    #[must_use]
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }
}

/// A tmux server on a private socket.
#[derive(Debug)]
pub struct Server {
    tmux: OsString,
    socket: PathBuf,
    /// Behind a lock so that one thread may restart what others look at.
    process: Mutex<Option<Process>>,
    /// Home, working directory and place of the socket. Last, so that it goes last.
    dir: TempDir,
}

impl Server {
    /// A server with the session of [`Boot::default`].
    ///
    /// # Panics
    ///
    /// When there is no tmux, or it will not start.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(&Boot::default())
    }

    /// A server with the given session.
    ///
    /// # Panics
    ///
    /// When there is no tmux, or it will not start.
    #[must_use]
    pub fn start_with(boot: &Boot) -> Self {
        let server = Self::empty();
        server.boot(boot);
        server
    }

    /// The place of a server that does not run yet: the socket path is known, nobody listens.
    ///
    /// Whatever is started on the socket later, by [`boot`](Self::boot) or by the code under
    /// test, ends with this value.
    ///
    /// # Panics
    ///
    /// When there is no tmux.
    #[must_use]
    pub fn empty() -> Self {
        Self::empty_of(tmux_binary())
    }

    /// Another tmux at the same place: what it boots listens on the socket of this one, whose
    /// server must have ended.
    ///
    /// # Panics
    ///
    /// When there is no temporary directory.
    #[must_use]
    pub fn successor(&self, tmux: impl Into<OsString>) -> Self {
        let mut successor = Self::empty_of(tmux);
        successor.socket.clone_from(&self.socket);
        successor
    }

    /// The same as [`empty`](Self::empty) for another tmux than the one that is tested.
    ///
    /// # Panics
    ///
    /// When there is no temporary directory.
    #[must_use]
    pub fn empty_of(tmux: impl Into<OsString>) -> Self {
        let tmux = tmux.into();
        let inside = |base: &Path| {
            tempfile::Builder::new()
                .prefix("cc-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(base)
                .unwrap_or_else(|error| panic!("no temporary directory in {base:?}: {error}"))
        };
        let mut dir = inside(&std::env::temp_dir());
        if dir.path().as_os_str().len() + "/s".len() > LONGEST_SOCKET {
            dir = inside(Path::new("/tmp"));
        }
        Self {
            tmux,
            socket: dir.path().join("s"),
            process: Mutex::new(None),
            dir,
        }
    }

    /// Starts the server, for the first time or again after its end.
    ///
    /// # Panics
    ///
    /// When it runs already, or will not start.
    pub fn boot(&self, boot: &Boot) {
        assert!(
            self.try_pid().is_none(),
            "a server runs on {:?} already",
            self.socket
        );
        let (columns, rows) = boot.size;
        let mut args: Vec<OsString> = ["new-session", "-d", "-s", &boot.session]
            .map(Into::into)
            .into();
        args.extend(["-x", &columns.to_string(), "-y", &rows.to_string()].map(Into::into));
        args.extend(boot.command.iter().cloned());
        self.tmux(args);
        // From here on it can be killed even when it no longer answers.
        self.pid();
    }

    /// The socket it listens on.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The directory of this server: its home, for files of the test too.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The tmux binary that is used.
    #[must_use]
    pub fn binary(&self) -> &OsStr {
        &self.tmux
    }

    /// What `tmux -V` says after the word `tmux`, such as `3.3a`.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    #[must_use]
    pub fn version(&self) -> String {
        let text = self.answer(["-V"]);
        text.strip_prefix("tmux ").unwrap_or(&text).to_owned()
    }

    /// A tmux client for this server, without arguments yet and not yet spawned.
    ///
    /// Its environment is its own: tmux reads its prefix, editor keys, shell, character set and
    /// more out of that of the user, and a test that runs inside tmux must not reach that one.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.tmux);
        command.env_clear();
        for kept in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
            command.envs(std::env::var_os(kept).map(|value| (kept, value)));
        }
        command
            .envs([
                ("LANG", "C.UTF-8"),
                ("TERM", "xterm-256color"),
                ("SHELL", "/bin/sh"),
            ])
            .env("HOME", self.dir.path())
            .current_dir(self.dir.path())
            .args(["-f", "/dev/null"])
            .arg("-S")
            .arg(&self.socket)
            .stdin(Stdio::null());
        command
    }

    /// Runs a tmux command, and returns what came of it, whatever that is.
    ///
    /// An argument that ends in `;` ends a command, as everywhere in tmux.
    ///
    /// # Panics
    ///
    /// When the client does not end in time, or cannot be started.
    #[track_caller]
    pub fn try_tmux<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let mut command = self.command();
        command.args(args);
        run(&mut command, PATIENCE).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Runs a tmux command that must succeed.
    ///
    /// # Panics
    ///
    /// When it fails, with what tmux said.
    #[track_caller]
    pub fn tmux<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        let args: Vec<S> = args.into_iter().collect();
        let output = self.try_tmux(&args);
        if !output.status.success() {
            let args: Vec<_> = args
                .iter()
                .map(|arg| arg.as_ref().to_string_lossy())
                .collect();
            let said = String::from_utf8_lossy(&output.stderr);
            panic!(
                "tmux {}: {}, {}",
                args.join(" "),
                output.status,
                said.trim()
            );
        }
        output
    }

    /// What a tmux command that must succeed prints, without its last newline.
    ///
    /// # Panics
    ///
    /// When it fails, or prints what is not UTF-8.
    #[track_caller]
    pub fn answer<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let mut text = String::from_utf8(self.tmux(args).stdout).expect("an answer in UTF-8");
        if text.ends_with('\n') {
            text.pop();
        }
        text
    }

    /// The process number of the server, from the server.
    ///
    /// # Panics
    ///
    /// When it does not run.
    #[track_caller]
    pub fn pid(&self) -> u32 {
        self.try_pid()
            .unwrap_or_else(|| panic!("no server answers on {:?}", self.socket))
    }

    /// The process of the server as last seen, living or dead; `None` before it ever ran.
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process of the server runs. Does not ask the server, which may hang.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.process().is_some_and(Process::alive)
    }

    /// Kills the server with SIGKILL and waits until it is gone, as a crash would have it: the
    /// socket file stays.
    ///
    /// # Panics
    ///
    /// When it does not run.
    pub fn kill_hard(&self) {
        // As last seen, if that one lives: a stopped or hanging server cannot tell its number.
        let seen = self.process().filter(|process| process.alive());
        let process = seen.unwrap_or_else(|| Process::of(self.pid()));
        process.kill().expect("our own server may be killed");
        crate::wait::until(PATIENCE, "the killed server to be gone", || {
            !process.alive()
        });
    }

    fn try_pid(&self) -> Option<u32> {
        self.ask_pid(PATIENCE)
    }

    /// `display-message` never starts a server, so this is safe to ask.
    fn ask_pid(&self, within: Duration) -> Option<u32> {
        if !self.socket.exists() {
            return None;
        }
        let mut command = self.command();
        command.args(["display-message", "-p", "#{pid}"]);
        let output = run(&mut command, within).ok()?;
        let pid = str::from_utf8(&output.stdout).ok()?.trim().parse().ok()?;
        let seen = Some(Process::of(pid));
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Some(pid)
    }

    /// Ends the server, politely if it listens. Returns whether it is gone.
    fn end(&self) -> bool {
        if let Some(process) = self.process() {
            // One that a test has stopped would not hear us.
            let _ = process.signal(Signal::CONT);
        }
        // Also learns of a server that the code under test has started here.
        if self.ask_pid(FAREWELL).is_some() {
            let _ = run(self.command().arg("kill-server"), FAREWELL);
        }
        let Some(process) = self.process() else {
            return true;
        };
        gone(process) || {
            let _ = process.kill();
            gone(process)
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.end() {
            return;
        }
        let left = format!(
            "server {:?} on {:?} outlives its test",
            self.process(),
            self.socket
        );
        // A second panic would abort the process and hide the first.
        if thread::panicking() {
            eprintln!("{left}");
        } else {
            panic!("{left}");
        }
    }
}

/// Waits for the end of a process; unlike [`crate::wait::until`] it never panics.
fn gone(process: Process) -> bool {
    let began = Instant::now();
    while process.alive() {
        if began.elapsed() > FAREWELL {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

/// The tmux to test with: `TMUX_CC_TEST_TMUX`, or `tmux` on the path.
///
/// # Panics
///
/// When it cannot be executed. A test that did not run is not a test that passed.
#[must_use]
pub fn tmux_binary() -> OsString {
    let binary = std::env::var_os("TMUX_CC_TEST_TMUX").unwrap_or_else(|| "tmux".into());
    let probe = Command::new(&binary)
        .arg("-V")
        .stdin(Stdio::null())
        .output();
    match probe {
        Ok(output) if output.status.success() => binary,
        Ok(output) => panic!("{binary:?} -V: {}", output.status),
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "there is no tmux ({binary:?}): install it or name one in TMUX_CC_TEST_TMUX; \
             TMUX_CC_TEST_SKIP=1 skips the tests that need it"
        ),
        Err(error) => panic!("cannot run {binary:?}: {error}"),
    }
}

/// The other versions of tmux that are here, with what each says it is: those beside the one that
/// is tested, those that `tests/matrix/fetch` has brought, and the one on the path.
#[must_use]
pub fn other_binaries() -> Vec<(String, OsString)> {
    let tested = tmux_binary();
    let said = |tmux: &OsStr| {
        let output = Command::new(tmux).arg("-V").stdin(Stdio::null()).output();
        let said = String::from_utf8(output.ok()?.stdout).ok()?;
        Some(said.trim().strip_prefix("tmux ")?.to_owned())
    };
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tmux");
    let beside = Path::new(&tested).ancestors().nth(2).map(Path::to_owned);
    let found = [Some(fetched), beside].into_iter().flatten();
    let found = found.filter_map(|store| store.read_dir().ok()).flatten();
    let found = found.filter_map(|suite| Some(suite.ok()?.path().join("tmux").into_os_string()));
    let mut others: Vec<_> = found
        .chain(["tmux".into()])
        .filter_map(|tmux| Some((said(&tmux)?, tmux)))
        .collect();
    others.sort();
    others.dedup_by(|one, other| one.0 == other.0);
    let tested = said(&tested);
    others.retain(|(version, _)| Some(version) != tested.as_ref());
    others
}

/// Runs a command to its end, or to that of the time it has; then it is killed.
///
/// Never panics: the last to call it is `drop`.
fn run(command: &mut Command, within: Duration) -> io::Result<Output> {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let process = Process::of(child.id());
    let (sender, receiver) = mpsc::channel();
    // A thread reads both pipes: a child that fills one would else wait for us for ever.
    thread::spawn(move || sender.send(child.wait_with_output()));
    receiver.recv_timeout(within).unwrap_or_else(|_| {
        process.kill()?;
        Err(io::Error::new(
            ErrorKind::TimedOut,
            format!("no end within {within:?}"),
        ))
    })
}
