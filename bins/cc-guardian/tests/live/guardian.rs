//! A running `cc-guardian` in a home of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use std::{env, fs};

pub(crate) use harness::dice::Dice;
use harness::process::Process;
use harness::wait;
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take: generous, for machines that do other work too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program that looks like an agent, built beside our own binary.
pub(crate) fn stand_in() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_cc-guardian")).with_file_name("stand-in-agent");
    assert!(
        program.exists(),
        "build it first: cargo build -p tests --bin stand-in-agent"
    );
    program.to_str().unwrap().to_owned()
}

/// Is everything to be run at full scale?
pub(crate) fn is_full() -> bool {
    env::var_os("TMUX_CC_FULL").is_some_and(|value| value == "1")
}

/// So many, or a twentieth of them, unless everything is to be run at full scale.
pub(crate) fn scaled(full: usize) -> usize {
    if is_full() { full } else { full.div_ceil(20) }
}

/// A connection to the control socket of a guardian: a JSON object a line, both ways.
pub(crate) struct Control(BufReader<UnixStream>);

impl Control {
    pub(crate) fn say(&mut self, request: &Value) {
        let line = format!("{request}\n");
        self.0.get_mut().write_all(line.as_bytes()).unwrap();
    }

    /// The next line; `None` once the guardian has gone.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("the guardian does not answer: {error}"),
        }
    }

    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        self.say(request);
        self.next().expect("the guardian is there")
    }
}

/// A home, and the guardian that may run in it.
pub(crate) struct Guardian {
    home: TempDir,
    running: Option<Child>,
}

impl Guardian {
    /// A home without a guardian.
    pub(crate) fn home() -> Self {
        let home = TempDir::with_prefix("cc-guard-").unwrap();
        let run = home.path().join("run");
        fs::DirBuilder::new().mode(0o700).create(&run).unwrap();
        let bin = home.path().join("bin");
        fs::create_dir(&bin).unwrap();
        // The tmux that is tested, by the name that guardians start.
        if let Some(tmux) = env::var_os("TMUX_CC_TEST_TMUX") {
            symlink(fs::canonicalize(tmux).unwrap(), bin.join("tmux")).unwrap();
        }
        Self {
            home,
            running: None,
        }
    }

