//! Fuzzes the frame decoder with any bytes of a client: they become messages, an error, or a wait for more. A message
//! that was read can be written and read again.
#![no_main]

use blink_proto::ipc::{FromDaemon, JsonCodec, ToDaemon};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::{Decoder as _, Encoder as _};

fuzz_target!(|bytes: &[u8]| {
    // The first byte is the size of the pieces, as from a socket.
    let Some((cut, rest)) = bytes.split_first() else { return };
    let mut codec: JsonCodec<ToDaemon, ToDaemon> = JsonCodec::default();
    let mut buffer = BytesMut::new();
    'connection: for piece in rest.chunks(usize::from(*cut).max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            match codec.decode(&mut buffer) {
                Ok(Some(message)) => again(message),
                Ok(None) => break,
                Err(_) => break 'connection,
            }
        }
    }
    // The same bytes as one message, which a fuzzer finds sooner than a length with a message.
    if let Ok(message) = serde_json::from_slice::<ToDaemon>(rest) {
        again(message);
    }
    if let Ok(message) = serde_json::from_slice::<FromDaemon>(rest) {
        assert_eq!(serde_json::from_str::<FromDaemon>(&serde_json::to_string(&message).unwrap()).unwrap(), message);
    }
});

fn again(message: ToDaemon) {
    let mut bytes = BytesMut::new();
    let mut codec: JsonCodec<ToDaemon, ToDaemon> = JsonCodec::default();
    // Our encoding of a message may be a little longer than the one received, and exceed a frame.
    if codec.encode(message.clone(), &mut bytes).is_ok() {
        assert_eq!(codec.decode(&mut bytes).unwrap(), Some(message));
    }
}
