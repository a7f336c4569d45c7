//! The lines that tmux sends unasked.

use nom::bytes::complete::{tag, take_till, take_while1};
use nom::character::complete::char;
use nom::combinator::{all_consuming, map, map_opt, rest, value};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use super::escape::Escaped;
use super::id::{PaneId, SessionId, WindowId, parse_u32, parse_u64, short_number};

/// A line that tmux sends without being asked, borrowed from the stream.
///
/// The variants have tmux's own names; the section CONTROL MODE of tmux.1 lists them, and each
/// says since which version it is sent. A name, title or value is the rest of its line, byte for
/// byte: it may be empty, end in spaces and need not be UTF-8. A line that is not to the letter
/// what its variant says becomes [`Unknown`](Self::Unknown) and keeps every byte.
///
/// **Source:** tmux `control-notify.c`, `control.c`, `client.c`, `cfg.c`, `status.c`.
///
/// ```
/// use tmux_cc::wire::{Notification, PaneId, WindowId};
///
/// let line = b"%output %3 hi\\015\\012";
/// assert!(matches!(
///     Notification::parse(line),
///     Notification::Output { pane: PaneId(3), data } if *data.decode() == *b"hi\r\n"
/// ));
/// let closed = Notification::parse(b"%window-close @1");
/// assert_eq!(closed, Notification::WindowClose { window: WindowId(1) });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notification<'a> {
    /// `%output %P DATA`: a pane printed. Since 1.8.
    Output {
        /// The pane.
        pane: PaneId,
        /// What it printed, escaped; cut anywhere, also within a character.
        data: Escaped<'a>,
    },
    /// `%extended-output %P AGE ... : DATA`: the same for clients with `pause-after`. Since 3.2.
    ExtendedOutput {
        /// The pane.
        pane: PaneId,
        /// Milliseconds that the first of these bytes waited in the server.
        age: u64,
        /// What it printed, escaped; cut anywhere, also within a character.
        data: Escaped<'a>,
    },
    /// `%pause %P`: the server has dropped what it held of this pane and sends no more. Since 3.2.
    Pause {
        /// The pane.
        pane: PaneId,
    },
    /// `%continue %P`: the pane is sent again, from where it is now. Since 3.2.
    Continue {
        /// The pane.
        pane: PaneId,
    },
    /// `%exit [REASON]`: the client ends; the last line of the stream. Since 1.8.
    Exit {
        /// Why, in the words of tmux; empty when the client was detached or the session ended.
        reason: &'a [u8],
    },
    /// `%layout-change @W LAYOUT VISIBLE FLAGS`: panes came, went or moved. Since 1.8.
    ///
    /// Often sent twice. [`Layout::parse`](super::Layout::parse) reads the two layouts.
    LayoutChange {
        /// The window.
        window: WindowId,
        /// The layout without zoom; empty when it was too long for tmux's own buffer.
        layout: &'a [u8],
        /// The layout as shown, a single pane when zoomed. Since 2.2.
        visible: &'a [u8],
        /// `#{window_raw_flags}`, such as `*Z`; may be empty. Since 2.2.
        flags: &'a [u8],
    },
    /// `%window-add @W`: a window was linked into this client's session. Since 1.8.
    WindowAdd {
        /// The window; may be one that is known already.
        window: WindowId,
    },
    /// `%unlinked-window-add @W`: a window was made in another session. Since 1.8.
    UnlinkedWindowAdd {
        /// The window.
        window: WindowId,
    },
    /// `%window-close @W`: a window of this client's session closed. Since 1.8.
    WindowClose {
        /// The window.
        window: WindowId,
    },
    /// `%unlinked-window-close @W`: a window closed; from 2.4 to 3.7 also this session's own.
    UnlinkedWindowClose {
        /// The window.
        window: WindowId,
    },
    /// `%window-renamed @W NAME`. Since 1.8.
    WindowRenamed {
        /// The window.
        window: WindowId,
        /// Its new name.
        name: &'a [u8],
    },
    /// `%unlinked-window-renamed @W NAME`: the same in another session. Since 2.0.
    UnlinkedWindowRenamed {
        /// The window.
        window: WindowId,
        /// Its new name.
        name: &'a [u8],
    },
    /// `%window-pane-changed @W %P`: a window's active pane, in any session. Since 2.5.
    WindowPaneChanged {
        /// The window.
        window: WindowId,
        /// Its active pane now.
        pane: PaneId,
    },
    /// `%session-window-changed $S @W`: a session's current window. Since 2.5.
    SessionWindowChanged {
        /// The session.
        session: SessionId,
        /// Its current window now.
        window: WindowId,
    },
    /// `%session-changed $S NAME`: this client is now on that session. Since 1.8.
    SessionChanged {
        /// The session.
        session: SessionId,
        /// Its name.
        name: &'a [u8],
    },
    /// `%client-session-changed CLIENT $S NAME`: another client is. Since 2.5.
    ClientSessionChanged {
        /// The client: its terminal's path, or `client-PID`.
        client: &'a [u8],
        /// The session.
        session: SessionId,
        /// The session's name.
        name: &'a [u8],
    },
    /// `%client-detached CLIENT`. Since 3.2.
    ClientDetached {
        /// The client: its terminal's path, or `client-PID`.
        client: &'a [u8],
    },
    /// `%session-renamed $S NAME`. Since 1.8.
    SessionRenamed {
        /// The session.
        session: SessionId,
        /// Its new name.
        name: &'a [u8],
    },
    /// `%sessions-changed`: a session came or went; which one is not said. Since 1.8.
    SessionsChanged,
    /// `%pane-mode-changed %P`: a pane entered or left copy mode or the like. Since 2.5.
    PaneModeChanged {
        /// The pane.
        pane: PaneId,
    },
    /// `%subscription-changed NAME $S @W I %P ... : VALUE`. Since 3.2.
    SubscriptionChanged {
        /// The name given to `refresh-client -B`.
        name: &'a [u8],
        /// The client's session.
        session: SessionId,
        /// The window, unless the subscription is for the session.
        window: Option<WindowId>,
        /// The window's index in the session, where there is a window.
        index: Option<u32>,
        /// The pane, where the subscription is for panes.
        pane: Option<PaneId>,
        /// The format's value up to its first newline; the rest comes as stray lines.
        value: &'a [u8],
    },
    /// `%paste-buffer-changed NAME`. Since 3.4.
    PasteBufferChanged {
        /// The buffer.
        name: &'a [u8],
    },
    /// `%paste-buffer-deleted NAME`. Since 3.4.
    PasteBufferDeleted {
        /// The buffer.
        name: &'a [u8],
    },
    /// `%config-error TEXT`. Since 3.4 at start, since 3.6 for `source-file`.
    ConfigError {
        /// The file, line and complaint, as tmux words it.
        text: &'a [u8],
    },
    /// `%message TEXT`: `display-message` without `-p` to this client. Since 3.4.
    Message {
        /// The text, with control characters made visible by tmux (vis(3)).
        text: &'a [u8],
    },
    /// Any other line that begins with `%`: of a newer tmux, or not to the letter.
    Unknown {
        /// The whole line, without its LF.
        line: &'a [u8],
    },
}

