//! `/_emulator`

mod clock;
mod explain;
mod program;
mod scenario;
