//! `cloud-api openapi`: the API's description.

use crate::failure::Failure;

pub(crate) fn run() -> Result<(), Failure> {
    super::print(format!("{:#}\n", crate::routes::docs::description()))
}
