"""The machine whose power is cut: QEMU without KVM, Debian's kernel, an initramfs with busybox and the broker.

`build` makes the initramfs once; `save` boots it up to where it asks for its disk and keeps that state, so that each life begins
there at once. `Guest` is one life, from power on to SIGKILL. Nothing but the data disk outlives it: the driver of the disk is
loaded after the saved state, and randomness and time are given to each life anew.
"""
import asyncio
import json
import pathlib
import re
import secrets
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
MODULES = ["virtio_pci", "virtio_blk", "virtio_net", "xfs"]
INIT = """#!/bin/sh
mkdir -p /proc /sys /dev /tmp /data
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev; mount -t tmpfs none /tmp
order=$(cat /modules/order)
for m in $order; do [ $m = virtio_blk ] || insmod /modules/$m.ko; done
ip link set lo up; ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.2
echo 0 > /proc/sys/kernel/printk
ulimit -n 65536
echo "power: waits"
read padding now seed fs shards settings  # A character may be lost while the saved state is loaded.
date -s "@$now" > /dev/null
echo -n "$seed" | /reseed || echo "power: no new randomness"
insmod /modules/virtio_blk.ko
if ! mount -t $fs /dev/vda /data; then echo "power: the file system cannot be mounted"; dmesg | tail -20; poweroff -f; fi
echo "power: mounted $(cut -d' ' -f1 /proc/uptime)"
IFS=,
for setting in $settings; do set -- "$@" --set "$setting"; done
unset IFS
touch /tmp/ready
/millrace serve --data /data/millrace --listen 0.0.0.0:9092 --shards $shards --ready-fd 3 "$@" 3>/tmp/ready >/tmp/out &
broker=$!
while kill -0 $broker 2>/dev/null && ! grep -q ready /tmp/ready; do sleep 0.02; done
grep -q ready /tmp/ready && echo "power: ready $(cut -d' ' -f1 /proc/uptime)"
wait $broker
echo "power: the broker ended with $?"
dmesg | tail -20
sleep 1000
"""


def package(work, name):
    """The files of a Debian package, fetched once."""
    folder = work / name
    if not folder.exists():
        fetched = work / f"{name}.deb.d"
        fetched.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", name], cwd=fetched, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["dpkg", "-x", next(fetched.glob("*.deb")), folder], check=True)
    return folder


def kernel_package():
    """The versioned package behind linux-image-cloud-amd64."""
    said = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"], capture_output=True, text=True, check=True)
    return re.search(r"Depends: (\S+)", said.stdout).group(1)


def in_order(modules, wanted):
    """Paths of the wanted modules, each after those that it needs."""
    files = {path.stem.replace("-", "_"): path for path in modules.rglob("*.ko")}
    order = []

    def add(name):
        if name not in files or files[name] in order:
            return
        needs = re.search(rb"\0depends=([^\0]*)\0", b"\0" + files[name].read_bytes()).group(1).decode()
        for needed in filter(None, needs.split(",")):
            add(needed.replace("-", "_"))
        order.append(files[name])

    for name in wanted:
        add(name)
    return order


def build(work, folder, binary):
    """(kernel, initramfs): the packages are kept in `work`, the initramfs with the binary is made in `folder`."""
    kernel = package(work, kernel_package())
    busybox = package(work, "busybox-static")
    root = folder / "root"
    (root / "bin").mkdir(parents=True)
    (root / "modules").mkdir()
    shutil.copy(busybox / "bin/busybox", root / "bin/busybox")
    for name in ("sh mkdir mount cat insmod ip echo cut date touch kill grep sleep dmesg tail poweroff".split()):
        (root / "bin" / name).symlink_to("busybox")
    # In-kernel checksums that ext4 and xfs ask for by name are modules too.
    order = in_order(kernel / "lib/modules", ["crc32c_generic", "crc32c_intel", *MODULES])
    for path in order:
        shutil.copy(path, root / "modules" / path.name)
    (root / "modules/order").write_text(" ".join(path.stem for path in order) + "\n")
    subprocess.run(["strip", "-o", root / "millrace", binary], check=True)
    subprocess.run(["clang-16", "-Os", "-w", "-static", "-o", root / "reseed", HERE / "reseed.c"], check=True)
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    image = folder / "initramfs"
    names = "\n".join(str(p.relative_to(root)) for p in sorted(root.rglob("*")))
    with open(image, "wb") as out:
        subprocess.run([root / "bin/busybox", "cpio", "-o", "-H", "newc"], cwd=root, input=names.encode(), stdout=out, check=True,
                       stderr=subprocess.DEVNULL)
    return next(kernel.glob("boot/vmlinuz-*")), image


