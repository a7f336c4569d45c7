//! The senders against what they send to: real small programs, and servers on this machine.

mod desktop;
mod exec;
mod webhook;

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;

use super::*;
use crate::alert::message::{Facts, Message, Untold};
use crate::config::EventKind;

fn secrets() -> Secrets {
    Secrets::new([7; 32], [("PAGER_TOKEN", b"correct-horse".as_slice())]).unwrap()
}

fn letter() -> Letter {
    let message = Message {
        alert: "phone".into(),
        unit: "coder@1".into(),
        kind: Some(EventKind::Held),
        facts: Facts {
            sub: Some("$(touch pwned); <b>\u{1b}]0;x\u{7}".into()),
            evidence: vec!["-n --help `id` & \"quoted\" 'too'".into()],
            ..Facts::default()
        },
        lasted: Duration::from_secs(1),
        at: Timestamp::UNIX_EPOCH,
        untold: Untold::default(),
    };
    Letter::write(&message, &secrets())
}

/// A program in that folder. Another process writes it: a file that this one has open for writing,
/// also by way of a child that another test starts right now, cannot be executed.
pub(crate) fn program(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat >\"$1\" && chmod +x \"$1\"", "sh"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let text = format!("#!/bin/sh\n{text}\n");
    let mut stdin = writer.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    assert!(writer.wait().unwrap().success());
    path.to_str().unwrap().to_owned()
}

/// An environment in which programs are found in that folder, and what scripts need.
fn means(folder: &Path) -> Means {
    let path = env::join_paths([folder, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut means = Means::with(
        [
            (OsString::from("PATH"), path),
            (OsString::from("OUT"), folder.as_os_str().to_owned()),
        ],
        secrets(),
    );
    // Long enough for a busy machine.
    means.program_limit = Duration::from_secs(60);
    means
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

/// A server that gives these answers, one to each connection, and then what it was asked.
pub(crate) fn server(answers: &[&str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/hook?key=xyzzy", listener.local_addr().unwrap());
    let answers: Vec<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
    let serve = move || {
        let answer_one = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let asked = request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            asked
        };
        answers.into_iter().map(answer_one).collect()
    };
    (url, thread::spawn(serve))
}

/// Reads a request whose length is said.
fn request(stream: &mut impl Read) -> String {
    let (mut asked, mut byte) = (Vec::new(), [0]);
    while !asked.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        asked.push(byte[0]);
    }
    let head = String::from_utf8(asked).unwrap();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

pub(crate) fn answer(status: &str, more: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n{body}"
    )
}
