//! From TOML to a profile, mistakes said with their line.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use toml::Spanned;

use super::ask::{Dialog, Input};
use super::condition::Condition;
use super::manners::{Hang, Keys, Resume, Sending};
use super::region::{Pick, Region};
use super::state::State;
use super::written::{self, Text};
use crate::config::{self, ConfigError};

/// How large a compiled regex may get, in bytes: profiles may come from the user.
const REGEX_SIZE: usize = 1 << 20;

/// Why a profile cannot be used: where in which file, and what.
pub type ProfileError = ConfigError;

/// How one kind of program is read and treated.
#[derive(Debug)]
pub struct Profile {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) checked_with: Vec<String>,
    pub(super) commands: Vec<Regex>,
    pub(super) any_command: bool,
    pub(super) sending: Sending,
    pub(super) keys: Keys,
    pub(super) resume: Resume,
    pub(super) hang: Hang,
    pub(super) input: Option<Input>,
    pub(super) regions: Vec<Region>,
    pub(super) dialogs: Vec<Dialog>,
    pub(super) rules: Vec<Rule>,
}

/// What a state is read by.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) state: State,
    pub(super) care: u8,
    pub(super) sub: Option<String>,
    pub(super) priority: i32,
    pub(super) hint: bool,
    pub(super) dialog: Option<usize>,
    pub(super) go_on: Option<GoOn>,
    pub(super) condition: Condition,
}

/// How a program goes on that its rule says has been stopped.
#[derive(Debug)]
pub(super) struct GoOn {
    pub(super) choice: Option<Regex>,
    pub(super) prompt: Option<String>,
}

impl Profile {
    /// Reads the TOML of a profile; `path` is what errors call it.
    ///
    /// # Errors
    /// When it is no TOML, says something that is not known, or makes no sense: a regex that does not
    /// compile, a region that is not there, a rule that sees nothing, an idle one without a guard.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ProfileError> {
        let file: written::File = config::parse(path, text)?;
        Compiler::default()
            .file(file)
            .map_err(|Mistake { at, what }| wrong(path, text, at, what))
    }
}

fn wrong(path: &Path, text: &str, at: Range<usize>, what: String) -> ConfigError {
    let before = text.get(..at.start).unwrap_or_default();
    let line_begins = before.rfind('\n').map_or(0, |at| at + 1);
    ConfigError::Wrong {
        path: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before.len() - line_begins + 1,
        what,
    }
}

struct Mistake {
    at: Range<usize>,
    what: String,
}

fn mistake<T>(at: Range<usize>, what: impl Into<String>) -> Result<T, Mistake> {
    let what = what.into();
    Err(Mistake { at, what })
}

/// What has been named so far: names stand for what is above them, so nothing goes in circles.
#[derive(Default)]
struct Compiler {
    regions: HashMap<String, usize>,
    signs: HashMap<String, Arc<Condition>>,
    dialogs: HashMap<String, usize>,
    rules: HashMap<String, ()>,
}