class Machine:
    """What all lives have in common: the kernel, the saved state, the disk, the port."""

    def __init__(self, kernel, initramfs, folder, disk, port, cores):
        self.kernel, self.initramfs, self.folder = kernel, initramfs, folder
        self.disk, self.port, self.cores = disk, port, cores
        self.state = folder / "state"
        self.console = folder / "console"

    def command(self):
        disk = f"file.driver=nbd,file.server.type=unix,file.server.path={self.disk.socket}"
        return ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(self.cores), "-m", "768", "-nodefaults",
                "-nographic", "-no-reboot", "-serial", "stdio", "-kernel", str(self.kernel), "-initrd", str(self.initramfs),
                "-append", "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off tsc=reliable random.trust_cpu=on rdinit=/init",
                "-drive", f"if=none,id=data,format=raw,cache=none,{disk}", "-device", "virtio-blk-pci,drive=data,write-cache=on",
                "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-10.0.2.15:9092",
                "-device", "virtio-net-pci,netdev=net,romfile="]

    async def launch(self, *more):
        return await asyncio.create_subprocess_exec(*self.command(), *more, stdin=asyncio.subprocess.PIPE,
                                                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)

    async def save(self):
        """Boots up to `power: waits`, writes the state of the machine to a file, ends."""
        monitor = self.folder / "qmp"
        process = await self.launch("-qmp", f"unix:{monitor},server=on,wait=off")
        said = []
        async for line in process.stdout:
            said.append(line.decode(errors="replace"))
            if b"power: waits" in line:
                break
        else:
            raise RuntimeError("the guest does not boot:\n" + "".join(said[-20:]))
        reader, writer = await asyncio.open_unix_connection(str(monitor))

        async def ask(command, **arguments):
            writer.write(json.dumps({"execute": command, "arguments": arguments}).encode())
            while "return" not in (said := json.loads(await reader.readline())):
                if "error" in said:
                    raise RuntimeError(f"{command}: {said}")
            return said["return"]

        await ask("qmp_capabilities")
        await ask("migrate-set-parameters", **{"max-bandwidth": 4 << 30})
        await ask("migrate", uri=f"exec:cat > {self.state}")
        while (await ask("query-migrate"))["status"] not in ("completed", "failed"):
            await asyncio.sleep(0.05)
        await ask("quit")
        await process.wait()


class Guest:
    """One life of the machine."""

    def __init__(self, machine):
        self.machine = machine
        self.mounted_s = self.ready_s = None

    async def start(self, file_system, shards, settings, patience_s=300):
        """Returns once the broker is ready; the guest's own clock says since when."""
        self.process = await self.machine.launch("-incoming", f"exec:cat {self.machine.state}")
        self.process.stdin.write(f"-------- {time.time():.0f} {secrets.token_hex(32)} {file_system} {shards} {settings}\n".encode())
        self.ready = asyncio.get_running_loop().create_future()
        self.reading = asyncio.create_task(self.listen())
        await asyncio.wait_for(asyncio.shield(self.ready), patience_s)

    async def listen(self):
        with open(self.machine.console, "ab") as out:
            async for line in self.process.stdout:
                out.write(line)
                out.flush()
                if (said := re.search(rb"power: (mounted|ready) ([\d.]+)", line)):
                    setattr(self, f"{said.group(1).decode()}_s", float(said.group(2)))
                    if said.group(1) == b"ready" and not self.ready.done():
                        self.ready.set_result(None)
                elif b"power: " in line and not self.ready.done():
                    self.ready.set_exception(RuntimeError(line.decode(errors="replace").strip()))
        if not self.ready.done():
            self.ready.set_exception(RuntimeError("the guest ended before it was ready"))
            self.ready.exception()

    async def kill(self):
        """The power is cut: the process first, then what the disk had not put on its medium."""
        alive = self.process.returncode is None
        if alive:
            self.process.kill()
        result = self.machine.disk.cut()
        await self.process.wait()
        await self.reading
        if not alive:
            raise RuntimeError("the guest had ended by itself")
        return result
