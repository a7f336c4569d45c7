//! An HTTP POST of the message as JSON.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cc_kit::printable::printable;
use tokio::sync::oneshot;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error, Timeout};

use super::{Means, SAID, SendError, Sent};
use crate::alert::letter::Letter;
use crate::config::stays_here;

/// How long it may take to be connected.
const CONNECT: Duration = Duration::from_secs(10);

/// Posts it.
///
/// A thread of its own does: one that waits for a server is not to keep the guardian from ending.
pub(super) async fn send(letter: &Letter, url: &str, means: &Means) -> Result<Sent, SendError> {
    let (done, result) = oneshot::channel();
    let (url, message, means) = (url.to_owned(), letter.json.to_string(), means.clone());
    let post = move || {
        let _ = done.send(post(&url, &message, &means));
    };
    thread::Builder::new()
        .name("webhook".to_owned())
        .spawn(post)
        .map_err(|error| SendError::NotReached(error.to_string()))?;
    result
        .await
        .unwrap_or_else(|_| Err(SendError::NoAnswer("the sender failed".to_owned())))
}

fn post(url: &str, message: &str, means: &Means) -> Result<Sent, SendError> {
    let response = agent(url, means.server_limit)
        .post(url)
        .content_type("application/json")
        .send(message)
        .map_err(|error| wrong(&error))?;
    let status = response.status();
    let mut body = response.into_body();
    if status.is_success() {
        return Ok(Sent {
            status: Some(status.as_u16()),
            said: String::new(),
        });
    }
    let said = body.with_config().limit(SAID as u64).lossy_utf8(true);
    // What is longer than that is an error, and what cannot be read adds nothing.
    let said = said.read_to_string().unwrap_or_default();
    Err(SendError::Status {
        status: status.as_u16(),
        said: means.shown(said.as_bytes()),
    })
}

/// One that follows no redirection: what may be posted here may not be posted elsewhere.
fn agent(url: &str, limit: Duration) -> Agent {
    let secure = url.starts_with("https://");
    let mut config = Agent::config_builder()
        .user_agent(concat!("cc-guardian/", env!("CARGO_PKG_VERSION")))
        .http_status_as_error(false)
        .max_redirects(0)
        .https_only(secure)
        .timeout_global(Some(limit))
        .timeout_connect(Some(CONNECT.min(limit)));
    if secure {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(provider);
        config = config.tls_config(tls.build());
    }
    if stays_here(url) {
        // What may be sent in the clear is not to leave this machine by a proxy.
        config = config.proxy(None);
    }
    config.build().new_agent()
}

/// Errors of the client, without the URL that some of them quote.
fn wrong(error: &Error) -> SendError {
    let text = |error: &dyn std::error::Error| printable(error.to_string().as_bytes()).to_string();
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            SendError::NotReached("no connection in time".to_owned())
        }
        Error::Timeout(_) => SendError::NoAnswer("none in time".to_owned()),
        Error::HostNotFound => SendError::NotReached("there is no such host".to_owned()),
        Error::ConnectionFailed => SendError::NotReached("no connection".to_owned()),
        Error::InvalidProxyUrl | Error::ConnectProxyFailed(_) => {
            SendError::NotReached("the proxy of the environment cannot be used".to_owned())
        }
        Error::Rustls(error) => SendError::NotReached(text(error)),
        // That is how a certificate that is not trusted is told.
        Error::Io(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidData
                    | io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            ) =>
        {
            SendError::NotReached(text(error))
        }
        Error::Io(error) => SendError::NoAnswer(text(error)),
        Error::BadUri(_) | Error::Http(_) | Error::RequireHttpsOnly(_) => {
            SendError::Url("this is no URL of a webhook")
        }
        Error::Tls(why) => SendError::NotReached((*why).to_owned()),
        Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::BodyStalled => {
            SendError::NoAnswer("what came back is no HTTP".to_owned())
        }
        _ => SendError::NoAnswer("the sender failed".to_owned()),
    }
}
