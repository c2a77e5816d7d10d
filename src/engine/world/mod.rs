//! The world as a whole: filled from a seed, added to, exported, replaced, reset.

pub mod additions;
pub(super) mod load;
pub mod state;
