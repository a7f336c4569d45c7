//! The stream: what is held, what goes out.

use std::mem;
use std::sync::Arc;

use super::block::Block;
use super::judge::{BEFORE, Found, Until, Verdict, judge};
use super::rules::Rules;
use super::visible::{self, Mark, Page, Place, Seen, State};

/// So much is looked at at once.
const PIECE: usize = 32 << 10;
/// What a stream may keep of its working memory.
const SPARE: usize = 4 << 10;

/// A secret was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// By which rule.
    pub rule: Arc<str>,
    /// Bytes taken out.
    pub removed: u64,
    /// Bytes put in their place. None where more was taken out of a secret that was replaced before
    /// it ended.
    pub put: u64,
    /// The start of the keyed hash of what was seen of the secret.
    pub hash: [u8; 4],
}

/// Where the stream's bytes go.
pub(super) struct Sink<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) hit: &'a mut dyn FnMut(&Hit),
}

/// What a stream is in the middle of.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Plain,
    Swallow(Box<Swallow>),
    Block(Box<Block>),
}

/// A secret that was replaced when the stream paused, and goes on.
#[derive(Debug)]
struct Swallow {
    rule: usize,
    seen: Vec<u8>,
    removed: u64,
    hash: [u8; 4],
    broken: bool,
}

/// Text with what it holds back.
#[derive(Debug)]
pub(super) struct Stream {
    rules: Arc<Rules>,
    /// From where on a secret may begin.
    held: Vec<u8>,
    /// How much of that went out already, when the stream paused.
    gone: usize,
    place: Place,
    before: Vec<u8>,
    mode: Mode,
    marks: Vec<Mark>,
}

