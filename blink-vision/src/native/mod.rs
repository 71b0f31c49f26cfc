//! What links OpenCV and dlib: frames come in, and what they show comes out.
//!
//! - [`Source`]: frames from a file, a camera, GStreamer, RTSP or the synthetic face, all grey
//! - [`Detector`]: where faces are, by dlib
//! - [`Encoder`]: who a face is, by dlib
//! - [`Pipeline`]: a frame becomes a report and events
//! - [`SyntheticFace`]: the face that the program draws
//! - [`load_landmark_model`]: the landmark model, found and verified

pub mod camera;
mod detector;
mod encoder;
mod file;
mod follow;
mod live;
mod load;
mod pipeline;
mod source;
mod synthetic;

pub use detector::{Detector, FaceBox};
pub use encoder::Encoder;
pub use file::FileSource;
pub use load::load_landmark_model;
pub use pipeline::Pipeline;
pub use source::{Frame, Source, SourceError};
pub use synthetic::{SyntheticFace, SyntheticSource};
