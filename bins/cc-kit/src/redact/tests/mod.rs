//! That secrets go, and nothing else.

mod corpus;
mod samples;
mod speed;

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::visible::{Seen, State};
use super::*;
use samples::{SAMPLES, Seed, pem, sample};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| built(Rules::builder()));

fn built(builder: Builder) -> Arc<Rules> {
    Arc::new(builder.build(Key::new([7; 32])).unwrap())
}

fn redact_by<'a>(
    rules: &Arc<Rules>,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<u8>, Vec<Hit>) {
    let (mut out, mut hits) = (Vec::new(), Vec::new());
    let mut redactor = Redactor::new(Arc::clone(rules));
    for piece in pieces {
        redactor.push(piece, &mut out, &mut |hit| hits.push(hit.clone()));
    }
    redactor.flush(&mut out, &mut |hit| hits.push(hit.clone()));
    assert_eq!(redactor.held(), 0);
    (out, hits)
}

fn redact(text: &[u8]) -> (Vec<u8>, Vec<Hit>) {
    redact_by(&RULES, std::iter::once(text))
}

fn visible(bytes: &[u8]) -> String {
    let mut state = State::Ground;
    let mut text = Vec::new();
    for &byte in bytes {
        let (next, seen) = state.step(byte);
        state = next;
        if seen == Seen::Visible && byte != b'\n' {
            text.push(byte);
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// That no 6 bytes of the secret in a row are left.
fn gone(out: &[u8], secret: &str, what: &str) {
    let put = regex::Regex::new("<redacted:[a-z0-9.-]+:[0-9a-f]{8}>").unwrap();
    let shown = put.replace_all(&visible(out), "|").into_owned();
    let left = secret.as_bytes().windows(6).find(|window| {
        let window = std::str::from_utf8(window).unwrap();
        shown.contains(window)
    });
    let left = left.map(|window| String::from_utf8_lossy(window));
    assert!(
        left.is_none(),
        "{what}: {left:?} of {secret} is left in {shown}"
    );
}

fn each(mut check: impl FnMut(&str, &str, &str, &str)) {
    for (number, entry) in SAMPLES.iter().enumerate() {
        for round in 1..4_u64 {
            let mut seed = Seed(0x9e37_79b9_7f4a_7c15 ^ (number as u64) << 8 ^ round);
            seed.below(2);
            let (before, secret, after) = sample(*entry, &mut seed);
            check(entry.0, &before, &secret, &after);
        }
    }
}

#[test]
fn every_rule_has_a_sample_and_names_it() {
    let mut missing: Vec<_> = RULES.list().map(|info| info.id.to_string()).collect();
    each(|id, before, secret, after| {
        let text = format!("line one\r\n{before}{secret}{after}\r\nlast\r\n");
        let (out, hits) = redact(text.as_bytes());
        gone(&out, secret, id);
        assert_eq!(hits.len(), 1, "{id}: {text} {hits:?}");
        assert_eq!(&*hits[0].rule, id, "{text}");
        assert_eq!(hits[0].removed, secret.len() as u64, "{id}: {text}");
        let number = u32::from_be_bytes(hits[0].hash);
        let put = format!("<redacted:{id}:{number:08x}>");
        assert_eq!(hits[0].put, put.len() as u64);
        let expected = format!("line one\r\n{before}{put}{after}\r\nlast\r\n");
        assert_eq!(String::from_utf8_lossy(&out), expected);
        missing.retain(|known| known != id);
    });
    // Blocks have tests of their own.
    let blocks = [
        "gcp-service-account",
        "pgp-private-key",
        "openssh-private-key",
        "private-key",
    ];
    missing.retain(|id| !blocks.contains(&id.as_str()));
    assert!(missing.is_empty(), "{missing:?}");
    assert!(RULES.list().count() >= 60);
}

#[test]
fn split_anywhere() {
    each(|id, before, secret, after| {
        let text = format!("{before}{secret}{after}\r\nlast\r\n").into_bytes();
        let whole = redact(&text);
        for at in 0..=text.len() {
            let (left, right) = text.split_at(at);
            let split = redact_by(&RULES, [left, right].into_iter());
            assert_eq!(whole, split, "{id} at {at}");
        }
        assert_eq!(whole, redact_by(&RULES, text.chunks(1)), "{id}");
    });
}

#[test]
fn coloured_anywhere() {
    each(|id, before, secret, after| {
        for at in 0..=secret.len() {
            let (left, right) = secret.split_at(at);
            for code in ["\x1b[1;31m", "\x1b]8;;https://a.io\x1b\\", "\x1b(B\x1b[m"] {
                let text = format!("{before}{left}{code}{right}{after}\r\n");
                let (out, hits) = redact(text.as_bytes());
                gone(&out, secret, id);
                assert_eq!(hits.len(), 1, "{id}: {text:?} {hits:?}");
                let out = String::from_utf8(out).unwrap();
                assert!(out.contains(code), "{id}: {out:?}");
                assert!(at == 0 || out.find('<') < out.find(code), "{id}: {out:?}");
            }
        }
    });
}

#[test]
fn coloured_everywhere() {
    each(|id, before, secret, after| {
        let mut text = String::new();
        for char in format!("{before}{secret}{after}\r\n").chars() {
            text += "\x1b[3m";
            text.push(char);
        }
        let (out, hits) = redact(text.as_bytes());
        gone(&out, secret, id);
        assert_eq!(hits.len(), 1, "{id}: {text:?} {hits:?}");
    });
}

/// Rules whose secret may break over lines.
fn joins(id: &str) -> bool {
    RULES.list.iter().any(|rule| &*rule.id == id && rule.join)
}

#[test]
fn broken_over_lines_anywhere() {
    each(|id, before, secret, after| {
        if !joins(id) {
            return;
        }
        for at in 0..=secret.len() {
            let (left, right) = secret.split_at(at);
            for code in ["\r\n", "\n", "\r\n    ", "\x1b[K\r\n"] {
                // Group 1 of a token that is known by what stands before it.
                let text = format!("{before}{left}{code}{right}{after}\r\nlast\r\n");
                let (out, _) = redact(text.as_bytes());
                gone(&out, secret, &format!("{id} {at}"));
            }
        }
    });
}

#[test]
fn wrapped_at_any_width() {
    each(|id, _, secret, _| {
        if !joins(id)
            || ["telegram-bot-token", "terraform-token"].contains(&id)
            || !secret.starts_with(|c: char| c.is_ascii_alphabetic())
            || matches!(id, "azure-storage-key" | "azure-sas" | "discord-webhook")
        {
            return;
        }
        for width in [7, 20, 40] {
            let lines: Vec<_> = secret
                .as_bytes()
                .chunks(width)
                .map(String::from_utf8_lossy)
                .collect();
            let text = format!("{}\r\n", lines.join("\r\n"));
            let (out, _) = redact(text.as_bytes());
            gone(&out, secret, id);
        }
    });
}

#[test]
fn what_follows_on_the_next_line_stays() {
    let mut seed = Seed(5);
    for (template, next) in [
        ("sk-~ant-api03-[A-Za-z0-9_-]{93}AA", "hello world"),
        ("gh~p_[A-Za-z0-9]{36}", "Everything else"),
        (
            "ey~J[A-Za-z0-9_-]{60}.ey~J[A-Za-z0-9_-]{120}.[A-Za-z0-9_-]{43}",
            "user@host:~$ ",
        ),
        ("AK~IA[A-Z2-7]{16}", "DONE"),
    ] {
        let secret = seed.fill(&template.replace('~', ""));
        let (out, hits) = redact(format!("{secret}\r\n{next}\r\n").as_bytes());
        gone(&out, &secret, template);
        assert!(visible(&out).contains(next), "{}", visible(&out));
        assert_eq!(hits.len(), 1);
    }
}

#[test]
fn blocks_go_as_one() {
    let mut seed = Seed(11);
    for (id, name, before, after) in [
        ("private-key", "RSA PRIVATE KEY", "", "\r\n"),
        ("private-key", "PRIVATE KEY", "$ cat k.pem\r\n", "\r\n$ "),
        (
            "openssh-private-key",
            "OPENSSH PRIVATE KEY",
            "x\r\n",
            "\r\n",
        ),
        ("pgp-private-key", "PGP PRIVATE KEY BLOCK", "", "\r\nafter"),
        (
            "gcp-service-account",
            "PRIVATE KEY",
            "{\"private_key\": \"",
            "\\n\",\r\n",
        ),
    ] {
        let mut block = pem(name, 20, &mut seed);
        if id.starts_with("gcp") {
            block = block.replace("\r\n", "\\n");
        }
        let text = format!("{before}{block}{after}");
        let (whole, hits) = redact(text.as_bytes());
        gone(&whole, &block.replace(['\r', '\n'], ""), id);
        assert_eq!(hits.len(), 1, "{id} {hits:?}");
        assert_eq!(&*hits[0].rule, id);
        let out = String::from_utf8(whole.clone()).unwrap();
        assert!(out.starts_with(&format!("{before}<redacted:")), "{out:?}");
        assert!(out.ends_with(&format!(">{after}")), "{out:?}");
        for at in 0..=text.len() {
            let (left, right) = text.as_bytes().split_at(at);
            assert_eq!(
                redact_by(&RULES, [left, right].into_iter()).0,
                whole,
                "{id} at {at}"
            );
            if at % 7 == 0 && text.is_char_boundary(at) {
                let coloured = format!("{}\x1b[1;31m{}", &text[..at], &text[at..]);
                let (out, _) = redact(coloured.as_bytes());
                gone(&out, &block.replace(['\r', '\n'], ""), id);
            }
        }
    }
}

#[test]
fn a_block_is_swallowed_at_once_and_has_an_end() {
    let mut seed = Seed(12);
    let block = pem("RSA PRIVATE KEY", 300, &mut seed);
    let mut redactor = Redactor::new(Arc::clone(&RULES));
    let mut out = Vec::new();
    redactor.push(&block.as_bytes()[..5000], &mut out, &mut |_| ());
    assert_eq!((redactor.held(), out.len()), (0, 0));
    redactor.push(b"", &mut out, &mut |_| ());
    // 16 KiB are swallowed, no more, when no end comes.
    let endless = block.split("-----END").next().unwrap();
    redactor.push(&endless.as_bytes()[5000..], &mut out, &mut |_| ());
    let left = out.len();
    assert!(
        left > 1000 && left < endless.len() - (16 << 10) + 500,
        "{left}"
    );
    // A mention in prose does not swallow the rest.
    let text = format!(
        "see -----BEG{}IN PRIVATE KEY----- \r\nof the\r\nfile x\r\nand so\r\non it goes\r\n",
        ""
    );
    let (out, _) = redact(text.as_bytes());
    assert!(visible(&out).contains("on it goes"), "{}", visible(&out));
}

#[test]
fn a_pause_lets_out_all_but_secrets() {
    let mut seed = Seed(3);
    let token = seed.fill(&"gh~p_[A-Za-z0-9]{36}".replace('~', ""));
    for (before, secret) in [
        ("x ", token.as_str()),
        ("Authorization: Bearer ", &token[4..]),
        ("password: \"", &token[4..]),
    ] {
        for at in 0..=secret.len() {
            let mut redactor = Redactor::new(Arc::clone(&RULES));
            let mut out = Vec::new();
            let (mut removed, mut put) = (0, 0);
            let mut hit = |hit: &Hit| {
                removed += hit.removed;
                put += hit.put;
            };
            redactor.push(
                format!("{before}{}", &secret[..at]).as_bytes(),
                &mut out,
                &mut hit,
            );
            redactor.flush(&mut out, &mut hit);
            assert_eq!(redactor.held(), 0);
            let paused = out.len();
            redactor.push(
                format!("{}\" after\r\nlast\r\n", &secret[at..]).as_bytes(),
                &mut out,
                &mut hit,
            );
            redactor.flush(&mut out, &mut hit);
            assert!(paused > 0);
            if before != "password: \"" {
                gone(&out, &secret[8..], &format!("{before} {at}"));
            }
            let shown = visible(&out);
            assert!(shown.ends_with("\" afterlast"), "{shown}");
            let whole = before.len() + secret.len() + "\" after\r\nlast\r\n".len();
            assert_eq!(out.len() as u64, whole as u64 - removed + put);
        }
        // Typed: each character by itself.
        let mut redactor = Redactor::new(Arc::clone(&RULES));
        let mut out = Vec::new();
        for byte in format!("{before}{secret}\" after\r\n").bytes() {
            redactor.push(&[byte], &mut out, &mut |_| ());
            redactor.flush(&mut out, &mut |_| ());
        }
        if before != "password: \"" {
            gone(&out, &secret[8..], before);
        }
        assert!(visible(&out).ends_with("\" after"), "{}", visible(&out));
    }
    // Within a block.
    let block = pem("RSA PRIVATE KEY", 20, &mut seed);
    let mut redactor = Redactor::new(Arc::clone(&RULES));
    let mut out = Vec::new();
    let mut hits = 0;
    for piece in block.as_bytes().chunks(100) {
        redactor.push(piece, &mut out, &mut |_| hits += 1);
        redactor.flush(&mut out, &mut |_| hits += 1);
    }
    redactor.push(b"\r\nafter", &mut out, &mut |_| ());
    redactor.flush(&mut out, &mut |_| ());
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.matches("<redacted").count(), 1, "{out}");
    assert!(out.ends_with("\r\nafter"), "{out}");
    gone(
        out.as_bytes(),
        &block.replace(['\r', '\n'], "")[40..],
        "block",
    );
}

#[test]
fn bodies_of_strings_are_text_too() {
    each(|id, before, secret, after| {
        for (begin, end) in [
            ("\x1b]0;", "\x07"),
            ("\x1bPtmux;", "\x1b\\"),
            ("\x1b_G", "\x1b\\"),
        ] {
            let text = format!("a{begin}{before}{secret}{after}{end}b");
            let (out, hits) = redact(text.as_bytes());
            let shown = String::from_utf8_lossy(&out);
            assert!(!shown.contains(secret), "{id} {shown:?}");
            assert_eq!(hits.len(), 1, "{id}");
            assert!(shown.starts_with(&format!("a{begin}")) && shown.ends_with(&format!("{end}b")));
            assert_eq!(redact_by(&RULES, text.as_bytes().chunks(1)).0, out);
        }
    });
}

#[test]
fn values_of_the_environment() {
    let rules = built(
        Rules::builder()
            .value("PIN", b"correct horse-77")
            .value("SHORT", b"abc")
            .value("P", b"/usr/bin")
            .value("N", b"1234567890")
            .value("LONG", b"0123456789abcdefghijklmnopqrstuvwxyz/0123456789"),
    );
    let text = b"a correct horse-77 abc /usr/bin 1234567890 0123456789abcdefghijklm\r\nnopqrstuvwxyz/0123456789.";
    let (out, hits) = redact_by(&rules, text.chunks(1));
    let out = String::from_utf8(out).unwrap();
    assert_eq!(hits.len(), 2);
    assert_eq!(&*hits[0].rule, "env");
    assert!(
        out.contains("> abc /usr/bin 1234567890 <redacted:env:"),
        "{out}"
    );
}

#[test]
fn rules_of_the_user() {
    let rule = |regex: &str| Rule {
        id: "corp".into(),
        regex: regex.into(),
        keywords: vec!["corp".into()],
        entropy: None,
        group: Some(1),
    };
    let rules = built(
        Rules::builder()
            .defaults(false)
            .rule(rule(r"(?i)\bcorp-([0-9]{6})\b"))
            .allow("^000"),
    );
    let (out, hits) = redact_by(
        &rules,
        b"x corp-123456 Corp-000111 acorp-123456\n".chunks(1),
    );
    assert_eq!(hits.len(), 1);
    let out = String::from_utf8(out).unwrap();
    assert!(
        out.starts_with("x corp-<redacted:corp:") && out.ends_with("> Corp-000111 acorp-123456\n"),
        "{out}"
    );
    let say = |builder: Builder| builder.build(Key::new([0; 32])).unwrap_err().to_string();
    let bad = say(Rules::builder().rule(rule("(")));
    assert!(
        bad.starts_with("the regex of rule corp cannot be used: "),
        "{bad}"
    );
    assert!(say(Rules::builder().rule(rule("x"))).contains("no capture group 1"));
    assert!(say(Rules::builder().rule(rule(r"(\w{1000}){100}"))).contains("corp"));
    assert!(say(Rules::builder().without("nonsense")).contains("nonsense"));
    let mut none = rule("(x)");
    none.keywords.clear();
    assert!(say(Rules::builder().rule(none)).contains("keyword"));
    let without = built(Rules::builder().without("jwt"));
    assert!(without.list().all(|info| &*info.id != "jwt"));
}

#[test]
fn one_secret_one_hash() {
    let mut seed = Seed(8);
    let secret = seed.fill(&"gl~pat-[A-Za-z0-9]{20}".replace('~', ""));
    let (left, right) = secret.split_at(12);
    let text = format!("{secret} \x1b[1m{left}\x1b[m{right} {left}\r\n{right} x\r\n");
    let (_, hits) = redact(text.as_bytes());
    assert_eq!(hits.len(), 3);
    assert!(hits.iter().all(|hit| hit.hash == hits[0].hash));
    let other = Arc::new(Rules::builder().build(Key::new([8; 32])).unwrap());
    let (_, others) = redact_by(&other, std::iter::once(text.as_bytes()));
    assert_ne!(others[0].hash, hits[0].hash);
}

#[test]
fn what_only_looks_like_it_stays() {
    let mut seed = Seed(21);
    let body = seed.fill("[A-Za-z0-9]{40}");
    for text in [
        // A word ends where the prefix does.
        format!("di{}{body}\r\n", "sk-"),
        // Not random.
        format!("sk{}{}\r\n", "-", "abab".repeat(12)),
        format!("api_{}=\"{}\"\r\n", "key", "12121212".repeat(3)),
        // Only the beginning of a word, and the line is over.
        "key-0123456789\r\n".to_owned(),
    ] {
        let (out, hits) = redact(text.as_bytes());
        assert_eq!((String::from_utf8(out).unwrap(), hits), (text, vec![]));
    }
}

#[test]
fn long_streams_split_anywhere() {
    let mut seed = Seed(99);
    for round in 0..6 {
        let mut text = Vec::new();
        while text.len() < 150_000 {
            let (before, secret, after) = sample(SAMPLES[seed.below(SAMPLES.len())], &mut seed);
            let cut = seed.below(secret.len());
            let between = match seed.below(8) {
                0 => "\x1b[31m".to_owned(),
                1 => "\r\n".to_owned(),
                2 => format!("\x1b]52;c;{}\x07", "QUJD".repeat(seed.below(3) * 3000)),
                3 => " ".repeat(seed.below(40)),
                4 if round > 2 => pem("PRIVATE KEY", seed.below(400), &mut seed),
                _ => String::new(),
            };
            let (left, right) = secret.split_at(cut);
            text.extend(format!("{before}{left}{between}{right}{after}").bytes());
            text.extend(["\r\n", " ", "\x1b[0m"][seed.below(3)].bytes());
        }
        let whole = redact(&text);
        assert!(whole.1.len() > 20, "{}", whole.1.len());
        for size in [1009, 16 << 10, 37] {
            assert_eq!(
                redact_by(&RULES, text.chunks(size)).0,
                whole.0,
                "{round} {size}"
            );
        }
        let mut redactor = Redactor::new(Arc::clone(&RULES));
        let mut out = Vec::new();
        for piece in text.chunks(997) {
            redactor.push(piece, &mut out, &mut |_| ());
            assert!(redactor.held() <= 2 * (17 << 10));
        }
    }
}

/// Text with escape sequences, broken lines, and secrets.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => "[ -~]{0,12}".prop_map(String::into_bytes),
        3 => (0..SAMPLES.len(), any::<u64>()).prop_map(|(number, seed)| {
            let (before, secret, after) = sample(SAMPLES[number], &mut Seed(seed | 1));
            format!("{before}{secret}{after}").into_bytes()
        }),
        2 => (0..SAMPLES.len(), any::<u64>(), 1..30_usize).prop_map(|(number, seed, cut)| {
            let (_, secret, _) = sample(SAMPLES[number], &mut Seed(seed | 1));
            secret.into_bytes().into_iter().take(cut).collect()
        }),
        3 => prop::sample::select(vec!["\x1b[1;31m", "\r\n", "\n", "\r\n  ", "\x1b]0;", "\x07", "\x1b\\", "\x1b", "\x1bP", "\x1b[",
            "password", "secret", "token: ", "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "://", "\n\n", " ", "\t"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

const CLOSE: &[u8] = b"\x18\n\n \n-----END x-----\n\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_split_gives_the_same(text in soup(), cuts in prop::collection::vec(1..90_usize, 1..40)) {
        let whole = redact(&text);
        let mut pieces = Vec::new();
        let mut rest = text.as_slice();
        for cut in cuts.iter().cycle() {
            let (left, right) = rest.split_at(rest.len().min(*cut));
            pieces.push(left);
            rest = right;
            if rest.is_empty() {
                break;
            }
        }
        let (out, mut hits) = redact_by(&RULES, pieces.into_iter());
        prop_assert_eq!(&whole.0, &out);
        // What is in the body of a string is known before the text around it.
        let mut expected = whole.1.clone();
        let key = |hit: &Hit| (hit.hash, hit.removed);
        hits.sort_by_key(key);
        expected.sort_by_key(key);
        prop_assert_eq!(&expected, &hits);
        let removed: u64 = whole.1.iter().map(|hit| hit.removed).sum();
        let put: u64 = whole.1.iter().map(|hit| hit.put).sum();
        prop_assert_eq!(whole.0.len() as u64, text.len() as u64 - removed + put);
        prop_assert_eq!(whole.1.iter().filter(|hit| hit.put > 0).count(), String::from_utf8_lossy(&whole.0).matches("<redacted:").count());
    }

    #[test]
    fn bytes_without_secrets_pass(text in prop::collection::vec(any::<u8>(), 0..3000), cut in 1..300_usize) {
        let (out, hits) = redact_by(&RULES, text.chunks(cut));
        prop_assert!(!hits.is_empty() || out == text);
    }

    #[test]
    fn pauses_lose_nothing(text in soup(), cuts in prop::collection::vec((1..40_usize, any::<bool>()), 1..40)) {
        let mut redactor = Redactor::new(Arc::clone(&RULES));
        let (mut out, mut removed, mut put) = (Vec::new(), 0, 0);
        let mut hit = |hit: &Hit| {
            removed += hit.removed;
            put += hit.put;
        };
        let mut rest = text.as_slice();
        for (cut, pause) in cuts.iter().cycle() {
            let (left, right) = rest.split_at(rest.len().min(*cut));
            redactor.push(left, &mut out, &mut hit);
            if *pause {
                redactor.flush(&mut out, &mut hit);
                assert_eq!(redactor.held(), 0);
            }
            rest = right;
            if rest.is_empty() {
                break;
            }
        }
        redactor.flush(&mut out, &mut hit);
        // What ends the secret accounts for what was swallowed.
        redactor.push(CLOSE, &mut out, &mut hit);
        redactor.flush(&mut out, &mut hit);
        let all = text.len() as u64 + CLOSE.len() as u64;
        prop_assert_eq!(out.len() as u64, all - removed + put);
    }
}
