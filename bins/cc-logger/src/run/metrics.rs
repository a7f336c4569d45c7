//! What is counted, for Prometheus, on a port of this machine alone.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cc_kit::exit::{Exit, Failure};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::counters::Counters;

/// How long who connects may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many may be connected at a time.
const CONNECTIONS: usize = 16;

/// A port that is listened on.
#[derive(Debug)]
pub(super) struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

/// Begins to listen.
pub(super) async fn bind(address: SocketAddr) -> Result<Port, Failure> {
    let unusable = |error| {
        Failure::new(Exit::Failed, error).advice(format!(
            "Nothing can listen at {address}: name another port with --metrics."
        ))
    };
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    Ok(Port { listener, address })
}

impl Port {
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers everybody, until it is dropped.
    pub(super) async fn serve(self, counters: Arc<Counters>) {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Collected(counters)));
        let registry = Arc::new(registry);
        let mut connections = JoinSet::new();
        loop {
            while connections.len() >= CONNECTIONS {
                connections.join_next().await;
            }
            let Ok((stream, _)) = self.listener.accept().await else {
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            let registry = Arc::clone(&registry);
            connections.spawn(async move {
                let answer = service_fn(move |request| {
                    let answer = answer(&registry, &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(PATIENCE)
                    .serve_connection(TokioIo::new(stream), answer);
                // Who breaks off has gone, and that is that.
                let _ = connection.await;
            });
            while connections.try_join_next().is_some() {}
        }
    }
}

fn answer(registry: &Registry, request: &Request<Incoming>) -> Response<String> {
    // A page that somebody visits may name us by a name of its own: it is not to read this.
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let is_local = host.is_none_or(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "127.0.0.1" | "[::1]")
    });
    let mut text = String::new();
    let status = if !is_local {
        StatusCode::FORBIDDEN
    } else if request.uri().path() != "/metrics" {
        StatusCode::NOT_FOUND
    } else if request.method() != Method::GET {
        StatusCode::METHOD_NOT_ALLOWED
    } else if encode(&mut text, registry).is_ok() {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    if let Ok(kind) = kind.parse() {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}

#[derive(Debug)]
struct Collected(Arc<Counters>);

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let counters = &self.0;
        for (name, help, value) in [
            (
                "cc_log_bytes",
                "Bytes that panes printed and that were taken",
                &counters.bytes,
            ),
            ("cc_log_gaps", "Gaps in logs", &counters.gaps),
            (
                "cc_log_gap_bytes",
                "Bytes missing in gaps whose size is known",
                &counters.gap_bytes,
            ),
            (
                "cc_log_write_failures",
                "Times that the disk did not take something",
                &counters.write_failures,
            ),
            (
                "cc_log_deleted_segments",
                "Segments deleted by retention",
                &counters.deleted,
            ),
            (
                "cc_control_reconnects",
                "Times that a server was attached to again",
                &counters.reconnects,
            ),
        ] {
            let counter = ConstCounter::new(value.get());
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        for (name, help, value) in [
            (
                "cc_log_queue_bytes",
                "Bytes on their way to the thread that writes",
                &counters.queued,
            ),
            ("cc_log_panes", "Panes that are logged", &counters.panes),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value.get()).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        let mut family = encoder.encode_descriptor(
            "cc_redactions",
            "Secrets taken out, by rule",
            None,
            MetricType::Counter,
        )?;
        for (rule, count) in counters.redactions() {
            let counter = ConstCounter::new(count);
            let labels = [("rule", rule)];
            counter.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
