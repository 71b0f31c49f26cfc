//! A frame is the length of a JSON header, the length of the bytes after it, both 32 bits and big-endian, then the two.
//!
//! The worker reads and writes whole messages with [`read`] and [`write()`]; the server, which is asynchronous, uses
//! [`FaceCodec`] with tokio's `FramedRead` and `FramedWrite`.

use std::{
    io::{self, Read, Write},
    marker::PhantomData,
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use tokio_util::codec::{Decoder, Encoder};

use super::MAX_RECORDING_BYTES;

/// The longest header. The report of the longest recording, with all its encodings, is less than half of it.
pub const MAX_HEADER_BYTES: usize = 256 << 10;
/// The most bytes after a header.
pub const MAX_BODY_BYTES: usize = MAX_RECORDING_BYTES;
/// Length of the two lengths.
const PREFIX: usize = 8;

/// Why a frame could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The pipe failed, or ended within a frame.
    #[error("the pipe failed: {0}")]
    Io(#[from] io::Error),
    /// A frame states more than the protocol allows.
    #[error("a frame of {header} + {body} bytes is too long")]
    TooLong {
        /// The header's stated length.
        header: usize,
        /// The body's stated length.
        body: usize,
    },
    /// The header is not a message of the expected type.
    #[error("a header is not a message of this protocol: {0}")]
    Json(#[from] serde_json::Error),
}

/// The lengths of header and body in a prefix, if they are allowed.
fn lengths(prefix: [u8; PREFIX]) -> Result<(usize, usize), FrameError> {
    let length = |at: usize| u32::from_be_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]) as usize;
    checked(length(0), length(4))
}

fn checked(header: usize, body: usize) -> Result<(usize, usize), FrameError> {
    if header > MAX_HEADER_BYTES || body > MAX_BODY_BYTES {
        return Err(FrameError::TooLong { header, body });
    }
    Ok((header, body))
}

/// The prefix and the header of a frame with a body of `body` bytes.
fn head(message: &impl Serialize, body: usize) -> Result<Vec<u8>, FrameError> {
    let header = serde_json::to_vec(message)?;
    checked(header.len(), body)?;
    let mut head = Vec::with_capacity(PREFIX + header.len());
    #[expect(clippy::cast_possible_truncation, reason = "both are bounded far below")]
    for length in [header.len(), body] {
        head.extend_from_slice(&(length as u32).to_be_bytes());
    }
    head.extend_from_slice(&header);
    Ok(head)
}

/// Writes a message and its bytes, and flushes.
///
/// # Errors
/// When it is too long or the pipe fails.
pub fn write(to: &mut impl Write, message: &impl Serialize, body: &[u8]) -> Result<(), FrameError> {
    to.write_all(&head(message, body.len())?)?;
    to.write_all(body)?;
    Ok(to.flush()?)
}

/// Reads the next message; its bytes replace what is in `body`. `None` at the end of the stream.
///
/// # Errors
/// When the pipe fails or ends within a frame, or the frame is none of this protocol.
pub fn read<In: DeserializeOwned>(from: &mut impl Read, body: &mut Vec<u8>) -> Result<Option<In>, FrameError> {
    let mut prefix = [0; PREFIX];
    if from.read(&mut prefix[..1])? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut prefix[1..])?;
    let (header_length, body_length) = lengths(prefix)?;
    let mut header = vec![0; header_length];
    from.read_exact(&mut header)?;
    body.clear();
    body.resize(body_length, 0);
    from.read_exact(body)?;
    Ok(Some(serde_json::from_slice(&header)?))
}

/// Decodes frames as (`In`, bytes), and encodes (`Out`, bytes).
#[derive(Debug)]
pub struct FaceCodec<In, Out> {
    messages: PhantomData<fn(Out) -> In>,
}

impl<In, Out> Default for FaceCodec<In, Out> {
    fn default() -> Self {
        Self { messages: PhantomData }
    }
}

