//! Has the crate built again when a migration comes or goes: the macro that embeds them names no folder to cargo.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
