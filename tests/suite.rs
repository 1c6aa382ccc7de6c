//! Behaviour of Glyphspace through its public interfaces; one binary, so that it links once.

mod canvas;
mod search;
mod window;
