//! Frames of JSON with a length prefix.

use std::{io, marker::PhantomData};

use bytes::{Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

/// The largest frame that either side sends or accepts, 1 MiB. A longer one ends the connection.
pub const MAX_FRAME_BYTES: usize = 1 << 20;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The connection failed, or a frame was too long.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The frame is not a message of the expected type.
    #[error("a frame is not a message of this protocol: {0}")]
    Json(#[from] serde_json::Error),
}

/// Decodes frames as `In`, and encodes `Out` as frames.
#[derive(Debug)]
pub struct JsonCodec<In, Out> {
    frames: LengthDelimitedCodec,
    messages: PhantomData<fn(Out) -> In>,
}

impl<In, Out> Default for JsonCodec<In, Out> {
    fn default() -> Self {
        let frames = LengthDelimitedCodec::builder().max_frame_length(MAX_FRAME_BYTES).new_codec();
        Self { frames, messages: PhantomData }
    }
}

impl<In: DeserializeOwned, Out> Decoder for JsonCodec<In, Out> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<In>, CodecError> {
        match self.frames.decode(buffer)? {
            Some(frame) => Ok(Some(serde_json::from_slice(&frame)?)),
            None => Ok(None),
        }
    }
}

impl<In, Out: Serialize> Encoder<Out> for JsonCodec<In, Out> {
    type Error = CodecError;

    fn encode(&mut self, message: Out, buffer: &mut BytesMut) -> Result<(), CodecError> {
        let frame = Bytes::from(serde_json::to_vec(&message)?);
        Ok(self.frames.encode(frame, buffer)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::{
        example::spliced,
        ipc::{FromDaemon, ToDaemon},
    };

    type Codec = JsonCodec<Value, Value>;

    #[test]
    fn a_frame_is_a_big_endian_length_and_json() {
        let mut buffer = BytesMut::new();
        Codec::default().encode(serde_json::json!({"a": 1}), &mut buffer).unwrap();
        assert_eq!(&buffer[..], b"\0\0\0\x07{\"a\":1}");
    }

    #[test]
    fn a_frame_past_the_limit_is_refused_before_it_is_read() {
        let mut buffer = BytesMut::from(&[0x7f, 0xff, 0xff, 0xff][..]);
        assert!(matches!(Codec::default().decode(&mut buffer), Err(CodecError::Io(_))));
        let big = Value::String("x".repeat(MAX_FRAME_BYTES));
        assert!(Codec::default().encode(big, &mut BytesMut::new()).is_err());
    }

    /// Any bytes of a client become messages, an error, or a wait for more; a message that was read can be written and read
    /// again.
    #[test]
    fn fuzz_frames() {
        fn again(message: &ToDaemon) {
            let mut bytes = BytesMut::new();
            let mut codec: JsonCodec<ToDaemon, ToDaemon> = JsonCodec::default();
            // Our encoding of a message may be a little longer than the one received, and exceed a frame.
            if codec.encode(message.clone(), &mut bytes).is_ok() {
                assert_eq!(codec.decode(&mut bytes).unwrap().as_ref(), Some(message));
            }
        }
        fn arrive(bytes: &[u8]) {
            // The first byte is the size of the pieces, as from a socket.
            let Some((cut, rest)) = bytes.split_first() else { return };
            let mut codec: JsonCodec<ToDaemon, ToDaemon> = JsonCodec::default();
            let mut buffer = BytesMut::new();
            for piece in rest.chunks(usize::from(*cut).max(1)) {
                buffer.extend_from_slice(piece);
                loop {
                    match codec.decode(&mut buffer) {
                        Ok(Some(message)) => again(&message),
                        Ok(None) => break,
                        Err(_) => return,
                    }
                }
            }
        }
        let call = br#"{"call":{"id":13,"request":{"type":"today","days":3}}}"#;
        let frame = [&u32::try_from(call.len()).unwrap().to_be_bytes()[..], call].concat();
        bolero::check!().for_each(|bytes: &[u8]| {
            arrive(bytes);
            arrive(&spliced(&[&[7], &frame[..], &frame].concat(), bytes));
            for text in [bytes, &spliced(call, bytes)] {
                if let Ok(message) = serde_json::from_slice::<ToDaemon>(text) {
                    again(&message);
                }
                if let Ok(message) = serde_json::from_slice::<FromDaemon>(text) {
                    let written = serde_json::to_string(&message).unwrap();
                    assert_eq!(serde_json::from_str::<FromDaemon>(&written).unwrap(), message);
                }
            }
        });
    }

    proptest! {
        #[test]
        fn frames_survive_being_cut_anywhere(words in proptest::collection::vec(".{0,40}", 1..8), cut in 1usize..7) {
            let mut sent = BytesMut::new();
            let mut codec = Codec::default();
            for word in &words {
                codec.encode(Value::String(word.clone()), &mut sent).unwrap();
            }
            let mut buffer = BytesMut::new();
            let mut got = Vec::new();
            for piece in sent.chunks(cut) {
                buffer.extend_from_slice(piece);
                while let Some(value) = codec.decode(&mut buffer).unwrap() {
                    got.push(value);
                }
            }
            prop_assert_eq!(got, words.into_iter().map(Value::String).collect::<Vec<_>>());
        }
    }
}
