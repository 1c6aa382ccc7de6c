//! Behaviour of Glyphspace through its public interfaces; one binary, so that it links once.

#![allow(clippy::unwrap_used)]

mod canvas;
mod search;
mod window;