impl<'a> Notification<'a> {
    /// Parses a line, without its LF, as a notification; never fails and never allocates.
    #[inline(always)]
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Self {
        match usual_output(line) {
            Some(found) => found,
            None => Self::parse_any(line),
        }
    }

    /// The grammar, whole.
    #[inline(never)]
    fn parse_any(line: &'a [u8]) -> Self {
        match notification(line) {
            Ok((_, found)) => found,
            Err(_) => Self::Unknown { line },
        }
    }

    /// Is it pane output, the one kind that comes by the thousand?
    #[must_use]
    pub const fn is_output(&self) -> bool {
        matches!(self, Self::Output { .. } | Self::ExtendedOutput { .. })
    }
}

/// Is it a line of output, by its name?
#[inline]
pub(crate) fn is_named_output(line: &[u8]) -> bool {
    line.starts_with(OUTPUT) || line.starts_with(EXTENDED_OUTPUT)
}

const OUTPUT: &[u8] = b"%output ";
const EXTENDED_OUTPUT: &[u8] = b"%extended-output ";

/// Output as it looks nearly always: short numbers, and no fields for the future. What else is
/// output, or none, the grammar tells; the two agree.
///
/// Always inlined: a result that goes through memory is written in words, read back in larger
/// pieces, and waited for.
#[inline(always)]
fn usual_output(line: &[u8]) -> Option<Notification<'_>> {
    if let Some([b'%', fields @ ..]) = line.strip_prefix(OUTPUT) {
        let (pane, data) = short_number(fields)?;
        return Some(Notification::Output {
            pane: PaneId(pane),
            data: Escaped::new(data),
        });
    }
    let Some([b'%', fields @ ..]) = line.strip_prefix(EXTENDED_OUTPUT) else {
        return None;
    };
    let (pane, fields) = short_number(fields)?;
    let (age, fields) = short_number(fields)?;
    Some(Notification::ExtendedOutput {
        pane: PaneId(pane),
        age: u64::from(age),
        data: Escaped::new(fields.strip_prefix(b": ")?),
    })
}

