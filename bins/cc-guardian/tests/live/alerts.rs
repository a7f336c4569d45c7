//! Alerts can be tried without a guardian, and a try ends with a code that says what came of it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::Value;

use crate::guardian::Guardian;

/// Passes when each way to tell somebody can be tried, and each way to fail has its code.
#[test]
fn an_alert_is_tried_without_a_guardian() {
    let guardian = Guardian::home();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut asked, mut chunk) = (Vec::new(), [0; 1024]);
        while !asked.ends_with(b"}") {
            let read = stream.read(&mut chunk).unwrap();
            assert_ne!(read, 0, "it ends too early");
            asked.extend_from_slice(&chunk[..read]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        String::from_utf8(asked).unwrap()
    });
    let config = guardian.path("guardian.toml");
    let text = format!(
        "version = 1\n\
         [alert.good]\ntype = \"exec\"\ncommand = [\"/bin/sh\", \"-c\", \"echo told $CC_ALERT_NAME\"]\n\
         [alert.bad]\ntype = \"exec\"\ncommand = [\"/bin/sh\", \"-c\", \"echo why >&2; exit 3\"]\n\
         [alert.hook]\ntype = \"webhook\"\nurl = \"{url}\"\n\
         [alert.unset]\ntype = \"webhook\"\nurl_env = \"NOT_SET_ANYWHERE\"\n"
    );
    fs::write(&config, text).unwrap();
    let path = config.to_str().unwrap();
    let good = guardian.ok(&["alert", "test", "good", "-c", path]);
    assert_eq!(good, "good: sent\nit said: told good\n");
    let hook = guardian.ok(&["alert", "test", "hook", "-c", path, "--json"]);
    let hook: Value = serde_json::from_str(&hook).unwrap();
    assert_eq!(
        (&hook["sent"], &hook["status"]),
        (&true.into(), &200.into())
    );
    let asked = server.join().unwrap();
    assert!(asked.contains("\"test\":true"), "{asked}");
    for (name, code, words) in [
        ("bad", 1, "status 3: why"),
        ("unset", 2, "NOT_SET_ANYWHERE"),
        ("hok", 4, "Did you mean hook?"),
    ] {
        let output = guardian.ask(&["alert", "test", name, "-c", path]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(words), "{said}");
    }
    let output = guardian.ask(&["alert", "test", "bad", "-c", path, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["sent"], &said["exit"]), (&false.into(), &1.into()));
    assert!(
        guardian
            .ok(&["alert", "ls", "-c", path])
            .contains("good  exec /bin/sh")
    );
}
