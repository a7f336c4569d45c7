//! The values of a row, one behind the other.

use std::borrow::Cow;

use memchr::memchr2;

use super::FromFormat;
use super::error::RowError;
use super::value::FromValue;
use super::variables::{Kind, Variable};

/// What ends a value: tmux's `q:` puts a backslash before one that is part of it.
const END: u8 = b'|';

/// What `q:` puts a backslash before, on any version: the newline and the tab only from 3.8.
///
/// **Source:** tmux `format.c`, `format_quote_shell`.
const SPECIAL: &[u8] = b"|&;<>()$`\\\"'*?[# =%";

/// Reads what tmux has printed for rows, value by value.
///
/// It is what [`FromFormat::from_fields`] is given, which the derive
/// writes; [`rows`](super::rows()) goes through a whole reply.
///
/// ```
/// use tmux_cc::format::Fields;
/// use tmux_cc::wire::PaneId;
///
/// let mut fields = Fields::new(b"%3|two\\ words|\n");
/// assert_eq!(fields.take::<PaneId>("pane_id")?, PaneId(3));
/// assert_eq!(fields.take::<String>("pane_title")?, "two words");
/// fields.end_row()?;
/// assert!(fields.is_empty());
/// # Ok::<(), tmux_cc::format::RowError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// What tmux has printed, from the beginning of a row on.
    #[must_use]
    pub const fn new(printed: &'a [u8]) -> Self {
        Self { rest: printed }
    }

    /// Has all been read?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the next value; `field` is what errors call it.
    ///
    /// # Errors
    /// There is none, or it is nothing that a `T` is read from.
    pub fn take<T: FromValue>(&mut self, field: &'static str) -> Result<T, RowError> {
        let value = self.value(field)?;
        Self::read(field, &value)
    }

    /// The same, and the type's default where the value is empty.
    ///
    /// # Errors
    /// As for [`take`](Self::take).
    pub fn take_or_default<T: FromValue + Default>(
        &mut self,
        field: &'static str,
    ) -> Result<T, RowError> {
        let value = self.value(field)?;
        if value.is_empty() {
            return Ok(T::default());
        }
        Self::read(field, &value)
    }

    /// Takes the end of the row: a newline, or the end of all.
    ///
    /// # Errors
    /// The row goes on.
    pub fn end_row(&mut self) -> Result<(), RowError> {
        match self.rest {
            [b'\n', rest @ ..] => self.rest = rest,
            [] => {}
            _ => {
                let found = line_of(self.rest);
                return Err(RowError::Longer { found });
            }
        }
        Ok(())
    }

    fn read<T: FromValue>(field: &'static str, value: &[u8]) -> Result<T, RowError> {
        T::from_value(value).map_err(|error| RowError::Value {
            field,
            value: value.to_vec(),
            wanted: error.wanted,
        })
    }

    /// The next value as it is in tmux, borrowed where nothing in it is escaped.
    fn value(&mut self, field: &'static str) -> Result<Cow<'a, [u8]>, RowError> {
        let all = self.rest;
        let mut decoded: Option<Vec<u8>> = None;
        loop {
            let Some(at) = memchr2(END, b'\\', self.rest) else {
                let found = line_of(all);
                return Err(RowError::Cut { field, found });
            };
            let (plain, rest) = self.rest.split_at_checked(at).unwrap_or((self.rest, &[]));
            if let [END, rest @ ..] = rest {
                self.rest = rest;
                return Ok(match decoded {
                    Some(mut decoded) => {
                        decoded.extend_from_slice(plain);
                        decoded.into()
                    }
                    None => plain.into(),
                });
            }
            let decoded = decoded.get_or_insert_default();
            decoded.extend_from_slice(plain);
            let Some((byte, rest)) = unescape(rest) else {
                let found = line_of(rest);
                return Err(RowError::Escape { field, found });
            };
            decoded.push(byte);
            self.rest = rest;
        }
    }
}

/// The byte that an escape stands for, and what is behind it.
///
/// **Shape:** a backslash of `q:` before what is no letter and no digit, or an escape of vis(3),
/// which is one of the others. 3.4 alone puts a second backslash between that of `q:` and a `$`
/// before a name; no value has this otherwise, for its own `\` and `$` have one each.
///
/// **Source:** tmux `format.c`, `format_quote_shell`; `server-client.c`, `server_client_print` of
/// 3.4 and 3.5; `utf8.c`, `utf8_strvis`; `compat/vis.c`.
fn unescape(escape: &[u8]) -> Option<(u8, &[u8])> {
    match *escape {
        [b'\\', b'\\', b'$', ref rest @ ..] => Some((b'$', rest)),
        [
            b'\\',
            a @ b'0'..=b'3',
            b @ b'0'..=b'7',
            c @ b'0'..=b'7',
            ref rest @ ..,
        ] => Some(((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), rest)),
        [b'\\', byte, ref rest @ ..] => {
            let byte = match byte {
                b'a' => 0x07,
                b'b' => 0x08,
                b't' => b'\t',
                b'n' => b'\n',
                b'v' => 0x0b,
                b'f' => 0x0c,
                b'r' => b'\r',
                b's' => b' ',
                _ if byte.is_ascii_alphanumeric() => return None,
                _ => byte,
            };
            Some((byte, rest))
        }
        _ => None,
    }
}

/// What an error tells of what it found: to the end of the line.
fn line_of(found: &[u8]) -> Vec<u8> {
    found
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default()
        .to_vec()
}

/// Appends a value as tmux prints it in a row, with the `|` that ends it: for what stands in for
/// tmux in tests.
///
/// ```
/// # use tmux_cc::format::{Fields, quote_value_into};
/// let mut row = Vec::new();
/// quote_value_into(b"a|b \xff", &mut row);
/// assert_eq!(row, b"a\\|b\\ \xff|");
/// assert_eq!(Fields::new(&row).take::<Vec<u8>>("pane_title"), Ok(b"a|b \xff".to_vec()));
/// ```
pub fn quote_value_into(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        if SPECIAL.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(END);
}

/// Appends a row as tmux prints it, with the newline that ends it: for what stands in for tmux in
/// tests.
///
/// Values are those of the named variables, or fields; what is not named is nothing, 0, or the id 0.
///
/// ```
/// # use tmux_cc::format::{PaneRow, print_row_into, rows};
/// # use tmux_cc::wire::PaneId;
/// let mut printed = Vec::new();
/// print_row_into::<PaneRow>(&[("pane_id", "%7"), ("pane_title", "a | b")], &mut printed);
/// let pane = &rows::<PaneRow>(&printed)?[0];
/// assert_eq!((pane.id, &pane.title[..]), (PaneId(7), &b"a | b"[..]));
/// # Ok::<(), tmux_cc::format::RowsError>(())
/// ```
pub fn print_row_into<T: FromFormat>(values: &[(&str, &str)], out: &mut Vec<u8>) {
    for column in T::COLUMNS {
        let named = |(name, _): &&(&str, &str)| *name == column.source || *name == column.field;
        let value = match (values.iter().find(named), Variable::named(column.source)) {
            (Some((_, value)), _) => value,
            (None, Some(variable)) if !variable.empty => match variable.kind {
                Kind::SessionId => "$0",
                Kind::WindowId => "@0",
                Kind::PaneId => "%0",
                Kind::Text | Kind::Layout => "",
                _ => "0",
            },
            (None, _) => "",
        };
        quote_value_into(value.as_bytes(), out);
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
