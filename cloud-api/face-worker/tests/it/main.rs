//! Tests of the program itself: it is started as the server starts it, and spoken to over its pipes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on says so by panicking")]

mod clips;
mod exchanges;
mod footage;
mod hostile;
mod lockdown;
mod memory;
mod stills;
/// The shares that the tables of `make liveness` print.
#[path = "../../examples/liveness/table.rs"]
mod table;
mod worker;
