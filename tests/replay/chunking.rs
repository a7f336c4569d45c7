//! A stream means the same whatever the pieces in which it comes.

use harness::scenario::Transcript;
use proptest::prelude::*;
use tmux_cc::protocol::Connection;

use crate::played::{commands, connection};
use crate::recordings;

/// Files smaller than this are cut at every byte.
const SMALL: usize = 2 << 10;

const SIZES: [usize; 6] = [1, 2, 3, 7, 64, 4096];

/// Everything that a connection says of a stream that comes in these pieces; `eager` asks after
/// every piece, not only at the end.
///
/// Every command is queued first: when it was sent would depend on the pieces.
fn events<'a>(
    (version, transcript): &(String, Transcript),
    pieces: impl IntoIterator<Item = &'a [u8]>,
    eager: bool,
) -> Vec<String> {
    let mut conn = connection(version);
    for (_, command) in commands(transcript) {
        conn.send(&command).expect("it was sent");
    }
    let mut said = Vec::new();
    let mut drain = |conn: &mut Connection| {
        while let Some(event) = conn.poll_event() {
            said.push(format!("{event:?}"));
        }
    };
    for piece in pieces {
        conn.receive(piece);
        if eager {
            drain(&mut conn);
        }
    }
    conn.receive_end();
    drain(&mut conn);
    said
}

/// The first event that is not the same, and what it should be.
fn difference(said: &[String], whole: &[String]) -> Option<String> {
    let at = said.iter().zip(whole).take_while(|(a, b)| a == b).count();
    (said != whole).then(|| format!("{at}: {:?}, not {:?}", said.get(at), whole.get(at)))
}

/// A stream cut at these places, in any order.
fn cut<'a>(stream: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places
        .iter()
        .map(|place| place % (stream.len() + 1))
        .collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &stream[pair[0]..pair[1]])
        .collect()
}

#[test]
fn one_cut_anywhere_changes_nothing() {
    for recording in recordings() {
        let stream = &recording.1.stream;
        if stream.len() >= SMALL {
            continue;
        }
        let whole = events(&recording, [&stream[..]], true);
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            let said = events(&recording, [head, tail], true);
            let name = &recording.1.name;
            assert_eq!(difference(&said, &whole), None, "{name} cut at {at}");
        }
    }
}

#[test]
fn pieces_of_one_size_change_nothing() {
    for recording in recordings() {
        let stream = &recording.1.stream;
        let whole = events(&recording, [&stream[..]], true);
        for (size, eager) in SIZES.iter().flat_map(|&size| [(size, true), (size, false)]) {
            let said = events(&recording, stream.chunks(size), eager);
            let name = &recording.1.name;
            assert_eq!(difference(&said, &whole), None, "{name} by {size}");
        }
    }
}

#[test]
fn cuts_anywhere_change_nothing() {
    let cuts = (
        proptest::collection::vec(any::<usize>(), 0..40),
        any::<bool>(),
    );
    for recording in recordings() {
        let stream = &recording.1.stream;
        let whole = events(&recording, [&stream[..]], true);
        proptest!(|((places, eager) in &cuts)| {
            let said = events(&recording, cut(stream, &places), eager);
            prop_assert_eq!(difference(&said, &whole), None, "{}", &recording.1.name);
        });
    }
}