type Parsed<'a, T> = IResult<&'a [u8], T>;

fn notification(line: &[u8]) -> Parsed<'_, Notification<'_>> {
    use Notification as N;

    // Output first: it is nearly every line of a busy stream.
    if let Some(fields) = line.strip_prefix(OUTPUT) {
        let payload = map(rest, Escaped::new);
        return (terminated(pane, space), payload)
            .map(|(pane, data)| N::Output { pane, data })
            .parse(fields);
    }
    if let Some(fields) = line.strip_prefix(EXTENDED_OUTPUT) {
        return extended_output(fields);
    }
    let (fields, name) = preceded(char('%'), take_till(|b| b == b' ')).parse(line)?;
    // With `fields` at the space, or at the end where a notification has none.
    match name {
        b"pause" => last(pane).map(|pane| N::Pause { pane }).parse(fields),
        b"continue" => last(pane).map(|pane| N::Continue { pane }).parse(fields),
        b"exit" => exit(fields),
        b"layout-change" => layout_change(fields),
        b"window-add" => last(window)
            .map(|window| N::WindowAdd { window })
            .parse(fields),
        b"unlinked-window-add" => last(window)
            .map(|window| N::UnlinkedWindowAdd { window })
            .parse(fields),
        b"window-close" => last(window)
            .map(|window| N::WindowClose { window })
            .parse(fields),
        b"unlinked-window-close" => last(window)
            .map(|window| N::UnlinkedWindowClose { window })
            .parse(fields),
        b"window-renamed" => (field(window), field(rest))
            .map(|(window, name)| N::WindowRenamed { window, name })
            .parse(fields),
        b"unlinked-window-renamed" => (field(window), field(rest))
            .map(|(window, name)| N::UnlinkedWindowRenamed { window, name })
            .parse(fields),
        b"window-pane-changed" => (field(window), last(pane))
            .map(|(window, pane)| N::WindowPaneChanged { window, pane })
            .parse(fields),
        b"session-window-changed" => (field(session), last(window))
            .map(|(session, window)| N::SessionWindowChanged { session, window })
            .parse(fields),
        b"session-changed" => (field(session), field(rest))
            .map(|(session, name)| N::SessionChanged { session, name })
            .parse(fields),
        b"client-session-changed" => (field(word), field(session), field(rest))
            .map(|(client, session, name)| N::ClientSessionChanged {
                client,
                session,
                name,
            })
            .parse(fields),
        b"client-detached" => field(rest)
            .map(|client| N::ClientDetached { client })
            .parse(fields),
        b"session-renamed" => (field(session), field(rest))
            .map(|(session, name)| N::SessionRenamed { session, name })
            .parse(fields),
        b"sessions-changed" => {
            all_consuming(value(N::SessionsChanged, tag(&b""[..]))).parse(fields)
        }
        b"pane-mode-changed" => last(pane)
            .map(|pane| N::PaneModeChanged { pane })
            .parse(fields),
        b"subscription-changed" => subscription(fields),
        b"paste-buffer-changed" => field(rest)
            .map(|name| N::PasteBufferChanged { name })
            .parse(fields),
        b"paste-buffer-deleted" => field(rest)
            .map(|name| N::PasteBufferDeleted { name })
            .parse(fields),
        b"config-error" => field(rest)
            .map(|text| N::ConfigError { text })
            .parse(fields),
        b"message" => field(rest).map(|text| N::Message { text }).parse(fields),
        _ => Ok((&[], N::Unknown { line })),
    }
}

