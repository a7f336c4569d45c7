use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;

use super::*;

async fn post(url: &str) -> Result<Sent, SendError> {
    let to = WebhookUrl::Url(url.to_owned());
    let mut means = Means::with([], secrets());
    means.server_limit = Duration::from_secs(60);
    send(&letter(), &Way::Webhook { to }, &means).await
}

#[tokio::test]
async fn a_webhook_gets_the_message_as_json() {
    let (url, server) = server(&[&answer("204 No Content", "", "")]);
    let sent = post(&url).await.unwrap();
    assert_eq!(sent.status, Some(204));
    let asked = server.join().unwrap().remove(0);
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /hook?key=xyzzy HTTP/1.1\r\n"),
        "{head}"
    );
    let head = head.to_ascii_lowercase();
    for line in ["content-type: application/json", "user-agent: cc-guardian/"] {
        assert!(head.contains(line), "{head}");
    }
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, letter().json);
}

#[tokio::test]
async fn what_a_server_refuses_is_said_with_its_reason_and_without_the_url() {
    for (status, body, expected, may_pass) in [
        (
            "404 Not Found",
            "no\x1bsuch",
            "the server answered 404: no\\x1bsuch",
            false,
        ),
        ("429 Slow Down", "", "the server answered 429", true),
        ("503 Busy", "later", "the server answered 503: later", true),
    ] {
        let (url, server) = server(&[&answer(status, "", body)]);
        let wrong = post(&url).await.unwrap_err();
        assert_eq!(wrong.to_string(), expected);
        assert_eq!(wrong.may_pass(), may_pass, "{status}");
        assert!(!format!("{wrong:?}").contains("xyzzy"), "{wrong:?}");
        server.join().unwrap();
    }
}

#[tokio::test]
async fn a_long_reason_is_cut() {
    let (url, server) = server(&[&answer("500 Oops", "", &"x".repeat(100_000))]);
    let wrong = post(&url).await.unwrap_err();
    assert!(wrong.to_string().chars().count() < SHOWN + 40, "{wrong}");
    let _ = server.join();
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let elsewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let location = format!("Location: http://{}/\r\n", elsewhere.local_addr().unwrap());
    for status in ["301 Moved", "307 Moved", "308 Moved"] {
        let (url, server) = server(&[&answer(status, &location, "")]);
        let wrong = post(&url).await.unwrap_err();
        assert!(
            matches!(
                wrong,
                SendError::Status {
                    status: 300..400,
                    ..
                }
            ),
            "{wrong}"
        );
        assert!(!wrong.may_pass());
        server.join().unwrap();
    }
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err());
}

#[tokio::test]
async fn a_server_that_is_not_there_was_not_reached() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/xyzzy", listener.local_addr().unwrap());
    drop(listener);
    let wrong = post(&url).await.unwrap_err();
    assert!(matches!(wrong, SendError::NotReached(_)), "{wrong:?}");
    assert!(wrong.may_pass() && !format!("{wrong:?}").contains("xyzzy"));
}

#[tokio::test]
async fn whether_it_arrived_is_not_known_where_no_answer_comes() {
    for nothing in ["", "no HTTP at all\r\n\r\n"] {
        let (url, server) = server(&[nothing]);
        let wrong = post(&url).await.unwrap_err();
        assert!(matches!(wrong, SendError::NoAnswer(_)), "{wrong:?}");
        assert!(!format!("{wrong:?}").contains("xyzzy"));
        server.join().unwrap();
    }
    // One that takes it and says nothing.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let to = WebhookUrl::Url(format!("http://{}/", listener.local_addr().unwrap()));
    let mut means = Means::with([], secrets());
    means.server_limit = Duration::from_millis(200);
    let wrong = send(&letter(), &Way::Webhook { to }, &means).await;
    assert!(matches!(wrong, Err(SendError::NoAnswer(_))), "{wrong:?}");
}

#[tokio::test]
async fn an_https_url_is_really_encrypted() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}/xyzzy", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        first
    });
    let wrong = post(&url).await.unwrap_err();
    assert!(!format!("{wrong:?}").contains("xyzzy"), "{wrong:?}");
    // A TLS record of a handshake.
    assert_eq!(server.join().unwrap(), [0x16]);
}

#[tokio::test]
async fn a_url_may_be_in_a_variable_and_must_be_a_good_one() {
    let (url, server) = server(&[&answer("200 OK", "", "")]);
    let name = "CC_WEBHOOK";
    for (value, expected) in [
        (Some(format!(" {url}\n")), None),
        (None, Some("the variable CC_WEBHOOK is not set")),
        (
            Some(String::new()),
            Some("the variable CC_WEBHOOK is not set"),
        ),
        (
            Some("http://example.org/".to_owned()),
            Some("alerts would travel in the clear"),
        ),
        (
            Some("file:///etc/passwd".to_owned()),
            Some("this is no URL of a webhook"),
        ),
    ] {
        let variable = value.map(|value| (OsString::from(name), OsString::from(value)));
        let to = WebhookUrl::Env(name.to_owned());
        let result = send(
            &letter(),
            &Way::Webhook { to },
            &Means::with(variable, secrets()),
        )
        .await;
        match expected {
            None => assert_eq!(result.unwrap().status, Some(200)),
            Some(expected) => assert_eq!(result.unwrap_err().to_string(), expected),
        }
    }
    server.join().unwrap();
}
