"""Machines for benchmarks: real daemons, each in a network namespace of its own on one bridge, with a link that can be cut."""
import json, os, signal, subprocess, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CAIRN = os.path.join(ROOT, "cairn")
PATIENCE = 60  # seconds until a condition that must come true is given up


def run(*argv, check=True, **more):
    done = subprocess.run(argv, capture_output=True, text=True, **more)
    if check and done.returncode:
        sys.exit(f"{' '.join(argv)}: exit {done.returncode}\n{done.stderr}{done.stdout}")
    return done


def write(path, data, sync=False):
    with open(path, "wb") as f:
        f.write(data)
        if sync:
            f.flush()
            os.fsync(f.fileno())


def until(what, holds, patience=PATIENCE):
    """Seconds until it holds."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > patience:
            raise TimeoutError(f"not within {patience} s: {what}")
        time.sleep(.02)
    return time.monotonic() - started


class Network:
    """One bridge; its name and its machines' names in the kernel carry a tag of this process."""

    def __init__(self):
        self.tag = f"co{os.getpid() % 10000}"
        self.bridge = f"{self.tag}br"
        run("ip", "link", "add", self.bridge, "type", "bridge")
        run("ip", "link", "set", self.bridge, "up")

    def clear(self):
        run("ip", "link", "del", self.bridge, check=False)


class Host:
    """One machine: a namespace, a link that can be cut, a daemon, a mount."""

    def __init__(self, network, work, number, name):
        self.name = name
        self.space = f"{network.tag}{number}"
        self.link = f"{network.tag}v{number}"
        self.address = f"10.77.0.{number}"
        self.home, self.mount = f"{work}/{name}", f"{work}/{name}.drive"
        os.makedirs(self.mount)
        self.process = None
        run("ip", "netns", "add", self.space)
        run("ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        run("ip", "link", "set", self.link, "master", network.bridge, "up")
        for command in (["addr", "add", f"{self.address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"],
                        ["link", "set", "lo", "up"]):
            run("ip", "-n", self.space, *command)

    def inside(self, *argv):
        # Only the network is entered, so that mounts are seen from outside.
        return ["nsenter", f"--net=/run/netns/{self.space}", *argv]

    def cairn(self, *argv, check=True):
        return run(*self.inside(CAIRN, "--home", self.home, *argv), check=check).stdout.strip()

    def up(self):
        log = open(f"{self.home}.log", "ab")
        self.process = subprocess.Popen(self.inside(CAIRN, "--home", self.home, "up"), stdout=log, stderr=log)
        until(f"{self.name} answers", lambda: not run(
            *self.inside(CAIRN, "--home", self.home, "status", "--json"), check=False).returncode)

    def down(self):
        """Whether the daemon stopped when it was asked to."""
        stopped = True
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                stopped = False
                self.process.kill()
                self.process.wait()
        run("umount", "-l", self.mount, check=False)
        return stopped

    def clear(self):
        """Leaves nothing of it in the kernel."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        run("umount", "-l", self.mount, check=False)
        run("ip", "netns", "del", self.space, check=False)

    def found(self, space="2GiB"):
        """Makes a pool here."""
        self.cairn("init", "--space", space, "--name", self.name, "--listen", f"{self.address}:7866",
                   "--kit", f"{self.home}.kit")
        self.up()

    def join(self, other, space="2GiB"):
        code = other.cairn("invite", "--quiet")
        self.cairn("join", code, "--space", space, "--name", self.name, "--listen", f"{self.address}:7866")
        self.up()

    def unpublished(self, volume):
        """Whether something written here is not cut, encrypted and in the log yet."""
        return json.loads(self.cairn("safe", volume, "--json", check=False))["hasUnpublishedWrites"]

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wire_bytes(self):
        """Bytes on its link since it was made, both ways, with all headers."""
        def count(way):
            with open(f"/sys/class/net/{self.link}/statistics/{way}_bytes") as f:
                return int(f.read())
        return count("rx") + count("tx")

    def cut(self):
        run("ip", "link", "set", self.link, "down")

    def heal(self):
        run("ip", "link", "set", self.link, "up")

    def path(self, name):
        return os.path.join(self.mount, name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()
