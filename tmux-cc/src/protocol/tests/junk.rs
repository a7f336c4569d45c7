//! Streams that no tmux would send. What one would is in `tests/replay`, with a toy tmux.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// How a stream is cut, again and again.
fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![Just(1usize), 1..40usize, 1..2000usize], 1..8)
}

fn pieces<'a>(stream: &'a [u8], sizes: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = stream;
    let mut sizes = sizes.iter().cycle();
    std::iter::from_fn(move || {
        let (piece, tail) = rest.split_at(rest.len().min(*sizes.next()?));
        rest = tail;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Is every command answered once, in order, and is the end the last word?
fn ends_well(told: &[String], commands: usize) {
    let ids = told
        .iter()
        .filter_map(|line| line.strip_prefix("reply ")?.split(':').next());
    assert!(ids.eq((0..commands).map(|id| id.to_string())), "{told:?}");
    assert_eq!(
        told.iter().position(|line| line.starts_with("exited ")),
        Some(told.len() - 1)
    );
}

/// A piece of a stream that no tmux would send.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "%begin ",
        "%end ",
        "%error ",
        "1 11 1",
        "1 12 1",
        "1 11 0",
        "1 19 1",
        "\n",
        "\n",
        "\n",
        " ",
        "%",
        "%exit",
        "%exit server exited unexpectedly",
        "%output %0 ",
        "\\0",
        "\\01",
        "\\",
        "%extended-output %0 5 : ",
        "f07070707070707070707070707070707-",
        "0",
        "1",
        "2",
        "\r\n",
        "\x1bP1000p",
        "\x1b\\",
        "%pause %0\n",
        "%begin 1 1 0\n%end 1 1 0\n",
        "%begin 1 11 1\n",
        "%end 1 11 1\n",
        "%begin 1 12 1\n",
        "%end 1 12 1\n",
        "%begin 1 11 0\n",
        "%end 1 11 0\n",
        "%error 1 11 1\n",
        "%window-add @1\n",
        "%begin 1 19 1\nf07070707070707070707070707070707-0\n%end 1 19 1\n",
        "%begin 1 29 1\nf07070707070707070707070707070707-1\n%end 1 29 1\n",
        "%begin 1 11 1\nf07070707070707070707070707070707-2\n%end 1 11 1\n",
        "%begin 1 39 0\nf07070707070707070707070707070707-3\n%end 1 39 0\n",
        "a long line that is over every limit of this test, which is not hard to be for any line\n",
    ]);
    prop_oneof![
        20 => token.prop_map(|token| token.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..20),
    ]
}

/// One turn of junk: what is said, and whether a command is sent behind it.
fn junk_turns() -> impl Strategy<Value = Vec<(Vec<u8>, bool)>> {
    vec(
        (
            vec(junk(), 0..12).prop_map(|parts| parts.concat()),
            any::<bool>(),
        ),
        0..10,
    )
}

fn small() -> impl Strategy<Value = Limits> {
    let line = prop_oneof![Just(4 << 20), 40..120usize];
    let reply = prop_oneof![Just(16 << 20), 0..400usize];
    (line, reply).prop_map(|(line, reply)| Limits::default().line(line).reply(reply).pending(3))
}

/// What is said of junk; also that it holds within bounds.
fn play_junk(
    limits: Limits,
    turns: &[(Vec<u8>, bool)],
    sizes: &[usize],
    eager: bool,
) -> (Vec<String>, usize) {
    let mut conn = new(limits);
    let (mut told, mut sent) = (Vec::new(), 0);
    for (said, send) in turns {
        for piece in pieces(said, sizes) {
            conn.receive(piece);
            if eager {
                drain(&mut conn, &mut told);
            }
        }
        drain(&mut conn, &mut told);
        let refresh = Command::raw("refresh-client -A '%0:pause'");
        sent += usize::from(*send && conn.send(&refresh).is_ok());
        let bound = limits
            .reply
            .saturating_mul(4)
            .saturating_add(limits.line)
            .saturating_add(64 << 10);
        assert!(conn.held() < bound, "{} bytes", conn.held());
        let _ = conn.poll_transmit();
    }
    conn.receive_end();
    drain(&mut conn, &mut told);
    (told, sent)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn junk_is_told_the_same_in_any_pieces(
        limits in small(), turns in junk_turns(), sizes in sizes(), eager in any::<bool>(),
    ) {
        let (whole, commands) = play_junk(limits, &turns, &[usize::MAX], true);
        ends_well(&whole, commands);
        prop_assert_eq!(play_junk(limits, &turns, &sizes, eager), (whole.clone(), commands));
        prop_assert_eq!(play_junk(limits, &turns, &[1], true), (whole, commands));
    }
}