/// `%extended-output %P AGE { FUTURE } : DATA`, from behind its first space.
///
/// The payload begins behind the first ` : `: fields that a later tmux puts before it hold none.
fn extended_output(fields: &[u8]) -> Parsed<'_, Notification<'_>> {
    let (fields, (pane, age)) = (pane, field(age)).parse(fields)?;
    let (_, data) = behind_colon(fields)?;
    Ok((
        &[],
        Notification::ExtendedOutput {
            pane,
            age,
            data: Escaped::new(data),
        },
    ))
}

/// `%exit` or `%exit REASON`.
fn exit(fields: &[u8]) -> Parsed<'_, Notification<'_>> {
    let (_, reason) = if fields.is_empty() {
        (fields, fields)
    } else {
        field(rest).parse(fields)?
    };
    Ok((&[], Notification::Exit { reason }))
}

/// `%layout-change @W LAYOUT [VISIBLE FLAGS [FUTURE]]`, from the space behind the name.
///
/// Any of the three may be empty, so fields end at exactly one space.
fn layout_change(fields: &[u8]) -> Parsed<'_, Notification<'_>> {
    let (fields, (window, layout)) = (field(window), field(maybe_word)).parse(fields)?;
    let (visible, flags) = if fields.is_empty() {
        (fields, fields)
    } else {
        let (fields, visible) = field(maybe_word).parse(fields)?;
        let flags = if fields.is_empty() {
            fields
        } else {
            field(maybe_word).parse(fields)?.1
        };
        (visible, flags)
    };
    Ok((
        &[],
        Notification::LayoutChange {
            window,
            layout,
            visible,
            flags,
        },
    ))
}

/// `%subscription-changed NAME $S (@W|-) (I|-) (%P|-) { FUTURE } : VALUE`, from behind the name.
///
/// The name comes first and raw, so it may hold spaces: it ends at the first place from which the
/// rest of the line reads as the other fields.
fn subscription(fields: &[u8]) -> Parsed<'_, Notification<'_>> {
    let (fields, _) = space(fields)?;
    let ends = memchr::memmem::find_iter(fields, b" $");
    for end in ends {
        let (name, tail) = fields.split_at(end);
        let parsed: Parsed<'_, _> = (
            field(session),
            field(or_dash(window)),
            field(or_dash(index)),
            field(or_dash(pane)),
        )
            .parse(tail);
        let Ok((tail, (session, window, index, pane))) = parsed else {
            continue;
        };
        let Ok((_, value)) = behind_colon(tail) else {
            continue;
        };
        let found = Notification::SubscriptionChanged {
            name,
            session,
            window,
            index,
            pane,
            value,
        };
        return Ok((&[], found));
    }
    fail(fields)
}

/// What follows the first ` : `, where fields for the future stand before it.
fn behind_colon(fields: &[u8]) -> Parsed<'_, &[u8]> {
    match memchr::memmem::find(fields, b" : ") {
        Some(at) => Ok((&[], fields.get(at + 3..).unwrap_or_default())),
        None => fail(fields),
    }
}

