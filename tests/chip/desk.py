# SPDX-License-Identifier: Apache-2.0
"""A chip on the desk, for tests: the emulated chip, its air, and an app; all of it in one folder."""

import os
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CHIP = ROOT / "tools" / "chip"
PATIENCE = 60  # seconds: machines that test are busy
HARDWARE = "sotto-microbit"  # device/firmware/board.hpp
SLOT_A, SLOT_B, SLOT_SIZE = 0x1000, 0x1E800, 0x1D800  # device/boot/layout.hpp
ERASED = 0xFFFFFFFF
TRIAL_BOOTS = 3  # device/boot/limits.hpp
CONFIRMED, TOO_MANY_BOOTS, TOO_LONG = 1, 2, 3  # how a trial ends: device/boot/journal.hpp


def eventually(what, limit=PATIENCE):
    """Waits until what() is true, and returns it; None if it never is."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.05)
    return None


class Desk:
    provision_options = []

    def __init__(self, programs, firmware):
        self.programs, self.firmware = Path(programs), Path(firmware)
        self.temporary = tempfile.TemporaryDirectory(prefix="desk-")
        self.folder = Path(self.temporary.name)
        (self.folder / "air").mkdir()
        self.running = {}
        self.provision()

    def path(self, name):
        return str(self.folder / name)

    def provision(self):
        command = [self.programs / "sotto-chip", "provision", "--firmware", self.firmware]
        command += ["--out", self.path("chip.bin"), "--code-file", self.path("code")]
        command += self.provision_options
        self.id = subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout.split()[1]
        self.code = (self.folder / "code").read_text().strip()

    def start(self, name, *command, environment=None):
        with open(self.path(f"{name}.log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        self.running[name] = process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8")

    def power_on(self, *options, noise=None, says="is on the air"):
        """With `noise`, the generator is broken in that way (noise.c); options are those of tools/chip."""
        chip = [CHIP, self.path("chip.bin"), "--uart", self.path("uart")]
        chip += ["--control", self.path("control"), *options]
        self.start("chip", *chip, environment=self.broken(noise) if noise else None)
        assert eventually(lambda: "power is on" in self.log("chip")), self.log("chip")
        self.start_air("uart")
        assert eventually(lambda: says in self.log("air")), self.log("air")

    def start_air(self, uart):
        air = [self.programs / "sotto-chip", "air", "--uart", self.path(uart)]
        self.start("air", *air, "--air", self.path("air"))

    def start_cloud(self):
        """A cloud, a gateway that sees the chip's air, and an app that has signed in."""
        cloud, state = self.programs / "sotto-cloud", ("--state", self.path("cloud"))
        subprocess.run([cloud, "init", *state], check=True, capture_output=True)
        about = subprocess.run(
            [cloud, "certificate", *state], check=True, capture_output=True, text=True
        ).stdout
        pin = about.splitlines()[1].strip()
        self.start(
            "cloud",
            *(cloud, "run", *state, "--tls", "--ports-file", self.path("ports")),
            *("--http", "127.0.0.1:0", "--devices", "127.0.0.1:0"),
        )
        assert eventually((self.folder / "ports").exists), self.log("cloud")
        ports = dict(line.split("=") for line in (self.folder / "ports").read_text().split())
        self.start(
            "gateway",
            *(self.programs / "sotto-gateway", "--air", self.path("air"), "--pin", pin),
            *("--cloud", ports["devices"], "--token-file", self.path("cloud/gateway.token")),
        )
        login = ["login", f"https://{ports['http']}", "--pin", pin]
        code, said = self.app(*login, "--token-file", self.path("cloud/owner.token"), way=())
        assert code == 0, said

    def broken(self, noise):
        library, source = self.path("libnoise.so"), ROOT / "tests" / "chip" / "noise.c"
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", source, "-o", library], check=True)
        return {**os.environ, "LD_PRELOAD": library, "SOTTO_NOISE": noise}

    def power_off(self):
        self.stop("chip")
        self.stop("air")

    def stop(self, name):
        process = self.running.pop(name, None)
        if process is None:
            return
        process.terminate()
        process.wait(timeout=PATIENCE)

    def close(self):
        for name in list(self.running):
            self.stop(name)
        self.temporary.cleanup()

    def control(self, *words):
        command = [CHIP, "tell", self.path("control"), *words]
        return subprocess.run(
            [str(part) for part in command], check=True, capture_output=True, text=True
        ).stdout.strip()

    def sotto(self, *words, state="app"):
        """The command line of an app."""
        command = [self.programs / "sotto", "--state", self.path(state), "--air", self.path("air")]
        return [str(part) for part in [*command, *words]]

    def app(self, *words, state="app", way=("--local",)):
        """Runs `sotto`: (exit code, all that it printed)."""
        command = self.sotto("--timeout", str(PATIENCE), *way, *words, state=state)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).strip()


class UpdateDesk(Desk):
    """A desk whose chip takes updates of a publisher."""

    def provision(self):
        for name in ("publisher", "stranger"):
            command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
            subprocess.run([*command, "-out", self.path(f"{name}.pem")], check=True)
        command = ["openssl", "pkey", "-in", self.path("publisher.pem"), "-pubout"]
        subprocess.run([*command, "-out", self.path("publisher.pub")], check=True)
        self.provision_options = ["--publisher", self.path("publisher.pub")]
        super().provision()

    def sign(self, version, key="publisher", hardware=HARDWARE, change=None):
        """The file of an update; `change` gets its images first."""
        options = []
        for slot in "ab":
            image = bytearray((self.firmware.parent / f"sotto-firmware-{slot}.bin").read_bytes())
            if change:
                change(image)
            (self.folder / f"{slot}.bin").write_bytes(image)
            options += [f"--slot-{slot}", self.path(f"{slot}.bin")]
        file = self.folder / f"{version}-{key}-{hardware}.update"
        file.unlink(missing_ok=True)
        command = [self.programs / "sotto-chip", "sign", "--key", self.path(f"{key}.pem")]
        command += ["--version", str(version), "--hardware", hardware, *options, "--out", file]
        subprocess.run([str(word) for word in command], check=True, capture_output=True)
        return str(file)

    def start_update(self, file):
        self.start("update", *self.sotto("--local", "update", "lamp", file))
        return self.running["update"]

    def word(self, address):
        """Of the flash of a chip that is on."""
        return int(self.control("flash", f"{address:#x}"), 16)

    def is_written(self, address):
        return self.word(address) != ERASED

    def flash(self, begin, size):
        """Of a chip that is off."""
        return (self.folder / "chip.bin").read_bytes()[begin : begin + size]

    def install(self, file):
        """An update that the chip restarts for, and nobody looks whether it works. None: it did not."""
        update = self.start_update(file)
        has_restarted = eventually(lambda: "has reset itself" in self.log("chip"))
        update.kill()
        update.wait()
        self.running.pop("update")
        return has_restarted

    def journal(self):
        """The last entry of a chip that is off (docs/formats/update.md)."""
        page = self.flash(0x800, 0x400)
        words = [int.from_bytes(page[at : at + 4], "little") for at in range(0, len(page), 4)]
        return [word for word in words if word != ERASED][-1] >> 16

    def trial_boots(self):
        return self.journal() >> 4 & 15

    def trial_outcome(self):
        return self.journal() >> 8 & 3
