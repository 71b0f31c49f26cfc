//! `cloud-api openapi` prints the OpenAPI document.

use crate::failure::Failure;

pub(crate) fn run() -> Result<(), Failure> {
    super::print(format!("{:#}\n", crate::routes::docs::description()))
}
