//! `status`: everything on one screen, those that need somebody first.

use std::collections::BTreeMap;

use cc_kit::exit::{Exit, Failure};
use cc_kit::printable::harmless;
use cc_kit::stdout::print;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::ask::{PATIENCE, ask, places};
use crate::cli;
use crate::pick::Pick;
use crate::request::Request;
use crate::show::{columns, units, watch};
use crate::top::{Question, State, Unit, details, fit, glyph, left, says, span, width};

/// Says how the units are, or how one of them is.
pub(crate) fn status(status: &cli::Status) -> Result<Exit, Failure> {
    let places = places(&status.state)?;
    let shown = |answer: &Value| -> Result<(String, Exit), Failure> {
        let all: Vec<Unit> = units(answer)?.into_iter().map(|(_, unit)| unit).collect();
        let pick = Pick::read(status.unit.as_slice(), &[], &[])?;
        pick.all_known(&all)?;
        let meant: Vec<Unit> = all.into_iter().filter(|unit| pick.means(unit)).collect();
        let summary = Summary::of(&meant);
        let now = Timestamp::now();
        let text = match (status.json, status.unit.is_some(), meant.as_slice()) {
            (true, _, _) => format!("{}\n", summary.json(answer)),
            (false, true, [one]) => one_unit(one, now),
            (false, by_name, _) => summary.text(answer, by_name, now),
        };
        let needed = !summary.needs.is_empty();
        Ok((text, if needed { Exit::Blocked } else { Exit::Success }))
    };
    if status.watch {
        watch(&Request::Watch, &places, status.json, |_| {
            Ok(shown(&ask(&places, &Request::Status, PATIENCE)?)?.0)
        })?;
        return Ok(Exit::Success);
    }
    let (text, exit) = shown(&ask(&places, &Request::Status, PATIENCE)?)?;
    print(&text)?;
    Ok(exit)
}

fn one_unit(unit: &Unit, now: Timestamp) -> String {
    let wide = u16::try_from(columns()).unwrap_or(u16::MAX);
    let mut lines = vec![fit(&unit.unit, wide.into())];
    lines.extend(details(unit, wide.into(), now));
    if let Some(next) = what_to_do(unit) {
        lines.push(format!("{:<12}{next}", "next"));
    }
    lines.join("\n") + "\n"
}

/// Why a unit needs somebody; `None` where it gets on by itself.
pub(crate) fn need(unit: &Unit) -> Option<String> {
    let sub = unit.sub.as_deref().unwrap_or_default();
    let needed = match unit.state() {
        State::Blocked | State::Errored | State::Held | State::Hung => true,
        // What ended as it should has done what it was for, or was told to.
        State::Dead => !matches!(sub, "exit 0" | "operator"),
        // No time brings money.
        State::Limited => sub == "billing",
        _ => false,
    };
    let said = says(unit);
    let why = match (sub, said.as_str()) {
        ("", "") => "nobody knows why".to_owned(),
        (sub, "") => sub.to_owned(),
        ("", said) => said.to_owned(),
        (sub, said) => format!("{sub}: {said}"),
    };
    needed.then_some(why)
}

/// The command that brings somebody further.
fn what_to_do(unit: &Unit) -> Option<String> {
    let name = &unit.unit;
    need(unit)?;
    Some(match unit.state() {
        // A choice that no key gives is made by who is attached.
        State::Blocked => match &unit.question {
            Some(asked) if !keys(asked).is_empty() => {
                format!("cc-guardian answer {name} {}", keys(asked).join("|"))
            }
            _ => format!("cc-guardian attach {name}"),
        },
        State::Held | State::Dead => format!("cc-guardian start {name}"),
        State::Hung => format!("cc-guardian restart {name}"),
        _ => format!("cc-guardian why {name}"),
    })
}

/// The keys of its choices that can be typed.
fn keys(asked: &Question) -> Vec<&str> {
    let is_typed = |key: &&str| !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric());
    let keys = asked.choices.iter().map(|choice| choice.key.as_str());
    keys.filter(is_typed).collect()
}

