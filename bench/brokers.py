"""The two brokers of the benchmarks, each as a process of its own, and what the kernel knows of that process.

Apache Kafka runs on Java 17 with a heap of 1 GB and its defaults; Millrace with its defaults. `settings` and `arguments` of a
class are added to these.
"""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MILLRACE = pathlib.Path(os.environ.get("MILLRACE", ROOT / "build" / "millrace"))
LIB = pathlib.Path(os.environ.get("KAFKA_LIB", ROOT / "build" / "kafka" / "lib"))
TICK = os.sysconf("SC_CLK_TCK")


def fetch_kafka():
    """Apache Kafka's jars, with Maven on the first run."""
    if not LIB.exists():
        subprocess.run(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={LIB}"],
                       cwd=ROOT / "bench" / "kafka", check=True)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def metadata_answers(port):
    """Whether a Metadata request (version 1, no topics) is answered."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            body = struct.pack(">hhihi", 3, 1, 7, -1, 0)
            s.sendall(struct.pack(">i", len(body)) + body)
            return len(s.recv(4)) == 4
    except OSError:
        return False


class Broker:
    """Started by its constructor, which returns at the first answered request; `start_ms` says how long that took."""

    def __init__(self, folder, arguments=(), settings=(), patience_s=300):
        self.folder, self.arguments, self.settings = pathlib.Path(folder), arguments, settings
        self.patience_s, self.port = patience_s, free_port()
        self.prepare()
        self.start()

    def start(self):
        began = time.monotonic()
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)
        while not metadata_answers(self.port):
            if self.process.poll() is not None or time.monotonic() - began > self.patience_s:
                sys.exit(f"{self.name} did not start: see {self.folder}/log\n" + (self.folder / "log").read_text()[-3000:])
            time.sleep(0.002)
        self.start_ms = (time.monotonic() - began) * 1000

    def cpu_s(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_mb(self):
        pages = int(open(f"/proc/{self.process.pid}/statm").read().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def make_topic(self, name, partitions, *config):
        words = [word for setting in config for word in ("--config", setting)]
        subprocess.run([str(MILLRACE), "topic", "create", name, "--partitions", str(partitions), *words, "--timeout", "300s",
                        "-b", f"127.0.0.1:{self.port}"], check=True, stdout=subprocess.DEVNULL)

    def first_files(self, topic):
        """The first segment of each of a topic's partitions."""
        folders = sorted((self.folder / "data").glob(f"{topic}-*"))
        return [min(folder.glob("*.log")) for folder in folders]


class Millrace(Broker):
    name = "millrace"

    def prepare(self):
        pass

    def command(self):
        words = [word for setting in self.settings for word in ("--set", setting)]
        return [str(MILLRACE), "serve", "--data", str(self.folder / "data"), "--listen", f"127.0.0.1:{self.port}",
                "--set", "millrace.admin.listen=", *words, *self.arguments]


class Kafka(Broker):
    name = "kafka"

    def prepare(self):
        controller = free_port()
        (self.folder / "server.properties").write_text(
            f"process.roles=broker,controller\nnode.id=1\nlog.dirs={self.folder}/data\n"
            f"listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}\n"
            f"controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n"
            "offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
            + "".join(f"{setting}\n" for setting in self.settings))
        subprocess.run([*self.java(), "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c",
                        str(self.folder / "server.properties")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def java(self):
        return ["java", "-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{LIB}/*"]

    def command(self):
        return [*self.java(), "kafka.Kafka", str(self.folder / "server.properties")]
