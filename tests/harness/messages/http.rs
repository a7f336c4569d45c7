//! As much of HTTP as the service needs.

use std::io::{self, BufRead, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

/// The most bytes of a body.
const LONGEST: usize = 64 << 20;

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// With what stands behind its `?`.
    pub(super) path: String,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The next one; `None` where no more come.
    pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let first = line(from)?;
        let mut words = first.split(' ');
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let (mut length, mut chunked) = (0, false);
        loop {
            let header = line(from)?;
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
                "transfer-encoding" => chunked = value.contains("chunked"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = line(from)?;
                let size = usize::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
                take(from, size, &mut body)?;
                line(from)?;
                if size == 0 {
                    break;
                }
            }
        } else {
            take(from, length, &mut body)?;
        }
        Ok(Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            body,
        }))
    }
}

fn take(from: &mut impl BufRead, size: usize, into: &mut Vec<u8>) -> io::Result<()> {
    if into.len() + size > LONGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let from_here = into.len();
    from.take(size as u64).read_to_end(into)?;
    match into.len() - from_here == size {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A line without its end; empty where there is none.
fn line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.take(64 << 10).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A whole answer; `Null` is an empty body.
pub(super) fn answer(
    mut to: &TcpStream,
    status: u16,
    headers: &[(String, String)],
    body: &Value,
) -> io::Result<()> {
    let body = match body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let more: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(
        to,
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    )
}

/// The head of an answer that comes in events, up to the end of the connection.
pub(super) fn begin_events(mut to: &TcpStream) -> io::Result<()> {
    to.write_all(b"HTTP/1.1 200 -\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
}
