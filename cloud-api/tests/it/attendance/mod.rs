//! The attendance desk, over real HTTP, with a script in the place of the program that reads faces.

mod commands;
mod demo;
mod enrol;
mod hostile;
pub(crate) mod kit;
mod lifecycle;
mod mark;
mod people;
mod pin;
mod records;
mod replicas;
mod restore;
pub(crate) mod worker;
