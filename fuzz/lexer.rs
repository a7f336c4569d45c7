//! What tmux makes of a command line: its lexer and as much of its grammar as one line needs.
//!
//! Written from `cmd-parse.y` of tmux 3.2 and later, not from the library: it is what the library
//! is compared with.

/// A command: its name and arguments, or nothing but an assignment.
pub(crate) type Command = Vec<Argument>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    Word(Vec<u8>),
    /// `{ ... }`
    Block(Vec<Command>),
}

/// Why it cannot be said which commands run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// tmux answers a parse error: none do.
    Syntax,
    /// A variable or a home directory of the server.
    Environment,
    /// `%if` and its kin.
    Condition,
    /// `\u`: what it is depends on the server's locale.
    Locale,
}

#[derive(Debug)]
enum Token {
    Word(Vec<u8>),
    /// A word that sets a variable where a command would begin.
    Assignment(Vec<u8>),
    Separator,
    Open,
    Close,
}

/// The commands of a line. One that only assigns is left out, as it gives no block.
pub(crate) fn commands(line: &[u8]) -> Result<Vec<Command>, Unclear> {
    let mut tokens = tokens(line)?.into_iter();
    list(&mut tokens, false)
}

/// `yyparse`, up to the end or the brace that closes a block.
fn list(tokens: &mut std::vec::IntoIter<Token>, inside: bool) -> Result<Vec<Command>, Unclear> {
    let (mut commands, mut command, mut assigned) = (Vec::new(), Command::new(), false);
    loop {
        match tokens.next() {
            None if inside => return Err(Unclear::Syntax),
            Some(Token::Close) if !inside => return Err(Unclear::Syntax),
            token @ (None | Some(Token::Close | Token::Separator)) => {
                if !command.is_empty() {
                    commands.push(std::mem::take(&mut command));
                }
                assigned = false;
                if !matches!(token, Some(Token::Separator)) {
                    return Ok(commands);
                }
            }
            Some(Token::Assignment(_)) if command.is_empty() && assigned => {
                return Err(Unclear::Syntax);
            }
            Some(Token::Assignment(_)) if command.is_empty() => assigned = true,
            Some(Token::Word(word) | Token::Assignment(word)) => command.push(Argument::Word(word)),
            Some(Token::Open) if command.is_empty() => return Err(Unclear::Syntax),
            Some(Token::Open) => command.push(Argument::Block(list(tokens, true)?)),
        }
    }
}

/// `yylex`. A C string ends at a NUL, and where `char` is signed a byte 0xff is the end of the file.
fn tokens(line: &[u8]) -> Result<Vec<Token>, Unclear> {
    let end = line.iter().position(|byte| matches!(byte, 0 | 0xff));
    let mut rest = &line[..end.unwrap_or(line.len())];
    let mut tokens = Vec::new();
    while let Some((&first, behind)) = rest.split_first() {
        let single = match first {
            b' ' | b'\t' => {
                rest = behind;
                continue;
            }
            b';' => Some(Token::Separator),
            b'{' => Some(Token::Open),
            b'}' => Some(Token::Close),
            b'#' => break,
            _ => None,
        };
        if let Some(token) = single {
            tokens.push(token);
            rest = behind;
            continue;
        }
        if first == b'%' {
            let length = rest.iter().position(|byte| matches!(byte, b' ' | b'\t'));
            let (word, behind) = rest.split_at(length.unwrap_or(rest.len()));
            rest = behind;
            match word {
                b"%if" | b"%elif" | b"%else" | b"%endif" | b"%hidden" => {
                    return Err(Unclear::Condition);
                }
                _ if word.iter().all(|byte| matches!(byte, b'%' | b'0'..=b'9')) => {
                    tokens.push(Token::Word(word.to_vec()));
                }
                _ => return Err(Unclear::Syntax),
            }
            continue;
        }
        let (word, behind) = token(rest)?;
        rest = behind;
        tokens.push(if assigns(&word) {
            Token::Assignment(word)
        } else {
            Token::Word(word)
        });
    }
    Ok(tokens)
}

/// Is it `NAME=value`? Quotes have gone by then.
fn assigns(word: &[u8]) -> bool {
    let Some(at) = word.iter().position(|&byte| byte == b'=') else {
        return false;
    };
    let name = &word[..at];
    !name.is_empty()
        && !name[0].is_ascii_digit()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    Start,
    None,
    Single,
    Double,
}

/// `yylex_token`: a word at the start of `rest`, and what follows it.
fn token(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), Unclear> {
    let (mut word, mut quotes, mut last) = (Vec::new(), Quotes::None, Quotes::Start);
    while let Some((&byte, behind)) = rest.split_first() {
        match (byte, quotes) {
            (b' ' | b'\t' | b';' | b'}', Quotes::None) => break,
            (b'\\', Quotes::None | Quotes::Double) => {
                let (byte, behind) = escape(behind)?;
                // The string of a word ends at a NUL.
                word.push(byte);
                rest = behind;
                last = quotes;
                continue;
            }
            (b'~', Quotes::None | Quotes::Double) if last != quotes => {
                return Err(Unclear::Environment);
            }
            (b'$', Quotes::None | Quotes::Double) => return Err(Unclear::Environment),
            (b'\'', Quotes::None) => quotes = Quotes::Single,
            (b'"', Quotes::None) => quotes = Quotes::Double,
            (b'\'', Quotes::Single) | (b'"', Quotes::Double) => quotes = Quotes::None,
            _ => {
                word.push(byte);
                last = quotes;
            }
        }
        rest = behind;
    }
    // Quotes that are open at the end are closed there.
    let end = word.iter().position(|&byte| byte == 0);
    word.truncate(end.unwrap_or(word.len()));
    Ok((word, rest))
}

/// `yylex_token_escape`, behind the backslash.
fn escape(rest: &[u8]) -> Result<(u8, &[u8]), Unclear> {
    let digit = |byte: u8| byte - b'0';
    match *rest {
        [] => Err(Unclear::Syntax),
        [
            a @ b'0'..=b'3',
            b @ b'0'..=b'7',
            c @ b'0'..=b'7',
            ref rest @ ..,
        ] => Ok((digit(a) << 6 | digit(b) << 3 | digit(c), rest)),
        [b'0'..=b'7', ..] => Err(Unclear::Syntax),
        [b'u' | b'U', ..] => Err(Unclear::Locale),
        [byte, ref rest @ ..] => {
            let byte = match byte {
                b'a' => 7,
                b'b' => 8,
                b'e' => 27,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b's' => b' ',
                b't' => b'\t',
                b'v' => 11,
                other => other,
            };
            Ok((byte, rest))
        }
    }
}
