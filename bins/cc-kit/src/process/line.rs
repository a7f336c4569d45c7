//! The line of `/proc/PID/stat`, in which the kernel says what it knows of a process.

use super::{Identity, Process, State};

/// Reads a line of `/proc/PID/stat`; nothing where it is none.
///
/// The name stands in parentheses and may itself hold any of them, spaces and newlines: it ends at
/// the last one that closes.
pub(super) fn parse(line: &[u8], page: u64) -> Option<Process> {
    let (pid, comm, rest) = split(line)?;
    let mut fields = rest
        .split(u8::is_ascii_whitespace)
        .filter(|f| !f.is_empty());
    let state = state(*fields.next()?.first()?);
    let parent = number(fields.next())?;
    let group = number(fields.next())?;
    let session = number(fields.next())?;
    let tty = number(fields.next())?;
    let foreground = number(fields.next())?;
    // flags, and four counts of page faults
    let mut fields = fields.skip(5);
    let mut ticks = || number::<i64>(fields.next()).map(|ticks| ticks.try_into().unwrap_or(0));
    let own: (u64, u64) = (ticks()?, ticks()?);
    let waited: (u64, u64) = (ticks()?, ticks()?);
    // priority, nice, threads, itrealvalue
    let mut fields = fields.skip(4);
    let start = number(fields.next())?;
    // vsize
    let rss: i64 = number(fields.nth(1))?;
    Some(Process {
        identity: Identity { pid, start },
        comm: String::from_utf8_lossy(comm).into_owned(),
        state,
        parent,
        group,
        session,
        tty,
        foreground,
        cpu_ticks: own.0.saturating_add(own.1),
        waited_ticks: waited.0.saturating_add(waited.1),
        rss: u64::try_from(rss).unwrap_or(0).saturating_mul(page),
        mark: None,
    })
}

/// What the line says of how it ended, as `wait` would: field 52, which is 0 too where it runs still
/// or one may not know.
pub(super) fn exit_code(line: &[u8]) -> Option<i32> {
    let (_, _, rest) = split(line)?;
    let mut fields = rest
        .split(u8::is_ascii_whitespace)
        .filter(|f| !f.is_empty());
    number(fields.nth(52 - 3))
}

/// What the line says of its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Environment {
    /// It has one of so many bytes.
    Of(u64),
    /// It is just becoming another program (`execve`) and will have one.
    NotYet,
    /// It is a kernel thread, or is ending.
    Never,
}

/// How large its environment is.
///
/// The kernel says where it begins and ends (fields 50 and 51) when it lays it out, and where the
/// code does (26) when that is done (Linux 6.18, `fs/binfmt_elf.c`).
pub(super) fn environment(line: &[u8]) -> Environment {
    const EXITING: u32 = 0x4;
    const KERNEL_THREAD: u32 = 0x0020_0000;
    let read = || {
        let (_, _, rest) = split(line)?;
        let mut fields = rest
            .split(u8::is_ascii_whitespace)
            .filter(|f| !f.is_empty());
        let state = state(*fields.next()?.first()?);
        let flags: u32 = number(fields.nth(9 - 4))?;
        let code: u64 = number(fields.nth(26 - 10))?;
        let begins: u64 = number(fields.nth(50 - 27))?;
        let ends: u64 = number(fields.next())?;
        if state.has_ended() || flags & (EXITING | KERNEL_THREAD) != 0 {
            return None;
        }
        if code == 0 || ends == 0 {
            return Some(Environment::NotYet);
        }
        ends.checked_sub(begins).map(Environment::Of)
    };
    read().unwrap_or(Environment::Never)
}

/// The pid, the name, and what comes behind.
fn split(line: &[u8]) -> Option<(i32, &[u8], &[u8])> {
    let opened = line.iter().position(|&byte| byte == b'(')?;
    let closed = line.iter().rposition(|&byte| byte == b')')?;
    let pid = number(Some(line.get(..opened)?.trim_ascii()))?;
    Some((pid, line.get(opened + 1..closed)?, line.get(closed + 1..)?))
}