impl Stream {
    pub(super) const fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            held: Vec::new(),
            gone: 0,
            place: Place {
                state: State::Ground,
                fresh: false,
            },
            before: Vec::new(),
            mode: Mode::Plain,
            marks: Vec::new(),
        }
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.held.is_empty() && matches!(self.mode, Mode::Plain)
    }

    pub(super) fn held(&self) -> usize {
        self.held.len() - self.gone
    }

    pub(super) fn push(&mut self, bytes: &[u8], sink: &mut Sink<'_>) {
        for piece in bytes.chunks(PIECE) {
            self.feed(piece, Until::More, sink);
        }
    }

    /// Lets out what is held, and remembers it: a secret that began in it is still known as one.
    pub(super) fn pause(&mut self, sink: &mut Sink<'_>) {
        if !self.held.is_empty() {
            self.feed(&[], Until::Pause, sink);
        }
        if let Mode::Block(block) = &mut self.mode {
            block.put(&self.rules, sink);
        }
    }

    /// Ends the text; what comes next is another.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        if !self.held.is_empty() {
            self.feed(&[], Until::End, sink);
        }
        match mem::take(&mut self.mode) {
            Mode::Plain => {}
            Mode::Swallow(swallow) => swallow.report(&self.rules, sink),
            Mode::Block(mut block) => block.put(&self.rules, sink),
        }
        self.held.clear();
        self.gone = 0;
        self.place = Place::default();
        self.before.clear();
    }

    fn feed(&mut self, piece: &[u8], until: Until, sink: &mut Sink<'_>) {
        let mut held = mem::take(&mut self.held);
        let mut gone = mem::take(&mut self.gone);
        let joined = !held.is_empty();
        if joined {
            held.extend_from_slice(piece);
        }
        let data = if joined { held.as_slice() } else { piece };
        let mut at = 0;
        while at < data.len() {
            let rest = data.get(at..).unwrap_or_default();
            let used = match mem::take(&mut self.mode) {
                Mode::Swallow(swallow) => self.swallow(swallow, rest, sink),
                Mode::Block(block) => self.block(block, rest, sink),
                Mode::Plain => {
                    let (used, after) = self.scan(rest, gone, until, sink);
                    if matches!(self.mode, Mode::Plain) {
                        at += used;
                        gone = after;
                        break;
                    }
                    used
                }
            };
            at += used;
            gone = gone.saturating_sub(used);
        }
        if joined {
            held.drain(..at);
            held.shrink_to(SPARE);
            self.held = held;
        } else {
            self.held = data.get(at..).unwrap_or_default().to_vec();
        }
        self.gone = gone.min(self.held.len());
    }

    /// Lets out what can be, and returns from where on the data is to be kept, and how much of that
    /// is out. Stops early when the mode changes.
    fn scan(
        &mut self,
        data: &[u8],
        gone: usize,
        until: Until,
        sink: &mut Sink<'_>,
    ) -> (usize, usize) {
        let rules = Arc::clone(&self.rules);
        let before = mem::take(&mut self.before);
        let mut marks = mem::take(&mut self.marks);
        marks.clear();
        let mut place = visible::marks(data, self.place, &mut marks);
        let page = Page {
            data,
            marks: &marks,
            before: &before,
        };
        let mut search = Search::new(&rules, page);
        let mut out = gone;
        let mut hold = None;
        let mut keep = data.len();
        while let Some(at) = search.next() {
            match judge(&rules, page, at, until) {
                Verdict::No => {}
                Verdict::Open => {
                    hold.get_or_insert(at);
                    if until == Until::More {
                        break;
                    }
                }
                Verdict::Hit(found) => {
                    let end = found.end;
                    let hash = hash(&rules, &found.secret);
                    replace(&rules, page, &found, hash, &mut out, sink);
                    search.skip_to(end);
                    if found.open && until == Until::Pause {
                        hold = None;
                        self.mode = Mode::Swallow(Box::new(Swallow {
                            rule: found.rule,
                            seen: found.secret,
                            removed: 0,
                            hash,
                            broken: marks
                                .last()
                                .is_some_and(|mark| mark.end == data.len() && mark.lines > 0),
                        }));
                        break;
                    }
                }
                Verdict::Block(found) => {
                    copy(data, at, &mut out, sink);
                    let mut removed = 0;
                    for (hidden, shown) in page.parts(out.max(at), found.end) {
                        removed += shown.len() as u64;
                        sink.out.extend_from_slice(hidden);
                    }
                    out = out.max(found.end);
                    keep = found.end;
                    hold = None;
                    place = Place::default();
                    self.mode = Mode::Block(Box::new(Block::new(&rules, &found, removed)));
                    break;
                }
            }
        }
        if let Some(at) = hold {
            keep = at;
            place = Place::default();
        }
        let upto = if until == Until::More || matches!(self.mode, Mode::Block(_)) {
            keep
        } else {
            data.len()
        };
        copy(data, upto, &mut out, sink);
        self.before = page.before(keep, BEFORE);
        self.place = place;
        marks.shrink_to(SPARE / size_of::<Mark>());
        self.marks = marks;
        (keep, out.saturating_sub(keep))
    }

    fn swallow(&mut self, mut swallow: Box<Swallow>, data: &[u8], sink: &mut Sink<'_>) -> usize {
        let rules = Arc::clone(&self.rules);
        let Some(rule) = rules.list.get(swallow.rule) else {
            return 0;
        };
        for (at, &byte) in data.iter().enumerate() {
            let (state, seen) = self.place.state.step(byte);
            if seen != Seen::Visible {
                self.place.state = state;
                sink.out.push(byte);
                continue;
            }
            if byte == b'\n' && rule.join && !swallow.broken {
                // A whole token ends with its line; half of one goes on.
                let whole = rule
                    .regex
                    .as_ref()
                    .is_none_or(|regex| regex.is_match(&swallow.seen));
                swallow.broken = true;
                if !whole {
                    self.place.state = state;
                    sink.out.push(byte);
                    continue;
                }
            }
            if byte == b' ' && swallow.broken && rule.join {
                self.place.state = state;
                sink.out.push(byte);
                continue;
            }
            if !rule.set.has(byte) || swallow.seen.len() >= rule.limit.max(SPARE) {
                self.before.extend_from_slice(&swallow.seen);
                let surplus = self.before.len().saturating_sub(BEFORE);
                self.before.drain(..surplus);
                swallow.report(&rules, sink);
                return at;
            }
            self.place.state = state;
            swallow.broken = false;
            swallow.removed += 1;
            swallow.seen.push(byte);
        }
        self.mode = Mode::Swallow(swallow);
        data.len()
    }

    fn block(&mut self, mut block: Box<Block>, data: &[u8], sink: &mut Sink<'_>) -> usize {
        for (at, &byte) in data.iter().enumerate() {
            let before = self.place.state;
            let (state, seen) = before.step(byte);
            self.place.state = state;
            if seen != Seen::Visible {
                // Of a line break within nothing stays; escape sequences go on to the terminal.
                if byte < b' ' && before == State::Ground && state == State::Ground {
                    block.omit();
                } else {
                    sink.out.push(byte);
                }
            } else if block.take(byte) {
                block.put(&self.rules, sink);
                self.before.clear();
                self.place.fresh = false;
                return at + 1;
            }
        }
        self.mode = Mode::Block(block);
        data.len()
    }
}

