//! How a control client is made.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::process::Command as Program;
use tokio::sync::mpsc;
use tokio::sync::oneshot::Receiver;
use tokio::time::timeout;

use super::ask;
use super::driver::{Core, Driver, Ends, Transport};
use super::error::{AttachError, ClientError};
use super::flow::{Budget, Inbox, SourceId};
use super::handle::{Client, Events};
use super::health::Meter;
use super::identity::{Attached, Identity};
use super::process::Process;
use super::socket::Socket;
use crate::protocol::{Command, Exit, Limits, Nonce, Quirk, Quirks, Reply};
use crate::wire::{PaneId, SessionId, Version};

/// Commands that may wait for the driver before `command` waits itself.
const REQUESTS: usize = 256;

/// How long it may take to learn a version, once something has gone wrong.
const ASK: Duration = Duration::from_secs(2);

/// What a client asks first: it shows that a fence comes back, and whom it talks to.
const PROBE: &str = "#{version}\t#{pid}\t#{start_time}\t#{session_id}\t#{client_name}\t\
    #{session_name}";

/// Makes a control client: `tmux -u -C attach-session`.
///
/// By default it takes no output, does not influence the size of windows and starts no server.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tmux_cc::client::Attach;
/// use tmux_cc::protocol::Command;
///
/// let (client, events, driver) = Attach::to("work").socket_name("ci").start().await?;
/// tokio::spawn(driver);
/// let reply = client.command(Command::new("list-panes").flag("-a")).await?.ok()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Attach {
    target: Option<Vec<u8>>,
    socket: Socket,
    tmux: PathBuf,
    pause_after: Option<u32>,
    ignore_size: bool,
    deadline: Duration,
    limits: Limits,
    budget: Budget,
}

impl Attach {
    /// To the session of exactly that name.
    #[must_use]
    pub fn to(session: impl AsRef<[u8]>) -> Self {
        let mut target = b"=".to_vec();
        target.extend_from_slice(session.as_ref());
        Self {
            target: Some(target),
            ..Self::any()
        }
    }

    /// To a session by its id.
    #[must_use]
    pub fn to_session(session: SessionId) -> Self {
        Self {
            target: Some(session.to_string().into_bytes()),
            ..Self::any()
        }
    }

    /// To whatever session tmux prefers: the one used last.
    #[must_use]
    pub fn any() -> Self {
        Self {
            target: None,
            socket: Socket::Default,
            tmux: PathBuf::from("tmux"),
            pause_after: None,
            ignore_size: true,
            deadline: Duration::from_secs(10),
            limits: Limits::default(),
            budget: Budget::default(),
        }
    }

    /// On the server of that socket.
    #[must_use]
    pub fn socket(mut self, socket: Socket) -> Self {
        self.socket = socket;
        self
    }

    /// On the server of that name, as `tmux -L`.
    #[must_use]
    pub fn socket_name(self, name: impl Into<OsString>) -> Self {
        self.socket(Socket::Name(name.into()))
    }

    /// On the server at that path, as `tmux -S`.
    #[must_use]
    pub fn socket_path(self, path: impl Into<PathBuf>) -> Self {
        self.socket(Socket::Path(path.into()))
    }

    /// With that tmux program instead of the one on the path.
    #[must_use]
    pub fn tmux(mut self, program: impl Into<PathBuf>) -> Self {
        self.tmux = program.into();
        self
    }

    /// Takes the output of the session's panes, each paused by the server once its output is
    /// older than `pause_after` seconds.
    ///
    /// Up to 3.7c this is unsafe beside somebody's `respawn-pane`: a respawn of a pane whose
    /// output is on its way can crash the server, and every session with it (tmux #5498).
    #[must_use]
    pub fn output(mut self, pause_after: u32) -> Self {
        self.pause_after = Some(pause_after);
        self
    }

    /// Whether the client is left out when tmux sizes windows; it is by default.
    #[must_use]
    pub fn ignore_size(mut self, ignore: bool) -> Self {
        self.ignore_size = ignore;
        self
    }

