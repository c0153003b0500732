//! Plans for worlds.
