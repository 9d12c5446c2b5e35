"""Kafka's bytes by hand, for the families that say what no client library would: frames, fields, one batch."""
import gzip
import socket
import struct

CLOSED = "<connection closed>"


def crc32c(data, table=[]):
    if not table:
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
            table.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Connection:
    """A socket that sends whole frames and gives back the bytes of an answer, or CLOSED."""

    def __init__(self, address, timeout=10):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.peer = "%s:%d" % self.socket.getsockname()[:2]  # As the broker's log names it.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame):
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            data += more
        return data

    def receive(self):
        head = self.exactly(4)
        body = head and self.exactly(struct.unpack(">i", head)[0])
        return CLOSED if body is None else body

    def ask(self, frame):
        self.send(frame)
        return self.receive()


def header(key, version, flexible=False, correlation=7, client="test"):
    name = client.encode()
    return struct.pack(">hhih", key, version, correlation, len(name)) + name + (b"\0" if flexible else b"")


def uvarint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def varint(value):
    return uvarint((value << 1 ^ value >> 63) & (2**64 - 1))


def compact(text):
    data = text.encode() if isinstance(text, str) else text
    return b"\0" if data is None else uvarint(len(data) + 1) + data


def array(items):
    return uvarint(len(items) + 1) + b"".join(items)


def string(text):
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text.encode())) + text.encode()


def batch(values, codec=0, timestamp=None, count=None, crc=None, magic=2, base=0, attributes=0, producer=(-1, -1, -1), key=b"k"):
    """A record batch v2 of these values; each detail can be made wrong."""
    import time
    now = int(time.time() * 1000) if timestamp is None else timestamp
    records = b""
    for delta, value in enumerate(values):
        head = b"\0" + varint(0) + varint(delta)
        head += varint(-1) if key is None else varint(len(key)) + key
        record = head + varint(len(value)) + value + varint(0)
        records += varint(len(record)) + record
    if codec == 1:
        records = gzip.compress(records)
    n = len(values) if count is None else count
    body = struct.pack(">hiqqqhii", codec | attributes, n - 1, now, now, *producer, n) + records
    check = crc32c(body) if crc is None else crc
    return struct.pack(">qiibI", base, 9 + len(body), -1, magic, check) + body


def produce(topic, records, partition=0, acks=-1, version=8, correlation=7):
    body = string(None) + struct.pack(">hii", acks, 30000, 1) + string(topic) + struct.pack(">iii", 1, partition, len(records)) + records
    return header(0, version, correlation=correlation) + body


class Reader:
    """Reads an answer by a description of its fields (see `read`)."""

    def __init__(self, data, flexible):
        self.data, self.at, self.flexible = data, 0, flexible

    def take(self, size):
        self.at += size
        if self.at > len(self.data):
            raise ValueError("the answer ends too early")
        return self.data[self.at - size:self.at]

    def number(self, kind):
        return struct.unpack(">" + kind, self.take(struct.calcsize(kind)))[0]

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def length(self, old):
        return self.uvarint() - 1 if self.flexible else self.number(old)

    def tags(self):
        return {self.uvarint(): self.take(self.uvarint()).hex() for _ in range(self.uvarint())}

    def field(self, kind):
        if isinstance(kind, list):
            count = self.length("i")
            return None if count < 0 else [self.struct(kind[0]) if isinstance(kind[0], dict) else self.field(kind[0]) for _ in range(count)]
        if kind == "string":
            size = self.length("h")
            return None if size < 0 else self.take(size).decode()
        if kind == "bytes":
            size = self.length("i")
            return None if size < 0 else self.take(size).hex()
        if kind == "uuid":
            return self.take(16).hex()
        return self.number({"bool": "?", "i8": "b", "i16": "h", "i32": "i", "i64": "q"}[kind])

    def struct(self, fields):
        value = {name: self.field(kind) for name, kind in fields.items()}
        if self.flexible:
            tags = self.tags()
            if tags:
                value["tags"] = tags
        return value


def read(answer, fields, flexible=False, header_tags=None):
    """The answer as a dictionary: {"name": "i32" | "string" | ... | [{...}] | ["i32"], ...}, in the order of the wire."""
    if answer == CLOSED:
        return CLOSED
    reader = Reader(answer, flexible)
    reader.take(4)
    if flexible if header_tags is None else header_tags:
        reader.tags()
    value = reader.struct(fields)
    if reader.at != len(answer):
        raise ValueError(f"{len(answer) - reader.at} bytes are left over")
    return value
