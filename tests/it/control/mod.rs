//! `/_emulator`

mod clock;
mod explain;
mod history;
mod program;
mod scenario;
mod wait;
