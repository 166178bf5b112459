# SPDX-License-Identifier: Apache-2.0
"""A hall with a Bluetooth air in it, inside of the guest: controllers, bluetoothd, devices, a gateway,
a cloud and an app. All of it in one folder."""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BTVIRT = HERE.parent.parent / "build" / "deps" / "guest" / "btvirt"
BLUETOOTHD = "/usr/libexec/bluetooth/bluetoothd"
CONTROLLERS = Path("/sys/class/bluetooth")
LOG_SIZE = 200_000 if os.environ.get("HALL_DEBUG") else 3_000
PATIENCE = 40  # seconds: machines that test are busy, and this one is emulated


def eventually(what, limit=PATIENCE):
    """Waits until what() is true, and returns it; None if it never is."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.05)
    return None


class Hall:
    """`controllers`: how many there are. The last one is the gateway's. Legacy ones do not know what
    came with Bluetooth 5. `privacy`: as in main.conf."""

    def __init__(self, programs, controllers, is_legacy=False, privacy="off"):
        self.programs, self.controllers = Path(programs), controllers
        self.is_legacy = is_legacy
        self.folder = Path(tempfile.mkdtemp(prefix="hall-", dir="/run"))
        self.control = self.folder / "air"
        self.control.mkdir()
        self.running = {}
        self.devices = []
        settings = (HERE / "main.conf").read_text().replace("[General]", f"[General]\nPrivacy = {privacy}")
        Path("/etc/bluetooth/main.conf").write_text(settings)
        self.start_bus()
        self.start_radio()
        self.start_bluetoothd()

    # --- the air

    def start_bus(self):
        Path("/run/dbus/system_bus_socket").unlink(missing_ok=True)
        self.start("bus", "dbus-daemon", f"--config-file={HERE}/bus.conf", "--nofork", "--nopidfile")
        assert eventually(Path("/run/dbus/system_bus_socket").exists), self.log("bus")

    def start_radio(self):
        kind = ["-L"] if self.is_legacy else []
        command = [BTVIRT, *kind, f"-l{self.controllers}"]
        self.start("radio", *command, env={"BTVIRT_CONTROL": str(self.control)})
        last = CONTROLLERS / f"hci{self.controllers - 1}"
        assert eventually(last.exists), self.log("radio")

    def start_bluetoothd(self):
        debug = ["--debug"] if os.environ.get("HALL_DEBUG") else []
        self.start("bluetoothd", BLUETOOTHD, "--nodetach", *debug)

    def tell_air(self, name, is_on):
        """`off`: nobody hears anybody; `unplug-N`: the N-th controller is gone."""
        (self.control / name).touch() if is_on else (self.control / name).unlink()

    # --- who lives there

    def start_device(self, name, adapter, *options):
        state = self.path(f"{name}.state")
        self.start(
            name,
            *(self.programs / "sotto-device", "--state", state, "--ble", adapter),
            *("--name", name, "--code-file", self.path(f"{name}.code")),
            *("--function", "echo", *options),
        )
        self.devices.append(name)
        heard = self.count(name, "is heard through")
        assert eventually(lambda: self.count(name, "is heard through") > heard), self.log(name)

    def start_stranger(self, script, number, *words, name=None):
        """A host of its own on a controller, which bluetoothd leaves to it as long as it is off."""
        folder = HERE.parent.parent / "build" / "deps" / "ble-strangers" / "node_modules"
        environment = {**os.environ, "NODE_PATH": str(folder), "HCI_CHANNEL_USER": "1"}
        for host in ("BLENO", "NOBLE"):
            environment[f"{host}_HCI_DEVICE_ID"] = str(number)
        command = ["node", HERE / "strangers" / f"{script}.js", *words]
        return self.start(name or script, *command, env=environment)

    def code(self, name):
        return (self.folder / f"{name}.code").read_text().strip()

    def start_cloud(self, *options):
        self.tell_cloud("init")
        self.start(
            "cloud",
            *(self.programs / "sotto-cloud", "run", "--state", self.path("cloud.state")),
            *("--ports-file", self.path("ports")),
            *("--http", "127.0.0.1:0", "--devices", "127.0.0.1:0", *options),
        )
        assert eventually((self.folder / "ports").exists), self.log("cloud")
        lines = (self.folder / "ports").read_text().split()
        self.ports = dict(line.split("=") for line in lines)
        login = ["login", f"http://{self.ports['http']}"]
        owner = self.path("cloud.state/owner.token")
        code, said = self.app(*login, "--token-file", owner)
        assert code == 0, said

    def tell_cloud(self, *words):
        """What its operator says."""
        command = [self.programs / "sotto-cloud", *words, "--state", self.path("cloud.state")]
        subprocess.run(command, check=True, capture_output=True)

    def start_gateway(self, *options):
        self.start(
            "gateway",
            self.programs / "sotto-gateway",
            *("--bluetooth", f"hci{self.controllers - 1}", *options),
            *("--cloud", self.ports["devices"]),
            *("--token-file", self.path("cloud.state/gateway.token")),
            *("--log-level", "debug", "--status-socket", self.path("status")),
        )

    def status(self, *form):
        """What the gateway says of itself."""
        command = [self.programs / "sotto-gateway", "status", "--status-socket", self.path("status")]
        return subprocess.run(
            [str(word) for word in [*command, *form]], check=True, capture_output=True, text=True
        ).stdout

    def sotto(self, *words, state="app"):
        """The command line of an app."""
        return [str(self.programs / "sotto"), "--state", self.path(state), *map(str, words)]

    def app(self, *words, state="app", limit=PATIENCE):
        """Runs `sotto`: (exit code, all that it printed)."""
        command = self.sotto("--timeout", limit, *words, state=state)
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, (done.stdout + done.stderr).strip()

    # --- processes

    def path(self, name):
        return str(self.folder / name)

    def start(self, name, *command, env=None):
        with open(self.path(f"{name}.log"), "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
            )
        self.running[name] = process
        return process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def resident_kilobytes(self, name):
        status = Path(f"/proc/{self.running[name].pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def count(self, name, pattern):
        return len(re.findall(pattern, self.log(name)))

    def kill(self, name):
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self, name):
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()

    def close(self):
        for name in reversed(list(self.running)):
            self.stop(name)

    def logs(self):
        """The ends of all of them, for whoever wonders."""
        return "\n".join(
            f"--- {file.name}\n{file.read_text(errors='replace')[-LOG_SIZE:]}"
            for file in sorted(self.folder.glob("*.log"))
        )
