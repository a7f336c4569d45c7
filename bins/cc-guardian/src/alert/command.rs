//! `alert ls` and `alert test`, which need no daemon.

use std::io::{self, Write as _};
use std::path::Path;

use cc_kit::exit::{Advise as _, Exit, Failure, chain};
use cc_kit::printable::printable;
use cc_kit::profile::Profiles;
use cc_kit::stdout::print;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::letter::{Letter, Secrets};
use super::message::Message;
use super::send::{Means, SendError, Sent, send};
use crate::cli;
use crate::config::{self, AlertSettings, Config, Rate, Way, WebhookUrl, nearest};

/// Does what `alert` is asked for.
pub(crate) fn alert(alert: &cli::Alert) -> Result<Exit, Failure> {
    match alert {
        cli::Alert::Ls(ls) => {
            let text = list(&load(ls.config.as_deref())?, ls.json);
            print(&text).map(|()| Exit::Success)
        }
        cli::Alert::Test(test) => {
            let config = load(test.alerts.config.as_deref())?;
            try_one(find(&config, &test.name)?, &config, test.alerts.json)
        }
    }
}

fn load(file: Option<&Path>) -> Result<Config, Failure> {
    let usual = config::usual_file();
    let file = file.or(usual.as_deref()).ok_or_else(|| {
        Failure::new(Exit::Usage, "there is no home directory").advice("Name a file with -c.")
    })?;
    let profiles = Profiles::usual()?;
    let names: Vec<&str> = profiles.iter().map(|profile| profile.name()).collect();
    config::load(file, &names).map_err(|mistakes| {
        let mut out = io::stderr().lock();
        for mistake in &mistakes {
            let _ = writeln!(out, "{mistake}");
        }
        let count = mistakes.len();
        Failure::new(
            Exit::Usage,
            format!("mistakes in the configuration: {count}"),
        )
        .advice("Correct these lines.")
    })
}

fn find<'a>(config: &'a Config, name: &str) -> Result<&'a AlertSettings, Failure> {
    let found = config.alerts.iter().find(|alert| alert.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = config.alerts.iter().map(|alert| &*alert.name).collect();
        let advice = match nearest(name, names.iter().copied()) {
            Some(near) => format!("Did you mean {near}?"),
            None if names.is_empty() => "Declare one: [alert.NAME].".to_owned(),
            None => format!("There are {}.", names.join(", ")),
        };
        Failure::new(Exit::Unknown, format!("there is no alert {name:?}")).advice(advice)
    })
}

/// Sends one message now, and says what came of it.
fn try_one(alert: &AlertSettings, config: &Config, json: bool) -> Result<Exit, Failure> {
    let known = config.units.iter().flat_map(|unit| &unit.env.0);
    let secrets = Secrets::known(known.map(|(name, value)| (name.as_str(), value.as_bytes())))?;
    let means = Means::ours(secrets);
    let message = Message::test(&alert.name, Timestamp::now());
    let letter = Letter::write(&message, &means.secrets);
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error))?
        .block_on(send(&letter, &alert.way, &means));
    if json {
        print(&format!("{}\n", told(&alert.name, &result)))?;
        return Ok(result.map_or_else(|wrong| wrong.exit(), |_| Exit::Success));
    }
    let sent = result?;
    let status = sent.status.map(|status| format!(" (status {status})"));
    let status = status.unwrap_or_default();
    let said = Some(sent.said).filter(|said| !said.is_empty());
    let said = said.map(|said| format!("it said: {said}\n"));
    let said = said.unwrap_or_default();
    print(&format!("{}: sent{status}\n{said}", alert.name)).map(|()| Exit::Success)
}

fn told(alert: &str, result: &Result<Sent, SendError>) -> Value {
    match result {
        Ok(sent) => json!({
            "v": 1, "alert": alert, "sent": true, "status": sent.status, "said": sent.said,
        }),
        Err(wrong) => json!({
            "v": 1, "alert": alert, "sent": false, "error": chain(wrong),
            "advice": wrong.advice(), "exit": wrong.exit().code(),
        }),
    }
}

fn list(config: &Config, json: bool) -> String {
    if json {
        let alerts: Vec<Value> = config.alerts.iter().map(|one| row(one, config)).collect();
        return format!("{}\n", json!({ "v": 1, "alerts": alerts }));
    }
    let mut text = String::new();
    for alert in &config.alerts {
        let events = words(alert).join(" ");
        let units = users(alert, config);
        let mut parts = vec![alert.name.clone(), means(&alert.way)];
        parts.extend(Some(events).filter(|events| !events.is_empty()));
        if !units.is_empty() {
            parts.push(format!("failures of {}", units.join(" ")));
        }
        parts.push(format!(
            "dedupe {}",
            humantime::format_duration(alert.dedupe)
        ));
        parts.extend(alert.rate.map(|rate| format!("rate {}", written(rate))));
        parts.extend(quiet(alert).map(|quiet| format!("quiet {quiet}")));
        text.push_str(&parts.join("  "));
        text.push('\n');
    }
    if text.is_empty() {
        text.push_str("there is no alert\n");
    }
    text
}

fn row(alert: &AlertSettings, config: &Config) -> Value {
    let (kind, to) = match &alert.way {
        Way::Exec { command } => ("exec", command.first().cloned()),
        // A URL is not shown: whoever knows it can post.
        Way::Webhook { to } => match to {
            WebhookUrl::Url(_) => ("webhook", None),
            WebhookUrl::Env(name) => ("webhook", Some(format!("${name}"))),
        },
        Way::Desktop => ("desktop", None),
    };
    json!({
        "alert": alert.name,
        "type": kind,
        "to": to,
        "events": words(alert),
        "on_failure_of": users(alert, config),
        "dedupe_s": alert.dedupe.as_secs(),
        "rate": alert.rate.map(written),
        "quiet": quiet(alert),
    })
}

