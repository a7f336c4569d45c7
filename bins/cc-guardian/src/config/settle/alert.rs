//! An alert with everything filled in.

use std::time::Duration;

use super::{argv, check_name, required};
use crate::config::alert::{AlertSettings, AlertType, Way, WebhookUrl};
use crate::config::env_file::is_name;
use crate::config::mistake::{At, Mistakes, Place};
use crate::config::written;

/// Settles an alert whose name stands at `key`; `None` when it was wrong.
pub(crate) fn alert(
    name: &str,
    key: Place,
    written: &written::Alert,
    mistakes: &mut Mistakes,
) -> Option<AlertSettings> {
    check_name(name, key, mistakes);
    let right = "type = \"exec\", \"webhook\" or \"desktop\"";
    let means = required("type", &written.r#type, key, right, mistakes);
    if let Some(events) = written.events.given()
        && events.value.is_empty()
    {
        let right = "what is told, or no `events` for one that is named in `on_failure` alone";
        mistakes.add(events.place, "`events` is empty", right);
    }
    let means = means?.value;
    for (field, place, wanted) in [
        (
            "command",
            written.command.given().map(|at| at.place),
            AlertType::Exec,
        ),
        (
            "url",
            written.url.given().map(|at| at.place),
            AlertType::Webhook,
        ),
        (
            "url_env",
            written.url_env.given().map(|at| at.place),
            AlertType::Webhook,
        ),
    ] {
        if let Some(place) = place.filter(|_| means != wanted) {
            mistakes.add(
                place,
                format!("`{field}` is of no use with type = {:?}", means.word()),
                format!("type = {:?}", wanted.word()),
            );
        }
    }
    let way = match means {
        AlertType::Desktop => Way::Desktop,
        AlertType::Exec => {
            let right = "a list such as command = [\"program\", \"argument\"]";
            let command = required("command", &written.command, key, right, mistakes)?;
            Way::Exec {
                command: argv(command, None, mistakes),
            }
        }
        AlertType::Webhook => Way::Webhook {
            to: webhook(key, written, mistakes)?,
        },
    };
    let events = written.events.given();
    Some(AlertSettings {
        name: name.to_owned(),
        way,
        events: events.map_or_else(Vec::new, |events| {
            events.value.iter().map(|event| event.value).collect()
        }),
        dedupe: written
            .dedupe
            .given()
            .map_or(Duration::from_mins(10), |at| at.value.0),
        rate: written.rate.given().map(|at| at.value),
        quiet: written.quiet.given().map(|at| at.value),
    })
}

fn webhook(key: Place, written: &written::Alert, mistakes: &mut Mistakes) -> Option<WebhookUrl> {
    match (written.url.given(), written.url_env.given()) {
        (Some(_), Some(variable)) => {
            let what = "`url` and `url_env` are both given";
            mistakes.add(variable.place, what, "one of the two");
            None
        }
        (Some(url), None) => {
            check_url(url, mistakes);
            Some(WebhookUrl::Url(url.value.clone()))
        }
        (None, Some(variable)) => {
            if !is_name(&variable.value) {
                // It is not shown: it may be the URL itself.
                let what = "`url_env` is no name of a variable";
                let right = "the name of the variable that has the URL, such as CC_WEBHOOK";
                mistakes.add(variable.place, what, right);
            }
            Some(WebhookUrl::Env(variable.value.clone()))
        }
        (None, None) => {
            if written.url.is_missing() && written.url_env.is_missing() {
                let right =
                    "url_env = \"NAME\" of the variable that has it, or url = \"https://..\"";
                mistakes.add(key, "no URL is given", right);
            }
            None
        }
    }
}

/// Notes a URL that cannot be used. It is never shown: whoever knows it can post.
fn check_url(url: &At<String>, mistakes: &mut Mistakes) {
    if let Some(what) = wrong_url(&url.value) {
        mistakes.add(url.place, what, RIGHT_URL);
    }
}

/// What the URL of a webhook is to be.
pub(crate) const RIGHT_URL: &str = "an https:// URL; http:// only to this machine";

/// What is wrong with a URL that is none, or that would send in the clear to another machine.
pub(crate) fn wrong_url(text: &str) -> Option<&'static str> {
    if text.chars().any(|char| char.is_control() || char == ' ') {
        return Some("a URL with spaces or control characters");
    }
    let (local_only, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return Some("this is no URL of a webhook"),
    };
    let host = host(rest);
    if host.is_empty() {
        Some("a URL without a host")
    } else if local_only && !is_this_machine(host) {
        Some("alerts would travel in the clear")
    } else {
        None
    }
}

/// Does a URL lead to this machine?
pub(crate) fn stays_here(url: &str) -> bool {
    url.split_once("://")
        .is_some_and(|(_, rest)| is_this_machine(host(rest)))
}

/// The host of what stands behind the scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((host, _)) => host,
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_this_machine_is_known() {
        for (url, here) in [
            ("https://localhost:1/x", true),
            ("http://[::1]:8080", true),
            ("https://user@127.0.0.1", true),
            ("https://127.0.0.1@example.org/", false),
            ("https://example.org/localhost", false),
        ] {
            assert_eq!(stays_here(url), here, "{url}");
        }
    }

    #[test]
    fn a_url_is_https_or_goes_to_this_machine() {
        for (text, wrong) in [
            ("https://example.org/hook?x=1", None),
            ("http://127.0.0.1:8080/hook", None),
            ("http://[::1]:8080", None),
            ("http://localhost/x", None),
            ("http://example.org/hook", Some("in the clear")),
            ("http://127.0.0.1@example.org/", Some("in the clear")),
            ("http://localhost.example.org/", Some("in the clear")),
            ("http:///x", Some("without a host")),
            ("https://", Some("without a host")),
            ("https://a b", Some("with spaces")),
            ("ftp://example.org", Some("no URL")),
            ("example.org", Some("no URL")),
        ] {
            match wrong {
                None => assert_eq!(wrong_url(text), None, "{text}"),
                Some(words) => assert!(wrong_url(text).unwrap().contains(words), "{text}"),
            }
        }
    }
}
