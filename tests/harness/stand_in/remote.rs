//! The other end of the control socket: how a test talks to a stand-in.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::report::Report;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a stand-in.
#[derive(Debug)]
pub struct Remote {
    stream: BufReader<UnixStream>,
}

impl Remote {
    /// Connects; waits until the stand-in listens.
    ///
    /// # Errors
    /// When it does not in time.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let began = Instant::now();
        loop {
            match UnixStream::connect(path) {
                Ok(stream) => {
                    stream.set_read_timeout(Some(PATIENCE))?;
                    return Ok(Self {
                        stream: BufReader::new(stream),
                    });
                }
                Err(error) if began.elapsed() > PATIENCE => return Err(error),
                Err(_) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Gives an order, and returns when it is done.
    ///
    /// # Errors
    /// When it is none, or the stand-in has ended.
    pub fn order(&mut self, line: &str) -> io::Result<()> {
        match self.ask(line)?.as_str() {
            "ok" => Ok(()),
            other => Err(io::Error::new(ErrorKind::InvalidInput, other)),
        }
    }

    /// How things are.
    ///
    /// # Errors
    /// When the stand-in has ended.
    pub fn state(&mut self) -> io::Result<Report> {
        self.report("state?")
    }

    /// Waits until the state has this name, and tells how things are then.
    ///
    /// # Errors
    /// When that takes too long.
    pub fn until(&mut self, state: &str) -> io::Result<Report> {
        self.report(&format!("await {state}"))
    }

    /// Waits until so many prompts were submitted, and tells how things are then.
    ///
    /// # Errors
    /// When that takes too long.
    pub fn until_prompts(&mut self, prompts: u64) -> io::Result<Report> {
        self.report(&format!("await prompts {prompts}"))
    }

    fn report(&mut self, line: &str) -> io::Result<Report> {
        let answer = self.ask(line)?;
        serde_json::from_str(&answer).map_err(|_| io::Error::new(ErrorKind::InvalidInput, answer))
    }

    fn ask(&mut self, line: &str) -> io::Result<String> {
        let line = format!("{line}\n");
        self.stream.get_mut().write_all(line.as_bytes())?;
        let mut answer = String::new();
        if self.stream.read_line(&mut answer)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(answer.trim_end().to_owned())
    }
}