impl Compiler {
    fn file(&mut self, file: written::File) -> Result<Profile, Mistake> {
        let name = file.agent.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            let what = "a name may only have letters, digits, `-` and `_`";
            return mistake(file.agent.span(), what);
        }
        let mut commands = Vec::new();
        for command in &file.commands {
            // A regex of its own first, so that no bracket of it can undo the anchors.
            regex(command)?;
            let whole = format!("^(?:{})$", command.get_ref());
            commands.push(regex(&Spanned::new(command.span(), whole))?);
        }
        let mut regions = Vec::new();
        for (number, region) in file.region.into_iter().enumerate() {
            let (compiled, name) = self.region(region)?;
            regions.push(compiled);
            once(&mut self.regions, name, number)?;
        }
        for sign in file.sign {
            let written::Sign { id, all, any, none } = sign.into_inner();
            let condition = self.conditions(all, any, none)?;
            once(&mut self.signs, id, Arc::new(condition))?;
        }
        let mut dialogs = Vec::new();
        for (number, dialog) in file.dialog.into_iter().enumerate() {
            let dialog = dialog.into_inner();
            dialogs.push(Dialog {
                region: self.known_region(&dialog.region)?,
                choice: dialog.choice.as_ref().map(regex).transpose()?,
                fixed: dialog.fixed.into_iter().map(Into::into).collect(),
                help: dialog.help.as_ref().map(regex).transpose()?,
                yes: dialog.yes.as_ref().map(regex).transpose()?,
                no: dialog.no.as_ref().map(regex).transpose()?,
                enter: dialog.enter,
            });
            once(&mut self.dialogs, dialog.name, number)?;
        }
        let input = match file.input {
            Some(input) => Some(Input {
                region: self.known_region(&input.region)?,
                prompt: regex(&input.prompt)?,
                placeholders: input
                    .placeholders
                    .iter()
                    .map(regex)
                    .collect::<Result<_, _>>()?,
                cursor: input.cursor,
                only_with_cursor: input.only_with_cursor,
                repeats: input.repeats,
            }),
            None => None,
        };
        let rules = file
            .rule
            .into_iter()
            .map(|rule| self.rule(rule))
            .collect::<Result<_, _>>()?;
        Ok(Profile {
            name: file.agent.into_inner(),
            version: file.version,
            checked_with: file.checked_with,
            commands,
            any_command: file.any_command,
            sending: file.sending,
            keys: file.keys,
            resume: file.resume,
            hang: file.hang,
            input,
            regions,
            dialogs,
            rules,
        })
    }

    fn region(&self, region: Spanned<written::Region>) -> Result<(Region, Text), Mistake> {
        let at = region.span();
        let region = region.into_inner();
        let mut picks = Vec::new();
        picks.extend(region.last.map(Pick::Last));
        picks.extend(region.first.map(Pick::First));
        picks.extend(region.bottom.map(Pick::Bottom));
        for (text, pick) in [
            (&region.below, Pick::Below as fn(Regex) -> Pick),
            (&region.from, Pick::From),
            (&region.above, Pick::Above),
            (&region.until, Pick::Until),
            (&region.run, Pick::Run),
        ] {
            if let Some(text) = text {
                picks.push(pick(regex(text)?));
            }
        }
        if let Some([top, bottom]) = &region.between {
            picks.push(Pick::Between(regex(top)?, regex(bottom)?));
        }
        if let Some(other) = &region.before {
            picks.push(Pick::Before(self.known_region(other)?));
        }
        if let Some(other) = &region.after {
            picks.push(Pick::After(self.known_region(other)?));
        }
        if region.cursor_row == Some(true) {
            picks.push(Pick::CursorRow);
        }
        if let Some(text) = &region.cursor_line {
            picks.push(Pick::CursorLine(regex(text)?));
        }
        if picks.len() > 1 {
            return mistake(at, "a region is found in one way only");
        }
        let compiled = Region {
            of: region
                .of
                .as_ref()
                .map(|of| self.known_region(of))
                .transpose()?,
            frame: region.frame,
            or_all: region.or_all,
            pick: picks.pop().unwrap_or(Pick::Whole),
        };
        Ok((compiled, region.name))
    }

    fn rule(&mut self, rule: Spanned<written::Rule>) -> Result<Rule, Mistake> {
        let rule = rule.into_inner();
        let state = *rule.state.get_ref();
        let Some(care) = state.care() else {
            let what = format!("no rule can see that a program is {state}");
            return mistake(rule.state.span(), what);
        };
        let condition = self.conditions(rule.all, rule.any, rule.none)?;
        let at = rule.id.span();
        if !condition.is_positive() {
            return mistake(at, "this rule asks for nothing that is seen");
        }
        if state == State::Idle && !rule.hint && !condition.guards() {
            return mistake(at, "an idle rule needs a guard: something in `none`");
        }
        let dialog = match &rule.dialog {
            Some(name) => Some(known(&self.dialogs, name, "dialog")?),
            None => None,
        };
        let go_on = match rule.go_on {
            Some(go_on) => Some(going_on(go_on, state, dialog.is_some())?),
            None => None,
        };
        let id = rule.id.get_ref().clone();
        once(&mut self.rules, rule.id, ())?;
        Ok(Rule {
            id,
            state,
            care,
            sub: rule.sub,
            priority: rule.priority,
            hint: rule.hint,
            dialog,
            go_on,
            condition,
        })
    }

    fn conditions(
        &self,
        all: Vec<Spanned<written::Condition>>,
        any: Vec<Spanned<written::Condition>>,
        none: Vec<Spanned<written::Condition>>,
    ) -> Result<Condition, Mistake> {
        let mut conditions = self.each(all)?;
        if !any.is_empty() {
            conditions.push(Condition::Any(self.each(any)?));
        }
        if !none.is_empty() {
            conditions.push(Condition::None(self.each(none)?));
        }
        Ok(Condition::All(conditions))
    }

    fn each(
        &self,
        conditions: Vec<Spanned<written::Condition>>,
    ) -> Result<Vec<Condition>, Mistake> {
        let each = conditions.into_iter();
        each.map(|condition| self.condition(condition)).collect()
    }

    fn condition(&self, condition: Spanned<written::Condition>) -> Result<Condition, Mistake> {
        let at = condition.span();
        let one = condition.into_inner();
        let mut kinds = Vec::new();
        if let Some(region) = &one.region {
            let region = self.known_region(region)?;
            match (&one.row, &one.text) {
                (Some(row), None) => kinds.push(Condition::Row(region, regex(row)?)),
                (None, Some(text)) => kinds.push(Condition::Text(region, regex(text)?)),
                _ => return mistake(at, "`in` goes with one of `row` and `text`"),
            }
        } else if one.row.is_some() || one.text.is_some() {
            return mistake(
                at,
                "`row` and `text` need `in`: the region they are looked for in",
            );
        }
        if let Some(region) = &one.present {
            kinds.push(Condition::Present(self.known_region(region)?));
        }
        if let Some(region) = &one.cursor_in {
            kinds.push(Condition::CursorIn(self.known_region(region)?));
        }
        if let Some(region) = &one.cursor_out {
            kinds.push(Condition::CursorOut(self.known_region(region)?));
        }
        for (text, kind) in [
            (&one.title, Condition::Title as fn(Regex) -> Condition),
            (&one.command, Condition::Command),
            (&one.in_band, Condition::InBand),
        ] {
            if let Some(text) = text {
                kinds.push(kind(regex(text)?));
            }
        }
        kinds.extend(one.title_unset.map(Condition::TitleUnset));
        kinds.extend(one.cursor_visible.map(Condition::CursorVisible));
        kinds.extend(one.cursor_at_edge.map(Condition::CursorAtEdge));
        kinds.extend(one.alternate.map(Condition::Alternate));
        kinds.extend(one.blank.map(Condition::Blank));
        if let Some(sign) = &one.sign {
            kinds.push(Condition::Sign(known(&self.signs, sign, "sign")?));
        }
        if one.all.is_some() || one.any.is_some() || one.none.is_some() {
            let [all, any, none] = [one.all, one.any, one.none].map(Option::unwrap_or_default);
            kinds.push(self.conditions(all, any, none)?);
        }
        match kinds.pop() {
            Some(kind) if kinds.is_empty() => Ok(kind),
            _ => mistake(
                at,
                "a condition asks for one thing, and for no more than that",
            ),
        }
    }

    fn known_region(&self, name: &Text) -> Result<usize, Mistake> {
        known(&self.regions, name, "region")
    }
}

