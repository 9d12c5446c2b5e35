"""A disk with a volatile cache, served over NBD on a unix socket; its power can be cut.

A write is in the cache until a FLUSH that came after its answer, or its own FUA, is answered. At a cut each sector (512
bytes; 4 KiB for xfs) that is still only in the cache keeps, by chance, what the medium had or any of the versions written since: torn
and in any order, as a drive may. `stable` and `current` are two sparse files: what the medium has, and what a reader sees.
"""
import asyncio
import os
import struct
import subprocess

SECTOR = 512
CACHE_MAX = 256 << 20  # Above it the drive has to put the older half on its medium.
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
FUA = 1
FLAGS = 1 | 1 << 2 | 1 << 3  # HAS_FLAGS, SEND_FLUSH, SEND_FUA
OPTION_EXPORT_NAME, OPTION_ABORT, OPTION_INFO, OPTION_GO = 1, 2, 6, 7
REPLY_ACK, REPLY_INFO, REPLY_UNSUPPORTED = 1, 3, 1 | 1 << 31


class Disk:
    """One disk, many lives of the machine that has it."""

    def __init__(self, folder, size, dice, unit):
        self.socket = str(folder / "disk.sock")
        self.size, self.dice, self.unit = size, dice, unit
        self.delay_s = 0.0  # What a flush takes.
        self.life = 0
        self.stable_path, self.current_path = folder / "stable.img", folder / "current.img"
        self.cache, self.cached_bytes = [], 0  # [offset, bytes, on the medium too]
        self.settled = 0                       # Writes that have left the cache: what cache[0] is the number of.
        self.on, self.flushes, self.writes = False, 0, 0
        self.lies = False                      # Flushes are answered and not done.

    def insert(self):
        """Both files are made from `current`, which has been formatted."""
        subprocess.run(["cp", "--sparse=always", self.current_path, self.stable_path], check=True)
        self.stable = os.open(self.stable_path, os.O_RDWR)
        self.current = os.open(self.current_path, os.O_RDWR)

    async def serve(self):
        self.on, self.later = True, set()
        self.life += 1
        self.server = await asyncio.start_unix_server(self.connection, self.socket, limit=1 << 21)

    async def connection(self, reader, writer):
        life = self.life
        try:
            if await self.negotiate(reader, writer):
                while await self.request(reader, writer, life):
                    pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def negotiate(self, reader, writer):
        writer.write(b"NBDMAGIC" + b"IHAVEOPT" + struct.pack(">H", 3))
        await reader.readexactly(4)
        while True:
            _, option, length = struct.unpack(">QII", await reader.readexactly(16))
            await reader.readexactly(length)

            def reply(kind, data=b""):
                writer.write(struct.pack(">QIII", 0x3e889045565a9, option, kind, len(data)) + data)

            if option in (OPTION_INFO, OPTION_GO):
                reply(REPLY_INFO, struct.pack(">HQH", 0, self.size, FLAGS))
                reply(REPLY_INFO, struct.pack(">HIII", 3, SECTOR, 4096, 1 << 20))
                reply(REPLY_ACK)
                if option == OPTION_GO:
                    return True
            elif option == OPTION_EXPORT_NAME:
                writer.write(struct.pack(">QH", self.size, FLAGS))
                return True
            elif option == OPTION_ABORT:
                return False
            else:
                reply(REPLY_UNSUPPORTED)

    async def request(self, reader, writer, life):
        """Takes one request; what needs the medium is answered later, beside the next ones."""
        _, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", await reader.readexactly(28))
        data = await reader.readexactly(length) if kind == WRITE else b""
        if kind == DISCONNECT or not self.on or life != self.life:
            return False
        answer = struct.pack(">IIQ", 0x67446698, 0, handle)
        if kind == READ:
            writer.write(answer + os.pread(self.current, length, offset))
            await writer.drain()
        elif kind == FLUSH or (kind == WRITE and flags & FUA):
            entry = self.write(offset, data) if kind == WRITE else None
            later = asyncio.create_task(self.make_durable(entry, self.settled + len(self.cache), writer, answer, life))
            self.later.add(later)
            later.add_done_callback(self.later.discard)
        else:
            self.write(offset, data)
            writer.write(answer)
        return True

    async def make_durable(self, entry, written, writer, answer, life):
        """One write, or all that were answered when the flush was asked for."""
        await asyncio.sleep(self.delay_s)
        if not self.on or life != self.life:
            return
        if entry is not None:
            os.pwrite(self.stable, entry[1], entry[0])
            entry[2] = True
        else:
            if not self.lies:
                self.settle(written)
            self.flushes += 1
        writer.write(answer)

    def write(self, offset, data):
        os.pwrite(self.current, data, offset)
        entry = [offset, data, False]
        self.cache.append(entry)
        self.cached_bytes += len(data)
        self.writes += 1
        if self.cached_bytes > CACHE_MAX:
            self.settle(self.settled + len(self.cache) // 2)
        return entry

    def settle(self, written):
        """The writes before that number go to the medium, in order."""
        count = max(0, written - self.settled)
        for offset, data, _ in self.cache[:count]:
            os.pwrite(self.stable, data, offset)
            self.cached_bytes -= len(data)
        del self.cache[:count]
        self.settled += count

    def cut(self):
        """The power is gone: what the next life finds is chosen. Returns (cached sectors, of them kept)."""
        self.on = self.lies = False
        self.server.close()
        share = self.dice.choice([0.0, 0.1, 0.5, 0.9, 1.0])
        whole = self.dice.random() < 0.3  # Whole writes instead of torn ones.
        sectors = kept = 0
        for offset, data, stable in self.cache:
            write_stays = self.dice.random() < share
            at = 0
            while at < len(data):
                end = min(len(data), at + self.unit - (offset + at) % self.unit)
                stays = stable or (write_stays if whole else self.dice.random() < share)
                if stays:
                    os.pwrite(self.stable, data[at:end], offset + at)
                if not stable:
                    sectors += 1
                    kept += stays
                at = end
        for offset, data, _ in self.cache:
            os.pwrite(self.current, os.pread(self.stable, len(data), offset), offset)
        self.settled += len(self.cache)
        self.cache, self.cached_bytes = [], 0
        return sectors, kept


# A drive tears between its sectors: of 512 bytes, or of 4 KiB. File systems do not all stand the smaller ones in their own blocks: xfs
# gives up on a torn block of a directory, and ext4 of Linux 6.1 at times on a torn block at its journal's end (6.18 mounts the same disk).
TEAR = {"ext4": 512, "xfs": 4096}
FORMAT = {"ext4": ["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"], "xfs": ["mkfs.xfs", "-q", "-s", "size=4096"]}


def make(folder, size, file_system, dice, tear=None):
    """A new formatted disk. The image is sparse."""
    disk = Disk(folder, size, dice, tear or TEAR[file_system])
    with open(disk.current_path, "wb") as image:
        image.truncate(size)
    subprocess.run([*FORMAT[file_system], str(disk.current_path)], check=True)
    disk.insert()
    return disk
