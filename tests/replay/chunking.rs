//! A stream means the same whatever the pieces in which it comes.

use proptest::prelude::*;
use tmux_cc::protocol::{Connection, Limits, Nonce};

use crate::recordings;

/// Files smaller than this are cut at every byte.
const SMALL: usize = 8 << 10;

const SIZES: [usize; 6] = [1, 2, 3, 7, 64, 4096];

/// Everything that a connection says of a stream that comes in these pieces; `eager` asks after
/// every piece, not only at the end.
fn events<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, eager: bool) -> Vec<String> {
    let mut conn = Connection::new(Limits::default(), Nonce::new([7; 16]));
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
fn every_recording_attaches_and_ends() {
    let recordings = recordings();
    assert!(!recordings.is_empty());
    for (name, stream) in recordings {
        let said = events([&stream[..]], true);
        assert!(
            said.iter().any(|event| event.starts_with("Attached")),
            "{name:?}"
        );
        assert!(
            said.last().is_some_and(|event| event.starts_with("Exited")),
            "{name:?}"
        );
        assert!(
            said.iter().all(|event| !event.starts_with("Desync")),
            "{name:?}: {said:#?}"
        );
    }
}

#[test]
fn one_cut_anywhere_changes_nothing() {
    for (name, stream) in recordings() {
        if stream.len() >= SMALL {
            continue;
        }
        let whole = events([&stream[..]], true);
        for at in 0..=stream.len() {
            let (head, tail) = stream.split_at(at);
            let said = events([head, tail], true);
            assert_eq!(difference(&said, &whole), None, "{name:?} cut at {at}");
        }
    }
}

#[test]
fn pieces_of_one_size_change_nothing() {
    for (name, stream) in recordings() {
        let whole = events([&stream[..]], true);
        for (size, eager) in SIZES.iter().flat_map(|&size| [(size, true), (size, false)]) {
            let said = events(stream.chunks(size), eager);
            assert_eq!(difference(&said, &whole), None, "{name:?} by {size}");
        }
    }
}

#[test]
fn cuts_anywhere_change_nothing() {
    let cuts = (
        proptest::collection::vec(any::<usize>(), 0..40),
        any::<bool>(),
    );
    for (name, stream) in recordings() {
        let whole = events([&stream[..]], true);
        proptest!(|((places, eager) in &cuts)| {
            let said = events(cut(&stream, &places), eager);
            prop_assert_eq!(difference(&said, &whole), None, "{:?}", name);
        });
    }
}
