//! Streams of `%output` lines as a busy server sends them; the same on every machine.

use tmux_cc::wire::escape_into;

/// A stream and what it is called.
#[derive(Debug)]
pub struct Corpus {
    /// Named by the size of its payloads, or what is in them.
    pub name: &'static str,
    /// Whole lines.
    pub stream: Vec<u8>,
}

impl Corpus {
    /// The five, of about `bytes` each.
    ///
    /// tmux flushes 8 KB at a time and shares them among the panes that print, so the more these
    /// are the shorter their lines.
    #[must_use]
    pub fn all(bytes: usize) -> Vec<Self> {
        let lines = |name, payload, panes, print: fn(&mut Random, &mut Vec<u8>)| Self {
            name,
            stream: stream(bytes, payload, panes, print),
        };
        vec![
            lines("46 B", 46, 50, coloured),
            lines("173 B", 173, 10, coloured),
            lines("9.5 KB", 9500, 1, coloured),
            lines("plain", 200, 10, plain),
            lines("yes", 9500, 1, |_, text| text.extend_from_slice(b"y\r\n")),
        ]
    }

    /// The first part of so many, in whole lines.
    #[must_use]
    pub fn part(&self, of: usize) -> &[u8] {
        let most = &self.stream[..self.stream.len() / of];
        match memchr::memrchr(b'\n', most) {
            Some(last) => &most[..=last],
            None => &self.stream,
        }
    }
}

/// `%output` lines whose payloads are of `payload` bytes, more or less a quarter, in turn of so
/// many panes.
fn stream(
    bytes: usize,
    payload: usize,
    panes: usize,
    print: fn(&mut Random, &mut Vec<u8>),
) -> Vec<u8> {
    let mut stream = Vec::with_capacity(bytes + 2 * payload);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    // What each pane has printed and tmux has not sent.
    let mut printed = vec![(Vec::new(), 0); panes];
    for pane in (0..panes).cycle() {
        if stream.len() >= bytes {
            break;
        }
        stream.extend_from_slice(format!("%output %{pane} ").as_bytes());
        let wanted = payload - payload / 4 + random.below(payload / 2);
        let end = stream.len() + wanted;
        let (text, sent) = &mut printed[pane];
        while stream.len() < end {
            if *sent == text.len() {
                text.clear();
                *sent = 0;
                print(&mut random, text);
            }
            escape_into(&text[*sent..=*sent], &mut stream);
            *sent += 1;
        }
        stream.push(b'\n');
    }
    stream
}

/// A line of a program that shows what it does in colours.
fn coloured(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..8 + random.below(8) {
        match random.below(6) {
            0 => {
                text.extend_from_slice(b"\x1b[1;3");
                text.push(b'1' + random.below(7) as u8);
                text.push(b'm');
                word(random, text);
                text.extend_from_slice(b"\x1b[0m");
            }
            _ => word(random, text),
        }
        text.push(b' ');
    }
    text.extend_from_slice(b"\r\n");
}

/// A line of a log.
fn plain(random: &mut Random, text: &mut Vec<u8>) {
    let (minute, second) = (random.below(60), random.below(60));
    text.extend_from_slice(format!("2026-01-01T12:{minute:02}:{second:02}Z ").as_bytes());
    for _ in 0..8 + random.below(12) {
        word(random, text);
        text.push(b' ');
    }
    text.extend_from_slice(b"\r\n");
}

/// Two to nine letters; now and then one that is not ASCII.
fn word(random: &mut Random, text: &mut Vec<u8>) {
    for _ in 0..2 + random.below(8) {
        text.push(b'a' + random.below(26) as u8);
    }
    if random.below(16) == 0 {
        text.extend_from_slice("é".as_bytes());
    }
}

/// xorshift64*: small, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((random * end as u64) >> 32) as usize
    }
}
