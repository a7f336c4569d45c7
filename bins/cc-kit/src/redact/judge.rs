//! Whether a rule matches at a place.

use regex::bytes::Regex;

use super::entropy;
use super::rules::{Compiled, Rules, Shape};
use super::visible::{Page, Reach, Set, View};

/// How much of what stands before a place counts.
pub(super) const BEFORE: usize = 64;
/// A token that broke over more lines than this is not looked at line by line.
const BREAKS: usize = 16;
/// So much of a token after its keyword is a token when the stream pauses.
const PARTIAL: usize = 4;

/// What follows the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// More, soon.
    More,
    /// Perhaps more, later.
    Pause,
    /// Nothing.
    End,
}

/// A secret.
#[derive(Debug)]
pub(super) struct Found {
    /// Which rule says so.
    pub(super) rule: usize,
    /// Its first byte.
    pub(super) start: usize,
    /// The byte after it.
    pub(super) end: usize,
    /// What shows of it.
    pub(super) secret: Vec<u8>,
    /// It goes to the end of the data and may go on.
    pub(super) open: bool,
}

/// What is at a place.
#[derive(Debug)]
pub(super) enum Verdict {
    /// No secret begins here.
    No,
    /// That depends on what follows.
    Open,
    /// A secret.
    Hit(Found),
    /// A secret that goes on until its end mark comes.
    Block(Found),
}

/// What is at the byte `at`. The answer does not depend on how much data there is, unless it is
/// [`Verdict::Open`].
pub(super) fn judge(rules: &Rules, page: Page<'_>, at: usize, until: Until) -> Verdict {
    Judge { rules, page, until }.at(at, false)
}

struct Judge<'a> {
    rules: &'a Rules,
    page: Page<'a>,
    until: Until,
}

