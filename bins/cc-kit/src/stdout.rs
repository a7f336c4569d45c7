//! Printing to standard output, where a reader that has gone is no mistake.

use std::io::{self, Write};

use crate::exit::{Exit, Failure};

/// Prints.
///
/// # Errors
/// When standard output cannot be written.
pub fn print(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<(), Failure> {
    is_read(text).map(|_| ())
}

/// Prints, and says whether anybody reads it.
///
/// # Errors
/// When standard output cannot be written.
pub fn is_read(text: &(impl AsRef<[u8]> + ?Sized)) -> Result<bool, Failure> {
    written(text.as_ref(), &mut io::stdout().lock())
}

fn written(text: &[u8], out: &mut impl Write) -> Result<bool, Failure> {
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(Failure::new(Exit::Failed, error).advice("Check where standard output goes."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_mistake_and_a_full_disk_is() {
        let (reader, mut writer) = io::pipe().unwrap();
        assert!(written(b"one", &mut writer).unwrap());
        drop(reader);
        assert!(!written(b"two", &mut writer).unwrap());
        let failure = written(b"three", &mut [0_u8; 2].as_mut_slice()).unwrap_err();
        assert_eq!(failure.exit(), Exit::Failed);
    }
}
