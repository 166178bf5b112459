# SPDX-License-Identifier: Apache-2.0
"""A Linux guest with a Bluetooth stack, on a machine that needs none: Debian's kernel in an emulator,
the machine outside as its root, read-only. Nothing is installed but what apt has."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDER = ROOT / "build" / "deps" / "guest"
# In this order: without a generator of random numbers the kernel's test of its curves fails, and
# without af_alg bluetoothd has no ciphers.
MODULES = """sha512_generic ctr drbg hci_vhci algif_skcipher algif_hash cmac ecb uhid
    virtio_pci 9p 9pnet_virtio overlay""".split()
BUSYBOX = "sh mount mkdir ip insmod echo cat sed chroot switch_root poweroff".split()
KERNEL_OPTIONS = "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=on"


class CannotRun(Exception):
    """This machine cannot have such a guest; says why."""


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)
    if done.returncode:
        raise CannotRun(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def kernel_package():
    depends = run("apt-cache", "depends", "linux-image-amd64")
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if not found:
        raise CannotRun("apt knows no kernel linux-image-amd64")
    return found[1]


def unpack_kernel(package):
    """Fetched through apt once, and not installed."""
    tree = FOLDER / package
    if tree.exists():
        return tree
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        run("apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", package, cwd=work)
        run("dpkg-deb", "-x", *Path(work).glob("*.deb"), Path(work) / "tree")
        run("depmod", "-b", Path(work) / "tree", package.removeprefix("linux-image-"))
        (Path(work) / "tree").rename(tree)
    return tree


def modules_of(tree, version):
    """Their files, those that others need first."""
    files = []
    for module in MODULES:
        shown = run("modprobe", "-d", tree, "-S", version, "--show-depends", module)
        files += [Path(line.split()[1]) for line in shown.splitlines() if line.startswith("insmod")]
    return list(dict.fromkeys(files))


def make_initrd(tree, version, out):
    with tempfile.TemporaryDirectory(dir=FOLDER) as work:
        root = Path(work)
        for name in ("bin", "modules", "proc", "sys", "dev"):
            (root / name).mkdir()
        shutil.copy("/usr/bin/busybox", root / "bin" / "busybox")
        for name in BUSYBOX:
            (root / "bin" / name).symlink_to("busybox")
        files = modules_of(tree, version)
        for file in files:
            shutil.copy(file, root / "modules")
        (root / "modules" / "order").write_text("".join(f"{file.name}\n" for file in files))
        shutil.copy(HERE / "init", root / "init")
        archive = f"cd {root} && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1 > {out}"
        run("bash", "-o", "pipefail", "-c", archive)


def is_newer(target, *sources):
    made = target.stat().st_mtime if target.exists() else 0
    return all(source.stat().st_mtime < made for source in sources)


def prepare():
    """The kernel, its first files and the emulator of controllers, as far as they are not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    package = kernel_package()
    tree, version = unpack_kernel(package), package.removeprefix("linux-image-")
    initrd = FOLDER / f"initrd-{version}"
    if not is_newer(initrd, HERE / "init", HERE / "guest.py"):
        make_initrd(tree, version, initrd)
    if not is_newer(FOLDER / "btvirt", HERE / "btvirt_edits", HERE / "btvirt_air.h"):
        run(ROOT / "tools" / "fetch_debian_source", "bluez", FOLDER / "bluez")
        run(HERE / "btvirt_edits", FOLDER / "bluez", FOLDER / "btvirt")
    return tree / "boot" / f"vmlinuz-{version}", initrd


def emulator(kernel, initrd, command, out, role):
    words = ",".join(str(word) for word in command)
    shared = "security_model=none,multidevs=remap"
    return [
        *("qemu-system-x86_64", "-M", "q35", "-cpu", "max", "-m", "1024", "-nographic", "-no-reboot"),
        # A hypervisor that this machine may have is not asked: nested ones hang.
        *("-accel", "tcg,thread=multi", "-smp", str(min(2, os.cpu_count() or 1))),
        *("-nic", "none", "-vga", "none", "-kernel", str(kernel), "-initrd", str(initrd)),
        *("-append", f"{KERNEL_OPTIONS} guest.{role}={words}" + (" guest.debug=1" if os.environ.get("HALL_DEBUG") else "")),
        *("-virtfs", f"local,path=/,mount_tag=host,readonly=on,id=host,{shared}"),
        *("-virtfs", f"local,path={out},mount_tag=out,id=out,{shared}"),
    ]


def boot(command, out, limit, role="run"):
    """Runs a command in a guest, which has `out` as /out: (exit code, console). None: it hung. In the role
    `init` it is process 1, writes `guest: exit N` to the console and switches the guest off."""
    kernel, initrd = prepare()
    words = emulator(kernel, initrd, command, out, role)
    console = Path(out) / "console"
    with open(console, "wb") as file:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        try:
            process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    text = console.read_text(errors="replace").replace("\r", "")
    found = re.findall(r"^guest: exit (\d+)$", text, re.MULTILINE)
    return int(found[-1]) if found else None, text
