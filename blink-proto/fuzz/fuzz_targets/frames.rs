//! Any bytes from a client: they end in messages, in an error, or in a wait for more; and a message that was read can be
//! written and read again.
#![no_main]

use blink_proto::ipc::{FromDaemon, JsonCodec, ToDaemon};
use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::{Decoder as _, Encoder as _};

fuzz_target!(|bytes: &[u8]| {
    // The first byte says how the rest is cut into pieces, as a socket would.
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
    // The same bytes as one message, which a fuzzer finds sooner than a length and a message.
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
    // What came in a frame may be a little longer when we write it, and not fit any more.
    if codec.encode(message.clone(), &mut bytes).is_ok() {
        assert_eq!(codec.decode(&mut bytes).unwrap(), Some(message));
    }
}