    /// A guardian that runs.
    pub(crate) fn start() -> Self {
        let mut guardian = Self::home();
        guardian.run(&[]);
        guardian
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The program, in this home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut path = self.path("bin").into_os_string();
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(env!("CARGO_BIN_EXE_cc-guardian"));
        command
            .args(arguments)
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("PATH", path)
            .env_remove("XDG_STATE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("TMUX")
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The same, which is to go well; what it prints.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.ask(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a guardian, and waits until it answers.
    pub(crate) fn run(&mut self, arguments: &[&str]) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut command = self.command(&["run"]);
        command.args(arguments).stderr(log).stdout(Stdio::null());
        self.running = Some(command.spawn().unwrap());
        wait::until(PATIENCE, "the guardian to answer", || {
            self.ask(&["ls"]).status.success()
        });
    }

    /// Connects to it as programs do.
    pub(crate) fn connect(&self) -> Control {
        let stream = UnixStream::connect(self.path("run/cc/guardian.sock")).unwrap();
        stream.set_read_timeout(Some(2 * PATIENCE)).unwrap();
        Control(BufReader::new(stream))
    }

    /// The processes of an instance that are its program, wherever they are; none that has ended.
    #[cfg(target_os = "linux")]
    pub(crate) fn processes_of(&self, unit: &str) -> Vec<u32> {
        let own = [
            format!("CC_UNIT={unit}"),
            format!("HOME={}", self.home.path().display()),
        ];
        let is_it = |pid: u32| {
            let place = Path::new("/proc").join(pid.to_string());
            let program = fs::read_link(place.join("exe")).ok()?;
            let environ = fs::read(place.join("environ")).ok()?;
            let has = |word: &String| environ.split(|b| *b == 0).any(|it| it == word.as_bytes());
            let is_it = program.ends_with("stand-in-agent") && own.iter().all(has);
            (is_it && Process::of(pid).alive()).then_some(pid)
        };
        let entries = fs::read_dir("/proc").unwrap();
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.filter_map(is_it).collect()
    }

    /// Kills the guardian.
    pub(crate) fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Waits until so many of its control clients are attached to the server of a unit. Up to 3.6 a server
    /// crashes when it has to tell all control clients of something while one is in its handshake (tmux
    /// #5004): clients that go with their guardian, one of them in its handshake, are that.
    pub(crate) fn until_attached(&self, unit: &str, count: usize) {
        let unit = self.unit(unit);
        let socket = Path::new(unit["socket"].as_str().unwrap());
        let parent = format!("PPid:\t{}", self.process().pid());
        let is_its = |client: &&str| {
            let status = fs::read_to_string(format!("/proc/{client}/status")).unwrap_or_default();
            status.lines().any(|line| line == parent)
        };
        wait::until(PATIENCE, "its clients to be attached", || {
            let clients = self.tmux(socket, &["list-clients", "-F", "#{client_pid}"]);
            clients.lines().filter(is_its).count() == count
        });
    }

    /// Its own process.
    pub(crate) fn process(&self) -> Process {
        Process::of(self.running.as_ref().unwrap().id())
    }

    /// Declares and starts stand-ins of that name.
    pub(crate) fn up(&self, name: &str, replicas: usize, arguments: &[&str]) -> String {
        let (replicas, stand_in) = (replicas.to_string(), stand_in());
        let mut words = vec!["up", "--name", name, "--replicas", &replicas];
        words.extend(["--profile", "claude", "--", &stand_in, "--like", "claude"]);
        words.extend(arguments);
        self.ok(&words)
    }

    pub(crate) fn units(&self) -> Vec<Value> {
        let listing: Value = serde_json::from_str(&self.ok(&["ls", "--json"])).unwrap();
        assert_eq!(listing["v"], 1);
        listing["units"].as_array().unwrap().clone()
    }

    pub(crate) fn unit(&self, name: &str) -> Value {
        let mut units = self.units().into_iter();
        units.find(|unit| unit["unit"] == name).unwrap()
    }

    /// Waits until a unit is as wanted, and gives it.
    #[track_caller]
    pub(crate) fn until(&self, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        wait::until_some(PATIENCE, &format!("{name}: {what}"), || {
            let unit = self.unit(name);
            is(&unit).then_some(unit)
        })
    }

    /// Waits until a unit is in that state.
    #[track_caller]
    pub(crate) fn until_state(&self, name: &str, state: &str) -> Value {
        self.until(name, state, |unit| unit["state"] == state)
    }

    /// What happened to a unit: kinds and details, oldest first.
    pub(crate) fn events(&self, unit: &str) -> Vec<Value> {
        let said = self.ok(&["events", unit, "--json", "-n", "1000"]);
        said.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The process of a unit.
    pub(crate) fn process_of(&self, name: &str) -> Process {
        let pid = self.unit(name)["pid"].as_u64().expect("it runs");
        Process::of(u32::try_from(pid).unwrap())
    }

    fn sockets(&self) -> Vec<PathBuf> {
        let found = fs::read_dir(self.path("run/cc/tmux"));
        found
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .chain(Some(self.theirs()).filter(|socket| socket.exists()))
            .collect()
    }

    /// The socket of a server of somebody else, which goes with this home.
    pub(crate) fn theirs(&self) -> PathBuf {
        self.path("theirs")
    }

    /// Has the tmux of a socket do something.
    pub(crate) fn tmux(&self, socket: &Path, arguments: &[&str]) -> String {
        let tmux = env::var_os("TMUX_CC_TEST_TMUX").unwrap_or_else(|| "tmux".into());
        let output = Command::new(tmux)
            .arg("-S")
            .arg(socket)
            .args(arguments)
            .env_remove("TMUX")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The tmux server of a unit.
    pub(crate) fn server_of(&self, unit: &Value) -> Process {
        let socket = unit["socket"].as_str().unwrap();
        let pid = self.tmux(socket.as_ref(), &["display-message", "-p", "#{pid}"]);
        Process::of(pid.parse().unwrap())
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        let _ = self.command(&["down", "--now"]).output();
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for socket in self.sockets() {
            self.tmux(&socket, &["kill-server"]);
        }
        if std::thread::panicking() {
            eprintln!(
                "{}",
                fs::read_to_string(self.path("log")).unwrap_or_default()
            );
        }
    }
}
