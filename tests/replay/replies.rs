//! Every reply reaches its command, with a toy tmux as the oracle.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::judge::{self, Way};
use crate::toy::{Act, Body, Kind, Line};

fn text() -> impl Strategy<Value = Line> {
    select(vec![
        "",
        "x",
        "  two words  ",
        "%exit",
        "%exit server exited unexpectedly",
        "%output %0 x",
        "%end 1",
        "%window-add @1",
        "f00000000000000000000000000000000-0",
        "%end 1 2 1 ",
        "%pause %0",
        "half a line%exit server exited unexpectedly",
        "\u{1b}P1000p",
        "caf\u{e9}\r",
    ])
    .prop_map(|text| Line::Text(text.as_bytes().to_vec()))
}

fn guess() -> impl Strategy<Value = Line> {
    let off = prop_oneof![-9..0, 1..9, Just(i32::MIN)];
    (select(&Kind::ALL[..]), off).prop_map(|(kind, off)| Line::Guess(kind, off))
}

fn plain() -> impl Strategy<Value = Body> {
    vec(text(), 0..4)
}

/// A body of guesses, and after some the very guard.
fn spoofing() -> impl Strategy<Value = Body> {
    let own = select(&Kind::ALL[..]).prop_map(Line::Own);
    let rest = vec(prop_oneof![text(), guess(), own], 0..8);
    (vec(text(), 0..3), guess(), rest).prop_map(|(mut body, guess, rest)| {
        body.push(guess);
        body.extend(rest);
        body
    })
}

fn aside() -> impl Strategy<Value = Act> {
    let line = select(vec![
        "%output %0 x\\033[m",
        "%window-add @1",
        "%output %7 a%exit server exited unexpectedly",
        "%extended-output %1 5 : y",
        "%pause %0",
        "%foo-bar",
        "%layout-change @0 b25d,80x24,0,0,0 b25d,80x24,0,0,0 ",
        "%output %1 %end 1 2 1",
        "%exit",
        "%exit too far behind",
        "",
        "hooked",
        "-: Bad file descriptor",
        "two%exit server exited unexpectedly",
    ]);
    prop_oneof![
        1 => (plain(), any::<bool>()).prop_map(|(body, ok)| Act::Hook(body, ok)),
        2 => line.prop_map(|line| Act::Say(line.as_bytes().to_vec())),
    ]
}

fn typed_line() -> impl Strategy<Value = Act> {
    let block = prop_oneof![3 => plain(), 1 => spoofing()];
    (vec(block, 0..4), any::<bool>(), vec(aside(), 0..3)).prop_map(|(blocks, fails, around)| {
        Act::Line {
            blocks,
            fails,
            around,
        }
    })
}

fn script() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![4 => typed_line(), 2 => aside(), 1 => (1u8..4).prop_map(Act::Wait)];
    vec(act, 0..12)
}

fn way() -> impl Strategy<Value = Way> {
    let size = prop_oneof![Just(1usize), 1..40usize, 1..2000usize];
    (vec(size, 1..8), any::<bool>(), 1..5usize).prop_map(|(sizes, eager, burst)| Way {
        sizes,
        eager,
        burst,
        // The numbers wrap on the way.
        number: u32::MAX - 20,
        nonce: [7; 16],
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_reply_reaches_its_command(script in script(), way in way()) {
        judge::replies_reach_their_commands(&script, &way);
    }

    #[test]
    fn any_chunking_gives_the_same_events(script in script(), way in way()) {
        let played = judge::replies_reach_their_commands(&script, &way);
        judge::any_pieces_say_the_same(&played.stream, played.commands, &way);
    }

    #[test]
    fn the_end_may_come_at_any_byte(script in script(), way in way(), cut: usize) {
        let played = judge::replies_reach_their_commands(&script, &way);
        judge::the_end_may_come_anywhere(&played, cut, &way);
    }
}