fn going_on(
    go_on: Spanned<written::GoOn>,
    state: State,
    has_dialog: bool,
) -> Result<GoOn, Mistake> {
    let at = go_on.span();
    if !matches!(state, State::Limited | State::Errored) {
        let what = format!("one that is {state} has not been stopped, and cannot go on");
        return mistake(at, what);
    }
    let written::GoOn { choice, prompt } = go_on.into_inner();
    if choice.is_none() && prompt.is_none() {
        return mistake(at, "it goes on by a `choice`, by a `prompt`, or by both");
    }
    if choice.is_some() && !has_dialog {
        return mistake(at, "a choice needs a `dialog` to stand in");
    }
    let is_line = |prompt: &String| !prompt.trim().is_empty() && !prompt.contains(char::is_control);
    if prompt.as_ref().is_some_and(|prompt| !is_line(prompt)) {
        return mistake(at, "the prompt is one line of text");
    }
    Ok(GoOn {
        choice: choice.as_ref().map(regex).transpose()?,
        prompt,
    })
}

fn known<T: Clone>(names: &HashMap<String, T>, name: &Text, what: &str) -> Result<T, Mistake> {
    let Some(found) = names.get(name.get_ref()) else {
        let what = format!("no {what} {:?} stands above this", name.get_ref());
        return mistake(name.span(), what);
    };
    Ok(found.clone())
}

fn once<T>(names: &mut HashMap<String, T>, name: Text, value: T) -> Result<(), Mistake> {
    let at = name.span();
    let name = name.into_inner();
    if names.contains_key(&name) {
        return mistake(at, format!("{name:?} is there already"));
    }
    names.insert(name, value);
    Ok(())
}

fn regex(text: &Text) -> Result<Regex, Mistake> {
    RegexBuilder::new(text.get_ref())
        .size_limit(REGEX_SIZE)
        .dfa_size_limit(REGEX_SIZE)
        .build()
        .map_err(|error| {
            // The last line says it; those before draw the place.
            let error = error.to_string();
            let what = error.lines().last().unwrap_or_default();
            let what = what.trim_start_matches("error: ").to_owned();
            Mistake {
                at: text.span(),
                what: format!("this regex cannot be used: {what}"),
            }
        })
}