fn number<T: std::str::FromStr>(field: Option<&[u8]>) -> Option<T> {
    std::str::from_utf8(field?).ok()?.parse().ok()
}

const fn state(letter: u8) -> State {
    match letter {
        b'R' => State::Running,
        b'S' | b'I' => State::Sleeping,
        b'D' => State::Uninterruptible,
        b'T' | b't' => State::Stopped,
        b'Z' => State::Zombie,
        b'X' | b'x' => State::Dead,
        other => State::Other(other as char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(comm: &str) -> String {
        format!(
            "4242 ({comm}) S 17 4240 4200 34818 4242 4194304 101 7 0 3 11 22 33 44 20 0 1 0 1763347 \
             3133440 406 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 1792\n"
        )
    }

    #[test]
    fn each_field_is_read_from_its_place() {
        let process = parse(line("sh").as_bytes(), 4096).unwrap();
        let wanted = Process {
            identity: Identity {
                pid: 4242,
                start: 1_763_347,
            },
            comm: "sh".to_owned(),
            state: State::Sleeping,
            parent: 17,
            group: 4240,
            session: 4200,
            tty: 34818,
            foreground: 4242,
            cpu_ticks: 33,
            waited_ticks: 77,
            rss: 406 * 4096,
            mark: None,
        };
        assert_eq!(process, wanted);
        assert_eq!(exit_code(line("sh").as_bytes()), Some(7 << 8));
    }

    #[test]
    fn who_becomes_another_program_has_no_environment_yet() {
        let line = |state, flags, code, (begins, ends)| {
            format!(
                "7 (a) b) {state} 1 7 7 0 -1 {flags} 1 0 0 0 1 1 0 0 20 0 1 0 1763347 3133440 406 \
                 18446744073709551615 {code} 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 22 23 24 \
                 25 26 {begins} {ends} 0"
            )
        };
        for (line, wanted) in [
            (line('R', 4_194_304, 0, (0, 0)), Environment::NotYet),
            (line('D', 4_194_304, 0, (4096, 0)), Environment::NotYet),
            (line('R', 4_194_304, 0, (4096, 4096)), Environment::NotYet),
            (
                line('R', 4_194_304, 512, (4096, 4200)),
                Environment::Of(104),
            ),
            (line('S', 4_194_304, 512, (4096, 4096)), Environment::Of(0)),
            (line('R', 4_194_308, 0, (0, 0)), Environment::Never),
            (line('S', 2_129_984, 0, (0, 0)), Environment::Never),
            (line('Z', 4_194_304, 0, (0, 0)), Environment::Never),
            (String::new(), Environment::Never),
        ] {
            assert_eq!(environment(line.as_bytes()), wanted, "{line}");
        }
    }

    #[test]
    fn a_name_cannot_forge_a_field() {
        for comm in [
            ") Z 1 1 1 0 -1 ",
            "a) (b",
            ") (",
            "",
            "(((",
            ")))",
            "a b\\nc",
            "1 (x) R 1",
        ] {
            let process = parse(line(comm).as_bytes(), 4096).unwrap();
            assert_eq!(process.comm, comm);
            assert_eq!(process.parent, 17, "{comm:?}");
            assert_eq!(process.identity.start, 1_763_347, "{comm:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = exit_code(&bytes);
            if let Some(process) = parse(&bytes, 4096) {
                prop_assert!(bytes.contains(&b')'));
                prop_assert!(process.mark.is_none());
            }
        }

        #[test]
        fn a_line_cut_anywhere_is_no_process_or_the_same(cut in 0_usize..200) {
            let whole = line("a) b");
            let cut = cut.min(whole.len());
            if let Some(process) = parse(&whole.as_bytes()[..cut], 4096) {
                prop_assert_eq!(process.parent, 17);
                prop_assert_eq!(process.identity.pid, 4242);
            }
        }
    }
}
