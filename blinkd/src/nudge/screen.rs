//! Whether the active window fills the screen, where X11 tells; Wayland has no such query.

#[cfg(target_os = "linux")]
pub(super) fn is_full() -> bool {
    std::env::var_os("DISPLAY").is_some() && by_x11().unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_full() -> bool {
    false
}

/// Reads `_NET_ACTIVE_WINDOW` of the root, and looks for `_NET_WM_STATE_FULLSCREEN` in that window's states (EWMH 1.5).
#[cfg(target_os = "linux")]
fn by_x11() -> Option<bool> {
    use x11rb::{
        connection::Connection as _,
        protocol::xproto::{AtomEnum, ConnectionExt as _},
    };

    let (x, screen) = x11rb::connect(None).ok()?;
    let root = x.setup().roots.get(screen)?.root;
    let atom = |name: &[u8]| Some(x.intern_atom(false, name).ok()?.reply().ok()?.atom);
    let (active, states, full) =
        (atom(b"_NET_ACTIVE_WINDOW")?, atom(b"_NET_WM_STATE")?, atom(b"_NET_WM_STATE_FULLSCREEN")?);
    let window = x.get_property(false, root, active, AtomEnum::WINDOW, 0, 1).ok()?.reply().ok()?;
    let window = window.value32()?.next().filter(|window| *window != 0)?;
    let of_window = x.get_property(false, window, states, AtomEnum::ATOM, 0, 64).ok()?.reply().ok()?;
    Some(of_window.value32()?.any(|state| state == full))
}
