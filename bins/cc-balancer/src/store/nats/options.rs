//! Whom to connect to, and as whom: plain text goes no further than this machine, unless that is said.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, ServerAddr};

use crate::store::sqlite::SqliteStore;

/// Which queue it is where nothing is said of that.
pub(super) const QUEUE: &str = "cc";
/// How long until a connection that does not come is tried anew.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long a server may be silent before it is asked, and taken for gone at the second time.
const SILENCE: Duration = Duration::from_secs(5);
/// The longest pause between two tries to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How servers are reached.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// The servers, with commas between: `nats://127.0.0.1:4222`, `tls://queue.example.net`.
    pub url: String,
    /// As whom.
    pub login: Login,
    /// Whom to trust, and with which certificate.
    pub tls: Tls,
    /// Plain text to servers on other machines: everybody on the way reads and writes tasks.
    pub insecure: bool,
}

/// What a [`NatsStore`](super::NatsStore) is made of.
#[derive(Debug)]
pub struct Options {
    /// The servers, and how they are reached.
    pub reach: Reach,
    /// What is added here, and all that is known here of what others added.
    pub local: SqliteStore,
    /// Who this is: no two that are up at once may have the same name.
    pub host: String,
    /// Which queue of the server: its buckets begin with that, `cc_task`.
    pub queue: String,
    /// On how many servers everything is kept; `None`: on three of a cluster of as many, else on
    /// one.
    pub replicas: Option<usize>,
    /// How often is looked whether the server has lost anything.
    pub every: Duration,
    /// How long the other hosts may take to put back what it has lost, before what waits is begun.
    pub settling: Duration,
}

impl Options {
    /// Those to begin with: a server without a login, looked at every three seconds.
    #[must_use]
    pub fn new(url: impl Into<String>, local: SqliteStore, host: impl Into<String>) -> Self {
        Self {
            reach: Reach {
                url: url.into(),
                ..Reach::default()
            },
            local,
            host: host.into(),
            queue: QUEUE.to_owned(),
            replicas: None,
            every: Duration::from_secs(3),
            settling: Duration::from_secs(15),
        }
    }
}

/// As whom to connect. Secrets are in files, never in an URL or on a command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Login {
    /// As nobody.
    #[default]
    None,
    /// With a credentials file: a token and its key.
    Credentials(PathBuf),
    /// With the seed of an nkey, which is all that is in the file.
    Nkey(PathBuf),
    /// With a name and a password: two lines of the file.
    Password(PathBuf),
}

/// Whom to trust, and with which certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Who signs servers' certificates; `None`: whom this system trusts.
    pub authorities: Option<PathBuf>,
    /// A certificate of one's own, and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Why there is no connection to begin with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// No server is named.
    #[error("no server is named: say nats://HOST:4222 or tls://HOST:4222")]
    NoServer,
    /// That cannot be the name of a queue.
    #[error("{0:?} cannot be the name of a queue: letters, digits, `-` and `_` can")]
    Queue(String),
    /// That is no address of one.
    #[error("{0:?} is no address of a NATS server: say nats://HOST:4222 or tls://HOST:4222")]
    Address(String),
    /// A secret is in the address.
    #[error("{0} has a secret in its address, where others see it: put it in a file")]
    Secret(String),
    /// Everybody on the way could read it.
    #[error(
        "{0} is on another machine and its address does not ask for TLS: say tls://, or allow plain text \
         with --insecure"
    )]
    Plain(String),
    /// A file cannot be read.
    #[error("cannot read {}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// Others may read a secret.
    #[error("{} is readable by others: chmod 600 it", .0.display())]
    Readable(PathBuf),
    /// There is no name and password.
    #[error("{} needs two lines: a name, and a password", .0.display())]
    Lines(PathBuf),
    /// It cannot be done at all: in words.
    #[error("cannot connect: {0}")]
    Client(String),
}

/// The servers of an URL, and whether what goes to them is encrypted.
///
/// # Errors
/// Where plain text would leave this machine and nobody said that it may.
pub fn servers(url: &str, insecure: bool) -> Result<(Vec<ServerAddr>, bool), ConnectError> {
    let parts = url
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let mut servers = Vec::new();
    for part in parts {
        let wrong = || ConnectError::Address(part.to_owned());
        let server: ServerAddr = part.parse().map_err(|_| wrong())?;
        if !matches!(server.scheme(), "nats" | "tls") {
            return Err(wrong());
        }
        if server.has_user_pass() || server.username().is_some() {
            return Err(ConnectError::Secret(server.host().to_owned()));
        }
        servers.push(server);
    }
    if servers.is_empty() {
        return Err(ConnectError::NoServer);
    }
    // One that asks for TLS makes the client want it of all.
    let is_encrypted = servers.iter().any(ServerAddr::tls_required);
    let far = servers.iter().find(|server| !is_loopback(server.host()));
    match far {
        Some(far) if !is_encrypted && !insecure => Err(ConnectError::Plain(far.host().to_owned())),
        _ => Ok((servers, is_encrypted)),
    }
}

/// Is what goes there encrypted, or stays it on this machine?
pub(super) fn is_private(reach: &Reach) -> Result<bool, ConnectError> {
    let (_, is_encrypted) = servers(&reach.url, reach.insecure)?;
    Ok(is_encrypted || servers(&reach.url, false).is_ok())
}

