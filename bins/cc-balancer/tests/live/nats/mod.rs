//! The store that hosts share over NATS, against servers that are killed, emptied and away.

mod faults;
mod hosts;
mod login;
pub(crate) mod server;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use cc_balancer::store::nats::{NatsStore, Options};
use cc_balancer::store::{SqliteStore, Store};
use harness::{skip_if_asked, wait};

use crate::floor::is_full;
use crate::suite::{self, Later, Order, Place, Topic, topics};
use server::Nats;

/// A host of a queue: its file, and its servers.
pub(crate) struct Host {
    _dir: tempfile::TempDir,
    path: PathBuf,
    url: String,
    queue: String,
    name: String,
}

impl Host {
    pub(crate) fn new(url: &str, queue: &str, name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            path: dir.path().join("tasks.db"),
            _dir: dir,
            url: url.to_owned(),
            queue: queue.to_owned(),
            name: name.to_owned(),
        }
    }

    pub(crate) fn options(&self) -> Options {
        let local = SqliteStore::open(&self.path).unwrap();
        let mut options = Options::new(self.url.clone(), local, self.name.clone());
        options.queue.clone_from(&self.queue);
        options.every = Duration::from_millis(500);
        options
    }

    /// Connects, whether a server is there or not.
    pub(crate) async fn connect(&self) -> Arc<NatsStore> {
        Arc::new(NatsStore::connect(self.options()).await.unwrap())
    }

    /// Connects, and waits until something can be begun. A cluster takes up to 9 seconds to elect somebody,
    /// and again where votes are split.
    pub(crate) async fn ready(&self) -> Arc<NatsStore> {
        let store = self.connect().await;
        let is_ready = store.ready(2 * wait::PATIENCE).await;
        assert!(is_ready, "the server is not there");
        store
    }
}

impl Place for Host {
    fn open(&self) -> Later<'_, Arc<dyn Store>> {
        Box::pin(async { self.ready().await as Arc<dyn Store> })
    }

    fn is_far(&self) -> bool {
        true
    }
}

/// Empty queues, one after the other, on the same servers.
struct Queues {
    url: String,
    made: AtomicU32,
}

impl Queues {
    fn on(url: String) -> Self {
        Self {
            url,
            made: AtomicU32::new(0),
        }
    }

    async fn make(&self) -> Host {
        let n = self.made.fetch_add(1, SeqCst);
        Host::new(&self.url, &format!("q{n}"), "here")
    }
}

/// One test for each topic, so that they run beside each other.
macro_rules! conforms {
    ($($name:ident: $topic:ident,)*) => {$(
        #[tokio::test]
        async fn $name() {
            skip_if_asked!();
            let nats = Nats::start();
            let queues = Queues::on(nats.url());
            suite::conforms(async || queues.make().await, &[Topic::$topic]).await;
        }
    )*};
}

topics!(conforms);

#[tokio::test]
async fn whatever_is_asked_in_whatever_order_it_does_what_the_model_does() {
    skip_if_asked!();
    let nats = Nats::start();
    let queues = Queues::on(nats.url());
    let seeds = if is_full() { 100 } else { 2 };
    for seed in 100..100 + seeds {
        suite::plays(queues.make().await, seed, Order::Exact).await;
    }
}

/// One queue, emptied each time: what is kept on three servers is not made anew while one is away.
async fn emptied(urls: &str) -> Host {
    let client = async_nats::connect(urls.split(',').collect::<Vec<_>>())
        .await
        .unwrap();
    let jetstream = async_nats::jetstream::new(client);
    for bucket in ["task", "result", "lease", "flag"] {
        wait::until_async(wait::PATIENCE, "an empty bucket", async || match jetstream
            .get_stream(format!("KV_cc_{bucket}"))
            .await
        {
            Ok(stream) => stream.purge().await.is_ok(),
            Err(_) => false,
        })
        .await;
    }
    Host::new(urls, "cc", "here")
}

#[tokio::test]
async fn a_cluster_does_all_of_it_while_one_of_its_servers_is_killed() {
    skip_if_asked!();
    let began = Instant::now();
    let mut servers = Nats::cluster();
    let urls: Vec<_> = servers.iter().map(Nats::url).collect();
    let urls = urls.join(",");
    let first = Host::new(&urls, "cc", "here").ready().await;
    assert_eq!(first.facts().replicas, Some(3));
    first.close().await.unwrap();
    drop(first);
    eprintln!("there after {:?}", began.elapsed());
    let topics = if is_full() { Topic::ALL } else { &[][..] };
    suite::conforms(async || emptied(&urls).await, &[Topic::Leases]).await;
    eprintln!("all there: {:?}", began.elapsed());
    // In the middle of what is asked of it, whoever leads.
    let place = emptied(&urls).await;
    let client = async_nats::connect(urls.split(',').collect::<Vec<_>>())
        .await
        .unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let kill = async {
        wait::until_async(wait::PATIENCE, "much to be asked", async || {
            let stream = jetstream.get_stream("KV_cc_task").await;
            stream.is_ok_and(|stream| stream.cached_info().state.messages > 30)
        })
        .await;
        servers.remove(0).kill();
    };
    tokio::join!(suite::plays(place, 7, Order::Exact), kill);
    eprintln!("one away: {:?}", began.elapsed());
    suite::conforms(async || emptied(&urls).await, topics).await;
    assert_eq!(servers.len(), 2);
    eprintln!("all of it: {:?}", began.elapsed());
}