impl Swallow {
    fn report(&self, rules: &Rules, sink: &mut Sink<'_>) {
        if self.removed > 0 {
            (sink.hit)(&Hit {
                rule: name(rules, self.rule),
                removed: self.removed,
                put: 0,
                hash: self.hash,
            });
        }
    }
}

/// Goes through the places where a rule may begin, in order.
struct Search<'a> {
    rules: &'a Rules,
    data: &'a [u8],
    /// What the finder found last.
    found: Option<usize>,
    /// Places that the finder does not see: the word is interrupted, or the data ends in it.
    others: Vec<usize>,
    cursor: usize,
}

impl<'a> Search<'a> {
    fn new(rules: &'a Rules, page: Page<'a>) -> Self {
        let data = page.data;
        let count = rules.longest;
        let mut others = Vec::new();
        for mark in page.marks {
            let left = mark.start.checked_sub(1).and_then(|left| data.get(left));
            if let (Some(left), Some(right)) = (left, data.get(mark.end))
                && rules.pairs.has(*left, *right)
                && mark.lines < 2
            {
                page.back(mark.start, count, &mut others);
            }
        }
        page.back(data.len(), count, &mut others);
        others.retain(|at| match data.get(*at..) {
            // Before a control the next byte that shows is not known here.
            Some([left, right, ..]) if *right >= b' ' => rules.finder.begins(*left, *right),
            Some([left, ..]) => !rules.starting(*left).is_empty(),
            _ => false,
        });
        // The next one last.
        others.sort_unstable_by(|left, right| right.cmp(left));
        others.dedup();
        let found = rules.finder.find(data, 0);
        Self {
            rules,
            data,
            found,
            others,
            cursor: 0,
        }
    }

    fn skip_to(&mut self, at: usize) {
        self.cursor = self.cursor.max(at);
    }

    fn next(&mut self) -> Option<usize> {
        while self.others.last().is_some_and(|at| *at < self.cursor) {
            self.others.pop();
        }
        if self.found.is_some_and(|at| at < self.cursor) {
            self.found = self.rules.finder.find(self.data, self.cursor);
        }
        let found = self.found.iter().chain(self.others.last()).min().copied()?;
        self.cursor = found + 1;
        Some(found)
    }
}

/// What replacements call a rule.
pub(super) fn name(rules: &Rules, rule: usize) -> Arc<str> {
    let rule = rules.list.get(rule);
    rule.map_or_else(|| "secret".into(), |rule| Arc::clone(&rule.id))
}

/// As much of a hash as is shown.
pub(super) fn first(hasher: &blake3::Hasher) -> [u8; 4] {
    let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
    [a, b, c, d]
}

fn hash(rules: &Rules, secret: &[u8]) -> [u8; 4] {
    first(rules.hasher().update(secret))
}

/// Writes the replacement; how long it is.
pub(super) fn write(rules: &Rules, rule: usize, hash: [u8; 4], out: &mut Vec<u8>) -> u64 {
    let number = u32::from_be_bytes(hash);
    let text = format!("<redacted:{}:{number:08x}>", name(rules, rule));
    out.extend_from_slice(text.as_bytes());
    text.len() as u64
}

/// Lets out the data up to `upto`, from where it is out.
fn copy(data: &[u8], upto: usize, out: &mut usize, sink: &mut Sink<'_>) {
    if upto > *out {
        sink.out
            .extend_from_slice(data.get(*out..upto).unwrap_or_default());
        *out = upto;
    }
}

/// Replaces what of a secret is not out yet. What does not show in it follows the replacement.
fn replace(
    rules: &Rules,
    page: Page<'_>,
    found: &Found,
    hash: [u8; 4],
    out: &mut usize,
    sink: &mut Sink<'_>,
) {
    copy(page.data, found.start, out, sink);
    let (mut removed, mut hidden) = (0, Vec::new());
    for (not_shown, shown) in page.parts(*out, found.end) {
        removed += shown.len() as u64;
        hidden.extend_from_slice(not_shown);
    }
    if removed > 0 {
        let put = write(rules, found.rule, hash, sink.out);
        let rule = name(rules, found.rule);
        (sink.hit)(&Hit {
            rule,
            removed,
            put,
            hash,
        });
    }
    sink.out.extend_from_slice(&hidden);
    *out = (*out).max(found.end);
}
