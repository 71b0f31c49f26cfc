//! `face-worker`: pictures and recordings in, encodings and blinks out. It is the only part of the server that links
//! OpenCV and dlib, and it reads files that strangers send, so it locks itself down before it reads the first one.
//!
//! - [`lockdown`]: what the process may no longer do; [`environment`]: what must hold before it starts
//! - [`models`]: what is loaded once
//! - [`serve`]: one job at a time
//! - [`still`]: one picture; [`clip`]: a recording; [`picture`], [`video`]: their bytes become pixels
//! - [`quality`]: what makes a picture unfit, with the source of each threshold
//! - [`scene`]: cuts, repeated and returning pictures; [`solid`]: what tells a head from a flat picture of one

pub mod clip;
pub mod environment;
pub mod lockdown;
pub mod models;
pub mod picture;
pub mod quality;
pub mod refusal;
pub mod scene;
pub mod serve;
pub mod solid;
pub mod still;
pub mod video;

pub use refusal::Refusal;