/// What there is to say of all of them.
#[derive(Debug)]
struct Summary<'a> {
    units: usize,
    counts: Vec<(State, usize)>,
    /// Those that need somebody, the most urgent first, and why.
    needs: Vec<(&'a Unit, String)>,
    /// Accounts that are limited: the end of the limit that ends first, and whose they are.
    limits: BTreeMap<String, (Option<Timestamp>, Vec<&'a str>)>,
}

impl<'a> Summary<'a> {
    fn of(units: &'a [Unit]) -> Self {
        let mut needs: Vec<_> = units
            .iter()
            .filter_map(|unit| Some((unit, need(unit)?)))
            .collect();
        needs.sort_by_key(|(unit, _)| (unit.state(), unit.since));
        let mut limits = BTreeMap::<String, (Option<Timestamp>, Vec<&str>)>::new();
        for unit in units.iter().filter(|unit| unit.state() == State::Limited) {
            let account = unit
                .account
                .clone()
                .unwrap_or_else(|| "no account".to_owned());
            let (reset, whose) = limits.entry(account).or_default();
            *reset = (*reset).into_iter().chain(unit.reset).min();
            whose.push(&unit.unit);
        }
        let count = |state| units.iter().filter(|unit| unit.state() == state).count();
        let counts = State::ALL.into_iter().map(|state| (state, count(state)));
        Self {
            units: units.len(),
            counts: counts.filter(|(_, count)| *count > 0).collect(),
            needs,
            limits,
        }
    }

    fn json(&self, answer: &Value) -> Value {
        let counts: BTreeMap<_, _> = self.counts.iter().map(|(s, n)| (s.word(), n)).collect();
        let needs = self.needs.iter().map(|(unit, why)| {
            json!({
                "unit": unit.unit,
                "state": unit.state_word,
                "sub": unit.sub,
                "since": unit.since.map(|since| since.to_string()),
                "why": why,
            })
        });
        let limits = self.limits.iter().map(|(account, (reset, units))| {
            let reset = reset.map(|reset| reset.to_string());
            json!({"account": account, "reset": reset, "units": units})
        });
        json!({
            "v": 1,
            "units": self.units,
            "counts": counts,
            "attention": needs.collect::<Vec<_>>(),
            "limits": limits.collect::<Vec<_>>(),
            "guardian": answer.get("guardian"),
            "servers": answer.get("servers"),
        })
    }

    fn text(&self, answer: &Value, by_name: bool, now: Timestamp) -> String {
        let mut lines = vec![self.first()];
        if !self.needs.is_empty() {
            lines.push("needs somebody:".to_owned());
        }
        let names = self
            .needs
            .iter()
            .map(|(unit, _)| width(&fit(&unit.unit, 40)));
        let wide = names.max().unwrap_or_default();
        for (unit, why) in &self.needs {
            let age = unit.since.map(|since| now.as_second() - since.as_second());
            let age = age.map(span).unwrap_or_default();
            let name = fit(&unit.unit, 40);
            let blank = " ".repeat(wide.saturating_sub(width(&name)));
            let (glyph, word) = (glyph(unit.state()), unit.state().word());
            lines.push(format!("  {glyph} {word:<8} {name}{blank} {age:>6}  {why}"));
        }
        if let [(unit, _)] = self.needs.as_slice()
            && let Some(next) = what_to_do(unit)
        {
            lines.push(format!("  next: {next}"));
        }
        if !self.limits.is_empty() {
            lines.push("limited:".to_owned());
        }
        for (account, (reset, units)) in &self.limits {
            let until = reset.map_or_else(
                || "nobody knows until when".to_owned(),
                |reset| format!("ends in {}, {reset}", left(reset, now)),
            );
            let units = many(units.len(), "unit");
            lines.push(format!("  {account}: {units}, {until}"));
        }
        if !by_name {
            lines.extend(health(answer, now));
        }
        let wide = columns();
        let fitted = lines.iter().map(|line| fit(line, wide) + "\n");
        fitted.collect()
    }

    /// `5 units: ? 1 blocked, ○ 4 idle`.
    fn first(&self) -> String {
        let counts = self.counts.iter();
        let counts = counts.map(|(state, n)| format!("{} {n} {}", glyph(*state), state.word()));
        let counts = counts.collect::<Vec<_>>().join(", ");
        match self.units {
            0 => {
                "There are no units: declare some, and start them with `cc-guardian up`.".to_owned()
            }
            units => format!("{}: {counts}", many(units, "unit")),
        }
    }
}

fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The guardian itself, and its tmux servers.
fn health(answer: &Value, now: Timestamp) -> Vec<String> {
    let text = |of: &Value, name: &str| {
        let text = of.get(name).and_then(Value::as_str).unwrap_or_default();
        harmless(text).to_string()
    };
    let number = |of: &Value, name: &str| of.get(name).and_then(Value::as_u64);
    let mut lines = Vec::new();
    if let Some(guardian) = answer.get("guardian") {
        let since: Option<Timestamp> = text(guardian, "since").parse().ok();
        let up = since.map(|since| span(now.as_second() - since.as_second()));
        lines.push(format!(
            "guardian: {} with pid {}, up for {}, state in {}",
            text(guardian, "version"),
            number(guardian, "pid").unwrap_or_default(),
            up.unwrap_or_else(|| "?".to_owned()),
            text(guardian, "state"),
        ));
    }
    let servers = answer.get("servers").and_then(Value::as_array);
    for server in servers.into_iter().flatten() {
        let name = text(server, "name");
        let units = usize::try_from(number(server, "units").unwrap_or_default());
        let units = many(units.unwrap_or_default(), "unit");
        let how = match (number(server, "pid"), text(server, "version").as_str()) {
            (Some(pid), version) => format!("tmux {version} with pid {pid}"),
            (None, _) => "does not run".to_owned(),
        };
        let socket = text(server, "socket");
        lines.push(format!("server {name}: {how}, {units}, {socket}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::{Choice, demo};

    fn unit(state: &str, sub: Option<&str>) -> Unit {
        Unit {
            unit: "w@1".into(),
            state_word: state.into(),
            sub: sub.map(str::to_owned),
            last_line: Some("last".into()),
            ..Unit::default()
        }
    }

    #[test]
    fn who_gets_on_without_anybody_needs_nobody() {
        let table = [
            ("blocked", Some("permission"), true),
            ("errored", Some("auth"), true),
            ("held", None, true),
            ("hung", None, true),
            ("dead", Some("exit 1"), true),
            ("dead", Some("exit 0"), false),
            ("dead", Some("operator"), false),
            ("limited", Some("usage"), false),
            ("limited", Some("billing"), true),
            ("suspect", None, false),
            ("unknown", None, false),
            ("busy", Some("tool"), false),
            ("starting", None, false),
            ("idle", None, false),
            ("absent", None, false),
        ];
        for (state, sub, needs) in table {
            let unit = unit(state, sub);
            assert_eq!(need(&unit).is_some(), needs, "{state} {sub:?}");
            assert_eq!(what_to_do(&unit).is_some(), needs, "{state} {sub:?}");
        }
        assert_eq!(need(&unit("errored", Some("auth"))).unwrap(), "auth: last");
        // What it asks is answered where that is known, and by one key.
        let mut asks = unit("blocked", Some("permission"));
        assert_eq!(what_to_do(&asks).unwrap(), "cc-guardian attach w@1");
        let choice = |key: &str| Choice {
            key: key.into(),
            ..Choice::default()
        };
        asks.question = Some(Question {
            choices: vec![choice("1"), choice(""), choice("2")],
            ..Question::default()
        });
        assert_eq!(what_to_do(&asks).unwrap(), "cc-guardian answer w@1 1|2");
    }

    #[test]
    fn a_summary_counts_everybody_and_names_those_who_need_somebody() {
        let units = demo::listing(100, 0, demo::START).units;
        let summary = Summary::of(&units);
        let counted: usize = summary.counts.iter().map(|(_, count)| count).sum();
        assert_eq!(counted, 100);
        let needs = units.iter().filter(|unit| need(unit).is_some()).count();
        assert_eq!(summary.needs.len(), needs);
        let told = summary.json(&json!({"guardian": {"pid": 1}, "servers": []}));
        assert_eq!(told["v"], 1);
        assert_eq!(told["units"], 100);
        assert_eq!(told["attention"].as_array().unwrap().len(), needs);
        assert_eq!(told["counts"]["blocked"], 5);
        assert_eq!(told["limits"][0]["account"], "team-a");
        assert_eq!(told["guardian"]["pid"], 1);
        let text = summary.text(&Value::Null, true, demo::START);
        assert!(
            text.starts_with("100 units: ? 5 blocked, ! 5 errored"),
            "{text}"
        );
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.contains("team-a: "), "{text}");
    }

    #[test]
    fn without_units_it_says_what_to_do() {
        let text = Summary::of(&[]).text(&Value::Null, true, demo::START);
        assert!(text.contains("cc-guardian up"), "{text}");
    }
}
