//! A frame becomes landmarks, becomes an eye aspect ratio (EAR), becomes blinks.

pub mod event;
pub mod source;

pub use event::{Blink, Event, FaceSight, FrameReport};
pub use source::SourceSpec;
