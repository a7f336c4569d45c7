//! Text as words, numbers and marks, and a reader that can go back.

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) text: &'t str,
    pub(super) kind: Kind,
    /// Was there anything blank before it?
    pub(super) spaced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// ASCII letters.
    Word,
    /// ASCII digits.
    Number,
    /// Any other character that can be seen.
    Mark,
}

/// What is longer is nothing that can be read: it must not get into what is told of a phrase.
const LONGEST: usize = 40;

/// Cuts the text up. An end of line is a blank like any other, because agents wrap their own lines;
/// the frames they draw around them are blank too.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut spaced = true;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = if first.is_ascii_alphabetic() {
            Kind::Word
        } else if first.is_ascii_digit() {
            Kind::Number
        } else {
            Kind::Mark
        };
        let length = match kind {
            Kind::Word => run(rest, |byte| byte.is_ascii_alphabetic()),
            Kind::Number => run(rest, |byte| byte.is_ascii_digit()),
            Kind::Mark => first.len_utf8(),
        };
        let (text, after) = rest.split_at(length);
        rest = after;
        let kind = if length > LONGEST { Kind::Mark } else { kind };
        if is_blank(first) {
            spaced = true;
        } else {
            tokens.push(Token { text, kind, spaced });
            spaced = false;
        }
    }
    tokens
}

/// How many bytes the run has that the text begins with.
fn run(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| belongs(*byte)).count()
}

/// Nothing to read: space, controls, frames and blocks, and what only steers how text is shown.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character,
            '\u{2500}'..='\u{259f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}')
}

/// Reads tokens one after another; a copy of it is a place to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a, 't> {
    tokens: &'a [Token<'t>],
    next: usize,
}

impl<'a, 't> Reader<'a, 't> {
    pub(super) fn new(tokens: &'a [Token<'t>]) -> Self {
        Self { tokens, next: 0 }
    }

    /// How many have been read.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    pub(super) fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    pub(super) fn take(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.next += 1;
        Some(token)
    }

    /// Takes the next one, if it is this mark.
    pub(super) fn mark(&mut self, mark: &str) -> bool {
        self.take_if(|token| token.kind == Kind::Mark && token.text == mark)
            .is_some()
    }

    /// Takes the next one, if it is this mark and stands close to what was read last.
    pub(super) fn close_mark(&mut self, mark: &str) -> bool {
        self.take_if(|token| token.kind == Kind::Mark && token.text == mark && !token.spaced)
            .is_some()
    }

    /// Takes the next one, if it is one of these words, in whatever case.
    pub(super) fn word(&mut self, words: &[&str]) -> bool {
        self.take_if(|token| is_one_of(token, words)).is_some()
    }

    /// Takes the next one, if it is a word.
    pub(super) fn any_word(&mut self) -> Option<&'t str> {
        Some(self.take_if(|token| token.kind == Kind::Word)?.text)
    }

    /// Takes the next one, if it is a number.
    pub(super) fn number(&mut self) -> Option<&'t str> {
        Some(self.take_if(|token| token.kind == Kind::Number)?.text)
    }

    /// Takes the next one, if it is a number of so many digits and stands close.
    pub(super) fn close_digits(&mut self, digits: usize) -> Option<i8> {
        self.take_if(|token| {
            token.kind == Kind::Number && !token.spaced && token.text.len() == digits
        })?
        .text
        .parse()
        .ok()
    }

    pub(super) fn take_if(&mut self, wanted: impl Fn(Token<'t>) -> bool) -> Option<Token<'t>> {
        let token = self.peek().filter(|token| wanted(*token))?;
        self.next += 1;
        Some(token)
    }

    /// Reads something, or nothing at all.
    pub(super) fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.next;
        let found = read(self);
        if found.is_none() {
            self.next = before;
        }
        found
    }
}

/// Is the token one of these words, in whatever case?
pub(super) fn is_one_of(token: Token<'_>, words: &[&str]) -> bool {
    token.kind == Kind::Word && is_in(token.text, words)
}

/// Is the text one of these, in whatever case?
pub(super) fn is_in(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// The tokens as text again, with single spaces and without anything that was blank.
pub(super) fn joined(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        if token.spaced && !text.is_empty() {
            text.push(' ');
        }
        text.push_str(token.text);
    }
    text
}
