//! `cloud-api openapi`: the API's description.

use crate::failure::Failure;

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run() -> Result<(), Failure> {
    println!("{:#}", crate::routes::docs::description());
    Ok(())
}