impl Judge<'_> {
    fn at(&self, at: usize, tokens: bool) -> Verdict {
        let Some(first) = self.page.data.get(at) else {
            return Verdict::No;
        };
        let starting = self.rules.starting(*first);
        if starting.is_empty() || !self.page.shows(at) {
            return Verdict::No;
        }
        // Most places are ruled out by the bytes up to where something does not show.
        let run = self.page.run(at, self.rules.longest);
        let possible = |(keyword, _): &(Box<[u8]>, usize)| {
            run.starts_with(keyword) || keyword.starts_with(run)
        };
        if !starting.iter().any(possible) {
            return Verdict::No;
        }
        let head = |join| {
            let reach = Reach {
                limit: self.rules.longest,
                join,
                set: &Set::ALL,
            };
            self.page.view(at, reach)
        };
        let clear = (run.len() == self.rules.longest).then_some(run);
        let views = clear.is_none().then(|| (head(true), head(false)));
        let mut open = false;
        for (keyword, number) in starting {
            let Some(rule) = self.rules.list.get(*number) else {
                continue;
            };
            let (text, more) = match (&views, clear) {
                (Some((joined, _)), _) if rule.join => (joined.text.as_slice(), joined.open),
                (Some((_, line)), _) => (line.text.as_slice(), line.open),
                (None, text) => (text.unwrap_or_default(), false),
            };
            if tokens && rule.shape != Shape::Token {
                continue;
            }
            let verdict = if text.starts_with(keyword) {
                self.rule(rule, *number, at, keyword.len())
            } else if more && self.until != Until::End && keyword.starts_with(text) {
                Verdict::Open
            } else {
                continue;
            };
            match verdict {
                Verdict::No => {}
                Verdict::Open if self.until == Until::More => return Verdict::Open,
                Verdict::Open => open = true,
                hit => return hit,
            }
        }
        if open { Verdict::Open } else { Verdict::No }
    }

    fn rule(&self, rule: &Compiled, number: usize, at: usize, keyword: usize) -> Verdict {
        if rule.edge && !self.edge(at) {
            return Verdict::No;
        }
        if let Some(before) = &rule.before
            && !before.is_match(&self.page.before(at, BEFORE))
        {
            return Verdict::No;
        }
        let reach = Reach {
            limit: rule.limit,
            join: rule.join,
            set: match rule.shape {
                Shape::Token | Shape::Block => &rule.set,
                _ => &rule.window,
            },
        };
        let mut view = self.page.view(at, reach);
        view.open &= self.until != Until::End;
        if rule.shape == Shape::Block {
            return self.block(rule, number, &view);
        }
        if rule.shape == Shape::Value {
            let goes_on = view.open && rule.value.starts_with(&view.text);
            return match view.text == rule.value {
                true => self.hit(rule, number, &view, (0, view.text.len())),
                false if goes_on => Verdict::Open,
                false => Verdict::No,
            };
        }
        if view.open && self.until == Until::More {
            return Verdict::Open;
        }
        let verdict = match (rule.shape, &rule.regex) {
            (Shape::Token, Some(regex)) => self.token(rule, regex, number, &view),
            (Shape::Around, Some(regex)) => self.around(rule, regex, number, at, &view),
            (_, Some(regex)) => self.line(rule, regex, number, &view),
            (_, None) => Verdict::No,
        };
        match verdict {
            Verdict::No if view.open => Self::partial(rule, number, keyword, &view),
            verdict => verdict,
        }
    }

    /// What to do with the open end of what may become a secret, when the stream pauses.
    fn partial(rule: &Compiled, number: usize, keyword: usize, view: &View) -> Verdict {
        let start = match &rule.partial {
            Some(partial) => partial.captures(&view.text).map(|found| {
                let secret = found.get(1).or_else(|| found.get(0));
                secret.map_or(0, |secret| secret.start())
            }),
            // A prefix that is a word's too counts only where the word is being printed.
            None if rule.edge && view.broken => None,
            None => {
                (rule.shape == Shape::Token && view.text.len() >= keyword + PARTIAL).then_some(0)
            }
        };
        match start {
            Some(start) if start < view.text.len() => {
                Verdict::Hit(Self::found(number, view, (start, view.text.len())))
            }
            _ => Verdict::Open,
        }
    }

    /// Whether a word may begin at `at`. What a program wrote as `\n` is no letter.
    fn edge(&self, at: usize) -> bool {
        match *self.page.before(at, 2) {
            [.., b'\\', b'n' | b'r' | b't'] => true,
            [.., last] => !(last.is_ascii_alphanumeric() || last == b'_'),
            [] => true,
        }
    }

    fn token(&self, rule: &Compiled, regex: &Regex, number: usize, view: &View) -> Verdict {
        let text = view.text.as_slice();
        let whole = text.len();
        let breaks = || {
            view.breaks
                .iter()
                .copied()
                .filter(|at| *at > 0 && *at < whole)
        };
        let upto = |len: usize| text.get(..len).unwrap_or(text);
        let break_after = |at: usize| breaks().find(|next| *next >= at).unwrap_or(whole);
        // A match up to `len`, which the rest of its line then belongs to.
        let ends = |len: usize| {
            let end = regex.find(upto(len))?.end();
            let line = break_after(end).min(len);
            (!rule.whole || end == line).then_some(line)
        };
        let shorter = breaks().collect::<Vec<_>>();
        let tries = std::iter::once(whole).chain(shorter.iter().rev().copied().take(BREAKS));
        let Some(mut end) = tries.into_iter().find_map(ends) else {
            return Verdict::No;
        };
        // A token that is complete where a line breaks goes on only with what looks like it.
        let (mut line, mut width) = (0, 0);
        for at in breaks().take(BREAKS).take_while(|at| *at < end) {
            let next = text.get(at..break_after(at + 1)).unwrap_or_default();
            // Two full lines of one width were wrapped there.
            let wrapped = line > 0 && at - line == width;
            (width, line) = (at - line, at);
            if !wrapped && ends(at) == Some(at) && !self.continues(next) {
                end = at;
                break;
            }
        }
        let secret = regex
            .captures(upto(end))
            .and_then(|found| found.get(rule.group));
        self.hit(
            rule,
            number,
            view,
            (secret.map_or(0, |secret| secret.start()), end),
        )
    }

    fn continues(&self, text: &[u8]) -> bool {
        let starting = text
            .first()
            .map_or(&[][..], |first| self.rules.starting(*first));
        entropy::continues(text)
            && !starting
                .iter()
                .any(|(keyword, _)| text.starts_with(keyword))
    }

    fn line(&self, rule: &Compiled, regex: &Regex, number: usize, view: &View) -> Verdict {
        let text = view.text.as_slice();
        if rule
            .must
            .is_some_and(|must| memchr::memchr(must, text).is_none())
        {
            return Verdict::No;
        }
        let Some(secret) = regex.captures(text).and_then(|found| found.get(rule.group)) else {
            return Verdict::No;
        };
        if rule.strict
            && (entropy::identifier(secret.as_bytes()) || text.get(secret.end()) == Some(&b'('))
        {
            return Verdict::No;
        }
        let name = text.get(..secret.start()).unwrap_or_default();
        if rule
            .unless
            .as_ref()
            .is_some_and(|unless| unless.is_match(name))
        {
            return Verdict::No;
        }
        // A rule that knows this secret by its own shape names it better.
        if secret.start() > 0 {
            match self.at(view.raw(secret.start()), true) {
                Verdict::No => {}
                Verdict::Open if self.until != Until::More => {}
                better => return better,
            }
        }
        self.hit(rule, number, view, (secret.start(), secret.end()))
    }

    fn around(
        &self,
        rule: &Compiled,
        regex: &Regex,
        number: usize,
        at: usize,
        view: &View,
    ) -> Verdict {
        let mut text = self.page.before(at, BEFORE);
        let begin = text.len();
        text.extend_from_slice(&view.text);
        for found in regex.captures_iter(&text) {
            if let Some(secret) = found.get(rule.group)
                && secret.end() > begin
            {
                let span = (secret.start().saturating_sub(begin), secret.end() - begin);
                match self.hit(rule, number, view, span) {
                    Verdict::No => {}
                    hit => return hit,
                }
            }
        }
        Verdict::No
    }

    fn block(&self, rule: &Compiled, number: usize, view: &View) -> Verdict {
        let found = rule.regex.as_ref().and_then(|regex| regex.find(&view.text));
        let Some(end) = found.map(|found| found.end()).filter(|end| *end > 0) else {
            return if view.open {
                Verdict::Open
            } else {
                Verdict::No
            };
        };
        // In a program's text a quote or the like follows, and no key.
        let reach = Reach {
            limit: 2,
            join: false,
            set: &Set::ALL,
        };
        let follows = self.page.view(view.raw(end - 1), reach);
        match follows.text.get(1) {
            None if follows.open && self.until == Until::More => Verdict::Open,
            Some(byte) if !(byte.is_ascii_alphanumeric() || b" \t\\+/".contains(byte)) => {
                Verdict::No
            }
            _ => Verdict::Block(Self::found(number, view, (0, end))),
        }
    }

    fn hit(&self, rule: &Compiled, number: usize, view: &View, span: (usize, usize)) -> Verdict {
        let secret = view.text.get(span.0..span.1).unwrap_or_default();
        let none = secret.is_empty()
            || (rule.entropy > 0.0 && entropy::entropy(secret) < rule.entropy)
            || (rule.stop && entropy::placeholder(secret))
            || self.rules.allow.iter().any(|allow| allow.is_match(secret));
        if none {
            return Verdict::No;
        }
        Verdict::Hit(Self::found(number, view, span))
    }

    fn found(rule: usize, view: &View, (start, end): (usize, usize)) -> Found {
        Found {
            rule,
            start: view.raw(start),
            end: view.raw(end.saturating_sub(1)) + 1,
            secret: view.text.get(start..end).unwrap_or_default().to_vec(),
            open: view.open && end == view.text.len(),
        }
    }
}
