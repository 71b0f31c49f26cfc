//! Tests of blinkd as a whole: over its socket, over HTTP, and as a program.
#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect ends there")]

// `make fuzz` builds these tests too, and they want what is linked into the fuzzed ones.
use bolero as _;

mod bus;
mod damage;
mod disk;
mod document;
mod erasure;
mod events;
mod fixture;
mod footage;
mod http;
mod lifecycle;
mod output;
mod program;
mod protocol;
mod session;
mod settings;
mod strangers;
mod toggles;
mod windows;
