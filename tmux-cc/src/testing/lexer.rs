//! A command line into words, as far as this library writes them.

/// The commands of a line, each as its words.
///
/// **Shape:** words bare, in `'...'` or in `"..."` with `\n \r \t \" \\ \$ \~ \ooo`; commands apart
/// by a `;` that is a word. A word that is nothing but a comment ends the line. Variables, tildes
/// and blocks are not expanded: what this library sends has none.
///
/// **Source:** tmux `cmd-parse.y`, `yylex`.
pub(super) fn commands(line: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut commands = vec![Vec::new()];
    let mut rest = line;
    loop {
        rest = rest.trim_ascii_start();
        match rest.first() {
            None | Some(b'#') => break,
            Some(b';') => {
                commands.push(Vec::new());
                rest = rest.get(1..).unwrap_or_default();
            }
            Some(_) => {
                let (word, behind) = word(rest);
                rest = behind;
                if let Some(command) = commands.last_mut() {
                    command.push(word);
                }
            }
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// The first word, and what is behind it.
fn word(line: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut word, mut quotes) = (Vec::new(), None);
    let mut bytes = line.iter().copied().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quotes, byte) {
            (None, b' ' | b'\t' | b';') => return (word, line.get(at..).unwrap_or_default()),
            (None, b'\'' | b'"') => quotes = Some(byte),
            (Some(quote), _) if quote == byte => quotes = None,
            (None | Some(b'"'), b'\\') => match bytes.next() {
                Some((_, b'n')) => word.push(b'\n'),
                Some((_, b'r')) => word.push(b'\r'),
                Some((_, b't')) => word.push(b'\t'),
                Some((at, b'0'..=b'3')) => {
                    let digits = line.get(at..at + 3).unwrap_or_default();
                    let value = digits.iter().fold(0, |value: u8, digit| {
                        value.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0'))
                    });
                    word.push(value);
                    bytes.nth(1);
                }
                Some((_, other)) => word.push(other),
                None => {}
            },
            (_, byte) => word.push(byte),
        }
    }
    (word, &[])
}
