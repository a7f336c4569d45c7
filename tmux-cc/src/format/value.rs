//! One value.

use std::time::{Duration, SystemTime};

use super::error::ValueError;
use crate::wire::{PaneId, SessionId, Version, WindowId};

/// A type that is read from the value of one variable.
///
/// Here for flags, numbers, ids, times, bytes and text, and for an [`Option`] of each: `None` where
/// the value is empty. Implement it for types of your own:
///
/// ```
/// use tmux_cc::format::{Fields, FromValue, ValueError};
///
/// #[derive(Debug, PartialEq)]
/// enum Status {
///     Idle,
///     Busy,
/// }
///
/// impl FromValue for Status {
///     fn from_value(value: &[u8]) -> Result<Self, ValueError> {
///         match value {
///             b"idle" => Ok(Self::Idle),
///             b"busy" => Ok(Self::Busy),
///             _ => Err(ValueError::wanted("idle or busy")),
///         }
///     }
/// }
///
/// let mut fields = Fields::new(b"busy|bored|");
/// assert_eq!(fields.take("@status"), Ok(Status::Busy));
/// let error = fields.take::<Status>("@status").unwrap_err();
/// assert_eq!(error.to_string(), r#"`@status` is not idle or busy: "bored""#);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type for a value of tmux",
    label = "cannot be read from a value of tmux",
    note = "use bool, a whole number, SessionId, WindowId, PaneId, SystemTime, Vec<u8>, String, or \
            an Option of these",
    note = "or implement `tmux_cc::format::FromValue` for `{Self}`"
)]
pub trait FromValue: Sized {
    /// Reads the whole of a value, byte for byte as it is in tmux.
    ///
    /// # Errors
    /// What was wanted in its place.
    fn from_value(value: &[u8]) -> Result<Self, ValueError>;
}

/// `1` is true; `0`, and nothing at all, is false.
impl FromValue for bool {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        match value {
            b"1" => Ok(true),
            b"0" | b"" => Ok(false),
            _ => Err(ValueError::wanted("a flag (1, 0 or nothing)")),
        }
    }
}

/// Implements it for whole numbers in decimal, without a `+`.
macro_rules! number {
    ($($type:ty, $wanted:literal;)*) => {$(
        impl FromValue for $type {
            fn from_value(value: &[u8]) -> Result<Self, ValueError> {
                let plain = value.first() != Some(&b'+');
                let text = std::str::from_utf8(value).ok().filter(|_| plain);
                text.and_then(|text| text.parse().ok()).ok_or(ValueError::wanted($wanted))
            }
        }
    )*};
}

number! {
    u8, "a number from 0 to 255";
    u16, "a number from 0 to 65535";
    u32, "a number of 32 bits, not below 0";
    u64, "a number of 64 bits, not below 0";
    usize, "a number, not below 0";
    i32, "a number of 32 bits";
    i64, "a number of 64 bits";
}

/// Implements it for what `parse` of the type takes.
macro_rules! parsed {
    ($($type:ty, $wanted:literal;)*) => {$(
        impl FromValue for $type {
            fn from_value(value: &[u8]) -> Result<Self, ValueError> {
                Self::parse(value).ok_or(ValueError::wanted($wanted))
            }
        }
    )*};
}

parsed! {
    SessionId, "a session's id";
    WindowId, "a window's id";
    PaneId, "a pane's id";
    Version, "a version of tmux";
}

/// Must be UTF-8.
impl FromValue for String {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        std::str::from_utf8(value)
            .map(str::to_owned)
            .map_err(|_| ValueError::wanted("UTF-8"))
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        Ok(value.to_vec())
    }
}

impl FromValue for Box<[u8]> {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        Ok(value.into())
    }
}

/// Seconds since the epoch.
impl FromValue for SystemTime {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        let wanted = ValueError::wanted("a time in seconds since the epoch");
        let seconds = u64::from_value(value).map_err(|_| wanted)?;
        Self::UNIX_EPOCH
            .checked_add(Duration::from_secs(seconds))
            .ok_or(wanted)
    }
}

/// `None` where the value is empty.
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &[u8]) -> Result<Self, ValueError> {
        if value.is_empty() {
            return Ok(None);
        }
        T::from_value(value).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn takes<T: FromValue + PartialEq + Debug>(value: &str, wanted: T) {
        assert_eq!(T::from_value(value.as_bytes()), Ok(wanted), "{value:?}");
    }

    fn refuses<T: FromValue + PartialEq + Debug>(values: &[&str]) {
        for value in values {
            let read = T::from_value(value.as_bytes());
            assert!(read.is_err(), "{value:?} is {read:?}");
        }
    }

    #[test]
    fn flags() {
        takes("1", true);
        takes("0", false);
        takes("", false);
        refuses::<bool>(&["2", "on", "true", " 1", "1 ", "00"]);
    }

    #[test]
    fn numbers() {
        takes("0", 0u8);
        takes("255", u8::MAX);
        takes("65535", u16::MAX);
        takes("4294967295", u32::MAX);
        takes("18446744073709551615", u64::MAX);
        takes("65535", 65535usize);
        takes("-2147483648", i32::MIN);
        takes("-9223372036854775808", i64::MIN);
        refuses::<u8>(&["256", "-1", ""]);
        refuses::<u16>(&["65536"]);
        refuses::<u32>(&[
            "4294967296",
            "+1",
            " 1",
            "1 ",
            "0x1",
            "1.0",
            "1e3",
            "-0",
            "١",
        ]);
        refuses::<u64>(&["18446744073709551616"]);
        refuses::<i32>(&["2147483648", "+1", "-", "--1"]);
        refuses::<i64>(&["9223372036854775808", "abc"]);
    }

    #[test]
    fn ids_and_versions() {
        takes("$3", SessionId(3));
        takes("@0", WindowId(0));
        takes("%4294967295", PaneId(u32::MAX));
        refuses::<PaneId>(&["@1", "%", "%01", "1", "", "%4294967296"]);
        refuses::<WindowId>(&["%1"]);
        refuses::<SessionId>(&["%1"]);
        takes("3.3a", Version::patched(3, 3, 'a'));
        refuses::<Version>(&["", "three"]);
    }

    #[test]
    fn text_and_bytes() {
        takes("é\n", "é\n".to_owned());
        takes("", String::new());
        assert_eq!(
            String::from_value(b"a\xff"),
            Err(ValueError::wanted("UTF-8"))
        );
        assert_eq!(Vec::from_value(b"a\xff\0"), Ok(b"a\xff\0".to_vec()));
        assert_eq!(Box::from_value(b"\xff"), Ok(b"\xff"[..].into()));
    }

    #[test]
    fn times() {
        takes("0", SystemTime::UNIX_EPOCH);
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        takes("1700000000", later);
        refuses::<SystemTime>(&["", "-1", "Sat", "18446744073709551615"]);
    }

    #[test]
    fn nothing_is_none() {
        takes("", None::<u32>);
        takes("7", Some(7u32));
        takes("", None::<Vec<u8>>);
        takes("0", Some(false));
        refuses::<Option<u32>>(&["x", " "]);
        takes("", None::<Option<u8>>);
    }
}
