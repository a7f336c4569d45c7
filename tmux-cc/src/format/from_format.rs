//! What the derive implements.

use super::error::{RowError, RowsError, Unavailable};
use super::fields::Fields;
use crate::wire::Version;

/// A row: a struct whose fields are format variables of tmux.
///
/// It is derived. Each field is named after [its variable](super::VARIABLES) and has a type that can
/// hold it: `bool` for flags, ids, whole numbers, [`SystemTime`](std::time::SystemTime) for times,
/// `Vec<u8>`, `Box<[u8]>` or `String` for all that is text, an [`Option`] of these where it may be
/// empty, and types of your own that are a [`FromValue`](super::FromValue). A `String` must be UTF-8,
/// or the row is an error: text of strangers is better taken as bytes.
///
/// | `#[tmux(...)]` on a field | |
/// |---|---|
/// | `name = "pane_id"` | the variable, where the field has another name |
/// | `name = "@my_option"` | a user option; it may not be set |
/// | `format = "#{?pane_active,a,b}"` | any format, unchecked |
/// | `unchecked` | a name that the table does not know: tmux's own options, newer variables |
/// | `default` | the type's default where the value is empty |
/// | `since = "3.6"` | older servers have no such variable and leave the field empty |
///
/// `#[tmux(since = "3.6")]` on the struct is the least tmux that it is for, 3.2 by default: then
/// variables up to that version need nothing said, and an older server is refused.
///
/// What does not fit is an error when it is compiled, which says what to do: an unknown name, a type
/// that cannot hold the variable or cannot be empty when it is, a variable that is too new or gone.
///
/// ```
/// use std::time::SystemTime;
/// use tmux_cc::format::{FromFormat, rows};
/// use tmux_cc::wire::PaneId;
///
/// #[derive(FromFormat)]
/// struct Job {
///     #[tmux(name = "pane_id")]
///     id: PaneId,
///     pane_dead: bool,
///     pane_dead_status: Option<u8>,
///     /// tmux tells it since 3.3; from an older server it is `None`.
///     #[tmux(since = "3.3")]
///     pane_dead_time: Option<SystemTime>,
///     #[tmux(name = "@tries", default)]
///     tries: u32,
///     #[tmux(format = "#{session_name}:#{window_index}")]
///     place: Vec<u8>,
/// }
///
/// let job = &rows::<Job>(b"%4|1|7|1700000000||main:2|\n")?[0];
/// assert_eq!((job.pane_dead_status, job.tries), (Some(7), 0));
/// assert_eq!(job.place, b"main:2");
/// # Ok::<(), tmux_cc::format::RowsError>(())
/// ```
pub trait FromFormat: Sized {
    /// What `-F` is to be given.
    const FORMAT: &'static str;

    /// The fields, in their order.
    const COLUMNS: &'static [Column];

    /// The least tmux that the row is for.
    const SINCE: Version = Version::FLOOR;

    /// Reads one row, without its end.
    ///
    /// # Errors
    /// The first field that does not read.
    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RowError>;

    /// Does a server of that version know all that is asked of it?
    ///
    /// ```
    /// use tmux_cc::format::FromFormat;
    /// use tmux_cc::wire::Version;
    ///
    /// #[derive(FromFormat)]
    /// #[tmux(since = "3.7")]
    /// struct Pipe {
    ///     pane_pipe_pid: Option<u32>,
    /// }
    ///
    /// assert!(Pipe::available_on(Version::new(3, 8)).is_ok());
    /// assert_eq!(
    ///     Pipe::available_on(Version::patched(3, 5, 'a')).unwrap_err().to_string(),
    ///     "`pane_pipe_pid` came with tmux 3.7, and the server is tmux 3.5a",
    /// );
    /// ```
    ///
    /// # Errors
    /// The first variable that it does not know, unless its field may be missing.
    fn available_on(server: Version) -> Result<(), Unavailable> {
        for column in Self::COLUMNS.iter().filter(|column| !column.optional) {
            column.available_on(server)?;
        }
        if server.at_least(Self::SINCE) {
            Ok(())
        } else {
            let since = Self::SINCE;
            Err(Unavailable::TooOld { since, server })
        }
    }
}

/// One field of a row, and what it asks for.
///
/// ```
/// use tmux_cc::format::{FromFormat as _, PaneRow};
///
/// let id = &PaneRow::COLUMNS[0];
/// assert_eq!((id.field, id.source), ("id", "pane_id"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The field's name.
    pub field: &'static str,
    /// The variable, option or format.
    pub source: &'static str,
    /// The first version that knows it.
    pub since: Version,
    /// The first version that does not know it any more.
    pub until: Option<Version>,
    /// May a server not know it, and the field be empty?
    pub optional: bool,
}

/// For the derive.
#[doc(hidden)]
impl Column {
    #[must_use]
    pub const fn new(field: &'static str, source: &'static str) -> Self {
        Self {
            field,
            source,
            since: Version::FLOOR,
            until: None,
            optional: false,
        }
    }