/// A field and the one space in front of it.
fn field<'a, T, F>(
    inner: F,
) -> impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>
where
    F: Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
{
    preceded(space, inner)
}

/// The last field of a line, and the one space in front of it.
fn last<'a, T, F>(
    inner: F,
) -> impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>
where
    F: Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
{
    all_consuming(field(inner))
}

/// A field that tmux prints as `-` where it does not apply.
fn or_dash<'a, T: Clone, F>(
    inner: F,
) -> impl Parser<&'a [u8], Output = Option<T>, Error = nom::error::Error<&'a [u8]>>
where
    F: Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
{
    nom::branch::alt((value(None, char('-')), map(inner, Some)))
}

fn space(input: &[u8]) -> Parsed<'_, char> {
    char(' ').parse(input)
}

fn word(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|b| b != b' ').parse(input)
}

fn maybe_word(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_till(|b| b == b' ').parse(input)
}

fn pane(input: &[u8]) -> Parsed<'_, PaneId> {
    map_opt(word, PaneId::parse).parse(input)
}

fn window(input: &[u8]) -> Parsed<'_, WindowId> {
    map_opt(word, WindowId::parse).parse(input)
}

fn session(input: &[u8]) -> Parsed<'_, SessionId> {
    map_opt(word, SessionId::parse).parse(input)
}

fn index(input: &[u8]) -> Parsed<'_, u32> {
    map_opt(word, parse_u32).parse(input)
}

fn age(input: &[u8]) -> Parsed<'_, u64> {
    map_opt(word, parse_u64).parse(input)
}

