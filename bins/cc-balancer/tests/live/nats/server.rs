//! Servers to test with: on loopback, in directories of their own, ended with the test.

use std::fs::File;
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
    port: Port,
    /// Where it is reached by the others of its cluster.
    _route: Option<Port>,
    arguments: Vec<String>,
    dir: TempDir,
}

impl Nats {
    /// One alone.
    pub(crate) fn start() -> Self {
        let mut nats = Self::later();
        nats.run();
        nats
    }

    /// One that does not run yet.
    pub(crate) fn later() -> Self {
        Self::new("one", None, Vec::new())
    }

    /// One that is told more in a configuration, which may name files of a directory.
    pub(crate) fn told(configuration: impl FnOnce(&Path) -> String) -> Self {
        let mut nats = Self::later();
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
        self.port.number
    }

    /// Three that keep the same.
    pub(crate) fn cluster() -> Vec<Self> {
        let routes: Vec<_> = (0..3).map(|_| Port::free()).collect();
        let url = |port: &Port| format!("nats://127.0.0.1:{}", port.number);
        let all = routes.iter().map(url).collect::<Vec<_>>().join(",");
        let one = |(n, route): (usize, Port)| {
            let arguments = [
                "--cluster_name",
                "c",
                "--cluster",
                &url(&route),
                "--routes",
                &all,
            ];
            let arguments = arguments.map(str::to_owned).into();
            Self::new(&format!("n{n}"), Some(route), arguments)
        };
        let mut servers: Vec<_> = routes.into_iter().enumerate().map(one).collect();
        for server in &mut servers {
            server.spawn();
        }
        for server in &servers {
            server.wait();
        }
        servers
    }

    fn new(name: &str, route: Option<Port>, more: Vec<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = Port::free();
        let mut arguments: Vec<String> = ["-a", "127.0.0.1", "-js", "-n", name, "-p"]
            .map(str::to_owned)
            .into();
        arguments.push(port.number.to_string());
        arguments.push("-sd".to_owned());
        arguments.push(dir.path().display().to_string());
        arguments.extend(more);
        Self {
            child: None,
            port,
            _route: route,
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
        let log = File::create(self.dir.path().join("log")).unwrap();
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
            let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port())) else {
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
        format!("nats://127.0.0.1:{}", self.port())
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports below those that systems give to connections.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// A port that nobody else has, also while its server is away: no other test takes it, and no connection gets it.
struct Port {
    number: u16,
    /// Locked.
    _held: File,
}

impl Port {
    fn free() -> Self {
        // Tests run in processes of their own: not all of them need to look at the same ones.
        let from = std::process::id() as usize * 16 % PORTS.len();
        let mut all = PORTS.skip(from).chain(PORTS.take(from));
        all.find_map(Self::hold).expect("a port that nobody has")
    }

    fn hold(number: u16) -> Option<Self> {
        let file = std::env::temp_dir().join(format!("cc-balancer-test-port-{number}"));
        let held = File::create(file).unwrap();
        held.try_lock().ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
        Some(Self {
            number,
            _held: held,
        })
    }
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
