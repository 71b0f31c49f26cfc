//! What links OpenCV and dlib: frames come in, and what they show comes out.
//!
//! - [`Source`]: frames from a file, a camera, GStreamer, RTSP or the synthetic face, all grey
//! - [`Detector`]: where faces are, by dlib
//! - [`Encoder`]: who a face is, by dlib
//! - [`Pipeline`]: a frame becomes a report and events
//! - [`SyntheticFace`]: the face that the program draws
//! - [`camera`], [`Holder`]: the system's cameras, and who has one open
//! - [`load_landmark_model`]: the landmark model, found and verified

pub mod camera;
mod detector;
mod dlib_image;
mod encoder;
mod file;
mod follow;
mod frame;
mod holder;
mod live;
mod load;
mod pipeline;
mod source;
mod synthetic;

pub use detector::{Detector, FaceBox};
pub use dlib_image::dlib_image;
pub use encoder::Encoder;
pub use file::FileSource;
pub use frame::{Frame, SourceError};
pub use holder::{Holder, holders};
pub use load::load_landmark_model;
pub use pipeline::Pipeline;
pub use source::Source;
pub use synthetic::{SyntheticFace, SyntheticSource};
