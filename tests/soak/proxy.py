"""The network between the daemons and the server: a TCP proxy that can be cut, swallow everything, or lose answers."""
import asyncio, threading

KINDS = ["cut", "hole", "deaf"]


class Proxy(threading.Thread):
    """`cut` ends every connection and takes none. In `hole` what is sent goes nowhere and nobody is told. `deaf` lets
    requests through and loses their answers. Connections that lived through one of these are reset at its end."""

    def __init__(self, port, behind):
        super().__init__(name="proxy", daemon=True)
        self.port, self.behind = port, behind
        self.mode, self.ways = None, set()
        self.loop, self.ready = asyncio.new_event_loop(), threading.Event()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.serve())

    async def serve(self):
        server = await asyncio.start_server(self.connected, "127.0.0.1", self.port)
        self.ready.set()
        await server.serve_forever()

    def set(self, mode):
        """None for a network that works."""
        self.loop.call_soon_threadsafe(self.change, mode)

    def change(self, mode):
        lived_through, self.mode = self.mode, mode
        if mode == "cut" or lived_through:
            for writer in list(self.ways):
                writer.transport.abort()

    async def connected(self, reader, writer):
        if self.mode == "cut":
            writer.transport.abort()
            return
        self.ways.add(writer)
        to = None
        try:
            back, to = await asyncio.open_connection("127.0.0.1", self.behind)
            self.ways.add(to)
            await asyncio.gather(self.carry(reader, to, ["hole"]), self.carry(back, writer, ["hole", "deaf"]))
        except OSError:
            pass
        finally:
            for one in filter(None, (writer, to)):
                self.ways.discard(one)
                one.transport.abort()

    async def carry(self, reader, writer, swallowed_in):
        while data := await reader.read(65536):
            if self.mode not in swallowed_in:
                writer.write(data)
                await writer.drain()
        if self.mode in swallowed_in:
            # The end is not told either: the connection is reset when the network is back.
            while self.mode in swallowed_in:
                await asyncio.sleep(0.2)
        elif writer.can_write_eof():
            writer.write_eof()