    /// How long attaching may take, with the first fence; 10 s by default. Where it has taken so
    /// long, a few seconds more may go into finding out why.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What the connection may hold.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What may wait for a slow consumer of events.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// The arguments for tmux: what [`start`](Self::start) runs, and what to run at the other end
    /// of [`over`](Self::over), without the socket.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let mut flags = match self.pause_after {
            Some(seconds) => format!("pause-after={seconds}"),
            None => "no-output".to_owned(),
        };
        if self.ignore_size {
            flags.push_str(",ignore-size");
        }
        // -E: the session keeps its own DISPLAY, SSH_AUTH_SOCK and the like, not ours or none.
        let mut arguments: Vec<OsString> = ["-u", "-C", "attach-session", "-E", "-f", &flags]
            .map(OsString::from)
            .into();
        if let Some(target) = &self.target {
            use std::os::unix::ffi::OsStringExt as _;
            arguments.push("-t".into());
            arguments.push(OsString::from_vec(target.clone()));
        }
        arguments
    }

    /// Starts a tmux process and attaches.
    ///
    /// # Errors
    /// [`AttachError`]; the process is let go of in order then.
    pub async fn start(self) -> Result<(Client, Events, Driver), AttachError> {
        let meter = Arc::new(Meter::new(self.socket.path()));
        self.start_metered(meter).await
    }

    /// The same, counted together with others.
    pub(super) async fn start_metered(
        self,
        meter: Arc<Meter>,
    ) -> Result<(Client, Events, Driver), AttachError> {
        let transport = self.spawn(&meter)?;
        self.attach_alone(transport, meter).await
    }

    /// Attaches with an inbox of its own.
    async fn attach_alone(
        self,
        transport: Transport,
        meter: Arc<Meter>,
    ) -> Result<(Client, Events, Driver), AttachError> {
        let inbox = Inbox::events(self.budget, meter);
        let output = self.pause_after.is_some();
        let (client, _, driver) = self.attach(transport, Arc::clone(&inbox), None).await?;
        if output {
            warn_of_output(&client.attached().server);
        }
        Ok((client, Events { inbox }, driver))
    }

    /// Attaches over any transport, at whose other end tmux runs with
    /// [`arguments`](Self::arguments): ssh, a container's exec, a test.
    ///
    /// # Errors
    /// [`AttachError`]; the transport is shut down then.
    pub async fn over<T>(self, transport: T) -> Result<(Client, Events, Driver), AttachError>
    where
        T: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(transport);
        let transport = Transport {
            reader: Box::new(reader),
            writer: Box::new(writer),
            process: None,
        };
        self.attach_alone(transport, Arc::default()).await
    }

    /// Starts a tmux process whose output goes into an inbox that may have other sources.
    pub(super) async fn start_into(
        self,
        inbox: Arc<Inbox>,
        session: Option<SessionId>,
    ) -> Result<(Client, SourceId, Driver), AttachError> {
        let transport = self.spawn(inbox.meter())?;
        self.attach(transport, inbox, session).await
    }

    fn spawn(&self, meter: &Meter) -> Result<Transport, AttachError> {
        let mut program = Program::new(&self.tmux);
        program
            .args(["-N", "-S"])
            .arg(self.socket.path())
            .args(self.arguments());
        let output = self.pause_after.is_some();
        let (process, reader, writer) = Process::spawn(program, output)
            .map_err(|source| AttachError::Spawn {
                program: self.tmux.clone(),
                source,
            })
            .inspect_err(|error| meter.failed(output, error))?;
        Ok(Transport {
            reader,
            writer: Box::new(writer),
            process: Some(process),
        })
    }

    async fn attach(
        self,
        transport: Transport,
        inbox: Arc<Inbox>,
        session: Option<SessionId>,
    ) -> Result<(Client, SourceId, Driver), AttachError> {
        let (meter, output) = (Arc::clone(inbox.meter()), self.pause_after.is_some());
        let attached = self.try_attach(transport, inbox, session).await;
        attached.inspect_err(|error| meter.failed(output, error))
    }

    async fn try_attach(
        self,
        transport: Transport,
        inbox: Arc<Inbox>,
        session: Option<SessionId>,
    ) -> Result<(Client, SourceId, Driver), AttachError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| AttachError::Random)?;
        let (requests, receiver) = mpsc::channel(REQUESTS);
        let exit = Arc::new(OnceLock::new());
        let (source, orders) = inbox.register(session);
        let ends = Ends {
            requests: receiver,
            inbox,
            source,
            orders,
            exit: Arc::clone(&exit),
        };
        let mut core = Core::new(self.limits, Nonce::new(random), transport, ends);

        let greeting = timeout(self.deadline, self.greet(&mut core)).await;
        let attached = match greeting {
            Ok(attached) => attached?,
            Err(_) if core.is_greeted() => {
                return Err(AttachError::NoFence {
                    deadline: self.deadline,
                });
            }
            Err(_) => {
                // A server of another version may not say anything at all.
                let stranger = if core.is_local() {
                    self.stranger().await
                } else {
                    None
                };
                return Err(stranger.unwrap_or(AttachError::NoGreeting {
                    deadline: self.deadline,
                }));
            }
        };
        core.set_name(&attached.client_name);
        let attached = Arc::new(attached);
        let meter = Arc::clone(core.set_attached(&attached, self.pause_after.is_some()));
        Ok((
            Client {
                requests,
                attached,
                exit,
                meter,
            },
            source,
            Driver::new(core),
        ))
    }

    /// Asks who is there, and what panes are there already.
    async fn greet(&self, core: &mut Core) -> Result<Attached, AttachError> {
        let probe = send(core, &Command::new("display-message").flag("-p").arg(PROBE))?;
        let panes = Command::new("list-panes")
            .flag("-a")
            .option("-F", "#{pane_id}");
        let panes = match self.pause_after {
            Some(_) => Some(send(core, &panes)?),
            None => None,
        };
        let probe = self.answer(core, probe).await?;
        let attached = self
            .read_probe(probe.text())
            .ok_or(AttachError::Unreadable)?;
        let version = attached.server.version;
        if !version.at_least(Version::FLOOR) {
            return Err(AttachError::TooOld { version });
        }
        core.set_version(version);
        if self.pause_after.is_some() {
            core.expect_output();
        }
        if let Some(panes) = panes {
            let panes = self.answer(core, panes).await?;
            if let Some(highest) = panes.lines().filter_map(PaneId::parse).max() {
                core.set_watermark(highest);
            }
        }
        Ok(attached)
    }

    /// Drives the client until it has answered.
    async fn answer(
        &self,
        core: &mut Core,
        mut answer: Receiver<Result<Reply, ClientError>>,
    ) -> Result<Reply, AttachError> {
        loop {
            if let Ok(answer) = answer.try_recv() {
                return match answer {
                    Ok(reply) => Ok(reply),
                    Err(_) => Err(self.refused(core, &Exit::Eof).await),
                };
            }
            if let Some(exit) = core.step().await {
                return Err(self.refused(core, &exit).await);
            }
        }
    }

    /// Why the client has ended before it was attached.
    async fn refused(&self, core: &mut Core, exit: &Exit) -> AttachError {
        let mut said = core.take_said().await;
        // One that dies may leave its socket to a child for a moment, which answers nothing.
        let no_server = said.starts_with(b"no server running on")
            || said.ends_with(b"server exited unexpectedly")
            || said.starts_with(b"error connecting to")
                && (said.ends_with(b"(No such file or directory)")
                    || said.ends_with(b"(Connection refused)"));
        if no_server {
            return AttachError::NoServer {
                socket: self.socket.path(),
            };
        }
        // An old program does not know our flags, an old server not those of the command.
        let misunderstood =
            said.starts_with(b"usage:") || said.starts_with(b"tmux: unknown option");
        if misunderstood
            && core.is_local()
            && let Some(stranger) = self.stranger().await
        {
            return stranger;
        }
        if said.is_empty() {
            said = exit.to_string().into_bytes();
        }
        AttachError::Refused { said }
    }

    /// What is wrong with the versions of program and server, if something is.
    async fn stranger(&self) -> Option<AttachError> {
        let deadline = self.deadline.min(ASK);
        let said = ask::ask(&self.tmux, ["-V"], deadline, |_| false).await;
        let program = Version::parse(said.ok()?.out.trim_ascii())?;
        let too_old = |version: Version| !version.at_least(Version::FLOOR);
        if too_old(program) {
            return Some(AttachError::TooOld { version: program });
        }
        let socket = self.socket.path();
        let server = ask::server_version(&self.tmux, &socket, deadline).await?;
        if too_old(server) {
            return Some(AttachError::TooOld { version: server });
        }
        let kin = |version: Version| version.at_least(Version::new(3, 7));
        (kin(program) != kin(server)).then_some(AttachError::OtherVersion { program, server })
    }

    fn read_probe(&self, text: &[u8]) -> Option<Attached> {
        let mut fields = text.splitn(6, |&b| b == b'\t');
        let version = Version::parse(fields.next()?)?;
        let pid = number(fields.next()?)?;
        let start_time = number(fields.next()?)?;
        Some(Attached {
            server: Identity {
                pid,
                start_time,
                version,
                socket: self.socket.path(),
            },
            session: SessionId::parse(fields.next()?)?,
            client_name: fields.next()?.to_vec(),
            session_name: fields.next()?.to_vec(),
        })
    }
}

/// Says that output is a danger to this server, if it is.
pub(super) fn warn_of_output(server: &Identity) {
    if Quirks::of(server.version).has(Quirk::RespawnCrash) {
        tracing::warn!(
            version = %server.version,
            "output is attached: a respawned pane can crash this server (up to tmux 3.7c)"
        );
    }
}

fn send(
    core: &mut Core,
    command: &Command,
) -> Result<Receiver<Result<Reply, ClientError>>, AttachError> {
    // A connection that is new refuses neither of the two commands.
    core.ask(command).map_err(|_| AttachError::Unreadable)
}

/// A decimal number that is the whole of a field.
pub(super) fn number<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}