/// Does what goes there stay on this machine?
fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// What happens to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It is there, perhaps again.
    Connected,
    /// A server, or we, found something wrong.
    Wrong(String),
    /// Something else, such as that it is gone.
    Other(String),
}

/// A connection that comes, and comes again, by itself; `heard` is told what happens to it.
pub(super) async fn connect(
    reach: &Reach,
    name: &str,
    heard: impl Fn(News) + Clone + Send + Sync + 'static,
) -> Result<Client, ConnectError> {
    let (servers, is_encrypted) = servers(&reach.url, reach.insecure)?;
    let mut how = ConnectOptions::new()
        .name(format!("cc-balancer {name}"))
        .require_tls(is_encrypted)
        .retry_on_initial_connect()
        .connection_timeout(CONNECTING)
        .ping_interval(SILENCE)
        .reconnect_delay_callback(|tries| {
            let doubled = 1_u32.checked_shl(u32::try_from(tries).unwrap_or(u32::MAX));
            let pause = Duration::from_millis(50).saturating_mul(doubled.unwrap_or(u32::MAX));
            pause.min(LONGEST_PAUSE)
        })
        .event_callback(move |event| {
            let heard = heard.clone();
            async move {
                heard(match event {
                    async_nats::Event::Connected => News::Connected,
                    async_nats::Event::ServerError(error) => News::Wrong(error.to_string()),
                    async_nats::Event::ClientError(error) => News::Wrong(error.to_string()),
                    other => News::Other(other.to_string()),
                });
            }
        });
    if !is_encrypted {
        // Servers tell of others, who may be on other machines.
        how = how.ignore_discovered_servers();
    }
    how = match &reach.login {
        Login::None => how,
        Login::Credentials(path) => {
            let text = secret(path)?;
            how.credentials(&text).map_err(|error| file(path, error))?
        }
        Login::Nkey(path) => how.nkey(secret(path)?.trim().to_owned()),
        Login::Password(path) => {
            let text = secret(path)?;
            let (name, password) = text
                .split_once('\n')
                .ok_or_else(|| ConnectError::Lines(path.clone()))?;
            let password = password.strip_suffix('\n').unwrap_or(password);
            how.user_and_password(name.to_owned(), password.to_owned())
        }
    };
    if let Some(path) = &reach.tls.authorities {
        std::fs::metadata(path).map_err(|error| file(path, error))?;
        how = how.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &reach.tls.certificate {
        std::fs::metadata(certificate).map_err(|error| file(certificate, error))?;
        secret(key)?;
        how = how.add_client_certificate(certificate.clone(), key.clone());
    }
    how.connect(servers)
        .await
        .map_err(|error| ConnectError::Client(error.to_string()))
}

/// Can a queue be called that?
pub(super) fn named(queue: &str) -> Result<(), ConnectError> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !queue.is_empty() && queue.chars().all(is_fine) {
        true => Ok(()),
        false => Err(ConnectError::Queue(queue.to_owned())),
    }
}

/// What is in a file that nobody else may read.
fn secret(path: &std::path::Path) -> Result<String, ConnectError> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(path).map_err(|error| file(path, error))?;
    if found.mode() & 0o077 != 0 {
        return Err(ConnectError::Readable(path.to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| file(path, error))
}

fn file(path: &std::path::Path, error: std::io::Error) -> ConnectError {
    ConnectError::File {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_on_this_machine_unless_that_is_said() {
        let far = [
            "nats://10.0.0.7:4222",
            "queue.example.net",
            "localhost, nats://192.0.2.1",
        ];
        for url in far {
            assert!(
                matches!(servers(url, false), Err(ConnectError::Plain(_))),
                "{url}"
            );
            assert!(!servers(url, true).unwrap().1, "{url}");
        }
        for url in [
            "nats://127.0.0.1:4222",
            "localhost",
            "nats://[::1]:4222",
            "127.0.0.1:1,localhost:2",
        ] {
            assert!(!servers(url, false).unwrap().1, "{url}");
        }
        // It looks like this machine, and is not.
        for url in [
            "nats://localhost.example.net",
            "nats://127.0.0.1.example.net",
        ] {
            assert!(
                matches!(servers(url, false), Err(ConnectError::Plain(_))),
                "{url}"
            );
        }
    }

    #[test]
    fn an_address_that_asks_for_tls_gets_it_for_all() {
        assert!(servers("tls://queue.example.net", false).unwrap().1);
        let (all, is_encrypted) = servers("tls://a.example.net, b.example.net", false).unwrap();
        assert!(is_encrypted);
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn what_is_no_address_is_refused_and_so_is_a_secret_in_one() {
        assert!(matches!(servers(" ,", false), Err(ConnectError::NoServer)));
        for url in ["http://localhost", "ws://localhost", "nats://:"] {
            assert!(
                matches!(servers(url, false), Err(ConnectError::Address(_))),
                "{url}"
            );
        }
        let error = servers("nats://me:hunter2@localhost", false).unwrap_err();
        assert!(matches!(error, ConnectError::Secret(_)));
        assert!(!error.to_string().contains("hunter2"));
    }
}
