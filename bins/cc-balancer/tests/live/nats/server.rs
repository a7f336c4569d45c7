//! Servers to test with: on loopback, in directories of their own, ended with the test.

use std::io::{ErrorKind, Read as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::wait;
use tempfile::TempDir;

/// Where Debian has it, which is not on everybody's path.
const ALSO: &str = "/usr/sbin/nats-server";

/// A server that keeps what it is told, until the test is over.
pub(crate) struct Nats {
    child: Option<Child>,
    port: u16,
    arguments: Vec<String>,
    dir: TempDir,
}

impl Nats {
    /// One alone.
    pub(crate) fn start() -> Self {
        let mut nats = Self::new("one", Vec::new());
        nats.run();
        nats
    }

    /// One that does not run yet.
    pub(crate) fn later() -> Self {
        Self::new("one", Vec::new())
    }

    /// One that is told more in a configuration, which may name files of a directory.
    pub(crate) fn told(configuration: impl FnOnce(&Path) -> String) -> Self {
        let mut nats = Self::new("one", Vec::new());
        let file = nats.dir.path().join("nats.conf");
        std::fs::write(&file, configuration(nats.dir.path())).unwrap();
        nats.arguments
            .extend(["-c".to_owned(), file.display().to_string()]);
        nats.run();
        nats
    }

    /// What is beside it: what it keeps, and its configuration.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Three that keep the same.
    pub(crate) fn cluster() -> Vec<Self> {
        let routes: Vec<u16> = free_ports(3);
        let all: Vec<_> = routes
            .iter()
            .map(|port| format!("nats://127.0.0.1:{port}"))
            .collect();
        let one = |n: usize| {
            let arguments = vec![
                "--cluster_name".to_owned(),
                "c".to_owned(),
                "--cluster".to_owned(),
                all[n].clone(),
                "--routes".to_owned(),
                all.join(","),
            ];
            Self::new(&format!("n{n}"), arguments)
        };
        let mut servers: Vec<_> = (0..3).map(one).collect();
        for server in &mut servers {
            server.spawn();
        }
        for server in &servers {
            server.wait();
        }
        servers
    }

    fn new(name: &str, more: Vec<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_ports(1)[0];
        let mut arguments: Vec<String> = ["-a", "127.0.0.1", "-js", "-n", name, "-p"]
            .map(str::to_owned)
            .into();
        arguments.push(port.to_string());
        arguments.push("-sd".to_owned());
        arguments.push(dir.path().display().to_string());
        arguments.extend(more);
        Self {
            child: None,
            port,
            arguments,
            dir,
        }
    }

    /// Starts it, again perhaps, with what it kept.
    pub(crate) fn run(&mut self) {
        self.spawn();
        self.wait();
    }

    fn spawn(&mut self) {
        let log = std::fs::File::create(self.dir.path().join("log")).unwrap();
        let mut command = Command::new(binary());
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    fn wait(&self) {
        wait::until(wait::PATIENCE, "a nats-server that keeps something", || {
            let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else {
                return false;
            };
            stream
                .set_read_timeout(Some(Duration::from_millis(500)))
                .unwrap();
            let mut said = [0; 1024];
            let many = stream.read(&mut said).unwrap_or_default();
            String::from_utf8_lossy(&said[..many]).contains("\"jetstream\":true")
        });
    }

    /// Kills it; what it was told stays on disk.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports that nobody has now.
fn free_ports(many: usize) -> Vec<u16> {
    let held: Vec<_> = (0..many)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap())
        .collect();
    held.iter()
        .map(|socket| socket.local_addr().unwrap().port())
        .collect()
}

/// The nats-server to test with: `TMUX_CC_TEST_NATS`, or the one on the path.
fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("TMUX_CC_TEST_NATS") {
        return named.into();
    }
    for binary in ["nats-server", ALSO] {
        let probe = Command::new(binary)
            .arg("--version")
            .stdin(Stdio::null())
            .output();
        match probe {
            Ok(output) if output.status.success() => return binary.into(),
            Ok(output) => panic!("{binary} --version: {}", output.status),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => panic!("cannot run {binary}: {error}"),
        }
    }
    panic!(
        "there is no nats-server: install it or name one in TMUX_CC_TEST_NATS; \
         TMUX_CC_TEST_SKIP=1 skips the tests that need it"
    )
}
