//! Commands that answer what they are asked.

use super::error::RunError;
use super::handle::Client;
use crate::protocol::Quirks;
use crate::protocol::commands::{DeleteBuffer, Paste, Run};

impl Client {
    /// Sends a command and waits for its answer.
    ///
    /// ```no_run
    /// # async fn example(client: tmux_cc::client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use tmux_cc::protocol::commands::{NewSession, SplitWindow};
    ///
    /// let made = client.run(NewSession::named("build").program(["make", "-j2"])).await?;
    /// let split = client.run(SplitWindow::right(made.pane).directory("/tmp")).await?;
    /// println!("{} beside {}", split.pane, made.pane);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RunError`]: there is no reply, or it is no answer; tmux's own words are in it.
    pub async fn run<R: Run>(&self, run: R) -> Result<R::Answer, RunError> {
        let reply = self.command(run.command()).await?;
        Ok(run.answer(reply)?)
    }

    /// Writes text to a pane's program, byte for byte, or nothing of it.
    ///
    /// When it returns, tmux has taken all of it, and its program may read it. Dropping the future
    /// leaves open whether it was written.
    ///
    /// # Errors
    /// [`RunError`]; nothing was written then, but where the client ended while it was asked
    /// ([`ReplyError::Disconnected`](crate::protocol::ReplyError::Disconnected)): that is unknown.
    pub async fn paste(&self, paste: &Paste) -> Result<(), RunError> {
        let attached = self.attached();
        // A client's commands run one after another, so that one name does for all of them.
        let name = String::from_utf8_lossy(&attached.client_name);
        let buffer = format!("tmux-cc {name}");
        let command = paste.command(&buffer, Quirks::of(attached.server.version));
        let answer = paste.answer(self.command(command).await?);
        if answer.is_err() {
            // It may be there, and may be not.
            self.command(DeleteBuffer::new(&buffer)).await?;
        }
        Ok(answer?)
    }
}
