//! The terminal: taken over, and given back however the program ends.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode, size,
};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

/// A frame is written at once, so that no half of one is seen.
const FRAME_BYTES: usize = 64 * 1024;

/// Is the terminal ours? One process has one terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back before a panic says what it has to say.
static HOOK: Once = Once::new();

/// Standard output while the terminal is ours, and nothing otherwise: what is left of a frame, or of
/// [`Terminal`] at its end, must not reach whoever has it then.
#[derive(Debug)]
struct Gate(Stdout);

impl Write for Gate {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if TAKEN.load(Ordering::SeqCst) {
            self.0.write(bytes)
        } else {
            Ok(bytes.len())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) {
            self.0.flush()
        } else {
            Ok(())
        }
    }
}

/// The terminal, while it is ours.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Gate>>>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When standard input or output is no terminal, or it cannot be switched.
    pub(super) fn take() -> io::Result<Self> {
        if !is_there() {
            return Err(io::Error::other(
                "standard input and output must be a terminal: use --once",
            ));
        }
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        take_over()?;
        // From here on its end gives the terminal back.
        terminal()
            .map(|terminal| Self { terminal })
            .inspect_err(|_| give_back())
    }

    /// Gives it back for a while.
    pub(super) fn leave(&self) {
        give_back();
    }

    /// Takes it back, and draws all of it the next time.
    ///
    /// # Errors
    /// When the terminal cannot be switched.
    pub(super) fn come_back(&mut self) -> io::Result<()> {
        take_over()?;
        self.forget()
    }

    /// Draws all of it the next time, for what is there may be anything.
    ///
    /// # Errors
    /// When the terminal cannot be written.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        execute!(io::stdout(), Clear(ClearType::All))?;
        // `Terminal::clear` would ask the terminal where its cursor is, and read the answer from the
        // keys that somebody else is reading.
        self.terminal = terminal()?;
        Ok(())
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// When the terminal cannot be written.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if !TAKEN.load(Ordering::SeqCst) {
            // A panic elsewhere, which did not end the program, gave it back.
            self.come_back()?;
        }
        self.terminal.draw(draw)?;
        Ok(())
    }

    /// Columns and lines.
    ///
    /// # Errors
    /// When the terminal does not say.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        size()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Are standard input and output a terminal that nobody hung up?
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn terminal() -> io::Result<Terminal<CrosstermBackend<BufWriter<Gate>>>> {
    let out = BufWriter::with_capacity(FRAME_BYTES, Gate(io::stdout()));
    Terminal::new(CrosstermBackend::new(out))
}

fn take_over() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        // What is wider than it was counted must not run into the next line.
        DisableLineWrap,
        // What is pasted must not act as keys.
        EnableBracketedPaste,
        Hide,
        Clear(ClearType::All)
    )
    .inspect_err(|_| give_back())
}

/// There is nobody left to tell when this fails.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = execute!(
            out,
            DisableBracketedPaste,
            EnableLineWrap,
            Show,
            LeaveAlternateScreen
        );
        let _ = disable_raw_mode();
        let _ = out.flush();
    }
}
