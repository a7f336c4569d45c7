//! A service that speaks the Messages API on a loopback port, for agents that are real programs: what
//! it answers stands in the prompt.
//!
//! | Room | In it |
//! |---|---|
//! | `http` | requests read, answers written |
//! | [`turn`] | from a request to what is answered |
//! | `stream` | an answer as the API has it, whole or in events |
//!
//! | Line of a prompt | What the answer is |
//! |---|---|
//! | `do: say TEXT` | a paragraph |
//! | `do: code TEXT` | a block of code with that line |
//! | `do: list N` | a list of so many points |
//! | `do: over 3s` | what stands above takes so long |
//! | `do: wait` | it goes on when [`Service::release`] is called |
//! | `do: run COMMAND` | a use of the agent's shell; what stands below comes when that has been run |
//!
//! A prompt without such a line is answered by `heard: ` and its first line.

mod http;
mod stream;
pub mod turn;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use self::http::Request;
use self::turn::{Part, Said};

/// What every request for a message is refused with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status: 429, 529.
    pub status: u16,
    /// The kind of error, as the API calls it: `rate_limit_error`.
    pub kind: String,
    /// In words.
    pub message: String,
    /// More headers.
    pub headers: Vec<(String, String)>,
}

/// A service that answers until it is dropped.
#[derive(Debug)]
pub struct Service {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    over: bool,
    /// How often what waits was let go on.
    released: u64,
    refusal: Option<Refusal>,
    prompts: Vec<String>,
    requests: Vec<String>,
}

impl Service {
    /// Begins to answer, on a port of its own.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of its own");
        let address = listener.local_addr().expect("the port");
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if served.lock().over {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&served);
                // An agent that goes away in the middle of an answer is none of our troubles.
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Self {
            shared,
            address,
            accepting: Some(accepting),
        }
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets everything go on that waits now.
    pub fn release(&self) {
        self.shared.lock().released += 1;
        self.shared.changed.notify_all();
    }

    /// Refuses requests for messages from now on; `None`: no more.
    pub fn refuse(&self, refusal: Option<Refusal>) {
        self.shared.lock().refusal = refusal;
    }

    /// The prompts that came, oldest first: the agent's own words around them are left out.
    #[must_use]
    pub fn prompts(&self) -> Vec<String> {
        self.shared.lock().prompts.clone()
    }

    /// Every request: its method, its path, and how it was answered.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
        // Only so does it look up.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        let mut reader = io::BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader)? {
            let path = request.path.split('?').next().unwrap_or_default();
            let kept = match (request.method.as_str(), path) {
                ("POST", "/v1/messages") => self.message(stream, &request)?,
                ("POST", "/v1/messages/count_tokens") => {
                    let body = json!({"input_tokens": request.body.len() / 4});
                    self.answer(stream, &request, 200, &[], &body)?
                }
                ("HEAD", _) => self.answer(stream, &request, 200, &[], &Value::Null)?,
                _ => {
                    let body = error("not_found_error", "there is no such thing");
                    self.answer(stream, &request, 404, &[], &body)?
                }
            };
            if !kept {
                break;
            }
        }
        Ok(())
    }

    fn answer(
        &self,
        stream: &TcpStream,
        request: &Request,
        status: u16,
        headers: &[(String, String)],
        body: &Value,
    ) -> io::Result<bool> {
        self.note(request, status);
        http::answer(stream, status, headers, body)?;
        Ok(true)
    }

    fn note(&self, request: &Request, status: u16) {
        let line = format!("{} {} {status}", request.method, request.path);
        self.lock().requests.push(line);
    }

    fn message(&self, stream: &TcpStream, request: &Request) -> io::Result<bool> {
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            let body = error("invalid_request_error", "that is no JSON");
            return self.answer(stream, request, 400, &[], &body);
        };
        let refusal = self.lock().refusal.clone();
        if let Some(refusal) = refusal {
            let body = error(&refusal.kind, &refusal.message);
            return self.answer(stream, request, refusal.status, &refusal.headers, &body);
        }
        let Said { prompt, parts } = turn::said(&body);
        if let Some(prompt) = prompt {
            self.lock().prompts.push(prompt);
        }
        let model = body["model"].as_str().unwrap_or("model").to_owned();
        let parts: Vec<Part> = parts;
        if body["stream"] != json!(true) {
            let body = stream::whole(&model, &parts);
            return self.answer(stream, request, 200, &[], &body);
        }
        self.note(request, 200);
        http::begin_events(stream)?;
        let mut events = stream::Events::begin(stream, &model)?;
        for part in &parts {
            match part {
                Part::Text(text, over) => {
                    let chunks = stream::chunks(text);
                    let pause = over.div_f64((chunks.len().max(1)) as f64);
                    events.open_text()?;
                    for chunk in chunks {
                        events.text(chunk)?;
                        self.pause(pause);
                    }
                }
                Part::Wait => {
                    events.open_text()?;
                    let before = self.lock().released;
                    while !self.goes_on(before) {
                        // Says whether the agent is still there, too.
                        events.ping()?;
                    }
                }
                Part::Run(command) => events.tool(command)?,
            }
        }
        events.end(&parts)?;
        Ok(false)
    }

    /// Waits so long, or until all is over.
    fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut state = self.lock();
        while !state.over {
            let Some(left) = until
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())
            else {
                return;
            };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.expect("nobody panics with it").0;
        }
    }

    /// Waits a moment for a release, and says whether one came.
    fn goes_on(&self, before: u64) -> bool {
        let state = self.lock();
        let is_held = |state: &mut State| state.released == before && !state.over;
        let waited = self
            .changed
            .wait_timeout_while(state, Duration::from_millis(250), is_held);
        !waited.expect("nobody panics with it").1.timed_out()
    }
}

fn error(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}})
}