fn means(way: &Way) -> String {
    match way {
        Way::Exec { command } => {
            let program = command.first().map_or("", String::as_str);
            format!("exec {}", printable(program.as_bytes()))
        }
        Way::Webhook { to } => match to {
            WebhookUrl::Url(_) => "webhook".to_owned(),
            WebhookUrl::Env(name) => format!("webhook ${name}"),
        },
        Way::Desktop => "desktop".to_owned(),
    }
}

fn words(alert: &AlertSettings) -> Vec<String> {
    alert.events.iter().map(ToString::to_string).collect()
}

/// The units that name it in `on_failure`.
fn users<'a>(alert: &AlertSettings, config: &'a Config) -> Vec<&'a str> {
    let units = config.units.iter();
    units
        .filter(|unit| unit.on_failure.contains(&alert.name))
        .map(|unit| &*unit.name)
        .collect()
}

/// As it stands in the file.
fn written(rate: Rate) -> String {
    let per = match rate.per.as_secs() {
        1 => "s",
        60 => "m",
        3600 => "h",
        _ => "d",
    };
    format!("{}/{per}", rate.count)
}

fn quiet(alert: &AlertSettings) -> Option<String> {
    let quiet = alert.quiet?;
    let (from, to) = (quiet.from.strftime("%H:%M"), quiet.to.strftime("%H:%M"));
    Some(format!("{from}-{to}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const FILE: &str = r#"
version = 1
[unit.coder]
command = ["sleep", "1"]
on_failure = ["desk", "page"]
[alert.desk]
type = "desktop"
[alert.page]
type = "exec"
command = ["/usr/bin/page", "--token", "hidden"]
events = ["blocked>2m", "held"]
dedupe = "1h"
rate = "10/h"
quiet = "22:00-07:00"
[alert.phone]
type = "webhook"
url = "https://hooks.example.org/hidden"
events = ["oom"]
[alert.chat]
type = "webhook"
url_env = "CC_WEBHOOK"
events = ["oom"]
"#;

    fn config(text: &str) -> Config {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("guardian.toml");
        fs::write(&file, text).unwrap();
        load(Some(&file)).unwrap()
    }

    fn said(failure: &Failure) -> String {
        let mut out = Vec::new();
        failure.write_to(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_those_that_are_near() {
        let (some, none) = (config(FILE), config("version = 1"));
        for (config, name, advice) in [
            (&some, "phnoe", "Did you mean phone?"),
            (&some, "xxxxxx", "There are chat, desk, page, phone."),
            (&some, "", "There are chat, desk, page, phone."),
            (&some, "\u{1b}[2J", "There are chat, desk, page, phone."),
            (&none, "phone", "Declare one: [alert.NAME]."),
        ] {
            let failure = find(config, name).unwrap_err();
            assert_eq!(failure.exit(), Exit::Unknown);
            let said = said(&failure);
            assert_eq!(
                said,
                format!("error: there is no alert {name:?}\n{advice}\n")
            );
            assert!(!said.contains('\u{1b}'));
        }
        assert_eq!(find(&some, "phone").unwrap().name, "phone");
    }

    #[test]
    fn the_list_says_what_is_declared_and_hides_what_is_secret() {
        let text = list(&config(FILE), false);
        assert_eq!(
            text,
            "chat  webhook $CC_WEBHOOK  oom  dedupe 10m\n\
             desk  desktop  failures of coder  dedupe 10m\n\
             page  exec /usr/bin/page  blocked>2m held  failures of coder  dedupe 1h  rate 10/h  \
             quiet 22:00-07:00\n\
             phone  webhook  oom  dedupe 10m\n"
        );
        assert_eq!(list(&config("version = 1"), false), "there is no alert\n");
    }

    #[test]
    fn the_list_as_json_has_the_same() {
        let text = list(&config(FILE), true);
        assert!(!text.contains("hidden"), "{text}");
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["v"], 1);
        assert_eq!(
            told["alerts"][2],
            json!({
                "alert": "page",
                "type": "exec",
                "to": "/usr/bin/page",
                "events": ["blocked>2m", "held"],
                "on_failure_of": ["coder"],
                "dedupe_s": 3600,
                "rate": "10/h",
                "quiet": "22:00-07:00",
            })
        );
        assert_eq!(told["alerts"][0]["to"], "$CC_WEBHOOK");
        assert_eq!(told["alerts"][3]["to"], Value::Null);
    }

    #[test]
    fn a_file_that_is_wrong_or_not_there_is_a_mistake_in_the_configuration() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("guardian.toml");
        assert_eq!(load(Some(&file)).unwrap_err().exit(), Exit::Usage);
        fs::write(&file, "version = 1\n[alert.a]\ntype = \"smoke\"\n").unwrap();
        assert_eq!(load(Some(&file)).unwrap_err().exit(), Exit::Usage);
    }

    #[test]
    fn what_came_of_a_test_is_told_as_json() {
        let sent = Sent {
            status: Some(204),
            said: String::new(),
        };
        for (result, expected) in [
            (
                Ok(sent),
                json!({ "v": 1, "alert": "a", "sent": true, "status": 204, "said": "" }),
            ),
            (
                Err(SendError::NoVariable("X".into())),
                json!({
                    "v": 1,
                    "alert": "a",
                    "sent": false,
                    "error": "the variable X is not set",
                    "advice": "Set it where the guardian is started.",
                    "exit": 2,
                }),
            ),
        ] {
            assert_eq!(told("a", &result), expected);
        }
    }
}
