//! The part that links OpenCV and dlib: from frames to events.
//!
//! - [`Source`]: frames from a file, a camera, GStreamer, RTSP or the synthetic face, all grey
//! - [`Detector`]: finds faces, with dlib
//! - [`settle`]: the landmarks of a face that was found
//! - [`Encoder`]: encodes faces for recognition, with dlib
//! - [`Pipeline`]: turns a frame into a report and events
//! - [`SyntheticFace`]: draws the synthetic face
//! - [`camera`], [`Holder`]: the system's cameras, and the programs that have one open
//! - [`load_landmark_model`]: finds and verifies the landmark model

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
pub use follow::settle;
pub use frame::{Frame, SourceError};
pub use holder::{Holder, holders};
pub use load::load_landmark_model;
pub use pipeline::Pipeline;
pub use source::Source;
pub use synthetic::{SyntheticFace, SyntheticSource};