impl<In: DeserializeOwned, Out> Decoder for FaceCodec<In, Out> {
    type Item = (In, Bytes);
    type Error = FrameError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<(In, Bytes)>, FrameError> {
        let Some(prefix) = buffer.first_chunk::<PREFIX>() else { return Ok(None) };
        let (header, body) = lengths(*prefix)?;
        let whole = PREFIX + header + body;
        if buffer.len() < whole {
            buffer.reserve(whole - buffer.len());
            return Ok(None);
        }
        buffer.advance(PREFIX);
        let header = buffer.split_to(header);
        let body = buffer.split_to(body).freeze();
        Ok(Some((serde_json::from_slice(&header)?, body)))
    }
}

impl<In, Out: Serialize, Body: AsRef<[u8]>> Encoder<(Out, Body)> for FaceCodec<In, Out> {
    type Error = FrameError;

    fn encode(&mut self, (message, body): (Out, Body), buffer: &mut BytesMut) -> Result<(), FrameError> {
        let body = body.as_ref();
        let head = head(&message, body.len())?;
        buffer.reserve(head.len() + body.len());
        buffer.put_slice(&head);
        buffer.put_slice(body);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    type Codec = FaceCodec<Value, Value>;

    #[test]
    fn a_frame_is_two_big_endian_lengths_a_header_and_bytes() {
        let mut buffer = BytesMut::new();
        Codec::default().encode((json!({"a": 1}), b"xyz"), &mut buffer).unwrap();
        assert_eq!(&buffer[..], b"\0\0\0\x07\0\0\0\x03{\"a\":1}xyz");
        let mut written = Vec::new();
        write(&mut written, &json!({"a": 1}), b"xyz").unwrap();
        assert_eq!(written, &buffer[..]);
        let mut body = vec![9; 50];
        let message: Option<Value> = read(&mut &written[..], &mut body).unwrap();
        assert_eq!((message, &body[..]), (Some(json!({"a": 1})), &b"xyz"[..]));
        assert!(read::<Value>(&mut &[][..], &mut body).unwrap().is_none());
        assert!(matches!(read::<Value>(&mut &written[..9], &mut body), Err(FrameError::Io(_))));
    }

    #[test]
    fn a_frame_past_the_limits_is_refused_before_it_is_read() {
        for prefix in [[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0], [0, 0, 0, 2, 0x7f, 0xff, 0xff, 0xff]] {
            assert!(matches!(
                Codec::default().decode(&mut BytesMut::from(&prefix[..])),
                Err(FrameError::TooLong { .. })
            ));
            assert!(matches!(read::<Value>(&mut &prefix[..], &mut Vec::new()), Err(FrameError::TooLong { .. })));
        }
        let long = Value::String("x".repeat(MAX_HEADER_BYTES));
        assert!(Codec::default().encode((long, b""), &mut BytesMut::new()).is_err());
        assert!(write(&mut io::sink(), &json!(1), &vec![0; MAX_BODY_BYTES + 1]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_message_an_error_or_a_wait(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = Codec::default().decode(&mut buffer) {}
            let mut rest = &bytes[..];
            while let Ok(Some(_)) = read::<Value>(&mut rest, &mut Vec::new()) {}
        }

        #[test]
        fn frames_survive_being_cut_anywhere(
            sent in proptest::collection::vec((".{0,40}", proptest::collection::vec(any::<u8>(), 0..60)), 1..8),
            cut in 1usize..7,
        ) {
            let (mut wire, mut codec) = (BytesMut::new(), Codec::default());
            for (word, body) in &sent {
                codec.encode((Value::String(word.clone()), body), &mut wire).unwrap();
            }
            let (mut buffer, mut got) = (BytesMut::new(), Vec::new());
            for piece in wire.chunks(cut) {
                buffer.extend_from_slice(piece);
                while let Some((value, body)) = codec.decode(&mut buffer).unwrap() {
                    got.push((value.as_str().unwrap().to_owned(), body.to_vec()));
                }
            }
            prop_assert_eq!(got, sent);
        }
    }
}