fn fail<T>(input: &[u8]) -> Parsed<'_, T> {
    Err(nom::Err::Error(nom::error::Error::new(
        input,
        nom::error::ErrorKind::Verify,
    )))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Notification as N;
    use super::*;

    fn bytes(escaped: &[u8]) -> Escaped<'_> {
        Escaped::new(escaped)
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "one row a line")]
    fn lines_of_real_servers() {
        let (p0, p1, w0, s0) = (PaneId(0), PaneId(1), WindowId(0), SessionId(0));
        let layout = &b"b25d,80x24,0,0,0"[..];
        for (line, expected) in [
            (
                &b"%output %0 h\\134\xc3\xa9\\015\\012"[..],
                N::Output {
                    pane: p0,
                    data: bytes(b"h\\134\xc3\xa9\\015\\012"),
                },
            ),
            (
                b"%output %0 ",
                N::Output {
                    pane: p0,
                    data: bytes(b""),
                },
            ),
            (
                b"%output %1   x ",
                N::Output {
                    pane: p1,
                    data: bytes(b"  x "),
                },
            ),
            (
                b"%extended-output %0 12 : x : y",
                N::ExtendedOutput {
                    pane: p0,
                    age: 12,
                    data: bytes(b"x : y"),
                },
            ),
            (
                b"%extended-output %0 5 x y : data : more",
                N::ExtendedOutput {
                    pane: p0,
                    age: 5,
                    data: bytes(b"data : more"),
                },
            ),
            (
                b"%extended-output %0 18446744073709551615 : ",
                N::ExtendedOutput {
                    pane: p0,
                    age: u64::MAX,
                    data: bytes(b""),
                },
            ),
            (b"%pause %0", N::Pause { pane: p0 }),
            (b"%continue %1", N::Continue { pane: p1 }),
            (b"%exit", N::Exit { reason: b"" }),
            (
                b"%exit server exited unexpectedly",
                N::Exit {
                    reason: b"server exited unexpectedly",
                },
            ),
            (
                b"%layout-change @0 b25d,80x24,0,0,0 b25d,80x24,0,0,0 *Z",
                N::LayoutChange {
                    window: w0,
                    layout,
                    visible: layout,
                    flags: b"*Z",
                },
            ),
            (
                b"%layout-change @0 b25d,80x24,0,0,0 b25d,80x24,0,0,0 ",
                N::LayoutChange {
                    window: w0,
                    layout,
                    visible: layout,
                    flags: b"",
                },
            ),
            (
                b"%layout-change @0 b25d,80x24,0,0,0",
                N::LayoutChange {
                    window: w0,
                    layout,
                    visible: b"",
                    flags: b"",
                },
            ),
            (
                b"%layout-change @0  b25d,80x24,0,0,0 * future",
                N::LayoutChange {
                    window: w0,
                    layout: b"",
                    visible: layout,
                    flags: b"*",
                },
            ),
            (b"%window-add @0", N::WindowAdd { window: w0 }),
            (
                b"%unlinked-window-add @0",
                N::UnlinkedWindowAdd { window: w0 },
            ),
            (b"%window-close @0", N::WindowClose { window: w0 }),
            (
                b"%unlinked-window-close @0",
                N::UnlinkedWindowClose { window: w0 },
            ),
            (
                b"%window-renamed @0 a b  c ",
                N::WindowRenamed {
                    window: w0,
                    name: b"a b  c ",
                },
            ),
            (
                b"%window-renamed @0 ",
                N::WindowRenamed {
                    window: w0,
                    name: b"",
                },
            ),
            (
                b"%window-renamed @0 %end 1 2 3",
                N::WindowRenamed {
                    window: w0,
                    name: b"%end 1 2 3",
                },
            ),
            (
                b"%unlinked-window-renamed @0 \xff",
                N::UnlinkedWindowRenamed {
                    window: w0,
                    name: b"\xff",
                },
            ),
            (
                b"%window-pane-changed @0 %1",
                N::WindowPaneChanged {
                    window: w0,
                    pane: p1,
                },
            ),
            (
                b"%session-window-changed $0 @0",
                N::SessionWindowChanged {
                    session: s0,
                    window: w0,
                },
            ),
            (
                b"%session-changed $0 my sess",
                N::SessionChanged {
                    session: s0,
                    name: b"my sess",
                },
            ),
            (
                b"%client-session-changed /dev/pts/1 $0 my $1 sess",
                N::ClientSessionChanged {
                    client: b"/dev/pts/1",
                    session: s0,
                    name: b"my $1 sess",
                },
            ),
            (
                b"%client-session-changed client-1234 $0 m",
                N::ClientSessionChanged {
                    client: b"client-1234",
                    session: s0,
                    name: b"m",
                },
            ),
            (
                b"%client-detached client-1234",
                N::ClientDetached {
                    client: b"client-1234",
                },
            ),
            (
                b"%session-renamed $0 new",
                N::SessionRenamed {
                    session: s0,
                    name: b"new",
                },
            ),
            (b"%sessions-changed", N::SessionsChanged),
            (b"%pane-mode-changed %0", N::PaneModeChanged { pane: p0 }),
            (
                b"%subscription-changed p $0 @0 2 %1 : sh : 12",
                N::SubscriptionChanged {
                    name: b"p",
                    session: s0,
                    window: Some(w0),
                    index: Some(2),
                    pane: Some(p1),
                    value: b"sh : 12",
                },
            ),
            (
                b"%subscription-changed bad name $0 @0 0 %0 : %0",
                N::SubscriptionChanged {
                    name: b"bad name",
                    session: s0,
                    window: Some(w0),
                    index: Some(0),
                    pane: Some(p0),
                    value: b"%0",
                },
            ),
            (
                b"%subscription-changed a $x $0 - - - : ",
                N::SubscriptionChanged {
                    name: b"a $x",
                    session: s0,
                    window: None,
                    index: None,
                    pane: None,
                    value: b"",
                },
            ),
            (
                b"%subscription-changed w $0 @0 0 - new : v",
                N::SubscriptionChanged {
                    name: b"w",
                    session: s0,
                    window: Some(w0),
                    index: Some(0),
                    pane: None,
                    value: b"v",
                },
            ),
            (
                b"%paste-buffer-changed buffer0",
                N::PasteBufferChanged { name: b"buffer0" },
            ),
            (
                b"%paste-buffer-deleted buffer0",
                N::PasteBufferDeleted { name: b"buffer0" },
            ),
            (
                b"%config-error f:2: unknown command: x",
                N::ConfigError {
                    text: b"f:2: unknown command: x",
                },
            ),
            (b"%message hello ", N::Message { text: b"hello " }),
        ] {
            assert_eq!(N::parse(line), expected, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn what_is_not_to_the_letter_is_unknown_and_whole() {
        for line in [
            "",
            "%",
            "%%",
            "% output",
            "%OUTPUT",
            "%outputx",
            "%output",
            "%output %0",
            "%output %",
            "%output %-1 x",
            "%output %4294967296 x",
            "%output %01 x",
            "%output @0 x",
            "%output 0 x",
            "%output  %0 x",
            "%output\t%0 x",
            "%extended-output %0 5",
            "%extended-output %0 5 :",
            "%extended-output %0 x : y",
            "%extended-output %0 18446744073709551616 : y",
            "%extended-output %0 : y",
            "%pause",
            "%pause ",
            "%pause %0 ",
            "%pause %0 x",
            "%pause @0",
            "%window-add",
            "%window-add %0",
            "%window-add @0 x",
            "%window-renamed @0",
            "%layout-change @0",
            "%layout-change %0 a b c",
            "%window-pane-changed @0",
            "%window-pane-changed %0 @0",
            "%session-changed $0",
            "%session-changed @0 x",
            "%sessions-changed ",
            "%sessions-changed x",
            "%client-session-changed c $x n",
            "%subscription-changed",
            "%subscription-changed p $0 @0 0 %0",
            "%exits",
            "%exit-now",
            "%subscription-changed p $0 @0 0 %0 :",
            "%subscription-changed p $0 0 @0 %0 : x",
            "%foo-bar baz",
            "no percent",
            "%subscription-changed $0 @0 0 %0 : x",
        ] {
            assert_eq!(
                N::parse(line.as_bytes()),
                N::Unknown {
                    line: line.as_bytes()
                },
                "{line:?}"
            );
        }
        let long = [b"%new-thing ".to_vec(), vec![b'x'; 1 << 20]].concat();
        assert_eq!(N::parse(&long), N::Unknown { line: &long });
    }

    proptest! {
        #[test]
        fn the_short_way_agrees_with_the_grammar(
            line in prop_oneof![
                "%output %[0-9]{0,9} ?[ :0-9a-z\\\\]{0,20}",
                "%extended-output %[0-9]{0,9} [0-9]{0,9} ?(x )?(: ?)?[ :0-9a-z\\\\]{0,20}",
            ]) {
            let line = line.as_bytes();
            prop_assert!(is_named_output(line));
            prop_assert_eq!(N::parse(line), N::parse_any(line));
            if let Some(found) = usual_output(line) {
                prop_assert_eq!(found, N::parse_any(line));
            }
        }

        #[test]
        fn any_line_parses_without_panic(
            name in "%[a-z-]{0,24}", tail in proptest::collection::vec(any::<u8>(), 0..60)) {
            let line = [name.as_bytes(), &tail].concat();
            let _ = N::parse(&line);
        }

        #[test]
        fn fields_in_any_order_parse_without_panic(
            name in prop_oneof![
                Just("%output"), Just("%extended-output"), Just("%layout-change"),
                Just("%subscription-changed"), Just("%client-session-changed"), Just("%exit")],
            fields in proptest::collection::vec(
                prop_oneof![Just("%1"), Just("@1"), Just("$1"), Just("-"), Just(":"), Just("7"),
                    Just(""), Just("x"), Just("\\015")], 0..9)) {
            let line = format!("{name} {}", fields.join(" "));
            let _ = N::parse(line.as_bytes());
        }
    }
}