    #[must_use]
    pub const fn since(mut self, since: Version) -> Self {
        self.since = since;
        self
    }

    #[must_use]
    pub const fn until(mut self, until: Version) -> Self {
        self.until = Some(until);
        self
    }

    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl Column {
    fn available_on(&self, server: Version) -> Result<(), Unavailable> {
        let Self {
            source: variable,
            since,
            until,
            ..
        } = *self;
        if !server.at_least(since) {
            return Err(Unavailable::TooNew {
                variable,
                since,
                server,
            });
        }
        match until.filter(|until| server.at_least(*until)) {
            Some(until) => Err(Unavailable::Gone {
                variable,
                until,
                server,
            }),
            None => Ok(()),
        }
    }
}

/// Reads the rows in what a command has printed for [`T::FORMAT`](FromFormat::FORMAT): the body of
/// a block, or what a tmux process has written.
///
/// ```
/// use tmux_cc::format::{FromFormat, rows};
///
/// #[derive(FromFormat)]
/// struct Name {
///     session_name: Vec<u8>,
/// }
///
/// assert_eq!(Name::FORMAT, "#{q:session_name}|");
/// let names = rows::<Name>(b"main|\nmy\\ session|\n")?;
/// assert_eq!(names[1].session_name, b"my session");
/// let error = rows::<Name>(b"main|\nmy\\ ses").err().unwrap();
/// assert_eq!((error.number, error.source.to_string().as_str()),
///     (2, r#"`session_name` has no end: "my\\ ses""#));
/// # Ok::<(), tmux_cc::format::RowsError>(())
/// ```
///
/// # Errors
/// The first row that does not read: none is left out.
pub fn rows<T: FromFormat>(printed: &[u8]) -> Result<Vec<T>, RowsError> {
    let mut fields = Fields::new(printed);
    let mut rows = Vec::new();
    while !fields.is_empty() {
        let row = T::from_fields(&mut fields).and_then(|row| fields.end_row().map(|()| row));
        rows.push(row.map_err(|source| RowsError {
            number: rows.len() + 1,
            source,
        })?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(crate::format::FromFormat)]
    struct Name {
        session_name: String,
        session_windows: u32,
    }

    /// As the derive would have it for variables that come and go.
    struct Changing;

    impl FromFormat for Changing {
        const FORMAT: &'static str = "#{old}|#{new}|#{late}|";
        const COLUMNS: &'static [Column] = &[
            Column::new("old", "old").until(Version::new(3, 8)),
            Column::new("new", "new").since(Version::patched(3, 3, 'a')),
            Column::new("late", "late")
                .since(Version::new(3, 9))
                .optional(),
        ];

        fn from_fields(_: &mut Fields<'_>) -> Result<Self, RowError> {
            Ok(Self)
        }
    }

    #[test]
    fn what_a_server_does_not_know_yet_or_any_more_is_named() {
        for version in ["3.3a", "3.4", "3.7c"] {
            let version = Version::parse(version.as_bytes()).unwrap();
            assert_eq!(Changing::available_on(version), Ok(()), "{version}");
        }
        for (version, said) in [
            (
                "3.3",
                "`new` came with tmux 3.3a, and the server is tmux 3.3",
            ),
            (
                "next-3.8",
                "`old` is gone since tmux 3.8, and the server is tmux next-3.8",
            ),
            (
                "master",
                "`old` is gone since tmux 3.8, and the server is tmux master",
            ),
        ] {
            let version = Version::parse(version.as_bytes()).unwrap();
            let error = Changing::available_on(version).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
    }

    #[test]
    fn every_row_reads_or_none_does() {
        let names = rows::<Name>(b"a\\ b|1|\nc\nd|2|\n").unwrap();
        let names = names
            .iter()
            .map(|row| (&row.session_name[..], row.session_windows));
        assert_eq!(names.collect::<Vec<_>>(), [("a b", 1), ("c\nd", 2)]);
        assert!(rows::<Name>(b"").unwrap().is_empty());
        // The last row may lack its newline.
        assert_eq!(rows::<Name>(b"a|1|").unwrap().len(), 1);
        for (printed, number, said) in [
            (
                &b"a|x|\n"[..],
                1,
                "`session_windows` is not a number of 32 bits, not below 0: \"x\"",
            ),
            (b"a|1|\nb|\n", 2, "`session_windows` has no end: \"\""),
            (
                b"a|1|2|\n",
                1,
                "the row goes on behind its last field: \"2|\"",
            ),
            (
                b"a|1|\n\xff|2|\n",
                2,
                r#"`session_name` is not UTF-8: "\xff""#,
            ),
            (b"\n", 1, "`session_name` has no end"),
        ] {
            let error = rows::<Name>(printed).err().unwrap();
            assert_eq!(error.number, number);
            let source = error.source.to_string();
            assert!(source.starts_with(said), "{source}");
        }
    }
}
