//! The main thread's loop. On Windows and macOS the tray lives in the system's own event loop, which winit runs; on Linux
//! it is a service on the bus with threads of its own, and a channel does.

use std::{ops::ControlFlow, sync::Arc};

use super::Message;

/// Tells the main thread something; in vain once that has stopped.
pub(super) type Tell = Arc<dyn Fn(Message) + Send + Sync>;

pub(super) use system::new;

#[cfg(not(any(windows, target_os = "macos")))]
mod system {
    use std::sync::mpsc;

    use super::{Arc, ControlFlow, Message, Tell};

    /// What the main thread waits on.
    pub(in super::super) struct MainLoop(mpsc::Receiver<Message>);

    /// Both ends; `None` where this system has no desktop to show anything on.
    pub(in super::super) fn new() -> Option<(Tell, MainLoop)> {
        let (tell, told) = mpsc::channel();
        Some((Arc::new(move |message| drop(tell.send(message))), MainLoop(told)))
    }

    impl MainLoop {
        /// Hands on what is told until `take` has enough.
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

    use super::{Arc, ControlFlow, Message, Tell};

    /// What the main thread waits on.
    pub(in super::super) struct MainLoop(EventLoop<Message>);

    /// Both ends; `None` where this system has no desktop to show anything on.
    pub(in super::super) fn new() -> Option<(Tell, MainLoop)> {
        let mut builder = EventLoop::with_user_event();
        #[cfg(target_os = "macos")]
        {
            use winit::platform::macos::{ActivationPolicy, EventLoopBuilderExtMacOS as _};
            // An icon in the menu bar, and none in the dock.
            builder.with_activation_policy(ActivationPolicy::Accessory);
        }
        let main_loop = builder.build().inspect_err(|error| tracing::debug!(%error, "no event loop")).ok()?;
        main_loop.set_control_flow(Waiting::Wait);
        let proxy = main_loop.create_proxy();
        Some((Arc::new(move |message| drop(proxy.send_event(message))), MainLoop(main_loop)))
    }

    impl MainLoop {
        /// Hands on what is told until `take` has enough.
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
