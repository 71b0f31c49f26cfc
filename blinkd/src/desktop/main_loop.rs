//! The main thread's loop. On Windows and macOS the tray needs the system's event loop, which winit runs. On Linux the
//! tray is a D-Bus service with threads of its own, and a channel suffices.

use std::{ops::ControlFlow, sync::Arc};

use super::Message;

/// Sends the main thread a message; it is dropped when the thread has stopped.
pub(super) type MessageSender = Arc<dyn Fn(Message) + Send + Sync>;

pub(super) use system::new;

#[cfg(not(any(windows, target_os = "macos")))]
mod system {
    use std::sync::mpsc;

    use super::{Arc, ControlFlow, Message, MessageSender};

    pub(in super::super) struct MainLoop(mpsc::Receiver<Message>);

    /// The sender and the loop; `None` where the system has no desktop.
    pub(in super::super) fn new() -> Option<(MessageSender, MainLoop)> {
        let (tell, told) = mpsc::channel();
        Some((Arc::new(move |message| drop(tell.send(message))), MainLoop(told)))
    }

    impl MainLoop {
        /// Passes messages to `take` until it breaks.
        pub(in super::super) fn run(self, mut take: impl FnMut(Message) -> ControlFlow<()>) {
            for message in self.0 {
                if take(message).is_break() {
                    return;
                }
            }
        }
    }
}

#[cfg(any(windows, target_os = "macos"))]
mod system {
    use winit::{
        application::ApplicationHandler,
        event::WindowEvent,
        event_loop::{ActiveEventLoop, ControlFlow as Waiting, EventLoop},
        window::WindowId,
    };

    use super::{Arc, ControlFlow, Message, MessageSender};

    pub(in super::super) struct MainLoop(EventLoop<Message>);

    /// The sender and the loop; `None` where the system has no desktop.
    pub(in super::super) fn new() -> Option<(MessageSender, MainLoop)> {
        let mut builder = EventLoop::with_user_event();
        #[cfg(target_os = "macos")]
        {
            use winit::platform::macos::{ActivationPolicy, EventLoopBuilderExtMacOS as _};
            // The icon is in the menu bar, not in the dock.
            builder.with_activation_policy(ActivationPolicy::Accessory);
        }
        let main_loop = builder.build().inspect_err(|error| tracing::debug!(%error, "no event loop")).ok()?;
        main_loop.set_control_flow(Waiting::Wait);
        let proxy = main_loop.create_proxy();
        Some((Arc::new(move |message| drop(proxy.send_event(message))), MainLoop(main_loop)))
    }

    impl MainLoop {
        /// Passes messages to `take` until it breaks.
        pub(in super::super) fn run(self, take: impl FnMut(Message) -> ControlFlow<()>) {
            if let Err(error) = self.0.run_app(&mut Taker(take)) {
                tracing::warn!(%error, "the desktop's event loop has ended");
            }
        }
    }

    struct Taker<F>(F);

    impl<F: FnMut(Message) -> ControlFlow<()>> ApplicationHandler<Message> for Taker<F> {
        fn resumed(&mut self, _: &ActiveEventLoop) {}

        fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}

        fn user_event(&mut self, event_loop: &ActiveEventLoop, message: Message) {
            if (self.0)(message).is_break() {
                event_loop.exit();
            }
        }
    }
}
